"""Sweeps of the Architectures page: the network at every value of a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.charts.style import Appearance, appearance
from effviz.core.resolution import Resolution, as_resolution, with_height
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import Choice, choose
from effviz.ui.page_parts.architectures.results import CHARTS, counts, figures
from effviz.ui.sweeps import State, shared_settings, without_own

CONTROLS = ("width", "depth", "res")


def settings(choice: Choice, convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return, for each slider, the settings on which the states depend: all but its own."""
    found = {
        "name": choice.name,
        "variant": choice.variant,
        "groups": choice.groups,
        "width": choice.width,
        "depth": choice.depth,
        "res": choice.design.resolution,
        "classes": choice.classes,
        "in_channels": choice.design.in_channels,
        "aspect": choice.aspect,
        **shared_settings(convention, look),
    }
    return without_own({control: control for control in CONTROLS}, found)


def sweep(
    control: str,
    name: str,
    variant: str,
    groups: int | None,
    classes: int,
    in_channels: int,
    aspect: Resolution | None,
    convention: Sequence[str],
    look: str,
    **others: Any,
) -> Callable[[float], State]:
    """Return the function from a value of a slider to what the page shows.

    Args:
        control: one of `CONTROLS`.
        name: of the network.
        variant: the implementation.
        groups: of a network that exists with several; None elsewhere.
        classes: of the classifier.
        in_channels: of the image.
        aspect: the resolution whose aspect ratio the slider of the resolution keeps; None for a square.
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
        if control == "res":
            now["res"] = with_height(1 if aspect is None else as_resolution(aspect), int(value))
        choice = choose(name, groups, now["width"], now["depth"], now["res"], classes, in_channels, variant=variant)
        report, unscaled, cards = counts(choice, chosen)
        return State(cards, dict(zip(CHARTS, figures(report, unscaled, chosen, colors), strict=True)))

    return state
