"""Budgets: limits on the costs of a design, exact verdicts, and amounts as text.

Counts are compared as integers. Sizes in bytes are elements times the bytes of a number format. Every weight and every
activation is stored in that format; padding and tables that a runtime adds are not included.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from effviz.advice.amounts import (
    BYTES,
    COUNT,
    MAX_AMOUNT,
    QUANTITIES,
    SUFFIXES,
    TIME,
    Quantity,
    checked_amount,
    format_amount,
    format_like,
    format_share,
    parse_amount,
    tidy_amount,
)
from effviz.core.arguments import check_public, checked_late
from effviz.core.errors import DesignError, fail, number, one_of
from effviz.count.report import Report

DTYPES = {"float32": 4, "float16": 2, "int8": 1}
"""Bytes of one number."""

__all__ = [
    "BYTES", "COUNT", "DTYPES", "MAX_AMOUNT", "PRESETS", "QUANTITIES", "SUFFIXES", "TIME", "Budget", "Preset",
    "Quantity", "Verdict", "check", "format_amount", "format_like", "format_share", "parse_amount", "read_limit",
    "read_limits", "tidy_amount", "verdict",
]  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """A limit on one quantity. A value equal to the limit fits.

    Attributes:
        quantity: a key of `QUANTITIES`.
        limit: in the quantity's unit; a whole number, except for latency.
        dtype: number format of a limit in bytes, a key of `DTYPES`; empty for the format that `check` is given.
        written: the amount as it was typed, which `text` repeats; empty for the shortest text.
    """

    quantity: str
    limit: int | float
    dtype: str = ""
    written: str = ""

    def __post_init__(self) -> None:
        one_of("quantity", self.quantity, QUANTITIES)
        object.__setattr__(self, "limit", checked_amount("limit", self.limit, self.quantity))
        if self.dtype != "":
            one_of("dtype", self.dtype, DTYPES)
            if not self.is_size:
                fail("dtype", self.dtype, f"must be left out: {self.quantity} has no number format")
        if self.written != "" and parse_amount(self.written, self.quantity) != self.limit:
            fail("written", self.written, f"must be the limit {self.limit}")

    @property
    def is_size(self) -> bool:
        """Whether the limit is in bytes, so that it needs a number format."""
        return QUANTITIES[self.quantity].kind == BYTES

    @property
    def counted(self) -> str:
        """The attribute of a report that is limited; empty for latency."""
        return QUANTITIES[self.quantity].counted

    def in_unit(self, count: int) -> int:
        """Convert a number or elements to the unit of the limit."""
        return count * DTYPES.get(self.dtype, 1)

    @property
    def text(self) -> str:
        """The limit in the unit that was typed: ``"512 kB"``."""
        if self.written:
            return tidy_amount(self.written, self.quantity)
        return format_amount(self.limit, self.quantity)

    def show(self, value: float) -> str:
        """Format a value of the quantity in the unit of the limit: ``"802.8 kB"``."""
        return format_like(value, self.text, self.quantity)


@checked_late
def read_limit(argument: str, value: float | str, quantity: str) -> Budget:
    """Return the limit that a caller wrote as a number or as text.

    Args:
        argument: its name in error messages.
        value: in the unit of the quantity, or text for `parse_amount`: ``"300M"``, ``"256KiB"``. A size may end with
            its number format: ``"512 kB int8"``.
        quantity: a key of `QUANTITIES`.

    Raises:
        DesignError: the value is not a legal limit; the message contains the argument and the value.
    """
    one_of("quantity", quantity, QUANTITIES)
    try:
        if not isinstance(value, str):
            return Budget(quantity, value)
        amount, _, last = value.strip().rpartition(" ")
        dtype = last if last in DTYPES and QUANTITIES[quantity].kind == BYTES else ""
        written = amount if dtype else value
        return Budget(quantity, parse_amount(written, quantity), dtype, written)
    except DesignError as error:
        relation = error.problem.partition(" = ")[2]
        raise DesignError(f"{argument} = {relation}") from None


Limits = Mapping[str, float | str] | Iterable[Budget]
"""Limits of a caller: amounts by quantity, as for `read_limit`, or budgets."""


@checked_late
def read_limits(limits: Limits, dtype: str | None = None) -> tuple[Budget, ...]:
    """Return the limits in the order of `QUANTITIES`, each size with its number format.

    Args:
        limits: ``{"macs": "300M", "peak_activation": "512 kB int8"}``, or budgets.
        dtype: number format of the sizes that name none, a key of `DTYPES`.

    Raises:
        DesignError: a limit is illegal or occurs twice, none is given, or a size has no number format.
    """
    if dtype is not None:
        one_of("dtype", dtype, DTYPES)
    if isinstance(limits, Mapping):
        listed = [read_limit(one_of("quantity", name, QUANTITIES), value, name) for name, value in limits.items()]
    elif isinstance(limits, Iterable) and not isinstance(limits, str | bytes):
        # One more than are possible, since an iterator may have no end.
        listed = list(islice(limits, len(QUANTITIES) + 1))
    else:
        fail("limits", limits, "must map quantities to amounts, or be a sequence of Budget")
    found: dict[str, Budget] = {}
    for each in listed:
        if not isinstance(each, Budget):
            fail("budget", each, "must be a Budget")
        if each.quantity in found:
            fail("limits", each.quantity, "must have one limit for each quantity")
        if each.is_size and not each.dtype:
            if dtype is None:
                fail(each.quantity, each.text, f"needs a number format: dtype must be one of {', '.join(DTYPES)}")
            each = replace(each, dtype=dtype)
        found[each.quantity] = each
    if not found:
        fail("limits", None, f"must contain at least one of {', '.join(QUANTITIES)}")
    return tuple(found[name] for name in QUANTITIES if name in found)


class Verdict(NamedTuple):
    """The comparison of a design with one budget.

    Attributes:
        budget: the limit; the one of a size has the number format that it was compared in.
        value: in the unit of the budget; None if it was not measured.
        passed: whether the value is at most the limit; None if it was not measured.
        margin: share of the limit that is left, negative beyond it: 1 - value / limit.
    """

    budget: Budget
    value: int | float | None
    passed: bool | None
    margin: float | None

    @property
    def share(self) -> float:
        """The value as a share of the limit; 0 if it was not measured."""
        return (self.value or 0) / self.budget.limit

    @property
    def sentence(self) -> str:
        """The comparison in words: ``Multiply-adds are 300.8 M, 100.3 % of the limit of 300 M.``."""
        title, limit = QUANTITIES[self.budget.quantity].title, self.budget.text
        if self.value is None:
            return f"{title} was not measured; its limit is {limit}."
        verb = "are" if title.endswith("s") else "is"
        dtype = f" ({self.budget.dtype})" if self.budget.dtype else ""
        share = format_share(self.share)
        of = "" if share.endswith("\N{MULTIPLICATION SIGN}") else " of"
        return f"{title} {verb} {self.budget.show(self.value)}{dtype}, {share}{of} the limit of {limit}."


@checked_late
def check(
    report: Report, budgets: Iterable[Budget], *, dtype: str = "float32", latency_ms: float | None = None
) -> tuple[Verdict, ...]:
    """Compare a design with budgets, in the given order.

    Args:
        report: of the design; its memory assumption applies.
        budgets: the limits.
        dtype: number format of weights and activations in limits that name none, a key of `DTYPES`.
        latency_ms: measured median in milliseconds; None if nothing was measured.

    Raises:
        DesignError: an argument has the wrong type or an illegal value.
    """
    if not isinstance(report, Report):
        fail("report", report, "must be a Report; effviz.analyze(design) gives one")
    one_of("dtype", dtype, DTYPES)
    if latency_ms is not None:
        latency_ms = number("latency_ms", latency_ms, 0, MAX_AMOUNT)
    if not isinstance(budgets, Iterable):
        fail("budgets", budgets, "must be a sequence of Budget")
    verdicts = []
    for budget in budgets:
        if not isinstance(budget, Budget):
            fail("budget", budget, "must be a Budget")
        if budget.is_size and not budget.dtype:
            budget = replace(budget, dtype=dtype)
        counted = budget.counted
        verdicts.append(verdict(budget, budget.in_unit(getattr(report, counted)) if counted else latency_ms))
    return tuple(verdicts)


@checked_late
def verdict(budget: Budget, value: float | None) -> Verdict:
    """Compare a value, in the unit of the limit, with a limit."""
    if value is None:
        return Verdict(budget, None, None, None)
    # The difference comes first, so that the margin keeps its sign just beyond a huge limit.
    return Verdict(budget, value, value <= budget.limit, (budget.limit - value) / budget.limit)


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
_CHIP = "The chip's kB and MB are 1024 and 1024 × 1024 bytes. Program, stack and buffers must fit as well."

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
        "The mobile setting of ImageNet, fewer than 600 M multiply-adds at 224 × 224: NASNet, arXiv 1707.07012; DARTS, "
        "arXiv 1806.09055.",
    ),
    "real_time": Preset(
        "Real time, 30 images per second", (Budget("latency", 1000 / 30),), "float32",
        "30 images per second is the rate of most video cameras: 1000 / 30 = 33.3 ms per image.",
    ),
}  # fmt: skip
"""Presets by name."""


check_public(globals())
