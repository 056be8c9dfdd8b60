"""Layers of a network as table rows."""

from __future__ import annotations

from collections.abc import Sequence

from effviz.count.rows import LayerRow
from effviz.ui.convention import Convention
from effviz.ui.widgets.tables import Column, Table, count_columns


def layer_table(rows: Sequence[LayerRow], convention: Convention, alt: str = "") -> Table:
    """Make the table of layers; `rows` are some of `report.rows`."""
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
