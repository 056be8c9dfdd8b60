"""Sweeps of the Architectures page: the network at every value of a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.charts.style import Appearance, appearance
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import Choice, choose
from effviz.ui.page_parts.architectures.results import CHARTS, counts, figures
from effviz.ui.sweeps import State, shared_settings, without_own

CONTROLS = ("width", "depth", "res")


def settings(choice: Choice, convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return, for each slider, the settings on which the states depend: all but its own."""
    found = {
        "name": choice.baseline.name,
        "groups": choice.groups,
        "width": choice.width,
        "depth": choice.depth,
        "res": choice.design.resolution,
        "classes": choice.classes,
        **shared_settings(convention, look),
    }
    return without_own({control: control for control in CONTROLS}, found)


def sweep(
    control: str, name: str, groups: int | None, classes: int, convention: Sequence[str], look: str, **others: float
) -> Callable[[float], State]:
    """Return the function from a value of a slider to what the page shows.

    Args:
        control: one of `CONTROLS`.
        name: of the network.
        groups: of ShuffleNetV1; None elsewhere.
        classes: of the classifier.
        convention: the arguments of `Convention`.
        look: name of the appearance.
        others: values of the other two controls.

    Raises:
        DesignError: a value is illegal.
    """
    chosen = Convention(*convention)
    colors = appearance(look)

    def state(value: float) -> State:
        now = others | {control: value}
        choice = choose(name, groups, now["width"], now["depth"], int(now["res"]), classes)
        report, unscaled, cards = counts(choice, chosen)
        return State(cards, dict(zip(CHARTS, figures(report, unscaled, chosen, colors), strict=True)))

    return state
