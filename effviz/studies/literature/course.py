"""The claims of the course notes about speed and about the φ of EfficientNet, judged by measurements and formulas."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from effviz.advice.scaling import ScalingRule, implied_phi
from effviz.core.arguments import check_border
from effviz.studies.literature.claims import ClaimedNetwork, ClaimRow
from effviz.studies.literature.digits import EXACT, ROUNDED, TRUNCATED, Digits
from effviz.studies.literature.judge import OPEN, RIGHT, SHORT, UNEXPLAINED, WRONG
from effviz.studies.literature.references import latencies_by_device
from effviz.zoo import architecture

BASELINE = "resnet50"
"""The network with the speed 1x."""


class CourseClaim(NamedTuple):
    """One claim about a network of the zoo."""

    kind: str  # "speedup" or "phi"
    design: str  # name in the zoo
    title: str
    printed: str
    verdict: str  # a key of `effviz.studies.literature.judge.VERDICTS`
    found: float | None  # the measured ratio, or φ by multiply-adds; None if nothing was measured
    reason: str  # sentences


def course_claims(latencies: Mapping[str, float], where: str) -> tuple[CourseClaim, ...]:
    """Judge the speed-ups and the values of φ, in the order of the notes.

    Args:
        latencies: recorded ones in milliseconds, by name in the zoo; those of `networks` are used.
        where: machine and conditions of the latencies.
    """
    return tuple(
        _phi(name, printed) if kind == "phi" else _speedup(name, printed, latencies, where)
        for kind, name, printed in _lines()
    )


def networks() -> tuple[str, ...]:
    """Return the names of the networks with a speed-up; the baseline is one of them."""
    return tuple(name for kind, name, _ in _lines() if kind == "speedup")


@cache
def _lines() -> tuple[tuple[str, str, str], ...]:
    with files("effviz.zoo.published").joinpath("course_claims.csv").open(encoding="utf-8") as file:
        return tuple((row["kind"], row["design"], row["printed"]) for row in csv.DictReader(file))


def _verdict(printed: str, found: float) -> str:
    fit = Digits(1000 * int(printed), 1000, 1000).fit(round(1000 * found))
    return {ROUNDED: RIGHT, EXACT: RIGHT, TRUNCATED: SHORT}.get(fit, WRONG)


def _speedup(name: str, printed: str, latencies: Mapping[str, float], where: str) -> CourseClaim:
    """Judge a speed-up over ResNet-50 by the recorded latencies; other devices are listed."""
    title, text = architecture(name).title, f"{printed}×"
    if name == BASELINE:
        return CourseClaim("speedup", name, title, text, RIGHT, 1.0, "The baseline of the comparison.")
    ratios = published_speedups(name)
    listed = "; ".join(f"{ratio:.1f}× on {device}" for device, ratio in ratios.items())
    others = f" Published elsewhere: {listed}." if ratios else ""
    others += "" if any(map(_is_phone, ratios)) else " No source prints both networks on one phone."
    if name not in latencies or BASELINE not in latencies:
        return CourseClaim("speedup", name, title, text, OPEN, None, f"No latency is recorded.{others}")
    found = latencies[BASELINE] / latencies[name]
    reason = f"Recorded: {latencies[BASELINE]:.1f} / {latencies[name]:.1f} ms = {found:.2f}× ({where}).{others}"
    # The notes name no device, so that a measurement on one of them does not refute a claim.
    verdict = {WRONG: UNEXPLAINED}.get(fit := _verdict(printed, found), fit)
    return CourseClaim("speedup", name, title, text, verdict, found, reason)


def _is_phone(device: str) -> bool:
    return device.startswith(("Pixel", "iPhone", "Snapdragon", "Samsung"))


def published_speedups(name: str) -> dict[str, float]:
    """Return how many times faster than ResNet-50 a network is, by device, where both latencies are published."""
    mine, base = (latencies_by_device(ClaimedNetwork(each, 1.0, 1.0, None, 224)) for each in (name, BASELINE))
    return {device: _fastest(base[device]) / _fastest(rows) for device, rows in mine.items() if device in base}


def _fastest(rows: tuple[ClaimRow, ...]) -> float:
    return min(float(row.latency_ms) for row in rows)


def _phi(name: str, printed: str) -> CourseClaim:
    """Judge a φ by the one that the released multipliers imply with the paper's α, β and γ."""
    design = architecture(name)
    implied = implied_phi(design, architecture("efficientnet_b0"), ScalingRule())
    assert implied.macs is not None
    parts = {"depth": implied.depth, "width": implied.width, "resolution": implied.resolution}
    known = {word: phi for word, phi in parts.items() if phi is not None}
    rounded = _verdict(printed, implied.macs)
    agreed = all(_verdict(printed, phi) == RIGHT for phi in known.values())
    verdict = RIGHT if rounded == RIGHT and agreed else SHORT if rounded == RIGHT else WRONG
    listed = ", ".join(f"{phi:.2f} by {word}" for word, phi in known.items())
    reason = f"The released multipliers imply φ = {implied.macs:.2f} by multiply-adds, {listed}."
    return CourseClaim("phi", name, design.title, f"φ = {printed}", verdict, implied.macs, reason)


check_border(globals())
