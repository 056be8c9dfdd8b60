"""The look of every chart: colours of the layer kinds, one plotly template per appearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import DARK, LIGHT, Appearance, text_on

FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'


@dataclass(frozen=True)
class Chart:
    """A figure and what it says.

    Attributes:
        figure: for plotly.
        title: the finding, a sentence computed from the numbers.
        alt: the same for who cannot see it, with the numbers.
    """

    figure: go.Figure
    title: str
    alt: str


def appearance(name: str | None) -> Appearance:
    """The colours of ``"light"`` (the default) or ``"dark"``."""
    return DARK if name == "dark" else LIGHT


def figure(
    look: Appearance, height: int, traces: list[dict[str, Any]], layout: dict[str, Any] | None = None
) -> go.Figure:
    """A figure from plain dictionaries, validated once: far quicker than adding traces one by one.

    Args:
        look: light or dark; chooses the template.
        height: in pixels, so that nothing jumps when numbers change.
        traces: with their ``type``.
        layout: what differs from the template.
    """
    return go.Figure(data=traces, layout={"template": _name(look), "height": height} | (layout or {}))


def _name(look: Appearance) -> str:
    return f"effviz-{look.name}"


def _template(look: Appearance) -> go.layout.Template:
    """Transparent, grid on the value axis only, steady margins, no legend: pages have one legend for all charts."""
    axis = {
        "color": look.muted,
        "linecolor": look.grid,
        "gridcolor": look.grid,
        "zeroline": False,
        "showgrid": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
        "tickfont": {"size": 13},
        "title": {"font": {"size": 14}, "standoff": 10},
    }
    return go.layout.Template(
        layout={
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 14, "color": look.ink},
            "hoverlabel": {
                "bgcolor": look.paper,
                "bordercolor": look.muted,
                "font": {"family": FONT, "color": look.ink},
            },
            "hovermode": "closest",
            "dragmode": False,
            "showlegend": False,
            "xaxis": axis,
            "yaxis": axis | {"showgrid": True},
        }
    )


for _look in (LIGHT, DARK):
    pio.templates[_name(_look)] = _template(_look)


def mark(kind: str, look: Appearance) -> dict[str, Any]:
    """The marker of a layer kind."""
    return {"color": KIND_COLORS[kind], "line": {"color": look.outline, "width": 0.7}}


__all__ = ["DARK", "KIND_COLORS", "LIGHT", "Appearance", "Chart", "appearance", "figure", "mark", "text_on"]
