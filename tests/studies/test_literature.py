"""Judged figures: integers and verdicts of other sources, and an independent rounding of every claim."""

from __future__ import annotations

import csv
import math
from collections import Counter
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import torch
from cases import for_each
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import effviz
from effviz.count.reconcile import reconcile
from effviz.studies.literature import judge, references
from effviz.studies.literature.claims import COURSE, ClaimedNetwork, brief, document, place, rows
from effviz.studies.literature.conventions import MACS, PARAMS, Way, parts_of
from effviz.studies.literature.course import course_claims, networks, published_speedups
from effviz.studies.literature.digits import COARSE, EXACT, ROUNDED, TRUNCATED, Digits, read_digits
from effviz.studies.literature.judge import (
    OPEN,
    OTHER,
    RIGHT,
    SHORT,
    UNBUILT,
    UNEXPLAINED,
    VERDICTS,
    WRONG,
    Judged,
    judged,
)
from effviz.studies.literature.selection import COMPARED, Filter, chosen, documents, errors, grouped, scaled, summary

COUNTS = ("params", "mult_adds")


def rule(rules: tuple[Way, ...], name: str) -> Way:
    return next(each for each in rules if each.name == name)


# --- conventions ---------------------------------------------------------------------------------------------------

# Printed or measured by others: Keras' documentation, README files, pycls, thop, the authors' code.
INTEGERS = [
    ("mobilenet_v1", PARAMS, "3 batch-norm vectors", 4_242_920),
    ("mobilenet_v1", PARAMS, "4 batch-norm vectors", 4_253_864),
    ("mobilenet_v2", PARAMS, "without batch norm", 3_470_760),
    ("mobilenet_v2", PARAMS, "4 batch-norm vectors", 3_538_984),
    ("efficientnet_b0", PARAMS, "Keras, with normalization", 5_330_571),
    ("efficientnet_b7", PARAMS, "Keras, with normalization", 66_658_687),
    ("resnet50", PARAMS, "Keras, with biases", 25_636_712),
    ("shufflenet_v2", PARAMS, "without FC bias", 2_278_760),
    ("mobilenet_v3_small", PARAMS, "1280-wide head", 2_946_568),
    ("mobilenet_v3_small", MACS, "1280-wide head", 56_913_856),
    ("resnet50", MACS, "stride in the 1×1", 3_857_973_248),
    ("resnet50", MACS, "with bias adds", 4_089_185_256),
    ("efficientnet_b0", MACS, "with bias adds", 385_825_092),
    ("shufflenet_v1", MACS, "without FC layer", 136_500_672),
    ("mobilenet_v2", MACS, "FLOPs = 2×", 601_548_544),
]


@pytest.mark.parametrize(("name", "rules", "convention", "expected"), INTEGERS, ids=lambda each: str(each)[:30])
def test_a_convention_gives_the_integers_of_others(
    name: str, rules: tuple[Way, ...], convention: str, expected: int
) -> None:
    assert rule(rules, convention).of(effviz.architecture(name)) == expected


@for_each("name", effviz.ARCHITECTURES)
def test_the_rule_of_a_counter_is_the_number_that_it_prints(name: str) -> None:
    """The tests of `effviz.count.reconcile` compare these numbers with the counters themselves."""
    design = effviz.architecture(name)
    printed = {
        each.counter.name: each.total for each in reconcile(effviz.analyze(design)) if each.printed.quantity == "macs"
    }
    for counter in ("fvcore", "thop", "ptflops", "torchinfo"):
        assert rule(MACS, counter).of(design) == printed[counter]


@for_each("name", effviz.ARCHITECTURES)
def test_the_first_rules_are_the_counts_of_a_report(name: str) -> None:
    design = effviz.architecture(name)
    report = effviz.analyze(design)
    assert (PARAMS[0].of(design), MACS[0].of(design)) == (report.params, report.macs)
    parts = parts_of(design)
    assert parts.weights + parts.biases + parts.other + 2 * parts.norm == report.params


class Operations(TorchDispatchMode):
    """Counts operations as TensorFlow's converter (tooling_util.cc) does, with batch norm folded into biases."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name == "convolution":
            self.count += out.numel() * (2 * args[1][0].numel() + 1)
        elif name == "addmm":
            self.count += out.numel() * (2 * args[2].shape[0] + 1)
        elif name in ("add", "add_", "mul"):
            self.count += out.numel()
        elif name in ("sigmoid", "sigmoid_"):
            self.count += 64 * out.numel()
        return out


@pytest.mark.parametrize(("name", "width"), [("mnasnet_a1", 0.35), ("mnasnet_a1", 1.4), ("mobilenet_v3_large", 1.0)])
def test_the_estimate_of_tensorflows_converter(name: str, width: float) -> None:
    design = effviz.architecture(name, width_mult=width)
    with torch.no_grad(), Operations() as seen:
        effviz.build(design)(torch.zeros(1, 3, 224, 224))
    assert rule(MACS, "TensorFlow converter").of(design) == seen.count // 2


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "shufflenet_v2"])
def test_the_summary_of_paddlepaddle(name: str) -> None:
    design = effviz.architecture(name)
    params = flops = 0

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal params, flops
        match module:
            case nn.Conv2d():
                weights = module.weight.numel() // module.groups
                params, flops = params + weights, flops + 2 * weights * output[0, 0].numel()
            case nn.Linear():
                params, flops = params + module.weight.numel() + 1, flops + module.weight.numel()
            case nn.BatchNorm2d():
                params, flops = params + 2 * module.num_features, flops + 2 * output.numel()
            case nn.ReLU() | nn.AdaptiveAvgPool2d():
                flops += output.numel()
            case nn.MaxPool2d():
                flops += 9 * output.numel()

    network = effviz.build(design)
    for module in network.modules():
        module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 224, 224))
    assert [rule(rules, "PaddlePaddle").of(design) for rules in (PARAMS, MACS)] == [params, flops]


@pytest.mark.slow
def test_the_rules_of_libraries_explain_whole_tables() -> None:
    def used(source: str, design: str, quantity: str) -> Counter[str]:
        return Counter(
            each.rule or each.verdict for each in judged()
            if source in each.source and each.design.startswith(design) and each.quantity == quantity
        )  # fmt: skip

    table = "mnasnet/README.md @7dc921f"
    assert used(table, "mnasnet_a1", "mult_adds") == {"TensorFlow converter": 25, ROUNDED: 1}
    assert used("PaddleClas", "mobilenet_v1", "mult_adds") == {"PaddlePaddle": 4}
    assert used("PaddleClas", "mobilenet_v2", "params") == {"PaddlePaddle": 6}
    assert used("PaddleClas", "mobilenet_v2", "mult_adds") == {"PaddleClas MobileNetV2": 5, "FLOPs = 2×": 1}
    assert used("PaddleClas", "mobilenet_v3", "params") == {"PaddleClas MobileNetV3": 10}
    assert used("PaddleClas", "mobilenet_v3", "mult_adds")["PaddleClas MobileNetV3"] == 7
    assert used("pytorchcv", "shufflenet_v1", "mult_adds") == {"pytorchcv ShuffleNet": 5, UNEXPLAINED: 1}
    assert used("pytorchcv", "mobilenet_v3_large", "params") == {"pytorchcv MobileNetV3": 1}
    assert used("pytorchcv", "mobilenet_v3_large", "mult_adds") == {"pytorchcv MobileNetV3": 1}
    assert used("mobilenet_v1.md", "mobilenet_v1", "mult_adds")["without first convolution"] == 8
    assert used("MobileNets paper", "alexnet", "mult_adds") == {"two-group AlexNet": 1}


def test_names_of_rules_are_different() -> None:
    for rules in (PARAMS, MACS):
        assert len({each.name for each in rules}) == len(rules)


# --- digits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "quantity", "expected"),
    [
        ("4.24", "TF-slim", "params", (4_240_000, 10_000, 10_000)),
        ("569", "MobileNets paper", "mult_adds", (569_000_000, 10**6, 10**6)),
        ("300.0", "MobileNetV2 paper", "mult_adds", (300_000_000, 10**6, 10**8)),
        ("315.2", "somewhere", "mult_adds", (315_200_000, 10**5, 10**5)),
        ("1800", "ResNet paper", "mult_adds", (1_800_000_000, 10**8, 10**8)),
        (
            "390",
            "EfficientNet paper arXiv 1905.11946v5 Table 2; coefficients",
            "mult_adds",
            (390_000_000, 10**7, 10**7),
        ),
        ("4100.0", "timm results/results-imagenet.csv", "mult_adds", (4_100_000_000, 10**7, 10**7)),
        ("32299.999999999996", "somewhere", "mult_adds", (32_300_000_000, 10**8, 10**8)),
        ("35.0", "PaddlePaddle/PaddleClas docs", "mult_adds", (70_000_000, 10**7, 10**7)),
        ("5.288548", "torchvision", "params", (5_288_548, 1, 1)),
    ],
)
def test_the_digits_of_a_cell(text: str, source: str, quantity: str, expected: tuple[int, int, int]) -> None:
    assert read_digits(text, source, quantity) == Digits(*expected)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (5_400_000, ROUNDED), (5_449_999, ROUNDED), (5_450_000, ROUNDED), (5_450_001, TRUNCATED),
        (5_483_032, TRUNCATED), (5_499_999, TRUNCATED), (5_500_000, ""), (5_350_000, ROUNDED), (5_349_999, ""),
    ],
)  # fmt: skip
def test_the_ways_to_shorten_a_count(count: int, expected: str) -> None:
    assert Digits(5_400_000, 100_000, 100_000).fit(count) == expected


def test_zeros_at_the_end_may_be_no_digits() -> None:
    printed = Digits(390_000_000, 10**6, 10**7)
    assert [printed.fit(count) for count in (390_400_000, 385_814_752, 384_000_000)] == [ROUNDED, COARSE, ""]
    assert Digits(7, 1, 1).fit(7) == EXACT


# --- verdicts --------------------------------------------------------------------------------------------------------


@cache
def find(network: str, quantity: str, source: str, resolution: str = "224") -> Judged:
    return next(
        each
        for each in judged()
        if (each.network, each.quantity, each.resolution) == (network, quantity, resolution) and source in each.source
    )


# The reference text on architectures, sections 1 to 10.
CELLS = [
    ("MobileNetV1 0.75_224", "mult_adds", "mobilenet_v1.md", "224", OTHER, 325_400_448),
    ("MobileNetV1 0.25_192", "mult_adds", "mobilenet_v1.md", "192", WRONG, 30_212_608),
    ("MobileNetV1 1.0_224", "params", "mobilenet_v1.md", "224", OTHER, 4_231_976),
    ("MobileNetV1", "mult_adds", "MobileNetV2 paper", "224", UNEXPLAINED, 568_740_352),
    ("MobileNetV2 (1.4)", "params", "MobileNetV2 paper", "224", UNEXPLAINED, 6_108_776),
    ("mobilenet_v2_1.4_224", "mult_adds", "TF-slim", "224", RIGHT, 582_195_824),
    ("mobilenet_v2_1.0_224", "mult_adds", "TF-slim", "224", SHORT, 300_774_272),
    ("mobilenet_v2_1.0_224", "params", "TF-slim", "224", OTHER, 3_504_872),
    ("EfficientNet B4", "mult_adds", "EfficientNet paper", "380", UNEXPLAINED, 4_393_771_024),
    ("EfficientNet B0", "params", "EfficientNet paper", "224", RIGHT, 5_288_548),
    ("GhostNet 1.3x", "mult_adds", "GhostNet paper", "224", UNEXPLAINED, 227_003_256),
    ("VGG 16", "mult_adds", "MobileNets paper", "224", OTHER, 15_470_264_320),
    ("ResNet-50", "mult_adds", "ResNet paper", "224", OTHER, 4_089_184_256),
    ("MobileNetV3 V3-Small 1.0", "mult_adds", "first version Table 3", "224", WRONG, 56_510_400),
    ("MobileNetV3 V3-Small 1.0", "params", "first version Table 3", "224", OTHER, 2_542_856),
]


@pytest.mark.parametrize(("network", "quantity", "source", "resolution", "verdict", "reference"), CELLS)
def test_a_cell_of_the_reference(
    network: str, quantity: str, source: str, resolution: str, verdict: str, reference: int
) -> None:
    found = find(network, quantity, source, resolution)
    assert (found.verdict, found.reference) == (verdict, reference), found.reason


def test_every_printed_number_is_judged_once() -> None:
    # Of the two files of timm, the first has the counts and accuracies, the second the latency.
    expected = set()
    for name in ("published.csv", "course_notes.csv"):
        with files("effviz.zoo.published").joinpath(name).open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for quantity in ("params", "mult_adds", "top1", "latency_ms"):
                    latency = quantity == "latency_ms"
                    source = row["source"] if latency else row["source"].partition(" + ")[0]
                    key = [row[each] for each in ("design", "variant", "resolution", quantity)]
                    if row[quantity]:
                        expected.add((quantity, *key, source, row["latency_device"] if latency else ""))
    assert len(judged()) == len(expected) > 4_000
    assert {each.verdict for each in judged()} == set(VERDICTS)


def test_verdicts_on_counts_follow_from_an_independent_rounding() -> None:
    rounded: Counter[str] = Counter()
    for row in rows():
        where = place(row)
        if not isinstance(where, ClaimedNetwork) or row.source.startswith("PaddlePaddle"):
            continue
        report = effviz.analyze(where.design())
        for quantity, exact in zip(COUNTS, (report.params, report.macs), strict=True):
            if not getattr(row, quantity):
                continue
            digits = read_digits(getattr(row, quantity), row.source, quantity)
            step, printed = Decimal(digits.step), Decimal(digits.value)
            fits = (Decimal(exact) / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step == printed
            cut = (Decimal(exact) / step).quantize(Decimal(1), ROUND_DOWN) * step == printed
            (verdict,) = verdicts_on(row.title, row.resolution, quantity, digits, row.source)
            assert (verdict == RIGHT) == fits, row
            assert verdict not in (UNEXPLAINED, WRONG, OPEN) or not cut, row
            rounded[verdict] += 1
    assert rounded[RIGHT] > 400


def verdicts_on(network: str, resolution: str, quantity: str, digits: Digits, source: str) -> set[str]:
    return {
        each.verdict
        for each in of_network()[network, resolution, quantity, digits.value]
        if each.source.partition(" + ")[0] == source.partition(" + ")[0]
    }


@cache
def of_network() -> dict[tuple[str, str, str, float], list[Judged]]:
    found: dict[tuple[str, str, str, float], list[Judged]] = {}
    for each in judged():
        found.setdefault((each.network, each.resolution, each.quantity, each.value), []).append(each)
    return found


def test_the_networks_that_are_not_built_are_named() -> None:
    for each in judged():
        assert (each.verdict == UNBUILT) == (not each.design), each
        assert each.reason.endswith("."), each
        assert (each.reference is None) == (each.verdict in (OPEN, UNBUILT)), each


# --- the course notes ------------------------------------------------------------------------------------------------

COURSE_VERDICTS = {
    "MobileNetV1": (RIGHT, RIGHT, RIGHT, OPEN),
    "MobileNetV2": (OTHER, SHORT, RIGHT, WRONG),
    "MobileNetV3-Small": (RIGHT, SHORT, RIGHT, WRONG),
    "MobileNetV3-Large": (SHORT, OTHER, RIGHT, WRONG),
    "ShuffleNetV2": (RIGHT, RIGHT, RIGHT, OPEN),
    "EfficientNet-B0": (RIGHT, SHORT, RIGHT, OPEN),
    "EfficientNet-B1": (RIGHT, SHORT, RIGHT, OPEN),
    "EfficientNet-B4": (RIGHT, UNEXPLAINED, RIGHT, OPEN),
    "GhostNet": (RIGHT, RIGHT, RIGHT, OPEN),
}


def test_the_table_of_the_course_notes() -> None:
    found: dict[str, list[str]] = {}
    for each in judged():
        if each.course:
            found.setdefault(each.network, []).append(each.verdict)
    assert {network: tuple(verdicts) for network, verdicts in found.items()} == COURSE_VERDICTS


def test_a_latency_of_the_notes_is_shown_with_those_of_the_paper() -> None:
    (found,) = (
        each
        for each in judged()
        if each.course and each.network == "MobileNetV3-Large" and each.quantity == "latency_ms"
    )
    assert found.printed == "27 ms"
    assert "44 ms in MobileNetV3 paper late version" in found.reason
    assert "52.6 ms in MobileNetV3 paper first version" in found.reason


def test_the_notes_do_not_judge_other_sources() -> None:
    for row in rows():
        where = place(row)
        if row.latency_ms and isinstance(where, ClaimedNetwork) and not row.source.startswith(COURSE):
            others = references.other_latencies(row, where)
            notes = [each for each in others if each.source.startswith(COURSE)]
            assert not notes or row.latency_device.startswith("Pixel 3")


def test_a_speedup_is_the_quotient_of_two_latencies() -> None:
    latencies = {"resnet50": 120.0, "mobilenet_v2": 19.0, "mobilenet_v3_large": 15.2, "efficientnet_b0": 35.0}
    assert set(networks()) == set(latencies)
    found = {claim.design: claim for claim in course_claims(latencies, "a CPU") if claim.kind == "speedup"}
    # Printed: 1, 6, 7 and 5. The quotients are 6.32, 7.89 and 3.43.
    assert {name: claim.verdict for name, claim in found.items()} == {
        "resnet50": RIGHT, "mobilenet_v2": RIGHT, "mobilenet_v3_large": SHORT, "efficientnet_b0": UNEXPLAINED,
    }  # fmt: skip
    assert found["efficientnet_b0"].found == pytest.approx(120 / 35)
    assert "Recorded: 120.0 / 19.0 ms = 6.32× (a CPU)." in found["mobilenet_v2"].reason
    unknown = [claim.verdict for claim in course_claims({}, "") if claim.kind == "speedup"]
    assert unknown == [RIGHT, OPEN, OPEN, OPEN]


def test_published_speedups_are_quotients_of_prints_for_one_device() -> None:
    # pycls prints 57 ms for ResNet-50 and 31 ms for EfficientNet-B0.
    (v100,) = (ratio for device, ratio in published_speedups("efficientnet_b0").items() if device.startswith("V100"))
    assert v100 == pytest.approx(57 / 31)
    assert not any(device.startswith("Pixel") for device in published_speedups("mobilenet_v2"))


def test_phi_of_the_released_networks() -> None:
    found = {claim.printed: claim for claim in course_claims({}, "") if claim.kind == "phi"}
    # By multiply-adds: log(macs / macs of B0) / log(1.2 * 1.1**2 * 1.15**2), with the integers of the reference.
    for printed, macs in (("φ = 1", 686_802_832), ("φ = 4", 4_393_771_024), ("φ = 7", 37_745_884_192)):
        phi = math.log(macs / 385_814_752) / math.log(1.2 * 1.1**2 * 1.15**2)
        assert found[printed].found == pytest.approx(phi)
        assert found[printed].verdict == SHORT


# --- selections ------------------------------------------------------------------------------------------------------


def test_a_filter_selects_by_all_its_values() -> None:
    by = Filter("v3 LARGE", "MobileNetV3 paper", "mult_adds", UNEXPLAINED)
    found = chosen(by)
    assert found
    for each in found:
        assert "large" in each.network.lower()
        assert (document(each.source), each.quantity, each.verdict) == (by.source, by.quantity, by.verdict)
    assert chosen(Filter("no such network")) == ()
    assert summary(()).median_off is None


@pytest.mark.parametrize("grouping", ["Quantity", "Source"])
def test_groups_contain_every_compared_claim(grouping: str) -> None:
    groups = grouped(Filter(), grouping)
    found = summary(judged())
    assert sum(each.total for each in groups) == found.compared
    for place_of, verdict in enumerate(COMPARED):
        assert sum(each.counts[place_of] for each in groups) == found.counts[verdict]


def test_bins_of_errors_contain_every_compared_claim_at_its_difference() -> None:
    bins, found = errors(Filter()), summary(judged())
    for verdict in COMPARED:
        own = [each for each in bins if each.verdict == verdict]
        assert sum(each.figures for each in own) == found.counts[verdict]
        offs = [each.off or 0.0 for each in judged() if each.verdict == verdict]
        assert (min(each.low for each in own), max(each.high for each in own)) == (min(offs), max(offs))
    assert [scaled(off) for off in (0.0, 0.009, -0.099)] == pytest.approx([0, 1, -2])


def test_documents_have_short_names() -> None:
    assert {"MobileNetV3 paper", "timm", "torchvision 0.29.2", "Course notes"} <= set(documents())
    assert brief("MobileNets paper arXiv 1704.04861 Table 4") == "MobileNets paper Table 4"
    assert max(map(len, documents())) < 40


def test_the_reference_of_a_verdict_is_in_its_reason() -> None:
    for each in judge.judged():
        if each.quantity in COUNTS and each.reference is not None:
            assert each.reason.startswith("Exact: ")
