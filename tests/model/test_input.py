"""The input of a design, height x width and channels, against torch, and in JSON as other programs write it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import oracle
import pytest
from torch import nn

import effviz
from effviz import Design, DesignError, Stage, analyze, architecture, compound_scale
from effviz.advice.lint import lint
from effviz.advice.scaling import ScalingRule, implied_phi, sweep
from effviz.advice.smallest import smallest_resolution
from effviz.backend.build import build
from effviz.model.draft import Draft

RECTANGLE = (96, 160)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "in_channels"), [("shufflenet_v2", 1), ("squeezenet1_1", 2)])
def test_counts_are_torchs(name: str, in_channels: int) -> None:
    report = analyze(architecture(name, resolution=RECTANGLE, in_channels=in_channels))
    module, shape = build(report.design, device="meta"), (in_channels, *RECTANGLE)
    assert report.input_shape == shape
    assert report.params == oracle.count_params(module)
    assert report.macs == oracle.count_macs(module, shape)
    assert report.memory_accesses == {
        "paper": oracle.paper_memory_access(module, shape),
        "fused": oracle.fused_memory_access(module, shape),
        "eager": oracle.eager_memory_access(module, shape),
    }
    assert report.peak_activation == oracle.peak_activation(module, shape)[0]


def test_a_hand_written_network() -> None:
    """The counts do not only agree with modules that effviz builds."""
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 10),
    ).eval()  # fmt: skip
    rows = (Stage("conv", 8, stride=2), Stage("global_avg_pool"), Stage("linear", 10))
    report = analyze(Design("own", rows, resolution=(31, 64), in_channels=1))
    assert report.params == oracle.count_params(module)
    assert report.macs == oracle.count_macs(module, (1, 31, 64)) == 9 * 8 * 16 * 32 + 80


def test_512_by_2048() -> None:
    """Equal areas of sides that 32 divides cost the same."""
    wide, square = (analyze(architecture("mobilenet_v2", resolution=each)) for each in ((512, 2048), 1024))
    assert wide.macs == square.macs == 6_260_099_072
    assert wide.resolution == wide.design.resolution == (512, 2048)
    assert repr(wide).startswith("Report(mobilenet_v2, 512 × 2048 px: ")


def test_grayscale() -> None:
    report = analyze(architecture("mobilenet_v2", in_channels=1))
    assert (report.params, report.macs) == (3_504_296, 293_548_928)


def test_a_square_stays_a_number() -> None:
    design = architecture("resnet18", resolution=(224, 224), in_channels=3)
    assert design == architecture("resnet18")
    assert design.to_json() == architecture("resnet18").to_json()
    assert design.scaled(resolution=[96, 96]).resolution == 96


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": (224, 0)}, "resolution[1] = 0 must be at least 1"),
        ({"in_channels": 0}, "in_channels = 0 must be at least 1"),
        ({"in_channels": 1.0}, "in_channels = 1.0 must be an integer"),
        (
            {"channels": 1},
            "option of mobilenet_v2 = 'channels' is unknown; did you mean 'in_channels'? Choices: depth_mult, "
            "in_channels, num_classes, resolution, variant, width_mult",
        ),
    ],
    ids=str,
)
def test_illegal_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(message)}$"):
        architecture("mobilenet_v2", **options)


def test_scaling_keeps_the_aspect_ratio() -> None:
    base = architecture("efficientnet_b0", resolution=(256, 512))
    scaled = compound_scale(base, 2)
    assert scaled.resolution == (round(256 * 1.15**2), round(512 * 1.15**2))
    implied = implied_phi(compound_scale(base, 3, gamma=2), base, ScalingRule(gamma=2))
    assert implied.resolution == pytest.approx(3)
    assert [each.resolution for each in sweep(base, ScalingRule(), (0.0, 1.0))] == [256, round(256 * 1.15)]


def test_the_smallest_side_holds_for_both_axes() -> None:
    design = architecture("densenet121", resolution=(64, 200))
    least = smallest_resolution(design)
    assert least == smallest_resolution(architecture("densenet121"))
    for fitting in ((least, 200), (200, least)):
        assert analyze(design, fitting).resolution == fitting
    for small in ((least - 1, 200), (200, least - 1)):
        with pytest.raises(DesignError):
            analyze(design, small)


def test_lint_judges_each_axis() -> None:
    rows = (Stage("conv", 8, stride=2), Stage("conv", 8, 5), Stage("global_avg_pool"), Stage("linear", 10))
    wide = Design("wide", rows, resolution=(16, 128))
    (finding,) = (each for each in lint(wide) if each.rule == "receptive_field")
    assert "depends on 23 × 23 of the 16 × 128 input pixels" in finding.why
    assert not [each for each in lint(wide.scaled(resolution=16)) if each.rule == "receptive_field"]


# --- JSON ----------------------------------------------------------------------------------------------------------

DESIGN = architecture("shufflenet_v1", resolution=RECTANGLE, in_channels=1)
TEXT = DESIGN.to_json()


def test_json_has_height_and_width() -> None:
    assert json.loads(TEXT)["resolution"] == [96, 160]
    assert Design.from_json(TEXT) == DESIGN
    assert Draft.unpacked(Draft.of(DESIGN).packed()).design == DESIGN
    assert Design.from_json(TEXT.replace("[96,160]", '"96x160"')) == DESIGN


@pytest.mark.parametrize("read", [Design.from_json, lambda text: Draft.from_json(text).design], ids=["design", "draft"])
@pytest.mark.parametrize(
    "given",
    [
        "\ufeff" + TEXT,
        *(TEXT.encode(encoding) for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        re.sub(r"(?<=[:\[,])(\d+)(?=[,\]}])", r"\1.0", TEXT),
        re.sub(r"(?<=[:\[,])(\d+)(?=[,\]}])", r"\1.0e0", TEXT),
    ],
    ids=["mark", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "2.0", "2.0e0"],
)
def test_json_of_other_programs(given: str | bytes, read: Any) -> None:
    found = read(given)
    assert found == DESIGN
    assert found.to_json() == TEXT


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"stride":2', '"stride":2.5', "row 0: stride = 2.5 must be an integer"),
        ('"in_channels":1', '"in_channels":1.5', "in_channels = 1.5 must be an integer"),
        ('"in_channels":1', '"in_channels":"1"', "in_channels = '1' must be an integer"),
        ("[96,160]", "[96,160.5]", "resolution[1] = 160.5 must be an integer"),
        ("[96,160]", "[96]", "resolution = [96] must be an integer or a pair (height, width)"),
        (
            "[96,160]", '"96x"',
            "resolution = '96x' must be a side or height x width in pixels, such as 224 or 512x2048",
        ),
        ('"repeats":1', '"repeats":1e400', "row 0: repeats = inf must be an integer"),
        ('"repeats":1', '"repeats":true', "row 0: repeats = True must be an integer"),
    ],
    ids=lambda each: each[:20],
)  # fmt: skip
def test_json_errors_are_exact(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(DesignError, match=f"^{re.escape(message)}$"):
        Design.from_json(TEXT.replace(old, new, 1))


def test_two_marks_are_an_error() -> None:
    with pytest.raises(DesignError, match=r"^the text is not JSON: "):
        Design.from_json("\ufeff\ufeff" + TEXT)


# --- groups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", effviz.zoo.GROUPS["resnext50_32x4d"])
def test_resnext_of_every_cardinality(groups: int) -> None:
    design = architecture("resnext50_32x4d", groups=groups)
    report, module = analyze(design), build(design, device="meta")
    assert report.params == oracle.count_params(module)
    assert {each.groups for each in module.modules() if isinstance(each, nn.Conv2d)} == {1, groups}
    # Table 2 keeps the complexity; cardinality 1 is ResNet-50 itself.
    assert report.macs == pytest.approx(analyze(architecture("resnet50")).macs, rel=0.05)
    assert analyze(design.scaled(width_mult=0.7)).params < report.params


def test_resnext_with_one_group_is_resnet() -> None:
    counted = analyze(architecture("resnext50_32x4d", groups=1)), analyze(architecture("resnet50"))
    assert len({(each.params, each.macs, each.memory_access, each.peak_activation) for each in counted}) == 1
    with pytest.raises(
        DesignError, match=r"^groups = 3 must be one of 1, 2, 4, 8, 32: no other widths were published$"
    ):
        architecture("resnext50_32x4d", groups=3)


def test_shufflenet_v1_of_eight_groups() -> None:
    report = analyze(replace(architecture("shufflenet_v1", groups=8, width_mult=1.5), name="renamed"))
    assert (report.params, report.macs) == (4_269_952, 290_188_800)
