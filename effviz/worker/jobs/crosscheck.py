"""The job "crosscheck": a comparison of effviz's counts with those of thop and FlopCounterMode."""

from collections.abc import Callable
from typing import Any

from effviz.backend.crosscheck import crosscheck
from effviz.model.design import Design
from effviz.worker.jobs import Progress


def run(payload: dict[str, Any], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Cross-check ``design`` (its JSON text), optionally at a ``resolution``, and return `Crosscheck.to_dict`."""
    design = Design.from_json(payload["design"])
    return crosscheck(design, payload.get("resolution"), progress=progress, cancelled=cancelled).to_dict()
