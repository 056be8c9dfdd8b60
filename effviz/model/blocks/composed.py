"""A block of one's own: a recipe of layers, used in rows like the blocks of the papers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from effviz.core.errors import DesignError, fail, flag, number, one_of, unknown
from effviz.core.rounding import exact
from effviz.model.blocks.basic import (
    AvgPool,
    ConvBNAct,
    Depthwise,
    DropoutRow,
    MaxPool,
    NormAct,
    ShuffleRow,
    keeps_shape,
)
from effviz.model.blocks.ghost import GhostBottleneck, GhostModule
from effviz.model.blocks.guideline import Fragments, PlainBottleneck
from effviz.model.blocks.mobile import DepthwiseSeparable, FusedMBConv, InvertedResidual, MBConv, SqueezeExcite
from effviz.model.blocks.residual import BasicBlock, Bottleneck
from effviz.model.fields import FieldBlock, checked_fields, declare, declared
from effviz.model.layers import Layer, Sequential, check_name, residual

PARTS: dict[str, type[FieldBlock]] = {
    "conv": ConvBNAct,
    "depthwise": Depthwise,
    "depthwise_separable": DepthwiseSeparable,
    "squeeze_excite": SqueezeExcite,
    "channel_shuffle": ShuffleRow,
    "norm_act": NormAct,
    "max_pool": MaxPool,
    "avg_pool": AvgPool,
    "dropout": DropoutRow,
    "ghost_module": GhostModule,
    "ghost_bottleneck": GhostBottleneck,
    "inverted_residual": InvertedResidual,
    "mbconv": MBConv,
    "fused_mbconv": FusedMBConv,
    "basic_block": BasicBlock,
    "bottleneck": Bottleneck,
    "plain_bottleneck": PlainBottleneck,
    "fragments": Fragments,
}
"""What a recipe may be made of, by the name a row calls it: layers and blocks that put out a map."""

ENDS = ("in", "out")
MAX_PARTS = 32


@dataclass(frozen=True, init=False)
class Part:
    """One step of a recipe.

    Attributes:
        block: a name in `PARTS`.
        times: its output channels as a multiple of the block's; None where the step keeps its channels.
        of: which channels are multiplied, the block's ``"in"`` or ``"out"``.
        fields: the step's own fields, as sorted pairs.
    """

    block: str
    times: float | None
    of: str
    fields: tuple[tuple[str, Any], ...]

    def __init__(self, /, block: str, times: float | None = None, of: str = "out", **fields: Any) -> None:
        if not isinstance(block, str) or block not in PARTS:
            unknown("block", block, PARTS)
        kind = PARTS[block]
        if kind.keeps_channels:
            if times is not None:
                fail("times", times, f"must be left out: {block} keeps its channels")
        else:
            times = number("times", 1.0 if times is None else times, 0, 64, open_below=True)
        object.__setattr__(self, "block", block)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "of", one_of("of", of, ENDS))
        object.__setattr__(self, "fields", tuple(sorted(checked_fields(kind, fields).items())))

    def to_dict(self) -> dict[str, Any]:
        """The step as keyword arguments of `Part`."""
        width = {} if self.times is None else {"times": self.times, "of": self.of}
        return {"block": self.block, **width, **dict(self.fields)}

    def channels(self, in_channels: int, out_channels: int) -> int | None:
        """Its output channels in a block of these widths; None where it keeps those that reach it."""
        if self.times is None:
            return None
        return max(1, round(exact(self.times * (in_channels if self.of == "in" else out_channels))))

    @property
    def window(self) -> int:
        """Side of the window with which the step slides over the map."""
        sizes = {field.name: field.default for field in declared(PARTS[self.block])} | dict(self.fields)
        return int(sizes.get("kernel_size", 3))


@dataclass(frozen=True)
class Recipe:
    """What a block of one's own is made of.

    Attributes:
        name: what rows call it.
        parts: one after another. The block's stride acts in the first step with a window of more than one pixel that
            can have a stride, else in the first that can.
        shortcut: the input is added to the output where stride and channels allow it.
    """

    name: str
    parts: tuple[Part, ...]
    shortcut: bool = False

    def __post_init__(self) -> None:
        check_name("name of the block", self.name)
        if not isinstance(self.parts, (tuple, list)) or not all(isinstance(part, Part) for part in self.parts):
            fail("parts", self.parts, "must be a sequence of Part")
        if not 1 <= len(self.parts) <= MAX_PARTS:
            raise DesignError(f"block {self.name} has {len(self.parts)} steps: it needs 1 to {MAX_PARTS}")
        object.__setattr__(self, "parts", tuple(self.parts))
        flag("shortcut", self.shortcut)

    @property
    def strided(self) -> int | None:
        """Index of the step that takes the block's stride; None if none can."""
        able = [index for index, part in enumerate(self.parts) if PARTS[part.block].has_stride]
        return next((index for index in able if self.parts[index].window > 1), able[0] if able else None)

    def to_dict(self) -> dict[str, Any]:
        """The recipe without its name, as JSON has it."""
        return {"shortcut": self.shortcut, "parts": [part.to_dict() for part in self.parts]}


EXAMPLE = Recipe(
    "separable_excite",
    (
        Part("depthwise"),
        Part("squeeze_excite"),
        Part("conv", kernel_size=1, activation="none"),
    ),
    shortcut=True,
)
"""Depthwise separable convolution, squeeze-and-excitation, residual: where a recipe starts from."""


@dataclass(frozen=True)
class Composed(FieldBlock):
    """A block of one's own, see `Recipe`."""

    title: ClassVar[str] = "Block of your own"

    in_channels: int
    out_channels: int
    stride: int = 1
    recipe: Recipe = declare(EXAMPLE, kind="recipe", help="What the block is made of.")  # noqa: RUF009

    @property
    def called(self) -> str:
        """The recipe's name."""
        return self.recipe.name

    def check(self) -> None:
        if self.stride > 1 and self.recipe.strided is None:
            fail("stride", self.stride, f"must be 1: no step of {self.recipe.name} can have a stride")

    def expand(self) -> Layer:
        channels, steps = self.in_channels, []
        for index, (name, part) in enumerate(zip(self._names(), self.recipe.parts, strict=True)):
            kind, arguments = PARTS[part.block], dict(part.fields)
            wanted = part.channels(self.in_channels, self.out_channels)
            if kind.has_in_channels:
                arguments["in_channels"] = channels
            if wanted is not None:
                arguments["out_channels"] = channels = wanted
            if kind.has_stride:
                arguments["stride"] = self.stride if index == self.recipe.strided else 1
            try:
                steps.append((name, kind(**arguments)))
            except DesignError as error:
                raise error.at(name) from None
        if channels != self.out_channels:
            fail("out_channels", self.out_channels, f"must equal the {channels} channels that {name} puts out")
        body = Sequential(tuple(steps))
        return residual(body) if self.recipe.shortcut and keeps_shape(self) else body

    def _names(self) -> list[str]:
        """Every step by its kind, numbered from the second on."""
        kinds = [part.block for part in self.recipe.parts]
        counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
        return [kind if count == 1 else f"{kind}{count}" for kind, count in zip(kinds, counts, strict=True)]
