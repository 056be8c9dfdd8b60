"""The classes of a file: one per kind of block, with its layers, its arguments and the expressions of its code.

The exporter knows nothing of a block but its fields and the layers of `expand()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from itertools import product
from string import ascii_uppercase
from typing import Any, TypeAlias

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, UncountedLayerError
from effviz.export.pattern import ANY, NEUTRAL, DifferentError, SharedPart, aligned, lay_over
from effviz.export.scope import DOMAINS, TORCH_ACTIVATIONS, Scope, field_names, width_names
from effviz.export.source import class_name, fresh
from effviz.model.layers import Activation, BatchNorm2d, Block, Branches, Identity, Layer, Primitive, Sequential

Key: TypeAlias = tuple[Any, ...]
# The widths of probes are multiples of the first number, which most ratios and groups divide without remainder, or of
# the second if that makes a width too large. No width is a small multiple of another.
_UNITS = (6720, 240)
_PROBE_WIDTHS = (3, 5, 7, 11, 13)
_MOST_PROBED, _MOST_VALUES = 8, 4


class BlockClass:
    """One class of the file.

    Args:
        built: the blocks of the design that are instances of it, all of one kind.
        probes: more blocks of this kind, used if they have the same layers.
        classes: those of the blocks inside.
    """

    body: SharedPart  # the layers, without an optional shortcut
    # The layer at the end of the body that only blocks with the shortcut have, as a list.
    tail: list[tuple[str, SharedPart | None]]
    has_shortcut: str  # the condition under which the input is added to the output of `body`; empty for never

    def __init__(self, built: Sequence[Any], probes: Sequence[Any], classes: Classes) -> None:
        self.kind: type[Any] = type(built[0])
        self.built, self.name, self._classes = list(built), "", classes
        others = [name for name in field_names(self.kind) if name not in width_names(self.kind)]
        closed = [name for name in others if len({getattr(block, name) for block in built}) == 1]
        skeletons = {classes.skeleton(layers_of(block)) for block in built}
        similar = [probe for probe in probes if all(getattr(probe, name) == getattr(built[0], name) for name in closed)]
        # The blocks from which the class is derived.
        self.samples = [*built, *(probe for probe in similar if classes.skeleton(layers_of(probe)) in skeletons)]
        self._lay_over()
        scope = Scope(self.samples, len(built), classes.activations)
        self._solve(scope)
        self.params, self.formulas = scope.params(), scope.formulas  # the arguments and local variables
        self.arguments = {
            block: {param.name: values[param.name] for param in self.params}
            for block, values in zip(self.samples, scope.values, strict=True)
        }

    def _lay_over(self) -> None:
        """Find the layers of the blocks; a shortcut around all of them may be optional."""
        trees = [layers_of(block) for block in self.samples]
        self._merged = [isinstance(tree, Branches) for tree in trees]
        self.body, self.tail = SharedPart(Sequential), []
        if len(set(self._merged)) == 1:
            self.body = lay_over(trees, self._classes.described) or self.body
            return
        bodies = [_body(tree) for tree in trees]
        plain = {name for body, merged in zip(bodies, self._merged, strict=True) if not merged for name in body}
        ends = {list(body)[-1] for body in bodies if body and isinstance(list(body.values())[-1], NEUTRAL)} - plain
        for body, merged in zip(bodies, self._merged, strict=True):
            body |= {} if merged else dict.fromkeys(ends, ANY)
        children = aligned(bodies, self._classes.described)
        self.body.children = [(name, part) for name, part in children if name not in ends]
        self.tail = [(name, part) for name, part in children if name in ends]

    def _solve(self, scope: Scope) -> None:
        """Find the expression of every argument, and the condition of every optional layer."""
        parts = SharedPart(Sequential, children=[("", self.body), *self.tail]).parts()
        # A width is named after a layer that every block has, if there is one.
        for part in sorted(parts, key=lambda part: part.optional):
            domains = DOMAINS
            if isinstance(part.kind, BlockClass):
                domains = {param.name: param.domain for param in part.kind.params}
            for slot, vector in part.slots.items():
                owner = part.path[-1] if part.path else "block"
                part.texts[slot] = scope.text(slot, domains.get(slot, slot), vector, owner)
        for part in parts:
            if part.optional:
                texts = list(part.texts.values())
                part.condition = scope.condition(f"has_{part.path[-1]}", part.present, texts)
        optional = len(set(self._merged)) > 1
        self.has_shortcut = scope.condition("has_shortcut", self._merged) if optional else ""

    @property
    def is_plain_chain(self) -> bool:
        """Whether torch has all layers, one after another."""
        parts = self.body.parts()
        return not (self.body.forks or self.has_shortcut or any(isinstance(part.kind, BlockClass) for part in parts))

    @property
    def called(self) -> str:
        """The name of a recipe, empty for the blocks of the papers."""
        return str(self.built[0].called) if len(_key(self.built[0])) > 1 else ""

    @property
    def short_name(self) -> str:
        """The name of a recipe or of the kind, without words for layers that are missing."""
        name = class_name(self.called) if self.called else self.kind.__name__.removesuffix("Row")
        if not (self.called or self.body.forks):
            kinds = {part.kind for part in self.body.parts()}
            for word, layer in (("BN", BatchNorm2d), ("Norm", BatchNorm2d), ("Act", Activation)):
                name = name if layer in kinds else name.replace(word, "")
        return name or self.kind.__name__


class Classes:
    """The classes of the `blocks` of a network, each after those that it needs. One torch layer has no class.

    `activations` is what the file writes for every activation.
    """

    def __init__(self, blocks: Iterable[Any], activations: Mapping[str, str] = TORCH_ACTIVATIONS) -> None:
        self.activations = activations
        # The blocks of every kind, and whether the design builds them.
        self._samples: dict[Key, dict[Any, bool]] = {}
        self._made: dict[Key, list[BlockClass]] = {}
        self.by_block: dict[Any, BlockClass] = {}
        self.nested: set[Any] = set()  # the blocks inside others
        groups: dict[Key, list[Any]] = {}
        for block in dict.fromkeys(blocks):
            if not isinstance(layers_of(block), Primitive):
                groups.setdefault(_key(block), []).append(block)
                self._collect(block, built=True)
        for probe in (probe for group in groups.values() for probe in _probes(group)):
            with suppress(DesignError):
                self._collect(probe, built=False)
        for key in groups:
            self._make(key, ())

    def __iter__(self) -> Iterator[BlockClass]:
        return (each for made in self._made.values() for each in made)

    def give_names(self, reserved: Collection[str]) -> set[str]:
        """Give every class a name, and return the names in use."""
        used = set(reserved)
        for made in self._made.values():
            strided = [all(getattr(block, "stride", 1) > 1 for block in each.built) for each in made]
            for each, is_strided in zip(made, strided, strict=True):
                name = f"{each.short_name}Strided" if is_strided and not all(strided) else each.short_name
                lettered = (name + letter for letter in ("", *ascii_uppercase[1:]))
                each.name = next((free for free in lettered if free not in used), None) or fresh(name, used)
                used.add(each.name)
        return used

    def described(self, layer: Any) -> tuple[Any, dict[str, Any]]:
        """Return the kind of a layer and its arguments as they are written in the file; see `Describe`.

        Raises:
            DifferentError: no class has been written for such a block.
        """
        tree = layers_of(layer)
        if isinstance(tree, Activation):
            return Activation, {"function": self.activations[tree.function]}
        if isinstance(tree, Primitive):
            return type(tree), {each.name: getattr(tree, each.name) for each in fields(tree)}  # type: ignore[arg-type]
        if layer not in self.by_block:
            raise DifferentError(f"no class for {layer}")
        return self.by_block[layer], self.by_block[layer].arguments[layer]

    def skeleton(self, layer: Layer) -> Any:
        """Return the kinds and names of layers, without numbers; `DifferentError` if a block has no class."""
        if isinstance(layer, Sequential):
            return tuple((name, self.skeleton(child)) for name, child in layer.children)
        if isinstance(layer, Branches):
            return layer.merge, layer.split, *((name, self.skeleton(child)) for name, child in layer.branches)
        return self.described(layer)[0]

    def _collect(self, block: Any, *, built: bool) -> None:
        """Add a block and those inside."""
        nested = _blocks_in(layers_of(block))
        samples = self._samples.setdefault(_key(block), {})
        if block not in samples or samples[block] < built:
            samples[block] = built
            self.nested |= set(nested)
            for child in nested:
                self._collect(child, built=built)

    def _make(self, key: Key, around: tuple[Key, ...]) -> None:
        """Make the classes of a kind, after those of the blocks inside."""
        if key in around:
            raise UncountedLayerError(f"{key[0].__name__} has no torch source: it contains a block of the same kind")
        if key in self._made:
            return
        samples = self._samples[key]
        for child in dict.fromkeys(_key(child) for block in samples for child in _blocks_in(layers_of(block))):
            self._make(child, (*around, key))
        built, probes = [block for block in samples if samples[block]], []
        for probe in (block for block in samples if not samples[block]):
            with suppress(DifferentError):
                self.skeleton(layers_of(probe))
                probes.append(probe)
        self._made[key] = self._fewest(built, probes) if built else []
        for each in self._made[key]:
            self.by_block |= dict.fromkeys(each.samples, each)

    def _fewest(self, built: Sequence[Any], probes: Sequence[Any]) -> list[BlockClass]:
        """Return one class for all blocks, or one for each skeleton."""
        try:
            return [BlockClass(built, probes, self)]
        except DifferentError:
            groups: dict[Any, list[Any]] = {}
            for block in built:
                groups.setdefault(self.skeleton(layers_of(block)), []).append(block)
            return [BlockClass(group, probes, self) for group in groups.values()]


@remembered
def layers_of(layer: Any) -> Layer:
    """Return the layers of a block, a container or one primitive; other layers are returned as they are."""
    while isinstance(layer, Block):
        layer = layer.expand()
    return layer  # type: ignore[no-any-return]


def _blocks_in(layer: Layer) -> list[Block]:
    """Return the blocks that a layer is made of, not those inside them and not single torch layers."""
    if isinstance(layer, Block):
        return [] if isinstance(layers_of(layer), Primitive) else [layer]
    children = (
        layer.children if isinstance(layer, Sequential) else layer.branches if isinstance(layer, Branches) else ()
    )
    return [block for _, child in children for block in _blocks_in(child)]


def _key(block: Any) -> Key:
    """Return what the blocks of one class agree in: the kind, and the recipe if there is one."""
    names = field_names(type(block))
    return type(block), *(value for name, value in vars(block).items() if name not in names)


def _body(tree: Layer) -> dict[str, Any]:
    """Return the layers of a chain, or those inside a shortcut around a chain."""
    if isinstance(tree, Branches):
        branches = dict(tree.branches)
        body = branches.pop("", tree)
        if tree.merge == "add" and not tree.split and [type(each) for each in branches.values()] == [Identity]:
            tree = body
    if not isinstance(tree, Sequential):
        raise DifferentError("neither a chain nor a shortcut around one")
    return dict(tree.children)


def _probes(group: Sequence[Any]) -> Iterator[Any]:
    """Yield blocks with other widths, and with single values of the other blocks in the group."""
    kind = type(group[0])
    names = width_names(kind)
    others = [name for name in field_names(kind) if name not in names]
    values = {name: list(dict.fromkeys(getattr(block, name) for block in group))[:_MOST_VALUES] for name in others}
    changes = [{name: value} for name in others if len(values[name]) > 1 for value in values[name]]
    for block, change, keeps in product(group[:_MOST_PROBED], [{}, *changes], (False, True)):
        for unit in _UNITS:
            widths = {name: unit * width for name, width in zip(names, _PROBE_WIDTHS, strict=False)}
            if keeps and "out_channels" in names:
                widths["out_channels"] = widths["in_channels"]
            with suppress(DesignError):
                yield replace(block, **(widths | change))
                break
