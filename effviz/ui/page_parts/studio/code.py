"""PyTorch code and downloads of the Studio page."""

from __future__ import annotations

import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.export import export_torch, library_calls
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, missing, too_long
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.downloads import File, downloads, file_name, report_file
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.live_latency import Reading


@remembered
def source(design: effviz.Design) -> str:
    """Export a design as PyTorch code."""
    return export_torch(design)


@remembered
def calls(design: effviz.Design) -> tuple[str, ...]:
    """Return the calls of other libraries that build a design."""
    return library_calls(design)


def code(here: Bench) -> None:
    """Show the network as a file that imports only torch, and equivalent calls of other libraries."""
    # Older links contain the state of an expander around the code.
    links.idle("code")
    design = here.design
    if design is None or not here.is_whole:
        missing(here)
        return
    text = source(design)
    st.markdown(
        f"{text.count(chr(10))} lines of code that import only torch. As a script, the code checks its parameter count."
    )
    known = calls(design)
    if known:
        st.markdown("The same network in other libraries, with equal parameters and multiply-adds:")
        st.code("\n".join(known), language="python")
    st.code(text, language="python", line_numbers=True, height=420)


def files(here: Bench, convention: Convention, chosen: Limits, reading: Reading) -> None:
    """Show the downloads of code, JSON and the report with its limits, and the link."""
    stem, draft, design = file_name(here.draft.frame.name or "network"), here.draft, here.design
    entries = [File("Design as JSON", f"{stem}.json", lambda: draft.to_json(indent=2))]
    if design is not None and here.is_whole:
        entries.insert(0, File("PyTorch code", f"{stem}.py", lambda: source(design)))
        if here.report is not None:
            latency = None if reading.latency is None else reading.latency.median_ms
            entries.append(
                report_file(
                    here.report, convention, stem, budgets=chosen.budgets, dtype=chosen.dtype, source=chosen.source,
                    latency_ms=latency,
                )
            )  # fmt: skip
    with downloads(*entries):
        if too_long(draft):
            notice("The design is too long for a link. Share the JSON instead.")
