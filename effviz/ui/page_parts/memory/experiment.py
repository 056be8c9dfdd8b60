"""The paper's experiment, measured on this CPU beside the published speeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from effviz.charts.memory.speed import Machine, contradiction, speed_dots
from effviz.core.units import percent
from effviz.count.report import Report
from effviz.measure.background import guideline_run
from effviz.measure.latency import Latency
from effviz.measure.recorded import Recorded
from effviz.studies.guidelines.access import DEVICES, SOURCE
from effviz.studies.guidelines.experiments import Case, column, macs_deviation, printed_speeds
from effviz.ui import playing
from effviz.ui.convention import Convention
from effviz.ui.page_parts.memory.controls import Options
from effviz.ui.widgets import latency_words as words
from effviz.ui.widgets.cards import Card, cached_report
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.measuring import Words, run_bar
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_CHART = "experiment"
_WORDS = Words(
    nothing="The paper's networks, not measured here yet. It takes up to a minute, best on an idle machine.",
    elsewhere="Another column is being measured. Starting this one stops it.",
    things="bars",
)


@dataclass(frozen=True)
class Experiment:
    """One column of a table of the paper, measured here and as published.

    Attributes:
        guideline: a key of `effviz.studies.guidelines.GUIDELINES`.
        cases: of the column; the first one is the baseline.
        latencies: measured here or all recorded, by the title of the case.
        here: their speeds, by label.
        printed: published speeds, by device.
        chosen: label of the case with the settings of the controls, or else of the last one.
    """

    guideline: str
    cases: list[Case]
    latencies: Mapping[str, Latency]
    here: Machine
    printed: Mapping[str, Machine]
    chosen: str

    @property
    def labels(self) -> list[str]:
        """Labels of the cases."""
        return [case.label for case in self.cases]

    @property
    def relative(self) -> dict[str, float]:
        """Measured speeds relative to the first case; empty until that one is measured."""
        return self.here.relative(self.labels[0])


def experiment(options: Options) -> Experiment:
    """Look up the measurements of the chosen column and the published ones."""
    guideline = options.shape.guideline
    cases = column(guideline, options.device, options.scale)
    # A speed needs two latencies, since it is relative to the first case.
    known = guideline_run().shown(options.threads, cases, enough=2)
    found = {case.label: known[case.title] for case in cases if case.title in known}
    old = next((latency for latency in found.values() if isinstance(latency, Recorded)), None)
    here = Machine(
        f"Recorded, {old.where}" if old else "Here", "images/s",
        {label: 1000 / latency.median_ms for label, latency in found.items()},
        frozenset(label for label, latency in found.items() if latency.noisy), quiet=old is not None,
    )  # fmt: skip
    printed = {}
    for device in DEVICES:
        speeds, unit = printed_speeds(cases, device)
        printed[device] = Machine(f"{device} (paper)", unit, speeds)
    label = options.shape.label
    chosen = label if label in [case.label for case in cases[1:]] else cases[-1].label
    return Experiment(guideline, cases, known, here, printed, chosen)


def speed_card(run: Experiment) -> Card:
    """Make the card of the measured speed of the chosen case."""
    first, chosen = run.labels[0], run.chosen
    meaning = f"Images per second of {chosen} relative to {first}"
    label, badge = ("Speed", "recorded") if run.here.quiet else ("Speed here", "")
    if chosen not in run.relative:
        return Card(label, "\N{EN DASH}", f"{meaning}, available once both are measured.", "not measured", key="speed")
    doubt = " At least one of the two measurements is noisy." if {chosen, first} & run.here.noisy else ""
    against = {"1 fragment": "one", "ReLU and shortcut": "both"}.get(first, first)
    where = f" {words.source(run.latencies.values())}." if run.here.quiet else ""
    text, help = f"{run.relative[chosen]:.2f}×", f"{meaning}.{doubt}{where}"
    return Card(label, text, help, chosen, against, badge=badge, key="speed")


def measurement_bar(run: Experiment, threads: int) -> None:
    """Show the button and the progress of the measurement of this column."""
    if playing.conceals(_CHART):
        return
    run_bar(guideline_run(), run.cases, threads, _WORDS, shown=len(guideline_run().latencies(threads, run.cases)))


def experiment_chart(run: Experiment, convention: Convention) -> None:
    """Show measured and published speeds, each relative to its first case."""
    chart = speed_dots(run.guideline, run.labels, [run.here, *run.printed.values()], look())
    noisy = f"Hollow marks: noisy measurements, {len(run.here.noisy)} of {len(run.labels)}." if run.here.noisy else ""
    access = {case.label: cached_report(case.design, convention.memory).memory_access for case in run.cases}
    show_chart(chart, _CHART, note=f"{contradiction(run.here, access)} {noisy}".strip())


class _Row(NamedTuple):
    case: Case
    report: Report
    latency: Latency | None


def experiment_table(run: Experiment, convention: Convention) -> Table:
    """Make the table of the column's networks, with absolute and relative speeds."""
    rows = [
        _Row(case, cached_report(case.design, convention.memory), run.latencies.get(case.title)) for case in run.cases
    ]

    def speed(values: Mapping[str, float]) -> Any:
        return lambda row: values.get(row.case.label)

    columns = [
        Column("Case", "case.label"),
        Column("Channels", "case.widths"),
        Column(f"{run.here.name} (images/s)", speed(run.here.speeds), "%.4g"),
        Column(f"{run.here.name}, relative", speed(run.relative)),
    ]
    for device, machine in run.printed.items():
        columns += [
            Column(f"{device} ({machine.unit})", speed(machine.speeds), "%.4g"),
            Column(f"{device}, relative", speed(machine.relative(run.labels[0]))),
        ]
    columns += [
        *count_columns(convention, ("macs", "memory_access"), row="report"),
        *words.latency_columns(),
        Column("Noise", lambda row: words.noise(row.latency) if row.latency else ""),
        Column("Age", lambda row: words.age(row.latency) if row.latency else ""),
        Column("Source", "case.design.source"),
    ]
    alt = f"{len(rows)} networks of table {run.guideline[1]} of the paper, with measured and published speeds"
    return Table(rows, columns, alt)


def show_networks(run: Experiment, convention: Convention) -> None:
    """Show the networks of the column with their speeds, and how they differ from the published ones."""
    show_table(experiment_table(run, convention))
    st.caption(" ".join(_notes(run, convention)))


def _notes(run: Experiment, convention: Convention) -> list[str]:
    scale = run.cases[0].scale
    widths = {device: column(run.guideline, device, scale)[0].widths for device in DEVICES}
    here, other = run.cases[0].device, next(device for device in DEVICES if device != run.cases[0].device)
    deviation = macs_deviation(run.cases)
    notes = [
        "Ten blocks on a 56 × 56 map, no batch norm, batch 1, float32, random weights.",
        f"This is measured with the {here} widths. The paper's {other} figures are for other widths, {widths[other]} "
        "in the first row."
        if widths[here] != widths[other]
        else "The paper uses the same widths on both devices.",
        f"{convention.compute_label} differ from the first row by at most {percent(deviation)}, because of rounding."
        if deviation
        else f"{convention.compute_label} are equal.",
    ]
    notes += [
        f"{case.label}: {case.widths}, because the published {case.printed_widths} channels are not divisible by the "
        "number of groups."
        for case in run.cases
        if case.printed_widths
    ]
    if run.guideline == "G3":
        notes.append(r"Parallel fragments are added. Widths are $c / \sqrt{n}$, rounded.")
    if run.guideline == "G4":
        notes.append("The paper states only c. The block has c / 4 channels inside, as in ResNet.")
    printed = ", ".join(f"{device}: {name}" for device, name in DEVICES.items())
    notes.append(f"Published speeds: {SOURCE}, table {run.guideline[1]} ({printed}, GPU batch size not stated).")
    return [*notes, f"{'' if run.here.quiet else 'Here: '}{words.source(run.latencies.values())}."]
