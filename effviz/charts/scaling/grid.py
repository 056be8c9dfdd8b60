"""The grid of bases that satisfy the constraint of compound scaling."""

from collections.abc import Sequence

from effviz.advice.scaling import PAPER, GridPoint, ScalingRule
from effviz.charts import draw
from effviz.charts.scaling.promised import Count
from effviz.charts.sentences import plural, times
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import lower, si

_PAPER = ScalingRule(*PAPER)


def grid_chart(
    candidates: Sequence[GridPoint], base: int, target: float, now: ScalingRule, count: Count, look: Appearance
) -> Chart:
    """Draw the feasible bases: beta across, gamma up, alpha in the cell, coloured by the cost at phi = 1.

    Args:
        candidates: bases that satisfy the constraint.
        base: multiply-adds of the baseline.
        target: of the constraint.
        now: the bases to mark.
        count: of multiply-adds.
    """
    # A cell shows the current bases if possible, else the paper's, else those closest to the constraint.
    ranked = sorted(
        candidates, key=lambda each: (each.rule != now, each.rule != _PAPER, abs(each.rule.factor - target))
    )
    cells = {(each.rule.beta, each.rule.gamma): each for each in reversed(ranked)}
    betas, gammas = (sorted(set(each)) for each in zip(*cells, strict=True))
    names = [f"{beta:g}" for beta in betas], [f"{gamma:g}" for gamma in gammas]
    least, most = (pick(each.macs for each in cells.values()) / base for pick in (min, max))
    shown: list[list[GridPoint | None]] = [[cells.get((beta, gamma)) for beta in betas] for gamma in gammas]
    bar = {"title": {"text": "built ×", "side": "right", "font": {"size": 13}}, "thickness": 12, "outlinewidth": 0,
           "tickfont": {"size": 13, "color": look.muted}, "nticks": 5}  # fmt: skip
    heat = draw.heatmap(
        *names, [[each and each.macs / base for each in row] for row in shown], (look.grid, look.muted),
        zmin=least, zmax=most, showscale=True, colorbar=bar,
        text=[[_text(each) for each in row] for row in shown], texttemplate="%{text}", textfont={"size": 13},
        **draw.hover(
            f"%{{customdata[0]}}<br>promised %{{customdata[1]}}×, built %{{z:.3f}}×<br>{count.label}: "
            "%{customdata[2]}, parameters: %{customdata[3]}",
            [[_numbers(each, count) for each in row] for row in shown],
        ),
    )  # fmt: skip
    layout = {
        "xaxis": draw.axis("β, on width", type="category"),
        "yaxis": draw.axis("γ, on resolution", type="category", showgrid=False),
        "shapes": _marked(names, now, look),
    }
    spoken = "; ".join(
        f"β {beta:g}, γ {gamma:g}: α {each.rule.alpha:g} builds {times(each.macs / base)}"
        for (beta, gamma), each in sorted(cells.items())
    )
    return chart(look, 120 + 36 * len(gammas), [heat], layout, _finding(candidates, base, count), spoken)


def _finding(candidates: Sequence[GridPoint], base: int, count: Count) -> str:
    networks = len({(each.macs, each.params) for each in candidates})
    low, high = (times(pick(each.macs for each in candidates) / base) for pick in (min, max))
    satisfy, they = ("satisfies", "it builds") if len(candidates) == 1 else ("satisfy", "they build")
    built = "one network" if networks == 1 else f"{networks} different networks"
    costs = low if low == high else f"{low} to {high}"
    return (
        f"{plural(len(candidates), 'triple')} {satisfy} the constraint; at φ = 1, {they} {built} with {costs} the "
        f"{lower(count.label)}"
    )


def _text(each: GridPoint | None) -> str:
    return "" if each is None else f"{each.rule.alpha:g}{'*' if each.rule == _PAPER else ''}"


def _numbers(each: GridPoint | None, count: Count) -> list[str | float]:
    """Return the texts of the hover, and the three bases for a click."""
    if each is None:
        return [""] * 4
    bases = f"α {each.rule.alpha:g}, β {each.rule.beta:g}, γ {each.rule.gamma:g}"
    texts = [bases, f"{each.rule.factor:.3f}", si(each.macs * count.factor), si(each.params)]
    return [*texts, each.rule.alpha, each.rule.beta, each.rule.gamma]


def _marked(names: tuple[list[str], list[str]], now: ScalingRule, look: Appearance) -> list[Spec]:
    """Outline the cell of the current bases, if it is on the grid."""
    beta, gamma = f"{now.beta:g}", f"{now.gamma:g}"
    if beta not in names[0] or gamma not in names[1]:
        return []
    x, y = names[0].index(beta), names[1].index(gamma)
    return [draw.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5, look.accent, 3)]


check_border(globals())
