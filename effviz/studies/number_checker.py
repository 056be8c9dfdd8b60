"""Which network has these numbers? Typed figures, compared with every network of the zoo in every convention.

The candidates are the networks at their published widths and resolutions. A figure is explained by the rule of
`effviz.studies.literature.conventions` that gives the typed digits.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, fail, if_legal
from effviz.core.resolution import Resolution, as_resolution
from effviz.core.units import change, exact
from effviz.studies.literature.claims import ClaimedNetwork, place, rows
from effviz.studies.literature.conventions import RULES, Parts, parts_of
from effviz.studies.literature.digits import COARSE, EXACT, TRUNCATED, Digits, place_value, read_digits
from effviz.zoo import ARCHITECTURES, GROUPS, default_groups

EXAMPLES = (
    "1.8 GFLOPs, 12.2 M, 300 px",
    "3.4 M params, 300 M MMAdds",
    "5.33 M, 0.77 GFLOPs @224",
    "19 M, 4.2 B",
    "13.4 MiB, 0.3 GMACs",
)
"""Inputs that the page offers."""

LIKE = f"write figures such as {EXAMPLES[0]!r}"
MOST = 200
"""Characters of an input."""

_NUMBER = re.compile(
    r"[\s,;/&|+]*(?:and\s|at\s|with\s|[@~<\N{ALMOST EQUAL TO}\N{LESS-THAN OR EQUAL TO}]|approx\.?\s|about\s)*\s*"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE]\+?(?P<power>\d{1,2})(?![A-Za-z]))?"
    r"(?:\s*[x\N{MULTIPLICATION SIGN}]\s*(?P<wide>\d+))?"
    r"\s*(?P<word>[A-Za-z-]*)(?:\s+(?P<second>[A-Za-z-]+))?(?P<end>\s*(?=[\s,;/&|+@]|$))",
)
_COMMA = re.compile(r"[\d.,]*\d,\d[\d.,]*")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?[.,]?")
_PREFIXES = {"": 0, "k": 3, "m": 6, "g": 9, "b": 9, "t": 12, "million": 6, "mio": 6, "billion": 9, "bn": 9, "giga": 9}
_WORDS = {
    "params": "params", "param": "params", "parameters": "params", "weights": "params",
    "flops": "flops", "flop": "flops",
    **dict.fromkeys(("macs", "mac", "madds", "madd", "mmadds", "m-adds", "mult-adds", "multadds", "multiply-adds",
                     "multiply-accumulates"), "macs"),
    "px": "px", "pixels": "px", "pixel": "px", "resolution": "px",
}  # fmt: skip
_SIZES = {
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30,
    "kbyte": 10**3, "mbyte": 10**6, "mbytes": 10**6, "megabytes": 10**6,
}  # fmt: skip
_PLAIN = "count"
"""Kind of a count whose quantity is not typed."""

_JOINING = ("and", "at", "with", "approx", "about", "of")


class Claim(NamedTuple):
    """One typed figure."""

    kind: str  # "params", "macs", "flops", "size" in bytes, or "px"
    text: str  # as typed
    digits: Digits  # of a resolution, the height

    @property
    def quantity(self) -> str:
        """The key of `RULES`; empty for a size or a resolution."""
        return {"params": "params", "macs": "mult_adds", "flops": "mult_adds"}.get(self.kind, "")

    @property
    def slot(self) -> str:
        """Name of the quantity, for figures that may occur once."""
        return self.quantity or self.kind


class Explained(NamedTuple):
    """How a figure comes from a network, or does not."""

    text: str  # the figure as typed
    rule: str  # name of the convention; of a missed figure, the usual one
    counted: int  # by that rule
    fit: str  # a constant of `effviz.studies.literature.digits`; empty if no rule gives the digits
    sentence: str


class Match(NamedTuple):
    """A network that explains the figures."""

    rank: int  # from 1; equal for networks that fit equally well
    place: ClaimedNetwork  # with its resolution
    title: str
    explained: tuple[Explained, ...]  # in the order of the figures, without a resolution
    missed: int  # figures that no rule gives

    @property
    def resolution(self) -> Resolution:
        """In pixels."""
        return self.place.resolution or 0

    @property
    def sentence(self) -> str:
        """All rules that connect the figures with the network."""
        return " ".join(each.sentence for each in self.explained)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_claims(text: str) -> tuple[tuple[Claim, ...], Resolution | None]:
    """Read typed figures: counts, sizes of weights, and a resolution.

    Args:
        text: figures with units, such as ``"1.8 GFLOPs, 12.2 M, 300 px"``. ``M`` alone means parameters; of
            two, the larger one is the multiply-adds. ``G`` and ``B`` alone mean multiply-adds. A number alone, or after
            ``@``, is the resolution.

    Raises:
        DesignError: a part of the text is no figure, a quantity occurs twice, or there is no count.
    """
    if not isinstance(text, str) or not text.strip():
        fail("figures", text, f"must be text: {LIKE}")
    if len(text) > MOST:
        fail("figures", text[:40] + "…", f"must have at most {MOST} characters")
    for each in _COMMA.findall(text):
        if not _THOUSANDS.fullmatch(each):
            fail(
                "figures",
                each,
                "has a comma that groups no thousands: write a decimal point, or a space after it",
            )
    claims: list[Claim] = []
    side: Resolution | None = None
    position, text = 0, text.strip()
    while position < len(text):
        found = _NUMBER.match(text, position)
        if found is None:
            fail("figures", text[position:].strip(" ,;/&|+"), f"has no number in front; {LIKE}")
        position = found.end()
        kind, exponent, used_second = _unit(found)
        if found["second"] and not used_second:
            position = found.start("second")
        if kind == "px":
            if side is not None:
                fail("figures", text, "has two resolutions")
            side = _side(found)
            continue
        claims.append(_claim(found, kind, exponent, used_second))
        if text[position:].strip().lower().rstrip(" ,;") in _JOINING:
            break
    if not claims:
        fail("figures", text, f"has no parameters, multiply-adds or size; {LIKE}")
    return _named(claims, text), side


def _named(claims: Sequence[Claim], text: str) -> tuple[Claim, ...]:
    """Name the counts without a quantity: of two, the larger one is the multiply-adds."""
    plain = sorted((each for each in claims if each.kind == _PLAIN), key=lambda each: each.digits.value)
    known = {each.quantity for each in claims}
    free = [kind for kind, quantity in (("params", "params"), ("macs", "mult_adds")) if quantity not in known]
    kinds = {id(each): kind for each, kind in zip(plain, free, strict=False)}
    named = tuple(each._replace(kind=kinds.get(id(each), each.kind)) for each in claims)
    for index, each in enumerate(named):
        twin = next((other for other in named[:index] if other.slot == each.slot), None)
        if twin or each.kind == _PLAIN:
            before = twin or named[index - 1]
            fail("figures", text, f"has {before.text!r} and {each.text!r} for one quantity")
    return named


def _unit(found: re.Match[str]) -> tuple[str, int, bool]:
    """Return the kind of a figure, its power of ten, and whether the second word belongs to it."""
    first, second = found["word"].lower(), (found["second"] or "").lower()
    if found["wide"]:
        return "px", 0, second in _WORDS
    if first in _SIZES:
        return "size", 0, second in ("weights", "params")
    if first in _PREFIXES and second in _WORDS and _WORDS[second] != "px":
        return _WORDS[second], _PREFIXES[first], True
    for prefix, exponent in _PREFIXES.items():
        rest = first.removeprefix(prefix)
        if first.startswith(prefix) and rest in _WORDS:
            kind = _WORDS[rest]
            return kind, exponent, False
    if first in _JOINING or first == "":
        # A number alone is a resolution, unless it is too long for one.
        return ("px" if "." not in found["number"] and len(found["number"]) < 5 else _PLAIN), 0, False
    if first in _PREFIXES:
        return ("macs" if _PREFIXES[first] >= 9 else _PLAIN), _PREFIXES[first], False
    units = "K, M, G, B or T, params, FLOPs, MACs, MB or px"
    fail("figures", found[0].strip(" ,;"), f"has the unknown unit {found['word']!r}; allowed: {units}")


def _side(found: re.Match[str]) -> Resolution:
    number = found["number"].replace(",", "")
    if not number.isdecimal():
        fail("resolution", number, "must be a whole number of pixels")
    return as_resolution((int(number), int(found["wide"])) if found["wide"] else int(number))


def _claim(found: re.Match[str], kind: str, exponent: int, used_second: bool) -> Claim:
    number = found["number"].replace(",", "").rstrip(".")
    unit = Decimal(_SIZES[found["word"].lower()]) if kind == "size" else Decimal(10) ** exponent
    power = f"e{found['power']}" if found["power"] else ""
    unit *= Decimal(f"1{power}")
    value, step = Decimal(number) * unit, place_value(number) * unit
    if not 1 <= value <= 10**15:
        fail("figures", found[0].strip(" ,;"), "must be from 1 to 1e15")
    zeros = len(number) - len(number.rstrip("0")) if "." not in number else 0
    text = f"{found['number']}{power}" + f" {found['word']}".rstrip() + (f" {found['second']}" if used_second else "")
    return Claim(kind, text, Digits(int(value), max(1, int(step)), max(1, int(step * 10**zeros))))


# --- candidates -------------------------------------------------------------------------------------------------------


class _Candidate(NamedTuple):
    place: ClaimedNetwork  # without resolution
    title: str
    sides: tuple[Resolution, ...]  # published ones, and its own
    own: Resolution


@remembered
def candidates() -> tuple[_Candidate, ...]:
    """Return the networks of the zoo at every published width, with the published resolutions of the family."""
    widths: dict[str, set[float]] = {name: {1.0} for name in ARCHITECTURES}
    sides: dict[str, set[Resolution]] = {name: set() for name in ARCHITECTURES}
    for row in rows():
        if isinstance(where := place(row), ClaimedNetwork) and where.depth == 1:
            widths[where.name].add(where.width)
            sides[where.name] |= {where.resolution} if where.resolution else set()
    found = []
    for name in ARCHITECTURES:
        for groups in GROUPS.get(name, (None,)):
            for width in sorted(widths[name]):
                where = ClaimedNetwork(name, width, 1.0, None if groups == default_groups(name) else groups, None)
                design = if_legal(where.design)
                if design is not None:
                    title = f"{design.title}, width {width:g}" if width != 1 else design.title
                    all_sides = sorted({*sides[name], design.resolution}, key=str)
                    found.append(_Candidate(where, title, tuple(all_sides), design.resolution))
    return tuple(found)


# --- comparing --------------------------------------------------------------------------------------------------------

_SIZES_OF = (("float32", 4), ("float16", 2), ("int8", 1))
_NEAR = 0.1
_LISTED = 12


@remembered
def identify(text: str) -> tuple[Match, ...]:
    """Return the networks whose counts give the typed figures, the best first.

    A network is better if fewer figures are missed; then if the rules are more usual. The most usual one is the
    convention of effviz with correct rounding, followed by digits that a source prints for this network, fewer digits,
    cut-off digits, and other conventions. Two networks have one rank if the rules of all figures are equally usual: the
    figures fit both. Within a rank, unscaled networks at their own resolution are first. If no network
    gives all figures, the closest ones follow, within 10 %.

    Args:
        text: as for `read_claims`.

    Raises:
        DesignError: as `read_claims`.
    """
    claims, side = read_claims(text)
    scored = []
    for candidate in candidates():
        sides = candidate.sides if any(each.quantity == "mult_adds" for each in claims) else (candidate.own,)
        for resolution in sides if side is None else (side,):
            if (parts := _parts(candidate.place, resolution)) is not None:
                scored += _scored(candidate, resolution, parts, claims)
    scored.sort(key=lambda each: each[0])
    best = min((each[0][0] for each in scored), default=0)
    matches: list[Match] = []
    rank, last = 0, None
    for key, match in scored:
        if key[0] != best:
            break
        rank, last = (rank, last) if key[:3] == last else (len(matches) + 1, key[:3])
        if rank > _LISTED:
            break
        matches.append(match._replace(rank=rank))
    return tuple(matches)


_Key = tuple[int, float, float, bool, bool, bool, str]


def _scored(
    candidate: _Candidate, resolution: Resolution, parts: Parts, claims: tuple[Claim, ...]
) -> list[tuple[_Key, Match]]:
    """Explain the figures by one network, if it is near to them."""
    explained, penalty, off, missed = [], 0.0, 0.0, 0
    where = candidate.place._replace(resolution=resolution)
    for claim in claims:
        cost, each = _explain(claim, where, parts)
        explained.append(each)
        if each.fit:
            penalty += cost
        else:
            missed += 1
            far = abs(claim.digits.value / each.counted - 1)
            if far > _NEAR:
                return []
            off += far
    scaled, grouped = candidate.place.width != 1, candidate.place.groups is not None
    key = missed, round(penalty, 6), off, resolution != candidate.own, scaled, grouped, candidate.title
    return [(key, Match(0, where, candidate.title, tuple(explained), missed))]


@remembered
def _parts(where: ClaimedNetwork, resolution: Resolution) -> Parts | None:
    try:
        return parts_of(where.design(), resolution)
    except DesignError:
        return None


PRINTED = "printed"
_COSTS = {PRINTED: 0.1, COARSE: 0.25, TRUNCATED: 0.5}


def _explain(claim: Claim, where: ClaimedNetwork, parts: Parts) -> tuple[float, Explained]:
    """Return the most usual rule that gives a figure, and how unusual it is; else the usual rule."""
    counts = _counts(claim, where, parts)
    source = _printed().get((claim.quantity, _printed_place(claim.quantity, where), claim.digits.value), "")
    found = []
    for index, (name, text, count) in enumerate(counts):
        if fit := claim.digits.fit(count):
            found.append(((0 if index == 0 else 1 + index / 10) + _COSTS.get(fit, 0), name, text, count, fit))
    cost, name, text, count, fit = min(found, default=(1.0, *counts[0], ""))
    if source:
        cost = min(cost, _COSTS[PRINTED] if fit else 1.0)
    if fit:
        how = "" if fit == EXACT else f", {fit}"
        sentence = f"{claim.text} is {exact(count)}{how}: {text}."
    else:
        sentence = f"{claim.text}: no rule gives it; exact {exact(count)} ({change(claim.digits.value, count)})."
    sentence += f" Printed in {source}." if source and cost else ""
    return cost, Explained(claim.text, name, count, fit or (PRINTED if source else ""), sentence)


def _printed_place(quantity: str, where: ClaimedNetwork) -> ClaimedNetwork:
    """Return the network for which a figure is printed: parameters are the same at every resolution."""
    groups = None if where.groups == default_groups(where.name) else where.groups
    return where._replace(groups=groups, resolution=where.resolution if quantity == "mult_adds" else None)


@cache
def _printed() -> dict[tuple[str, ClaimedNetwork, int], str]:
    """Return a source of every printed count, by quantity, network and value."""
    found: dict[tuple[str, ClaimedNetwork, int], str] = {}
    for row in rows():
        where = place(row)
        for quantity in RULES:
            if isinstance(where, ClaimedNetwork) and (text := getattr(row, quantity)):
                value = read_digits(text, row.source, quantity).value
                found.setdefault((quantity, _printed_place(quantity, where), value), row.source)
    return found


def _counts(claim: Claim, where: ClaimedNetwork, parts: Parts) -> list[tuple[str, str, int]]:
    """Return name, sentence and count of every rule for a figure, the most usual first."""
    if claim.kind == "size":
        params = RULES["params"][0].count(parts)
        plain = [
            (name, f"{size} bytes for each of {exact(params)} parameters", size * params) for name, size in _SIZES_OF
        ]
        state = params + 2 * parts.norm
        text = f"4 bytes for each of {exact(state)} parameters and running statistics"
        return [*plain, ("float32, with running statistics", text, 4 * state)]
    found = []
    for rule in RULES[claim.quantity]:
        if rule.variant is None:
            found.append((rule.name, rule.text, rule.count(parts)))
        elif (counted := rule.of(where.design())) is not None:
            found.append((rule.name, rule.text, counted))
    return found


check_border(globals())
