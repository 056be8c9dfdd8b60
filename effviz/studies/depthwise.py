"""Two networks whose order by multiply-adds is not that by latency, and their depthwise layers."""

from __future__ import annotations

from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.count.kinds import DEPTHWISE
from effviz.count.report import Report
from effviz.studies.prediction import Entry, report


class PairedNetwork(NamedTuple):
    """One network of the pair."""

    report: Report
    layers: int  # depthwise layers
    access: int  # memory access of these layers, in elements
    macs: int  # multiply-adds of these layers

    @property
    def title(self) -> str:
        """The network."""
        return self.report.design.title


@remembered
def side(name: str, memory: str = "fused") -> PairedNetwork:
    """Count the depthwise layers of a network of the zoo."""
    counted = report(Entry(name), memory)
    rows = [row for row in counted.rows if row.kind == DEPTHWISE]
    return PairedNetwork(counted, len(rows), sum(row.memory_access for row in rows), sum(row.macs for row in rows))


check_border(globals())
