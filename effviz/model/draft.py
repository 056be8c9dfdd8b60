"""A stage table while it is edited. It may have no rows or an illegal row; the rows above that row are counted."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, groupby
from typing import Any

from effviz.core.arguments import check_methods, check_public
from effviz.core.caches import remembered
from effviz.core.errors import MAX_BLOCKS, DesignError, fail, look_up, whole
from effviz.core.resolution import Resolution
from effviz.model.blocks import BLOCKS, Recipe
from effviz.model.design import Design
from effviz.model.design_json import parse
from effviz.model.fields import declared
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule

MAX_LINK = 6_000
"""Maximum length of a packed draft, short enough for the URL limits of browsers and servers."""
_MAX_TEXT = 2**20
_NO_ROW = Stage("flatten", name="none", depth="fixed")


@dataclass(frozen=True)
class Draft:
    """Rows, and a design with all other settings."""

    frame: Design  # name, resolution, multipliers and other settings; its rows are ignored
    rows: tuple[Stage, ...] = ()  # the stage table at multiplier 1

    def __post_init__(self) -> None:
        if self.rows:
            # Raises for names and depths that are illegal in any design.
            object.__setattr__(self, "rows", replace(self.frame, stages=self.rows).stages)
        object.__setattr__(self, "frame", replace(self.frame, stages=(_NO_ROW,)))

    @classmethod
    def empty(cls, *, resolution: Resolution = 224) -> Draft:
        """Return a table without rows, with three input channels and widths in multiples of 8."""
        return cls(Design("draft", (_NO_ROW,), title="Draft", resolution=resolution, width_rule=WidthRule()))

    @classmethod
    def of(cls, design: Design) -> Draft:
        """Return a draft with the rows and settings of `design`."""
        return cls(design, design.stages)

    @property
    def design(self) -> Design | None:
        """All rows as a design, buildable or not; None without rows."""
        return replace(self.frame, stages=self.rows) if self.rows else None

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The user-defined blocks in the rows."""
        return self.design.recipes if self.design else ()

    # --- edits ----------------------------------------------------------------------------------------------------

    def _row(self, index: int) -> Stage:
        return self.rows[whole("row", index, 0, len(self.rows) - 1)]

    def _with(self, rows: Iterable[Stage]) -> Draft:
        return Draft(self.frame, _tidied(rows))

    def add(self, row: Stage, at: int | None = None) -> Draft:
        """Insert a row before row `at`; None appends it."""
        at = len(self.rows) if at is None else whole("at", at, 0, len(self.rows))
        if len(self.rows) >= MAX_BLOCKS:
            raise DesignError(f"the table has {len(self.rows)} rows: a design has at most {MAX_BLOCKS}")
        named = row if row.name else row.with_changes(name=_free("stage", (each.name for each in self.rows)))
        return self._with((*self.rows[:at], named, *self.rows[at:]))

    def remove(self, index: int) -> Draft:
        """Remove a row."""
        self._row(index)
        return self._with((*self.rows[:index], *self.rows[index + 1 :]))

    def duplicate(self, index: int) -> Draft:
        """Duplicate a row. The copy is a separate stage with stride 1."""
        row = self._row(index)
        stride = {"stride": 1} if row.stride > 1 else {}
        return self.add(row.with_changes(name=_free(row.name, (each.name for each in self.rows)), **stride), index + 1)

    def move(self, index: int, by: int) -> Draft:
        """Move a row down by `by` places, or up if negative. A stage that is split becomes two stages."""
        row = self._row(index)
        target = whole("row", index + by, 0, len(self.rows) - 1)
        others = [*self.rows[:index], *self.rows[index + 1 :]]
        return self._with((*others[:target], row, *others[target:]))

    def change(self, index: int, /, **changes: Any) -> Draft:
        """Change attributes or fields of a row. A new depth applies to all rows of the stage.

        A new block keeps the fields that it shares with the old one.

        Raises:
            DesignError: a value is illegal, or a row elsewhere in the table has the name.
        """
        row = self._row(index)
        block = changes.pop("block", row.block)
        if block != row.block:
            row = self._other_block(index, block)
        row = row.with_changes(**changes)
        rows = [each.with_changes(depth=row.depth) if each.name == row.name else each for each in self.rows]
        rows[index] = row
        return Draft(self.frame, tuple(rows))

    def define(self, recipe: Recipe, index: int | None = None) -> Draft:
        """Use a recipe in row `index` and in all rows with a recipe of the same name."""
        draft = self if index is None else self.change(index, block="composed")
        rows = [
            row.with_changes(recipe=recipe)
            if place == index or any(isinstance(value, Recipe) and value.name == recipe.name for _, value in row.fields)
            else row
            for place, row in enumerate(draft.rows)
        ]
        return Draft(self.frame, tuple(rows))

    def _other_block(self, index: int, block: str) -> Stage:
        row = self.rows[index]
        kind = look_up("block", block, BLOCKS)
        known = {field.name: field for field in declared(kind)}
        fields: dict[str, Any] = {}
        for name, value in row.fields:
            with suppress(KeyError, DesignError):  # a field or a value that is legal only for the old block
                fields[name] = known[name].check(value)
        return Stage(
            block,
            self._width_at(index) if kind.has_out_channels else None,
            row.repeats,
            row.stride if kind.has_stride and BLOCKS[row.block].has_stride else None,
            name=row.name,
            width=row.width if kind.has_out_channels else "scaled",
            depth=row.depth,
            divisor=row.divisor,
            **fields,
        )

    def _width_at(self, index: int) -> int:
        """Return the base width of a row, or of the nearest row above with a width."""
        widths = (row.out_channels for row in reversed(self.rows[: index + 1]))
        return next((width for width in widths if width is not None), 32)

    def settings(self, **changes: Any) -> Draft:
        """Change the resolution, the multipliers, the title or another attribute of the design."""
        return Draft(replace(self.frame, **changes), self.rows)

    # --- edits of several rows ------------------------------------------------------------------------------------

    def _rows(self, indices: Iterable[int]) -> list[int]:
        found = sorted({whole("row", each, 0, len(self.rows) - 1) for each in indices})
        if not found:
            raise DesignError("no row is selected")
        return found

    def add_all(self, rows: Iterable[Stage], at: int | None = None) -> Draft:
        """Insert rows before row `at`, in their order; None appends them."""
        at = len(self.rows) if at is None else at
        draft = self
        for place, row in enumerate(rows):
            draft = draft.add(row, at + place)
        return draft

    def remove_all(self, indices: Iterable[int]) -> Draft:
        """Remove several rows."""
        gone = set(self._rows(indices))
        return self._with(row for place, row in enumerate(self.rows) if place not in gone)

    def duplicate_all(self, indices: Iterable[int]) -> Draft:
        """Duplicate several rows below the last one of them. The copies have stride 1, as those of `duplicate`."""
        chosen = self._rows(indices)
        used = [row.name for row in self.rows]
        copies: list[Stage] = []
        for name, group in groupby((self.rows[each] for each in chosen), lambda row: row.name):
            used.append(_free(name, used))
            copies += [row.with_changes(name=used[-1], **({"stride": 1} if row.stride > 1 else {})) for row in group]
        return self.add_all(copies, chosen[-1] + 1)

    def move_all(self, indices: Iterable[int], by: int) -> Draft:
        """Move several rows down by `by` places, or up if negative."""
        chosen = self._rows(indices)
        by = whole("by", by, -chosen[0], len(self.rows) - 1 - chosen[-1])
        moved = {each + by: self.rows[each] for each in chosen}
        others = iter([row for place, row in enumerate(self.rows) if place not in set(chosen)])
        return self._with([moved.get(place) or next(others) for place in range(len(self.rows))])

    def change_all(self, indices: Iterable[int], /, **changes: Any) -> Draft:
        """Change attributes or fields of several rows. Rows whose block does not have one of them keep theirs.

        Raises:
            DesignError: a value is illegal, or no row has the attribute.
        """
        chosen = self._rows(indices)
        if "name" in changes:
            # Rows of one stage are neighbors only when all of them have the new name.
            rows, depth = list(self.rows), self.rows[chosen[0]].depth
            for each in chosen:
                rows[each] = rows[each].with_changes(name=changes["name"], depth=depth)
            return Draft(self.frame, tuple(rows)).change_all(chosen, **_without(changes, "name"))
        draft = self
        for name, value in changes.items():
            takers = [each for each in chosen if _takes(draft.rows[each], name)]
            if not takers:
                raise DesignError(f"no selected row has the attribute {name}")
            for each in takers:
                draft = draft.change(each, **{name: value})
        return draft

    def alike(self, index: int) -> tuple[int, ...]:
        """Return the indices of all rows with the block of row `index`."""
        block = self._row(index).block
        return tuple(place for place, row in enumerate(self.rows) if row.block == block)

    # --- storage --------------------------------------------------------------------------------------------------

    def to_json(self, *, indent: int | None = None) -> str:
        """Return JSON text as `Design.to_json`; a table without rows has an empty list of stages."""
        if self.design is not None:
            return self.design.to_json(indent=indent)
        document = json.loads(self.frame.to_json()) | {"stages": []}
        return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Draft:
        """Read JSON text of a draft or of a design.

        Raises:
            DesignError: the text contains neither.
        """
        document = parse(text)
        if isinstance(document, dict) and document.get("stages") == []:
            return cls(Design.from_json(json.dumps(document | {"stages": [_NO_ROW.to_dict()]})))
        return cls.of(Design.from_json(text))

    def packed(self) -> str:
        """Encode as a URL parameter: letters, digits, hyphens and underscores."""
        return base64.urlsafe_b64encode(zlib.compress(self.to_json().encode(), 9)).decode().rstrip("=")

    @classmethod
    def unpacked(cls, text: Any) -> Draft:
        """Decode the result of `packed`.

        Raises:
            DesignError: the text is not an encoded design.
        """
        if not isinstance(text, str):
            fail("design", text, "must be text")
        return _unpacked(text)


@remembered
def _unpacked(text: str) -> Draft:
    if not text.isascii():
        fail("design", text, "must be letters, digits, - and _")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        found = reader.decompress(raw, _MAX_TEXT)
    except (binascii.Error, ValueError, zlib.error):
        fail("design", text, "must be an encoded design")
    if not reader.eof or reader.unused_data:
        fail("design", text, "must be a complete encoded design")
    return Draft.from_json(found)


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _takes(row: Stage, name: str) -> bool:
    """Whether a row has an attribute, or its block a field, of this name."""
    kind = BLOCKS[row.block]
    if name in ("out_channels", "width"):
        return kind.has_out_channels
    if name == "stride":
        return kind.has_stride
    return name in ("block", "repeats", "depth", "divisor") or name in {field.name for field in declared(kind)}


def _free(name: str, taken: Iterable[str]) -> str:
    used, stem = set(taken), name.rstrip("0123456789") or name
    numbered = (f"{stem[:50]}{number}" for number in count(1))
    return next(each for each in numbered if each not in used)


def _tidied(rows: Iterable[Stage]) -> tuple[Stage, ...]:
    """Rename rows so that the rows of each stage are neighbours."""
    rows = tuple(rows)
    used = {row.name for row in rows}
    seen: set[str] = set()
    tidied: list[Stage] = []
    for name, group in groupby(rows, lambda row: row.name):
        fresh = _free(name, used) if name in seen else name
        used.add(fresh)
        seen.add(fresh)
        tidied += [row if row.name == fresh else row.with_changes(name=fresh) for row in group]
    return tuple(tidied)


# --- errors --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """The reason why a row cannot be built."""

    row: int
    problem: str  # argument, value and broken relation, without the path
    path: str  # of the block or layer


@dataclass(frozen=True)
class Checked:
    """The part of a draft that can be built."""

    design: Design | None  # the rows above the first fault; None without such rows
    fault: Fault | None  # the first fault; None if all rows can be built


@remembered
def checked(draft: Draft) -> Checked:
    """Find the first row that cannot be built, by bisection."""

    @cache
    def fault(row: int) -> Fault | None:
        """Return the fault of the table that ends with `row`."""
        try:
            replace(draft.frame, stages=draft.rows[: row + 1]).runs()
        except DesignError as error:
            return Fault(row, error.problem, error.path)
        return None

    if not draft.rows or fault(len(draft.rows) - 1) is None:
        return Checked(draft.design, None)
    first = bisect_left(range(len(draft.rows)), True, key=lambda row: fault(row) is not None)
    above = replace(draft.frame, stages=draft.rows[:first]) if first else None
    return Checked(above, fault(first))


check_methods(Draft)
check_public(globals())
