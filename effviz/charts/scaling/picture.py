"""The network drawn to scale, for every rule, over phi: an animated version of EfficientNet's figure 2."""

from collections.abc import Callable, Sequence

from effviz.advice.scaling import BuiltStage, built_stages
from effviz.charts import draw
from effviz.charts.scaling.promised import Count
from effviz.charts.sentences import listed
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.resolution import in_pixels
from effviz.core.units import lower, si
from effviz.studies.scaling import NAMES, Contender, Frame

# Outlines by face of the boxes: x and y, with None between two outlines.
_Faces = dict[str, tuple[list[float | None], list[float | None]]]

_ROW = 116
_DEEPEST = 0.09
_HIGHEST = 0.5


def picture_chart(frames: Sequence[Frame], phi: float, count: Count, look: Appearance) -> Chart:
    """Draw one row per rule and one box per stage: as long as its blocks, as high as its channels, as deep as its map.

    All rows and all frames have the same scale. The frames are in rising order of phi, each with the same rules. The
    one next to `phi` is shown; the button above plays all of them and ends with it.
    """
    bodies = [body(contender) for frame in frames for contender in frame.drawn]
    longest = max(sum(stage.blocks for stage in each) for each in bodies)
    highest = max(stage.channels for each in bodies for stage in each)
    deepest = max(stage.side for each in bodies for stage in each)
    scale = _Scale(longest, highest, deepest, len(frames[0].drawn))
    drawn = [_traces(frame, scale, count, look) for frame in frames]
    start = min(range(len(frames)), key=lambda index: abs(frames[index].phi - phi))
    last = frames[start]
    spoken = "; ".join(
        f"{NAMES[each.rule]}: {_blocks(each)} blocks, up to {_channels(each)} channels, "
        f"{in_pixels(each.design.resolution)}, {si(each.report.macs * count.factor)}"
        for each in last.drawn
    )
    return chart(
        look, _ROW * len(last.drawn) + 56, drawn[start], _layout(frames, start, scale, look), _finding(last, count),
        f"At φ = {last.phi:g}: {spoken}",
        frames=[{"name": _name(frame), "data": traces} for frame, traces in zip(frames, drawn, strict=True)],
    )  # fmt: skip


def body(contender: Contender) -> list[BuiltStage]:
    """Return the stages that depth scales."""
    return [stage for stage in built_stages(contender.design) if stage.scales]


def _blocks(contender: Contender) -> int:
    return sum(stage.blocks for stage in body(contender))


def _channels(contender: Contender) -> int:
    return max(stage.channels for stage in body(contender))


class _Scale:
    """Factors from blocks, channels and pixels of a map to the axes, the same for every row and every frame.

    Across, one unit is a block. Up, one unit is the height of a row.
    """

    def __init__(self, longest: int, highest: int, deepest: int, rows: int) -> None:
        self.right = longest * (1 + _DEEPEST) + 1
        self.rows = rows
        self.channels = 0.56 / highest
        self.across = _DEEPEST * longest / deepest
        self.up = _HIGHEST * 0.5 / deepest

    def middle(self, row: int) -> float:
        """Return the height of the axis of a row; the first is on top."""
        return self.rows - row - 0.7


def _name(frame: Frame) -> str:
    return f"{frame.phi:g}"


def _traces(frame: Frame, scale: _Scale, count: Count, look: Appearance) -> list[Spec]:
    traces: list[Spec] = []
    # One trace per colour and face keeps a frame small.
    for color in (look.ink, look.accent):
        faces: _Faces = {"side": ([], []), "top": ([], []), "front": ([], [])}
        texts: dict[float, str] = {}
        for row, contender in enumerate(frame.drawn):
            if (contender.rule == "compound") == (color == look.accent):
                _add_boxes(body(contender), scale, scale.middle(row), faces)
                texts[scale.middle(row) + 0.5] = _label(contender, count)
        for (face, (xs, ys)), opacity in zip(faces.items(), (0.55, 0.1, 0.22), strict=True):
            # Opaque, because a box hides the boxes behind it.
            tint = draw.mixed(look.paper, color, opacity)
            traces.append(draw.line(xs, ys, color, 1, fill="toself", fillcolor=tint, name=face))
        place: Spec = {"textposition": "middle right", "cliponaxis": False}
        traces.append(
            draw.labels([0] * len(texts), list(texts), list(texts.values()), 14, color, name="label", **place)
        )
    name = f"<b>φ = {_name(frame)}</b>"
    traces.append(draw.labels([scale.right], [scale.rows - 0.2], [name], 16, look.accent, textposition="middle left"))
    return traces


def _add_boxes(stages: Sequence[BuiltStage], scale: _Scale, middle: float, faces: _Faces) -> None:
    """Add the three visible faces of every stage's box to the outlines."""
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


def _label(contender: Contender, count: Count) -> str:
    named = zip("dwr", contender.multipliers, strict=True)
    changed = ", ".join(f"{letter} {value:.3g}" for letter, value in named if abs(value - 1) > 1e-9)
    numbers = [in_pixels(contender.design.resolution), si(contender.report.macs * count.factor)]
    return f"<b>{NAMES[contender.rule]}</b>  {'; '.join(filter(None, [changed, *numbers]))}"


def _layout(frames: Sequence[Frame], start: int, scale: _Scale, look: Appearance) -> Spec:
    order = [_name(frame) for frame in (*frames, frames[start])]
    label = f"Play φ = {_name(frames[0])} to {_name(frames[-1])}"
    timing = {"mode": "immediate", "transition": {"duration": 0}, "frame": {"duration": 450, "redraw": False}}
    return {
        "margin": draw.margin(4, 4, 48, 4),
        "xaxis": {"range": [-0.01 * scale.right, scale.right], "visible": False},
        "yaxis": {"range": [-0.05, scale.rows], "visible": False},
        "updatemenus": [
            {
                "type": "buttons", "direction": "right", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom",
                "showactive": False, "pad": {"b": 8}, "bgcolor": look.paper, "bordercolor": look.muted,
                "font": {"size": 14, "color": look.ink},
                "buttons": [
                    {"label": label, "method": "animate", "args": [order, timing]},
                    # Plotly stops an animation that is followed by one without frames.
                    {"label": "Pause", "method": "animate", "args": [[None], timing | {"frame": {"duration": 0}}]},
                ],
            }
        ],
    }  # fmt: skip


def _finding(frame: Frame, count: Count) -> str:
    """Compare the single rules with compound scaling, each by the dimension that it scales."""
    if frame.phi == 0:
        return "At φ = 0, every rule has the network of the baseline"
    drawn = {each.rule: each for each in frame.drawn}
    compound = drawn["compound"]
    sizes: dict[str, Callable[[Contender], str]] = {
        "width": lambda each: f"{_channels(each)} channels",
        "depth": lambda each: f"{_blocks(each)} blocks",
        "resolution": lambda each: in_pixels(each.design.resolution),
    }
    amount = f"{si(compound.report.macs * count.factor)} {lower(count.label)}"
    alone = [size(drawn[name]) for name, size in sizes.items() if name in drawn]
    if not alone:
        return f"A network of {amount}, drawn to scale"
    together = [sizes[name](compound) for name in ("depth", "width", "resolution")]
    return f"{amount} are enough for {listed(alone, 'or')} alone, or for {listed(together)} together"


check_border(globals())
