"""Sweeps of the Compound scaling page: the network at every φ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from effviz.advice.scaling import ScalingRule
from effviz.charts.style import Appearance, appearance
from effviz.ui.convention import Convention
from effviz.ui.page_parts.scaling.controls import Choice
from effviz.ui.page_parts.scaling.promised import cards, figures
from effviz.ui.sweeps import State, shared_settings
from effviz.ui.widgets.cards import cached_report
from effviz.zoo import architecture


def settings(choice: Choice, convention: Convention, look: Appearance) -> dict[str, dict[str, Any]]:
    """Return the settings on which the states of the slider depend."""
    rule = choice.rule
    found = {"name": choice.base.name, "bases": [rule.alpha, rule.beta, rule.gamma], "pinned": choice.pinned}
    return {"phi": found | shared_settings(convention, look)}


def sweep(
    control: str, name: str, bases: Sequence[float], pinned: bool, convention: Sequence[str], look: str
) -> Callable[[float], State]:
    """Return the function from φ to what the page shows.

    Args:
        control: ``"phi"``.
        name: of the network at φ = 0.
        bases: α, β and γ.
        pinned: whether the charts mark B1 to B7.
        convention: the arguments of `Convention`.
        look: name of the appearance.

    Raises:
        DesignError: a value is illegal.
    """
    chosen, base, rule = Convention(*convention), architecture(name), ScalingRule(*bases)
    reference = cached_report(base, chosen.memory)

    def state(phi: float) -> State:
        choice = Choice(base, rule, phi, pinned=pinned)
        report = cached_report(choice.design, chosen.memory)
        *counts, constraint = cards(choice, report, reference, chosen)
        return State([*counts, None, constraint], figures(choice, report, chosen, appearance(look)))

    return state
