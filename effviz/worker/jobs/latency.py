"""The job "latency": the time of forward passes of a design."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from effviz.backend.timing import measure_design
from effviz.model.design import Design
from effviz.worker.jobs import Progress


def run(payload: dict[str, Any], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Measure ``design`` (its JSON text) at ``resolution``, with ``batch_size``, ``threads`` and ``dtype``.

    Returns `Timing.summary` and ``measured_at`` (UTC, ISO 8601).
    """
    design = Design.from_json(payload["design"])
    options = {name: payload[name] for name in ("resolution", "batch_size", "threads", "dtype")}
    timing = measure_design(design, **options, progress=progress, cancelled=cancelled)
    return timing.summary() | {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
