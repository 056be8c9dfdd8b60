"""A network, a stage or a block as a diagram: DOT text that any Graphviz draws.

The graph is torchview's, recorded on the meta device from the module of `effviz.backend.build`: what reads what is not
decided here. Put on it are a reader's names and the numbers of `effviz.count.report`: convolution, batch norm and
activation are one node, an identity is the line it is, equal neighbours are one node "× 3", and every node
says its share of the multiply-adds. What torchview saw and effviz has no word for is drawn under torchview's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import chain, groupby
from typing import Any, NamedTuple

from effviz.backend.diagram.dot import Edge, Node, Sketch, clean, joined, times, to_dot
from effviz.backend.diagram.recording import INPUT, OUTPUT, Seen, record, without
from effviz.core.errors import Cancelled, UnknownNameError, fail, one_of, show, whole
from effviz.core.units import percent, si
from effviz.count import cost, kinds
from effviz.count.kinds import kind_of
from effviz.count.palette import APPEARANCES
from effviz.count.report import analyze
from effviz.count.words import ATTACHED, PLAIN, WEIGHTED, block_title, channels_of, describe, reader_name
from effviz.model.design import Design
from effviz.model.layers import (
    Activation,
    BatchNorm2d,
    Block,
    Branches,
    Conv2d,
    Identity,
    Layer,
    Primitive,
    Sequential,
    Shape,
)
from effviz.model.layout import BuiltBlock
from effviz.model.outline import alike_runs, by_stage, span, stage_of
from effviz.model.trace import Step, join, trace, trace_block

STAGES, BLOCKS, LAYERS = 1, 2, 3
"""What `depth` counts: a node for every stage, for every block, for every layer."""

MAX_NODES = 60
"""More cannot be read: what would have more is drawn one level coarser."""


@dataclass(frozen=True)
class Diagram:
    """A drawing as text.

    Attributes:
        dot: for Graphviz; transparent, in the colours of one appearance.
        title: the finding, a sentence computed from the numbers.
        alt: the same for who cannot see it, with every node in order.
        nodes: how many are drawn, input and output included.
        collapsed: blocks that are not drawn themselves, because their stage or an equal neighbour stands for them.
        depth: what was drawn: 1 stages, 2 blocks, 3 layers.
        note: why that is less than was asked for; empty if it is not.
    """

    dot: str
    title: str
    alt: str
    nodes: int
    collapsed: int
    depth: int
    note: str = ""


# --- What is asked for ---------------------------------------------------------------------------------------------


class _Scope(NamedTuple):
    """The part of a network that is drawn: all of it, a stage or a block."""

    design: Design
    path: str
    blocks: list[BuiltBlock]
    layer: Layer
    shape: Shape
    network_macs: int


def _scope(design: Design, resolution: int | None, path: str | None) -> _Scope:
    report = analyze(design, resolution)
    tree: Layer = design.layer(resolution)
    if path is None:
        return _Scope(design, "", report.blocks, tree, report.input_shape, report.macs)
    inside = [entry for entry in report.blocks if path in (entry.path, stage_of(entry.path))]
    if not inside:
        raise _unknown_path(path, [entry.path for entry in report.blocks])
    for part in path.split("."):
        assert isinstance(tree, Sequential)
        tree = dict(tree.children)[part]
    return _Scope(design, path, inside, tree, inside[0].shape, report.macs)


def _unknown_path(path: str, blocks: list[str]) -> UnknownNameError:
    near = get_close_matches(path, blocks, n=1) if len(path) < 100 else []
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(span(list(group)) for _, group in groupby(blocks, stage_of))
    return UnknownNameError(f"path = {show(path)} is unknown{hint} Blocks: {listed}")


def _runs(blocks: Sequence[BuiltBlock], depth: int) -> list[list[BuiltBlock]]:
    """`blocks` in runs of neighbours that are drawn as one; never more than can be read."""
    if depth != STAGES:
        return alike_runs(blocks)
    found, most = by_stage(blocks), MAX_NODES - 2
    size = -(-len(found) // most)
    return [list(chain.from_iterable(found[start : start + size])) for start in range(0, len(found), size)]


_TORCH_MERGES = {"add": "add", "mul": "mul", "concat": "cat"}

# --- From torchview's nodes to a reader's --------------------------------------------------------------------------


class _Card(NamedTuple):
    """Layers that are one node: numbers in the graph and steps, in order."""

    numbers: list[int]
    steps: list[Step]

    @property
    def main(self) -> Step:
        """The layer that gives the node its name."""
        return next((step for step in self.steps if not isinstance(step.layer, ATTACHED)), self.steps[0])

    @property
    def what(self) -> str:
        """What the layer is; a norm with its activation, which is as much of the node."""
        words = describe(self.main.layer)
        return joined(words, self.around, by=", ") if isinstance(self.main.layer, BatchNorm2d) else words

    @property
    def after(self) -> str:
        """What is around the layer, unless `what` says it."""
        return "" if isinstance(self.main.layer, BatchNorm2d) else self.around

    @property
    def around(self) -> str:
        """The other layers in words."""
        at = self.steps.index(self.main)
        ahead = ", ".join(describe(step.layer) for step in self.steps[:at])
        behind = [_behind(step) for step in self.steps[at + 1 :]]
        return ", ".join([*behind, *([f"after {ahead}"] if ahead else [])])


def _behind(step: Step) -> str:
    gate = step.path.endswith(".gate") and "SqueezeExcite" in step.blocks
    return f"{describe(step.layer)}{' gate' if gate else ''}"


def _fuses(steps: Sequence[Step], layer: Layer) -> bool:
    """Whether `layer`, the only reader of the last of `steps`, is drawn in one node with them."""
    layers = [step.layer for step in steps]
    if isinstance(layer, WEIGHTED):
        return all(isinstance(each, ATTACHED) for each in layers)
    if isinstance(layer, BatchNorm2d):
        return isinstance(layers[-1], Conv2d)
    if isinstance(layer, Activation):
        return isinstance(layers[-1], (*WEIGHTED, BatchNorm2d))
    return isinstance(layer, ATTACHED)


class _Draft:
    """One sketch in the making: the part of the network, its graph without identities, and look-ups by path."""

    def __init__(self, scope: _Scope) -> None:
        self.scope = scope
        self.steps = {step.path: step for step in trace(scope.layer, scope.shape, scope.path)}
        self.total = sum(map(_macs, self.steps.values()))
        self._blocks = {entry.path: entry for entry in scope.blocks}
        self._sizes = Counter(stage_of(entry.path) for entry in scope.blocks)
        graph = record(scope.layer, scope.shape, scope.path)
        self.graph = without(graph, {number for number, seen in graph.nodes.items() if self._is_identity(seen)})
        self.sources, self.readers = self.graph.sources(), self.graph.readers()
        self.cards = self._fused()
        self._ids: set[str] = set()

    def _is_identity(self, seen: Seen) -> bool:
        step = self.steps.get(seen.path)
        return not seen.is_function and step is not None and isinstance(step.layer, Identity)

    def _fused(self) -> dict[int, _Card]:
        """The card of every layer."""
        cards: dict[int, _Card] = {}
        for number, seen in self.graph.nodes.items():
            if self.role(seen) != "layer":
                continue
            step, sources = self.steps[seen.path], self.sources.get(number, [])
            card = cards.get(sources[0]) if len(sources) == 1 and self.readers[sources[0]] == [number] else None
            inside = card is not None and self.block_of(card.steps[-1].path) == self.block_of(step.path)
            if card is None or not inside or not _fuses(card.steps, step.layer):
                card = _Card([], [])
            card.numbers.append(number)
            card.steps.append(step)
            cards[number] = card
        return cards

    def role(self, seen: Seen) -> str:
        """Of a node of torchview, as in `Node`."""
        step = self.steps.get(seen.path)
        layer = step.layer if step else None
        if isinstance(layer, Branches) and seen.is_function:
            if seen.name == _TORCH_MERGES[layer.merge]:
                return "merge"
            if layer.split and seen.name == "chunk":
                return "split"
        return "layer" if isinstance(layer, Primitive) and not seen.is_function else "other"

    def block_of(self, path: str) -> BuiltBlock | None:
        """The block that a layer is in."""
        stage, _, rest = path.partition(".")
        return self._blocks.get(stage) or self._blocks.get(f"{stage}.{rest.partition('.')[0]}")

    def run_name(self, run: Sequence[BuiltBlock]) -> str:
        """The stage, if a run is all of it; else its first and last block."""
        stages = [stage_of(entry.path) for entry in run]
        if len(set(stages)) == 1 and len(run) == self._sizes[stages[0]]:
            return stages[0]
        return span([entry.path for entry in run])

    @cached_property
    def steps_of(self) -> dict[str, list[Step]]:
        """The steps of every block, by its path."""
        found: dict[str, list[Step]] = {path: [] for path in self._blocks}
        for path, step in self.steps.items():
            entry = self.block_of(path)
            if entry is not None:
                found[entry.path].append(step)
        return found

    @cached_property
    def numbers_of(self) -> dict[str, list[int]]:
        """The nodes of torchview in every block, by its path."""
        found: dict[str, list[int]] = {path: [] for path in self._blocks}
        for number, seen in self.graph.nodes.items():
            entry = self.block_of(seen.path)
            if entry is not None:
                found[entry.path].append(number)
        return found

    def only_card(self, entry: BuiltBlock) -> _Card | None:
        """The card of a block that is nothing but one: a convolution with norm and activation, a pooling layer."""
        numbers = self.numbers_of[entry.path]
        card = self.cards.get(numbers[0]) if numbers else None
        return card if card is not None and card.numbers == numbers else None

    def exit(self, entry: BuiltBlock) -> int:
        """The node whose output leaves a block."""
        own = self.numbers_of[entry.path]
        inside = set(own)
        return next(number for number in own if any(head not in inside for head in self.readers.get(number, [])))

    def input(self) -> Node:
        """The tensor that enters."""
        return Node(self.id("input"), "input", "input", shape=self.scope.shape)

    def output(self) -> Node:
        """The tensor that leaves."""
        last = self.scope.blocks[-1]
        return Node(self.id("output"), "output", "output", shape=trace_block(last.block, last.shape).output.shape)

    def forget(self) -> None:
        """Start another sketch: no name of a node is given yet."""
        self._ids.clear()

    def id(self, wish: str) -> str:
        """`wish` as the name of a node: of harmless characters and not given before."""
        base = re.sub(r"[^A-Za-z0-9_.-]", "_", wish)[:80] or "node"
        name, count = base, 1
        while name in self._ids:
            count += 1
            name = f"{base}-{count}"
        self._ids.add(name)
        return name

    def costs(self, steps: Sequence[Step]) -> dict[str, Any]:
        """What `steps` cost together, as fields of a `Node`."""
        mix: dict[str, int] = {}
        for step in steps:
            mix[kind_of(step)] = mix.get(kind_of(step), 0) + _macs(step)
        macs = sum(mix.values())
        return {
            "macs": macs,
            "params": sum(cost.params(step.layer) for step in steps),
            "share": macs / self.total if self.total else 0.0,
            "mix": tuple(sorted(((kind, count) for kind, count in mix.items() if count), key=lambda pair: -pair[1])),
        }


def _macs(step: Step) -> int:
    return cost.macs(step.layer, step.output.shape)


# --- By layers -----------------------------------------------------------------------------------------------------


def _boxes(layer: Layer, path: str, *, outermost: bool = True) -> Iterator[tuple[str, str]]:
    """Paths and titles of the patterns inside a block: squeeze-and-excitation, Ghost modules."""
    if isinstance(layer, (Sequential, Branches)):
        children = layer.children if isinstance(layer, Sequential) else layer.branches
        for name, child in children:
            yield from _boxes(child, join(path, name), outermost=False)
    elif isinstance(layer, Block):
        if not outermost and type(layer).__name__ not in PLAIN:
            yield path, block_title(layer)
        yield from _boxes(layer.expand(), path, outermost=outermost)


def _inside(path: str, boxes: Mapping[str, str]) -> str:
    """The innermost of `boxes` that a layer is in."""
    parts = path.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in boxes), "")


def _layer_node(draft: _Draft, card: _Card, run: list[BuiltBlock], boxes: Mapping[str, str]) -> Node:
    main = card.main
    path = main.path.rpartition(".")[0] if main.blocks and main.blocks[-1] in PLAIN else main.path
    group = _inside(main.path, boxes)
    base = max(group, run[0].path, key=len)
    name, what = reader_name(path, base), card.what
    if not isinstance(main.layer, WEIGHTED) and (name or len(draft.scope.blocks) == 1):
        # What a pooling layer does says more than what it is called.
        name, what = what, ""
    name = name or run[0].path
    if what == name:
        what = ""
    if "depthwise" in name:
        what = what.replace("depthwise ", "")
    relative = [step.path.removeprefix(run[0].path) for step in card.steps]
    standing = [
        draft.steps[entry.path + tail] for entry in run for tail in relative if entry.path + tail in draft.steps
    ]
    return Node(
        id=draft.id(path),
        role="layer",
        name=name,
        what=what,
        channels=channels_of(main.layer),
        after=card.after,
        shape=draft.graph.nodes[card.numbers[-1]].shapes[0],
        kind=kind_of(main),
        group=group,
        block=run[0].path,
        paths=tuple(step.path for step in card.steps),
        **draft.costs(standing),
    )


def _joint_node(draft: _Draft, seen: Seen, role: str, boxes: Mapping[str, str]) -> Node:
    """A merge, a split, or what effviz has no word for."""
    step = draft.steps.get(seen.path)
    shape = seen.shapes[0] if seen.shapes else ()
    group = _inside(seen.path, boxes)
    entry = draft.block_of(seen.path)
    block = entry.path if entry else ""
    if step is None or not isinstance(step.layer, Branches) or role == "other":
        return Node(draft.id(join(seen.path, seen.name)), "other", seen.name, shape=shape, group=group, block=block)
    if role == "split":
        return Node(draft.id(f"{seen.path}.split"), role, "split", shape=shape, group=group, block=block)
    return Node(
        id=draft.id(f"{seen.path}.{step.layer.merge}"),
        role=role,
        name=step.layer.merge,
        shape=step.output.shape,
        kind=kind_of(step),
        group=group,
        block=block,
        paths=(step.path,),
    )


def _by_layers(draft: _Draft, runs: list[list[BuiltBlock]]) -> Sketch:
    """One node per card, merge and split; of a run, its first block."""
    run_of = {entry.path: run for run in runs for entry in run}
    boxes: dict[str, str] = {}
    for run in runs:
        if len(draft.scope.blocks) > 1 and (len(run) > 1 or draft.only_card(run[0]) is None):
            # No more than this: arrows run down the middle of the box.
            boxes[run[0].path] = run[0].path + (f" × {len(run)}" if len(run) > 1 else "")
        boxes |= dict(_boxes(run[0].block, run[0].path))
    drawn = {INPUT: draft.input()}
    joints: dict[tuple[str, str], Node] = {}
    for number, seen in draft.graph.nodes.items():
        entry = draft.block_of(seen.path)
        run = run_of[entry.path] if entry else []
        if run and entry is not run[0]:
            continue
        card, role = draft.cards.get(number), draft.role(seen)
        if card is not None:
            first = card.numbers[0]
            drawn[number] = drawn[first] if first in drawn else _layer_node(draft, card, run, boxes)
        elif role == "other":
            drawn[number] = _joint_node(draft, seen, role, boxes)
        else:
            # Three branches are added by two calls of torch.add, and drawn as one node.
            key = (seen.path, role)
            joints[key] = drawn[number] = joints.get(key) or _joint_node(draft, seen, role, boxes)
    drawn[OUTPUT] = draft.output()
    exits = {run[0].path: draft.exit(run[0]) for run in runs if len(run) > 1}
    pairs = []
    for tail, head in draft.graph.edges:
        if head in drawn:
            entry = draft.block_of(draft.graph.nodes[tail].path) if tail not in drawn else None
            pairs.append((exits[run_of[entry.path][0].path] if entry else tail, head))
    return _sketch(draft, drawn, pairs, boxes, runs, LAYERS)


# --- By blocks and by stages ---------------------------------------------------------------------------------------


def _title(draft: _Draft, run: Sequence[BuiltBlock]) -> str:
    """What a run consists of: ``Inverted residual × 3``."""
    counts: dict[str, int] = {}
    for entry in run:
        card = draft.only_card(entry)
        word = card.what if card else block_title(entry.block)
        if len(run) > 1:
            # Only the first block of a stage has the stride.
            word = re.sub(r", stride \S+", "", word)
        counts[word] = counts.get(word, 0) + 1
    words = [word if count == 1 else f"{word} × {count}" for word, count in counts.items()]
    return ", ".join(words if len(words) <= 3 else [*words[:2], f"{len(words) - 2} other kinds of block"])


def _run_node(draft: _Draft, run: list[BuiltBlock]) -> Node:
    first, last = run[0], run[-1]
    shape = trace_block(last.block, last.shape).output.shape
    steps = [step for entry in run for step in draft.steps_of[entry.path]]
    costs = draft.costs(steps)
    card = draft.only_card(first) if len(run) == 1 else None
    stride = max(getattr(entry.block, "stride", 1) for entry in run)
    what = _title(draft, run)
    if card is None and stride > 1 and ", stride" not in what:
        what = f"{what}, stride {stride}"
    kind = costs["mix"][0][0] if costs["mix"] else kind_of(steps[0]) if steps else kinds.VIEW
    name = draft.run_name(run)
    return Node(
        id=draft.id(name),
        role="blocks",
        name=name,
        what=what,
        channels=channels_of(card.main.layer) if card else f"{first.shape[0]} → {shape[0]}",
        after=card.after if card else "",
        shape=shape,
        kind=kind,
        paths=tuple(step.path for step in steps),
        **costs,
    )


def _by_blocks(draft: _Draft, runs: list[list[BuiltBlock]], depth: int) -> Sketch:
    """One node per run."""
    nodes = {entry.path: node for run in runs for node in [_run_node(draft, run)] for entry in run}
    drawn = {INPUT: draft.input()}
    for number, seen in draft.graph.nodes.items():
        entry = draft.block_of(seen.path)
        drawn[number] = nodes[entry.path] if entry else _joint_node(draft, seen, "other", {})
    drawn[OUTPUT] = draft.output()
    return _sketch(draft, drawn, draft.graph.edges, {}, runs, depth)


def _sketch(
    draft: _Draft,
    drawn: Mapping[int, Node],
    pairs: Sequence[tuple[int, int]],
    groups: Mapping[str, str],
    runs: list[list[BuiltBlock]],
    depth: int,
) -> Sketch:
    nodes = {node.id: node for node in drawn.values()}
    links = dict.fromkeys((drawn[tail].id, drawn[head].id) for tail, head in pairs if drawn[tail] is not drawn[head])
    heads: dict[str, list[str]] = {}
    for tail, head in links:
        heads.setdefault(tail, []).append(head)
    readable = len(nodes) <= MAX_NODES
    edges = []
    for tail, head in links:
        skips = readable and _passes_by(tail, head, heads)
        label = "shortcut" if skips and nodes[head].name == "add" else ""
        if nodes[tail].role == "split":
            label = f"{nodes[tail].shape[0]} channels"
        edges.append(Edge(tail, head, label, skips))
    used = {
        group: title for group, title in groups.items() if any(_is_in(node.group, group) for node in drawn.values())
    }
    return Sketch(tuple(nodes.values()), tuple(edges), used, len(draft.scope.blocks) - len(runs), depth)


def _passes_by(tail: str, head: str, heads: Mapping[str, list[str]]) -> bool:
    """Whether `head` is reached from `tail` by another way too."""
    pending = [other for other in heads[tail] if other != head]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        if node == head:
            return True
        if node not in seen:
            seen.add(node)
            pending += heads.get(node, [])
    return False


def _is_in(path: str, box: str) -> bool:
    return path == box or path.startswith(f"{box}.")


def sketch(design: Design, resolution: int | None = None, path: str | None = None, depth: int | None = None) -> Sketch:
    """The graph that `draw` draws, with its numbers; arguments and errors as there."""
    return _sketched(_scope(design, resolution, path), depth)


def _sketched(scope: _Scope, depth: int | None) -> Sketch:
    draft = _Draft(scope)
    asked = depth or (STAGES if not scope.path else LAYERS if len(scope.blocks) == 1 else BLOCKS)
    made: list[Sketch] = []
    for level in range(asked, 0, -1):
        runs = _runs(scope.blocks, level)
        draft.forget()
        made.append(_by_layers(draft, runs) if level == LAYERS else _by_blocks(draft, runs, level))
        if len(made[-1].nodes) <= MAX_NODES:
            break
    words = {STAGES: "stages", BLOCKS: "blocks", LAYERS: "layers"}
    found, notes = made[-1], []
    if len(made) > 1:
        notes.append(
            f"Drawn by {words[found.depth]}, not by {words[asked]}: that would be {len(made[0].nodes)} nodes, more "
            f"than the {MAX_NODES} that can be read."
        )
    stages = len({stage_of(entry.path) for entry in scope.blocks})
    if found.depth == STAGES and stages > len(runs):
        notes.append(f"{stages} stages share {len(runs)} nodes: more than {MAX_NODES} nodes cannot be read.")
    return replace(found, note=" ".join(notes))


# --- Text ----------------------------------------------------------------------------------------------------------

_MOST = 300


def _headline(scope: _Scope, drawn: Sketch) -> str:
    """The finding: who takes most of the multiply-adds."""
    network = scope.design.title or scope.design.name
    subject = f"{scope.path} of {network}" if scope.path else f"{network} at {scope.shape[1]} px"
    macs = sum(node.macs for node in drawn.nodes)
    if not macs:
        return clean(f"{subject}: no multiply-adds", _MOST)
    if drawn.depth < LAYERS and not scope.path:
        largest = max(drawn.nodes, key=lambda node: node.macs)
        return clean(f"{subject}: {largest.name} takes most, {percent(largest.share)} of the multiply-adds", _MOST)
    mix: Counter[str] = Counter()
    for node in drawn.nodes:
        mix.update(dict(node.mix))
    kind, most = mix.most_common(1)[0]
    finding = f"{subject}: {kind} takes {percent(most / macs)} of the multiply-adds"
    if scope.path:
        part = "block" if len(scope.blocks) == 1 else "stage"
        finding += f", and the {part} {percent(macs / scope.network_macs)} of the network's"
    return clean(finding, _MOST)


def _spoken(node: Node, sources: Sequence[Node]) -> str:
    """A node in words; of one with several sources, what they are."""
    words = {"mul": "product", "add": "sum"}.get(node.name, node.name) if node.role == "merge" else node.name
    if len(sources) > 1:
        words = f"{words} of {' and '.join(source.name for source in sources)}"
    details = joined(node.what, node.channels, node.after, by=", ")
    if details:
        words = f"{words} ({details})"
    if node.role not in ("input", "output") and node.shape:
        words = f"{words} to"
    words = joined(words, times(node.shape), by=" ")
    if not node.macs:
        return words
    return f"{words}, {percent(node.share)} of multiply-adds, {si(node.params)} parameters"


def _told(drawn: Sketch) -> str:
    """Every node in order, in words."""
    by_id = {node.id: node for node in drawn.nodes}
    sources: dict[str, list[Node]] = {}
    for edge in drawn.edges:
        sources.setdefault(edge.head, []).append(by_id[edge.tail])
    listed = [_spoken(node, sources.get(node.id, [])) for node in drawn.nodes]
    return clean(f"In order: {'; '.join(listed)}.", MAX_NODES * _MOST)


# --- The way in ----------------------------------------------------------------------------------------------------


def draw(
    design: Design,
    resolution: int | None = None,
    *,
    path: str | None = None,
    depth: int | None = None,
    appearance: str = "light",
) -> Diagram:
    """A network, a stage or a block as a diagram.

    Args:
        design: what to draw.
        resolution: side of the input in pixels; None for the design's own.
        path: of a block (``"stage4.1"``) or a stage; None for the whole network.
        depth: 1 for a node per stage, 2 per block, 3 per layer; None for what suits the part: a network by stages, a
            stage by blocks, a block by layers.
        appearance: ``"light"`` or ``"dark"``.

    Raises:
        DesignError: there is no such block, and the message lists what there is; or the network cannot be built at
            this resolution.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    if path is not None and not isinstance(path, str):
        fail("path", path, "must be text or None")
    if resolution is not None:
        resolution = whole("resolution", resolution)
    if depth is not None:
        depth = whole("depth", depth, STAGES, LAYERS)
    return _drawn(design.to_json(), resolution, path, depth, one_of("appearance", appearance, APPEARANCES))


@lru_cache(maxsize=256)
def _drawn(text: str, resolution: int | None, path: str | None, depth: int | None, appearance: str) -> Diagram:
    design = Design.from_json(text)
    scope = _scope(design, resolution, path)
    drawn = _sketched(scope, depth)
    title = _headline(scope, drawn)
    return Diagram(
        dot=to_dot(drawn, APPEARANCES[appearance]),
        title=title,
        alt=joined(f"{title}.", drawn.note, _told(drawn), by=" "),
        nodes=len(drawn.nodes),
        collapsed=drawn.collapsed,
        depth=drawn.depth,
        note=drawn.note,
    )


def diagram_job(
    payload: Mapping[str, Any], progress: Callable[[float, str], object], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """`draw` for the torch process: JSON-able in and out.

    Args:
        payload: ``design`` as `Design.to_json` writes it; ``resolution``, ``path``, ``depth`` and ``appearance`` as in
            `draw`, all optional.
        progress: told that drawing begins and that it is done.
        cancelled: asked before anything is done; a drawing takes well below a second.

    Returns:
        The fields of a `Diagram` by name.

    Raises:
        DesignError: as `draw`, or the text is no design.
        Cancelled: `cancelled` said so.
    """
    if cancelled():
        raise Cancelled
    progress(0.0, "Drawing")
    diagram = draw(
        Design.from_json(payload["design"]),
        payload.get("resolution"),
        path=payload.get("path"),
        depth=payload.get("depth"),
        appearance=payload.get("appearance", "light"),
    )
    progress(1.0, "Drawn")
    return asdict(diagram)
