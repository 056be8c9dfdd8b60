"""Live latency: the network on screen, timed on this CPU, with its conditions, spread and age.

A page shows the conditions outside its moving part, and the latency with its headline numbers::

    conditions = live.conditions()
    ...
    live.headline(cards, design, [baseline] if scaled else [], conditions, "unscaled" if scaled else "")

A page that shows latencies elsewhere too calls `read`, `show_cards` and `bar` itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

import effviz
from effviz.charts.sentences import times
from effviz.core.text import html_text
from effviz.core.units import milliseconds
from effviz.measure.latency import Latency, LatencyError, Measurement, cached, fingerprint, request
from effviz.measure.recorded import Recorded, compared
from effviz.ui import inputs, links, playing, runs
from effviz.ui.convention import Convention
from effviz.ui.widgets.cards import Card, show_cards
from effviz.ui.widgets.jobs import DESK, live_part, polled, progress_text, visitor, visitor_address
from effviz.ui.widgets.latency_words import (
    TOO_NOISY,
    age,
    difference,
    latency_columns,
    machine,
    noise,
    summary,
    thread_text,
)
from effviz.ui.widgets.tables import Column, Table, show_table, size_cell
from effviz.worker.limits import ITEMSIZE, MAX_BATCH, eager_peak, usable_cores
from effviz.worker.manager import Ticket

PURPOSE = "latency"
HERE, RECORDED = "Latency here", "Recorded latency"
"""Labels of latencies; a card has the word "recorded" in its badge."""
PART = "latency_part"
"""Key of the live part with the headline numbers."""
MAX_HISTORY = 50
# All visitors share one torch process. Longer measurements are possible from Python.
TIMEOUT_S = 60.0
_REQUESTED = "_live_requested"
_AGAIN = "_live_again"
_SHOWN = "_live_shown"
_HISTORY = "_live_history"
_CANCELLED = "_live_cancelled"


@dataclass(frozen=True)
class Conditions:
    """Conditions of a measurement.

    Attributes:
        threads: of torch.
        batch_size: images in one run.
        dtype: of weights and activations.
        auto: whether to measure after every change.
    """

    threads: int = 1
    batch_size: int = 1
    dtype: str = "float32"
    auto: bool = False

    @property
    def text(self) -> str:
        """Conditions in a few words."""
        return f"{thread_text(self.threads)}, batch {self.batch_size}, {self.dtype}"

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for `effviz.measure.latency`."""
        found = asdict(self)
        del found["auto"]
        return found


@dataclass(frozen=True)
class Reading:
    """Known latencies of the network on screen and of its baselines.

    Attributes:
        latency: of this network under these conditions; None if it is not measured.
        others: of the networks to compare with; None where not measured.
        stale: the last one shown on this page, of another network or other conditions.
        ticket: of the measurement while it is queued or running.
        error: why the measurement failed, a sentence; empty otherwise.
        shown: latencies for a comparison, first of this network, then of the others: measured here or all recorded,
            see `effviz.measure.recorded.compared`. Empty where the recorded ones do not matter.
    """

    latency: Latency | None
    others: tuple[Latency | None, ...]
    stale: Latency | None
    ticket: Ticket | None = None
    error: str = ""
    shown: tuple[Latency | None, ...] = ()

    @property
    def reference(self) -> Latency | None:
        """Latency of the first of the others, the baseline of the card."""
        return self.others[0] if self.others else None

    @property
    def recorded(self) -> Recorded | None:
        """The recorded latency of this network, if that is the one shown."""
        first = self.shown[0] if self.shown else None
        return first if isinstance(first, Recorded) else None

    @property
    def label(self) -> str:
        """Name of the latencies shown, on screen."""
        return RECORDED if self.recorded else HERE


def threads_control() -> int:
    """Show the control for the number of torch threads."""
    return inputs.integer(
        "Threads", "threads", default=1, minimum=1, maximum=usable_cores(),
        help="Threads of PyTorch within one operation; at most the cores that this server may use.",
    )  # fmt: skip


def conditions() -> Conditions:
    """Show the last part of the sidebar, outside the moving part of the page: the conditions of measurements."""
    with st.sidebar:
        st.subheader("Latency on this CPU", anchor=False)
        left, right = st.columns(2)
        with left:
            threads = threads_control()
        with right:
            batch_size = inputs.integer(
                "Batch size", "batch", default=1, minimum=1, maximum=MAX_BATCH, help="Images in one run."
            )
        dtype = inputs.switch("Number format", list(ITEMSIZE), "dtype", default="float32")
        auto = inputs.flag("Measure after every change", "auto")
    return Conditions(threads, batch_size, dtype, auto)


def read(design: effviz.Design, others: Sequence[effviz.Design], conditions: Conditions) -> Reading:
    """Return known latencies and start a requested measurement: of this network first, then of the others.

    Args:
        design: the network on screen.
        others: networks to compare with; the first is the baseline of the card.
        conditions: conditions from the sidebar.
    """
    state, options = st.session_state, conditions.options
    current = fingerprint(design, **options)
    if state.get(_REQUESTED) != current:
        state.pop(_REQUESTED, None)
        state.pop(_AGAIN, None)
    ticket, error = None, ""
    while True:
        found = cached(design, **options)
        known = tuple(cached(other, **options) for other in others)
        wanted = None
        if conditions.auto or _REQUESTED in state:
            missing = [other for other, latency in zip(others, known, strict=True) if latency is None]
            wanted = design if found is None or _AGAIN in state else missing[0] if missing else None
        if wanted is None:
            DESK.leave(visitor(), PURPOSE)
            state.pop(_REQUESTED, None)
            break
        ticket, error = _measure(wanted, options)
        if ticket is not None or error:
            break
        if wanted is design:
            state.pop(_AGAIN, None)
            _note(design, options)
    page, shown = state.get(_SHOWN, ("", None))
    if found is not None:
        state[_SHOWN] = links.current_page(), found.to_dict()
    # A value from another page is not an earlier value of this one.
    outdated = found is None and page == links.current_page()
    stale = Latency.from_dict(shown) if outdated else None
    return Reading(found, known, stale, ticket, error, tuple(compared([design, *others], **options)))


def _measure(design: effviz.Design, options: dict[str, Any]) -> tuple[Ticket | None, str]:
    """Return the ticket of a pending measurement, or the error of a failed one; neither once it is done."""
    name = fingerprint(design, **options)
    press = st.session_state.get(_AGAIN)
    # Visitors share measurements, except after "Measure again".
    key = f"{name} {visitor()} {press}" if press else name

    def start() -> Ticket:
        # keep_all: the visitor's older measurement may have others who wait for it.
        return request(
            design, owner=visitor(), address=visitor_address(), keep_all=True, timeout_s=TIMEOUT_S, **options
        ).ticket

    # Before the desk is locked, because it can take long.
    eager_peak(design, design.resolution)
    ticket = DESK.take(visitor(), PURPOSE, key, start)
    if not ticket.ended:
        return ticket, ""
    try:
        Measurement(ticket, design, design.resolution, **options).result()
    except (effviz.DesignError, LatencyError) as error:
        return None, f"{design.title} was not measured. {error}"
    DESK.leave(visitor(), PURPOSE)
    return None, ""


def _note(design: effviz.Design, options: dict[str, Any]) -> None:
    """Add a measurement to the visitor's history."""
    latency = cached(design, **options)
    if latency is not None:
        macs = effviz.analyze(design).macs
        entry = {"title": _short(design), "macs": macs, "latency": latency.to_dict()}
        st.session_state[_HISTORY] = [entry, *st.session_state.get(_HISTORY, [])][:MAX_HISTORY]


def _short(design: effviz.Design) -> str:
    scale = f" {design.width_mult:g}x wide" if design.width_mult != 1 else ""
    depth = f" {design.depth_mult:g}x deep" if design.depth_mult != 1 else ""
    channels = f", {design.in_channels} input channels" if design.in_channels != 3 else ""
    return f"{design.title}{scale}{depth}{channels}"


def card(reading: Reading, against: str = "", *, in_times: bool = False) -> Card:
    """Make the card of the latency.

    Args:
        reading: of the network and its baseline.
        against: name of the baseline; empty if there is none.
        in_times: whether the difference is written as ``1.97× the baseline``, not as ``+97.4 %``.
    """
    label, badge, latency, reference = HERE, "", reading.latency, reading.reference
    meaning = f"Median time of one run of PyTorch on this CPU, every run timed separately: {machine()}."
    if reading.recorded is not None:
        label, badge, latency, reference = "Latency", "recorded", reading.recorded, (*reading.shown, None)[1]
        meaning = f"Median time of one run of PyTorch on {reading.recorded.where}, not on this server."
    if latency is None:
        if reading.stale is None:
            return Card(label, "\N{EN DASH}", meaning, "not measured", key="latency")
        return Card(
            label, milliseconds(reading.stale.median_ms), meaning, "before the change", stale=True, key="latency"
        )
    spread = f"90th percentile {milliseconds(latency.p90_ms)}, IQR {milliseconds(latency.iqr_ms)}"
    help = f"{latency.runs} runs, {spread}\n\n{meaning}"
    text = milliseconds(latency.median_ms)
    # Others may be measured too where the network on screen is itself the baseline.
    if reference is None or not against:
        below = f"IQR {milliseconds(latency.iqr_ms)}"
        if against:
            below = f"{against[:1].upper()}{against[1:]}: not {'recorded' if latency.is_recorded else 'measured'}"
        return Card(label, text, help, below, badge=badge, key="latency")
    help = f"{help} {against[:1].upper()}{against[1:]}: {milliseconds(reference.median_ms)}."
    below = difference(latency, reference)
    if below == TOO_NOISY:
        against = ""
    elif in_times:
        below, against = f"{times(latency.median_ms / reference.median_ms)} the {against}", ""
    return Card(label, text, help, below, against, badge=badge, key="latency")


def headline(
    cards: Iterable[Card],
    design: effviz.Design,
    others: Sequence[effviz.Design],
    conditions: Conditions,
    against: str = "",
    *,
    redraw: str = PART,
) -> None:
    """Show headline numbers with the latency as the last one, and the bar below; a measurement redraws only these.

    Args:
        cards: the counted numbers.
        design: the network on screen.
        others: networks to compare with, see `read`.
        conditions: conditions from the sidebar.
        against: name of the baseline of the latency; empty if there is none.
        redraw: what a finished measurement draws again, see `polled`.
    """

    def draw() -> None:
        reading = read(design, others, conditions)
        show_cards([*cards, card(reading, against)])
        bar(design, conditions, reading, redraw)

    cards = list(cards)
    live_part(PART, draw)


def bar(design: effviz.Design, conditions: Conditions, reading: Reading, redraw: str = runs.PAGE_FRAGMENT) -> None:
    """Show a button that measures or cancels, and the conditions of the number, in one row below the cards.

    A finished measurement redraws the part `redraw`.
    """
    if st.session_state.pop(_CANCELLED, False):
        # The switch "Measure after every change" is outside the moving part.
        st.rerun()
    if playing.conceals("card_latency"):
        return
    with st.container(horizontal=True, key="latency", gap="small", vertical_alignment="center"):
        if reading.ticket is None:
            st.button(
                "Measure again" if reading.latency is not None else "Measure latency",
                key="measure",
                on_click=ask,
                args=(design, conditions, reading.latency is not None),
            )
        else:
            st.button("Cancel", key="measure", on_click=_cancel)

        def draw() -> bool:
            # Read once: the manager may end the job while the page is drawn.
            waiting = reading.ticket is not None and not reading.ticket.ended
            st.html(_line(conditions, reading))
            return waiting

        polled(reading.ticket is not None, draw, redraw)


def ask(design: effviz.Design, conditions: Conditions, again: bool = False) -> None:
    """Request a measurement of a network and of its baselines; `again` if it is measured already."""
    state = st.session_state
    DESK.leave(visitor(), PURPOSE)
    state[_REQUESTED] = fingerprint(design, **conditions.options)
    if again:
        state["_live_press"] = state.get("_live_press", 0) + 1
        state[_AGAIN] = state["_live_press"]


def _cancel() -> None:
    st.session_state.pop(_REQUESTED, None)
    st.session_state.pop(_AGAIN, None)
    st.session_state[_CANCELLED] = st.session_state.get("auto", False)
    st.session_state["auto"] = False
    DESK.leave(visitor(), PURPOSE)


def _line(conditions: Conditions, reading: Reading) -> str:
    """Write the line of the bar as HTML."""
    ticket = reading.ticket
    if ticket is not None and not ticket.ended:
        amount = f"{ticket.progress:.3f}"
        return (
            f'<p class="latency"><progress max="1" value="{amount}" aria-label="Measurement">'
            f"</progress> {html_text(progress_text(ticket))} ({conditions.text})</p>"
        )
    if reading.error:
        return f'<p class="latency" role="alert">{html_text(reading.error)}</p>'
    if reading.recorded is not None:
        when = f"recorded elsewhere, {reading.recorded.measured_at[:10]}"
        return f'<div class="latency">{summary(reading.recorded, conditions.text, when)}</div>'
    if reading.latency is None:
        return f'<p class="latency">Not measured for this setting: {conditions.text}.</p>'
    return f'<div class="latency">{summary(reading.latency, conditions.text, age(reading.latency))}</div>'


@dataclass(frozen=True)
class _Measured:
    """One row of the history."""

    title: str
    macs: int
    latency: Latency


def history(convention: Convention) -> None:
    """Show the measurements of this visit, the latest first."""
    entries = [
        _Measured(entry["title"], entry["macs"], Latency.from_dict(entry["latency"]))
        for entry in st.session_state.get(_HISTORY, [])
    ]
    if not entries:
        st.caption("No measurement in this visit yet. “Measure latency” above adds one.")
        return
    columns = [
        Column("Network", "title"),
        Column("Resolution (px)", lambda each: size_cell(each.latency.resolution)),
        *latency_columns("latency"),
        Column(
            f"{convention.compute_label} per second (G)",
            lambda each: convention.compute(each.macs) * each.latency.batch_size / each.latency.median_ms / 1e6,
        ),
        Column("Noise", lambda each: noise(each.latency)),
        Column("Threads", "latency.threads"),
        Column("Batch", "latency.batch_size"),
        Column("Format", lambda each: each.latency.environment["dtype"]),
        Column("Age", lambda each: age(each.latency)),
    ]
    show_table(Table(entries, columns, f"{len(entries)} measurements of this visit with their conditions"))
    st.caption(f"One run is one forward pass of the whole batch, every run timed separately, on {machine()}.")
