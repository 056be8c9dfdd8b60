"""A stage table while it is edited: rows may be missing or at fault, and what stands above a fault is counted."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count, groupby
from typing import Any

from effviz.core.errors import MAX_BLOCKS, DesignError, fail, whole
from effviz.model.blocks import BLOCKS, Recipe
from effviz.model.design import Design, Stage
from effviz.model.design_json import parse
from effviz.model.fields import declared
from effviz.model.widths import WidthRule

MAX_LINK = 6_000
"""Characters of a packed draft: what any browser and server in between passes on in an address."""
_MAX_TEXT = 2**20
_NO_ROW = Stage("flatten", name="none", depth="fixed")


@dataclass(frozen=True)
class Draft:
    """Rows, and a design that holds everything else.

    Attributes:
        frame: name, resolution, multipliers and the like; its own rows mean nothing.
        rows: of the stage table, at multiplier 1.
    """

    frame: Design
    rows: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        if self.rows:
            # Names and depths that no design can have are refused here, whatever is built of them.
            object.__setattr__(self, "rows", replace(self.frame, stages=self.rows).stages)
        object.__setattr__(self, "frame", replace(self.frame, stages=(_NO_ROW,)))

    @classmethod
    def empty(cls, *, resolution: int = 224) -> Draft:
        """A table without rows, of three input channels; widths are rounded to multiples of 8."""
        return cls(Design("draft", (_NO_ROW,), title="Draft", resolution=resolution, width_rule=WidthRule()))

    @classmethod
    def of(cls, design: Design) -> Draft:
        """The rows of a design, to be edited."""
        return cls(design, design.stages)

    @property
    def design(self) -> Design | None:
        """All rows as a design, which need not be buildable; None without rows."""
        return replace(self.frame, stages=self.rows) if self.rows else None

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The blocks of one's own that the rows use."""
        return self.design.recipes if self.design else ()

    # --- edits ----------------------------------------------------------------------------------------------------

    def _row(self, index: int) -> Stage:
        return self.rows[whole("row", index, 0, len(self.rows) - 1)]

    def _with(self, rows: Iterable[Stage]) -> Draft:
        return Draft(self.frame, _tidied(rows))

    def add(self, row: Stage, at: int | None = None) -> Draft:
        """With one more row, ahead of row `at`; None for the end."""
        at = len(self.rows) if at is None else whole("at", at, 0, len(self.rows))
        if len(self.rows) >= MAX_BLOCKS:
            raise DesignError(f"the table has {len(self.rows)} rows: a design has at most {MAX_BLOCKS}")
        named = row if row.name else row.with_changes(name=_free("stage", (each.name for each in self.rows)))
        return self._with((*self.rows[:at], named, *self.rows[at:]))

    def remove(self, index: int) -> Draft:
        """Without a row."""
        self._row(index)
        return self._with((*self.rows[:index], *self.rows[index + 1 :]))

    def duplicate(self, index: int) -> Draft:
        """With a row twice; the second is a stage of its own and keeps the resolution."""
        row = self._row(index)
        stride = {"stride": 1} if row.stride > 1 else {}
        return self.add(row.with_changes(name=_free(row.name, (each.name for each in self.rows)), **stride), index + 1)

    def move(self, index: int, by: int) -> Draft:
        """With a row further down, or up where `by` is negative; a stage that is torn apart becomes two."""
        row = self._row(index)
        target = whole("row", index + by, 0, len(self.rows) - 1)
        others = [*self.rows[:index], *self.rows[index + 1 :]]
        return self._with((*others[:target], row, *others[target:]))

    def change(self, index: int, /, **changes: Any) -> Draft:
        """With attributes or fields of a row changed; the depth of all rows of its stage is one.

        Another block keeps what it has in common with the former one.

        Raises:
            DesignError: a value is illegal, or a name is taken by rows that are no neighbours.
        """
        row = self._row(index)
        block = changes.pop("block", row.block)
        if block != row.block:
            row = self._other_block(index, block)
        row = row.with_changes(**changes)
        rows = [
            row
            if place == index
            else each.with_changes(depth=row.depth)
            if each.name == row.name and each.depth != row.depth
            else each
            for place, each in enumerate(self.rows)
        ]
        return Draft(self.frame, tuple(rows))

    def define(self, recipe: Recipe, index: int | None = None) -> Draft:
        """With a block of one's own in a row, and in every row that uses one of that name."""
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
        fresh = Stage(block, None if _keeps_width(block) else self._width_at(index))
        known = {field.name: field for field in declared(BLOCKS[block])}
        fields: dict[str, Any] = {}
        for name, value in row.fields:
            try:
                if name in known:
                    fields[name] = known[name].check(value)
            except DesignError:
                continue  # legal for the former block only
        stride = row.stride if BLOCKS[block].has_stride else 1
        width = row.width if not _keeps_width(block) or row.width == "scaled" else "scaled"
        return fresh.with_changes(
            repeats=row.repeats,
            stride=stride,
            name=row.name,
            width=width,
            depth=row.depth,
            divisor=row.divisor,
            **fields,
        )

    def _width_at(self, index: int) -> int:
        """The base width of a row, or of the nearest row above that has one."""
        widths = (row.out_channels for row in reversed(self.rows[: index + 1]))
        return next((width for width in widths if width is not None), 32)

    def settings(self, **changes: Any) -> Draft:
        """With resolution, multipliers, title or another attribute of the design changed."""
        return Draft(replace(self.frame, **changes), self.rows)

    # --- storage --------------------------------------------------------------------------------------------------

    def to_json(self, *, indent: int | None = None) -> str:
        """As `Design.to_json`; a table without rows has an empty list of them."""
        if self.design is not None:
            return self.design.to_json(indent=indent)
        document = json.loads(self.frame.to_json()) | {"stages": []}
        return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Draft:
        """The draft that `to_json` wrote, or a design.

        Raises:
            DesignError: what the text holds is neither.
        """
        document = parse(text)
        if isinstance(document, dict) and document.get("stages") == []:
            return cls(Design.from_json(json.dumps(document | {"stages": [_NO_ROW.to_dict()]})))
        return cls.of(Design.from_json(text))

    def packed(self) -> str:
        """As text for an address: letters, digits, hyphens, underscores."""
        return base64.urlsafe_b64encode(zlib.compress(self.to_json().encode(), 9)).decode().rstrip("=")

    @classmethod
    def unpacked(cls, text: str) -> Draft:
        """The draft in text of `packed`.

        Raises:
            DesignError: it is not such a text.
        """
        if not isinstance(text, str):
            fail("design", text, "must be text")
        return _unpacked(text)


@lru_cache(maxsize=256)
def _unpacked(text: str) -> Draft:
    if not text.isascii():
        fail("design", text, "must be letters, digits, - and _")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        found = reader.decompress(raw, _MAX_TEXT)
    except (binascii.Error, ValueError, zlib.error):
        fail("design", text, "must be a design as a link holds it")
    if not reader.eof or reader.unused_data:
        fail("design", text, "must be a whole design as a link holds it")
    return Draft.from_json(found)


def _keeps_width(block: str) -> bool:
    return BLOCKS[block].keeps_channels or BLOCKS[block].derives_out_channels


def _free(name: str, taken: Iterable[str]) -> str:
    used, stem = set(taken), name.rstrip("0123456789") or name
    numbered = (f"{stem[:50]}{number}" for number in count(1))
    return next(each for each in numbered if each not in used)


def _tidied(rows: Iterable[Stage]) -> tuple[Stage, ...]:
    """Rows whose stages are neighbours: what was torn apart gets a name of its own."""
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


# --- faults --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be built.

    Attributes:
        row: its index.
        problem: argument, value and the broken relation, without the path.
        path: of the block or layer.
    """

    row: int
    problem: str
    path: str


@dataclass(frozen=True)
class Checked:
    """What of a draft can be built.

    Attributes:
        design: the rows above the first fault; None if there are none.
        fault: the first; None if all rows can be built.
    """

    design: Design | None
    fault: Fault | None


@lru_cache(maxsize=1024)
def checked(draft: Draft) -> Checked:
    """The part of a draft that can be built, and why no more."""

    def fault(length: int) -> DesignError | None:
        try:
            replace(draft.frame, stages=draft.rows[:length]).runs()
        except DesignError as error:
            return error
        return None

    if not draft.rows:
        return Checked(None, None)
    low, high = 0, len(draft.rows)
    error = fault(high)
    if error is None:
        return Checked(draft.design, None)
    while high - low > 1:
        middle = (low + high) // 2
        found = fault(middle)
        low, high, error = (middle, high, error) if found is None else (low, middle, found)
    above = replace(draft.frame, stages=draft.rows[:low]) if low else None
    return Checked(above, Fault(high - 1, error.problem, error.path))
