"""Speed of the guideline experiments, measured and published."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import si
from effviz.studies.guidelines import (
    TOLERANCE,
    Verdict,
    verdict,
)

# --- the experiment ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Speeds of one machine.

    Attributes:
        name: of the machine, short.
        unit: of its speeds.
        speeds: by label of the case, in the table's order; may be incomplete.
        noisy: labels of cases that are not to be trusted.
    """

    name: str
    unit: str
    speeds: Mapping[str, float]
    noisy: frozenset[str] = frozenset()

    def relative(self, first: str) -> dict[str, float]:
        """Speeds with that of `first` as 1; nothing where that is not known."""
        base = self.speeds.get(first)
        return {label: speed / base for label, speed in self.speeds.items()} if base else {}


def speed_bars(guideline: str, labels: Sequence[str], machines: Sequence[Measured], look: Appearance) -> Chart:
    """Speed of every case on every machine, each with its first case as 1.

    Args:
        guideline: ``"G1"`` to ``"G4"``.
        labels: the cases, the first one being what the others are compared with.
        machines: the one here first, then those of the paper.
        look: light or dark.
    """
    colors = [look.accent, look.ink, look.muted][: len(machines)]
    relative = [machine.relative(labels[0]) for machine in machines]
    most = max([1.0, *(value for values in relative for value in values.values())])
    traces = []
    for machine, values, color in zip(machines, relative, colors, strict=True):
        known = [label for label in labels if label in values]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "showlegend": False,
                "y": list(labels),
                "x": [values.get(label) for label in labels],
                "marker": {
                    "color": [look.paper if label in machine.noisy else color for label in labels],
                    "line": {"color": color, "width": 1.5},
                },
                "text": [f"{values[label]:.2f}" if label in values else "" for label in labels],
                "textposition": "outside",
                "cliponaxis": False,
                "textfont": {"color": look.ink, "size": 13},
                "customdata": [
                    [f"{si(machine.speeds[label])} {machine.unit}" if label in known else "", _noise(machine, label)]
                    for label in labels
                ],
                "hovertemplate": f"%{{y}}, {html.escape(machine.name)}<br>%{{x:.3f}} of {labels[0]}: %{{customdata[0]}}"
                "%{customdata[1]}<extra></extra>",
            }
        )
    for machine, color in zip(machines, colors, strict=True):
        # In the legend a machine has its colour, whichever of its bars are drawn open.
        key = {"symbol": "square", "size": 12, "color": color}
        traces.append(
            {"type": "scatter", "mode": "markers", "name": machine.name, "x": [None], "y": [labels[0]], "marker": key}
        )
    layout = {
        "barmode": "group",
        "bargap": 0.25,
        "bargroupgap": 0.12,
        "margin": {"l": 8, "r": 28, "t": 8, "b": 8},
        "showlegend": True,
        "legend": {
            "orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0, "itemclick": False, "itemdoubleclick": False,
            "font": {"size": 13}, "traceorder": "normal",
        },
        "shapes": [
            {
                "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
                "line": {"color": look.ink, "width": 1, "dash": "dash"},
            }
        ],
        "xaxis": {
            "range": [0, max(1.1, most * 1.08)],
            "showgrid": True,
            "nticks": 7,
            "title": {"text": f"Speed relative to {labels[0]}"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }  # fmt: skip
    title = finding(guideline, labels, machines)
    spoken = "; ".join(
        f"{machine.name}: " + (", ".join(f"{label} {value:.2f}" for label, value in values.items()) or "not measured")
        for machine, values in zip(machines, relative, strict=True)
    )
    made = figure(look, 78 * len(labels) + 96, traces, layout)
    return Chart(made, title, f"{title}. Speed relative to {labels[0]}. {spoken}.")


def _noise(machine: Measured, label: str) -> str:
    return " (noisy)" if label in machine.noisy else ""


def finding(guideline: str, labels: Sequence[str], machines: Sequence[Measured]) -> str:
    """What this machine says of the guideline, and beside it what the paper's machines say."""
    here, *others = machines
    number = guideline[1]
    if any(label not in here.speeds for label in labels):
        done = sum(label in here.speeds for label in labels)
        return f"Measured here so far: {done} of {len(labels)} cases. In the paper, {_told(guideline, others, labels)}"
    said = verdict(guideline, {label: here.speeds[label] for label in labels})
    beside = ", ".join(f"{_short(machine)} {machine.relative(labels[0])[said.extreme]:.2f}" for machine in others)
    doubt = f"; {len(here.noisy)} of {len(labels)} cases are noisy" if here.noisy else ""
    return f"{_judged(number, said, labels)} (paper: {beside}){doubt}"


def _short(machine: Measured) -> str:
    return machine.name.partition(" ")[0]


def _told(guideline: str, machines: Sequence[Measured], labels: Sequence[str]) -> str:
    """The furthest case of every machine; one that is the furthest on several is named once."""
    parts: dict[str, list[str]] = {}
    for machine in machines:
        said = verdict(guideline, {label: machine.speeds[label] for label in labels})
        parts.setdefault(said.extreme, []).append(f"{said.speed:.2f} on {_short(machine)}")
    told = "; ".join(f"{label} at {' and '.join(speeds)}" for label, speeds in parts.items())
    return f"with the speed of {labels[0]} as 1, {told}"


def _judged(number: str, said: Verdict, labels: Sequence[str]) -> str:
    word, away = ("faster", "slower") if number == "4" else ("slower", "faster")
    extreme = f"{said.extreme} runs at {said.speed:.2f} of the speed of {labels[0]}"
    if not said.equal and not said.against:
        return f"Here guideline {number} holds: {extreme}"
    if not said.follow:
        more = f", and {_listed(said.against)} {_are(said.against)} {away}" if said.against else ""
        return f"Here guideline {number} does not show: no case is {word} than {labels[0]} by more than " \
               f"{100 * TOLERANCE:g} %{more}; {extreme}"  # fmt: skip
    rest = [f"{_listed(said.equal)} {_are(said.equal)} as fast"] if said.equal else []
    rest += [f"{_listed(said.against)} {_are(said.against)} {away}"] if said.against else []
    return f"Here guideline {number} holds in part: {extreme}, but {' and '.join(rest)}"


def _listed(labels: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


def _are(labels: Sequence[str]) -> str:
    return "is" if len(labels) == 1 else "are"
