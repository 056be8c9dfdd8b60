"""Lint: rules of thumb about efficient networks, each with its source, and fixes for their findings.

A finding names a number and its source. It is not an error: published networks have findings too.
"""

from functools import lru_cache

from effviz.advice.lint.findings import Finding, Fix, Gain, Rule, gain
from effviz.advice.lint.guidelines import ELEMENT_WISE, FRAGMENTS, MANY_GROUPS, UNEQUAL_WIDTHS
from effviz.advice.lint.large_maps import DEPTHWISE_ON_LARGE_MAPS, EXCITATION_ON_LARGE_MAPS, LATE_REDUCTION
from effviz.advice.lint.linting import apply_rules
from effviz.advice.lint.norms import BIAS_BEFORE_NORM, NARROW_ACTIVATION
from effviz.advice.lint.reach import RECEPTIVE_FIELD
from effviz.advice.lint.shares import CLASSIFIER, FIRST_LAYER
from effviz.advice.lint.widths import ODD_WIDTHS
from effviz.advice.lint.windows import EVEN_WINDOWS, SKIPPED_PIXELS, TOO_MUCH_STRIDE
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
    """Return the findings of all rules in a design at its own resolution, in the order of `RULES`.

    Raises:
        DesignError: the network cannot be built; the message starts with the layer's path.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    return _lint(design)


@lru_cache(maxsize=64)
def _lint(design: Design) -> tuple[Finding, ...]:
    return apply_rules(design, RULES.values())
