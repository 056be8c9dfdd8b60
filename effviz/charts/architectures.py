"""Charts of the Architectures page: cost per stage, share by layer kind, activation memory over time."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from effviz.advice.amounts import format_share
from effviz.charts import draw
from effviz.charts.sentences import details, listed, plural
from effviz.charts.style import KIND_COLORS, Appearance, Chart, Spec, chart
from effviz.charts.ticks import panel_axis, round_axis
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text, visible
from effviz.core.units import exact, lower, percent, si
from effviz.count.kinds import KINDS
from effviz.count.rows import KindSums, LayerRow, LayerSums


@dataclass(frozen=True)
class Measure:
    """A count as it is drawn."""

    column: str  # its name in the rows and sums of a report
    label: str  # on the axis
    factor: int = 1  # from the unit of the report to the one shown
    show: Callable[[float], str] = si  # a value in that unit as text
    in_bytes: bool = False  # whether ticks are multiples of KiB and MiB

    def of(self, counts: LayerSums | LayerRow) -> int:
        """Return the value in the unit shown."""
        return int(getattr(counts, self.column)) * self.factor


# --- stages ----------------------------------------------------------------------------------------------------------


def by_stage(sums: KindSums) -> dict[str, LayerSums]:
    """Add the layer kinds of each stage."""
    found: dict[str, LayerSums] = {}
    for (stage, _), each in sums.items():
        found[stage] = found.get(stage, LayerSums()) + each
    return found


class StageMap(NamedTuple):
    """The output of a stage: its channels, the height and the width of its maps in pixels."""

    channels: int
    height: int
    width: int


_PANEL, _LOWER = 102, 88
"""Height of a panel in pixels, and below a drawing of the network."""
_STRIP = 0.78
"""Height of that drawing, in heights of a panel."""
_WIDEST = 0.92
"""Width of the stage with the most channels, in distances of two stages."""
_LABELLED = 12
"""The most stages whose maps have their size as a text."""


def stage_costs(
    sums: KindSums, measures: list[Measure], look: Appearance, baseline: KindSums | None = None,
    maps: Sequence[Mapping[str, StageMap]] = (),
) -> Chart:  # fmt: skip
    """Draw stacked bars, one panel per measure, one bar per stage, coloured by layer kind.

    Args:
        sums: ``report.sums``.
        measures: the panels from top to bottom; the first two are compared in the title.
        baseline: the sums of the unscaled network, drawn as a line across each bar.
        maps: the output of each stage, drawn above the panels, and that of the unscaled network if it is another one;
            empty for no drawing.
    """
    totals, before = by_stage(sums), by_stage(baseline or {})
    traces: list[Spec] = []
    shapes: list[Spec] = []
    headings: list[Spec] = []
    axes: Spec = {}
    parts = len(measures) + (_STRIP if maps else 0)
    gap = 0.1 * len(measures) / parts
    span = (1 - gap * (len(measures) - (not maps))) / parts
    first = 1 - (_STRIP * span + gap if maps else 0)
    for row, measure in enumerate(measures):
        top, number = first - row * (span + gap), "" if row == 0 else str(row + 1)
        amounts = {key: measure.of(each) for key, each in sums.items()}
        ghosts = {stage: measure.of(each) for stage, each in before.items()}
        wholes = {stage: sum(amounts.get((stage, kind), 0) for kind in KIND_COLORS) for stage in totals}
        traces += _bars(amounts, wholes, ghosts, measure, look, f"y{number}")
        shapes += _ghosts(list(totals), ghosts, f"y{number}", look)
        heading = f"<b>{measure.label}</b>  {measure.show(sum(wholes.values()))}"
        headings.append(draw.panel_label(heading, 0, top, look.ink))
        highest = max([*wholes.values(), *(ghosts[stage] for stage in totals if stage in ghosts)])
        axes[f"yaxis{number}"] = {"domain": [max(0.0, top - span), top], "anchor": "x"} | panel_axis(
            highest, in_bytes=measure.in_bytes
        )
    # The browser draws rows where the names do not fit below the bars, see `chart.js`.
    meta: Spec = {"turns": True}
    if maps:
        name = f"y{len(measures) + 1}"
        strip, notes, axis = _strip(maps, list(totals), name, look)
        traces.append(strip)
        headings += notes
        axes[name.replace("y", "yaxis")] = axis | {"domain": [1 - _STRIP * span, 1], "anchor": "x"}
        meta["upright"] = name
    layout = axes | {
        "meta": meta,
        "barmode": "stack",
        "bargap": 0.3,
        "margin": draw.margin(top=26),
        "xaxis": _stage_axis(list(totals), len(measures)),
        "shapes": shapes,
        "annotations": headings,
    }
    spoken = details(
        (visible(stage), [f"{lower(m.label)} {m.show(m.of(each))}" for m in measures]) for stage, each in totals.items()
    )
    height = round((_LOWER if maps else _PANEL) * parts) + 44
    return chart(look, height, traces, layout, _split(totals, measures[0], measures[1]), spoken)


def _stage_axis(stages: Sequence[str], panels: int) -> Spec:
    """Return the axis below the last panel. It names all stages: a bar exists only where a kind has a cost."""
    return {
        "anchor": f"y{panels}" if panels > 1 else "y",
        "type": "category",
        "autotickangles": [0, 90],
        "categoryarray": list(map(plotly_text, stages)),
        "range": [-0.5, len(stages) - 0.5],
    }


def _strip(
    networks: Sequence[Mapping[str, StageMap]], stages: Sequence[str], axis: str, look: Appearance
) -> tuple[Spec, list[Spec], Spec]:
    """Draw the output of each stage as a box, whose sides are square roots: else most boxes would be lines.

    The largest stage of all networks fills its place; the first network is drawn.
    """
    every = [each for network in networks for each in network.values()]
    widest, highest = max(each.channels for each in every), math.sqrt(max(each.height for each in every))
    maps = networks[0]
    heights = [math.sqrt(each.height) for each in maps.values()]
    bars = {
        "type": "bar", "x": list(map(plotly_text, maps)), "y": heights, "base": [-each / 2 for each in heights],
        "yaxis": axis, "width": [_WIDEST * math.sqrt(each.channels / widest) for each in maps.values()],
        "marker": {"color": look.accent, "line": {"color": look.accent, "width": 1}},
    } | draw.hover(
        "%{x}: %{customdata}", [f"{exact(each.channels)} channels, {each.height} × {each.width} px"
                                for each in maps.values()]
    )  # fmt: skip
    text = "<b>Output of each stage</b>  height: √resolution, width: √channels"
    notes = [draw.panel_label(text, 0, 1, look.ink)]
    if len(stages) <= _LABELLED:
        notes += [
            draw.note(stages.index(stage), -0.5 * highest, _map_text(each), look.muted, 12, yref=axis, yanchor="top")
            for stage, each in maps.items()
        ]  # fmt: skip
    return bars, notes, {"range": [-1.05 * highest, 0.5 * highest], "visible": False, "showgrid": False}


def _map_text(each: StageMap) -> str:
    """Write channels and size: ``24 × 56²``, ``24 × 56 × 80``, or the channels alone after pooling."""
    if each.height == each.width:
        return f"{each.channels} × {each.height}²" if each.height > 1 else str(each.channels)
    return f"{each.channels} × {each.height} × {each.width}"


def _bars(
    amounts: Mapping[tuple[str, str], float], wholes: Mapping[str, float], ghosts: Mapping[str, float],
    measure: Measure, look: Appearance, axis: str,
) -> list[Spec]:  # fmt: skip
    total = sum(wholes.values()) or 1
    notes = {stage: f"stage: {measure.show(whole)}" for stage, whole in wholes.items()}
    notes |= {stage: f"{notes[stage]}, unscaled: {measure.show(ghosts[stage])}" for stage in notes if stage in ghosts}
    traces = []
    for kind in KIND_COLORS:
        values = {stage: value for stage in wholes if (value := amounts.get((stage, kind)))}
        if values:
            hover = draw.hover(
                f"%{{x}}, {kind}<br>{measure.label}: %{{customdata[0]}}, %{{customdata[1]}} of the network<br>"
                "%{customdata[2]}",
                [[measure.show(value), percent(value / total), notes[stage]] for stage, value in values.items()],
            )
            bars = {"type": "bar", "x": list(map(plotly_text, values)), "y": list(values.values()), "name": kind}
            traces.append(bars | {"yaxis": axis, "marker": draw.mark(kind, look)} | hover)
    return traces


def _ghosts(stages: Sequence[str], ghosts: Mapping[str, float], axis: str, look: Appearance) -> list[Spec]:
    """Draw a line across each bar at the unscaled network's value. A shape can have the width of the bar."""
    heights = [(place, ghosts[stage]) for place, stage in enumerate(stages) if stage in ghosts]
    return [draw.segment(x - 0.42, y, x + 0.42, y, look.ink, 2, xref="x", yref=axis) for x, y in heights]


def _split(totals: Mapping[str, LayerSums], first: Measure, second: Measure) -> str:
    """Name the point along the network up to which the shares of two measures differ most."""
    sums = [sum(map(each.of, totals.values())) for each in (first, second)]
    if missing := [lower(each.label) for each, total in zip((first, second), sums, strict=True) if not total]:
        return f"No layer has {listed(missing, 'or')}"
    stages = [visible(stage) for stage in totals]
    shares = [(first.of(each) / sums[0], second.of(each) / sums[1]) for each in totals.values()]
    for stage, each in zip(stages, shares, strict=True):
        if min(each) > 0.9995:
            return f"All {lower(first.label)} and {lower(second.label)} are in {stage}"
    reached = list(zip(*(accumulate(column) for column in zip(*shares, strict=True)), strict=True))
    gaps = [abs(later - earlier) for earlier, later in reached[:-1]]
    if max(gaps) < 5e-4:
        return f"Every part has the same share of the {lower(second.label)} as of the {lower(first.label)}"
    end = gaps.index(max(gaps))
    part = f"the part {stages[0]}" if end == 0 else f"the parts from {stages[0]} to {stages[end]}"
    held = [f"{percent(reached[end][place])} of the {lower(each.label)}" for place, each in ((1, second), (0, first))]
    return f"{' and '.join(held)} are in {part}"


# --- layer kinds -----------------------------------------------------------------------------------------------------

_SUBJECTS = {name: kind.subject for name, kind in KINDS.items() if kind is not None}


def kind_shares(sums: KindSums, measures: list[Measure], look: Appearance) -> Chart:
    """Draw one bar of 100 % per measure, divided by layer kind; shares from 10 % on have a label.

    Args:
        sums: ``report.sums``.
        measures: the bars from top to bottom: parameters, then multiply-adds or FLOPs, then others.
    """
    kinds = {kind: sum((each for (_, other), each in sums.items() if other == kind), LayerSums()) for _, kind in sums}
    totals = [sum(map(measure.of, kinds.values())) or 1 for measure in measures]
    shares = {kind: [measure.of(each) / total for measure, total in zip(measures, totals, strict=True)]
              for kind, each in kinds.items() if kind in KIND_COLORS}  # fmt: skip
    names = [measure.label for measure in measures]
    traces = []
    for kind in (kind for kind in KIND_COLORS if any(shares.get(kind, ()))):
        amounts = [measure.show(measure.of(kinds[kind])) for measure in measures]
        hover = draw.hover(
            f"{kind}<br>%{{y}}: %{{customdata[0]}}, %{{customdata[1]}}",
            [[amount, percent(share)] for amount, share in zip(amounts, shares[kind], strict=True)],
        )
        texts = [percent(share) if share >= 0.1 else "" for share in shares[kind]]
        traces.append(draw.kind_bars(kind, names, shares[kind], texts, 14, look, **hover))
    scale = draw.axis("Share of the total", range=[0, 1.001], showgrid=True, **draw.percent_ticks())
    # Without a margin, the label of 100 % is left out.
    layout = {"barmode": "stack", "bargap": 0.35, "margin": draw.margin(right=24), "xaxis": scale, "yaxis": draw.ROWS}
    spoken = details(
        (kind, [f"{percent(share)} of {lower(name)}" for name, share in zip(names, shares[kind], strict=True)])
        for kind in KIND_COLORS
        if kind in shares
    )
    return chart(look, 64 * len(measures) + 68, traces, layout, _heaviest(shares, measures[0], measures[1]), spoken)


def _heaviest(shares: Mapping[str, Sequence[float]], params: Measure, compute: Measure) -> str:
    """Name the kind with the most compute; `shares` has the parameters first, the compute second."""
    if not any(each[1] for each in shares.values()):
        return f"No layer has {lower(compute.label)}"
    kind = max(sorted(shares), key=lambda kind: shares[kind][1])
    held = [f"{percent(shares[kind][place])} of the {lower(each.label)}" for place, each in ((1, compute), (0, params))]
    return f"{_SUBJECTS[kind]} {' and '.join(held)}"


# --- activation memory -----------------------------------------------------------------------------------------------


def activation_timeline(
    running: Sequence[LayerRow], measure: Measure, look: Appearance, limit: tuple[float, str] | None = None,
    selected: Sequence[int] = (),
) -> Chart:  # fmt: skip
    """Draw a step line: the size of all live activations while each layer runs.

    Args:
        running: ``report.running``.
        measure: column ``alive`` with its label, unit factor and text.
        limit: in the unit of the measure, and as text; drawn as a horizontal line.
        selected: places of layers in `running` that are drawn as bars.
    """
    values = [measure.of(row) for row in running]
    at = max(range(len(values)), key=values.__getitem__)
    peak, highest = running[at], measure.show(values[at])
    rows = [
        [plotly_text(row.path), row.output_shape, measure.show(value)]
        for row, value in zip(running, values, strict=True)
    ]
    hover = draw.hover("%{customdata[0]}<br>output %{customdata[1]}<br>alive: %{customdata[2]}", rows)
    filled: Spec = {"fill": "tozeroy", "fillcolor": look.grid}
    traces = [
        draw.line(range(1, len(values) + 1), values, look.ink, 1.5, shape="hvh", **filled, **hover),
        draw.dots([at + 1], [values[at]], draw.current(look, 11, 2)),
    ]
    if selected:
        bars: Spec = {"type": "bar", "x": [place + 1 for place in selected], "y": [values[place] for place in selected]}
        traces.insert(0, bars | {"width": 1, "marker": {"color": look.accent, "opacity": 0.4}, "hoverinfo": "skip"})
    left = at < len(values) / 2
    # Only above the highest point is there no curve.
    above: Spec = {"yanchor": "bottom", "yshift": 8}
    above |= {"xanchor": "left", "xshift": -6} if left else {"xanchor": "right", "xshift": 6}
    starts, name = _stage_ticks([plotly_text(row.stage) for row in running], at), plotly_text(peak.path)
    layout: Spec = {
        "hovermode": "x",
        "margin": draw.margin(top=34),
        "annotations": [draw.note(at + 1, values[at], f"<b>{highest}</b>  {name}", look.accent, 14, **above)],
        "xaxis": draw.axis(
            f"{plural(len(values), 'layer')} in execution order",
            range=[0.5, len(values) + 0.5],
            **draw.ticks(list(starts), starts.__getitem__),
        ),
        "yaxis": draw.axis(
            measure.label, **round_axis(max(*values, limit[0] if limit else 0), 5, in_bytes=measure.in_bytes)
        ),
    }
    title = f"Activation memory peaks at {highest} in {visible(peak.path)}"
    if limit is not None:
        most, said = limit
        layout["shapes"] = [draw.rule(look.accent, 2, "dash", y=most)]
        end = {"xanchor": "right"} if left else {"xanchor": "left"}
        x = len(values) + 0.5 if left else 0.5
        layout["annotations"].append(draw.note(x, most, f"limit {said}", look.accent, 13, yshift=9, **end))
        title += f", {format_share(values[at] / most)} of the limit of {said}{_exceeding(values, most)}"
    at_peak = (
        f"{exact(peak.alive)} activation elements are alive there, with input {peak.input_shape} and output "
        f"{peak.output_shape}"
    )
    run = f"The line has {plural(len(values), 'layer')} and ends at {measure.show(values[-1])}"
    return chart(look, 260, traces, layout, title, at_peak, run)


def _exceeding(values: Sequence[float], limit: float) -> str:
    """Return how many layers exceed a limit; empty for none."""
    over = sum(value > limit for value in values)
    return f": {plural(over, 'layer')} {'exceeds' if over == 1 else 'exceed'} it" if over else ""


def _stage_ticks(stages: Sequence[str], peak: int) -> dict[int, str]:
    """Return the place of each stage's first layer, counted from 1, without stages too close to a shown one.

    The stage of the layer with the index `peak` is always among them.
    """
    starts = {stage: place for place, stage in reversed(list(enumerate(stages, start=1)))}
    shown: dict[int, str] = {starts[stages[peak]]: stages[peak]}
    for stage, place in sorted(starts.items(), key=lambda each: each[1]):
        if min(abs(place - other) for other in shown) >= len(stages) / 9:
            shown[place] = stage
    return dict(sorted(shown.items()))


check_border(globals())
