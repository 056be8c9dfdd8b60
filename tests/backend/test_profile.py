"""Profiles of the zoo against effviz's counts, and of other modules against FlopCounterMode."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import pytest
import torch
import torch.nn.functional as F
from cases import for_each
from examples import BLOCK_EXAMPLES, CONTAINERS, PRIMITIVES, REPRESENTATIVES, Example, designs
from hypothesis import HealthCheck, given, settings
from modules import Graph
from profiles import examples
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from effviz import Design, DesignError, analyze, architecture, build
from effviz.backend.build import to_module
from effviz.backend.profile import Profile, profile
from effviz.backend.profile.operations import FREE, PRODUCTS, is_elementwise
from effviz.backend.profile.result import MATRIX, NOT_RUN, OTHER, ProfileRow, Uncounted
from effviz.count import kinds
from effviz.model.layers import Branches, Layer

every_kind_of_network = pytest.mark.parametrize("name", REPRESENTATIVES)


class SameConv(nn.Conv2d):
    """A subclass, which thop skips, with TensorFlow's padding."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def flops_of(module: nn.Module, *inputs: Any) -> int:
    """Return the count of FlopCounterMode on the meta device, where fused kernels are decomposed."""
    moved = copy.deepcopy(module).to("meta").eval()
    given = [each.to("meta") if isinstance(each, Tensor) else each for each in inputs]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        moved(*given)
    return int(counter.get_total_flops())


def check(module: nn.Module, *inputs: Tensor) -> Profile:
    """Profile a module, and check the invariants of every profile."""
    found = profile(module, example_inputs=inputs)
    assert 2 * found.macs == found.flops == flops_of(module, *inputs)
    assert found.params == sum(parameter.numel() for parameter in module.parameters())
    table: Any = found.table
    assert [table[column].sum() for column in ("params", "macs", "flops", "memory_access")] == [
        found.params,
        found.macs,
        found.flops,
        found.memory_access,
    ]
    assert set(table.path) <= {path for path, _ in module.named_modules()}
    assert {row.kind for row in found.rows} <= {*kinds.KINDS, MATRIX, OTHER, NOT_RUN}
    return found


def layers(found: Profile) -> list[tuple[str, str]]:
    return [(row.path, row.layer) for row in found.rows]


# --- networks built by effviz -------------------------------------------------------------------------------------

SAME = (
    "path", "stage", "in_channels", "out_channels", "kernel_size", "stride", "groups", "input_shape", "output_shape",
    "params", "macs", "flops", "memory_access",
)  # fmt: skip
SHAPES = ("in_channels", "out_channels", "input_shape", "output_shape")


def check_design(design: Design, resolution: int | None = None) -> None:
    report = analyze(design, resolution, memory="eager")
    found = profile(build(design, resolution, device="meta"), report.input_shape)
    assert (found.params, found.macs, found.memory_access) == (report.params, report.macs, report.memory_access)
    assert found.uncounted == ()
    if any(is_long_sum(step.layer) for step in report.steps):
        # The rows differ, because one step of effviz is several operations of torch.
        return
    expected: Any = report.table
    # Stochastic depth of a design is added by `build`, so it is not in the report. It does nothing in evaluation.
    dropped = [row for row in found.rows if row.layer == "DropBranch"]
    rows = list(found.table[found.table["layer"] != "DropBranch"].itertuples(index=False))
    expected = expected[expected["layer"] != "StochasticDepth"]
    assert all(row.kind == kinds.VIEW and row.memory_access == 0 for row in dropped)
    # Torch normalises the last dimension, so the operation of a layer norm has the channels there.
    permuted = [layer == "LayerNorm2d" for layer in expected["layer"]]
    for column in SAME:
        skipped = permuted if column in SHAPES else [False] * len(rows)
        for row, value, skip in zip(rows, expected[column], skipped, strict=True):
            assert skip or getattr(row, column) == value, column
    for row, kind, merge in zip(rows, expected["kind"], expected["layer"], strict=True):
        # A profile does not know which layers belong to squeeze-and-excitation.
        assert kind in (row.kind, kinds.SQUEEZE_EXCITE), row
        assert merge == row.layer or merge not in ("add", "mul", "concat"), row


@every_kind_of_network
def test_every_architecture(name: str) -> None:
    """A stage repeats blocks with equal layers, so few of each are enough."""
    options = {} if examples(1) > 1 else {"depth_mult": 0.3}
    for side in (97, 64, 224)[: examples(1)]:
        check_design(architecture(name, **options), side)


@every_kind_of_network
def test_every_architecture_as_published(name: str) -> None:
    check_design(architecture(name))


@given(design=designs())
@settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
def test_random_designs(design: Design) -> None:
    check_design(design)


def test_the_columns_are_those_of_a_report() -> None:
    columns = list(analyze(architecture("alexnet")).table.columns)
    assert [*columns[:-1], "operations"] == list(ProfileRow._fields)
    assert columns[-1] == "alive"


def is_long_sum(layer: Layer) -> bool:
    """Whether a step of effviz adds or multiplies more than two branches, which takes several torch operations."""
    return isinstance(layer, Branches) and len(layer.branches) > 2 and layer.merge != "concat"


def is_nested_sum(example: Example) -> bool:
    return is_long_sum(example.layer)


@for_each("example", PRIMITIVES + CONTAINERS + BLOCK_EXAMPLES, ids=repr)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_every_layer(example: Example, device: str) -> None:
    module = to_module(example.layer).to(device)
    found = profile(module, example.shape)
    assert found.macs == oracle.count_macs(module, example.shape)
    assert found.memory_access == oracle.eager_memory_access(module, example.shape)
    assert found.uncounted == ()
    assert not is_nested_sum(example)


# --- modules of other kinds ---------------------------------------------------------------------------------------

IMAGE = torch.zeros(1, 4, 9, 7)
TOKENS = torch.zeros(1, 5, 8)

MODULES: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {
    "convolution": (nn.Conv2d(4, 6, 3, 2, 1), (IMAGE,)),
    "grouped": (nn.Conv2d(4, 6, (3, 1), groups=2, bias=False), (IMAGE,)),
    "dilated": (nn.Conv2d(4, 6, 3, dilation=2), (IMAGE,)),
    "same padding": (nn.Conv2d(4, 6, 2, padding="same"), (IMAGE,)),
    "circular padding": (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), (IMAGE,)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, 2, output_padding=1), (IMAGE,)),
    "transposed grouped": (nn.ConvTranspose2d(4, 6, 3, 3, groups=2), (IMAGE,)),
    "1d": (nn.Sequential(nn.Conv1d(5, 6, 3), nn.ConvTranspose1d(6, 2, 2), nn.AvgPool1d(2)), (TOKENS,)),
    "3d": (nn.Sequential(nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3), nn.MaxPool3d(2)), (torch.zeros(1, 2, 5, 5, 5),)),
    "subclass": (SameConv(4, 6, 2, 2), (IMAGE,)),
    "functional": (
        Graph(lambda m, x: F.relu(F.conv2d(x, m.w, stride=2)), w=nn.Parameter(torch.zeros(6, 4, 3, 3))), (IMAGE,),
    ),
    "shared": (Graph(lambda m, x: m.conv(m.conv(x)), conv=nn.Conv2d(4, 4, 3)), (IMAGE,)),
    "tied": (Graph(lambda m, x: F.linear(m.a(x), m.a.weight.T), a=nn.Linear(8, 3)), (TOKENS,)),
    "linear": (nn.Linear(8, 3), (TOKENS,)),
    "linear without bias": (nn.Linear(8, 3, bias=False), (TOKENS,)),
    "linear on a permuted map": (Graph(lambda m, x: m.a(x.permute(0, 2, 3, 1)), a=nn.Linear(4, 3)), (IMAGE,)),
    "lstm": (nn.LSTM(8, 3, batch_first=True), (TOKENS,)),
    "deep lstm": (nn.LSTM(8, 3, 2, batch_first=True, bidirectional=True), (TOKENS,)),
    "gru": (nn.GRU(8, 3, batch_first=True), (TOKENS,)),
    "rnn cell": (nn.LSTMCell(8, 3), (TOKENS[:, 0],)),
    "attention": (nn.MultiheadAttention(8, 2, batch_first=True), (TOKENS, TOKENS, TOKENS)),
    "attention of another width": (
        nn.MultiheadAttention(8, 2, batch_first=True, kdim=3, vdim=6),
        (TOKENS, torch.zeros(1, 4, 3), torch.zeros(1, 4, 6)),
    ),
    "transformer": (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), (TOKENS,)),
    "scaled dot product": (
        Graph(lambda m, q, k: F.scaled_dot_product_attention(q, k, k)), (IMAGE, torch.zeros(1, 4, 3, 7)),
    ),
    "einsum": (Graph(lambda m, x: torch.einsum("bchw,oc->bohw", x, m.w), w=nn.Parameter(torch.zeros(3, 4))), (IMAGE,)),
    "matmul": (Graph(lambda m, x: x @ x.transpose(-1, -2)), (IMAGE,)),
    "baddbmm": (Graph(lambda m, x: torch.baddbmm(x, x, x)), (torch.zeros(2, 3, 3),)),
    "norms": (
        nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LayerNorm(7), nn.RMSNorm(7)), (IMAGE,),
    ),
    "activations": (
        nn.Sequential(nn.PReLU(4), nn.Softmax(1), nn.LogSoftmax(1), nn.GLU(1), nn.Mish(), nn.Softplus(), nn.CELU()),
        (IMAGE,),
    ),
    "resizing": (
        nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.PixelShuffle(2), nn.ReflectionPad2d(1),
                      nn.Unfold(3)),
        (IMAGE,),
    ),
    "embedding": (nn.Sequential(nn.Embedding(1000, 8), nn.Linear(8, 2)), (torch.zeros(1, 5, dtype=torch.long),)),
    "without parameters": (nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Identity(), nn.Dropout()), (IMAGE,)),
    "nested": (
        nn.Sequential(nn.ModuleDict({"a": nn.Linear(8, 4)})["a"], nn.Sequential(nn.Sequential(nn.Linear(4, 2)))),
        (TOKENS,),
    ),
    "several outputs": (
        Graph(lambda m, x: {"map": (y := m.conv(x)), "rest": [y.mean(), (y.amax(1), None)]}, conv=nn.Conv2d(4, 2, 1)),
        (IMAGE,),
    ),
    "in inference mode": (
        Graph(torch.inference_mode()(lambda m, x: m.net(x)),
              net=nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(105, 2))),
        (IMAGE,),
    ),
    "weight norm": (nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 3))), (TOKENS,)),
    "half": (nn.Conv2d(4, 6, 3).half(), (IMAGE.half(),)),
    "batch of two": (nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU()), (torch.zeros(2, 4, 9, 7),)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("name", MODULES)
def test_against_flop_counter_mode(name: str) -> None:
    module, inputs = MODULES[name]
    found = check(module, *inputs)
    assert found.uncounted == ()
    assert found.ran_on == "meta"
    moved = check(copy.deepcopy(module).to("meta"), *inputs)
    assert moved.rows == found.rows


@pytest.mark.parametrize(
    "name", ["convolution", "grouped", "transposed", "subclass", "functional", "shared", "activations", "3d"]
)
def test_memory_access_against_the_oracle(name: str) -> None:
    module, (image,) = MODULES[name]
    shape = tuple(image.shape[1:])
    assert profile(module, shape).memory_access == oracle.eager_memory_access(module, shape)


def test_transposed_convolution() -> None:
    found = check(*_case("transposed grouped"))
    assert found.rows == (
        ProfileRow(
            "", "", "", "ConvTranspose2d", kinds.GROUPED, 4, 6, "3 × 3", "3 × 3", 2, "4 × 9 × 7", "6 × 27 × 21",
            params=4 * 3 * 9 + 6, macs=9 * 7 * 4 * 3 * 9, flops=2 * 9 * 7 * 4 * 3 * 9,
            memory_access=4 * 9 * 7 + 4 * 3 * 9 + 6 + 6 * 27 * 21, operations="aten.convolution",
        ),
    )  # fmt: skip


def _case(name: str) -> tuple[Any, ...]:
    module, inputs = MODULES[name]
    return (module, *inputs)


def test_subclasses_are_layers() -> None:
    found = check(*_case("subclass"))
    assert layers(found) == [("", "SameConv")]
    assert found.rows[0].operations == "aten.constant_pad_nd, aten.convolution"
    assert found.rows[0].input_shape == "4 × 9 × 7"
    assert found.rows[0].kernel_size == "2 × 2"


def test_functions_are_counted_where_they_run() -> None:
    module = nn.Sequential(nn.ReLU(), MODULES["functional"][0])
    assert layers(check(module, IMAGE)) == [("0", "ReLU"), ("1", "conv2d"), ("1", "relu")]


def test_shared_layers_are_run_twice_and_trained_once() -> None:
    found = check(*_case("shared"))
    weights = 4 * 4 * 9
    assert [(row.path, row.params, row.macs) for row in found.rows] == [
        ("conv", weights + 4, 7 * 5 * weights),
        ("conv", 0, 5 * 3 * weights),
    ]


def test_tied_weights_are_counted_once() -> None:
    found = check(*_case("tied"))
    assert [row.params for row in found.rows] == [27, 0]


def test_parameters_that_are_not_read_have_rows() -> None:
    module = Graph(lambda m, x: m.a(x), a=nn.Linear(8, 3), b=nn.Sequential(nn.Linear(2, 2)), c=nn.Parameter(IMAGE))
    found = check(module, TOKENS)
    assert [(row.path, row.kind, row.params, row.macs) for row in found.rows] == [
        ("a", kinds.LINEAR, 27, 5 * 8 * 3),
        ("", NOT_RUN, 4 * 9 * 7, 0),
        ("b.0", NOT_RUN, 6, 0),
    ]


def test_recurrent_layers_are_one_row() -> None:
    found = check(*_case("deep lstm"))
    assert layers(found) == [("", "LSTM")]
    per_step = 2 * (4 * 3 * (8 + 3)) + 2 * (4 * 3 * (6 + 3))
    assert found.macs == 5 * per_step


def test_attention() -> None:
    found = check(*_case("attention"))
    products = [(row.layer, row.kind, row.params, row.macs) for row in found.rows if row.macs]
    projection, scores = 5 * 8 * 8, 5 * 5 * 8
    assert products == [
        ("linear", kinds.LINEAR, 3 * 72, projection),
        ("linear", kinds.LINEAR, 0, projection),
        ("linear", kinds.LINEAR, 0, projection),
        ("matmul", MATRIX, 0, scores),
        ("matmul", MATRIX, 0, scores),
        ("linear", kinds.LINEAR, 72, projection),
    ]


def test_an_embedding_reads_only_the_selected_rows() -> None:
    row = check(*_case("embedding")).rows[0]
    assert (row.layer, row.params, row.memory_access) == ("Embedding", 8000, 5 + 40 + 40)


def test_blocks_and_stages() -> None:
    class Unit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())

        def forward(self, x: Tensor) -> Any:
            return x + self.body(x)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(nn.ReLU(), Unit())

        def forward(self, x: Tensor) -> Any:
            return self.features(x) * 2

    found = check(Net(), IMAGE)
    assert [(row.path, row.stage, row.block, row.layer, row.kind) for row in found.rows] == [
        ("features.0", "features", "", "ReLU", kinds.NORM),
        ("features.1.body.0", "features", "Unit", "Conv2d", kinds.POINTWISE),
        ("features.1.body.1", "features", "Unit", "ReLU", kinds.NORM),
        ("features.1", "features", "Unit", "add", kinds.MERGE),
        ("", "", "", "mul", kinds.NORM),
    ]
    assert found.name == "Net"
    assert found.rows[3].input_shape == "4 × 9 × 7 + 4 × 9 × 7"


def test_kinds_of_convolution() -> None:
    options = {"standard": (1, 3), "pointwise": (1, 1), "depthwise": (4, 3), "grouped": (2, 1)}
    found = [profile(nn.Conv2d(4, 8, kernel, groups=g), (4, 5, 5)).rows[0].kind for g, kernel in options.values()]
    assert found == [kinds.STANDARD, kinds.POINTWISE, kinds.DEPTHWISE, kinds.GROUPED]


def test_a_caught_failure() -> None:
    """Operations before the exception count, and later rows have the right paths."""

    def attempt(m: Any, x: Tensor) -> Any:
        try:
            return m.a(x)
        except RuntimeError:
            return m.b(x)

    module = Graph(attempt, a=nn.Sequential(nn.Linear(8, 4), nn.Linear(9, 9)), b=nn.Linear(8, 2))
    assert [(row.path, row.macs) for row in check(module, TOKENS).rows] == [("a.0", 160), ("b", 80), ("a.1", 0)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_module() -> None:
    """It runs as written, because the compiler is disabled under dispatch modes."""
    module = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU())
    found = profile(torch.compile(module), (4, 9, 7))
    assert (found.params, found.macs) == (profile(module, (4, 9, 7)).params, profile(module, (4, 9, 7)).macs)


# --- operations that FlopCounterMode omits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "inputs", "macs"),
    [
        (lambda m, x, y: torch.mv(x, y), (torch.zeros(3, 4), torch.zeros(4)), 12),
        (lambda m, x, y: torch.addmv(x, y, x), (torch.zeros(3), torch.zeros(3, 3)), 9),
        (lambda m, x, y: torch.dot(x, y), (torch.zeros(7), torch.zeros(7)), 7),
        (lambda m, x, y: torch.addbmm(x, y, y), (torch.zeros(3, 3), torch.zeros(2, 3, 3)), 54),
    ],
    ids=["mv", "addmv", "dot", "addbmm"],
)
def test_products_with_vectors(function: Callable[..., Any], inputs: tuple[Tensor, ...], macs: int) -> None:
    found = profile(Graph(function), example_inputs=inputs)
    assert found.macs == macs
    assert found.uncounted == ()
    assert flops_of(Graph(function), *inputs) == 0


def _needs_values(module: nn.Module) -> Graph:
    """Wrap a module so that it needs values: a meta tensor has no sum to compare."""
    return Graph(lambda m, *x: m.inner(*x) if x[0].sum() == 0 else None, inner=module)


@pytest.mark.parametrize("name", ["deep lstm", "gru", "attention", "transformer", "scaled dot product", "convolution"])
def test_kernels_of_the_cpu(name: str) -> None:
    """A fused CPU kernel has the multiply-adds of its parts."""
    module, inputs = MODULES[name]
    real = profile(_needs_values(module), example_inputs=inputs)
    assert real.ran_on == "cpu"
    assert real.macs == profile(module, example_inputs=inputs).macs
    assert real.params == profile(module, example_inputs=inputs).params
    assert real.uncounted == ()


def test_flop_counter_mode_knows_no_other_product() -> None:
    """Every formula of torch is in `PRODUCTS`."""
    elsewhere = {
        "aten._flash_attention_forward", "aten._efficient_attention_forward",  # called by those in PRODUCTS
        "aten.cudnn_convolution", "aten._slow_conv2d_forward",
    }  # fmt: skip
    for operation in flop_registry:
        name = str(operation)
        if name.startswith("aten.") and "backward" not in name and name not in elsewhere:
            assert name.removeprefix("aten.") in PRODUCTS, name


# --- operations without a rule ------------------------------------------------------------------------------------


def test_operations_without_a_rule_are_listed() -> None:
    module = nn.Sequential(Graph(lambda m, x: torch.cdist(x, x)), Graph(lambda m, x: torch.fft.rfft(x).abs()))
    found = profile(module, (5, 8))
    assert found.uncounted == (
        Uncounted("aten._cdist_forward.default", "0", 1, 25),
        Uncounted("aten._fft_r2c.default", "1", 1, 15),
    )
    assert found.macs == 0
    assert repr(found) == (
        f"Profile(Sequential, 1 × 5 × 8: params=0, macs=0, memory_access={found.memory_access:,} (eager), "
        "uncounted=2 operations)"
    )


def test_repeated_operations_are_added_up() -> None:
    module = Graph(lambda m, x: m.part(m.part(x)) + torch.cdist(x, x), part=Graph(lambda m, x: torch.cdist(x, x)))
    found = profile(module, (5, 5))
    assert found.uncounted == (
        Uncounted("aten._cdist_forward.default", "part", 2, 50),
        Uncounted("aten._cdist_forward.default", "", 1, 25),
    )


def test_bilinear_layer() -> None:
    found = profile(nn.Bilinear(3, 4, 5), example_inputs=(torch.zeros(1, 3), torch.zeros(1, 4)))
    assert found.uncounted == (Uncounted("aten._trilinear.default", "", 1, 5),)
    assert found.params == 65


def test_custom_operation() -> None:
    @torch.library.custom_op("effviz_tests::doubled", mutates_args=())
    def doubled(x: Tensor) -> Tensor:
        return 2 * x

    found = profile(nn.Sequential(nn.Linear(8, 4), Graph(lambda m, x: doubled(x))), (5, 8))
    assert found.ran_on == "cpu"
    assert found.uncounted == (Uncounted("effviz_tests.doubled.default", "1", 1, 20),)
    assert layers(found) == [("0", "Linear"), ("1", "doubled")]
    assert found.macs == 5 * 8 * 4
    # The same name in another namespace is another operation.
    relu = torch.library.custom_op(
        "effviz_tests::relu", lambda x: x.clamp(0), mutates_args=(), schema="(Tensor x) -> Tensor"
    )
    assert [each.operation for each in profile(Graph(lambda m, x: relu(x)), (5, 8)).uncounted] == [
        "effviz_tests.relu.default"
    ]


def test_conversions_to_numpy_and_python_are_uncounted() -> None:
    module = nn.Sequential(
        Graph(lambda m, x: torch.from_numpy(x.numpy() @ np.ones((8, 2), np.float32))),
        Graph(lambda m, x: x + np.asarray(x)[0].sum()),
        Graph(lambda m, x: torch.tensor(x.tolist())),
    )
    found = profile(module, (5, 8))
    assert found.uncounted == (
        Uncounted("Tensor.numpy", "0", 1, 40),
        Uncounted("Tensor.__array__", "1", 1, 10),
        Uncounted("Tensor.tolist", "2", 1, 10),
    )
    assert found.rows[0].kind == OTHER


@pytest.mark.parametrize("name", ["item", "__float__"])
def test_elements_converted_to_python_numbers_are_uncounted(name: str) -> None:
    number = lambda element: getattr(element, name)()  # noqa: E731
    module = Graph(
        lambda m, x: torch.tensor(sum(number(a) * number(b) for a, b in zip(x[0], m.w, strict=True))),
        w=nn.Parameter(torch.ones(8)),
    )
    assert profile(module, (8,)).uncounted == (Uncounted(f"Tensor.{name}", "", 14, 16),)


def test_single_python_numbers_are_free() -> None:
    """They serve for conditions, indices and scales."""
    for function in (
        lambda m, x: x if x.sum() > 0 else -x,
        lambda m, x: x[:, : int((x >= 0).sum())] if bool((x >= 0).all()) else x,
        lambda m, x: x / (x.max().item() + float(x.norm())),
        lambda m, x: x * m.w[0].item() * float(m.w[0]),
        lambda m, x: x[:, x[0].argmax().item()] * m.table[1].item() * m.table[2].item(),
        lambda m, x: [x[:, int(each)] for each in x[0]],
    ):
        module = Graph(function, w=nn.Parameter(torch.ones(8)), table=torch.ones(4))
        assert profile(module, (8,)).status == "complete"


def test_branches_of_torch_cond() -> None:
    module = Graph(lambda m, x: torch.cond(x.sum() > 0, lambda x: x @ x, lambda x: x + x, (x,)))
    assert profile(module, (3, 3)).uncounted == (Uncounted("cond", "", 1, 9),)


def test_rules_are_for_operations_of_torch() -> None:
    for name in (*PRODUCTS, *FREE):
        assert hasattr(torch.ops.aten, name) or hasattr(torch.ops.aten, f"{name}_"), name
    assert not {*PRODUCTS} & {*FREE}
    assert set(FREE.values()) <= {*kinds.KINDS, OTHER}


def test_free_operations_have_no_formula() -> None:
    known = {str(operation).removeprefix("aten.") for operation in flop_registry}
    assert not known & {*FREE}
    assert not [name for name in (*known, *PRODUCTS) if is_elementwise(name)]


def test_in_place_and_out_variants_are_elementwise_too() -> None:
    """Torch tags `aten.gelu` as pointwise but not `aten.gelu_`, and leaves out a few operations altogether."""
    module = Graph(
        lambda m, x: F.hardswish(F.mish(x.eq_(0), inplace=True).clamp_(min=x).masked_fill_(x > 0, 1), inplace=True)
    )
    found = profile(module, (4,))
    assert found.uncounted == ()
    assert {row.kind for row in found.rows} <= {kinds.NORM, kinds.MERGE}


def test_inference_mode_changes_no_count() -> None:
    """Composite operations are split in both modes."""
    forward = lambda m, x: torch.where(torch.isfinite(F.relu6(x)), F.selu(x).square(), 0.0)  # noqa: E731
    plain, inference = (profile(Graph(each), (3, 4)) for each in (forward, torch.inference_mode()(forward)))
    assert plain == inference


# --- the module is unchanged --------------------------------------------------------------------------------------


class Habits(nn.Module):
    """A forward pass with many side effects."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)
        self.norm = nn.BatchNorm2d(4).eval()
        self.recurrent = nn.LSTM(4, 4)
        self.drop = nn.Dropout()
        self.register_buffer("calls", torch.zeros(()))
        self.table = torch.arange(4.0)
        self.history: list[Any] = []
        self.options = {"seen": 0, "tables": [torch.ones(1)]}
        self.count = 0
        self.fails = False

    def train(self, mode: bool = True) -> Habits:
        raise AssertionError("train() may have side effects, such as merging weights")

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.calls = self.calls + 1
        self.count += 1
        self.cache = x
        self.history.append(x)
        self.options["seen"] += 1
        self.conv.weight.data.add_(1)
        if "late" not in self._modules:
            self.late = nn.Linear(1, 1)
        x = self.norm(self.conv(x)) * self.table[:, None, None] * self.options["tables"][0]
        x = self.recurrent(x.flatten(2)[0].t())[0] + torch.rand(())
        if self.fails:
            raise KeyError("on purpose")
        return self.drop(x)


def state(module: nn.Module) -> Any:
    """Return objects by identity and values by content."""
    attributes = {
        path: {name: id(value) for name, value in vars(each).items() if not isinstance(value, (bool, int))}
        | {name: value for name, value in vars(each).items() if isinstance(value, (bool, int))}
        for path, each in module.named_modules()
    }
    inside = {
        (path, name): [id(entry) for entry in (value.values() if isinstance(value, dict) else value)]
        for path, each in module.named_modules()
        for name, value in vars(each).items()
        if isinstance(value, (dict, list, set))
    }
    values = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    return attributes, inside, {name: (tensor.tolist(), tensor.device) for name, tensor in values.items()}


@pytest.mark.parametrize("fork", [False, True], ids=["in the process", "in a copy"])
@pytest.mark.parametrize("real", [False, True], ids=["meta", "for real"])
@pytest.mark.parametrize("fails", [False, True], ids=["runs", "fails"])
def test_side_effects_are_undone(real: bool, fails: bool, fork: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fork:
        monkeypatch.setattr("effviz.backend.profile.is_available", lambda **options: False)
    module: Any = Habits()
    module.fails = fails
    module.conv.weight.requires_grad_(False)
    seen: list[tuple[str, bool]] = []
    handle = module.conv.register_forward_hook(lambda m, args, output: seen.append((output.device.type, m.training)))
    root = _needs_values(module) if real else module
    before, generator = state(root), torch.get_rng_state()
    fast, device, grad = torch.backends.mha.get_fastpath_enabled(), torch.get_default_device(), torch.is_grad_enabled()
    if fails:
        with pytest.raises(DesignError, match="on purpose"):
            profile(root, (4, 9, 7))
    else:
        found = profile(root, (4, 9, 7))
        assert found.params == sum(parameter.numel() for parameter in root.parameters())
        # Only in the process itself, hooks have an effect: that of a call for real in evaluation mode.
        assert seen == ([] if fork else [("cpu", False)])
    assert state(root) == before
    assert torch.equal(torch.get_rng_state(), generator)
    assert (fast, device, grad) == (
        torch.backends.mha.get_fastpath_enabled(), torch.get_default_device(), torch.is_grad_enabled(),
    )  # fmt: skip
    assert module.training
    assert not module.norm.training
    assert list(module.conv._forward_hooks.values()) != []
    handle.remove()
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in root.modules())


def test_hooks_on_all_modules_of_the_process() -> None:
    """They run before the root module, and their operations have no module."""
    hook = nn.modules.module.register_module_forward_pre_hook(lambda module, args: (args[0] + 1,))
    try:
        found = profile(nn.Sequential(nn.Linear(8, 3)), (8,))
    finally:
        hook.remove()
    assert [(row.path, row.layer) for row in found.rows] == [("", "add"), ("", "add"), ("0", "Linear")]
    assert found.macs == 24


def test_inputs_stay_as_they_were() -> None:
    image = torch.ones(1, 4, 2, 2)
    profile(Graph(lambda m, x: x.add_(1) if x.sum() > 0 else x), example_inputs=image)
    assert torch.equal(image, torch.ones(1, 4, 2, 2))


def test_profiles_repeat() -> None:
    module = Habits()
    assert profile(module, (4, 9, 7)) == profile(module, (4, 9, 7))
    assert profile(module, [4, 9, 7]) == profile(module, example_inputs=torch.zeros(1, 4, 9, 7))


def test_a_large_network_takes_no_memory() -> None:
    """The weights would take a hundred gigabytes."""
    module = nn.Sequential(nn.Linear(2**18, 2**17, device="meta"), nn.Linear(2**17, 10, device="meta"))
    assert profile(module, (2**18,)).macs == 2**35 + 10 * 2**17
    assert profile(nn.MaxPool2d(2), (3, 2**20, 2**20)).memory_access == 3 * 5 * 2**38


# --- inputs and errors --------------------------------------------------------------------------------------------


def test_named_inputs() -> None:
    module = Graph(lambda m, x, scale=None: m.a(x) * scale, a=nn.Linear(8, 3))
    found = profile(module, example_inputs={"x": TOKENS, "scale": torch.ones(1)})
    assert found.macs == 120
    assert found.input_shapes == ((1, 5, 8), (1,))
    nested = Graph(lambda m, batch: m.a(batch["x"][0]), a=nn.Linear(8, 3))
    assert profile(nested, example_inputs=({"x": [TOKENS]},)).macs == 120


def test_the_input_has_the_type_of_the_parameters() -> None:
    assert profile(nn.Linear(3, 4).double(), (3,)).macs == 12
    assert profile(nn.Sequential(nn.Flatten(), nn.ReLU()), (3,)).macs == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nn.Conv2d, (3, 8, 8)), "module = <class 'torch.nn.modules.conv.Conv2d'> must be a torch.nn.Module"),
        ((None, (3, 8, 8)), "module = None must be a torch.nn.Module"),
        ((nn.ReLU(), 224), "input_shape = 224 must be a shape without the batch, such as (3, 224, 224)"),
        ((nn.ReLU(), ()), "input_shape = () must be a shape without the batch, such as (3, 224, 224)"),
        ((nn.ReLU(), (3, 0, 8)), "input_shape[1] = 0 must be at least 1"),
        ((nn.ReLU(), (3, 8.0)), "input_shape[1] = 8.0 must be an integer"),
        ((nn.ReLU(),), "profile needs either input_shape or example_inputs"),
        (
            (nn.Sequential(nn.ReLU(), nn.LazyLinear(3)), (3,)),
            "1: has parameters without a shape; call the module once before profiling",
        ),
        (
            (nn.Sequential(nn.ReLU(), nn.Linear(3, 4)), (5,)),
            "1: the forward pass fails on an input of 1 × 5: RuntimeError: mat1 and mat2 shapes cannot be multiplied "
            "(1x5 and 3x4)",
        ),
        (
            (nn.Sequential(nn.ReLU(), nn.Linear(3, 4, device="meta")), (5,)),
            "1: the forward pass fails on an input of 1 × 5: RuntimeError: a and b must have same reduction dim, "
            "but got [1, 5] X [3, 4].",
        ),
        ((nn.Module(), (5,)), None),
    ],
)
def test_errors(arguments: tuple[Any, ...], message: str | None) -> None:
    with pytest.raises(DesignError) as caught:
        profile(*arguments)
    if message is None:
        assert "NotImplementedError" in str(caught.value)
    else:
        assert str(caught.value) == message


def test_errors_of_example_inputs() -> None:
    with pytest.raises(DesignError, match=r"^profile needs either input_shape or example_inputs$"):
        profile(nn.ReLU(), (3,), example_inputs=IMAGE)
    with pytest.raises(DesignError, match=r"^example_inputs = \(3, 8\) must be a tensor, or a tuple or dictionary"):
        profile(nn.ReLU(), example_inputs=(3, 8))


def test_the_cause_is_kept() -> None:
    with pytest.raises(DesignError) as caught:
        profile(nn.Linear(3, 4), (5,))
    assert isinstance(caught.value.__cause__, RuntimeError)
