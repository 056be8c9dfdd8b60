"""The layer trees of several blocks laid over one another: the layers that all or some have, and their arguments.

A vector has one entry per block. `ANY` is the entry of a block that the vector does not concern, for example an
argument of a layer that the block lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from effviz.model.layers import Branches, Container, Dropout, Identity, Layer, Sequential, StochasticDepth

ANY = object()
Vector: TypeAlias = list[Any]
Describe: TypeAlias = Callable[[Layer], tuple[Any, dict[str, Any]]]
"""Returns the kind of a layer, which is a class of primitives or a class of the file, and its arguments."""

NEUTRAL = (Dropout, StochasticDepth)
"""With p = 0 these are the identity, so a block without one counts as having it with p = 0."""


class DifferentError(Exception):
    """No single pattern describes the blocks."""


@dataclass
class SharedPart:
    """A layer of several blocks."""

    kind: Any  # `Sequential`, `Branches`, or the kind that `Describe` returns
    path: tuple[str, ...] = ()  # names of the layer and its parents
    present: Vector = field(default_factory=list)  # whether each block has the layer
    optional: bool = False  # some blocks of the design lack it
    slots: dict[str, Vector] = field(default_factory=dict)  # arguments of a layer without children
    # Layers of a container in order; None for a branch that is the identity in all blocks.
    children: list[tuple[str, SharedPart | None]] = field(default_factory=list)
    merge: str = ""  # of branches, like `split`
    split: bool = False
    texts: dict[str, str] = field(default_factory=dict)  # the expressions for the arguments in the code of the class
    condition: str = ""  # the expression for the presence of an optional layer

    def steps(self) -> list[tuple[str, SharedPart]]:
        """Return the children that some block has."""
        return [(name, part) for name, part in self.children if part is not None]

    def parts(self) -> list[SharedPart]:
        """Return this part and all parts below it."""
        return [self, *(below for _, child in self.steps() for below in child.parts())]

    @property
    def forks(self) -> bool:
        """Whether a merge of branches is part of it."""
        return any(part.kind is Branches for part in self.parts())


def known(vector: Vector) -> Vector:
    """Return the entries other than `ANY`."""
    return [value for value in vector if value is not ANY]


def is_constant(vector: Vector) -> bool:
    """Return whether all known entries are equal."""
    entries = known(vector)
    return all(value == entries[0] for value in entries)


def lay_over(trees: Sequence[Any], describe: Describe, path: tuple[str, ...] = ()) -> SharedPart | None:
    """Return the pattern of one layer per block, or None if it is the identity in all blocks.

    Args:
        trees: None for a block without the layer, `ANY` for a block without its parent.
        describe: see `Describe`.
        path: names of the layer and its parents.

    Raises:
        DifferentError: the layers are of different kinds, or equal names come in different orders.
    """
    trees = [None if isinstance(tree, Identity) else tree for tree in trees]
    described = [
        (type(tree), vars(tree)) if isinstance(tree, Container) else describe(tree) if isinstance(tree, Layer) else None
        for tree in trees
    ]
    if not any(described):
        return None
    kind, names = next(each for each in described if each)
    if any(each and each[0] is not kind for each in described):
        raise DifferentError("layers of different kinds")
    present = [ANY if tree is ANY else tree is not None for tree in trees]
    part = SharedPart(kind, path, present, optional=not all(known(present)))
    slots = {name: [each[1][name] if each else ANY for each in described] for name in names}
    if kind is Sequential:
        part.children = aligned([each and dict(each[1]["children"]) for each in described], describe, path)
    elif kind is Branches:
        _lay_over_branches(part, slots, describe)
    else:
        part.slots = slots
    if kind in NEUTRAL:
        part.slots["p"] = [0.0 if is_there is False else p for is_there, p in zip(present, slots["p"], strict=True)]
        part.optional = False
    if part.optional and part.forks:
        raise DifferentError("branches in some blocks only")
    return part


def aligned(
    blocks: Sequence[dict[str, Any] | None], describe: Describe, path: tuple[str, ...] = ()
) -> list[tuple[str, SharedPart | None]]:
    """Return the parts of chains, whose layers `blocks` has by name, in an order that agrees with every block."""
    names: list[str] = []
    for children in blocks:
        place = 0
        for name in children or ():
            if name not in names:
                names.insert(place, name)
            elif names.index(name) < place:
                raise DifferentError(f"{name} is in different places")
            place = names.index(name) + 1
    columns = {name: [ANY if children is None else children.get(name) for children in blocks] for name in names}
    parts = ((name, lay_over(column, describe, (*path, name))) for name, column in columns.items())
    return [(name, part) for name, part in parts if part is not None]


def _lay_over_branches(part: SharedPart, slots: dict[str, Vector], describe: Describe) -> None:
    for name, vector in slots.items():
        if not is_constant([[each for each, _ in value] if name == "branches" else value for value in known(vector)]):
            raise DifferentError("different branches")
    part.merge, part.split = known(slots["merge"])[0], known(slots["split"])[0]
    for place, (name, _) in enumerate(known(slots["branches"])[0]):
        column = [ANY if branches is ANY else branches[place][1] for branches in slots["branches"]]
        path = (*part.path, name) if name else part.path
        part.children.append((name, lay_over(column, describe, path)))
