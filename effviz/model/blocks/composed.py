"""User-defined blocks: a recipe of simpler blocks, used in rows like the blocks of the papers."""

from dataclasses import dataclass
from typing import Any

from effviz.core.errors import DesignError, fail, flag, look_up, number, one_of
from effviz.core.rounding import nearest
from effviz.model.blocks.basic import StridedBlock
from effviz.model.fields import PARTS, block, checked_fields, declare, declared
from effviz.model.layers import Layer, Sequential, check_name, residual

ENDS = ("in", "out")
MAX_PARTS = 32


@dataclass(frozen=True, init=False)
class RecipeStep:
    """One step of a recipe."""

    block: str  # a name in `PARTS`
    times: float | None  # the step's output channels as a multiple of `of`; None if the step keeps its channels
    of: str  # "in" for the input channels of the whole block, "out" for its output channels
    fields: tuple[tuple[str, Any], ...]  # the step's own fields, as sorted pairs

    def __init__(self, /, block: str, times: float | None = None, of: str = "out", **fields: Any) -> None:
        kind = look_up("block", block, PARTS)
        if kind.keeps_channels:
            if times is not None:
                fail("times", times, f"must be left out: {block} keeps its channels")
        else:
            times = number("times", 1.0 if times is None else times, 0, 64, open_below=True)
        of = one_of("of", of, ENDS)
        # Attributes of a frozen dataclass cannot be assigned.
        vars(self).update(block=block, times=times, of=of, fields=checked_fields(kind, fields))

    def to_dict(self) -> dict[str, Any]:
        """Return the step as keyword arguments of `RecipeStep`."""
        width = {} if self.times is None else {"times": self.times, "of": self.of}
        return {"block": self.block, **width, **dict(self.fields)}

    def channels(self, in_channels: int, out_channels: int) -> int | None:
        """Return the step's output channels in a block of these widths; None if it keeps its input channels."""
        if self.times is None:
            return None
        return nearest(self.times * (in_channels if self.of == "in" else out_channels))

    @property
    def window(self) -> int:
        """Side of the sliding window."""
        sizes = {field.name: field.default for field in declared(PARTS[self.block])} | dict(self.fields)
        return int(sizes.get("kernel_size", 3))


@dataclass(frozen=True)
class Recipe:
    """The definition of a user-defined block."""

    name: str  # the name in rows
    # The steps in order. The block's stride applies to the first step that has a stride and a window larger than one
    # pixel, otherwise to the first step that has a stride.
    parts: tuple[RecipeStep, ...]
    shortcut: bool = False  # add the input to the output if stride and channels allow it

    def __post_init__(self) -> None:
        check_name("name of the block", self.name)
        if not isinstance(self.parts, (tuple, list)) or not all(isinstance(part, RecipeStep) for part in self.parts):
            fail("parts", self.parts, "must be a sequence of RecipeStep")
        if not 1 <= len(self.parts) <= MAX_PARTS:
            raise DesignError(f"block {self.name} has {len(self.parts)} steps: it needs 1 to {MAX_PARTS}")
        object.__setattr__(self, "parts", tuple(self.parts))
        flag("shortcut", self.shortcut)

    @property
    def strided(self) -> int | None:
        """Index of the step with the block's stride; None if no step has a stride."""
        able = [index for index, part in enumerate(self.parts) if PARTS[part.block].has_stride]
        return next((index for index in able if self.parts[index].window > 1), able[0] if able else None)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe without its name, as in JSON."""
        return {"shortcut": self.shortcut, "parts": [part.to_dict() for part in self.parts]}


EXAMPLE = Recipe(
    "separable_excite",
    (RecipeStep("depthwise"), RecipeStep("squeeze_excite"), RecipeStep("conv", kernel_size=1, activation="none")),
    shortcut=True,
)
"""Depthwise separable convolution, squeeze-and-excitation, residual: the initial recipe of a new block."""


@block("composed", "Block of your own", part=False)
class Composed(StridedBlock):
    """A user-defined block, see `Recipe`."""

    recipe: Recipe = declare(EXAMPLE, kind="recipe", help="Steps of the block.")

    @property
    def called(self) -> str:
        """The name of the recipe."""
        return self.recipe.name

    def check(self) -> None:
        if self.stride > 1 and self.recipe.strided is None:
            fail("stride", self.stride, f"must be 1: no step of {self.recipe.name} can have a stride")

    def expand(self) -> Layer:
        channels, steps = self.in_channels, []
        strided = self.recipe.strided
        for index, (name, part) in enumerate(zip(self._names(), self.recipe.parts, strict=True)):
            kind, arguments = PARTS[part.block], dict(part.fields)
            wanted = part.channels(self.in_channels, self.out_channels)
            if kind.has_in_channels:
                arguments["in_channels"] = channels
            if wanted is not None:
                arguments["out_channels"] = channels = wanted
            if kind.has_stride:
                arguments["stride"] = self.stride if index == strided else 1
            try:
                steps.append((name, kind(**arguments)))
            except DesignError as error:
                raise error.at(name) from None
        if channels != self.out_channels:
            fail("out_channels", self.out_channels, f"must equal the {channels} channels of the last step, {name}")
        body = Sequential(tuple(steps))
        return residual(body) if self.recipe.shortcut and self.keeps_shape else body

    def _names(self) -> list[str]:
        """Name the steps after their blocks; a repeated block is numbered from the second on."""
        kinds = [part.block for part in self.recipe.parts]
        counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
        return [kind if count == 1 else f"{kind}{count}" for kind, count in zip(kinds, counts, strict=True)]
