"""Memory access over the settings of the four guidelines of ShuffleNetV2, in theory."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.sentences import details
from effviz.charts.style import KIND_COLORS, Appearance, Chart, Spec, chart
from effviz.charts.ticks import round_axis
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import percent, si
from effviz.studies.guidelines.access import GROUP_COUNTS, fragments_access, groups_access, ratio_access, widened_access
from effviz.studies.guidelines.theory import Point


@dataclass(frozen=True)
class Unit:
    """How memory access is counted and shown."""

    memory: str  # the assumption, one of `effviz.count.memory.ASSUMPTIONS`
    factor: int  # bytes per element, 1 for elements
    name: str  # "elements" or "bytes"
    show: Callable[[float], str]  # a size in this unit as text, with the unit

    def of(self, point: Point) -> int:
        """Return the memory access of a point."""
        return point.memory_access[self.memory] * self.factor

    def text(self, point: Point) -> str:
        """Return the memory access of a point as text."""
        return self.show(self.of(point))


class _Line(NamedTuple):
    """One curve: a name at its end, the counted points, and the closed form as a line in elements."""

    name: str
    points: Sequence[Point]
    form: Sequence[tuple[float, float]]


# --- guidelines 1 to 3 -----------------------------------------------------------------------------------------------


def ratio_chart(curve: Sequence[Point], now: Point, least: float, pixels: int, unit: Unit, look: Appearance) -> Chart:
    """Draw guideline 1: memory access over the ratio of widths, with the lower bound.

    Args:
        curve: from wide:narrow to narrow:wide, with equal widths among them.
        now: the point to mark.
        least: the bound in elements for the multiply-adds of `now`.
        pixels: of the map.
        unit: of memory access.
    """
    equal = min(curve, key=lambda point: abs(math.log(point.x)))
    low, high = min(point.x for point in (*curve, now)), max(point.x for point in (*curve, now))
    steps = [low * (high / low) ** (step / 60) for step in range(61)]
    form = [(ratio, ratio_access(pixels, equal.macs, ratio)) for ratio in steps]
    powers = range(math.floor(math.log2(low) + 0.3), math.ceil(math.log2(high) - 0.3) + 1)
    if len(powers) > 10:
        powers = range(powers[0], powers[-1] + 1, 2)
    ticks = {2.0**power: f"1:{2**power}" if power >= 0 else f"{2**-power}:1" for power in powers}
    if now.widths == equal.widths:
        title = f"Equal widths, {now.widths}, move the least data for these multiply-adds: {unit.text(now)}"
    else:
        more = f"{unit.of(now) / unit.of(equal):.2f}× as much data as {equal.widths}"
        title = f"{now.widths} channels move {more}, for equal multiply-adds"
    axis = "c₁ : c₂, input to output channels"
    return _curves(
        [_Line("", curve, form)],
        now,
        (least, f"least possible for<br>{si(now.macs)} multiply-adds"),
        ticks,
        axis,
        unit,
        title,
        look,
    )


def groups_chart(
    fixed: Sequence[Point], widened: Sequence[Point], now: Point, pixels: int, unit: Unit, look: Appearance
) -> Chart:
    """Draw guideline 2: memory access over the number of groups; `now` is a point of `fixed`.

    Args:
        fixed: only the output becomes wider.
        widened: input and output become wider alike.
    """
    base = fixed[0]
    channels = math.sqrt(base.macs / pixels)
    steps = [2 ** (step / 10) for step in range(round(10 * math.log2(fixed[-1].x)) + 1)]
    lines = [
        _Line("input fixed", fixed, [(g, groups_access(pixels, channels, base.macs, g)) for g in steps]),
        _Line("both widened", widened, [(g, widened_access(pixels, channels, g)) for g in steps]),
    ]
    title = _compared(now, base, unit, ", for equal multiply-adds")
    ticks = {float(count): str(count) for count in GROUP_COUNTS}
    bound = base.memory_access[unit.memory], "1 group"
    return _curves(lines, now, bound, ticks, "Groups", unit, title, look)


def fragments_chart(
    series: Sequence[Point], parallel: Sequence[Point], now: Point, pixels: int, unit: Unit, look: Appearance
) -> Chart:
    """Draw guideline 3: memory access over the number of fragments, from 1 on, in series and in parallel."""
    base = series[0]
    channels = math.sqrt(base.macs / pixels)

    def form(arrangement: str) -> list[tuple[float, float]]:
        counts = range(1, round(series[-1].x) + 1)
        return [(n, fragments_access(pixels, channels, n, arrangement, unit.memory)) for n in counts]

    lines = [_Line("in parallel", parallel, form("parallel")), _Line("in series", series, form("series"))]
    if unit.memory == "paper":
        lines = [_Line("in series and in parallel", series, form("series"))]
    title = _compared(now, base, unit, f", with {now.kernels} kernels instead of 1" if now.kernels > 1 else "")
    ticks = {point.x: f"{point.x:g}" for point in series}
    bound = base.memory_access[unit.memory], "1 fragment"
    return _curves(lines, now, bound, ticks, "Fragments", unit, title, look)


def _compared(now: Point, base: Point, unit: Unit, condition: str) -> str:
    if now.x == base.x:
        return f"{base.name} moves {unit.text(base)}, the least data on this curve"
    factor = unit.of(now) / unit.of(base)
    amount = "as much data as" if abs(factor - 1) < 5e-3 else f"{factor:.2f}× as much data as"
    return f"{now.name} move {amount} {base.name}{condition}"


def _curves(
    lines: Sequence[_Line], now: Point, bound: tuple[float, str], ticks: Mapping[float, str], x_label: str, unit: Unit,
    title: str, look: Appearance,
) -> Chart:  # fmt: skip
    everything = [now, *(point for curve in lines for point in curve.points)]
    upwards = round_axis(max(unit.of(point) for point in everything) * 1.02, in_bytes=unit.name == "bytes")
    first, last = math.log10(min(p.x for p in everything)), math.log10(max(p.x for p in everything))
    room = 0.05 * (last - first)
    label, level = f"Memory access ({unit.name})", bound[0] * unit.factor
    named = f"{bound[1]}: {unit.show(level)}"
    traces: list[Spec] = []
    notes: list[Spec] = []
    for curve in lines:
        xs, ys = zip(*curve.form, strict=True)
        traces += [draw.line(xs, [y * unit.factor for y in ys], look.muted), _counted(curve, unit, look)]
        if curve.name:
            x, y = math.log10(curve.points[-1].x), unit.of(curve.points[-1])
            # The name of the lower curve is below it.
            side = 10 if curve is lines[0] else -16
            notes.append(draw.note(x, y, curve.name, look.muted, xanchor="right", xshift=-10, yshift=side))
    traces.append(draw.line([10 ** (first - room), 10 ** (last + room)], [level, level], look.ink, 1.5, dash="dash"))
    below = level > 0.08 * upwards["range"][1]
    beside: Spec = {"yanchor": "top", "yshift": -2} if below else {"yanchor": "bottom", "yshift": 2}
    notes.append(draw.note(last + room, level, named, look.ink, xanchor="right", align="right", **beside))
    hover = draw.hover(f"{now.name}: {now.widths}<br>{unit.text(now)}")
    traces.append(draw.dots([now.x], [unit.of(now)], draw.current(look, 14), **hover))
    right = math.log10(now.x) > first + 0.3 * (last - first)
    place: Spec = {"xanchor": "right" if right else "left", "xshift": -6, "yshift": 20 if right else 26}
    text = f"{now.name}: {unit.text(now).removesuffix(' elements')}"
    notes.append(draw.note(math.log10(now.x), unit.of(now), text, look.accent, **place))
    layout = {
        "annotations": notes,
        "margin": draw.margin(top=16),
        "xaxis": draw.log_axis((first - room, last + room), list(ticks), x_label, ticks.__getitem__),
        "yaxis": draw.axis(label, **upwards),
    }
    spoken = details(
        (curve.name or "counted", [f"{point.name} {unit.text(point)}" for point in _few(curve.points)])
        for curve in lines
    )
    return chart(look, 360, traces, layout, title, label, named.replace("<br>", " "), spoken)


def _counted(curve: _Line, unit: Unit, look: Appearance) -> Spec:
    points, marker = curve.points, {"color": look.ink, "size": 7}
    hover = draw.hover(
        "%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}, %{customdata[3]} multiply-adds",
        [[point.name, point.widths, unit.text(point), si(point.macs)] for point in points],
    )
    return draw.dots([point.x for point in points], map(unit.of, points), marker, name=curve.name, **hover)


def _few(points: Sequence[Point], most: int = 12) -> Sequence[Point]:
    """Choose evenly spaced points for a text, including the last."""
    return points if len(points) <= most else [*points[: -1 : math.ceil(len(points) / most)], points[-1]]


# --- guideline 4 -----------------------------------------------------------------------------------------------------


def elementwise_chart(points: Sequence[Point], now: Point, unit: Unit, look: Appearance) -> Chart:
    """Draw guideline 4: memory access of every bottleneck by kind of layer, eager and fused; `now` is marked.

    The chart compares two assumptions, so that of `unit` is not used.
    """
    rows = [(point, memory) for point in points for memory in ("eager", "fused")]
    names = [_row_name(point, memory, now, look) for point, memory in rows]
    longest = max(point.memory_access["eager"] for point in points) * unit.factor
    traces = []
    for kind in KIND_COLORS:
        amounts = [point.by_kind[memory].get(kind, 0) * unit.factor for point, memory in rows]
        if not any(amounts):
            continue
        shares = [percent(point.by_kind[memory].get(kind, 0) / point.memory_access[memory]) for point, memory in rows]
        hover = draw.hover(
            f"{kind}<br>%{{customdata[0]}}: %{{customdata[1]}}, %{{customdata[2]}}",
            [
                [f"{point.name}, {memory}", unit.show(amount), share]
                for (point, memory), amount, share in zip(rows, amounts, shares, strict=True)
            ],
        )
        texts = [text if amount > 0.1 * longest else "" for text, amount in zip(shares, amounts, strict=True)]
        traces.append(draw.kind_bars(kind, names, amounts, texts, 13, look, **hover))
    convolutions = now.memory_access["paper"] * unit.factor
    place: Spec = {"yref": "paper", "yanchor": "bottom", "yshift": 2}
    scale = {"showgrid": True} | round_axis(longest, 5, in_bytes=unit.name == "bytes")
    layout = {
        "barmode": "stack",
        "bargap": 0.3,
        "margin": draw.margin(right=12, top=26),
        "annotations": [draw.note(convolutions, 1.0, "convolutions only", look.ink, **place)],
        "shapes": [draw.rule(look.ink, 1.5, "dash", x=convolutions)],
        "xaxis": draw.axis(f"Memory access ({unit.name})", **scale),
        "yaxis": draw.ROWS,
    }
    spoken = "; ".join(
        f"{point.name}, {memory}: {unit.show(point.memory_access[memory] * unit.factor)}, "
        f"{percent(point.share(memory))} element-wise"
        for point, memory in rows
    )
    return chart(look, 440, traces, layout, _elementwise(now), spoken)


def _row_name(point: Point, memory: str, now: Point, look: Appearance) -> str:
    text = f"{plotly_text(point.name)}<br>{memory}"
    return f'<b><span style="color:{look.accent}">{text}</span></b>' if point.x == now.x else text


def _elementwise(now: Point) -> str:
    eager, fused = now.share("eager"), now.share("fused")
    if not eager:
        return "Without ReLU and shortcut, convolutions account for all memory access of a bottleneck"
    parts = {"ReLU and shortcut": "ReLU and shortcut take", "ReLU": "ReLU takes", "Shortcut": "The shortcut takes"}
    return (
        f"{parts[now.name]} {percent(eager)} of a bottleneck's memory access in eager mode, {percent(fused)} when "
        "fused, and no multiply-adds"
    )


check_border(globals())
