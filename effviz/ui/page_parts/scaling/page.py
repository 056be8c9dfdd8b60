"""The parts of the page about compound scaling: controls, headline, promised against built, exercises."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

import effviz
from effviz.advice.scaling import PAPER, ScalingRule, Swept, built_body, depth_plateau, sweep, width_plateau
from effviz.charts.scaling.promised import Count, stairs_charts
from effviz.charts.sentences import times
from effviz.core.units import change, exact, lower, percent, si
from effviz.count.report import Report
from effviz.studies.scaling import StageRow, Stairs, pins, stage_rows, stairs
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.widgets import parts
from effviz.ui.widgets.parts import Card
from effviz.zoo import ARCHITECTURES

LETTERS = ("alpha", "beta", "gamma")
ON = {"alpha": "depth", "beta": "width", "gamma": "resolution"}
TARGET = 2.0
MOST_BASE = 3.0
USUAL = (-2.0, 8.0)
HOLDS = ("nothing", *LETTERS)


@dataclass(frozen=True)
class Choice:
    """What the sidebar asks for.

    Attributes:
        base: the network at phi = 0.
        rule: alpha, beta, gamma.
        phi: compound coefficient.
        held: the letter that keeps the constraint; empty if none does.
    """

    base: effviz.Design
    rule: ScalingRule
    phi: float
    held: str

    @property
    def design(self) -> effviz.Design:
        """At phi."""
        return self.rule.scaled(self.base, self.phi)

    @property
    def name(self) -> str:
        """Of the baseline of all differences."""
        return f"{self.base.title}, {self.base.resolution} px"


def scalable() -> list[str]:
    """The networks of the zoo whose width rule knows every multiplier."""
    return [
        name for name in ARCHITECTURES
        if not (rule := effviz.architecture(name).width_rule).table or rule.interpolates
    ]  # fmt: skip


def controls() -> Choice:
    """The sidebar: network, phi, the three bases, what holds the constraint."""
    name = links.choice(
        "Network", scalable(), "net", default="efficientnet_b0",
        format_func=lambda name: effviz.architecture(name).title,
        help="The baseline, phi = 0. ShuffleNetV1 is not among them: only four widths of it are published.",
    )  # fmt: skip
    phi = links.amount(
        "phi", "phi", default=1.0, minimum=-5.0, maximum=12.0, step=0.05, usual=USUAL,
        help="Compound coefficient: depth alpha^phi, width beta^phi, resolution gamma^phi. Negative values shrink.",
    )  # fmt: skip
    place = st.container()
    held = links.choice(
        "Hold the constraint at 2 by moving", list(HOLDS), "hold", default="nothing",
        help="alpha · beta² · gamma² = 2: when you move one letter, the chosen one follows.",
    )  # fmt: skip
    with place:
        rule = _bases("" if held == "nothing" else held)
    return Choice(effviz.architecture(name), rule, phi, "" if held == "nothing" else held)


def _bases(held: str) -> ScalingRule:
    """Three inputs in a row; one of them may follow from the others."""
    chosen: dict[str, float] = {}
    columns = dict(zip(LETTERS, st.columns(3, gap="small"), strict=True))
    for letter, usual in zip(LETTERS, PAPER, strict=True):
        if letter != held:
            with columns[letter]:
                chosen[letter] = links.decimal(
                    letter, letter, default=usual, minimum=1.0, maximum=MOST_BASE, step=0.01, format="%.2f",
                    help=f"Factor on {ON[letter]} for each step of phi. The paper's value is {usual:g}.",
                )  # fmt: skip
    if held:
        links.idle(held)
        asked = follow(held, chosen)
        chosen[held] = max(1.0, asked)
        with columns[held]:
            st.number_input(
                held, value=chosen[held], disabled=True, format="%.3f", key=f"{held}_held_{chosen[held]:.6f}",
                help=f"Follows from the other two, so that the constraint is {TARGET:g}.",
            )  # fmt: skip
        if asked < 1:
            st.caption(f"{held} would be {asked:.3f}. The paper asks for at least 1, so the constraint is not held.")
    return ScalingRule(*(chosen[letter] for letter in LETTERS))


def follow(held: str, others: dict[str, float]) -> float:
    """The value of one letter that keeps alpha * beta**2 * gamma**2 at the target."""
    powers = {"alpha": 1, "beta": 2, "gamma": 2}
    rest = math.prod(value ** powers[letter] for letter, value in others.items())
    return float((TARGET / rest) ** (1 / powers[held]))


def count(convention: Convention) -> Count:
    """The compute number in the bar's convention."""
    return Count(convention.compute_label, convention.compute(1))


def now(choice: Choice) -> Swept:
    """The network on screen, as the stairs have it."""
    return sweep(choice.base, choice.rule, [choice.phi])[0]


def headline(choice: Choice, report: Report, reference: Report, convention: Convention, latency: Card) -> None:
    """The constraint, three counts against what phi promises, and the latency."""
    unit = ", elements" if convention.unit == "elements" else ""
    factor = choice.rule.factor
    promised = factor**choice.phi

    def card(label: str, text: str, value: int, baseline: int, told: str) -> Card:
        below = change(value, baseline) if choice.phi else "phi = 0"
        return Card(label, text, told, below, "baseline" if choice.phi and value != baseline else "")

    off = factor / TARGET - 1
    parts.cards(
        [
            Card(
                "α · β² · γ²", f"{factor:.3f}",
                f"{choice.rule.alpha:g} × {choice.rule.beta:.4g}² × {choice.rule.gamma:.4g}² = {factor:.4f}. "
                "The factor in multiply-adds that each step of phi promises; the paper asks for about 2.",
                "equal to 2" if abs(off) < 5e-4 else f"{'+' if off > 0 else MINUS}{percent(abs(off))}",
                "" if abs(off) < 5e-4 else "2",
            ),
            card(
                "Parameters", si(report.params), report.params, reference.params,
                f"{exact(report.params)}. Baseline: {choice.name}.",
            ),
            card(
                convention.compute_label, convention.show_compute(report.macs), report.macs, reference.macs,
                f"{exact(convention.compute(report.macs))}; promised {times(promised)}, built "
                f"{times(report.macs / reference.macs)}. Baseline: {choice.name}.",
            ),
            card(
                f"Memory access{unit}", convention.show_size(report.memory_access), report.memory_access,
                reference.memory_access,
                f"{exact(convention.size(report.memory_access))} {convention.memory_unit}, read + written, assumption: "
                f"{MEMORIES[convention.memory].lower()}. Baseline: {choice.name}.",
            ),
            latency,
        ]
    )  # fmt: skip


MINUS = "\N{MINUS SIGN}"


def ladder(choice: Choice) -> Stairs:
    """The stairs over the usual range of phi, or further where phi is beyond it."""
    low, high = min(USUAL[0], math.floor(choice.phi)), max(USUAL[1], math.ceil(choice.phi))
    return stairs(choice.base, choice.rule, int(low), int(high))


def promised_and_built(choice: Choice, convention: Convention) -> None:
    """The chart that answers the page's question, and what it shows."""
    released = pins(choice.base, choice.rule)
    charts = stairs_charts(ladder(choice), now(choice), released, count(convention), parts.look())
    st.subheader(charts[0].title, anchor=False)
    for place, column in enumerate(st.columns(2, gap="medium")):
        with column:
            parts.show_chart(charts[place], f"stairs_{place}", heading=False)
    note = "Dotted: promised. Stairs: built, counted every 1/40 of phi."
    if released:
        note += (
            " B1 to B7: the released networks, each at the phi that this dimension of it stands for; B1 is not phi = 1."
        )
    st.caption(note)


# --- behind it -----------------------------------------------------------------------------------------------------


def stage_table(choice: Choice) -> pd.DataFrame:
    """What the multipliers promise for every stage, and what is built."""
    rows = [row for row in stage_rows(choice.base, choice.design) if row.built.channels > 1]
    return pd.DataFrame(
        {
            "Stage": [row.built.name for row in rows],
            "Blocks at phi = 0": [row.base.blocks for row in rows],
            "Blocks promised": [row.promised_blocks for row in rows],
            "Blocks built": [row.built.blocks for row in rows],
            "Channels at phi = 0": [row.base.channels for row in rows],
            "Channels promised": [row.promised_channels for row in rows],
            "Channels built": [row.built.channels for row in rows],
            "Channels off (%)": [100 * (row.built.channels / row.promised_channels - 1) for row in rows],
            "Output (px)": [row.built.side for row in rows],
        }
    )


def stages(choice: Choice) -> None:
    """The table behind the stairs."""
    table = stage_table(choice)
    with st.expander(f"Table: {len(table)} stages, promised and built", key="stage_table"):
        st.dataframe(
            table, hide_index=True, height=min(460, 36 * (len(table) + 1) + 3),
            column_config={
                name: st.column_config.NumberColumn(format="%.2f") for name in ("Blocks promised", "Channels promised")
            } | {"Channels off (%)": st.column_config.NumberColumn(format="%+.1f")},
            alt=f"Blocks and channels of {len(table)} stages, promised and built",
        )  # fmt: skip


def formulas(choice: Choice, report: Report, reference: Report, convention: Convention) -> None:
    """Each rule with the current numbers."""
    st.subheader("How this is computed", anchor=False)
    rule, phi = choice.rule, choice.phi
    rows = stage_rows(choice.base, choice.design)
    deep = max((row for row in rows if row.base.scales), key=lambda row: row.built.blocks - row.promised_blocks)
    grown = [row for row in rows if row.base.scales]
    wide = max(grown, key=lambda row: abs(row.built.channels / row.promised_channels - 1))
    side = choice.base.resolution
    label, factor = lower(convention.compute_label), convention.compute(1)
    st.markdown(
        f"**Depth** of a stage = ⌈n · alpha^phi⌉, for example {deep.built.name}: ⌈{deep.base.blocks} × {rule.alpha:g}^"
        f"{phi:g}⌉ = ⌈{deep.promised_blocks:.2f}⌉ = **{deep.built.blocks} blocks**  \n"
        f"**Width** of a stage = c · beta^phi, rounded ({_rounding(choice.base)}), for example {wide.built.name}: "
        f"{wide.base.channels} × {rule.beta:.4g}^{phi:g} = {wide.promised_channels:.1f} → "
        f"**{wide.built.channels} channels**  \n"
        f"**Resolution** = r · gamma^phi, rounded: {side} × {rule.gamma:.4g}^{phi:g} = {side * rule.gamma**phi:.1f} → "
        f"**{choice.design.resolution} px**  \n"
        f"**Promised** {label} = (alpha · beta² · gamma²)^phi = {rule.factor:.4g}^{phi:g} = "
        f"**{times(rule.factor**phi)}**  \n"
        f"**Built** {label} = {exact(report.macs * factor)} / {exact(reference.macs * factor)} = "
        f"**{times(report.macs / reference.macs)}**"
    )
    st.markdown(plateaus(choice))
    st.caption(convention.text)


def _rounding(base: effviz.Design) -> str:
    rule = base.width_rule
    return "down" if rule.rounding == "down" else f"to a multiple of {rule.divisor}, at most 10 % down"


def plateaus(choice: Choice) -> str:
    """How far each multiplier can go without anything else being built."""
    base, design = choice.base, choice.design
    low, high = (end / base.depth_mult for end in depth_plateau(design))
    blocks, channels = built_body(design)
    depth, width, _ = choice.rule.multipliers(choice.phi)
    narrow, wide = (end / base.width_mult for end in width_plateau(design))
    told = f"Every depth multiplier in ({low:.4g}, {high:.4g}] builds the same {blocks} blocks"
    return (
        f"{told} (here {depth:.4g}); every width multiplier from {narrow:.4g} to {wide:.4g} the same channels "
        f"(here {width:.4g}), {exact(channels)} over all stages."
    )


def exercises(choice: Choice, report: Report) -> None:
    """Two predictions about the network on screen."""
    st.subheader("Try this", anchor=False)
    left, right = st.columns(2)
    with left:
        further = _built(choice, choice.phi + 1)
        if further is not None:
            parts.exercise(
                "step",
                f"phi goes from {choice.phi:g} to {choice.phi + 1:g}. The rule promises "
                f"{times(choice.rule.factor)} the multiply-adds. What factor is built?",
                "x",
                further.macs / report.macs,
                "Blocks are rounded up, channels to steps; stem, head and classifier do not grow with depth.",
                show=lambda value: f"x{value:.2f}",
            )
    with right:
        half = _built(choice, choice.phi + 0.5)
        if half is not None:
            body = built_body(choice.base)[0]
            parts.exercise(
                "blocks",
                f"The baseline has {body} blocks in its stages. How many are built at phi = {choice.phi + 0.5:g}?",
                "blocks",
                half.blocks,
                f"Not {body * choice.rule.alpha ** (choice.phi + 0.5):.1f}: every stage is rounded up by itself.",
                show=lambda value: f"{value:.0f} blocks",
            )


def _built(choice: Choice, phi: float) -> Swept | None:
    found = sweep(choice.base, choice.rule, [phi])
    return found[0] if found else None


def downloads(choice: Choice, convention: Convention) -> None:
    """CSV of the stairs, JSON of the network, and the link."""
    steps = ladder(choice)

    def csv() -> str:
        promised = [steps.promised(each.phi) for each in steps.built]
        table = pd.DataFrame(
            {
                "phi": [each.phi for each in steps.built],
                "Blocks promised": [each[0] for each in promised],
                "Blocks built": [each.blocks for each in steps.built],
                "Channels promised": [each[1] for each in promised],
                "Channels built": [each.channels for each in steps.built],
                "Resolution promised": [each[2] for each in promised],
                "Resolution built": [each.resolution for each in steps.built],
                f"{convention.compute_label} promised": [each[3] * convention.compute(1) for each in promised],
                f"{convention.compute_label} built": [convention.compute(each.macs) for each in steps.built],
                "Parameters": [each.params for each in steps.built],
                "Activations": [each.activations for each in steps.built],
            }
        )
        rule = choice.rule
        return (
            f"# {choice.name}, alpha {rule.alpha:g}, beta {rule.beta:g}, gamma {rule.gamma:g}. {convention.text}\n"
            f"{table.to_csv(index=False)}"
        )

    stem = parts.file_name("effviz", choice.base.name, f"phi{choice.phi:g}")
    with st.container(horizontal=True, gap="small"):
        parts.download("Stairs as CSV", csv, f"{stem}.csv")
        parts.download("Network as JSON", lambda: choice.design.to_json(indent=2), f"{stem}.json")
        parts.copy_link()


__all__ = ["Choice", "StageRow", "controls", "count", "headline"]
