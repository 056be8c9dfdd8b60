"""Results of the Architectures page: layers, formulas, exercises, downloads."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import streamlit as st

import effviz
from effviz.advice.budgets import Budget
from effviz.advice.smallest import smallest_resolution
from effviz.charts.architectures import StageMap, activation_timeline, kind_shares, stage_costs
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.core.resolution import compact_size, halved, in_pixels, scaled_resolution, sides, size_text
from effviz.core.text import search_text
from effviz.core.units import exact
from effviz.count.kinds import VIEW
from effviz.count.report import Report
from effviz.model.outline import stage_of
from effviz.model.shapes import out_shape
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import Choice
from effviz.ui.widgets.cards import Card, cached_report, report_cards
from effviz.ui.widgets.charts import Click, alive_measure, stage_measures
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file, report_file
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import layer_formulas
from effviz.ui.widgets.layers import layer_table
from effviz.ui.widgets.parts import KEY, is_open
from effviz.ui.widgets.tables import Pick, show_table, unpick
from effviz.ui.widgets.ways import find_link, studio_link

CHARTS = ("stages", "kinds", "timeline")
"""Keys of the charts on the page."""


def counts(choice: Choice, convention: Convention) -> tuple[Report, Report | None, list[Card]]:
    """Count the network, and the unscaled one where it differs; return both reports and the headline numbers.

    Raises:
        DesignError: the network cannot be built.
    """
    report = cached_report(choice.design, convention.memory)
    unscaled = cached_report(choice.baseline, convention.memory) if choice.scaled else None
    note = f"Unscaled: {choice.baseline_name}."
    cards = report_cards(convention, report, unscaled, against="unscaled", below={"params": "as published"}, note=note)
    return report, unscaled, cards


@remembered
def figures(report: Report, unscaled: Report | None, convention: Convention, look: Appearance) -> tuple[Chart, ...]:
    """Draw the costs by stage, the shares of the layer kinds, and the activation memory over time: `CHARTS`."""
    measures = stage_measures(convention)
    return (
        stage_costs(
            report.sums, measures, look, unscaled.sums if unscaled else None,
            [_maps(each) for each in (report, unscaled) if each is not None],
        ),
        kind_shares(report.sums, measures, look),
        activation_timeline(report.running, alive_measure(convention), look),
    )  # fmt: skip


def _maps(report: Report) -> dict[str, StageMap]:
    """Return the output of each stage, that of its last block; a vector is a map of one pixel."""
    shapes = ((stage_of(entry.path), out_shape(entry.block, entry.shape)) for entry in report.blocks)
    return {stage: StageMap(*(shape if len(shape) == 3 else (shape[0], 1, 1))) for stage, shape in shapes}


def layers(report: Report, convention: Convention) -> None:
    """Show the table of layers with a search; a selected row chooses the layer whose formulas are shown."""
    find = inputs.words("Search path, block, layer or kind", "find", placeholder="for example depthwise")
    rows = [row for row in report.rows if row.kind != VIEW]
    wanted = search_text(find)
    found = [row for row in rows if wanted in search_text(f"{row.path} {row.block} {row.layer} {row.kind}")]
    alt = f"{len(found)} of {len(rows)} layers of {report.design.title} with shapes and costs"
    # Other rows, or another explained layer, end the selection.
    pick = Pick("layer", tuple(row.path for row in found), (report.design.name, find, len(rows)))
    show_table(layer_table(found, convention, alt), key="layers", height=320, pick=pick)
    st.caption(
        f"{len(found)} of {len(rows)} layers; views such as flatten are left out. Sums over the whole network: "
        f"{exact(report.params)} parameters, {convention.exact('macs', report.macs)} {convention.compute_label}."
    )


def show_stage(report: Report) -> Callable[[Click], None]:
    """Return the function that opens the layers of a clicked stage."""

    def select(mark: Click) -> None:
        stage = unescape(str(mark.x))
        inside = any(row.path.startswith(f"{stage}.") for row in report.rows)
        links.assign("find", f"{stage}." if inside else stage, opens=not is_open("Layers"))
        links.assign(KEY, "Layers")

    return select


def formulas(report: Report, convention: Convention) -> None:
    """Show the formulas of the chosen layer: by default the one with the most multiply-adds."""
    rows = report.rows
    paths = [row.path for row in rows if row.kind != VIEW]
    heaviest = max(rows, key=lambda row: row.macs).path
    help = "Selecting a row of the table of layers has the same effect."
    path = inputs.following("Layer", paths, "layer", default=heaviest, on_change=unpick("layer"), help=help)
    layer_formulas(report, [row.path for row in rows].index(path), convention)


def questions(choice: Choice, report: Report) -> None:
    """Show two questions about the network on screen."""
    here = sides(report.resolution)
    smaller = min(here) // 2 >= smallest_resolution(choice.baseline)
    other = halved(report.resolution) if smaller else scaled_resolution(report.resolution, 2)
    moved = if_legal(lambda: effviz.analyze(choice.design, resolution=other))
    wide = if_legal(lambda: effviz.analyze(choice.design.scaled(width_mult=2.0)))
    exercises(
        None if moved is None else Exercise(
            "half",
            f"The resolution changes from {size_text(report.resolution)} to {in_pixels(other)}. What percentage of the "
            f"multiply-adds {'remains' if smaller else 'results'}?",
            "%",
            100 * moved.macs / report.macs,
            "The height and the width of every feature map change; the classifier and the parameters do not.",
        ),
        None if wide is None else Exercise(
            "double",
            "The width multiplier doubles. By what factor do the multiply-adds grow?",
            "×",
            wide.macs / report.macs,
            "A 1×1 convolution has twice the input and twice the output channels, which is a factor of 4. Depthwise "
            "layers and the stem, which reads the channels of the image, only double.",
        ),
    )  # fmt: skip


def files(report: Report, convention: Convention) -> None:
    """Show the downloads, and a link that opens the network in the studio."""
    design = report.design
    stem = file_name(
        "effviz", design.name, f"w{design.width_mult:g}", f"d{design.depth_mult:g}", compact_size(report.resolution)
    )
    note = f"{design.title}, {in_pixels(report.resolution)}. {convention.text}"
    with downloads(
        csv_file("Layers", lambda: layer_table(report.rows, convention), stem, note),
        json_file(design, stem),
        report_file(report, convention, stem),
    ):
        studio_link(design)
        cost = [Budget("macs", report.macs), Budget("params", report.params)]
        find_link(cost, convention.weight_format, "Find networks within this cost")
