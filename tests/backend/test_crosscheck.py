"""Cross-check against thop and FlopCounterMode: every difference has a name, a formula and a value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace

import pytest
import torch
from cases import for_each
from examples import CONTAINERS, PRIMITIVES, REPRESENTATIVES, Example, designs, scalings
from formula_text import evaluate
from hypothesis import HealthCheck, given, settings
from profiles import examples
from torch import nn
from torch.utils.flop_counter import flop_registry

from effviz import Design, DesignError, Stage, analyze, architecture, build
from effviz.backend import crosscheck as crosscheck_module
from effviz.backend.build import to_module
from effviz.backend.crosscheck import Comparison, Crosscheck, crosscheck, load_thop
from effviz.core.errors import Cancelled
from effviz.count import cost
from effviz.count.reconcile import COUNTERS, CounterTerm, explain, operation
from effviz.count.reconcile.rules import tally
from effviz.model.layers import ACTIVATIONS, Activation, AdaptiveAvgPool2d, Branches, GlobalAvgPool, primitive_kinds
from effviz.model.trace import trace
from effviz.worker.jobs import crosscheck as job

thop = load_thop()
register_hooks = sys.modules["thop.profile"].register_hooks
every_kind_of_network = pytest.mark.parametrize("name", REPRESENTATIVES)


def repeatable(default: int) -> settings:
    return settings(
        max_examples=examples(default),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def check(design: Design, resolution: int | None = None) -> Crosscheck:
    """Cross-check a design, and check the invariants of every cross-check."""
    result = crosscheck(design, resolution)
    report = analyze(design, resolution)
    assert [comparison.remainder for comparison in result.comparisons] == [0, 0, 0, 0]
    assert result.explained
    by_torch, thop_params, thop_macs, flops = result.comparisons
    assert [comparison.effviz for comparison in result.comparisons] == [report.params] * 2 + [report.macs] * 2
    assert by_torch.agrees
    # Its rules are by class; layer norm and the scale per channel have other classes here than in torch.nn.
    skipped: Counter[str] = Counter()
    for module in build(design, resolution, device="meta").modules():
        if label := {"LayerNorm2d": "layer norm", "LayerScale": "layer scale"}.get(type(module).__name__):
            skipped[label] -= sum(each.numel() for each in module.parameters())
    assert thop_params.total == report.params + skipped.total()
    assert terms(thop_params) == dict(skipped)
    assert flops.total == 2 * report.macs
    for term in (*thop_macs.terms, *flops.terms):
        assert term.value != 0
        words, _, numbers = term.formula.rpartition(": ")
        assert words
        if term.label != "rounding":
            assert evaluate(numbers) == term.value
    assert thop_macs.agrees == (not thop_macs.terms)
    if thop_macs.total < 2**53:
        # Rounding is at most one unit per pool; a larger difference would hide an error.
        pools = sum(isinstance(step.layer, (AdaptiveAvgPool2d, GlobalAvgPool)) for step in report.steps)
        assert -pools <= terms(thop_macs).get("rounding", 0) <= 0
    return result


def terms(comparison: Comparison) -> dict[str, int]:
    return {term.label: term.value for term in comparison.terms}


# --- no remainder -------------------------------------------------------------------------------------------------


@every_kind_of_network
def test_every_architecture_is_explained(name: str) -> None:
    design = architecture(name)
    result = check(design)
    assert result.resolution == design.resolution
    assert result.design == name


@every_kind_of_network
def test_other_inputs_and_classes_are_explained(name: str) -> None:
    """On a side that windows do not divide; a stage repeats blocks with equal layers, so few of each are enough."""
    design = architecture(name, num_classes=7, **({} if examples(1) > 1 else {"depth_mult": 0.3}))
    for side in (97, 128)[: examples(1)]:
        check(design, side)


# Deeper networks take seconds each and have the same layers.
@given(design=scalings().filter(lambda design: len(design.blocks()) <= 30))
@repeatable(8)
def test_scaled_architectures_are_explained(design: Design) -> None:
    check(design)


@given(design=designs())
@repeatable(15)
def test_random_designs_are_explained(design: Design) -> None:
    check(design)


@for_each("example", PRIMITIVES + CONTAINERS, ids=repr)
def test_every_layer_by_thop(example: Example) -> None:
    """Includes layers that designs do not have: batch norm without scale, windows that do not divide the map."""
    steps = trace(example.layer, example.shape)
    counts = {
        "macs": sum(cost.macs(step.layer, step.output.shape) for step in steps),
        "params": sum(cost.params(step.layer) for step in steps),
    }
    expected = [
        counts[printed.quantity] + sum(term.value for term in explain(printed, counts, tally(steps), lambda: steps)[1])
        for printed in COUNTERS["thop"].numbers
    ]
    module = nn.Sequential(to_module(example.layer)).to("meta").eval()
    image = torch.empty((1, *example.shape), device="meta")
    assert [*crosscheck_module._count_with_thop(module, image)] == expected


# --- the numbers themselves ---------------------------------------------------------------------------------------


def test_mobilenet_v2_by_thop() -> None:
    """For torchvision's model thop prints 327,486,720, because that model pools with a function, which thop ignores."""
    comparison = check(architecture("mobilenet_v2")).comparisons[2]
    assert comparison.total == 327_486_720 + 50 * 1280
    assert comparison.terms == (
        CounterTerm(
            "batch norm", "4 operations per element normalised by 52 layers: 4 × 6,678,112", 327_486_720 - 300_774_272
        ),
        CounterTerm(
            "adaptive and global average pooling",
            "1 addition per input element and 1 division per output element of 1 layer (GlobalAvgPool): "
            "62,720 + 1,280",
            50 * 1280,
        ),
    )  # fmt: skip
    assert not comparison.agrees
    assert comparison.version == "0.1.1-2209072238"


def test_published_thop_counts() -> None:
    assert check(architecture("efficientnet_b0")).comparisons[2].total == 415_145_024
    assert terms(check(architecture("squeezenet1_1")).comparisons[2]) == {
        "adaptive and global average pooling": 13 * 13 * 1000 + 1000
    }


def test_average_pooling_is_counted_once_per_output() -> None:
    found = terms(check(architecture("densenet121")).comparisons[2])
    assert found["average pooling"] == 128 * 28 * 28 + 256 * 14 * 14 + 512 * 7 * 7


def test_flop_counter_mode_counts_two() -> None:
    comparison = check(architecture("mobilenet_v1")).comparisons[3]
    assert comparison.total == 2 * 568_740_352
    assert comparison.terms == (
        CounterTerm(
            "2 per multiply-add",
            "multiplications and additions are counted separately, 1 more operation per multiply-add: 568,740,352",
            568_740_352,
        ),
    )


def test_tools_agree_on_a_plain_network() -> None:
    """Without norms and average pooling, thop has the same number, because it does not count biases."""
    rows = (Stage("conv", 8, 2, norm=False), Stage("max_pool"), Stage("linear", 10))
    result = check(Design("plain", rows, resolution=17))
    assert [comparison.agrees for comparison in result.comparisons] == [True, True, True, False]


def test_nothing_to_multiply() -> None:
    result = check(Design("pools", (Stage("max_pool"), Stage("flatten")), resolution=8))
    assert [comparison.total for comparison in result.comparisons] == [0, 0, 0, 0]
    assert all(comparison.agrees for comparison in result.comparisons)


def test_layers_that_a_tool_does_not_know() -> None:
    _, _, by_thop, flops = check(architecture("mobilenet_v3_small")).comparisons
    assert by_thop.not_counted == ("Hardsigmoid", "Hardswish", "Merge", "ReLU")
    assert flops.not_counted == (
        "AdaptiveAvgPool2d", "BatchNorm2d", "Hardsigmoid", "Hardswish", "Merge", "ReLU",
    )  # fmt: skip
    assert check(architecture("vgg16")).comparisons[2].not_counted == ("MaxPool2d", "ReLU")


def test_the_lists_of_the_tools() -> None:
    """The layers that count 0 are those missing from the list of a tool, and those that thop lists as free."""
    (printed,) = (each for each in COUNTERS["thop"].numbers if each.quantity == "macs")
    # LeakyReLU has its own hook, which adds 0.
    zero = (None, register_hooks[nn.ReLU], register_hooks[nn.LeakyReLU])
    kinds = [example.layer for example in PRIMITIVES + CONTAINERS]
    kinds = [layer for layer in kinds if isinstance(layer, (*primitive_kinds(), Branches))]
    for layer in (*kinds, *map(Activation, ACTIVATIONS)):
        is_free = register_hooks.get(type(to_module(layer))) in zero
        assert is_free == (operation(layer) in printed.free), layer
    names = {str(key) for key in flop_registry}
    assert not any("norm" in name or "pool" in name or "relu" in name for name in names)


WITHOUT_DISTUTILS = """
import sys
sys.modules["distutils"] = None
import effviz
from effviz.backend.crosscheck import crosscheck
assert crosscheck(effviz.architecture("mobilenet_v2")).explained
assert "distutils" not in sys.modules
"""


def test_thop_runs_without_distutils_as_in_python_3_12() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_DISTUTILS], check=True, timeout=120)


# --- the arithmetic of thop ---------------------------------------------------------------------------------------


def test_thop_truncates_fractions() -> None:
    """(8 / 7)² + 1 windows times 343 outputs is 791 minus a rounding error, which is truncated to 790."""
    rows = (Stage("conv", 7), Stage("adaptive_avg_pool", output_size=7), Stage("linear", 3))
    comparison = check(Design("cut", rows, resolution=8)).comparisons[2]
    assert int(((8 / 7) ** 2 + 1) * 343) == 790
    assert terms(comparison)["adaptive and global average pooling"] == 7 * 8 * 8 + 343 == 791
    assert comparison.terms[-1] == CounterTerm(
        "rounding",
        f"thop calculates in 64-bit floating point and truncates: {comparison.total:,} − {comparison.total + 1:,}",
        -1,
    )


@pytest.mark.parametrize("size", range(1, 8))
def test_windows_that_do_not_divide(size: int) -> None:
    rows = (Stage("conv", 5), Stage("adaptive_avg_pool", output_size=size), Stage("linear", 3))
    for side in range(size % 5 + 1, 40, 5 if examples(1) == 1 else 1):
        check(Design("cut", rows, resolution=side))


def test_beyond_the_integers_of_floating_point() -> None:
    rows = (Stage("conv", 2**20 - 1), Stage("conv", 2**19 + 1, 3), Stage("global_avg_pool"), Stage("linear", 3))
    comparison = check(Design("vast", rows, resolution=33)).comparisons[2]
    assert comparison.effviz > 2**53
    assert "rounding" in terms(comparison)


def test_beyond_the_integers_of_thop() -> None:
    rows = (Stage("conv", 2**20), Stage("conv", 2**20))
    with pytest.raises(DesignError, match=r"^thop cannot count this network: int too big to convert$"):
        crosscheck(Design("vaster", rows, resolution=16384))


def test_the_meta_device_changes_nothing() -> None:
    """Three networks that run on the CPU have the same counts as on the meta device."""
    for name in ("mobilenet_v3_small", "shufflenet_v2", "squeezenet1_1"):
        design = architecture(name, num_classes=10)
        macs, params = thop.profile(build(design, 64), (torch.zeros(1, 3, 64, 64),), verbose=False)
        assert (params, macs) == tuple(comparison.total for comparison in crosscheck(design, 64).comparisons[1:3])


# --- the result and the job ---------------------------------------------------------------------------------------


def test_an_unexplained_difference_is_a_remainder() -> None:
    comparison = crosscheck(architecture("resnet18"), 64).comparisons[2]
    wrong = replace(comparison, total=comparison.total + 1)
    assert wrong.remainder == 1
    assert not Crosscheck("resnet18", 64, (comparison, wrong)).explained
    assert not replace(comparison, total=comparison.effviz).agrees
    assert not replace(comparison, total=comparison.effviz + 1, terms=()).agrees


def test_json() -> None:
    result = crosscheck(architecture("ghostnet"))
    document = json.loads(json.dumps(result.to_dict()))
    assert document["comparisons"][2]["terms"] == [asdict(term) for term in result.comparisons[2].terms]
    assert [entry["tool"] for entry in document["comparisons"]] == ["torch", "thop", "thop", "FlopCounterMode"]
    assert document["explained"] is True
    assert [entry["agrees"] for entry in document["comparisons"]] == [True, True, False, False]
    assert [entry["remainder"] for entry in document["comparisons"]] == [0, 0, 0, 0]


def test_job() -> None:
    design = architecture("mobilenet_v3_small", width_mult=0.5)
    seen: list[tuple[float, str]] = []
    payload = {"design": design.to_json(), "resolution": 96}
    document = job.run(payload, lambda done, message: seen.append((done, message)), lambda: False)
    assert document == crosscheck(design, 96).to_dict()
    assert seen == [
        (0.0, "Building"),
        (0.2, "Counting with FlopCounterMode"),
        (0.6, "Counting with thop"),
        (1.0, "Counted"),
    ]
    unset = job.run({"design": design.to_json()}, lambda done, message: None, lambda: False)
    assert unset["resolution"] == design.resolution


def test_cancelled_job() -> None:
    answers = iter((False, True))
    seen: list[str] = []
    payload = {"design": architecture("alexnet").to_json(), "resolution": None}
    with pytest.raises(Cancelled):
        job.run(payload, lambda done, message: seen.append(message), lambda: next(answers))
    assert seen == ["Building", "Counting with FlopCounterMode"]


def test_errors() -> None:
    with pytest.raises(DesignError, match=r"^the text is not JSON: "):
        job.run({"design": "no"}, lambda done, message: None, lambda: False)
    with pytest.raises(DesignError, match=r"kernel_size = 3 spans 3 pixels"):
        crosscheck(architecture("alexnet"), 20)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    crosscheck(architecture("shufflenet_v2"), 64)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
