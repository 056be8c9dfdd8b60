"""A closed form and its terms, and the helpers that all formulas share."""

from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import NamedTuple, TypeAlias

from effviz.count.totals import block_totals
from effviz.model.fields import FieldBlock
from effviz.model.layers import Layer, Shape
from effviz.model.trace import trace_block

VGG = "arXiv 1409.1556, section 2.3"
"""Source of the formulas with 3x3 convolutions."""

Amount: TypeAlias = int | Fraction

QUANTITIES = ("macs", "params", "ratio")


class FormTerm(NamedTuple):
    """A term that the formula of the paper omits."""

    label: str  # its name, with numbers
    value: Amount  # added to the value of the formula; negative where the paper counts more


@dataclass(frozen=True)
class ClosedForm:
    """One formula of a paper and the exact number."""

    what: str  # the block or layer whose cost it is
    quantity: str  # one of `QUANTITIES`; a ratio is one of multiply-adds
    symbols: str  # the formula in the letters of the paper
    where: str  # the meaning of the letters
    numbers: str  # the formula with the numbers of the block
    value: Amount  # of the formula; a `Fraction` if it is not an integer
    source: str  # paper and place
    terms: tuple[FormTerm, ...]  # the difference between `value` and `exact`, in order, without terms of 0
    exact: Amount  # the exact count of the layer; for a ratio, of the first layer over the second
    layers: tuple[Layer, ...]  # the counted layers, one, or two for a ratio
    shape: Shape  # of their input


def shown(amount: Amount) -> str:
    """Format an amount: ``1,234``, ``8.413``, ``1,234.5``."""
    if amount == int(amount):
        return f"{int(amount):,}"
    value = float(amount)
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"


@singledispatch
def closed_forms(block: FieldBlock, shape: Shape) -> list[ClosedForm]:
    """Return the formulas of the papers for a block; an empty list if no paper prints one.

    Args:
        block: with its final widths, as `Design.blocks` gives it.
        shape: of its input, ``(channels, height, width)``.

    Raises:
        DesignError: the block cannot take such an input.
    """
    return []


class Formulas(NamedTuple):
    """The formulas of one source about one layer, or about the ratio of two; the fields are those of `ClosedForm`."""

    what: str
    where: str
    source: str
    layers: tuple[Layer, ...]
    shape: Shape

    def form(self, quantity: str, symbols: str, numbers: str, value: Amount, *terms: FormTerm) -> ClosedForm:
        """Make a closed form: count the layers, and drop terms of 0."""
        totals = [block_totals(layer, self.shape) for layer in self.layers]
        exact: Amount = totals[0].params if quantity == "params" else totals[0].macs
        if quantity == "ratio":
            exact = Fraction(totals[0].macs, totals[1].macs)
        kept = tuple(FormTerm(term.label, plain(term.value)) for term in terms if term.value)
        return ClosedForm(
            self.what, quantity, symbols, self.where, numbers, plain(value), self.source, kept, plain(exact),
            self.layers, self.shape,
        )  # fmt: skip


def plain(amount: Amount) -> Amount:
    """Return an integer for a fraction with denominator 1."""
    return int(amount) if amount == int(amount) else amount


def exact_ratio(value: float) -> Fraction:
    """Return the intended fraction of a float: 1/10 for 0.1, 11/3 for 3.6666666666666665."""
    near = Fraction(value).limit_denominator(1000)
    return near if abs(near - Fraction(value)) < Fraction(1, 10**12) else Fraction(str(value))


def num(amount: Amount) -> str:
    """Format a number inside a formula; a fraction without a short decimal form is in parentheses."""
    if amount == int(amount):
        return f"{int(amount):,}"
    decimal = f"{float(amount):.6f}".rstrip("0")
    return decimal if Fraction(decimal) == amount else f"({Fraction(amount).numerator}/{Fraction(amount).denominator})"


def map_text(shape: Shape) -> str:
    """Format height and width of a map."""
    return f"{num(shape[1])} × {num(shape[2])}"


def pixels(shape: Shape) -> int:
    """Return the pixels of a map."""
    return shape[1] * shape[2]


def output_shape(block: FieldBlock, shape: Shape) -> Shape:
    """Return the output shape of a block."""
    return trace_block(block, shape).output.shape


def batch_norm(*channels: int) -> FormTerm:
    """Return the term of batch norms with these channels."""
    text = " + ".join(map(num, channels))
    return FormTerm(f"batch norm, 2 × {text if len(channels) == 1 else f'({text})'}", 2 * sum(channels))


def biases(*channels: int) -> FormTerm:
    """Return the term of biases with these channels."""
    return FormTerm(f"biases, {' + '.join(map(num, channels))}", sum(channels))


def rounded(what: str, ideal: Amount, built: int, each: Amount) -> FormTerm:
    """Return the term of a rounded width; `each` is the cost of one channel."""
    return FormTerm(f"{what} rounded from {shown(ideal)} to {shown(built)}", (built - ideal) * each)


def narrow(in_channels: int, assumed: int, each: Amount) -> FormTerm:
    """Return the term of a first layer with other input channels than assumed; `each` is the cost of one channel."""
    label = f"the first layer reads {num(in_channels)} channels, not {num(assumed)}"
    return FormTerm(label, (in_channels - assumed) * each)
