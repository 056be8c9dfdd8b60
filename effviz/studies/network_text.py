"""A network as one short text, for addresses and for typing: ``mobilenet_v2-w0.75-r192``.

The text is the name of a published network, followed by what differs from it, or ``studio-`` and a packed design. It
contains only letters, digits, ``-``, ``_`` and ``.``, which addresses show unchanged. Texts in a list are separated by
spaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from effviz.core import errors
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, UnknownNameError, fail, if_legal
from effviz.core.resolution import compact_size, in_pixels, parse_resolution
from effviz.model.design import Design, as_design
from effviz.model.draft import Draft
from effviz.zoo import ALIASES, ARCHITECTURES, GROUPS, architecture, default_groups

MOST = 30
"""Networks of one list."""

STUDIO = "studio-"
_LONGEST = 2**20
_NUMBER = re.compile(r"\d{1,400}(\.\d{1,400})?")
_FORM = "must be a name and what differs from it, such as mobilenet_v2-w0.75-r192"


@dataclass(frozen=True)
class Network:
    """A network of the zoo with its multipliers, or another design.

    Attributes:
        design: that is built.
        name: in the zoo; empty for another design.
        width, depth: multipliers relative to the named network.
        groups: of a network that exists with several; None elsewhere.
    """

    design: Design
    name: str = ""
    width: float = 1.0
    depth: float = 1.0
    groups: int | None = None

    @property
    def base(self) -> Design:
        """The named network; the design itself if it has no name in the zoo."""
        return _named(self.name, self.groups) if self.name else self.design

    @cached_property
    def text(self) -> str:
        """The text that `parse_network` reads."""
        if not self.name:
            return f"{STUDIO}{Draft.of(self.design).packed()}"
        return "-".join([self.name, *(f"{mark.letter}{written}" for mark, written in self._differences())])

    @cached_property
    def label(self) -> str:
        """The network and what differs from the published one, for reading: ``MobileNetV2 0.75×, 192 px``."""
        if not self.name:
            title = self.design.title or self.design.name
            known = title in (make().title for make in ARCHITECTURES.values())
            return f"{title}, edited" if known else title
        title = self.base.title
        return "".join([title, *(mark.words(written, self) for mark, written in self._differences() if mark.words)])

    def _differences(self) -> Iterable[tuple[_Mark, str]]:
        base = _named(self.name, None)
        for mark in _MARKS:
            value = mark.value(self)
            if value is not None and value != mark.usual(base):
                yield mark, mark.write(value)


class _Mark(NamedTuple):
    """A letter of the text, and what it changes."""

    letter: str
    option: str  # of `effviz.zoo.architecture`
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    value: Callable[[Network], Any]
    usual: Callable[[Design], Any]  # value of the named network
    words: Any  # text of the label, from the written value and the network; None if the title contains it


def _decimal(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        fail("number", text, "must be a decimal number, such as 0.75")
    return float(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 20:
        fail("number", text, "must be a whole number")
    return int(text)


def _plain(value: float) -> str:
    """Write a float with all its digits and without an exponent."""
    return f"{Decimal(repr(float(value))):f}".removesuffix(".0")


_MARKS = (
    _Mark("g", "groups", _whole, str, lambda each: each.groups, lambda base: default_groups(base.name), None),
    _Mark("w", "width_mult", _decimal, _plain, lambda each: each.width, lambda _: 1.0,
          lambda _, each: f" {each.width:.4g}×"),
    _Mark("d", "depth_mult", _decimal, _plain, lambda each: each.depth, lambda _: 1.0,
          lambda _, each: f", depth {each.depth:.4g}×"),
    _Mark("r", "resolution", parse_resolution, compact_size, lambda each: each.design.resolution,
          lambda base: base.resolution, lambda _, each: f", {in_pixels(each.design.resolution)}"),
    _Mark("c", "num_classes", _whole, str, lambda each: each.design.num_classes, lambda base: base.num_classes,
          lambda text, _: f", {text} classes"),
    _Mark("i", "in_channels", _whole, str, lambda each: each.design.in_channels, lambda base: base.in_channels,
          lambda text, _: f", {text}-channel image"),
)  # fmt: skip
_BY_LETTER = {mark.letter: mark for mark in _MARKS}


def _named(name: str, groups: int | None) -> Design:
    return architecture(name, groups=groups)


def parse_network(text: str) -> Network:
    """Read the text of a network.

    Args:
        text: a name of the zoo or of `ALIASES`, followed by any of ``-w0.75`` (width multiplier), ``-d1.4`` (depth
            multiplier), ``-r192`` or ``-r512x2048`` (resolution), ``-g8`` (groups), ``-c10`` (classes) and ``-i1``
            (channels of the image), each at most once; or ``studio-`` and a packed design.

    Raises:
        UnknownNameError: there is no such network.
        DesignError: a part of the text is illegal, or the network cannot be built.
    """
    return _parsed(errors.text("network", text, _LONGEST))


@remembered
def _parsed(text: str) -> Network:
    if text.startswith(STUDIO):
        design = Draft.unpacked(text.removeprefix(STUDIO)).design
        if design is None:
            raise DesignError("the table of the design has no rows")
        found = network_of(design)
    else:
        name, *parts = text.split("-")
        name, factor = ALIASES.get(name, (name, 1.0))
        options: dict[str, Any] = {}
        for part in parts:
            mark = _BY_LETTER.get(part[:1])
            if mark is None:
                fail("network", text, f"{_FORM}; its letters are {', '.join(_BY_LETTER)}")
            if mark.option in options:
                fail("network", text, f"must have -{mark.letter} once")
            try:
                options[mark.option] = mark.read(part[1:])
            except DesignError as error:
                raise DesignError(f"{mark.option}: {error.problem}") from None
        if factor != 1:
            options["width_mult"] = factor * options.get("width_mult", 1.0)
        found = _network(name, **options)
    # Raises if a layer rejects its input.
    found.design.runs()
    return found


def _network(name: str, **options: Any) -> Network:
    design = architecture(name, **options)
    groups = options.get("groups", default_groups(name))
    return Network(design, name, options.get("width_mult", 1.0), options.get("depth_mult", 1.0), groups)


@remembered
def network_of(design: Design) -> Network:
    """Return a design with its name and multipliers in the zoo, if it is a network of the zoo."""
    as_design(design)
    if design.name not in ARCHITECTURES:
        return Network(design)
    for groups in GROUPS.get(design.name, (None,)):
        base = _named(design.name, groups)
        others = {"resolution": design.resolution, "num_classes": design.num_classes, "in_channels": design.in_channels}
        others |= {} if groups is None else {"groups": groups}
        ratios = design.width_mult / base.width_mult, design.depth_mult / base.depth_mult
        # A quotient of two rounded numbers is only almost the multiplier.
        for width, depth in (tuple(round(each, 12) for each in ratios), ratios):
            found = if_legal(lambda: _network(design.name, width_mult=width, depth_mult=depth, **others))  # noqa: B023
            if found is not None and found.design == design:
                return found
    return Network(design)


class Networks(NamedTuple):
    """Networks of a list, each once, and a phrase for each entry that is left out."""

    networks: tuple[Network, ...]
    problems: tuple[str, ...]


@remembered
def parse_networks(text: str) -> Networks:
    """Read a list of networks, separated by spaces, commas or line breaks; at most `MOST`."""
    networks: dict[Design, Network] = {}
    problems: list[str] = []
    for entry in text.replace(",", " ").split():
        shown = entry if len(entry) <= 40 else f"{entry[:37]}..."
        try:
            found = parse_network(entry)
        except UnknownNameError as error:
            problems.append(f"{shown} ({error.problem.partition(' Choices:')[0].rstrip('.')})")
        except DesignError as error:
            problems.append(f"{shown} ({error})")
        else:
            if found.design in networks:
                problems.append(f"{shown} (listed twice)")
            elif len(networks) == MOST:
                problems.append(f"{shown} (more than {MOST} networks)")
            else:
                networks[found.design] = found
    return Networks(tuple(networks.values()), tuple(problems))


def networks_text(networks: Iterable[Network]) -> str:
    """Return the text that `parse_networks` reads."""
    return " ".join(network.text for network in networks)


def distinct_labels(networks: Iterable[Network]) -> tuple[str, ...]:
    """Return the labels of networks; equal ones get a number."""
    found: dict[str, None] = {}
    for network in networks:
        label, number = network.label, 2
        while label in found:
            label, number = f"{network.label} ({number})", number + 1
        found[label] = None
    return tuple(found)


check_border(globals())
