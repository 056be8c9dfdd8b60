"""Many cheap cases in one test: a loop that names the case that failed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import pytest

_PARAMETERS = type(pytest.param())


def for_each(
    names: str | Sequence[str], cases: Iterable[Any], ids: Callable[[Any], object] | Iterable[object] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test once per case, as ``pytest.mark.parametrize`` with the same arguments does, but as one test.

    A thousand parametrized tests cost five seconds more than one loop, for their collection and reports.
    Function-scoped fixtures are made once for all cases. Expensive cases stay parametrized, so that processes share
    them.

    Args:
        names: of the arguments, as a sequence or separated by commas.
        cases: values, or tuples of values for several names, or ``pytest.param`` without marks.
        ids: descriptions of the cases, or a function from a value to one; by default the values themselves.
    """
    wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    found = [_values(case, len(wanted)) for case in cases]
    assert found, "a test without cases tests nothing"
    assert {len(values) for values in found} == {len(wanted)}
    labels = None if ids is None or callable(ids) else list(ids)
    assert labels is None or len(labels) == len(found)

    def label(place: int) -> str:
        if labels is not None:
            return f"{labels[place]}"
        described = [ids(value) if callable(ids) else value for value in found[place]]
        return ", ".join(f"{name} = {value!r:.300}" for name, value in zip(wanted, described, strict=True))

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)
        assert set(wanted) <= set(signature.parameters)

        # Without the attributes of hypothesis, which runs the inner function.
        @wraps(test, updated=())
        def loop(**fixtures: Any) -> None:
            for place, values in enumerate(found):
                try:
                    test(**dict(zip(wanted, values, strict=True)), **fixtures)
                except BaseException as error:
                    error.add_note(f"case {place}: {label(place)}")
                    raise

        rest = [parameter for name, parameter in signature.parameters.items() if name not in wanted]
        vars(loop)["__signature__"] = signature.replace(parameters=rest)
        vars(loop)["pytestmark"] = list(getattr(test, "pytestmark", []))
        return loop

    return decorate


def _values(case: Any, count: int) -> tuple[Any, ...]:
    if isinstance(case, _PARAMETERS):
        assert not case.marks
        return tuple(case.values)
    return (case,) if count == 1 else tuple(case)
