"""A latency as it is stored."""

from __future__ import annotations

from typing import Any

from effviz.measure import latency

SOME: dict[str, Any] = {
    "median_ms": 10.0,
    "p90_ms": 12.0,
    "iqr_ms": 0.5,
    "min_ms": 9.5,
    "runs": 80,
    "loaded": False,
    "batch_size": 1,
    "threads": 1,
    "resolution": 32,
    "environment": latency.environment(),
    "measured_at": "2026-01-31T12:00:00+00:00",
}
