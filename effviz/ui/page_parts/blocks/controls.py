"""Controls of the Building blocks page, generated from the fields that blocks declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

import effviz
from effviz.core.units import lower
from effviz.model.fields import Field
from effviz.studies import blocks as lesson
from effviz.studies.blocks import PRESETS, Place
from effviz.ui import inputs, links, playing
from effviz.ui.widgets.controls import input_channels_control, map_controls, output_channels_control
from effviz.ui.widgets.frame import instrument, notice

NONE, PARTNER = "none", "vgg"
"""No block, and the one that is compared at first: a pair of standard 3x3 convolutions."""
COMPANIONS = 3
_MOST = 4096
_LABELS = {"se_ratio": "SE ratio", "se_bias": "SE bias", "cheap_kernel_size": "Cheap kernel size"}
_UNITS = {"x": "×", "channels": "channels"}
"""Units in labels; the others are evident."""


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
        """Name of the block, with the fields that differ from those of its paper."""
        changed = lesson.changed(self.name, self.values)
        return ", ".join([title_of(self.name), *(f"{_words(entry)} {_word(value)}" for entry, value in changed)])

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
        "Block",
        list(PRESETS),
        "block",
        default="inverted_residual",
        format_func=title_of,
        on_change=_reset,
        args=("block",),
    )
    with instrument():
        wide = input_channels_control(96)
    out = output_channels_control(96)
    stride, side = map_controls(14)
    asked = Place(wide, out, stride, side)
    entries = lesson.fields_of(name)
    held = _held(entries)
    why = lesson.problem(name, asked, lesson.settle(name, asked, held))
    place, values = lesson.adapt(name, asked, held)
    if why and not lesson.problem(name, place, values):
        notice(f"Built with {place.in_channels} to {place.out_channels} channels. {why}")
    _fields(name, place, values)
    return Choice(name, place, values)


def _fields(name: str, place: Place, values: dict[str, Any], number: int = 0) -> None:
    """Show the controls of the fields that have an effect, and write their values to `values`."""
    for entry in lesson.fields_of(name):
        if lesson.matters(entry, values):
            values[entry.name] = _control(name, place, values, entry, number)
        else:
            links.idle(_key(entry.name, number))


def _held(entries: list[Field], number: int = 0) -> dict[str, Any]:
    """Return the values of fields before their controls are made. A lesson's step resets those that it does not set."""
    held = {}
    for entry in entries:
        key = _key(entry.name, number)
        held[entry.name] = entry.default if playing.resets(key) else st.session_state.get(key, entry.default)
    return held


def _key(field: str, number: int = 0) -> str:
    """Return the key of a field's control, of the block on screen or of the compared one with this number."""
    return f"with{number or ''}_{field}"


def _reset(key: str, number: int = 0) -> None:
    """Return to the defaults of the fields when another block is chosen; channels and map are kept."""
    name = st.session_state[key]
    if name != NONE:
        links.reset({_key(entry.name, number): entry.default for entry in lesson.fields_of(name)})


def _words(entry: Field) -> str:
    return lower(_LABELS.get(entry.name, entry.name.replace("_", " ")))


def _label(entry: Field) -> str:
    words = _LABELS.get(entry.name, entry.name.replace("_", " ").capitalize())
    return f"{words} ({_UNITS[entry.unit]})" if entry.unit in _UNITS else words


def _control(name: str, place: Place, values: dict[str, Any], entry: Field, number: int = 0) -> Any:
    """Show the control of a field: a drop-down of its usual values, a toggle, or a number."""
    label, key, help = _label(entry), _key(entry.name, number), entry.help
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
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def companions(choice: Choice) -> list[Choice]:
    """Show the controls of up to three blocks at the same input and output, each with its own fields.

    The block on screen is one of the choices: with another setting it is compared with itself.
    """
    found: list[Choice] = []
    name = NONE
    with st.container(horizontal=True, key="companions", vertical_alignment="bottom"):
        for number in range(1, COMPANIONS + 1):
            key = f"beside{number}"
            if number > 2 and name == NONE and st.session_state.get(key, st.query_params.get(key, NONE)) == NONE:
                # The third place appears when the second one is taken.
                links.idle(key)
                continue
            name = inputs.choice(
                "Compare with" if number == 1 else "and with", [NONE, *PRESETS], key,
                default=PARTNER if number == 1 else NONE,
                format_func=title_of, on_change=_reset, args=(key, number),
            )  # fmt: skip
            if name != NONE:
                found.append(_companion(name, choice.place, number))
    for other in found:
        if other.problem:
            st.caption(f"{other.title} cannot be built here. {other.problem}")
    return list({each.title: each for each in found if not each.problem and each.title != choice.title}.values())


def _companion(name: str, place: Place, number: int) -> Choice:
    """Show the fields of a compared block in a popover."""
    entries = lesson.fields_of(name)
    held = _held(entries, number)
    values = lesson.settle(name, place, held)
    keys = [_key(entry.name, number) for entry in entries]
    box = st.popover(
        "", icon=":material/tune:", help=f"Settings of {title_of(name)}", key=f"fields{number}", on_change="rerun"
    )
    # A closed popover sends no controls; those of a link are needed for their values.
    if not box.open and not links.is_linked(keys):
        links.idle(*keys)
        return Choice(name, place, values)
    with box:
        _fields(name, place, values, number)
    return Choice(name, place, values)
