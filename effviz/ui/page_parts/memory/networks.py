"""The networks of the zoo against the guidelines, with evidence and links to the layers."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from effviz.charts.memory.networks import guideline_map
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import percent
from effviz.studies.guidelines.access import GUIDELINES
from effviz.studies.guidelines.networks import ELEMENT_WISE, LOST, Evidence, evidence
from effviz.ui import inputs, links
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.zoo import ARCHITECTURES, architecture

KEY = "of"
_NOTE = (
    "Dark: the network departs from the guideline. Held equal: published resolution, fused.\n"
    f"G1 and G2: {percent(LOST)} more memory access than equal widths or "
    f"one group with the same multiply-adds. G3: 8 operations or 4 branches in a block. G4: {percent(ELEMENT_WISE)} of "
    "the memory access in element-wise operations and depthwise layers."
)


class _Row(NamedTuple):
    guideline: str
    found: Evidence
    link: str | None  # address of the layer


def networks() -> None:
    """Show all networks as a map, and the evidence for the chosen one."""

    def select(mark: Click) -> None:
        links.assign(KEY, str(mark.detail))

    titles = {_title(name): name for name in ARCHITECTURES}
    chosen = inputs.choice("Network", list(titles), KEY, default=_title("mobilenet_v2"), width=280)
    rows = [_Row(guideline, found, _layer(chosen, found.path)) for guideline, found in evidence(titles[chosen]).items()]
    columns = [
        Column("Guideline", "guideline", width="small"),
        Column("Verdict", lambda row: "departs" if row.found.departs else "follows"),
        Column("Evidence", lambda row: row.found.text or "no such layer"),
        Column("Layer", lambda row: row.found.path or "–"),
        Column("Open", "link", link="Show the layer"),
        Column("In the words of the paper", lambda row: GUIDELINES[row.guideline]),
    ]
    show_table(Table(rows, columns, f"The four guidelines for {chosen} with evidence"))
    show_chart(_map(chosen, look()), "guideline_map", note=_NOTE, on_click=select)


@remembered
def _title(name: str) -> str:
    return architecture(name).title


@remembered
def _map(chosen: str, look: Appearance) -> Chart:
    return guideline_map({_title(name): evidence(name) for name in ARCHITECTURES}, chosen, look)


def _layer(network: str, path: str) -> str | None:
    """Return the address of a layer, or of the layers of a block, on the Architectures page."""
    return f"architectures?{urlencode({'net': network, 'part': 'Layers', 'find': path})}" if path else None
