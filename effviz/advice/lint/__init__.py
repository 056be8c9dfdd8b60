"""What an expert would say of a design: rules as data, each with its source, and changes that mend.

Rules are of thumb. A finding names a number and where it comes from, not a mistake: published networks have some.
"""

from __future__ import annotations

from functools import lru_cache

from effviz.advice.lint.access import (
    DEPTHWISE_ON_LARGE_MAPS,
    ELEMENT_WISE,
    EXCITATION_ON_LARGE_MAPS,
    FRAGMENTS,
    MANY_GROUPS,
    UNEQUAL_WIDTHS,
)
from effviz.advice.lint.faults import (
    BIAS_BEFORE_NORM,
    EVEN_WINDOWS,
    NARROW_ACTIVATION,
    RECEPTIVE_FIELD,
    SKIPPED_PIXELS,
    TOO_MUCH_STRIDE,
)
from effviz.advice.lint.findings import Finding, Fix, Gain, Rule, gain
from effviz.advice.lint.linting import linted
from effviz.advice.lint.shares import CLASSIFIER, FIRST_LAYER, LATE_REDUCTION, ODD_WIDTHS
from effviz.core.errors import fail
from effviz.model.design import Design

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        TOO_MUCH_STRIDE, SKIPPED_PIXELS, EVEN_WINDOWS, BIAS_BEFORE_NORM, NARROW_ACTIVATION, RECEPTIVE_FIELD,
        LATE_REDUCTION, FIRST_LAYER, CLASSIFIER, ODD_WIDTHS,
        UNEQUAL_WIDTHS, MANY_GROUPS, FRAGMENTS, ELEMENT_WISE, DEPTHWISE_ON_LARGE_MAPS, EXCITATION_ON_LARGE_MAPS,
    )
}  # fmt: skip
"""Every rule by name, in the order in which findings are shown: faults, then shares, then memory access."""

__all__ = ["RULES", "Finding", "Fix", "Gain", "Rule", "gain", "lint"]


def lint(design: Design) -> tuple[Finding, ...]:
    """The findings of all rules in a design at its own resolution, in the order of `RULES`.

    Raises:
        DesignError: the network cannot be built; the message starts with the layer's path.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    return _linted(design)


@lru_cache(maxsize=64)
def _linted(design: Design) -> tuple[Finding, ...]:
    return linted(design, RULES.values())
