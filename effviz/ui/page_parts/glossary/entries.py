"""The search of the glossary, and its entries."""

from __future__ import annotations

import streamlit as st

from effviz.core.caches import remembered
from effviz.ui import inputs
from effviz.ui.navigation import page
from effviz.ui.terms import TERMS, Term
from effviz.ui.widgets.frame import notice


def search() -> str:
    """Show the search; return its text."""
    return inputs.words("Search", "term", placeholder="for example depthwise", width=360)


def show(text: str) -> None:
    """Show the entries whose name, alias or sentence contains a text."""
    found = matches(text)
    st.caption(f"{len(found)} of {len(TERMS)} terms")
    if not found:
        notice("No term matches the search.")
    st.markdown(_listed(found), unsafe_allow_html=True)


@remembered
def matches(text: str) -> tuple[Term, ...]:
    """Return the entries for a search, in alphabetical order; the one with exactly this name alone."""
    wanted = text.strip().lower()
    exact = [entry for entry in TERMS if entry.name.lower() == wanted]
    found = exact or [
        entry for entry in TERMS if wanted in " ".join((entry.name, *entry.aliases, entry.text, entry.source)).lower()
    ]
    return tuple(sorted(found, key=lambda entry: entry.name.lower()))


@remembered
def _listed(found: tuple[Term, ...]) -> str:
    """Write the entries as one text: a message for each would cost more than the text."""
    return f'<div class="glossary">\n\n{"".join(map(_entry, found))}</div>'


def _entry(entry: Term) -> str:
    title = entry.name[:1].upper() + entry.name[1:]
    others = f" :small[also {', '.join(entry.aliases)}]" if entry.aliases else ""
    place = page(entry.page).title + (f", {entry.part}" if entry.part else "")
    lines = [
        f"**{title}**{others}",
        entry.text,
        *([f"${entry.formula}$"] if entry.formula else []),
        f":small[Shown on [{place}]({entry.link}).{f' Source: {entry.source}.' if entry.source else ''}]",
    ]
    return "<div>\n\n" + "\n\n".join(lines) + "\n\n</div>\n\n"
