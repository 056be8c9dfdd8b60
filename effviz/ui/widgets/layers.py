"""Layers of a network as table rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.widgets.tables import Column, Table, count_columns


def layers_of(report: Report) -> list[Any]:
    """Return the rows of ``report.table`` as tuples with named fields."""
    return list(report.table.itertuples())


def layer_table(rows: Sequence[Any], convention: Convention, alt: str = "") -> Table:
    """Make the table of layers; `rows` are some of `layers_of(report)`."""
    columns = [
        Column("Path", "path"),
        Column("Kind", "kind"),
        Column("Output", "output_shape"),
        *count_columns(convention, ("params", "macs", "memory_access", "alive")),
        Column("Input", "input_shape"),
        Column("Kernel", "kernel_size"),
        Column("Stride", "stride"),
        Column("Groups", "groups"),
        Column("Layer", "layer"),
    ]
    return Table(rows, columns, alt)
