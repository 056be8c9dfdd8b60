"""The look of every chart: colours and one plotly template per appearance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import DARK, LIGHT, Appearance

FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
CLEAR = "rgba(0,0,0,0)"

Spec = dict[str, Any]
"""A trace, a shape, an annotation or an axis in plotly's format."""


@dataclass(frozen=True)
class Chart:
    """A figure with its text."""

    figure: go.Figure  # for plotly
    title: str  # the finding, a sentence computed from the numbers
    alt: str  # the alternative text: the finding and the numbers


def appearance(name: str | None) -> Appearance:
    """Return the colours of ``"light"`` (the default) or ``"dark"``."""
    return DARK if name == "dark" else LIGHT


def chart(
    look: Appearance, height: int, traces: list[Spec], layout: Spec, title: str, *details: str,
    frames: Sequence[Spec] = (),
) -> Chart:  # fmt: skip
    """Build a chart. One validation of plain dictionaries is much faster than adding traces one by one.

    Args:
        height: in pixels, fixed so that the page does not move when numbers change.
        traces: with their ``type``.
        layout: differences from the template.
        title: the finding.
        details: further sentences of the alternative text, without a full stop; empty ones are left out.
        frames: of an animation.
    """
    drawn = go.Figure(data=traces, layout={"template": _name(look), "height": height} | layout, frames=frames or None)
    return Chart(drawn, title, f"{'. '.join(filter(None, (title, *details)))}.")


def _name(look: Appearance) -> str:
    return f"effviz-{look.name}"


def _template(look: Appearance) -> go.layout.Template:
    """Build a transparent template with a grid on the value axis only. A page has one legend for all its charts."""
    axis = {
        "color": look.muted, "linecolor": look.grid, "gridcolor": look.grid, "zeroline": False, "showgrid": False,
        "ticks": "", "tickfont": {"size": 13}, "title": {"font": {"size": 14}, "standoff": 10},
        "automargin": True, "fixedrange": True,
    }  # fmt: skip
    font = {"family": FONT, "color": look.ink}
    return go.layout.Template(
        layout={
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR,
            "font": font | {"size": 14}, "xaxis": axis, "yaxis": axis | {"showgrid": True},
            "hoverlabel": {"bgcolor": look.paper, "bordercolor": look.muted, "font": font},
            "hovermode": "closest", "dragmode": False, "showlegend": False,
        }
    )  # fmt: skip


for _look in (LIGHT, DARK):
    pio.templates[_name(_look)] = _template(_look)

__all__ = ["CLEAR", "DARK", "KIND_COLORS", "LIGHT", "Appearance", "Chart", "Spec", "appearance", "chart"]
