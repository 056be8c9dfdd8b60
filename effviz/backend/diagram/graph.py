"""The graph of a diagram: nodes, edges and boxes with their numbers and texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from effviz.count import kinds
from effviz.model.layers import Shape

K = TypeVar("K")
V = TypeVar("V")


MARKS = {"added": "+ added", "removed": "\N{MINUS SIGN} removed", "edited": "≠ edited"}
"""Texts of the marks of stages that differ from those of another network."""


@dataclass(frozen=True)
class Node:
    """One node of a diagram."""

    id: str  # unique, of letters, digits, ``_``, ``-`` and dots; the path where there is one
    # "input", "output", "layer", "blocks", "merge", "split", or "other" for an
    # operation recorded by torchview that has no counterpart in effviz.
    role: str
    name: str  # its label; of a merge "add", "mul", "concat" or "resize"
    what: str = ""  # layer or block, and the number of repetitions
    channels: str = ""  # in and out
    after: str = ""  # operations after the layer in the same node: norm, activation, dropout
    shape: Shape = ()  # of the output
    kind: str = kinds.VIEW  # one of `effviz.count.kinds.KINDS`; of blocks, the kind with most multiply-adds
    group: str = ""  # path of the enclosing box
    block: str = ""  # path of the enclosing block
    paths: tuple[str, ...] = ()  # paths of its layers; of a node "× 3", those of the first repetition
    # Sums over everything that the node represents.
    macs: int = 0
    params: int = 0
    share: float = 0.0  # of the multiply-adds of the whole sketch, 0 to 1
    mix: tuple[tuple[str, int], ...] = ()  # multiply-adds by layer kind, largest first
    mark: str = ""  # a key of `MARKS`; empty for none

    @property
    def is_card(self) -> bool:
        """Whether it is drawn as a card."""
        return self.role in ("layer", "other")


@dataclass(frozen=True)
class Edge:
    """A tensor between two nodes; `skips` if there is a longer path between them."""

    tail: str
    head: str
    label: str = ""
    skips: bool = False


@dataclass(frozen=True)
class Sketch:
    """A graph to be drawn."""

    nodes: tuple[Node, ...]  # in order of execution
    edges: tuple[Edge, ...]  # between ids of nodes
    groups: Mapping[str, str]  # title of every box by its path
    collapsed: int  # number of blocks without a node, because a stage or an equal neighbor represents them
    depth: int  # level of detail: 1 stages, 2 blocks, 3 layers
    note: str = ""  # why the level of detail is lower than requested; empty if it is not


def times(sides: Sequence[int]) -> str:
    """Format a shape as ``144 × 56 × 56``."""
    return " × ".join(map(str, sides))


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return the values of every key, in order."""
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def joined(*parts: str, by: str = " · ") -> str:
    """Join the parts that are not empty."""
    return by.join(part for part in parts if part)


def clean(words: str, most: int = 72) -> str:
    """Make a name from a design printable, on one line, and at most `most` characters long."""
    printable = "".join(char if char.isprintable() else " " for char in words)
    return printable if len(printable) <= most else f"{printable[: most - 1]}…"
