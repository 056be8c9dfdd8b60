"""The job "crosscheck": a comparison of effviz's counts with those of thop and FlopCounterMode."""

from collections.abc import Callable
from typing import Any

from effviz.backend.crosscheck import crosscheck
from effviz.model.design import Design
from effviz.worker.jobs import Progress


def run(payload: dict[str, Any], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Cross-check a design.

    Args:
        payload: ``design`` (its JSON text) and optionally ``resolution``.
        progress, cancelled: see `effviz.backend.crosscheck.crosscheck`.

    Returns:
        The result of `Crosscheck.to_dict`.
    """
    design = Design.from_json(payload["design"])
    return crosscheck(design, payload.get("resolution"), progress=progress, cancelled=cancelled).to_dict()
