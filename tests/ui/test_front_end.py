"""Files and sweeps that the server gives to the browser."""

from __future__ import annotations

import gzip
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import brotli
import pytest
from page_reader import charts, counted_cards, line, open_page
from server import Server, running_server
from streamlit.testing.v1 import AppTest

from effviz.charts.style import LIGHT
from effviz.core.errors import DesignError
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import choose
from effviz.ui.page_parts.architectures.sweep import settings
from effviz.ui.paths import PRESENT_STYLE_SHEET, STYLE_SHEETS
from effviz.ui.static_files import address
from effviz.ui.sweeps import MOST_STATES, slider_values, sweep_address


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def get(server: Server, path: str, encoding: str = "gzip") -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(server.url + path, headers={"Accept-Encoding": encoding})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()


# --- files ------------------------------------------------------------------------------------------------------------


def streamlit_script(server: Server) -> str:
    _, _, page = get(server, "/", "")
    return "/static/js/" + page.decode().partition("static/js/")[2].partition('"')[0]


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpacked"),
    [("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip, br;q=0", "gzip", gzip.decompress)],
)
@pytest.mark.parametrize("name", ["chart.js", "cards.js", "drag.js", "plotly.min.js", "streamlit"])
def test_a_file_is_compressed_and_kept(
    name: str, accepted: str, encoding: str, unpacked: Callable[[bytes], bytes], server: Server
) -> None:
    path = streamlit_script(server) if name == "streamlit" else address(name)
    status, headers, body = get(server, path, accepted)
    assert status == 200
    assert headers["content-encoding"] == encoding
    assert "immutable" in headers["cache-control"]
    assert headers["content-type"].startswith("text/javascript")
    _, plain, whole = get(server, path, "identity")
    assert "content-encoding" not in plain
    assert unpacked(body) == whole
    assert get(server, path, accepted)[2] == body, "the same bytes: compressed once"


@pytest.mark.parametrize(
    "path", ["/effviz-static/secret.js", "/effviz-static/../chart.js", "/static/../index.html", "/static/js/none.js"]
)
def test_nothing_else_is_a_file(path: str, server: Server) -> None:
    status, headers, body = get(server, path)
    # Streamlit answers unknown addresses with its page.
    assert (
        status in (400, 404)
        or b"<!doctype html>" in (gzip.decompress(body) if headers.get("content-encoding") else body).lower()
    )


# --- sweeps -----------------------------------------------------------------------------------------------------------


def assembled(figure: dict[str, Any], pieces: list[Any]) -> dict[str, Any]:
    """Put the pieces of a figure in place of their numbers, as the browser does."""
    layout = {name: pieces[number] for name, number in figure["layout"].items()}
    return figure | {"data": [pieces[number] for number in figure["data"]], "layout": layout}


def addresses(at: AppTest) -> dict[str, str]:
    """The addresses of the sweeps that a page gives to the browser, by the key of the slider."""
    (element,) = (entry for entry in at.get("bidi_component") if entry.key == "drag")
    sweeps: dict[str, str] = json.loads(element.proto.json or element.proto.mixed.json)["sweeps"]
    return sweeps


# By page: its query, and for each slider values, the first of them as in its address.
SLIDERS: dict[str, tuple[dict[str, str], dict[str, list[float]]]] = {
    "architectures": (
        {"net": "MobileNetV3-Large", "width": "0.75", "classes": "10"},
        {"width": [0.5, 1.25], "depth": [0.5, 2.0], "res": [192, 416]},
    ),
    "convolutions": (
        {"type": "Grouped", "cin": "48"},
        {"kernel": [1, 7], "cin": [8, 200], "cout": [64, 504], "map": [8, 100]},
    ),
    "blocks": ({"block": "ShuffleNet V2 unit"}, {"cin": [64, 200], "cout": [64, 200], "map": [8, 57]}),
    "scaling": ({"net": "MobileNetV2"}, {"phi": [-1.0, 2.5]}),
}
CONVENTION = {"count": "FLOPs", "unit": "int8", "memory": "Paper"}


@pytest.mark.parametrize("url_path", SLIDERS)
def test_states_are_what_the_page_shows(url_path: str, server: Server) -> None:
    query, sliders = SLIDERS[url_path]
    at = open_page(url_path, **query, **CONVENTION)
    assert line(at) == ""
    assert {slider.key.removesuffix("_slider") for slider in at.slider} == set(sliders), "every slider has a sweep"
    for key, values in sliders.items():
        span = next(slider for slider in at.slider if slider.key == f"{key}_slider")
        path = f"{addresses(at)[key]}&low={span.min}&high={span.max}&step={span.step}"
        status, _, body = get(server, path, "identity")
        assert status == 200, body
        sweep = json.loads(body)
        for value in values:
            state = sweep["states"][sweep["values"].index(value)]
            there = open_page(url_path, **query | {key: f"{value:g}"}, **CONVENTION)
            shown = {card.label: (card.value, card.help, card.delta) for card in counted_cards(there)}
            moved = {card["label"]: (card["text"], card["help"], card["below"]) for card in state["cards"] if card}
            assert moved.items() <= shown.items()
            assert len(moved) >= 3
            for name, figure in state["charts"].items():
                assert assembled(figure, sweep["pieces"]) == charts(there)[name]


def test_a_value_without_a_network_has_no_state(server: Server) -> None:
    choice = replace(choose("alexnet", None, 1.0, 1.0, 224, 1000))
    path = sweep_address("architectures", "res", settings(choice, Convention(), LIGHT)["res"])
    sweep = json.loads(get(server, f"{path}&low=32&high=96&step=32", "identity")[2])
    assert [state is None for state in sweep["states"]] == [True, False, False]


SPAN = "&low=0.25&high=2&step=0.05"


@pytest.mark.parametrize(
    "path",
    [
        "/effviz-sweep/architectures",
        "/effviz-sweep/nowhere?control=width&settings={}" + SPAN,
        "/effviz-sweep/home?control=w&settings={}" + SPAN,
        "/effviz-sweep/architectures?control=width&settings={}" + SPAN,
        "/effviz-sweep/architectures?control=width&settings=[" + SPAN,
        "/effviz-sweep/architectures?control=__import__('os')&settings={}" + SPAN,
        "/effviz-sweep/architectures?control=width&settings={}&low=nan&high=2&step=1",
        f"/effviz-sweep/architectures?control=width&settings={quote(json.dumps({'x': 'y' * 30_000}))}{SPAN}",
    ],
)
def test_a_wrong_request_gets_a_short_answer(path: str, server: Server) -> None:
    status, _, body = get(server, path.replace("{}", "%7B%7D").replace("[", "%5B"), "identity")
    assert status == 400
    assert len(body) <= 200
    assert "Traceback" not in server.log


def test_a_later_sweep_of_a_visitor_replaces_the_one_before(server: Server) -> None:
    def asked(classes: int) -> int:
        choice = choose("efficientnet_b0", None, 1.0, 1.0, 224, classes)
        return get(
            server, sweep_address("architectures", "width", settings(choice, Convention(), LIGHT)["width"]) + SPAN
        )[0]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(asked, range(900, 916)))
    assert set(found) == {200, 204}
    assert asked(900) == 200


def test_values_of_a_slider() -> None:
    assert slider_values(0.25, 2, 0.05)[:3] == (0.25, 0.3, 0.35)
    assert slider_values(0.25, 2, 0.05)[-1] == 2.0
    assert len(slider_values(0, 10_000, 1)) <= MOST_STATES
    assert set(slider_values(0, 10_000, 1)) <= set(range(10_001)), "of more values, some"
    assert slider_values(3, 3, 1) == (3,)
    for span in ((2, 1, 1), (0, 1, 0), (0, 1, -1), (0, float("inf"), 1), (float("nan"), 1, 1)):
        with pytest.raises(DesignError, match="low, high, step"):
            slider_values(*span)


def test_every_style_sheet_is_in_the_order() -> None:
    assert {*STYLE_SHEETS, PRESENT_STYLE_SHEET} == set(PRESENT_STYLE_SHEET.parent.glob("*.css"))


def test_selectors_with_has_end_in_a_class() -> None:
    """Chromium computes the style of all that the last part can match again at each text that plotly measures.

    With one such rule, a chart took twice as long.
    """
    slow = []
    for sheet in PRESENT_STYLE_SHEET.parent.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for selectors in re.findall(r"[^{};]*:has\([^{};]*(?={)", text):
            # Commas and combinators inside parentheses separate nothing here.
            flat = re.sub(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "()", selectors)
            for selector in flat.split(","):
                *before, last = re.split(r"\s*[>+~]\s*|\s+", selector.strip())
                named = re.search(r"^[a-z]|\.|#|\[(?!class)|:is\(\)", last)
                if any(":has" in part for part in before) and not named:
                    slow.append(f"{sheet.name}: {' '.join(selectors.split())}")
    assert not slow, "\n".join(slow)
