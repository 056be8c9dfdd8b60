"""Compound scaling: what phi promises and what is built, and the phi that fits a budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from effviz.advice.scaling import Swept
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import lower, short, si
from effviz.studies.scaling import Pin, Stairs

_TICKS = (1, 2, 5)


class Count(NamedTuple):
    """The compute number in the convention of the page: its name and the factor on multiply-adds."""

    label: str
    factor: int


# --- promised and built ----------------------------------------------------------------------------------------------


class _Panel(NamedTuple):
    """One quantity over phi.

    Attributes:
        key: of `Swept` and `Pin`.
        place: in what `Stairs.promised` returns.
        name: on screen.
        factor: from what is counted to what is shown.
    """

    key: str
    place: int
    name: str
    factor: int = 1

    def promised(self, stairs: Stairs, phi: float) -> float:
        return stairs.promised(phi)[self.place] * self.factor

    def built(self, swept: Swept | Pin) -> int:
        return int(getattr(swept, self.key)) * self.factor


def stairs_charts(
    stairs: Stairs, now: Swept, pins: Sequence[Pin], count: Count, look: Appearance
) -> tuple[Chart, Chart]:
    """What the rule promises as lines and what is built as stairs, over phi, in two charts of two panels.

    Args:
        stairs: of the rule.
        now: the network to mark.
        pins: released networks, each at the phi that its dimension stands for.
        count: of multiply-adds.
        look: light or dark.
    """
    blocks, channels, resolution, macs = (
        _Panel("blocks", 0, "Blocks"),
        _Panel("channels", 1, "Channels, all stages"),
        _Panel("resolution", 2, "Resolution (px)"),
        _Panel("macs", 3, count.label, count.factor),
    )
    title = stairs_finding(stairs, now, count)
    left, right = (_column(pair, title, stairs, now, pins, look) for pair in ((blocks, resolution), (channels, macs)))
    return left, right


def _column(
    panels: tuple[_Panel, _Panel], title: str, stairs: Stairs, now: Swept, pins: Sequence[Pin], look: Appearance
) -> Chart:
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"margin": {"l": 8, "r": 14, "t": 26, "b": 8}, "annotations": []}
    ends = stairs.built[0].phi, stairs.built[-1].phi
    for row, panel in enumerate(panels):
        axis, top = ("2", 0.45) if row else ("", 1.0)
        drawn = _panel_traces(panel, stairs, now, pins, look)
        traces += [trace | {"xaxis": f"x{axis}", "yaxis": f"y{axis}"} for trace in drawn]
        heights = [math.log10(value) for trace in drawn for value in trace["y"] if value]
        low, high = min(heights), max(heights)
        room = 0.06 * (high - low) + 0.02
        ticks = log_ticks(low, high, most=5)
        layout[f"xaxis{axis}"] = {
            "anchor": f"y{axis}", "range": ends, "dtick": 1 if ends[1] - ends[0] <= 12 else 2,
            "showticklabels": row == 1, "title": {"text": "phi" if row else ""},
        }  # fmt: skip
        layout[f"yaxis{axis}"] = {
            "anchor": f"x{axis}", "domain": [top - 0.45, top], "type": "log", "range": [low - room, high + room],
            "tickvals": ticks, "ticktext": [short(tick) for tick in ticks],
        }  # fmt: skip
        layout["annotations"].append(
            {
                "text": f"<b>{panel.name}</b>  {_amount(panel.promised(stairs, now.phi))} promised, "
                f'<span style="color:{look.accent}"><b>{_amount(panel.built(now))} built</b></span>',
                "x": 0, "y": top, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
                "yshift": 2, "showarrow": False, "font": {"size": 14, "color": look.ink},
            }
        )  # fmt: skip
    spoken = ". ".join(_spoken(panel, stairs, now, pins) for panel in panels)
    return Chart(figure(look, 430, traces, layout), title, f"{title}. At phi = {now.phi:g}: {spoken}.")


def _panel_traces(
    panel: _Panel, stairs: Stairs, now: Swept, pins: Sequence[Pin], look: Appearance
) -> list[dict[str, Any]]:
    low, high = stairs.built[0].phi, stairs.built[-1].phi
    built = [panel.built(each) for each in stairs.built]
    # Only where something changes: a step needs its two ends.
    steps = [
        (each.phi, value)
        for each, value, before in zip(stairs.built, built, [None, *built], strict=False)
        if value != before or each.phi == high
    ]
    hover = f"{panel.name} at phi = %{{x:.3g}}<br>built %{{customdata[0]}}, promised %{{customdata[1]}}<extra></extra>"
    shown = [pin for pin in pins if pin.phis[panel.place] is not None]
    return [
        {
            "type": "scatter", "mode": "lines", "x": [low, high], "hoverinfo": "skip",
            "y": [panel.promised(stairs, phi) for phi in (low, high)],
            "line": {"color": look.muted, "width": 1.5, "dash": "dot"},
        },
        {
            "type": "scatter", "mode": "lines", "x": [phi for phi, _ in steps], "y": [value for _, value in steps],
            "line": {"color": look.ink, "width": 1.8, "shape": "hv"},
            "customdata": [[_amount(value), _amount(panel.promised(stairs, phi))] for phi, value in steps],
            "hovertemplate": hover,
        },
        {
            "type": "scatter", "mode": "markers+text", "cliponaxis": False,
            "x": [pin.phis[panel.place] for pin in shown],
            "y": [panel.promised(stairs, pin.phis[panel.place] or 0.0) for pin in shown],
            "marker": {"size": 7, "color": look.paper, "line": {"color": look.ink, "width": 1.5}},
            "text": [pin.label for pin in shown],
            "textposition": "bottom right",
            "textfont": {"size": 12, "color": look.muted},
            "customdata": [
                [
                    f"EfficientNet-{pin.label}: depth {pin.depth:g}, width {pin.width:g}, {pin.resolution} px",
                    _amount(panel.built(pin)),
                ]
                for pin in shown
            ],
            "hovertemplate": f"%{{customdata[0]}}<br>{panel.name}: %{{customdata[1]}} built<br>"
            "stands for phi = %{x:.2f}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "markers", "x": [now.phi], "y": [panel.built(now)],
            "marker": {"size": 12, "color": look.accent, "line": {"color": look.paper, "width": 1.5}},
            "customdata": [[_amount(panel.built(now)), _amount(panel.promised(stairs, now.phi))]],
            "hovertemplate": hover,
        },
    ]  # fmt: skip


def _spoken(panel: _Panel, stairs: Stairs, now: Swept, pins: Sequence[Pin]) -> str:
    told = f"{panel.name}: {_amount(panel.promised(stairs, now.phi))} promised, {_amount(panel.built(now))} built"
    shown = [f"{pin.label} {phi:.2f}" for pin in pins if (phi := pin.phis[panel.place]) is not None]
    return f"{told}; the released networks stand for phi: {', '.join(shown)}" if shown else told


def stairs_finding(stairs: Stairs, now: Swept, count: Count) -> str:
    """What phi promises and what rounding makes of it."""
    promised, built = stairs.rule.factor**now.phi, now.macs / stairs.base.macs
    what = lower(count.label)
    if now.phi == 0:
        return f"phi = 0 is the baseline; each step of phi promises {stairs.rule.factor:.3g} times the {what}"
    blocks = stairs.promised(now.phi)[0]
    depth = f"{blocks:.1f} blocks become {now.blocks}" if abs(blocks - now.blocks) >= 0.05 else f"{now.blocks} blocks"
    return f"phi = {now.phi:g} promises {promised:.3g} times the {what}, rounding builds {built:.3g} times: {depth}"


def times(factor: float) -> str:
    """A factor as text: ``x1.92``."""
    return f"x{factor:.3g}" if factor < 999.5 else f"x{si(factor)}"


def _amount(value: float) -> str:
    """A promised or built amount: a count of blocks keeps one decimal where it is none."""
    return f"{value:.1f}" if value < 1000 and abs(value - round(value)) >= 0.05 else si(round(value))


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between two powers of ten, as many as there is room for."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), _TICKS, (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps]
        ticks = [tick for tick in ticks if low - 0.02 <= math.log10(tick) <= high + 0.02]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


# --- the inverse -----------------------------------------------------------------------------------------------------


def fit_chart(
    points: Sequence[tuple[float, float]], found: tuple[float, float], budget: float, label: str, unit: str,
    look: Appearance,
) -> Chart:  # fmt: skip
    """What is built around the phi that fits, and the line of the budget.

    Args:
        points: phi and amount, in rising order of phi, in the unit of the budget.
        found: phi and amount of the network that fits.
        budget: in the same unit.
        label: of the amount.
        unit: behind numbers; may be empty.
        look: light or dark.
    """
    phi, own = found
    amounts = [amount for _, amount in points]
    low, high = min([*amounts, budget]), max([*amounts, budget])
    room = 0.12 * (high - low) or 1.0
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": [phi for phi, _ in points], "y": amounts,
            "line": {"color": look.ink, "width": 1.8, "shape": "hv"},
            "customdata": [si(amount, unit) for amount in amounts],
            "hovertemplate": f"phi = %{{x:.3f}}<br>{label}: %{{customdata}}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "markers", "x": [phi], "y": [own],
            "marker": {"size": 12, "color": look.accent, "line": {"color": look.paper, "width": 1.5}},
            "hovertemplate": f"phi = %{{x:.3f}}<br>{label}: {si(own, unit)}<extra></extra>",
        },
    ]  # fmt: skip
    layout = {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "shapes": [
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": budget, "y1": budget,
             "line": {"color": look.ink, "width": 1.5, "dash": "dash"}}
        ],
        "annotations": [
            {"text": f"budget {si(budget, unit)}", "x": 0, "xref": "paper", "y": budget, "xanchor": "left",
             "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": look.ink}}
        ],
        "xaxis": {"range": [points[0][0], points[-1][0]], "nticks": 8, "title": {"text": "phi"}},
        "yaxis": {"range": [low - room, high + room], "tickformat": "~s", "nticks": 5, "title": {"text": label}},
    }  # fmt: skip
    title = f"phi = {floored(phi)} is the largest that fits: {si(own, unit)} of {si(budget, unit)}"
    return Chart(figure(look, 300, traces, layout), title, f"{title}. Built around it, in steps.")


def floored(phi: float) -> str:
    """Three decimals, rounded down: what is read off still fits."""
    return f"{math.floor(phi * 1000) / 1000:.3f}"
