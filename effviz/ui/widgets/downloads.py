"""Downloads: a row of buttons for CSV, JSON, DOT, Python and ONNX files, and the button that copies the permalink."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import effviz
from effviz.advice.budgets import Budget, check
from effviz.count.report import Report
from effviz.model.design import Design
from effviz.ui.convention import Convention
from effviz.ui.sheet import Receipt, sheet
from effviz.ui.widgets.component import component
from effviz.ui.widgets.tables import Table

_MIME = {
    "csv": "text/csv", "json": "application/json", "dot": "text/vnd.graphviz", "py": "text/x-python",
    "md": "text/markdown", "html": "text/html", "onnx": "application/octet-stream",
}  # fmt: skip


LINK = 500
"""Characters of the link in a printed report; a whole design would fill the page."""


@dataclass(frozen=True)
class File:
    """A file to download.

    Attributes:
        label: of the button.
        name: file name; its extension sets the type.
        make: returns the content, called when the button is pressed.
        key: of the button; needed when two have the same label.
    """

    label: str
    name: str
    make: Callable[[], str | bytes]
    key: str | None = None


def file_name(*parts: str) -> str:
    """Join `parts` to a file name of letters, digits, dots and hyphens.

    Example:
        >>> file_name("effviz", "mobilenet_v2", "w0.5")
        'effviz-mobilenet-v2-w0.5'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(part for part in parts if part))


def csv_file(label: str, table: Table | Callable[[], Table], stem: str, note: str, *, key: str | None = None) -> File:
    """Make a CSV download; `note` says what was counted, by which convention."""

    def make() -> str:
        return (table if isinstance(table, Table) else table()).csv(note)

    return File(f"{label} as CSV", f"{stem}.csv", make, key)


def json_file(design: Design, stem: str, label: str = "Design", *, key: str | None = None) -> File:
    """Make a JSON download of a design."""
    return File(f"{label} as JSON", f"{stem}.json", lambda: design.to_json(indent=2), key)


def report_file(
    report: Report, convention: Convention, stem: str, *, budgets: Iterable[Budget] = (), dtype: str = "",
    source: str = "", latency_ms: float | None = None,
) -> File:  # fmt: skip
    """Make the download of a report for printing, on one page.

    Args:
        report: of the design.
        convention: of the page; sizes in bytes have its number format.
        stem: of the file's name.
        budgets: limits of the page.
        dtype: number format of the limits; empty for that of the convention.
        source: of the limits.
        latency_ms: measured median.
    """
    # The text is made without the session, which has the address.
    address, query = str(st.context.url), urlencode(st.query_params.to_dict())
    link = f"{address}?{query}" if query and len(address) + len(query) < LINK else address
    limits, chosen = tuple(budgets), dtype or convention.weight_format

    def make() -> str:
        receipt = Receipt(effviz.__version__, date.today().isoformat(), link)
        verdicts = check(report, limits, dtype=chosen, latency_ms=latency_ms)
        return sheet(report, receipt, verdicts=verdicts, dtype=chosen, source=source)

    return File("Report to print", f"{stem}.html", make)


def downloads(*files: File) -> DeltaGenerator:
    """Show the buttons in one row and return the row, to which a page may add.

    Example:
        >>> stem = file_name("effviz", design.name)
        >>> downloads(csv_file("Layers", table, stem, convention.text), json_file(design, stem))
    """
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    with row:
        for file in files:
            download(file)
    return row


def download(file: File) -> None:
    """Show one button. The content is made on the server when the button is pressed, not on every rerun."""
    mime = _MIME[file.name.rpartition(".")[2]]
    st.download_button(file.label, file.make, file.name, mime, on_click="ignore", key=file.key)


def copy_link() -> None:
    """Show a button that copies the page's address, which holds every control."""
    button = component("copy_link", '<button type="button" class="copy_link"></button>')
    button(data={"label": "Copy link", "done": "Copied"}, key="copy_link", width="content")
