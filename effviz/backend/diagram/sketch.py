"""Sketches of a network by layers, by blocks and by stages, from the recorded graph."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from effviz.backend.diagram.graph import Edge, Node, Sketch, grouped
from effviz.backend.diagram.recording import INPUT, OUTPUT, RecordedNode
from effviz.backend.diagram.scope_graph import DrawnScope, LayerBundle, ScopeGraph, scope_of
from effviz.core.resolution import Resolution
from effviz.count.kinds import VIEW, kind_of
from effviz.count.words import PLAIN, WEIGHTED, block_title, channels_of, reader_name
from effviz.model.design import Design
from effviz.model.layers import Block, Branches, Layer, Sequential
from effviz.model.layout import BuiltBlock
from effviz.model.outline import alike_runs, by_stage, stage_of
from effviz.model.trace import join, trace_block

STAGES, BLOCKS, LAYERS = 1, 2, 3
"""Levels of detail: one node per stage, per block or per layer."""

MAX_NODES = 60
"""More nodes are not readable; such a sketch has a lower level of detail."""


def _runs(blocks: Sequence[BuiltBlock], depth: int) -> list[list[BuiltBlock]]:
    """Return `blocks` in runs of neighbors that share a node; at most `MAX_NODES` with input and output."""
    if depth != STAGES:
        return alike_runs(blocks)
    found, most = by_stage(blocks), MAX_NODES - 2
    size = -(-len(found) // most)
    return [list(chain.from_iterable(found[start : start + size])) for start in range(0, len(found), size)]


# --- by layers -----------------------------------------------------------------------------------------------------


def _boxes(layer: Layer, path: str, *, outermost: bool = True) -> Iterator[tuple[str, str]]:
    """Yield paths and titles of the patterns inside a block: squeeze-and-excitation, Ghost modules."""
    if isinstance(layer, (Sequential, Branches)):
        children = layer.children if isinstance(layer, Sequential) else layer.branches
        for name, child in children:
            yield from _boxes(child, join(path, name), outermost=False)
    elif isinstance(layer, Block):
        if not outermost and type(layer).__name__ not in PLAIN:
            yield path, block_title(layer)
        yield from _boxes(layer.expand(), path, outermost=outermost)


def _inside(path: str, boxes: Mapping[str, str]) -> str:
    """Return the innermost of `boxes` around a layer."""
    parts = path.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in boxes), "")


def _layer_node(graph: ScopeGraph, bundle: LayerBundle, run: list[BuiltBlock], boxes: Mapping[str, str]) -> Node:
    main = bundle.main
    path = main.path.rpartition(".")[0] if main.blocks and main.blocks[-1] in PLAIN else main.path
    group = _inside(main.path, boxes)
    base = max(group, run[0].path, key=len)
    name, what = reader_name(path, base), bundle.what
    if not isinstance(main.layer, WEIGHTED) and (name or len(graph.scope.blocks) == 1):
        # For a pooling layer, the description is more informative than the name.
        name, what = what, ""
    name = name or run[0].path
    if what == name:
        what = ""
    if "depthwise" in name:
        what = what.replace("depthwise ", "")
    relative = [step.path.removeprefix(run[0].path) for step in bundle.steps]
    repeated = [
        graph.steps[entry.path + tail] for entry in run for tail in relative if entry.path + tail in graph.steps
    ]
    return Node(
        id=graph.id(path),
        role="layer",
        name=name,
        what=what,
        channels=channels_of(main.layer),
        after=bundle.after,
        shape=graph.recorded.nodes[bundle.numbers[-1]].shapes[0],
        kind=kind_of(main),
        group=group,
        block=run[0].path,
        paths=tuple(step.path for step in bundle.steps),
        **graph.costs(repeated),
    )


def _joint_node(graph: ScopeGraph, seen: RecordedNode, role: str, boxes: Mapping[str, str]) -> Node:
    """Return the node of a merge, a split, or an operation without a counterpart in effviz."""
    step = graph.steps.get(seen.path)
    shape = seen.shapes[0] if seen.shapes else ()
    group = _inside(seen.path, boxes)
    entry = graph.block_of(seen.path)
    block = entry.path if entry else ""
    if step is None or not isinstance(step.layer, Branches) or role == "other":
        return Node(graph.id(join(seen.path, seen.name)), "other", seen.name, shape=shape, group=group, block=block)
    if role == "split":
        return Node(graph.id(f"{seen.path}.split"), role, "split", shape=shape, group=group, block=block)
    return Node(
        id=graph.id(f"{seen.path}.{step.layer.merge}"),
        role=role,
        name=step.layer.merge,
        shape=step.output.shape,
        kind=kind_of(step),
        group=group,
        block=block,
        paths=(step.path,),
    )


def _by_layers(graph: ScopeGraph, runs: list[list[BuiltBlock]]) -> Sketch:
    """Return a sketch with one node per bundle, merge and split of the first block of every run."""
    run_of = {entry.path: run for run in runs for entry in run}
    boxes: dict[str, str] = {}
    for run in runs:
        if len(graph.scope.blocks) > 1 and (len(run) > 1 or graph.only_bundle(run[0]) is None):
            # A longer title would cross the edges in the middle of the box.
            boxes[run[0].path] = run[0].path + (f" × {len(run)}" if len(run) > 1 else "")
        boxes |= dict(_boxes(run[0].block, run[0].path))
    drawn = {INPUT: graph.input()}
    joints: dict[tuple[str, str], Node] = {}
    for number, seen in graph.recorded.nodes.items():
        entry = graph.block_of(seen.path)
        run = run_of[entry.path] if entry else []
        if run and entry is not run[0]:
            continue
        bundle, role = graph.bundles.get(number), graph.role(seen)
        if bundle is not None:
            first = bundle.numbers[0]
            drawn[number] = drawn[first] if first in drawn else _layer_node(graph, bundle, run, boxes)
        elif role == "other":
            drawn[number] = _joint_node(graph, seen, role, boxes)
        else:
            # Three branches are added by two calls of torch.add, but drawn as one node.
            key = (seen.path, role)
            joints[key] = drawn[number] = joints.get(key) or _joint_node(graph, seen, role, boxes)
    drawn[OUTPUT] = graph.output()
    exits = {run[0].path: graph.exit(run[0]) for run in runs if len(run) > 1}
    pairs = []
    for tail, head in graph.recorded.edges:
        if head in drawn:
            entry = graph.block_of(graph.recorded.nodes[tail].path) if tail not in drawn else None
            pairs.append((exits[run_of[entry.path][0].path] if entry else tail, head))
    return _sketch(graph, drawn, pairs, boxes, runs, LAYERS)


# --- by blocks and by stages ---------------------------------------------------------------------------------------


def _title(graph: ScopeGraph, run: Sequence[BuiltBlock]) -> str:
    """Describe the blocks of a run: ``Inverted residual × 3``."""
    titles = [bundle.what if (bundle := graph.only_bundle(entry)) else block_title(entry.block) for entry in run]
    if len(run) > 1:
        # Only the first block of a stage has a stride.
        titles = [re.sub(r", stride \S+", "", title) for title in titles]
    counts = Counter(titles)
    words = [word if count == 1 else f"{word} × {count}" for word, count in counts.items()]
    return ", ".join(words if len(words) <= 3 else [*words[:2], f"{len(words) - 2} other kinds of block"])


def _run_node(graph: ScopeGraph, run: list[BuiltBlock]) -> Node:
    first, last = run[0], run[-1]
    shape = trace_block(last.block, last.shape).output.shape
    steps = [step for entry in run for step in graph.steps_of[entry.path]]
    costs = graph.costs(steps)
    bundle = graph.only_bundle(first) if len(run) == 1 else None
    stride = max(getattr(entry.block, "stride", 1) for entry in run)
    what = _title(graph, run)
    if bundle is None and stride > 1 and ", stride" not in what:
        what = f"{what}, stride {stride}"
    kind = costs["mix"][0][0] if costs["mix"] else kind_of(steps[0]) if steps else VIEW
    name = graph.run_name(run)
    return Node(
        id=graph.id(name),
        role="blocks",
        name=name,
        what=what,
        channels=channels_of(bundle.main.layer) if bundle else f"{first.shape[0]} → {shape[0]}",
        after=bundle.after if bundle else "",
        shape=shape,
        kind=kind,
        paths=tuple(step.path for step in steps),
        **costs,
    )


def _by_blocks(graph: ScopeGraph, runs: list[list[BuiltBlock]], depth: int) -> Sketch:
    """Return a sketch with one node per run."""
    drawn = {INPUT: graph.input()}
    nodes = {entry.path: node for run in runs for node in [_run_node(graph, run)] for entry in run}
    for number, seen in graph.recorded.nodes.items():
        entry = graph.block_of(seen.path)
        drawn[number] = nodes[entry.path] if entry else _joint_node(graph, seen, "other", {})
    drawn[OUTPUT] = graph.output()
    return _sketch(graph, drawn, graph.recorded.edges, {}, runs, depth)


def _sketch(
    graph: ScopeGraph, drawn: Mapping[int, Node], pairs: Sequence[tuple[int, int]], groups: Mapping[str, str],
    runs: list[list[BuiltBlock]], depth: int,
) -> Sketch:  # fmt: skip
    nodes = {node.id: node for node in drawn.values()}
    links = dict.fromkeys((drawn[tail].id, drawn[head].id) for tail, head in pairs if drawn[tail] is not drawn[head])
    heads = grouped(links)
    readable = len(nodes) <= MAX_NODES
    edges = []
    for tail, head in links:
        skips = readable and _passes_by(tail, head, heads)
        label = "shortcut" if skips and nodes[head].name == "add" else ""
        if nodes[tail].role == "split":
            label = f"{nodes[tail].shape[0]} channels"
        edges.append(Edge(tail, head, label, skips))
    filled = [node.group for node in drawn.values()]
    used = {path: title for path, title in groups.items() if any(f"{each}.".startswith(f"{path}.") for each in filled)}
    return Sketch(tuple(nodes.values()), tuple(edges), used, len(graph.scope.blocks) - len(runs), depth)


def _passes_by(tail: str, head: str, heads: Mapping[str, list[str]]) -> bool:
    """Whether there is another path from `tail` to `head`."""
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


def sketch(
    design: Design, resolution: Resolution | None = None, path: str | None = None, depth: int | None = None
) -> Sketch:
    """Return the graph of a diagram; arguments and errors are those of `effviz.backend.diagram.draw.draw`."""
    return sketch_scope(scope_of(design, resolution, path), depth)


def sketch_scope(scope: DrawnScope, depth: int | None) -> Sketch:
    """Return the sketch of a scope, at a lower level of detail if it has too many nodes."""
    graph = ScopeGraph(scope)
    requested = depth or (STAGES if not scope.path else LAYERS if len(scope.blocks) == 1 else BLOCKS)
    made: list[Sketch] = []
    for level in range(requested, 0, -1):
        runs = _runs(scope.blocks, level)
        made.append(_by_layers(graph, runs) if level == LAYERS else _by_blocks(graph, runs, level))
        if len(made[-1].nodes) <= MAX_NODES:
            break
    words = {STAGES: "stages", BLOCKS: "blocks", LAYERS: "layers"}
    found, notes = made[-1], []
    if len(made) > 1:
        notes.append(
            f"Drawn by {words[found.depth]}: by {words[requested]} it would have {len(made[0].nodes)} nodes, and more "
            f"than {MAX_NODES} are not readable."
        )
    stages = len({stage_of(entry.path) for entry in scope.blocks})
    if found.depth == STAGES and stages > len(runs):
        notes.append(f"{stages} stages share {len(runs)} nodes, because more than {MAX_NODES} are not readable.")
    return replace(found, note=" ".join(notes))
