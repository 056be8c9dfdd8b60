"""The zoo against published integers, and other published networks written as tables in this file.

`goldens.csv` and `golden_widths.csv` contain counts of the public implementations, independent of effviz.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import for_each
from examples import REPRESENTATIVES

from effviz import (
    ARCHITECTURES,
    Design,
    Report,
    Stage,
    WidthRule,
    analyze,
    architecture,
    build,
    compound_scale,
    list_architectures,
)
from effviz.backend.build import DropBranch
from effviz.count import cost
from effviz.model.layers import Conv2d, Linear

HERE = Path(__file__).parent
every_architecture = for_each("name", list_architectures())


def _golden(file: str) -> list[Any]:
    with (HERE / file).open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert rows, f"{file} is empty"
    options = ("width_mult", "depth_mult", "resolution", "groups")
    return [
        pytest.param(row, id=f"{index}-" + "-".join(row[key] for key in ("architecture", *options) if row.get(key)))
        for index, row in enumerate(rows)
    ]


def _design(row: dict[str, str]) -> Design:
    kinds = {"width_mult": float, "depth_mult": float, "resolution": int, "groups": int}
    return architecture(row["architecture"], **{key: kind(row[key]) for key, kind in kinds.items() if row.get(key)})


def _table(report: Report) -> Any:
    """`report.table` without pandas' types, which pytest and mypy do not know."""
    return report.table


# --- golden numbers -----------------------------------------------------------------------------------------------


@for_each("row", _golden("goldens.csv"))
def test_golden_counts(row: dict[str, str]) -> None:
    report = analyze(_design(row))
    if row["params"]:
        assert report.params == int(row["params"])
    assert abs(report.macs - int(row["macs"])) <= int(row["macs_tolerance"])


def test_golden_counts_cover_the_zoo() -> None:
    assert {row.values[0]["architecture"] for row in _golden("goldens.csv")} == set(ARCHITECTURES)


@for_each("row", _golden("golden_widths.csv"))
def test_golden_widths(row: dict[str, str]) -> None:
    design = _design(row)
    stages: dict[str, list[int]] = {}
    for entry in design.blocks():
        stages.setdefault(design.stages[entry.row].name, []).append(getattr(entry.block, "out_channels", 0))
    numbered = {name: widths for name, widths in stages.items() if name.startswith("stage")}
    assert stages["stem"] == [int(row["stem"])]
    assert all(len(set(widths)) == 1 for widths in numbered.values()), "a stage has one width"
    if row["stage_widths"]:
        assert [widths[0] for widths in numbered.values()] == [int(each) for each in row["stage_widths"].split()]
    if row["repeats"]:
        assert [len(widths) for widths in numbered.values()] == [int(each) for each in row["repeats"].split()]
    if row["head"]:
        assert stages["head"] == [int(row["head"])]


def test_stride_in_the_first_1x1_as_in_the_paper() -> None:
    design = architecture("resnet50")
    stages = tuple(row.with_changes(stride_at="1x1") if row.block == "bottleneck" else row for row in design.stages)
    report = analyze(Design("resnet50_paper", stages))
    assert (report.params, report.macs) == (25_557_032, 3_857_973_248)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("efficientnet_b0", 6.7), ("efficientnet_b1", 10.9), ("efficientnet_b2", 13.8), ("efficientnet_b3", 23.8),
        ("efficientnet_b4", 49.5), ("efficientnet_b5", 98.9), ("resnet50", 11.1), ("resnext50_32x4d", 14.4),
    ],
)  # fmt: skip
def test_activations_as_in_the_model_zoo_of_pycls(name: str, printed: float) -> None:
    assert round(analyze(architecture(name)).activations / 1e6, 1) == printed


@pytest.mark.processes
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2", "ghostnet", "densenet121"])
def test_activations_as_in_torch(name: str) -> None:
    design, found = architecture(name), []
    module = build(design, device="meta")
    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda _layer, _inputs, output: found.append(output.numel()))
    module(torch.empty(1, *design.input_shape(), device="meta"))
    assert analyze(design).activations == sum(found) > 0


def test_peak_of_mobilenet_v2() -> None:
    report = analyze(architecture("mobilenet_v2"))
    table = _table(report)
    assert report.peak_activation == 96 * 112 * 112 + 96 * 56 * 56 == 1_505_280
    assert list(table.path[table.alive == report.peak_activation]) == ["stage2.0.depthwise.conv"]
    first = table[(table.kind == "depthwise") & (table.stride == "2 x 2")].iloc[0]
    assert first.path == "stage2.0.depthwise.conv"


# --- the papers' own arithmetic -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "resolution", "params", "macs"),
    [
        (1, 258, 9_109_994, 992_629_472),
        (3, 341, 16_350_296, 3_250_916_456),
        (5, 451, 33_726_740, 11_374_487_904),
        (7, 596, 68_741_810, 39_663_901_696),
    ],
)
def test_naive_compound_scaling(phi: int, resolution: int, params: int, macs: int) -> None:
    """phi = 1, 3, 5, 7 give 9.11 M and 0.993 G; 8.43×; 29.5×; 68.74 M and 39.66 G. These are not B2, B4, B6, B7."""
    base = architecture("efficientnet_b0")
    report = analyze(compound_scale(base, phi))
    assert (report.resolution, report.params, report.macs) == (resolution, params, macs)
    printed = {1: 0.993e9, 3: 8.43 * 385_814_752, 5: 29.5 * 385_814_752, 7: 39.66e9}[phi]
    assert report.macs == pytest.approx(printed, rel=1e-3)


def test_compound_scaling_by_zero_is_the_baseline() -> None:
    base = architecture("efficientnet_b0")
    assert compound_scale(base, 0) == base


def test_mobilenet_v1_shares() -> None:
    """Paper, table 2: 74.59 and 24.33, without batch norm and the bias of the classifier."""
    report = analyze(architecture("mobilenet_v1"))
    macs: dict[str, int] = {}
    weights: dict[str, int] = {}
    kinds = dict(zip(_table(report).path, _table(report).kind, strict=True))
    for step in report.steps:
        if isinstance(step.layer, (Conv2d, Linear)):
            kind = kinds[step.path] if step.path != "stem.conv" else "stem"
            macs[kind] = macs.get(kind, 0) + cost.macs(step.layer, step.output.shape)
            weights[kind] = weights.get(kind, 0) + cost.weights(step.layer)

    def shares(counts: dict[str, int]) -> dict[str, float]:
        return {kind: round(100 * number / sum(counts.values()), 2) for kind, number in counts.items()}

    # The paper's 1.19 % of the standard convolution is 1.9057 %; the four printed shares add up to 99.29 %.
    assert shares(macs) == {"stem": 1.91, "depthwise": 3.06, "pointwise 1x1": 94.86, "linear": 0.18}
    assert shares(weights) == {"stem": 0.02, "depthwise": 1.06, "pointwise 1x1": 74.59, "linear": 24.33}


# --- table, module and totals agree -------------------------------------------------------------


@pytest.mark.slow
@every_architecture
def test_table(name: str) -> None:
    design = architecture(name)
    for memory in ("eager", "paper", "fused"):
        report = analyze(design, memory=memory)
        table = _table(report)
        for column in ("params", "macs", "flops", "memory_access"):
            assert table[column].sum() == getattr(report, column), column
        assert table.alive.max() == report.peak_activation
    assert table.path.is_unique
    module = build(design, device="meta")
    assert sum(each.numel() for each in module.parameters()) == report.params
    modules = dict(module.named_modules())
    assert set(table.path) <= set(modules)
    leaves = {path for path, module in modules.items() if not list(module.children())}
    assert leaves <= set(table.path), "a module is missing in the table"
    assert report.flops == 2 * report.macs
    for column in table:
        assert not table[column].isna().any(), column


@pytest.mark.processes
@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_module_computes_class_scores(name: str) -> None:
    """A forward pass at a small size on the CPU."""
    design = architecture(name, num_classes=7, width_mult=1, resolution=64)
    module = build(design)
    assert not module.training
    with torch.no_grad():
        assert module(torch.rand(2, 3, 64, 64)).shape == (2, 7)
    assert sum(each.numel() for each in module.parameters()) == analyze(design).params
    assert design.num_classes == 7


@every_architecture
def test_words(name: str) -> None:
    design = architecture(name)
    assert design.name == name
    assert design.title
    assert design.family
    assert "arXiv" in design.source
    assert design.width_rule.source
    assert design.notes
    for note in design.notes:
        assert note.endswith("."), note
        assert note[0].isupper(), note
    assert design.num_classes == 1000
    assert ARCHITECTURES[name].__doc__


@every_architecture
def test_each_call_gives_an_equal_design(name: str) -> None:
    assert architecture(name) == architecture(name)
    assert hash(architecture(name)) == hash(architecture(name))


# --- stochastic depth ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("depth_mult", [1.0, 1.7])
@pytest.mark.parametrize("name", [f"efficientnet_b{number}" for number in range(8)])
def test_stochastic_depth_rises_linearly(name: str, depth_mult: float) -> None:
    """Block i of n has 0.2 * i / n, shortcut or not (tensorflow/tpu efficientnet_model.py)."""
    design = architecture(name, depth_mult=depth_mult)
    paths = [entry.path for entry in design.blocks() if hasattr(entry.block, "drop_prob")]
    assert len(paths) == sum(math.ceil(round(n * design.depth_mult, 9)) for n in (1, 2, 2, 3, 3, 4, 1))
    modules = dict(build(design, device="meta").named_modules())
    found = {path: module.p for path, module in modules.items() if isinstance(module, DropBranch)}
    expected = {f"{path}.drop": 0.2 * index / len(paths) for index, path in enumerate(paths)}
    with_shortcut = {path for path in expected if path.removesuffix(".drop") + ".shortcut" in modules}
    assert found == pytest.approx({path: p for path, p in expected.items() if path in with_shortcut and p})
    assert len(found) >= len(paths) - 8


def test_efficientnet_trains() -> None:
    torch.manual_seed(0)
    module = build(architecture("efficientnet_b0", num_classes=3, width_mult=0.25)).train()
    scores = module(torch.rand(4, 3, 64, 64))
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2, 0])).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in module.parameters())


def test_dropped_branches_keep_their_expectation() -> None:
    torch.manual_seed(0)
    image = torch.ones(20_000, 1, 1, 1)
    for p in (0.0, 0.3, 1.0):
        module = DropBranch(p).train()
        values = module(image).flatten()
        assert values.mean() == pytest.approx(0 if p == 1 else 1, abs=0.03)
        assert (values == 0).float().mean() == pytest.approx(p, abs=0.02)
        assert torch.equal(module.eval()(image), image)


# --- networks outside the zoo, to check that the blocks are general ------------------------------------------------


def _pool() -> Stage:
    return Stage("global_avg_pool", name="pool", depth="fixed")


def _classifier() -> Stage:
    return Stage("linear", 1000, name="classifier", width="classes", depth="fixed")


def _counts(design: Design) -> tuple[int, int]:
    report = analyze(design)
    return report.params, report.macs


def _conv_mobilenet() -> Design:
    """MobileNetV1 with full 3x3 convolutions (paper, table 4)."""
    widths = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
    rows = [Stage("conv", c, stride=s, name=f"conv{index}") for index, (c, s) in enumerate(((32, 2), *widths))]
    return Design("conv_mobilenet", (*rows, _pool(), _classifier()))


def _shallow_mobilenet() -> Design:
    """MobileNetV1 without the five 512 -> 512 layers (paper, table 5)."""
    design = architecture("mobilenet_v1")
    rows = tuple(row.with_changes(repeats=1) if row.out_channels == 512 else row for row in design.stages)
    return Design("shallow_mobilenet", rows)


def _efficientnet_v2(stem: int, resolution: int, *rows: tuple[int, int, int, int, bool]) -> Design:
    """Rows (repeats, stride, expansion, width, fused); google/automl effnetv2_configs.py."""
    return Design(
        "efficientnet_v2",
        (
            Stage("conv", stem, 1, 2, activation="silu", name="stem"),
            *(
                Stage("fused_mbconv" if fused else "mbconv", o, n, s, expand_ratio=e, name=f"stage{index}")
                for index, (n, s, e, o, fused) in enumerate(rows)
            ),
            Stage("conv", 1280, kernel_size=1, activation="silu", name="head"),
            _pool(),
            _classifier(),
        ),
        resolution=resolution,
    )


def _mnasnet_small() -> Design:
    def row(n: int, k: int, s: int, e: int, o: int, se: float = 0.0) -> Stage:
        return Stage("mbconv", o, n, s, kernel_size=k, expand_ratio=e, se_ratio=se, activation="relu")

    return Design(
        "mnasnet_small",
        (
            Stage("conv", 8, 1, 2),
            row(1, 3, 1, 1, 8),
            row(1, 3, 2, 3, 16),
            row(2, 3, 2, 6, 16),
            row(4, 5, 2, 6, 32, 0.25),
            row(3, 3, 1, 6, 32, 0.25),
            row(3, 5, 2, 6, 88, 0.25),
            row(1, 3, 1, 6, 144),
            Stage("conv", 1280, kernel_size=1),
            _pool(),
            _classifier(),
        ),
    )


def _resnet152() -> Design:
    stages = architecture("resnet101").stages
    deeper = {"stage2": 8, "stage3": 36}
    return Design("resnet152", tuple(row.with_changes(repeats=deeper.get(row.name, row.repeats)) for row in stages))


def _densenet(growth: int, stem: int, depths: tuple[int, ...]) -> Design:
    stages: list[Stage] = [Stage("conv", stem, 1, 2, kernel_size=7), Stage("max_pool", stride=2)]
    for index, depth in enumerate(depths):
        stages += [Stage("dense_layer", None, depth, growth=growth), Stage("transition", stride=2)]
        if index == len(depths) - 1:
            stages[-1] = Stage("norm_act")
    return Design("densenet", (*stages, _pool(), _classifier()))


def _vgg(*repeats: int) -> Design:
    stages: list[Stage] = []
    for c, n in zip((64, 128, 256, 512, 512), repeats, strict=True):
        stages += [Stage("conv", c, n, norm=False), Stage("max_pool", stride=2, kernel_size=2)]
    return Design("vgg", (*stages, Stage("linear", 4096), Stage("linear", 4096), _classifier()))


def _regnet_x(*stages: tuple[int, int, int]) -> Design:
    """Stages (depth, width, group width)."""
    rows = tuple(Stage("bottleneck", w, d, 2, groups=w // g, bottleneck_ratio=1) for d, w, g in stages)
    return Design("regnet_x", (Stage("conv", 32, 1, 2), *rows, _pool(), _classifier()))


def _minimalistic(name: str) -> Design:
    """MobileNetV3 without squeeze-and-excitation and hard swish, all kernels 3x3."""
    rows = [
        row.with_changes(kernel_size=3, se_ratio=0.0, activation="relu") if row.block == "inverted_residual" else row
        for row in architecture(name).stages
    ]
    return Design("minimalistic", tuple(rows))


def _mobilenet_v3_1280(width: float) -> Design:
    """Small with the wide head of the paper's early versions."""
    design = architecture("mobilenet_v3_small")
    rows = tuple(row.with_changes(out_channels=1280) if row.name == "head" else row for row in design.stages)
    return Design("small_1280", rows, width_rule=design.width_rule).scaled(width_mult=width)


def _mobileone(*widths: float) -> Design:
    """Inference form: every branch folded into one convolution with a bias, no batch norm."""
    stem = min(64, int(64 * widths[0]))
    rows, inputs = [Stage("conv", stem, 1, 2, norm=False)], stem
    for base, depth, width in zip((64, 128, 256, 512), (2, 8, 10, 1), widths, strict=True):
        for index in range(depth):
            stride = 2 if index == 0 else 1
            rows.append(Stage("conv", inputs, 1, stride, groups=inputs, norm=False))
            inputs = int(base * width)
            rows.append(Stage("conv", inputs, kernel_size=1, norm=False))
    return Design("mobileone", (*rows, _pool(), _classifier()))


V2_FUSED, V2_PLAIN = True, False
OTHERS: dict[str, tuple[Design, int, int | None]] = {
    "Conv MobileNet": (_conv_mobilenet(), 29_294_088, 4_867_293_184),
    "Shallow MobileNet": (_shallow_mobilenet(), 2_887_976, 307_323_392),
    "EfficientNetV2-L": (
        _efficientnet_v2(
            32, 480,
            (4, 1, 1, 32, V2_FUSED), (7, 2, 4, 64, V2_FUSED), (7, 2, 4, 96, V2_FUSED), (10, 2, 4, 192, V2_PLAIN),
            (19, 1, 6, 224, V2_PLAIN), (25, 2, 6, 384, V2_PLAIN), (7, 1, 6, 640, V2_PLAIN),
        ),
        118_515_272, 56_079_699_008,
    ),
    "MnasNet-Small": (_mnasnet_small(), 2_030_264, 68_339_184),
    "ResNet-152": (_resnet152(), 60_192_808, 11_513_626_624),
    # torchvision prints only the parameters of these.
    "DenseNet-201": (_densenet(32, 64, (6, 12, 48, 32)), 20_013_928, None),
    "DenseNet-161": (_densenet(48, 96, (6, 12, 36, 24)), 28_681_000, None),
    "VGG-11": (_vgg(1, 1, 2, 2, 2), 132_863_336, None),
    "VGG-19": (_vgg(2, 2, 4, 4, 4), 143_667_240, None),
    "MobileNetV3-Large minimalistic": (_minimalistic("mobilenet_v3_large"), 3_924_288, 209_136_704),
    "MobileNetV3-Small minimalistic": (_minimalistic("mobilenet_v3_small"), 2_044_736, 52_288_448),
    "MobileNetV3-Small 1280, 1.25": (_mobilenet_v3_1280(1.25), 3_645_960, 91_241_184),
    "MobileNetV3-Small 1280": (_mobilenet_v3_1280(1.0), 2_946_568, 56_913_856),
    "MobileNetV3-Small 1280, 0.75": (_mobilenet_v3_1280(0.75), 2_408_720, 43_765_936),
    "MobileNetV3-Small 1280, 0.5": (_mobilenet_v3_1280(0.5), 1_922_688, 21_382_288),
    "MobileOne-S1": (_mobileone(1.5, 1.5, 2, 2.5), 4_764_840, 825_057_024),
    "MobileOne-S2": (_mobileone(1.5, 2, 2.5, 4), 7_808_168, 1_298_426_496),
    "MobileOne-S3": (_mobileone(2, 2.5, 3, 4), 10_078_312, 1_895_790_592),
    # pycls' model_complexity.json counts one more for each of the classifier's 1,000 biases.
    "RegNetX-6.4GF": (_regnet_x((2, 168, 56), (4, 392, 56), (10, 784, 56), (1, 1624, 56)), 26_209_256, 6_460_291_264),
    "RegNetX-8.0GF": (
        _regnet_x((2, 80, 80), (5, 240, 120), (15, 720, 120), (1, 1920, 120)), 39_572_648, 7_995_132_416,
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", OTHERS)
def test_other_networks(title: str) -> None:
    design, params, macs = OTHERS[title]
    found = _counts(design)
    assert found == (params, found[1] if macs is None else macs)


def test_guideline_of_equal_widths() -> None:
    """ShuffleNetV2, equation 2: a 1x1's memory access is h*w*(c1 + c2) + c1*c2, smallest where c1 = c2."""
    rule = WidthRule(1)
    accesses = []
    for c1, c2 in ((128, 128), (64, 256), (32, 512)):
        rows = (Stage("conv", c1, kernel_size=1), Stage("conv", c2, kernel_size=1))
        report = analyze(Design("g1", rows, in_channels=c2, resolution=56, width_rule=rule), memory="paper")
        assert report.memory_access == 2 * (56 * 56 * (c1 + c2) + c1 * c2)
        assert report.macs == 2 * 56 * 56 * 128 * 128
        accesses.append(report.memory_access)
    assert accesses == sorted(accesses)
