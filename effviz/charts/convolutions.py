"""Charts of the Convolutions page: savings of the cheaper kinds, and the channels they connect."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from effviz.charts import draw
from effviz.charts.relative import Measured, relative_dots
from effviz.charts.sentences import details, plural, times
from effviz.charts.style import CLEAR, KIND_COLORS, Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import lower, percent
from effviz.studies.convolutions import Connection, Setting

_MOST_BLOCKS = 64
_NOTHING: Spec = {"type": "scatter", "x": [None], "y": [None]}


def kind_costs(
    shares: Mapping[str, Mapping[str, float]], chosen: str, labels: Mapping[str, str], compute: str, look: Appearance
) -> Chart:
    """Draw every kind's cost as a share of the standard convolution's, on a logarithmic axis.

    Args:
        shares: by kind and quantity (params, macs, memory_access); 1 is the standard convolution.
        chosen: the kind on screen, marked.
        labels: of the kinds.
        compute: name of the compute number.
    """
    words = {"params": "Parameters", "macs": compute, "memory_access": "Memory access"}
    if all(costs["params"] == costs["macs"] for costs in shares.values()):
        # Without bias, every weight is used once per position of the map.
        words = {"macs": f"Parameters and {lower(compute)}", "memory_access": "Memory access"}
    measures = [
        Measured(label, symbol, [costs[quantity] for costs in shares.values()])
        for (quantity, label), symbol in zip(words.items(), ("circle", "diamond", "square-open"), strict=False)
    ]
    names, axis = [labels[kind] for kind in shares], "Cost, standard convolution = 1×"
    drawn = relative_dots(names, measures, labels[chosen], axis, look)
    # The only cheaper kind that connects every input channel with every output channel through the window.
    best = "separable" if chosen == "standard" else chosen
    macs = _compared(1 / shares[best]["macs"], lower(compute), "fewer")
    access = _compared(1 / shares[best]["memory_access"], "memory access", "less")
    title = f"Compared with a standard convolution, {lower(labels[best])} needs {macs} and {access}"
    spoken = details(
        (labels[kind], [f"{lower(word)} {percent(costs[key])}" for key, word in words.items()])
        for kind, costs in shares.items()
    )
    return chart(look, *drawn, title, f"Shares of the standard convolution: {spoken}")


def _compared(saving: float, noun: str, less: str, other: str = "") -> str:
    """Return a saving as text: ``"8.4× fewer multiply-adds than a standard convolution"``."""
    if abs(saving - 1) < 5e-4:
        return f"the same {noun}{f' as {other}' if other else ''}"
    if saving > 1:
        return f"{times(saving)} {less} {noun}{f' than {other}' if other else ''}"
    return f"{times(1 / saving)} the {noun}{f' of {other}' if other else ''}"


# --- savings over a control ------------------------------------------------------------------------------------------


class FactorCurve(NamedTuple):
    """One line of `reduction_curve`: its name, the factors, and the dash of the line."""

    label: str
    factors: Sequence[float]
    dash: str


def reduction_curve(
    amounts: Sequence[int], curves: Sequence[FactorCurve], now: int, control: str, subject: str, look: Appearance, *,
    logarithmic: bool, limit: tuple[float, str] | None = None,
) -> Chart:  # fmt: skip
    """Draw the saving of a kind over the standard convolution, against one control.

    Args:
        amounts: values of the control.
        curves: one factor for each value; the title describes the first.
        now: the value on screen, marked.
        control: name on the axis.
        subject: the kind, for the title.
        logarithmic: the axis of the control.
        limit: a value that no factor exceeds, and its name.
    """
    places = [math.log10(amount) for amount in amounts] if logarithmic else list(amounts)
    highest = max(max(curve.factors) for curve in curves)
    traces: list[Spec] = []
    notes: list[Spec] = []
    for index, curve in enumerate(curves):
        end = curve.factors[-1]
        hover = draw.hover(f"{curve.label}: %{{y:.2f}}× less at %{{x}}")
        traces.append(draw.line(amounts, curve.factors, look.ink, dash=curve.dash, name=curve.label, **hover))
        marked = {"size": 12, "color": look.accent}
        traces.append(draw.dots([now], [curve.factors[list(amounts).index(now)]], marked, cliponaxis=False))
        # A label that would overlap another one is below its line.
        rivals = [other.factors[-1] for other in curves[:index]] + ([limit[0]] if limit else [])
        overlaps = any(abs(other - end) < 0.1 * highest for other in rivals)
        anchor: Spec = {"xanchor": "right", "yanchor": "top" if overlaps else "bottom"}
        notes.append(draw.note(places[-1], end, curve.label, look.ink, **anchor))
    if limit is not None:
        highest = max(highest, limit[0])
        traces.append(draw.line([amounts[0], amounts[-1]], [limit[0]] * 2, look.muted, 1, dash="dot"))
        notes.append(draw.note(places[0], *limit, look.muted, xanchor="left", yanchor="bottom"))
    shown = [amount for amount in amounts if amount in (8, 32, 128, 512, 2048)] if logarithmic else amounts
    scale = {"type": "log" if logarithmic else "linear", "range": [places[0], places[-1]]}
    layout = {
        "annotations": notes,
        "xaxis": draw.axis(control, **scale, **draw.ticks(shown)),
        "yaxis": draw.axis("Times cheaper than standard", range=[0, 1.15 * highest]),
    }
    spoken = details(
        (each.label, [f"{times(factor)} at {at}" for at, factor in zip(amounts, each.factors, strict=True)])
        for each in curves
    )
    title = _saving(curves[0], amounts, now, lower(control), lower(subject))
    return chart(look, 280, traces, layout, title, f"Factors: {spoken}")


def _saving(curve: FactorCurve, amounts: Sequence[int], now: int, control: str, subject: str) -> str:
    """State the saving at the value on screen, and its change along the axis."""
    factors = curve.factors
    claim = _compared(factors[list(amounts).index(now)], lower(curve.label), "fewer", "a standard convolution")
    counted = control.endswith("s")
    if max(factors) - min(factors) < 5e-3 * min(factors):
        return f"{f'With any number of {control}' if counted else f'At any {control}'}, {subject} needs {claim}"
    place = f"With {plural(now, control[:-1])}" if counted else f"At {control} {now}"
    if max(factors) <= 1:
        return f"{place}, {subject} needs {claim}; nothing is saved from {amounts[0]} to {amounts[-1]}"
    change = "rises" if factors[-1] > factors[0] else "falls"
    ends = f"from {_factor(factors[0])} at {amounts[0]} to {_factor(factors[-1])} at {amounts[-1]}"
    return f"{place}, {subject} needs {claim}; the saving {change} {ends}"


def _factor(saving: float) -> str:
    """Return a saving as text; a factor of at most 1 saves nothing."""
    return times(saving) if saving > 1 else "none"


# --- connections -----------------------------------------------------------------------------------------------------


def window_picture(setting: Setting, kernel_size: int, look: Appearance) -> Chart:
    """Draw the spatial window on a corner of the input map, and its next position."""
    stride = setting.stride
    side = min(setting.resolution, kernel_size + 2 * stride + 1)
    red, green, blue = (int(look.accent[start : start + 2], 16) for start in (1, 3, 5))
    # One path: a box for each position of a large window would be thousands of shapes.
    lines = "".join(f"M{at},0V{side}M0,{at}H{side}" for at in range(side + 1))
    shapes = [{"type": "path", "path": lines, "line": {"color": look.grid, "width": 1}}]
    inside = min(kernel_size, side)
    shapes.append(draw.box(0, 0, inside, inside, look.accent, 3, f"rgba({red},{green},{blue},0.25)"))
    if stride + kernel_size <= side:
        shapes.append(draw.box(stride, 0, stride + kernel_size, kernel_size, look.ink, 2))
    hidden: Spec = {"visible": False, "constrain": "domain"}
    layout = {
        "shapes": shapes,
        "xaxis": hidden | {"range": [-0.1, side + 0.1]},
        "yaxis": hidden | {"range": [side + 0.1, -0.1], "scaleanchor": "x"},
    }
    title = f"A {kernel_size}×{kernel_size} window reads {plural(kernel_size**2, 'position')} of each input channel"
    return chart(look, 260, [_NOTHING], layout, title, f"The next window is {plural(stride, 'position')} further")


def _channel_axes(wide: float, high: float, first: float = 0) -> Spec:
    """Return the axes of a matrix of input and output channels, the first output on top."""
    return {
        "xaxis": draw.axis("Input channel", range=[first, wide], showgrid=False, nticks=5),
        "yaxis": draw.axis("Output channel", range=[high, first], showgrid=False, nticks=5),
    }


def connection_picture(blocks: Sequence[Connection], kind: str, look: Appearance) -> Chart:
    """Draw the input channels that each output channel of a layer reads, in the colour of its kind."""
    wide, high, color = blocks[-1].end_in, blocks[-1].end_out, KIND_COLORS[kind]
    if len(blocks) <= _MOST_BLOCKS:
        shapes = [
            draw.box(each.first_in, each.first_out, each.end_in, each.end_out, look.outline, 0.7, color)
            for each in blocks
        ]
    else:
        # Hundreds of blocks look like a diagonal.
        shapes = [draw.segment(0, 0, wide, high, color, 4)]
    shapes.append(draw.box(0, 0, wide, high, look.muted, 1))
    layout: Spec = {"shapes": shapes} | _channel_axes(wide, high)
    layout["xaxis"] |= {"constrain": "domain"}
    read = blocks[0].end_in - blocks[0].first_in
    amount = f"all {wide}" if read == wide else f"{read} of {wide}"
    title = f"Each output channel reads {amount} input channels ({percent(read / wide)})"
    if wide == 1:
        title = "Each output channel reads the only input channel"
    numbers = f"{plural(len(blocks), 'group')}, {plural(high, 'output channel')}"
    return chart(look, 260, [_NOTHING], layout, title, numbers)


def reach_picture(reached: np.ndarray, groups: int, title: str, look: Appearance) -> Chart:
    """Draw a matrix of the inputs that reach each output.

    Args:
        reached: (channels, channels) of bool: output, input.
        groups: separated by lines.
        title: the finding.
    """
    end, size = len(reached) - 0.5, len(reached) / groups
    colors = [[0, CLEAR], [1, KIND_COLORS["grouped convolution"]]]
    cells: Spec = {"type": "heatmap", "z": reached.astype(int).tolist(), "colorscale": colors}
    heat = cells | {"zmin": 0, "zmax": 1, "showscale": False} | draw.hover("output %{y}, input %{x}")
    edges = [size * group - 0.5 for group in range(1, groups)]
    shapes = [draw.segment(x, -0.5, x, end, look.muted, 1) for x in edges]
    layout: Spec = {"shapes": [*shapes, draw.box(-0.5, -0.5, end, end, look.muted, 1)]} | _channel_axes(end, end, -0.5)
    connected = f"{percent(float(reached.mean()))} of the pairs of channels are connected"
    return chart(look, 280, [heat], layout, title, connected)


check_border(globals())
