"""Compound scaling: the promise of phi against the built networks, and the phi that fits a budget."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.advice.scaling import Swept
from effviz.charts import draw
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.charts.ticks import linear_ticks
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.units import lower, si
from effviz.studies.scaling import Pin, Stairs


class Count(NamedTuple):
    """The compute number in the convention of the page: its name and its factor per multiply-add."""

    label: str
    factor: int


# --- promised and built ----------------------------------------------------------------------------------------------


_HEIGHT = 280
_REPEATED = "How often the multipliers are applied"
_AXIS = "φ (0: baseline, below 0: smaller)"
_GAP = 0.13  # between panels, as a share of the chart: room for the text above a panel
_MOST = 110  # points of the ratio
_RATIO = 0.27  # height of the panel with the ratio


class _Panel(NamedTuple):
    """One quantity over phi."""

    key: str  # attribute of `Swept` and `Pin`
    place: int  # index in the result of `Stairs.promised`
    name: str  # on screen
    factor: int = 1  # from the counted to the shown unit
    large: bool = False  # whether the released networks are named
    ratio: bool = False  # of built to promised, on a linear axis

    def promised(self, stairs: Stairs, phi: float) -> float:
        return 1.0 if self.ratio else stairs.promised(phi)[self.place] * self.factor

    def built(self, swept: Swept | Pin) -> int:
        return int(getattr(swept, self.key)) * self.factor

    def drawn(self, stairs: Stairs, swept: Swept) -> float:
        """Return the height of a built network in this panel."""
        if not self.ratio:
            return self.built(swept)
        # Finer than a pixel, and a quarter of the bytes.
        return round(int(getattr(swept, self.key)) / stairs.promised(swept.phi)[self.place], 3)


def stairs_charts(
    stairs: Stairs, now: Swept, pins: Sequence[Pin], count: Count, look: Appearance, *, named: bool = True
) -> tuple[Chart, Chart]:
    """Draw the promise of the rule as lines and the built networks as stairs, over phi: the cost, and the three sizes.

    The marked network is `now`; the pins are released networks, each at the phi that matches its dimension. Without
    `named`, the texts describe phi in words, for readers who do not know it yet.
    """
    blocks, channels, resolution, macs = (
        _Panel("blocks", 0, "Blocks"),
        _Panel("channels", 1, "Channels"),
        _Panel("resolution", 2, "Resolution (px)"),
        _Panel("macs", 3, count.label, count.factor, large=True),
    )
    title = stairs_finding(stairs, now, count, named=named)
    ratio = macs._replace(name="Built / promised", ratio=True, large=False)
    cost, sizes = (
        _column(panels, title, stairs, now, pins, look, named=named)
        for panels in ((ratio, macs), (blocks, channels, resolution))
    )
    return cost, sizes


def _column(
    panels: Sequence[_Panel],
    title: str,
    stairs: Stairs,
    now: Swept,
    pins: Sequence[Pin],
    look: Appearance,
    *,
    named: bool,
) -> Chart:
    traces: list[Spec] = []
    headings: list[Spec] = []
    axes: Spec = {}
    ends = stairs.built[0].phi, stairs.built[-1].phi
    equal, top = (1 + _GAP) / len(panels) - _GAP, 1 + _GAP
    for row, panel in enumerate(panels):
        number, top = str(row + 1) if row else "", top - _GAP
        bottom = top - (_RATIO if panel.ratio else equal) if panel is not panels[-1] else 0.0
        drawn = [*_fixed_traces(panel, stairs, tuple(pins), look), _now_trace(panel, stairs, now, look)]
        traces += [trace | {"xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in drawn]
        values = [value for trace in drawn for value in trace["y"] if value]
        axis = "" if panel is not panels[-1] else _AXIS if named else _REPEATED
        axes[f"xaxis{number}"] = {
            "anchor": f"y{number}", "range": ends, "dtick": 1 if ends[1] - ends[0] <= 12 else 2,
            "showticklabels": panel is panels[-1], "title": {"text": axis},
        }  # fmt: skip
        axes[f"yaxis{number}"] = _scale(panel, min(values), max(values)) | {
            "anchor": f"x{number}", "domain": [bottom, top],
        }  # fmt: skip
        headings.append(draw.panel_label(_heading(panel, stairs, now, look), 0, top, look.ink, yshift=2))
        top = bottom
    layout = axes | {"margin": draw.margin(right=14, top=26), "annotations": headings}
    spoken = [_spoken(panel, stairs, now, pins) for panel in panels if not panel.ratio]
    where = f"At φ = {now.phi:g}" if named else f"Multipliers applied {now.phi:g} times"
    return chart(
        look,
        _HEIGHT,
        traces,
        layout,
        title,
        f"{where}: {spoken[0]}",
        *spoken[1:],
    )


def _scale(panel: _Panel, least: float, most: float) -> Spec:
    """Return the vertical axis of a panel for these values."""
    if panel.ratio:
        room = 0.1 * (most - least) + 0.02
        low, high = least - room, most + room
        ticks = linear_ticks(low, high, most=3)
        return draw.axis("", range=[low, high]) | ticks | {"ticktext": [times(tick) for tick in ticks["tickvals"]]}
    low, high = math.log10(least), math.log10(most)
    room = 0.06 * (high - low) + 0.02
    return draw.log_axis((low - room, high + room), log_ticks(low, high, most=6 if panel.large else 3), "")


def _heading(panel: _Panel, stairs: Stairs, now: Swept, look: Appearance) -> str:
    """Return the line above a panel: its name and the numbers at the current φ."""
    if panel.ratio:
        promised, built = "", times(panel.drawn(stairs, now))
    else:
        promised, built = f"{_amount(panel.promised(stairs, now.phi))} promised, ", f"{_amount(panel.built(now))} built"
    return f'<b>{panel.name}</b>  {promised}<span style="color:{look.accent}"><b>{built}</b></span>'


@remembered
def _fixed_traces(panel: _Panel, stairs: Stairs, pins: tuple[Pin, ...], look: Appearance) -> tuple[Spec, ...]:
    """Draw the promise, the stairs and the released networks, which do not depend on the current φ."""
    low, high = stairs.built[0].phi, stairs.built[-1].phi
    promise = draw.line([low, high], [panel.promised(stairs, phi) for phi in (low, high)], look.muted, 1.5, dash="dot")
    if panel.ratio:
        # A screen has no room for more, and a visitor loads them with every step of a control.
        kept = stairs.built[:: math.ceil(len(stairs.built) / _MOST)]
        phis, ratios = [each.phi for each in kept], [panel.drawn(stairs, each) for each in kept]
        return promise, draw.line(phis, ratios, look.ink, 1.5, **_hover(panel, stairs, phis))
    built = [panel.built(each) for each in stairs.built]
    # Stairs need only the points at which the value changes, and the last.
    steps = [
        (each.phi, value)
        for each, value, before in zip(stairs.built, built, [None, *built], strict=False)
        if value != before or each.phi == high
    ]
    # With bases close to 1, a released network may be far beyond the axis.
    shown = [(pin, phi) for pin in pins if (phi := pin.phis[panel.place]) is not None and low <= phi <= high]
    released: Spec = {
        "mode": "markers+text" if panel.large else "markers", "cliponaxis": False,
        "text": [pin.label for pin, _ in shown],
        "textposition": "bottom right", "textfont": {"size": 12, "color": look.muted},
    } | draw.hover(
        f"%{{customdata[0]}}<br>{panel.name}: %{{customdata[1]}} built<br>matches φ = %{{x:.2f}}",
        [[f"EfficientNet-{pin.label}: depth {pin.depth:g}, width {pin.width:g}, {pin.resolution} px",
          _amount(panel.built(pin))] for pin, _ in shown],
    )  # fmt: skip
    hollow = {"size": 7, "color": look.paper, "line": {"color": look.ink, "width": 1.5}}
    stepped, values = zip(*steps, strict=True)
    return (
        promise,
        draw.line(stepped, values, look.ink, 1.8, shape="hv", **_hover(panel, stairs, stepped)),
        draw.dots([phi for _, phi in shown], [panel.promised(stairs, phi) for _, phi in shown], hollow, **released),
    )


def _now_trace(panel: _Panel, stairs: Stairs, now: Swept, look: Appearance) -> Spec:
    return draw.dots([now.phi], [panel.drawn(stairs, now)], draw.current(look), **_hover(panel, stairs, [now.phi]))


def _hover(panel: _Panel, stairs: Stairs, phis: Sequence[float]) -> Spec:
    if panel.ratio:
        return draw.hover("%{y:.3f}× the promise at φ = %{x:.3g}")
    if panel.large and len(phis) > 1:
        # The panel above has the ratio, and visitors load every text with every step of a control.
        return draw.hover(f"{panel.name} at φ = %{{x:.3g}}<br>built %{{y:,}}")
    template = f"{panel.name} at φ = %{{x:.3g}}<br>built %{{y:,}}, promised %{{customdata}}"
    return draw.hover(template, [_amount(panel.promised(stairs, phi)) for phi in phis])


def _spoken(panel: _Panel, stairs: Stairs, now: Swept, pins: Sequence[Pin]) -> str:
    told = f"{panel.name}: {_amount(panel.promised(stairs, now.phi))} promised, {_amount(panel.built(now))} built"
    shown = [f"{pin.label} {phi:.2f}" for pin in pins if (phi := pin.phis[panel.place]) is not None]
    return f"{told}; φ of the released networks: {', '.join(shown)}" if shown else told


def stairs_finding(stairs: Stairs, now: Swept, count: Count, *, named: bool = True) -> str:
    """Compare the promise of phi with the network after rounding; without `named`, phi is not mentioned."""
    promised, built = times(stairs.rule.factor**now.phi), times(now.macs / stairs.base.macs)
    compute = lower(count.label)
    if stairs.rule.factor == 1 and now.macs == stairs.base.macs:
        return f"{'With these bases, φ does' if named else 'These multipliers do'} not change the {compute}"
    if now.phi == 0 and not named:
        return f"The network before scaling: {_amount(now.macs * count.factor)} {compute}"
    if now.phi == 0:
        return f"φ = 0 is the baseline; each step of φ promises {times(stairs.rule.factor)} the {compute}"
    blocks = stairs.promised(now.phi)[0]
    depth = f"{blocks:.1f} blocks become {now.blocks}" if abs(blocks - now.blocks) >= 0.05 else f"{now.blocks} blocks"
    what, s = (f"φ = {now.phi:g}", "s") if named else ("The multipliers", "")
    if promised == built:
        return f"{what} promise{s} and build{s} {built} the {compute}: {depth}"
    return (
        f"{what} promise{s} {promised} the {compute}, but the built network has {built}: "
        f"{_difference(stairs, now, depth)}"
    )


def _difference(stairs: Stairs, now: Swept, depth: str) -> str:
    """Name what separates a built network from its promise: rounding, or parts that a multiplier does not scale."""
    blocks, channels, resolution, macs = stairs.promised(now.phi)
    more = now.macs > macs
    if abs(blocks - now.blocks) >= 0.05:
        return depth
    if abs(channels - now.channels) >= 0.5:
        return f"{si(round(channels))} channels become {si(now.channels)}"
    if abs(resolution - now.resolution) >= 0.5:
        return f"{resolution:.0f} px become {now.resolution} px"
    depth_factor, width_factor, _ = stairs.rule.multipliers(now.phi)
    if width_factor != 1:
        linear = "depthwise convolutions, the first layer and the classifier are linear in the width"
        return "some layers are rounded up to multiples of 8 channels" if more else linear
    if depth_factor != 1:
        unscaled = "the first and last layers are not repeated"
        return "added blocks are copies of the last one of their stage" if more else unscaled
    return "feature maps are rounded up" if more else "layers after global pooling do not grow with the resolution"


def _amount(value: float) -> str:
    """Return an amount as text; a promised number of blocks that is not whole has one decimal."""
    return f"{value:.1f}" if value < 1000 and abs(value - round(value)) >= 0.05 else si(round(value))


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round values between two powers of ten."""
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [tick for tick in draw.decades(low, high, steps) if low - 0.02 <= math.log10(tick) <= high + 0.02]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


# --- the inverse -----------------------------------------------------------------------------------------------------


def fit_chart(
    points: Sequence[tuple[float, float]], found: tuple[float, float], budget: float, label: str, unit: str,
    look: Appearance,
) -> Chart:  # fmt: skip
    """Draw the cost of the networks around the phi that fits, and the budget as a line.

    Args:
        points: phi and amount, in rising order of phi, in the unit of the budget.
        found: phi and amount of the network that fits.
        budget: in the same unit.
        label: of the amount.
        unit: behind numbers; may be empty.
    """
    phi, own = found
    phis, amounts = zip(*points, strict=True)
    low, high = min([*amounts, budget]), max([*amounts, budget])
    room = 0.12 * (high - low) or 1.0
    hover = f"φ = %{{x:.3f}}<br>{label}: "
    texts = [si(amount, unit) for amount in amounts]
    traces = [
        draw.line(phis, amounts, look.ink, 1.8, shape="hv", **draw.hover(f"{hover}%{{customdata}}", texts)),
        draw.dots([phi], [own], draw.current(look), **draw.hover(f"{hover}{si(own, unit)}")),
    ]
    place = {"xref": "paper", "xanchor": "left", "yanchor": "bottom"}
    layout = {
        "margin": draw.margin(right=12),
        "shapes": [draw.rule(look.ink, 1.5, "dash", y=budget)],
        "annotations": [draw.note(0, budget, f"budget {si(budget, unit)}", look.ink) | place],
        "xaxis": draw.axis("φ", range=[phis[0], phis[-1]], nticks=8),
        "yaxis": draw.axis(label, range=[low - room, high + room], **linear_ticks(low - room, high + room, 5)),
    }
    spent = f"{lower(label)} {si(own, unit)} of {si(budget, unit)}"
    title = f"φ = {floored(phi)} is the largest value within the budget: {spent}"
    ends = f"From φ = {phis[0]:.3f} to {phis[-1]:.3f}, it changes from {texts[0]} to {texts[-1]}" if phis[1:] else ""
    return chart(look, 300, traces, layout, title, ends)


def floored(phi: float) -> str:
    """Return phi with three decimals, rounded down so that the network still fits."""
    return f"{math.floor(phi * 1000) / 1000:.3f}"


check_border(globals())
