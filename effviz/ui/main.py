"""Main script of the app: navigation, convention bar, and the chosen page, whose moving part is a fragment."""

from __future__ import annotations

import streamlit as st

from effviz.ui import links
from effviz.ui.navigation import PAGES
from effviz.ui.paths import ROOT, STYLE_SHEET, page_path
from effviz.ui.turns import TURNS
from effviz.ui.widgets import frame


def run() -> None:
    """Draw the frame and the chosen page."""
    TURNS.begin()
    st.set_page_config(page_title="effviz", page_icon=str(ROOT / "assets" / "logo.svg"), layout="wide")
    chosen = st.navigation(
        [
            st.Page(
                page_path(entry),
                title=entry.title if entry.url_path else "Home",
                icon=f":material/{entry.icon}:",
                url_path=entry.url_path,
                default=not entry.url_path,
            )
            for entry in PAGES
        ]
    )
    st.logo(ROOT / "assets" / "wordmark.svg", icon_image=ROOT / "assets" / "logo.svg", size="large")
    links.start(chosen.url_path)
    st.html(STYLE_SHEET)
    frame.convention_bar()
    chosen.run()


run()
