"""The menus "Download" of charts, diagrams, animations and tables, which the browser adds to a page."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import streamlit as st

import effviz
from effviz.charts.blocks.manifold import SPIRAL_COLORS
from effviz.charts.literature import GREYS
from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import APPEARANCES, DARK, LIGHT
from effviz.ui.convention import Convention
from effviz.ui.widgets.component import component

if TYPE_CHECKING:
    from effviz.ui.widgets.tables import Table

_KEY = "frame"
# The requested table: its alternative text, the format, the name of the file and the time.
_REQUEST = "_takeaway_request"
_WANTED = "_takeaway_wanted"  # the same in the run that answers
_TYPES = {"csv": "text/csv", "md": "text/markdown", "tex": "application/x-tex"}
_CONVENTION = "_takeaway_convention"
_COLORS = {name: {"ink": look.ink, "muted": look.muted, "paper": look.paper} for name, look in APPEARANCES.items()}
# Colors of the theme first, from the paper to the ink, see `lightened` in `picture.js`.
_THEME = ("paper", "grid", "muted", "ink", "accent")
PALETTE = [
    *([getattr(DARK, name), getattr(LIGHT, name)] for name in _THEME),
    *([color, color] for color in (*KIND_COLORS.values(), *SPIRAL_COLORS)),
    *([dark, light] for dark, light in zip(GREYS["dark"], GREYS["light"], strict=True)),
    *([getattr(DARK, each.name), getattr(LIGHT, each.name)] for each in fields(DARK) if each.name == "outline"),
]
"""Each color of the dark theme with that of the light one."""


def frame(data: dict[str, Any], title: str, convention: Convention) -> None:
    """Show the invisible component of the page's frame, which adds the menus; `data` is for `frame.js`."""
    st.session_state[_CONVENTION] = convention.text
    st.session_state[_WANTED] = st.session_state.pop(_REQUEST, None)

    def requested() -> None:
        wanted = st.session_state[_KEY].get("table")
        if isinstance(wanted, dict):
            st.session_state[_REQUEST] = wanted

    data = data | {"convention": convention.text, "title": title, "version": effviz.__version__, "colors": _COLORS}
    component("frame", "<span hidden></span>", "takeaway.js", "picture.js")(
        key=_KEY, data=data | {"palette": PALETTE}, width="content", on_table_change=requested
    )


def answer(table: Table) -> None:
    """Send a table to the browser as a file, if it is the requested one."""
    wanted = st.session_state.get(_WANTED)
    if wanted is None or wanted.get("alt") != table.alt or wanted.get("format") not in _TYPES:
        return
    st.session_state[_WANTED] = None
    kind = str(wanted["format"])
    text = table.text(kind, f"{table.alt}. {st.session_state[_CONVENTION]}")
    file = {"name": wanted.get("name"), "time": wanted.get("time"), "type": _TYPES[kind], "text": text}
    component("file", '<span class="file" hidden></span>', "picture.js")(key="file", data=file, width="content")
