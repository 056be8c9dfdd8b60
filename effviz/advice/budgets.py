"""Budgets: limits on the costs of a design, exact verdicts, and amounts as text.

Counts are compared as integers. Sizes in bytes are elements times the bytes of a number format. Every weight and every
activation is stored in that format; padding and tables that a runtime adds are not included.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from effviz.core.arguments import check_public, checked_late
from effviz.core.errors import DesignError, fail, number, one_of, show
from effviz.count.report import Report

DTYPES = {"float32": 4, "float16": 2, "int8": 1}
"""Bytes of one number."""

COUNT, BYTES, TIME = "count", "bytes", "time"

MAX_AMOUNT = 10**18
"""Far beyond any network, and small enough that a float distinguishes neighboring limits by their share."""


class Quantity(NamedTuple):
    """A quantity that can have a budget.

    Attributes:
        title: on screen.
        unit: of a limit: ``""`` for a count, ``"elements"``, ``"bytes"`` or ``"ms"``.
        kind: notation of its amounts: `COUNT`, `BYTES` or `TIME`.
        what: its definition in one sentence.
    """

    title: str
    unit: str
    kind: str
    what: str


QUANTITIES: dict[str, Quantity] = {
    "params": Quantity("Parameters", "", COUNT, "Trainable numbers, including two per channel of batch norm."),
    "macs": Quantity("Multiply-adds", "", COUNT, "Fused multiply-adds of convolution and linear layers, one image."),
    "memory_access": Quantity(
        "Memory access cost", "elements", COUNT, "Elements read and written at batch 1, under the report's assumption."
    ),
    "peak_activation": Quantity(
        "Peak activation memory", "bytes", BYTES, "Largest set of live activations in the fused network, batch 1."
    ),
    "weight_size": Quantity("Weight size", "bytes", BYTES, "All parameters in one number format."),
    "latency": Quantity("Latency", "ms", TIME, "Median time for one image, measured on this machine."),
}
"""All quantities that can have a budget, in the order in which verdicts are shown."""


@dataclass(frozen=True)
class Budget:
    """A limit on one quantity. A value equal to the limit fits.

    Attributes:
        quantity: a key of `QUANTITIES`.
        limit: in the quantity's unit; a whole number, except for latency.
    """

    quantity: str
    limit: int | float

    def __post_init__(self) -> None:
        one_of("quantity", self.quantity, QUANTITIES)
        object.__setattr__(self, "limit", _limit("limit", self.limit, self.quantity))


def _limit(argument: str, value: Any, quantity: str) -> int | float:
    checked = number(argument, value, 0, MAX_AMOUNT, open_below=True)
    if QUANTITIES[quantity].kind == TIME:
        return checked
    if value != int(value):
        fail(argument, value, f"must be a whole number for {quantity}")
    return int(value)


@checked_late
def read_limit(argument: str, value: float | str, quantity: str) -> Budget:
    """Return the limit that a caller wrote as a number or as text.

    Args:
        argument: its name in error messages.
        value: in the unit of the quantity, or text for `parse_amount`: ``"300M"``, ``"256KiB"``.
        quantity: a key of `QUANTITIES`.

    Raises:
        DesignError: the value is not a legal limit; the message contains the argument and the value.
    """
    one_of("quantity", quantity, QUANTITIES)
    try:
        return Budget(quantity, parse_amount(value, quantity) if isinstance(value, str) else value)
    except DesignError as error:
        relation = error.problem.partition(" = ")[2]
        raise DesignError(f"{argument} = {relation}") from None


class Verdict(NamedTuple):
    """The comparison of a design with one budget.

    Attributes:
        budget: the limit.
        value: in the unit of the budget; None if it was not measured.
        passed: whether the value is at most the limit; None if it was not measured.
        margin: share of the limit that is left, negative beyond it: 1 - value / limit.
    """

    budget: Budget
    value: int | float | None
    passed: bool | None
    margin: float | None


@checked_late
def check(
    report: Report, budgets: Iterable[Budget], *, dtype: str = "float32", latency_ms: float | None = None
) -> tuple[Verdict, ...]:
    """Compare a design with budgets, in the given order.

    Args:
        report: of the design; its memory assumption applies.
        budgets: the limits.
        dtype: number format of weights and activations, a key of `DTYPES`.
        latency_ms: measured median in milliseconds; None if nothing was measured.

    Raises:
        DesignError: an argument has the wrong type or an illegal value.
    """
    if not isinstance(report, Report):
        fail("report", report, "must be a Report; effviz.analyze(design) gives one")
    size = DTYPES[one_of("dtype", dtype, DTYPES)]
    if latency_ms is not None:
        latency_ms = number("latency_ms", latency_ms, 0, MAX_AMOUNT)
    if not isinstance(budgets, Iterable):
        fail("budgets", budgets, "must be a sequence of Budget")
    verdicts = []
    for budget in budgets:
        if not isinstance(budget, Budget):
            fail("budget", budget, "must be a Budget")
        value = _value(report, budget.quantity, size, latency_ms)
        if value is None:
            verdicts.append(Verdict(budget, None, None, None))
        else:
            # The difference comes first, so that the margin keeps its sign just beyond a huge limit.
            verdicts.append(Verdict(budget, value, value <= budget.limit, (budget.limit - value) / budget.limit))
    return tuple(verdicts)


def _value(report: Report, quantity: str, size: int, latency_ms: float | None) -> int | float | None:
    if quantity == "latency":
        return latency_ms
    if quantity == "peak_activation":
        return report.peak_activation * size
    if quantity == "weight_size":
        return report.params * size
    return int(getattr(report, quantity))


# --- presets ---------------------------------------------------------------------------------------------------------


class Preset(NamedTuple):
    """Common budgets with their source.

    Attributes:
        title: on screen.
        budgets: the limits.
        dtype: number format of the limits in bytes.
        source: of the limits, and the meaning of its units.
    """

    title: str
    budgets: tuple[Budget, ...]
    dtype: str
    source: str


KIB, MIB = 1024, 1024**2
_CHIP = "The chip's kB and MB are 1024 and 1024 x 1024 bytes. Program, stack and buffers must fit as well."

PRESETS: dict[str, Preset] = {
    "mcu_256k": Preset(
        "Microcontroller, 256 KiB SRAM", (Budget("peak_activation", 256 * KIB), Budget("weight_size", MIB)), "int8",
        f"MCUNet, arXiv 2007.10319: STM32F412 with 256 kB SRAM and 1 MB flash (ST, reference manual RM0402). {_CHIP}",
    ),
    "mcu_320k": Preset(
        "Microcontroller, 320 KiB SRAM", (Budget("peak_activation", 320 * KIB), Budget("weight_size", MIB)), "int8",
        f"MCUNet, arXiv 2007.10319: STM32F746 with 320 kB SRAM and 1 MB flash (ST, reference manual RM0385). {_CHIP}",
    ),
    "visual_wake_words": Preset(
        "Visual Wake Words, 250 kB",
        (Budget("peak_activation", 250_000), Budget("weight_size", 250_000), Budget("macs", 60_000_000)),
        "int8",
        "Visual Wake Words, arXiv 1906.05721: 250 KB each for peak memory and for the model, 60 M multiply-adds. The "
        "paper does not define its KB. Here it is 1000 bytes, the stricter reading.",
    ),
    "mobile_300m": Preset(
        "Mobile, 300 M multiply-adds", (Budget("macs", 300_000_000),), "float32",
        "MobileNetV2, arXiv 1801.04381, table 4, which rounds. The exact number at width 1 is 300.8 M, slightly more.",
    ),
    "mobile_600m": Preset(
        "Mobile, 600 M multiply-adds", (Budget("macs", 600_000_000),), "float32",
        "The mobile setting of ImageNet, fewer than 600 M multiply-adds at 224 x 224: NASNet, arXiv 1707.07012; DARTS, "
        "arXiv 1806.09055.",
    ),
    "real_time": Preset(
        "Real time, 30 images per second", (Budget("latency", 1000 / 30),), "float32",
        "30 images per second is the rate of most video cameras: 1000 / 30 = 33.3 ms per image.",
    ),
}  # fmt: skip
"""Presets by name."""


# --- amounts as text -------------------------------------------------------------------------------------------------

_COUNTS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZES = {
    "": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_TIMES = {"": Fraction(1), "ms": Fraction(1), "s": Fraction(1000), "us": Fraction(1, 1000)}
SUFFIXES: Mapping[str, Mapping[str, int | Fraction]] = {COUNT: _COUNTS, BYTES: _SIZES, TIME: _TIMES}
_EXAMPLES = {COUNT: "300M, 4.2 M or 1500000", BYTES: "256kB (1000 bytes), 320KiB (1024 bytes) or 250000", TIME: "33ms"}
_AMOUNT = re.compile(r"(\d[\d_]*(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?\s*([^\W\d_]*)", re.ASCII)
_MICRO = str.maketrans({"\N{GREEK SMALL LETTER MU}": "u", "\N{MICRO SIGN}": "u"})


@checked_late
def parse_amount(text: str, quantity: str) -> int | float:
    """Parse an amount with a suffix, and return it in the unit of the quantity.

    Counts take k, M, G and T. Sizes take kB, MB, GB and TB in steps of 1000, and KiB, MiB, GiB and TiB in steps of
    1024. Latency takes ms, s and us. A number without a suffix is in the quantity's unit. Underscores may group digits.

    Args:
        text: ``"300M"``, ``"4.2 M"``, ``"256kB"``, ``"320KiB"``, ``"33ms"``, ``"3e8"``.
        quantity: a key of `QUANTITIES`.

    Returns:
        A whole number; for latency a float.

    Raises:
        DesignError: the text is no amount; the message contains the text.
    """
    kind = QUANTITIES[one_of("quantity", quantity, QUANTITIES)].kind
    written = f"write it like {_EXAMPLES[kind]}"
    if not isinstance(text, str):
        fail(quantity, text, f"must be text: {written}")
    plain = text.strip().translate(_MICRO)
    found = _AMOUNT.fullmatch(plain.lstrip("+-\N{MINUS SIGN}") if plain[1:2].isalnum() else plain)
    if found is None or len(text) > 100 or "__" in text or found[1].rstrip(".").endswith("_") or "_." in found[1]:
        fail(quantity, text, f"is not an amount: {written}")
    digits, exponent, suffix = found.groups()
    if plain[0] in "-\N{MINUS SIGN}":
        fail(quantity, text, "must be greater than 0")
    if suffix not in SUFFIXES[kind]:
        fail(quantity, text, f"{_wrong(suffix, kind)}: {written}")
    amount = Fraction(digits.replace("_", "") + (exponent or "")) * SUFFIXES[kind][suffix]
    if amount > MAX_AMOUNT:
        fail(quantity, text, f"must be at most {MAX_AMOUNT:g}")
    # A time of 1e-400 ms is positive, but its float is 0.
    if not (amount and float(amount)):
        fail(quantity, text, "must be greater than 0")
    if kind == TIME:
        return float(amount)
    if amount.denominator > 1:
        fail(quantity, text, f"must be a whole number{' of bytes' if kind == BYTES else ''}")
    return int(amount)


def _wrong(suffix: str, kind: str) -> str:
    """Describe the error in a suffix."""
    for other, suffixes in SUFFIXES.items():
        if other != kind and suffix in suffixes and suffix not in _COUNTS:
            return f"has a unit of {'memory' if other == BYTES else 'time'}, {suffix}"
    known = [each for each in SUFFIXES[kind] if each.lower() == suffix.lower()]
    if kind == BYTES and (suffix.upper() in ("K", "M", "G", "T", "KB")):
        return f"is ambiguous, because {suffix} may mean thousands or 1024s"
    return f"has the suffix {show(suffix)}" + (f", which may mean {known[0]}" if known else ", which is unknown")


@checked_late
def format_amount(value: int | float, quantity: str) -> str:
    """Return the shortest text that `parse_amount` converts back to `value`: ``300 M``, ``320 KiB``, ``33.5 ms``.

    Raises:
        DesignError: the value cannot be a limit of this quantity.
    """
    kind = QUANTITIES[one_of("quantity", quantity, QUANTITIES)].kind
    amount = _limit(quantity, value, quantity)
    if kind == TIME:
        return f"{amount:.0f} ms" if amount == int(amount) and amount < 1e15 else f"{amount!r} ms"
    usual = {suffix: unit for suffix, unit in SUFFIXES[kind].items() if suffix not in ("", "K")}
    texts = [str(amount) if kind == COUNT else f"{amount} B"]
    texts += [f"{_quotient(int(amount), int(unit))} {suffix}" for suffix, unit in usual.items() if unit > 1]
    return min(texts, key=len)


def format_share(share: float) -> str:
    """Format a share of a limit without rounding it to the other side of 100 %: ``74.3 %``, ``100.3 %``, ``18×``."""
    if share >= 10:
        return f"{share:,.0f}×"
    for text in (f"{100 * share:.3g}", *(f"{100 * share:.{digits}f}" for digits in range(1, 7))):
        if share in (0, 1) or ("e" not in text and (float(text) - 100) * (share - 1) > 0):
            return f"{text} %"
    return "just over 100 %" if share > 1 else "just under 100 %"


def _quotient(amount: int, unit: int) -> str:
    """Return ``amount / unit`` as an exact decimal, which exists because units have only the factors 2 and 5."""
    whole, rest = divmod(amount, unit)
    digits = ""
    while rest:
        digit, rest = divmod(10 * rest, unit)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)


check_public(globals())
