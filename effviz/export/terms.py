"""Expressions in a block's own fields: the one that gives a wanted number in every block of a class.

A class is written for some blocks. A field in which they differ is open, an argument of the class; one that is the same
in all of them is closed, a number in its code. A wanted number is looked for among the open fields, then among what can
be computed from them; what is found holds for every block, and for variations of them that the design does not build,
so that a chance agreement of two widths is not taken for a rule. What is not found becomes an argument of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from effviz.export.pattern import ANY, Vector, is_constant, known
from effviz.export.source import Code, fresh, literal
from effviz.model.fields import Field, FieldBlock, declared
from effviz.model.layers import ACTIVATIONS

CHANNELS, PIXELS, STRIDE, PADDING = "channels", "pixels", "stride", "padding"
RATIO, SHARE, FLAG, ACTIVATION = "ratio", "share", "flag", "activation"

TORCH_ACTIVATIONS = {
    "relu": Code("nn.ReLU"),
    "relu6": Code("nn.ReLU6"),
    "hardswish": Code("nn.Hardswish"),
    "silu": Code("nn.SiLU"),
    "sigmoid": Code("nn.Sigmoid"),
    "hardsigmoid": Code("nn.Hardsigmoid"),
    "gelu": Code("nn.GELU"),
    "tanh": Code("nn.Tanh"),
    "leaky_relu": Code("nn.LeakyReLU"),
    "elu": Code("nn.ELU"),
}
"""The class of every activation; ``"none"`` has None."""

# Arguments of torch's layers by what they measure.
SLOT_DOMAINS = {
    **dict.fromkeys(("in_channels", "out_channels", "num_features", "in_features", "out_features"), CHANNELS),
    **dict.fromkeys(("groups", "start", "stop"), CHANNELS),
    **dict.fromkeys(("kernel_size", "output_size", "dilation"), PIXELS),
    **dict.fromkeys(("bias", "affine", "ceil_mode", "count_include_pad"), FLAG),
    "stride": STRIDE,
    "padding": PADDING,
    "p": SHARE,
    "function": ACTIVATION,
}
_FACTORS = range(2, 17)
# Here an argument that fits is meant, even where all that is built has one value of it.
_NAMED_FIRST = (CHANNELS, STRIDE, ACTIVATION)


def plain_value(value: Any) -> Any:
    """A field's value as the file has it: activations as classes, whole floats as integers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def field_value(block: FieldBlock, name: str) -> Any:
    """The value of a field or property as the file has it."""
    value = getattr(block, name)
    if domain_of(type(block), name) == ACTIVATION:
        return None if value == "none" else TORCH_ACTIVATIONS[value]
    return plain_value(value)


@cache
def arguments_of(kind: type[FieldBlock]) -> list[str]:
    """The fields of a block that an argument can stand for, widths and stride first; a recipe is no argument."""
    names = [name for name in ("in_channels", "out_channels", "stride") if name in kind.__dataclass_fields__]
    return [*names, *(each.name for each in declared(kind) if each.kind in ("int", "float", "bool", "choice"))]


@cache
def domain_of(kind: type[FieldBlock], name: str) -> str:
    """What a field of a block measures."""
    entry = next((each for each in declared(kind) if each.name == name), None)
    if entry is None:
        return STRIDE if name == "stride" else CHANNELS
    return _declared_domain(entry)


def _declared_domain(entry: Field) -> str:
    if entry.kind == "choice":
        return ACTIVATION if set(entry.choices) <= {"none", *ACTIVATIONS} else entry.name
    if entry.kind == "bool":
        return FLAG
    if entry.name == "padding":
        return PADDING
    units = {"channels": CHANNELS, "groups": CHANNELS, "pixels": PIXELS, "x": RATIO}
    return units.get(entry.unit, SHARE if entry.kind == "float" else entry.name)


@dataclass(frozen=True)
class Term:
    """An expression, and the rule that gives its value in every block from the vectors `of` what it names."""

    text: str
    rule: Callable[..., Any]
    of: tuple[Vector, ...]

    @classmethod
    def named(cls, name: str, vector: Vector) -> Term:
        """A variable."""
        return cls(name, _itself, (vector,))

    def at(self, index: int) -> Any:
        """Its value in one block; None where something that it needs has none there."""
        values = [vector[index] for vector in self.of]
        return None if ANY in values or None in values else self.rule(*values)

    def vector(self) -> Vector:
        """Its value in every block."""
        return [self.at(index) for index in range(len(self.of[0]))]

    def gives(self, wanted: Vector) -> bool:
        """Whether it is what is wanted in every block."""
        for index, value in enumerate(wanted):
            if value is not ANY:
                mine = self.at(index)
                if mine != value or isinstance(mine, bool) != isinstance(value, bool):
                    return False
        return True


@dataclass
class Variable:
    """A field or property that a class could have as an argument or compute.

    Attributes:
        is_open: it may stand in the code by its name; otherwise it is the same number everywhere.
        is_property: computed by the block; in the file a local variable, or an argument if no formula is found.
    """

    name: str
    domain: str
    vector: Vector
    is_open: bool
    is_property: bool = False

    @property
    def term(self) -> Term:
        """The variable as an expression."""
        return Term.named(self.name, self.vector)


@dataclass
class Extra:
    """An argument that no field gives: a number of one layer, read off its place in the block."""

    name: str
    domain: str
    vector: Vector
    path: tuple[str, ...]
    slot: str
    absent: Any


@dataclass
class Scope:
    """What the code of one class can refer to.

    Attributes:
        variables: by name, in the order in which arguments are listed.
        actual: how many of the blocks in the vectors the design builds; the others are variations.
        alike: how many more have the structure of one that it builds; after them come those that may not have it.
        used: names of variables that the code refers to.
    """

    variables: dict[str, Variable]
    actual: int
    alike: int
    computes: bool = True
    extras: list[Extra] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    locals: dict[str, tuple[str, Vector]] = field(default_factory=dict)

    # --- numbers -------------------------------------------------------------------------------------------------

    def find(self, slot: str, domain: str, wanted: Vector, path: tuple[str, ...]) -> str:
        """An expression for a vector, possibly an argument of its own."""
        if slot == "groups" and is_constant(wanted):
            return literal(known(wanted)[0])
        found = self._simple(slot, domain, wanted)
        if found is None and self.computes:
            found = self._by_case(slot, domain, wanted)
        if found is not None:
            return found
        built = wanted[: self.actual]
        if is_constant(built):
            return literal(known(built)[0])
        return self._extra(slot, domain, wanted, path)

    def _simple(self, slot: str, domain: str, wanted: Vector) -> str | None:
        constant = is_constant(wanted)
        for term in self._named(slot, domain) if not constant or domain in _NAMED_FIRST else ():
            if term.gives(wanted):
                self._use(term.text)
                return term.text
        if constant:
            return literal(known(wanted)[0])
        candidates = self._computed(domain) if self.computes else ()
        found = next((term for term in candidates if term.gives(wanted)), None)
        return None if found is None else self._local(domain, found)

    def _named(self, slot: str, domain: str) -> Iterator[Term]:
        same = self.variables.get(slot)
        if same is not None and same.is_open:
            yield same.term
        yield from (each.term for each in self.open(domain) if each.name != slot)
        if domain == CHANNELS:
            yield from (Term.named(name, vector) for name, (_, vector) in self.locals.items())
        yield from (Term.named(each.name, each.vector) for each in self.extras if each.domain == domain)

    def open(self, domain: str) -> list[Variable]:
        """Open variables of a domain; the properties first, because they have the better name."""
        found = [each for each in self.variables.values() if each.is_open and each.domain == domain]
        return sorted(found, key=lambda each: not each.is_property)

    def _computed(self, domain: str, without: frozenset[str] = frozenset()) -> Iterator[Term]:
        if domain == PADDING:
            for kernel in self.open(PIXELS):
                yield computed(f"{kernel.name} // 2", lambda k: k // 2, kernel.term)
                yield computed(f"({kernel.name} - 1) // 2", lambda k: (k - 1) // 2, kernel.term)
            dilation, kernel_size = self.variables.get("dilation"), self.variables.get("kernel_size")
            if dilation and kernel_size:
                text = f"{self._text(dilation)} * ({self._text(kernel_size)} - 1) // 2"
                yield computed(text, lambda d, k: d * (k - 1) // 2, dilation.term, kernel_size.term)
        if domain == FLAG:
            for flag in self.open(FLAG):
                yield computed(f"not {flag.name}", lambda value: not value, flag.term)
        if domain == CHANNELS:
            yield from self._widths(without)

    def _text(self, variable: Variable) -> str:
        return variable.name if variable.is_open else literal(known(variable.vector)[0])

    def _widths(self, without: frozenset[str]) -> Iterator[Term]:
        widths = [each.term for each in self.open(CHANNELS) if each.name not in without]
        widths += [
            Term.named(name, vector) for name, (_, vector) in self.locals.items() if not self._behind(name) & without
        ]
        # Where input and output are equal, a half is one of the output.
        widths.sort(key=lambda width: width.text == "in_channels")
        ratios = [each for each in self.variables.values() if each.domain == RATIO]
        # What the table says comes first: a number in its place would leave a column that does nothing.
        for ratio in (each for each in ratios if each.is_open):
            for width in reversed(widths):
                yield from _products(width, ratio.term)
                yield computed(f"-(-{width.text} // {ratio.name})", _ceil_division, width, ratio.term)
        for width in widths:
            for number in _FACTORS:
                yield computed(f"{width.text} // {number}", lambda w, n=number: w // n, width)
                yield computed(f"-(-{width.text} // {number})", lambda w, n=number: -(-w // n), width)
                yield computed(f"{number} * {width.text}", lambda w, n=number: n * w, width)
        for ratio in (each for each in ratios if not each.is_open and each.vector[0] != 1):
            for width in widths:
                yield from _products(width, Term.named(literal(ratio.vector[0]), ratio.vector))
        for one in widths:
            for other in widths:
                if one is not other:
                    yield computed(f"{one.text} - {other.text}", lambda a, b: a - b, one, other)
                    yield computed(f"{one.text} + {other.text}", lambda a, b: a + b, one, other)

    def _behind(self, name: str) -> set[str]:
        """The variables that a local needs, itself or through other locals."""
        found: set[str] = set()
        for each in names_in(self.locals[name][0]):
            found |= self._behind(each) if each in self.locals else {each} & self.variables.keys()
        return found

    def _by_case(self, slot: str, domain: str, wanted: Vector) -> str | None:
        """One expression where a condition holds and another where it does not."""
        for condition in self._conditions():
            before = (set(self.used), dict(self.locals))
            sides = []
            for side in (True, False):
                pairs = zip(wanted, condition.vector(), strict=True)
                vector = [value if holds is side else ANY for value, holds in pairs]
                sides.append(self._simple(slot, domain, vector) if known(vector[: self.actual]) else None)
            # Two numbers under a condition are no rule: few blocks agree with it by chance.
            if None not in sides and any(names_in(str(text)) & self._taken() for text in sides):
                self._use(condition.text)
                return f"{sides[0]} if {condition.text} else {sides[1]}"
            self.used, self.locals = before
        return None

    def _use(self, text: str) -> None:
        self.used |= names_in(text) & self.variables.keys()

    def _local(self, domain: str, term: Term) -> str:
        """The name of a computed width; numbers of other kinds stand where they are needed."""
        self._use(term.text)
        if domain != CHANNELS or re.fullmatch(r"\w+ [-+] \w+", term.text):
            return term.text
        name = fresh("half" if term.text.endswith(" // 2") else "inner", self._taken())
        self.locals[name] = (term.text, term.vector())
        return name

    def _extra(self, slot: str, domain: str, wanted: Vector, path: tuple[str, ...]) -> str:
        same = self.variables.get(slot)
        # A field that leaves the number to the block by default stands for it.
        stands = same is None or None in same.vector
        owner = path[-1] if path else "block"
        name = slot if stands else f"{owner}_{'channels' if domain == CHANNELS and slot != 'groups' else slot}"
        taken = self._taken() - ({slot} if stands else set())
        name = fresh(name, taken | {each.name for each in self.extras})
        absent = {FLAG: False, ACTIVATION: None, STRIDE: 1}.get(domain, 0)
        self.extras.append(Extra(name, domain, wanted, path, slot, absent))
        return name

    def _taken(self) -> set[str]:
        reserved = {"self", "super", "torch", "nn", "x", "Tensor", "layer"}
        return reserved | self.variables.keys() | self.locals.keys() | {each.name for each in self.extras}

    def formula(self, name: str) -> str | None:
        """How a property is computed from the other variables, None if by nothing that is tried here."""
        variable = self.variables[name]
        wanted = variable.vector[: self.actual + self.alike]
        wanted += [ANY] * (len(variable.vector) - len(wanted))
        order = [each.name for each in self.variables.values() if each.is_property]
        # Only properties before it, and what is computed from no others: no formula leads back to itself.
        without = frozenset(order[order.index(name) :])
        plain = [each.term for each in self.open(CHANNELS) if not each.is_property]
        found = next((term for term in [*plain, *self._computed(CHANNELS, without)] if term.gives(wanted)), None)
        if found is None:
            return literal(wanted[0]) if is_constant(wanted) else None
        self._use(found.text)
        return found.text

    # --- conditions ----------------------------------------------------------------------------------------------

    def condition(self, wanted: Vector, about: Iterable[str] = ()) -> str | None:
        """An expression that is true where `wanted` is; `about` are expressions for what is there if it is true."""
        about = set(about)
        sure = self.actual + self.alike
        here = [*wanted[:sure], *([ANY] * (len(wanted) - sure))]
        tests = list(self._presence([self.variables[text] for text in about & self.variables.keys()]))
        for extra in self.extras:
            if extra.name in about and extra.absent == 0:
                # An argument that only this layer needs is 0 where the layer is not there.
                there = [value is not ANY for value in extra.vector]
                tests.append(Term(f"{extra.name} > 0", bool, ([*there[:sure], *wanted[sure:]],)))
        tests += self._conditions()
        built = [*wanted[: self.actual], *([ANY] * (len(wanted) - self.actual))]
        for candidates in (tests, list(self._both(tests))):
            for vector in (wanted, here, self._usual(wanted), built):
                for test in candidates:
                    if test.gives(vector):
                        self._use(test.text)
                        return test.text
        return None

    def _usual(self, wanted: Vector) -> Vector:
        """Without variations that have a flag set as few of the blocks have it."""
        masked = list(wanted)
        for flag in self.open(FLAG):
            built = flag.vector[: self.actual]
            usual = max(built, key=built.count)
            for index in range(self.actual, len(wanted)):
                masked[index] = masked[index] if flag.vector[index] == usual else ANY
        return masked

    def _both(self, tests: Sequence[Term]) -> Iterator[Term]:
        """A flag and another condition."""
        for flag in self.open(FLAG):
            for test in tests:
                if flag.name not in names_in(test.text) and " or " not in test.text:
                    yield computed(f"{flag.name} and {test.text}", lambda one, other: one and other, flag.term, test)

    def _presence(self, variables: Sequence[Variable]) -> Iterator[Term]:
        for each in variables:
            if each.is_open and each.domain == ACTIVATION:
                given = [ANY if value is ANY else value is not None for value in each.vector]
                yield Term.named(f"{each.name} is not None", given)
            elif each.is_open and each.domain in (SHARE, RATIO):
                yield _test(f"{each.name} > 0", each, _positive)

    def _conditions(self) -> Iterator[Term]:
        for flag in self.open(FLAG):
            yield _test(flag.name, flag, bool)
            yield _test(f"not {flag.name}", flag, lambda value: not value)
        yield from self._presence([each for each in self.variables.values() if each.domain in (SHARE, RATIO)])
        stride, width, left = (self.variables.get(name) for name in ("stride", "in_channels", "out_channels"))
        strided = stride is not None and stride.is_open
        if stride is not None and strided:
            yield _test("stride == 1", stride, lambda value: value == 1)
            yield _test("stride > 1", stride, lambda value: value > 1)
        for one, other in [(left, width), *((each, width) for each in self.open(CHANNELS) if each.is_property)]:
            if one is not None and other is not None and one.is_open and one is not other:
                names = (other, one) if one is left else (one, other)
                for sign, holds in (("==", _equal), ("!=", _unequal)):
                    yield computed(f"{names[0].name} {sign} {names[1].name}", holds, one.term, other.term)
        if stride is not None and strided and left is not None and width is not None:
            terms = (stride.term, width.term, left.term)
            yield computed("stride == 1 and in_channels == out_channels", lambda s, i, o: s == 1 and i == o, *terms)
            yield computed("stride > 1 or in_channels != out_channels", lambda s, i, o: s > 1 or i != o, *terms)
        yield from self._presence(self.open(ACTIVATION))
        for each in self.variables.values():
            if each.is_open and each.domain in (CHANNELS, RATIO) and each.name not in ("in_channels", "out_channels"):
                yield _test(f"{each.name} > 1", each, lambda value: value > 1)


def computed(text: str, rule: Callable[..., Any], *terms: Term) -> Term:
    """A term computed from variables."""
    return Term(text, rule, tuple(term.of[0] if term.rule is _itself else term.vector() for term in terms))


def _products(width: Term, ratio: Term) -> Iterator[Term]:
    product = f"{width.text} * {ratio.text}" if ratio.text.isidentifier() else f"{ratio.text} * {width.text}"
    yield computed(product, lambda w, r: w * r if isinstance(r, int) else ANY, width, ratio)
    yield computed(f"round({product})", lambda w, r: round(w * r), width, ratio)
    yield computed(f"int({product})", lambda w, r: int(w * r), width, ratio)
    yield computed(f"max(1, round({product}))", lambda w, r: max(1, round(w * r)), width, ratio)
    yield computed(f"max(1, int({product}))", lambda w, r: max(1, int(w * r)), width, ratio)


def _ceil_division(width: int, ratio: Any) -> Any:
    return -(-width // ratio) if isinstance(ratio, int) and ratio > 0 else ANY


def _test(text: str, of: Variable, holds: Callable[[Any], bool]) -> Term:
    return Term(text, holds, (of.vector,))


def _itself(value: Any) -> Any:
    return value


def _positive(value: Any) -> bool:
    return bool(value > 0)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)


def _unequal(one: Any, other: Any) -> bool:
    return bool(one != other)


def names_in(text: str) -> set[str]:
    """The identifiers of an expression."""
    return set(re.findall(r"[A-Za-z_]\w*", text))
