"""Calls of the functions with checks at the border of effviz, as the pages make them."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from types import CodeType, FrameType
from typing import Any

import page_reader
from tour import Call

from effviz.ui.navigation import PAGES


@functools.cache
def seen_calls() -> dict[str, Call]:
    """Open all pages, and return the first call of each function, by its full name; it takes a minute."""
    found: dict[str, Call] = {}
    functions: dict[CodeType, Any] = {}

    def learn() -> None:
        for module in [each for name, each in list(sys.modules.items()) if name.startswith("effviz.")]:
            for value in vars(module).values():
                if hasattr(value, "_is_checked"):
                    functions.setdefault(inspect.unwrap(value).__code__, value)

    def watch(frame: FrameType, event: str, _: object) -> None:
        function = functions.get(frame.f_code) if event == "call" else None
        if function is not None:
            name = f"{function.__module__}.{function.__qualname__}"
            if name not in found:
                found[name] = _call(function, frame.f_locals)

    # The watch makes a page several times slower.
    page_reader.TIMEOUT_S = 600.0
    threading.setprofile(watch)
    try:
        for entry in PAGES:
            at = page_reader.open_page(entry.url_path)
            # The first run of a page imports its modules.
            learn()
            at.run()
    finally:
        threading.setprofile(None)
    return found


def _call(function: Any, given: dict[str, Any]) -> Call:
    args: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in inspect.signature(inspect.unwrap(function)).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += given[name]
        elif parameter.kind is parameter.VAR_KEYWORD:
            named |= given[name]
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = given[name]
        else:
            args.append(given[name])
    return Call(function, tuple(args), named)
