"""The graph of a network as nodes and edges, recorded by torchview on the meta device.

Properties of torchview 0.2.7 (the tests compare every edge with `effviz.model.trace`):

- An identity returns its input, and later readers of that tensor are attached to the identity instead of the layer
  that wrote it. `without` removes identities, which restores the right edges.
- A function (`torch.add`, `chunk`) has no module. It belongs to the module whose forward method calls it.
- A tensor that a function reads twice is one edge. No block merges a tensor with itself.
"""

from collections.abc import Iterator
from threading import Lock
from typing import Any, NamedTuple

import torch

from effviz.backend.build import to_module
from effviz.backend.diagram.graph import grouped
from effviz.core.caches import remembered
from effviz.model.layers import Layer, Shape
from effviz.model.trace import join


class RecordedNode(NamedTuple):
    """A node of torchview."""

    path: str  # of its module, or of the module that calls the function
    name: str  # given by torchview
    is_function: bool  # a function call in a module's forward
    shapes: tuple[Shape, ...]  # of its outputs, without the batch


class RecordedGraph(NamedTuple):
    """Nodes by number, in order of execution; edges between numbers, `INPUT` and `OUTPUT`."""

    nodes: dict[int, RecordedNode]
    edges: list[tuple[int, int]]

    def sources(self) -> dict[int, list[int]]:
        """Return the sources of every node."""
        return grouped((head, tail) for tail, head in self.edges)

    def readers(self) -> dict[int, list[int]]:
        """Return the readers of every node."""
        return grouped(self.edges)


INPUT, OUTPUT = -1, -2
_EVERY_DEPTH = 10_000
# torchview replaces Module.__call__ while it records.
_RECORDING = Lock()


@remembered
def record(layer: Layer, shape: Shape, path: str) -> RecordedGraph:
    """Record the graph of `layer`.

    The result is cached, because all levels of detail and appearances share one recording.
    """
    from torchview import draw_graph

    with torch.device("meta"):
        module = to_module(layer).eval()
    image = torch.empty((1, *shape), device="meta")
    with _RECORDING:
        seen = draw_graph(module, input_data=image, device="meta", depth=_EVERY_DEPTH)
    paths = {id(child): join(path, name) for name, child in module.named_modules()}
    nodes: dict[int, RecordedNode] = {}
    numbers: dict[int, int] = {}
    for node, owner, is_function in _visited(seen.node_hierarchy, None):
        own = owner if is_function else node.compute_unit_id
        shapes = tuple(tuple(output[1:]) for output in node.output_shape)
        numbers[id(node)] = len(nodes)
        nodes[len(nodes)] = RecordedNode(paths.get(own, path), node.name, is_function, shapes)
    edges = [(numbers.get(id(tail), INPUT), numbers.get(id(head), OUTPUT)) for tail, head in seen.edge_list]
    return RecordedGraph(nodes, list(dict.fromkeys(edges)))


def _visited(hierarchy: Any, owner: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Yield leaf modules and function calls in order; functions with the id of the calling module."""
    if isinstance(hierarchy, dict):
        for node, children in hierarchy.items():
            if node.is_container and node.depth >= 0:
                yield node, None, False
            else:
                for child in children:
                    yield from _visited(child, node.compute_unit_id)
    # An "empty-pass" is a module that returns its input.
    elif type(hierarchy).__name__ == "FunctionNode" and hierarchy.name != "empty-pass":
        yield hierarchy, owner, True


def without(graph: RecordedGraph, gone: set[int]) -> RecordedGraph:
    """Remove some nodes; their readers are connected to their sources."""
    sources = graph.sources()

    def kept(number: int) -> list[int]:
        if number not in gone:
            return [number]
        return [tail for source in sources.get(number, []) for tail in kept(source)]

    edges = [(tail, head) for source, head in graph.edges if head not in gone for tail in kept(source)]
    nodes = {number: seen for number, seen in graph.nodes.items() if number not in gone}
    return RecordedGraph(nodes, list(dict.fromkeys(edges)))
