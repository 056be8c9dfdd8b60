"""Other counters: the explanation of each equals what the counter itself prints."""

from __future__ import annotations

import math
from importlib.metadata import version

import pytest
import torch
from cases import for_each
from examples import CONTAINERS, PRIMITIVES, REPRESENTATIVES, Example, designs
from formula_text import evaluate
from hypothesis import given, settings
from profiles import examples
from public_counters import INSTALLED, Golden, gallery, goldens, printed
from torch import nn

from effviz import ARCHITECTURES, Design, Report, Stage, analyze, architecture, build, list_architectures
from effviz.backend.build import to_module
from effviz.core.errors import UncountedLayerError
from effviz.count import cost
from effviz.count.reconcile import COUNTERS, Explanation, explain, operation, reconcile
from effviz.count.reconcile.counters import PRODUCTS
from effviz.count.reconcile.rules import PrintedCount, tally
from effviz.model.layers import ACTIVATIONS, Activation, BatchNorm2d, Branches, Conv2d, Linear, primitive_kinds
from effviz.model.layers.containers import MERGES
from effviz.model.trace import trace
from effviz.zoo.published import published

RUN = ("fvcore", "ptflops", "ptflops-aten", "torchinfo")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def explained(report: Report, per_product: int = 1) -> dict[tuple[str, str], Explanation]:
    """Explain a network, and check the invariants of every explanation."""
    found = reconcile(report, per_product)
    for each in found:
        ours = report.params if each.printed.quantity == "params" else per_product * report.macs
        assert each.ours == ours
        assert each.total == ours + sum(term.value for term in each.terms)
        for term in each.terms:
            assert term.value != 0
            words, _, numbers = term.formula.rpartition(": ")
            assert words
            if term.label != "rounding" and term.value > 0:
                assert evaluate(numbers) == term.value
    return {(each.counter.name, each.printed.name): each for each in found}


def check(design: Design, resolution: int | None = None) -> None:
    """Run the installed counters on the CPU."""
    report = analyze(design, resolution)
    found = printed(build(design, resolution), torch.empty((1, *report.input_shape)))
    by_rule = explained(report)
    assert {name for name, _ in found} == {*RUN}
    assert found == {name: (by_rule[name].total, by_rule[name].text) for name in found}


# --- equal to the counters ------------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_every_architecture_is_explained(name: str) -> None:
    """A stage repeats blocks with equal layers, so few of each are enough."""
    check(architecture(name, **({} if examples(1) > 1 else {"depth_mult": 0.3})), 64)


@pytest.mark.slow
def test_full_resolution_and_rectangles() -> None:
    check(architecture("mobilenet_v2"))
    check(architecture("alexnet", resolution=(97, 130)))


def test_every_operation_is_explained() -> None:
    check(gallery())


# Designs of random layers have all blocks; without parameters, ptflops has no device.
@pytest.mark.slow
@given(design=designs())
@settings(max_examples=examples(8))
def test_random_designs_are_explained(design: Design) -> None:
    check(design)


@given(design=designs())
@settings(max_examples=examples(60))
def test_terms_sum_to_the_printed_number(design: Design) -> None:
    report = analyze(design)
    once, twice = explained(report), explained(report, per_product=2)
    assert {name: each.total for name, each in once.items()} == {name: each.total for name, each in twice.items()}
    assert {name: each.text for name, each in once.items()} == {name: each.text for name, each in twice.items()}


@for_each("example", PRIMITIVES + CONTAINERS, ids=repr)
def test_every_layer_is_explained(example: Example) -> None:
    """Includes layers that designs do not have, such as batch norm without scale and shift."""
    channels = example.shape[0]
    # The layer before it has parameters, from which ptflops takes the device.
    first = Conv2d(channels, channels, 1) if len(example.shape) == 3 else Linear(channels, channels)
    steps = [*trace(first, example.shape, "0"), *trace(example.layer, example.shape, "1")]
    counts = {
        "macs": sum(cost.macs(step.layer, step.output.shape) for step in steps),
        "params": sum(cost.params(step.layer) for step in steps),
    }
    module = nn.Sequential(to_module(first), to_module(example.layer)).eval()
    found = printed(module, torch.empty((1, *example.shape)))
    for counter in map(COUNTERS.__getitem__, RUN):
        for each in counter.numbers:
            ours, terms = explain(each, counts, tally(steps), lambda: steps)
            total = ours + sum(term.value for term in terms)
            assert found[counter.name, each.name] == (total, each.text(total)), each.call


def test_versions_are_those_of_the_rules() -> None:
    for name, package in (("thop", "thop"), ("fvcore", "fvcore"), ("ptflops", "ptflops"), ("torchinfo", "torchinfo")):
        assert COUNTERS[name].version == version(package)
    assert COUNTERS["FlopCounterMode"].version == torch.__version__.partition("+")[0]


# --- equal to recorded and published numbers ------------------------------------------------------------------------


@for_each("golden", goldens(), ids=lambda golden: "-".join(map(str, golden[:3])))
def test_calflops_as_recorded(golden: Golden) -> None:
    each = explained(analyze(golden.network, golden.resolution))["calflops", golden.number]
    assert (each.total, each.text) == (golden.value, golden.text)


def test_recorded_networks() -> None:
    """The recorded networks include one with every operation that calflops counts."""
    rules = {name for each in COUNTERS["calflops"].numbers for rule in each.rules for name in rule.on}
    counted = {operation(step.layer) for step in analyze(gallery()).steps}
    assert rules - counted == {"BatchNorm2d without scale and shift"}
    assert len({golden.design for golden in goldens()}) > 20


def test_metadata_of_torchvision() -> None:
    """torchvision publishes both numbers of its weights."""
    table = published()
    chosen = table["source"].str.contains("metadata (num_params, _ops", regex=False) & table["design"].isin(
        ARCHITECTURES
    )
    chosen &= (table["scale"] == 1) & (table["depth_scale"] == 1) & (table["wrong"].isna() | (table["wrong"] == ""))
    assert chosen.sum() >= 10
    for row in table[chosen].itertuples():
        found = explained(analyze(architecture(row.design), int(row.resolution)))
        assert float(found["torchvision", "_ops"].text) == pytest.approx(row.mult_adds / 1000, abs=1e-9), row
        assert found["torchvision", "num_params"].total == round(row.params * 1e6), row


# Total params of keras.applications at its default settings.
KERAS = {"mobilenet_v1": 4_253_864, "mobilenet_v2": 3_538_984, "densenet121": 8_062_504, "vgg16": 138_357_544}
# Its EfficientNets have seven numbers more, in a layer that normalizes the input.
KERAS_NORMALIZED = {"efficientnet_b0": 5_330_571, "efficientnet_b3": 12_320_535}


def test_parameters_of_keras() -> None:
    for name, total in (KERAS | {name: total - 7 for name, total in KERAS_NORMALIZED.items()}).items():
        found = explained(analyze(architecture(name)))["Keras", "Total params"]
        assert found.total == total, name
        assert found.text == f"Total params: {total:,}"


# --- the rules ------------------------------------------------------------------------------------------------------

ALL = (*(each for counter in COUNTERS.values() for each in counter.numbers),)
OPERATIONS = {
    *(kind.__name__ for kind in primitive_kinds() if kind is not Activation),
    *ACTIVATIONS,
    *MERGES,
    *PRODUCTS,
    "BatchNorm2d without scale and shift",
}


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.call)
def test_every_operation_has_a_decision(each: PrintedCount) -> None:
    """Every operation is counted by a rule or listed as free. One rule counts an operation, except parameters."""
    ruled = {name for rule in each.rules for name in rule.on}
    assert ruled | {*each.free} | {*PRODUCTS} == OPERATIONS
    if each.quantity == "macs":
        assert not ruled & {*each.free}
    assert sum(len(rule.on) for rule in each.rules) == len(ruled)


def test_names_of_operations() -> None:
    layers = (Conv2d(1, 1, 1), Conv2d(1, 1, 1, bias=False), Linear(1, 1), BatchNorm2d(1), BatchNorm2d(1, affine=False))
    assert [operation(layer) for layer in layers] == [
        "Conv2d with bias", "Conv2d", "Linear with bias", "BatchNorm2d", "BatchNorm2d without scale and shift",
    ]  # fmt: skip
    found = {operation(step.layer) for name in list_architectures() for step in analyze(architecture(name)).steps}
    assert found <= OPERATIONS
    assert {operation(each.layer) for each in CONTAINERS if isinstance(each.layer, Branches)} == {*MERGES}


def test_an_unknown_operation_is_an_error() -> None:
    each = PrintedCount("ops", "macs", "count(module)", str)
    with pytest.raises(UncountedLayerError, match=r"^relu has no rule for ops of count\(module\)$"):
        explain(each, {"macs": 1, "params": 1}, tally(trace(Activation("relu"), (3, 2, 2))), list)


def test_mobilenet_v2_by_fvcore_and_ptflops() -> None:
    """Worked by hand: 52 batch norms normalise 6,678,112 elements; the last map has 1,280 channels of 7 x 7."""
    found = explained(analyze(architecture("mobilenet_v2")))
    assert [(term.label, term.value) for term in found["fvcore", "flops"].terms] == [
        ("batch norm", 2 * 6_678_112), ("adaptive and global average pooling", 1280 * 7 * 7),
    ]  # fmt: skip
    by_ptflops = {term.label: term.value for term in found["ptflops", "MACs"].terms}
    assert by_ptflops["pooling counted twice"] == 2 * 1280 * 7 * 7
    assert by_ptflops["bias"] == 1000
    assert found["ptflops", "MACs"].uncounted == ("add",)
    assert found["torchinfo", "Total mult-adds"].terms[-1].value == 34_112  # 2 x 17,056 channels


def test_flops_compare_with_two_per_multiply_add() -> None:
    report = analyze(architecture("mobilenet_v2"))
    by_torch = explained(report, per_product=2)["FlopCounterMode", "total flops"]
    assert by_torch.terms == ()
    (term,) = explained(report, per_product=2)["calflops", "MACs"].terms
    assert (term.label, term.value) == ("1 per multiply-add", -report.macs)


def test_beyond_the_integers_of_floating_point() -> None:
    rows = (Stage("conv", 2**20 - 1), Stage("conv", 2**19 + 1, 3), Stage("global_avg_pool"), Stage("linear", 3))
    report = analyze(Design("vast", rows, resolution=33))
    found = explained(report)
    assert report.macs > 2**53
    for name in (("ptflops", "MACs"), ("thop", "macs")):
        term = found[name].terms[-1]
        assert term.label == "rounding"
        assert 0 < abs(term.value) <= math.ulp(float(found[name].total)) * len(report.steps)
    assert float(found["ptflops", "MACs"].total).is_integer()


def test_nothing_to_multiply() -> None:
    found = explained(analyze(Design("pools", (Stage("max_pool"), Stage("flatten")), resolution=8)))
    totals = {name: each.total for name, each in found.items() if each.total}
    assert totals == {("ptflops", "MACs"): 2 * 3 * 64, ("calflops", "FLOPs"): 3 * 64}


def test_runner_knows_every_counter() -> None:
    others = {"thop", "calflops", "FlopCounterMode", "torchvision", "Keras"}
    assert {*COUNTERS} == {*RUN, *others}
    assert len(INSTALLED) == 3
