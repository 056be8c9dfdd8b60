"""The claims of the literature, one per printed number, as text with all printed digits."""

import csv
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution, parse_resolution
from effviz.model.design import Design
from effviz.zoo import GROUPS, architecture
from effviz.zoo.published import COLUMNS

QUANTITIES = {"params": "Parameters", "mult_adds": "Multiply-adds", "top1": "Top-1", "latency_ms": "Latency"}
"""Quantities of a claim, which are columns of the table, and their names."""

COURSE = "Course notes"
"""First characters of the source of the course notes' rows."""

_DOCUMENT = re.compile(
    r" arXiv |[,;:] | Tables? | @| \(| README| docs/| models metadata| results/| templates/| models/off| MODEL"
    r"| research/| ghostnet_| forums| efficientnetv2/"
)
_IDENTIFIERS = re.compile(
    r" arXiv [\d.]+(?:v\d)?| @\w+| \([^)]*\)|[,;] .*| research/\S*(?=/README)|(?<=/models) official/\S*(?=/)"
)


class ClaimRow(NamedTuple):
    """A row of the table of published figures, as text; see `effviz.zoo.published.published`."""

    design: str
    scale: str
    depth_scale: str
    architecture: str
    variant: str
    width_mult: str
    depth_mult: str
    resolution: str
    groups: str
    params: str
    mult_adds: str
    top1: str
    latency_ms: str
    latency_device: str
    source: str
    notes: str
    wrong: str

    @property
    def title(self) -> str:
        """Name of the network, with its family where the variant lacks it: ``MobileNetV1 0.75_224``."""
        inside, name = ("".join(filter(str.isalnum, text)).lower() for text in (self.variant, self.architecture))
        return self.variant if name in inside else f"{self.architecture} {self.variant}"


@cache
def rows() -> tuple[ClaimRow, ...]:
    """Read the published figures and those of the course notes, in this order."""
    found: list[ClaimRow] = []
    for name in ("published.csv", "course_notes.csv"):
        with files("effviz.zoo.published").joinpath(name).open(encoding="utf-8") as file:
            found += [ClaimRow(*(line[column] for column in COLUMNS)) for line in csv.DictReader(file)]
    return tuple(found)


class ClaimedNetwork(NamedTuple):
    """A network of the zoo with its multipliers."""

    name: str
    width: float
    depth: float
    groups: int | None  # of networks with several numbers of groups
    resolution: Resolution | None  # None for the network's own

    def design(self) -> Design:
        """Build the network.

        Raises:
            DesignError: the family has no such network.
        """
        return _design(self)


@remembered
def _design(where: ClaimedNetwork) -> Design:
    design = architecture(where.name, groups=where.groups).scaled(width_mult=where.width, depth_mult=where.depth)
    return design if where.resolution is None else design.scaled(resolution=where.resolution)


def document(source: str) -> str:
    """Return the document of a source, without its table: ``MobileNets paper``."""
    return _DOCUMENT.split(source, maxsplit=1)[0]


def brief(source: str) -> str:
    """Return a source without identifiers and notes: ``MobileNets paper Table 4``."""
    return _IDENTIFIERS.sub("", source)


@remembered
def place(row: ClaimRow) -> ClaimedNetwork | str:
    """Return the network that a row is about, or a sentence that says why it cannot be built."""
    if not row.design:
        return f"{row.architecture} in this form is not a network of the zoo."
    if not row.scale:
        return "The source does not print the multipliers."
    groups = int(row.groups) if row.groups and row.design in GROUPS else None
    found = ClaimedNetwork(
        row.design, float(row.scale), float(row.depth_scale or 1), groups,
        parse_resolution(row.resolution) if row.resolution else None,
    )  # fmt: skip
    try:
        found.design()
    except DesignError as error:
        return f"{error}."
    return found


check_border(globals())
