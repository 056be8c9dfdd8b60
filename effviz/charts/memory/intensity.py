"""Arithmetic intensity by layer kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure
from effviz.core.units import percent, si, snapped
from effviz.studies.guidelines import (
    Intensity,
)

# --- arithmetic intensity ------------------------------------------------------------------------------------------


def intensity_bars(
    network: str, entries: Sequence[Intensity], factor: float, count: str, per: str, look: Appearance
) -> Chart:
    """Multiply-adds per element or byte of memory access, one bar per kind of layer.

    Args:
        network: its name.
        entries: its kinds of layer, at least one.
        factor: from multiply-adds per element to what is shown.
        count: ``"Multiply-adds"`` or ``"FLOPs"``.
        per: ``"element"`` or ``"byte"``.
        look: light or dark.
    """
    values = {entry.kind: entry.per_element * factor for entry in entries}
    most = max(values.values())
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [entry.kind for entry in entries],
            "x": list(values.values()),
            "marker": {
                "color": [KIND_COLORS[entry.kind] for entry in entries],
                "line": {"color": look.outline, "width": 0.7},
            },
            "text": [f"{_number(values[entry.kind])} ({percent(entry.share)})" for entry in entries],
            "textposition": "outside",
            "cliponaxis": False,
            "textfont": {"color": look.ink, "size": 13},
            "customdata": [[si(entry.macs), si(entry.memory_access)] for entry in entries],
            "hovertemplate": f"%{{y}}<br>%{{x:.3~g}} {count} per {per}<br>%{{customdata[0]}} multiply-adds, "
            "%{customdata[1]} elements<extra></extra>",
        }
    ]
    layout = {
        "bargap": 0.35,
        "xaxis": {
            "range": [0, max(snapped(most), 1.4 * most)],
            "showgrid": True,
            "nticks": 6,
            "title": {"text": f"{count} per {per}"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }
    title = _intense(network, entries, values, count, per)
    spoken = "; ".join(
        f"{entry.kind}: {_number(values[entry.kind])}, {percent(entry.share)} of the memory access" for entry in entries
    )
    made = figure(look, 38 * len(entries) + 76, traces, layout)
    return Chart(made, title, f"{title}. {count} per {per}. {spoken}.")


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else si(value)


def _intense(network: str, entries: Sequence[Intensity], values: Mapping[str, float], count: str, per: str) -> str:
    word = count if count[1:2].isupper() else count.lower()
    working = [entry for entry in entries if entry.macs]
    if not working:
        return f"{network} has no multiply-adds"
    most, least = (pick(working, key=lambda entry: entry.per_element) for pick in (max, min))
    if most is least:
        return f"{network}: {_number(values[most.kind])} {word} per {per} moved in {most.kind} layers alone"
    return (
        f"{network}: {_number(values[most.kind])} {word} per {per} moved in {most.kind} layers, "
        f"{_number(values[least.kind])} in {least.kind} layers"
    )
