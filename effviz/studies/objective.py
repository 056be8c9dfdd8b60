"""MnasNet's objective, accuracy times a power of latency, on published networks (arXiv 1807.11626, section 3.1)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import fail, number
from effviz.core.resolution import size_text
from effviz.studies.prediction import ENTRIES, Entry
from effviz.studies.printed_latency import full_name
from effviz.zoo import architecture
from effviz.zoo.published import published
from effviz.zoo.published.cells import cells, faults, own_top1, printed_top1

MAX_LATENCY_MS = 1e7
FIRST_PHONE = "Snapdragon 855 bs=1 (Paddle-Lite). PaddlePaddle/PaddleClas docs/en/models/Mobile_en.md @18840f1"
"""The device and source with the most families of networks."""
_FEWEST = 5


class TimedNetwork(NamedTuple):
    """A network with a published accuracy and a latency.

    Attributes:
        title: with the multipliers and, where it distinguishes networks, the resolution.
        family: of the architecture.
        top1: ImageNet top-1 in per cent, as published.
        latency_ms: of one image, in milliseconds.
        source: of the accuracy, and of a published latency.
        noisy: whether the latency was measured on a busy machine.
    """

    title: str
    family: str
    top1: float
    latency_ms: float
    source: str
    noisy: bool = False


@dataclass(frozen=True)
class Objective:
    """``top-1 x (latency / target)^w``, where w is `alpha` up to the target and `beta` beyond it.

    Attributes:
        target_ms: T, in milliseconds.
        alpha, beta: -10 to 0. Equal values are the soft constraint; alpha 0 and a low beta are the hard one.
            beta = -infinity is the constrained form, in which a network beyond the target has the value 0.
    """

    target_ms: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        number("target_ms", self.target_ms, 0, MAX_LATENCY_MS, open_below=True)
        number("alpha", self.alpha, -10, 0)
        if self.beta != -math.inf:
            number("beta", self.beta, -10, 0)

    def exponent(self, latency_ms: float) -> float:
        """Return w at a latency."""
        return self.alpha if latency_ms <= self.target_ms else self.beta

    def value(self, top1: float, latency_ms: float) -> float:
        """Return the objective, in per cent of top-1."""
        number("latency_ms", latency_ms, 0, MAX_LATENCY_MS, open_below=True)
        return float(top1 * (latency_ms / self.target_ms) ** self.exponent(latency_ms))

    def top1_for(self, value: float, latency_ms: float) -> float:
        """Return the accuracy that has this value at a latency: a point of an iso-objective line."""
        factor = self.value(1.0, latency_ms)
        return value / factor if factor else math.inf


def soft(w: float, target_ms: float) -> Objective:
    """Return the objective with one exponent on both sides of the target."""
    return Objective(target_ms, w, w)


def hard(w: float, target_ms: float) -> Objective:
    """Return the objective that rewards nothing below the target and penalizes every millisecond beyond it."""
    return Objective(target_ms, 0.0, w)


def constrained(target_ms: float) -> Objective:
    """Return the constrained form: the most accurate network within the target."""
    return Objective(target_ms, 0.0, -math.inf)


FORMS = {"soft": "Soft", "hard": "Hard", "constrained": "Constrained"}
PAPER_SOFT_W, PAPER_HARD_W = -0.07, -1.0
"""The two settings of the paper: alpha = beta = -0.07, and alpha = 0 with beta = -1."""


def objective(form: str, w: float, target_ms: float) -> Objective:
    """Return the objective of a key of `FORMS`; the constrained form has no w."""
    if form not in FORMS:
        fail("form", form, f"must be one of {', '.join(FORMS)}")
    return {"soft": soft, "hard": hard}[form](w, target_ms) if form != "constrained" else constrained(target_ms)


class Ranked(NamedTuple):
    """A network and its value; networks with equal values share the rank of the first."""

    rank: int
    network: TimedNetwork
    value: float


def ranked(networks: Iterable[TimedNetwork], by: Objective) -> list[Ranked]:
    """Order networks by the objective, then by accuracy, then by latency; the best one comes first."""
    scored = [(by.value(each.top1, each.latency_ms), each) for each in networks]
    scored.sort(key=lambda each: (-each[0], -each[1].top1, each[1].latency_ms, each[1].title))
    found: list[Ranked] = []
    for place, (value, network) in enumerate(scored, start=1):
        same = found and found[-1].value == value
        found.append(Ranked(found[-1].rank if same else place, network, value))
    return found


# --- the networks ----------------------------------------------------------------------------------------------------


@remembered
def phones() -> dict[str, tuple[TimedNetwork, ...]]:
    """Return the networks with a published accuracy and latency, by device and source.

    A comparison needs one device and one document, so only those with at least five networks are listed. Misprinted
    accuracies are left out.
    """
    table = published()
    table = table[table["latency_ms"].notna() & table["top1"].notna()]
    rows = [row for row in table.itertuples() if "top1" not in faults(row.wrong)]
    places = [f"{row.latency_device}. {row.source}" for row in rows]
    # Rows of one device that would share a name keep that of the source, which distinguishes them.
    names = [_display_name(row) for row in rows]
    uses = Counter(zip(places, names, strict=True))
    found: dict[str, dict[tuple[str, float, float], TimedNetwork]] = {}
    for row, place, name in zip(rows, places, names, strict=True):
        title = name if name and uses[place, name] == 1 else full_name(row.architecture, row.variant)
        network = TimedNetwork(title, row.architecture, float(row.top1), float(row.latency_ms), row.source)
        found.setdefault(place, {})[title, network.top1, network.latency_ms] = network
    return {place: tuple(each.values()) for place, each in found.items() if len(each) >= _FEWEST and _is_phone(place)}


def _display_name(row: Any) -> str:
    """Return title, width and unusual resolution of a network of the zoo: ``MobileNetV3-Large 0.35×``.

    It is empty for other networks, for a width that the source does not print, such as that of FasterNet-T1, and for a
    name with a note, such as "our impl.".
    """
    width, noted = f"{row.scale:g}", "(" in row.variant.replace("(g=", "")
    if not row.design or noted or row.depth_scale != 1 or (row.scale != 1 and width.lstrip("0") not in row.variant):
        return ""
    design = architecture(row.design)
    factor = "" if row.scale == 1 else f" {width}×"
    size = "" if row.resolution == size_text(design.resolution) else f", {row.resolution} px"
    return f"{design.title}{factor}{size}"


# Servers and graphics cards, where a batch hides the latency of one image.
_NO_PHONE = ("rtx", "v100", "a100", "t4 ", "gtx", "xeon", "intel", "epyc")


def _is_phone(place: str) -> bool:
    return not place.lower().startswith(_NO_PHONE)


def own_networks(latencies: Mapping[str, tuple[float, bool]]) -> tuple[TimedNetwork, ...]:
    """Return networks of the zoo with their published accuracy and a latency of this project.

    Args:
        latencies: median in milliseconds, and whether it is noisy, by the title of an entry of
            `effviz.studies.prediction.ENTRIES`.
    """
    chosen = [(entry, latencies[entry.title]) for entry in ENTRIES if entry.title in latencies]
    found = []
    for entry, (median_ms, noisy) in chosen:
        figure = _top1(entry)
        if figure is not None:
            found.append(TimedNetwork(entry.title, entry.design.family, *figure[:1], median_ms, figure[1], noisy))
    return tuple(found)


@remembered
def _top1(entry: Entry) -> tuple[float, str] | None:
    """Return the published accuracy of an entry and its source, that of the authors where they print one."""
    width, groups = entry.options.get("width_mult", 1.0), entry.options.get("groups")
    if width == 1.0:
        figure = own_top1(entry.name, entry.design.resolution, groups)
    else:
        figure = printed_top1(cells(entry.name, groups).get((width, entry.design.resolution), ()))
    return None if figure is None or figure.top1 is None else (figure.top1, figure.source)


def names(networks: Sequence[Ranked], most: int) -> str:
    """List the titles of the first networks."""
    return ", ".join(each.network.title for each in networks[:most])


check_border(globals())
