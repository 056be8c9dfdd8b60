"""Every page, run without a browser: frame, convention, alt text and wording."""

from __future__ import annotations

import re

import pytest
from page_reader import FORBIDDEN, charts, each_part, go_to, line, metrics, open_page, opened, run, words
from streamlit.testing.v1 import AppTest

from effviz.ui.convention import COUNTS
from effviz.ui.navigation import PAGES, PageInfo
from effviz.ui.widgets.glossary import explained

CONVENTION_KEYS = ("count", "unit", "memory")

every_page = pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")


@every_page
def test_a_page_keeps_its_frame_and_the_convention_of_a_link(entry: PageInfo) -> None:
    at = open_page(entry.url_path, count="FLOPs", unit="float16", memory="Paper")
    assert line(at) == ""
    for _ in range(3):
        assert [group.key for group in at.button_group][:3] == list(CONVENTION_KEYS)
        assert [at.button_group(key=key).value for key in CONVENTION_KEYS] == ["flops", "float16", "paper"]
        assert [heading.value for heading in at.title] == [entry.title]
        assert explained(entry.idea) in at.markdown[0].value
        run(at)
    _check_convention(entry, at, "FLOPs: 2 x multiply-adds", "ShuffleNetV2, eq. 1")
    at.button_group(key="unit").set_value("int8")
    at.button_group(key="memory").set_value("eager")
    _check_convention(entry, run(at), "1 byte per element", "every operation as PyTorch runs it")


def _check_convention(entry: PageInfo, at: AppTest, *phrases: str) -> None:
    for phrase in phrases:
        assert any(phrase in caption.value for caption in at.caption), (entry.title, phrase)


def test_the_convention_survives_every_page_of_a_visit() -> None:
    at = open_page("")
    for key, value in (("count", "flops"), ("unit", "int8"), ("memory", "eager")):
        at.button_group(key=key).set_value(value)
    run(at)
    for entry in (*PAGES, *PAGES):
        go_to(at, entry.file)
        assert [heading.value for heading in at.title] == [entry.title]
        assert [group.key for group in at.button_group][:3] == list(CONVENTION_KEYS)
        assert [at.button_group(key=key).value for key in CONVENTION_KEYS] == ["flops", "int8", "eager"]


@every_page
def test_charts_and_tables_have_alt_text(entry: PageInfo) -> None:
    texts = {}
    for at in each_part(opened(entry.url_path)):
        texts |= {key: figure["alt"] for key, figure in charts(at).items()}
        texts |= {element.key: element.proto.alt for element in at.dataframe}
    assert texts or entry.url_path in ("classroom", "glossary", "lessons"), "the charts of the classroom are in a room"
    assert [key for key, text in texts.items() if len(text) < 20] == []


@every_page
def test_the_convention_is_on_the_page(entry: PageInfo) -> None:
    phrase = "Multiply-adds: fused multiply-adds of convolution and linear layers"
    _check_convention(entry, opened(entry.url_path), phrase)


@every_page
def test_no_word_belittles_the_reader(entry: PageInfo) -> None:
    for text in words(opened(entry.url_path)):
        assert not FORBIDDEN.search(text), text


# Names of other counters, of their numbers and of their files.
QUOTED = re.compile(r"\b(?:pt|cal)flops\b|\b(?:total )?flops(?= \d{3,})|_flops\(\)|/flops-counter\b")


@every_page
@pytest.mark.parametrize("count", COUNTS.values())
def test_one_name_for_the_compute_number(entry: PageInfo, count: str) -> None:
    at = opened(entry.url_path) if count == COUNTS["macs"] else opened(entry.url_path, count=count)
    everything = "\n".join(words(at))
    assert count in everything
    assert "flops" not in QUOTED.sub("", everything)
    other = next(name for name in COUNTS.values() if name != count)
    assert not [card.label for card in metrics(at) if other in card.label]
    for shown in each_part(at):
        for table in shown.dataframe:
            if "printed figures" not in table.proto.alt:
                assert other not in table.value.columns
