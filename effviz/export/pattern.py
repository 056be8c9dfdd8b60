"""The layers of several blocks laid over one another: what is in all of them, what in some, and where numbers differ.

A vector has one entry for every block. `ANY` stands where a block has nothing to say: a number of a layer that it does
not have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from effviz.model.layers import Branches, Dropout, Identity, Layer, Sequential, StochasticDepth


class _Any:
    """Equal to whatever is wanted."""

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()
Vector: TypeAlias = list[Any]
# In evaluation and with p = 0 in training these are the identity: a block without one has one with p = 0.
_NEUTRAL = (Dropout, StochasticDepth)


class DifferentError(Exception):
    """Blocks that no single pattern describes."""


@dataclass
class Leaf:
    """A layer that torch or another class of the file makes.

    Attributes:
        kind: a class of primitives, or what `describe` says of a block.
        slots: the vectors of its arguments.
        present: whether each block has it.
    """

    kind: Any
    slots: dict[str, Vector]
    present: Vector
    path: tuple[str, ...] = ()


@dataclass
class Chain:
    """Parts one after another."""

    parts: list[tuple[str, Part]]
    present: Vector
    path: tuple[str, ...] = ()


@dataclass
class Fork:
    """Branches that are merged again.

    Attributes:
        merged: whether each block merges; one that does not has the first branch alone.
        tail: parts at the end of the first branch that only a block that merges has.
    """

    branches: list[tuple[str, Part]]
    merge: str
    split: Vector
    present: Vector
    merged: Vector
    tail: list[tuple[str, Leaf]] = field(default_factory=list)
    path: tuple[str, ...] = ()


Part: TypeAlias = Leaf | Chain | Fork
Describe: TypeAlias = Callable[[Any], tuple[Any, dict[str, Any]]]


def known(vector: Vector) -> list[Any]:
    """The entries of a vector that say something."""
    return [value for value in vector if value is not ANY]


def is_constant(vector: Vector) -> bool:
    """Whether all that say something say the same."""
    values = known(vector)
    return all(value == values[0] for value in values)


def never(part: Part) -> bool:
    """Whether no block has the part: it is the identity in all of them."""
    return not any(known(part.present))


def always(part: Part) -> bool:
    """Whether every block that could have the part has it."""
    return all(known(part.present))


def lay_over(trees: Sequence[Any], describe: Describe, path: tuple[str, ...] = (), *, outermost: bool = True) -> Part:
    """The pattern of some layers; None stands for the identity, `ANY` for a block without this place.

    A residual may be there in some blocks only where it is `outermost`: it needs a line of its own in `forward`.

    Raises:
        DifferentError: they are of different kinds, or have equal names in different orders.
    """
    trees = [None if isinstance(tree, Identity) else tree for tree in trees]
    present: Vector = [ANY if tree is ANY else tree is not None for tree in trees]
    there = [tree for tree in trees if tree is not ANY and tree is not None]
    kinds = {type(tree) for tree in there}
    if not there:
        return Leaf(Identity, {}, present, path)
    if kinds == {Sequential}:
        children = [dict(tree.children) if isinstance(tree, Sequential) else ANY for tree in trees]
        return Chain(_aligned(children, describe, path, outermost=not path), present, path)
    if kinds == {Branches}:
        return _fork(trees, present, describe, path)
    if kinds == {Branches, Sequential} and outermost:
        return _optional_residual(trees, present, describe, path)
    return _leaf(trees, present, describe, path)


def _aligned(
    children: list[Any], describe: Describe, path: tuple[str, ...], *, outermost: bool = False
) -> list[tuple[str, Part]]:
    """Children by name, in an order that keeps that of every block."""
    names: list[str] = []
    for named in children:
        place = 0
        for name in named if named is not ANY else ():
            if name not in names:
                names.insert(place, name)
            elif names.index(name) < place:
                raise DifferentError(f"{name} has no one place")
            place = names.index(name) + 1
    parts = []
    for name in names:
        column = [ANY if named is ANY else named.get(name) for named in children]
        parts.append((name, lay_over(column, describe, (*path, name), outermost=outermost)))
    return parts


def _fork(trees: Sequence[Any], present: Vector, describe: Describe, path: tuple[str, ...]) -> Fork:
    there = [tree for tree in trees if isinstance(tree, Branches)]
    names = [name for name, _ in there[0].branches]
    merge = there[0].merge
    if any([name for name, _ in tree.branches] != names or tree.merge != merge for tree in there):
        raise DifferentError("branches differ")
    branches = []
    for place, name in enumerate(names):
        column = [tree.branches[place][1] if isinstance(tree, Branches) else ANY for tree in trees]
        inner = (*path, name) if name else path
        branches.append((name, lay_over(column, describe, inner, outermost=False)))
    split = [tree.split if isinstance(tree, Branches) else ANY for tree in trees]
    merged = [True if isinstance(tree, Branches) else ANY for tree in trees]
    return Fork(branches, merge, split, present, merged, path=path)


def _optional_residual(trees: Sequence[Any], present: Vector, describe: Describe, path: tuple[str, ...]) -> Fork:
    """``body(x) + x`` in some blocks, ``body(x)`` in the others."""
    bodies: list[Any] = []
    alone: list[bool] = []
    other = ""
    for tree in trees:
        if isinstance(tree, Branches):
            named = dict(tree.branches)
            others = [name for name, layer in tree.branches if name]
            if tree.merge != "add" or tree.split or len(others) != 1 or not isinstance(named[others[0]], Identity):
                raise DifferentError("no residual around an identity")
            other = others[0]
            tree = named[""]
            alone.append(False)
        else:
            alone.append(tree is not ANY and tree is not None)
        bodies.append(dict(tree.children) if isinstance(tree, Sequential) else ANY)
    parts = _aligned(bodies, describe, path)
    tail: list[tuple[str, Leaf]] = []
    while parts:
        name, part = parts[-1]
        if not (isinstance(part, Leaf) and part.kind is StochasticDepth) or any(
            single and isinstance(body, dict) and name in body for single, body in zip(alone, bodies, strict=True)
        ):
            break
        for index, single in enumerate(alone):
            if single:
                part.present[index] = part.slots["p"][index] = ANY
        tail.insert(0, (name, part))
        parts.pop()
    merged: Vector = [
        ANY if said is ANY or said is False else not single for said, single in zip(present, alone, strict=True)
    ]
    body = Chain(parts, [ANY if said is ANY else True for said in present], path)
    identity = Leaf(Identity, {}, [False] * len(trees), (*path, other))
    return Fork([("", body), (other, identity)], "add", [False] * len(trees), present, merged, tail, path)


def _leaf(trees: Sequence[Any], present: Vector, describe: Describe, path: tuple[str, ...]) -> Leaf:
    there = [tree for tree in trees if tree is not ANY and tree is not None]
    if any(isinstance(tree, (Sequential, Branches)) for tree in there):
        raise DifferentError("a layer beside several")
    described = [tree if tree is ANY or tree is None else describe(tree) for tree in trees]
    kind, arguments = next(each for each in described if isinstance(each, tuple))
    if any(isinstance(each, tuple) and each[0] is not kind for each in described):
        raise DifferentError("layers of different kinds")
    if kind in _NEUTRAL:
        described = [(kind, {"p": 0}) if each is None else each for each in described]
        present = [ANY if said is ANY else True for said in present]
    slots = {name: [each[1][name] if isinstance(each, tuple) else ANY for each in described] for name in arguments}
    return Leaf(kind, slots, present, path)


def at(tree: Layer, path: Sequence[str]) -> Layer | None:
    """The layer at a path of names, None where there is none."""
    for name in path:
        children: dict[str, Layer] = {}
        if isinstance(tree, Sequential):
            children = dict(tree.children)
        elif isinstance(tree, Branches):
            children = dict(tree.branches)
            inner = children.pop("", None)
            children |= dict(inner.children) if isinstance(inner, Sequential) else {}
        if name not in children:
            return None
        tree = children[name]
    return tree
