"""Names in a design are data: on every part of the Studio, in charts, exports and downloads."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from page_reader import component, each_part, open_page
from page_reader import report as known_report
from streamlit.testing.v1 import AppTest

import effviz
from effviz import Design, Stage
from effviz.charts.architectures import Measure, activation_timeline, stage_costs
from effviz.charts.latency import latency_scatter
from effviz.charts.style import LIGHT
from effviz.model.blocks.composed import EXAMPLE
from effviz.model.draft import Draft
from effviz.studies.network_text import network_of, networks_text
from effviz.ui.convention import Convention
from effviz.ui.widgets.downloads import file_name
from effviz.ui.widgets.layers import layer_table

MARKUP = (
    "[x](http://evil)",
    "![x](//evil)",
    "<a href='//evil'>a</a>",
    "<img src=x onerror=y>",
    "<b>b</b><br>",
    "$x^2$ \\frac",
    ":material/delete:",
    ":red[r] :smile:",
    "**b** _i_ `c`",
    "line\n# h\x07\x1b[31m",
    "\u202etxt\u2066",
    "https://evil/x",
    "%{x}%{customdata[0]}",
    "=HYPERLINK(1)",
    "&lt;i&gt;",
    '"""\\N',
    "{{7*7}} @x",
)
TAGS = {"p", "strong", "progress", "style", "div", "span", "details", "summary", "h3", "ul", "li", "b"} | {
    "table", "thead", "tbody", "tr", "th", "td", "br", "section", "i"
}  # fmt: skip
# Fields of Streamlit's messages that the browser shows as Markdown.
MARKDOWN = {"label", "help", "body", "tooltip", "title", "placeholder", "caption", "message", "text", "content"}


@cache
def hostile() -> Design:
    rows = [Stage("conv", 16, stride=2, name=MARKUP[0])]
    rows += [Stage("inverted_residual", 16, name=name, kernel_size=7) for name in MARKUP[1:]]
    recipe = replace(EXAMPLE, name=":red[r](//evil) <b>")
    rows += [Stage("composed", 16, recipe=recipe, name="*composed*"), Stage("global_avg_pool"), Stage("linear", 10)]
    return Design(
        "[n](http://evil.example) <b>", tuple(rows), title="<a href='//evil.example'>t</a>\n**t**", resolution=32
    )


def widgets(at: AppTest) -> Iterator[tuple[str, str, str]]:
    """The kind of every element, and each of its texts with the name of its field."""
    pending = [at._tree]
    while pending:
        node = pending.pop()
        pending += getattr(node, "children", {}).values()
        if (proto := getattr(node, "proto", None)) is not None:
            yield from ((node.type, *found) for found in texts(proto))


def texts(message: Any) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        is_list = hasattr(value, "__iter__") and not isinstance(value, (str, bytes))
        for each in value if is_list else [value]:
            if hasattr(each, "ListFields"):
                yield from texts(each)
            elif isinstance(each, str):
                yield field.name, each


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "with an error"])
def test_no_name_is_markup_on_a_part_of_the_studio(whole: bool) -> None:
    draft = Draft.of(hostile())
    if not whole:
        draft = draft.add(Stage("conv", 16, groups=7, name="[z](//evil) <i>"), 4)
    shown = 0
    for at in each_part(open_page("studio", design=draft.packed())):
        shown += shown_as_text(at)
    assert shown


def test_no_name_is_markup_on_a_part_of_compare() -> None:
    other = replace(hostile(), width_mult=2.0)
    text = networks_text([network_of(each) for each in (hostile(), other)])
    found = [shown_as_text(at) for at in each_part(open_page("compare", nets=text))]
    assert len(found) > 3
    assert sum(found) > 2, "the heading of the factors, those of the diagrams, and the line below the table"


def shown_as_text(at: AppTest) -> int:
    """Fail if a name is markup; count the pieces of HTML that contain one as text."""
    marked = re.compile("|".join(re.escape(name) for name in (*MARKUP, "<b>", "<a", "evil", "**t**", "<i>")))
    shown = 0
    for kind, field, text in widgets(at):
        if kind == "html" and field == "body":
            assert Tags(text).found <= TAGS
            assert not re.search("[\u202e\u2066\x07\x1b]", text)
            shown += "evil" in text
        elif text.startswith('<div class="idea">'):
            assert "evil" not in text, "the idea of the page is HTML"
        elif kind in ("markdown", "heading", "alert", "caption") or field in MARKDOWN:
            # A term of the glossary is a button with a popover.
            assert not marked.search(re.sub(r'<button type="button" class="term".*?</a></span>', "", text)), (
                kind,
                field,
            )
    return shown


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def is_plain(spec: Any) -> None:
    """Fail if a text of a figure has tags, templates or formulas other than the chart's own."""
    for text in strings(spec):
        own = re.sub(r"</?(b|br|extra|span)( [^>]*)?>|%\{(x|y|z|customdata\[\d\])(:[^}]*)?\}", "", text)
        assert not re.search(r"[<>$\n\u202e\u2066\x07]|%\{", own), text


def test_charts_show_names() -> None:
    found = effviz.analyze(hostile())
    measures = [Measure(name, name) for name in ("params", "macs", "memory_access")]
    charts = [
        stage_costs(found.sums, measures, LIGHT, baseline=found.sums),
        activation_timeline(found.running, Measure("alive", "alive"), LIGHT),
    ]
    rows = [
        {"title": name, "family": "f", "macs": 10 + place, "latency_ms": 1.0 + place, "noisy": False}
        for place, name in enumerate(MARKUP)
    ]
    charts.append(latency_scatter(rows, "macs", 1, "macs", "here", LIGHT, highlight=MARKUP))
    for chart in charts:
        is_plain(chart.spec)
        chart.figure.to_json()
    stages = charts[0].spec["layout"]["xaxis"]["categoryarray"]
    assert len(set(stages)) == len(hostile().stages), "every stage has its own bar"
    assert {name for trace in charts[0].spec["data"] for name in trace["x"]} <= set(stages)
    assert charts[0].spec["data"][0]["x"] == ["[x](http://evil)"]
    assert not re.search(r"[\n\u202e\x07]", charts[0].title + charts[0].alt + charts[1].title + charts[1].alt)


def test_the_chart_of_the_page_is_the_plain_one() -> None:
    at = open_page("studio", design=Draft.of(hostile()).packed())
    is_plain(component(at, "chart")["stages"]["figure"]["data"])


def test_a_name_from_the_zoo_is_unchanged() -> None:
    found = known_report()
    chart = stage_costs(found.sums, [Measure("params", "Parameters"), Measure("macs", "Multiply-adds")], LIGHT)
    assert chart.spec["layout"]["xaxis"]["categoryarray"] == list(dict.fromkeys(stage for stage, _ in found.sums))


def test_exported_code_contains_names_as_text_only() -> None:
    source = effviz.export_torch(hostile())
    tree = ast.parse(source)
    assert not re.search(r"[\u202e\u2066\x07\x1b]", source)
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"eval", "exec", "__import__", "HYPERLINK"}


def test_downloads_contain_names_as_text() -> None:
    found = effviz.analyze(hostile())
    text = layer_table(found.rows, Convention()).csv("note")
    rows = list(csv.reader(io.StringIO(text.partition("\n")[2])))
    assert len(rows) == len(found.rows) + 1
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "@", "\t")]
    assert any(cell.startswith("'=HYPERLINK(1)") for row in rows for cell in row)
    assert Design.from_json(hostile().to_json()) == hostile()
    assert re.fullmatch(r"[A-Za-z0-9.-]+", file_name("effviz", *MARKUP))
