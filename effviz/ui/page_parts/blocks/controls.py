"""Controls of the Building blocks page, generated from the fields that blocks declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

import effviz
from effviz.model.fields import Field
from effviz.studies import blocks as lesson
from effviz.studies.blocks import PRESETS, Place
from effviz.ui import inputs
from effviz.ui.widgets.controls import input_channels_control, map_controls, output_channels_control
from effviz.ui.widgets.frame import instrument, notice

NONE = "none"
COMPANIONS = 3
_MOST = 4096
_LABELS = {"se_ratio": "SE ratio", "cheap_kernel_size": "Cheap kernel size"}


def title_of(name: str) -> str:
    """Name a preset on screen."""
    return "none" if name == NONE else PRESETS[name].title


@dataclass(frozen=True)
class Choice:
    """Values of the controls.

    Attributes:
        name: of the preset.
        place: channels, stride, resolution.
        values: of the block's fields.
    """

    name: str
    place: Place
    values: dict[str, Any]

    @property
    def title(self) -> str:
        """Name of the block."""
        return title_of(self.name)

    @property
    def design(self) -> effviz.Design:
        """The block as a network."""
        return lesson.design(self.name, self.place, self.values)

    @property
    def problem(self) -> str:
        """Why the block cannot be built here; empty if it can."""
        return lesson.problem(self.name, self.place, self.values)


def controls() -> Choice:
    """Show the controls in the sidebar: block, input, and the fields with their legal values."""
    name = inputs.choice(
        "Block", list(PRESETS), "block", default="inverted_residual", format_func=title_of, on_change=_reset
    )
    with instrument():
        wide = input_channels_control(96)
    out = output_channels_control(96)
    stride, side = map_controls(14)
    asked = Place(wide, out, stride, side)
    entries = lesson.fields_of(name)
    held = {entry.name: st.session_state.get(_key(entry.name), entry.default) for entry in entries}
    why = lesson.problem(name, asked, lesson.settle(name, asked, held))
    place, values = lesson.adapt(name, asked, held)
    if why and not lesson.problem(name, place, values):
        notice(f"Built with {place.in_channels} to {place.out_channels} channels. {why}")
    for entry in entries:
        values[entry.name] = _control(name, place, values, entry)
    return Choice(name, place, values)


def _key(field: str) -> str:
    return f"with_{field}"


def _reset() -> None:
    """Return to the defaults of the fields when another block is chosen; channels and map are kept."""
    for entry in lesson.fields_of(st.session_state["block"]):
        if _key(entry.name) in st.session_state:
            st.session_state[_key(entry.name)] = entry.default


def _label(entry: Field) -> str:
    words = _LABELS.get(entry.name, entry.name.replace("_", " ").capitalize())
    return f"{words} ({entry.unit})" if entry.unit in ("x", "channels") else words


def _control(name: str, place: Place, values: dict[str, Any], entry: Field) -> Any:
    """Show the control of a field: a drop-down of its usual values, a toggle, or a number."""
    label, key, help = _label(entry), _key(entry.name), entry.help
    if entry.kind == "bool":
        return inputs.flag(label, key, default=entry.default, help=help)
    if entry.choices:
        possible = lesson.legal(name, place, values, entry) or [values[entry.name]]
        default = values[entry.name] if values[entry.name] in possible else possible[0]
        if st.session_state.get(key) not in (None, *possible):
            st.session_state[key] = default
        return inputs.choice(label, possible, key, default=default, format_func=_word, help=help)
    if entry.kind == "int":
        low, high = int(entry.minimum), min(int(entry.maximum), _MOST)
        return inputs.integer(label, key, default=entry.default, minimum=low, maximum=high, help=help)
    return entry.default


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def companions(choice: Choice) -> list[Choice]:
    """Show the controls of up to three other blocks at the same input and output."""
    found: dict[str, Choice] = {}
    names = [NONE, *(name for name in PRESETS if name != choice.name)]
    with st.container(horizontal=True):
        for number in range(1, COMPANIONS + 1):
            default = "bottleneck" if number == 1 and choice.name != "bottleneck" else NONE
            name = inputs.choice(
                f"Compare with ({number})", names, f"beside{number}", default=default, format_func=title_of
            )
            if name != NONE and name not in found:
                fields = {entry.name: entry.default for entry in lesson.fields_of(name)}
                found[name] = Choice(name, choice.place, lesson.settle(name, choice.place, fields))
    for other in found.values():
        if other.problem:
            st.caption(f"{other.title} cannot be built here. {other.problem}")
    return [other for other in found.values() if not other.problem]
