"""Wide against deep: the width that meets a budget, against every network that rounding can build."""

from __future__ import annotations

import json
import math
import pickle
import re
from bisect import bisect_right
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from cases import for_each
from examples import REPRESENTATIVES
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz import Design, DesignError, Stage, UnknownNameError, WidthRule
from effviz.charts.style import DARK, LIGHT, Appearance, Chart
from effviz.charts.width_depth import DesignMeasure, DrawnDesign, finding, multiples_chart, shapes_chart
from effviz.model.blocks import BLOCKS
from effviz.model.fields import declared
from effviz.studies.width_depth.designs import KINDS, placed, shares, stage_widths, template, title_of, told_fields
from effviz.studies.width_depth.fit import DepthFit, OverBudgetError, fit_width

every_kind = pytest.mark.parametrize("kind", KINDS)
POOL = (Stage("global_avg_pool", depth="fixed"), Stage("linear", 10, width="classes", depth="fixed"))


# --- every network that rounding can build ---------------------------------------------------------------------------


@cache
def staircase(design: Design, most: float) -> list[int]:
    """Multiply-adds of every network up to a multiplier, from the rounding rule's own corners, in rising order.

    make_divisible leaves k divisors at (k + 1/2) divisors, or where 90 % of the value is more; truncation at k + 1.
    Networks between two corners that are one but for the noise of floats are none.
    """
    rule = design.width_rule
    own = {1.0, *(mult for mult, _ in rule.table)}
    corners = {most}
    for row in design.stages:
        scaling = [field for field in declared(BLOCKS[row.block]) if field.scales]
        bases = [dict(row.fields).get(field.name, field.default) for field in scaling]
        lines = [[(0.0, 0), (1.0, base)] for base in (*bases, row.out_channels) if base]
        published = [(mult, dict(widths)[row.name]) for mult, widths in rule.table if row.name in dict(widths)]
        if published:
            (first, narrow), (last, wide) = published[0], published[-1]
            lines = [[(0.0, 0), (first, narrow)], *map(list, pairwise(published)), [(0.0, 0), (last, wide)]]
        divisor = row.divisor or rule.divisor
        for (start, fewer), (end, more) in lines:
            widest = fewer + (more - fewer) * (most - start) / (end - start)
            targets = {share * divisor for k in range(int(widest / divisor) + 2) for share in (k + 0.5, k / 0.9)}
            if rule.rounding == "down":
                targets = set(range(int(widest) + 2))
            if more > fewer:
                corners |= {start + (target - fewer) * (end - start) / (more - fewer) for target in targets}
    found = set()
    for mult in {*own, *(corner + side for corner in corners for side in (-1e-7, 1e-7))}:
        if 0 < mult <= most:
            try:
                found.add(effviz.analyze(replace(design, width_mult=mult)).macs)
            except DesignError:
                continue
    return sorted(found)


def _net(*rows: Stage, divisor: int = 8, **options: Any) -> Design:
    return Design("net", (*rows, *POOL), resolution=32, width_rule=WidthRule(divisor, **options))


STEM = Stage("conv", 16, stride=2, name="stem", depth="fixed")
DESIGNS = {
    "separable": _net(STEM, Stage("depthwise_separable", 40, 2, 2), Stage("depthwise_separable", 72, 3, 2)),
    "of one": _net(STEM, Stage("inverted_residual", 24, 2, 2, expand_ratio=3.0), divisor=1),
    "of sixteen": _net(STEM, Stage("basic_block", 48, 2, 2), Stage("basic_block", 96, 2, 2), divisor=16),
    "truncated": _net(STEM, Stage("mbconv", 24, 2, 2), minimum=8, rounding="down"),
    "own widths at 1": _net(Stage("conv", 13, stride=2), Stage("conv", 27, 2), Stage("conv", 51, 2, 2)),
    "ghosts": _net(STEM, Stage("ghost_bottleneck", 40, 2, 2, expanded=120), divisor=4),
    "halves": _net(STEM, Stage("shuffle_unit_v2", 48, 3, 2), Stage("shuffle_unit_v2", 96, 3, 2), divisor=4),
    "groups now and then": _net(STEM, Stage("bottleneck", 64, 2, 2, groups=16, bottleneck_ratio=0.5)),
    "groups seldom": _net(
        STEM, Stage("bottleneck", 64, 2, 2, groups=16, bottleneck_ratio=0.5),
        Stage("bottleneck", 128, 2, 2, groups=32, bottleneck_ratio=0.5),
    ),
    "published widths": effviz.architecture("shufflenet_v1", resolution=64),
    "between published widths": effviz.architecture("shufflenet_v2", resolution=64),
    "a head that only grows": effviz.architecture("mobilenet_v2", resolution=32),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
@settings(max_examples=examples(8))
@given(data=st.data())
def test_the_closest_network_of_all(name: str, data: st.DataObject) -> None:
    design = DESIGNS[name]
    stairs = staircase(design, 1.25)
    place = data.draw(st.integers(0, len(stairs) - 1))
    off = data.draw(st.sampled_from([-1, 0, 1]) | st.integers(0, 10**6))
    budget = max(1, stairs[place] + off)
    fitting = bisect_right(stairs, budget)
    if fitting == 0:
        with pytest.raises(OverBudgetError) as raised:
            fit_width(design, budget)
        assert raised.value.least == stairs[0]
        return
    fit = fit_width(design, budget)
    assert fit.macs == effviz.analyze(fit.design).macs
    if fitting < len(stairs):
        assert fit.macs == stairs[fitting - 1]
        assert fit.macs_above == stairs[fitting]
        assert fit.above is not None
        assert effviz.analyze(fit.above).macs == fit.macs_above
        assert fit.excess == pytest.approx(stairs[fitting] / budget - 1)
    else:
        assert stairs[-1] <= fit.macs <= budget
    assert 0 <= fit.gap < 1
    assert fit.gap == pytest.approx(1 - fit.macs / budget)


@settings(max_examples=examples(30))
@given(
    base=st.integers(1, 300), divisor=st.integers(1, 32), depth=st.integers(2, 30), side=st.integers(1, 40),
    budget=st.integers(1, 10**11),
)  # fmt: skip
def test_against_the_sum_of_1x1_convolutions(base: int, divisor: int, depth: int, side: int, budget: int) -> None:
    """Width w: h² (3 w + (d - 1) w²), solved in integers."""
    row = Stage("conv", divisor * base, depth, kernel_size=1)
    design = Design("chain", (row,), resolution=side, width_rule=WidthRule(divisor))

    def macs(width: int) -> int:
        return side**2 * (3 * width + (depth - 1) * width**2)

    limit = math.isqrt(budget // side**2 // (depth - 1)) // divisor * divisor
    while limit and macs(limit) > budget:
        limit -= divisor
    if not limit:
        with pytest.raises(OverBudgetError, match=f"must be at least {macs(divisor)}, "):
            fit_width(design, budget)
        return
    # A multiplier is at most 1,000, a row has at most 2**20 channels.
    most = min(1000 * base * divisor, 2**20 // divisor * divisor)
    fit = fit_width(design, budget)
    assert placed(fit.design)[-2].channels == min(limit, most)
    assert fit.macs == macs(min(limit, most))
    assert fit.macs_above == (macs(limit + divisor) if limit < most else None)


# --- illegal arguments -----------------------------------------------------------------------------------------------

ZOO = [name for name in REPRESENTATIVES if name != "densenet121"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("budget", [1, 10**9, 10**18])
def test_any_network_and_any_budget(name: str, budget: int) -> None:
    design = effviz.architecture(name)
    if budget == 1:
        with pytest.raises(OverBudgetError) as raised:
            fit_width(design, budget, depth_mult=0.5, resolution=96)
        least = raised.value.least
        assert str(raised.value) == f"macs = 1 must be at least {least}, which the narrowest network of this depth has"
        assert fit_width(design, least, depth_mult=0.5, resolution=96).macs == least
        with pytest.raises(OverBudgetError):
            fit_width(design, least - 1, depth_mult=0.5, resolution=96)
        return
    fit = fit_width(design, budget, depth_mult=0.5, resolution=96)
    assert effviz.analyze(fit.design).macs == fit.macs <= budget
    assert fit.macs_above is None or fit.macs_above > budget
    assert (fit.design.resolution, fit.design.depth_mult) == (96, 0.5 * design.depth_mult)
    again = fit_width(Design.from_json(fit.design.to_json()), budget)
    assert again.macs == fit.macs


@pytest.mark.parametrize("start", [0.01, 0.3, 1.0, 2.7, 40.0])
def test_the_start_does_not_matter(start: float) -> None:
    design = template("inverted_residual")
    assert fit_width(design.scaled(width_mult=start), 300_000_000) == fit_width(design, 300_000_000)


def test_a_multiplier_has_few_digits() -> None:
    fit = fit_width(template("inverted_residual"), 300_000_000)
    assert len(f"{fit.design.width_mult:.12g}") <= 5
    at_one = effviz.architecture("mobilenet_v2")
    assert fit_width(at_one, effviz.analyze(at_one).macs).design == at_one


def test_a_network_that_cannot_be_built_says_why() -> None:
    with pytest.raises(DesignError, match=r"^stage1: depth_mult = 1000 builds more than 1000 blocks$"):
        fit_width(template("basic"), 10**9, depth_mult=1000)
    with pytest.raises(DesignError, match=r"^max_pool1: kernel_size = 3 spans"):
        fit_width(effviz.architecture("alexnet"), 10**9, resolution=8)


@pytest.mark.parametrize(
    ("macs", "said"),
    [
        (0, "macs = 0 must be at least 1"),
        (-5, "macs = -5 must be at least 1"),
        (10**18 + 1, "macs = 1000000000000000001 must be at most 1000000000000000000"),
        (1.5, "macs = 1.5 must be an integer"),
        (True, "macs = True must be an integer"),
        ("300M", "macs = '300M' must be an integer"),
        (math.nan, "macs = nan must be an integer"),
    ],
)
def test_a_budget_is_a_whole_number(macs: Any, said: str) -> None:
    with pytest.raises(DesignError) as raised:
        fit_width(template("basic"), macs)
    assert str(raised.value) == said


def test_only_designs() -> None:
    with pytest.raises(DesignError, match=r"^design = 'mobilenet_v2' must be a Design"):
        fit_width("mobilenet_v2", 10**9)  # type: ignore[arg-type]


def test_the_error_survives_a_process() -> None:
    error = pickle.loads(pickle.dumps(OverBudgetError(5, 7)))
    assert (error.budget, error.least, str(error)) == (5, 7, str(OverBudgetError(5, 7)))


# --- one kind of block -----------------------------------------------------------------------------------------------


def test_kinds_are_the_blocks_that_can_fill_a_stage() -> None:
    assert {"inverted_residual", "separable", "mbconv", "shuffle_v2", "ghost_bottleneck", "basic", "bottleneck",
            "resnext", "vgg"} <= set(KINDS)  # fmt: skip
    assert not {"squeeze_excite", "dense"} & set(KINDS)
    assert len({title_of(kind) for kind in KINDS}) == len(KINDS)


@pytest.mark.slow
@every_kind
@for_each("divisor", [1, 4, 8, 16])
def test_every_field_can_be_chosen_at_every_width(kind: str, divisor: int) -> None:
    for entry in told_fields(kind):
        for value in entry.choices:
            design = template(kind, 1, divisor, 64, {entry.name: value})
            assert design.width_rule.divisor % divisor == 0
            for mult in (1.3, 6.1):
                # Legal values only: no DesignError.
                effviz.analyze(design.scaled(width_mult=mult, depth_mult=1.5))


@every_kind
def test_a_template_is_what_it_says_and_torch_has_its_parameters(kind: str) -> None:
    design = template(kind, blocks=3, resolution=64)
    widths = list(stage_widths(design).values())
    assert [wide / widths[0] for wide in widths] == [1, 2, 4, 8]
    assert [len([entry for entry in placed(design) if entry.stage == f"stage{n}"]) for n in range(1, 5)] == [3] * 4
    assert effviz.analyze(design).blocks[-2].shape[1:] == (2, 2), "halved five times"
    fit = fit_width(design, 2 * effviz.analyze(design).macs, depth_mult=2)
    module = effviz.build(fit.design, device="meta")
    assert sum(weights.numel() for weights in module.parameters()) == effviz.analyze(fit.design).params
    assert len(placed(fit.design)) == 24


def test_unknown_kinds_list_the_choices() -> None:
    with pytest.raises(UnknownNameError, match="shuffle_v2"):
        template("dense")
    with pytest.raises(DesignError, match="divisor = 0"):
        template("basic", divisor=0)


def test_the_law_holds_where_its_terms_are_all_there_is() -> None:
    """Wide enough and deep enough, 3x3 convolutions keep parameters and grow activations with the root of depth."""
    design = template("vgg", blocks=32, divisor=1)
    one, four = (fit_width(design, 10**11, depth_mult=mult).design for mult in (1, 4))
    shallow, deep = effviz.analyze(one), effviz.analyze(four)
    assert deep.macs == pytest.approx(shallow.macs, rel=0.01)
    assert deep.activations / shallow.activations == pytest.approx(2, rel=0.04)
    assert deep.params / shallow.params == pytest.approx(1, rel=0.05)
    widths = [sum(stage_widths(each).values()) for each in (one, four)]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.04)


@every_kind
@for_each("quantity", ["macs", "params"])
def test_shares_are_those_of_the_table(kind: str, quantity: str) -> None:
    design = template(kind, blocks=3, resolution=64)
    found = shares(design, quantity)
    table = effviz.analyze(design).table
    total = table[quantity].sum()
    inside = table["stage"].str.startswith("stage")
    first = table["path"].str.match(r"stage\d\.0\.")
    assert found.outside == pytest.approx(table.loc[~inside, quantity].sum() / total)
    assert found.first == pytest.approx(table.loc[first, quantity].sum() / total)
    assert found.further == pytest.approx(table.loc[inside & ~first, quantity].sum() / total)
    assert found.depthwise == pytest.approx(table.loc[table["kind"] == "depthwise", quantity].sum() / total)


# --- charts ----------------------------------------------------------------------------------------------------------


def _drawn() -> list[DrawnDesign]:
    return [
        DrawnDesign("Wide", "1 block a stage: 8 · 16", [8, 16], ["stage1", "stage2"]),
        DrawnDesign("Balanced", "2 blocks a stage: 6 · 11", [6, 6, 11, 11], ["stage1"] * 2 + ["stage2"] * 2),
        DrawnDesign("Deep", "4 blocks a stage: 4 · 8", [4] * 4 + [8] * 4, ["stage1"] * 4 + ["stage2"] * 4),
    ]


def _quantities() -> list[DesignMeasure]:
    return [
        DesignMeasure("Activations", [60, 100, 150], ["60", "100", "150"]),
        DesignMeasure("Multiply-adds", [100, 99, 101], ["100", "99", "101"]),
        DesignMeasure("Latency here", [None, None, None], ["not measured"] * 3),
    ]


def _spec(chart: Chart) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(chart.figure.to_json(), parse_constant=lambda word: pytest.fail(word))
    return made


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_the_designs_to_one_scale(look: Appearance) -> None:
    chart = shapes_chart(_drawn(), "Deep", look)
    spec = _spec(chart)
    ends = []
    for trace, design in zip(spec["data"], _drawn(), strict=True):
        assert trace["y"] == list(design.channels), "height is channels"
        assert trace["width"] == 1
        assert trace["x"] == [place + 0.5 for place in range(len(design.channels))]
        middles = {base + height / 2 for base, height in zip(trace["base"], trace["y"], strict=True)}
        assert max(middles) - min(middles) < 0.2
        ends += [max(b + h for b, h in zip(trace["base"], trace["y"], strict=True)), min(trace["base"])]
        assert trace["marker"]["color"] == (look.accent if design.name == "Deep" else look.muted)
        assert trace["customdata"] == [list(pair) for pair in zip(design.stages, design.channels, strict=True)]
    assert ends == sorted(ends, reverse=True), "lanes do not overlap"
    low, high = spec["layout"]["yaxis"]["range"]
    assert low <= ends[-1] < ends[0] <= high
    assert spec["layout"]["xaxis"]["range"] == [0, 8]
    assert all(design.summary in chart.alt for design in _drawn())


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_multiples_of_one_design(look: Appearance) -> None:
    chart = multiples_chart(_drawn(), _quantities(), 1, "Wide", "A title", look)
    spec = _spec(chart)
    marks = {trace["name"]: trace for trace in spec["data"] if trace["mode"] == "markers"}
    assert {name: trace["x"] for name, trace in marks.items()} == {
        "Wide": [0.6, pytest.approx(100 / 99), None], "Balanced": [1, 1, None],
        "Deep": [1.5, pytest.approx(101 / 99), None],
    }  # fmt: skip
    assert all(trace["y"] == [entry.label for entry in _quantities()] for trace in marks.values())
    assert {name: set(trace["marker"]["color"]) for name, trace in marks.items()} == {
        "Wide": {look.accent}, "Balanced": {look.ink}, "Deep": {look.ink},
    }  # fmt: skip
    assert len({trace["marker"]["symbol"] for trace in marks.values()}) == 3
    left, right = (trace["text"] for trace in spec["data"] if "text" in trace["mode"])
    assert left == ["0.6×"], "the lowest; 1× is the axis"
    assert right == ["1.5×", "1.02×"]
    assert spec["layout"]["xaxis"]["title"]["text"] == "Balanced = 1×"
    assert chart.alt.startswith("A title. Activations: Wide 60, Balanced 100, Deep 150; Multiply-adds: Wide 100")


@settings(max_examples=examples(30))
@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_every_multiple_is_on_the_axis(values: list[float]) -> None:
    chart = multiples_chart(_drawn(), [DesignMeasure("Peak", values, list(map(str, values)))], 0, "Deep", "T", LIGHT)
    spec = _spec(chart)
    low, high = spec["layout"]["xaxis"]["range"]
    marks = [trace["x"][0] for trace in spec["data"] if trace["mode"] == "markers"]
    assert len(marks) == 3
    assert all(low < math.log10(value) < high for value in marks)


def test_the_finding() -> None:
    activations, compute, latency = _quantities()
    said = finding(_drawn(), 0, [activations, latency], compute, "100 multiply-adds")
    assert said == "At equal multiply-adds (within 2.0 %), Deep is 4× as deep as Wide: 2.5× the activations"
    measured = DesignMeasure("Latency here", [2.0, 3.0, 4.0], ["2", "3", "4"])
    flops = DesignMeasure("FLOPs", [200, 150, 100], ["200", "150", "100"])
    said = finding(_drawn(), 0, [measured], flops, "200 FLOPs")
    assert said == "With FLOPs up to 100 % apart, Deep is 4× as deep as Wide: 2× the latency here"
    said = finding(_drawn(), 2, [measured], flops, "200 FLOPs")
    assert said == "With FLOPs up to 100 % apart, Wide has 0.25× the depth of Deep: 0.5× the latency here"
    said = finding(
        _drawn(), 0, [activations, measured, _quantities()[0]._replace(label="Peak", values=[4, 2, 1])], compute, ""
    )
    assert said.endswith("Deep is 4× as deep as Wide: 2.5× the activations and 2× the latency here, but 0.25× the peak")
    alone = finding(_drawn()[:1], 0, [activations], compute, "100 multiply-adds")
    assert alone == "One design is within 100 multiply-adds: Wide, 1 block a stage: 8 · 16"
    assert re.search(r"\d", alone)


def test_a_fit_without_a_next_step() -> None:
    fit = DepthFit(10, DESIGNS["separable"], 8, None, None)
    assert fit.excess is None
    assert fit.gap == pytest.approx(0.2)
