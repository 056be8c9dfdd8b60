"""Charts of latency against a count: points match the table, lines have equal speed, sentences match the numbers."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import for_each
from chart_gallery import spec_of
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz.charts.latency import finding, inversion_text, latency_scatter, predictor_dots
from effviz.charts.style import DARK, LIGHT, Appearance, Chart
from effviz.core.units import milliseconds, si
from effviz.studies.prediction import PREDICTORS, Inversion, inversions
from effviz.studies.printed_latency import latencies

repeatable = settings(derandomize=True, max_examples=examples(15), deadline=None)
each_look = pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
SI = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
DATA = pd.DataFrame(
    {
        "title": ["Tiny", "Small", "Deep", "Wide", "Huge"],
        "family": ["A", "A", "B", "B", "C"],
        "macs": [40_000_000, 60_000_000, 300_000_000, 900_000_000, 15_000_000_000],
        "params": [500_000, 2_500_000, 3_500_000, 4_000_000, 138_000_000],
        "memory_access": [3_000_000, 6_500_000, 17_000_000, 14_000_000, 168_000_000],
        "activations": [1_200_000, 1_400_000, 6_600_000, 5_000_000, 13_500_000],
        "latency_ms": [3.0, 8.0, 25.0, 20.0, 310.0],
        "noisy": [False, True, False, False, True],
    }
)
MARKED = {"Deep", "Wide"}


def _scatter(
    table: pd.DataFrame, column: str = "macs", factor: int = 1, look: Appearance = LIGHT, **options: Any
) -> Chart:
    return latency_scatter(rows_of(table), column, factor, "Multiply-adds", "Here", look, **options)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as the charts take them."""
    return table.to_dict("records")


class Point:
    """A drawn network."""

    def __init__(self, trace: dict[str, Any], index: int) -> None:
        marker = trace["marker"]
        self.x, self.y = trace["x"][index], trace["y"][index]
        self.symbol, self.size = marker["symbol"][index], marker["size"][index]
        self.color, self.outline = marker["color"][index], marker["line"]["color"][index]
        self.title, *self.texts, self.family = trace["customdata"][index]


def _points(chart: Chart) -> dict[str, Point]:
    drawn = [trace for trace in spec_of(chart)["data"] if trace["mode"] == "markers"]
    points = [Point(trace, index) for trace in drawn for index in range(len(trace["x"]))]
    assert len({point.title for point in points}) == len(points)
    return {point.title: point for point in points}


def _names(chart: Chart, look: Appearance = LIGHT) -> list[dict[str, Any]]:
    return [note for note in spec_of(chart)["layout"]["annotations"] if note["font"]["color"] == look.accent]


def _read(text: str) -> float:
    number, _, prefix = text.partition(" ")
    return float(number) * SI[prefix]


def _ends(spec: dict[str, Any], axis: str) -> tuple[float, float]:
    low, high = spec["layout"][axis]["range"]
    assert low < high
    return low - 1e-9, high + 1e-9


def _check_places(chart: Chart) -> int:
    """Check that all marks are inside the axes and every line has its labelled speed. Return the number of lines."""
    spec = spec_of(chart)
    left, right = _ends(spec, "xaxis")
    bottom, top = _ends(spec, "yaxis")
    lines = [trace for trace in spec["data"] if trace["mode"] == "lines"]
    for trace in spec["data"]:
        for x, y in zip(trace["x"], trace["y"], strict=True):
            if x is not None:
                assert left <= math.log10(x) <= right
                assert bottom <= math.log10(y) <= top
    labels = [note for note in spec["layout"].get("annotations", ()) if note["text"].endswith("/s")]
    assert len(labels) == len(lines)
    for line, label in zip(lines, labels, strict=True):
        rate = _read(label["text"].removesuffix("/s"))
        for x, milli in zip(line["x"], line["y"], strict=True):
            assert x / (milli / 1000) == pytest.approx(rate)
        assert line["x"][0] < line["x"][1]
        # On a logarithmic axis the place of an annotation is the exponent.
        assert 10 ** label["x"] / (10 ** label["y"] / 1000) == pytest.approx(rate)
        assert left <= label["x"] <= right
        assert bottom <= label["y"] <= top
    rates = [label["text"] for label in labels]
    assert len(set(rates)) == len(rates)
    return len(lines)


# --- the points ---------------------------------------------------------------------------------------------------


@each_look
@pytest.mark.parametrize(("column", "factor"), [("macs", 1), ("macs", 2), ("params", 1), ("memory_access", 4)])
def test_points_are_where_the_table_says(column: str, factor: int, look: Appearance) -> None:
    chart = _scatter(DATA, column, factor, look)
    points = _points(chart)
    assert set(points) == set(DATA["title"])
    for row in DATA.itertuples():
        point, amount = points[row.title], getattr(row, column) * factor
        assert (point.x, point.y) == (amount, row.latency_ms)
        speed = amount / (row.latency_ms / 1000)
        assert point.texts == [si(amount), milliseconds(row.latency_ms), si(speed), " (noisy)" if row.noisy else ""]
    assert _check_places(chart) > 2


def test_noisy_points_are_open() -> None:
    points = _points(_scatter(DATA))
    assert {title for title, point in points.items() if point.symbol.endswith("-open")} == {"Small", "Huge"}


@each_look
def test_marked_points_are_emphasised_and_named(look: Appearance) -> None:
    chart = _scatter(DATA, look=look, highlight=MARKED)
    for title, point in _points(chart).items():
        assert point.color == point.outline == (look.accent if title in MARKED else look.ink)
    sizes = {title: point.size for title, point in _points(chart).items()}
    assert min(sizes[title] for title in MARKED) > max(size for title, size in sizes.items() if title not in MARKED)
    names = {note["text"]: note for note in _names(chart, look)}
    assert set(names) == MARKED
    for title, note in names.items():
        row = DATA[DATA["title"] == title].iloc[0]
        assert 10 ** note["x"] == pytest.approx(row["macs"])
        assert 10 ** note["y"] == pytest.approx(row["latency_ms"])
    assert _names(_scatter(DATA, look=look), look) == []
    assert _names(_scatter(DATA, look=look, highlight=["No such network"]), look) == []


def test_names_point_away_from_the_near_edge() -> None:
    names = {note["text"]: note for note in _names(_scatter(DATA, highlight=["Tiny", "Wide"]))}
    assert (names["Tiny"]["xanchor"], names["Wide"]["xanchor"]) == ("left", "right")
    assert names["Tiny"]["xshift"] > 0 > names["Wide"]["xshift"]


def test_one_of_several_overlapping_names_is_shown() -> None:
    twins = DATA.assign(macs=300_000_000, latency_ms=[3.0, 3.01, 30.0, 29.9, 300.0])
    written = {note["text"] for note in _names(_scatter(twins, highlight=list(twins["title"])))}
    assert len(written & {"Tiny", "Small"}) == 1
    assert len(written & {"Deep", "Wide"}) == 1
    assert "Huge" in written


@each_look
def test_other_networks_are_named_where_there_is_room(look: Appearance) -> None:
    chart = _scatter(DATA, look=look, highlight=MARKED)
    notes = [note["text"] for note in spec_of(chart)["layout"]["annotations"]]
    # Later labels are kept where two overlap in a narrow window.
    assert set(notes[-2:]) == MARKED
    assert {"Tiny", "Small", "Huge"} <= set(notes)
    assert {point.title: point.family for point in _points(chart).values()} == dict(
        zip(DATA["title"], DATA["family"], strict=True)
    )
    crowded = DATA.assign(macs=300_000_000, latency_ms=[3.0, 3.01, 3.02, 3.03, 3.04])
    named = {note["text"] for note in spec_of(_scatter(crowded))["layout"].get("annotations", ())}
    assert len(named & set(DATA["title"])) <= 1


def test_the_title_compares_the_marked_pair() -> None:
    chart = _scatter(DATA, highlight=MARKED)
    assert chart.title == "Wide has 3.00× the multiply-adds of Deep, but takes 0.80× the time"
    assert finding(rows_of(DATA), "macs", 1, "Here") in chart.alt
    (link,) = spec_of(chart)["layout"]["shapes"]
    assert {(link["x0"], link["y0"]), (link["x1"], link["y1"])} == {(300_000_000, 25.0), (900_000_000, 20.0)}
    for other in (
        _scatter(DATA),
        _scatter(DATA, "params", highlight=MARKED),
        _scatter(DATA, highlight=["Tiny", "Wide"]),
    ):
        assert "the ranking by" in other.title
        assert not spec_of(other)["layout"].get("shapes")


# --- the axes -----------------------------------------------------------------------------------------------------

tables = st.lists(
    st.tuples(st.integers(10**4, 10**11), st.floats(0.01, 1e5), st.sampled_from("ABCDEFGHIJKL"), st.booleans()),
    min_size=1,
    max_size=12,
).map(
    lambda rows: pd.DataFrame(
        [
            {"title": f"Net {index}", "macs": macs, "latency_ms": time, "family": family, "noisy": noisy}
            for index, (macs, time, family, noisy) in enumerate(rows)
        ]
    )
)


@given(table=tables, factor=st.sampled_from([1, 2]), wider=st.booleans())
@repeatable
def test_everything_is_within_the_axes(table: pd.DataFrame, factor: int, wider: bool) -> None:
    span = (int(table["macs"].min()) // 3 + 1, int(table["macs"].max()) * 3) if wider else None
    chart = _scatter(table, factor=factor, highlight=["Net 0"], span=span)
    _check_places(chart)
    points = _points(chart)
    assert {title: (point.x, point.y) for title, point in points.items()} == {
        row.title: (row.macs * factor, row.latency_ms) for row in table.itertuples()
    }
    left, right = _ends(spec_of(chart), "xaxis")
    if span is not None:
        assert left < math.log10(span[0] * factor)
        assert right > math.log10(span[1] * factor)


def _ticks(spec: dict[str, Any], name: str) -> list[float]:
    """Return the visible ticks. Each has the text of its value, with one digit."""
    axis, (low, high) = spec["layout"][name], _ends(spec, name)
    assert axis["type"] == "log"
    pairs = zip(axis["tickvals"], axis["ticktext"], strict=True)
    seen = {value: text for value, text in pairs if low <= math.log10(value) <= high}
    for value, text in seen.items():
        assert re.fullmatch(r"[1-9]0*( [kMGTPE])?|0\.0*[1-9]", text)
        assert _read(text) == pytest.approx(value)
    return list(seen)


@given(table=tables)
@repeatable
def test_ticks_are_round_and_labelled(table: pd.DataFrame) -> None:
    spec = spec_of(_scatter(table))
    assert len(_ticks(spec, "xaxis")) <= 12
    assert 2 <= len(_ticks(spec, "yaxis")) <= 12
    for end in spec["layout"]["yaxis"]["range"]:
        assert f"{10**end:.6e}"[:8] in ("1.000000", "2.000000", "5.000000"), "the axis ends on a tick"


@for_each("factor", [1.3, 1.5, 4.0, 20.0, 1e3, 1e5])
@for_each("lowest", [1_000_000, 2_100_000, 6_300_000])
def test_close_networks_have_at_least_two_ticks(lowest: int, factor: float) -> None:
    table = DATA.assign(macs=[lowest] * 4 + [round(lowest * factor)])
    seen = _ticks(spec_of(_scatter(table)), "xaxis")
    assert 2 <= len(seen) <= 12


def test_the_axis_of_the_whole_zoo_is_constant_during_measurement() -> None:
    span = (int(DATA["macs"].min()), int(DATA["macs"].max()))
    ranges = [
        spec_of(_scatter(DATA.iloc[:size], span=span))["layout"]["xaxis"]["range"] for size in range(1, len(DATA) + 1)
    ]
    assert all(each == ranges[-1] for each in ranges)
    assert spec_of(_scatter(DATA))["layout"]["xaxis"]["range"] == ranges[-1]


# --- the sentence -------------------------------------------------------------------------------------------------


def _ordered(times: list[float]) -> pd.DataFrame:
    """Networks of 100, 200, 300 multiply-adds and so on with these times."""
    count = len(times)
    return pd.DataFrame(
        {
            "title": [f"Net {index}" for index in range(count)],
            "family": "A",
            "macs": [100 * (index + 1) for index in range(count)],
            "latency_ms": times,
            "noisy": False,
        }
    )


def _swapped(count: int) -> list[float]:
    """Rising times with one pair of neighbours exchanged."""
    times = [float(index + 1) for index in range(count)]
    times[10], times[11] = times[11], times[10]
    return times


ORDERS = {
    "proportional": ([1.0, 2.0, 3.0, 4.0], "exactly matches", 1.0, "and"),
    "in order, not proportional": ([1.0, 8.0, 27.0, 64.0], "exactly matches", 1.0, "but"),
    "one exchange among forty": (_swapped(40), "almost matches", 1 - 12 / (40 * 1599), "and"),
    "one exchange among three hundred": (_swapped(300), "almost matches", 1 - 12 / (300 * 89_999), "and"),
    "one exchange among five": ([1.0, 2.0, 4.0, 3.0, 5.0], "almost matches", 0.9, "but"),
    "some exchanges": ([2.0, 1.0, 4.0, 3.0, 5.0], "roughly matches", 0.8, "and"),
    "hardly any order": ([3.0, 1.0, 5.0, 2.0, 4.0], "hardly matches", 0.3, "and"),
    "no order": ([2.0, 4.0, 3.0, 1.0], "hardly matches", -0.4, "and"),
    "reversed": ([4.0, 3.0, 2.0, 1.0], "is the reverse of", -1.0, "and"),
}


@pytest.mark.parametrize(("times", "order", "correlation", "joint"), ORDERS.values(), ids=ORDERS)
def test_the_finding_matches_the_table(times: list[float], order: str, correlation: float, joint: str) -> None:
    table = _ordered(times)
    # Without ties, a rank is a place.
    places = np.argsort(np.argsort(times))
    assert np.corrcoef(np.arange(len(times)), places)[0, 1] == pytest.approx(correlation)
    speeds = [1000 * amount / time for amount, time in zip(table["macs"], times, strict=True)]
    spread = max(speeds) / min(speeds)
    expected = (
        f"Here: the ranking by multiply-adds {order} that by latency (rank correlation {correlation:.2f}), {joint} "
        f"speeds range from {si(min(speeds))} to {si(max(speeds))} per second, a factor of {spread:.1f}"
    )
    assert finding(rows_of(table), "macs", 1, "Here") == expected
    assert _scatter(table).title == expected


@pytest.mark.parametrize(
    ("column", "factor", "name"),
    [
        ("macs", 1, "multiply-adds"),
        ("macs", 2, "FLOPs"),
        ("params", 1, "parameters"),
        ("memory_access", 1, "memory access cost"),
        ("memory_access", 2, "memory access cost"),
        ("activations", 4, "activations"),
    ],
)
def test_the_finding_uses_the_shown_unit(column: str, factor: int, name: str) -> None:
    title = _scatter(DATA, column, factor).title
    assert f"the ranking by {name} " in title
    assert ("FLOPs" in title) == (name == "FLOPs")
    speeds = DATA[column] * factor / DATA["latency_ms"] * 1000
    assert f"range from {si(speeds.min())} to {si(speeds.max())} per second, a factor of" in title


@pytest.mark.parametrize("rows", [1, 2])
def test_two_networks_have_no_order(rows: int) -> None:
    chart = _scatter(DATA.iloc[:rows], highlight=["Tiny"])
    assert chart.title == f"Here: {rows} network{'s' * (rows > 1)} measured, too few for a rank correlation"
    assert len(_points(chart)) == rows
    _check_places(chart)


@pytest.mark.parametrize("table", [_ordered([7.0] * 4), _ordered([1.0, 2.0, 3.0]).assign(macs=500)], ids=["time", "n"])
def test_equal_networks_have_no_ranking(table: pd.DataFrame) -> None:
    chart = _scatter(table)
    assert "no ranking to compare" in chart.title
    assert "nan" not in chart.alt
    assert len(_points(chart)) == len(table)
    _check_places(chart)


@each_look
def test_the_alt_text_has_every_network(look: Appearance) -> None:
    chart = _scatter(DATA, factor=2, look=look)
    assert chart.alt.startswith(chart.title)
    for row in DATA.itertuples():
        assert f"{row.title}: {si(2 * row.macs)}, {milliseconds(row.latency_ms)}" in chart.alt


def test_charts_leave_the_rows_alone() -> None:
    rows = rows_of(DATA)
    for look in (LIGHT, DARK):
        latency_scatter(rows, "macs", 1, "Multiply-adds", "Here", look, highlight=MARKED)
        predictor_dots(rows, look)
    assert rows == rows_of(DATA)


@each_look
def test_charts_are_transparent_and_use_their_appearance(look: Appearance) -> None:
    for chart in (_scatter(DATA, look=look), predictor_dots(rows_of(DATA), look)):
        layout = spec_of(chart)["layout"]
        layout = layout["template"]["layout"] | layout
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        assert layout["font"]["color"] == look.ink
        assert layout["height"] > 0


# --- published latency --------------------------------------------------------------------------------------------

PRINTED = latencies()


@pytest.mark.slow
@for_each("where", PRINTED["where"].unique())
def test_every_published_table_can_be_drawn(where: str) -> None:
    rows = PRINTED[PRINTED["where"] == where].assign(noisy=False)
    pairs = inversions(rows_of(rows))
    chart = _scatter(rows, highlight={pairs[0].heavy, pairs[0].light} if pairs else ())
    _check_places(chart)
    assert len(_points(chart)) == len(rows)
    assert min(len(_ticks(spec_of(chart), name)) for name in ("xaxis", "yaxis")) >= 2
    assert re.search(r"\(rank correlation -?[01]\.\d\d\)", chart.alt)
    assert ("exactly matches" in chart.alt) <= (not pairs), "an inversion excludes an exact match"


# --- predictors ---------------------------------------------------------------------------------------------------


@each_look
def test_the_predictor_with_the_smallest_spread_is_marked(look: Appearance) -> None:
    spreads = {}
    for column, label in PREDICTORS.items():
        speeds = [amount / time for amount, time in zip(DATA[column], DATA["latency_ms"], strict=True)]
        spreads[f"{label[0].upper()}{label[1:]}"] = max(speeds) / min(speeds)
    best = min(spreads, key=spreads.__getitem__)
    chart = predictor_dots(rows_of(DATA), look)
    (bars,) = spec_of(chart)["data"]
    assert dict(zip(bars["y"], bars["x"], strict=True)) == pytest.approx(spreads)
    colors = dict(zip(bars["y"], bars["marker"]["color"], strict=True))
    assert {label for label, color in colors.items() if color == look.accent} == {best}
    assert best.lower() in chart.title
    assert f"factor of {spreads[best]:.1f} " in chart.title
    assert chart.alt.startswith(chart.title)
    for label, text in zip(bars["y"], bars["text"], strict=True):
        assert text.strip() == f"{spreads[label]:.1f}×"
        assert f"{label.lower()}: spread {spreads[label]:.1f}, rank correlation " in chart.alt
    axis = spec_of(chart)["layout"]["xaxis"]
    assert axis["range"][0] == 0
    assert axis["range"][1] > math.log10(max(spreads.values()))


@pytest.mark.parametrize("best", PREDICTORS)
def test_any_predictor_can_be_the_best(best: str) -> None:
    wild = [1, 90, 17, 5, 4000]
    table = DATA.assign(**dict.fromkeys(PREDICTORS, wild), latency_ms=[1.0, 2.0, 3.0, 4.0, 5.0])
    table[best] = [10, 20, 30, 40, 51]
    chart = predictor_dots(rows_of(table), LIGHT)
    assert PREDICTORS[best] in chart.title
    (bars,) = spec_of(chart)["data"]
    assert bars["marker"]["color"].index(LIGHT.accent) == list(PREDICTORS).index(best)
    assert bars["marker"]["color"].count(LIGHT.accent) == 1


def test_equal_speeds_can_be_drawn() -> None:
    table = DATA.assign(**{column: [3, 8, 25, 20, 310] for column in PREDICTORS})
    chart = predictor_dots(rows_of(table), LIGHT)
    (bars,) = spec_of(chart)["data"]
    assert bars["x"] == pytest.approx([1.0] * len(PREDICTORS))
    low, high = spec_of(chart)["layout"]["xaxis"]["range"]
    assert low < high


# --- pairs --------------------------------------------------------------------------------------------------------


def test_the_sentence_of_an_inversion() -> None:
    pair = Inversion("VGG-16", "EfficientNet-B0", 40.097, 1.5)
    assert inversion_text(pair, "multiply-adds") == (
        "VGG-16 has 40.10× the multiply-adds of EfficientNet-B0, but takes 0.67× the time"
    )
    assert "the FLOPs of" in inversion_text(pair, "FLOPs")


def test_the_sentences_of_a_table_match_its_inversions() -> None:
    (pair,) = inversions(rows_of(DATA))
    assert inversion_text(pair, "multiply-adds") == (
        "Wide has 3.00× the multiply-adds of Deep, but takes 0.80× the time"
    )
    for one, two in itertools.combinations(DATA.itertuples(), 2):
        assert (one.latency_ms > two.latency_ms) == ((one.title, two.title) == ("Deep", "Wide"))
