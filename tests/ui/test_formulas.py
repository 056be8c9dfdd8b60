"""Formulas on every page: valid LaTeX, and numbers that evaluate to the value beside them."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from cases import for_each
from latex import evaluated, is_balanced, shown, spans
from page_reader import opened, show_part

from effviz.core.latex import latex, sentence, words
from effviz.ui.navigation import PAGES

LINKS = [
    *((entry.url_path, {}) for entry in PAGES if entry.section in ("Learn", "Scale", "Design", "Measure")),
    *(("blocks", {"block": title}) for title in ("ShuffleNet V1 unit", "MBConv", "ResNeXt unit")),
    *(("memory", {"guideline": each}) for each in ("G2", "G3", "G4")),
    ("convolutions", {"type": "Depthwise separable", "count": "FLOPs", "unit": "float16"}),
    ("architectures", {"count": "FLOPs", "layer": "classifier.linear"}),
    ("scaling", {"phi": "1.7"}),
    ("multipliers", {"width": "0.5", "res": "160"}),
    ("width_depth", {"card": "Deep"}),
]


@for_each(("url_path", "query"), LINKS, ids=str)
def test_the_numbers_of_a_formula_give_its_value(url_path: str, query: dict[str, str]) -> None:
    at = show_part(opened(url_path, **query), "How this is computed")
    texts = [str(entry.value) for entry in (*at.markdown, *at.caption)]
    assert all(is_balanced(each) for text in texts for each in spans(text))
    found = [each for text in texts for each in shown(text)]
    assert found or any(r"\dfrac{\sum" in text for text in texts), "every page has a formula"
    for each in found:
        result = re.match(r"([\d.,]+)( ?%)?", each.value)
        assert result, each
        scale = 100 if result[2] else 1
        value = float(result[1].replace(",", "")) / scale
        numbers = evaluated(each.numbers.removesuffix(r" + \dots")) + sum(each.terms)
        # A formula with rounding builds the next legal size; terms of a law are rounded themselves.
        step = (
            8
            if "channels" in each.value
            else 0.5 * 10 ** -len(result[1].partition(".")[2]) / scale + 0.06 * len(each.terms)
        )
        assert numbers == pytest.approx(value, rel=0.001, abs=step), each


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("out_channels × in_channels / groups", r"\dfrac{C_{\text{out}} \cdot C_{\text{in}}}{g}"),
        ("D_K² × N / (D_K² + N)", r"\dfrac{D_{K}^2 \cdot N}{D_{K}^2 + N}"),
        ("c² + b(c' − c)", "c^2 + b (c' - c)"),
        ("2 × (9 / 4 + 1,024)", r"2 \times \left(\dfrac{9}{4} + 1{,}024\right)"),
        ("running mean and variance + output", r"\text{running mean and variance} + \text{output}"),
        ("0, a view moves no data", r"0 \quad \text{a view moves no data}"),
    ],
)  # fmt: skip
def test_the_plain_notation(plain: str, expected: str) -> None:
    assert latex(plain) == expected
    assert is_balanced(expected)


@pytest.mark.parametrize("text", ["(1 + 2", "1 + ", "a ? b", "1)", "× 2"])
def test_another_notation_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a formula|open parenthesis"):
        latex(text)


def test_a_division_ends_with_its_term() -> None:
    assert evaluated(latex("12 × 3 / 4 × 5 + 6 / (1 + 2)")) == Fraction(12 * 3 * 5, 4) + 2


@pytest.mark.parametrize("name", ["$x$", "a}b", "\\frac{", "<b>", "a\nb", "50 % & #1_2^3~"])
def test_names_stay_text(name: str) -> None:
    made = words(name)
    assert is_balanced(made)
    assert not {"$", "<", "\n"} & set(made)


def test_letters_in_a_sentence() -> None:
    assert sentence("n/s channels, d² instead of k², a map") == (
        r"$\dfrac{n}{s}$ channels, $d^2$ instead of $k^2$, a map"
    )
