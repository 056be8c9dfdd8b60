"""Controls in the link, on a small page of their own: what a link may ask for, and what is said of the rest."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from effviz.ui import links

    links.start("small")
    links.line()
    net = links.choice("Network", ["a", "b"], "net", default="b", format_func=str.upper)
    count = links.switch("Count", ["macs", "flops"], "count", default="macs", format_func=str.upper)
    width = links.amount(
        "Width", "width", default=1.0, minimum=0.1, maximum=4.0, step=0.05, usual=(0.25, 2.0), help="Of the channels."
    )
    res = links.amount("Resolution", "res", default=224, minimum=32, maximum=2048, step=1, usual=(32, 640))
    classes = links.integer("Classes", "classes", default=1000, minimum=1, maximum=100_000)
    find = links.words("Find", "find")
    st.json({"net": net, "count": count, "width": width, "res": res, "classes": classes, "find": find})
    links.finish()


DEFAULTS: dict[str, Any] = {"net": "b", "count": "macs", "width": 1.0, "res": 224, "classes": 1000, "find": ""}


def _open(**query: str | list[str]) -> AppTest:
    at = AppTest.from_function(_page, default_timeout=30)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def _values(at: AppTest) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(at.json[0].value)
    assert set(values) == set(DEFAULTS)
    return values


def _line(at: AppTest) -> str:
    """The line about the link as a reader sees it, be it Markdown or HTML; empty when there is none."""
    lines = [re.sub(r"\\(.)", r"\1", entry.value) for entry in (*at.info, *at.markdown)]
    lines += [html.unescape(re.sub(r"<[^>]*>", "", entry.proto.body)) for entry in at.html]
    lines = [text for text in lines if "Ignored in the link" in text]
    assert len(lines) <= 1, "one line, not one a value"
    return re.sub(" +", " ", lines[0].strip()) if lines else ""


# --- what a link asks for is what the page takes --------------------------------------------------------------------


def test_without_a_query_the_defaults() -> None:
    at = _open()
    assert _values(at) == DEFAULTS
    assert _line(at) == ""
    assert at.query_params == {}


def test_a_full_link_restores_every_control() -> None:
    query = {"net": "A", "count": "FLOPS", "width": "0.55", "res": "96", "classes": "10", "find": "x y"}
    at = _open(**query)
    assert _values(at) == {"net": "a", "count": "flops", "width": 0.55, "res": 96, "classes": 10, "find": "x y"}
    assert _line(at) == ""
    assert at.query_params == query


@pytest.mark.parametrize(
    ("key", "value", "taken"),
    [("width", "1.0", 1.0), ("width", "0.33", 0.33), ("width", "4", 4.0), ("res", "96.0", 96), ("res", "32", 32)],
)
def test_another_spelling_of_a_legal_value_is_taken(key: str, value: str, taken: float) -> None:
    at = _open(**{key: value})
    assert _values(at) == DEFAULTS | {key: taken}
    assert _line(at) == ""


# --- what it asks for in vain is said -------------------------------------------------------------------------------

ILLEGAL: list[tuple[str, str | list[str]]] = [
    ("net", "c"),
    ("net", ""),
    ("net", "a"),  # the name inside, not the one on the screen
    ("net", ["A", "B"]),
    ("count", "Macs"),
    ("count", ""),
    ("count", ["FLOPS", "MACS"]),
    ("width", "nan"),
    ("width", "inf"),
    ("width", "-inf"),
    ("width", "1e400"),
    ("width", "0"),
    ("width", "4.01"),
    ("width", "-1"),
    ("width", ""),
    ("width", "wide"),
    ("width", "0,5"),
    ("width", "0x10"),
    ("width", ["0.5", "0.75"]),
    ("res", "nan"),
    ("res", "inf"),
    ("res", "1e400"),
    ("res", "31"),
    ("res", "2049"),
    ("res", "96.5"),
    ("res", ["96", "128"]),
    ("classes", "0"),
    ("classes", "10.5"),
    ("classes", "inf"),
    ("classes", "9" * 400),
    ("find", ["a", "b"]),
    ("find", "x" * 10_000),
]


@pytest.mark.parametrize(("key", "value"), ILLEGAL, ids=[f"{key}={value}"[:30] for key, value in ILLEGAL])
def test_an_illegal_value_is_ignored_and_named(key: str, value: str | list[str]) -> None:
    at = _open(**{key: value})
    assert _values(at) == DEFAULTS, "ignored means that the page shows the default"
    asked = ", ".join(value) if isinstance(value, list) else value
    start = f"Ignored in the link: {key} = {asked}"
    assert _line(at).startswith(start.strip() + " (" if len(asked) <= 40 else start[:60])
    assert key not in at.query_params, "a link copied now does not carry the illegal value on"


@pytest.mark.parametrize("key", ["nonsense", "width_slider", "_link_query", "Net", "ключ"])
def test_an_unknown_key_is_named(key: str) -> None:
    at = _open(**{key: "1"})
    assert _values(at) == DEFAULTS
    assert _line(at) == f"Ignored in the link: {key} (no such setting here)."


def test_legal_values_are_named_beside_the_illegal() -> None:
    assert "(choices: A, B)" in _line(_open(net="c"))
    assert "(0.1 to 4)" in _line(_open(width="9"))
    assert "(32 to 2048)" in _line(_open(res="9"))


def test_one_illegal_value_leaves_the_others() -> None:
    at = _open(net="A", width="9", res="96")
    assert _values(at) == DEFAULTS | {"net": "a", "res": 96}
    line = _line(at)
    assert "width = 9" in line
    assert "net" not in line
    assert "res" not in line


def test_none_of_many_is_passed_over_in_silence() -> None:
    at = _open(**{f"key{number}": "x" for number in range(12)})
    line = _line(at)
    named = len(re.findall(r"key\d+", line))
    assert named == 12 or f"{12 - named} more" in line, line


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_long_value_is_cut_short(size: int) -> None:
    at = _open(net="x" * size, **{"k" * size: "1"})
    assert 0 < len(_line(at)) < 300
    assert _values(at) == DEFAULTS


def test_the_line_is_one_line() -> None:
    for text in ("a\nb", "a\n\nb", "a\r\n\r\nb", "a\r\rb"):
        assert len(_line(_open(net=text)).splitlines()) == 1, repr(text)


# --- it stays the truth ---------------------------------------------------------------------------------------------


def test_the_judgement_stays_while_the_page_is_used() -> None:
    at = _open(width="9", nonsense="1")
    before = _line(at)
    at.number_input(key="res").set_value(96).run()
    assert _line(at) == before
    assert _values(at)["res"] == 96


def test_a_value_set_by_hand_is_not_called_ignored() -> None:
    at = _open(res="96")
    at.number_input(key="res").set_value(128).run()
    assert _line(at) == ""
    assert _values(at)["res"] == 128


# --- slider and input are one control -------------------------------------------------------------------------------


def test_the_slider_writes_to_the_input_and_the_link() -> None:
    at = _open()
    at.slider(key="width_slider").set_value(0.5).run()
    assert at.number_input(key="width").value == 0.5
    assert _values(at)["width"] == 0.5
    assert at.query_params == {"width": "0.5"}


def test_the_input_moves_the_slider() -> None:
    at = _open()
    at.number_input(key="width").set_value(0.75).run()
    assert at.slider(key="width_slider").value == 0.75
    assert _values(at)["width"] == 0.75


@pytest.mark.parametrize(("value", "slider"), [(4.0, 2.0), (0.1, 0.25)])
def test_beyond_the_usual_range_the_slider_waits_at_its_end(value: float, slider: float) -> None:
    at = _open(width=str(value))
    assert at.slider(key="width_slider").value == slider
    assert _values(at)["width"] == value, "and does not pull the value back"
    at.run()
    assert _values(at)["width"] == value


def test_back_at_the_default_the_link_is_clean() -> None:
    at = _open(width="0.5")
    at.slider(key="width_slider").set_value(1.0).run()
    assert at.query_params == {}


def test_an_emptied_input_is_the_default() -> None:
    at = _open(width="0.5", res="96")
    at.number_input(key="width").set_value(None)
    at.number_input(key="res").set_value(None)
    at.run()
    assert not at.exception
    assert _values(at) == DEFAULTS


def test_a_switch_cannot_be_switched_off() -> None:
    at = _open(count="FLOPS")
    at.button_group(key="count").set_value(None).run()
    assert not at.exception
    assert _values(at)["count"] in ("macs", "flops")


def test_slider_and_input_are_labelled_alike() -> None:
    at = _open()
    for key in ("width", "res"):
        assert at.number_input(key=key).label == at.slider(key=f"{key}_slider").label


# --- text from a link is text: more in browser/test_pages.py -------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "**bold**",
        "[click](https://example.org)",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        ":red[x]",
        "$x^2$",
        "# title",
        "1. item",
        "> quote",
        "a | b",
        "&lt;b&gt;",
        "\\*x\\*",
    ],
)
def test_text_from_a_link_arrives_unchanged(text: str) -> None:
    assert f"net = {text} (" in _line(_open(net=text))
