"""Variants of a published network: the rules in which an implementation differs from the default of the zoo.

A variant is data. Its rules are applied to the stage table one after the other, in the order of the list, so that the
difference to the default is a sum of exact terms (`effviz.studies.variants`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain
from typing import Any

from effviz.core.errors import fail
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import declared
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule

DEFAULT = "paper"
"""Name of the default in `architecture`."""


@dataclass(frozen=True)
class VariantRule:
    """One rule in which an implementation differs.

    Attributes:
        reason: what differs, as a phrase.
        where: attributes and fields of the rows that change, ``{"block": "bottleneck"}``; a tuple lists alternatives.
        changes: new attributes and fields of these rows; a tuple has one value for each row.
        rows: new rows of the stage that `where` names, instead of `changes`.
        width_rule: new rounding of all scaled widths; None keeps it.
    """

    reason: str
    where: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Stage, ...] = ()
    width_rule: WidthRule | None = None

    def applied(self, design: Design) -> Design:
        """Return `design` with this rule.

        Raises:
            DesignError: no row matches, or the new rows are illegal.
        """
        if self.width_rule is not None:
            design = replace(design, width_rule=self.width_rule)
        if not self.where:
            return design
        places = [place for place, row in enumerate(design.stages) if self._matches(row)]
        if not places:
            fail("where", dict(self.where), f"must match a row of {design.name}")
        if self.rows:
            new = {place: self.rows if place == places[0] else () for place in places}
        else:
            new = {place: (self._changed(row, order, len(places)),)
                   for order, (place, row) in enumerate((place, design.stages[place]) for place in places)}  # fmt: skip
        pieces = (new.get(place, (row,)) for place, row in enumerate(design.stages))
        return replace(design, stages=tuple(chain.from_iterable(pieces)))

    def _matches(self, row: Stage) -> bool:
        known = {each.name: each.default for each in declared(BLOCKS[row.block])} | row.to_dict()
        return all(
            known.get(name) in (value if isinstance(value, tuple) else (value,)) for name, value in self.where.items()
        )

    def _changed(self, row: Stage, order: int, rows: int) -> Stage:
        for name, value in self.changes.items():
            if isinstance(value, tuple) and len(value) != rows:
                fail(name, value, f"must have {rows} values, one for each row")
        return row.with_changes(
            **{name: value[order] if isinstance(value, tuple) else value for name, value in self.changes.items()}
        )


def rows(reason: str, where: Mapping[str, Any], **changes: Any) -> VariantRule:
    """Return a rule that changes attributes or fields of rows."""
    return VariantRule(reason, where, changes)


def widths(reason: str, rule: WidthRule) -> VariantRule:
    """Return a rule that replaces the rounding of scaled widths."""
    return VariantRule(reason, width_rule=rule)


@dataclass(frozen=True)
class Variant:
    """An implementation of a published network.

    Attributes:
        title: on screen, beside the name of the network.
        source: of the rules.
        rules: in the order in which they are applied.
        notes: sentences about it.
    """

    title: str
    source: str
    rules: tuple[VariantRule, ...]
    notes: tuple[str, ...] = ()

    @property
    def differences(self) -> str:
        """The reasons of all rules."""
        return "; ".join(rule.reason for rule in self.rules)

    def applied(self, name: str, design: Design) -> Design:
        """Return `design` with all rules; its name, title, source and notes describe the variant `name`."""
        changed = reduce(lambda design, rule: rule.applied(design), self.rules, design)
        return replace(
            changed,
            name=f"{design.name}_{name}",
            title=f"{design.title}, {self.title}",
            source=f"{design.source}; {self.source}",
            notes=(f"Differences from the default: {self.differences}.", *self.notes),
            variant=name,
        )


KERAS = (
    "Only trainable parameters are counted, as in all networks here. Keras prints also the two running statistics of "
    "each batch norm."
)
"""Note of the variants of Keras."""
