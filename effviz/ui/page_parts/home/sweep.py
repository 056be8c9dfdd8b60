"""Sweep of the home page: the network at every width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.charts.style import Appearance, appearance
from effviz.ui.convention import Convention
from effviz.ui.page_parts.home.instrument import DRAWING, cards, choose, drawing
from effviz.ui.sweeps import State, shared_settings


def settings(convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return the settings on which the states depend."""
    return {"w": shared_settings(convention, look)}


def sweep(control: str, convention: Sequence[str], look: str) -> Callable[[float], State]:
    """Return the function from a width to what the page shows.

    Args:
        control: the width, the only one.
        convention: the arguments of `Convention`.
        look: name of the appearance.

    Raises:
        DesignError: a value is illegal.
    """
    chosen, colors = Convention(*convention), appearance(look)

    def state(value: float) -> State:
        choice = choose(value)
        return State(cards(choice, chosen), {DRAWING: drawing(choice, chosen, colors)})

    return state
