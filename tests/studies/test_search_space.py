"""The space of the search: its designs, its size, its shares and averages against enumeration and sampling."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from cases import for_each

import effviz
from effviz import DesignError
from effviz.backend.build import build
from effviz.studies.search import share
from effviz.studies.search.entropy import entropy
from effviz.studies.search.space import BASE, Option, Space

FULL = Space()
# 2^7 networks, few enough to count them all.
SMALL = [
    Space((3,), (1, 3), (0.0,), (1,), (1.0,), resolution=64),
    Space((5,), (3,), (0.25,), (1, 2), (1.0,), resolution=32),
    Space((3,), (1,), (0.0,), (2,), (0.75, 1.25), resolution=(64, 96)),
]


def random_options(seed: int) -> list[Option]:
    return random.Random(seed).choices(list(FULL.options), k=len(BASE))


def every(space: Space) -> list[tuple[Option, ...]]:
    return list(product(*[list(space.options)] * len(BASE)))


def test_the_size_is_the_number_of_combinations() -> None:
    assert FULL.size == (3 * 3 * 2 * 4 * 3) ** 7 == 21_936_950_640_377_856
    assert len(set(every(SMALL[0]))) == SMALL[0].size == 128


def test_mnasnet_a1_is_in_the_space() -> None:
    rows = [(3, 1, 0.0, 1), (3, 6, 0.0, 2), (5, 3, 0.25, 3), (3, 6, 0.0, 4), (3, 6, 0.25, 2), (5, 6, 0.25, 3),
            (3, 6, 0.0, 1)]  # fmt: skip
    here = effviz.analyze(FULL.design([Option(*row, 1.0) for row in rows]))
    published = effviz.analyze(effviz.architecture("mnasnet_a1"))
    assert (here.params, here.macs, here.memory_access) == (published.params, published.macs, published.memory_access)


def test_designs_are_ordinary_designs() -> None:
    design = FULL.design(random_options(3))
    assert effviz.Design.from_json(design.to_json()) == design
    small = design.scaled(resolution=32)
    assert build(small)(torch.zeros(1, 3, 32, 32)).shape == (1, 1000)


def test_genes_are_read_as_options() -> None:
    options = random_options(5)
    genes = {
        f"stage{stage}_{name}": FULL.values[name].index(value)
        for stage, option in enumerate(options, start=1)
        for name, value in option._asdict().items()
    }
    assert genes.keys() == FULL.genes.keys()
    assert FULL.read(genes) == options
    with pytest.raises(DesignError, match="stage2_layers = 4 must be at most 3"):
        FULL.read(genes | {"stage2_layers": 4})
    with pytest.raises(DesignError, match="stage7_width = None must be an integer"):
        FULL.read({name: place for name, place in genes.items() if name != "stage7_width"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kernel_size": ()}, r"kernel_size = \(\) must have 1 to 16 different values"),
        ({"layers": (1, 1)}, r"layers = \(1, 1\) must have 1 to 16 different values"),
        ({"layers": (0,)}, "layers = 0 must be at least 1"),
        ({"width": (0.0,)}, "width = 0.0 must be at least 0.1"),
        ({"expand_ratio": (-1,)}, "expand_ratio = -1"),
    ],
)
def test_illegal_spaces_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        Space(**values)


@for_each("seed", range(20))
def test_stages_add_up_to_the_network(seed: int) -> None:
    options = random_options(seed)
    widths = [1.0, *(each.width for each in options)]
    parts = [share.stage_counts(FULL, stage, widths[stage], option) for stage, option in enumerate(options)]
    parts.append(share.outside_counts(FULL, widths[-1]))
    report = effviz.analyze(FULL.design(options))
    assert sum(each.params for each in parts) == report.params
    assert sum(each.macs for each in parts) == report.macs


@pytest.mark.slow
@pytest.mark.parametrize("space", SMALL)
@pytest.mark.parametrize("quantity", share.QUANTITIES)
def test_shares_and_means_are_those_of_all_networks(space: Space, quantity: str) -> None:
    costs = sorted(getattr(effviz.analyze(space.design(options)), quantity) for options in every(space))
    assert share.mean(space)[share.QUANTITIES.index(quantity)] == pytest.approx(sum(costs) / len(costs), rel=1e-15)
    coarse = share.distribution(space, quantity, costs[-1], 1_000)
    exact = share.distribution(space, quantity, costs[-1], 10**7)
    for limit in [costs[0] - 1, *costs[::16], costs[len(costs) // 2] - 1, costs[-1]]:
        kept = sum(cost <= limit for cost in costs)
        found = coarse.share(limit)
        assert found.low <= kept <= found.high
        if exact.step == 1:
            assert exact.share(limit) == share.Share(kept, kept, space.size)
    if quantity == "params":
        assert exact.step == 1, "parameters are counted exactly"


@pytest.mark.slow
def test_the_share_of_the_full_space_agrees_with_a_sample() -> None:
    limit = 300_000_000
    low, high = share.distribution(FULL, "macs", limit).share(limit).bounds
    assert 0 <= high - low < 2e-4
    draw, options = random.Random(1), list(FULL.options)
    networks = [FULL.design(draw.choices(options, k=len(BASE))) for _ in range(1_000)]
    found = sum(effviz.analyze(each).macs <= limit for each in networks) / len(networks)
    error = math.sqrt(found * (1 - found) / (len(networks) - 1))
    assert low - 4 * error <= found <= high + 4 * error


def test_limits_beyond_the_distribution_and_huge_spaces_are_refused() -> None:
    with pytest.raises(DesignError, match="limit = 2000 must be at most 1000"):
        share.distribution(SMALL[0], "macs", 1_000).share(2_000)
    with pytest.raises(DesignError, match="a distribution needs fewer than 2"):
        share.distribution(Space(layers=tuple(range(1, 17))), "macs", 1_000)
    with pytest.raises(DesignError, match="quantity = 'memory_access' must be one of params, macs"):
        share.distribution(FULL, "memory_access", 1_000)


def test_the_cost_of_a_choice_is_the_mean_of_the_networks_that_choose_it() -> None:
    space = SMALL[0]
    found = {(each.choice, each.value): each for each in share.choice_costs(space)}
    assert Counter(choice for choice, _ in found) == Counter(
        {"kernel_size": 1, "expand_ratio": 2, "se_ratio": 1, "layers": 1, "width": 1}
    )
    wide = effviz.analyze(space.design([Option(3, 3, 0.0, 1, 1.0)] * 7))
    assert (found["expand_ratio", 3].params, found["expand_ratio", 3].macs) == (wide.params, wide.macs)
    assert found["layers", 1].macs == share.mean(space)[1]


def test_the_entropy_is_that_of_the_convolutions_in_torch() -> None:
    """The oracle are the modules of torch, with the hooks of a forward pass for the last map."""
    design = FULL.design(random_options(11)).scaled(resolution=64)
    module = build(design)
    total, last = 0.0, torch.Size()

    def note(layer: torch.nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal last
        last = output.shape[1:]

    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and "squeeze_excite" not in name:
            total += math.log(layer.weight[0].numel())
            layer.register_forward_hook(note)
    module(torch.zeros(1, 3, 64, 64))
    assert entropy(design) == pytest.approx(math.log(math.prod(last)) * total, rel=1e-12)


def deepmad_deviations(kind: str, entering: int, inner: int, kernel: int) -> list[float]:
    """Logarithms of the deviations of a block, as the authors write them for ConvKXBNRELU and ResK1DWK1."""
    if kind == "conv":
        return [np.log(np.sqrt(entering * kernel**2))]
    expansion = np.log(np.sqrt(entering)) if inner != entering else 0.0
    return [expansion + np.log(np.sqrt(kernel**2)) + np.log(np.sqrt(inner))]


@pytest.mark.parametrize("seed", range(5))
def test_the_entropy_is_twice_the_last_stage_of_deepmad(seed: int) -> None:
    """Transcribed from `ratio_score` with the weights 0, 0, 0, 0, 1: the sum over all blocks times the last map."""
    options = random_options(seed)
    deviations, channels, side = deepmad_deviations("conv", 3, 0, 3), 32, FULL.resolution // 2
    for option, (base, stride) in zip(options, BASE, strict=True):
        width = max(8, int(base * option.width + 4) // 8 * 8)
        width += 8 * (width < 0.9 * base * option.width)
        side //= stride
        for _ in range(option.layers):
            deviations += deepmad_deviations("block", channels, channels * option.expand_ratio, option.kernel_size)
            channels = width
    deviations += deepmad_deviations("conv", channels, 0, 1)
    score = (np.log(1280) + np.log(side**2)) * sum(deviations)
    assert entropy(FULL.design(options)) == pytest.approx(2 * score, rel=1e-12)


def test_the_entropy_grows_with_depth_width_and_kernel_but_not_with_squeeze_and_excitation() -> None:
    option = Option(3, 3, 0.0, 2, 1.0)

    def measured(**changes: Any) -> float:
        return entropy(FULL.design([option._replace(**changes)] * 7))

    for changes in ({"layers": 3}, {"width": 1.25}, {"kernel_size": 5}, {"expand_ratio": 6}):
        assert measured(**changes) > measured()
    assert measured(se_ratio=0.25) == measured()
