"""The grid of bases that keep the constraint of compound scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from effviz.advice.scaling import PAPER, GridPoint, ScalingRule
from effviz.charts.scaling.promised import Count, times
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import lower, si


def grid_chart(
    candidates: Sequence[GridPoint], base: int, target: float, now: ScalingRule, count: Count,
    look: Appearance,
) -> Chart:  # fmt: skip
    """The feasible bases: beta across, gamma up, alpha in the cell, coloured by what phi = 1 builds.

    Args:
        candidates: bases that keep the constraint.
        base: multiply-adds of the baseline.
        target: of the constraint.
        now: the bases to mark.
        count: of multiply-adds.
        look: light or dark.
    """
    cells: dict[tuple[float, float], GridPoint] = {}
    # In a cell the current bases come first, then the paper's, then those closest to the constraint.
    first = [now, ScalingRule(*PAPER)]
    for each in sorted(candidates, key=lambda each: abs(each.rule.factor - target)):
        place = (each.rule.beta, each.rule.gamma)
        if place not in cells or (each.rule in first and cells[place].rule not in first) or each.rule == now:
            cells[place] = each
    betas = sorted({beta for beta, _ in cells})
    gammas = sorted({gamma for _, gamma in cells})
    shown: list[list[GridPoint | None]] = [[cells.get((beta, gamma)) for beta in betas] for gamma in gammas]
    least, most = (pick(each.macs for each in cells.values()) / base for pick in (min, max))
    names = [f"{beta:g}" for beta in betas], [f"{gamma:g}" for gamma in gammas]
    traces: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "x": names[0],
            "y": names[1],
            "z": [[each and each.macs / base for each in row] for row in shown],
            "colorscale": [[0, look.grid], [1, look.muted]],
            "zmin": least,
            "zmax": most,
            "xgap": 2,
            "ygap": 2,
            "hoverongaps": False,
            "text": [[_text(each) if each else "" for each in row] for row in shown],
            "texttemplate": "%{text}",
            "textfont": {"size": 13},
            "customdata": [
                [
                    [
                        f"alpha {each.rule.alpha:g}, beta {each.rule.beta:g}, gamma {each.rule.gamma:g}",
                        f"{each.rule.factor:.3f}", si(each.macs * count.factor), si(each.params),
                    ]
                    if each else ["", "", "", ""]
                    for each in row
                ]
                for row in shown
            ],
            "hovertemplate": f"%{{customdata[0]}}<br>promised x%{{customdata[1]}}, built x%{{z:.3f}}<br>{count.label}: "
            "%{customdata[2]}, parameters: %{customdata[3]}<extra></extra>",
            "colorbar": {
                "title": {"text": "built x", "side": "right", "font": {"size": 13}}, "thickness": 12, "outlinewidth": 0,
                "tickfont": {"size": 13, "color": look.muted}, "nticks": 5,
            },
        }
    ]  # fmt: skip
    layout = {
        "xaxis": {"type": "category", "title": {"text": "beta, on width"}},
        "yaxis": {"type": "category", "showgrid": False, "title": {"text": "gamma, on resolution"}},
        "shapes": _marked(names, now, look),
    }
    everything = sorted(each.macs for each in candidates)
    networks = len({(each.macs, each.params) for each in candidates})
    title = (
        f"{len(candidates)} triples keep the constraint; phi = 1 builds {networks} different networks of them, from "
        f"{times(everything[0] / base)} to {times(everything[-1] / base)} the {lower(count.label)}"
    )
    spoken = "; ".join(
        f"beta {beta:g}, gamma {gamma:g}: alpha {each.rule.alpha:g} builds {times(each.macs / base)}"
        for (beta, gamma), each in sorted(cells.items())
    )
    height = 120 + 36 * len(gammas)
    return Chart(figure(look, height, traces, layout), title, f"{title}. {spoken}.")


def _text(each: GridPoint) -> str:
    return f"{each.rule.alpha:g}, paper" if each.rule == ScalingRule(*PAPER) else f"{each.rule.alpha:g}"


def _marked(names: tuple[list[str], list[str]], now: ScalingRule, look: Appearance) -> list[dict[str, Any]]:
    """An outline around the cell of the current bases, if it is on the grid."""
    beta, gamma = f"{now.beta:g}", f"{now.gamma:g}"
    if beta not in names[0] or gamma not in names[1]:
        return []
    x, y = names[0].index(beta), names[1].index(gamma)
    return [
        {"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5,
         "line": {"color": look.accent, "width": 3}}
    ]  # fmt: skip
