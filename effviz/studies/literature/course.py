"""The claims of the course notes about speed and about the φ of EfficientNet, judged by measurements and formulas."""

import csv
from importlib.resources import files
from typing import NamedTuple

from effviz.advice.scaling import ScalingRule, implied_phi
from effviz.measure import recorded
from effviz.studies.literature.claims import Place, Row
from effviz.studies.literature.digits import EXACT, ROUNDED, TRUNCATED, Digits
from effviz.studies.literature.judge import OPEN, RIGHT, SHORT, WRONG
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


def course_claims() -> tuple[CourseClaim, ...]:
    """Judge the speed-ups and the values of φ, in the order of the notes."""
    with files("effviz.zoo.published").joinpath("course_claims.csv").open(encoding="utf-8") as file:
        return tuple(
            (_speedup if row["kind"] == "speedup" else _phi)(row["design"], row["printed"])
            for row in csv.DictReader(file)
        )


def _verdict(printed: str, found: float) -> str:
    fit = Digits(1000 * int(printed), 1000, 1000).fit(round(1000 * found))
    return {ROUNDED: RIGHT, EXACT: RIGHT, TRUNCATED: SHORT}.get(fit, WRONG)


def _speedup(name: str, printed: str) -> CourseClaim:
    """Judge a speed-up over ResNet-50 by the recorded latencies; other devices are listed."""
    title = architecture(name).title
    if name == BASELINE:
        return CourseClaim("speedup", name, title, f"{printed}×", RIGHT, 1.0, "The baseline of the comparison.")
    mine, base = (recorded.find(architecture(each)) for each in (name, BASELINE))
    if mine is None or base is None:
        return CourseClaim("speedup", name, title, f"{printed}×", OPEN, None, "No latency is recorded.")
    found = base.median_ms / mine.median_ms
    where = f"{mine.where}, PyTorch, float32, 1 thread"
    reason = f"Recorded: {base.median_ms:.1f} / {mine.median_ms:.1f} ms = {found:.2f}× ({where})."
    if ratios := published_speedups(name):
        reason += f" Published elsewhere: {'; '.join(f'{ratio:.1f}× on {device}' for device, ratio in ratios.items())}."
    reason += " No source prints both networks on one phone." if not any(map(_is_phone, ratios)) else ""
    return CourseClaim("speedup", name, title, f"{printed}×", _verdict(printed, found), found, reason)


def _is_phone(device: str) -> bool:
    return device.startswith(("Pixel", "iPhone", "Snapdragon", "Samsung"))


def published_speedups(name: str) -> dict[str, float]:
    """Return how many times faster than ResNet-50 a network is, by device, where both latencies are published."""
    mine, base = (latencies_by_device(Place(each, 1.0, 1.0, None, 224)) for each in (name, BASELINE))
    return {device: _fastest(base[device]) / _fastest(rows) for device, rows in mine.items() if device in base}


def _fastest(rows: tuple[Row, ...]) -> float:
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
