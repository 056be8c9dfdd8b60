"""Squeeze-and-excitation: its share of a block against the reduction ratio."""

from __future__ import annotations

import math
from collections.abc import Sequence

from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import exact, percent, short, si, snapped
from effviz.studies.excite import Excitation


def excite_chart(found: Sequence[Excitation], look: Appearance) -> Chart:
    """Share of the block's parameters against the reduction ratio; the block's own ratio is marked.

    Squeeze-and-excitation on its own is the whole of its block: then the parameters themselves are drawn.

    Args:
        found: from `effviz.studies.excite.excite`; at least one.
        look: light or dark.
    """
    alone = all(each.share == 1 for each in found)
    values = [float(each.params_added) if alone else each.share for each in found]
    texts = [si(each.params_added) if alone else percent(each.share) for each in found]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [each.reduction for each in found],
        "y": values,
        "line": {"color": look.ink, "width": 2},
        "marker": {
            "color": [look.accent if each.current else look.ink for each in found],
            "size": [14 if each.current else 7 for each in found],
            "opacity": 1,
        },
        "customdata": [
            [exact(each.channels), exact(each.squeezed), exact(each.params_added), percent(each.share),
             exact(each.macs_added)]
            for each in found
        ],
        "hovertemplate": "reduction %{x:.4g}: %{customdata[0]} channels squeezed to %{customdata[1]}<br>"
        "%{customdata[2]} parameters, %{customdata[3]} of the block<br>%{customdata[4]} multiply-adds<extra></extra>",
    }  # fmt: skip
    # Powers of two as they are; other ratios would stand too close.
    ticks = [each.reduction for each in found if math.log2(each.reduction).is_integer()]
    last = len(found) - 1
    layout = {
        "xaxis": {
            "type": "log",
            "tickvals": ticks,
            "ticktext": [f"{tick:g}" for tick in ticks],
            "title": {"text": "Reduction ratio"},
        },
        "yaxis": {"range": [0, snapped(max(values))], "nticks": 6}
        | (
            {"title": {"text": "Parameters"}, **_ticks(snapped(max(values)))}
            if alone
            else {"title": {"text": "Share of the block's parameters"}, "tickformat": ".0%"}
        ),
        "annotations": [
            {
                "x": math.log10(each.reduction),
                "y": value,
                "text": f"here: {text}",
                "showarrow": False,
                "xanchor": "right" if place == last and place else "left",
                "yanchor": "bottom",
                "xshift": 0 if place == last else 6,
                "yshift": 8,
                "font": {"color": look.accent, "size": 14},
            }
            for place, (each, value, text) in enumerate(zip(found, values, texts, strict=True))
            if each.current
        ],
    }
    title = _finding(found, texts, alone=alone)
    spoken = "; ".join(
        f"reduction {each.reduction:g}: {exact(each.channels)} channels squeezed to {exact(each.squeezed)}, "
        f"{exact(each.params_added)} parameters, {percent(each.share)} of the block, "
        f"{exact(each.macs_added)} multiply-adds"
        for each in found
    )
    return Chart(figure(look, 320, [line], layout), title, f"{title}. {spoken}.")


def _ticks(end: float) -> dict[str, list[float] | list[str]]:
    values = [end * fifth / 5 for fifth in range(6)]
    return {"tickvals": values, "ticktext": [short(value) for value in values]}


def _finding(found: Sequence[Excitation], texts: Sequence[str], *, alone: bool) -> str:
    # What is said first is the block's own ratio, else the smallest.
    at = next((place for place, each in enumerate(found) if each.current), 0)
    end = len(found) - 1
    first = (
        f"At reduction {found[at].reduction:g} squeeze-and-excitation has {texts[at]} parameters"
        if alone
        else f"At reduction {found[at].reduction:g} squeeze-and-excitation is {texts[at]} of the block's parameters"
    )
    return first if at == end else f"{first}, {texts[end]} at {found[end].reduction:g}"
