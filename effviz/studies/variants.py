"""The difference between a variant of a network and the default, itemized by rule and by stage.

The rules of the variant are applied one after the other, in its order. A rule that changes output widths is applied
stage by stage. Each term is the difference of two exact counts, so the terms add up to the whole difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.count.totals import network_totals
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.model.variants import Variant
from effviz.model.widths import WidthRule
from effviz.zoo import list_variants, variant


class VariantTerm(NamedTuple):
    """One term of the difference between a variant and the default."""

    reason: str  # the rule
    where: str  # the stage and its output channels before and after; empty for a rule that changes no such width
    params: int  # change of the parameters
    macs: int  # change of the multiply-adds


class VariantTotals(NamedTuple):
    """A variant at some multipliers; the counts are None if it cannot be built there."""

    name: str
    title: str  # of the implementation
    differs: str  # the rules in which it differs from the default
    source: str
    params: int | None
    macs: int | None


def itemized(design: Design, rules: Variant) -> list[VariantTerm]:
    """Return the terms of the difference between a variant and the default, in the order of the rules.

    A rule without an effect at these multipliers has one term of 0.

    Args:
        design: the default at any multipliers, without a variant.
        rules: of the variant.

    Raises:
        DesignError: the network cannot be built with the rules, or without them.
    """
    found: list[VariantTerm] = []
    steps = rules.steps(design)
    for rule, before, after in zip(rules.rules, steps, steps[1:], strict=False):
        mixtures = list(_mixtures(before, after))
        counts = [if_legal(lambda mixed=mixed: _counts(mixed)) for _, mixed in mixtures]  # type: ignore[misc]
        if None in counts:
            # Some blocks reject a width of one rule beside a width of the other.
            mixtures, counts = mixtures[-1:], [_counts(after)]
        last = _counts(before)
        for (where, _), count in zip(mixtures, counts, strict=True):
            assert count is not None
            found.append(VariantTerm(rule.reason, where, count[0] - last[0], count[1] - last[1]))
            last = count
    return found


def _counts(design: Design) -> tuple[int, int]:
    params, macs, _ = network_totals(design)
    return params, macs


def _mixtures(before: Design, after: Design) -> Iterator[tuple[str, Design]]:
    """Yield one more stage of `after` each time, with its widths in words; the last is equal to `after`.

    Only stages whose output widths differ are separate steps. A rule that changes other fields is one step.
    """
    old, new = _built(before), _built(after)
    changed = [name for name in old if _widths(old[name]) != _widths(new[name])]
    if not changed:
        yield "", after
        return
    mixed = dict(old)
    for name in changed[:-1]:
        mixed[name] = new[name]
        yield _change(name, old, new), _network(after, mixed)
    yield _change(changed[-1], old, new), after


def _built(design: Design) -> dict[str, tuple[Stage, ...]]:
    """Return the rows of every stage with their built widths as base widths."""
    rows = (row.with_changes(**_built_fields(design, row)) for row in design.stages)
    return {name: tuple(group) for name, group in groupby(rows, lambda row: row.name)}


def _built_fields(design: Design, row: Stage) -> dict[str, object]:
    width = design.width_of(row)
    return design.fields_of(row) | ({} if width is None else {"out_channels": width})


def _widths(rows: tuple[Stage, ...]) -> list[int | None]:
    return [row.out_channels for row in rows]


def _change(name: str, old: dict[str, tuple[Stage, ...]], new: dict[str, tuple[Stage, ...]]) -> str:
    texts = [", ".join(str(width) for width in dict.fromkeys(_widths(each[name]))) for each in (old, new)]
    return f"{name}: {' → '.join(texts)} channels"


def _network(design: Design, stages: dict[str, tuple[Stage, ...]]) -> Design:
    """Return a network of rows with built widths, with the depth and the input of `design`."""
    rows = tuple(row for group in stages.values() for row in group)
    return replace(design, stages=rows, width_mult=1.0, width_rule=WidthRule())


def compared(design: Design, name: str, **options: int) -> list[VariantTotals]:
    """Return the counts of the default and of every variant, with the multipliers of `design`.

    Args:
        design: the default at any multipliers, without a variant.
        name: of the architecture.
        **options: those of the family, such as ``groups``.
    """
    default, *others = list_variants(name)
    rows = [_totals(default, "paper's table, default", "", design.source, design)]
    for each in others:
        rules = variant(name, each, **options)
        reasons = "; ".join(rule.reason for rule in rules.rules)
        built = if_legal(lambda rules=rules: rules.steps(design)[-1])  # type: ignore[misc]
        rows.append(_totals(each, rules.title, reasons, rules.source, built))
    return rows


def _totals(name: str, title: str, differs: str, source: str, design: Design | None) -> VariantTotals:
    counts = None if design is None else if_legal(lambda: _counts(design))
    return VariantTotals(name, title, differs, source, *(counts or (None, None)))


itemized = remembered(itemized)
check_public(globals())
