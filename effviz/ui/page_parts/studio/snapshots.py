"""Snapshots of the Studio page: designs that are kept in the session, and compared on the Compare page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import streamlit as st

from effviz.count.report import Report
from effviz.model.draft import Draft
from effviz.studies.network_text import MOST, Network, network_of, parse_network
from effviz.ui import runs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, edit
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.comparison import open_list
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_KEPT = "_studio_snapshots"
_MOST = MOST - 1


def snapshots(here: Bench, convention: Convention) -> None:
    """Show the kept designs with their costs, and the buttons that keep, open, compare and delete them."""
    kept = _kept()
    whole = here.is_whole and here.design is not None
    # A move without snapshots sends no message for an empty row.
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom") if kept else nullcontext()
    with row:
        full = len(kept) >= _MOST
        st.button("Keep a snapshot", key="keep", on_click=_keep, args=(here.draft,), disabled=not whole or full)
        if kept:
            _action("Open", list(kept), _open)
            _action("Delete", list(kept), _delete)
            st.fragment(_compare, key="studio_compare")()
    if not kept:
        st.markdown("No snapshots. They last as long as this browser session." if whole else _reason(here))
        return
    rows = [(name, cached_report(network.design, convention.memory)) for name, network in kept.items()]
    columns = [Column("Snapshot", lambda row: row[0], width=220), *count_columns(convention, row=_report)]
    show_table(Table(rows, columns, f"{len(rows)} snapshots with their costs"))


def _reason(here: Bench) -> str:
    return "Fix the highlighted row first." if here.draft.rows else "Add a row first."


def _report(row: tuple[str, Report]) -> Report:
    return row[1]


def _kept() -> dict[str, Network]:
    """Return the networks of the snapshots by name. The session has their texts, which survive a hot reload."""
    return {name: parse_network(text) for name, text in st.session_state.get(_KEPT, {}).items()}


def _keep(draft: Draft) -> None:
    if runs.is_poll() or draft.design is None:
        return
    known = st.session_state.get(_KEPT, {})
    title = draft.frame.title or draft.frame.name
    names = [title, *(f"{title} ({number})" for number in range(2, _MOST + 2))]
    name = next(each for each in names if each not in known)
    design = draft.design if name == title else draft.settings(title=name).design
    assert design is not None
    st.session_state[_KEPT] = {**known, name: network_of(design).text}


def _action(label: str, names: list[str], act: Callable[[str], None]) -> None:
    key = f"snapshot_{label.lower()}"

    def chosen() -> None:
        name = st.session_state[key]
        st.session_state[key] = None
        if name in st.session_state.get(_KEPT, {}) and not runs.is_poll():
            act(name)

    st.selectbox(label, names, index=None, key=key, placeholder=label, on_change=chosen,
                 label_visibility="collapsed", width=160)  # fmt: skip


def _open(name: str) -> None:
    design = _kept()[name].design
    edit(lambda _: Draft.of(design), 0)


def _delete(name: str) -> None:
    st.session_state[_KEPT] = {key: text for key, text in st.session_state[_KEPT].items() if key != name}


def _compare() -> None:
    """Show the button that opens all snapshots on the Compare page; see `compare_button` for why it is a fragment."""
    if st.button("Compare all", key="compare_snapshots", icon=":material/compare_arrows:"):
        networks = {each.design: each for each in _kept().values()}
        listed = tuple(networks.values())
        open_list(listed, listed[-1])
