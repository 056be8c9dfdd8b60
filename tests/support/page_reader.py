"""Open a page without a browser, and read what is on it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

from effviz.ui.navigation import PAGES

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "effviz" / "ui" / "main.py"


def open_page(url_path: str = "architectures", **query: str | list[str]) -> AppTest:
    """The page at an address, as the first request of a new visitor."""
    entry = next(page for page in PAGES if page.url_path == url_path)
    at = AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    if url_path:
        # Before the first run AppTest knows a page by the name of its file.
        assert Path(entry.file).stem == url_path
        at.switch_page(f"../../pages/{entry.file}")
    run(at)
    assert at.title[0].value == entry.title
    return at


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, [entry.message for entry in at.exception]
    assert not at.error, [entry.value for entry in at.error]
    return at


def counted_cards(at: AppTest) -> list[Any]:
    """The headline numbers that are counted; the one that is measured has tests of its own, see test_live_pages."""
    return [metric for metric in at.metric if metric.label != "Latency here"]


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in counted_cards(at)}


def changes(at: AppTest) -> list[str]:
    return [metric.delta for metric in counted_cards(at)]


def layers_element(at: AppTest) -> Any:
    (found,) = (entry for entry in at.dataframe if str(entry.key).startswith("layers"))
    return found


def layers(at: AppTest) -> pd.DataFrame:
    table: pd.DataFrame = layers_element(at).value
    return table


def printed(at: AppTest) -> pd.DataFrame | None:
    """The table of printed figures, None if there is none; a table without selection has no key."""
    found = [entry.value for entry in at.dataframe if "printed figures" in entry.proto.alt]
    assert len(found) <= 1
    return found[0] if found else None


def charts(at: AppTest) -> dict[str, dict[str, Any]]:
    return {entry.key: json.loads(entry.proto.spec) for entry in at.get("plotly_chart")}


def formulas(at: AppTest) -> dict[str, tuple[str, str, str]]:
    """By quantity: the formula, its numbers, and the value with its unit."""
    found = {}
    for entry in at.markdown:
        match = re.fullmatch(r"\*\*([^*]+)\*\* = (.+)  \n= (.+)  \n= \*\*([\d,]+)\*\*(.*)", entry.value)
        if match:
            label, symbols, numbers, value, unit = match.groups()
            found[label] = (symbols, numbers, value + unit)
    return found


def line(at: AppTest) -> str:
    """The line about the link as a reader sees it, be it Markdown or HTML; empty if there is none."""
    lines = [re.sub(r"\\(.)", r"\1", entry.value) for entry in (*at.info, *at.markdown)]
    lines += [html.unescape(re.sub(r"<[^>]*>", "", entry.proto.body)) for entry in at.html]
    lines = [text for text in lines if "Ignored in the link" in text]
    assert len(lines) <= 1
    return re.sub(" +", " ", lines[0].strip()) if lines else ""


def words(at: AppTest) -> Iterator[str]:
    """Everything on the page that can be read, heard or hovered."""
    for entries in (at.title, at.subheader, at.caption, at.markdown, at.info, at.html):
        yield from (str(getattr(entry, "value", "") or getattr(entry, "body", "")) for entry in entries)
    for metric in at.metric:
        yield from (metric.label, metric.value, metric.delta, metric.help)
    for widgets in (at.selectbox, at.button_group, at.number_input, at.slider, at.text_input, at.button):
        for widget in widgets:
            yield from (widget.label, widget.proto.help)
    for entry in at.get("plotly_chart"):
        yield entry.proto.alt
    for entry in at.get("page_link"):
        yield entry.proto.label
    for entry in at.dataframe:
        yield entry.proto.alt
        yield " ".join(map(str, entry.value.columns))
        yield " ".join(str(cell) for column in entry.value for cell in entry.value[column] if isinstance(cell, str))
