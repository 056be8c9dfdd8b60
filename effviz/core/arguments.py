"""Checks of the arguments of public functions, by their annotations.

`check_public(globals())` at the end of a module makes its public functions check and convert their arguments before
they run. Wrong arguments then raise `DesignError` with the name of the argument, and numpy's integers, which overflow
silently, become Python's. Integers have at most 300 digits, other numbers are finite. `Within` in an annotation sets
narrower limits.

`check_border(globals())` does the same for calls from outside of effviz only: a call from effviz costs 0.4 microseconds
more, a check 3. There, another error of the function also becomes a `DesignError`, which lists the arguments.
"""

import collections.abc
import inspect
import math
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from functools import reduce, wraps
from itertools import chain, islice, repeat
from typing import Annotated, Any, NamedTuple, TypeVar

from effviz.core.errors import (
    MAX_RESOLUTION,
    DesignError,
    fail,
    flag,
    number,
    show,
    text,
    whole,
)

_F = TypeVar("_F", bound=Callable[..., Any])
_Convert = Callable[[str, Any], Any]

# Errors that a wrong argument causes deep inside a function.
_BY_ARGUMENTS = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, StopIteration, TypeError, ValueError,
)  # fmt: skip
_LARGEST = 10**300  # fits into a float
_LONGEST = 1_000_000  # characters, or elements of an iterator


class Within(NamedTuple):
    """Limits of a number, inclusive, in an annotation: ``Annotated[int, Within(1, 64)]``."""

    minimum: float
    maximum: float


# Numbers with these names have these limits.
_BY_NAME = {"indent": (0, 100), "batch_size": (1, MAX_RESOLUTION), "most": (1, 1_000)}

_OWN: dict[Any, _Convert] = {}
_PACKAGE = __name__.partition(".")[0]


def convert_as(hint: Any, convert: _Convert) -> None:
    """Declare the check of each argument annotated with `hint`: a function of its name and value."""
    _OWN[hint] = convert


def check_public(namespace: dict[str, Any]) -> None:
    """Replace the public functions that a module defines, see `checked`."""
    namespace |= {name: checked(function) for name, function in _public(namespace)}


def check_border(namespace: dict[str, Any]) -> None:
    """Replace the public functions that a module defines by ones that check calls from outside of effviz."""
    namespace |= {name: checked(function, border=True) for name, function in _public(namespace)}


def _public(namespace: dict[str, Any]) -> list[tuple[str, Callable[..., Any]]]:
    return [
        (name, value)
        for name, value in namespace.items()
        if getattr(value, "__module__", "") == namespace["__name__"]
        and not name.startswith("_")
        and callable(value)
        and not isinstance(value, type)
    ]


def check_methods(*kinds: type) -> None:
    """Replace the public methods of classes, see `checked`."""
    for kind in kinds:
        for name, value in list(vars(kind).items()):
            if not name.startswith("_") and isinstance(value, types.FunctionType):
                setattr(kind, name, checked(value))
            elif not name.startswith("_") and isinstance(value, classmethod):
                setattr(kind, name, classmethod(checked(value.__func__)))


class _Plan(NamedTuple):
    """The checks of a function; None where anything is legal."""

    places: list[tuple[str, _Convert | None]]  # of the positional arguments
    further: tuple[str, _Convert | None]  # of the arguments beyond them
    names: dict[str, _Convert | None]  # of the keyword arguments
    others: _Convert | None  # of the keywords beyond them


def checked(function: _F, *, border: bool = False) -> _F:
    """Return a function that converts its arguments by their annotations before it runs.

    A wrong number of arguments stays a `TypeError`.

    Args:
        function: to call.
        border: leave the arguments of calls from effviz as they are.
    """
    if hasattr(function, "_is_checked"):
        return function
    converted = _conversion(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*converted(args, kwargs), **kwargs)

    def call_at_border(*args: Any, **kwargs: Any) -> Any:
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
            return function(*args, **kwargs)
        given = converted(args, kwargs)
        try:
            return function(*given, **kwargs)
        except _BY_ARGUMENTS as error:
            if not isinstance(error, DesignError):
                _explain(function, given, kwargs, error)
            raise

    return _replacement(call_at_border if border else call, function)


def _explain(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], error: Exception) -> None:
    """Raise a `DesignError` that names the arguments of a call, unless their number is wrong."""
    try:
        found = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return
    given = ", ".join(f"{name} = {show(value)}" for name, value in found.items())
    raise DesignError(f"{function.__name__} has no result for {given}: {show(error)}") from error


def checked_late(function: _F) -> _F:
    """Return a function that checks its arguments only if it fails: for functions that run for every layer."""
    converted = _conversion(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DesignError:
            raise
        except Exception:  # noqa: BLE001 -- any exception can come from a wrong argument
            return function(*converted(args, kwargs), **kwargs)

    return _replacement(call, function)


def _replacement(call: Callable[..., Any], function: _F) -> _F:
    for attribute in ("cache_clear", "cache_info"):
        if hasattr(function, attribute):
            setattr(call, attribute, getattr(function, attribute))
    vars(call)["_is_checked"] = True
    if hasattr(function, "cache_info"):
        vars(call)["remembered"] = function
    return typing.cast(_F, wraps(function)(call))


def _conversion(function: Callable[..., Any]) -> Callable[[tuple[Any, ...], dict[str, Any]], list[Any]]:
    """Return a function that returns converted positional arguments, and converts keyword arguments in place."""
    plan: _Plan | None = None

    def converted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        nonlocal plan
        if plan is None:  # at the first call, because modules import each other
            plan = _planned(function)
        for name, value in kwargs.items():
            convert = plan.names.get(name, plan.others)
            if convert is not None:
                kwargs[name] = convert(name, value)
        places = plan.places if len(args) <= len(plan.places) else chain(plan.places, repeat(plan.further))
        return [
            value if convert is None else convert(name, value)
            for (name, convert), value in zip(places, args, strict=False)
        ]

    return converted


def _planned(function: Callable[..., Any]) -> _Plan:
    original = inspect.unwrap(function)
    scope = getattr(original, "__globals__", {})
    plan = _Plan([], ("", None), {}, None)
    for name, parameter in inspect.signature(original).parameters.items():
        hint = parameter.annotation
        if isinstance(hint, str):
            try:
                # Modules import some types for type checkers only.
                hint = eval(hint, {getattr(kind, "__name__", ""): kind for kind in _OWN} | scope)
            except NameError:
                hint = Any
        convert = _converter(hint, _BY_NAME.get(name))
        if parameter.kind is parameter.VAR_POSITIONAL:
            plan = plan._replace(further=(name, convert))
        elif parameter.kind is parameter.VAR_KEYWORD:
            plan = plan._replace(others=convert)
        else:
            if parameter.kind is not parameter.KEYWORD_ONLY:
                plan.places.append((name, convert))
            if parameter.kind is not parameter.POSITIONAL_ONLY:
                plan.names[name] = convert
    return plan


# --- one annotation --------------------------------------------------------------------------------------------------


def _real(name: str, value: Any) -> Any:
    """Return a finite number. An integer stays one, because a float has fewer digits."""
    if type(value) is int or hasattr(value, "__index__"):
        return _integer(name, value)
    return number(name, value, -_LARGEST, _LARGEST)


def _integer(name: str, value: Any) -> int:
    found = whole(name, value, -math.inf, math.inf)
    if abs(found) > _LARGEST:
        fail(name, value, "must have at most 300 digits")
    return found


def _text(name: str, value: Any) -> str:
    # A subclass could compare and hash in its own way.
    return str.__str__(text(name, value, _LONGEST))


_SIMPLE: dict[Any, _Convert | None] = {
    Any: None, object: None, inspect.Parameter.empty: None, int: _integer, float: _real, str: _text, bool: flag,
}  # fmt: skip
_SEQUENCES = (list, tuple, collections.abc.Sequence)
_ITERABLES = (
    collections.abc.Iterable, collections.abc.Collection, collections.abc.Iterator, set, frozenset, *_SEQUENCES,
)  # fmt: skip


def _converter(hint: Any, limits: tuple[float, float] | None = None) -> _Convert | None:
    """Return the check of an annotation; None if it permits anything. The limits are those of a number."""
    if limits and hint in (int, float):
        return _limited(hint, Within(*limits))
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in _OWN:
        return _OWN[hint]
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if origin is Annotated:
        return _limited(*inner)
    if origin in (typing.Union, types.UnionType):
        return _either(inner, limits)
    if origin is type:
        return _kind(inner[0] if isinstance(inner[0], type) else object)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return _fixed_tuple([_converter(each) for each in inner])
    if origin in _ITERABLES:
        return _elements(origin, _converter(inner[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(*(_converter(each) for each in inner))
    if hint is Callable or origin is collections.abc.Callable:
        return _callable
    found = origin or hint
    return _instance(found) if isinstance(found, type) else None


def _limited(hint: Any, limits: Within) -> _Convert:
    if hint is int:
        return lambda name, value: whole(name, value, int(limits.minimum), int(limits.maximum))
    return lambda name, value: _unchanged(_real(name, value), number(name, value, *limits))


def _unchanged(value: Any, _: float) -> Any:
    return value


def _either(hints: tuple[Any, ...], limits: tuple[float, float] | None) -> _Convert | None:
    """Return the check of a union: the first that accepts the value."""
    others = tuple(hint for hint in hints if hint is not type(None))
    union = reduce(operator.or_, others)
    accepts = [_OWN[union]] if union in _OWN else [_converter(hint, limits) for hint in others]
    if None in accepts:
        return None
    permits_none = len(others) < len(hints)

    def convert(name: str, value: Any) -> Any:
        if value is None and permits_none:
            return None
        problems = []
        for each in accepts:
            try:
                return typing.cast(_Convert, each)(name, value)
            except DesignError as error:
                problems.append(error)
        raise problems[0]

    return convert


def _instance(kind: type) -> _Convert:
    def convert(name: str, value: Any) -> Any:
        if not isinstance(value, kind):
            fail(name, value, f"must be of the type {kind.__name__}")
        return value

    return convert


def _kind(base: type) -> _Convert:
    def convert(name: str, value: Any) -> Any:
        if not isinstance(value, type) or not issubclass(value, base):
            fail(name, value, f"must be a subclass of {base.__name__}")
        return value

    return convert


def _callable(name: str, value: Any) -> Any:
    if not callable(value):
        fail(name, value, "must be a function")
    return value


_NO_SEQUENCES = (str, bytes, bytearray, Mapping)


def _elements(kind: Any, convert: _Convert | None) -> _Convert:
    """Return the check of a sequence, or of another iterable, which becomes a tuple."""
    accepted = (list, tuple) if kind in (list, tuple) else kind

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, accepted) or isinstance(value, _NO_SEQUENCES) or getattr(value, "shape", 1) == ():
            fail(name, value, "must be a sequence")
        if isinstance(value, collections.abc.Sized) and len(value) > _LONGEST:
            fail(name, len(value), f"is the number of elements, which must be at most {_LONGEST}")
        if not isinstance(value, collections.abc.Sized):
            value = tuple(islice(value, _LONGEST))
        if kind is tuple and type(value) is not tuple:
            value = tuple(value)
        if convert is None:
            return value
        found = [convert(f"{name}[{place}]", each) for place, each in enumerate(value)]
        if all(map(_is_same, found, value)):
            return value
        return found if isinstance(value, list) else tuple(found)

    return check


def _is_same(one: Any, other: Any) -> bool:
    return one is other


def _fixed_tuple(converts: list[_Convert | None]) -> _Convert:
    def check(name: str, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(converts):
            fail(name, value, f"must be a sequence of {len(converts)} values")
        found = tuple(
            each if convert is None else convert(f"{name}[{place}]", each)
            for place, (convert, each) in enumerate(zip(converts, value, strict=True))
        )
        return value if isinstance(value, tuple) and all(map(_is_same, found, value)) else found

    return check


def _mapping(key: _Convert | None = None, entry: _Convert | None = None) -> _Convert:
    def check(name: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            fail(name, value, "must map keys to values")
        found = {
            each if key is None else key(f"key of {name}", each): (
                content if entry is None else entry(f"{name}[{show(each)}]", content)
            )
            for each, content in value.items()
        }
        same = all(map(_is_same, found, value)) and all(map(_is_same, found.values(), value.values()))
        return value if same else found

    return check
