"""How a block declares its fields: once, for controls, columns, JSON, checks and documentation alike."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

from effviz.core.errors import MAX_CHANNELS, DesignError, fail, flag, number, one_of, unknown, whole
from effviz.model.layers import ACTIVATIONS, Block, Layer


@dataclass(frozen=True)
class Field:
    """One field of a block: what it is called, what it may be and what it means.

    Attributes:
        name: the field's name in Python and JSON.
        kind: ``"int"``, ``"float"``, ``"bool"``, ``"choice"`` or ``"recipe"``, see `effviz.model.blocks.composed`.
        default: its value when a row does not name it.
        unit: what is counted, for labels.
        minimum, maximum: limits of a number, both included unless `open_below`.
        choices: the legal words of a ``"choice"``, the usual values of a number.
        optional: None is legal and means that the block derives the value.
        scales: the width multiplier acts on it.
        help: one sentence for a student.
    """

    name: str
    kind: str
    default: Any
    unit: str = ""
    minimum: float = 0
    maximum: float = MAX_CHANNELS
    choices: tuple[Any, ...] = ()
    optional: bool = False
    scales: bool = False
    open_below: bool = False
    help: str = ""

    def check(self, value: Any) -> Any:
        """`value` in its own type, or `DesignError`."""
        if value is None and self.optional:
            return None
        if self.kind == "int":
            return whole(self.name, value, int(self.minimum), int(self.maximum))
        if self.kind == "float":
            return number(self.name, value, self.minimum, self.maximum, open_below=self.open_below)
        if self.kind == "bool":
            return flag(self.name, value)
        if self.kind == "recipe":
            if not isinstance(value, type(self.default)):
                fail(self.name, value, "must be a Recipe")
            return value
        return one_of(self.name, value, self.choices)


_KINDS = {bool: "bool", int: "int", float: "float", str: "choice"}


def declare(default: Any, *, kind: str = "", **details: Any) -> Any:
    """A dataclass field that carries its `Field` declaration."""
    details["kind"] = kind or _KINDS[type(default)]
    return dataclasses.field(default=default, metadata={"field": details})


def kernel(default: int = 3) -> Any:
    """The declaration of a kernel size."""
    return declare(
        default, unit="pixels", minimum=1, maximum=63, choices=(1, 3, 5, 7, 9, 11), help="Side of the square window."
    )


def activation(default: str = "relu") -> Any:
    """The declaration of an activation, ``"none"`` included."""
    return declare(default, choices=("none", *ACTIVATIONS), help="Non-linearity after the convolution.")


def expand_ratio(default: float) -> Any:
    """The declaration of the expansion of an inverted residual."""
    return declare(
        default,
        unit="x",
        minimum=0,
        maximum=64,
        open_below=True,
        choices=(1.0, 2.0, 3.0, 4.0, 6.0),
        help="Channels inside the block per input channel (t in MobileNetV2).",
    )


def se_ratio(default: float) -> Any:
    """The declaration of squeeze-and-excitation inside a block."""
    return declare(
        default,
        unit="x",
        minimum=0,
        maximum=1,
        choices=(0.0, 0.0625, 0.125, 0.25, 0.5),
        help="Channels of the squeeze per channel; 0 leaves squeeze-and-excitation out.",
    )


def groups(default: int, text: str = "Groups of channels that are convolved apart.") -> Any:
    """The declaration of a group count."""
    return declare(default, unit="groups", minimum=1, choices=(1, 2, 3, 4, 8, 16, 32), help=text)


@cache
def declared(block: type[Block]) -> tuple[Field, ...]:
    """The fields that `block` declares, in order."""
    found = []
    for entry in dataclasses.fields(block):  # type: ignore[arg-type]
        if "field" in entry.metadata:
            found.append(Field(name=entry.name, default=entry.default, **entry.metadata["field"]))
    return tuple(found)


@dataclass(frozen=True)
class FieldBlock(Block):
    """Base of the blocks: checks every field by its declaration, then what `check()` adds.

    Attributes:
        derives_out_channels: the output width follows from the other fields, so a row leaves it blank.
        keeps_channels: the output has the channels of the input.
        flattens: the input is flattened first, `in_channels` counts features.
        has_stride: the block can reduce the resolution.
    """

    derives_out_channels = False
    keeps_channels = False
    flattens = False
    has_stride = True
    has_in_channels = True

    @property
    def called(self) -> str:
        """What a reader calls this block."""
        return str(vars(type(self)).get("title", type(self).__name__))

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "stride"):
            if name in self.__dict__:
                limit = 2**31 - 1 if self.flattens and name == "in_channels" else MAX_CHANNELS
                object.__setattr__(self, name, whole(name, self.__dict__[name], 1, limit))
        for field in declared(type(self)):
            value = self.__dict__[field.name]
            # The default is legal by declaration; skipping it keeps a fresh design in milliseconds.
            if value is not field.default:
                object.__setattr__(self, field.name, field.check(value))
        self.check()

    def check(self) -> None:
        """Relations between fields; `DesignError` if one is broken."""

    def expand(self) -> Layer:
        raise NotImplementedError(type(self).__name__)


def checked_fields(block: type[Block], values: dict[str, Any]) -> dict[str, Any]:
    """`values` checked against the declaration of `block`; unknown names list the choices."""
    known = {field.name: field for field in declared(block)}
    checked = {}
    for name, value in values.items():
        if name not in known:
            unknown(f"field of {block.__name__}", name, known)
        try:
            checked[name] = known[name].check(value)
        except DesignError as error:
            raise DesignError(f"{block.__name__}: {error.problem}") from None
    return checked
