"""Width and resolution: the law and its exact differences, interpolation, the front, and what is printed for a cell."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from cases import for_each
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz.charts import draw
from effviz.charts.multipliers import Cell, Here, MapTitle, PublishedPoint, Top1Curve, accuracy_scatter, heat_map
from effviz.charts.style import DARK, LIGHT, Appearance
from effviz.count.palette import contrast
from effviz.studies import multipliers as lesson
from effviz.studies import printed_cells
from effviz.studies.multipliers import between, countable, counts, half_width, held_out, pareto, powers, split
from effviz.zoo.published import published
from effviz.zoo.published.cells import OWN, cells, faults, leading, printed_top1

each_look = pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
NAMES = printed_cells.NETWORKS
GROUPS = (1, 2, 3, 4, 8)
NETWORKS = [(name, groups) for name in NAMES for groups in (GROUPS if name == "shufflenet_v1" else (None,))]
every_network = pytest.mark.parametrize(("name", "groups"), NETWORKS)

# Multiply-adds of MobileNetV1, on which timm, Keras and pytorchcv agree to the unit.
V1 = {
    1.0: {224: 568_740_352, 192: 418_121_728, 160: 290_675_200, 128: 186_400_768},
    0.75: {224: 325_400_448, 192: 239_273_472, 160: 166_396_800, 128: 106_770_432},
    0.5: {224: 149_497_088, 192: 109_970_432, 160: 76_524_800, 128: 49_160_192},
    0.25: {224: 41_030_272, 192: 30_212_608, 160: 21_059_200, 128: 13_570_048},
}
# Of MobileNetV2 in millions, on which torchvision, timm and Keras agree; columns 224, 192, 160, 128, 96.
V2 = {
    1.4: (582.196, 428.211, 297.916, 191.312, 108.397),
    1.3: (509.375, 374.676, 260.700, 167.447, 94.917),
    1.0: (300.774, 221.317, 154.083, 99.074, 56.289),
    0.75: (209.070, 153.942, 107.295, 69.130, 39.445),
    0.5: (97.132, 71.702, 50.184, 32.579, 18.885),
    0.35: (59.286, 43.897, 30.875, 20.221, 11.934),
}


def base(name: str, groups: int | None = None) -> effviz.Design:
    return effviz.architecture(name, groups=groups) if groups else effviz.architecture(name)


# --- counts and the law -----------------------------------------------------------------------------------------------


def test_counts_are_those_of_other_implementations() -> None:
    for width, row in V1.items():
        for side, macs in row.items():
            assert counts(base("mobilenet_v1"), width, side).macs == macs
    for width, millions in V2.items():
        for side, value in zip((224, 192, 160, 128, 96), millions, strict=True):
            assert round(counts(base("mobilenet_v2"), width, side).macs / 1e6, 3) == value


@pytest.mark.parametrize(("name", "width"), [("mobilenet_v3_small", 0.35), ("ghostnet", 1.3), ("shufflenet_v2", 0.5)])
def test_parameters_are_those_of_torch(name: str, width: float) -> None:
    module: Any = effviz.build(base(name).scaled(width_mult=width), device="meta")
    assert counts(base(name), width, 96).params == sum(each.numel() for each in module.parameters())


def test_memory_access_is_the_report() -> None:
    design = base("mnasnet_b1")
    for memory in ("paper", "fused", "eager"):
        report = effviz.analyze(design.scaled(width_mult=0.75), 160, memory)
        assert lesson.memory_access(design, 0.75, 160, memory) == report.memory_access


def test_what_the_family_has_not_cannot_be_counted() -> None:
    assert countable(base("shufflenet_v1", 3), 0.5, 224)
    assert not countable(base("shufflenet_v1", 3), 0.25, 224)
    assert not countable(base("shufflenet_v1", 4), 0.5, 224)


# MobileNetV1 from table 1 of its paper: input channels, output channels and stride of every separable block.
BLOCKS = [
    (32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
    *[(512, 512, 1)] * 5, (512, 1024, 2), (1024, 1024, 1),
]  # fmt: skip


@for_each("width", ["0.25", "0.5", "0.75", "2"])
@for_each("side", [96, 128, 160, 192, 200, 224, 256, 100])
def test_the_reasons_of_mobilenet_v1_by_hand(width: str, side: int) -> None:
    """Where nothing is rounded the terms have closed forms, here from the paper's table."""
    w, rho = Fraction(width), Fraction(side, 224)
    positions, place = 112**2, math.ceil(side / 2)
    built_positions = place**2
    stem = 27 * 32 * positions
    depth = point = rounded_sides = Fraction(0)
    rounded_sides += w * stem * (Fraction(built_positions, positions) - rho**2)
    half = 112
    for ins, outs, stride in BLOCKS:
        half, place = half // stride, math.ceil(place / stride)
        both = Fraction(place**2, half**2) - rho**2
        depth += 9 * ins * half**2
        point += ins * outs * half**2
        rounded_sides += (w * 9 * ins + w**2 * ins * outs) * half**2 * both
    classes = 1024 * 1000
    total = stem + depth + point + classes
    expected = {
        lesson.DEPTH: (w - w**2) * rho**2 * depth,
        lesson.STEM: (w - w**2) * rho**2 * stem,
        lesson.CLASSES: (w - w**2) * rho**2 * classes,
        lesson.FLAT: w * (1 - rho**2) * classes,
        lesson.SIDES: rounded_sides,
    }
    found = split(base("mobilenet_v1"), float(width), side)
    assert found.baseline == total == 568_740_352
    assert found.promised == w**2 * rho**2 * total
    assert dict(found.terms) == {reason: value for reason, value in expected.items() if value}


@settings(max_examples=examples(20))
@given(
    st.sampled_from([each for each in NETWORKS if each[0] != "shufflenet_v1"]),
    st.integers(20, 300),
    st.integers(1, 400),
)
def test_promise_and_reasons_add_up_to_what_is_built(
    network: tuple[str, int | None], hundredths: int, side: int
) -> None:
    width = hundredths / 100
    design = base(*network)
    found = split(design, width, side)
    assert found.promised == Fraction(hundredths, 100) ** 2 * Fraction(side, 224) ** 2 * found.baseline
    assert found.promised + sum(term.value for term in found.terms) == found.built
    assert found.built == effviz.analyze(design.scaled(width_mult=width), side).macs
    assert all(term.value and term.reason in lesson.REASONS for term in found.terms)
    assert len({term.reason for term in found.terms}) == len(found.terms)


@pytest.mark.parametrize(("groups", "scale"), [(3, 0.5), (3, 1.5), (3, 2.0), (8, 0.5), (8, 1.5), (8, 2.0), (1, 1.0)])
def test_a_family_with_few_widths_adds_up_too(groups: int, scale: float) -> None:
    found = split(base("shufflenet_v1", groups), scale, 160)
    assert found.promised + sum(term.value for term in found.terms) == found.built
    if (groups, scale) == (3, 2.0):
        assert lesson.ROUNDED not in dict(found.terms), "twice every width of the table, the stem included"


@every_network
def test_the_unscaled_network_is_what_the_law_promises(name: str, groups: int | None) -> None:
    found = split(base(name, groups), 1.0, 224)
    assert found.terms == ()
    assert found.promised == found.baseline == found.built == effviz.analyze(base(name, groups)).macs


def test_a_fixed_head_is_a_separate_reason() -> None:
    """MobileNetV2's last 1x1 convolution: 320 x 1280 at width 1, 160 x 1280 at a half; the rest scales."""
    terms = dict(split(base("mobilenet_v2"), 0.5, 224).terms)
    assert terms[lesson.KEPT] == Fraction(1, 4) * 320 * 1280 * 49
    assert terms[lesson.CLASSES] == Fraction(3, 4) * 1280 * 1000
    assert lesson.KEPT not in dict(split(base("mobilenet_v2"), 2.0, 224).terms), "it does not stay above width 1"


def test_powers_of_mobilenet_v1_are_those_of_the_law() -> None:
    found = {each.kind: each for each in powers(base("mobilenet_v1"), 0.5, 192)}
    expected = {"standard convolution": (1, 2), "depthwise": (1, 2), "pointwise 1×1": (2, 2), "linear": (1, 0)}
    assert set(found) == set(expected)
    for kind, (width, side) in expected.items():
        assert found[kind].width_power == pytest.approx(width)
        assert found[kind].resolution_power == pytest.approx(side, abs=1e-12)
    assert sum(each.built for each in found.values()) == V1[0.5][192]
    assert sum(each.baseline for each in found.values()) == V1[1.0][224]


def test_powers_where_there_is_one_width() -> None:
    assert half_width(base("shufflenet_v1", 1)) is None
    assert half_width(base("shufflenet_v1", 8)) == half_width(base("ghostnet")) == 0.5
    assert {each.width_power for each in powers(base("shufflenet_v1", 1), 1.0, 224)} == {None}


# --- interpolation and the front --------------------------------------------------------------------------------------


def simple(width: float, side: int) -> int:
    return round(1e6 * width * side)


KNOWN = {(0.5, 100): 50.0, (0.5, 200): 60.0, (1.0, 100): 58.0, (1.0, 200): 70.0, (2.0, 200): 76.0}


def test_along_the_resolution_it_is_linear_in_the_logarithm() -> None:
    found = between(KNOWN, simple, (0.5, 150))
    assert found is not None
    assert found.ends == ((0.5, 100), (0.5, 200))
    assert found.value == pytest.approx(50 + 10 * math.log(1.5) / math.log(2))


def test_along_the_width_and_through_both() -> None:
    found = between(KNOWN, simple, (1.5, 200))
    assert found is not None
    assert found.ends == ((1.0, 200), (2.0, 200))
    assert found.value == pytest.approx(70 + 6 * math.log(1.5) / math.log(2))
    inside = between(KNOWN, simple, (0.75, 150))
    assert inside is not None
    share = math.log(1.5) / math.log(2)
    narrow, wide = 50 + 10 * share, 58 + 12 * share
    assert inside.ends == ((0.5, 150), (1.0, 150))
    assert inside.value == pytest.approx(narrow + (wide - narrow) * share)


@pytest.mark.parametrize("place", [(0.25, 150), (0.5, 250), (0.5, 50), (3.0, 200), (1.5, 150), (2.0, 150), (2.0, 201)])
def test_nothing_is_extrapolated(place: tuple[float, int]) -> None:
    assert between(KNOWN, simple, place) is None
    assert between({}, simple, place) is None


@every_network
@settings(max_examples=examples(10))
@given(st.integers(20, 250), st.integers(64, 300))
def test_an_interpolated_accuracy_is_between_published_ones(
    name: str, groups: int | None, hundredths: int, side: int
) -> None:
    design, place = base(name, groups), (hundredths / 100, side)
    known = {each: value for each, value in leading(name, groups).items() if countable(design, *each)}
    if not countable(design, *place):
        return
    found = between(known, lambda width, at: counts(design, width, at).macs, place)
    if found is None:
        return
    printed = sorted(known)
    assert min(width for width, _ in printed) <= place[0] <= max(width for width, _ in printed)
    assert min(at for _, at in printed) <= side <= max(at for _, at in printed)
    assert min(known.values()) <= found.value <= max(known.values())
    macs = [counts(design, *end).macs for end in found.ends]
    assert macs[0] <= counts(design, *place).macs <= macs[1]


def test_held_out_cells_are_not_used_for_themselves() -> None:
    design = base("mobilenet_v2")
    found = held_out(leading("mobilenet_v2"), lambda width, side: counts(design, width, side).macs)
    # Of 22 printed cells these have none on both sides: 0.35 x at 96 and 224 px, 1 x at 96 px, 1.4 x at 224 px.
    assert set(leading("mobilenet_v2")) - set(found) == {(0.35, 96), (0.35, 224), (1.0, 96), (1.4, 224)}
    low, high, now = (math.log(counts(design, 0.5, side).macs) for side in (128, 192, 160))
    expected = 57.7 + (63.9 - 57.7) * (now - low) / (high - low) - 61.0
    assert found[0.5, 160] == pytest.approx(expected)
    assert max(map(abs, found.values())) < 2


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=25))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    def beaten(mine: tuple[int, int]) -> bool:
        return any(each != mine and each[0] <= mine[0] and each[1] >= mine[1] for each in points)

    assert sorted(pareto(points)) == [place for place, each in enumerate(points) if not beaten(each)]


# --- what is printed --------------------------------------------------------------------------------------------------


def test_faults_are_sorted_by_what_they_are_about() -> None:
    assert faults("") == {}
    assert faults("Counts something else: without batch norm there are 3.47 M parameters.") == {}
    both = "Counts something else: the parameters leave out batch norm. Misprint: 34 M multiply-adds; exact 30.2 M."
    assert faults(both) == {"mult_adds": "Misprint: 34 M multiply-adds; exact 30.2 M."}
    assert set(faults("Cannot be reproduced: printed 2.2 M parameters and 40 M multiply-adds.")) == {
        "params", "mult_adds",
    }  # fmt: skip
    assert faults("Cannot be reproduced: printed 138 M; exact 137.5 M.").keys() == {"mult_adds"}
    assert faults("Misprint: top-1 52.3; another column prints 59.3.").keys() == {"top1"}


def _unit(value: float) -> float:
    return 10.0 ** -len(f"{value:g}".partition(".")[2])


@every_network
def test_every_figure_fits_the_count_or_is_marked_or_counts_something_else(name: str, groups: int | None) -> None:
    design, marked = base(name, groups), 0
    for place, figures in cells(name, groups).items():
        if not countable(design, *place):
            continue
        found = counts(design, *place)
        for each in figures:
            for quantity, exact in (("params", found.params / 1e6), ("mult_adds", found.macs / 1e6)):
                value = getattr(each, quantity)
                if value is None:
                    continue
                off, unit = abs(value - exact), _unit(value)
                if quantity in each.wrong:
                    marked += 1
                    assert off > unit / 2, (place, quantity, value)
                elif off > 1.001 * unit:
                    # Cut off instead of rounded is not wrong; anything more needs a reason.
                    assert "Counts something else" in each.note, (place, quantity, value)
    assert marked or name in ("mobilenet_v2", "mnasnet_a1", "mnasnet_b1", "shufflenet_v1")


KNOWN_WRONG = [
    ("mobilenet_v1", 0.75, 224, "mult_adds", 317), ("mobilenet_v1", 0.75, 192, "mult_adds", 233),
    ("mobilenet_v1", 0.75, 160, "mult_adds", 162), ("mobilenet_v1", 0.75, 128, "mult_adds", 104),
    ("mobilenet_v1", 0.25, 192, "mult_adds", 34), ("mobilenet_v2", 1.4, 224, "params", 6.9),
    ("mobilenet_v3_small", 1.0, 224, "mult_adds", 66),
    ("mnasnet_a1", 0.35, 160, "top1", 52.3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "width", "side", "quantity", "value"), KNOWN_WRONG)
def test_what_is_known_to_be_wrong_is_marked(name: str, width: float, side: int, quantity: str, value: float) -> None:
    figures = cells(name)[width, side]
    assert any(quantity in each.wrong and getattr(each, quantity) == value for each in figures)


def test_nothing_else_of_the_first_mobilenets_is_marked() -> None:
    marked = {
        (name, *place, quantity)
        for name in ("mobilenet_v1", "mobilenet_v2")
        for place, figures in cells(name).items()
        for each in figures
        for quantity in each.wrong
    }
    expected = {each[:4] for each in KNOWN_WRONG if each[0] in ("mobilenet_v1", "mobilenet_v2")}
    assert marked == expected | {("mobilenet_v2", 1.4, 224, "mult_adds")}


@every_network
def test_cells_are_those_of_the_authors_by_default(name: str, groups: int | None) -> None:
    own, of_all = cells(name, groups), cells(name, groups, True)
    strangers = ("timm", "torchvision", "keras", "osmr", "PaddlePaddle", "StarNet", "MobileNetV4", "EfficientNet")
    for figures in own.values():
        for each in figures:
            assert each.document in OWN[name]
            assert each.source.startswith(each.document)
            assert not each.source.startswith(strangers)
    for place, figures in own.items():
        assert of_all[place][: len(figures)] == figures, "the authors come first"
    rows = published()
    rows = rows[(rows["design"] == name) & (rows["scale"].notna()) & (rows["depth_scale"] == 1)]
    assert {each.source for figures in of_all.values() for each in figures} <= set(rows["source"])


@every_network
@for_each("of_all", [False, True])
def test_an_accuracy_is_of_this_network_in_floating_point(name: str, groups: int | None, of_all: bool) -> None:
    for figures in cells(name, groups, of_all).values():
        shown = printed_top1(figures)
        if shown is not None:
            for word in ("int8", "8-bit", "quant", "in21k", "our impl", "minimal"):
                assert word not in shown.variant
            assert "Misprint: top-1" not in shown.note


def test_of_several_accuracies_the_fullest_table_of_the_authors_is_shown() -> None:
    def shown(name: str, place: tuple[float, int], groups: int | None = None) -> float | None:
        figure = printed_top1(cells(name, groups)[place])
        return figure.top1 if figure else None

    # The README of TF-slim prints 16 cells, the paper 8 with other numbers.
    assert shown("mobilenet_v1", (1.0, 224)) == 70.9
    assert shown("mobilenet_v3_small", (1.0, 224)) == 67.5, "table 9, ten cells, before table 3"
    assert shown("shufflenet_v1", (0.5, 224), 8) == 58.8
    assert shown("shufflenet_v1", (0.5, 224), 3) == 56.8
    assert shown("mnasnet_a1", (0.35, 160)) is None, "a misprint is not an accuracy"
    assert len(leading("mobilenet_v1")) == 16
    assert len(leading("mnasnet_a1")) == 24
    assert leading("resnet18") == {}


def test_figures_without_groups_belong_to_no_network() -> None:
    sources = {each.source for figures in cells("shufflenet_v1", 3, True).values() for each in figures}
    assert not any(source.startswith("MobileNetV2 paper") for source in sources)


# --- charts -----------------------------------------------------------------------------------------------------------


def _spec(figure: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(figure.to_json(), parse_constant=lambda word: pytest.fail(word))
    return made


def _cells(empty: bool = False) -> list[Cell]:
    return [
        Cell(
            width, side, None if empty or (side == 96 and width == 2) else width * side, f"{width * side:g}", "hover",
            printed=side == 224, misfit=(width, side) == (0.5, 224),
        )
        for width in (0.5, 1.0, 2.0) for side in (96, 224)
    ]  # fmt: skip


@each_look
def test_the_heat_map_shows_every_cell(look: Appearance) -> None:
    cited = [(0.5, 224)]
    chart = heat_map(_cells(), (1.0, 96), (1.0, 224), MapTitle("Found", "Compute in millions"), look, cited)
    spec = _spec(chart.figure)
    heat, texts = spec["data"]
    assert [len(row) for row in heat["z"]] == [2, 2, 2]
    assert heat["z"][0] == [0, pytest.approx(math.log(112 / 48) / math.log(448 / 48))]
    assert heat["z"][2] == [None, 1]
    assert texts["text"] == ["48", "<b>112</b>", "96", "<b>224</b>", "192", "<b>448</b>"]
    corner, dashed, thin, edge, outline = spec["layout"]["shapes"]
    assert (corner["xanchor"], corner["yanchor"]) == (1.5, 0.5)
    assert (thin["x0"], thin["y0"], thin["line"]["color"]) == (0.5, 0.5, look.ink)
    assert (dashed["x0"], dashed["y0"], dashed["line"]["dash"]) == (0.5, -0.5, "dash")
    for box, color in ((edge, look.paper), (outline, look.ink)):
        assert (box["x0"], box["y0"], box["line"]["color"]) == (-0.5, 0.5, color)
    wide = f'<b><span style="color:{look.ink}">1</span></b> '
    assert spec["layout"]["yaxis"]["ticktext"] == ["0.5 ", wide, "2 "], "the width on screen is bold"
    assert chart.title == "Found"
    assert chart.alt.startswith(
        "Found. Compute in millions: width 0.5 at 96 px: 48; width 0.5 at 224 px: 112, contradicts a"
    )
    ends = heat["colorscale"][0][1], heat["colorscale"][1][1]
    assert ends[1] == look.accent, "the highest value has the accent colour"
    shares = [share for row in heat["z"] for share in row]
    for color, share in zip(texts["textfont"]["color"], shares, strict=True):
        fill = look.paper if share is None else draw.mixed(*ends, share)
        assert contrast(color, fill) >= 4.5


def test_a_heat_map_of_nothing() -> None:
    chart = heat_map(_cells(empty=True), (1.0, 96), (1.0, 224), MapTitle("Nothing", "Top-1"), LIGHT)
    assert chart.alt == "Nothing. No value is published for 6 cells."
    assert all(value is None for row in _spec(chart.figure)["data"][0]["z"] for value in row)


POINTS = [
    PublishedPoint("A", "A 1", 100, 60.0, "hover", True), PublishedPoint("A", "A 2", 300, 59.0, "hover", False),
    PublishedPoint("B", "B 1", 400, 70.0, "hover", True),
]  # fmt: skip


@each_look
@pytest.mark.parametrize("alone", [False, True])
def test_the_scatter_fills_the_front(look: Appearance, alone: bool) -> None:
    curves = [Top1Curve("1×, interpolated", [(100, 60.0), (300, 59.0)])]
    here = Here(200, 59.5, True, "A at 200")
    chart = accuracy_scatter(POINTS, ["A", "B"], "A", here, curves, "Multiply-adds", look, alone=alone)
    spec = _spec(chart.figure)
    assert chart.title == "1 of the 2 published results of A is on the Pareto front of 2 networks"
    assert "On the front: A 1: 100 multiply-adds, 60 %; B 1: 400 multiply-adds, 70 %" in chart.alt
    assert chart.alt.endswith("On screen: A at 200.")
    front = spec["data"][0]
    assert front["line"]["shape"] == "hv"
    assert front["x"][:2] == [100, 400]
    marks = {tuple(each["x"]): each["marker"] for each in spec["data"] if each.get("mode") == "markers"}
    assert marks[100, 300]["symbol"] == ["circle", "circle-open"]
    assert marks[100, 300]["color"] == look.ink
    assert ((400,) in marks) == (not alone)
    assert marks[(200,)]["color"] == look.accent
    (dashed,) = (each for each in spec["data"] if each.get("name") == "1×, interpolated")
    assert dashed["line"] == {"color": look.accent, "width": 2, "dash": "dash"}
    low, high = spec["layout"]["xaxis"]["range"]
    assert low < 2 < math.log10(400) < high


def test_titles_of_the_scatter() -> None:
    def title(points: list[PublishedPoint], chosen: str) -> str:
        here = Here(10**9, None, False, "far away")
        chart = accuracy_scatter(points, ["A", "B", "C"], chosen, here, [], "FLOPs", LIGHT, alone=False)
        assert not _spec(chart.figure)["layout"].get("shapes"), "what is far away does not squeeze the chart"
        return chart.title

    assert title(POINTS, "B") == "The only published result of B is on the Pareto front of 2 networks"
    assert title(POINTS[1:], "A") == "The only published result of A is not on the Pareto front of 2 networks"
    assert title(POINTS, "C") == "No result of C is published; the chart shows 3 results of other networks"
