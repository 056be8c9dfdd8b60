"""Tables 1 to 4 as designs, and the agreement of speeds with a guideline."""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import permutations
from operator import itemgetter

from effviz.core.arguments import check_border
from effviz.core.errors import one_of
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.studies.guidelines.access import DEVICES, GUIDELINES, REPEATS, RESOLUTION, SCALES, SOURCE
from effviz.studies.guidelines.theory import PLAIN, RepeatedBlocks, bottleneck_built, fragments_built, groups_text


@dataclass(frozen=True)
class Case:
    """One network of tables 1 to 4."""

    guideline: str  # a key of `GUIDELINES`
    case: str  # as in the printed table
    device: str  # a key of `DEVICES`; the tables have other widths for each
    scale: str  # a key of `SCALES`
    label: str  # the varied quantity, for a chart
    widths: str  # channels as built, as text
    printed_widths: str  # as printed, if they differ from the built ones; else empty
    design: Design  # ten blocks on a 56 x 56 map

    @property
    def title(self) -> str:
        """The same for all rows of the tables with the same network."""
        return self.design.title


def _channels(text: str) -> tuple[int, ...]:
    """Return the integers of ``"(32,32)"`` or ``"c=64"``."""
    return tuple(int(part) for part in text.removeprefix("c=").strip("()").split(","))


@cache
def printed() -> tuple[dict[str, str], ...]:
    """Return tables 1 to 4 as printed: guideline, case, channels, scale, device, unit, speed.

    Channels are those of scale 1×. Tables 3 and 4 print them instead of a scale, which is added here.
    """
    with files("effviz.zoo.published").joinpath("shufflenet_v2_guidelines.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    same_case = itemgetter("guideline", "case", "device")
    for row in rows:
        if not row["scale"]:
            column = [_channels(each["channels"])[0] for each in rows if same_case(each) == same_case(row)]
            place = sorted(column).index(_channels(row["channels"])[0])
            row["scale"] = list(SCALES)[place]
            row["channels"] = f"c={min(column)}"
    return tuple(rows)


@cache
def cases() -> tuple[Case, ...]:
    """Return every row of tables 1 to 4 as a network, in the order of the tables."""
    return tuple(_case(row) for row in printed())


def column(guideline: str, device: str, scale: str) -> list[Case]:
    """Return the cases of one column of a table; their multiply-adds are equal except for rounding.

    The arguments are keys of `GUIDELINES`, `DEVICES` and `SCALES`.
    """
    one_of("guideline", guideline, GUIDELINES)
    one_of("device", device, DEVICES)
    one_of("scale", scale, SCALES)
    wanted = guideline, device, scale
    return [case for case in cases() if (case.guideline, case.device, case.scale) == wanted]


def printed_speed(case: Case, device: str) -> tuple[float, str]:
    """Return the printed speed of a case at a scale on a device, and its unit; widths differ by device."""
    wanted = case.guideline, case.case, case.scale, device
    for row in printed():
        if (row["guideline"], row["case"], row["scale"], row["device"]) == wanted:
            return float(row["speed"]), row["unit"]
    raise KeyError(wanted)


def printed_speeds(compared: Iterable[Case], device: str) -> tuple[dict[str, float], str]:
    """Printed speeds of some cases on a device by label, and their unit."""
    found = {case.label: printed_speed(case, device) for case in compared}
    return {label: speed for label, (speed, _) in found.items()}, next(iter(found.values()))[1]


def macs_deviation(compared: Sequence[Case]) -> float:
    """Largest relative difference in multiply-adds between the first case and another one."""
    base, *others = (analyze(case.design).macs for case in compared)
    return max((abs(macs / base - 1) for macs in others), default=0.0)


def _case(row: Mapping[str, str]) -> Case:
    guideline, scale = row["guideline"], SCALES[row["scale"]]
    channels = tuple(each * scale for each in _channels(row["channels"]))
    label, widths, built = _BUILD[guideline](row["case"], *channels)
    design = replace(
        built, name="guideline", title=f"{guideline}, {label}, {widths}", family="ShuffleNetV2 guidelines",
        source=f"{SOURCE}, table {guideline[1]}",
    )  # fmt: skip
    as_printed = " → ".join(map(str, channels)) if guideline == "G2" and channels[0] != built.in_channels else ""
    return Case(guideline, row["case"], row["device"], row["scale"], label, widths, as_printed, design)


def _case_1(case: str, first: int, second: int) -> RepeatedBlocks:
    rows = tuple(
        Stage("conv", width, name=f"block{index}", **PLAIN) for index in range(REPEATS) for width in (second, first)
    )
    design = Design("convolutions", rows, resolution=RESOLUTION, in_channels=first)
    return RepeatedBlocks(case.removeprefix("c1:c2="), f"{first} → {second} → {first}", design)


def _case_2(case: str, width: int) -> RepeatedBlocks:
    groups = int(case.removeprefix("g="))
    if width % groups:
        # The multiple with the multiply-adds nearest to those of the case without groups.
        below = width // groups * groups
        target = (width / math.sqrt(groups)) ** 2 * groups
        width = min((below, below + groups), key=lambda each: abs(math.log(each**2 / target)))
    row = Stage("conv", width, REPEATS, groups=groups, **PLAIN)
    design = Design("convolutions", (row,), resolution=RESOLUTION, in_channels=width)
    return RepeatedBlocks(groups_text(groups), f"{width} → {width}", design)


def _case_3(case: str, channels: int) -> RepeatedBlocks:
    count, _, arrangement = case.replace("-fragment", "").partition("-")
    return fragments_built(channels, int(count), arrangement or "series", RESOLUTION, REPEATS)


def _case_4(case: str, channels: int) -> RepeatedBlocks:
    return bottleneck_built(channels, case, RESOLUTION, REPEATS)


_BUILD: Mapping[str, Callable[..., RepeatedBlocks]] = {"G1": _case_1, "G2": _case_2, "G3": _case_3, "G4": _case_4}


def distinct(chosen: Iterable[Case]) -> list[Case]:
    """Return one case per network: GPU widths at 1× are ARM widths at 4×, and tables 2 and 3 start alike."""
    return list({case.title: case for case in chosen}.values())


TOLERANCE = 0.05
"""Speeds that differ by less count as equal: multiply-adds within a column differ by up to 5.5 %."""


@dataclass(frozen=True)
class GuidelineVerdict:
    """Agreement of the cases of a column with their guideline."""

    follow: tuple[str, ...]  # labels of cases that are slower than the first one, or for guideline 4 faster
    equal: tuple[str, ...]  # within `TOLERANCE`
    against: tuple[str, ...]  # labels of the other cases
    extreme: str  # label of the case furthest from the first one in the direction of the guideline
    speed: float  # of that case, relative to the first one


def verdict(guideline: str, speeds: Mapping[str, float]) -> GuidelineVerdict:
    """Compare speeds by label, at least two, with a guideline: the others with the first one."""
    (_, base), *others = speeds.items()
    sign = -1 if one_of("guideline", guideline, GUIDELINES) != "G4" else 1
    effect = {label: sign * (speed / base - 1) for label, speed in others}
    extreme = max(effect, key=effect.__getitem__)
    return GuidelineVerdict(
        tuple(label for label, size in effect.items() if size > TOLERANCE),
        tuple(label for label, size in effect.items() if -TOLERANCE <= size <= TOLERANCE),
        tuple(label for label, size in effect.items() if size < -TOLERANCE),
        extreme,
        speeds[extreme] / base,
    )


def unexplained(speeds: Mapping[str, float], access: Mapping[str, int]) -> tuple[str, str] | None:
    """Find the two cases that contradict memory access the most.

    Args:
        speeds: by label of the case.
        access: memory access in elements by label, of at least the same cases.

    Returns:
        The slower case, which has less memory access, and the faster one. None if no two such cases differ in speed by
        more than `TOLERANCE`.
    """
    found = [
        (fast / slow, one, two)
        for (one, slow), (two, fast) in permutations(speeds.items(), 2)
        if access[one] < access[two] and fast / slow - 1 > TOLERANCE
    ]
    return max(found)[1:] if found else None


check_border(globals())
