"""The error class of the engine and the checks that raise it.

Each message names the argument, its value and the broken relation. If the path of the layer is known, it comes first:
``stage4.1.depthwise.conv: groups = 3 must divide in_channels = 64``.
"""

import math
import operator
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from numbers import Rational, Real
from typing import Any, NoReturn, Self, TypeVar

_T = TypeVar("_T")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200

MAX_CHANNELS = 2**20
MAX_FEATURES = 2**31 - 1
MAX_RESOLUTION = 2**14
MAX_BLOCKS = 1_000
# No published network has more layers at 1,000 blocks.
MAX_LAYERS = 20_000
# Of a table or grid of networks.
MAX_CELLS = 20_000
MAX_MULTIPLIER = 1_000.0
_MOST_CHOICES = 40
_MOST_COMPARED = 1_000


class DesignError(ValueError):
    """A value that is illegal in any network, or that torch rejects."""

    def __init__(self, problem: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.problem = problem  # the message without the path
        self.path = path  # of the layer; "" if the error is not about one layer

    def at(self, prefix: str) -> Self:
        """Return the same error with `prefix` before its path."""
        return type(self)(self.problem, path=".".join(part for part in (prefix, self.path) if part))

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self.problem, path=self.path), ()


class UnknownNameError(DesignError):
    """A name that is not among the choices."""


def if_legal(make: Callable[[], _T]) -> _T | None:
    """Return what `make` returns; None if it raises a `DesignError`.

    For variations of a legal setting, such as "the kernel grows by 2", which may be illegal themselves.
    """
    try:
        return make()
    except DesignError:
        return None


class UncountedLayerError(DesignError, NotImplementedError):
    """A layer without a counting rule. An unknown layer never counts as zero."""


def show(value: object) -> str:
    """Format `value` for a message, in at most about 80 characters."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001 -- the __repr__ of a foreign value may raise anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"


def fail(argument: str, value: object, relation: str) -> NoReturn:
    """Raise `DesignError`: "argument = value relation"."""
    name = argument if len(argument) <= 200 else show(argument)
    raise DesignError(f"{name} = {show(value)} {relation}")


def unknown(what: str, value: object, choices: Iterable[str]) -> NoReturn:
    """Raise `UnknownNameError` with the most similar choice and a list of the choices."""
    listed = sorted(choices)
    # An uploaded file can contain very many or very long names, and the comparison is slow.
    is_short = isinstance(value, str) and len(value) < 100
    compared = {each.lower(): each for each in listed[:_MOST_COMPARED]}
    near = get_close_matches(str(value).lower(), compared, n=1) if is_short else []
    hint = f"; did you mean {show(compared[near[0]])}?" if near else "."
    names = ", ".join(each if len(each) <= 80 else show(each) for each in listed[:_MOST_CHOICES])
    more = f" and {len(listed) - _MOST_CHOICES} more" if len(listed) > _MOST_CHOICES else ""
    raise UnknownNameError(f"{what} = {show(value)} is unknown{hint} Choices: {names or 'none'}{more}")


def look_up(what: str, name: Any, choices: Mapping[str, _T]) -> _T:
    """Return the choice called `name`; raise `UnknownNameError` if there is none."""
    if not isinstance(name, str) or name not in choices:
        unknown(what, name, choices)
    return choices[name]


def whole(argument: str, value: Any, minimum: float = 1, maximum: float = MAX_CHANNELS) -> int:
    """Return `value` as an int within the limits; booleans and floats are errors."""
    if type(value) is not int:
        if isinstance(value, bool):
            fail(argument, value, "must be an integer")
        try:
            value = operator.index(value)
        except TypeError:
            fail(argument, value, "must be an integer")
    if value < minimum:
        fail(argument, value, f"must be at least {minimum}")
    if value > maximum:
        fail(argument, value, f"must be at most {maximum}")
    return int(value)


def number(argument: str, value: Any, minimum: float, maximum: float, *, open_below: bool = False) -> float:
    """Return `value` as a finite float within the limits; `open_below` excludes the minimum."""
    # The type check comes first because it is fast and nearly all values are floats.
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real)):
        fail(argument, value, "must be a number")
    # An integer or a fraction can exceed the range of floats, so it is compared without conversion.
    compared: Any = value if type(value) is not float and isinstance(value, Rational) else float(value)
    if type(compared) is float and not math.isfinite(compared):
        fail(argument, value, "must be finite")
    if compared < minimum or (open_below and compared == minimum):
        fail(argument, value, f"must be {'greater than' if open_below else 'at least'} {minimum:g}")
    if compared > maximum:
        fail(argument, value, f"must be at most {maximum:g}")
    return float(compared)


def multiplier(argument: str, value: Any) -> float:
    """Return `value` as the multiplier of a width or depth."""
    return number(argument, value, 0, MAX_MULTIPLIER, open_below=True)


def one_of(argument: str, value: Any, choices: Collection[str]) -> str:
    """Return `value` if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        fail(argument, value, f"must be one of {', '.join(choices)}")
    return value


def flag(argument: str, value: Any) -> bool:
    """Return `value` if it is a bool."""
    if not isinstance(value, bool):
        fail(argument, value, "must be true or false")
    return value


def check_cells(argument: str, value: Any, count: float) -> None:
    """Raise `DesignError` if the grid or table that `argument` makes has more than `MAX_CELLS` points."""
    if count > MAX_CELLS:
        size = f"{count:,.0f}" if count < 1e15 else "more than 1e15"
        fail(argument, value, f"makes a grid of {size} points, at most {MAX_CELLS:,}")


def text(argument: str, value: Any, maximum: int = 2_000) -> str:
    """Return `value` if it is a string of at most `maximum` characters."""
    if not isinstance(value, str):
        fail(argument, value, "must be text")
    if len(value) > maximum:
        fail(argument, value, f"must have at most {maximum} characters")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        fail(argument, value, "must not contain half of a surrogate pair")
    return value


class Cancelled(Exception):  # noqa: N818 -- cancelling is not an error
    """Raised by a job that was cancelled."""
