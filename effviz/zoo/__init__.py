"""The zoo: published networks as stage tables, one file per family."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from effviz.core.errors import unknown
from effviz.model.design import Design
from effviz.zoo import (
    alexnet,
    densenet,
    efficientnet,
    ghostnet,
    mnasnet,
    mobilenet,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
)

ARCHITECTURES: dict[str, Callable[..., Design]] = {
    name: make
    for family in (
        alexnet, vgg, resnet, densenet, squeezenet, mobilenet, shufflenet, mnasnet, efficientnet, ghostnet
    )
    for name, make in family.ARCHITECTURES.items()
}  # fmt: skip
"""Every architecture by name, in the order in which its family was published."""


def list_architectures() -> list[str]:
    """The names that `architecture` knows, sorted."""
    return sorted(ARCHITECTURES)


def architecture(name: str, **options: Any) -> Design:
    """A published network as a `Design`.

    Args:
        name: one of `list_architectures()`.
        **options: ``width_mult``, ``depth_mult`` (relative to the named network), ``resolution`` (pixels),
            ``num_classes``, and what the family adds (``groups`` for ShuffleNetV1).

    Raises:
        UnknownNameError: name or option unknown; the message lists the choices.
        DesignError: an option has a value that no such network has.
    """
    if not isinstance(name, str) or name not in ARCHITECTURES:
        unknown("architecture", name, ARCHITECTURES)
    own = _own_options(name)
    common = ["width_mult", "depth_mult", "resolution", "num_classes"]
    for option in options:
        if option not in own and option not in common:
            unknown(f"option of {name}", option, [*common, *own])
    asked = {option: value for option, value in options.items() if option in own}
    design = ARCHITECTURES[name](**asked) if asked else _unscaled(name)
    if options.get("num_classes") is not None:
        design = design.with_num_classes(options["num_classes"])
    scaling = {option: options[option] for option in common[:3] if options.get(option) is not None}
    return design.scaled(**scaling) if scaling else design


@cache
def _own_options(name: str) -> tuple[str, ...]:
    """What the family adds to the common options."""
    return tuple(inspect.signature(ARCHITECTURES[name]).parameters)


@cache
def _unscaled(name: str) -> Design:
    """The named network; a page asks for its title again and again."""
    return ARCHITECTURES[name]()
