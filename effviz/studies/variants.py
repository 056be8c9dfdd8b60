"""The difference between a variant of a network and the default, itemized by rule and by stage.

The rules of the variant are applied one after the other, in its order. A rule that changes output widths is applied
stage by stage. Each term is the difference of two exact counts, so the terms add up to the whole difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, groupby
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.count.totals import network_totals
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.model.variants import DEFAULT, Variant
from effviz.model.widths import WidthRule
from effviz.zoo import list_variants, variant

DEFAULT_TITLE = "paper's table (default)"


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


def variant_title(name: str, named: str, groups: int | None = None) -> str:
    """Return the title of a variant on screen."""
    title = DEFAULT_TITLE if named == DEFAULT else _variant(name, named, groups).title
    # Names of libraries are not changed.
    return title if title == named else title[0].upper() + title[1:]


@remembered
def itemized(design: Design, name: str, named: str, groups: int | None = None) -> tuple[VariantTerm, ...]:
    """Return the terms of the difference between a variant and the default, in the order of the rules.

    A rule without an effect at these multipliers has one term of 0.

    Args:
        design: the default at any multipliers, without a variant.
        name: of the architecture.
        named: of the variant; the default has no terms.
        groups: of a network that exists with several.

    Raises:
        DesignError: the network cannot be built with the rules, or without them.
    """
    found: list[VariantTerm] = []
    rules = () if named == DEFAULT else _variant(name, named, groups).rules
    steps = list(accumulate(rules, lambda design, rule: rule.applied(design), initial=design))
    for rule, before, after in zip(rules, steps, steps[1:], strict=False):
        mixtures = list(_mixtures(before, after))
        counts = [count for _, mixed in mixtures if (count := if_legal(partial(_counts, mixed)))]
        if len(counts) < len(mixtures):
            # A block rejects the width of one rule beside that of the other.
            mixtures, counts = [("", after)], [_counts(after)]
        last = _counts(before)
        for (where, _), count in zip(mixtures, counts, strict=True):
            found.append(VariantTerm(rule.reason, where, count[0] - last[0], count[1] - last[1]))
            last = count
    return tuple(found)


class Itemized(NamedTuple):
    """The terms of a difference for reading."""

    shown: tuple[VariantTerm, ...]  # the terms with an effect, and their sum if there are any
    idle: tuple[str, ...]  # rules without an effect


def for_reading(terms: Sequence[VariantTerm]) -> Itemized:
    """Return the terms that change a count with their sum, and the rules that change none."""
    effective = [term for term in terms if term.params or term.macs]
    total = VariantTerm("Sum", "", sum(term.params for term in terms), sum(term.macs for term in terms))
    active = {term.reason for term in effective}
    idle = (term.reason for term in terms if term.reason not in active)
    return Itemized((*effective, total) if effective else (), tuple(dict.fromkeys(idle)))


def _variant(name: str, named: str, groups: int | None) -> Variant:
    return variant(name, named, groups=groups)


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


@remembered
def compared(design: Design, name: str, groups: int | None = None) -> tuple[VariantTotals, ...]:
    """Return the counts of the default and of every variant, with the multipliers of `design`.

    Args:
        design: the default at any multipliers, without a variant.
        name: of the architecture.
        groups: of a network that exists with several.
    """
    default, *others = list_variants(name)
    rows = [_totals(default, DEFAULT_TITLE, "", design.source, design)]
    for each in others:
        rules = _variant(name, each, groups)
        built = if_legal(partial(rules.applied, each, design))
        rows.append(_totals(each, rules.title, rules.differences, rules.source, built))
    return tuple(rows)


def _totals(name: str, title: str, differs: str, source: str, design: Design | None) -> VariantTotals:
    counts = None if design is None else if_legal(partial(_counts, design))
    return VariantTotals(name, title, differs, source, *(counts or (None, None)))


check_border(globals())
