"""Sidebar of the Studio page: the network to start from, its settings, and imports."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import effviz
from effviz.core.errors import MAX_CHANNELS, MAX_MULTIPLIER, DesignError
from effviz.core.resolution import Resolution, compact_size, parse_resolution
from effviz.model.draft import Draft
from effviz.ui import playing
from effviz.ui.page_parts.studio.draft import EMPTY, IMPORTED, edit, follow, started
from effviz.ui.widgets import frame
from effviz.ui.widgets.controls import SIZE_HELP
from effviz.ui.widgets.frame import notice
from effviz.zoo import ARCHITECTURES

_MOST_BYTES = 2**20
_TURN = "_studio_import_turn"
_FAILED = "Not imported: "


def start_from() -> None:
    """Show the choice of the network to start from."""
    names = [EMPTY, *ARCHITECTURES]
    _, is_hidden = playing.held("start")
    if not is_hidden:
        st.selectbox(
            "Start from", names, index=None, key="start", placeholder="a network, or an empty table",
            format_func=lambda name: name if name == EMPTY else effviz.architecture(name).title, on_change=_start,
        )  # fmt: skip


def settings_place() -> DeltaGenerator:
    """Return the place of the settings of the whole network."""
    return st.container(key="studio_settings")


def _start() -> None:
    name = st.session_state["start"]
    if name is not None:
        edit(lambda _: started(name), 0)
    st.session_state["start"] = None


def settings(draft: Draft) -> None:
    """Show the settings of the whole network."""
    base = draft.frame
    _name(base.title or base.name)
    _multiplier("Width multiplier", "width_mult", base.width_mult)
    _multiplier("Depth multiplier", "depth_mult", base.depth_mult)
    _resolution(base.resolution)
    _number("Input channels", "in_channels", base.in_channels, 1, MAX_CHANNELS, 1)


def _name(value: str) -> None:
    key = "set_title"
    follow(key, value)

    def changed() -> None:
        typed = st.session_state[key].strip()
        # A cleared name returns, like a cleared number.
        if typed:
            edit(lambda draft: draft.settings(title=typed))

    st.text_input("Name of the design", value, key=key, on_change=changed, max_chars=80)


def _multiplier(label: str, name: str, value: float) -> None:
    # Links and files may have smaller values than the usual minimum.
    _number(label, name, value, min(0.01, value), MAX_MULTIPLIER, 0.05)


def _number(label: str, name: str, value: float, low: float, high: float, step: float) -> None:
    key = f"set_{name}"
    value = type(low)(value)
    follow(key, value)

    def changed() -> None:
        typed = st.session_state[key]
        edit(lambda draft: draft.settings(**{name: typed}))

    with playing.beside(key):
        st.number_input(label, low, high, value, step, key=key, on_change=changed)


def _resolution(value: Resolution) -> None:
    key, text = "set_resolution", compact_size(value)
    follow(key, text)

    def changed() -> None:
        typed = st.session_state[key]
        # A cleared input returns, like a cleared number.
        if typed:
            edit(lambda draft: draft.settings(resolution=parse_resolution(typed)))

    with playing.beside(key):
        st.text_input("Resolution (px)", text, key=key, on_change=changed, max_chars=40, help=SIZE_HELP)


def imports() -> DeltaGenerator:
    """Show the import of a design from a file or from text, and return the place of its outcome."""
    with frame.sidebar(), st.expander("Import a design", key="import"):
        # A new key empties the uploader, which then accepts the same file again.
        key = f"import_file_{st.session_state.get(_TURN, 0)}"
        st.file_uploader(
            "JSON file", type="json", key=key, on_change=_from_file, args=(key,), max_upload_size=1,
            help="A download of this page, or the output of Design.to_json.",
        )  # fmt: skip
        st.text_area("JSON text", key="import_text", max_chars=_MOST_BYTES, height=100)
        st.button("Import text", key="import_now", on_click=_from_text)
        return st.container()


def outcome(place: DeltaGenerator) -> None:
    """Show the outcome of the last import until the next edit; a failure above the network too."""
    text = st.session_state.get(IMPORTED)
    if not text:
        return
    failed = text.startswith(_FAILED)
    with place:
        notice(text, "ignored over" if failed else "status", alert=not failed)
    if failed:
        notice(text, "ignored over", alert=True)


def _import(text: str | bytes) -> None:
    try:
        draft = Draft.from_json(text)
    except DesignError as error:
        st.session_state[IMPORTED] = f"{_FAILED}{error}."
        return
    edit(lambda _: draft, 0)
    st.session_state[IMPORTED] = f"Imported: {draft.frame.title or draft.frame.name}, {len(draft.rows)} rows."


def _from_file(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _import(file.getvalue())
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _from_text() -> None:
    text = st.session_state["import_text"]
    if text.strip():
        _import(text)
