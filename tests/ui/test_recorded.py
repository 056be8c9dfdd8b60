"""Pages open with recorded latencies, which are labelled, dimmed and replaced by measured ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from latencies import SOME
from page_reader import charts, metrics, open_page, run
from streamlit.testing.v1 import AppTest

from effviz import architecture
from effviz.measure import latency
from effviz.measure.latency import Latency
from effviz.measure.recorded import find
from effviz.studies.convolutions import Setting, design
from effviz.ui.navigation import PAGES
from effviz.ui.record import states

MEASURING = [file for file, query in states() if not query and file != "home.py"]
EMPTY = "\N{EN DASH}"


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured here; the recorded latencies are those that effviz ships."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    monkeypatch.delenv("EFFVIZ_RECORDED")
    latency._remembered.clear()


def line(at: AppTest) -> str:
    (found,) = (entry.proto.body for entry in at.html if 'class="latency' in entry.proto.body)
    return found


@pytest.mark.parametrize("file", MEASURING)
def test_no_page_opens_with_an_empty_card(file: str) -> None:
    (page,) = (page for page in PAGES if page.file == file)
    cards = metrics(open_page(page.url_path))
    assert EMPTY not in [card.value for card in cards], "record the latencies again: python -m effviz.ui.record"
    # Numbers that were not measured here say so.
    assert [card.badge for card in cards] == [
        "recorded" if card.label in ("Latency", "Speed") else "" for card in cards
    ]


def test_a_measurement_replaces_the_recorded_latency() -> None:
    at, known = open_page("convolutions"), find(design("separable", Setting()))
    assert known is not None
    card = metrics(at)[-1]
    assert (card.label, card.badge, card.stale) == ("Latency", "recorded", False)
    assert known.where in card.help
    assert f"recorded elsewhere, {known.measured_at[:10]}" in line(at)
    assert known.environment["cpu"] in line(at)
    for kind in ("separable", "standard"):
        latency.remember(design(kind, Setting()), Latency.from_dict(SOME | {"resolution": 28}))
    card = metrics(run(at))[-1]
    assert (card.label, card.value, card.badge) == ("Latency here", "10.0 ms", "")
    assert "recorded" not in line(at)


def test_the_baseline_on_screen_is_not_compared_with_another_network() -> None:
    at = open_page("compare", net="ResNet-50")
    assert at.selectbox(key="base").value == "resnet50"
    assert metrics(at)[-1].delta.startswith("IQR ")
    for number, name in enumerate(at.multiselect(key="networks").value):
        network = architecture(name)
        measured = SOME | {"resolution": network.resolution, "median_ms": 10.0 + number}
        latency.remember(network, Latency.from_dict(measured))
    card = metrics(run(at))[-1]
    assert card.label == "Latency here"
    assert card.delta.startswith("IQR ")


def test_the_charts_name_the_machine_of_recorded_latencies() -> None:
    page = open_page("latency")
    assert "Recorded on " in charts(page)["scatter"]["alt"]
    card = metrics(page)[-1]
    assert card.label == "Recorded"
    assert "(R)" not in card.delta
    assert "On the recorded machine" in charts(open_page("memory"))["experiment"]["title"]
