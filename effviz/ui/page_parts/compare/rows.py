"""The compared networks with all their numbers: counted, published, and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from effviz.charts.compare.axes import Axis
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.units import binary, lower, milliseconds, short, short_binary, si
from effviz.measure.latency import Latency
from effviz.model.design import Design
from effviz.studies.compare.networks import (
    MEASURES,
    ComparedRow,
    Counted,
    Known,
    counted,
    phone_latency,
    published_top1,
)
from effviz.studies.studio import estimated_layers
from effviz.ui.convention import Convention
from effviz.ui.page_parts.compare.controls import Choice
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.live_latency import Conditions, Reading

_COSTLY = 6_000
"""Layers, by a rough estimate, whose counts take longer than a page may."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class View:
    """The networks on screen.

    Attributes:
        choice: values of the controls.
        rows: of the networks, in the order of the list.
        reading: latency of the network on screen.
    """

    choice: Choice
    rows: tuple[ComparedRow, ...]
    reading: Reading

    @property
    def base(self) -> ComparedRow:
        """The baseline."""
        return self.rows[self.choice.baseline]

    @property
    def chosen(self) -> ComparedRow:
        """The network on screen."""
        return self.rows[self.choice.chosen]


@remembered
def counts(designs: tuple[Design, ...], memory: str) -> tuple[Counted, ...]:
    """Count several networks.

    Raises:
        DesignError: a network cannot be built.
    """
    return tuple(counted(design, memory) for design in designs)


def computed(name: str, function: Callable[..., _T], designs: Sequence[Design], *arguments: object) -> _T | None:
    """Return the result of a remembered function; if the networks are large, from another process, as `calculated`.

    Raises:
        DesignError: from the function.
    """
    return calculated(name, function, *arguments) if is_costly(designs) else function(*arguments)


def is_costly(designs: Sequence[Design]) -> bool:
    """Return whether counting these designs takes longer than a page may."""
    return sum(estimated_layers(design.stages, design.depth_mult) for design in designs) > _COSTLY


def read(choice: Choice, convention: Convention, conditions: Conditions) -> View | None:
    """Return all numbers of the networks; None while those of large networks are calculated."""
    designs = tuple(network.design for network in choice.networks)
    try:
        found = computed("Counts of the networks", counts, designs, designs, convention.memory)
    except DesignError as error:
        raise DesignError(f"a network cannot be counted: {error}") from None
    if found is None:
        return None
    order = dict.fromkeys([choice.chosen, choice.baseline, *range(len(designs))])
    reading = live.read(choice.design, [designs[place] for place in order if place != choice.chosen], conditions)
    latencies = dict(zip(order, reading.shown, strict=True))
    rows = [
        ComparedRow(network, label, each, published_top1(network), phone_latency(network, choice.phone),
                    _latency(latencies[place], reading, conditions))
        for place, (network, label, each) in enumerate(zip(choice.networks, choice.labels, found, strict=True))
    ]  # fmt: skip
    return View(choice, tuple(rows), reading)


def _latency(found: Latency | None, reading: Reading, conditions: Conditions) -> Known:
    if found is None:
        verb = "recorded" if reading.recorded else "measured here"
        return Known(None, f"not {verb} with {conditions.text}")
    where = getattr(found, "where", "this server")
    return Known(found.median_ms, f"{'noisy, ' if found.noisy else ''}{where}, {conditions.text}")


# --- measures as axes -------------------------------------------------------------------------------------------------


def _pixels(value: float) -> str:
    return f"{value:.0f} px"


def _percent(value: float) -> str:
    return f"{value:.1f} %"


def axes(convention: Convention, reading_label: str) -> dict[str, Axis]:
    """Return the axis of every measure in the convention of the page."""
    compute = lower(convention.compute_label)
    found = {}
    for key, better in MEASURES.items():
        if key in ("params", "macs", "memory_access", "peak_activation"):
            memory = key in ("memory_access", "peak_activation")
            in_bytes = convention.is_bytes(key)
            written = binary if in_bytes else si
            title = convention.label(key) if not memory or not convention.in_elements else convention.heading(key)
            tick = short_binary if in_bytes else short
            found[key] = Axis(lower(convention.label(key)), title, written, better, True, tick, in_bytes)
    plain = {
        "receptive_field": ("receptive field", "Receptive field (px)", _pixels, True),
        "top1": ("published top-1", "Published top-1 (%)", _percent, False),
        "phone": ("published phone latency", "Phone latency (ms)", milliseconds, True),
        "latency": (lower(reading_label), f"{reading_label} (ms)", milliseconds, True),
        "efficiency": (f"top-1 per {compute}", f"Top-1 per M {compute} (%)", lambda value: f"{value:.3g} %", True),
    }
    found |= {
        key: Axis(label, title, written, MEASURES[key], log, lambda value: f"{value:g}")
        for key, (label, title, written, log) in plain.items()
    }
    return {key: found[key] for key in MEASURES}


def value(row: ComparedRow, measure: str, convention: Convention) -> float | None:
    """Return a measure of a network in the convention; None if it is unknown."""
    found = row.known(measure).value
    if found is None:
        return None
    if measure in ("params", "macs", "memory_access", "peak_activation"):
        return convention.value(measure, int(found))
    return found / convention.compute(1) if measure == "efficiency" else found
