"""Every published figure, judged: the exact count, the difference, and the rule that gives the printed digits.

Parameters and multiply-adds are judged by an exact count. A source counts all figures of a network by one convention:
it is the rule of `effviz.studies.literature.conventions` that gives most of the digits that it prints. Top-1 is judged
by the authors' figures, and latency by other prints for the same device.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.units import change, exact, short
from effviz.studies.literature import references
from effviz.studies.literature.claims import COURSE, QUANTITIES, ClaimedNetwork, ClaimRow, brief, document, place, rows
from effviz.studies.literature.conventions import RULES, Way
from effviz.studies.literature.digits import (
    COARSE,
    EXACT,
    ROUNDED,
    TRUNCATED,
    Digits,
    how_printed,
    place_value,
    read_digits,
)
from effviz.zoo.published.cells import faults

RIGHT, SHORT, OTHER, UNEXPLAINED, WRONG = "right", "rounded", "convention", "unexplained", "wrong"
OPEN, UNBUILT = "open", "unbuilt"
VERDICTS = {
    RIGHT: "Right",
    SHORT: "Rounded",
    OTHER: "Other convention",
    UNEXPLAINED: "Unexplained",
    WRONG: "Wrong",
    OPEN: "Not comparable",
    UNBUILT: "Not built here",
}
"""Verdicts with their names. Right: the digits are those of the exact count. Rounded: cut off, or fewer digits.

A count that no rule explains is wrong only if it is a known misprint. Its source may count in a way that is not known.
"""


class Judged(NamedTuple):
    """One printed number and what a count says about it."""

    network: str  # as the source calls it
    design: str  # name in the zoo; empty if effviz cannot build it
    width: float  # multiplier; 1 if not built
    depth: float  # multiplier; 1 if not built
    groups: int | None
    resolution: str  # as in the table
    quantity: str  # a key of `QUANTITIES`
    printed: str  # with its unit
    value: float  # the printed number: a count, per cent or milliseconds
    reference: float | None  # the exact count, or the figure that it is compared with; None without one
    verdict: str  # a key of `VERDICTS`
    rule: str  # how the digits come from the reference, or the convention
    reason: str  # sentences
    source: str
    notes: str  # of the row
    course: bool  # whether the claim is from the course notes

    @property
    def off(self) -> float | None:
        """Relative difference from the reference; None without one."""
        return self.value / self.reference - 1 if self.reference else None


@remembered
def judged() -> tuple[Judged, ...]:
    """Judge every claim, in the order of the tables. Takes about a second: see `calculated` of the pages."""
    table = rows()
    places = [place(row) for row in table]
    usual = _usual_rules(zip(table, places, strict=True))
    found = []
    for (row, quantity), where in _distinct(table, places).items():
        if isinstance(where, str):
            found.append(_claim(row, None, quantity, None, UNBUILT, "", where))
        elif quantity in RULES:
            found.append(_judge_count(row, where, quantity, usual[row.source, row.design, quantity]))
        elif quantity == "top1":
            found.append(_judge_top1(row, where))
        else:
            found.append(_judge_latency(row, where))
    return tuple(found)


def _distinct(
    table: Iterable[ClaimRow], places: Iterable[ClaimedNetwork | str]
) -> dict[tuple[ClaimRow, str], ClaimedNetwork | str]:
    """Return one row for each printed number: the table repeats those of a network with several latencies."""
    found: dict[tuple[str, ...], tuple[ClaimRow, ClaimedNetwork | str]] = {}
    for row, where in zip(table, places, strict=True):
        for quantity in QUANTITIES:
            text = getattr(row, quantity)
            device = row.latency_device if quantity == "latency_ms" else ""
            # A source of two files has the latency in the second one.
            source = row.source if device else row.source.partition(" + ")[0]
            if text:
                found.setdefault(
                    (row.design, row.variant, row.resolution, quantity, text, device, source), (row, where)
                )
    return {(row, key[3]): where for key, (row, where) in found.items()}


def _claim(
    row: ClaimRow,
    where: ClaimedNetwork | None,
    quantity: str,
    reference: float | None,
    verdict: str,
    rule: str,
    reason: str,
) -> Judged:
    text = getattr(row, quantity)
    value = float(text)
    if quantity in RULES:
        digits = read_digits(text, row.source, quantity)
        # A source that prints 2 x multiply-adds is shown as it prints.
        value, printed = digits.value, count_text(digits)
    else:
        printed = (
            f"{text.removesuffix('.0') if quantity == 'latency_ms' else text} {'%' if quantity == 'top1' else 'ms'}"
        )
    return Judged(
        row.title, where.name if where else "", where.width if where else 1.0, where.depth if where else 1.0,
        where.groups if where else None, row.resolution, quantity, printed, value, reference, verdict, rule, reason,
        row.source, row.notes, row.source.startswith(COURSE),
    )  # fmt: skip


def count_text(digits: Digits) -> str:
    """Write a printed count with its digits: ``4.24 M``, ``1.8 G``."""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if digits.value >= unit and (unit < 10**9 or digits.step >= 10**6):
            decimals = max(0, len(str(unit)) - len(str(digits.step)))
            return f"{Decimal(digits.value) / unit:,.{decimals}f} {name}"
    return str(digits.value)


# --- counts -----------------------------------------------------------------------------------------------------------


@cache
def _count(rule: Way, where: ClaimedNetwork) -> int | None:
    return rule.of(where.design())


def _fit(row: ClaimRow, where: ClaimedNetwork, quantity: str, rule: Way) -> str:
    count = _count(rule, where)
    return "" if count is None else read_digits(getattr(row, quantity), row.source, quantity).fit(count)


def _usual_rules(table: Iterable[tuple[ClaimRow, ClaimedNetwork | str]]) -> dict[tuple[str, str, str], Way]:
    """Return the convention of each source for a network: the rule that gives most of its digits."""
    cells: dict[tuple[str, str, str], dict[tuple[ClaimedNetwork, str], ClaimRow]] = defaultdict(dict)
    quoted: dict[tuple[str, str, str], str] = {}
    for row, where in table:
        for quantity in RULES:
            if isinstance(where, ClaimedNetwork) and (text := getattr(row, quantity)):
                cells[row.source, row.design, quantity][where, text] = row
                quoted.setdefault((row.design, quantity, text), row.source)
    usual = {key: _usual_rule(key[2], prints) for key, prints in cells.items()}
    for source, design, quantity in usual:
        if source.startswith(COURSE):
            # The notes quote one figure of a network, by the convention of the source that they quote.
            ((_, text),) = cells[source, design, quantity]
            first = quoted[design, quantity, text]
            plain = RULES[quantity][0]
            usual[source, design, quantity] = plain if first == source else usual[first, design, quantity]
    return usual


def _usual_rule(quantity: str, prints: dict[tuple[ClaimedNetwork, str], ClaimRow]) -> Way:
    hits: Counter[int] = Counter()
    for (where, _), row in prints.items():
        for index, rule in enumerate(RULES[quantity]):
            hits[index] += _fit(row, where, quantity, rule) in (EXACT, ROUNDED, TRUNCATED)
    best = max(hits.values(), default=0)
    return RULES[quantity][next(index for index in range(len(RULES[quantity])) if hits[index] == best)]


def _judge_count(row: ClaimRow, where: ClaimedNetwork, quantity: str, usual: Way) -> Judged:
    plain, *others = RULES[quantity]
    count = _count(plain, where)
    assert count is not None
    digits = read_digits(getattr(row, quantity), row.source, quantity)
    printed, number = count_text(digits), exact(count)
    if quantity == "mult_adds" and how_printed(row.source).factor == 2:
        # All figures of such a source are twice the multiply-adds.
        plain, others = others[0], [plain, *others[1:]]
        count *= 2
        number = f"2 × {number}".replace("×", "\N{MULTIPLICATION SIGN}")

    def verdict(verdict: str, rule: str, reason: str) -> Judged:
        return _claim(row, where, quantity, count, verdict, rule, reason)

    fit = digits.fit(count)
    if fit in (EXACT, ROUNDED):
        right = plain is RULES[quantity][0]
        return verdict(RIGHT, fit, f"Exact: {number}.") if right else verdict(OTHER, plain.name, f"Exact: {number}.")
    if "own implementation" in row.wrong:
        return _claim(row, where, quantity, None, OPEN, "", f"Another network of the same name: {row.wrong}")
    # The convention of the source, or a network that is built differently, which one table may mix.
    for rule in (usual, *(each for each in others if each.variant is not None)):
        counted = _count(rule, where)
        other = "" if rule is plain or counted is None else digits.fit(counted)
        shortened = fit != TRUNCATED if other == TRUNCATED else other == COARSE and not fit and not rule.source
        if counted is not None and (other in (EXACT, ROUNDED) or shortened):
            how = f" {other}" if shortened else ""
            return verdict(OTHER, rule.name, f"Exact: {number}. {printed} is {exact(counted)}{how}: {rule.text}.")
    if fit == TRUNCATED:
        nearest = count_text(digits._replace(value=(count + digits.step // 2) // digits.step * digits.step))
        return verdict(SHORT, TRUNCATED, f"Exact: {number}, cut off after the printed digits; rounded, {nearest}.")
    if fit == COARSE:
        return verdict(SHORT, COARSE, f"Exact: {number}, rounded to a multiple of {short(digits.coarse)}.")
    table = where.design().width_rule.table
    if table and all(abs(width - where.width) > 1e-6 for width, _ in table):
        return _claim(row, where, quantity, None, OPEN, "", f"No channels are published for width {where.width:g}.")
    fault = faults(row.wrong).get(quantity)
    off = change(digits.value, count)
    found = WRONG if fault and fault.is_misprint else UNEXPLAINED
    return verdict(found, "", f"Exact: {number} ({off}); no rule gives {printed}. {fault or ''}".strip())


# --- accuracy and latency ---------------------------------------------------------------------------------------------


def _agrees(printed: str, other: str) -> bool:
    """Return whether two printed numbers are the same up to the digits of the shorter one."""
    step = max(place_value(printed), place_value(other))
    return 2 * abs(Decimal(printed) - Decimal(other)) <= step


def _judge_top1(row: ClaimRow, where: ClaimedNetwork) -> Judged:
    known = references.authors_top1(where)
    if not known:
        return _claim(row, where, "top1", None, OPEN, "", "The authors print no accuracy for this network and size.")
    same = [each for each in known if _agrees(row.top1, f"{each.top1:g}")]
    first = (same or known)[0]
    text = "; ".join(dict.fromkeys(f"{each.top1:g} % in {document(each.source)}" for each in same or known))
    if wrong := faults(row.wrong).get("top1"):
        return _claim(row, where, "top1", first.top1, WRONG, "", f"{wrong} The authors print {text}.")
    if same:
        return _claim(row, where, "top1", first.top1, RIGHT, "as the authors", f"The authors print {text}.")
    if row.source.startswith(COURSE):
        return _claim(row, where, "top1", first.top1, WRONG, "", f"The authors print {text}.")
    reason = f"Other weights, or another test. The authors print {text}."
    return _claim(row, where, "top1", first.top1, OTHER, "other weights", reason)


def _judge_latency(row: ClaimRow, where: ClaimedNetwork) -> Judged:
    known = references.other_latencies(row, where)
    if not known:
        reason = f"No other source prints a latency of this network on {row.latency_device}."
        return _claim(row, where, "latency_ms", None, OPEN, "", reason)
    same = [each for each in known if _agrees(row.latency_ms, each.latency_ms)]
    first = (same or known)[0]
    prints = dict.fromkeys(f"{each.latency_ms} ms in {brief(each.source)}" for each in same or known)
    reason = f"Printed for {references.device(row.latency_device)}: {'; '.join(prints)}."
    verdict = RIGHT if same else WRONG if row.source.startswith(COURSE) else OTHER
    rule = {RIGHT: ROUNDED, OTHER: "other conditions"}.get(verdict, "")
    return _claim(row, where, "latency_ms", float(first.latency_ms), verdict, rule, reason)


check_border(globals())
