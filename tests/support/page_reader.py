"""Open a page without a browser, and read what is on it."""

from __future__ import annotations

import html
import json
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import latex
import pandas as pd
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, local_script_runner

import effviz
from effviz import Report
from effviz.core.units import binary, exact, si
from effviz.count.kinds import VIEW
from effviz.ui.convention import COUNTS
from effviz.ui.navigation import PAGES
from effviz.ui.widgets import calculation

# A test reads the page of the first run, so that run waits for every calculation.
calculation.PATIENCE_S = 60.0
# Every AppTest searches the metadata of all installed packages for components, which takes twice as long as a page, and
# every run compiles the frame and the page again. Neither changes during the tests.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)  # type: ignore[assignment]
local_script_runner.ScriptCache = cache(local_script_runner.ScriptCache)  # type: ignore[assignment, misc]
TIMEOUT_S = 60.0

# Words that belittle the reader.
FORBIDDEN = re.compile(r"\b(simply|just|obviously)\b", re.IGNORECASE)
BYTES = {"elements": 0, "float32": 4, "float16": 2, "int8": 1}
ROOT = Path(__file__).parents[2]
MAIN = ROOT / "effviz" / "ui" / "main.py"


def open_page(url_path: str = "architectures", **query: str | list[str]) -> AppTest:
    """The page at an address, as the first request of a new visitor."""
    entry = next(page for page in PAGES if page.url_path == url_path)
    at = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S)
    for key, value in query.items():
        at.query_params[key] = value
    if url_path:
        # Before the first run AppTest knows a page by the name of its file.
        assert Path(entry.file).stem == url_path
        at.switch_page(f"../../pages/{entry.file}")
    run(at)
    assert at.title[0].value == entry.title
    return at


@cache
def opened(url_path: str = "architectures", **query: str) -> AppTest:
    """The same, opened once for all tests that only read it."""
    return open_page(url_path, **query)


def go_to(at: AppTest, file: str) -> AppTest:
    """Another page in the same visit."""
    at.switch_page(f"../../pages/{file}")
    return run(at)


def failures(at: AppTest) -> list[str]:
    """Exceptions of the page, and sections that could not be drawn because of one."""
    sections = [entry.proto.body for entry in at.html if 'class="failed"' in entry.proto.body]
    return [*(entry.message for entry in at.exception), *sections]


def run(at: AppTest) -> AppTest:
    assert "keras" not in sys.modules, "Streamlit would empty Keras at every run, for 0.3 s"
    at.run()
    assert failures(at) == []
    assert not at.error, [entry.value for entry in at.error]
    return at


def control(at: AppTest, key: str) -> Any:
    """The input of a setting; that of a resolution is a text."""
    return next(entry for entry in (*at.number_input, *at.text_input) if entry.key == key)


def put(at: AppTest, key: str, value: Any) -> AppTest:
    """Type into the input of a setting, and run the page; None empties it."""
    found = control(at, key)
    # A widget that is compared or sought in a list compares the whole page.
    is_text = found.type == "text_input"
    found.set_value(("" if value is None else str(value)) if is_text else value)
    return run(at)


def value_of(at: AppTest, key: str) -> float:
    """The number in the input of a setting."""
    return float(control(at, key).value)


@cache
def report(name: str = "mobilenet_v2", memory: str = "fused", **options: Any) -> Report:
    return effviz.analyze(effviz.architecture(name, **options), memory=memory)


def title(name: str) -> str:
    """The name of a network in the drop-down."""
    return report(name).design.title.removesuffix(" (g = 3)")


def expected_cards(counted: Report, count: str = "macs", unit: str = "elements") -> dict[str, str]:
    """The headline numbers of the Architectures page."""

    def size(elements: int) -> str:
        return si(elements) if unit == "elements" else binary(elements * BYTES[unit])

    return {
        "Parameters": si(counted.params),
        COUNTS[count]: si(counted.macs if count == "macs" else counted.flops),
        "Memory access": size(counted.memory_access),
        "Peak activations": size(counted.peak_activation),
    }


class Card(NamedTuple):
    """A headline number on a page; `delta` is the line below it."""

    label: str
    value: str
    help: str
    delta: str
    against: str
    stale: bool
    aside: str
    unit: str
    over: bool = False
    badge: str = ""


def component(at: AppTest, name: str) -> dict[str, Any]:
    """By key: the data of all components of one kind."""
    found = [entry for entry in at.get("bidi_component") if entry.proto.component_name.endswith(f"effviz_{name}")]
    packed = {entry.key: entry.proto.bytes for entry in found}
    return {key: json.loads(data if data[:1] in b"{[" else zlib.decompress(data)) for key, data in packed.items()}


def metrics(at: AppTest) -> list[Card]:
    """The headline numbers."""
    shown = [card for cards in component(at, "cards").values() for card in cards["cards"]]
    return [Card(*(text for name, text in card.items() if name not in ("named", "key"))) for card in shown]


def keys(at: AppTest) -> set[str]:
    """The keys of all elements and containers on the page; those of cards begin with ``card_``."""
    nodes = {str(node.key) for node in at.main if getattr(node, "key", None)}
    shown = [card["key"] for cards in component(at, "cards").values() for card in cards["cards"]]
    return nodes | {f"card_{key}" for key in shown if key}


def counted_cards(at: AppTest) -> list[Card]:
    """The headline numbers that are counted; test_live_pages has the tests of the latency."""
    return [card for card in metrics(at) if card.label not in ("Latency here", "Latency")]


def cards(at: AppTest) -> dict[str, str]:
    return {card.label: card.value for card in counted_cards(at)}


PUBLISHED = ["as published", "", "", ""]
"""The lines of the counted cards of an unscaled network."""


def changes(at: AppTest) -> list[str]:
    return [card.delta for card in counted_cards(at)]


def headings(at: AppTest) -> list[str]:
    """The headings of sections, then those of charts."""
    shown = [entry["figure"]["title"] for entry in component(at, "chart").values() if entry["heading"] != "none"]
    written = [text for entry in at.html for text in re.findall(r"^<h3>(.*)</h3>$", entry.proto.body)]
    plain = [html.unescape(re.sub(r"<[^>]+>", "", text)) for text in written]
    return [*(entry.value for entry in at.subheader), *plain, *shown]


def show_part(at: AppTest, title: str) -> AppTest:
    """Choose a part of the page below its chart, unless it is shown."""
    if at.button_group(key="part").value != title:
        at.button_group(key="part").set_value(title)
        run(at)
    return at


def each_part(at: AppTest) -> Iterator[AppTest]:
    """Show one part of the page after the other; a page without parts once."""
    tabs = [group for group in at.button_group if group.key == "part"]
    for title in tabs[0].options if tabs else [None]:
        yield show_part(at, title) if title else at


def layers_element(at: AppTest) -> Any:
    (found,) = (entry for entry in show_part(at, "Layers").dataframe if str(entry.key).startswith("layers"))
    return found


def layers(at: AppTest) -> pd.DataFrame:
    table: pd.DataFrame = layers_element(at).value
    return table


def printed(at: AppTest) -> pd.DataFrame | None:
    """The table of printed figures, None if there is none; a table without selection has no key."""
    tables = show_part(at, "Published figures").dataframe
    found = [entry.value for entry in tables if "printed figures" in entry.proto.alt]
    assert len(found) <= 1
    return found[0] if found else None


def charts(at: AppTest) -> dict[str, dict[str, Any]]:
    """By key: the figures on the page."""
    return {key: entry["figure"] for key, entry in component(at, "chart").items()}


def notes(at: AppTest) -> dict[str, str]:
    """By key: the captions of the charts on the page."""
    return {key: entry["note"] for key, entry in component(at, "chart").items()}


def formulas(at: AppTest) -> dict[str, tuple[str, str, str]]:
    """By quantity: the formula, its numbers, and the value with its unit."""
    found = [each for entry in at.markdown for each in latex.shown(entry.value)]
    return {each.name: (each.symbols, each.numbers, each.value) for each in found}


def line(at: AppTest) -> str:
    """The notice of ignored URL parameters as plain text; empty if there is none."""
    lines = [re.sub(r"\\(.)", r"\1", entry.value) for entry in (*at.info, *at.markdown)]
    lines += [html.unescape(re.sub(r"<[^>]*>", "", entry.proto.body)) for entry in at.html]
    lines = [text for text in lines if "Ignored in the link" in text]
    assert len(lines) <= 1
    return re.sub(" +", " ", lines[0].strip()) if lines else ""


def words(at: AppTest) -> Iterator[str]:
    """Every text on the page and in its parts, including help and alt text."""
    for shown in each_part(at):
        yield from words_on_show(shown)


def words_on_show(at: AppTest) -> Iterator[str]:
    """Every text on the page as it is, with the part on show."""
    for entries in (at.title, at.subheader, at.caption, at.markdown, at.info, at.html):
        yield from (str(getattr(entry, "value", "") or getattr(entry, "body", "")) for entry in entries)
    for card in metrics(at):
        yield from (card.label, card.value, card.delta, card.help)
    for widgets in (at.selectbox, at.button_group, at.number_input, at.slider, at.text_input, at.button):
        for widget in widgets:
            yield from (widget.label, widget.proto.help)
    for figure in charts(at).values():
        yield from (figure["title"], figure["alt"])
    for data in component(at, "exercise").values():
        yield from (entry[name] for entry in data["entries"] for name in ("question", "shown", "why"))
    for entry in at.get("page_link"):
        yield entry.proto.label
    for entry in at.dataframe:
        yield entry.proto.alt
        yield " ".join(map(str, entry.value.columns))
        yield " ".join(str(cell) for column in entry.value for cell in entry.value[column] if isinstance(cell, str))


# --- the Architectures page -----------------------------------------------------------------------------------------


def check_charts(at: AppTest, counted: Report, compute: int, size: int) -> None:
    drawn = charts(at)
    assert list(drawn) == ["stages", "kinds", "timeline"]
    sums: dict[str, float] = defaultdict(float)
    for trace in drawn["stages"]["data"]:
        # The drawing of the network has no counts.
        if trace["yaxis"] != drawn["stages"]["layout"]["meta"]["upright"]:
            sums[trace["yaxis"]] += sum(trace["y"])
    assert list(sums.values()) == [counted.params, compute * counted.macs, size * counted.memory_access]
    shares: dict[str, float] = defaultdict(float)
    for trace in drawn["kinds"]["data"]:
        for label, share in zip(trace["y"], trace["x"], strict=True):
            shares[label] += share
    assert list(shares.values()) == pytest.approx([1, 1, 1])
    assert max(drawn["timeline"]["data"][0]["y"]) == size * counted.peak_activation


def check_layers(at: AppTest, counted: Report, compute: int, size: int) -> None:
    table, own = layers(at), counted.table[counted.table["kind"] != VIEW]
    word = "elements" if at.button_group(key="unit").value == "elements" else "bytes"
    label = COUNTS[at.button_group(key="count").value]
    assert table["Path"].tolist() == own["path"].tolist()
    for column, numbers in (
        ("Parameters", own["params"]),
        (label, own["macs"] * compute),
        (f"Memory access ({word})", own["memory_access"] * size),
        (f"Alive ({word})", own["alive"] * size),
    ):
        assert table[column].tolist() == numbers.tolist(), column
    assert table["Parameters"].sum() == counted.params
    assert table[label].sum() == compute * counted.macs
    assert table[f"Memory access ({word})"].sum() == size * counted.memory_access
    assert table[f"Alive ({word})"].max() == size * counted.peak_activation
    sums = f"{exact(counted.params)} parameters, {exact(compute * counted.macs)} {label}"
    assert any(sums in entry.value for entry in at.caption)


def check_formulas(at: AppTest) -> None:
    """The formulas of the selected layer give the values of its row in the table on the page."""
    path = show_part(at, "How this is computed").selectbox(key="layer").value
    count, unit = at.button_group(key="count").value, at.button_group(key="unit").value
    word = "elements" if unit == "elements" else "bytes"
    shown = formulas(at)
    assert list(shown) == ["Parameters", COUNTS[count], "Memory access cost"]
    row = layers(at).set_index("Path").loc[path]
    for label, value in (
        ("Parameters", exact(row["Parameters"])),
        (COUNTS[count], exact(row[COUNTS[count]])),
        ("Memory access cost", f"{exact(row[f'Memory access ({word})'])} {word}"),
    ):
        symbols, numbers, result = shown[label]
        assert result == value, label
        assert latex.evaluated(numbers) == int(value.split()[0].replace(",", "")), numbers
        factor = re.match(r"\d \\times (?=\(|\\left)", numbers)
        assert not factor or re.match(rf"{factor[0][0]} \\(cdot|times) ", symbols), (
            "symbols and numbers have the same factor"
        )


def table(at: AppTest, alt: str) -> pd.DataFrame:
    """Return the one table whose alt text contains `alt`."""
    (found,) = (entry.value for entry in at.dataframe if alt in entry.proto.alt)
    return found


def questions(at: AppTest) -> dict[str, dict[str, Any]]:
    """By key: the exercises on the page with their answers."""
    (found,) = component(at, "exercise").values()
    return {entry["key"]: entry for entry in found["entries"]}


def reveal(at: AppTest, key: str) -> str:
    """Return the answer to an exercise, in the part on show or in "Try this", with its explanation."""
    if not component(at, "exercise"):
        show_part(at, "Try this")
    entry = questions(at)[key]
    return (
        f"No such network can be built. {entry['problem']}" if entry["problem"] else f"{entry['shown']}. {entry['why']}"
    )
