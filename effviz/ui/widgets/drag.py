"""Headline numbers and main chart that follow a slider while it is dragged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from effviz.ui.sweeps import sweep_address
from effviz.ui.widgets.component import component
from effviz.ui.widgets.jobs import visitor


def follow(page: str, controls: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the page follow these sliders without the server, until they are released.

    Args:
        page: `PageInfo.url_path`, whose `page_parts/<page>/sweep.py` computes the states.
        controls: by key of a slider, the other settings of the page.
    """
    script = component("drag", "<span hidden></span>", "cards.js", "chart.js", "plotly.min.js")
    sweeps = {key: sweep_address(page, key, settings, visitor()) for key, settings in controls.items()}
    script(key="drag", data={"sweeps": sweeps}, width="content")
