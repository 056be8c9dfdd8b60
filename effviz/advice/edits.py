"""Changes of a stage table as data: each is applicable on its own, and to a draft that is being edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from effviz.core.arguments import check_methods, check_public
from effviz.core.errors import DesignError, fail, multiplier, one_of, whole
from effviz.core.resolution import Resolution, size_text
from effviz.model.design import Design
from effviz.model.draft import Draft
from effviz.model.stage import Stage

REPEATS = "repeats"
SETTINGS = ("width_mult", "depth_mult", "resolution")
"""The attributes of a design that an edit of the whole table sets."""


@dataclass(frozen=True)
class Edit:
    """One change of a stage table.

    Attributes:
        rows: indices in ``design.stages`` of the rows that change; empty for a setting of the whole table.
        values: pairs of an attribute, or a field of the block, and its new value. Zero repeats remove the row.
        label: the change in the imperative, with its numbers.
    """

    rows: tuple[int, ...]
    values: tuple[tuple[str, Any], ...]
    label: str

    @property
    def removes(self) -> bool:
        """Whether the rows are removed."""
        return (REPEATS, 0) in self.values

    def on(self, draft: Draft) -> Draft:
        """Return a draft with this change.

        Raises:
            DesignError: the draft does not have the row, or the change is illegal there.
        """
        if not self.rows:
            return draft.settings(**dict(self.values))
        for row in sorted(self.rows, reverse=True):
            draft = draft.remove(row) if self.removes else draft.change(row, **dict(self.values))
        return draft

    def apply(self, design: Design) -> Design:
        """Return a design with this change; raises as `on`."""
        changed = self.on(Draft.of(design)).design
        if changed is None:
            raise DesignError(f"{self.label}: no row is left")
        return changed


_WORDS = {
    "out_channels": "{new} output channels instead of {old}",
    "expand_ratio": "expand ratio {new} instead of {old}",
    "bottleneck_ratio": "bottleneck ratio {new} instead of {old}",
    "kernel_size": "kernel {new} instead of {old}",
    "start_kernel_size": "first kernel {new} instead of {old}",
    "se_ratio": "squeeze-and-excitation ratio {new} instead of {old}",
    "repeats": "{new} repeats instead of {old}",
    "stride": "stride {new} instead of {old}",
}


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def row_edit(stages: tuple[Stage, ...], rows: tuple[int, ...], values: tuple[tuple[str, Any], ...]) -> Edit:
    """Return the edit that sets attributes or fields in some rows of a table.

    Args:
        stages: the table.
        rows: indices of the rows.
        values: the new values.

    Raises:
        DesignError: a row is not in the table, or there is none.
    """
    if not rows:
        fail("rows", rows, "must have at least one row")
    for row in rows:
        whole("row", row, 0, len(stages) - 1)
    first = stages[rows[0]]
    named = f"row {rows[0] + 1}" if len(rows) == 1 else f"rows {rows[0] + 1} to {rows[-1] + 1}"
    place = f"{named} ({first.name})"
    if (REPEATS, 0) in values:
        return Edit(rows, values, f"Remove {place}")
    known = first.to_dict()
    parts = []
    for name, new in values:
        if name == "se_ratio" and not new:
            parts.append("no squeeze-and-excitation")
        else:
            words = _WORDS.get(name, name.replace("_", " ") + " {new} instead of {old}")
            parts.append(words.format(new=_number(new), old=_number(known.get(name, "the default"))))
    return Edit(rows, values, f"Use {', '.join(parts)} in {place}")


def setting_edit(design: Design, name: str, value: float | Resolution) -> Edit:
    """Return the edit that sets an attribute of the whole table.

    Args:
        design: with the current value.
        name: one of `SETTINGS`.
        value: the new one.

    Raises:
        DesignError: there is no such attribute.
    """
    one_of("name", name, SETTINGS)
    if name == "resolution":
        label = f"Use {size_text(value)} px instead of {size_text(design.resolution)} px"  # type: ignore[arg-type]
    else:
        word, factor = name.partition("_")[0], multiplier("value", value) / getattr(design, name)
        label = f"Multiply the {word} by {factor:.3g} (multiplier {value:.3g})"
    return Edit((), ((name, value),), label)


check_methods(Edit)
check_public(globals())
