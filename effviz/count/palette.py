"""Colors of charts and diagrams in light and dark mode, and contrast."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Appearance:
    """Colors of one mode."""

    name: str  # "light" or "dark"
    ink: str  # text
    muted: str  # axis labels and secondary marks
    grid: str  # lines of the value axis
    accent: str  # selected marks and controls
    outline: str  # of marks; on white, the contrast of three kind colors is below 3:1 without it
    paper: str  # background of the page

    @property
    def quiet(self) -> Self:
        """The same colors with grey marks and text, for numbers that were not measured here."""
        return replace(self, ink=self.muted, accent=self.muted)


LIGHT = Appearance("light", "#1B1B22", "#5A5A66", "#E4E4EA", "#6A3FA0", "#1B1B22", "#FFFFFF")
# The outline looks like the page. It is another color, so that a picture in dark can be converted to light.
DARK = Appearance("dark", "#E8EBF0", "#A9B2BF", "#2A3544", "#B79CF0", "#0F1621", "#0F1620")
APPEARANCES = {look.name: look for look in (LIGHT, DARK)}


def luminance(color: str) -> float:
    """Compute the relative luminance of ``#RRGGBB``, 0 to 1 (WCAG 2)."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colors, 1 to 21 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(color: str) -> str:
    """Return black or white, the one with more contrast on `color`."""
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast(text, color))
