"""Structure of a network: a table of its blocks, and a torchview diagram of the selected one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from effviz.core.resolution import compact_size
from effviz.count.report import Report
from effviz.studies.outline import BlockRun, block_runs, heaviest_path, title_of
from effviz.ui import inputs, links, runs
from effviz.ui.widgets.downloads import File, download, file_name
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.jobs import Answer, again, ask, live_part, polled
from effviz.ui.widgets.tables import Column, Pick, Table, show_table, unpick

KEY = "draw"
WHOLE = {"stages": "Whole network, by stage", "blocks": "Whole network, by block"}
LAYERS = "layers"
_DEPTH = {"stages": 1, "blocks": 2, LAYERS: 3}
_SHOWN = "_diagram_shown"
_HEIGHT = 520


def structure(report: Report) -> None:
    """Show the table of blocks on the left, and the diagram of the selected one on the right."""
    runs = block_runs(report)
    chosen = _choice(report, runs)
    if chosen in WHOLE:
        # A diagram of the whole network needs the full width.
        diagram(report, chosen)
        _table(report, runs)
        return
    with st.container(key="structure", horizontal=True, gap="large"):
        _table(report, runs)
        with st.container(key="diagram_panel"):
            diagram(report, chosen)


def _table(report: Report, runs: list[BlockRun]) -> None:
    columns = [
        Column("Block", lambda run: run.path if run.repeats == 1 else f"{run.path} × {run.repeats}", width=95),
        Column("Layer", "title", width=160),
        Column("Output", "output", width=95),
        Column(
            "Share (%)", lambda run: 100 * run.macs / max(report.macs, 1), "%.1f", 65,
            "Share of the network's multiply-adds.",
        ),
        Column("Parameters", "params"),
    ]  # fmt: skip
    table = Table(runs, columns, f"{len(runs)} runs of equal blocks of {report.design.title}; a selected row is drawn")
    paths = tuple(run.path for run in runs)
    show_table(table, key="blocks", height=_HEIGHT, pick=Pick(KEY, paths, paths))


def _choice(report: Report, runs: list[BlockRun]) -> str:
    """Show the control of what is drawn: by default the heaviest block that repeats."""
    default = heaviest_path(runs)
    titles = WHOLE | {entry.path: f"{entry.path}: {title_of(entry)}" for entry in report.blocks}
    return inputs.following(
        "Diagram of", list(titles), KEY, default=default, format_func=titles.__getitem__, on_change=unpick(KEY),
        help="A block, or the whole network. Selecting a row of the table draws its first block.",
    )  # fmt: skip


def diagram(report: Report, chosen: str, *, place: str = "", marks: Mapping[str, str] | None = None) -> None:
    """Show a diagram that torchview draws in the torch process; until it is ready, the last one dimmed.

    Args:
        report: of the network.
        chosen: a key of `WHOLE`, `LAYERS` for all layers of a small network, or the path of a block.
        place: on a page with several diagrams.
        marks: of stages, see `effviz.backend.diagram.draw.draw`.
    """
    live_part(f"diagram{place}", partial(_diagram, report, chosen, place, dict(marks or {})))


def _diagram(report: Report, chosen: str, place: str, marks: dict[str, str]) -> None:
    payload: dict[str, Any] = {
        "design": report.design.to_json(),
        "resolution": report.resolution,
        "appearance": look().name,
    }
    payload |= {"depth": _DEPTH[chosen]} if chosen in _DEPTH else {"path": chosen}
    payload |= {"marks": marks} if marks else {}
    answer = ask("diagram", payload, settled=True, place=place)
    if answer.value is not None:
        st.session_state[f"{_SHOWN}{place}"] = links.current_page(), answer.value
    page, drawn = st.session_state.get(f"{_SHOWN}{place}", ("", None))
    # A diagram of another page is not an earlier one of this page.
    shown = drawn if page == links.current_page() else None
    with st.container(key=f"diagram_box{place}"):
        if shown is not None and not answer.error:
            with st.container(key=f"{'stale_diagram' if answer.value is None else 'diagram'}{place}"):
                st.graphviz_chart(shown["dot"], width="content", alt=shown["title"])

        def progress() -> bool:
            # Only a poll repeats the request: a slider that moves on requests no diagram.
            now = ask("diagram", payload, settled=True, place=place) if runs.is_poll() else answer
            _progress(now, place, drawn=shown is not None)
            return now.pending

        polled(answer.pending, progress, f"diagram{place}")
    if shown is None:
        return
    notice(" ".join(filter(None, [shown["title"] + ".", shown["note"]])), "finding")
    stem = file_name("effviz", report.design.name, chosen, compact_size(report.resolution))
    with st.container(horizontal=True, gap="small"):
        download(File("Diagram as DOT", f"{stem}.dot", lambda: shown["dot"], f"dot{place}" if place else None))
        with st.popover("In words", key=f"words{place}"):
            st.text(shown["alt"])


def _progress(answer: Answer, place: str, *, drawn: bool) -> None:
    """Show why there is no diagram, or the progress while there is not even an earlier one."""
    if answer.error:
        notice(f"The diagram was not drawn. {answer.error}", alert=True)
        st.button("Try again", key=f"draw_again{place}", on_click=again, args=(f"diagram{place}",))
    elif answer.pending and not drawn:
        notice(answer.progress, "status waiting")
