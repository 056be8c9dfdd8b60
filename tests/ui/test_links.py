"""Controls in the link, on a small test page: legal parameters are used, others are ignored and listed."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from effviz.ui import inputs, links

    links.start("small")
    links.line()
    net = inputs.choice("Network", ["a", "b"], "net", default="b", format_func=str.upper)
    count = inputs.switch("Count", ["macs", "flops"], "count", default="macs", format_func=str.upper)
    width = inputs.amount(
        "Width", "width", default=1.0, minimum=0.1, maximum=4.0, step=0.05, usual=(0.25, 2.0), help="Of the channels."
    )
    res = inputs.amount("Resolution", "res", default=224, minimum=32, maximum=2048, step=1, usual=(32, 640))
    classes = inputs.integer("Classes", "classes", default=1000, minimum=1, maximum=100_000)
    find = inputs.words("Find", "find")
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
    """The notice of ignored parameters as plain text; empty if there is none."""
    lines = [re.sub(r"\\(.)", r"\1", entry.value) for entry in (*at.info, *at.markdown)]
    lines += [html.unescape(re.sub(r"<[^>]*>", "", entry.proto.body)) for entry in at.html]
    lines = [text for text in lines if "Ignored in the link" in text]
    assert len(lines) <= 1, "one line, not one a value"
    return re.sub(" +", " ", lines[0].strip()) if lines else ""


# --- legal parameters ---------------------------------------------------------------------------------------------


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


# --- illegal parameters -------------------------------------------------------------------------------------------

ILLEGAL: dict[str, list[str | list[str]]] = {
    "net": ["c", "1", "", ["A", "B"], ["a", "b"]],
    "count": ["Macs", "", ["FLOPS", "MACS"]],
    "width": [
        "nan", "inf", "-inf", "1e400", "0", "4.01", "-1", "", "wide", "0,5", "0x10", ["0.5", "0.75"],
    ],
    "res": ["nan", "inf", "1e400", "31", "2049", "96.5", ["96", "128"]],
    "classes": ["0", "10.5", "inf", "9" * 400],
    "find": [["a", "b"], "x" * 10_000],
}  # fmt: skip
LINKS = [
    {key: values[number] for key, values in ILLEGAL.items() if number < len(values)}
    for number in range(max(map(len, ILLEGAL.values())))
]


@pytest.mark.parametrize("query", LINKS, ids=range(len(LINKS)))
def test_illegal_values_are_ignored_and_listed(query: dict[str, str | list[str]]) -> None:
    at = _open(**query)
    assert _values(at) == DEFAULTS, "the page shows the default of an ignored parameter"
    assert _line(at).startswith("Ignored in the link: ")
    for key, value in query.items():
        given = ", ".join(value) if isinstance(value, list) else value
        listed = f"{key} = {given}".strip() + " (" if len(given) <= 40 else f"{key} = {given[:37]}..."
        assert listed in _line(at)
        assert key not in at.query_params, "a link copied now does not contain the illegal value"


def test_unknown_keys_are_listed() -> None:
    keys = ["nonsense", "width_slider", "_link_query", "Net", "ключ"]
    at = _open(**dict.fromkeys(keys, "1"))
    assert _values(at) == DEFAULTS
    listed = "; ".join(f"{key} (no such setting here)" for key in keys)
    assert _line(at) == f"Ignored in the link: {listed}."


def test_the_notice_lists_legal_values() -> None:
    line = _line(_open(net="c", width="9", res="9"))
    for legal in ("(choices: A, B)", "(0.1 to 4)", "(32 to 2048)"):
        assert legal in line


def test_one_illegal_value_leaves_the_others() -> None:
    at = _open(net="A", width="9", res="96")
    assert _values(at) == DEFAULTS | {"net": "a", "res": 96}
    line = _line(at)
    assert "width = 9" in line
    assert "net" not in line
    assert "res" not in line


def test_all_of_many_are_listed_or_counted() -> None:
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
    at = _open(net="a\nb", count="a\n\nb", width="a\r\n\r\nb", res="a\r\rb")
    assert len(_line(at).splitlines()) == 1
    assert _line(at).count("a b (") == 4


# --- the notice while the page is used ----------------------------------------------------------------------------


def test_the_notice_stays_while_the_page_is_used() -> None:
    at = _open(width="9", nonsense="1")
    before = _line(at)
    at.number_input(key="res").set_value(96).run()
    assert _line(at) == before
    assert _values(at)["res"] == 96


def test_a_value_set_by_hand_is_not_reported() -> None:
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
def test_beyond_the_usual_range_the_slider_is_at_its_end(value: float, slider: float) -> None:
    at = _open(width=str(value))
    assert at.slider(key="width_slider").value == slider
    assert _values(at)["width"] == value, "the slider does not change the value"
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


# Legal in a search, and special in a regular expression, in HTML or in an address.
FINDS = ["DEPTHWISE", "pointwise 1x1", "4.1.d", ".*", "^stem a|b conv$ [ ( \\ * ? {2} % + & # =", "'\"<b>"]


def test_any_text_to_find_is_taken() -> None:
    for text in FINDS:
        at = _open(find=text)
        assert _values(at)["find"] == text
        assert at.query_params == {"find": text}
        assert _line(at) == ""


# --- text from a link is text: more in browser/test_links.py --------------------------------------------------------

TEXTS = [
    "**bold**", "[click](https://example.org)", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", ":red[x]",
    "$x^2$", "# title", "1. item", "> quote", "a | b", "&lt;b&gt;", "\\*x\\*",
]  # fmt: skip


@pytest.mark.parametrize("start", range(0, len(TEXTS), 4))
def test_text_from_a_link_arrives_unchanged(start: int) -> None:
    query = dict(zip(("net", "count", "width", "res"), TEXTS[start : start + 4], strict=True))
    line = _line(_open(**query))
    for key, text in query.items():
        assert f"{key} = {text} (" in line


# --- a page that is left before its run is complete ------------------------------------------------------------------


def _pages() -> None:
    import streamlit as st

    from effviz.ui import inputs, links

    turn = st.session_state["turn"]
    links.start(turn["page"])
    links.begin()
    if turn["stopped"]:
        st.stop()
    inputs.amount("Side", "res", default=224, minimum=32, maximum=2048, step=1, usual=(32, 640))
    links.finish()


def test_settings_are_kept_when_the_way_to_another_page_stops_a_run() -> None:
    at = AppTest.from_function(_pages, default_timeout=30)
    for page, stopped in (("a", False), ("a", True), ("b", True), ("b", False), ("a", False)):
        at.session_state["turn"] = {"page": page, "stopped": stopped}
        at.run()
        assert not at.exception, at.exception
        if page == "a" and not stopped and at.number_input[0].value == 224:
            at.number_input[0].set_value(60).run()
        if page == "b" and not stopped:
            assert at.number_input[0].value == 224
    assert at.number_input[0].value == 60
