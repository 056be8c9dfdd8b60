"""Expressions for the numbers of a class: names of fields, simple formulas of them, or arguments that no field gives.

A class is written for several blocks. A field in which they differ is an argument of the class; one in which they agree
is a literal in its code. For a wanted number, candidate expressions are evaluated for every block as the file will
evaluate them. Probes, which are blocks that the design does not build, have widths with no simple relation to each
other, so that no formula agrees by chance. A number without an expression is an argument.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from effviz.core.caches import remembered
from effviz.export.pattern import ANY, Vector, is_constant, known
from effviz.export.source import Code, fresh, literal, names_in
from effviz.model.fields import Field, FieldBlock, declared
from effviz.model.layers import ACTIVATIONS

WIDTH, PIXELS, STRIDE, PADDING = "width", "pixels", "stride", "padding"
RATIO, SHARE, FLAG, ACTIVATION = "ratio", "share", "flag", "activation"

_CLASSES = ("ReLU", "ReLU6", "Hardswish", "SiLU", "Sigmoid", "Hardsigmoid", "GELU", "Tanh", "LeakyReLU", "ELU")
TORCH_ACTIVATIONS = {name: Code(f"nn.{torch}") for name, torch in zip(ACTIVATIONS, _CLASSES, strict=True)}
"""The torch class of every activation; ``"none"`` has none."""

KERAS_ACTIVATIONS = {name: name for name in ACTIVATIONS} | {"hardswish": "hard_silu", "hardsigmoid": "hard_sigmoid"}
"""The name that Keras gives to every activation."""

DOMAINS = {
    **dict.fromkeys(("in_channels", "out_channels", "num_features", "in_features", "out_features"), WIDTH),
    **dict.fromkeys(("groups", "start", "stop"), WIDTH),
    **dict.fromkeys(("kernel_size", "output_size", "dilation"), PIXELS),
    **dict.fromkeys(("bias", "affine", "ceil_mode", "count_include_pad"), FLAG),
    **{"stride": STRIDE, "padding": PADDING, "p": SHARE, "function": ACTIVATION},
}
"""The domains of the arguments of torch layers and of the fields with these names. Only one domain is searched."""

_ABSENT = {FLAG: False, ACTIVATION: None, STRIDE: 1, SHARE: 0.0}
_RESERVED = {"self", "super", "torch", "nn", "keras", "name", "out", "x", "Tensor", "int"}


@dataclass(frozen=True)
class Param:
    """An argument of a class; `default` is None for a required one."""

    name: str
    domain: str = ""
    hint: str = ""
    default: str | None = None


def field_names(kind: type[FieldBlock]) -> list[str]:
    """Return the fields of a block that can be arguments, widths and stride first; a recipe cannot."""
    names = [name for name in ("in_channels", "out_channels", "stride") if name in kind.__dataclass_fields__]
    return [*names, *(each.name for each in declared(kind) if each.kind in ("int", "float", "bool", "choice"))]


def width_names(kind: type[FieldBlock]) -> list[str]:
    """Return the fields that are arguments even if all blocks agree: those that the width multiplier scales.

    An optional one is None in the blocks that derive it.
    """
    scaled = {
        "in_channels",
        "out_channels",
        *(each.name for each in declared(kind) if each.scales and not each.optional),
    }
    return [name for name in field_names(kind) if name in scaled]


def _domain(entry: Field) -> str:
    if entry.kind == "choice":
        return ACTIVATION if set(entry.choices) <= {"none", *ACTIVATIONS} else entry.name
    if entry.kind == "bool" or entry.name in DOMAINS:
        return DOMAINS.get(entry.name, FLAG)
    without_unit = SHARE if entry.kind == "float" else entry.name
    return {"channels": WIDTH, "pixels": PIXELS, "x": RATIO}.get(entry.unit, without_unit)


class Scope:
    """The names of one class, and the expressions in its code.

    Args:
        samples: blocks of one kind, first those that the design builds.
        actual: how many the design builds.
        activations: what the file writes for every activation.
    """

    def __init__(self, samples: Sequence[FieldBlock], actual: int, activations: Mapping[str, str]) -> None:
        kind = type(samples[0])
        self._actual = actual
        self._domains: dict[str, str] = {}
        self._used: set[str] = set()
        names = field_names(kind)
        self._fields = [name for name in names if all(getattr(block, name) is not None for block in samples)]
        self._properties: list[str] = []
        # For every sample, the names that the code can use and their values.
        self.values: list[dict[str, Any]] = [{} for _ in samples]
        # Local variables of __init__, and properties of the block.
        self.formulas: dict[str, str] = {}
        domains = DOMAINS | {each.name: _domain(each) for each in declared(kind)}
        for name in names:
            vector = [getattr(block, name) for block in samples]
            if domains[name] == ACTIVATION:
                vector = [activations.get(value) for value in vector]
            if domains[name] == RATIO:
                # A product with a whole ratio is an integer.
                vector = [int(value) if value == int(value) else value for value in vector]
            if name in width_names(kind) or not is_constant(vector[:actual]):
                self._add(name, domains[name], vector)
        for base in reversed(kind.__mro__):
            for name in (name for name, each in vars(base).items() if isinstance(each, property)):
                vector = [getattr(block, name) for block in samples]
                if type(vector[0]) is int and not any(self._fits(each, vector) for each in self._domains):
                    self._add(name, WIDTH, vector)
                    self._properties.append(name)

    def _add(self, name: str, domain: str, vector: Vector) -> None:
        self._domains[name] = domain
        for names, value in zip(self.values, vector, strict=True):
            names[name] = _ABSENT.get(domain, 0) if value is ANY else value

    def _fits(self, text: str, wanted: Vector) -> bool:
        """Return whether an expression has every wanted value."""
        pairs = ((value, _value(text, names)) for names, value in zip(self.values, wanted, strict=True))
        return all(value is ANY or (found == value and type(found) is type(value)) for value, found in pairs)

    # --- numbers -------------------------------------------------------------------------------------------------

    def text(self, slot: str, domain: str, wanted: Vector, owner: str) -> str:
        """Return an expression for `wanted`, the argument `slot` of the layer `owner`."""
        names = [name for name, each in self._domains.items() if each == domain]
        candidates: list[str] = []
        if not is_constant(wanted) or (domain in (WIDTH, STRIDE, ACTIVATION) and slot != "groups"):
            candidates += sorted(names, key=lambda name: (name != slot, name in self._fields))
        if not is_constant(wanted):
            candidates += self._candidates(domain, names)
        found = next((text for text in candidates if self._fits(text, wanted)), None)
        if found is not None:
            return self._used_text(found, domain, wanted)
        built = wanted[: self._actual]
        return literal(known(built)[0]) if is_constant(built) else self._argument(slot, domain, wanted, owner)

    def _candidates(self, domain: str, names: Sequence[str]) -> Iterator[str]:
        """Yield formulas of names of a domain."""
        if domain == FLAG:
            yield from (f"not {name}" for name in names)
        if domain == PADDING:
            sizes = [name for name, each in self._domains.items() if each == PIXELS]
            yield from (text for size in sizes for text in (f"{size} // 2", f"({size} - 1) // 2"))
        if domain == WIDTH:
            # Ratios come first: with a literal instead, a column of the stage table would have no effect.
            for ratio in (name for name, each in self._domains.items() if each == RATIO):
                for name in names:
                    yield from (f"{name} * {ratio}", f"int({name} * {ratio})", f"-(-{name} // {ratio})")
            for name in names:
                for factor in range(2, 17):
                    yield from (f"{name} // {factor}", f"{factor} * {name}", f"-(-{name} // {factor})")
            for name in names:
                yield from (f"{name} {sign} {other}" for other in names if other != name for sign in "-+")

    def _used_text(self, text: str, domain: str, wanted: Vector) -> str:
        """Mark the names in an expression as used, and return it, or the local variable for a computed width."""
        for name in sorted(names_in(text) & self._domains.keys() - self._used):
            self._used.add(name)
            if name in self._properties:
                widths = [each for each in self._fields if self._domains.get(each) == WIDTH]
                vector = wanted if text == name else [names[name] for names in self.values]
                formula = next((each for each in self._candidates(WIDTH, widths) if self._fits(each, vector)), None)
                if formula is None:
                    self._add(name, WIDTH, vector)
                else:
                    self.formulas[name] = self._used_text(formula, "", vector)
                    self._add(name, WIDTH, [_value(formula, names) for names in self.values])
        if domain != WIDTH or text in self._domains or re.fullmatch(r"\w+ [-+] \w+", text):
            return text
        name = fresh("half" if text.endswith(" // 2") else "inner", _RESERVED | self._domains.keys())
        self._add(name, WIDTH, [_value(text, names) for names in self.values])
        self.formulas[name] = text
        return name

    def _argument(self, slot: str, domain: str, wanted: Vector, owner: str) -> str:
        """Return the name of a new argument."""
        is_width = domain == WIDTH and slot in DOMAINS and slot != "groups"
        name = f"{owner}_{'channels' if is_width else slot}" if is_width or slot in self._fields else slot
        # An optional field of this name that is None in some blocks is replaced.
        name = fresh(name, _RESERVED | self._used | (self._domains.keys() - {slot}))
        self._add(name, domain, wanted)
        self._used.add(name)
        return name

    # --- conditions ----------------------------------------------------------------------------------------------

    def condition(self, name: str, wanted: Vector, texts: Sequence[str] = ()) -> str:
        """Return an expression that is true where `wanted` is, possibly a new argument `name`.

        `texts` are the arguments of the layer that exists under this condition.
        """
        built = [*wanted[: self._actual], *([ANY] * len(wanted[self._actual :]))]
        simple = list(self._conditions(texts))
        flags = [name for name, domain in self._domains.items() if domain == FLAG]
        both = [f"{flag} and {text}" for flag in flags for text in simple if " or " not in text]
        for vector, candidates in ((wanted, simple), (built, simple), (wanted, both), (built, both)):
            for text in candidates:
                if self._fits(text, vector):
                    return self._used_text(text, FLAG, wanted)
        return self._argument(name, FLAG, wanted, name)

    def _conditions(self, texts: Sequence[str]) -> Iterator[str]:
        """Yield conditions of the arguments of a layer, flags, ratios, the stride and the widths."""
        named = [(name, self._domains[name]) for name in texts if name in self._domains]
        # The argument of a layer is 0 or None in blocks without the layer.
        yield from (f"{name} is not None" for name, domain in named if domain == ACTIVATION)
        yield from (f"{name} > 0" for name, domain in named if domain == WIDTH and name not in self._fields)
        for name, domain in self._domains.items():
            if domain == FLAG:
                yield from (name, f"not {name}")
            if domain == RATIO and name in self._used:
                yield f"{name} > 0"
            if domain == STRIDE:
                yield from (f"{name} == 1", f"{name} > 1")
        for name, domain in self._domains.items():
            if name == "out_channels" and "in_channels" in self._domains:
                yield from ("stride == 1 and in_channels == out_channels", "stride > 1 or in_channels != out_channels")
                yield from ("in_channels == out_channels", "in_channels != out_channels")
            elif domain == WIDTH and name != "in_channels":
                yield from (f"{name} == in_channels", f"{name} != in_channels")

    # --- the class -----------------------------------------------------------------------------------------------

    def params(self) -> tuple[Param, ...]:
        """Return the arguments, those with a default last."""
        names = [name for name in self._domains if name in self._used and name not in self.formulas]
        params = [self._param(name, [values[name] for values in self.values[: self._actual]]) for name in names]
        return tuple(sorted(params, key=lambda param: param.default is not None))

    def _param(self, name: str, values: Sequence[Any]) -> Param:
        domain = self._domains[name]
        present = [value for value in values if value is not None]
        hints = {"tuple[int, int]" if type(value) is tuple else type(value).__name__ for value in present}
        hint = "float" if domain == SHARE or "float" in hints else " | ".join(sorted(hints))
        hint = "type[nn.Module]" if domain == ACTIVATION and type(present[0]) is Code else hint
        default = {"stride": 1, "groups": 1}.get(name, 0.0 if domain == SHARE else None)
        default = default if default in values else None
        if domain in (FLAG, ACTIVATION):
            default = max(present, key=present.count)
        text = None if default is None else literal(default)
        return Param(name, domain, hint if len(present) == len(values) else f"{hint} | None", text)


def _value(text: str, names: dict[str, Any]) -> Any:
    """Return the value of an expression, `ANY` if it has none."""
    try:
        return eval(_compiled(text), {"int": int}, names)
    except (NameError, TypeError, ZeroDivisionError):
        return ANY


@remembered
def _compiled(text: str) -> CodeType:
    return compile(text, "<expression>", "eval")
