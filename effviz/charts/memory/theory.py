"""Memory access over the settings of guidelines 1 to 4, in theory."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure, mark, text_on
from effviz.core.units import percent, si, snapped
from effviz.studies.guidelines import (
    GROUP_COUNTS,
    Point,
    fragments_access,
    groups_access,
    ratio_access,
    widened_access,
)

_HEIGHT = 360


@dataclass(frozen=True)
class Unit:
    """How memory access is counted and shown.

    Attributes:
        memory: the assumption, one of `effviz.count.memory.ASSUMPTIONS`.
        factor: bytes per element, 1 for elements.
        name: ``"elements"`` or ``"bytes"``.
        show: a size in this unit as text, with the unit.
    """

    memory: str
    factor: int
    name: str
    show: Callable[[float], str]

    def of(self, point: Point) -> int:
        """Memory access of a point."""
        return point.memory_access[self.memory] * self.factor


class _Line(NamedTuple):
    """One curve: the closed form as a line, what is counted as dots, a name at its end."""

    name: str
    points: Sequence[Point]
    form: Sequence[tuple[float, float]]


# --- theory --------------------------------------------------------------------------------------------------------


def ratio_chart(curve: Sequence[Point], now: Point, least: float, pixels: int, unit: Unit, look: Appearance) -> Chart:
    """Guideline 1: memory access over the ratio of widths, with the lower bound.

    Args:
        curve: from wide:narrow to narrow:wide; the one with equal widths among them.
        now: the point to mark.
        least: elements, the bound for the multiply-adds of the equal widths.
        pixels: of the map.
        unit: of memory access.
        look: light or dark.
    """
    equal = min(curve, key=lambda point: abs(math.log(point.x)))
    low, high = min(point.x for point in (*curve, now)), max(point.x for point in (*curve, now))
    steps = [low * (high / low) ** (step / 60) for step in range(61)]
    form = [(ratio, ratio_access(pixels, equal.macs, ratio)) for ratio in steps]
    powers = range(math.floor(math.log2(low) + 0.3), math.ceil(math.log2(high) - 0.3) + 1)
    if len(powers) > 10:
        powers = range(powers[0], powers[-1] + 1, 2)
    ticks = {2.0**power: f"1:{2**power}" if power >= 0 else f"{2**-power}:1" for power in powers}
    times = unit.of(now) / (least * unit.factor)
    title = (
        f"Equal widths reach the least memory access that these multiply-adds allow; {now.widths} moves {_times(times)}"
        if now.widths != equal.widths
        else f"Equal widths, {now.widths}, move {unit.show(unit.of(now))}: the least that these multiply-adds allow"
    )
    return _curves(
        [_Line("", curve, form)], now, (least, "least possible"), ticks, "c1 : c2, input to output channels", unit,
        title, look,
    )  # fmt: skip


def groups_chart(
    fixed: Sequence[Point], widened: Sequence[Point], now: Point, pixels: int, unit: Unit, look: Appearance
) -> Chart:
    """Guideline 2: memory access over the number of groups.

    Args:
        fixed: the input keeps its channels, the output gets more.
        widened: input and output get more alike.
        now: the point of `fixed` to mark.
        pixels: of the map.
        unit: of memory access.
        look: light or dark.
    """
    base = fixed[0]
    channels = math.sqrt(base.macs / pixels)
    steps = [2 ** (step / 10) for step in range(round(10 * math.log2(fixed[-1].x)) + 1)]
    lines = [
        _Line("input fixed", fixed, [(g, groups_access(pixels, channels, base.macs, g)) for g in steps]),
        _Line("both widened", widened, [(g, widened_access(pixels, channels, g)) for g in steps]),
    ]
    title = _more(now, base, unit, "equal multiply-adds")
    ticks = {float(count): str(count) for count in GROUP_COUNTS}
    return _curves(lines, now, (_access(base, unit), "1 group"), ticks, "Groups", unit, title, look)


def fragments_chart(
    series: Sequence[Point], parallel: Sequence[Point], now: Point, pixels: int, unit: Unit, look: Appearance
) -> Chart:
    """Guideline 3: memory access over the number of fragments, in series and in parallel.

    Args:
        series, parallel: from one fragment on.
        now: the point to mark.
        pixels: of the map.
        unit: of memory access.
        look: light or dark.
    """
    base = series[0]
    channels = math.sqrt(base.macs / pixels)

    def form(arrangement: str) -> list[tuple[float, float]]:
        counts = range(1, round(series[-1].x) + 1)
        return [(n, fragments_access(pixels, channels, n, arrangement, unit.memory)) for n in counts]

    lines = [_Line("in parallel", parallel, form("parallel")), _Line("in series", series, form("series"))]
    if unit.memory == "paper":
        lines = [_Line("in series and in parallel", series, form("series"))]
    title = _more(now, base, unit, f"{now.kernels} kernels instead of 1" if now.kernels > 1 else "one kernel")
    ticks = {point.x: f"{point.x:g}" for point in series}
    return _curves(lines, now, (_access(base, unit), "1 fragment"), ticks, "Fragments", unit, title, look)


def _access(point: Point, unit: Unit) -> float:
    return point.memory_access[unit.memory]


def _times(factor: float) -> str:
    return f"{factor:.2f} times as much"


def _more(now: Point, base: Point, unit: Unit, why: str) -> str:
    if now.x == base.x:
        return f"{base.name} moves {unit.show(unit.of(base))}, the least on this curve"
    return f"{now.name} move {unit.of(now) / unit.of(base):.2f} times the memory of {base.name}, with {why}"


def _curves(
    lines: Sequence[_Line],
    now: Point,
    bound: tuple[float, str],
    ticks: Mapping[float, str],
    x_label: str,
    unit: Unit,
    title: str,
    look: Appearance,
) -> Chart:
    traces: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    everything = [now, *(point for line in lines for point in line.points)]
    top = snapped(max(unit.of(point) for point in everything) * 1.02)
    first, last = math.log10(min(p.x for p in everything)), math.log10(max(p.x for p in everything))
    room = 0.05 * (last - first)
    label = f"Memory access ({unit.name})"
    for line in lines:
        xs, ys = zip(*line.form, strict=True)
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": list(xs), "y": [y * unit.factor for y in ys],
                "line": {"color": look.muted, "width": 2}, "hoverinfo": "skip",
            }
        )  # fmt: skip
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": line.name,
                "x": [point.x for point in line.points],
                "y": [unit.of(point) for point in line.points],
                "marker": {"color": look.ink, "size": 7},
                "customdata": [
                    [point.name, point.widths, unit.show(unit.of(point)), si(point.macs)] for point in line.points
                ],
                "hovertemplate": "%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}, "
                "%{customdata[3]} multiply-adds<extra></extra>",
            }
        )
        if line.name:
            end = line.points[-1]
            notes.append(
                _note(math.log10(end.x), unit.of(end), line.name, look.muted, xanchor="right", xshift=-10, yshift=10)
            )
    level, named = bound[0] * unit.factor, f"{bound[1]}: {unit.show(bound[0] * unit.factor)}"
    ends = [10 ** (first - room), 10 ** (last + room)]
    traces.append(
        {
            "type": "scatter", "mode": "lines", "x": ends, "y": [level, level], "hoverinfo": "skip",
            "line": {"color": look.ink, "width": 1.5, "dash": "dash"},
        }
    )  # fmt: skip
    below = level > 0.08 * top
    notes.append(_note(last + room, level, named, look.ink, xanchor="right", yshift=-12 if below else 12))
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [now.x],
            "y": [unit.of(now)],
            "marker": {"color": look.accent, "size": 14, "line": {"color": look.paper, "width": 1.5}},
            "hovertemplate": f"{now.name}: {now.widths}<br>{unit.show(unit.of(now))}<extra></extra>",
        }
    )
    amount = unit.show(unit.of(now)).removesuffix(" elements")
    right = math.log10(now.x) > first + 0.3 * (last - first)
    notes.append(
        _note(
            math.log10(now.x), unit.of(now), f"{now.name}: {amount}", look.accent,
            xanchor="right" if right else "left", xshift=-6, yshift=20 if right else 26,
        )
    )  # fmt: skip
    layout = {
        "annotations": notes,
        "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
        "xaxis": {
            "type": "log",
            "range": [first - room, last + room],
            "tickvals": list(ticks),
            "ticktext": list(ticks.values()),
            "title": {"text": x_label},
        },
        "yaxis": {"range": [0, top], "tickformat": "~s", "title": {"text": label}},
    }
    spoken = "; ".join(
        f"{line.name or 'counted'}: "
        + ", ".join(f"{point.name} {unit.show(unit.of(point))}" for point in _few(line.points))
        for line in lines
    )
    return Chart(figure(look, _HEIGHT, traces, layout), title, f"{title}. {label}. {named}. {spoken}.")


def _few(points: Sequence[Point], most: int = 12) -> Sequence[Point]:
    """Evenly chosen ones for a text, the last among them."""
    return points if len(points) <= most else [*points[: -1 : math.ceil(len(points) / most)], points[-1]]


def _note(x: float, y: float, text: str, color: str, **place: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 13, "color": color}} | place


def elementwise_chart(points: Sequence[Point], now: Point, unit: Unit, look: Appearance) -> Chart:
    """Guideline 4: memory access of a bottleneck by kind of layer, run eagerly and fused.

    Args:
        points: every variant.
        now: the one to mark.
        unit: of memory access; its assumption is not used, both stand side by side.
        look: light or dark.
    """
    rows = [(point, memory) for point in points for memory in ("eager", "fused")]
    names = [_row_name(point, memory, now, look) for point, memory in rows]
    longest = max(point.memory_access["eager"] for point in points) * unit.factor
    traces = []
    for kind in KIND_COLORS:
        amounts = [point.by_kind[memory].get(kind, 0) * unit.factor for point, memory in rows]
        if not any(amounts):
            continue
        shares = [point.by_kind[memory].get(kind, 0) / point.memory_access[memory] for point, memory in rows]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": kind,
                "y": names,
                "x": amounts,
                "marker": mark(kind, look),
                "text": [
                    percent(s) if amount > 0.1 * longest else "" for s, amount in zip(shares, amounts, strict=True)
                ],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"color": text_on(KIND_COLORS[kind]), "size": 13},
                "customdata": [
                    [f"{point.name}, {memory}", unit.show(amount), percent(share)]
                    for (point, memory), amount, share in zip(rows, amounts, shares, strict=True)
                ],
                "hovertemplate": f"{kind}<br>%{{customdata[0]}}: %{{customdata[1]}}, %{{customdata[2]}}<extra></extra>",
            }
        )
    convolutions = now.memory_access["paper"] * unit.factor
    layout = {
        "barmode": "stack",
        "bargap": 0.3,
        "margin": {"l": 8, "r": 12, "t": 26, "b": 8},
        "annotations": [
            _note(convolutions, 1.0, "convolutions only", look.ink, yref="paper", yanchor="bottom", yshift=2)
        ],
        "shapes": [
            {
                "type": "line", "x0": convolutions, "x1": convolutions, "y0": 0, "y1": 1, "yref": "paper",
                "line": {"color": look.ink, "width": 1.5, "dash": "dash"},
            }
        ],
        "xaxis": {
            "range": [0, snapped(longest)],
            "tickformat": "~s",
            "showgrid": True,
            "nticks": 6,
            "title": {"text": f"Memory access ({unit.name})"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }  # fmt: skip
    title = _elementwise(now)
    spoken = "; ".join(
        f"{point.name}, {memory}: {unit.show(point.memory_access[memory] * unit.factor)}, "
        f"{percent(point.share(memory))} element-wise"
        for point, memory in rows
    )
    return Chart(figure(look, 440, traces, layout), title, f"{title}. {spoken}.")


def _row_name(point: Point, memory: str, now: Point, look: Appearance) -> str:
    text = f"{html.escape(point.name)}<br>{memory}"
    return f'<b><span style="color:{look.accent}">{text}</span></b>' if point.x == now.x else text


def _elementwise(now: Point) -> str:
    eager, fused = now.share("eager"), now.share("fused")
    if not eager:
        return "Without ReLU and shortcut, all memory access of a bottleneck is its convolutions'"
    parts = {"ReLU and shortcut": "ReLU and shortcut take", "ReLU": "ReLU takes", "Shortcut": "The shortcut takes"}
    return (
        f"{parts[now.name]} {percent(eager)} of a bottleneck's memory access run eagerly, {percent(fused)} fused, and "
        "none of its multiply-adds"
    )
