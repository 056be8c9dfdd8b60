"""The row that starts, pauses and shows a background measurement of several networks."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from effviz.measure.background import Network, Progress, ZooRun
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.jobs import polled


@dataclass(frozen=True)
class Words:
    """What the row says.

    Attributes:
        nothing: while nothing is measured: what it takes.
        elsewhere: while the run measures something else.
        things: what is drawn open when it is noisy.
    """

    nothing: str
    elsewhere: str
    things: str


def run_bar(
    run: ZooRun, networks: Sequence[Network], threads: int, words: Words, *, shown: int, redraw_s: float = 0.0
) -> None:
    """One row: measure, go on, pause, or measure again; and how far it is.

    Args:
        run: of the networks, for all visitors.
        networks: that this page is about.
        threads: of torch.
        words: on screen.
        shown: how many of the networks the page already shows as measured.
        redraw_s: how often the page is drawn afresh while it measures. Drawing keeps a core busy where the browser is
            on this machine too.
    """
    progress, known = run.progress, run.latencies(threads, networks)
    titles = {network.title for network in networks}
    running = _is_running(progress, threads, titles)
    noisy = [title for title, latency in known.items() if latency.noisy]
    missing = len(networks) - len(known)
    drawn = time.monotonic()
    with st.container(horizontal=True, key="latency", gap="small", vertical_alignment="center"):
        if running:
            st.button("Pause", key="pause", on_click=run.pause)
        elif missing:
            label = "Measure" if missing == len(networks) else "Go on"
            st.button(f"{label}: {missing} networks", key="start", on_click=run.start, args=(threads, (), networks))
        else:
            if noisy:
                args = threads, noisy, networks
                st.button(f"Measure {len(noisy)} noisy again", key="again_noisy", on_click=run.start, args=args)
            st.button("Measure all again", key="again", on_click=run.start, args=(threads, list(known), networks))

        def draw() -> bool:
            now = run.progress
            st.html(_told(now, len(networks), missing, noisy, words, running=_is_running(now, threads, titles)))
            changed = now.left != progress.left and time.monotonic() >= drawn + redraw_s
            return _is_running(now, threads, titles) and not changed

        # A network may have been finished after the page was drawn down to here.
        polled(running or len(known) != shown, draw)
    for title, why in run.failures(threads).items():
        if title in titles:
            st.html(f'<p class="status" role="alert">{html.escape(f"{title} was not measured. {why}")}</p>')


def _is_running(progress: Progress, threads: int, titles: set[str]) -> bool:
    return progress.threads == threads and progress.title in titles


def _told(now: Progress, total: int, missing: int, noisy: list[str], words: Words, *, running: bool) -> str:
    if running:
        done = total - now.left + now.fraction
        text = f"{now.title}: {now.message}; {now.left} to go. The charts follow."
        return (
            f'<p class="latency"><progress max="{total}" value="{done:.2f}" aria-label="Networks measured"></progress> '
            f"{html.escape(text)}</p>"
        )
    if now.threads is not None:
        text = words.elsewhere
    elif missing == total:
        text = words.nothing
    elif missing:
        text = "Paused. What was measured is kept, on disk too."
    elif noisy:
        text = f"{words.things} drawn open were measured while the machine was busy, or their runs spread widely."
    else:
        text = f"All {total} networks are measured, none of them noisy."
    return f'<p class="latency">{html.escape(f"{text} {live.machine()}.")}</p>'
