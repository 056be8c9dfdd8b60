"""The search of the glossary, and its entries."""

from __future__ import annotations

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import search_text
from effviz.ui import inputs, links
from effviz.ui.ideas import figure
from effviz.ui.navigation import PAGES, PageInfo, page
from effviz.ui.terms import TERMS, Term
from effviz.ui.widgets.frame import notice


def search() -> str:
    """Show the search; return its text."""
    return inputs.words("Search", "term", placeholder="for example depthwise", width=360)


def show(text: str) -> None:
    """Show the entries whose name, alias or sentence contains a text."""
    found = matches(text)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(f"{len(found)} of {len(TERMS)} terms", width="content")
        if len(found) < len(TERMS):
            st.button("Show all terms", key="all_terms", type="tertiary", on_click=links.assign, args=("term", ""))
    if not found:
        notice("No term matches the search.")
    st.markdown(_listed(found), unsafe_allow_html=True)


@remembered
def matches(text: str) -> tuple[Term, ...]:
    """Return the entries for a search, in alphabetical order; the one with exactly this name alone."""
    wanted = search_text(text.strip())
    exact = [entry for entry in TERMS if search_text(entry.name) == wanted]
    found = exact or [
        entry
        for entry in TERMS
        if wanted in search_text(" ".join((entry.name, *entry.aliases, entry.text, entry.source)))
    ]
    return tuple(sorted(found, key=lambda entry: entry.name.lower()))


@remembered
def _listed(found: tuple[Term, ...]) -> str:
    """Write the entries by page, as one text: a message for each would cost more than the text."""
    by_page = [(each, [entry for entry in found if entry.page == each.url_path]) for each in PAGES]
    subjects = [(each, entries) for each, entries in by_page if entries]
    ways = " ".join(f'<a href="#subject-{each.url_path}">{each.title}</a>' for each, _ in subjects)
    names = " ".join(f'<a href="#{_anchor(entry)}">{entry.title}</a>' for entry in found)
    index = (
        f'<nav class="subjects" aria-label="Subjects">{ways}</nav>\n\n'
        f'<details class="terms"><summary>All {len(found)} terms, A to Z</summary>{names}</details>\n\n'
    )
    return (index if len(subjects) > 1 else "") + "".join(_subject(each, entries) for each, entries in subjects)


def _subject(each: PageInfo, entries: list[Term]) -> str:
    """Write the entries that one page shows, beside the figure of its idea."""
    return (
        f'<div class="subject" id="subject-{each.url_path}"><div class="subject_head">\n\n'
        f"## [{each.title}]({each.url_path})\n\n"
        f'{figure(each.url_path)}\n\n</div><div class="glossary">\n\n{"".join(map(_entry, entries))}</div></div>\n\n'
    )


def _anchor(entry: Term) -> str:
    return f"term-{entry.name.replace(' ', '-')}"


def _entry(entry: Term) -> str:
    title = entry.title
    others = f" :small[also {', '.join(entry.aliases)}]" if entry.aliases else ""
    place = " → ".join(filter(None, [page(entry.page).title, entry.part]))
    lines = [
        f"**{title}**{others}",
        entry.text,
        *([f"${entry.formula}$"] if entry.formula else []),
        f":small[See it: [{place}]({entry.link}){f' · {entry.source}' if entry.source else ''}]",
    ]
    return f'<div id="{_anchor(entry)}">\n\n' + "\n\n".join(lines) + "\n\n</div>\n\n"
