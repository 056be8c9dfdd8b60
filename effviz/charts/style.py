"""The look of every chart: colours and one plotly template per appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import orjson

from effviz.core.arguments import check_border
from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import DARK, LIGHT, Appearance

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
CLEAR = "rgba(0,0,0,0)"

Spec = dict[str, Any]
"""A trace, a shape, an annotation or an axis in plotly's format."""


@dataclass(frozen=True)
class Chart:
    """A figure with its text."""

    spec: Spec  # "data", "layout" and perhaps "frames" in plotly's format: plain lists and dictionaries
    title: str  # the finding, a sentence computed from the numbers
    alt: str  # the alternative text: the finding and the numbers

    @property
    def figure(self) -> Figure:
        """The figure, validated by plotly."""
        # The server needs no validated figure, and its import takes longer than a page.
        from plotly.graph_objects import Figure

        return Figure(self.spec)

    @cached_property
    def json(self) -> bytes:
        """The figure with its texts for the browser."""
        return json_of({"title": self.title, "alt": self.alt, **self.spec})


def json_of(value: object) -> bytes:
    """Write part of a figure as JSON. Integers of more than 64 bits become floats, as all numbers do in the browser."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return orjson.dumps(_with_floats(value), option=orjson.OPT_SERIALIZE_NUMPY)


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_floats(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_floats(each) for each in value]
    return float(value) if isinstance(value, int) and value.bit_length() > 63 else value


def appearance(name: str | None) -> Appearance:
    """Return the colours of ``"light"`` (the default) or ``"dark"``."""
    return DARK if name == "dark" else LIGHT


def chart(
    look: Appearance, height: int, traces: list[Spec], layout: Spec, title: str, *details: str,
    frames: Sequence[Spec] = (),
) -> Chart:  # fmt: skip
    """Build a chart. Plotly does not validate it: that takes longer than everything else in a move of a slider.

    Args:
        height: in pixels, fixed so that the page does not move when numbers change.
        traces: with their ``type``.
        layout: differences from the template.
        title: the finding.
        details: further sentences of the alternative text, without a full stop; empty ones are left out.
        frames: of an animation.
    """
    spec = {"data": traces, "layout": {"template": _template(look), "height": height} | layout}
    if frames:
        spec["frames"] = list(frames)
    return Chart(spec, title, f"{'. '.join(filter(None, (title, *details)))}.")


@cache
def _template(look: Appearance) -> Spec:
    """Build a transparent template with a grid on the value axis only. A page has one legend for all its charts."""
    axis = {
        "color": look.muted, "linecolor": look.grid, "gridcolor": look.grid, "zeroline": False, "showgrid": False,
        "ticks": "", "ticklabelstandoff": 4, "tickfont": {"size": 13}, "title": {"font": {"size": 14}, "standoff": 10},
        "automargin": True, "fixedrange": True,
    }  # fmt: skip
    font = {"family": FONT, "color": look.ink}
    return {
        "layout": {
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "font": font | {"size": 14},
            "hoverlabel": {"bgcolor": look.paper, "bordercolor": look.muted, "font": font},
            "hovermode": "closest",
            "dragmode": False,
            "showlegend": False,
            "xaxis": axis,
            "yaxis": axis | {"showgrid": True},
        }
    }


__all__ = ["CLEAR", "DARK", "KIND_COLORS", "LIGHT", "Appearance", "Chart", "Spec", "appearance", "chart"]


check_border(globals())
