"""The network drawn to scale, for every rule, over phi: the live counterpart of EfficientNet's figure 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from effviz.advice.scaling import BuiltStage, built_stages
from effviz.charts.scaling.promised import Count
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import lower, si
from effviz.studies.scaling import NAMES, Contender, Frame

_ROW = 116
_DEEPEST = 0.09
_HIGHEST = 0.5


def picture_chart(frames: Sequence[Frame], count: Count, look: Appearance) -> Chart:
    """One row for every rule: a box for every stage, as long as its blocks, as high as its channels, as deep as a map.

    All rows and all frames have one scale.

    Args:
        frames: in rising order of phi, each with the same rules.
        count: of multiply-adds.
        look: light or dark.
    """
    bodies = [body(contender) for frame in frames for contender in frame.drawn]
    longest = max(sum(stage.blocks for stage in each) for each in bodies)
    highest = max(stage.channels for each in bodies for stage in each)
    deepest = max(stage.side for each in bodies for stage in each)
    scale = _Scale(longest, highest, deepest, len(frames[0].drawn))
    drawn = [_traces(frame, scale, count, look) for frame in frames]
    start = len(frames) - 1
    made = figure(look, _ROW * len(frames[0].drawn) + 96, drawn[start], _layout(frames, start, scale, look))
    made.frames = [{"name": _name(frame), "data": traces} for frame, traces in zip(frames, drawn, strict=True)]
    last = frames[start]
    title = _finding(last, count)
    spoken = "; ".join(
        f"{NAMES[each.rule]}: {sum(stage.blocks for stage in body(each))} blocks, up to "
        f"{max(stage.channels for stage in body(each))} channels, {each.design.resolution} px, "
        f"{si(each.report.macs * count.factor)}"
        for each in last.drawn
    )
    return Chart(made, title, f"{title}. At phi = {last.phi:g}: {spoken}.")


def body(contender: Contender) -> list[BuiltStage]:
    """The stages on which depth acts."""
    return [stage for stage in built_stages(contender.design) if stage.scales]


class _Scale:
    """From blocks, channels and pixels of a map to the axes, the same for every row and every frame.

    Across, one unit is a block. Up, one unit is the height of a row.
    """

    def __init__(self, longest: int, highest: int, deepest: int, rows: int) -> None:
        self.right = longest * (1 + _DEEPEST) + 1
        self.rows = rows
        self.channels = 0.56 / highest
        self.across = _DEEPEST * longest / deepest
        self.up = _HIGHEST * 0.5 / deepest

    def middle(self, row: int) -> float:
        """Height of the axis of a row; the first is on top."""
        return self.rows - row - 0.7


def _name(frame: Frame) -> str:
    return f"{frame.phi:g}"


def _traces(frame: Frame, scale: _Scale, count: Count, look: Appearance) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    # Two colours, so two traces for every face of the boxes: a frame stays small.
    for color in (look.ink, look.accent):
        faces: dict[str, tuple[list[float | None], list[float | None]]] = {"side": ([], []), "top": ([], []),
                                                                           "front": ([], [])}  # fmt: skip
        labels: list[str] = []
        heights: list[float] = []
        for row, contender in enumerate(frame.drawn):
            if (contender.rule == "compound") == (color == look.accent):
                _boxes(body(contender), scale, scale.middle(row), faces)
                labels.append(_label(contender, count))
                heights.append(scale.middle(row) + 0.5)
        for (face, (xs, ys)), opacity in zip(faces.items(), (0.55, 0.1, 0.22), strict=True):
            traces.append(
                {
                    "type": "scatter", "mode": "lines", "x": xs, "y": ys, "fill": "toself", "name": face,
                    "fillcolor": _tinted(color, opacity, look), "line": {"color": color, "width": 1},
                    "hoverinfo": "skip",
                }
            )  # fmt: skip
        traces.append(
            {
                "type": "scatter", "mode": "text", "name": "label",
                "x": [0] * len(labels), "y": heights, "text": labels,
                "textposition": "middle right", "textfont": {"size": 14, "color": color}, "hoverinfo": "skip",
                "cliponaxis": False,
            }
        )  # fmt: skip
    return traces


def _boxes(
    stages: Sequence[BuiltStage], scale: _Scale, middle: float,
    faces: dict[str, tuple[list[float | None], list[float | None]]],
) -> None:  # fmt: skip
    """Add the three faces of every stage's box to the outlines."""
    left = 0.0
    for stage in stages:
        right, half = left + stage.blocks, stage.channels * scale.channels / 2
        across, up = stage.side * scale.across, stage.side * scale.up
        low, high = middle - half, middle + half
        corners = {
            "front": [(left, low), (right, low), (right, high), (left, high)],
            "top": [(left, high), (right, high), (right + across, high + up), (left + across, high + up)],
            "side": [(right, low), (right + across, low + up), (right + across, high + up), (right, high)],
        }
        for face, points in corners.items():
            xs, ys = faces[face]
            xs += [*(x for x, _ in points), points[0][0], None]
            ys += [*(y for _, y in points), points[0][1], None]
        left = right


def _tinted(color: str, share: float, look: Appearance) -> str:
    """`color` over the page, opaque: what lies behind a box must not shine through."""
    mixed = [
        round(share * int(color[at : at + 2], 16) + (1 - share) * int(look.paper[at : at + 2], 16)) for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02X}" for part in mixed)


def _label(contender: Contender, count: Count) -> str:
    named = zip("dwr", contender.multipliers, strict=True)
    changed = [f"{letter} {value:.3g}" for letter, value in named if abs(value - 1) > 1e-9]
    asked = [", ".join(changed)] if changed else []
    report = contender.report
    told = "; ".join([*asked, f"{contender.design.resolution} px", si(report.macs * count.factor)])
    return f"<b>{NAMES[contender.rule]}</b>  {told}"


def _layout(frames: Sequence[Frame], start: int, scale: _Scale, look: Appearance) -> dict[str, Any]:
    animate = {"mode": "immediate", "transition": {"duration": 0}}
    plain = {"bgcolor": look.paper, "bordercolor": look.muted, "font": {"size": 14, "color": look.ink}}
    return {
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "xaxis": {"range": [-0.01 * scale.right, scale.right], "visible": False},
        "yaxis": {"range": [-0.05, scale.rows], "visible": False},
        "updatemenus": [
            plain
            | {
                "type": "buttons", "direction": "right", "x": 0, "y": -0.01, "xanchor": "left", "yanchor": "top",
                "showactive": False, "pad": {"t": 26, "r": 8},
                "buttons": [
                    {"label": "Play", "method": "animate",
                     "args": [None, animate | {"frame": {"duration": 450, "redraw": False}, "fromcurrent": False}]},
                    {"label": "Pause", "method": "animate",
                     "args": [[None], animate | {"frame": {"duration": 0, "redraw": False}}]},
                ],
            }
        ],
        "sliders": [
            {
                "active": start, "x": 0.37, "len": 0.63, "y": -0.01, "yanchor": "top", "pad": {"t": 12},
                "currentvalue": {"prefix": "phi = ", "font": {"size": 14, "color": look.ink}, "xanchor": "left"},
                "font": {"size": 12, "color": look.muted}, "bgcolor": look.grid, "bordercolor": look.muted,
                "activebgcolor": look.accent, "tickcolor": look.muted, "ticklen": 4, "minorticklen": 0,
                "steps": [
                    {"label": _name(frame) if frame.phi == int(frame.phi) else "", "value": _name(frame),
                     "method": "animate",
                     "args": [[_name(frame)], animate | {"frame": {"duration": 0, "redraw": False}}]}
                    for frame in frames
                ],
            }
        ],
    }  # fmt: skip


def _finding(frame: Frame, count: Count) -> str:
    compound = next(each for each in frame.drawn if each.rule == "compound")
    depths = {each.rule: sum(stage.blocks for stage in body(each)) for each in frame.drawn}
    parts = [
        f"{depths[rule]} blocks" if rule == "depth" else
        f"{max(stage.channels for stage in body(each))} channels" if rule == "width" else f"{each.design.resolution} px"
        for rule in ("width", "depth", "resolution") for each in frame.drawn if each.rule == rule
    ]  # fmt: skip
    amount = f"{si(compound.report.macs * count.factor)} {lower(count.label)}"
    if not parts:
        return f"{amount}, drawn to scale"
    own = body(compound)
    return (
        f"{amount} drawn to scale: {', '.join(parts[:-1])} or {parts[-1]} alone; together {depths['compound']} blocks, "
        f"{max(stage.channels for stage in own)} channels, {compound.design.resolution} px"
    )
