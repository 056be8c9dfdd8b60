"""The input of a resolution: a square or height x width, with its slider and its parameter in the link."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution, compact_size, parse_resolution, sides, with_height
from effviz.ui import inputs, links, playing, runs


@playing.placed
def size(
    label: str, key: str, *, default: Resolution, minimum: int, maximum: int, step: int, usual: tuple[int, int],
    help: str | None = None,
) -> Resolution:  # fmt: skip
    """Show a slider over the usual sides of a square, and a text input, which also accepts height x width.

    For a rectangle, the slider shows the height and keeps the aspect ratio that was typed, see `aspect`.
    """
    state, own, choices = st.session_state, compact_size(default), f"{minimum} to {maximum}, or height × width"
    locked, hidden = playing.direct(key, str, own)

    def legal(text: str) -> bool:
        try:
            return all(minimum <= side <= maximum for side in sides(parse_resolution(text)))
        except DesignError:
            return False

    links.rewrite(key, lambda text: compact_size(parse_resolution(text)) if legal(text) else text)
    links.expect(key, legal, choices)
    if key in state and not legal(state[key]):
        # Cleared, or legal for another network only.
        state[key] = own
    latest, refused = str(state.get(key, st.query_params.get(key, own))), f"{key}_refused"

    def typed() -> None:
        if runs.is_poll():
            return
        text = state[key] or own
        state[refused] = "" if legal(text) else text
        state[key] = compact_size(parse_resolution(text)) if legal(text) else latest

    place = st.container(key=f"amount_{key}", horizontal=True, vertical_alignment="bottom", gap="small")
    with place:
        # A rectangle needs more room.
        width = 100 if "x" in latest else 76
        with st.container(key=f"hidden_{key}") if hidden else nullcontext():
            text = st.text_input(
                label, own, on_change=typed, label_visibility="collapsed", width=width, disabled=locked,
                **links.bound(key),
            )  # fmt: skip
    # The browser's back button may restore an illegal text.
    value = parse_resolution(links.taken(key, text if legal(text) else own, own, str))
    if problem := state.pop(refused, ""):
        st.caption(f"{links.shortened(problem)} is not legal here: {choices}.")
    if isinstance(value, int):
        if (note := links.notes().get(key)) is not None:
            note.aspect = ""
        with place:
            inputs.slider_beside(label, key, value, usual, step, help, str)
        return value
    kept = sides(_kept_aspect(key, value))
    low, top = _heights(kept, (minimum, maximum), usual, step)
    if low < top:
        label = label.replace("Resolution", "Height")
        with place:
            inputs.slider_beside(
                label, key, value[0], (low, top), step, help, lambda height: compact_size(with_height(kept, height))
            )
    return value


def _heights(aspect: tuple[int, int], legal: tuple[int, int], usual: tuple[int, int], step: int) -> tuple[int, int]:
    """Return the ends of the slider, in whole steps, between which both sides of a rectangle are legal."""
    high, wide = aspect
    low = max(usual[0], -(-legal[0] * high // wide))
    return -(-low // step) * step, min(usual[1], legal[1] * high // wide)


def aspect(key: str) -> Resolution | None:
    """Return the resolution whose aspect ratio the slider of a `size` keeps; None for a square."""
    note = links.notes().get(key)
    return parse_resolution(note.aspect) if note is not None and note.aspect else None


def _kept_aspect(key: str, value: tuple[int, int]) -> Resolution:
    """Return the resolution that was typed if the slider has moved from there to `value`, otherwise `value`."""
    note = links.notes().setdefault(key, inputs.SliderNote())
    typed = parse_resolution(note.aspect) if note.aspect else value
    high, wide = sides(typed)
    kept = typed if max(1, round(value[0] * wide / high)) == value[1] else value
    note.aspect = compact_size(kept)
    return kept
