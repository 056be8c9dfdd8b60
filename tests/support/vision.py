"""Color vision: contrast by WCAG 2, perceived distance, and what readers with color blindness see."""

from __future__ import annotations

from collections.abc import Sequence

# Red and green from the linear red and green, blue plus or minus a share of their difference: Vienot, Brettel and
# Mollon 1999. The last is full color vision.
BLINDNESS = {"protanopia": (0.11238, 0.00401), "deuteranopia": (0.29275, -0.02234), "none": None}


def linear(channels: Sequence[float]) -> list[float]:
    """Convert sRGB channels of 0 to 255 to linear ones of 0 to 1."""
    return [
        value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in channels
    ]


def channels(color: str) -> list[float]:
    """The channels of ``#RRGGBB``."""
    return [int(color[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(color: str) -> float:
    red, green, blue = linear(channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(color: Sequence[float], blindness: tuple[float, float] | None) -> tuple[float, float, float]:
    """CIE L*a*b* of a color with this vision. A distance of 2 is visible side by side, one of 10 at a glance."""
    red, green, blue = linear(color)
    if blindness is not None:
        share, into_blue = blindness
        both = share * red + (1 - share) * green
        red, green, blue = both, both, max(0.0, blue + into_blue * (red - green))
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
