"""Formulas and exercises of the page."""

from __future__ import annotations

from math import prod

import streamlit as st

from effviz.core.latex import number
from effviz.studies.objective import TimedNetwork
from effviz.studies.search.space import BASE
from effviz.ui.page_parts.search.controls import SPACE, Choice
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_grid, formula_text


def formulas(choice: Choice) -> None:
    """Show the objective of the best network, the size of the space, and the entropy."""
    order = choice.ranking
    texts = [_value(choice, order[0].network)] if order else []
    counts = r" \cdot ".join(str(len(values)) for values in SPACE.values.values())
    texts.append(
        formula_text(
            "Networks in the space", r"\left(k \cdot e \cdot s \cdot n \cdot w\right)^{\text{stages}}",
            rf"\left({counts}\right)^{{{len(BASE)}}}", SPACE.size,
        )
    )  # fmt: skip
    formula_grid(texts)
    st.markdown(r"**Entropy** $H = \log(h \cdot w \cdot c) \cdot \sum_i \log\left(\dfrac{c_i \cdot k_i^2}{g_i}\right)$")
    st.caption(
        "c, k and g: input channels, kernel size and groups of a convolution; h · w · c: the last feature map. After "
        "DeepMAD, arXiv 2303.02165. The share within a budget is a dynamic program over the stages, whose state is the "
        "width: parts of the cost are rounded down, and then up, which encloses the exact share."
    )


def _value(choice: Choice, best: TimedNetwork) -> str:
    by = choice.by
    exponent = by.exponent(best.latency_ms)
    if exponent == 0 or exponent < -10:
        rule = "within the target, accuracy counts" if best.latency_ms <= by.target_ms else "beyond the target"
        return formula_text(
            f"Value of {best.title}, {rule}", r"A \cdot \left(\dfrac{L}{T}\right)^{0}",
            rf"{number(f'{best.top1:g}')} \times 1", f"{best.top1:.2f}",
        )  # fmt: skip
    value = by.value(best.top1, best.latency_ms)
    ratio = rf"\left(\dfrac{{{best.latency_ms:g}}}{{{by.target_ms:g}}}\right)^{{{exponent:g}}}"
    return formula_text(
        f"Value of {best.title}", r"A \cdot \left(\dfrac{L}{T}\right)^{w}",
        rf"{number(f'{best.top1:g}')} \times {ratio}", f"{value:.2f}",
    )  # fmt: skip


def questions(choice: Choice) -> None:
    """Show two predictions."""
    w = choice.w or -0.07
    exercises(
        Exercise(
            "trade", f"With w = {w:g} on both sides of the target, a network takes twice as long as another one. By "
            "what percentage must its accuracy be higher for the same value?", "%", 100 * (2**-w - 1),
            f"The factor of the latency is 2 to the power w, so the accuracy needs the factor 2^{-w:g}.",
        ),
        Exercise(
            "choices", "How many combinations of kernel size, expand ratio, SE ratio, layers and width does one stage "
            "choose from?", "combinations", prod(map(len, SPACE.values.values())),
            f"The choices multiply, and {len(BASE)} stages raise the product to the power {len(BASE)}.",
        ),
    )  # fmt: skip
