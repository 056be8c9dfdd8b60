"""Every page, run without a browser: frame, convention, alt text and wording."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from page_reader import (
    FORBIDDEN,
    charts,
    each_part,
    go_to,
    line,
    metrics,
    open_page,
    opened,
    run,
    words_on_show,
)
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
        shown = at.markdown[0].value.replace('<span class="rest">', "").replace("</span>\n", "\n")
        assert explained(entry.idea) in shown
        run(at)
    _check_convention(entry, at, "FLOPs: 2 × multiply-adds", "ShuffleNetV2, eq. 1")
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


class Shown(NamedTuple):
    """Contents of a page with one of its parts."""

    words: list[str]
    alts: dict[str, str]  # of charts and tables, by key
    columns: list[list[str]]  # of the tables, without those of printed figures
    cards: list[str]  # labels


def parts_of(url_path: str, count: str) -> list[Shown]:
    """Open a page with a name of the compute number, and read each of its parts once for all checks."""
    at = opened(url_path) if count == COUNTS["macs"] else opened(url_path, count=count)
    return [
        Shown(
            words=list(words_on_show(shown)),
            alts={key: figure["alt"] for key, figure in charts(shown).items()}
            | {element.key: element.proto.alt for element in shown.dataframe},
            columns=[list(each.value.columns) for each in shown.dataframe if "printed figures" not in each.proto.alt],
            cards=[card.label for card in metrics(shown)],
        )
        for shown in each_part(at)
    ]


# Names of other counters, of their numbers and of their files.
QUOTED = re.compile(r"\b(?:pt|cal)flops\b|\b(?:total )?flops(?= \d{3,})|_flops\b|/(?:calculate-flops|flops-counter)\b")


@every_page
def test_words_and_alt_texts_of_all_parts(entry: PageInfo) -> None:
    """No word belittles the reader, charts and tables have an alt text, and the compute number has one name."""
    phrase = "Multiply-adds: fused multiply-adds of convolution and linear layers"
    _check_convention(entry, opened(entry.url_path), phrase)
    for count in COUNTS.values():
        parts = parts_of(entry.url_path, count)
        everything = "\n".join(text for shown in parts for text in shown.words)
        assert not FORBIDDEN.search(everything), count
        texts = {key: alt for shown in parts for key, alt in shown.alts.items()}
        assert texts or entry.url_path in ("classroom", "glossary", "lessons"), "charts of the classroom are in a room"
        assert [key for key, text in texts.items() if len(text) < 20] == [], count
        assert count in everything
        assert "flops" not in QUOTED.sub("", everything), count
        other = next(name for name in COUNTS.values() if name != count)
        for shown in parts:
            assert not [label for label in shown.cards if other in label]
            assert not [columns for columns in shown.columns if other in columns]
