"""The networks of the zoo: parameters against multiply-adds, and the uses of a parameter per image."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.resolution import Resolution
from effviz.core.units import lower, si


class Totals(NamedTuple):
    """A network and its totals at its own resolution, in pixels."""

    title: str
    params: int
    macs: int
    resolution: Resolution

    @property
    def uses(self) -> float:
        """Uses of a parameter per image."""
        return self.macs / self.params


def zoo_dots(networks: Sequence[Totals], factor: int, compute_label: str, look: Appearance) -> Chart:
    """Draw one row per network: its parameters and its compute, connected, on a logarithmic axis.

    Args:
        networks: at least one.
        factor: of the compute number per multiply-add, 1 or 2.
        compute_label: name of the compute number.
    """
    rows = sorted(networks, key=lambda each: each.macs, reverse=True)
    titles, params = [each.title for each in rows], [each.params for each in rows]
    compute = [each.macs * factor for each in rows]
    traces = [draw.stretches(zip(titles, params, compute, strict=True), look)]
    notes = []
    for label, values, symbol in (("Parameters", params, "circle-open"), (compute_label, compute, "circle")):
        hover = draw.hover(
            f"%{{y}}, %{{customdata[1]}} px<br>{label}: %{{customdata[0]}}<br>"
            "each parameter used %{customdata[2]} times per image",
            [[si(value), each.resolution, f"{each.uses:.0f}"] for each, value in zip(rows, values, strict=True)],
        )
        traces.append(draw.dots(values, titles, draw.outlined(look.ink, 10, symbol), **hover))
        # A label above the first row replaces a legend.
        notes.append(draw.note(math.log10(values[-1]), titles[-1], label, look.muted, yshift=18))
    span = math.log10(min(params)) - 0.3, math.log10(max(compute)) + 0.2
    layout = {
        "margin": draw.margin(right=12, top=30),
        "annotations": notes,
        "xaxis": draw.log_axis(span, draw.decades(*span, (1,)), "Count (logarithmic)", showgrid=True),
        "yaxis": {"showgrid": False, "ticksuffix": " ", "categoryorder": "array", "categoryarray": titles,
                  "range": [-0.7, len(rows) - 0.3]},
    }  # fmt: skip
    spoken = "; ".join(
        f"{each.title}: {si(each.macs * factor)} {lower(compute_label)}, {si(each.params)} parameters" for each in rows
    )
    return chart(look, 20 * len(rows) + 80, traces, layout, _finding(rows), spoken)


def _finding(rows: Sequence[Totals]) -> str:
    (least, few), (most, many) = (
        (each.title, f"{each.uses:.0f}") for each in (pick(rows, key=lambda each: each.uses) for pick in (min, max))
    )
    if few == many:
        return f"{least if len(rows) == 1 else 'Every network'} uses each parameter {few} times per image"
    return f"Parameters do not predict compute: {least} uses each parameter {few} times per image, {most} {many} times"


check_border(globals())
