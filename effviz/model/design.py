"""A network as a stage table: what one reads in a paper, edits in the studio, scales, stores and builds.

A `Design` keeps its base rows and the cumulative multipliers. Widths are rounded once, from the base, so that scaling
by `a` and then by `b` is scaling by ``a * b``, and scaling by 1 changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count, groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.core import errors
from effviz.core.errors import DesignError, fail, number, one_of, unknown, whole
from effviz.core.rounding import ceil, same
from effviz.model.blocks import BLOCKS, Recipe
from effviz.model.fields import FieldBlock, checked_fields, declared
from effviz.model.layers import Layer, Sequential, Shape, check_name, elements
from effviz.model.shapes import out_shape
from effviz.model.widths import WidthRule

WIDTHS = ("scaled", "fixed", "at_least", "classes")
DEFAULT_RULE = WidthRule()
DEPTHS = ("scaled", "fixed")


@dataclass(frozen=True, init=False)
class Stage:
    """One row of a stage table: a block, repeated.

    Attributes:
        block: a name in `effviz.model.blocks.BLOCKS`.
        out_channels: output width at multiplier 1; None where the block derives or keeps it.
        repeats: how often the block is built (n in the papers).
        stride: of the first block; the others have 1.
        name: of the stage. Neighbouring rows with one name are one stage: depth acts on all of them together.
        width: what the width multiplier does: ``"scaled"``; ``"fixed"``; ``"at_least"`` scales only upwards
            (MobileNetV2's last 1x1); ``"classes"`` marks the classifier, whose width is the number of classes.
        depth: ``"scaled"`` or ``"fixed"`` (stem, head, pooling).
        divisor: rounds this row's width instead of the design's rule; None for the rule.
        fields: the block's own fields, as sorted pairs.
    """

    block: str
    out_channels: int | None
    repeats: int
    stride: int
    name: str
    width: str
    depth: str
    divisor: int | None
    fields: tuple[tuple[str, Any], ...]

    def __init__(
        self,
        /,
        block: str,
        out_channels: int | None = None,
        repeats: int = 1,
        stride: int = 1,
        *,
        name: str = "",
        width: str = "scaled",
        depth: str = "scaled",
        divisor: int | None = None,
        **fields: Any,
    ) -> None:
        if not isinstance(block, str) or block not in BLOCKS:
            unknown("block", block, BLOCKS)
        kind = BLOCKS[block]
        if kind.derives_out_channels or kind.keeps_channels:
            if out_channels is not None:
                fail("out_channels", out_channels, f"must be left out: {block} derives its output width")
        else:
            out_channels = whole("out_channels", out_channels)
        stride = whole("stride", stride, 1, 64)
        if stride > 1 and not kind.has_stride:
            fail("stride", stride, f"must be 1: {block} keeps the resolution")
        if not isinstance(name, str) or name:
            check_name("name", name)
        values = {
            "block": block,
            "out_channels": out_channels,
            "repeats": whole("repeats", repeats, 1, errors.MAX_BLOCKS),
            "stride": stride,
            "name": name,
            "width": one_of("width", width, WIDTHS),
            "depth": one_of("depth", depth, DEPTHS),
            "divisor": None if divisor is None else whole("divisor", divisor),
            "fields": tuple(sorted(checked_fields(kind, fields).items())),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    def with_changes(self, /, **changes: Any) -> Stage:
        """A copy with some attributes or fields changed, checked anew."""
        return Stage(**(self.to_dict() | changes))

    def to_dict(self) -> dict[str, Any]:
        """The row as keyword arguments of `Stage`; what has its default is left out, but for block and repeats."""
        row: dict[str, Any] = {"block": self.block}
        if self.out_channels is not None:
            row["out_channels"] = self.out_channels
        row |= {"repeats": self.repeats, "stride": self.stride, "name": self.name}
        row |= {
            key: value
            for key, value, default in (
                ("width", self.width, "scaled"),
                ("depth", self.depth, "scaled"),
                ("divisor", self.divisor, None),
            )
            if value != default
        }
        return row | dict(self.fields)


class BuiltBlock(NamedTuple):
    """One block of the built network.

    Attributes:
        path: its name in ``module.named_modules()``.
        block: with final widths and stride.
        row: index of its row in ``design.stages``.
        shape: of its input.
    """

    path: str
    block: FieldBlock
    row: int
    shape: Shape


class Run(NamedTuple):
    """Neighbouring blocks of the built network that are alike: the same block, for inputs of the same shape.

    Attributes:
        stage: its name.
        first: index of the first of them in the stage; None for a part with a name of its own.
        repeats: how many there are.
        block: with final widths and stride.
        row: index of its row in ``design.stages``.
        shape: of the input.
    """

    stage: str
    first: int | None
    repeats: int
    block: FieldBlock
    row: int
    shape: Shape

    def blocks(self) -> Iterable[BuiltBlock]:
        """One by one."""
        for index in range(self.repeats):
            yield BuiltBlock(_path(self.stage, self.first, index), self.block, self.row, self.shape)


class _Placed(NamedTuple):
    """Blocks of a stage that follow one another, before their width is known: `repeats` of one row with one stride."""

    stage: str
    first: int | None
    repeats: int
    row: int
    stride: int


def _path(stage: str, first: int | None, index: int) -> str:
    return stage if first is None else f"{stage}.{first + index}"


@dataclass(frozen=True)
class Design:
    """An immutable stage table with its multipliers; `layer()` builds it.

    Attributes:
        name: identifier, a key of the zoo for published networks.
        stages: rows at multiplier 1.
        title: as the paper writes it.
        family: heading under which it is listed.
        resolution: side of the square input image, in pixels.
        in_channels: of the input image.
        width_mult, depth_mult: cumulative multipliers on the base rows.
        width_rule: how the family rounds.
        stochastic_depth: p; of n built blocks the i-th (from 0) drops its residual with p * i / n. Training only.
        source: the paper and its table.
        notes: one sentence each, about where sources differ.
    """

    name: str
    stages: tuple[Stage, ...]
    title: str = ""
    family: str = ""
    resolution: int = 224
    in_channels: int = 3
    width_mult: float = 1.0
    depth_mult: float = 1.0
    width_rule: WidthRule = DEFAULT_RULE
    stochastic_depth: float = 0.0
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for attribute in ("name", "title", "family", "source"):
            errors.text(attribute, getattr(self, attribute))
        if not isinstance(self.stages, (tuple, list)) or not all(isinstance(row, Stage) for row in self.stages):
            fail("stages", self.stages, "must be a sequence of Stage")
        if not self.stages:
            raise DesignError("stages is empty: a design needs at least one row")
        if not isinstance(self.width_rule, WidthRule):
            fail("width_rule", self.width_rule, "must be a WidthRule")
        if not isinstance(self.notes, (tuple, list)) or not all(isinstance(note, str) for note in self.notes):
            fail("notes", self.notes, "must be a sequence of sentences")
        if len(self.stages) > errors.MAX_BLOCKS:
            raise DesignError(f"stages has {len(self.stages)} rows: a design has at most {errors.MAX_BLOCKS}")
        for note in self.notes:
            errors.text("note", note)
        taken = {row.name for row in self.stages}
        free = (name for name in map("stage{}".format, count()) if name not in taken)
        stages = tuple(row if row.name else row.with_changes(name=next(free)) for row in self.stages)
        values = {
            "stages": stages,
            "notes": tuple(self.notes),
            "resolution": whole("resolution", self.resolution, 1, errors.MAX_RESOLUTION),
            "in_channels": whole("in_channels", self.in_channels),
            "stochastic_depth": number("stochastic_depth", self.stochastic_depth, 0, 1),
        }
        for attribute in ("width_mult", "depth_mult"):
            value = getattr(self, attribute)
            values[attribute] = number(attribute, value, 0, errors.MAX_MULTIPLIER, open_below=True)
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)
        seen: set[str] = set()
        for name, rows in groupby(stages, lambda row: row.name):
            if name in seen:
                fail("stage name", name, "must be used by neighbouring rows only")
            seen.add(name)
            depths = sorted({row.depth for row in rows})
            if len(depths) > 1:
                fail("depth", depths, f"must be the same in all rows of stage {name}")
        named: dict[str, Recipe] = {}
        for recipe in self.recipes:
            if named.setdefault(recipe.name, recipe) != recipe:
                fail("name of the block", recipe.name, "must stand for one recipe only")
        self.width_rule.check_multiplier(self.width_mult)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The blocks of one's own that the rows use, each once."""
        return tuple(
            dict.fromkeys(value for row in self.stages for _, value in row.fields if isinstance(value, Recipe))
        )

    # --- scaling -------------------------------------------------------------------------------------------------

    def scaled(self, *, width_mult: float = 1.0, depth_mult: float = 1.0, resolution: int | None = None) -> Design:
        """This design with its multipliers multiplied; widths are rounded by the family's own rule.

        Args:
            width_mult: factor on every scaled width.
            depth_mult: factor on the blocks of every scaled stage; ``ceil(depth_mult * blocks)`` are built.
            resolution: new side of the input; None keeps it.

        Raises:
            DesignError: a multiplier is not positive and finite, or the family has no such width.
        """
        width_mult = number("width_mult", width_mult, 0, errors.MAX_MULTIPLIER, open_below=True)
        depth_mult = number("depth_mult", depth_mult, 0, errors.MAX_MULTIPLIER, open_below=True)
        return replace(
            self,
            width_mult=self.width_mult * width_mult,
            depth_mult=self.depth_mult * depth_mult,
            resolution=self.resolution if resolution is None else resolution,
        )

    def with_num_classes(self, num_classes: int) -> Design:
        """This design with another width of the classifier row."""
        num_classes = whole("num_classes", num_classes)
        if all(row.width != "classes" for row in self.stages):
            raise DesignError(f"num_classes = {num_classes} needs a row with width = 'classes', {self.name} has none")
        return replace(
            self,
            stages=tuple(
                row.with_changes(out_channels=num_classes) if row.width == "classes" else row for row in self.stages
            ),
        )

    @property
    def num_classes(self) -> int | None:
        """Width of the classifier row, None without one."""
        return next((row.out_channels for row in self.stages if row.width == "classes"), None)

    def _width(self, row: Stage) -> int | None:
        """Output channels of a row at this design's multiplier."""
        base, rule = row.out_channels, self.width_rule
        if rule.table and row.width != "classes":
            found = rule.looked_up(row.name, self.width_mult, extrapolates=row.width == "scaled")
            if found is not None:
                return found
        if base is None or row.width in ("fixed", "classes"):
            return base
        return self._rounded(base, max(1.0, self.width_mult) if row.width == "at_least" else self.width_mult, row)

    def built_widths(self) -> tuple[tuple[int | None, tuple[tuple[str, Any], ...]], ...]:
        """Output channels and fields of every row that is built: what the width multiplier decides."""
        rows = [self.stages[index] for index in dict.fromkeys(place.row for place in self._placed())]
        return tuple((self._width(row), tuple(self._fields(row).items())) for row in rows)

    def _rounded(self, base: int, width_mult: float, row: Stage) -> int:
        # At multiplier 1 the table is what the paper prints, whatever the rule would make of it.
        return base if same(width_mult, 1) else self.width_rule.round(base * width_mult, row.divisor)

    def _fields(self, row: Stage) -> dict[str, Any]:
        """The block's fields of a row, those that scale with width scaled."""
        fields = dict(row.fields)
        if row.width == "scaled" and not same(self.width_mult, 1):
            for field in declared(BLOCKS[row.block]):
                if field.scales:
                    fields[field.name] = self._rounded(fields.get(field.name, field.default), self.width_mult, row)
        return fields

    def _placed(self) -> list[_Placed]:
        """Every block that is built, with its stage's depth applied."""
        placed: list[_Placed] = []
        built = 0
        for name, group in groupby(enumerate(self.stages), lambda entry: entry[1].name):
            rows = list(group)
            total = sum(row.repeats for _, row in rows)
            scales = rows[0][1].depth == "scaled"
            wanted = max(1, ceil(self.depth_mult * total)) if scales else total
            built += wanted
            if built > errors.MAX_BLOCKS:
                raise DesignError(
                    f"depth_mult = {self.depth_mult:g} builds more than {errors.MAX_BLOCKS} blocks", path=name
                )
            # A fixed row on its own is a part with a name; a stage is a list, whatever its depth comes to.
            bare = total == 1 and not scales
            pieces: list[tuple[int, int, int]] = []
            for index, row in rows:
                pieces += [(index, row.stride, 1), (index, 1, row.repeats - 1)]
            pieces.append((rows[-1][0], 1, max(0, wanted - total)))
            first = 0
            for index, stride, most in pieces:
                repeats = min(most, wanted - first)
                if repeats:
                    placed.append(_Placed(name, None if bare else first, repeats, index, stride))
                first += repeats
        return placed

    def runs(self, resolution: int | None = None) -> tuple[Run, ...]:
        """The built network, neighbouring blocks that are alike taken together; without stochastic depth.

        Raises:
            DesignError: a block cannot take what reaches it; the message starts with its path.
        """
        side = self.resolution if resolution is None else whole("resolution", resolution, 1, errors.MAX_RESOLUTION)
        return _runs(self, side)

    def blocks(self, resolution: int | None = None) -> list[BuiltBlock]:
        """The blocks of the built network in order, without stochastic depth.

        Raises:
            DesignError: a block cannot take what reaches it; the message starts with its path.
        """
        return [block for run in self.runs(resolution) for block in run.blocks()]

    # --- building ------------------------------------------------------------------------------------------------

    def training_blocks(self, resolution: int | None = None) -> list[BuiltBlock]:
        """`blocks` with stochastic depth: 0 for the first block that can drop its residual, then rising linearly.

        A row's own `drop_prob` wins. In evaluation nothing differs from `blocks`, so that counting uses those.
        """
        built = self.blocks(resolution)
        droppable = [place for place, entry in enumerate(built) if hasattr(entry.block, "drop_prob")]
        for order, place in enumerate(droppable):
            fields = vars(built[place].block)
            drop_prob = fields["drop_prob"] or self.stochastic_depth * order / len(droppable)
            if drop_prob != fields["drop_prob"]:
                block = type(built[place].block)(**(fields | {"drop_prob": drop_prob}))
                built[place] = built[place]._replace(block=block)
        return built

    def layer(self, resolution: int | None = None) -> Sequential:
        """The layer tree: stages by name, blocks by number, with stochastic depth over the built blocks."""
        stages: dict[str, list[tuple[str, Layer]]] = {}
        for entry in self.training_blocks(resolution):
            stage, _, position = entry.path.partition(".")
            stages.setdefault(stage, []).append((position, entry.block))
        return Sequential(
            tuple(
                (name, children[0][1] if children[0][0] == "" else Sequential(tuple(children)))
                for name, children in stages.items()
            )
        )

    def input_shape(self, resolution: int | None = None) -> Shape:
        """``(in_channels, resolution, resolution)``."""
        side = self.resolution if resolution is None else whole("resolution", resolution, 1, errors.MAX_RESOLUTION)
        return (self.in_channels, side, side)

    if TYPE_CHECKING:
        # Attached by `effviz.model.design_json`, so that a design does not depend on its file format.
        def to_json(self, *, indent: int | None = None) -> str:
            """The design as JSON; `from_json` reads it back equal."""

        @classmethod
        def from_json(cls, text: str | bytes) -> Design:
            """The design that `to_json` wrote."""


@lru_cache(maxsize=256)
def _runs(design: Design, side: int) -> tuple[Run, ...]:
    shape: Shape = (design.in_channels, side, side)
    runs = []
    for stage, first, repeats, index, stride in design._placed():
        row = design.stages[index]
        kind = BLOCKS[row.block]
        arguments = design._fields(row)
        if not (kind.derives_out_channels or kind.keeps_channels):
            arguments["out_channels"] = design._width(row)
        if kind.has_stride:
            arguments["stride"] = stride
        done = 0
        while done < repeats:
            if kind.has_in_channels:
                arguments["in_channels"] = elements(shape) if kind.flattens else shape[0]
            try:
                block = _made(kind, tuple(arguments.items()))
                after = out_shape(block, shape)
            except DesignError as error:
                raise error.at(_path(stage, first, done)) from None
            # What puts out the shape that it was given is followed by its like.
            alike = repeats - done if after == shape else 1
            runs.append(Run(stage, None if first is None else first + done, alike, block, index, shape))
            done, shape = done + alike, after
    return tuple(runs)


@lru_cache(maxsize=16_384)
def _made(kind: type[FieldBlock], arguments: tuple[tuple[str, Any], ...]) -> FieldBlock:
    return kind(**dict(arguments))


def fixed(row: Stage) -> Stage:
    """`row` with its depth fixed: how tables mark stem, pooling and head."""
    return row.with_changes(depth="fixed")


def table(*rows: Stage | Iterable[Stage]) -> tuple[Stage, ...]:
    """Rows of a stage table, nested ones laid flat."""
    flat: list[Stage] = []
    for row in rows:
        flat += [row] if isinstance(row, Stage) else list(row)
    return tuple(flat)
