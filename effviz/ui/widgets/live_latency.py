"""Live latency: the network on screen, timed on this CPU, with its conditions, spread and age."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.core.units import ago, change, milliseconds, percent
from effviz.measure.latency import Latency, LatencyError, Measurement, cached, fingerprint, request
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.widgets.jobs import DESK, polled, progress_text, visitor
from effviz.ui.widgets.parts import Card
from effviz.worker.limits import ITEMSIZE, MAX_BATCH, usable_cores
from effviz.worker.manager import Ticket

PURPOSE = "latency"
MAX_HISTORY = 50
# Everybody waits for the one torch process: who measures for longer does so from Python.
TIMEOUT_S = 60.0
_ASKED = "_live_asked"
_AGAIN = "_live_again"
_SHOWN = "_live_shown"
_HISTORY = "_live_history"


@dataclass(frozen=True)
class Conditions:
    """Under which a latency is measured.

    Attributes:
        threads: of torch.
        batch_size: images in one run.
        dtype: of weights and activations.
        auto: measure by itself whenever the network changes.
    """

    threads: int = 1
    batch_size: int = 1
    dtype: str = "float32"
    auto: bool = False

    @property
    def text(self) -> str:
        """For a line of text."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{threads}, batch {self.batch_size}, {self.dtype}"


@dataclass(frozen=True)
class Reading:
    """What is known about the latency of the network on screen.

    Attributes:
        latency: of this network under these conditions; None if it was not measured.
        others: of the networks that it is compared with; None where it was not measured.
        stale: the last one shown, of another network or other conditions.
        ticket: of the measurement while it is queued or runs.
        error: why it was not measured, a sentence; empty otherwise.
    """

    latency: Latency | None
    others: tuple[Latency | None, ...]
    stale: Latency | None
    ticket: Ticket | None = None
    error: str = ""

    @property
    def reference(self) -> Latency | None:
        """Of the first of the others, the one that the card's difference is to."""
        return self.others[0] if self.others else None


def conditions() -> Conditions:
    """The sidebar's last part."""
    st.subheader("Latency on this CPU", anchor=False)
    left, right = st.columns(2)
    with left:
        threads = links.integer(
            "Threads", "threads", default=1, minimum=1, maximum=usable_cores(),
            help="Of PyTorch, within one operation; at most the cores that this server may use.",
        )  # fmt: skip
    with right:
        batch_size = links.integer(
            "Batch size", "batch", default=1, minimum=1, maximum=MAX_BATCH, help="Images in one run."
        )
    dtype = links.switch("Number format", list(ITEMSIZE), "dtype", default="float32")
    auto = links.flag("Measure after every change", "auto")
    return Conditions(threads, batch_size, dtype, auto)


def read(design: effviz.Design, others: Sequence[effviz.Design], asked: Conditions) -> Reading:
    """What is known, and what is wanted set going: this network first, then those that it is compared with."""
    state = st.session_state
    options: dict[str, Any] = {"batch_size": asked.batch_size, "threads": asked.threads, "dtype": asked.dtype}
    current = fingerprint(design, **options)
    if state.get(_ASKED) != current:
        state.pop(_ASKED, None)
        state.pop(_AGAIN, None)
    ticket, error = None, ""
    while True:
        found = cached(design, **options)
        known = tuple(cached(other, **options) for other in others)
        wanted = None
        if asked.auto or _ASKED in state:
            missing = [other for other, latency in zip(others, known, strict=True) if latency is None]
            wanted = design if found is None or _AGAIN in state else missing[0] if missing else None
        if wanted is None:
            DESK.leave(visitor(), PURPOSE)
            state.pop(_ASKED, None)
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
    # What was shown on another page is no former value of this one.
    outdated = found is None and page == links.current_page()
    return Reading(found, known, Latency.from_dict(shown) if outdated else None, ticket, error)


def _measure(design: effviz.Design, options: dict[str, Any]) -> tuple[Ticket | None, str]:
    """The ticket of a measurement under way, or why it failed; neither once it is done and remembered."""
    name = fingerprint(design, **options)
    press = st.session_state.get(_AGAIN)
    # Who measures again wants a measurement of his own; everybody else shares.
    key = f"{name} {visitor()} {press}" if press else name

    def start() -> Ticket:
        return request(design, owner=key, timeout_s=TIMEOUT_S, **options).ticket

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
    """Remember for the table what this visitor has measured."""
    latency = cached(design, **options)
    if latency is not None:
        macs = effviz.analyze(design).macs
        entry = {"title": _short(design), "macs": macs, "latency": latency.to_dict()}
        st.session_state[_HISTORY] = [entry, *st.session_state.get(_HISTORY, [])][:MAX_HISTORY]


def _short(design: effviz.Design) -> str:
    scale = f" {design.width_mult:g}x wide" if design.width_mult != 1 else ""
    depth = f" {design.depth_mult:g}x deep" if design.depth_mult != 1 else ""
    return f"{design.title}{scale}{depth}"


def card(reading: Reading, against: str = "") -> Card:
    """The fifth headline number; `against` names the design that it is compared with, if it is another one."""
    label, meaning = "Latency here", "Median time of one run of PyTorch on this CPU, every run timed alone."
    latency = reading.latency
    if latency is None:
        if reading.stale is None:
            return Card(label, "\N{EN DASH}", meaning, "not measured")
        return Card(label, milliseconds(reading.stale.median_ms), meaning, "before the change", stale=True)
    help = f"{latency.runs} runs, nine in ten within {milliseconds(latency.p90_ms)}\n\n{meaning}"
    if reading.reference is None:
        below = f"{against}: not measured" if against else "measured"
        return Card(label, milliseconds(latency.median_ms), help, below)
    help = f"{help} {against.capitalize()}: {milliseconds(reading.reference.median_ms)}."
    difference = change(latency.median_ms, reading.reference.median_ms)
    return Card(label, milliseconds(latency.median_ms), help, difference, against)


def bar(design: effviz.Design, asked: Conditions, reading: Reading) -> None:
    """Measure or cancel, and how the number came about; one row below the cards."""
    with st.container(horizontal=True, key="latency", gap="small", vertical_alignment="center"):
        if reading.ticket is None:
            st.button(
                "Measure again" if reading.latency is not None else "Measure latency",
                key="measure",
                on_click=ask,
                args=(design, asked, reading.latency is not None),
            )
        else:
            st.button("Cancel", key="measure", on_click=_cancel)

        def draw() -> bool:
            # The manager goes on while the page is drawn: one look, one answer.
            waiting = reading.ticket is not None and not reading.ticket.ended
            st.html(_told(asked, reading))
            return waiting

        polled(reading.ticket is not None, draw)


def ask(design: effviz.Design, asked: Conditions, again: bool = False) -> None:
    """Have a network measured, and those that it is compared with; `again` where it was measured before."""
    state = st.session_state
    DESK.leave(visitor(), PURPOSE)
    state[_ASKED] = fingerprint(design, batch_size=asked.batch_size, threads=asked.threads, dtype=asked.dtype)
    if again:
        state["_live_press"] = state.get("_live_press", 0) + 1
        state[_AGAIN] = state["_live_press"]


def _cancel() -> None:
    st.session_state.pop(_ASKED, None)
    st.session_state.pop(_AGAIN, None)
    st.session_state["auto"] = False
    DESK.leave(visitor(), PURPOSE)


def _told(asked: Conditions, reading: Reading) -> str:
    """The bar's line."""
    ticket = reading.ticket
    if ticket is not None and not ticket.ended:
        amount = f"{ticket.progress:.3f}"
        return (
            f'<p class="latency"><progress max="1" value="{amount}" aria-label="Measurement">'
            f"</progress> {html.escape(progress_text(ticket))} ({asked.text})</p>"
        )
    if reading.error:
        return f'<p class="latency" role="alert">{html.escape(reading.error)}</p>'
    if reading.latency is None:
        return f'<p class="latency">Not measured for this setting: {asked.text}, on {html.escape(machine())}.</p>'
    latency = reading.latency
    return (
        f'<p class="latency">{_badge(latency)}Median {milliseconds(latency.median_ms)}, '
        f"90th percentile {milliseconds(latency.p90_ms)}, "
        f"IQR {milliseconds(latency.iqr_ms)}, {latency.runs} runs, {asked.text}, "
        f"{html.escape(_versions(latency.environment))}, {ago(latency.age.total_seconds())}.</p>"
    )


def _badge(latency: Latency) -> str:
    if not latency.noisy:
        return ""
    return f'<strong class="noisy">noisy</strong> {noise(latency)}. '


def noise(latency: Latency) -> str:
    """Why a latency is noisy; empty if it is not."""
    reasons = []
    if latency.loaded:
        reasons.append("the machine was busy with something else")
    if latency.iqr_ms > effviz.measure.latency.NOISY_SPREAD * latency.median_ms:
        reasons.append(f"IQR is {percent(latency.iqr_ms / latency.median_ms)} of the median")
    return ", ".join(reasons)


def machine() -> str:
    """This machine in a few words."""
    return _versions(effviz.measure.latency.environment())


def _versions(known: Mapping[str, str]) -> str:
    cores = "1 core" if known["cores"] == "1" else f"{known['cores']} cores"
    return f"{known['cpu']} ({cores}), torch {known['torch']}, Python {known['python']}"


def history(convention: Convention) -> None:
    """What this visitor has measured so far, the latest first."""
    entries = st.session_state.get(_HISTORY, [])
    if not entries:
        return
    st.subheader("Measured here", anchor=False)
    latencies = [Latency.from_dict(entry["latency"]) for entry in entries]
    speed = f"{convention.compute_label} per second (G)"
    st.dataframe(
        pd.DataFrame(
            {
                "Network": [entry["title"] for entry in entries],
                "Resolution (px)": [each.resolution for each in latencies],
                "Median (ms)": [each.median_ms for each in latencies],
                "90th percentile (ms)": [each.p90_ms for each in latencies],
                "IQR (ms)": [each.iqr_ms for each in latencies],
                "Runs": [each.runs for each in latencies],
                speed: [
                    convention.compute(entry["macs"]) * each.batch_size / each.median_ms / 1e6
                    for entry, each in zip(entries, latencies, strict=True)
                ],
                "Noise": [noise(each) for each in latencies],
                "Threads": [each.threads for each in latencies],
                "Batch": [each.batch_size for each in latencies],
                "Format": [each.environment["dtype"] for each in latencies],
                "Age": [ago(each.age.total_seconds()) for each in latencies],
            }
        ),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.2f")
            for name in ("Median (ms)", "90th percentile (ms)", "IQR (ms)", speed)
        },
        alt=f"{len(entries)} measurements of this visit with their conditions",
    )
    st.caption(f"One run is one forward pass of the whole batch, every run timed alone, on {machine()}.")
