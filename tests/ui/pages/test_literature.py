"""The page of published figures shows the verdicts of the engine, and its number checker the networks."""

from __future__ import annotations

import html
import math
import re
from itertools import pairwise

import pytest
from page_reader import charts, failures, headings, line, metrics, open_page, opened, run, show_part
from streamlit.testing.v1 import AppTest

from effviz.core.text import html_text
from effviz.core.units import exact
from effviz.studies.literature.judge import OPEN, OTHER, RIGHT, SHORT, UNBUILT, UNEXPLAINED, VERDICTS, WRONG, judged
from effviz.studies.literature.selection import COMPARED, Filter, chosen, summary
from effviz.studies.number_checker import EXAMPLES, identify
from effviz.ui.page_parts.literature.course import recorded_claims


def texts(at: AppTest) -> str:
    return "\n".join(entry.proto.body for entry in at.html)


def addresses(at: AppTest) -> list[str]:
    return [html.unescape(each) for each in re.findall('<th scope="row"><a href="([^"]+)"', texts(at))]


def test_the_cards_are_the_verdicts_of_all_figures() -> None:
    found = summary(judged())
    expected = {VERDICTS[verdict]: exact(found.counts[verdict]) for verdict in (RIGHT, SHORT, OTHER)}
    expected["Unexplained or wrong"] = exact(found.counts[UNEXPLAINED] + found.counts[WRONG])
    expected["Not compared"] = exact(found.counts[UNBUILT] + found.counts[OPEN])
    assert {card.label: card.value for card in metrics(opened("literature"))} == expected


def test_the_title_of_the_chart_counts_the_wrong_figures() -> None:
    found = summary(judged())
    notes, title = sorted(
        (text for text in headings(opened("literature")) if "wrong" in text), key=lambda text: "printed" in text
    )
    count = found.counts[UNEXPLAINED] + found.counts[WRONG]
    assert title.startswith(f"{exact(count)} of {exact(found.compared)} printed figures")
    claims = [each.verdict for each in judged() if each.course] + [each.verdict for each in recorded_claims()]
    assert notes.startswith(f"{claims.count(WRONG)} of the {len(claims)} figures that course notes print")


def test_the_bars_of_the_errors_have_their_verdict_for_a_click() -> None:
    for trace in charts(opened("literature"))["verdicts"]["data"]:
        assert {VERDICTS[verdict] for verdict, *_ in trace["customdata"]} == {trace["name"]}


def test_the_bars_of_the_errors_do_not_overlap() -> None:
    spec = charts(opened("literature"))["verdicts"]
    for row, trace in enumerate(spec["data"]):
        places = sorted(trace["x"])
        assert all(right - left > 0.99 * trace["width"] for left, right in pairwise(places))
        assert trace["base"] == -row
        assert 0 < min(trace["y"]) <= max(trace["y"]) < 1, "a bar stays in its row"
    counts = [each["text"] for each in spec["layout"]["annotations"][-len(spec["data"]) :]]
    found = summary(judged())
    assert counts == [f"<b>{VERDICTS[verdict]}</b> {exact(found.counts[verdict])}" for verdict in COMPARED]


@pytest.mark.parametrize("by", ["Source", "Quantity"])
def test_the_bars_add_up_to_the_verdicts(by: str) -> None:
    at = open_page("literature", by=by, quantity="Parameters")
    found = summary(chosen(Filter(quantity="params")))
    for trace in charts(at)["verdicts"]["data"]:
        verdict = next(key for key, name in VERDICTS.items() if name == trace["name"])
        assert sum(trace["x"]) == found.counts[verdict]


def test_filters_select_the_rows_of_the_table() -> None:
    at = open_page("literature", part="All figures", network="v3 small", verdict="Wrong", quantity="Multiply-adds")
    assert line(at) == ""
    expected = chosen(Filter("v3 small", "", "mult_adds", "wrong"))
    assert len(expected) >= 3
    shown = texts(at)
    assert re.findall('class="printed">([^<]+)<', shown) == [html_text(each.printed) for each in expected][:10]
    assert set(re.findall('class="mark">([^<]+)<', shown)) == {"Wrong"}
    assert all(address.startswith("architectures?net=MobileNetV3-Small") for address in addresses(at))


def test_every_figure_is_on_a_page_of_the_table() -> None:
    expected = chosen(Filter("mobilenet v2", "", "params"))
    pages = math.ceil(len(expected) / 10)
    assert pages > 2
    at = open_page("literature", part="All figures", network="mobilenet v2", quantity="Parameters", page=str(pages))
    last = expected[10 * (pages - 1) :]
    assert re.findall('class="printed">([^<]+)<', texts(at)) == [html_text(each.printed) for each in last]
    # A filter with fewer pages begins at its first one.
    at.selectbox(key="verdict").set_value("Wrong")
    wrong = [html_text(each.printed) for each in expected if each.verdict == "wrong"]
    assert re.findall('class="printed">([^<]+)<', texts(run(at))) == wrong[:10]


def test_a_link_opens_the_network_of_a_row() -> None:
    at = open_page("literature", part="All figures", network="0.25_192", verdict="Wrong")
    assert addresses(at)[0] == "architectures?net=MobileNetV1&width=0.25&res=192"
    there = open_page("architectures", net="MobileNetV1", width="0.25", res="192")
    assert line(there) == ""


def test_a_search_without_figures_is_a_page() -> None:
    at = open_page("literature", network="no such network", part="All figures")
    assert {card.value for card in metrics(at)} == {"0"}
    assert "No figure has these properties" in texts(at)
    assert charts(at)["verdicts"]["title"] == "No figure of this selection can be compared"


def test_every_cell_of_the_course_notes_has_its_verdict_as_a_word() -> None:
    text = texts(show_part(opened("literature"), "Course notes"))
    cells = re.findall(r'<td class="verdict_(\w+)"[^>]*><span class="printed">(.*?)</span> <strong[^>]*>(.*?)<', text)
    notes = [(each.verdict, html_text(each.printed)) for each in judged() if each.course]
    others = [(each.verdict, html_text(each.printed)) for each in recorded_claims()]
    assert [cell[:2] for cell in cells] == notes + others
    assert all(word == VERDICTS[verdict] for verdict, _, word in cells)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_answered(number: int) -> None:
    at = open_page("literature", part="Number checker")
    at.button(key=f"example_{number}").click()
    run(at)
    assert at.text_input(key="figures").value == EXAMPLES[number]
    first = identify(EXAMPLES[number])[0]
    assert html_text(first.title) in texts(at)
    assert html_text(first.explained[0].sentence) in texts(at)


def test_networks_that_fit_equally_well_are_counted() -> None:
    at = open_page("literature", figures="25.6 M, 4.09 GMACs, 224 px")
    assert "These figures fit 2 networks equally well." in texts(at)


@pytest.mark.parametrize("text", ["12 foo", "<b>1</b>", "224 px", "x" * 200, "900 M params"])
def test_a_bad_figure_is_a_line(text: str) -> None:
    at = open_page("literature", part="Number checker", figures=text)
    assert failures(at) == []
    assert 'role="alert"' in texts(at) or "No network of the zoo" in texts(at)
    assert "<b>1</b>" not in texts(at)
