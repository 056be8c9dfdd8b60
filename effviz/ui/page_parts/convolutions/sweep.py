"""Sweeps of the Convolutions page: the convolution at every value of a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.charts.style import Appearance, appearance
from effviz.studies.convolutions import Setting, legal_groups
from effviz.ui.convention import Convention
from effviz.ui.page_parts.convolutions.controls import Choice
from effviz.ui.page_parts.convolutions.results import cards, costs_figure
from effviz.ui.sweeps import State, shared_settings, without_own

CONTROLS = {"kernel": "kernel_size", "cin": "in_channels", "cout": "out_channels", "map": "resolution"}


def settings(choice: Choice, convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return, for each slider, the settings on which the states depend: all but its own."""
    shared = {"kind": choice.kind, **shared_settings(convention, look)}
    found = without_own(CONTROLS, vars(choice.setting))
    return {control: {"setting": setting, **shared} for control, setting in found.items()}


def sweep(
    control: str, kind: str, setting: dict[str, Any], convention: Sequence[str], look: str
) -> Callable[[float], State]:
    """Return the function from a value of a slider to what the page shows.

    Args:
        control: a key of `CONTROLS`.
        kind: of the convolution.
        setting: the arguments of `Setting` without that of the slider.
        convention: the arguments of `Convention`.
        look: name of the appearance.

    Raises:
        DesignError: a value is illegal.
    """
    chosen, colors = Convention(*convention), appearance(look)

    def state(value: float) -> State:
        numbers = setting | {CONTROLS[control]: int(value)}
        # As the control does: the next smaller divisor of the channels.
        legal = legal_groups(numbers["in_channels"], numbers["out_channels"])
        now = Setting(**numbers | {"groups": max(count for count in legal if count <= numbers["groups"])})
        choice = Choice(kind, now)
        return State(cards(choice, chosen), {"costs": costs_figure(kind, now, chosen, colors)})

    return state
