"""Answers of lessons, computed from the engine by named functions.

A lesson contains a function's name and its arguments, never the number:
``{function: ratio, quantity: macs, of: {architecture: efficientnet_b0, phi: 1}, to: {architecture: efficientnet_b0}}``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, fail, look_up
from effviz.lessons import functions

Number = float
Function = Callable[..., Number]

FUNCTIONS: dict[str, Function] = {
    name: each
    for name, each in vars(functions).items()
    if inspect.isfunction(each) and each.__module__ == functions.__name__ and not name.startswith("_")
}
"""Functions that a lesson may name."""

REFERENCE = "$"
"""First character of a text that stands for a given value, such as ``$phi``."""


def substitute(value: Any, given: Mapping[str, Any]) -> Any:
    """Replace references to given values in nested arguments.

    Raises:
        DesignError: nothing of this name is given.
    """
    if isinstance(value, Mapping):
        return {name: substitute(each, given) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [substitute(each, given) for each in value]
    if isinstance(value, str) and value.startswith(REFERENCE):
        return look_up("given value", value.removeprefix(REFERENCE), given)
    return value


def compute(formula: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Number:
    """Compute the number that a formula of a lesson describes.

    Args:
        formula: the name of a function with its arguments.
        given: values for references in the arguments.

    Raises:
        DesignError: an unknown function, a wrong argument, or a network that cannot be built.
    """
    return _computed(json.dumps(substitute(formula, given or {}), sort_keys=True))


@remembered
def _computed(text: str) -> Number:
    arguments = json.loads(text)
    name = arguments.pop("function", None)
    function = look_up("function", name, FUNCTIONS)
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise DesignError(f"{name}: {error}") from None
    value = float(function(**arguments))
    if value != value:
        fail(str(name), value, "is not a number")
    return value
