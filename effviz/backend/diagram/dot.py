"""A sketch of a network as DOT text: cards, rows and lines in the colours of the layer kinds.

A layer is a card: its name and its share on its kind's colour, below what it is. Blocks are rows of a table with a bar
of their multiply-adds by kind. Merges are small and round. What passes other nodes by is a thick line.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from effviz.core.units import percent, si
from effviz.count import kinds
from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import Appearance, text_on
from effviz.model.layers import Shape

# Streamlit writes every text of a diagram in its own typeface and in this size, whatever the DOT text says. Boxes fit
# only if they are laid out for it; Graphviz does not know the typeface and takes the widths of Times, a little more.
FONT = "Source Sans"
FONT_SIZE = 9.6
# Graphviz enlarges a drawing to a given width, in points: to text of 16 px, as far as 900 px are enough for that.
ENLARGED, WIDEST = 1.25, 675

_BAR = 70
_NARROW, _WIDE = frozenset("fijlrtI.,:;()[]|!' "), frozenset("mwMW×→")
_SIGNS = {"add": "+", "mul": "×", "concat": "concat"}


@dataclass(frozen=True)
class Node:
    """What is drawn as one.

    Attributes:
        id: unique, of letters, digits, ``_``, ``-`` and dots; the path where there is one.
        role: ``"input"``, ``"output"``, ``"layer"``, ``"blocks"``, ``"merge"``, ``"split"``, or ``"other"``: something
            torchview saw and effviz has no word for.
        name: what a reader calls it; of a merge ``"add"``, ``"mul"`` or ``"concat"``.
        what: layer or block, and how often.
        channels: in and out.
        after: what follows the layer within the node: norm, activation, dropout.
        shape: of the output.
        kind: one of `effviz.count.kinds.KINDS`; of blocks, the one with most multiply-adds.
        group: path of the box around it.
        block: path of the block it is part of.
        paths: of the layers in it; of an "× 3", those of the first.
        macs, params: of all that it stands for.
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
    """A tensor on its way: `label` says what is worth saying of it, `skips` that it passes other nodes by."""

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
        collapsed: blocks that are not drawn themselves, because their stage or an equal neighbour stands for them.
        depth: what was drawn: 1 stages, 2 blocks, 3 layers.
        note: why that is less than was asked for; empty if it is not.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: Mapping[str, str]
    collapsed: int
    depth: int
    note: str = ""


def times(sides: Sequence[int]) -> str:
    """``144 × 56 × 56``."""
    return " × ".join(map(str, sides))


def joined(*parts: str, by: str = " · ") -> str:
    """The parts that are not empty."""
    return by.join(part for part in parts if part)


def clean(words: str, most: int = 72) -> str:
    """`words`, whatever somebody named a stage: on one line, printable, no longer than `most`."""
    printable = "".join(char if char.isprintable() else " " for char in words)
    return printable if len(printable) <= most else f"{printable[: most - 1]}…"


# --- Pieces of a label ---------------------------------------------------------------------------------------------


def _escaped(words: str) -> str:
    # Graphviz replaces \N and its like in these labels too.
    return html.escape(clean(words)).replace("\\", "&#92;")


def _name(node: Node) -> str:
    return clean(node.name, 30)


def _width(words: str, *, bold: bool = False) -> int:
    """About how wide a line of text is, in points."""
    units = sum(0.28 if char in _NARROW else 0.8 if char in _WIDE else 0.51 for char in clean(words))
    return round(FONT_SIZE * units * (1.07 if bold else 1))


def _widest(lines: Sequence[str], *, bold: bool = False) -> int:
    return max((_width(line, bold=bold) for line in lines), default=0)


def _tag(name: str, content: str = "", **attributes: object) -> str:
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def _cell(words: str, ink: str, *, bold: bool = False, **attributes: object) -> str:
    content = ""
    if written := _escaped(words):
        # Graphviz sets a line of several pieces, as bold is one, a point higher than a line of one. So all have two.
        content = _tag("FONT", f"<B>{written}</B>" if bold else written, COLOR=ink) + _tag("FONT", "&#160;", COLOR=ink)
    return _tag("TD", content, **{"ALIGN": "LEFT"} | attributes)


def _table(*rows: str, **attributes: object) -> str:
    body = "".join(_tag("TR", row) for row in rows)
    return _tag("TABLE", body, **{"BORDER": 0, "CELLBORDER": 0, "CELLSPACING": 0} | attributes)


def _share(node: Node) -> str:
    return f"{percent(node.share)} of multiply-adds" if node.macs else ""


def _params(node: Node) -> str:
    return f"{si(node.params)} parameters" if node.params else ""


def _lines(node: Node) -> list[str]:
    """What a card says below its name."""
    layer = joined(joined(node.what, node.channels, by=", "), node.after)
    return [line for line in (layer, joined(times(node.shape), _params(node))) if line]


def _columns(node: Node) -> list[str]:
    """What a row says."""
    return [_name(node), node.what, times(node.shape), _params(node), _share(node)]


class _Style:
    """How the nodes of one sketch are written: in which colours, and how wide, so that they align."""

    def __init__(self, sketch: Sketch, look: Appearance) -> None:
        self.look = look
        # In dark mode the outline has the colour of the page, from which a card is to stand out.
        self.outline = look.outline if look.name == "light" else look.muted
        cards = [node for node in sketch.nodes if node.is_card]
        self.share = _widest([_share(node) for node in cards]) + 8
        body = _widest([line for node in cards for line in _lines(node)])
        self.name = max(_widest([_name(node) for node in cards], bold=True), body - self.share) + 8
        rows = [node for node in sketch.nodes if node.role == "blocks"]
        self.columns = [_widest(column, bold=True) + 6 for column in zip(*map(_columns, rows), strict=True)]
        self.most_macs = max((node.macs for node in rows), default=0) or 1
        ends = [_end(node) for node in sketch.nodes if node.role in ("input", "output")]
        self.width = max(sum(self.columns) + _BAR + 20 if rows else self.name + self.share, _widest(ends) + 18)

    def attributes(self, node: Node) -> str:
        """Of a node in DOT."""
        if node.is_card:
            return f"label=<{self.card(node)}>"
        if node.role == "blocks":
            return f"label=<{self.row(node)}>"
        if node.role == "merge":
            return self.merge(node)
        return (
            f'label=<{_escaped(_end(node))}>, shape="box", style="rounded", height=0.22, margin="0.1,0.02", '
            f'color="{self.look.muted}"'
        )

    def fill(self, node: Node) -> str:
        """The colour of its kind; a view has none."""
        return KIND_COLORS.get(node.kind, self.look.grid)

    def card(self, node: Node) -> str:
        """Name and share on the colour of the kind, lines below."""
        fill = self.fill(node)
        ink = text_on(fill)
        name = _cell(_name(node), ink, bold=True, WIDTH=self.name)
        share = _cell(_share(node), ink, ALIGN="RIGHT", WIDTH=self.share)
        head = _tag("TD", _table(name + share, CELLPADDING=2), BGCOLOR=fill, CELLPADDING=0)
        lines = [_cell(line, self.look.ink) for line in _lines(node)]
        return _table(head, *lines, BORDER=1, CELLPADDING=2, COLOR=self.outline, BGCOLOR=self.look.paper)

    def row(self, node: Node) -> str:
        """The colour of the kind, columns, a bar."""
        cells = [_tag("TD", WIDTH=6, BGCOLOR=self.fill(node))]
        for index, (words, width) in enumerate(zip(_columns(node), self.columns, strict=True)):
            cells.append(_cell(words, self.look.ink, bold=index == 0, WIDTH=width))
        cells.append(_tag("TD", self.bar(node), ALIGN="LEFT"))
        return _table("".join(cells), BORDER=1, CELLPADDING=3, COLOR=self.outline, BGCOLOR=self.look.paper)

    def bar(self, node: Node) -> str:
        """Multiply-adds by kind, to one scale for all rows."""
        widths = [(kind, round((_BAR - 4) * macs / self.most_macs)) for kind, macs in node.mix]
        rest = max(1, _BAR - sum(width for _, width in widths))
        pieces = [
            _tag("TD", BGCOLOR=KIND_COLORS[kind], WIDTH=wide, HEIGHT=9, FIXEDSIZE="TRUE")
            for kind, wide in widths
            if wide
        ]
        return _table("".join([*pieces, _tag("TD", WIDTH=rest, HEIGHT=9, FIXEDSIZE="TRUE")]), CELLPADDING=0)

    def merge(self, node: Node) -> str:
        """A sign in a circle, a word in an ellipse."""
        sign, fill = _SIGNS[node.name], self.fill(node)
        size = "width=0.25, fixedsize=true" if len(sign) == 1 else 'width=0.3, margin="0.02,0"'
        return (
            f'label=<<B>{sign}</B>>, shape="ellipse", height=0.25, {size}, style="filled", fillcolor="{fill}", '
            f'fontcolor="{text_on(fill)}", color="{self.look.outline}"'
        )


def _end(node: Node) -> str:
    return node.name if node.role == "split" else f"{node.name} {times(node.shape)}"


# --- Where things stand --------------------------------------------------------------------------------------------


def _sources(sketch: Sketch) -> dict[str, list[str]]:
    """What every node reads, lines that pass others by left out."""
    found: dict[str, list[str]] = {}
    for edge in sketch.edges:
        if not edge.skips:
            found.setdefault(edge.head, []).append(edge.tail)
    return found


def _ranks(sketch: Sketch) -> dict[str, int]:
    """How many nodes are above each."""
    sources, ranks = _sources(sketch), dict[str, int]()
    for node in sketch.nodes:
        ranks[node.id] = max((ranks.get(tail, 0) + 1 for tail in sources.get(node.id, [])), default=0)
    return ranks


def _upright(sketch: Sketch) -> dict[str, str]:
    """The column of every node; what is in one column is drawn straight below one another.

    The longest way from input to output is the trunk, and a branch beside it is a column of its own. In the drawing of
    one block, so is the part of the trunk beside a branch that it is concatenated with: the two are equals. Where they
    are added, the branch is a shortcut, and the trunk goes straight on.
    """
    sources, ranks = _sources(sketch), _ranks(sketch)
    one_block = len({node.block for node in sketch.nodes if node.block}) == 1
    trunk = [sketch.nodes[-1].id]
    while trunk[-1] in sources:
        trunk.append(max(sources[trunk[-1]], key=lambda tail: ranks[tail]))
    columns = dict.fromkeys(trunk, "trunk")
    for node in reversed(sketch.nodes):
        for number, tail in enumerate(sources.get(node.id, []) if node.id in columns else []):
            at, is_beside = tail, tail not in columns
            while at not in columns and at in sources:
                columns[at] = f"{node.id}-{number}"
                at = sources[at][0]
            if is_beside and node.name == "concat" and one_block and node.id in trunk and at in trunk:
                columns |= dict.fromkeys(trunk[trunk.index(node.id) + 1 : trunk.index(at)], f"{node.id}-trunk")
    return columns


def _inches(sketch: Sketch, style: _Style) -> float:
    """How wide the drawing is to be: a guess of its natural width, enlarged."""
    ranks = _ranks(sketch)
    abreast = max(Counter(ranks[node.id] for node in sketch.nodes if node.is_card).values(), default=1)
    order = {node.id: place for place, node in enumerate(sketch.nodes)}
    spans = [(order[edge.tail], order[edge.head]) for edge in sketch.edges if edge.skips]
    lanes = max((sum(low <= start < high for low, high in spans) for start, _ in spans), default=0)
    beside = 40 * lanes + max((_width(edge.label) + 12 for edge in sketch.edges if edge.skips), default=0)
    return min(ENLARGED * (abreast * (style.width + 24) - 12 + beside), WIDEST) / 72


# --- The text ------------------------------------------------------------------------------------------------------


def to_dot(sketch: Sketch, look: Appearance) -> str:
    """The sketch in Graphviz's language; equal sketches give equal text."""
    style = _Style(sketch, look)
    columns = _upright(sketch)
    text = f'fontname="{FONT}", fontsize={FONT_SIZE}'
    lines = [
        "digraph {",
        f'graph [bgcolor="transparent", size="{_inches(sketch, style):.2f},1000!", nodesep=0.3, ranksep=0.2, '
        f'ordering="out", {text}, fontcolor="{look.muted}"]',
        f'node [shape="plain", {text}, fontcolor="{look.ink}"]',
        f'edge [{text}, fontcolor="{look.ink}", color="{look.muted}", penwidth=1.2, arrowsize=0.6]',
    ]
    boxes: dict[str, list[str]] = {group: [] for group in ("", *sketch.groups)}
    for node in sketch.nodes:
        column = f', group="{columns[node.id]}"' if node.id in columns else ""
        boxes[node.group].append(f'"{node.id}" [{style.attributes(node)}{column}]')
    lines += _boxed("", boxes, sketch.groups, look)
    readers = Counter(edge.tail for edge in sketch.edges if not edge.skips)
    cards = {node.id for node in sketch.nodes if node.is_card}
    for edge in sketch.edges:
        written = [f"label=<&#160;{_escaped(edge.label)}&#160;>"] if edge.label else []
        if edge.skips:
            written += ["penwidth=2", "weight=0", f'color="{look.ink}"']
        else:
            written += ["weight=8"] if columns.get(edge.tail) == columns.get(edge.head) else []
            written += ["tailport=s"] if edge.tail in cards and readers[edge.tail] == 1 else []
            written += ["headport=n"] if edge.head in cards else []
        lines.append(f'"{edge.tail}" -> "{edge.head}" [{", ".join(written)}]')
    return "\n".join([*lines, "}", ""])


def _boxed(box: str, boxes: Mapping[str, list[str]], titles: Mapping[str, str], look: Appearance) -> list[str]:
    """The nodes in a box, then the boxes in it."""
    lines = list(boxes[box])
    for index, (inner, title) in enumerate(titles.items()):
        outer = inner.rpartition(".")[0]
        while outer and outer not in titles:
            outer = outer.rpartition(".")[0]
        if outer == box:
            head = f'graph [label=<{_escaped(title)}>, labeljust="l", color="{look.muted}", style="rounded"]'
            lines += [f"subgraph cluster_{index} {{", head, *_boxed(inner, boxes, titles, look), "}"]
    return lines
