"""What the page about compound scaling shows one at a time: the picture, the rules at one budget, inverse, grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.advice.scaling import FIT_QUANTITIES, BudgetFit, GridPoint, ScalingRule, built_body, feasible, fit_phi
from effviz.charts.scaling.grid import grid_chart
from effviz.charts.scaling.picture import picture_chart
from effviz.charts.scaling.promised import Count, fit_chart, floored
from effviz.charts.scaling.rules import Measure, duel_chart, growth_chart, printed_chart
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Chart
from effviz.core.units import exact, lower, si
from effviz.count.report import Report
from effviz.measure.latency import Latency
from effviz.studies.scaling import NAMES, Contender, contenders, curves, frames, printed
from effviz.ui import links
from effviz.ui.convention import BYTES, Convention
from effviz.ui.page_parts.architectures.network import off
from effviz.ui.page_parts.scaling.page import TARGET, Choice, count
from effviz.ui.widgets import parts
from effviz.ui.widgets.live_latency import Reading

SHOWN = ("Drawn to scale", "Equal multiply-adds", "Fit a budget", "Grid search")
AMONG = ("baseline", "compound", "width", "depth", "resolution", "fast")
KIB = 1024


def shown() -> str:
    """Which of the parts is on screen."""
    return links.switch("Show", list(SHOWN), "show", default=SHOWN[0])


# --- the picture -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _picture(base: effviz.Design, rule: ScalingRule, count: Count, look: Appearance) -> Chart:
    """Kept, because it has a figure for every phi and does not depend on the one that is being moved."""
    return picture_chart(frames(base, rule), count, look)


def picture(choice: Choice, convention: Convention) -> None:
    """The counterpart of the paper's figure 2."""
    if not frames(choice.base, choice.rule):
        st.markdown("Nothing can be drawn with these bases.")
        return
    parts.show_chart(_picture(choice.base, choice.rule, count(convention), parts.look()), "picture")
    st.caption(
        "A box is a stage: as long as its blocks, as high as its channels, as deep as the side of its map; one scale "
        "for all rows and every phi. Stem, head and classifier are left out. Each rule builds the largest network "
        "within the multiply-adds of the compound one, with the multipliers d of depth, w of width, r of resolution. "
        "After figure 2 of arXiv 1905.11946."
    )


# --- rules at one budget -------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def rivals(base: effviz.Design, rule: ScalingRule, phi: float) -> tuple[tuple[Contender, ...], str]:
    """Every rule at the multiply-adds of the compound network, the baseline first."""
    return contenders(base, rule, phi, AMONG)


def others(choice: Choice) -> list[effviz.Design]:
    """The networks that are measured after the one on screen."""
    found, _ = rivals(choice.base, choice.rule, choice.phi)
    return [each.design for each in found if each.rule != "compound"]


def duel(choice: Choice, reading: Reading, convention: Convention) -> None:
    """One budget, five ways to spend it."""
    found, missing = rivals(choice.base, choice.rule, choice.phi)
    waiting = iter(reading.others)
    latencies = [reading.latency if each.rule == "compound" else next(waiting) for each in found]
    reports = [effviz.analyze(each.design, memory=convention.memory) for each in found]
    measures = [
        Measure("Parameters", "circle", [each.params for each in reports]),
        Measure("Activations", "diamond", [each.activations for each in reports]),
        Measure("Memory access", "square", [each.memory_access for each in reports]),
        Measure("Peak activations", "triangle-up", [each.peak_activation for each in reports]),
        Measure("Latency here", "cross", [None if each is None else each.median_ms for each in latencies]),
    ]
    parts.show_chart(duel_chart(found, measures, parts.look()), "duel")
    st.caption(
        "Each rule builds its largest network within the multiply-adds of the compound one at this phi. Fast scaling "
        "is d1_w8_g8_r1 of arXiv 2103.06877: of a factor s in multiply-adds, depth takes s^0.1, width s^0.4, "
        "resolution s^0.05. Activations: elements that convolutions put out. “Measure latency” measures them all."
    )
    if missing:
        st.markdown(missing)
    table = duel_table(found, reports, latencies, convention)
    with st.expander(f"Table: {len(table)} networks at one budget", key="duel_table"):
        st.dataframe(
            table, hide_index=True, column_config=_formats(table),
            alt=f"{len(table)} networks at equal multiply-adds with their costs",
        )  # fmt: skip
    spread = curves(choice.base, choice.rule, 0, 6)
    budget = effviz.analyze(choice.design).macs
    parts.show_chart(growth_chart(spread, budget, count(convention), parts.look()), "growth")
    st.caption(
        "Activations follow latency on accelerators more closely than multiply-adds do (arXiv 2103.06877, section 3), "
        "which is why fast scaling spends nearly everything on width. Dashed: the budget above."
    )
    printed_accuracies(choice.base)


def duel_table(
    found: Sequence[Contender], reports: Sequence[Report], latencies: Sequence[Latency | None], convention: Convention
) -> pd.DataFrame:
    """The numbers of every contender, in the bar's convention."""
    budget = next(report.macs for each, report in zip(found, reports, strict=True) if each.rule == "compound")
    unit = convention.memory_unit
    return pd.DataFrame(
        {
            "Rule": [NAMES[each.rule] for each in found],
            "Depth x": [each.multipliers[0] for each in found],
            "Width x": [each.multipliers[1] for each in found],
            "Resolution x": [each.multipliers[2] for each in found],
            "Blocks": [built_body(each.design)[0] for each in found],
            "Resolution (px)": [each.design.resolution for each in found],
            convention.compute_label: [convention.compute(report.macs) for report in reports],
            "Of the budget (%)": [100 * report.macs / budget for report in reports],
            "Parameters": [report.params for report in reports],
            "Activations": [report.activations for report in reports],
            f"Memory access ({unit})": [convention.size(report.memory_access) for report in reports],
            f"Peak activations ({unit})": [convention.size(report.peak_activation) for report in reports],
            "Latency here (ms)": [None if each is None else each.median_ms for each in latencies],
        }
    )


def _formats(table: pd.DataFrame) -> dict[str, Any]:
    formats: dict[str, Any] = {}
    for name in table.columns[1:]:
        if name.endswith(" x"):
            formats[name] = st.column_config.NumberColumn(format="%.3f")
        elif name in ("Of the budget (%)", "Latency here (ms)"):
            formats[name] = st.column_config.NumberColumn(format="%.1f")
        else:
            formats[name] = st.column_config.NumberColumn(format="localized")
    return formats


def printed_accuracies(base: effviz.Design) -> None:
    """The paper's own comparison, where it has one for this network."""
    rows = printed(base)
    if not rows:
        known = "EfficientNet-B0, MobileNetV1, MobileNetV2 and ResNet-50"
        st.caption(f"The paper prints the accuracy of such a comparison for {known}, not for {base.title}.")
        return
    parts.show_chart(printed_chart(rows, parts.look()), "printed")
    st.dataframe(
        pd.DataFrame(
            {
                "Printed as": [row.variant for row in rows],
                "Top-1 (%)": [f"{row.top1:.1f}" for row in rows],
                "Depth x": [row.depth for row in rows],
                "Width x": [row.width for row in rows],
                "Resolution (px)": [row.resolution for row in rows],
                "Multiply-adds printed": [si(row.macs) for row in rows],
                "counted": ["" if row.counted is None else si(row.counted) for row in rows],
                "vs counted": ["" if row.counted is None else off(row.macs / 1e6, row.counted) for row in rows],
                "What to know": [row.remark for row in rows],
                "Source": [row.source for row in rows],
            }
        ),
        hide_index=True,
        column_config={"What to know": st.column_config.TextColumn(width="large")},
        alt=f"{len(rows)} printed accuracies of scaled {base.title}",
    )
    st.caption("Open: as printed. Filled: what the stated multipliers build. Printed figures are in multiply-adds.")


# --- the inverse -----------------------------------------------------------------------------------------------------


_LABELS = {
    "macs": "Multiply-adds",
    "params": "Parameters",
    "activations": "Activations",
    "memory_access": "Memory access",
    "peak_activation": "Peak activations",
}
_DEFAULTS = {"macs": 1000.0, "params": 10.0, "activations": 20.0, "memory_access": 50.0, "peak_activation": 3.0}


def inverse(choice: Choice, convention: Convention) -> None:
    """The phi that fits a budget."""
    names = {key: convention.compute_label if key == "macs" else label for key, label in _LABELS.items()}
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    with left:
        quantity = links.choice(
            "Budget for", list(FIT_QUANTITIES), "of", default="macs", format_func=_LABELS.__getitem__
        )
    scale, unit, default = _unit(quantity, convention)
    with right:
        amount = links.decimal(
            f"At most ({unit})", f"most_{quantity}", default=default, minimum=0.001, maximum=1e9, step=1.0,
            format="%.6g",
        )  # fmt: skip
    links.idle(*(f"most_{other}" for other in FIT_QUANTITIES))
    try:
        fit = fit_phi(choice.base, amount * scale, quantity, choice.rule, convention.memory)
    except effviz.DesignError as error:
        st.markdown(f"No phi fits. {_spoken(str(error), scale, unit)}")
        return
    shown_as = _shown(quantity, convention)
    points = [
        (phi, shown_as(value)) for phi, value in _around(choice.base, choice.rule, quantity, fit, convention.memory)
    ]
    behind = "" if quantity in ("macs", "params", "activations") or convention.unit == "elements" else "B"
    parts.show_chart(
        fit_chart(
            points, (fit.phi, shown_as(fit.value)), amount * scale * shown_as(1), names[quantity], behind, parts.look()
        ),
        "fit",
    )
    _told(fit, shown_as, names[quantity])
    down = int(fit.phi * 100 // 1) / 100
    st.button(f"Set phi to {down:.2f}", key="set_phi", on_click=_set_phi, args=(down,))


def _unit(quantity: str, convention: Convention) -> tuple[float, str, float]:
    """What the number in the input is counted in: the factor to engine units, its name, its default."""
    default = _DEFAULTS[quantity]
    if quantity == "macs":
        return 1e6 / convention.compute(1), "M", default * convention.compute(1)
    size = BYTES[convention.unit]
    if size and quantity in ("memory_access", "peak_activation"):
        return KIB / size, "KiB", float(round(default * 1e6 * size / KIB))
    return 1e6, "M elements" if quantity in ("memory_access", "peak_activation", "activations") else "M", default


def _shown(quantity: str, convention: Convention) -> Callable[[float], float]:
    if quantity == "macs":
        return lambda value: value * convention.compute(1)
    if quantity in ("memory_access", "peak_activation"):
        return lambda value: value * convention.size(1)
    return lambda value: value


@lru_cache(maxsize=64)
def _around(
    base: effviz.Design, rule: ScalingRule, quantity: str, fit: BudgetFit, memory: str
) -> list[tuple[float, int]]:
    """What is built near the phi that fits."""
    points = []
    for step in range(-24, 25):
        phi = fit.phi + step / 60
        try:
            value: int = getattr(effviz.analyze(rule.scaled(base, phi), memory=memory), quantity)
        except effviz.DesignError:
            continue
        points.append((phi, value))
    return points


def _spoken(text: str, scale: float, unit: str) -> str:
    """The engine counts in single units, the input in larger ones."""
    return f"{text} (1 {unit} = {scale:,.0f})."


def _told(fit: BudgetFit, shown_as: Callable[[float], float], label: str) -> None:
    design = fit.design
    blocks, _ = built_body(design)
    told = (
        f"**phi = {floored(fit.phi)}**: {blocks} blocks, width {times(design.width_mult)}, {design.resolution} px, "
        f"{exact(round(shown_as(fit.value)))} {lower(label)}."
    )
    if fit.beyond is None or fit.excess is None:
        st.markdown(f"{told} No larger network of this rule can be built.")
        return
    st.markdown(
        f"{told}  \nThe next network up, at phi = {fit.next_phi:.6f}, breaks the budget: {_step(design, fit.beyond)}, "
        f"{exact(round(shown_as(fit.excess)))} {lower(label)}."
    )


def _step(small: effviz.Design, large: effviz.Design) -> str:
    """What another network has more of."""
    blocks, channels = ((built_body(each)) for each in (small, large))
    found = []
    if blocks[0] != channels[0]:
        found.append(f"{blocks[0]} → {channels[0]} blocks")
    if blocks[1] != channels[1]:
        found.append(f"{blocks[1]} → {channels[1]} channels over all stages")
    if small.resolution != large.resolution:
        found.append(f"{small.resolution} → {large.resolution} px")
    return ", ".join(found) or "a wider stem or head"


def _set_phi(phi: float) -> None:
    st.session_state["phi"] = phi


# --- the grid --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _candidates(base: effviz.Design, tolerance: float, step: float) -> tuple[GridPoint, ...]:
    return tuple(feasible(base, target=TARGET, tolerance=tolerance, step=step))


def grid(choice: Choice, convention: Convention) -> None:
    """Which bases keep the constraint, and what they build."""
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    with left:
        tolerance = links.decimal(
            "Tolerance on 2 (%)", "tolerance", default=5.0, minimum=0.0, maximum=25.0, step=1.0, format="%.1f"
        )
    with right:
        step = float(links.switch("Step of the grid", ["0.025", "0.05", "0.1"], "grid", default="0.05"))
    found = _candidates(choice.base, tolerance / 100, step)
    if not found:
        st.markdown("No triple on this grid keeps the constraint so closely. A larger tolerance or a finer grid does.")
        return
    base = effviz.analyze(choice.base).macs
    parts.show_chart(grid_chart(found, base, TARGET, choice.rule, count(convention), parts.look()), "grid_chart")
    st.caption(
        "In a cell: the alpha that comes closest to the constraint; of the current bases (outlined) and the paper's, "
        "their own. The paper's are the most accurate of its search on B0 at phi = 1. This search trains nothing: it "
        "shows how much the constraint leaves open of the cost."
    )
    with st.expander(f"Table: {len(found)} triples", key="grid_table"):
        st.dataframe(
            pd.DataFrame(
                {
                    "alpha": [each.rule.alpha for each in found],
                    "beta": [each.rule.beta for each in found],
                    "gamma": [each.rule.gamma for each in found],
                    "Promised x": [each.rule.factor for each in found],
                    "Built x": [each.macs / base for each in found],
                    convention.compute_label: [convention.compute(each.macs) for each in found],
                    "Parameters": [each.params for each in found],
                }
            ),
            hide_index=True, height=360,
            column_config={
                name: st.column_config.NumberColumn(format="%.3f") for name in ("Promised x", "Built x")
            } | {
                name: st.column_config.NumberColumn(format="localized")
                for name in (convention.compute_label, "Parameters")
            },
            alt=f"{len(found)} triples of alpha, beta and gamma with what they build",
        )  # fmt: skip


CONTROLS = ("of", *(f"most_{quantity}" for quantity in FIT_QUANTITIES), "tolerance", "grid")
"""The keys of the controls of the parts, which a link may hold while another part is shown."""
