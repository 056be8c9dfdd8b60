"""A network as an immutable stage table with multipliers.

A `Design` keeps its base rows and the cumulative multipliers. Widths are rounded once, from the base rows. Scaling by
`a` and then by `b` therefore equals scaling by ``a * b``, and scaling by 1 changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, groupby
from typing import TYPE_CHECKING, Any

from effviz.core import errors
from effviz.core.arguments import check_methods, check_public, checked_late, convert_as
from effviz.core.errors import DesignError, fail, multiplier, number, whole
from effviz.core.resolution import Resolution, as_resolution, sides
from effviz.core.rounding import nearest, same
from effviz.model.blocks import BLOCKS, Recipe
from effviz.model.fields import scaling
from effviz.model.layers import Layer, Sequential, Shape
from effviz.model.layout import BuiltBlock, Run, lay_out, placed
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule

DEFAULT_RULE = WidthRule()


@dataclass(frozen=True)
class Design:
    """An immutable stage table with its multipliers; `layer()` builds the layer tree.

    Attributes:
        name: identifier; a published network has its name in the zoo.
        stages: rows at multiplier 1.
        title: the name in the paper.
        family: heading in lists of networks.
        resolution: of the input image in pixels: the side of a square, or ``(height, width)``. Equal sides become one
            number.
        in_channels: of the input image.
        width_mult, depth_mult: cumulative multipliers on the base rows.
        width_rule: rounding of scaled widths.
        stochastic_depth: p; the i-th (from 0) of n blocks drops its residual with probability p * i / n, in training.
        source: the paper and the table in it.
        notes: sentences about differences between sources.
        variant: the implementation that the rows and the rule follow, a name in `effviz.zoo.VARIANTS`; empty for the
            default of the zoo.
    """

    name: str
    stages: tuple[Stage, ...]
    title: str = ""
    family: str = ""
    resolution: Resolution = 224
    in_channels: int = 3
    width_mult: float = 1.0
    depth_mult: float = 1.0
    width_rule: WidthRule = DEFAULT_RULE
    stochastic_depth: float = 0.0
    source: str = ""
    notes: tuple[str, ...] = ()
    variant: str = ""

    def __post_init__(self) -> None:
        self._check_types()
        taken = {row.name for row in self.stages}
        free = (name for name in map("stage{}".format, count()) if name not in taken)
        # Attributes of a frozen dataclass cannot be assigned.
        vars(self).update(
            stages=tuple(row if row.name else row.with_changes(name=next(free)) for row in self.stages),
            notes=tuple(self.notes),
            resolution=as_resolution(self.resolution),
            in_channels=whole("in_channels", self.in_channels),
            stochastic_depth=number("stochastic_depth", self.stochastic_depth, 0, 1),
            width_mult=multiplier("width_mult", self.width_mult),
            depth_mult=multiplier("depth_mult", self.depth_mult),
        )
        self._check_names()
        self.width_rule.check_multiplier(self.width_mult)

    def _check_types(self) -> None:
        for attribute in ("name", "title", "family", "source", "variant"):
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

    def _check_names(self) -> None:
        """Check that rows of one name are neighbours with one depth, and recipes of one name are equal."""
        seen: set[str] = set()
        for name, rows in groupby(self.stages, lambda row: row.name):
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

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The user-defined blocks in the rows, each once."""
        values = (value for row in self.stages for _, value in row.fields)
        return tuple(dict.fromkeys(value for value in values if isinstance(value, Recipe)))

    # --- scaling -------------------------------------------------------------------------------------------------

    @checked_late
    def scaled(
        self, *, width_mult: float = 1.0, depth_mult: float = 1.0, resolution: Resolution | None = None
    ) -> Design:
        """Multiply the multipliers of this design; the family's rule rounds the widths.

        Args:
            width_mult: factor on each scaled width.
            depth_mult: factor on the blocks of each scaled stage; ``ceil(depth_mult * blocks)`` are built.
            resolution: of the input, as the attribute; None keeps it.

        Raises:
            DesignError: a multiplier is not positive and finite, or the family does not have this width.
        """
        return replace(
            self,
            width_mult=self.width_mult * multiplier("width_mult", width_mult),
            depth_mult=self.depth_mult * multiplier("depth_mult", depth_mult),
            resolution=self.resolution if resolution is None else resolution,
        )

    @checked_late
    def with_num_classes(self, num_classes: int) -> Design:
        """Return this design with `num_classes` outputs in the classifier row."""
        num_classes = whole("num_classes", num_classes)
        if all(row.width != "classes" for row in self.stages):
            raise DesignError(f"num_classes = {num_classes} needs a row with width = 'classes', {self.name} has none")
        rows = (row.with_changes(out_channels=num_classes) if row.width == "classes" else row for row in self.stages)
        return replace(self, stages=tuple(rows))

    @property
    def num_classes(self) -> int | None:
        """Width of the classifier row; None without such a row."""
        return next((row.out_channels for row in self.stages if row.width == "classes"), None)

    @checked_late
    def width_of(self, row: Stage) -> int | None:
        """Return the output channels of `row` at this design's width multiplier."""
        return self._width_of(row)

    def _width_of(self, row: Stage) -> int | None:
        base, rule = row.out_channels, self.width_rule
        if rule.table and row.width != "classes":
            found = rule.looked_up(row.name, self.width_mult, extrapolates=row.width == "scaled")
            if found is not None:
                return found
        if base is None or row.width in ("fixed", "classes"):
            return base
        if row.width == "proportional":
            return self._proportional(row, base)
        return self._rounded(base, max(1.0, self.width_mult) if row.width == "at_least" else self.width_mult, row)

    def _proportional(self, row: Stage, base: int) -> int:
        place = next(index for index, each in enumerate(self.stages) if each is row or each == row)
        above = next((each for each in reversed(self.stages[:place]) if each.out_channels is not None), None)
        if above is None or above.out_channels is None:
            return base
        return nearest(base * (self._width_of(above) or 1) / above.out_channels)

    def built_widths(self) -> tuple[tuple[int | None, tuple[tuple[str, Any], ...]], ...]:
        """Return output channels and fields of each row that is built, with the width multiplier applied."""
        built = dict.fromkeys(place.row for place in placed(self.stages, self.depth_mult))
        rows = [self.stages[index] for index in built]
        # Searches for a width call it for every multiplier, so without the checks of the public methods.
        return tuple((self._width_of(row), self._fields_of(row)) for row in rows)

    def _rounded(self, base: int, width_mult: float, row: Stage) -> int:
        # At multiplier 1 the widths are those of the paper, even if the rule would change them.
        return base if same(width_mult, 1) else self.width_rule.round(base * width_mult, row.divisor)

    @checked_late
    def fields_of(self, row: Stage) -> dict[str, Any]:
        """Return the block's fields of `row`, with the width multiplier applied to those that scale."""
        return dict(self._fields_of(row))

    def _fields_of(self, row: Stage) -> tuple[tuple[str, Any], ...]:
        scaled = scaling(BLOCKS[row.block]) if row.width == "scaled" and not same(self.width_mult, 1) else ()
        if not scaled:
            return row.fields
        fields = dict(row.fields)
        for field in scaled:
            base = fields.get(field.name, field.default)
            if base is not None:
                fields[field.name] = self._rounded(base, self.width_mult, row)
        return tuple(fields.items())

    def runs(self, resolution: Resolution | None = None) -> tuple[Run, ...]:
        """Return the built network in runs of equal blocks, without stochastic depth.

        Raises:
            DesignError: a block rejects its input; the message starts with the path of the block.
        """
        return lay_out(self, self.input_shape(resolution))

    def blocks(self, resolution: Resolution | None = None) -> list[BuiltBlock]:
        """Return the blocks of the built network in order, without stochastic depth; raises as `runs`."""
        return [block for run in self.runs(resolution) for block in run.blocks()]

    # --- building ------------------------------------------------------------------------------------------------

    def training_blocks(self, resolution: Resolution | None = None) -> list[BuiltBlock]:
        """Return `blocks` with stochastic depth: 0 for the first residual block, rising linearly.

        A `drop_prob` in the row takes precedence. Stochastic depth changes no count, so counting uses `blocks`.
        """
        built = self.blocks(resolution)
        droppable = [place for place, entry in enumerate(built) if hasattr(entry.block, "drop_prob")]
        for order, place in enumerate(droppable):
            block = built[place].block
            drop_prob = vars(block)["drop_prob"] or self.stochastic_depth * order / len(droppable)
            if drop_prob != vars(block)["drop_prob"]:
                built[place] = built[place]._replace(block=replace(block, **{"drop_prob": drop_prob}))
        return built

    def layer(self, resolution: Resolution | None = None) -> Sequential:
        """Build the layer tree: stages by name, blocks by number, with stochastic depth."""
        stages: dict[str, list[tuple[str, Layer]]] = {}
        for entry in self.training_blocks(resolution):
            stage, _, position = entry.path.partition(".")
            stages.setdefault(stage, []).append((position, entry.block))
        # The only block of a stage that is not a list has the path of the stage.
        layers = (each[0][1] if each[0][0] == "" else Sequential(tuple(each)) for each in stages.values())
        return Sequential(tuple(zip(stages, layers, strict=True)))

    def input_shape(self, resolution: Resolution | None = None) -> Shape:
        """Return ``(in_channels, height, width)``."""
        return (self.in_channels, *sides(self.resolution if resolution is None else as_resolution(resolution)))

    if TYPE_CHECKING:
        # `effviz.model.design_json` attaches these methods, so that a design does not depend on its file format.
        def to_json(self, *, indent: int | None = None) -> str:
            """Return the design as JSON text; `from_json` returns an equal design."""

        @classmethod
        def from_json(cls, text: str | bytes) -> Design:
            """Read a design that `to_json` wrote."""


def as_design(value: object) -> Design:
    """Return `value` if it is a `Design`; raise `DesignError` otherwise."""
    if not isinstance(value, Design):
        fail("design", value, "must be a Design; effviz.architecture(name) gives one")
    return value


convert_as(Design, lambda _, value: as_design(value))
check_methods(Design)
check_public(globals())
