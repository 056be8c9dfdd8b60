"""Main script of the app: navigation and the chosen page, whose moving part is a fragment."""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from effviz.ui import links
from effviz.ui.navigation import PAGES, PageInfo
from effviz.ui.paths import ROOT, STYLE_SHEETS, page_path
from effviz.ui.turns import TURNS
from effviz.ui.widgets import calculation, frame


def run() -> None:
    """Draw the frame and the chosen page."""
    # Before the navigation, which would set the icon of the page, from another host.
    st.set_page_config(page_icon=str(ROOT / "assets" / "logo.svg"), layout="wide")
    pages: dict[str, list[StreamlitPage]] = {}
    for entry in PAGES:
        pages.setdefault(entry.section, []).append(_page(entry))
    chosen = st.navigation(pages, position="top")
    st.set_page_config(page_title=f"{chosen.title} · effviz" if chosen.url_path else "effviz")
    st.logo(ROOT / "assets" / "wordmark.svg", icon_image=ROOT / "assets" / "logo.svg", size="large")
    if links.start(chosen.url_path):
        calculation.leave()
    st.html(_style())
    frame.top(chosen.url_path)
    chosen.run()


@cache
def _style() -> str:
    return f"<style>{''.join(sheet.read_text(encoding='utf-8') for sheet in STYLE_SHEETS)}</style>"


def _page(entry: PageInfo) -> StreamlitPage:
    return st.Page(
        page_path(entry),
        title=entry.title if entry.url_path else "Home",
        icon=f":material/{entry.icon}:",
        url_path=entry.url_path,
        default=not entry.url_path,
    )


with TURNS.run():
    run()
