"""Formulas, typeset: symbolic, then with the current numbers, then the value."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import streamlit as st

from effviz.advice.budgets import QUANTITIES
from effviz.core.latex import LETTERS, latex, number, terms, words
from effviz.core.units import exact
from effviz.count.formulas import explain
from effviz.count.report import Report
from effviz.studies.closed_forms import shown
from effviz.ui.convention import Convention

_SHORT = 32
"""Characters of LaTeX that fit into a column on every screen."""


def formula(name: str, symbols: str, numbers: str, value: int | str, unit: str = "") -> None:
    """Show one formula, with the arguments of `formula_text`.

    Example:
        >>> formula("Reduction", latex("k² × c / (k² + c)"), latex("9 × 128 / (9 + 128)"), "8.41", "×")
    """
    st.markdown(formula_text(name, symbols, numbers, value, unit))


def formula_text(
    name: str, symbols: str, numbers: str, value: int | str, unit: str = "", *, before: str = "",
    terms: Sequence[tuple[str, str]] = (),
) -> str:  # fmt: skip
    """Write one formula in Markdown.

    Every line is a separate formula that starts with the equals sign, so that the signs are aligned. The browser
    breaks such a line on a phone, but not one of LaTeX's ``aligned``.

    Args:
        name: of the quantity, in Markdown.
        symbols: right-hand side in LaTeX; empty to leave the line out.
        numbers: the same with numbers; empty to leave the line out.
        value: integers are written with all digits, text as given.
        unit: after the value.
        before: value of the formula, if `terms` are added to it.
        terms: number with its sign, and what it is, in Markdown.
    """
    text = exact(value) if isinstance(value, int) else value
    lines = [symbols, numbers, before and number(before)]
    # A formula without an operation is its own value.
    lines = [line for line in lines if line not in ("", number(text))]
    return "  \n".join([
        f"**{name}**", *(_line(line) for line in lines),
        *(f"${number(amount)}$ {label}" for amount, label in terms),
        f"$= {words(text, bold=True)}$ {unit}".rstrip(),
    ])  # fmt: skip


def _line(right: str) -> str:
    """Write one line of a formula; the browser breaks a long one before a plus or minus sign."""
    first, *others = terms(right) if len(right) > _SHORT else [right]
    # The empty group makes the sign a binary one, with its usual distances.
    return " ".join([f"$= {first}$", *(f"${{}}{other}$" for other in others)])


def signed(amount: Fraction | int) -> str:
    """Format a term of a sum: ``+1,234``, ``-8.5``."""
    return f"{'-' if amount < 0 else '+'}{shown(-amount if amount < 0 else amount)}"


def layer_formulas(report: Report, index: int, convention: Convention) -> None:
    """Show the formulas of one layer's counts; `index` is its position in ``report.steps``."""
    formula_grid([*layer_texts(report, index, convention), f":small[{LETTERS}]"])


def formula_grid(texts: Sequence[str]) -> None:
    """Show formulas from `formula_text` next to one another where there is room, and other paragraphs between them."""
    body = "\n\n".join(texts)
    st.markdown(f'<div class="formulas">\n\n{body}\n\n</div>', unsafe_allow_html=True)


def layer_texts(report: Report, index: int, convention: Convention) -> list[str]:
    """Write the formulas of one layer's counts in Markdown; `index` is its position in ``report.steps``."""
    texts = []
    for entry in explain(report.steps, report.fusion, index, convention.memory):
        label = convention.compute_label if entry.quantity == "macs" else QUANTITIES[entry.quantity].title
        factor = convention.factor(entry.quantity)
        unit = convention.memory_unit if entry.quantity == "memory_access" else ""
        symbols, numbers = entry.symbols, entry.numbers
        if factor > 1 and entry.value:
            symbols, numbers = f"{factor} × ({symbols})", f"{factor} × ({numbers})"
        texts.append(formula_text(label, latex(symbols), latex(numbers), factor * entry.value, unit))
    return texts
