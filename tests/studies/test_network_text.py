"""The text of a network: what it reads, what it rejects, and that every network survives the round trip."""

from __future__ import annotations

import re

import pytest
from examples import designs, scalings
from hypothesis import given, settings
from profiles import examples

import effviz
from effviz import DesignError
from effviz.model.draft import Draft
from effviz.studies.network_text import (
    MOST,
    STUDIO,
    distinct_labels,
    network_of,
    networks_text,
    parse_network,
    parse_networks,
)

IN_ADDRESSES = re.compile(r"[A-Za-z0-9_.-]+")


@given(scalings())
@settings(max_examples=examples(40), deadline=None)
def test_every_scaling_of_the_zoo_has_a_short_text(design: effviz.Design) -> None:
    network = network_of(design)
    assert network.name == design.name
    assert parse_network(network.text) == network
    assert network.design == design
    assert IN_ADDRESSES.fullmatch(network.text)
    assert len(network.text) < 100


@given(designs())
@settings(max_examples=examples(40), deadline=None)
def test_every_other_design_travels_whole(design: effviz.Design) -> None:
    network = network_of(design)
    assert network.text.startswith(STUDIO)
    assert parse_network(network.text).design == design
    assert IN_ADDRESSES.fullmatch(network.text)


@pytest.mark.parametrize(
    ("text", "options", "label"),
    [
        ("mobilenet_v2-w0.75-r192", {"width_mult": 0.75, "resolution": 192}, "MobileNetV2 0.75×, 192 px"),
        ("shufflenet_v1-g8-w0.5", {"groups": 8, "width_mult": 0.5}, "ShuffleNetV1 (g = 8) 0.5×"),
        ("efficientnet_b0-d1.8", {"depth_mult": 1.8}, "EfficientNet-B0, depth 1.8×"),
        ("resnet50-r512x2048-c10-i1", {"resolution": (512, 2048), "num_classes": 10, "in_channels": 1},
         "ResNet-50, 512 × 2048 px, 10 classes, 1-channel image"),
    ],
)  # fmt: skip
def test_what_a_text_means(text: str, options: dict[str, object], label: str) -> None:
    network = parse_network(text)
    assert network.design == effviz.architecture(network.name, **options)
    assert (network.text, network.label) == (text, label)


def test_the_order_of_the_parts_is_free_and_defaults_are_left_out() -> None:
    network = parse_network("mobilenet_v2-r192-c1000-w0.50")
    assert network == parse_network("mobilenet_v2-w0.5-r192")
    assert network.text == "mobilenet_v2-w0.5-r192"


def test_a_studio_design_that_is_a_scaled_network_gets_its_name() -> None:
    design = effviz.architecture("mobilenet_v2", width_mult=0.35, resolution=160)
    assert parse_network(f"{STUDIO}{Draft.of(design).packed()}").text == "mobilenet_v2-w0.35-r160"
    edited = Draft.of(design).change(1, out_channels=40).design
    assert edited is not None
    assert network_of(edited).label == "MobileNetV2, edited"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mobilenet_v9", "architecture = 'mobilenet_v9' is unknown; did you mean 'mobilenet_v2'?"),
        ("mobilenet_v2-x3", "network = 'mobilenet_v2-x3' must be a name and what differs from it, such as "
                            "mobilenet_v2-w0.75-r192; its letters are g, w, d, r, c, i"),
        ("mobilenet_v2-w0.5-w2", "network = 'mobilenet_v2-w0.5-w2' must have -w once"),
        ("mobilenet_v2-w1e3", "width_mult: number = '1e3' must be a decimal number, such as 0.75"),
        ("mobilenet_v2-w0", "width_mult = 0.0 must be greater than 0"),
        ("mobilenet_v2-g2", "option of mobilenet_v2 = 'groups' is unknown"),
        ("mobilenet_v2-c-1", "num_classes: number = '' must be a whole number"),
        ("shufflenet_v1-w0.3", "width_mult = 0.3 must be one of 0.5, 1, 1.5, 2: no other widths were published"),
        ("alexnet-r8", "max_pool1: kernel_size = 3 spans 3 pixels"),
        ("studio-abc", "design = 'abc' must be an encoded design"),
        (f"studio-{Draft.empty().packed()}", "the table of the design has no rows"),
        (7, "text = 7 must be text"),
    ],
)  # fmt: skip
def test_an_illegal_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(DesignError, match=re.escape(message)):
        parse_network(text)


def test_a_list_keeps_what_is_legal_and_explains_the_rest() -> None:
    found = parse_networks("resnet50 mobilenet_v2-w1, resnet50\nmobilenet_v9 mobilenet_v2 resnet50-w0")
    assert networks_text(found.networks) == "resnet50 mobilenet_v2"
    assert found.problems == (
        "resnet50 (listed twice)",
        "mobilenet_v9 (architecture = 'mobilenet_v9' is unknown; did you mean 'mobilenet_v2'?)",
        "mobilenet_v2 (listed twice)",
        "resnet50-w0 (width_mult = 0.0 must be greater than 0)",
    )


def test_a_list_is_bounded() -> None:
    texts = [f"mobilenet_v2-r{side}" for side in range(100, 100 + MOST + 2)]
    found = parse_networks(" ".join(texts))
    assert networks_text(found.networks) == " ".join(texts[:MOST])
    assert found.problems == tuple(f"{text} (more than 30 networks)" for text in texts[MOST:])


def test_equal_labels_get_a_number() -> None:
    draft = Draft.of(effviz.architecture("mobilenet_v2"))
    edited = [network_of(design) for width in (40, 48, 56) if (design := draft.change(1, out_channels=width).design)]
    assert distinct_labels(edited) == (
        "MobileNetV2, edited", "MobileNetV2, edited (2)", "MobileNetV2, edited (3)",
    )  # fmt: skip
