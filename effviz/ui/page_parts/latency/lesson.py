"""Published latencies, formulas and exercises of the Latency page."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import streamlit as st

from effviz.charts.depthwise import pair_chart
from effviz.charts.latency import latency_scatter
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.latex import number, words
from effviz.core.units import exact, lower, milliseconds, si
from effviz.studies.depthwise import side
from effviz.studies.prediction import Row, contrast, highlights, ranks, speed_extremes
from effviz.studies.printed_latency import devices
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.latency.controls import Options
from effviz.ui.page_parts.latency.results import ENOUGH, place, recorded
from effviz.ui.widgets import exercise
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.exercise import Exercise
from effviz.ui.widgets.formula import formula
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.live_latency import HERE as HERE_LABEL
from effviz.ui.widgets.live_latency import RECORDED
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table
from effviz.zoo import ARCHITECTURES, architecture

_CORRELATION = r"\dfrac{\sum (r - \bar r)(s - \bar s)}{\sqrt{\sum (r - \bar r)^2 \cdot \sum (s - \bar s)^2}}"


@remembered
def _scatter(where: str, factor: int, label: str, look: Appearance) -> Chart:
    rows = devices()[where]
    machine = f"Published for {rows[0]['device']}"
    return latency_scatter(rows, "macs", factor, label, machine, look, highlights(rows))


def published(options: Options, convention: Convention) -> None:
    """Show the latencies that a paper or a library publishes for a device."""
    rows, factor, label = devices()[options.device], convention.factor("macs"), convention.compute_label
    show_chart(_scatter(options.device, factor, label, look()), "printed_chart")
    columns = [
        Column("Network", "title"),
        Column("Latency (ms)", "latency_ms"),
        *count_columns(convention, ("macs",)),
        Column(f"{label} are", "macs_by", help="Published with the latency, elsewhere in the paper, or counted here."),
        Column(f"{label} per second (G)", lambda each: factor * each.macs / each.latency_ms / 1e6),
        Column("Notes", "notes", width="large"),
        Column("Source", "source"),
    ]
    alt = f"{len(rows)} latencies as published for {rows[0]['device']}"
    table = Table([SimpleNamespace(**row) for row in rows], columns, alt)
    show_table(table, key="printed_table", height=280)
    st.caption(
        "Latencies and multiply-adds are as published, rounded and by the source's convention.",
        help="Multiply-adds marked “counted” are effviz's, because the source has none.",
    )


def depthwise(rows: Sequence[Row], convention: Convention) -> None:
    """Compare two networks by their depthwise layers, which have few multiply-adds and much memory access."""
    with st.container(horizontal=True):
        names = [
            inputs.choice(label, list(ARCHITECTURES), key, default=default, format_func=_network, width=280)
            for label, key, default in (("Network", "one", "mobilenet_v1"), ("Compared with", "two", "mobilenet_v2"))
        ]
    first, second = (side(name, convention.memory) for name in names)
    known = {row["title"]: row["latency_ms"] for row in rows}
    times = known.get(first.title), known.get(second.title)
    label = RECORDED if recorded(rows) else HERE_LABEL
    note = "Held equal: one image of the published resolution, batch 1, float32, one run after another."
    show_chart(pair_chart(first, second, times, label, look()), "pair", note=note)
    st.markdown(
        "A depthwise layer multiplies each value it reads only a few times. On a processor with fast arithmetic, "
        "memory then limits its speed, and a network with more of them can be slower than its multiply-adds suggest."
    )
    columns = [
        Column("Network", "title"),
        *count_columns(convention, ("macs", "memory_access"), row="report"),
        Column("Depthwise layers", "layers"),
        Column(f"Depthwise, {lower(convention.compute_label)}", lambda row: convention.compute(row.macs)),
        Column(f"Depthwise, memory access ({convention.memory_unit})", lambda row: convention.size(row.access)),
        Column(f"{label} (ms)", lambda row: known.get(row.title), "%.1f"),
    ]
    show_table(Table([first, second], columns, "Two networks with their depthwise layers"))


@remembered
def _network(name: str) -> str:
    return architecture(name).title


def formulas(rows: Sequence[Row], options: Options, convention: Convention) -> None:
    """Show speed and rank correlation, with the numbers of this machine."""
    factor, label = options.axis(convention)
    name = lower(label.partition(" (")[0])
    st.markdown(
        "Latency is the median over runs of one forward pass. Every run is timed separately, after a warm-up. All "
        f"points on a dotted line have the same {name} per second."
    )
    if len(rows) < ENOUGH:
        st.markdown(f"**Rank correlation**  \n$= {_CORRELATION}$  \n$r$ ranks the networks by {name}, $s$ by latency.")
        return
    row = rows[speed_extremes(rows, options.column)[1]]
    amount, time = row[options.column] * factor, row["latency_ms"]
    formula(
        f"Speed of {row['title']}", rf"\dfrac{{{words(name)}}}{{\text{{latency}}}}",
        rf"\dfrac{{{number(exact(amount))}}}{{{words(milliseconds(time))}}}", si(amount / time * 1e3), "per second",
    )  # fmt: skip
    found = ranks(rows, options.column)
    together, by_count, by_latency = (number(f"{value:,.1f}") for value in found[:3])
    numbers = rf"\dfrac{{{together}}}{{\sqrt{{{by_count} \cdot {by_latency}}}}}"
    formula("Rank correlation", _CORRELATION, numbers, f"{found.correlation:.3f}")
    st.caption(f"$r$ ranks the networks by {name}, $s$ by latency.")


def exercises(rows: Sequence[Row], options: Options, convention: Convention) -> None:
    """Show two predictions: about this machine, and about the published device."""
    published, name = devices()[options.device], lower(convention.compute_label)
    here = None
    if len(rows) >= ENOUGH:
        why = "Depthwise layers and many small layers access much memory for few multiply-adds."
        here = _question("here", place(rows), rows, name, why)
    why = "Another device gives another order. Library and hardware determine which operations are fast."
    there = _question("printed", f"On {published[0]['device']}", published, name, why)
    exercise.exercises(*([here, there] if here else [there]))
    if here is None:
        st.caption(f"A question about this machine appears after {ENOUGH} measurements.")


def _question(key: str, where: str, rows: Sequence[Row], name: str, why: str) -> Exercise:
    pair = contrast(rows)
    question = (
        f"{where}: {pair.heavy} has {pair.more_macs:.1f} times the {name} of {pair.light}. "
        "How many times as long does it take?"
    )
    return Exercise(key, question, "×", pair.longer, why)
