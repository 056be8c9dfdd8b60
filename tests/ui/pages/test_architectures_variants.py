"""Variants on the Architectures page: the control, the table of implementations, and the itemized difference."""

from __future__ import annotations

import pytest
from cases import for_each
from page_reader import cards, expected_cards, failures, line, open_page, report, run, show_part, table
from streamlit.testing.v1 import AppTest

from effviz import architecture
from effviz.model.draft import Draft
from effviz.studies.variants import compared, itemized, variant_title
from effviz.zoo import VARIANTS, list_variants

PART = "Why does my code differ?"


def choose(at: AppTest, key: str, value: str) -> AppTest:
    """Choose an option of a drop-down."""
    at.selectbox(key=key).set_value(value)
    return run(at)


@for_each("name", VARIANTS)
def test_every_variant_has_the_engines_numbers(name: str) -> None:
    at = open_page(net=name, part=PART)
    titles = [variant_title(name, each) for each in list_variants(name)]
    assert at.selectbox(key="variant").options == titles
    for each in list_variants(name):
        choose(at, "variant", each)
        assert cards(at) == expected_cards(report(name, variant=each)), each
        shown = table(at, "implementations of")
        expected = compared(architecture(name), name)
        assert list(shown["Variant"]) == titles
        assert list(shown["Parameters"]) == [row.params for row in expected]
        assert list(shown["Multiply-adds"]) == [row.macs for row in expected]
        assert failures(at) == []


def test_terms_of_the_chosen_variant() -> None:
    at = open_page(net="mobilenet_v2", variant="teaching", width="0.85", part=PART)
    assert line(at) == ""
    terms = itemized(architecture("mobilenet_v2", width_mult=0.85), "mobilenet_v2", "teaching")
    shown = table(at, "terms of the difference")
    assert list(shown["Change"]) == [*(term.where for term in terms), "Sum"]
    assert list(shown["Parameters"]) == [*(term.params for term in terms), sum(term.params for term in terms)]
    assert list(shown["Multiply-adds"]) == [*(term.macs for term in terms), sum(term.macs for term in terms)]
    at = open_page(net="mobilenet_v2", variant="teaching", width="0.85", part=PART, count="FLOPs")
    doubled = table(at, "terms of the difference")
    assert list(doubled["FLOPs"]) == [2 * value for value in shown["Multiply-adds"]]


def test_a_network_without_variants_has_no_control() -> None:
    at = open_page(net="densenet121", part=PART)
    assert "variant" not in [each.key for each in at.selectbox]
    assert any("agree on DenseNet-121" in entry.value for entry in at.markdown)
    choose(at, "net", "resnet50")
    choose(at, "variant", "keras")
    assert cards(at) == expected_cards(report("resnet50", variant="keras"))
    choose(at, "net", "mobilenet_v2")
    assert at.selectbox(key="variant").value == "paper"
    assert cards(at) == expected_cards(report("mobilenet_v2"))


def test_a_variant_in_a_link_is_checked() -> None:
    at = open_page(net="mobilenet_v2", variant="keras")
    assert "variant = keras" in line(at)
    assert cards(at) == expected_cards(report("mobilenet_v2"))


def test_a_scale_that_only_the_variant_has() -> None:
    at = open_page(net="shufflenet_v1", variant="teaching", scale="0.25", part=PART)
    assert cards(at) == expected_cards(report("shufflenet_v1", variant="teaching", width_mult=0.25))
    assert any("default does not exist at this width" in entry.value for entry in at.get("html"))
    choose(at, "variant", "paper")
    assert cards(at) == expected_cards(report("shufflenet_v1"))
    assert failures(at) == []


def test_published_figures_are_those_of_the_network() -> None:
    at = open_page(net="mobilenet_v3_large", variant="torchvision", part="Published figures")
    assert len(table(at, "printed figures")) > 0
    show_part(at, PART)
    assert failures(at) == []


@pytest.mark.parametrize(("name", "each"), [("mobilenet_v3_small", "torchvision"), ("resnet50", "keras")])
def test_the_studio_opens_a_variant(name: str, each: str) -> None:
    design = architecture(name, variant=each, width_mult=0.75)
    at = open_page("studio", design=Draft.of(design).packed())
    assert failures(at) == []
    assert cards(at)["Parameters"] == expected_cards(report(name, variant=each, width_mult=0.75))["Parameters"]
