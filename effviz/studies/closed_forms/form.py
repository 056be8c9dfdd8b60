"""A closed form and its terms, and the helpers that all formulas share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import NamedTuple, TypeAlias

from effviz.count import cost
from effviz.model.fields import FieldBlock
from effviz.model.layers import Layer, Shape
from effviz.model.trace import trace_block

VGG = "arXiv 1409.1556, section 2.3"
"""Source of the formulas with 3x3 convolutions."""

Amount: TypeAlias = int | Fraction

QUANTITIES = ("macs", "params", "ratio")


class Term(NamedTuple):
    """A term that the formula of the paper omits.

    Attributes:
        label: its name, with numbers.
        value: added to the value of the formula; negative where the paper counts more.
    """

    label: str
    value: Amount


@dataclass(frozen=True)
class ClosedForm:
    """One formula of a paper and the exact number.

    Attributes:
        what: the block or layer whose cost it is.
        quantity: one of `QUANTITIES`; a ratio is one of multiply-adds.
        symbols: the formula in the letters of the paper.
        where: the meaning of the letters.
        numbers: the formula with the numbers of the block.
        value: of the formula; a `Fraction` if it is not an integer.
        source: paper and place.
        terms: the difference between `value` and `exact`, in order, without terms of 0.
        exact: the exact count of the layer; for a ratio, of the first layer over the second.
        layers: the counted layers, one, or two for a ratio.
        shape: of their input.
    """

    what: str
    quantity: str
    symbols: str
    where: str
    numbers: str
    value: Amount
    source: str
    terms: tuple[Term, ...]
    exact: Amount
    layers: tuple[Layer, ...]
    shape: Shape


def shown(amount: Amount) -> str:
    """Format an amount: ``1,234``, ``8.413``, ``1,234.5``."""
    if amount == int(amount):
        return f"{int(amount):,}"
    value = float(amount)
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"


@singledispatch
def forms_of(block: FieldBlock, shape: Shape) -> list[ClosedForm]:
    """Return the closed forms of a block; a block without formulas has none."""
    return []


def total_macs(layer: Layer, shape: Shape) -> int:
    """Return the multiply-adds of a layer tree."""
    return sum(cost.macs(step.layer, step.output.shape) for step in trace_block(layer, shape).steps)


def total_params(layer: Layer, shape: Shape) -> int:
    """Return the parameters of a layer tree."""
    return sum(cost.params(step.layer) for step in trace_block(layer, shape).steps)


def closed_form(
    what: str,
    quantity: str,
    formula: tuple[str, str, Amount],
    where: str,
    source: str,
    terms: list[Term],
    layers: tuple[Layer, ...],
    shape: Shape,
) -> ClosedForm:
    """Make a closed form: count its layers, and drop terms of 0."""
    symbols, numbers, value = formula
    exact: Amount
    if quantity == "ratio":
        exact = Fraction(total_macs(layers[0], shape), total_macs(layers[1], shape))
    else:
        exact = (total_macs if quantity == "macs" else total_params)(layers[0], shape)
    kept = tuple(Term(term.label, plain(term.value)) for term in terms if term.value)
    return ClosedForm(what, quantity, symbols, where, numbers, plain(value), source, kept, plain(exact), layers, shape)


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


def batch_norm(*channels: int) -> Term:
    """Return the term of batch norms with these channels."""
    return Term(f"batch norm, 2 × {sum_text(*channels)}", 2 * sum(channels))


def biases(*channels: int) -> Term:
    """Return the term of biases with these channels."""
    return Term(f"biases, {' + '.join(map(num, channels))}", sum(channels))


def sum_text(*amounts: int) -> str:
    """Format a sum, in parentheses if it has several summands."""
    text = " + ".join(map(num, amounts))
    return text if len(amounts) == 1 else f"({text})"


def rounded(what: str, ideal: Amount, built: int, each: Amount) -> Term:
    """Return the term of a rounded width; `each` is the cost of one channel."""
    return Term(f"{what} rounded from {shown(ideal)} to {shown(built)}", (built - ideal) * each)


def narrow(in_channels: int, assumed: int, value: Amount) -> Term:
    """Return the term of a first layer with other input channels than the formula assumes."""
    return Term(f"the first layer reads {num(in_channels)} channels, not {num(assumed)}", value)
