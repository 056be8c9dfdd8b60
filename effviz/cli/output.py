"""Text of the commands: tables, JSON, and lines about a design."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from effviz import Design, Report
from effviz.advice.budgets import QUANTITIES, Preset, Verdict
from effviz.core.text import visible
from effviz.core.units import exact, lower, milliseconds, percent
from effviz.count.memory import ASSUMPTIONS

if TYPE_CHECKING:
    from effviz.measure.latency import Latency

_MAX_PERCENTAGE = 10
"""An excess beyond this share of the limit is printed as a factor."""


def table(rows: Iterable[Sequence[str]], alignment: str) -> str:
    """Lay out rows in columns as wide as their widest cell; `alignment` has ``<`` or ``>`` for each column."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    padded = (
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths, strict=True))
        for row in listed
    )
    return lines(line.rstrip() for line in padded)


def lines(texts: Iterable[str]) -> str:
    """Join texts, one on each line."""
    return "".join(f"{visible(text)}\n" for text in texts)


def as_json(value: object) -> str:
    """Format a value as indented JSON."""
    return json.dumps(value, indent=2) + "\n"


def values(source: object, names: Iterable[str]) -> dict[str, Any]:
    """Return attributes by name."""
    return {name: getattr(source, name) for name in names}


def heading(design: Design) -> str:
    """Describe a design: ``MobileNetV2 (mobilenet_v2), width x 0.75, input 3 x 224 x 224``."""
    name = f"{design.title} ({design.name})" if design.title else design.name
    multipliers = (("width", design.width_mult), ("depth", design.depth_mult))
    scaled = [f"{word} x {value:g}" for word, value in multipliers if value != 1]
    return ", ".join([name, *scaled, f"input {' x '.join(map(str, design.input_shape()))}"])


def convention(memory: str) -> list[str]:
    """Return the definitions of the counts, one per line."""
    return [
        "Multiply-adds: fused multiply-adds of convolution and linear layers, one image; FLOPs: 2 x multiply-adds.",
        f"Memory access cost, {memory}: {ASSUMPTIONS[memory].help}; in elements, batch 1.",
        "Parameters: trainable numbers, batch norm 2 per channel.",
    ]


def conditions(report: Report, dtype: str, preset: Preset | None, latency: Latency | None) -> Iterator[str]:
    """Describe the design of a check and the conventions."""
    yield heading(report.design)
    yield f"Sizes in bytes: {dtype}, batch 1. Memory access: {report.memory}."
    if preset:
        yield f"{preset.title}. {preset.source}"
    if latency:
        noisy = ", noisy" if latency.noisy else ""
        yield f"Latency: median of {latency.runs} runs of PyTorch on this CPU, float32, batch 1, 1 thread{noisy}."


def verdict_values(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for JSON."""
    budget = values(verdict.budget, ("quantity", "limit", "text", "dtype"))
    return budget | {"unit": QUANTITIES[budget["quantity"]].unit} | values(verdict, ("value", "passed", "margin"))


def verdict_row(verdict: Verdict, dtype: str = "") -> tuple[str, ...]:
    """Return a row of a check, with enough digits to distinguish the value from the limit.

    Args:
        verdict: the comparison.
        dtype: number format that the text names already; another one is added to the unit.
    """
    quantity, limit = QUANTITIES[verdict.budget.quantity], verdict.budget.limit
    value, margin = verdict.value or 0, verdict.margin or 0.0
    if verdict.passed:
        mark, difference = "pass", f"{percent(margin)} left"
    else:
        factor = value / limit
        times = f"{factor:,.0f}" if factor >= 100 else f"{factor:.3g}"
        excess = percent(-margin) if -margin <= _MAX_PERCENTAGE else f"{times} times the limit"
        mark, difference = "FAIL", f"over by {f'{_amount(value - limit)} {quantity.unit}'.strip()} ({excess})"
    # 17 digits distinguish any two floats.
    enough = (each for each in range(6, 18) if value == limit or _amount(value, each) != _amount(limit, each))
    digits = next(enough, 17)
    amounts = _amount(value, digits), "limit", _amount(limit, digits)
    unit = quantity.unit if verdict.budget.dtype in ("", dtype) else f"{quantity.unit}, {verdict.budget.dtype}"
    return mark, lower(quantity.title), *amounts, unit, difference


def _amount(value: float, digits: int = 6) -> str:
    return exact(value) if isinstance(value, int) else f"{value:,.{digits}g}"


def finding_lines(findings: list[dict[str, Any]], mark: str) -> Iterator[str]:
    """Return the lines about lint findings, each starting with `mark`."""
    for each in findings:
        yield f"{mark}  {each['rule']}, {each['where']}: {each['why']}"
        if each["fix"]:
            yield f"      fix: {each['fix']}"
    if not findings:
        yield "No findings."


def latency_rows(latency: Latency) -> list[tuple[str, str]]:
    """Return the rows of a latency's table."""
    noisy = "no"
    if latency.noisy:
        noisy = "yes, the machine was busy" if latency.loaded else "yes, IQR / median > 0.10"
    return [
        ("median", milliseconds(latency.median_ms)),
        ("90th percentile", milliseconds(latency.p90_ms)),
        ("IQR", milliseconds(latency.iqr_ms)),
        ("fastest", milliseconds(latency.min_ms)),
        ("runs", exact(latency.runs)),
        ("noisy", noisy),
        ("batch", exact(latency.batch_size)),
        *latency.environment.items(),
        ("measured at", latency.measured_at),
    ]
