"""Parts of a page below its chart, of which one is shown: the others cost nothing when a control moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from effviz.ui import inputs, links
from effviz.ui.widgets.frame import section

KEY = "part"
# Parts of earlier versions that are now the main figure of their page: a link to one opens the page.
_FORMER = frozenset({"In motion"})


class Part(NamedTuple):
    """A part of a page.

    Attributes:
        title: on its tab, and its heading.
        draw: shows it, without a heading.
        controls: keys of its settings. A link that contains one opens the part.
    """

    title: str
    draw: Callable[[], None]
    controls: tuple[str, ...] = ()


def is_open(title: str) -> bool:
    """Return whether a part is the chosen one, before `parts` shows it."""
    return bool(title == st.session_state.get(KEY, st.query_params.get(KEY)))


def parts(*entries: Part) -> None:
    """Show the tabs and the chosen part; at first the first one.

    Example:
        >>> parts(
        ...     Part("How this is computed", lambda: formulas(report, convention), ("layer",)),
        ...     Part("Try this", lambda: questions(report)),
        ... )
    """
    titles = [entry.title for entry in entries]
    linked = [entry.title for entry in entries if links.is_linked(entry.controls)]
    if linked:
        links.preset(KEY, linked[0])
    if st.session_state.get(KEY) not in (None, *titles):
        # Another setting of the page removed the chosen part.
        st.session_state[KEY] = titles[0]
    links.rewrite(KEY, lambda text: titles[0] if text in _FORMER and text not in titles else text)
    chosen = inputs.switch("More about this", titles, KEY, default=titles[0], label_visibility="collapsed")
    for entry in entries:
        if entry.title == chosen:
            with section(entry.title):
                entry.draw()
        else:
            links.idle(*entry.controls)
