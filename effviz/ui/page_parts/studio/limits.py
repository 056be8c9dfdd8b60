"""Limits of the Studio page: a preset or typed amounts in the sidebar, and the comparison of the network with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from effviz.advice.breaches import Breach, breaches
from effviz.advice.budgets import DTYPES, PRESETS, QUANTITIES, Budget, Verdict, check, read_limit
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.units import lower
from effviz.count.report import Report
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.live_latency import Reading
from effviz.ui.widgets.ways import FORMAT, LIMIT_KEYS

KEY = "budget"
NONE, CUSTOM = "none", "own limits"
_EXAMPLES = {
    "params": "4M", "macs": "300M", "memory_access": "20M", "peak_activation": "320KiB", "weight_size": "1MB",
    "latency": "33ms",
}  # fmt: skip
_SIZES = ("peak_activation", "weight_size")
_ORDER = ("macs", "params", *_SIZES, "memory_access", "latency")


@dataclass(frozen=True)
class Limits:
    """The chosen budget.

    Attributes:
        budgets: the limits; a size has its number format.
        dtype: number format of sizes that are typed without one.
        source: of a preset; empty for custom limits.
    """

    budgets: tuple[Budget, ...] = ()
    dtype: str = "float32"
    source: str = ""

    @property
    def counted(self) -> tuple[Budget, ...]:
        """The limits on counts, which need no measurement."""
        return tuple(each for each in self.budgets if each.quantity != "latency")


def _budget(quantity: str, text: str) -> Budget | str:
    """Return the limit in a text, or the error."""
    try:
        return read_limit(quantity, text, quantity)
    except DesignError as error:
        return f"{error}."


def limits(convention: Convention) -> Limits:
    """Show the limits in the sidebar. Typed limits replace those of a preset."""
    names = {NONE: NONE} | {name: preset.title for name, preset in PRESETS.items()}
    # Older links contain an option for limits that are typed, and another title of a preset.
    links.rewrite(KEY, lambda text: NONE if text == CUSTOM else text.replace(" images a second", " images per second"))
    chosen = inputs.choice(
        "Budget", list(names), KEY, default=NONE, format_func=names.__getitem__, on_change=_chosen,
        help="A preset with its source. Limits that are typed below replace those of the preset.",
    )  # fmt: skip
    preset = PRESETS.get(chosen)
    found = {} if preset is None else {each.quantity: each for each in preset.budgets}
    place, problems = st.container(key="studio_limits"), []
    with place:
        for name in _ORDER:
            text = inputs.words(
                QUANTITIES[name].label, LIMIT_KEYS[name], legal=partial(_legal, name),
                choices=f"an amount such as {_EXAMPLES[name]}",
                placeholder=found[name].text if name in found else _EXAMPLES[name], help=_help(name),
            )  # fmt: skip
            budget = _budget(name, text) if text.strip() else None
            if isinstance(budget, Budget):
                found[name] = budget
            elif budget:
                problems.append(budget)
            if name == _SIZES[-1]:
                dtype = _format(convention, None if preset is None else preset.dtype)
    for problem in problems:
        notice(problem, "ignored over", alert=True)
    budgets = tuple(
        replace(found[name], dtype=found[name].dtype or dtype) if found[name].is_size else found[name]
        for name in QUANTITIES if name in found
    )  # fmt: skip
    if budgets:
        notice(f"At most {', '.join(map(_said, budgets))}.")
    return Limits(budgets, dtype, preset.source if preset else "")


def _help(quantity: str) -> str | None:
    return "The number format can follow the amount: 512 kB int8." if quantity in _SIZES else None


def _format(convention: Convention, preset: str | None) -> str:
    """Show the number format of the sizes, that of a preset as text."""
    if preset is not None:
        links.idle(FORMAT)
        notice(f"Sizes in {preset}, as in the preset.")
        return preset
    default = "float32" if convention.in_elements else convention.unit
    return inputs.switch("Sizes in", list(DTYPES), FORMAT, default=default)


def _said(budget: Budget) -> str:
    """Repeat a limit as it was typed."""
    format = f" ({budget.dtype})" if budget.dtype else ""
    return f"{budget.text} {lower(QUANTITIES[budget.quantity].title)}{format}"


def _chosen() -> None:
    """Remove the typed limits: another preset has its own."""
    links.reset(dict.fromkeys(LIMIT_KEYS.values(), ""))


def _legal(quantity: str, text: str) -> bool:
    return isinstance(_budget(quantity, text), Budget)


def verdicts(here: Bench, chosen: Limits, reading: Reading) -> dict[str, Verdict]:
    """Compare the network with its limits, by quantity."""
    if here.report is None:
        return {}
    known = None if reading.latency is None else reading.latency.median_ms
    return {each.budget.quantity: each for each in check(here.report, chosen.budgets, latency_ms=known)}


def is_over(judged: dict[str, Verdict]) -> bool:
    """Whether a limit is exceeded."""
    return any(each.passed is False for each in judged.values())


@remembered
def broken(report: Report, budgets: tuple[Budget, ...]) -> tuple[Breach, ...]:
    """Return the parts of a network that exceed limits on counts."""
    return breaches(report, check(report, budgets))
