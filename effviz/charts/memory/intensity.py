"""Arithmetic intensity by layer kind."""

from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import KIND_COLORS, Appearance, Chart, chart
from effviz.charts.ticks import round_axis
from effviz.core.arguments import check_border
from effviz.core.units import lower, percent, si
from effviz.studies.guidelines.theory import Intensity


def intensity_bars(
    network: str, entries: Sequence[Intensity], factor: float, count: str, per: str, look: Appearance
) -> Chart:
    """Draw multiply-adds per element or byte of memory access, one bar per kind of layer.

    Args:
        network: its name.
        entries: its kinds of layer, at least one.
        factor: from multiply-adds per element to the unit shown.
        count: ``"Multiply-adds"`` or ``"FLOPs"``.
        per: ``"element"`` or ``"byte"``.
    """
    values = {entry.kind: entry.per_element * factor for entry in entries}
    texts = {kind: f"{value:.3g}" if value < 1000 else si(value) for kind, value in values.items()}
    colors = [KIND_COLORS[kind] for kind in values]
    hover = draw.hover(
        f"%{{y}}<br>%{{x:.3~g}} {count} per {per}<br>%{{customdata[0]}} multiply-adds, %{{customdata[1]}} elements",
        [[si(entry.macs), si(entry.memory_access)] for entry in entries],
    )
    bars = draw.row_bars(
        list(values), list(values.values()), {"color": colors, "line": {"color": look.outline, "width": 0.7}},
        [f"{texts[entry.kind]} ({percent(entry.share)})" for entry in entries],
        textfont={"color": look.ink, "size": 13}, **hover,
    )  # fmt: skip
    most = max(values.values())
    scale = draw.axis(f"{count} per {per}", showgrid=True, **round_axis(1.4 * most))
    layout = {"bargap": 0.35, "xaxis": scale, "yaxis": draw.ROWS}
    spoken = "; ".join(f"{e.kind}: {texts[e.kind]}, {percent(e.share)} of the memory access" for e in entries)
    working = [entry.kind for entry in entries if entry.macs]
    if working:
        high, low = (pick(working, key=values.__getitem__) for pick in (max, min))
        rest = "" if high == low else f" and {texts[low]} in {low} layers"
        title = f"{network} has {texts[high]} {lower(count)} per {per} in {high} layers{rest}"
    else:
        title = f"{network} has no multiply-adds"
    return chart(look, 38 * len(entries) + 76, [bars], layout, title, f"{count} per {per}", spoken)


check_border(globals())
