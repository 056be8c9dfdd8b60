"""The graph of a diagram: nodes, edges and boxes with their numbers and texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from effviz.count import kinds
from effviz.model.layers import Shape

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Node:
    """One node of a diagram.

    Attributes:
        id: unique, of letters, digits, ``_``, ``-`` and dots; the path where there is one.
        role: ``"input"``, ``"output"``, ``"layer"``, ``"blocks"``, ``"merge"``, ``"split"``, or ``"other"`` for an
            operation recorded by torchview that has no counterpart in effviz.
        name: its label; of a merge ``"add"``, ``"mul"`` or ``"concat"``.
        what: layer or block, and the number of repetitions.
        channels: in and out.
        after: operations after the layer in the same node: norm, activation, dropout.
        shape: of the output.
        kind: one of `effviz.count.kinds.KINDS`; of blocks, the kind with most multiply-adds.
        group: path of the enclosing box.
        block: path of the enclosing block.
        paths: paths of its layers; of a node "× 3", those of the first repetition.
        macs, params: sums over everything that the node represents.
        share: of the multiply-adds of the whole sketch, 0 to 1.
        mix: multiply-adds by layer kind, largest first.
    """

    id: str
    role: str
    name: str
    what: str = ""
    channels: str = ""
    after: str = ""
    shape: Shape = ()
    kind: str = kinds.VIEW
    group: str = ""
    block: str = ""
    paths: tuple[str, ...] = ()
    macs: int = 0
    params: int = 0
    share: float = 0.0
    mix: tuple[tuple[str, int], ...] = ()

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
    """A graph to be drawn.

    Attributes:
        nodes: in order of execution.
        edges: between ids of nodes.
        groups: title of every box by its path.
        collapsed: number of blocks without a node, because a stage or an equal neighbor represents them.
        depth: level of detail: 1 stages, 2 blocks, 3 layers.
        note: why the level of detail is lower than requested; empty if it is not.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: Mapping[str, str]
    collapsed: int
    depth: int
    note: str = ""


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
