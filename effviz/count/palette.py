"""The colours of effviz, without any plotting library: charts and diagrams share them."""

from __future__ import annotations

from dataclasses import dataclass

from effviz.count import kinds

# Okabe and Ito's palette, told apart by colour-blind eyes, and two greys.
KIND_COLORS = {
    kinds.STANDARD: "#009E73",
    kinds.GROUPED: "#56B4E9",
    kinds.POINTWISE: "#0072B2",
    kinds.DEPTHWISE: "#E69F00",
    kinds.LINEAR: "#CC79A7",
    kinds.SQUEEZE_EXCITE: "#D55E00",
    kinds.MERGE: "#F0E442",
    kinds.NORM: "#6E6E78",
    kinds.POOLING: "#B9B9C2",
}


@dataclass(frozen=True)
class Appearance:
    """Colours that depend on light or dark.

    Attributes:
        name: ``"light"`` or ``"dark"``.
        ink: text.
        muted: axis labels and secondary marks.
        grid: lines of the value axis.
        accent: what is marked or can be acted on.
        outline: around every mark; on white, three of the kinds' colours are below 3:1 without it.
        paper: the page behind the chart.
    """

    name: str
    ink: str
    muted: str
    grid: str
    accent: str
    outline: str
    paper: str


LIGHT = Appearance("light", "#1B1B22", "#5A5A66", "#E4E4EA", "#6A3FA0", "#1B1B22", "#FFFFFF")
DARK = Appearance("dark", "#E8EBF0", "#A9B2BF", "#2A3544", "#B79CF0", "#0F1620", "#0F1620")
APPEARANCES = {look.name: look for look in (LIGHT, DARK)}


def luminance(color: str) -> float:
    """Relative luminance of ``#RRGGBB``, 0 to 1 (WCAG 2)."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(color: str) -> str:
    """Black or white, whichever is easier to read on `color`."""
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast(text, color))
