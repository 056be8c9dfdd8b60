"""Sidebar of the page: the limits, the number format, and presets that set them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import streamlit as st

from effviz.advice.budgets import DTYPES, PRESETS, QUANTITIES, Budget, format_amount, parse_amount
from effviz.core.caches import remembered
from effviz.ui import inputs, links
from effviz.ui.widgets.frame import instrument
from effviz.ui.widgets.ways import FORMAT, LIMIT_KEYS

NO_LIMIT = "no limit"
OWN = "own limits"
_START = {"macs": "300 M"}
_PRESET = "find_preset"

_ONE_TO_TEN = (1, 1.5, 2, 3, 4, 5, 6, 8)
_BINARY = (1, 1.25, 1.5, 2, 2.5, 3)
_USUAL = {
    "macs": [step * 10.0**power for power in (6, 7, 8, 9) for step in _ONE_TO_TEN],
    "params": [step * 10.0**power for power in (5, 6, 7) for step in _ONE_TO_TEN],
    "memory_access": [step * 10.0**power for power in (6, 7, 8) for step in _ONE_TO_TEN],
    "peak_activation": [step * 2.0**power for power in range(15, 25, 2) for step in _BINARY],
    "weight_size": [step * 2.0**power for power in range(17, 29, 2) for step in _BINARY],
    "latency": [step * 10.0**power for power in (0, 1, 2) for step in _ONE_TO_TEN],
}
_ORDER = ("macs", "peak_activation", "weight_size", "params", "memory_access", "latency")


@dataclass(frozen=True)
class Choice:
    """Values of the controls.

    Attributes:
        budgets: the limits.
        dtype: number format of sizes in bytes.
        retrained: use accuracies of other sources where the authors of a network print none.
        source: of the preset with these limits; empty without one.
    """

    budgets: tuple[Budget, ...]
    dtype: str
    retrained: bool
    source: str

    @property
    def limits(self) -> dict[str, int | float]:
        """The limits by quantity."""
        return {each.quantity: each.limit for each in self.budgets}


def controls() -> Choice:
    """Show the controls: the first limit inline, the others in the sidebar."""
    _presets()
    texts = {}
    for quantity in _ORDER:
        if quantity == "macs":
            with instrument():
                texts[quantity] = _limit(quantity)
        else:
            texts[quantity] = _limit(quantity)
    dtype = inputs.switch("Number format", list(DTYPES), FORMAT, default="float32")
    retrained = inputs.flag(
        "Re-trained accuracies", "others",
        help="Include accuracies of libraries and other papers where the authors publish none. Training recipes "
        "differ.",
    )  # fmt: skip
    budgets = tuple(
        Budget(quantity, parse_amount(text, quantity)) for quantity, text in texts.items() if text != NO_LIMIT
    )
    named = PRESETS.get(_matching(texts, dtype))
    return Choice(budgets, dtype, retrained, "" if named is None else named.source)


def _limit(quantity: str) -> str:
    """Show the control of one limit."""
    return inputs.text_amount(
        QUANTITIES[quantity].label, LIMIT_KEYS[quantity], default=_START.get(quantity, NO_LIMIT),
        options=_options(quantity), canonical=partial(_canonical, quantity), nearest=partial(_nearest, quantity),
        choices=f"an amount such as {_options(quantity)[9]}, or {NO_LIMIT}",
        help=f"Largest value. {QUANTITIES[quantity].what}",
    )  # fmt: skip


@remembered
def _options(quantity: str) -> tuple[str, ...]:
    return *(format_amount(each, quantity) for each in _USUAL[quantity]), NO_LIMIT


def _canonical(quantity: str, text: str) -> str:
    """Return a limit in its usual form."""
    if text.strip().lower() in (NO_LIMIT, "none", ""):
        return NO_LIMIT
    return format_amount(parse_amount(text, quantity), quantity)


def _nearest(quantity: str, text: str) -> str:
    """Return the option of the slider that is nearest to a limit."""
    if text == NO_LIMIT:
        return NO_LIMIT
    amount = parse_amount(text, quantity)
    usual = _USUAL[quantity]
    place = min(range(len(usual)), key=lambda each: abs(math.log(usual[each] / amount)))
    return _options(quantity)[place]


# --- presets ---------------------------------------------------------------------------------------------------------


@remembered
def _texts(preset: str) -> dict[str, str]:
    """Return the limits of a preset by quantity."""
    found = dict.fromkeys(_ORDER, NO_LIMIT)
    return found | {each.quantity: format_amount(each.limit, each.quantity) for each in PRESETS[preset].budgets}


def _matching(texts: dict[str, str], dtype: str) -> str:
    """Return the preset with these limits; `OWN` if there is none."""
    in_bytes = {quantity for quantity in texts if QUANTITIES[quantity].unit == "bytes" and texts[quantity] != NO_LIMIT}
    return next(
        (name for name, preset in PRESETS.items() if _texts(name) == texts and (preset.dtype == dtype or not in_bytes)),
        OWN,
    )


def _presets() -> None:
    """Show the presets. They set the limits, and the address does not contain them."""
    titles = {OWN: OWN.capitalize()} | {name: preset.title for name, preset in PRESETS.items()}
    now = {quantity: _now(quantity) for quantity in _ORDER}
    dtype = str(st.session_state.get(FORMAT, st.query_params.get(FORMAT, "float32")))
    st.session_state[_PRESET] = _matching(now, dtype)
    st.selectbox("Preset", list(titles), format_func=titles.__getitem__, key=_PRESET, on_change=_apply)


def _now(quantity: str) -> str:
    """Return a limit before its control is made."""
    key, default = LIMIT_KEYS[quantity], _START.get(quantity, NO_LIMIT)
    text = str(st.session_state.get(key, st.query_params.get(key, default)))
    try:
        return _canonical(quantity, text)
    except ValueError:
        return default


def _apply() -> None:
    """Set the limits of the chosen preset."""
    name = st.session_state[_PRESET]
    if name in PRESETS:
        for quantity, text in _texts(name).items():
            links.assign(LIMIT_KEYS[quantity], text)
        st.session_state[FORMAT] = PRESETS[name].dtype
