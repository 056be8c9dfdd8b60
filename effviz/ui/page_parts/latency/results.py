"""Results of the Latency page: measurements on this machine against a count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace

import streamlit as st

from effviz.charts.latency import inversion_text, latency_scatter, predictor_dots
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import lower, percent, si
from effviz.measure.background import default_run
from effviz.measure.latency import environment
from effviz.measure.recorded import Recorded
from effviz.studies.prediction import (
    ENTRIES,
    Predictor,
    Row,
    highlights,
    inversions,
    predictors,
    row,
    speed_extremes,
)
from effviz.ui.convention import Convention
from effviz.ui.page_parts.latency.controls import Options
from effviz.ui.widgets import latency_words as words
from effviz.ui.widgets.cards import Card, show_cards
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.downloads import csv_file, downloads
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.measuring import Words, run_bar
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

ENOUGH = 3
REDRAW_S = 6.0
HERE = "On this machine"
_HIGHEST, _LOWEST = "Highest rate", "Lowest rate"
_NOISY = "A latency is noisy if the machine was busy during the measurement, or if the runs have a wide spread."
_WORDS = Words(
    nothing="Not measured on this machine yet. A full run takes three to eight minutes.",
    elsewhere="A run with another number of threads is in progress. Starting here stops it.",
    things="networks",
)


def selected(options: Options, convention: Convention) -> list[Row]:
    """Return titles and counts of the networks on the page."""
    every = (row(entry, convention.memory) for entry in ENTRIES)
    return [each for each in every if options.most_macs is None or each["macs"] < options.most_macs]


def measurements(options: Options, convention: Convention) -> list[Row]:
    """Return counts and latencies, one row per network; ``latency`` has the distribution.

    All are measured here, or all are recorded, see `ZooRun.shown`.
    """
    known = default_run().shown(options.threads, enough=ENOUGH)
    return [
        {**each, "latency_ms": latency.median_ms, "noisy": latency.noisy, "latency": latency}
        for each in selected(options, convention)
        if (latency := known.get(each["title"])) is not None
    ]


def recorded(rows: Sequence[Row]) -> Recorded | None:
    """Return one of the latencies, which has machine and date, if they are recorded ones; otherwise None."""
    first = rows[0]["latency"] if rows else None
    return first if isinstance(first, Recorded) else None


def place(rows: Sequence[Row]) -> str:
    """Name the machine of the latencies in a title."""
    found = recorded(rows)
    return f"Recorded on {found.where}" if found else HERE


def headline(rows: Sequence[Row], options: Options, convention: Convention) -> None:
    """Show the number of networks, the rank correlation and the extreme speeds."""
    total = len(selected(options, convention))
    threads = words.thread_text(options.threads)
    old = recorded(rows)
    label, machine = ("Recorded", old.where.replace("-", "\u2011")) if old else ("Measured", threads)
    number = Card(label, f"{len(rows)} of {total}", words.source(row["latency"] for row in rows), machine, named=True)
    if len(rows) < ENOUGH:
        empty = "\N{EN DASH}", f"Needs {ENOUGH} measured networks.", "not measured"
        cards = [Card(label, *empty) for label in ("Spread of rates", "Rank correlation", _HIGHEST, _LOWEST)]
    else:
        found = {entry.column: entry for entry in predictors(rows)}
        cards = _cards(rows, found[options.column], found["macs"], options.axis(convention)[0])
    show_cards([*cards, number])


def _cards(rows: Sequence[Row], here: Predictor, macs: Predictor, factor: int) -> list[Card]:
    slowest, fastest = (rows[place]["title"] for place in speed_extremes(rows, here.column))
    # Multiply-adds are the baseline of the other counts.
    other = here.column != "macs"
    meaning = f"{here.label.capitalize()} per second."
    return [
        Card(
            "Spread of rates", f"{here.spread:.1f}×", "Highest rate over lowest rate. It is 1 if latency is "
            "proportional to the count.",
            f"multiply-adds: {macs.spread:.1f}×" if other else "1 if proportional",
        ),
        Card(
            "Rank correlation", f"{here.rank_correlation:.2f}",
            f"Spearman's, between {here.label} and latency. It is 1 if both give the same order, and 0 if they are "
            "unrelated.",
            f"multiply-adds: {macs.rank_correlation:.2f}" if other else f"of {len(rows)} networks",
        ),
        Card(_HIGHEST, f"{si(here.fastest * factor)}/s", meaning, fastest, named=True),
        Card(_LOWEST, f"{si(here.slowest * factor)}/s", meaning, slowest, named=True),
    ]  # fmt: skip


def bar(options: Options) -> None:
    """Show the button and the progress of the background measurement."""
    # The number of all known networks, including those above the limit of the page.
    known = len(default_run().latencies(options.threads))
    run_bar(default_run(), ENTRIES, options.threads, _WORDS, shown=known, redraw_s=REDRAW_S)


def chart(rows: Sequence[Row], options: Options, convention: Convention) -> None:
    """Show latency against the count, and the pairs that multiply-adds order wrongly."""
    if not rows:
        st.caption("The chart appears after the first measurement.")
        return
    label = options.axis(convention)[1]
    times = tuple((each["title"], each["latency_ms"], each["noisy"]) for each in rows)
    source = f"{place(rows)}. Dotted: equal {lower(label.partition(' (')[0])} per second."
    note = f"{source} Hollow: noisy.\n{_NOISY}" if any(each["noisy"] for each in rows) else source
    show_chart(_scatter(times, place(rows), options, convention, look()), "scatter", note=note)
    pairs = inversions(rows)
    if pairs:
        name = lower(convention.compute_label)
        every = math.comb(len(rows), 2)
        count = f"{len(pairs):,} of {every:,} {'pair' if every == 1 else 'pairs'} ({percent(len(pairs) / every)})"
        # The title of the chart has the first one.
        examples = "".join(f" {inversion_text(pair, name)}." for pair in pairs[1:2])
        st.markdown(f"In {count}, the network with more {name} is faster.{examples}")


@remembered
def _scatter(
    times: tuple[tuple[str, float, bool], ...], where: str, options: Options, convention: Convention, look: Appearance
) -> Chart:
    """Draw the latencies, each a title with milliseconds and noise."""
    every = {each["title"]: each for each in selected(options, convention)}
    rows = [{**every[title], "latency_ms": median, "noisy": noisy} for title, median, noisy in times]
    factor, label = options.axis(convention)
    amounts = [each[options.column] for each in every.values()]
    span = (min(amounts), max(amounts))
    return latency_scatter(rows, options.column, factor, label, where, look, highlights(rows, options.family), span)


def predictor_chart(rows: Sequence[Row]) -> None:
    """Show how well each count predicts latency."""
    if len(rows) >= ENOUGH:
        show_chart(predictor_dots(rows, look()), "predictors")


def measured_table(rows: Sequence[Row], convention: Convention) -> Table:
    """Make the table behind the chart."""
    factor = convention.factor("macs")
    median, *spread = words.latency_columns()
    columns = [
        Column("Network", "title"),
        median,
        *count_columns(convention, ("macs",)),
        Column(f"{convention.compute_label} per second (G)", lambda each: factor * each.macs / each.latency_ms / 1e6),
        *count_columns(convention, ("params", "memory_access", "activations")),
        *spread,
        Column("Noise", lambda each: words.noise(each.latency)),
        Column("Resolution (px)", "resolution"),
        Column("Threads", "latency.threads"),
        Column("Age", lambda each: words.age(each.latency)),
    ]
    networks = [SimpleNamespace(**row) for row in rows]
    return Table(networks, columns, f"{len(networks)} networks with counts, latency and its spread")


def show_measured(rows: Sequence[Row], convention: Convention) -> None:
    """Show the numbers behind the chart, and their conditions."""
    if rows:
        show_table(measured_table(rows, convention), height=320)
    st.caption(
        f"Batch 1, float32, random weights, PyTorch without a compiler. {words.source(row['latency'] for row in rows)}."
    )


def files(rows: Sequence[Row], convention: Convention) -> None:
    """Show the CSV download with its conditions, and the link."""
    old = recorded(rows)
    conditions = old.environment if old else environment()
    known = ", ".join(f"{name}: {value}" for name, value in conditions.items() if name != "threads")
    date = f"Recorded on {old.measured_at[:10]}. " if old else ""
    note = f"Latency of the networks, batch 1. {date}{known}. {convention.text}"
    table = partial(measured_table, rows, convention)
    downloads(*([csv_file("Networks", table, "effviz-latency", note)] if rows else []))
