"""Effect of ReLU on a spiral: reconstructions from the embedding, and the share that is lost."""

from collections.abc import Sequence
from typing import Any

from effviz.charts import draw
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import percent
from effviz.studies.manifold import Embedding, Loss

# From the inner end of the spiral to the outer: blue to orange, distinguishable for colour-blind readers. Each has a
# contrast of at least 3:1 with both backgrounds, so their lightness differs little.
SPIRAL_COLORS = ("#2B7BBA", "#7A7A8C", "#C66A00")

_COLUMNS = 3
_PANEL = 220
_NAMES = {"relu": "ReLU", "relu6": "ReLU6"}


def manifold_pictures(embeddings: Sequence[Embedding], look: Appearance) -> Chart:
    """Draw a spiral and its reconstruction from each embedding, at least one, as small multiples with equal axes."""
    panels = [("Input", "", embeddings[0].original)]
    panels += [(f"n = {each.dimensions}", f"{percent(each.lost)} lost", each.projected) for each in embeddings]
    rows = -(-len(panels) // _COLUMNS)
    # One scale for all panels shows how far a reconstruction collapses.
    reach = 0.53 * max(float((points.max(axis=0) - points.min(axis=0)).max()) for _, _, points in panels)
    traces, notes, layout = [], [], dict[str, Any]()
    for place, (name, share, points) in enumerate(panels):
        row, column = divmod(place, _COLUMNS)
        axis = "" if place == 0 else str(place + 1)
        left, right = (column + 0.02) / _COLUMNS, (column + 0.98) / _COLUMNS
        # Each panel has room for two lines of text above it.
        bottom, top = 1 - (row + 1) / rows, 1 - (row + 0.19) / rows
        traces.append(_spiral(name, points, axis))
        across, up = ((points.max(axis=0) + points.min(axis=0)) / 2).tolist()
        layout[f"xaxis{axis}"] = _hidden(across, reach) | {"domain": [left, right], "anchor": f"y{axis}"}
        upright = {"domain": [bottom, top], "anchor": f"x{axis}", "scaleanchor": f"x{axis}"}
        layout[f"yaxis{axis}"] = _hidden(up, reach) | upright
        text, centre = f"<b>{name}</b><br>{share}", {"xanchor": "center", "align": "center"}
        notes.append(draw.panel_label(text, (left + right) / 2, top, look.ink, 12, **centre))
    spoken = "; ".join(f"n = {each.dimensions}: {percent(each.lost)} lost" for each in embeddings)
    explained = "A spiral in the plane, and its reconstruction from n channels"
    return chart(look, _PANEL * rows, traces, layout | {"annotations": notes}, _finding(embeddings), explained, spoken)


def _hidden(middle: float, reach: float) -> Spec:
    return {"visible": False, "range": [middle - reach, middle + reach]}


def _spiral(name: str, points: Any, axis: str) -> Spec:
    count, last = len(points), len(SPIRAL_COLORS) - 1
    scale = [[index / last, color] for index, color in enumerate(SPIRAL_COLORS)]
    colors = {"color": list(range(count)), "cmin": 0, "cmax": count - 1, "colorscale": scale, "showscale": False}
    marker = {"size": 4, "line": {"width": 0}} | colors
    x, y = points.T.tolist()
    return draw.dots(x, y, marker, name=name, xaxis=f"x{axis}", yaxis=f"y{axis}")


def _finding(embeddings: Sequence[Embedding]) -> str:
    ordered = sorted(embeddings, key=lambda each: each.dimensions)
    few, many = ordered[0], ordered[-1]
    if few.activation == "none":
        return f"Without an activation, {plural(few.dimensions, 'channel')} are enough to recover the whole spiral"
    lost, after = percent(few.lost), percent(many.lost)
    name = _NAMES[few.activation]
    if few is not many and lost == after:
        return f"With {few.dimensions} to {plural(many.dimensions, 'channel')}, {name} loses {lost} of the spiral"
    first = f"With {plural(few.dimensions, 'channel')}, {name} loses {lost} of the spiral"
    return first if few is many else f"{first}; with {many.dimensions}, it loses {after}"


def loss_chart(curve: Sequence[Loss], look: Appearance, chosen: int | None = None, activation: str = "relu") -> Chart:
    """Draw the share lost against the channels of the embedding: the median over the seeds and the quartiles.

    Args:
        curve: from `effviz.studies.manifold.loss_curve`; at least one.
        chosen: the number of channels to mark, if it is in the curve.
        activation: of the curve, for the title.
    """
    curve = sorted(curve)
    sizes = [each.dimensions for each in curve]
    # A linear embedding loses rounding errors only.
    low, median, high = (
        [0.0 if (share := getattr(each, name)) < 1e-12 else share for each in curve]
        for name in ("lower", "median", "upper")
    )
    filled: Spec = {"name": "quartiles", "fill": "toself", "fillcolor": look.grid}
    band = draw.line([*sizes, *reversed(sizes)], [*high, *reversed(low)], look.ink, 0, **filled)
    texts = [[percent(each) for each in three] for three in zip(median, low, high, strict=True)]
    marks = [f"n = {size}: {text}" if size == chosen else "" for size, (text, _, _) in zip(sizes, texts, strict=True)]
    hover = draw.hover(
        "n = %{x}: %{customdata[0]} lost<br>half of the seeds between %{customdata[1]} and %{customdata[2]}", texts
    )
    trace, notes = draw.marked_line(sizes, median, marks, look, name="median", **hover)
    end = max(0.1, 1.1 * max(high))
    layout = {
        "xaxis": draw.axis("Channels of the embedding, n", type="log", **draw.ticks(sizes)),
        "yaxis": draw.axis("Share of the spiral lost", range=[0, end], **draw.percent_ticks(end)),
        "annotations": notes,
    }
    spoken = "; ".join(
        f"n = {size}: median {mid}, quartiles {one} and {other}"
        for size, (mid, one, other) in zip(sizes, texts, strict=True)
    )
    return chart(look, 320, [band, trace], layout, _curve_finding(sizes, median, activation), f"Share lost: {spoken}")


def _curve_finding(sizes: Sequence[int], median: Sequence[float], activation: str) -> str:
    if not any(median):
        name = f"With {_NAMES[activation]}" if activation in _NAMES else "Without an activation"
        return f"{name}, any number of channels recovers the whole spiral"
    kept = next((size for size, share in zip(sizes, median, strict=True) if share < 0.01), None)
    few = plural(sizes[0], "channel")
    first = f"With {few}, {_NAMES[activation]} loses a median of {percent(median[0])} of the spiral"
    return first if kept in (None, sizes[0]) else f"{first}; from {kept} channels on, it loses under 1 %"


check_border(globals())
