"""A network, a stage or a block as a diagram in the DOT language of Graphviz.

The edges are those that torchview records from the module of `effviz.backend.build`. Names and numbers are added from
`effviz.count.report`. Convolution, batch norm and activation form one node, an identity is an edge, and equal
neighbors are one node "× 3". Every node has its share of the multiply-adds. Recorded operations without a counterpart
in effviz appear under torchview's name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from effviz.backend.diagram.dot import to_dot
from effviz.backend.diagram.graph import MARKS, Node, Sketch, clean, grouped, joined, times
from effviz.backend.diagram.scope_graph import DrawnScope, scope_of
from effviz.backend.diagram.sketch import LAYERS, MAX_NODES, STAGES, sketch_scope
from effviz.core.caches import remembered
from effviz.core.errors import fail, one_of, whole
from effviz.core.resolution import Resolution, as_resolution, in_pixels
from effviz.core.units import percent, si
from effviz.count.palette import APPEARANCES
from effviz.model.design import Design
from effviz.model.outline import stage_of

_MOST = 300


@dataclass(frozen=True)
class Diagram:
    """A drawing as text."""

    dot: str  # source for Graphviz with a transparent background, in the colors of one appearance
    title: str  # the finding, a sentence computed from the numbers
    alt: str  # the title and all nodes in order, in words
    nodes: int  # number of nodes, including input and output
    collapsed: int  # number of blocks without a node, because a stage or an equal neighbor represents them
    depth: int  # level of detail: 1 stages, 2 blocks, 3 layers
    note: str = ""  # why the level of detail is lower than requested; empty if it is not


def draw(
    design: Design,
    resolution: Resolution | None = None,
    *,
    path: str | None = None,
    depth: int | None = None,
    appearance: str = "light",
    marks: Mapping[str, str] | None = None,
) -> Diagram:
    """Draw a network, a stage or a block.

    Args:
        design: the network.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        path: of a block (``"stage4.1"``) or a stage; None for the whole network.
        depth: 1 for a node per stage, 2 per block, 3 per layer; None draws a network by stages, a stage by blocks, and
            a block by layers.
        appearance: ``"light"`` or ``"dark"``.
        marks: by name of a stage, ``"added"``, ``"removed"`` or ``"edited"``. The node of several stages is edited if
            they have different marks.

    Raises:
        DesignError: `path` or a mark is unknown, and the message lists all of them; or the network cannot be built at
            this resolution.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    if path is not None and not isinstance(path, str):
        fail("path", path, "must be text or None")
    if resolution is not None:
        resolution = as_resolution(resolution)
    if depth is not None:
        depth = whole("depth", depth, STAGES, LAYERS)
    given = tuple((name, one_of("mark", mark, MARKS)) for name, mark in (marks or {}).items())
    return _drawn(design.to_json(), resolution, path, depth, one_of("appearance", appearance, APPEARANCES), given)


@remembered
def _drawn(
    text: str, resolution: Resolution | None, path: str | None, depth: int | None, appearance: str,
    marks: tuple[tuple[str, str], ...],
) -> Diagram:  # fmt: skip
    scope = scope_of(Design.from_json(text), resolution, path)
    drawn = sketch_scope(scope, depth)
    if marks:
        drawn = replace(drawn, nodes=tuple(replace(node, mark=_mark(node, dict(marks))) for node in drawn.nodes))
    title = _headline(scope, drawn)
    return Diagram(
        dot=to_dot(drawn, APPEARANCES[appearance]),
        title=title,
        alt=joined(f"{title}.", drawn.note, _description(drawn), by=" "),
        nodes=len(drawn.nodes),
        collapsed=drawn.collapsed,
        depth=drawn.depth,
        note=drawn.note,
    )


def _mark(node: Node, marks: Mapping[str, str]) -> str:
    """Return the mark of the stages of a node."""
    found = {marks.get(stage_of(path), "") for path in node.paths}
    return "edited" if len(found) > 1 else next(iter(found), "")


# --- words ---------------------------------------------------------------------------------------------------------


def _headline(scope: DrawnScope, drawn: Sketch) -> str:
    """Return the finding: the part or the kind of layer with the largest share of the multiply-adds."""
    network = scope.design.title or scope.design.name
    subject = (
        f"{scope.path} of {network}" if scope.path else f"{network} at {in_pixels(as_resolution(scope.shape[1:]))}"
    )
    mix: Counter[str] = Counter()
    for node in drawn.nodes:
        mix.update(dict(node.mix))
    macs = mix.total()
    largest = max(drawn.nodes, key=lambda node: node.macs)
    if not macs:
        finding = "no multiply-adds"
    elif scope.path or drawn.depth == LAYERS:
        kind, most = mix.most_common(1)[0]
        finding = f"{kind} takes {percent(most / macs)} of the multiply-adds"
    elif largest.macs == macs:
        finding = f"{largest.name} takes all multiply-adds"
    else:
        finding = f"{largest.name} takes the largest share of the multiply-adds, {percent(largest.share)}"
    if macs and scope.path:
        part = "block" if len(scope.blocks) == 1 else "stage"
        finding += f", and the {part} {percent(macs / scope.network_macs)} of the network's"
    return clean(f"{subject}: {finding}", _MOST)


def _node_words(node: Node, sources: Sequence[Node]) -> str:
    """Describe a node; one with several sources includes their names."""
    words = {"mul": "product", "add": "sum"}.get(node.name, node.name) if node.role == "merge" else node.name
    if len(sources) > 1:
        words = f"{words} of {' and '.join(source.name for source in sources)}"
    details = joined(node.what, node.channels, node.after, by=", ")
    if details:
        words = f"{words} ({details})"
    words = joined(words, node.mark, by=", ")
    if node.role not in ("input", "output") and node.shape:
        words = f"{words} to"
    words = joined(words, times(node.shape), by=" ")
    if not node.macs:
        return words
    return f"{words}, {percent(node.share)} of multiply-adds, {si(node.params)} parameters"


def _description(drawn: Sketch) -> str:
    """Describe every node in order."""
    by_id = {node.id: node for node in drawn.nodes}
    sources = grouped((edge.head, by_id[edge.tail]) for edge in drawn.edges)
    listed = [_node_words(node, sources.get(node.id, [])) for node in drawn.nodes]
    return clean(f"In order: {'; '.join(listed)}.", MAX_NODES * _MOST)
