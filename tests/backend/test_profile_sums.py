"""Multiply-adds of convolutions that are written as element-wise products and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from cases import for_each
from modules import Graph
from torch import Tensor, nn

from effviz.backend.profile import profile
from effviz.backend.profile.result import MATRIX
from effviz.count import kinds


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.ones(shape))


# A depthwise 3 x 3 convolution of 16 x 8 x 8.
DEPTHWISE = 9 * 16 * 64


def flat(x: Tensor) -> Tensor:
    return F.unfold(x, 3, padding=1)


def patches(x: Tensor) -> Tensor:
    return flat(x).view(1, 16, 9, 64)


def shifted(x: Tensor) -> list[Tensor]:
    padded = F.pad(x, (1, 1, 1, 1))
    return [padded[:, :, row : row + 8, column : column + 8] for row in range(3) for column in range(3)]


def kernel(m: Any) -> Tensor:
    return m.w[None, :, :, None]  # type: ignore[no-any-return]


def products(m: Any, x: Tensor) -> list[Tensor]:
    return [each * m.w[:, tap, None, None] for tap, each in enumerate(shifted(x))]


def involution(m: Any, x: Tensor) -> Tensor:
    weights = x.mean(1).view(1, 1, 1, 64) * m.w.view(1, 16, 9, 1)
    return (patches(x) * weights).sum(2)


def in_place(m: Any, x: Tensor) -> Tensor:
    result = torch.zeros_like(x)
    for tap, each in enumerate(shifted(x)):
        result += each * m.w[0, tap]
    return result


def by_addcmul(m: Any, x: Tensor) -> Tensor:
    result = m.b.expand_as(x)
    for tap, each in enumerate(shifted(x)):
        result = torch.addcmul(result, each, m.w[:, tap, None, None])
    return result


def by_alpha(m: Any, x: Tensor) -> Tensor:
    result = x
    for tap, each in enumerate(shifted(x)):
        result = result.add(each, alpha=tap + 2)
    return result


def into_slices(m: Any, x: Tensor) -> Tensor:
    result = x.new_empty(9, *x.shape)
    for tap, each in enumerate(products(m, x)):
        result[tap] = each
    return result.sum(0)


WRITTEN: dict[str, tuple[Callable[..., Any], int]] = {
    "conv2d": (lambda m, x: F.conv2d(x, m.w.view(16, 1, 3, 3), padding=1, groups=16), DEPTHWISE),
    "einsum": (lambda m, x: torch.einsum("bckl,ck->bcl", patches(x), m.w), DEPTHWISE),
    "sum": (lambda m, x: (patches(x) * kernel(m)).sum(2), DEPTHWISE),
    "sum of a view": (lambda m, x: (flat(x) * m.w.view(144, 1)).view(1, 16, 9, 64).sum(2), DEPTHWISE),
    "mean": (lambda m, x: (patches(x) * kernel(m)).mean(2) * 9, DEPTHWISE),
    "scaled": (lambda m, x: (0.5 * (patches(x) * kernel(m)).contiguous() / 2).sum(2), DEPTHWISE),
    "tensor unfold": (
        lambda m, x: (F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1) * m.w.view(16, 1, 1, 3, 3)).sum((-1, -2)),
        DEPTHWISE,
    ),
    "divided": (lambda m, x: (patches(x) / kernel(m)).sum(2), DEPTHWISE),
    "masked": (lambda m, x: torch.where(x.view(1, 16, 1, 64) > 0, patches(x) * kernel(m), 0.0).sum(2), DEPTHWISE),
    "selected": (lambda m, x: (patches(x) * kernel(m))[:, :, torch.arange(8)].sum(2), DEPTHWISE),
    "selected by a mask": (lambda m, x: (patches(x) * kernel(m))[0, range(9), range(9)].sum(0), DEPTHWISE),
    "padded": (lambda m, x: F.pad(patches(x) * kernel(m), (0, 0, 1, 0)).sum(2), DEPTHWISE),
    "double precision": (lambda m, x: (patches(x) * kernel(m)).double().sum(2), DEPTHWISE),
    "all channels": (
        lambda m, x: (patches(x)[:, None] * torch.stack([m.w] * 4)[None, ..., None]).sum(3).sum(2), 4 * DEPTHWISE,
    ),
    "unfold and matmul": (lambda m, x: m.w.view(1, 144) @ flat(x), DEPTHWISE),
    "involution": (involution, DEPTHWISE),
    "local attention": (lambda m, x: (patches(x) * x.view(1, 16, 1, 64)).sum(1), DEPTHWISE),
    "transposed by fold": (lambda m, x: F.fold(flat(x) * m.w.view(144, 1), (8, 8), 3, padding=1), DEPTHWISE),
    "windows in a loop": (lambda m, x: [(each.flatten() * m.long).sum() for each in shifted(x)], DEPTHWISE),
    "vmap": (lambda m, x: torch.vmap(lambda each: (each * m.w).sum())(patches(x)[0].permute(2, 0, 1)), DEPTHWISE),
    "sum of shifts": (lambda m, x: sum(products(m, x)), DEPTHWISE),
    "stack of shifts": (
        lambda m, x: torch.stack(products(m, x)).sum(0), DEPTHWISE,
    ),
    "rolled shifts": (lambda m, x: sum(x.roll(tap, -1) * m.w[:, tap, None, None] for tap in range(9)), DEPTHWISE),
    "in place": (in_place, DEPTHWISE),
    "addcmul": (by_addcmul, DEPTHWISE),
    "shifts with numbers": (by_alpha, DEPTHWISE),
    "into slices": (into_slices, DEPTHWISE),
    "two taps": (lambda m, x: x[..., 1:] * m.w[0, 0] + x[..., :-1] * m.w[0, 1], 2 * 16 * 8 * 7),
    # Element-wise operations without a sum of products.
    "gate before pooling": (lambda m, x: (x * x.amax((2, 3), keepdim=True).sigmoid()).mean((2, 3)), 0),
    "gate before flat pooling": (lambda m, x: (x * x.amax((2, 3), keepdim=True).sigmoid()).flatten(2).mean(2), 0),
    "activation before pooling": (lambda m, x: F.adaptive_avg_pool2d(x * torch.sigmoid(x), 1), 0),
    "gate of another tensor": (lambda m, x: (x[:, :8] * x[:, 8:].sigmoid()).mean(), 0),
    "gate of another tensor before pooling": (lambda m, x: F.adaptive_avg_pool2d(x[:, :8] * F.silu(x[:, 8:]), 1), 0),
    "two gates": (lambda m, x: (x[:, :8].tanh() * x[:, 8:].sigmoid()).sum((2, 3)), 0),
    "hard gate": (lambda m, x: (x[:, :8] * (F.relu6(x[:, 8:] + 3) / 6)).mean((2, 3)), 0),
    "gated linear unit": (lambda m, x: F.glu(x, 1).mean(), 0),
    "product of two maps": (lambda m, x: (x[:, :8] * x[:, 8:]).sum(1), 8 * 64),
    "attention pooling": (
        lambda m, x: (x[:, :8] * x[:, 8:].flatten(2).softmax(2).view(1, 8, 8, 8)).sum((2, 3)), 8 * 64,
    ),
    "mask of a position": (lambda m, x: (x[:, :8] * x[:, 8:].mean(1, True).sigmoid()).sum((2, 3)), 8 * 64),
    "square": (lambda m, x: (x * x).sum(1).sqrt(), 0),
    "norm": (lambda m, x: ((x - x.mean(1, True)) / x.var(1, keepdim=True).sqrt() * m.b + m.b).sum((2, 3)), 0),
    "norm by product": (lambda m, x: (x * x.square().mean(1, True).rsqrt() * m.b).mean((2, 3)), 0),
    "scaled shortcuts": (lambda m, x: (x + m.b * x.relu()) + m.b * x.tanh(), 0),
    "gates": (lambda m, x: x[:, :8].sigmoid() * x[:, 8:] + x[:, 8:].sigmoid() * x[:, :8].tanh(), 0),
    "rotation": (lambda m, x: x * m.cos + torch.cat([-x[:, 8:], x[:, :8]], 1) * m.cos, 0),
}  # fmt: skip


@for_each("name", WRITTEN)
def test_products_and_sums(name: str) -> None:
    function, macs = WRITTEN[name]
    module = Graph(function, w=weight(16, 9), b=weight(16, 1, 1), long=weight(1024), cos=torch.ones(16, 8, 8))
    found = profile(module, (16, 8, 8))
    assert (found.macs, found.status) == (macs, "complete")
    assert not macs or found.table.query("macs > 0").kind.isin([MATRIX, kinds.LINEAR, kinds.DEPTHWISE]).all()


def test_a_product_counts_where_its_sum_runs() -> None:
    found = profile(Graph(*[WRITTEN["sum"][0]], w=weight(16, 9)), (16, 8, 8))
    assert [(row.layer, row.kind, row.macs) for row in found.rows[1:]] == [
        ("mul", kinds.NORM, 0),
        ("sum", MATRIX, DEPTHWISE),
    ]


def test_sums_by_index() -> None:
    edges, weights = torch.zeros(2, 10, dtype=torch.long), torch.ones(10, 1)
    module = Graph(lambda m, x: torch.zeros_like(x).index_add(0, edges[0], x[edges[1]] * weights))
    assert profile(module, example_inputs=torch.ones(6, 4)).macs == 40
    bag = nn.EmbeddingBag(10, 4, mode="sum")
    words = {"input": torch.zeros(1, 5, dtype=torch.long)}
    assert profile(bag, example_inputs=words).macs == 0
    assert profile(bag, example_inputs={**words, "per_sample_weights": torch.ones(1, 5)}).macs == 20
