"""Row that starts, pauses and shows a background measurement of several networks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from effviz.core.text import html_text
from effviz.measure.background import Measurable, Progress, ZooRun
from effviz.ui import runs
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.jobs import polled, visitor
from effviz.ui.widgets.latency_words import machine


@dataclass(frozen=True)
class Words:
    """Texts of the row that depend on the page.

    Attributes:
        nothing: shown while nothing is measured: how long it takes.
        elsewhere: shown while the run measures something else.
        things: plural noun for the points of the chart.
    """

    nothing: str
    elsewhere: str
    things: str


def run_bar(
    run: ZooRun, networks: Sequence[Measurable], threads: int, words: Words, *, shown: int, redraw_s: float = 0.0
) -> None:
    """Show a button that measures, continues, pauses or measures again, and the progress.

    Args:
        run: measures for all visitors.
        networks: those of this page.
        threads: of torch.
        words: texts that depend on the page.
        shown: number of networks that the page already shows as measured.
        redraw_s: least time between redraws of the page while it measures. A browser on this machine takes a core
            for each.
    """
    progress, known = run.progress, run.latencies(threads, networks)
    titles = {network.title for network in networks}
    running = _is_running(progress, threads, titles)
    noisy = [title for title, latency in known.items() if latency.noisy]
    missing = len(networks) - len(known)
    drawn = time.monotonic()
    name = visitor()

    def start(label: str, key: str, titles: Sequence[str] = (), help: str | None = None) -> None:
        st.button(label, key=key, on_click=run.start, args=(threads, titles, networks, name), help=help)

    with st.container(horizontal=True, key="latency", gap="small", vertical_alignment="center"):
        if running and run.is_for(name):
            st.button("Pause", key="pause", on_click=run.pause, args=(name,))
        elif running:
            start("Join", "start", help="Another visitor measures these networks, and may pause.")
        elif missing:
            start(f"Measure here: {missing} networks", "start")
        else:
            if noisy:
                start(f"Measure {len(noisy)} noisy again", "again_noisy", noisy)
            start("Measure all again", "again", list(known))

        def draw() -> bool:
            now = run.progress
            st.html(_text(now, len(networks), missing, noisy, words, running=_is_running(now, threads, titles)))
            changed = now.left != progress.left and time.monotonic() >= drawn + redraw_s
            return _is_running(now, threads, titles) and not changed

        # A network may have finished while the page was drawn.
        polled(running or len(known) != shown, draw, runs.PAGE_FRAGMENT)
    for title, why in run.failures(threads).items():
        if title in titles:
            notice(f"{title} was not measured. {why}", alert=True)


def _is_running(progress: Progress, threads: int, titles: set[str]) -> bool:
    return progress.threads == threads and progress.title in titles


def _text(now: Progress, total: int, missing: int, noisy: list[str], words: Words, *, running: bool) -> str:
    if running:
        done = total - now.left + now.fraction
        text = f"{now.title}: {now.message}; {now.left} left. The charts are updated."
        return (
            f'<p class="latency"><progress max="{total}" value="{done:.2f}" aria-label="Networks measured"></progress> '
            f"{html_text(text)}</p>"
        )
    if now.threads is not None:
        text = words.elsewhere
    elif missing == total:
        text = words.nothing
    elif missing:
        text = f"Paused. Measured on this machine and saved: {total - missing} of {total} {words.things}."
    elif noisy:
        text = f"Hollow markers: {words.things.lower()} measured on a busy machine, or with a wide spread of runs."
    else:
        text = f"All {total} networks are measured without noise."
    where = "" if missing == total else f" {machine()}."
    return f'<p class="latency">{html_text(f"{text}{where}")}</p>'
