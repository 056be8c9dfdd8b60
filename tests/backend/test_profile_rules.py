"""Counts of quantized, complex and sparse layers, peak memory, and unusual inputs."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.ao.quantization as quantization
import torch.nn.functional as F
from modules import Graph
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from effviz import DesignError, analyze, architecture, build
from effviz.backend.profile import packed, profile
from effviz.backend.profile.recorder import PACKED_INTEGERS
from effviz.backend.profile.result import Uncounted
from effviz.count import kinds

# Torch announces the move of quantization to another package.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.ones(shape))


# --- complex numbers ------------------------------------------------------------------------------------------------


def test_complex_layers() -> None:
    """The same product has the same count as a convolution and as a linear layer."""
    products, options = 3 * 16 * 64, {"dtype": torch.complex64}
    for module, shape in [
        (nn.Conv2d(3, 16, 1, **options), (3, 8, 8)),
        (nn.ConvTranspose2d(3, 16, 1, **options), (3, 8, 8)),
        (nn.Conv1d(3, 16, 1, **options), (3, 64)),
        (nn.Linear(3, 16, **options), (64, 3)),
        (Graph(lambda m, x: torch.einsum("bli,oi->blo", x, m.w), w=weight(16, 3).to(torch.complex64)), (64, 3)),
        (Graph(lambda m, x: (x[:, :, None] * m.w).sum(3), w=nn.Parameter(torch.ones(16, 3, **options))), (64, 3)),
    ]:
        example = torch.zeros(1, *shape, **options)
        assert profile(module, example_inputs=example).macs == 3 * products, module
    assert profile(nn.Conv2d(3, 16, 1, **options), (3, 8, 8)).macs == 3 * products


# --- sparse matrices ------------------------------------------------------------------------------------------------

EYE, DENSE = torch.eye(8).to_sparse(), torch.ones(8, 4)
SPARSE: dict[str, tuple[Callable[..., Any], int]] = {
    "sparse.mm": (lambda m, x: torch.sparse.mm(m.a, x), 32),
    "matmul": (lambda m, x: m.a @ x, 32),
    "compressed rows": (lambda m, x: m.a.to_sparse_csr() @ x, 32),
    "from the right": (lambda m, x: x.T @ m.a, 32),
    "vector": (lambda m, x: m.a @ x[:, 0], 8),
    "addmm": (lambda m, x: torch.sparse.addmm(x, m.a, x), 32),
    "batch": (lambda m, x: torch.bmm(torch.stack([m.a, m.a]), torch.stack([x, x])), 64),
}


@pytest.mark.parametrize("name", SPARSE)
def test_products_with_a_sparse_matrix(name: str) -> None:
    """The stored values count."""
    function, macs = SPARSE[name]
    module = Graph(function)
    module.register_buffer("a", EYE)
    found = profile(module, example_inputs=DENSE)
    assert found.macs == macs
    assert found.status == "complete" or name == "batch"


def test_a_graph_layer() -> None:
    module = Graph(lambda m, x: torch.sparse.mm(m.adjacency, m.linear(x[0])), linear=nn.Linear(4, 4))
    module.register_buffer("adjacency", EYE)
    found = profile(module, (8, 4))
    assert (found.macs, found.params, found.status) == (128 + 32, 20, "complete")
    weights = nn.Linear(8, 8, bias=False)
    weights.weight = nn.Parameter(torch.eye(8).to_sparse_csr())
    assert profile(weights, (8,)).macs == 8
    assert profile(Graph(lambda m, a, x: a @ x), example_inputs=(EYE, DENSE)).macs == 32


def test_a_product_of_two_sparse_matrices_is_uncounted() -> None:
    found = profile(Graph(lambda m, x: EYE @ EYE), (1,))
    assert found.uncounted == (Uncounted("aten.mm.default", "", 1, 64),)


# --- nested tensors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [torch.jagged, torch.strided], ids=str)
def test_operations_on_nested_tensors_are_uncounted(layout: torch.layout) -> None:
    nested = lambda: torch.nested.nested_tensor([torch.ones(3, 8), torch.ones(5, 8)], layout=layout)  # noqa: E731
    linear, given = nn.Linear(8, 3), nested()
    for found in (
        profile(Graph(lambda m, x: m.l(nested()).values(), l=linear), (8,)),
        profile(Graph(lambda m, x: (x, m.l(given)), l=linear), (8,)),
        profile(Graph(lambda m, x: m.l(m.given), l=linear, given=given), (8,)),
        profile(linear, example_inputs=given),
    ):
        assert (found.macs, found.params, found.status) == (0, 27, "partial")
        assert ("aten.linear.default", 24) in [(each.operation, each.elements) for each in found.uncounted]
        assert not [each for each in found.uncounted if "size" in each.operation or "numel" in each.operation]
    assert found.input_shapes == ((64,),)


# --- quantized layers -----------------------------------------------------------------------------------------------


class Quantizable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()  # type: ignore[no-untyped-call]
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1, groups=16),
            nn.MaxPool2d(2), nn.ConvTranspose2d(16, 8, 2), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(8, 4),
        )  # fmt: skip
        self.math = nn.quantized.FloatFunctional()

    def forward(self, x: Tensor) -> Any:
        x = self.layers(self.quant(x))
        return self.dequant(self.math.cat([self.math.add(x, x), x]))


ENGINES = [name for name in ("x86", "qnnpack") if name in torch.backends.quantized.supported_engines]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(torch.backends.quantized, "engine", request.param)
    return str(request.param)


def test_static_quantization(engine: str) -> None:
    network = Quantizable().eval()
    expected = profile(network, (3, 8, 8))
    network.qconfig = quantization.get_default_qconfig(engine)
    if engine == "x86":
        # Its transposed convolution has no quantized weights per channel.
        network.layers[5].qconfig = quantization.get_default_qconfig("qnnpack")
    prepared = quantization.prepare(network)  # type: ignore[no-untyped-call]
    prepared(torch.rand(1, 3, 8, 8))
    assert profile(prepared, (3, 8, 8)).macs == expected.macs
    found = profile(quantization.convert(prepared), (3, 8, 8))  # type: ignore[no-untyped-call]
    assert (found.params, found.macs, found.status) == (expected.params, expected.macs, "complete")
    products = lambda each: [  # noqa: E731
        (row.path, row.kind, row.kernel_size, row.stride, row.groups, row.params, row.macs)
        for row in each.rows
        if row.macs
    ]
    assert products(found) == products(expected)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(4, 3), (1, 4)), (nn.LSTM(4, 3), (5, 1, 4)), (nn.LSTM(4, 3, 2, bidirectional=True), (5, 1, 4)),
        (nn.GRU(4, 3), (5, 1, 4)), (nn.LSTMCell(4, 3), (1, 4)), (nn.GRUCell(4, 3), (1, 4)), (nn.RNNCell(4, 3), (1, 4)),
    ],
    ids=str,
)  # fmt: skip
def test_dynamic_quantization(layer: nn.Module, shape: tuple[int, ...]) -> None:
    expected = profile(layer, example_inputs=torch.zeros(shape))
    found = profile(quantization.quantize_dynamic(nn.Sequential(layer)), example_inputs=torch.zeros(shape))  # type: ignore[no-untyped-call]
    assert (found.params, found.macs, found.status) == (expected.params, expected.macs, "complete")


def test_weights_in_buffers() -> None:
    """8-bit matrices are parameters; weights that share an integer are listed."""
    scale, buffers = torch.ones(16, 1), {"w": torch.ones(16, 32, dtype=torch.int8)}
    cast = Graph(lambda m, x: F.linear(x, m.w.to(x.dtype) * scale))
    fused = Graph(lambda m, x: torch._weight_int8pack_mm(x.bfloat16(), m.w, scale[:, 0].bfloat16()))
    shared = Graph(lambda m, x: F.linear(x, torch.stack([m.w & 15, m.w >> 4], -1).flatten(1).to(x.dtype)))
    for module in (cast, fused):
        module.register_buffer("w", buffers["w"])
        found = profile(module, (32,))
        assert (found.params, found.macs, found.status) == (512, 512, "complete")
    shared.register_buffer("w", torch.ones(16, 16, dtype=torch.int32))
    assert profile(shared, (32,)).uncounted == (Uncounted(PACKED_INTEGERS, "", 1, 256),)


def test_layers_in_the_layout_of_onednn_are_listed() -> None:
    from torch.utils import mkldnn  # The import warns.

    inner = mkldnn.to_mkldnn(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval())  # type: ignore[no-untyped-call]
    found = profile(Graph(lambda m, x: m.inner(x.to_mkldnn()).to_dense(), inner=inner), (3, 8, 8))
    assert [each.operation for each in found.uncounted] == ["aten.mkldnn_convolution.default"]


def test_rules_are_for_quantized_operations_of_torch() -> None:
    for name in (*packed.PRODUCTS, *packed.FREE):
        library = torch.ops.quantized if name.startswith("quantized.") else torch.ops.aten
        assert hasattr(library, name.removeprefix("quantized.")), name
    assert set(packed.FREE.values()) <= {*kinds.KINDS, "other"}


# --- status and peak ------------------------------------------------------------------------------------------------


def test_status() -> None:
    assert profile(nn.Linear(8, 3), (8,)).status == "complete"
    assert profile(Graph(lambda m, x: torch.fft.rfft(x)), (8,)).status == "partial"
    assert profile(Graph(lambda m, x: (x.data_ptr(), x)[1]), (8,)).status == "partial"


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(True))
        self.deep = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(True))
        self.up = nn.ConvTranspose2d(32, 16, 2, 2)
        self.last = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Any:
        skip = self.down(x)
        return self.last(torch.cat([skip, self.up(self.deep(skip))], 1))


@pytest.mark.parametrize(
    ("module", "shape", "peak"),
    [
        # The shortcut, the enlarged map and their concatenation.
        (UNet(), (3, 64, 64), (16 + 16 + 32) * 64 * 64),
        (nn.Identity(), (3, 4), 12),
        (nn.Linear(8, 3), (8,), 11),
        # The first result is released before the third.
        (nn.Sequential(nn.Linear(8, 3), nn.Linear(3, 9), nn.Linear(9, 2)), (8,), 12),
        (nn.Sequential(nn.ReLU(), nn.ReLU(), nn.ReLU()), (8,), 16),
        (nn.Sequential(nn.ReLU(), nn.ReLU(True), nn.Flatten()), (8, 2), 32),
        # Results that the network returns stay until the end.
        (Graph(lambda m, x: [x, x.exp(), {"sum": x + 1}]), (8,), 24),
        (Graph(lambda m, x: (x.repeat(i + 1, 1) for i in range(3))), (8,), 8 + 8 + 16 + 24),
        (Graph(lambda m, x: x.expand(5, 8).t()), (8,), 8),
    ],
)
def test_peak_activation(module: nn.Module, shape: tuple[int, ...], peak: int) -> None:
    assert profile(module, shape).peak_activation == peak
    assert (
        profile(Graph(lambda m, x: m.inner(x) if x.sum() == 0 else None, inner=module), shape).peak_activation >= peak
    )


def test_peak_activation_of_a_design() -> None:
    """Without batch norm and activations that a design fuses, both peaks are equal."""
    design = architecture("mobilenet_v2")
    module = build(design, device="meta")
    for each in module.modules():
        for name, child in each.named_children():
            if isinstance(child, (nn.BatchNorm2d, nn.ReLU6)):
                setattr(each, name, nn.Identity())
    assert profile(module, (3, 224, 224)).peak_activation == analyze(design).peak_activation == 1_505_280


# --- inputs ---------------------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", ["image", "number"])


@dataclass
class Batch:
    image: Tensor
    sizes: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Frozen:
    image: Tensor


class Plain:
    def __init__(self) -> None:
        self.image, self.owner = torch.zeros(1, 3, 8, 8), self


IMAGE = torch.zeros(1, 3, 8, 8)


@pytest.mark.parametrize(
    "batch", [Batch(IMAGE, [(8, 8)]), Frozen(IMAGE), Plain(), Pair(IMAGE, 1)], ids=lambda each: type(each).__name__
)
def test_objects_as_inputs(batch: Any) -> None:
    module = Graph(lambda m, batch: m.conv(batch.image), conv=nn.Conv2d(3, 16, 3, padding=1))
    for given in (batch, (batch,)):
        found = profile(module, example_inputs=given)
        assert (found.macs, found.input_shapes, found.status) == (27_648, ((1, 3, 8, 8),), "complete")
    listed = Graph(lambda m, batches: m.conv(batches[0].image), conv=module.conv)
    assert profile(listed, example_inputs=([batch],)).macs == 27_648


def test_a_packed_sequence() -> None:
    assert profile(nn.LSTM(4, 3), example_inputs=pack_sequence([torch.zeros(5, 4)])).macs == 5 * 84


def test_several_input_shapes() -> None:
    module = Graph(lambda m, x, y: m.a(x) + m.b(y), a=nn.Linear(8, 3), b=nn.Linear(2, 3))
    for shapes in ([(8,), (2,)], ((8,), [2])):
        found = profile(module, shapes)
        assert (found.macs, found.input_shapes) == (30, ((1, 8), (1, 2)))
    with pytest.raises(DesignError, match=r"^input_shape\[1\]\[0\] = 0 must be at least 1$"):
        profile(module, [(8,), (0,)])
    with pytest.raises(DesignError, match=r"^input_shape\[1\] = 2 must be a shape without the batch"):
        profile(module, [(8,), 2])


def test_a_generator_as_output() -> None:
    assert profile(Graph(lambda m, x: (m.layer(x) for _ in range(2)), layer=nn.Linear(8, 3)), (8,)).macs == 48


def test_derivatives_of_the_forward_mode() -> None:
    """The size checks of torch are free."""
    layers = {"linear": nn.Linear(8, 3), "norm": nn.LayerNorm(3)}
    forward = lambda m, x: torch.func.jvp(lambda x: m.norm(m.linear(x).relu()), (x,), (torch.ones_like(x),))  # noqa: E731
    primal = profile(Graph(lambda m, x: m.norm(m.linear(x).relu()), **layers), (8,))
    for module in (Graph(forward, **layers), _needs_values(Graph(forward, **layers))):
        found = profile(module, (8,))
        assert (found.params, found.status) == (33, "complete")
        assert found.macs >= 2 * primal.macs
    assert profile(Graph(lambda m, x: torch.func.jacfwd(m.linear)(x), **layers), (8,)).status == "complete"
    assert profile(Graph(lambda m, x: torch.func.jacrev(m.linear)(x), **layers), (8,)).status == "complete"


# --- operations without tensors ---------------------------------------------------------------------------------------


def test_named_ranges_of_the_profiler_change_nothing() -> None:
    """They pass objects of torch to operations that have no weights."""

    def forward(m: Any, x: Tensor) -> Any:
        with torch.profiler.record_function("stem"):
            return m.module(x)

    for module in (Graph(forward, module=nn.Linear(8, 3)), nn.DataParallel(nn.Linear(8, 3))):
        found = profile(module, (8,))
        assert (found.macs, found.params, found.status) == (24, 27, "complete")
        assert profile(_needs_values(module), (8,)).rows[-1].macs == 24


def _needs_values(module: nn.Module) -> Graph:
    return Graph(lambda m, x: m.inner(x) if x.sum() == 0 else None, inner=module)
