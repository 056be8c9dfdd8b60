"""The cost of a move of a control on every page: messages, bytes, and no slow kind of object."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from moves import MOVES
from page_reader import open_page, run
from server import Server, running_server
from visitor import Run, visiting

from effviz import Design, Stage
from effviz.model.draft import Draft

MESSAGES = 40
BYTES = 50_000

each_page = pytest.mark.parametrize("url_path", MOVES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(env={"EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache"))}) as server:
        yield server


async def prepare(server: Server, url_path: str) -> None:
    """Open a page, and wait for the calculations that it makes once in a process."""
    async with visiting(server.port, url_path, polls=True) as visitor:
        await visitor.open()
        await visitor.until(lambda: "More about this" in visitor.controls and "<progress" not in visitor.text)


async def moved(server: Server, url_path: str, query: str = "") -> list[Run]:
    """Move the main control of a page through fresh values, as one visitor."""
    _, label, values = MOVES[url_path]
    await prepare(server, url_path)
    async with visiting(server.port, url_path, query) as visitor:
        await visitor.open()
        runs = [await visitor.move(label, value) for value in values[1:4]]
        assert visitor.errors == []
        return runs


# Parts that have controls in addition to those of the page.
LIMITS = {
    ("architectures", "Blocks"): 41,
    ("blocks", "Diagram"): 41, ("blocks", "Feature reuse"): 43, ("blocks", "Why linear?"): 45,
    ("studio", "Suggestions"): 52, ("studio", "Structure"): 48, ("studio", "Code"): 42, ("studio", "Downloads"): 42,
    ("studio", "Compose a block"): 49, ("studio", "Other counters"): 43, ("studio", "Microcontroller"): 44,
}  # fmt: skip


def sent(made: Run) -> int:
    """Messages of a run; those about the end of the run before, and of its timer, may arrive within it."""
    late = max(0, made.kinds.count("session_status_changed") - 1) + made.kinds.count("stop_auto_rerun")
    return made.messages - late


async def moved_in_parts(server: Server, url_path: str) -> list[tuple[str, list[Run]]]:
    """Move the main control of a page in each part of the page."""
    _, label, values = MOVES[url_path]
    found = []
    await prepare(server, url_path)
    async with visiting(server.port, url_path) as visitor:
        await visitor.open()
        for option in visitor.controls["More about this"].proto.options:
            await visitor.move("More about this", option.content)
            found.append((option.content, [await visitor.move(label, value) for value in values[4:7]]))
        assert visitor.errors == []
    return found


@each_page
def test_a_move_sends_few_and_small_messages_in_every_part(url_path: str, server: Server) -> None:
    for part, runs in asyncio.run(moved_in_parts(server, url_path)):
        for made in runs:
            assert sent(made) <= LIMITS.get((url_path, part), MESSAGES), (part, Counter(made.kinds))
            assert made.size <= BYTES, (part, Counter(made.kinds))


@each_page
@pytest.mark.parametrize("query", ["", "part=Try+this"], ids=["main", "exercises"])
def test_a_move_sends_few_and_small_messages(url_path: str, query: str, server: Server) -> None:
    for made in asyncio.run(moved(server, url_path, query)):
        assert sent(made) <= MESSAGES, Counter(made.kinds)
        assert made.size <= BYTES, Counter(made.kinds)


def test_a_table_of_300_rows_moves_like_a_short_one(server: Server) -> None:
    """The same number of messages; the bytes are those of the table, whose rows have about 80."""
    rows = [Stage("inverted_residual", 16 + 8 * (place % 5), name=f"stage{place}") for place in range(299)]
    design = Design("deep", (Stage("conv", 16, stride=2, name="stem"), *rows), resolution=64)
    for made in asyncio.run(moved(server, "studio", f"design={Draft.of(design).packed()}")):
        assert sent(made) <= MESSAGES, Counter(made.kinds)
        assert made.size <= BYTES + 8_000, Counter(made.kinds)


async def typed_before_the_slider_followed(server: Server) -> tuple[Any, Any]:
    """Type a resolution, then the classes, in a browser whose slider has not followed the resolution yet."""
    async with visiting(server.port, "architectures") as visitor:
        await visitor.open()
        before = visitor.value("Resolution (px)")
        await visitor.move("Resolution (px) (input)", "192")
        for classes in (10.0, 20.0):
            visitor.forget("Resolution (px)", before)
            await visitor.move("Classes", classes)
        shown = visitor.value("Resolution (px) (input)"), visitor.value("Resolution (px)")
        # After a report of the followed value, a move counts, also one back to the first value.
        await visitor.move("Classes", 30.0)
        await visitor.move("Resolution (px)", 224.0)
        assert visitor.value("Resolution (px) (input)") == "224"
        return shown


def test_a_slider_that_has_not_followed_is_not_moved(server: Server) -> None:
    assert asyncio.run(typed_before_the_slider_followed(server)) == ("192", [192.0])


async def moved_before_the_default_is_drawn(server: Server) -> tuple[Any, Any]:
    """Raise a limit twice, in a browser that has not drawn the best network of the first move; then choose by hand."""
    limit, selected = "Multiply-adds (input)", "Selected network"
    async with visiting(server.port, "find", "max_macs=300M", polls=True) as visitor:
        await visitor.open()
        await visitor.until(lambda: selected in visitor.controls)
        first = visitor.value(selected)
        await visitor.move(limit, "450 M")
        best = visitor.value(selected)
        visitor.forget(selected, first)
        await visitor.move(limit, "500 M")
        assert visitor.value(selected) == best != first
        await asyncio.sleep(1.1)
        await visitor.move(selected, first)
        await visitor.move(limit, "510 M")
        return first, visitor.value(selected)


def test_a_default_that_is_not_drawn_yet_is_no_choice(server: Server) -> None:
    first, chosen = asyncio.run(moved_before_the_default_is_drawn(server))
    assert chosen == first


@each_page
def test_a_move_makes_no_data_frame_and_no_validated_figure(url_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _, values = MOVES[url_path]
    at = open_page(url_path)
    for kind in (pd.DataFrame, go.Figure):
        monkeypatch.setattr(kind, "__init__", _forbidden)
    for value in values[1:4]:
        control = next(each for each in (*at.number_input, *at.selectbox, *at.text_input) if each.key == key)
        control.set_value(value)
        run(at)


def _forbidden(self: object, *_: object, **__: object) -> None:
    pytest.fail(f"a move makes a {type(self).__name__}")
