"""The job "diagram": a network, a stage or a block as DOT text."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from effviz.backend.diagram.draw import draw
from effviz.core.errors import Cancelled
from effviz.model.design import Design
from effviz.worker.jobs import Progress


def run(payload: dict[str, Any], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Draw ``design`` (its JSON text) and return the fields of a `Diagram`.

    ``resolution``, ``path``, ``depth``, ``appearance`` and ``marks`` are optional, see
    `effviz.backend.diagram.draw.draw`.
    """
    # Called once, because drawing takes less than a second.
    if cancelled():
        raise Cancelled
    progress(0.0, "Drawing")
    options = {name: payload[name] for name in ("path", "depth", "appearance", "marks") if name in payload}
    diagram = draw(Design.from_json(payload["design"]), payload.get("resolution"), **options)
    progress(1.0, "Drawn")
    return asdict(diagram)
