"""One guideline of ShuffleNetV2 in theory: a shape, its baseline and the curves that both are on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.units import percent
from effviz.studies.guidelines.access import (
    ARRANGEMENTS,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    RESOLUTION,
    VARIANTS,
    bottleneck_access,
    least_access,
)
from effviz.studies.guidelines.theory import (
    Point,
    elementwise_point,
    fragments_point,
    groups_point,
    ratio_curve,
    ratio_point,
)

_CURVE_RATIO = 16  # the curve of guideline 1 runs from 16:1 to 1:16, or further where the shape does


@dataclass(frozen=True)
class Shape:
    """Settings of the layer or block that a guideline is about."""

    guideline: str = "G1"  # a key of `effviz.studies.guidelines.GUIDELINES`
    resolution: int = RESOLUTION  # side of the map in pixels
    channels: int = 64  # width of the layer that sets the multiply-adds
    ratio: float = 6  # output channels per input channel, for guideline 1
    groups: int = 4  # for guideline 2
    fragments: int = 4  # for guideline 3
    arrangement: str = "parallel"  # of the fragments
    variant: str = "relu+shortcut"  # a key of `VARIANTS`, for guideline 4

    @property
    def label(self) -> str:
        """Label of the case of the paper's experiment with these settings, if it has one."""
        labels = {
            "G1": f"1:{self.ratio:g}", "G2": f"{self.groups} groups",
            "G3": f"{self.fragments} in {self.arrangement}",
            "G4": self.variant.replace("+", " and ").replace("relu", "ReLU"),
        }  # fmt: skip
        return labels[self.guideline][:1].upper() + labels[self.guideline][1:]

    @property
    def title(self) -> str:
        """Name of the shape beside the title of the page: ``G1, 1:6, 64 channels, 56 px``."""
        return f"{self.guideline}, {self.label}, {self.channels} channels, {self.resolution} px"

    @property
    def pixels(self) -> int:
        """Positions of the map."""
        return self.resolution**2


@dataclass(frozen=True)
class ShapePair:
    """A shape and the shape that its guideline recommends, at equal multiply-adds."""

    shape: Shape  # the settings
    now: Point  # the counts of the shape
    base: Point  # the counts of the recommended shape
    curves: Mapping[str, tuple[Point, ...]]  # the points of the chart, by the name of the curve
    least: float  # the lower bound on memory access at the multiply-adds of `now`, in elements

    def factor(self, memory: str) -> float:
        """Memory access of `now` relative to `base`."""
        return self.now.memory_access[memory] / self.base.memory_access[memory]

    def over_least(self, point: Point, memory: str) -> float:
        """Memory access of a 1x1 convolution relative to the lower bound at its multiply-adds."""
        return point.memory_access[memory] / least_access(self.shape.pixels, point.macs)


@remembered
def compare(shape: Shape) -> ShapePair:
    """Count a shape, its baseline and every point of the curves."""
    channels, side = shape.channels, shape.resolution
    if shape.guideline == "G1":
        now, base = ratio_point(channels, shape.ratio, side), ratio_point(channels, 1, side)
        curves = {"convolution": ratio_curve(channels, side, max(_CURVE_RATIO, shape.ratio))}
    elif shape.guideline == "G2":
        fixed = tuple(groups_point(channels, count, side) for count in GROUP_COUNTS)
        widened = tuple(groups_point(channels, count, side, widened=True) for count in GROUP_COUNTS)
        now, base = fixed[GROUP_COUNTS.index(shape.groups)], fixed[0]
        curves = {"input fixed": fixed, "both widened": widened}
    elif shape.guideline == "G3":
        curves = {
            f"in {each}": tuple(fragments_point(channels, count, each, side) for count in FRAGMENT_COUNTS)
            for each in ARRANGEMENTS
        }
        now = curves[f"in {shape.arrangement}"][FRAGMENT_COUNTS.index(shape.fragments)]
        base = curves["in series"][0]
    else:
        variants = {each: elementwise_point(channels, each, side) for each in VARIANTS}
        now, base = variants[shape.variant], variants["neither"]
        curves = {"bottleneck": tuple(variants.values())}
    return ShapePair(shape, now, base, curves, least_access(side**2, now.macs))


def differing(found: ShapePair) -> ShapePair:
    """The comparison itself, or that of the default shape where shape and baseline are the same."""
    if found.now.x != found.base.x:
        return found
    return compare(replace(Shape(found.shape.guideline), resolution=found.shape.resolution,
                           channels=found.shape.channels))  # fmt: skip


# --- formulas ------------------------------------------------------------------------------------------------------


class Derivation(NamedTuple):
    """A formula and what it gives."""

    quantity: str  # name on screen
    symbols: str  # the formula, in LaTeX
    numbers: str  # the formula with the current numbers, in LaTeX
    value: str
    unit: str = ""


def formulas(found: ShapePair, memory: str) -> list[Derivation]:
    """Memory access of the compared shape, symbolic and with numbers, under one assumption."""
    return {"G1": _ratio, "G2": _groups, "G3": _fragments, "G4": _bottleneck}[found.shape.guideline](found, memory)


def _tex(value: int) -> str:
    r"""A whole number in LaTeX, with digits in groups of three: ``12{,}544``."""
    return f"{value:,}".replace(",", "{,}")


def _counted(quantity: str, symbols: str, numbers: str, value: int) -> Derivation:
    return Derivation(quantity, symbols, numbers, f"{value:,}", "elements")


def _area(shape: Shape) -> str:
    return rf"{shape.resolution}^2"


def _widths(point: Point) -> list[int]:
    return [int(width) for width in point.widths.split(" → ")]


def _ratio(found: ShapePair, memory: str) -> list[Derivation]:
    area, now = _area(found.shape), found.now
    narrow, wide = _widths(now)
    return [
        _counted(
            "Memory access", r"h w (c_1 + c_2) + c_1 c_2", rf"{area} ({narrow} + {wide}) + {narrow} \cdot {wide}",
            now.memory_access[memory],
        ),
        _counted(
            "Lower bound", r"2 \sqrt{h w B} + B / (h w), \quad B = h w c_1 c_2",
            rf"2 \sqrt{{{area} \cdot {_tex(now.macs)}}} + {_tex(now.macs)} / {area}", round(found.least),
        ),
    ]  # fmt: skip


def _groups(found: ShapePair, memory: str) -> list[Derivation]:
    area, now = _area(found.shape), found.now
    inputs, macs = _widths(now)[0], _tex(now.macs)
    symbols = r"h w c_1 + B g / c_1 + B / (h w), \quad B = h w c_1 c_2 / g"
    numbers = rf"{area} \cdot {inputs} + {macs} \cdot {found.shape.groups} / {inputs} + {macs} / {area}"
    return [_counted("Memory access", symbols, numbers, now.memory_access[memory])]


def _fragments(found: ShapePair, memory: str) -> list[Derivation]:
    shape, now = found.shape, found.now
    area, count, width = _area(shape), shape.fragments, _widths(found.now)[0]
    added = shape.arrangement == "parallel" and count > 1
    symbols = r"n (2 h w m + m^2)"
    numbers = rf"{count} (2 \cdot {area} \cdot {width} + {width}^2)"
    if added and memory != "paper":
        symbols += r" + 3 (n - 1) h w m"
        numbers += rf" + 3 \cdot {count - 1} \cdot {area} \cdot {width}"
    additions = (r" + (n - 1)\text{ additions}", f" + {count - 1}") if added else ("", "")
    return [
        _counted("Memory access", rf"{symbols}, \quad m = c / \sqrt{{n}}", numbers, now.memory_access[memory]),
        Derivation(
            "Kernels", r"n\text{ convolutions}" + additions[0], f"{count}" + additions[1],
            str(now.kernels), "kernel" if now.kernels == 1 else "kernels",
        ),
    ]  # fmt: skip


def _bottleneck(found: ShapePair, memory: str) -> list[Derivation]:
    shape, now = found.shape, found.now
    area, (channels, inner) = _area(shape), _widths(now)[:2]
    relu, shortcut = VARIANTS[shape.variant]
    access = partial(bottleneck_access, shape.pixels, channels, inner, memory="eager")
    convolutions = access(relu=False, shortcut=False)
    terms = [
        _counted(
            "Convolutions", r"2 (h w (c + m) + c m) + 2 h w m + 9 m^2, \quad m = c / 4",
            rf"2 ({area} ({channels} + {inner}) + {channels} \cdot {inner}) + 2 \cdot {area} \cdot {inner} "
            rf"+ 9 \cdot {inner}^2",
            convolutions,
        )
    ]  # fmt: skip
    if shortcut:
        value = access(relu=False, shortcut=True) - convolutions
        terms.append(_counted("Shortcut", r"3 h w c", rf"3 \cdot {area} \cdot {channels}", value))
    if relu:
        value = access(relu=True, shortcut=False) - convolutions
        numbers = rf"2 \cdot {area} ({inner} + {inner} + {channels})"
        terms.append(_counted("ReLU, eager", r"2 h w (m + m + c)", numbers, value))
    total = now.memory_access[memory]
    share = Derivation(
        f"Element-wise share, {memory}",
        r"\dfrac{\text{memory access} - \text{convolutions}}{\text{memory access}}",
        rf"\dfrac{{{_tex(total)} - {_tex(convolutions)}}}{{{_tex(total)}}}",
        percent(now.share(memory)),
    )
    return [*terms, share]


check_border(globals())
