"""The class of one kind of block: its arguments, and what its code says of every number.

Nothing is known of a block but its fields and what `expand()` gives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase
from typing import Any, TypeAlias

from effviz.core.errors import DesignError, UncountedLayerError
from effviz.export.pattern import (
    ANY,
    Chain,
    DifferentError,
    Fork,
    Leaf,
    Part,
    Vector,
    always,
    at,
    is_constant,
    known,
    lay_over,
    never,
)
from effviz.export.source import class_name, fresh, literal
from effviz.export.terms import (
    ACTIVATION,
    CHANNELS,
    FLAG,
    SLOT_DOMAINS,
    TORCH_ACTIVATIONS,
    Scope,
    Variable,
    arguments_of,
    domain_of,
    field_value,
    names_in,
    plain_value,
)
from effviz.model.fields import FieldBlock, declared
from effviz.model.layers import Activation, BatchNorm2d, Block, Branches, Identity, Layer, Primitive, Sequential

Key: TypeAlias = tuple[Any, ...]
# How many blocks of a class are varied to tell rules from chance.
_MOST_VARIED = 12


@dataclass(frozen=True)
class Param:
    """An argument of a class; `hint` and `default` as they stand in its code, "" for no default."""

    name: str
    domain: str
    hint: str
    default: str


class BlockClass:
    """One class of the file, for all `blocks` of a `kind` that the design builds.

    Attributes:
        name: of the class.
        pattern: its layers.
        tracked: it stands in the stage table, takes the channels before it and has the `out_channels` after it.
        locals: names and formulas of its local variables, in the order in which they need one another.
    """

    def __init__(
        self,
        kind: type[Any],
        blocks: Sequence[Any],
        classes: Classes,
        *,
        nested: bool = False,
        tracked: bool = False,
        inline: bool = False,
    ) -> None:
        self.kind, self.blocks, self.nested, self.tracked = kind, list(blocks), nested, tracked
        self.name = ""
        self._classes = classes
        alike, others = classes.variations(self.blocks)
        samples = [*self.blocks, *alike]
        self.pattern = lay_over([classes.expanded(block) for block in samples], classes.described)
        inner = self.pattern.parts if isinstance(self.pattern, Chain) else []
        if any(isinstance(part, Fork) and not always(part) for _, part in inner):
            raise DifferentError("branches that only some blocks have")
        self._others = [classes.expanded(block) for block in others]
        variables = _variables(kind, [*samples, *others], len(samples))
        if inline:
            for each in variables.values():
                each.is_open = each.name == "in_channels"
        self._scope = Scope(variables, len(self.blocks), len(alike), computes=not inline)
        if tracked:
            self._scope.used |= {"in_channels", "out_channels"} & self._scope.variables.keys()
        self._texts: dict[int, dict[str, str]] = {}
        self._conditions: dict[int, str] = {}
        self._solve()
        self.locals = self._formulas()

    # --- what the code says of every number -----------------------------------------------------------------------

    @property
    def called(self) -> str:
        """What a block after a recipe is called by who wrote that, "" for the blocks of the papers."""
        return str(self.blocks[0].called) if len(_key(self.blocks[0])) > 1 else ""

    @property
    def short_name(self) -> str:
        """The name of its kind, without the words for layers that it has not; of a recipe, what that is called."""
        if self.called:
            return class_name(self.called)
        name = self.kind.__name__.removesuffix("Row")
        leaves = {part.kind for part in parts_of(self.pattern) if isinstance(part, Leaf) and not never(part)}
        if isinstance(self.pattern, Chain):
            for word, layer in (("BN", BatchNorm2d), ("Norm", BatchNorm2d), ("Act", Activation)):
                name = name if layer in leaves else name.replace(word, "")
        return name or self.kind.__name__

    @property
    def has_width(self) -> bool:
        """Whether its blocks know the channels that they put out."""
        return "out_channels" in self._scope.variables

    def texts(self, leaf: Leaf) -> dict[str, str]:
        """The expressions for all arguments of a layer."""
        return self._texts[id(leaf)]

    def when(self, part: Part) -> str:
        """The condition under which an optional part is there."""
        return self._conditions[id(part)]

    def when_merged(self, fork: Fork) -> str:
        """The condition under which an optional residual merges."""
        return self._conditions[id(fork.merged)]

    def when_split(self, fork: Fork) -> str:
        """The condition under which branches get shares of the channels instead of all."""
        return self._conditions[id(fork.split)]

    def values(self, name: str) -> list[Any]:
        """The values that an argument has in the design."""
        vector = next((each.vector for each in self._scope.extras if each.name == name), None)
        if vector is None:
            vector = self._scope.variables[name].vector
        return known(vector[: self._scope.actual])

    def _solve(self) -> None:
        leaves = [part for part in parts_of(self.pattern) if isinstance(part, Leaf)]
        # A width that every block has is named after a layer that every block has.
        for leaf in sorted(leaves, key=lambda each: sum(each is not True for each in each.present)):
            self._texts[id(leaf)] = {
                slot: self._scope.find(slot, _slot_domain(leaf.kind, slot), self._padded(vector), leaf.path)
                for slot, vector in leaf.slots.items()
            }
        for part in parts_of(self.pattern):
            if not (always(part) or never(part)):
                about = self._texts.get(id(part), {}).values()
                self._conditions[id(part)] = self._condition(part, part.present, self._presence(part), about)
            if isinstance(part, Fork) and not is_constant(part.merged):
                merges = [isinstance(at(tree, part.path), Branches) for tree in self._others]
                self._conditions[id(part.merged)] = self._condition(part, part.merged, merges)
            if isinstance(part, Fork) and not is_constant(part.split):
                forks = [at(tree, part.path) for tree in self._others]
                splits = [fork.split if isinstance(fork, Branches) else ANY for fork in forks]
                self._conditions[id(part.split)] = self._condition(part, part.split, splits)

    def _padded(self, vector: Vector) -> Vector:
        return [*vector, *([ANY] * len(self._others))]

    def _condition(self, part: Part, vector: Vector, others: Vector, about: Iterable[str] = ()) -> str:
        found = self._scope.condition([*vector, *others], about)
        if found is None:
            raise DifferentError(f"nothing says when {'.'.join(part.path)} is there")
        return found

    def _presence(self, part: Part) -> Vector:
        found: Vector = []
        for tree in self._others:
            layer = at(tree, part.path)
            above = at(tree, part.path[:-1])
            there = layer is not None and not isinstance(layer, Identity)
            found.append(ANY if above is None else there)
        return found

    def _formulas(self) -> list[tuple[str, str]]:
        scope = self._scope
        formulas: dict[str, str] = {}
        # A property may be computed from one before it, which is then used too.
        for name in reversed([each.name for each in scope.variables.values() if each.is_property]):
            formula = scope.formula(name) if name in scope.used else None
            if formula is not None:
                formulas[name] = formula
        for name, (formula, _) in list(scope.locals.items()):
            places = [
                (texts, slot) for texts in self._texts.values() for slot in texts if name in names_in(texts[slot])
            ]
            others = [*formulas.values(), *(text for text, _ in scope.locals.values())]
            users = [text for text in others if name in names_in(text)]
            if not users and len(places) <= 1 and all(texts[slot] == name for texts, slot in places):
                # A name for what is needed once would only be one more name.
                for texts, slot in places:
                    texts[slot] = formula
                del scope.locals[name]
        found = {name: formulas[name] for name in scope.variables if name in formulas}
        return _after_what_they_need(found | {name: text for name, (text, _) in scope.locals.items()})

    # --- arguments ------------------------------------------------------------------------------------------------

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """Its arguments, those with a default last."""
        scope = self._scope
        computed = {name for name, _ in self.locals}
        found = [
            _param(each.name, each.domain, self.values(each.name), nested=self.nested, tracked=self.tracked)
            for each in scope.variables.values()
            if each.name in scope.used and each.name not in computed and each.name not in self._extras
        ]
        if self.tracked and "in_channels" not in scope.variables:
            found.insert(0, Param("in_channels", CHANNELS, "int", ""))
        for extra in scope.extras:
            values = [extra.absent if value is ANY else value for value in extra.vector[: scope.actual]]
            found.append(_param(extra.name, extra.domain, values, nested=self.nested, tracked=self.tracked))
        # What the loop over the table gives by name comes after what it gives by place.
        by_name = {"drop_prob": 1, "stride": 2} if self.tracked else {}
        return tuple(sorted(found, key=lambda param: (bool(param.default), by_name.get(param.name, 0))))

    @cached_property
    def _extras(self) -> set[str]:
        return {extra.name for extra in self._scope.extras}

    def takes(self, name: str) -> bool:
        """Whether it has an argument of this name."""
        return any(param.name == name for param in self.params)

    def arguments(self, block: Any) -> dict[str, Any]:
        """The value of every argument for one block, but for channels that the block itself does not know.

        Raises:
            DifferentError: the class was not written for such a block.
        """
        variables = self._scope.variables
        for each in variables.values():
            if not (each.is_open or each.is_property or field_value(block, each.name) == each.vector[0]):
                raise DifferentError(f"{each.name} is {each.vector[0]} in {self.name}")
        named = [param.name for param in self.params if param.name in variables and param.name not in self._extras]
        values = {name: field_value(block, name) for name in named}
        for extra in self._scope.extras:
            layer = at(self._classes.expanded(block), extra.path)
            there = layer is not None and not isinstance(layer, Identity)
            values[extra.name] = self._classes.described(layer)[1][extra.slot] if there else extra.absent
        return values


class Classes:
    """The classes of one file.

    Args:
        blocks: what the network is made of.
        tracked: those of them that stand in the stage table.
    """

    def __init__(self, blocks: Sequence[Any], tracked: Sequence[Any]) -> None:
        self._trees: dict[Any, Layer] = {}
        self._built: dict[Key, dict[Any, None]] = {}
        self._nested: set[Key] = set()
        self._tracked = {_key(block) for block in tracked}
        self._made: dict[Key, list[BlockClass]] = {}
        for block in blocks:
            self._collect(block)
        for key in self._built:
            self._make(key, ())

    def __iter__(self) -> Iterator[BlockClass]:
        """Every class, after those that it needs."""
        return (each for made in self._made.values() for each in made)

    def give_names(self, reserved: Collection[str]) -> set[str]:
        """Give every class a name of its own, and return those in use."""
        used = set(reserved)
        for made in self._made.values():
            strided = [all(getattr(block, "stride", 1) > 1 for block in each.blocks) for each in made]
            for order, each in enumerate(made):
                name = each.short_name
                if len(made) > 1 and any(strided) and not all(strided) and strided[order]:
                    name += "Strided"
                lettered = (name + letter for letter in ("", *ascii_uppercase[1:]))
                each.name = next((free for free in lettered if free not in used), None) or fresh(name, used)
                used.add(each.name)
        return used

    def expanded(self, block: Any) -> Layer:
        """What a block stands for."""
        if block not in self._trees:
            self._trees[block] = block.expand()
        return self._trees[block]

    def of(self, block: Any) -> BlockClass:
        """The class of a block that the design builds."""
        return next(each for each in self._made[_key(block)] if block in each.blocks)

    def describe(self, block: Block) -> tuple[Any, dict[str, Any]]:
        """The class of a block inside another one, and its arguments; a block that is one torch layer is that."""
        tree = self.expanded(block)
        if isinstance(tree, Primitive):
            return self.described(tree)
        made = self._made.get(_key(block), [])
        skeletons = [each for each in made if block in each.blocks] or made
        for each in skeletons:
            if len(skeletons) == 1 or self._skeleton(self.expanded(each.blocks[0])) == self._skeleton(tree):
                return each, each.arguments(block)
        raise DifferentError(f"no class for {type(block).__name__}")

    def described(self, layer: Any) -> tuple[Any, dict[str, Any]]:
        """The class of any layer and its arguments as the file has them."""
        if isinstance(layer, Block):
            return self.describe(layer)
        slots = {entry.name: getattr(layer, entry.name) for entry in dataclasses.fields(layer)}
        return type(layer), {slot: _slot_value(type(layer), slot, value) for slot, value in slots.items()}

    def _collect(self, block: Any) -> None:
        found = self._built.setdefault(_key(block), {})
        if block in found:
            return
        found[block] = None
        for child in _blocks_in(self.expanded(block)):
            if not isinstance(self.expanded(child), Primitive):
                self._nested.add(_key(child))
                self._collect(child)

    def _make(self, key: Key, around: tuple[Key, ...]) -> None:
        if key in self._made:
            return
        if key in around:
            raise UncountedLayerError(f"{key[0].__name__} has no torch source: it contains a block of its own kind")
        blocks = list(self._built[key])
        for child in dict.fromkeys(_key(child) for block in blocks for child in _blocks_in(self.expanded(block))):
            if child in self._built:
                self._make(child, (*around, key))
        options = {"nested": key in self._nested, "tracked": key in self._tracked}
        try:
            made = [BlockClass(key[0], blocks, self, **options)]
        except DifferentError:
            groups: dict[Any, list[Any]] = {}
            for block in blocks:
                groups.setdefault(self._skeleton(self.expanded(block)), []).append(block)
            made = [BlockClass(key[0], group, self, **options) for group in groups.values()]
        self._made[key] = made

    def variations(self, blocks: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Blocks with other widths or one other field: those built like one of `blocks`, and the rest."""
        alike: dict[Any, None] = {}
        others: dict[Any, None] = {}
        for block in blocks[:_MOST_VARIED]:
            skeleton = self._skeleton(self.expanded(block))
            for changes in _changes(block, blocks):
                try:
                    varied = dataclasses.replace(block, **changes)
                    same = self._skeleton(self.expanded(varied)) == skeleton
                except DesignError:
                    continue
                except DifferentError:
                    same = False
                (alike if same else others)[varied] = None
        for block in blocks:
            alike.pop(block, None)
            others.pop(block, None)
        return list(alike), list(others)

    def _skeleton(self, layer: Layer) -> Any:
        """What remains of a layer without its numbers."""
        if isinstance(layer, Sequential):
            return ("chain", *((name, self._skeleton(child)) for name, child in layer.children))
        if isinstance(layer, Branches):
            return (layer.merge, layer.split, *((name, self._skeleton(child)) for name, child in layer.branches))
        return self.described(layer)[0]


def _key(block: Any) -> Key:
    """Blocks of one key are of one class if they can be: the same kind, made after the same recipe if it has one."""
    kind: type[FieldBlock] = type(block)
    plain = arguments_of(kind)
    return (kind, *(getattr(block, each.name) for each in dataclasses.fields(kind) if each.name not in plain))


def nested_kinds(blocks: Iterable[Any]) -> set[type[Any]]:
    """The kinds of the blocks inside `blocks`, at any depth."""
    seen: dict[Any, None] = {}
    pending = list(blocks)
    while pending:
        for child in _blocks_in(pending.pop().expand()):
            if child not in seen:
                seen[child] = None
                pending.append(child)
    return {type(child) for child in seen}


def _blocks_in(layer: Layer) -> Iterator[Block]:
    """The blocks that a layer is made of, not those inside them."""
    if isinstance(layer, Block):
        yield layer
    elif isinstance(layer, (Sequential, Branches)):
        for _, child in layer.children if isinstance(layer, Sequential) else layer.branches:
            yield from _blocks_in(child)


def _changes(block: Any, blocks: Sequence[Any]) -> Iterator[dict[str, Any]]:
    kind: type[FieldBlock] = type(block)
    scaling = [each.name for each in declared(kind) if each.scales]
    names = arguments_of(kind)
    widths = [name for name in ("in_channels", "out_channels", *scaling) if name in vars(block)]
    yield {name: 3 * getattr(block, name) for name in widths[:2]}
    for times, more in ((2, 0), (1, 3)):
        wider = {name: times * getattr(block, name) + more for name in widths}
        yield wider
        yield from ({name: width} for name, width in wider.items())
    if {"in_channels", "out_channels"} <= set(widths):
        yield {"out_channels": block.in_channels}
        yield {"out_channels": 2 * block.in_channels}
    for name in (name for name in names if name not in ("in_channels", "out_channels")):
        values = {getattr(each, name) for each in blocks} - {getattr(block, name)}
        yield from ({name: value} for value in sorted(values, key=repr)[:4])


def _variables(kind: type[FieldBlock], blocks: Sequence[Any], sure: int) -> dict[str, Variable]:
    """The fields and properties of blocks; of these only the first `sure` are surely built like the design's own."""
    found: dict[str, Variable] = {}
    scaling = {"in_channels", "out_channels", *(each.name for each in declared(kind) if each.scales)}
    for name in arguments_of(kind):
        vector = [field_value(block, name) for block in blocks]
        varies = any(value != vector[0] for value in vector[:sure])
        is_open = name in scaling or (varies if name != "stride" else any(value != 1 for value in vector[:sure]))
        found[name] = Variable(name, domain_of(kind, name), vector, is_open)
    for name in [name for base in reversed(kind.__mro__) for name, value in vars(base).items() if _is_property(value)]:
        vector = [getattr(block, name) for block in blocks]
        if all(type(value) is int for value in vector) and name not in found:
            # What equals a field everywhere needs no name of its own.
            is_open = name == "out_channels" or all(
                vector[:sure] != each.vector[:sure] for each in found.values() if each.is_open
            )
            found[name] = Variable(name, CHANNELS, vector, is_open, is_property=True)
    return found


def _is_property(value: Any) -> bool:
    return isinstance(value, property)


def parts_of(part: Part) -> Iterator[Part]:
    """A part and all that it is made of."""
    yield part
    inner = part.parts if isinstance(part, Chain) else [*part.branches, *part.tail] if isinstance(part, Fork) else []
    for _, child in inner:
        yield from parts_of(child)


def _after_what_they_need(formulas: dict[str, str]) -> list[tuple[str, str]]:
    """Names and formulas in their order, but each behind those that it is computed from."""
    ordered: dict[str, str] = {}

    def put(name: str) -> None:
        if name in formulas and name not in ordered:
            for needed in formulas:
                if needed in names_in(formulas[name]):
                    put(needed)
            ordered[name] = formulas[name]

    for name in formulas:
        put(name)
    return list(ordered.items())


def _slot_domain(kind: Any, slot: str) -> str:
    if isinstance(kind, BlockClass):
        return next(param.domain for param in kind.params if param.name == slot)
    return SLOT_DOMAINS.get(slot, slot)


def _slot_value(kind: Any, slot: str, value: Any) -> Any:
    """An argument of a layer as the file has it."""
    return TORCH_ACTIVATIONS[value] if kind is Activation and slot == "function" else plain_value(value)


def _param(name: str, domain: str, values: Sequence[Any], *, nested: bool, tracked: bool) -> Param:
    there = [value for value in values if value is not None]
    if domain == ACTIVATION:
        hint = "type[nn.Module]"
    elif any(isinstance(value, tuple) for value in there):
        hint = "int | tuple[int, int]"
    else:
        kinds = {type(value) for value in there}
        hint = "float" if float in kinds else "bool" if kinds == {bool} else "str" if str in kinds else "int"
    default = ""
    if name in ("stride", "groups"):
        default = "1" if 1 in values or (tracked and name == "stride") else ""
    elif tracked and name == "drop_prob":
        default = "0.0"
    elif nested and domain in (ACTIVATION, FLAG):
        default = literal(max(there or values, key=(there or list(values)).count))
    return Param(name, domain, f"{hint} | None" if None in values else hint, default)
