"""Shapes of the figures as SVG text. Coordinates are pixels; classes of the style sheet give the colors."""

from __future__ import annotations

from effviz.core.text import html_text
from effviz.count.kinds import KIND_COLORS

WIDTH, HEIGHT = 260, 110


def drawing(alt: str, *shapes: str) -> str:
    """Return a figure; `alt` is read to screen readers."""
    body = "".join(shapes)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{html_text(alt)}">{body}</svg>'
    )


def rect(x: float, y: float, width: float, height: float, kind: str = "paper") -> str:
    """Return a rectangle; `kind` is a layer kind, ``accent``, ``paper``, ``ghost`` or ``front``."""
    return f'<rect {_fill(kind)} x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"></rect>'


def _fill(kind: str) -> str:
    color = KIND_COLORS.get(kind)
    return f'fill="{color}"' if color else f'class="{kind}"'


def shape(points: list[tuple[float, float]], kind: str) -> str:
    """Return a filled polygon."""
    return f'<polygon {_fill(kind)} points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"></polygon>'


def box(x: float, y: float, width: float, height: float, depth: float, kind: str = "paper") -> str:
    """Return a box in parallel projection; `depth` points to the upper right at half its length."""
    dx, dy = depth * 0.5, depth * 0.35
    top = [(x, y), (x + dx, y - dy), (x + width + dx, y - dy), (x + width, y)]
    side = [(x + width, y), (x + width + dx, y - dy), (x + width + dx, y + height - dy), (x + width, y + height)]
    return rect(x, y, width, height, kind) + shape(top, kind) + shape(side, kind)


def label(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    """Return a text; `y` is its baseline."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html_text(text)}</text>'


def path(data: str, kind: str = "wire") -> str:
    """Return a line."""
    return f'<path class="{kind}" d="{data}"></path>'


def arrow(x: float, y: float, length: float) -> str:
    """Return an arrow to the right."""
    end = x + length
    return path(f"M{x:.1f} {y:.1f}H{end:.1f}M{end - 5:.1f} {y - 4:.1f}l5 4l-5 4")
