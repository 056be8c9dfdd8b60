"""Sweeps of the Building blocks page: the block at every value of a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.charts.style import Appearance, appearance
from effviz.core.errors import DesignError
from effviz.studies.blocks import Place, adapt
from effviz.ui.convention import Convention
from effviz.ui.page_parts.blocks.controls import Choice
from effviz.ui.page_parts.blocks.results import cards, costs_figure
from effviz.ui.sweeps import State, shared_settings, without_own
from effviz.ui.widgets.cards import cached_report

CONTROLS = {"cin": "in_channels", "cout": "out_channels", "map": "resolution"}


def settings(choice: Choice, convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return, for each slider, the settings on which the states depend: all but its own."""
    shared = {"name": choice.name, "values": choice.values, **shared_settings(convention, look)}
    places = without_own(CONTROLS, vars(choice.place))
    return {control: {"place": place, **shared} for control, place in places.items()}


def sweep(
    control: str, name: str, place: dict[str, int], values: dict[str, Any], convention: Sequence[str], look: str
) -> Callable[[float], State]:
    """Return the function from a value of a slider to what the page shows.

    Args:
        control: a key of `CONTROLS`.
        name: of the preset.
        place: the arguments of `Place` without that of the slider.
        values: of the fields of the block.
        convention: the arguments of `Convention`.
        look: name of the appearance.

    Raises:
        DesignError: a value is illegal.
    """
    chosen, colors = Convention(*convention), appearance(look)

    def state(value: float) -> State:
        asked = Place(**place | {CONTROLS[control]: int(value)})
        choice = Choice(name, *adapt(name, asked, values))
        if choice.problem:
            raise DesignError(choice.problem)
        report = cached_report(choice.design, chosen.memory)
        return State(cards(report, chosen), {"sublayers": costs_figure(report, choice.title, chosen, colors)[0]})

    return state
