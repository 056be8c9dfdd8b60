"""The parts of the page that holds latency against counts: what was measured here, what was printed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.latency import inversion_text, latency_scatter, predictor_bars
from effviz.core.units import ago, exact, lower, milliseconds, si
from effviz.measure.latency import Latency
from effviz.measure.runs import default_run
from effviz.studies.prediction import ENTRIES, PREDICTORS, Counts, Predictor, counts, inversions, predictors, ranks
from effviz.studies.printed_latency import latencies as printed_latencies
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts
from effviz.ui.widgets.measuring import Words, run_bar
from effviz.ui.widgets.parts import Card
from effviz.worker.limits import usable_cores

RANGES = {"all": None, "mobile": 1_000_000_000}
_RANGE_TEXT = {"all": "All", "mobile": "Below 1 G multiply-adds"}
ENOUGH = 3
REDRAW_S = 6.0
_WORDS = Words(
    nothing="Nothing measured yet in this environment. It takes two to five minutes, best on a machine at rest.",
    elsewhere="Being measured with another number of threads at the moment; starting here stops that.",
    things="Networks",
)
NONE = "none"
PRINTED = "Snapdragon 810 single thread. ShuffleNetV2 paper arXiv 1807.11164 Table 8"
HERE = "On this machine"


@dataclass(frozen=True)
class Options:
    """What the sidebar asks for.

    Attributes:
        column: the count on the axis, of `PREDICTORS`.
        most_macs: networks with fewer multiply-adds only; None for all.
        family: marked in the charts; empty for the most striking pair.
        threads: of torch.
        printed: device and source of the printed latencies.
    """

    column: str
    most_macs: int | None
    family: str
    threads: int
    printed: str


def controls() -> Options:
    """The sidebar."""
    column = links.choice(
        "Count", list(PREDICTORS), "by", default="macs", format_func=lambda name: _capital(PREDICTORS[name]),
        help="The count that latency is compared with. Activations are the outputs of convolutions.",
    )  # fmt: skip
    size = links.switch("Networks", list(RANGES), "size", default="all", format_func=_RANGE_TEXT.__getitem__)
    families = sorted({counts(entry).family for entry in ENTRIES})
    family = links.choice("Mark a family", [NONE, *families], "family", default=NONE)
    threads = links.integer(
        "Threads", "threads", default=1, minimum=1, maximum=usable_cores(),
        help="Of PyTorch, within one operation; at most the cores that this server may use.",
    )  # fmt: skip
    devices = list(printed_latencies()["where"].unique())
    printed = links.choice("Printed latencies", devices, "printed", default=PRINTED)
    return Options(column, RANGES[size], "" if family == NONE else family, threads, printed)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# --- Measured here -------------------------------------------------------------------------------------------------


def wanted(options: Options, convention: Convention) -> list[Counts]:
    """The counts of the networks that the page is about."""
    every = [counts(entry, convention.memory) for entry in ENTRIES]
    return [each for each in every if options.most_macs is None or each.macs < options.most_macs]


def measured(options: Options, convention: Convention) -> pd.DataFrame:
    """What was measured on this machine so far: counts, latency and its spread, one row per network."""
    known = default_run().latencies(options.threads)
    rows = [
        each._asdict() | {"latency_ms": latency.median_ms, "noisy": latency.noisy, "of": latency}
        for each in wanted(options, convention)
        if (latency := known.get(each.title)) is not None
    ]
    columns = [*Counts._fields, "latency_ms", "noisy", "of"]
    table = pd.DataFrame(rows, columns=columns)
    # Of all networks, those that are too large for the page's choice included.
    table.attrs["known"] = len(known)
    return table


def unit(options: Options, convention: Convention) -> tuple[int, str]:
    """Factor and axis label of the chosen count, in the bar's convention."""
    if options.column == "macs":
        return convention.compute(1), convention.compute_label
    if options.column == "params":
        return 1, "Parameters"
    name = _capital(PREDICTORS[options.column])
    return convention.size(1), f"{name} ({convention.memory_unit})"


def headline(table: pd.DataFrame, options: Options, convention: Convention) -> None:
    """How many, how well ordered, how far apart; each beside what multiply-adds give."""
    total = len(wanted(options, convention))
    cards = [Card("Networks measured", f"{len(table)} of {total}", live.machine(), _threads(options.threads))]
    if len(table) < ENOUGH:
        empty = "\N{EN DASH}", f"From {ENOUGH} measured networks on.", "not measured"
        cards += [Card(label, *empty) for label in ("Rank correlation", "Slowest", "Fastest", "Fastest over slowest")]
    else:
        found = {entry.column: entry for entry in predictors(table)}
        cards += _cards(table, found[options.column], found["macs"], unit(options, convention)[0])
    parts.cards(cards)


def _cards(table: pd.DataFrame, here: Predictor, macs: Predictor, factor: int) -> list[Card]:
    rates = table[here.column] / table["latency_ms"]
    slowest, fastest = table.loc[rates.idxmin(), "title"], table.loc[rates.idxmax(), "title"]
    # Every other count stands beside multiply-adds, which stand for themselves.
    other = here.column != "macs"
    meaning = f"By {here.label}."
    return [
        Card(
            "Rank correlation", f"{here.rank_correlation:.2f}",
            f"Spearman's, between {here.label} and latency: 1 if both give the networks the same order, 0 if they have "
            "nothing to do with each other.",
            f"multiply-adds: {macs.rank_correlation:.2f}" if other else f"of {len(table)} networks",
        ),
        Card("Slowest", f"{si(here.slowest * factor)}/s", meaning, slowest),
        Card("Fastest", f"{si(here.fastest * factor)}/s", meaning, fastest),
        Card(
            "Fastest over slowest", f"x{here.spread:.1f}", "1 if latency were proportional to the count.",
            f"multiply-adds: x{macs.spread:.1f}" if other else "1 if proportional",
        ),
    ]  # fmt: skip


def _threads(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def bar(options: Options, table: pd.DataFrame) -> None:
    """Start, pause, and how far the background measurement is; one row below the cards."""
    run_bar(default_run(), ENTRIES, options.threads, _WORDS, shown=table.attrs["known"], redraw_s=REDRAW_S)


def chart(table: pd.DataFrame, options: Options, convention: Convention) -> None:
    """The page's chart, and the pairs that multiply-adds order wrongly."""
    factor, label = unit(options, convention)
    if table.empty:
        with st.container(border=True, height=360, vertical_alignment="center", horizontal_alignment="center"):
            st.markdown("Latency against the chosen count, as soon as the first network is measured.")
        return
    pairs = inversions(table)
    marked = set(table.loc[table["family"] == options.family, "title"])
    if not options.family and pairs:
        marked = {pairs[0].heavy, pairs[0].light}
    span = [getattr(each, options.column) for each in wanted(options, convention)]
    look = parts.look()
    parts.show_chart(
        latency_scatter(table, options.column, factor, label, HERE, look, marked, (min(span), max(span))), "scatter"
    )
    if pairs:
        name = lower(convention.compute_label)
        named = " ".join(inversion_text(pair, name) for pair in pairs[:2])
        st.markdown(f"{len(pairs)} pairs of networks are faster the other way round than {name} say. {named}")


def predictor_chart(table: pd.DataFrame) -> None:
    """Which count comes closest."""
    if len(table) >= ENOUGH:
        parts.show_chart(predictor_bars(table, parts.look()), "predictors")


def show_table(table: pd.DataFrame, convention: Convention) -> None:
    """The numbers behind the chart."""
    st.subheader("Measured networks", anchor=False)
    shown = in_convention(table, convention)
    st.dataframe(
        shown,
        hide_index=True,
        height=min(320, 40 * (len(shown) + 1)),
        column_config={
            name: st.column_config.NumberColumn(format="localized" if shown[name].dtype.kind == "i" else "%.2f")
            for name in shown.columns
            if shown[name].dtype.kind in "if"
        },
        alt=f"{len(shown)} networks with counts, latency and its spread",
    )
    st.caption(
        f"Batch 1, float32, random weights, PyTorch as written. {live.machine()}. {convention.text} "
        "Activations: elements written by convolution and linear layers."
    )


def in_convention(table: pd.DataFrame, convention: Convention) -> pd.DataFrame:
    """The table as a reader sees it and takes it away."""
    of: list[Latency] = list(table["of"])
    size, memory = convention.size(1), convention.memory_unit
    speed = table["macs"] * convention.compute(1) / table["latency_ms"] / 1e6
    return pd.DataFrame(
        {
            "Network": table["title"],
            "Median (ms)": table["latency_ms"],
            convention.compute_label: table["macs"] * convention.compute(1),
            f"{convention.compute_label} per second (G)": speed,
            "Parameters": table["params"],
            f"Memory access ({memory})": table["memory_access"] * size,
            f"Activations ({memory})": table["activations"] * size,
            "90th percentile (ms)": [each.p90_ms for each in of],
            "IQR (ms)": [each.iqr_ms for each in of],
            "Runs": [each.runs for each in of],
            "Noise": [live.noise(each) for each in of],
            "Resolution (px)": table["resolution"],
            "Threads": [each.threads for each in of],
            "Age": [ago(each.age.total_seconds()) for each in of],
        }
    )


# --- Printed by others ---------------------------------------------------------------------------------------------


def printed(options: Options, convention: Convention) -> pd.DataFrame:
    """What a paper or a library prints for its device, drawn like what was measured here."""
    rows = printed_latencies()
    rows = rows[rows["where"] == options.printed].assign(noisy=False).reset_index(drop=True)
    device = rows["device"].iloc[0]
    pairs = inversions(rows)
    marked = {pairs[0].heavy, pairs[0].light} if pairs else set()
    parts.show_chart(
        latency_scatter(
            rows, "macs", convention.compute(1), convention.compute_label, f"Printed for {device}", parts.look(), marked
        ),
        "printed_chart",
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Network": rows["title"],
                "Latency (ms)": rows["latency_ms"],
                convention.compute_label: rows["macs"] * convention.compute(1),
                f"{convention.compute_label} are": rows["macs_by"],
                f"{convention.compute_label} per second (G)": rows["macs"]
                * convention.compute(1)
                / rows["latency_ms"]
                / 1e6,
                "What to know": rows["notes"],
                "Source": rows["source"],
            }
        ),
        hide_index=True,
        height=280,
        key="printed_table",
        column_config={
            convention.compute_label: st.column_config.NumberColumn(format="localized"),
            f"{convention.compute_label} per second (G)": st.column_config.NumberColumn(format="%.2f"),
            "What to know": st.column_config.TextColumn(width="large"),
        },
        alt=f"{len(rows)} latencies as printed for {device}",
    )
    st.caption(
        "Latencies as printed. Multiply-adds as printed beside them (rounded, and by the printer's convention); "
        "“counted” ones are effviz's, where none stand beside the latency."
    )
    return rows


# --- How, and what to try ------------------------------------------------------------------------------------------


def formulas(table: pd.DataFrame, options: Options, convention: Convention) -> None:
    """Speed of one network and the rank correlation, with the numbers of this machine."""
    st.subheader("How this is computed", anchor=False)
    factor, label = unit(options, convention)
    name = lower(label.partition(" (")[0])
    st.markdown(
        "Latency is the median over single runs of one forward pass, each timed alone after a warm-up. A line of equal "
        f"speed joins all points with the same {name} per second."
    )
    if len(table) < ENOUGH:
        st.markdown(
            "Rank correlation = Σ (r − r̄)(s − s̄) / √(Σ (r − r̄)² × Σ (s − s̄)²), where r ranks the networks by the count "
            "and s by latency."
        )
        return
    row = table.loc[(table[options.column] / table["latency_ms"]).idxmax()]
    amount, time = int(row[options.column]) * factor, float(row["latency_ms"])
    found = ranks(table, options.column)
    st.markdown(
        f"**Speed** of {row['title']} = {name} / latency  \n= {exact(amount)} / {milliseconds(time)}  \n"
        f"= **{si(amount / time * 1e3)}** per second"
    )
    st.markdown(
        "**Rank correlation** = Σ (r − r̄)(s − s̄) / √(Σ (r − r̄)² × Σ (s − s̄)²), where r ranks the networks by "
        f"{name} and s by latency  \n= {found.together:,.1f} / √({found.by_count:,.1f} × {found.by_latency:,.1f})  \n"
        f"= **{found.correlation:.3f}**"
    )


def exercises(table: pd.DataFrame, rows: pd.DataFrame, convention: Convention) -> None:
    """Two predictions: about this machine, and about the printed one."""
    st.subheader("Try this", anchor=False)
    name = lower(convention.compute_label)
    left, right = st.columns(2)
    with left:
        if len(table) < ENOUGH:
            st.markdown("The first question is about this machine: it appears when three networks are measured.")
        else:
            _ask(
                "here",
                "On this machine",
                table,
                name,
                "Depthwise layers and many small layers move much memory for few multiply-adds.",
            )
    with right:
        _ask(
            "printed", f"On {rows['device'].iloc[0]}", rows, name,
            "Another device, another order: which operations are fast depends on the library and on the chip.",
        )  # fmt: skip


def _ask(key: str, where: str, rows: pd.DataFrame, name: str, why: str) -> None:
    """How many times as long does the heavier of two networks take: the two whose speeds lie furthest apart."""
    rate = rows["macs"] / rows["latency_ms"]
    one, two = rows.loc[rate.idxmin()], rows.loc[rate.idxmax()]
    light, heavy = (one, two) if one["macs"] <= two["macs"] else (two, one)
    parts.exercise(
        key,
        f"{where}: {heavy['title']} has {heavy['macs'] / light['macs']:.1f} times the {name} of {light['title']}. "
        "How many times as long does it take?",
        "x",
        float(heavy["latency_ms"] / light["latency_ms"]),
        why,
        show=lambda value: f"x{value:.2f}",
    )


def downloads(table: pd.DataFrame, convention: Convention) -> None:
    """CSV of what was measured, with its conditions, and the link."""

    def csv() -> str:
        conditions = effviz.measure.latency.environment().items()
        known = ", ".join(f"{name}: {value}" for name, value in conditions if name != "threads")
        rows = in_convention(table, convention).to_csv(index=False)
        return f"# Latency of the zoo, batch 1. {known}. {convention.text}\n{rows}"

    with st.container(horizontal=True, gap="small"):
        if len(table):
            parts.download("Networks as CSV", csv, "effviz-latency.csv")
        parts.copy_link()
