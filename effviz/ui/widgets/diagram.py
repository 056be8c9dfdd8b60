"""What a network is made of: its table of blocks, and a torchview diagram of the one that is chosen."""

from __future__ import annotations

import html
import zlib
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from effviz.count.report import Report
from effviz.count.words import PLAIN, WEIGHTED, block_title, describe
from effviz.model.layout import BuiltBlock
from effviz.model.outline import alike_runs
from effviz.model.trace import trace_block
from effviz.ui import links
from effviz.ui.widgets import parts
from effviz.ui.widgets.jobs import again, ask, polled, progress_text

KEY = "draw"
WHOLE = {"stages": "Whole network, by stage", "blocks": "Whole network, by block"}
LAYERS = "layers"
_DEPTH = {"stages": 1, "blocks": 2, LAYERS: 3}
_SHOWN = "_diagram_shown"
_HEIGHT = 520


def structure(report: Report) -> None:
    """The table on the left chooses what the diagram on the right shows."""
    runs = alike_runs(report.blocks)
    rows = _rows(report, runs)
    st.subheader("Blocks", anchor=False)
    chosen = _choice(report, runs, rows)
    if chosen in WHOLE:
        # A whole network is drawn by rows, and needs the width.
        diagram(report, chosen)
        _table(report, rows)
        return
    with st.container(key="structure", horizontal=True, gap="large"):
        left = st.container(width=460)
        right = st.container(key="diagram_panel")
    with left:
        _table(report, rows)
    with right:
        diagram(report, chosen)


def _rows(report: Report, runs: list[list[BuiltBlock]]) -> pd.DataFrame:
    """One row per run of equal blocks."""
    table = report.table
    stage, _, inside = table["path"].str.partition(".").T.values
    # A stage of one block has no number in its paths.
    single = {entry.path for entry in report.blocks if "." not in entry.path}
    block = [
        name if name in single else f"{name}.{rest.partition('.')[0]}" for name, rest in zip(stage, inside, strict=True)
    ]
    sums = table.groupby(block, sort=False)[["params", "macs"]].sum()
    rows = []
    for run in runs:
        first, last = run[0], run[-1]
        output = trace_block(last.block, last.shape).output.shape
        costs = sums.reindex([entry.path for entry in run]).sum()
        rows.append(
            {
                "path": first.path,
                "title": title(first),
                "repeats": len(run),
                "output": " x ".join(map(str, output)),
                "params": int(costs["params"]),
                "macs": int(costs["macs"]),
            }
        )
    return pd.DataFrame(rows)


def title(entry: BuiltBlock) -> str:
    """A block in a few words, with its stride: ``Inverted residual, stride 2``."""
    block = entry.block
    if type(block).__name__ in PLAIN:
        layers = [step.layer for step in trace_block(block, entry.shape).steps]
        return describe(next((layer for layer in layers if isinstance(layer, WEIGHTED)), layers[0]))
    stride = getattr(block, "stride", 1)
    return block_title(block) if stride == 1 else f"{block_title(block)}, stride {stride}"


def _table(report: Report, rows: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "Block": [
                path if repeats == 1 else f"{path} \N{MULTIPLICATION SIGN} {repeats}"
                for path, repeats in zip(rows["path"], rows["repeats"], strict=True)
            ],
            "What": rows["title"],
            "Output": rows["output"],
            "Share (%)": 100 * rows["macs"] / max(report.macs, 1),
            "Parameters": rows["params"],
        }
    )
    # A mark on a row means nothing once the rows are others, or something else is drawn.
    turn = (tuple(rows["path"]), st.session_state.get("_draw_turn", 0))
    key = f"blocks_{zlib.crc32(repr(turn).encode())}"
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        height=min(_HEIGHT, 36 * (len(rows) + 1)),
        on_select=_select(key, rows["path"].tolist()),
        selection_mode="single-row",
        column_config={
            "Block": st.column_config.TextColumn(width=95),
            "What": st.column_config.TextColumn(width=160),
            "Output": st.column_config.TextColumn(width=95),
            "Share (%)": st.column_config.NumberColumn(format="%.1f", width=65, help="Of the multiply-adds"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        alt=f"{len(rows)} runs of equal blocks of {report.design.title}; a selected row is drawn",
    )


def _select(key: str, paths: list[str]) -> Callable[[], None]:
    def chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(paths):
            st.session_state[KEY] = paths[rows[0]]

    return chosen


def _turn() -> None:
    st.session_state["_draw_turn"] = st.session_state.get("_draw_turn", 0) + 1


def _choice(report: Report, runs: list[list[BuiltBlock]], rows: pd.DataFrame) -> str:
    """What is drawn: a block, by default the heaviest that repeats, or the whole network."""
    repeated = rows[rows["repeats"] > 1]
    heaviest = int((repeated if len(repeated) else rows)["macs"].idxmax())
    default = runs[heaviest][0].path
    options = [*WHOLE, *(entry.path for entry in report.blocks)]
    if st.session_state.get(KEY) not in (None, *options):
        # Another network, width or depth may not have the block that was chosen.
        st.session_state[KEY] = default
    titles = {entry.path: f"{entry.path}: {title(entry)}" for entry in report.blocks} | WHOLE
    return links.choice(
        "Draw", options, KEY, default=default, format_func=titles.__getitem__, on_change=_turn,
        help="A block, or the whole network. Selecting a row of the table draws its first block.",
    )  # fmt: skip


def diagram(report: Report, chosen: str) -> None:
    """The diagram, drawn by torchview in the torch process; until it is there, the last one dimmed.

    Args:
        report: of the network.
        chosen: a key of `WHOLE`, `LAYERS` for all layers of a small network, or the path of a block.
    """
    payload: dict[str, Any] = {
        "design": report.design.to_json(),
        "resolution": report.resolution,
        "appearance": parts.look().name,
    }
    payload |= {"depth": _DEPTH[chosen]} if chosen in _DEPTH else {"path": chosen}
    answer = ask("diagram", payload)
    state = st.session_state
    if answer.value is not None:
        state[_SHOWN] = links.current_page(), answer.value
    page, shown = state.get(_SHOWN, ("", None))
    if page != links.current_page():
        # A diagram of another page is no former one of this.
        shown = None

    def draw() -> bool:
        waiting = answer.ticket is not None and not answer.ticket.ended
        if answer.error:
            st.html(f'<p class="status" role="alert">The diagram was not drawn. {html.escape(answer.error)}</p>')
            st.button("Try again", key="draw_again", on_click=again, args=("diagram",))
        elif answer.ticket is not None and shown is None:
            st.html(f'<p class="status waiting">{html.escape(progress_text(answer.ticket))}</p>')
        return waiting

    with st.container(key="diagram_box"):
        if shown is not None and not answer.error:
            with st.container(key="stale_diagram" if answer.value is None else "diagram"):
                st.graphviz_chart(shown["dot"], width="content", alt=shown["title"])
        polled(answer.ticket is not None, draw)
    if shown is None:
        return
    stem = parts.file_name("effviz", report.design.name, chosen, str(report.resolution))
    # Names of stages are what somebody wrote: text, never Markdown.
    st.html(f'<p class="finding">{html.escape(" ".join(filter(None, [shown["title"] + ".", shown["note"]])))}</p>')
    with st.container(horizontal=True, gap="small"):
        parts.download("Diagram as DOT", lambda: shown["dot"], f"{stem}.dot")
        with st.popover("In words"):
            st.text(shown["alt"])
