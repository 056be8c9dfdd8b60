"""Functions that the formulas of a lesson may name; `effviz.lessons.answers` lists them.

Each takes descriptions of networks (`effviz.lessons.subjects`) and returns one number.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import prod
from typing import Any

from effviz.advice.budgets import DTYPES
from effviz.advice.lint import lint
from effviz.advice.scaling import built_body, implied_phi
from effviz.core.errors import fail, look_up, one_of
from effviz.core.resolution import sides
from effviz.count.kinds import KINDS
from effviz.count.report import Report, analyze
from effviz.lessons.subjects import design_of, report_of, rule_of
from effviz.model.layers import BatchNorm2d
from effviz.studies.guideline_shapes import Shape, compare
from effviz.studies.guidelines.access import DEVICES
from effviz.studies.guidelines.experiments import column, printed_speeds
from effviz.studies.manifold import embed
from effviz.zoo.published import published as published_table

Subject = Mapping[str, Any]

QUANTITIES = ("macs", "flops", "params", "memory_access", "peak_activation", "activations")
_SMALLEST, _LARGEST = 32, 2048


def _quantity(report: Report, quantity: str) -> int:
    one_of("quantity", quantity, QUANTITIES)
    return int(getattr(report, quantity))


def count(of: Subject, quantity: str, per: float = 1, memory: str = "fused") -> float:
    """Return a count of a network, divided by `per`."""
    return _quantity(report_of(of, memory), quantity) / per


def ratio(of: Subject, to: Subject, quantity: str, memory: str = "fused") -> float:
    """Return how many times the count of another network a network has."""
    return _quantity(report_of(of, memory), quantity) / _quantity(report_of(to, memory), quantity)


def percent(of: Subject, to: Subject, quantity: str, memory: str = "fused") -> float:
    """Return a count in per cent of that of another network."""
    return 100 * ratio(of, to, quantity, memory)


def added(of: Subject, to: Subject, quantity: str, memory: str = "fused") -> float:
    """Return how many per cent more than another network a network has."""
    return 100 * (ratio(of, to, quantity, memory) - 1)


def share(of: Subject, kind: str, quantity: str, memory: str = "fused") -> float:
    """Return the share of a kind of layer in a count, in per cent."""
    look_up("kind", kind, KINDS)
    one_of("quantity", quantity, ("macs", "params", "memory_access"))
    report = report_of(of, memory)
    own = sum(getattr(sums, quantity) for (_, each), sums in report.sums.items() if each == kind)
    return float(100 * own / _quantity(report, quantity))


def bytes_of(of: Subject, quantity: str, dtype: str, per: float = 1) -> float:
    """Return the size of the parameters or of the peak activations in a number format, divided by `per`."""
    one_of("quantity", quantity, ("params", "peak_activation", "memory_access"))
    return _quantity(report_of(of), quantity) * look_up("dtype", dtype, DTYPES) / per


def image(of: Subject, per: float = 1) -> float:
    """Return the elements of the input image, divided by `per`."""
    return prod(report_of(of).input_shape) / per


def largest_map(of: Subject, per: float = 1) -> float:
    """Return the elements of the largest output of a layer, divided by `per`."""
    return max(prod(step.output.shape) for step in report_of(of).steps) / per


def running_statistics(of: Subject, per: float = 1) -> float:
    """Return the means and variances that batch norms keep, two for each channel, divided by `per`."""
    layers = (step.layer for step in report_of(of).steps)
    return sum(2 * layer.num_features for layer in layers if isinstance(layer, BatchNorm2d)) / per


def intensity(of: Subject, memory: str = "fused") -> float:
    """Return the multiply-adds per element of memory access."""
    report = report_of(of, memory)
    return report.macs / report.memory_access


def layers(of: Subject, kind: str) -> float:
    """Return the number of layers of a kind."""
    look_up("kind", kind, KINDS)
    return sum(row.kind == kind for row in report_of(of).rows)


def blocks(of: Subject) -> float:
    """Return the number of blocks in the stages on which the depth multiplier acts."""
    return built_body(design_of(of))[0]


def resolution(of: Subject) -> float:
    """Return the height of the input in pixels."""
    return sides(design_of(of).resolution)[0]


def findings(of: Subject) -> float:
    """Return the number of suggestions about a design."""
    return len(lint(design_of(of)))


def highest_resolution(of: Subject, limit: float, quantity: str = "macs", step: int = 1) -> float:
    """Return the largest square input, in pixels and multiples of `step`, at which a count is at most `limit`."""
    design = design_of(of)
    sizes = range(-(-_SMALLEST // step) * step, _LARGEST + 1, step)
    place = bisect_right(sizes, limit, key=lambda side: _quantity(analyze(design, side), quantity))
    if not place:
        fail("limit", limit, f"is exceeded at {sizes[0]} pixels")
    return sizes[place - 1]


def linear_resolution(of: Subject, limit: float, quantity: str = "macs") -> float:
    """Return the resolution at which a count would reach a limit if it were proportional to the side of the image."""
    return resolution(of) * limit / _quantity(report_of(of), quantity)


def power(of: float, to: float = 1, exponent: float = 1, times: float = 1) -> float:
    """Return the ratio of two settings, raised to a power, times a number: the answer of a rule of thumb."""
    return float(times * (of / to) ** exponent)


def lost(channels: int, seed: int = 0) -> float:
    """Return the share of a two-dimensional spiral that ReLU in some channels destroys, in per cent."""
    return 100 * embed(channels, seed, "relu").lost


# --- Compound scaling ---------------------------------------------------------------------------------------------


def promised(phi: float = 1, **bases: float) -> float:
    """Return the factor in multiply-adds that a rule promises at phi: (alpha * beta**2 * gamma**2) ** phi."""
    return float(rule_of(bases).factor ** phi)


def promised_macs(of: Subject, phi: float = 1, per: float = 1, **bases: float) -> float:
    """Return the multiply-adds that a rule promises at phi, divided by `per`."""
    return report_of(of).macs * promised(phi, **bases) / per


def promised_blocks(of: Subject, phi: float = 1, **bases: float) -> float:
    """Return the blocks that a rule promises at phi, for all stages together."""
    return float(blocks(of) * rule_of(bases).alpha ** phi)


def implied(of: Subject, base: Subject, by: str) -> float:
    """Return the phi at which the paper's rule has the multiplier of a network, by one of its dimensions."""
    found = implied_phi(design_of(of), design_of(base), rule_of({}))
    value = getattr(found, one_of("by", by, found._fields))
    return float(value)


def deviation(of: Subject, base: Subject, phi: float = 1, **bases: float) -> float:
    """Return by how many per cent the built factor in multiply-adds exceeds the promised one."""
    return 100 * (ratio(of, base, "macs") / promised(phi, **bases) - 1)


# --- Published figures ----------------------------------------------------------------------------------------------


def published(column: str, variant: str, source: str, device: str = "") -> float:
    """Return a printed figure: top-1 in per cent, parameters and multiply-adds in millions, latency in ms.

    Args:
        column: ``"top1"``, ``"params"``, ``"mult_adds"`` or ``"latency_ms"``.
        variant: name of the row in the source.
        source: beginning of the name of the source.
        device: beginning of the name of the device of a latency.
    """
    one_of("column", column, ("top1", "params", "mult_adds", "latency_ms"))
    table = published_table()
    rows = table[
        (table["variant"] == variant) & table["source"].str.startswith(source) & table[column].notna()
        & table["latency_device"].str.startswith(device)
    ]  # fmt: skip
    if rows[column].nunique() != 1:
        fail("variant", variant, f"has {rows[column].nunique()} values of {column} in {source}")
    return float(rows.iloc[0][column])


def published_gain(column: str, variant: str, base: str, source: str, device: str = "") -> float:
    """Return by how much a printed figure exceeds that of another row of the same source."""
    return round(published(column, variant, source, device) - published(column, base, source, device), 9)


def published_ratio(column: str, variant: str, base: str, source: str, device: str = "", times: float = 1) -> float:
    """Return how many times the printed figure of another row of the same source a row has, times a number."""
    return times * published(column, variant, source, device) / published(column, base, source, device)


# --- Guidelines of ShuffleNetV2 -------------------------------------------------------------------------------------


def access_ratio(guideline: str, memory: str = "fused", **shape: Any) -> float:
    """Return the memory access of a shape relative to the one that its guideline recommends, at equal multiply-adds."""
    return compare(Shape(guideline, **shape)).factor(memory)


def elementwise_share(memory: str, **shape: Any) -> float:
    """Return the share of element-wise operations in the memory access of a bottleneck, in per cent."""
    return 100 * compare(Shape("G4", **shape)).now.share(memory)


def printed_speed(guideline: str, case: str, device: str = "GPU", scale: str = "x1", of: float = 100) -> float:
    """Return the published speed of a case if that of the recommended one, at equal multiply-adds, is `of`."""
    look_up("device", device, DEVICES)
    found = column(guideline, device, scale)
    speeds, _ = printed_speeds(found, device)
    labels = {each.case: each.label for each in found}
    best = max(speeds.values())
    return of * speeds[look_up("case", case, labels)] / best
