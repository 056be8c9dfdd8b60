"""The figures of the ideas. Lengths and areas that stand for numbers are computed by the engine."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import log, log10
from typing import Any

from effviz.core.caches import remembered
from effviz.core.units import short
from effviz.count.kinds import DEPTHWISE, POINTWISE, STANDARD
from effviz.count.report import analyze
from effviz.studies.compare.networks import PRESETS, front, preset, published_top1
from effviz.studies.guideline_shapes import Shape, compare
from effviz.studies.multipliers import counts
from effviz.studies.objective import FIRST_PHONE, PAPER_SOFT_W, phones, ranked, soft
from effviz.studies.printed_latency import devices
from effviz.ui.ideas.shapes import arrow, box, drawing, label, path, rect, shape
from effviz.zoo import architecture
from effviz.zoo.published.cells import top1_figures

_DEVICE = "V100 16GB"


@remembered
def figure(url_path: str) -> str:
    """Return the figure of a page as SVG; empty for a page without one."""
    draw = _FIGURES.get(url_path)
    return draw() if draw else ""


def _convolutions() -> str:
    cell, kernel, depth = 10, 3, 60
    side = kernel * cell
    return drawing(
        "The kernel of a standard convolution is a block of k squared times C weights for C channels. A depthwise "
        "kernel of k squared weights and a pointwise one of C replace it.",
        box(28, 42, side, side, depth, STANDARD), label(58, 88, "standard"), label(58, 104, "k² · C", kind="muted"),
        arrow(106, 54, 22),
        box(146, 42, side, side, cell, DEPTHWISE), label(189, 62, "+"),
        box(204, 52, cell, cell, depth, POINTWISE), label(192, 88, "depthwise + 1×1"),
        label(192, 104, "k² + C", kind="muted"),
    )  # fmt: skip


def _blocks() -> str:
    narrow, wide, middle = 11.0, 68.0, 54
    low, high = narrow / 2, wide / 2
    ends = ((30, narrow), (120, wide), (140, wide), (230, narrow))
    bars = "".join(
        rect(x - 5, middle - width / 2, 10, width, "accent" if width == narrow else "paper") for x, width in ends
    )
    return drawing(
        "An inverted residual widens C channels to t times C, filters them depthwise, and projects back to C. A "
        "shortcut connects the narrow ends.",
        shape([(35, middle - low), (115, middle - high), (115, middle + high), (35, middle + low)], POINTWISE),
        rect(125, middle - high, 10, 2 * high, DEPTHWISE),
        shape([(145, middle - high), (225, middle - low), (225, middle + low), (145, middle + high)], POINTWISE),
        bars, path(f"M30 {middle - low - 3:.1f}V10H230V{middle - low - 6:.1f}m-4 -5l4 5l4 -5"),
        label(30, 106, "C"), label(130, 106, "t · C channels"), label(230, 106, "C"),
    )  # fmt: skip


def _memory() -> str:
    factor, unit = compare(Shape("G1", ratio=6)).factor("fused"), 90
    rows = (("c : c", 1.0, 10), ("c₁ : c₂", factor, 62))
    bars = "".join(
        label(44, y + 20, name, "end") + rect(54, y, unit, 13, "accent") + rect(54, y + 15, unit * size, 13, "ghost")
        for name, size, y in rows
    )
    return drawing(
        "Two convolutions with equal multiply-adds. Unequal widths have more memory access than equal ones.",
        bars, label(60 + unit, 21, "multiply-adds", "start"), label(60 + unit, 37, "memory access", "start"),
        label(60 + unit, 73, "equal", "start", "muted"), label(60 + unit * factor, 89, "more", "start", "muted"),
    )  # fmt: skip


def _scaling() -> str:
    depth, width, resolution = (base**3 for base in (1.2, 1.1, 1.15))

    def stack(x: float, count: int, height: float, side: float, kind: str) -> str:
        boxes = [box(x + place * 11, 80 - height, 6, height, side, kind) for place in range(count)]
        return "".join(reversed(boxes))

    return drawing(
        "A network as a row of layers, before and after compound scaling: more layers, wider ones, and larger maps.",
        stack(18, 4, 32, 30, "ghost"), arrow(92, 62, 20),
        stack(128, round(4 * depth), 32 * width, 30 * resolution, "accent"),
        label(44, 104, "φ = 0"), label(178, 104, "φ > 0"),
    )  # fmt: skip


def _multipliers() -> str:
    side, alpha, rho = 84, 0.75, 160 / 224
    return drawing(
        "A square whose area is the cost of a network. The multipliers of width and resolution leave a rectangle of "
        "alpha squared times rho squared of it.",
        rect(56, 4, side, side, "ghost"),
        rect(56, 4 + side * (1 - rho**2), side * alpha**2, side * rho**2, "accent"),
        label(56 + side * alpha**2 / 2, 104, "α²"), label(48, 72, "ρ²", "end"),
        label(156, 32, "width × α", "start"), label(156, 50, "resolution × ρ", "start"),
        label(156, 76, "cost × α²ρ²", "start", "muted"),
    )  # fmt: skip


def _width_depth() -> str:
    height, low = 76, 84
    wide = "".join(rect(24 + place * 16, low - height, 10, height, "accent") for place in range(4))
    deep = "".join(rect(120 + place * 7.5, low - height / 2, 5, height / 2, "accent") for place in range(16))
    return drawing(
        "Two networks with equal multiply-adds: few wide layers, and four times as many layers of half the width.",
        wide, deep, label(53, 104, "d layers of 2w"), label(106, 52, "="), label(179, 104, "4d layers of w"),
    )  # fmt: skip


def _architectures() -> str:
    report = analyze(architecture("mobilenet_v2"))
    sums: dict[str, list[int]] = {}
    for row in report.rows:
        total = sums.setdefault(row.stage, [0, 0])
        total[0] += row.macs
        total[1] += row.params
    kept = [each for each in sums.values() if sum(each)]
    step, middle = 150 / len(kept), 62
    tops = [44 * macs / max(macs for macs, _ in kept) for macs, _ in kept]
    lows = [40 * params / max(params for _, params in kept) for _, params in kept]
    bars = "".join(
        rect(8 + place * step, middle - top, step - 3, top, "accent")
        + rect(8 + place * step, middle + 2, step - 3, low, "ghost")
        for place, (top, low) in enumerate(zip(tops, lows, strict=True))
    )
    return drawing(
        "MobileNetV2 by stage: the first stages have most multiply-adds, the last ones most parameters.",
        bars, label(166, 44, "multiply-adds", "start"), label(166, 84, "parameters", "start"),
    )  # fmt: skip


def _find() -> str:
    name, limit = "mobilenet_v2", 300_000_000
    points = sorted(
        (analyze(architecture(name, width_mult=width), side).macs, figure.top1 or 0.0)
        for (width, side), figure in top1_figures(name).items()
    )
    (low, _), (high, _) = points[0], points[-1]
    best = max((top1 for macs, top1 in points if macs <= limit), default=0.0)
    bottom, top = min(top1 for _, top1 in points), max(top1 for _, top1 in points)

    def across(macs: int) -> float:
        return 12 + 230 * log(macs / low) / log(high / low)

    marks = "".join(
        rect(across(macs) - 3, 84 - 66 * (top1 - bottom) / (top - bottom), 6, 6,
             "ghost" if macs > limit else "accent" if top1 == best else "paper")
        for macs, top1 in points
    )  # fmt: skip
    return drawing(
        f"Published top-1 of MobileNetV2 against multiply-adds: within a limit of {short(limit)}, the best is {best:g} "
        "per cent.",
        path(f"M{across(limit):.1f} 8V94"), marks, label(across(limit), 106, "limit"),
        label(8, 20, "top-1", "start", "muted"),
    )  # fmt: skip


def _compare() -> str:
    """Draw the networks of the first preset and their front, as the chart of the page does."""
    networks = preset(next(iter(PRESETS)))
    points = [
        (counts(each.base, 1.0, each.design.resolution).macs, published_top1(each).value or 0) for each in networks
    ]
    best = front(points, (-1, 1))
    logs, tops = [log10(macs) for macs, _ in points], [top1 for _, top1 in points]
    x = [34 + 150 * (each - min(logs)) / (max(logs) - min(logs)) for each in logs]
    y = [84 - 66 * (each - min(tops)) / (max(tops) - min(tops)) for each in tops]
    steps = "".join(f"H{x[place]:.1f}V{y[place]:.1f}" for place in best)
    marks = "".join(
        rect(x[place] - 4, y[place] - 4, 8, 8, "front" if place in best else "paper") for place in range(len(points))
    )
    return drawing(
        f"Published top-1 of {len(points)} networks over multiply-adds. {len(best)} are on the Pareto front.",
        path(f"M{x[best[0]]:.1f} {y[best[0]]:.1f}{steps}"), marks, label(110, 106, "multiply-adds"),
        label(30, 26, "top-1", "start"), rect(196, 34, 8, 8, "front"),
        label(209, 42, f"{len(best)} of {len(points)}", "start"),
        label(196, 57, "on the front", "start", "muted"),
    )  # fmt: skip


def _studio() -> str:
    rows = "".join(
        rect(10, 14 + row * 16, 20, 12, "accent" if row == 0 else POINTWISE) + rect(34, 14 + row * 16, 26, 12)
        + rect(64, 14 + row * 16, 26, 12)
        for row in range(4)
    )  # fmt: skip
    lines = ((0, 52), (10, 78), (20, 66), (20, 72), (10, 40))
    code = "".join(rect(150 + left, 14 + place * 13, width, 6, "ghost") for place, (left, width) in enumerate(lines))
    return drawing(
        "A table of stages becomes the code of a network.",
        rows, arrow(104, 42, 28), code, label(50, 104, "stages"), label(190, 104, "code"),
    )  # fmt: skip


def _latency() -> str:
    fast, slow = _equal_counts()
    # The bars are in the middle, where a thumbnail without the texts shows them.
    left, unit = 72, 106
    share = fast["latency_ms"] / slow["latency_ms"]
    pairs = ((fast, share, 6), (slow, 1.0, 52))
    bars = "".join(
        label(left, y + 10, str(row["title"]), "start")
        + rect(left, y + 15, unit * row["macs"] / slow["macs"], 8, "accent")
        + rect(left, y + 26, unit * time, 8, "ghost")
        + label(left + 6 + unit * time, y + 34, f"{row['latency_ms']:g} ms", "start")
        for row, time, y in pairs
    )  # fmt: skip
    return drawing(
        f"{fast['title']} and {slow['title']} have nearly equal multiply-adds, but the published latencies are "
        f"{fast['latency_ms']:g} and {slow['latency_ms']:g} milliseconds on {fast['device']}.",
        bars, label(left + 6 + unit, 29, "multiply-adds", "start", "muted"),
        label(left, 102, f"published, {str(fast['device']).partition(' ')[0]}", "start", "muted"),
    )  # fmt: skip


def _equal_counts() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pair with multiply-adds within 3 % whose latencies on `_DEVICE` differ most, the faster one first."""
    rows = next(rows for where, rows in devices().items() if where.startswith(_DEVICE))
    pairs = [
        sorted(pair, key=lambda row: row["latency_ms"])
        for pair in combinations(rows, 2)
        if abs(pair[0]["macs"] / pair[1]["macs"] - 1) < 0.03
    ]
    fast, slow = max(pairs, key=lambda pair: pair[1]["latency_ms"] / pair[0]["latency_ms"])
    return fast, slow


def _search() -> str:
    networks = [each for each in phones()[FIRST_PHONE] if each.latency_ms <= 35]
    best = ranked(networks, soft(PAPER_SOFT_W, 20.0))[0]
    low, high = min(each.top1 for each in networks), max(each.top1 for each in networks)

    def place(latency_ms: float, top1: float) -> tuple[float, float]:
        return 42 + 5.4 * latency_ms, 84 - 74 * (top1 - low) / (high - low)

    by = soft(PAPER_SOFT_W, 20.0)
    points = [(time, by.top1_for(best.value, time)) for time in range(7, 36)]
    line = " ".join(f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y) in
                    enumerate(place(*each) for each in points))  # fmt: skip
    dots = "".join(
        rect(x - 2, y - 2, 4, 4, "accent" if each is best.network else "ghost")
        for each in networks for x, y in (place(each.latency_ms, each.top1),)
    )  # fmt: skip
    return drawing(
        f"Accuracy over latency of {len(networks)} networks. {best.network.title} touches the highest line of equal "
        "value of the objective.",
        dots, path(line), path("M40 6V88H236"), label(236, 102, "latency", "end", "muted"),
        label(34, 14, "top-1", "end", "muted"),
    )  # fmt: skip


_FIGURES: dict[str, Callable[[], str]] = {
    "convolutions": _convolutions,
    "blocks": _blocks,
    "memory": _memory,
    "scaling": _scaling,
    "multipliers": _multipliers,
    "width_depth": _width_depth,
    "find": _find,
    "architectures": _architectures,
    "compare": _compare,
    "studio": _studio,
    "search": _search,
    "latency": _latency,
}
