"""Formulas: symbolic, then with the current numbers, then the value."""

from __future__ import annotations

import streamlit as st

from effviz.core.units import exact
from effviz.count.formulas import explain
from effviz.count.report import Report
from effviz.ui.convention import Convention

_LABELS = {"params": "Parameters", "macs": "Multiply-adds", "memory_access": "Memory access cost"}


def formula_heading() -> None:
    """Show the heading of the section of formulas."""
    st.subheader("How this is computed", anchor=False)


def formula(name: str, symbols: str, numbers: str, value: int | str, unit: str = "") -> None:
    """Show one formula.

    Args:
        name: of the quantity, bold.
        symbols: right-hand side in symbols or words, in Markdown.
        numbers: the same with numbers; empty to leave the line out.
        value: integers are written with all digits, text as given.
        unit: after the value.

    Example:
        >>> formula("Reduction", "k² · c / (k² + c)", "9 × 128 / (9 + 128)", "8.41", "x")
    """
    st.markdown(formula_text(name, symbols, numbers, value, unit))


def formula_text(name: str, symbols: str, numbers: str, value: int | str, unit: str = "") -> str:
    """Write one formula in Markdown, with the arguments of `formula`."""
    text = exact(value) if isinstance(value, int) else value
    lines = [f"**{name}** = {symbols}", *([numbers] if numbers else []), f"**{text}** {unit}".rstrip()]
    return "  \n= ".join(lines)


def layer_formulas(report: Report, index: int, convention: Convention) -> None:
    """Show the formulas of one layer's counts; `index` is its position in ``report.steps``."""
    for text in layer_texts(report, index, convention):
        st.markdown(text)


def layer_texts(report: Report, index: int, convention: Convention) -> list[str]:
    """Write the formulas of one layer's counts in Markdown; `index` is its position in ``report.steps``."""
    texts = []
    for entry in explain(report.steps, report.fusion, index, convention.memory):
        label = convention.compute_label if entry.quantity == "macs" else _LABELS[entry.quantity]
        factor = convention.factor(entry.quantity)
        unit = convention.memory_unit if entry.quantity == "memory_access" else ""
        symbols, numbers = entry.symbols.replace("_", "\\_"), entry.numbers
        if factor > 1 and entry.value:
            symbols, numbers = f"{factor} × ({symbols})", f"{factor} × ({numbers})"
        texts.append(formula_text(label, symbols, numbers, factor * entry.value, unit))
    return texts
