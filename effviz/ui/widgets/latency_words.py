"""Latencies in words and in columns of tables: distribution, noise, age, machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from effviz.core.text import html_text
from effviz.core.units import ago, change, milliseconds, percent
from effviz.measure.latency import NOISY_SPREAD, Latency, environment
from effviz.ui.widgets.tables import Column

TOO_NOISY = "too noisy to compare"


def thread_text(threads: int) -> str:
    """Format a number of threads: ``1 thread``."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def badge(latency: Latency) -> str:
    """Write the mark of a noisy latency as HTML; empty if it is not noisy."""
    return '<strong class="noisy">noisy</strong> ' if latency.noisy else ""


def summary(latency: Latency, conditions: str, when: str) -> str:
    """Write a latency as HTML: one line with what it depends on, and behind "Details" the rest.

    Args:
        latency: measured or recorded.
        conditions: text.
        when: its age or its date, text.
    """
    short = f"{milliseconds(latency.median_ms)}, IQR {milliseconds(latency.iqr_ms)}"
    why = f"Noisy: {noise(latency)}. " if latency.noisy else ""
    rest = (
        f"{why}Median {milliseconds(latency.median_ms)}, 90th percentile {milliseconds(latency.p90_ms)}, "
        f"IQR {milliseconds(latency.iqr_ms)}, {latency.runs} runs, {conditions}. {_versions(latency.environment)}."
    )
    # On a phone, the line is beside the chart and leaves the conditions to the details.
    return (
        f'{badge(latency)}{short} · <span class="conditions">{html_text(conditions)} · </span>{html_text(when)} · '
        f"<details><summary>Details</summary><div>{html_text(rest)}</div></details>"
    )


def noise(latency: Latency) -> str:
    """Explain why a latency is noisy; empty if it is not."""
    reasons = []
    if latency.loaded:
        reasons.append("the machine was busy")
    if latency.iqr_ms > NOISY_SPREAD * latency.median_ms:
        reasons.append(f"IQR is {percent(latency.iqr_ms / latency.median_ms)} of the median")
    return ", ".join(reasons)


def difference(latency: Latency, reference: Latency) -> str:
    """Compare two latencies: their difference, or why there is none."""
    if latency.noisy or reference.noisy:
        return TOO_NOISY
    return change(latency.median_ms, reference.median_ms)


def age(latency: Latency) -> str:
    """Say how long ago a latency was measured."""
    return ago(latency.age.total_seconds())


def source(latencies: Iterable[Latency | None]) -> str:
    """Describe the machine of some latencies, and for recorded ones their date; this machine if there are none."""
    first = next((each for each in latencies if each is not None), None)
    if first is None or not first.is_recorded:
        return machine()
    return f"Recorded on {first.measured_at[:10]}, not measured here: {_versions(first.environment)}"


def machine() -> str:
    """Describe this machine in a few words."""
    return _versions(environment())


def _versions(known: Mapping[str, str]) -> str:
    cores = "1 core" if known["cores"] == "1" else f"{known['cores']} cores"
    return f"{known['cpu']} ({cores}), torch {known['torch']}, Python {known['python']}"


def latency_columns(row: str = "latency") -> list[Column]:
    """Make columns of a latency's distribution; `row` is the attribute of the row that has it, or None."""

    def value(name: str) -> Callable[[Any], Any]:
        return lambda each: None if (found := getattr(each, row)) is None else getattr(found, name)

    return [
        Column("Median (ms)", value("median_ms")),
        Column("90th percentile (ms)", value("p90_ms")),
        Column("IQR (ms)", value("iqr_ms")),
        Column("Runs", value("runs")),
    ]
