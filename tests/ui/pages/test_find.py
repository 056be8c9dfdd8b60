"""The page that finds networks: limits, headline numbers, chart, table and links."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from page_reader import charts, control, counted_cards, headings, line, metrics, open_page, opened, put, run, show_part
from streamlit.testing.v1 import AppTest

import effviz
from effviz.advice.budgets import DTYPES, PRESETS, Budget
from effviz.measure import recorded
from effviz.studies.finder import candidates, search
from effviz.studies.finder_words import explained
from effviz.ui.convention import Convention
from effviz.ui.page_parts.find.controls import NO_LIMIT, _nearest, _options
from effviz.ui.page_parts.find.results import latencies
from effviz.ui.widgets.ways import LIMIT_KEYS

LIMITS = {"max_macs": "300M", "max_peak_activation": "256KiB", "format": "int8"}
BUDGETS = (Budget("macs", 300_000_000), Budget("peak_activation", 262_144))


def number(at: AppTest) -> int:
    """The networks that fit."""
    return int(counted_cards(at)[0].value.replace(",", ""))


def links(at: AppTest) -> dict[str, str]:
    """The query strings of the links on the page, by label."""
    return {entry.proto.label: entry.proto.query_string for entry in at.get("page_link")}


def test_the_cards_are_those_of_the_search() -> None:
    at = opened("find", **LIMITS)
    found = search(candidates(), BUDGETS, "int8")
    best = found.fits[0]
    fit, top1, macs, params, peak = counted_cards(at)
    assert line(at) == ""
    known = sum(each.top1 is not None for each in found.fits)
    assert (fit.value, fit.delta) == (f"{len(found.fits):,}", f"{known:,} with a published top-1")
    assert fit.help.startswith(f"{found.tried:,} networks were counted. ")
    assert (top1.value, top1.delta, top1.help) == (f"{best.top1:.1f}", best.short, best.source)
    assert (macs.value, params.value) == (
        Convention().show("macs", best.macs),
        Convention().show("params", best.params),
    )
    assert macs.delta == f"{100 * best.macs / 300e6:.3g} % of the limit"
    assert peak.value == Convention(unit="int8").show("peak_activation", best.peak_activation)
    assert headings(at) == [
        f"{best.label} has the highest published top-1 of the {known:,} fitting networks that have one"
    ]
    text = explained(found, BUDGETS, "int8", lambda value, _: f"{value // 1024:.0f} KiB")
    assert any(text in entry.proto.body for entry in at.html)


def test_a_limit_changes_the_number_of_networks() -> None:
    at = open_page("find")
    counts = [number(at)]
    for text in ("100M", "200 M", NO_LIMIT):
        put(at, "max_macs", text)
        counts.append(number(at))
    usual = [Budget("macs", amount * 10**6) for amount in (300, 100, 200)]
    assert counts[:3] == [len(search(candidates(), [each]).fits) for each in usual]
    assert counts[3] == len(candidates())
    assert control(at, "max_macs").value == NO_LIMIT
    put(at, "max_macs", "many")
    assert control(at, "max_macs").value == NO_LIMIT
    assert any("many is not legal here: an amount such as" in entry.value for entry in at.caption)


def test_the_slider_follows_the_input_and_writes_to_it() -> None:
    at = open_page("find", max_macs="310M")
    (slider,) = (entry for entry in at.select_slider if entry.key == "max_macs_slider")
    assert slider.value == "300 M"
    slider.set_value("1 G").run()
    assert control(at, "max_macs").value == "1 G"
    assert number(at) == len(search(candidates(), [Budget("macs", 10**9)]).fits)


@pytest.mark.parametrize("quantity", LIMIT_KEYS)
def test_each_option_of_a_slider_is_its_own_nearest(quantity: str) -> None:
    assert [_nearest(quantity, each) for each in _options(quantity)] == list(_options(quantity))


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "real_time"])
def test_a_preset_sets_the_limits(name: str) -> None:
    at = open_page("find")
    (presets,) = (entry for entry in at.selectbox if entry.key == "find_preset")
    presets.set_value(name).run()
    preset = PRESETS[name]
    assert number(at) == len(search(candidates(), preset.budgets, preset.dtype).fits)
    assert next(entry for entry in at.selectbox if entry.key == "find_preset").value == name
    put(at, "max_macs", "123M")
    assert next(entry for entry in at.selectbox if entry.key == "find_preset").value == "own limits"


def test_only_networks_with_a_recorded_latency_fit_a_limit_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert number(open_page("find", max_macs=NO_LIMIT, max_latency="1s")) == 0
    monkeypatch.delenv("EFFVIZ_RECORDED")
    known = latencies("fused", False, None)
    assert "MobileNetV2 1×, 224 px" in {each.label for each in known}
    tried = [*known, *(each for each in candidates() if each.resolution == 224)][::8]
    assert {each in known for each in tried} == {True, False}
    for each in tried:
        found = recorded.find(each.design)
        assert known.get(each) == (found and found.median_ms)


def test_links_open_the_selected_network_elsewhere() -> None:
    at = open_page("find", **LIMITS)
    rows = search(candidates(), BUDGETS, "int8").fits
    chosen = next(each for each in rows[:50] if each.width != 1)
    at.selectbox(key="network").set_value(chosen.label).run()
    query = dict(parse_qsl(links(at)["Open in Architectures"]))
    there = open_page("architectures", **query)
    assert line(there) == ""
    shown = {card.label: card.value for card in counted_cards(there)}
    report = effviz.analyze(chosen.design)
    assert shown["Multiply-adds"] == Convention().show("macs", report.macs)
    assert shown["Peak activations"] == Convention().show("peak_activation", report.peak_activation)


def test_the_table_is_checked_again() -> None:
    at = show_part(opened("find", **LIMITS), "Checked again")
    (table,) = at.dataframe
    assert list(table.value["Verdict"]) == ["fits"] * len(table.value)
    assert len(table.value) == 10


def test_the_chart_has_all_published_networks() -> None:
    (figure,) = charts(opened("find", **LIMITS)).values()
    found = search(candidates(), BUDGETS, "int8")
    traces = {trace.get("name"): trace for trace in figure["data"]}
    drawn = len(traces["Fits"]["x"]) + len(traces["Pareto front"]["x"])
    assert drawn == sum(each.top1 is not None for each in found.fits)
    assert min(traces["Over this limit only"]["x"]) > 262_144
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert any("networks without a published top-1" in note for note in notes)
    assert next(each.short for each in found.fits if each.top1 is not None) in notes


def test_nothing_fits() -> None:
    at = open_page("find", max_macs="1000", max_params="90M")
    assert number(at) == 0
    assert headings(at)[0] == "No network fits these limits"
    assert any("excludes the most: " in entry.proto.body for entry in at.html)


def test_the_studio_and_architectures_lead_here() -> None:
    over = open_page("studio", budget="own limits", max_macs="100M", max_params="4M")
    assert links(over)["Find a network that fits"] == "max_params=4+M&max_macs=100+M&format=float32"
    fits = open_page("studio", budget="own limits", max_macs="1G")
    assert "Find a network that fits" not in links(fits)
    at = show_part(open_page("architectures"), "Downloads")
    query = dict(parse_qsl(links(at)["Find networks within this cost"]))
    assert query["format"] in DTYPES
    found = open_page("find", **query)
    assert line(found) == ""
    report = effviz.analyze(effviz.architecture("mobilenet_v2"))
    assert number(found) == len(
        search(candidates(), [Budget("macs", report.macs), Budget("params", report.params)]).fits
    )


def test_the_best_network_stays_selected_when_a_limit_moves_until_another_is_chosen() -> None:
    at = open_page("find", **LIMITS | {"max_macs": "300M"})
    before = at.selectbox(key="network").value
    put(at, "max_macs", "20M")
    best = at.selectbox(key="network").value
    assert best == at.selectbox(key="network").options[0] != before
    there = open_page("find", **at.query_params)
    assert [card.value for card in metrics(there)] == [card.value for card in metrics(at)]
    other = at.selectbox(key="network").options[1]
    at.selectbox(key="network").set_value(other)
    run(at)
    put(at, "max_macs", "21M")
    assert at.selectbox(key="network").value == other
