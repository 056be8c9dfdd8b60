"""Animations on a page, played by the browser without the server."""

from __future__ import annotations

from effviz.charts.motion import Motion
from effviz.ui.widgets.component import component

_SCENES = ("volumes", "shuffle", "excite", "widths")


def show_motion(motion: Motion, key: str) -> None:
    """Show an animation with its controls.

    Args:
        motion: from `effviz.charts.motion`.
        key: of the element on the page. An animation with the same key takes over position and speed.

    Example:
        >>> show_motion(motion("shuffle", channels=9, groups=3), "shuffle_motion")
    """
    scripts = ("motion_draw.js", *(f"motion_{scene}.js" for scene in _SCENES))
    player = component("motion", '<figure class="motion"></figure>', *scripts)
    player(key=key, data=motion.json)
