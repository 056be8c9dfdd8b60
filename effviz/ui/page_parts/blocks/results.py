"""Results of the Building blocks page: cards, cost, formulas, comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from effviz.charts.blocks.cost import BlockMeasure, block_costs, side_by_side
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.latex import latex, sentence
from effviz.core.units import change, lower, milliseconds, percent, three_digits
from effviz.count.report import Report
from effviz.measure.latency import Latency
from effviz.model.layers import shape_text
from effviz.studies import blocks as lesson
from effviz.studies.closed_forms import closed_forms, shown
from effviz.ui.convention import Convention
from effviz.ui.page_parts.blocks.controls import Choice
from effviz.ui.widgets.cards import COUNTED, Card, cached_report, report_cards
from effviz.ui.widgets.charts import kind_legend, show_chart, stage_measures
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_grid, formula_text, signed
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.layers import layer_table
from effviz.ui.widgets.live_latency import HERE, RECORDED, Reading
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_QUANTITIES = {"macs": "Multiply-adds", "params": "Parameters", "ratio": "Ratio of multiply-adds"}


def cards(report: Report, convention: Convention) -> list[Card]:
    """Make the cards of the block's cost."""
    compute = convention.compute(report.macs)
    below = {
        "params": f"{three_digits(compute / max(report.params, 1))} {lower(convention.compute_label)} each",
        "macs": f"{compute / max(report.memory_access, 1):.3g} per element moved",
        "peak_activation": f"output {lesson.output_text(report)}",
    }
    return report_cards(convention, report, below=below)


def costs(choice: Choice, report: Report, convention: Convention) -> None:
    """Show the cost of each part of the block."""
    chart, kinds = costs_figure(report, choice.title, convention, look())
    show_chart(chart, "sublayers", legend=kind_legend(kinds))


@remembered
def costs_figure(report: Report, title: str, convention: Convention, look: Appearance) -> tuple[Chart, list[str]]:
    """Draw the cost of each part of a block; return the layer kinds, too."""
    sums = lesson.sublayer_sums(report)
    return block_costs(sums, title, stage_measures(convention), look), [kind for _, kind in sums]


def formulas(report: Report, convention: Convention) -> None:
    """Show the formulas of the papers, and the terms between them and the exact count."""
    exact = ":small[Exact: counted layer by layer from the built block.]"
    formula_grid([*_formulas(report), exact])


@remembered
def _formulas(report: Report) -> list[str]:
    """Write the formulas, which are shown as one text: a message for each would cost more than the text."""
    entry = report.blocks[0]
    forms = closed_forms(entry.block, entry.shape)
    if not forms:
        return ["No paper prints a formula for this block. Exact counts are sums over its layers."]
    texts = []
    for form in forms:
        terms = [(signed(term.value), sentence(term.label)) for term in form.terms]
        name = f"{_QUANTITIES[form.quantity]}, {form.what}"
        written = formula_text(
            name, latex(form.symbols), latex(form.numbers), shown(form.exact), "counted",
            before=shown(form.value) if terms else "", terms=terms,
        )  # fmt: skip
        texts.append(f"{written}  \n:small[{sentence(form.where)}. {form.source}.]")
    return texts


@dataclass(frozen=True)
class Compared:
    """One block of the comparison."""

    title: str
    report: Report
    latency: Latency | None


def compared(choice: Choice, others: Sequence[Choice], reading: Reading, convention: Convention) -> list[Compared]:
    """Return the block on screen and the others with their reports and measured latencies."""
    return [
        Compared(each.title, cached_report(each.design, convention.memory), latency)
        for each, latency in zip([choice, *others], reading.shown, strict=True)
    ]


def comparison(rows: Sequence[Compared], convention: Convention) -> None:
    """Show the costs of other blocks as multiples of the block on screen."""
    if len(rows) > 1:
        times = tuple(row.latency.median_ms if row.latency else None for row in rows)
        titles, reports = tuple(row.title for row in rows), tuple(row.report for row in rows)
        label = RECORDED if any(row.latency and row.latency.is_recorded for row in rows) else HERE
        chart = _side_by_side(titles, reports, times, label, convention, look())
        show_chart(chart, "side_by_side", note=_held_equal(rows))


@remembered
def _side_by_side(
    titles: tuple[str, ...], reports: tuple[Report, ...], times: tuple[float | None, ...], label: str,
    convention: Convention, look: Appearance,
) -> Chart:  # fmt: skip
    sides = [
        BlockMeasure(
            convention.label(quantity),
            [convention.value(quantity, getattr(report, quantity)) for report in reports],
            [convention.show(quantity, getattr(report, quantity)) for report in reports],
        )
        for quantity in COUNTED
    ]
    texts = [milliseconds(time) if time is not None else "not measured" for time in times]
    outputs, inside = map(lesson.output_text, reports), map(lesson.inner_channels, reports)
    return side_by_side(
        titles, [*sides, BlockMeasure(label, times, texts)], look, outputs=list(outputs), inside=list(inside)
    )  # fmt: skip


def _held_equal(rows: Sequence[Compared]) -> str:
    """Say in one line what the blocks of the comparison have in common, and which of them have another output."""
    outputs = [lesson.output_text(row.report) for row in rows]
    entry = rows[0].report.blocks[0]
    other = [f"{row.title} ({output})" for row, output in zip(rows, outputs, strict=True) if output != outputs[0]]
    equal = f"Held equal: input {shape_text(entry.shape)}"
    return f"{equal}. Other output: {', '.join(other)}." if other else f"{equal}, output {outputs[0]}."


def comparison_table(rows: Sequence[Compared], convention: Convention) -> None:
    """Show exact counts and measured latency of the blocks."""
    params, macs, *memory = count_columns(convention, row="report")
    first = rows[0]
    versus = Column(
        f"vs {first.title}", lambda row: "" if row is first else _versus(row.report.macs, first.report.macs)
    )
    columns = [
        Column("Block", "title"),
        Column("Output", lambda row: lesson.output_text(row.report)),
        params,
        macs,
        *([versus] if len(rows) > 1 else []),
        *memory,
        Column("Latency (ms)", lambda row: row.latency.median_ms if row.latency else None, "%.3f"),
    ]
    show_table(Table(rows, columns, f"{plural(len(rows), 'block')} at the same input with exact counts"))
    st.caption(
        "All blocks have the input on screen. Blocks that keep or derive their width have another output. “Measure "
        "latency” measures all of them."
    )


def _versus(macs: int, base: int) -> str:
    return change(macs, base) if base else ""


def questions(choice: Choice, report: Report, convention: Convention) -> None:
    """Show two questions about the block on screen."""
    exercises(_doubled(choice, report, convention), _heaviest(report, convention))


def _doubled(choice: Choice, report: Report, convention: Convention) -> Exercise | None:
    place = choice.place
    wide = replace(place, in_channels=2 * place.in_channels, out_channels=2 * place.out_channels)
    values = lesson.settle(choice.name, wide, choice.values)
    if lesson.problem(choice.name, wide, values):
        return None
    doubled = cached_report(lesson.design(choice.name, wide, values), convention.memory)
    name = lower(convention.compute_label)
    return Exercise(
        "wide",
        f"{choice.title}: input and output channels double. By what factor do the {name} grow?",
        "×",
        doubled.macs / max(report.macs, 1),
        "Layers that connect every channel with every other grow by a factor of 4, depthwise layers by 2.",
    )


def _heaviest(report: Report, convention: Convention) -> Exercise:
    name = lower(convention.compute_label)
    depthwise = lesson.depthwise_shares(report)
    if depthwise is not None:
        return Exercise(
            "share",
            f"The depthwise layer takes {percent(depthwise.macs)} of the {name}. What percentage of the memory access "
            "cost does it take?",
            "%",
            100 * depthwise.memory_access,
            "It has few weights, but it reads and writes a whole feature map.",
        )
    path, macs = lesson.heaviest_layer(report)
    return Exercise(
        "largest",
        f"What percentage of the {name} does the most expensive layer of this block take?",
        "%",
        100 * macs / max(report.macs, 1),
        f"It is {path}.",
    )


def files(choice: Choice, report: Report, convention: Convention) -> None:
    """Show the downloads: the layers and the block."""
    stem = file_name("effviz", choice.name, str(choice.place.in_channels), str(choice.place.out_channels))
    note = f"{choice.title}. {convention.text}"
    downloads(
        csv_file("Layers", lambda: layer_table(report.rows, convention), stem, note),
        json_file(choice.design, stem),
    )
