"""Printed numbers with the value of their last digit, and whether an exact count gives these digits."""

from decimal import Decimal
from typing import NamedTuple

EXACT, ROUNDED, TRUNCATED, COARSE = "exact", "rounded", "cut off", "rounded to fewer digits"


class Digits(NamedTuple):
    """A printed number, in units."""

    value: int
    step: int  # the value of one unit of the last printed digit
    coarse: int  # the same without zeros at the end, which may be no digits: 390 M for 385.8 M

    def fit(self, count: int) -> str:
        """Return how a count is shortened to these digits: one of the constants of this file, or empty for no way."""
        off = 2 * abs(self.value - count)
        if off <= self.step:
            return EXACT if self.step == 1 else ROUNDED
        if 0 < count - self.value < self.step:
            return TRUNCATED
        return COARSE if off <= self.coarse else ""


class PrintedDigits(NamedTuple):
    """How a source prints, where the digits in the table do not show it: the value of the last digit.

    0: as in the table.
    """

    source: str  # its first characters
    params: int
    macs: int  # below 1 G
    large_macs: int  # from 1 G on
    factor: int = 1  # of the printed multiply-adds to those in the table


SOURCES = (
    PrintedDigits("timm results", 10_000, 10_000_000, 10_000_000),
    PrintedDigits("torchvision", 1, 1_000_000, 1_000_000),
    PrintedDigits("osmr/pytorchcv", 1, 10_000, 10_000),
    PrintedDigits("MobileNetV4 paper", 100_000, 100_000_000, 100_000_000),
    PrintedDigits("facebookresearch/pycls", 100_000, 100_000_000, 100_000_000),
    # Printed as 2 x multiply-adds; the table has half of it.
    PrintedDigits("PaddlePaddle/PaddleClas", 10_000, 0, 0, factor=2),
    PrintedDigits("tensorflow/tpu models/official/mnasnet/README.md @7dc921f (text)", 100_000, 1_000_000, 1_000_000),
    PrintedDigits("tensorflow/tpu models/official/mnasnet/README.md @", 100_000, 100_000, 100_000),
    # Printed in B.
    PrintedDigits("EfficientNet paper arXiv 1905.11946v5 Table 2", 0, 10_000_000, 0),
    PrintedDigits("EfficientNet paper arXiv 1905.11946v5 Table 3", 0, 100_000_000, 100_000_000),
    PrintedDigits("EfficientNet paper arXiv 1905.11946v5 Table 7", 0, 100_000_000, 100_000_000),
)
"""The sources that print in another unit or with another number of digits than the table."""

_AS_IN_TABLE = PrintedDigits("", 0, 0, 0)
_MEGA = 1_000_000


def how_printed(source: str) -> PrintedDigits:
    """Return how a source prints."""
    return next((each for each in SOURCES if source.startswith(each.source)), _AS_IN_TABLE)


def read_digits(text: str, source: str, quantity: str) -> Digits:
    """Read a cell of the table of published figures, which is in millions.

    Args:
        text: of the cell.
        source: of the row.
        quantity: ``"params"`` or ``"mult_adds"``.
    """
    how = how_printed(source)
    number = round(Decimal(text), 6)
    if quantity == "params":
        step = how.params or place_value(text) * _MEGA
        return Digits(int(number * _MEGA), int(step), int(step))
    # The table has the column as floating point numbers: ``582.0`` is printed as 582, and ``1800.0`` as 1.8 G.
    number = (number * how.factor).normalize()
    coarse = Decimal(1).scaleb(int(number.as_tuple().exponent)) * _MEGA
    declared = how.macs if number < 1000 else how.large_macs
    step = Decimal(declared) or (min(coarse, Decimal(_MEGA)) if number < 1000 and how.factor == 1 else coarse)
    return Digits(int(number * _MEGA), int(step), int(step if declared else coarse))


def place_value(text: str) -> Decimal:
    """Return the value of the last digit: 0.01 for ``4.24``."""
    return Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent))
