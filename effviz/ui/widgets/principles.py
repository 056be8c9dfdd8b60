"""The design principles, each with a link to the page that shows it."""

from __future__ import annotations

import streamlit as st

from effviz.core.caches import remembered
from effviz.studies.principles import PRINCIPLES
from effviz.ui.navigation import page
from effviz.ui.paths import page_path


def principles() -> None:
    """Show the principles in one row of a wide screen, below one another on a phone."""
    with st.container(key="principles"):
        for number, (principle, evidence) in enumerate(zip(PRINCIPLES, _evidence(), strict=True), 1):
            with st.container(key=f"principle_{number}", gap="small"):
                st.markdown(f"**{number}. {principle.title}**  \n{principle.reason}  \n:small[{evidence}]")
                entry = page(principle.page)
                st.page_link(page_path(entry), label=entry.title, query_params=dict(principle.query),
                             icon=":material/arrow_forward:")  # fmt: skip


@remembered
def _evidence() -> list[str]:
    return [principle.evidence() for principle in PRINCIPLES]
