"""Formulas of compound scaling with the current numbers, and exercises."""

from __future__ import annotations

import streamlit as st

from effviz.advice.scaling import Swept, built_body, depth_plateau, sweep, width_plateau
from effviz.charts.sentences import times
from effviz.core.caches import remembered
from effviz.core.latex import number
from effviz.core.resolution import size_text
from effviz.core.units import exact, lower
from effviz.count.report import Report
from effviz.model.design import Design
from effviz.studies.scaling import examples, stage_rows
from effviz.ui.convention import Convention
from effviz.ui.page_parts.scaling.controls import Choice
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_text


def formulas(choice: Choice, report: Report, reference: Report, convention: Convention) -> None:
    """Show every rule with the current numbers."""
    with st.container(key="formulas"):
        st.markdown(_formulas(choice, report, reference, convention))


@remembered
def _formulas(choice: Choice, report: Report, reference: Report, convention: Convention) -> str:
    rule, phi, base_size = choice.rule, choice.phi, choice.base.resolution
    pixels = [side * rule.gamma**phi for side in ([base_size] if isinstance(base_size, int) else base_size)]
    deep, wide = examples(stage_rows(choice.base, choice.design))
    label = lower(convention.compute_label)
    macs, base = (convention.exact("macs", each.macs) for each in (report, reference))
    sizes, built = [base_size] if isinstance(base_size, int) else base_size, choice.design.resolution
    # Every side is scaled alike.
    sides = r" \times ".join(rf"{side} \cdot {rule.gamma:.4g}^{{{phi:g}}}" for side in sizes)
    promised = r" \times ".join(f"{side:.1f}" for side in pixels)
    texts = [
        formula_text(
            f"Depth of {deep.built.name}", r"\lceil n \cdot \alpha^\phi \rceil",
            rf"\lceil {deep.base.blocks} \cdot {rule.alpha:g}^{{{phi:g}}} \rceil", deep.built.blocks,
            "block" if deep.built.blocks == 1 else "blocks", before=rf"\lceil {deep.promised_blocks:.2f} \rceil",
        ),
        formula_text(
            f"Width of {wide.built.name}", r"\text{round}(c \cdot \beta^\phi)",
            rf"\text{{round}}({wide.base.channels} \cdot {rule.beta:.4g}^{{{phi:g}}})", wide.built.channels,
            f"channels, rounded {_rounding(choice.base)}", before=rf"\text{{round}}({wide.promised_channels:.1f})",
        ),
        formula_text(
            "Resolution", r"\text{round}(r \cdot \gamma^\phi)", rf"\text{{round}}({sides})",
            size_text(built), "px", before=rf"\text{{round}}({promised})",
        ),
        formula_text(
            f"Promised {label}", r"(\alpha \cdot \beta^2 \cdot \gamma^2)^\phi", f"{rule.factor:.4g}^{{{phi:g}}}",
            times(rule.factor**phi),
        ),
        formula_text(
            f"Built {label}", r"\dfrac{\text{scaled}}{\text{baseline}}", rf"\dfrac{{{number(macs)}}}{{{number(base)}}}",
            times(report.macs / reference.macs),
        ),
    ]  # fmt: skip
    return "\n\n".join([*texts, _plateaus(choice)])


def _rounding(base: Design) -> str:
    rule = base.width_rule
    return "down" if rule.rounding == "down" else f"to a multiple of {rule.divisor}, at most 10 % down"


def _plateaus(choice: Choice) -> str:
    """Report how far each multiplier can change without building another network."""
    base, design = choice.base, choice.design
    low, high = (end / base.depth_mult for end in depth_plateau(design))
    narrow, wide = (end / base.width_mult for end in width_plateau(design))
    blocks, channels = built_body(design)
    depth, width, _ = choice.rule.multipliers(choice.phi)
    return (
        f"Every depth multiplier in ({low:.4g}, {high:.4g}] builds the same {blocks} blocks (here {depth:.4g}). Every "
        f"width multiplier from {narrow:.4g} to {wide:.4g} builds the same channels (here {width:.4g}), "
        f"{exact(channels)} over all stages."
    )


def show_exercises(choice: Choice, report: Report) -> None:
    """Show two predictions about the network on screen."""
    rule, phi = choice.rule, choice.phi
    further, half = _built(choice, phi + 1), _built(choice, phi + 0.5)
    body = built_body(choice.base)[0]
    exercises(
        further and Exercise(
            "step", f"φ changes from {phi:g} to {phi + 1:g}. The rule promises {times(rule.factor)} the multiply-adds. "
            "What factor is built?", "×", further.macs / report.macs,
            "Blocks are rounded up, channels to steps. Stem, head and classifier do not grow with depth.",
        ),
        half and Exercise(
            "blocks", f"The baseline has {body} blocks in its stages. How many are built at φ = {phi + 0.5:g}?",
            "blocks", half.blocks,
            f"The exact product is {body * rule.alpha ** (phi + 0.5):.1f}, but every stage is rounded up separately.",
        ),
    )  # fmt: skip


def _built(choice: Choice, phi: float) -> Swept | None:
    return next(iter(sweep(choice.base, choice.rule, [phi])), None)
