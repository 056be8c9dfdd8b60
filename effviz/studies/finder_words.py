"""Sentences about a search: the binding limit, and the limit that excludes the most networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from effviz.advice.budgets import QUANTITIES, Budget
from effviz.core.arguments import check_border
from effviz.core.units import lower
from effviz.studies.finder import Found


def explained(found: Found, budgets: Iterable[Budget], dtype: str, written: Callable[[float, str], str]) -> str:
    """Explain which limit is the binding one, and what twice its value would admit.

    Args:
        found: by these limits.
        budgets: the limits.
        dtype: number format of sizes in bytes.
        written: formats a value of a quantity, such as `effviz.budgets.format_amount`.
    """
    limits = {each.quantity: each.limit for each in budgets}
    if not any(found.excluded.values()):
        return "No limit excludes a network."
    binding = found.binding
    if binding is None:
        return f"No limit excludes a network on its own. {most_excluding(found, budgets, written)}"
    alone = found.near[binding]
    text = f"The binding limit is {lower(QUANTITIES[binding].title)}: it alone excludes {_networks(len(alone))}."
    if binding == "latency":
        return f"{text} The latency of most networks is not known."
    admitted = [each for each in alone if each.value(binding, dtype) <= 2 * limits[binding]]
    if not admitted:
        nearest = min(each.value(binding, dtype) for each in alone)
        return f"{text} The next one needs {written(nearest, binding)}."
    best = admitted[0]
    with_top1 = "" if best.top1 is None else f", of which {best.label} is the best with {best.top1:g} % published top-1"
    return f"{text} A limit of {written(2 * limits[binding], binding)} would admit {len(admitted):,} more{with_top1}."


def most_excluding(found: Found, budgets: Iterable[Budget], written: Callable[[float, str], str]) -> str:
    """Name the limit that excludes the most networks, with its value."""
    limits = {each.quantity: each.limit for each in budgets}
    strictest = found.strictest or ""
    return (
        f"The limit of {written(limits[strictest], strictest)} on {lower(QUANTITIES[strictest].title)} excludes the "
        f"most: {found.excluded[strictest]:,} of {found.tried:,}."
    )


def _networks(count: int) -> str:
    return f"{count:,} network{'' if count == 1 else 's'}"


check_border(globals())
