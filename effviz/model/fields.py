"""The declaration of a block's fields and the list of all blocks.

A field is declared once. Pages, table columns, JSON checks and documentation read the declaration.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar, dataclass_transform

from effviz.core.errors import MAX_CHANNELS, MAX_FEATURES, DesignError, fail, flag, number, one_of, unknown, whole
from effviz.model.layers import ACTIVATIONS, Block


@dataclass(frozen=True)
class Field:
    """One field of a block: its name, legal values and meaning."""

    name: str  # the field's name in Python and JSON
    kind: str  # "int", "float", "bool", "choice" or "recipe", see `effviz.model.blocks.composed`
    default: Any  # the value in a row that does not name the field
    unit: str = ""  # for labels
    # Limits of a number, inclusive; `open_below` excludes the minimum.
    minimum: float = 0
    maximum: float = MAX_CHANNELS
    choices: tuple[Any, ...] = ()  # the legal values of a "choice", the usual values of a number
    optional: bool = False  # None is legal; the block then derives the value
    scales: bool = False  # the width multiplier scales the value
    open_below: bool = False
    is_free: bool = False  # a block that can be built with one value can be built with all
    help: str = ""  # one sentence for a student

    def check(self, value: Any) -> Any:
        """Return `value` in the field's type; raise `DesignError` if it is illegal."""
        if value is None and self.optional:
            return None
        if self.kind == "int":
            return whole(self.name, value, int(self.minimum), int(self.maximum))
        if self.kind == "float":
            return number(self.name, value, self.minimum, self.maximum, open_below=self.open_below)
        if self.kind == "bool":
            return flag(self.name, value)
        if self.kind == "choice":
            return one_of(self.name, value, self.choices)
        if not isinstance(value, type(self.default)):
            fail(self.name, value, "must be a Recipe")
        return value


_KINDS = {bool: "bool", int: "int", float: "float", str: "choice"}


def declare(default: Any, *, kind: str = "", **details: Any) -> Any:
    """Build a dataclass field with its `Field` declaration."""
    details["kind"] = kind or _KINDS[type(default)]
    return dataclasses.field(default=default, metadata={"field": details})


def kernel(default: int = 3) -> Any:
    """Declare a kernel size."""
    choices = (1, 3, 5, 7, 9, 11)
    return declare(default, unit="pixels", minimum=1, maximum=63, choices=choices, help="Side of the square window.")


def activation(default: str = "relu") -> Any:
    """Declare an activation; ``"none"`` is legal."""
    text = "Non-linearity after the convolution."
    return declare(default, choices=("none", *ACTIVATIONS), is_free=True, help=text)


def bottleneck_ratio(text: str) -> Any:
    """Declare the inner channels of a bottleneck as a fraction of the outer ones."""
    choices = (0.25, 0.5, 1.0)
    return declare(0.25, unit="x", minimum=0, maximum=8, open_below=True, choices=choices, help=text)


def padding(maximum: int) -> Any:
    """Declare a padding that is half of the kernel unless given."""
    text = "By default half of the kernel."
    return declare(None, kind="int", optional=True, unit="pixels", maximum=maximum, help=text)


def expand_ratio(default: float) -> Any:
    """Declare the expansion of an inverted residual."""
    text, choices = "Channels inside the block per input channel (t in MobileNetV2).", (1.0, 2.0, 3.0, 4.0, 6.0)
    return declare(default, unit="x", minimum=0, maximum=64, open_below=True, choices=choices, help=text)


def se_ratio(default: float) -> Any:
    """Declare the squeeze-and-excitation of a block."""
    text, choices = "Squeezed channels per channel; 0 means no squeeze-and-excitation.", (0.0, 0.0625, 0.125, 0.25, 0.5)
    return declare(default, unit="x", minimum=0, maximum=1, choices=choices, help=text)


def se_bias() -> Any:
    """Declare the biases of squeeze-and-excitation."""
    return declare(True, help="Biases in both layers of squeeze-and-excitation; its paper counts none.")


def groups(default: int, text: str = "Groups of channels that are convolved separately.") -> Any:
    """Declare a number of groups."""
    return declare(default, unit="groups", minimum=1, choices=(1, 2, 3, 4, 8, 16, 32), help=text)


@cache
def declared(kind: type[Block]) -> tuple[Field, ...]:
    """Return the fields that `kind` declares, in order."""
    return tuple(
        Field(name=entry.name, default=entry.default, **entry.metadata["field"])
        for entry in dataclasses.fields(kind)  # type: ignore[arg-type]
        if "field" in entry.metadata
    )


@cache
def scaling(kind: type[Block]) -> tuple[Field, ...]:
    """Return the fields of `kind` to which the width multiplier applies."""
    return tuple(field for field in declared(kind) if field.scales)


@dataclass(frozen=True)
class FieldBlock(Block):
    """Base of the blocks: checks each field by its declaration, then calls `check()`.

    The class attributes below, except `flattens`, are set by `block`.
    """

    title: ClassVar[str]  # the block's name on screen
    has_in_channels: ClassVar[bool]
    has_out_channels: ClassVar[bool]  # the block has a field `out_channels`, so a row has to name the width
    derives_out_channels: ClassVar[bool]  # the output width follows from other fields
    keeps_channels: ClassVar[bool]  # the output has as many channels as the input
    has_stride: ClassVar[bool]
    default_stride: ClassVar[int]  # the stride of a row that names none; 1 for a block without a stride
    flattens: ClassVar[bool] = False  # the input is flattened first; `in_channels` counts features

    @property
    def called(self) -> str:
        """The block's name for a reader."""
        return self.title

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "stride"):
            if name in self.__dict__:
                limit = MAX_FEATURES if self.flattens and name == "in_channels" else MAX_CHANNELS
                object.__setattr__(self, name, whole(name, self.__dict__[name], 1, limit))
        for field in declared(type(self)):
            value = self.__dict__[field.name]
            # The default is legal by declaration. Skipping it halves the time to build a design.
            if value is not field.default:
                object.__setattr__(self, field.name, field.check(value))
        self.check()

    def check(self) -> None:
        """Check relations between fields; raise `DesignError` if one is broken."""


BLOCKS: dict[str, type[FieldBlock]] = {}
"""All blocks, by the name that a row of a design uses."""

PARTS: dict[str, type[FieldBlock]] = {}
"""The blocks that a recipe may use as a step, by the same name."""

_B = TypeVar("_B", bound=FieldBlock)


@dataclass_transform(frozen_default=True)
def block(name: str, title: str, *, part: bool = True) -> Callable[[type[_B]], type[_B]]:
    """Make a class a frozen dataclass, derive its attributes from its fields and list it in `BLOCKS`.

    Args:
        name: the name in a row of a design.
        title: the name on screen.
        part: the block can be a step of a recipe: it takes a map of any width and returns a map.
    """

    def register(kind: type[_B]) -> type[_B]:
        if name in BLOCKS:
            raise ValueError(f"block name {name!r} is taken by {BLOCKS[name].__name__}")
        kind = dataclass(frozen=True)(kind)
        fields: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(kind)}
        kind.title = title
        kind.has_in_channels = "in_channels" in fields
        kind.has_out_channels = "out_channels" in fields
        kind.derives_out_channels = not kind.has_out_channels and hasattr(kind, "out_channels")
        kind.keeps_channels = not kind.has_out_channels and not kind.derives_out_channels
        kind.has_stride = "stride" in fields
        kind.default_stride = fields.get("stride", 1)
        BLOCKS[name] = kind
        if part:
            PARTS[name] = kind
        return kind

    return register


def checked_fields(kind: type[Block], values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return checked `values` as sorted pairs; the error for a name that `kind` does not declare lists the choices."""
    known = {field.name: field for field in declared(kind)}
    checked = {}
    for name, value in values.items():
        if name not in known:
            unknown(f"field of {kind.__name__}", name, known)
        try:
            checked[name] = known[name].check(value)
        except DesignError as error:
            raise DesignError(f"{kind.__name__}: {error.problem}") from None
    return tuple(sorted(checked.items()))
