"""Builders of plain specifications: traces, shapes, annotations and axes as dictionaries in plotly's format."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from effviz.charts.style import CLEAR, KIND_COLORS, Appearance, Spec
from effviz.core.units import round_step, short
from effviz.count.palette import text_on

# --- traces ----------------------------------------------------------------------------------------------------------


def percent_ticks(end: float = 1.0) -> Spec:
    """Build the ticks of an axis of shares from 0 to `end`, as percentages."""
    step = round_step(end / 6)
    values = [step * place for place in range(math.floor(end / step + 1e-9) + 1)]
    return {"tickvals": values, "ticktext": [f"{100 * value:.3g} %" for value in values]}


def hover(template: str, data: Sequence[Any] | None = None) -> Spec:
    """Build the hover of a trace, in which ``%{customdata[1]}`` is the second value of a row of `data`."""
    given = {} if data is None else {"customdata": list(data)}
    return given | {"hovertemplate": f"{template}<extra></extra>"}


def _scatter(mode: str, x: Iterable[Any], y: Iterable[Any], rest: Spec) -> Spec:
    silent = {} if "hovertemplate" in rest else {"hoverinfo": "skip"}
    return {"type": "scatter", "mode": mode, "x": list(x), "y": list(y)} | silent | rest


def line(
    x: Iterable[Any], y: Iterable[Any], color: str, width: float = 2.0, *, dash: str = "", shape: str = "", **rest: Any
) -> Spec:
    """Build a line; without a `hover` it has none."""
    drawn = {"color": color, "width": width} | ({"dash": dash} if dash else {}) | ({"shape": shape} if shape else {})
    return _scatter("lines", x, y, {"line": drawn} | rest)


def dots(x: Iterable[Any], y: Iterable[Any], marker: Spec, **rest: Any) -> Spec:
    """Build markers; without a `hover` they have none."""
    return _scatter("markers", x, y, {"marker": marker} | rest)


def labels(x: Iterable[Any], y: Iterable[Any], texts: Iterable[str], size: int, color: Any, **rest: Any) -> Spec:
    """Build texts inside the plot."""
    return _scatter("text", x, y, {"text": list(texts), "textfont": {"size": size, "color": color}} | rest)


def marked_line(
    x: Sequence[float], y: Sequence[float], marks: Sequence[str], look: Appearance, **rest: Any
) -> tuple[Spec, list[Spec]]:
    """Return a line of points of which some are marked with a text, and its annotations, for a logarithmic axis.

    Args:
        x, y: the points.
        marks: text of each marked point; empty for the others.
        rest: of the trace.
    """
    last = len(x) - 1
    marker = {
        "color": [look.accent if text else look.ink for text in marks],
        "size": [14 if text else 7 for text in marks], "opacity": 1,
    }  # fmt: skip
    notes = [
        note(
            math.log10(x[place]), y[place], text, look.accent, 14, yanchor="bottom", yshift=8,
            xanchor="right" if place == last and place else "left", xshift=0 if place == last else 6,
        )
        for place, text in enumerate(marks) if text
    ]  # fmt: skip
    return line(x, y, look.ink, 2, mode="lines+markers", marker=marker, **rest), notes


def outlined(color: Any, size: Any, symbol: Any = "circle", width: float = 2.0) -> Spec:
    """Build a marker with an outline of the same colour, which gives open and filled symbols the same weight."""
    return {"symbol": symbol, "size": size, "color": color, "line": {"color": color, "width": width}}


def current(look: Appearance, size: int = 12, width: float = 1.5) -> Spec:
    """Build the marker of the current setting, in the accent colour."""
    return {"color": look.accent, "size": size, "line": {"color": look.paper, "width": width}}


def stretches(rows: Iterable[tuple[Any, float, float]], look: Appearance) -> Spec:
    """Build thick lines that connect two values of a row: its name, the one value and the other."""
    rows = list(rows)
    x = [value for _, low, high in rows for value in (low, high, None)]
    y = [value for name, _, _ in rows for value in (name, name, None)]
    return line(x, y, look.grid, 4, showlegend=False)


def row_bars(names: Sequence[str], values: Sequence[Any], marker: Spec, texts: Sequence[str], **rest: Any) -> Spec:
    """Build horizontal bars with a text behind each."""
    bars = {"type": "bar", "orientation": "h", "y": list(names), "x": list(values), "marker": marker}
    return bars | {"text": list(texts), "textposition": "outside", "cliponaxis": False} | rest


def kind_bars(
    kind: str, names: Sequence[str], values: Sequence[float], texts: Sequence[str], size: int, look: Appearance,
    **rest: Any,
) -> Spec:  # fmt: skip
    """Build horizontal bars of one layer kind, to be stacked, with a text inside each."""
    return {
        "type": "bar", "orientation": "h", "name": kind, "y": list(names), "x": list(values),
        "marker": mark(kind, look), "text": list(texts), "textposition": "inside", "insidetextanchor": "middle",
        "textangle": 0, "constraintext": "none", "textfont": {"color": text_on(KIND_COLORS[kind]), "size": size},
    } | rest  # fmt: skip


def mark(kind: str, look: Appearance) -> Spec:
    """Build the marker of a layer kind."""
    return {"color": KIND_COLORS[kind], "line": {"color": look.outline, "width": 0.7}}


def heatmap(
    x: Sequence[Any], y: Sequence[Any], z: Sequence[Sequence[Any]], ends: tuple[str, str], *, gap: int = 2, **rest: Any
) -> Spec:
    """Build cells coloured from the one end to the other; shares of 0 to 1 unless `rest` has another range."""
    scale = {"colorscale": [[0, ends[0]], [1, ends[1]]], "zmin": 0, "zmax": 1, "showscale": False}
    cells = {"type": "heatmap", "x": list(x), "y": list(y), "z": z, "xgap": gap, "ygap": gap, "hoverongaps": False}
    return cells | scale | rest


def mixed(low: str, high: str, share: float) -> str:
    """Return the colour at `share` of the way from `low` to `high`, as plotly mixes them."""
    ends = [[int(color[start : start + 2], 16) for start in (1, 3, 5)] for color in (low, high)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(*ends, strict=True))


# --- shapes and annotations ------------------------------------------------------------------------------------------


def note(x: Any, y: Any, text: str, color: str, size: int = 13, **place: Any) -> Spec:
    """Build a text beside a mark. On a logarithmic axis its place is the exponent."""
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size, "color": color}} | place


def on_line(x: float, y: float, text: str, look: Appearance, color: str = "") -> Spec:
    """Build a text that interrupts the line it belongs to, as in a map with contours."""
    return note(x, y, text, color or look.muted, 12, bgcolor=look.paper, borderpad=1)


def panel_label(text: str, x: float, top: float, color: str, size: int = 14, **place: Any) -> Spec:
    """Build a text above a panel whose upper edge is at `top`, in shares of the chart."""
    above = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return note(x, top, text, color, size) | above | place


def rule(
    color: str, width: float, dash: str = "", *, x: float | None = None, y: float | None = None, **rest: Any
) -> Spec:
    """Build a straight line through the whole plot, at `x` or at `y`."""
    x0, y0, x1, y1 = (0, y, 1, y) if x is None else (x, 0, x, 1)
    drawn = segment(x0, y0, x1, y1, color, width, **{"xref" if x is None else "yref": "paper"} | rest)
    return drawn | {"line": drawn["line"] | {"dash": dash}} if dash else drawn


def segment(x0: Any, y0: Any, x1: Any, y1: Any, color: str, width: float, **rest: Any) -> Spec:
    """Build a straight line between two points."""
    return {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": {"color": color, "width": width}} | rest


def box(x0: float, y0: float, x1: float, y1: float, color: str, width: float, fill: str = CLEAR) -> Spec:
    """Build a rectangle."""
    edge = {"color": color, "width": width}
    return {"type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "fillcolor": fill, "line": edge}


# --- axes ------------------------------------------------------------------------------------------------------------

ROWS = {"autorange": "reversed", "showgrid": False, "ticksuffix": " "}
"""The axis of named rows, from top to bottom."""


def margin(left: int = 8, right: int = 8, top: int = 8, bottom: int = 8) -> dict[str, int]:
    """Return the space around the plot in pixels."""
    return {"l": left, "r": right, "t": top, "b": bottom}


def legend(**rest: Any) -> Spec:
    """Return the layout of a legend above the plot whose entries cannot be switched off."""
    fixed = {"itemclick": False, "itemdoubleclick": False, "font": {"size": 13}}
    place = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0}
    return {"showlegend": True, "legend": place | fixed | rest}


def axis(title: str, **rest: Any) -> Spec:
    """Build an axis with a title."""
    return {"title": {"text": title}} | rest


def ticks(values: Sequence[Any], written: Callable[[Any], str] = str) -> Spec:
    """Build ticks at these values."""
    return {"tickvals": list(values), "ticktext": [written(value) for value in values]}


def log_axis(
    span: tuple[float, float], values: Sequence[float], title: str, written: Callable[[Any], str] = short, **rest: Any
) -> Spec:
    """Build a logarithmic axis from one power of ten to another, with ticks at `values`."""
    return axis(title, type="log", range=list(span), **ticks(values, written)) | rest


def decades(low: float, high: float, steps: Iterable[float]) -> list[float]:
    """Return these steps in every decade from 10**low to 10**high."""
    return [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
