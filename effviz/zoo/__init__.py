"""Published networks as stage tables, one file per family.

Each file of this folder that declares `ARCHITECTURES` and `PUBLISHED`, the month of its first paper, is a family. A new
file needs no other registration. `GROUPS` lists the published numbers of groups, where a network has several, and
`VARIANTS` the implementations that differ from the default; `ALIASES` are further names of a network at one width.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from effviz.core.arguments import check_public
from effviz.core.errors import look_up, unknown
from effviz.model.design import Design
from effviz.model.variants import DEFAULT, Variant

_COMMON = ("width_mult", "depth_mult", "resolution", "num_classes", "in_channels", "variant")


def _families() -> Iterator[ModuleType]:
    """Import the families in the order of publication."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if not found.ispkg)
    yield from sorted(modules, key=lambda module: str(module.PUBLISHED))


ARCHITECTURES: dict[str, Callable[..., Design]] = {
    name: make for family in _families() for name, make in family.ARCHITECTURES.items()
}
"""All architectures by name, in the order of publication of their families."""

GROUPS: dict[str, tuple[int, ...]] = {
    name: counts for family in _families() for name, counts in vars(family).get("GROUPS", {}).items()
}
"""The published numbers of groups of every architecture with the option `groups`."""

ALIASES: dict[str, tuple[str, float]] = {
    name: alias for family in _families() for name, alias in vars(family).get("ALIASES", {}).items()
}
"""Further names that `architecture` accepts, with the network and its width multiplier."""

VARIANTS: dict[str, dict[str, Variant | Callable[..., Variant]]] = {
    name: entries for family in _families() for name, entries in vars(family).get("VARIANTS", {}).items()
}
"""The variants of every architecture that has some, by name, without the default.

A function takes the options of the family and returns the variant.
"""


def list_architectures() -> list[str]:
    """Return the names of all networks, sorted. `ALIASES` has further names of some of them."""
    return sorted(ARCHITECTURES)


def architecture(name: str, **options: Any) -> Design:
    """Return a published network as a `Design`.

    Args:
        name: one of `list_architectures()` or of `ALIASES`.
        **options: ``width_mult``, ``depth_mult`` (relative to the named network), ``resolution`` (in pixels, one side
            or ``(height, width)``), ``num_classes``, ``in_channels`` (of the image), ``variant``, and the options of
            the family (``groups`` for ShuffleNetV1, ResNeXt and CondenseNet, see `GROUPS`). None is the default.

    A ``variant`` is an implementation that differs from the default, ``"paper"``: ``"torchvision"``, ``"timm"``,
    ``"keras"``, ``"authors"`` (their code), or widespread code, ``"teaching"``. `list_variants` lists those of a
    network. The design keeps the rules of its variant when it is scaled; ``design.notes`` lists the differences.

    Raises:
        UnknownNameError: the name or an option is unknown; the message lists the choices.
        DesignError: the value of an option is illegal for this network.
    """
    if isinstance(name, str) and name in ALIASES:
        network, width_mult = ALIASES[name]
        return architecture(network, **options).scaled(width_mult=width_mult)
    make = look_up("architecture", name, ARCHITECTURES)
    special = _special_options(name)
    for option in options:
        # A caller that has no choice of groups passes None for any family.
        if option not in special and option not in _COMMON and (option, options[option]) != ("groups", None):
            unknown(f"option of {name}", option, [*_COMMON, *special])
    options = _given(options)
    chosen = {option: value for option, value in options.items() if option in special}
    design = make(**chosen) if chosen else _unscaled(name)
    named = options.get("variant")
    if named is not None and named not in list_variants(name):
        unknown(f"variant of {name}", named, list_variants(name))
    if named not in (None, DEFAULT):
        design = variant(name, named, **chosen).applied(named, design)
    if "num_classes" in options:
        design = design.with_num_classes(options["num_classes"])
    if "in_channels" in options:
        design = replace(design, in_channels=options["in_channels"])
    scaling = {option: options[option] for option in _COMMON[:3] if option in options}
    return design.scaled(**scaling) if scaling else design


def list_variants(name: str) -> list[str]:
    """Return the variants of an architecture that `architecture` accepts, the default first."""
    if isinstance(name, str) and name in ALIASES:
        name, _ = ALIASES[name]
    look_up("architecture", name, ARCHITECTURES)
    return [DEFAULT, *VARIANTS.get(name, {})]


def variant(name: str, named: str, **options: Any) -> Variant:
    """Return the rules of a variant.

    Args:
        name: of the architecture.
        named: of the variant, one of `list_variants(name)` except the default, which has no rules.
        **options: those of the family, such as ``groups``; None is the default.

    Raises:
        UnknownNameError: the architecture has no such variant; the message lists the existing ones.
    """
    known = VARIANTS.get(name, {})
    if not isinstance(named, str) or named not in known:
        unknown(f"variant of {name}", named, list_variants(name))
    found = known[named]
    return found if isinstance(found, Variant) else found(**_given(options))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in options.items() if value is not None}


def default_groups(name: str) -> int | None:
    """Return the groups of an architecture without the option `groups`; None if it has no such option."""
    option = inspect.signature(look_up("architecture", name, ARCHITECTURES)).parameters.get("groups")
    return None if option is None else int(option.default)


@cache
def _special_options(name: str) -> tuple[str, ...]:
    """Return the options of the family beyond the common ones."""
    return tuple(inspect.signature(ARCHITECTURES[name]).parameters)


@cache
def _unscaled(name: str) -> Design:
    return ARCHITECTURES[name]()


check_public(globals())
