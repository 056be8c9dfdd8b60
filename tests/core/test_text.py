"""Text from designs as data in other formats."""

from __future__ import annotations

import html
from typing import Any

import pytest

from effviz.core.text import csv_text, html_text, plotly_text, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stage 1, größer ✓ \N{NO-BREAK SPACE}", "stage 1, größer ✓ \N{NO-BREAK SPACE}"),
        ("a\nb\tc\x00\x1b[31m", "a\\nb\\tc\\x00\\x1b[31m"),
        ("a\u202eb\u2066\u200b\ufeff\u2028\x85", "a\\u202eb\\u2066\\u200b\\ufeff\\u2028\\x85"),
    ],
)
def test_hidden_characters_are_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_html() -> None:
    assert html_text("<a href='x'>\"&\n") == "&lt;a href=&#x27;x&#x27;&gt;&quot;&amp;\\n"


@pytest.mark.parametrize(
    "text", ["<a href='http://x.y'>a</a>", "<b>b</b>", "a<br>b", "%{x} %{customdata[0]}", "$x^2$", "&lt;"]
)
def test_plotly_shows_the_text_itself(text: str) -> None:
    shown = plotly_text(text)
    assert not set("<>$") & set(shown)
    assert "%{" not in shown
    assert html.unescape(shown) == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1", "'+1"), ("-a", "'-a"), ("@x", "'@x"), ("\tx", "'\tx"),
        ("stem", "stem"), ("", ""), (-3, -3), (None, None), (-0.5, -0.5),
    ],
)  # fmt: skip
def test_a_cell_is_no_formula(value: Any, cell: Any) -> None:
    assert csv_text(value) == cell
