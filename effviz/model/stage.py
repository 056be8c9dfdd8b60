"""One row of a stage table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from effviz.core.arguments import check_methods, check_public
from effviz.core.errors import MAX_BLOCKS, fail, look_up, one_of, whole
from effviz.model.blocks import BLOCKS
from effviz.model.fields import checked_fields
from effviz.model.layers import check_name

WIDTHS = ("scaled", "fixed", "at_least", "proportional", "classes")
DEPTHS = ("scaled", "fixed")
MAX_STRIDE = 64


@dataclass(frozen=True, init=False)
class Stage:
    """One row of a stage table: a block, repeated.

    Attributes:
        block: a name in `effviz.model.blocks.BLOCKS`.
        out_channels: output width at multiplier 1; None if the block derives or keeps it.
        repeats: the number of blocks (n in the papers).
        stride: of the first block; the others have stride 1. A row without a stride takes the block's default: 2 for
            pooling and transitions, 1 for all others.
        name: of the stage. Neighbouring rows with the same name are one stage, which the depth multiplier scales.
        width: how the width multiplier acts: ``"scaled"``; ``"fixed"``; ``"at_least"`` scales only upwards
            (MobileNetV2's last 1x1); ``"proportional"`` keeps the ratio to the row above (MobileNetV3's last 1x1 in
            torchvision); ``"classes"`` marks the classifier, whose width is the number of classes.
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
        stride: int | None = None,
        *,
        name: str = "",
        width: str = "scaled",
        depth: str = "scaled",
        divisor: int | None = None,
        **fields: Any,
    ) -> None:
        kind = look_up("block", block, BLOCKS)
        if kind.has_out_channels:
            out_channels = whole("out_channels", out_channels)
        elif out_channels is not None:
            fail("out_channels", out_channels, f"must be left out: {block} derives its output width")
        stride = whole("stride", kind.default_stride if stride is None else stride, 1, MAX_STRIDE)
        if stride > 1 and not kind.has_stride:
            fail("stride", stride, f"must be 1: {block} keeps the resolution")
        if not isinstance(name, str) or name:
            check_name("name", name)
        # Attributes of a frozen dataclass cannot be assigned.
        vars(self).update(
            block=block,
            out_channels=out_channels,
            repeats=whole("repeats", repeats, 1, MAX_BLOCKS),
            stride=stride,
            name=name,
            width=one_of("width", width, WIDTHS),
            depth=one_of("depth", depth, DEPTHS),
            divisor=None if divisor is None else whole("divisor", divisor),
            fields=checked_fields(kind, fields),
        )

    def with_changes(self, /, **changes: Any) -> Stage:
        """Return a copy with some attributes or fields changed and checked."""
        return Stage(**(self.to_dict() | changes))

    def to_dict(self) -> dict[str, Any]:
        """Return the row as keyword arguments of `Stage`, always with repeats, stride and name."""
        row: dict[str, Any] = {"block": self.block}
        if self.out_channels is not None:
            row["out_channels"] = self.out_channels
        row |= {"repeats": self.repeats, "stride": self.stride, "name": self.name}
        for key, default in (("width", "scaled"), ("depth", "scaled"), ("divisor", None)):
            if getattr(self, key) != default:
                row[key] = getattr(self, key)
        return row | dict(self.fields)


def fixed(row: Stage) -> Stage:
    """Return `row` with fixed depth: tables mark stem, pooling and head with it."""
    return row.with_changes(depth="fixed")


def table(*rows: Stage | Iterable[Stage]) -> tuple[Stage, ...]:
    """Flatten rows and sequences of rows into one stage table."""
    return tuple(chain.from_iterable([row] if isinstance(row, Stage) else row for row in rows))


check_methods(Stage)
check_public(globals())
