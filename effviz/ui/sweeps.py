"""Sweeps: the states of a page for every value of one slider, computed once and shown while it is dragged.

A page gives the browser an address with its settings (`effviz.ui.widgets.drag`). The browser requests it when the
slider is touched. The answer depends on the address alone, so every server can give it, and it is cached.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from math import inf
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.config import get_option

from effviz.charts.style import Appearance, Chart, json_of
from effviz.core import settings as server_settings
from effviz.core.caches import NotKnownError, known, plant, remembered
from effviz.core.errors import DesignError
from effviz.ui.convention import Convention
from effviz.ui.navigation import PAGES
from effviz.ui.visitors import client_address
from effviz.ui.widgets.cards import Card
from effviz.worker.calculations import pool, value_of
from effviz.worker.manager import Ticket

PATH = "/effviz-sweep/{page}"
MOST_STATES = 256
_LONGEST = 20_000
_LONGEST_NAME = 32


class State(NamedTuple):
    """The page at one value of the slider: the counted headline numbers, and charts by their key.

    None in place of a card is one that is not counted: it stays and is dimmed.
    """

    cards: Sequence[Card | None]
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


# Sweeps that wait or are computed, by address and visitor. A visitor has one: a later one replaces it. Addresses take
# turns, because a visitor can choose any name. A browser whose sweep is refused shows the answer of the server to the
# move.
_latest: dict[tuple[str, str], Ticket] = {}
_CHECK_S, _CHECK_CLIENT = 0.02, 25


def sweep_address(page: str, control: str, settings: Mapping[str, Any], visitor: str = "") -> str:
    """Return the address of a sweep on this server.

    Args:
        page: `PageInfo.url_path`.
        control: key of the slider.
        settings: of the page, JSON-able; the arguments of the function `sweep` in `page_parts/<page>/sweep.py`.
        visitor: whose turn it takes; the answer does not depend on it.
    """
    base = str(get_option("server.baseUrlPath")).strip("/")
    path = PATH.format(page=page)
    text = json.dumps(settings, separators=(",", ":"))
    query = urlencode({"control": control, "settings": text} | ({"visitor": visitor} if visitor else {}))
    return f"/{base}{path}?{query}" if base else f"{path}?{query}"


@remembered
def computed(page: str, control: str, settings: str, values: tuple[float, ...]) -> bytes:
    """Return the states of a page for every value of a slider, as JSON."""
    try:
        sweep: Callable[..., Callable[[float], State]] = import_module(f"effviz.ui.page_parts.{page}.sweep").sweep
        state = sweep(control, **json.loads(settings))
    except (ModuleNotFoundError, TypeError, ValueError, KeyError) as error:
        raise DesignError(f"the page has no such sweep: {error}") from None
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
    return {"cards": [card and asdict(card) for card in found.cards], "charts": charts}


async def _answer(request: Request, control: str, settings: str) -> bytes | None:
    """Return the remembered answer to a request, or compute it in another process.

    A later request of the same visitor cancels it; then the answer is None.

    Raises:
        DesignError: the settings are illegal.
        RuntimeError: it was not computed: refused, or failed.
    """
    page, query = request.path_params["page"], request.query_params
    wanted = page, control, settings, slider_values(*(float(query[name]) for name in ("low", "high", "step")))
    with suppress(NotKnownError):
        return known(computed, *wanted)
    address = client_address(request.scope)
    owner = address, query.get("visitor", "")[:_LONGEST_NAME]
    if (before := _latest.get(owner)) is not None:
        before.cancel()
    if sum(each == address for each, _ in _latest) >= server_settings.ADDRESS_JOBS.value:
        raise RuntimeError("too many sweeps of your network address are waiting")
    ticket = _latest[owner] = pool().submit(f"sweeps of {address}", computed, *wanted, address="")
    try:
        checks = 0
        while not ticket.ended:
            await asyncio.sleep(_CHECK_S)
            checks += 1
            if checks % _CHECK_CLIENT == 0 and await request.is_disconnected():
                ticket.cancel()
    finally:
        if _latest.get(owner) is ticket:
            del _latest[owner]
    if ticket.state == "cancelled":
        return None
    if ticket.state != "done":
        raise RuntimeError(ticket.error or ticket.message)
    found: bytes | Exception = value_of(ticket)
    if isinstance(found, Exception):
        raise found
    plant(found, computed, *wanted)
    return found


async def _respond(request: Request) -> Response:
    page, query = request.path_params["page"], request.query_params
    control, settings = query.get("control", ""), query.get("settings", "")
    pages = {entry.file.removesuffix(".py") for entry in PAGES}
    if page not in pages or not control.isidentifier() or len(settings) > _LONGEST:
        return Response("unknown page or control, or settings too long", 400)
    try:
        body = await _answer(request, control, settings)
    except RuntimeError as error:
        return Response(f"no sweep: {error}"[:200], 503, media_type="text/plain", headers={"Retry-After": "1"})
    except (DesignError, ValueError, KeyError) as error:
        return Response(f"no sweep: {error}"[:200], 400, media_type="text/plain")
    if body is None:
        # No error: a browser would report it on its console.
        return Response(status_code=204)
    return Response(body, media_type="application/json", headers={"Cache-Control": "private, max-age=600"})


route = Route(PATH, _respond)
