"""The recorded graph of a part of a network, grouped into bundles: layers that are drawn as one node."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import chain, count, groupby
from typing import Any, NamedTuple, TypeVar

from effviz.backend.diagram.graph import Node, grouped, joined
from effviz.backend.diagram.recording import RecordedNode, record, without
from effviz.core.errors import UnknownNameError, show
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.count.kinds import kind_of
from effviz.count.report import analyze
from effviz.count.words import ATTACHED, WEIGHTED, describe
from effviz.model.design import Design
from effviz.model.layers import Activation, BatchNorm2d, Branches, Conv2d, Identity, Layer, Primitive, Sequential, Shape
from effviz.model.layout import BuiltBlock
from effviz.model.outline import span, stage_of
from effviz.model.trace import TraceStep, trace, trace_block

_TORCH_MERGES = {"add": "add", "mul": "mul", "concat": "cat", "resize": "interpolate"}
T = TypeVar("T")


class DrawnScope(NamedTuple):
    """The part of a network that is drawn: the whole network, a stage or a block."""

    design: Design
    path: str
    blocks: list[BuiltBlock]
    layer: Layer
    shape: Shape
    network_macs: int


def scope_of(design: Design, resolution: Resolution | None, path: str | None) -> DrawnScope:
    """Return the stage or block at `path`, or the whole network.

    Raises:
        DesignError: there is no such path, or the network cannot be built at this resolution.
    """
    report = analyze(design, resolution)
    tree: Layer = design.layer(resolution)
    if path is None:
        return DrawnScope(design, "", report.blocks, tree, report.input_shape, report.macs)
    inside = [entry for entry in report.blocks if path in (entry.path, stage_of(entry.path))]
    if not inside:
        blocks = [entry.path for entry in report.blocks]
        near = get_close_matches(path, blocks, n=1) if len(path) < 100 else []
        hint = f"; did you mean {near[0]!r}?" if near else "."
        listed = ", ".join(span(list(group)) for _, group in groupby(blocks, stage_of))
        raise UnknownNameError(f"path = {show(path)} is unknown{hint} Blocks: {listed}")
    for part in path.split("."):
        assert isinstance(tree, Sequential)
        tree = dict(tree.children)[part]
    return DrawnScope(design, path, inside, tree, inside[0].shape, report.macs)


class LayerBundle(NamedTuple):
    """Layers that are one node: their numbers in the graph and their steps, in order."""

    numbers: list[int]
    steps: list[TraceStep]

    @property
    def main(self) -> TraceStep:
        """The layer after which the node is named."""
        return next((step for step in self.steps if not isinstance(step.layer, ATTACHED)), self.steps[0])

    @property
    def what(self) -> str:
        """The description of the layer; a norm and its activation are described together."""
        words = describe(self.main.layer)
        return joined(words, self._others, by=", ") if isinstance(self.main.layer, BatchNorm2d) else words

    @property
    def after(self) -> str:
        """The description of the other layers, unless it is part of `what`."""
        return "" if isinstance(self.main.layer, BatchNorm2d) else self._others

    @property
    def _others(self) -> str:
        at = self.steps.index(self.main)
        ahead = ", ".join(describe(step.layer) for step in self.steps[:at])
        behind = [_behind(step) for step in self.steps[at + 1 :]]
        return ", ".join([*behind, *([f"after {ahead}"] if ahead else [])])


def _behind(step: TraceStep) -> str:
    gate = step.path.endswith(".gate") and "SqueezeExcite" in step.blocks
    return f"{describe(step.layer)}{' gate' if gate else ''}"


def _fuses(steps: Sequence[TraceStep], layer: Layer) -> bool:
    """Whether `layer`, the only reader of the last of `steps`, belongs to their node."""
    layers = [step.layer for step in steps]
    if isinstance(layer, WEIGHTED):
        return all(isinstance(each, ATTACHED) for each in layers)
    if isinstance(layer, BatchNorm2d):
        return isinstance(layers[-1], Conv2d)
    if isinstance(layer, Activation):
        return isinstance(layers[-1], (*WEIGHTED, BatchNorm2d))
    return isinstance(layer, ATTACHED)


class ScopeGraph:
    """The recorded graph of a scope without identities, and look-ups by path."""

    def __init__(self, scope: DrawnScope) -> None:
        self.scope = scope
        self.steps = {step.path: step for step in trace(scope.layer, scope.shape, scope.path)}
        self._total = sum(map(_macs, self.steps.values()))
        self._blocks = {entry.path: entry for entry in scope.blocks}
        self._sizes = Counter(stage_of(entry.path) for entry in scope.blocks)
        graph = record(scope.layer, scope.shape, scope.path)
        identities = {path for path, step in self.steps.items() if isinstance(step.layer, Identity)}
        gone = {n for n, seen in graph.nodes.items() if seen.path in identities and not seen.is_function}
        self.recorded = without(graph, gone)
        self._readers = self.recorded.readers()
        self.bundles = self._fused()  # by node of torchview
        self._ids: set[str] = set()

    def _fused(self) -> dict[int, LayerBundle]:
        all_sources, bundles = self.recorded.sources(), dict[int, LayerBundle]()
        for number, seen in self.recorded.nodes.items():
            if self.role(seen) != "layer":
                continue
            step, sources = self.steps[seen.path], all_sources.get(number, [])
            bundle = bundles.get(sources[0]) if len(sources) == 1 and self._readers[sources[0]] == [number] else None
            inside = bundle is not None and self.block_of(bundle.steps[-1].path) == self.block_of(step.path)
            if bundle is None or not inside or not _fuses(bundle.steps, step.layer):
                bundle = LayerBundle([], [])
            bundle.numbers.append(number)
            bundle.steps.append(step)
            bundles[number] = bundle
        return bundles

    def role(self, seen: RecordedNode) -> str:
        """Return the role of a node of torchview, see `Node`."""
        step = self.steps.get(seen.path)
        layer = step.layer if step else None
        if isinstance(layer, Branches) and seen.is_function:
            if seen.name == _TORCH_MERGES[layer.merge]:
                return "merge"
            if layer.split and seen.name == "chunk":
                return "split"
        return "layer" if isinstance(layer, Primitive) and not seen.is_function else "other"

    def block_of(self, path: str) -> BuiltBlock | None:
        """Return the block of a layer."""
        stage, _, rest = path.partition(".")
        return self._blocks.get(stage) or self._blocks.get(f"{stage}.{rest.partition('.')[0]}")

    def run_name(self, run: Sequence[BuiltBlock]) -> str:
        """Return the stage of a run of blocks if it is complete, otherwise its first and last block."""
        stages = [stage_of(entry.path) for entry in run]
        if len(set(stages)) == 1 and len(run) == self._sizes[stages[0]]:
            return stages[0]
        return span([entry.path for entry in run])

    @cached_property
    def steps_of(self) -> dict[str, list[TraceStep]]:
        """The steps of every block, by its path."""
        return self._by_block(self.steps.items())

    @cached_property
    def _numbers_of(self) -> dict[str, list[int]]:
        return self._by_block((seen.path, number) for number, seen in self.recorded.nodes.items())

    def _by_block(self, items: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
        found = grouped((entry.path, item) for path, item in items if (entry := self.block_of(path)))
        return {path: [] for path in self._blocks} | found

    def only_bundle(self, entry: BuiltBlock) -> LayerBundle | None:
        """Return the only bundle of a block: a convolution with norm and activation, or a pooling."""
        numbers = self._numbers_of[entry.path]
        bundle = self.bundles.get(numbers[0]) if numbers else None
        return bundle if bundle is not None and bundle.numbers == numbers else None

    def exit(self, entry: BuiltBlock) -> int:
        """Return the node whose output leaves a block."""
        inside = self._numbers_of[entry.path]
        return next(number for number in inside if any(head not in inside for head in self._readers.get(number, [])))

    def input(self) -> Node:
        """Start a new sketch with the node of its input."""
        self._ids.clear()
        return Node(self.id("input"), "input", "input", shape=self.scope.shape)

    def output(self) -> Node:
        """Return the node of the output."""
        last = self.scope.blocks[-1]
        return Node(self.id("output"), "output", "output", shape=trace_block(last.block, last.shape).output.shape)

    def id(self, wish: str) -> str:
        """Return `wish` as a node id: without special characters, and unique within the sketch."""
        base = re.sub(r"[^A-Za-z0-9_.-]", "_", wish)[:80] or "node"
        names = chain([base], (f"{base}-{number}" for number in count(2)))
        name = next(name for name in names if name not in self._ids)
        self._ids.add(name)
        return name

    def costs(self, steps: Sequence[TraceStep]) -> dict[str, Any]:
        """Return the costs of `steps` as fields of a `Node`."""
        mix: Counter[str] = Counter()
        for step in steps:
            mix[kind_of(step)] += _macs(step)
        macs = mix.total()
        return {
            "macs": macs,
            "params": sum(cost.params(step.layer) for step in steps),
            "share": macs / self._total if self._total else 0.0,
            "mix": tuple((kind, most) for kind, most in mix.most_common() if most),
        }


def _macs(step: TraceStep) -> int:
    return cost.macs(step.layer, step.output.shape)
