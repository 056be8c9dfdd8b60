"""The look of every chart: colours of the layer kinds, one plotly template per appearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from effviz import kinds

# Okabe and Ito's palette, told apart by colour-blind eyes, and two greys.
KIND_COLORS = {
    kinds.STANDARD: "#009E73",
    kinds.GROUPED: "#56B4E9",
    kinds.POINTWISE: "#0072B2",
    kinds.DEPTHWISE: "#E69F00",
    kinds.LINEAR: "#CC79A7",
    kinds.SQUEEZE_EXCITE: "#D55E00",
    kinds.MERGE: "#F0E442",
    kinds.NORM: "#6E6E78",
    kinds.POOLING: "#B9B9C2",
}
FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'


@dataclass(frozen=True)
class Appearance:
    """Colours that depend on light or dark.

    Attributes:
        name: ``"light"`` or ``"dark"``.
        ink: text.
        muted: axis labels and secondary marks.
        grid: lines of the value axis.
        accent: what is marked or can be acted on.
        outline: around every mark; on white, three of the kinds' colours are below 3:1 without it.
        paper: the page behind the chart.
    """

    name: str
    ink: str
    muted: str
    grid: str
    accent: str
    outline: str
    paper: str

    @property
    def template(self) -> str:
        """Name of the plotly template."""
        return f"effviz-{self.name}"


LIGHT = Appearance("light", "#1B1B22", "#5A5A66", "#E4E4EA", "#6A3FA0", "#1B1B22", "#FFFFFF")
DARK = Appearance("dark", "#E8EBF0", "#A9B2BF", "#2A3544", "#B79CF0", "#0F1620", "#0F1620")


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
    return go.Figure(data=traces, layout={"template": look.template, "height": height} | (layout or {}))


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
    pio.templates[_look.template] = _template(_look)


def label_color(kind: str) -> str:
    """Black or white, whichever is easier to read on the kind's colour (WCAG 2 relative luminance)."""
    channels = [int(KIND_COLORS[kind][start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (((value + 0.055) / 1.055) ** 2.4 if value > 0.04045 else value / 12.92 for value in channels)
    # At 0.179 both have the same contrast.
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#FFFFFF"


def mark(kind: str, look: Appearance) -> dict[str, Any]:
    """The marker of a layer kind."""
    return {"color": KIND_COLORS[kind], "line": {"color": look.outline, "width": 0.7}}
