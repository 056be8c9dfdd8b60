"""The inverse of scaling: the φ that fits a budget, and the bases that keep the constraint."""

from __future__ import annotations

import streamlit as st

import effviz
from effviz.advice.scaling import FIT_QUANTITIES, BudgetFit, GridPoint, ScalingRule, built_body, feasible, fit_phi
from effviz.charts.scaling.grid import grid_chart
from effviz.charts.scaling.promised import Count, fit_chart, floored
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.resolution import in_pixels
from effviz.core.units import exact, lower
from effviz.model.design import Design
from effviz.studies.scaling import LETTERS, around, growth_text
from effviz.ui import inputs, links
from effviz.ui.convention import BYTES, QUANTITIES, Convention
from effviz.ui.page_parts.scaling.controls import TARGET, Choice, count
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_DEFAULTS = {"macs": 1000.0, "params": 10.0, "activations": 20.0, "memory_access": 50.0, "peak_activation": 3.0}
_KIB = 1024

FIT_CONTROLS = ("of", *(f"most_{quantity}" for quantity in FIT_QUANTITIES))
GRID_CONTROLS = ("tolerance", "grid")


# --- fit a budget --------------------------------------------------------------------------------------------------


def fit_budget(choice: Choice, convention: Convention) -> None:
    """Show the φ that fits a budget."""
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    with left:
        quantity = inputs.choice(
            "Budget for", list(FIT_QUANTITIES), "of", default="macs",
            format_func=lambda quantity: QUANTITIES[quantity].label,
        )  # fmt: skip
    scale, unit, default = _input_unit(quantity, convention)
    with right:
        amount = inputs.decimal(
            f"At most ({unit})", f"most_{quantity}", default=default, minimum=0.001, maximum=1e9, step=1.0,
            format="%.6g",
        )  # fmt: skip
    links.idle(*(f"most_{other}" for other in FIT_QUANTITIES if other != quantity))
    try:
        fit = calculated("Budget", fit_phi, choice.base, amount * scale, quantity, choice.rule, convention.memory)
    except effviz.DesignError as error:
        st.markdown(f"No φ fits. {error} (1 {unit} = {scale:,.0f}).")
        return
    if fit is None:
        return
    points = calculated("Costs around φ", around, choice.base, choice.rule, fit.phi, quantity, convention.memory)
    if points is None:
        return
    # Activations are counted in elements here, whatever the unit of memory.
    factor = 1 if quantity == "activations" else convention.factor(quantity)
    shown_unit = "B" if unit == "KiB" else ""
    chart = fit_chart(
        [(phi, value * factor) for phi, value in points], (fit.phi, fit.value * factor), amount * scale * factor,
        convention.label(quantity), shown_unit, look(),
    )  # fmt: skip
    show_chart(chart, "fit")
    st.markdown(_fit_text(fit, factor, convention.label(quantity)))
    down = int(fit.phi * 100 // 1) / 100
    st.button(f"Set φ to {down:.2f}", key="set_phi", on_click=_set_phi, args=(down,))


def _input_unit(quantity: str, convention: Convention) -> tuple[float, str, float]:
    """Return the factor from the input to the engine's unit, the name of the input's unit, and the default."""
    default, size = _DEFAULTS[quantity], BYTES[convention.unit]
    if quantity == "macs":
        return 1e6 / convention.compute(1), "M", default * convention.compute(1)
    if quantity in ("memory_access", "peak_activation") and size:
        return _KIB / size, "KiB", float(round(default * 1e6 * size / _KIB))
    return 1e6, "M" if quantity == "params" else "M elements", default


def _fit_text(fit: BudgetFit, factor: int, label: str) -> str:
    design = fit.design
    text = (
        f"**φ = {floored(fit.phi)}**: {built_body(design)[0]} blocks, width {times(design.width_mult)}, "
        f"{in_pixels(design.resolution)}, {exact(fit.value * factor)} {lower(label)}."
    )
    if fit.beyond is None or fit.excess is None:
        return f"{text} No larger network of this rule can be built."
    return (
        f"{text}  \nThe next larger network, at φ = {fit.next_phi:.6f}, exceeds the budget: "
        f"{growth_text(design, fit.beyond)}, {exact(fit.excess * factor)} {lower(label)}."
    )


def _set_phi(phi: float) -> None:
    st.session_state["phi"] = phi


# --- grid search ---------------------------------------------------------------------------------------------------


@remembered
def candidates(base: Design, tolerance: float, step: float) -> tuple[GridPoint, ...]:
    """Return the bases on a grid that keep the constraint.

    Raises:
        DesignError: the grid has too many points.
    """
    return tuple(feasible(base, target=TARGET, tolerance=tolerance, step=step))


@remembered
def _grid_chart(found: tuple[GridPoint, ...], base: int, rule: ScalingRule, count: Count, look: Appearance) -> Chart:
    return grid_chart(found, base, TARGET, rule, count, look)


def _choose_bases(click: Click) -> None:
    """Take over the bases of a cell; none of them follows from the others any more."""
    if not isinstance(click.detail, list) or len(click.detail) < 4 + len(LETTERS):
        return
    links.reset({"hold": "nothing"})
    for letter, value in zip(LETTERS, click.detail[4:], strict=False):
        links.put_number(letter, float(value))


def grid(choice: Choice, convention: Convention) -> None:
    """Show the bases that keep the constraint, and the cost of their networks."""
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    with left:
        tolerance = inputs.decimal(
            "Tolerance (%)", "tolerance", default=5.0, minimum=0.0, maximum=25.0, step=1.0, format="%.1f",
            help=r"Largest deviation of $\alpha \cdot \beta^2 \cdot \gamma^2$ from 2.",
        )  # fmt: skip
    with right:
        step = float(inputs.switch("Grid step", ["0.025", "0.05", "0.1"], "grid", default="0.05"))
    try:
        found = calculated("Grid search", candidates, choice.base, tolerance / 100, step)
    except effviz.DesignError as error:
        st.markdown(f"The grid is too fine for this tolerance: {error}.")
        return
    if found is None:
        return
    if not found:
        st.markdown("No triple on this grid meets the constraint. Increase the tolerance or refine the grid.")
        return
    base = cached_report(choice.base, convention.memory).macs
    show_chart(
        _grid_chart(found, base, choice.rule, count(convention), look()), "grid_chart",
        note="Each cell shows the α that comes closest to the constraint. The cells of the current bases (outlined) "
        "and of the paper's (*) show theirs. The paper's bases are the most accurate of its search on B0 at φ = 1. "
        "This search trains no networks. It shows how much the cost varies under the constraint.",
        on_click=_choose_bases,
    )  # fmt: skip
    columns = [
        Column("α", "rule.alpha", ""),
        Column("β", "rule.beta", ""),
        Column("γ", "rule.gamma", ""),
        Column("Promised factor", "rule.factor", "%.3f"),
        Column("Built factor", lambda each: each.macs / base, "%.3f"),
        *count_columns(convention, ("macs", "params")),
    ]
    table = Table(found, columns, f"{len(found)} triples of α, β and γ with the cost of their networks")
    show_table(table, fold=f"Table: {len(found)} triples", key="grid_table", height=360)
