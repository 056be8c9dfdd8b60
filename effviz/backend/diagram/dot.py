"""DOT text of a sketch: cards, rows and edges in the colors of the layer kinds.

A layer is a card with its name and share on the color of its kind, and its description below. Blocks are rows of a
table with a bar of their multiply-adds by kind. Merges are small and round. Edges that skip nodes are thick.
"""

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any

import graphviz

from effviz.backend.diagram.graph import MARKS, Node, Sketch, clean, grouped, joined, times
from effviz.core.units import percent, si
from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import Appearance, text_on

# Streamlit renders every text of a diagram in its own typeface and in this size. Boxes fit only if they are laid out
# for it. Graphviz does not have the typeface and uses the widths of Times, which are slightly larger.
FONT = "Source Sans"
FONT_SIZE = 9.6
# Graphviz enlarges a drawing to a given width in points: to text of 16 px, unless that takes more than 900 px.
ENLARGED, WIDEST = 1.25, 675

_BAR = 70
_NARROW, _WIDE = frozenset("fijlrtI.,:;()[]|!' "), frozenset("mwMW×→")
_SIGNS = {"add": "+", "mul": "×", "concat": "concat", "resize": "resize"}


# --- labels --------------------------------------------------------------------------------------------------------


def _escaped(words: str) -> str:
    # Graphviz replaces escapes such as \N in HTML-like labels, too.
    return html.escape(clean(words)).replace("\\", "&#92;")


def _name(node: Node) -> str:
    return clean(node.name, 30)


def _width(words: str, *, bold: bool = False) -> int:
    """Estimate the width of a line of text, in points."""
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
        # Graphviz sets a line of several pieces a point higher than a line of one; bold is a piece. So all have two.
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
    """Return the lines of a card below its name."""
    layer = joined(joined(node.what, node.channels, by=", "), node.after)
    return [line for line in (layer, joined(times(node.shape), _params(node))) if line]


def _columns(node: Node) -> list[str]:
    """Return the texts of a row."""
    return [_name(node), node.what, times(node.shape), _params(node), _share(node)]


class _Style:
    """Colors and common widths of the nodes of one sketch, so that they align; DOT attributes and labels."""

    def __init__(self, sketch: Sketch, look: Appearance) -> None:
        self.look = look
        # In dark mode the outline has the color of the page and would be invisible.
        self.outline = look.outline if look.name == "light" else look.muted
        cards = [node for node in sketch.nodes if node.is_card]
        self.share = _widest([_share(node) for node in cards]) + 8
        body = _widest([line for node in cards for line in _lines(node)])
        self.name = max(_widest([_name(node) for node in cards], bold=True), body - self.share) + 8
        rows = [node for node in sketch.nodes if node.role == "blocks"]
        self.is_marked = any(node.mark for node in rows)
        self.columns = [_widest(column, bold=True) + 6 for column in zip(*map(self.texts, rows), strict=True)]
        self.marks = _widest([MARKS[node.mark] for node in rows if node.mark], bold=True) + 8
        self.most_macs = max((node.macs for node in rows), default=0) or 1
        ends = [_end(node) for node in sketch.nodes if node.role in ("input", "output")]
        marks = self.marks if self.is_marked else 0
        self.width = max(sum(self.columns) + marks + _BAR + 20 if rows else self.name + self.share, _widest(ends) + 18)

    def attributes(self, node: Node) -> dict[str, str]:
        if node.is_card:
            return {"label": f"<{self.card(node)}>"}
        if node.role == "blocks":
            return {"label": f"<{self.row(node)}>"}
        if node.role == "merge":
            return self.merge(node)
        box = {"shape": "box", "style": "rounded", "height": "0.22", "margin": "0.1,0.02", "color": self.look.muted}
        return box | {"label": f"<{_escaped(_end(node))}>"}

    def texts(self, node: Node) -> list[str]:
        # Two diagrams with marks share the width of a page.
        return _columns(node)[: 3 if self.is_marked else None]

    def fill(self, node: Node) -> str:
        # A view has no kind.
        return KIND_COLORS.get(node.kind, self.look.grid)

    def card(self, node: Node) -> str:
        fill = self.fill(node)
        ink = text_on(fill)
        name = _cell(_name(node), ink, bold=True, WIDTH=self.name)
        share = _cell(_share(node), ink, ALIGN="RIGHT", WIDTH=self.share)
        head = _tag("TD", _table(name + share, CELLPADDING=2), BGCOLOR=fill, CELLPADDING=0)
        lines = [_cell(line, self.look.ink) for line in _lines(node)]
        return _table(head, *lines, BORDER=1, CELLPADDING=2, COLOR=self.outline, BGCOLOR=self.look.paper)

    def row(self, node: Node) -> str:
        cells = [_tag("TD", WIDTH=6, BGCOLOR=self.fill(node))]
        for index, (words, width) in enumerate(zip(self.texts(node), self.columns, strict=True)):
            cells.append(_cell(words, self.look.ink, bold=index == 0, WIDTH=width))
        cells.append(_tag("TD", self.bar(node), ALIGN="LEFT"))
        frame = {"BORDER": 1, "COLOR": self.outline}
        if self.is_marked:
            cells.insert(1, self.mark(node))
            frame = {"BORDER": 2, "COLOR": self.look.accent} if node.mark else frame
        return _table("".join(cells), CELLPADDING=3, BGCOLOR=self.look.paper, **frame)

    def mark(self, node: Node) -> str:
        """Return the cell that says in words how a stage differs from the other network's."""
        if not node.mark:
            return _cell("", self.look.ink, WIDTH=self.marks)
        accent = self.look.accent
        return _cell(MARKS[node.mark], text_on(accent), bold=True, WIDTH=self.marks, BGCOLOR=accent)

    def bar(self, node: Node) -> str:
        """Return the bar of multiply-adds by kind; all rows have the same scale."""
        widths = [(kind, round((_BAR - 4) * macs / self.most_macs)) for kind, macs in node.mix]
        size: dict[str, Any] = {"HEIGHT": 9, "FIXEDSIZE": "TRUE"}
        pieces = [_tag("TD", BGCOLOR=KIND_COLORS[kind], WIDTH=wide, **size) for kind, wide in widths if wide]
        rest = _tag("TD", WIDTH=max(1, _BAR - sum(width for _, width in widths)), **size)
        return _table("".join([*pieces, rest]), CELLPADDING=0)

    def merge(self, node: Node) -> dict[str, str]:
        sign, fill = _SIGNS[node.name], self.fill(node)
        size = {"width": "0.25", "fixedsize": "true"} if len(sign) == 1 else {"width": "0.3", "margin": "0.02,0"}
        colors = {"fillcolor": fill, "fontcolor": text_on(fill), "color": self.look.outline}
        return size | {"label": f"<<B>{sign}</B>>", "shape": "ellipse", "height": "0.25", "style": "filled"} | colors


def _end(node: Node) -> str:
    return node.name if node.role == "split" else f"{node.name} {times(node.shape)}"


# --- layout --------------------------------------------------------------------------------------------------------


def _sources(sketch: Sketch) -> dict[str, list[str]]:
    """Return the sources of every node, without edges that skip nodes."""
    return grouped((edge.head, edge.tail) for edge in sketch.edges if not edge.skips)


def _ranks(sketch: Sketch) -> dict[str, int]:
    """Return the number of nodes above each."""
    sources, ranks = _sources(sketch), dict[str, int]()
    for node in sketch.nodes:
        ranks[node.id] = max((ranks.get(tail, 0) + 1 for tail in sources.get(node.id, [])), default=0)
    return ranks


def _upright(sketch: Sketch) -> dict[str, str]:
    """Return the column of every node; nodes of one column are drawn vertically below each other.

    The longest path from input to output is the trunk. Every branch beside it has its own column. In a drawing of one
    block, the part of the trunk beside a concatenated branch has its own column, too, because the two are equivalent.
    A branch that is added is a shortcut, so the trunk continues straight.
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
    """Return the width of the drawing: an estimate of its natural width, enlarged."""
    ranks = _ranks(sketch)
    abreast = max(Counter(ranks[node.id] for node in sketch.nodes if node.is_card).values(), default=1)
    order = {node.id: place for place, node in enumerate(sketch.nodes)}
    spans = [(order[edge.tail], order[edge.head]) for edge in sketch.edges if edge.skips]
    lanes = max((sum(low <= start < high for low, high in spans) for start, _ in spans), default=0)
    beside = 40 * lanes + max((_width(edge.label) + 12 for edge in sketch.edges if edge.skips), default=0)
    return min(ENLARGED * (abreast * (style.width + 24) - 12 + beside), WIDEST) / 72


# --- text ----------------------------------------------------------------------------------------------------------


def to_dot(sketch: Sketch, look: Appearance) -> str:
    """Return the sketch in the language of Graphviz; equal sketches give equal text."""
    style = _Style(sketch, look)
    columns = _upright(sketch)
    font = {"fontname": FONT, "fontsize": str(FONT_SIZE)}
    size = {"size": f"{_inches(sketch, style):.2f},1000!", "nodesep": "0.3", "ranksep": "0.2", "ordering": "out"}
    drawing = graphviz.Digraph(
        graph_attr=font | size | {"bgcolor": "transparent", "fontcolor": look.muted},
        node_attr=font | {"shape": "plain", "fontcolor": look.ink},
        edge_attr=font | {"fontcolor": look.ink, "color": look.muted, "penwidth": "1.2", "arrowsize": "0.6"},
    )
    _add_nodes(drawing, "", sketch, style, columns)
    readers = Counter(edge.tail for edge in sketch.edges if not edge.skips)
    cards = {node.id for node in sketch.nodes if node.is_card}
    for edge in sketch.edges:
        attributes = {"label": f"<&#160;{_escaped(edge.label)}&#160;>"} if edge.label else {}
        if edge.skips:
            attributes |= {"penwidth": "2", "weight": "0", "color": look.ink}
        else:
            if columns.get(edge.tail) == columns.get(edge.head):
                attributes["weight"] = "8"
            if edge.tail in cards and readers[edge.tail] == 1:
                attributes["tailport"] = "s"
            if edge.head in cards:
                attributes["headport"] = "n"
        drawing.edge(edge.tail, edge.head, **attributes)
    return str(drawing.source)


def _add_nodes(drawing: graphviz.Digraph, box: str, sketch: Sketch, style: _Style, columns: dict[str, str]) -> None:
    """Add the nodes in a box, then the boxes in it."""
    for node in sketch.nodes:
        if node.group == box:
            column = {"group": columns[node.id]} if node.id in columns else {}
            drawing.node(node.id, **style.attributes(node), **column)
    for index, (inner, title) in enumerate(sketch.groups.items()):
        outer = inner.rpartition(".")[0]
        while outer and outer not in sketch.groups:
            outer = outer.rpartition(".")[0]
        if outer == box:
            frame = {"labeljust": "l", "color": style.look.muted, "style": "rounded"}
            attributes = frame | {"label": f"<{_escaped(title)}>"}
            with drawing.subgraph(name=f"cluster_{index}", graph_attr=attributes) as cluster:
                _add_nodes(cluster, inner, sketch, style, columns)
