"""Charts of the Architectures page: cost per stage, share by layer kind, activation memory over time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from effviz.charts import draw
from effviz.charts.sentences import details, listed, plural
from effviz.charts.style import KIND_COLORS, Appearance, Chart, Spec, chart
from effviz.core.units import exact, lower, percent, si, snapped
from effviz.count.kinds import KINDS


@dataclass(frozen=True)
class Measure:
    """A column of the report's table as it is drawn."""

    column: str  # of the table
    label: str  # on the axis
    factor: int = 1  # from the table's unit to the one shown
    show: Callable[[float], str] = si  # a value in that unit as text


# --- stages ----------------------------------------------------------------------------------------------------------


def stage_costs(
    table: pd.DataFrame, measures: list[Measure], look: Appearance, baseline: pd.DataFrame | None = None
) -> Chart:
    """Draw stacked bars, one panel per measure, one bar per stage, coloured by layer kind.

    Args:
        table: ``report.table``.
        measures: the panels from top to bottom; the first two are compared in the title.
        baseline: the table of the unscaled network, drawn as a line across each bar.
    """
    stages = list(dict.fromkeys(table["stage"]))
    columns = [measure.column for measure in measures]
    sums = table.groupby(["stage", "kind"], sort=False)[columns].sum().to_dict()
    before = {} if baseline is None else baseline.groupby("stage")[columns].sum().to_dict()
    traces: list[Spec] = []
    shapes: list[Spec] = []
    headings: list[Spec] = []
    axes: Spec = {}
    gap = 0.1
    span = (1 - gap * (len(measures) - 1)) / len(measures)
    for row, measure in enumerate(measures):
        top, number = 1 - row * (span + gap), "" if row == 0 else str(row + 1)
        amounts = {key: value * measure.factor for key, value in sums[measure.column].items()}
        ghosts = {stage: value * measure.factor for stage, value in before.get(measure.column, {}).items()}
        wholes = {stage: sum(amounts.get((stage, kind), 0) for kind in KIND_COLORS) for stage in stages}
        traces += _bars(amounts, wholes, ghosts, measure, look, f"y{number}")
        shapes += _ghosts(stages, ghosts, f"y{number}", look)
        heading = f"<b>{measure.label}</b>  {measure.show(sum(wholes.values()))}"
        headings.append(draw.panel_label(heading, 0, top, look.ink))
        highest = max([*wholes.values(), *(ghosts[stage] for stage in stages if stage in ghosts)])
        axes[f"yaxis{number}"] = {"domain": [max(0.0, top - span), top], "anchor": "x", "range": [0, snapped(highest)],
                                  "nticks": 3, "tickformat": ".3~s"}  # fmt: skip
    layout = axes | {
        "barmode": "stack",
        "bargap": 0.3,
        "margin": draw.margin(top=26),
        "xaxis": {"anchor": f"y{len(measures)}" if len(measures) > 1 else "y"},
        "shapes": shapes,
        "annotations": headings,
    }
    totals = table.groupby("stage", sort=False)[columns].sum()
    spoken = details(
        (stage, [f"{lower(m.label)} {m.show(totals.loc[stage, m.column] * m.factor)}" for m in measures])
        for stage in stages
    )
    return chart(look, 120 * len(measures) + 44, traces, layout, _split(totals, measures[0], measures[1]), spoken)


def _bars(
    amounts: Mapping[tuple[str, str], float], wholes: Mapping[str, float], ghosts: Mapping[str, float],
    measure: Measure, look: Appearance, axis: str,
) -> list[Spec]:  # fmt: skip
    total = sum(wholes.values()) or 1
    notes = {stage: f"stage: {measure.show(whole)}" for stage, whole in wholes.items()}
    notes |= {stage: f"{notes[stage]}, unscaled: {measure.show(ghosts[stage])}" for stage in notes if stage in ghosts}
    traces = []
    for kind in KIND_COLORS:
        values = {stage: amounts.get((stage, kind), 0) for stage in wholes}
        if any(values.values()):
            hover = draw.hover(
                f"%{{x}}, {kind}<br>{measure.label}: %{{customdata[0]}}, %{{customdata[1]}} of the network<br>"
                "%{customdata[2]}",
                [[measure.show(value), percent(value / total), notes[stage]] for stage, value in values.items()],
            )
            bars = {"type": "bar", "x": list(values), "y": list(values.values()), "name": kind, "yaxis": axis}
            traces.append(bars | {"marker": draw.mark(kind, look)} | hover)
    return traces


def _ghosts(stages: Sequence[str], ghosts: Mapping[str, float], axis: str, look: Appearance) -> list[Spec]:
    """Draw a line across each bar at the unscaled network's value. A shape can have the width of the bar."""
    heights = [(place, ghosts[stage]) for place, stage in enumerate(stages) if stage in ghosts]
    return [draw.segment(x - 0.42, y, x + 0.42, y, look.ink, 2, xref="x", yref=axis) for x, y in heights]


def _split(totals: pd.DataFrame, first: Measure, second: Measure) -> str:
    """Name the point along the network up to which the shares of two measures differ most."""
    sums = totals[[first.column, second.column]].sum()
    if missing := [lower(each.label) for each in (first, second) if not sums[each.column]]:
        return f"No layer has {listed(missing, 'or')}"
    stages, shares = list(totals.index), totals[[first.column, second.column]] / sums
    for stage in stages:
        if shares.loc[stage].min() > 0.9995:
            return f"The layers of {stage} hold all {lower(first.label)} and {lower(second.label)}"
    shares = shares.cumsum()
    gaps = (shares[second.column] - shares[first.column]).iloc[:-1].abs()
    if gaps.max() < 5e-4:
        return f"Every part has the same share of the {lower(second.label)} as of the {lower(first.label)}"
    end = gaps.idxmax()
    part = end if end == stages[0] else f"{stages[0]} to {end}"
    held = [f"{percent(shares.loc[end, each.column])} of the {lower(each.label)}" for each in (second, first)]
    return f"The layers of {part} hold {' and '.join(held)}"


# --- layer kinds -----------------------------------------------------------------------------------------------------

_SUBJECTS = {name: kind.subject for name, kind in KINDS.items() if kind is not None}


def kind_shares(table: pd.DataFrame, measures: list[Measure], look: Appearance) -> Chart:
    """Draw one bar of 100 % per measure, divided by layer kind; shares from 10 % on have a label.

    Args:
        table: ``report.table``.
        measures: the bars from top to bottom: parameters, then multiply-adds or FLOPs, then others.
    """
    columns, names = [measure.column for measure in measures], [measure.label for measure in measures]
    sums = table.groupby("kind")[columns].sum()
    shares = sums / sums.sum().replace(0, 1)
    traces = []
    for kind in (kind for kind in KIND_COLORS if kind in shares.index and shares.loc[kind].any()):
        row = [float(shares.loc[kind, column]) for column in columns]
        amounts = [measure.show(float(sums.loc[kind, measure.column]) * measure.factor) for measure in measures]
        hover = draw.hover(
            f"{kind}<br>%{{y}}: %{{customdata[0]}}, %{{customdata[1]}}",
            [[amount, percent(share)] for amount, share in zip(amounts, row, strict=True)],
        )
        texts = [percent(share) if share >= 0.1 else "" for share in row]
        traces.append(draw.kind_bars(kind, names, row, texts, 14, look, **hover))
    scale = draw.axis("Share of the total", range=[0, 1], tickformat=".0%", showgrid=True, nticks=6)
    layout = {"barmode": "stack", "bargap": 0.35, "xaxis": scale, "yaxis": draw.ROWS}
    spoken = details(
        (kind, [f"{percent(shares.loc[kind, m.column])} of {lower(m.label)}" for m in measures])
        for kind in KIND_COLORS
        if kind in shares.index
    )
    title = _heaviest(shares, measures[0], measures[1])
    return chart(look, 64 * len(measures) + 68, traces, layout, title, spoken)


def _heaviest(shares: pd.DataFrame, params: Measure, compute: Measure) -> str:
    if not shares[compute.column].any():
        return f"No layer has {lower(compute.label)}"
    kind = str(shares[compute.column].idxmax())
    held = [f"{percent(shares.loc[kind, each.column])} of the {lower(each.label)}" for each in (compute, params)]
    return f"{_SUBJECTS[kind]} {' and '.join(held)}"


# --- activation memory -----------------------------------------------------------------------------------------------


def activation_timeline(table: pd.DataFrame, measure: Measure, look: Appearance) -> Chart:
    """Draw a step line: the size of all live activations while each layer runs.

    Args:
        table: ``report.table``; layers fused into the layer before them are left out.
        measure: column ``alive`` with its label, unit factor and text.
    """
    running = table[table["alive"] > 0].reset_index(drop=True)
    if running.empty:
        # A network of views alone has no peak; the first row is marked.
        running = table.reset_index(drop=True)
    values = [float(value) for value in running["alive"] * measure.factor]
    at = max(range(len(values)), key=values.__getitem__)
    peak, highest = running.loc[at], measure.show(values[at])
    rows = zip(running["path"], running["output_shape"], map(measure.show, values), strict=True)
    hover = draw.hover(
        "%{customdata[0]}<br>output %{customdata[1]}<br>alive: %{customdata[2]}", [list(row) for row in rows]
    )
    filled: Spec = {"fill": "tozeroy", "fillcolor": look.grid}
    traces = [
        draw.line(range(1, len(values) + 1), values, look.ink, 1.5, shape="hvh", **filled, **hover),
        draw.dots([at + 1], [values[at]], draw.current(look, 11, 2)),
    ]
    left = at < len(values) / 2
    place: Spec = {"xanchor": "left" if left else "right", "xshift": 10 if left else -10, "yshift": 10}
    starts = _stage_ticks(running["stage"])
    layout = {
        "hovermode": "x",
        "annotations": [draw.note(at + 1, values[at], f"<b>{highest}</b>  {peak['path']}", look.accent, 14, **place)],
        "xaxis": draw.axis(
            f"Layers in execution order ({len(values)} that run)",
            range=[0.5, len(values) + 0.5],
            **draw.ticks(list(starts), starts.__getitem__),
        ),
        "yaxis": draw.axis(measure.label, range=[0, snapped(max(values) * 1.12)], tickformat=".3~s", nticks=5),
    }
    at_peak = (
        f"{exact(int(peak['alive']))} activation elements are alive there, with input {peak['input_shape']} and output "
        f"{peak['output_shape']}"
    )
    run = f"The line has {plural(len(values), 'layer')} and ends at {measure.show(values[-1])}"
    return chart(look, 320, traces, layout, f"Activation memory peaks at {highest} in {peak['path']}", at_peak, run)


def _stage_ticks(stages: pd.Series) -> dict[int, str]:
    """Return the place of each stage's first layer, counted from 1, without stages too close to the one before."""
    shown: dict[int, str] = {}
    for position, stage in stages.drop_duplicates().items():
        if not shown or int(position) + 1 - max(shown) >= len(stages) / 12:
            shown[int(position) + 1] = str(stage)
    return shown
