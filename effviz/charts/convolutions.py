"""Convolutions: what the cheaper kinds save, and which channels they connect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from effviz.charts.relative import Measured, relative_dots
from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure
from effviz.core.units import lower, percent
from effviz.studies.convolutions import Connection, Setting

_MOST_BLOCKS = 64


def kind_costs(
    shares: Mapping[str, Mapping[str, float]], chosen: str, labels: Mapping[str, str], compute: str, look: Appearance
) -> Chart:
    """Every kind's cost as a share of the standard convolution's, on a logarithmic axis.

    Args:
        shares: by kind; by quantity (macs, memory_access), 1 is the standard convolution.
        chosen: the kind on screen, marked.
        labels: of the kinds.
        compute: name of the compute number.
        look: light or dark.
    """
    # Weights are used at every position of the map: parameters and multiply-adds shrink alike.
    words = (("macs", f"Parameters and {lower(compute)}", "circle"), ("memory_access", "Memory access", "diamond"))
    measures = [
        Measured(label, symbol, [costs[quantity] for costs in shares.values()]) for quantity, label, symbol in words
    ]
    drawn = relative_dots(
        [labels[kind] for kind in shares], measures, labels[chosen], "Share of the standard convolution's cost", look
    )
    best = min(shares, key=lambda kind: shares[kind]["macs"]) if chosen == "standard" else chosen
    costs = shares[best]
    title = (
        f"{labels[best]}: {_times(costs['macs'])} the {lower(compute)} of a standard convolution, "
        f"{_times(costs['memory_access'])} its memory access"
    )
    spoken = "; ".join(
        f"{labels[kind]}: {lower(words[0][1])} {percent(each['macs'])}, memory access {percent(each['memory_access'])}"
        for kind, each in shares.items()
    )
    return Chart(drawn, title, f"{title}. Shares of the standard convolution: {spoken}.")


def _times(share: float) -> str:
    """A share as a reader says it: ``1/8.4 of``, ``1.3 times``."""
    if share > 1.0005:
        return f"{share:.2f} times"
    return "as much as" if share > 0.9995 else f"1/{1 / share:.3g} of"


class Curve(NamedTuple):
    """One line of `reduction_curve`: its name, the factors, and how it is drawn."""

    label: str
    factors: Sequence[float]
    dash: str


def reduction_curve(
    amounts: Sequence[int],
    curves: Sequence[Curve],
    now: int,
    control: str,
    subject: str,
    look: Appearance,
    *,
    logarithmic: bool,
    limit: tuple[float, str] | None = None,
) -> Chart:
    """How many times cheaper than the standard convolution, against one control.

    Args:
        amounts: values of the control.
        curves: one factor per value each; the first gives the finding.
        now: the value on screen, marked.
        control: on the axis.
        subject: the kind, for the title.
        look: light or dark.
        logarithmic: the axis of the control.
        limit: a line that is never crossed, and what it is called.
    """
    traces: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    place = list(amounts).index(now)
    highest = max(max(curve.factors) for curve in curves)
    taken: list[float] = []
    for curve in curves:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": curve.label,
                "x": list(amounts),
                "y": list(curve.factors),
                "line": {"color": look.ink, "width": 2, "dash": curve.dash},
                "hovertemplate": f"{curve.label}: %{{y:.2f}} times less at %{{x}}<extra></extra>",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [now],
                "y": [curve.factors[place]],
                "marker": {"size": 12, "color": look.accent},
                "cliponaxis": False,
                "hoverinfo": "skip",
            }
        )
        notes.append(
            {
                "x": math.log10(amounts[-1]) if logarithmic else amounts[-1],
                "y": curve.factors[-1],
                "text": curve.label,
                "showarrow": False,
                "xanchor": "right",
                # Below its line where another label is in the way.
                "yanchor": "top" if any(abs(end - curve.factors[-1]) < 0.1 * highest for end in taken) else "bottom",
                "font": {"size": 13, "color": look.ink},
            }
        )
        taken.append(curve.factors[-1])
    if limit is not None:
        highest = max(highest, limit[0])
        line = {"color": look.muted, "width": 1, "dash": "dot"}
        x, y = [amounts[0], amounts[-1]], [limit[0]] * 2
        traces.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"})
        notes.append(
            {
                "x": math.log10(amounts[0]) if logarithmic else amounts[0],
                "y": limit[0],
                "text": limit[1],
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 13, "color": look.muted},
            }
        )
    ends = (math.log10(amounts[0]), math.log10(amounts[-1])) if logarithmic else (amounts[0], amounts[-1])
    # Powers of 4 on a logarithmic axis, else every value.
    ticks = [amount for amount in amounts if amount in (8, 32, 128, 512, 2048)] if logarithmic else list(amounts)
    layout = {
        "annotations": notes,
        "xaxis": {
            "type": "log" if logarithmic else "linear",
            "range": ends,
            "tickvals": ticks,
            "ticktext": [str(tick) for tick in ticks],
            "title": {"text": control},
        },
        "yaxis": {"range": [0, 1.15 * highest], "title": {"text": "Times cheaper than standard"}},
    }
    first, where = curves[0], lower(control)
    factor = first.factors[place]
    claim = f"{factor:.3g} times fewer" if factor >= 1 else f"{1 / factor:.3g} times as many"
    title = (
        f"{subject}: {claim} {lower(first.label)} at {where} {now}; the factor goes from {first.factors[0]:.3g} at "
        f"{amounts[0]} to {first.factors[-1]:.3g} at {amounts[-1]}"
    )
    spoken = "; ".join(
        f"{curve.label}: "
        + ", ".join(f"{factor:.3g} at {amount}" for amount, factor in zip(amounts, curve.factors, strict=True))
        for curve in curves
    )
    return Chart(figure(look, 280, traces, layout), title, f"{title}. {spoken}.")


def window_picture(setting: Setting, kernel_size: int, look: Appearance) -> Chart:
    """The spatial window on a corner of the input map, and where it stands next.

    Args:
        setting: stride and resolution.
        kernel_size: of the window.
        look: light or dark.
    """
    side = min(setting.resolution, kernel_size + 2 * setting.stride + 1)
    shapes: list[dict[str, Any]] = []
    for row in range(side):
        for column in range(side):
            shapes.append(_box(column, row, column + 1, row + 1, look.grid, "rgba(0,0,0,0)", 1))
    shapes.append(_box(0, 0, min(kernel_size, side), min(kernel_size, side), look.accent, _faint(look), 3))
    if setting.stride + kernel_size <= side:
        shapes.append(_box(setting.stride, 0, setting.stride + kernel_size, kernel_size, look.ink, "rgba(0,0,0,0)", 2))
    layout = {
        "shapes": shapes,
        "xaxis": {"visible": False, "range": [-0.1, side + 0.1], "constrain": "domain"},
        "yaxis": {"visible": False, "range": [side + 0.1, -0.1], "scaleanchor": "x", "constrain": "domain"},
    }
    values = kernel_size**2
    title = f"Window: {kernel_size} x {kernel_size} = {values} {'position' if values == 1 else 'positions'}"
    alt = f"{title} of every channel that is read; the next window lies {setting.stride} further."
    return Chart(figure(look, 260, [{"type": "scatter", "x": [None], "y": [None]}], layout), title, alt)


def _faint(look: Appearance) -> str:
    red, green, blue = (int(look.accent[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"


def _box(x0: float, y0: float, x1: float, y1: float, line: str, fill: str, width: float) -> dict[str, Any]:
    return {
        "type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1,
        "fillcolor": fill, "line": {"color": line, "width": width},
    }  # fmt: skip


def connection_picture(blocks: Sequence[Connection], kind: str, look: Appearance) -> Chart:
    """Which output channels read which input channels of one layer: full, block-diagonal or diagonal.

    Args:
        blocks: of the layer.
        kind: of the layer, for its colour.
        look: light or dark.
    """
    wide, high = blocks[-1].end_in, blocks[-1].end_out
    color = KIND_COLORS[kind]
    if len(blocks) <= _MOST_BLOCKS:
        shapes = [
            _box(each.first_in, each.first_out, each.end_in, each.end_out, look.outline, color, 0.7) for each in blocks
        ]
    else:
        # Hundreds of blocks are a diagonal.
        shapes = [{"type": "line", "x0": 0, "y0": 0, "x1": wide, "y1": high, "line": {"color": color, "width": 4}}]
    shapes.append(_box(0, 0, wide, high, look.muted, "rgba(0,0,0,0)", 1))
    axis = {"showgrid": False, "nticks": 5}
    layout = {
        "shapes": shapes,
        "xaxis": axis | {"range": [0, wide], "title": {"text": "Input channel"}, "constrain": "domain"},
        "yaxis": axis | {"range": [high, 0], "title": {"text": "Output channel"}},
    }
    each = blocks[0].end_in - blocks[0].first_in
    share = each / wide
    title = f"Channels: each output reads {each} of {wide} inputs ({percent(share)})"
    groups = "1 group" if len(blocks) == 1 else f"{len(blocks)} groups"
    return Chart(
        figure(look, 260, [{"type": "scatter", "x": [None], "y": [None]}], layout),
        title,
        f"{title}; {groups}, {high} output channels.",
    )


def reach_picture(reached: np.ndarray, groups: int, title: str, look: Appearance) -> Chart:
    """Which inputs reach which outputs, as a matrix.

    Args:
        reached: (channels, channels) of bool: output, input.
        groups: drawn as lines between the groups.
        title: the finding.
        look: light or dark.
    """
    channels = len(reached)
    heat = {
        "type": "heatmap",
        "z": reached.astype(int).tolist(),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, "rgba(0,0,0,0)"], [1, KIND_COLORS["grouped convolution"]]],
        "showscale": False,
        "hovertemplate": "output %{y}, input %{x}<extra></extra>",
    }
    size = channels / groups
    shapes = [
        {
            "type": "line", "line": {"color": look.muted, "width": 1},
            "x0": -0.5 + size * group, "x1": -0.5 + size * group, "y0": -0.5, "y1": channels - 0.5,
        }
        for group in range(1, groups)
    ]  # fmt: skip
    shapes.append(_box(-0.5, -0.5, channels - 0.5, channels - 0.5, look.muted, "rgba(0,0,0,0)", 1))
    axis = {"showgrid": False, "nticks": 5}
    layout = {
        "shapes": shapes,
        "xaxis": axis | {"range": [-0.5, channels - 0.5], "title": {"text": "Input channel"}},
        "yaxis": axis | {"range": [channels - 0.5, -0.5], "title": {"text": "Output channel"}},
    }
    share = float(reached.mean())
    return Chart(
        figure(look, 280, [heat], layout), title, f"{title}: {percent(share)} of the pairs of channels are connected."
    )
