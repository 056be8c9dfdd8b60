"""Terms in texts: the first use of each opens its sentence and a link to the glossary.

The popovers are those of the browser, without a script: a key, a tap or a click opens one, Escape or a click elsewhere
closes it.
"""

from __future__ import annotations

import re

import streamlit as st

from effviz.core.text import html_text
from effviz.ui.terms import Term, linked, term

_MARK = re.compile(r"\[\[([^]|]+)(?:\|([^]]+))?\]\]")


def explained(text: str, place: str = "idea") -> str:
    """Return Markdown with HTML in which ``[[term]]`` or ``[[term|other words]]`` is a button with a popover.

    Args:
        text: of this program, never of a visitor.
        place: part of the page, unique on it.

    Raises:
        KeyError: the glossary does not have the term.
    """
    seen: set[str] = set()

    def button(found: re.Match[str]) -> str:
        entry, shown = term(found[1]), found[2] or found[1]
        if entry.name in seen:
            return shown
        seen.add(entry.name)
        return _popover(entry, shown, f"term-{place}-{slug(entry)}")

    return _MARK.sub(button, text)


def unmarked(text: str) -> str:
    """Return a text without the marks of terms."""
    return _MARK.sub(lambda found: found[2] or found[1], text)


def show_explained(text: str, place: str) -> None:
    """Show a text with terms, with the arguments of `explained`."""
    st.markdown(explained(text, place), unsafe_allow_html=True)


def caption_explained(text: str, place: str) -> None:
    """Show a caption with terms, with the arguments of `explained`."""
    st.caption(explained(text, place), unsafe_allow_html=True)


def slug(entry: Term) -> str:
    """Return the name of a term for an id: ``depthwise-convolution``."""
    return re.sub(r"\W+", "-", entry.name.lower()).strip("-")


def _popover(entry: Term, shown: str, key: str) -> str:
    link = linked("glossary", {"term": entry.name})
    title = html_text(entry.title)
    return (
        f'<button type="button" class="term" popovertarget="{key}">{shown}</button>'
        f'<span popover="auto" id="{key}" class="explanation" role="note" aria-label="{title}">'
        f'<strong>{title}</strong> <span>{entry.text}</span> <a href="{html_text(link)}">Glossary</a></span>'
    )
