"""Sweeps: the states of a page for every value of one slider, computed once and shown while it is dragged.

A page gives the browser an address with its settings (`effviz.ui.widgets.drag`). The browser requests it when the
slider is touched. The answer depends on the address alone, so every server can give it, and it is cached.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from math import inf
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.config import get_option

from effviz.charts.style import Appearance, Chart, json_of
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.ui.convention import Convention
from effviz.ui.navigation import PAGES
from effviz.ui.widgets.cards import Card

PATH = "/effviz-sweep/{page}"
MOST_STATES = 256
_LONGEST = 20_000


class State(NamedTuple):
    """The page at one value of the slider: the counted headline numbers, and charts by their key."""

    cards: Sequence[Card]
    charts: Mapping[str, Chart]


def shared_settings(convention: Convention, look: Appearance) -> dict[str, Any]:
    """Return the settings that all pages have."""
    return {"convention": [convention.count, convention.unit, convention.memory], "look": look.name}


def without_own(controls: Mapping[str, str], numbers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return, for each slider, the numbers of a page without its own, on which its states do not depend.

    Args:
        controls: names of the numbers by key of the slider.
        numbers: of the page, by name.
    """
    return {key: {name: number for name, number in numbers.items() if name != own} for key, own in controls.items()}


# One sweep at a time: it takes up to a second, during which other visitors move their sliders. A browser whose sweep is
# refused shows the answer of the server to the move.
_turn = asyncio.Lock()
_MOST_WAITING = 6
_waiting: set[Request] = set()


def sweep_address(page: str, control: str, settings: Mapping[str, Any]) -> str:
    """Return the address of a sweep on this server.

    Args:
        page: `PageInfo.url_path`.
        control: key of the slider.
        settings: of the page, JSON-able; the arguments of the function `sweep` in `page_parts/<page>/sweep.py`.
    """
    base = str(get_option("server.baseUrlPath")).strip("/")
    path = PATH.format(page=page)
    query = urlencode({"control": control, "settings": json.dumps(settings, separators=(",", ":"))})
    return f"/{base}{path}?{query}" if base else f"{path}?{query}"


@remembered
def _answer(page: str, control: str, settings: str, values: tuple[float, ...]) -> bytes:
    sweep: Callable[..., Callable[[float], State]] = import_module(f"effviz.ui.page_parts.{page}.sweep").sweep
    state = sweep(control, **json.loads(settings))
    pool: dict[bytes, int] = {}
    states = [_state(state, value, pool) for value in values]
    pieces = [orjson.Fragment(piece) for piece in pool]
    return orjson.dumps({"values": values, "states": states, "pieces": pieces})


def slider_values(low: float, high: float, step: float) -> tuple[float, ...]:
    """Return the values of a slider, or every 2nd, 4th, 8th ... of them if there are more than `MOST_STATES`.

    Raises:
        DesignError: there are none.
    """
    if not (0 < step < inf and -inf < low <= high < inf):
        raise DesignError(f"low, high, step = {low:g}, {high:g}, {step:g} must be an ascending range")
    while (high - low) / step >= MOST_STATES:
        step *= 2
    return tuple(round(low + step * place, 6) for place in range(int((high - low) / step + 1e-6) + 1))


def _state(state: Callable[[float], State], value: float, pool: dict[bytes, int]) -> dict[str, Any] | None:
    """Return a state for the browser, None where there is no network.

    Traces and parts of a layout are numbers of pieces in the pool: most are equal in many states.
    """
    try:
        found = state(value)
    except DesignError:
        return None

    def pooled(piece: object) -> int:
        return pool.setdefault(json_of(piece), len(pool))

    charts = {
        key: {
            "title": chart.title,
            "alt": chart.alt,
            "data": [pooled(trace) for trace in chart.spec["data"]],
            "layout": {name: pooled(part) for name, part in chart.spec["layout"].items()},
        }
        for key, chart in found.charts.items()
    }
    return {"cards": [asdict(card) for card in found.cards], "charts": charts}


def _compute(page: str, control: str, settings: str, *span: float) -> bytes:
    return _answer(page, control, settings, slider_values(*span))


async def _respond(request: Request) -> Response:
    page, query = request.path_params["page"], request.query_params
    control, settings = query.get("control", ""), query.get("settings", "")
    known = {entry.file.removesuffix(".py") for entry in PAGES}
    if page not in known or not control.isidentifier() or len(settings) > _LONGEST:
        return Response("unknown page or control, or settings too long", 400)
    if len(_waiting) >= _MOST_WAITING:
        return Response("too many sweeps at once", 503, headers={"Retry-After": "1"})
    _waiting.add(request)
    try:
        span = [float(query[name]) for name in ("low", "high", "step")]
        async with _turn:
            body = await run_in_threadpool(_compute, page, control, settings, *span)
    except (DesignError, ModuleNotFoundError, TypeError, ValueError, KeyError) as error:
        return Response(f"no sweep: {error}"[:200], 400, media_type="text/plain")
    finally:
        _waiting.discard(request)
    return Response(body, media_type="application/json", headers={"Cache-Control": "private, max-age=600"})


route = Route(PATH, _respond)
