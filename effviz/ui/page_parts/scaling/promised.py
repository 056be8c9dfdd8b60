"""Headline cards, promised against built sizes (the stairs and the table of stages), and downloads."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from effviz.advice.scaling import Swept, swept
from effviz.charts.scaling.promised import Count, stairs_charts
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Chart
from effviz.charts.width_depth import DrawnDesign, shapes_chart
from effviz.core.caches import remembered
from effviz.core.resolution import in_pixels
from effviz.core.units import percent
from effviz.count.report import Report
from effviz.studies.scaling import Pin, Stairs, pins, stage_rows, stairs
from effviz.studies.width_depth.designs import placed
from effviz.ui import playing
from effviz.ui.convention import Convention
from effviz.ui.page_parts.scaling.controls import SEARCHED, TARGET, UNNAMED, USUAL, VIEWS, Choice, count
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import Card, count_card
from effviz.ui.widgets.charts import chart_row
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.parts import is_open
from effviz.ui.widgets.tables import Column, Table, show_table

_EQUAL = 5e-4  # the card shows three decimals
_LANE = 54  # pixels of a network in the strip above the stairs


def cards(choice: Choice, report: Report, reference: Report, convention: Convention) -> list[Card]:
    """Make the cards of three counts relative to the baseline, and of the constraint."""
    found = []
    for quantity in ("macs", "params", "memory_access"):
        value, base = getattr(report, quantity), getattr(reference, quantity)
        note = f"Baseline: {choice.name}."
        if quantity == "macs":
            promised = times(choice.rule.factor**choice.phi)
            note = f"Promised factor: {promised}, built: {times(value / base)}. {note}"
        # Factors, as in the title of the chart: percentages of the same growth would be hard to compare with them.
        below = f"{times(value / base)} the baseline" if choice.phi else "φ = 0" if choice.named else "unscaled"
        found.append(count_card(convention, quantity, value, below=below, note=note))
    return [*found, _constraint_card(choice)]


def _constraint_card(choice: Choice) -> Card:
    rule, factor = choice.rule, choice.rule.factor
    off = factor / TARGET - 1
    help = (
        f"{rule.alpha:g} × {rule.beta:.4g}² × {rule.gamma:.4g}² = {factor:.4f}. Each step of φ promises this factor in "
        f"multiply-adds. The paper requires about 2. {SEARCHED}"
    )
    if abs(off) < _EQUAL:
        return Card("α · β² · γ²", f"{factor:.3f}", help, "equal to 2", key="constraint")
    below = f"{'+' if off > 0 else chr(0x2212)}{percent(abs(off))}"
    return Card("α · β² · γ²", f"{factor:.3f}", help, below, "2", key="constraint")


def _span(choice: Choice) -> tuple[int, int]:
    """Return the usual range of φ, or a wider one where φ is beyond it; without φ, up to two applications."""
    if not choice.named:
        return UNNAMED
    return int(min(USUAL[0], math.floor(choice.phi))), int(max(USUAL[1], math.ceil(choice.phi)))


def all_steps(choice: Choice) -> Stairs:
    """Build the networks over a range of φ."""
    return stairs(choice.base, choice.rule, *_span(choice))


@remembered
def _charts(
    steps: Stairs, now: Swept, released: tuple[Pin, ...], count: Count, look: Appearance, *, named: bool
) -> tuple[Chart, Chart]:
    return stairs_charts(steps, now, released, count, look, named=named)


def _pins(choice: Choice) -> tuple[Pin, ...]:
    return pins(choice.base, choice.rule) if choice.pinned else ()


def figures(choice: Choice, report: Report, convention: Convention, look: Appearance) -> dict[str, Chart]:
    """Draw promised and built sizes over φ, by the key of the chart."""
    now = swept(choice.phi, report)
    drawn = _charts(all_steps(choice), now, _pins(choice), count(convention), look, named=choice.named)
    strip = _strip(choice, drawn[0].title, look)
    columns = {f"stairs_{place}": chart for place, chart in enumerate(drawn)}
    return columns if strip is None else {"strip": strip} | columns


def _strip(choice: Choice, title: str, look: Appearance) -> Chart | None:
    """Draw the blocks of the baseline and of the built network; None for a network without repeated blocks."""
    networks = {choice.base.title: choice.base, f"φ = {choice.phi:g}" if choice.named else "Scaled": choice.design}
    drawn = []
    for name, design in networks.items():
        blocks = placed(design)
        channels = [each.channels for each in blocks]
        if not blocks:
            return None
        summary = f"{len(blocks)} blocks, {channels[0]} to {channels[-1]} channels, {in_pixels(design.resolution)}"
        drawn.append(DrawnDesign(name, summary, channels, [each.stage for each in blocks]))
    return replace(shapes_chart(drawn, drawn[-1].name, look, _LANE), title=title)


def promised_and_built(choice: Choice, report: Report, convention: Convention) -> None:
    """Show promised and built sizes over φ."""
    if playing.conceals("stairs_0"):
        return
    if calculated("Built sizes", stairs, choice.base, choice.rule, *_span(choice)) is None:
        return
    released = _pins(choice)
    charts = figures(choice, report, convention, look())
    if is_open(VIEWS[0]):
        # "Drawn to scale" shows the blocks, larger.
        charts.pop("strip", None)
    chart_row(charts, gap="small")
    more = "Every 1/40 of φ is counted."
    if released:
        more += " Each of B1 to B7 is at the φ that matches it in the dimension of the panel. B1 is not φ = 1."
    circles = " Circles: the released networks." if released else ""
    st.caption(f"Bars: blocks, as high as their channels. Dotted: promised. Solid: built.{circles}", help=more)


def stages(choice: Choice) -> None:
    """Show promised and built sizes by stage."""
    rows = [row for row in stage_rows(choice.base, choice.design) if row.built.channels > 1]
    columns = [
        Column("Stage", "built.name"),
        # The built sizes first: a phone shows two or three columns.
        Column("Blocks built", "built.blocks"),
        Column("Blocks promised", "promised_blocks"),
        Column("Blocks, baseline", "base.blocks"),
        Column("Channels built", "built.channels"),
        Column("Channels promised", "promised_channels"),
        Column("Channels, baseline", "base.channels"),
        Column("Channels off (%)", lambda row: 100 * (row.built.channels / row.promised_channels - 1), "%+.1f"),
        Column("Output (px)", "built.side"),
    ]
    table = Table(rows, columns, f"Blocks and channels of {len(rows)} stages, promised and built")
    show_table(table, key="stage_table", height=460)


def stairs_table(choice: Choice, convention: Convention) -> Table:
    """Make the table of promised and built sizes over φ."""
    steps, factor = all_steps(choice), convention.compute(1)

    def pair(name: str, attribute: str, place: int, scale: int = 1) -> list[Column]:
        return [
            Column(f"{name} promised", lambda each: steps.promised(each.phi)[place] * scale),
            Column(f"{name} built", lambda each: getattr(each, attribute) * scale),
        ]

    columns = [
        Column("phi", "phi"),
        *pair("Blocks", "blocks", 0),
        *pair("Channels", "channels", 1),
        *pair("Resolution", "resolution", 2),
        *pair(convention.compute_label, "macs", 3, factor),
        Column("Parameters", "params"),
        Column("Activations", "activations"),
    ]
    return Table(steps.built, columns, f"{len(steps.built)} values of phi, promised and built")


def files(choice: Choice, convention: Convention) -> None:
    """Show the downloads."""
    rule = choice.rule
    stem = file_name("effviz", choice.base.name, f"phi{choice.phi:g}")
    note = f"{choice.name}, alpha {rule.alpha:g}, beta {rule.beta:g}, gamma {rule.gamma:g}. {convention.text}"
    downloads(
        csv_file("Stairs", lambda: stairs_table(choice, convention), stem, note),
        json_file(choice.design, stem, "Network"),
    )
