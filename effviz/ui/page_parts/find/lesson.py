"""Formulas and exercises of the page that finds networks."""

from __future__ import annotations

import streamlit as st

from effviz.advice.budgets import DTYPES, QUANTITIES, Budget, format_amount
from effviz.core.latex import latex
from effviz.core.units import exact, lower
from effviz.studies import finder
from effviz.studies.finder import Candidate, Found
from effviz.ui.convention import Convention
from effviz.ui.page_parts.find.controls import Choice
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula


def formulas(choice: Choice, found: Found, each: Candidate | None, convention: Convention) -> None:
    """Show the sizes in bytes of the selected network, and the rules of the search."""
    if each is not None:
        size = DTYPES[choice.dtype]
        for quantity, name, count in (
            ("peak_activation", "elements", each.peak_activation), ("weight_size", "parameters", each.params),
        ):  # fmt: skip
            formula(
                f"{QUANTITIES[quantity].title}, {each.label}",
                latex(f"{name} × bytes"), latex(f"{exact(count)} × {size}"),
                each.value(quantity, choice.dtype), f"bytes, {choice.dtype}",
            )  # fmt: skip
    st.markdown(
        f"{found.tried:,} networks are counted: every network of the zoo at usual and published widths and "
        "resolutions, EfficientNet-B0 also at compound coefficients φ. A value equal to its limit fits. "
        f"**Ranking.** {finder.RANKING} **Pareto front.** No other network that fits has as high a published top-1 at "
        f"less {lower(convention.compute_label if found.axis == 'macs' else QUANTITIES[found.axis].title)}."
    )


def questions(choice: Choice, found: Found, convention: Convention) -> None:
    """Show two questions about the search on screen."""
    first = next((each for each in choice.budgets if each.quantity != "latency"), None)
    exercises(
        None if first is None else _relaxed(choice, found, first, convention),
        Exercise(
            "published",
            f"Of the {len(found.fits):,} networks that fit, what percentage has a published top-1 for exactly its "
            "width and resolution?",
            "%",
            100 * sum(each.top1 is not None for each in found.fits) / len(found.fits),
            "Papers train a few widths and resolutions. The accuracy of all others is unknown until they are trained.",
        ) if found.fits else None,
    )  # fmt: skip


def _relaxed(choice: Choice, found: Found, limit: Budget, convention: Convention) -> Exercise:
    budgets = tuple(Budget(each.quantity, 2 * each.limit) if each is limit else each for each in choice.budgets)

    def answer() -> float:
        pool = finder.candidates(convention.memory, None, None, None, choice.retrained)
        return len(finder.search(pool, [each for each in budgets if each.quantity != "latency"], choice.dtype).fits)

    name = convention.compute_label if limit.quantity == "macs" else QUANTITIES[limit.quantity].title
    amount = convention.compute(int(limit.limit)) if limit.quantity == "macs" else limit.limit
    return Exercise(
        "relaxed",
        f"{len(found.fits):,} of {found.tried:,} networks fit. The limit on {lower(name)}, "
        f"{format_amount(amount, limit.quantity)}, doubles and the others stay. How many networks fit?",
        "networks",
        answer,
        "The candidates are about evenly spread over the logarithm of a cost, unless another limit binds first.",
    )
