"""The number checker: which network has these figures?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import compact_size
from effviz.core.text import html_text
from effviz.studies.number_checker import EXAMPLES, Match, identify
from effviz.ui import inputs, links
from effviz.ui.page_parts.literature.claims import network_link
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.frame import notice

KEY = "figures"
_SHOWN = 8


def checker() -> None:
    """Show the input, examples, and the networks that have the figures."""
    with st.container(key="checker", gap="small"):
        text = inputs.words("Figures", KEY, placeholder=EXAMPLES[0])
        with st.container(horizontal=True, gap="small"):
            for number, example in enumerate(EXAMPLES):
                st.button(example, key=f"example_{number}", on_click=_filling(example))
    if not text.strip():
        st.caption("Type parameters, multiply-adds or FLOPs, the size of the weights, and a resolution, in any order.")
        return
    try:
        matches = calculated("Number checker", identify, text)
    except DesignError as error:
        notice(f"{error}.", alert=True)
        return
    if matches is not None:
        st.html(_answer(matches))


def _filling(example: str) -> Callable[[], None]:
    return lambda: links.assign(KEY, example)


@remembered
def _answer(matches: tuple[Match, ...]) -> str:
    """Write the networks, best first."""
    if not matches:
        return '<p class="finding">No network of the zoo is within 10 % of these figures.</p>'
    first = [each for each in matches if each.rank == 1]
    if matches[0].missed:
        lead = "No network has all of these figures. The closest:"
    elif len(first) > 1:
        lead = f"These figures fit {len(first)} networks equally well."
    else:
        lead = f"{matches[0].title} at {compact_size(matches[0].resolution)} px."
    rows = "".join(map(_row, matches[:_SHOWN]))
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Rank", "Network", "px", "Rule"))
    table = f'<table class="judged matches"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<p class="answer"><strong>{html_text(lead)}</strong></p><div class="judged_tables">{table}</div>'


def _row(each: Match) -> str:
    where = each.place
    address = network_link(where.name, where.width, where.depth, where.groups, compact_size(each.resolution))
    rules = "".join(f"<span>{html_text(one.sentence)}</span>" for one in each.explained)
    return (
        f'<tr><td data-label="Rank">{each.rank}</td><th scope="row"><a href="{html_text(address)}">'
        f'{html_text(each.title)}</a></th><td data-label="px">{compact_size(each.resolution)}</td><td>{rules}</td></tr>'
    )
