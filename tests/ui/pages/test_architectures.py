"""The Architectures page shows the engine's numbers, for every network, control and convention."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from page_reader import (
    BYTES,
    FORBIDDEN,
    PUBLISHED,
    cards,
    changes,
    check_charts,
    check_formulas,
    check_layers,
    counted_cards,
    expected_cards,
    layers,
    line,
    open_page,
    opened,
    put,
    report,
    run,
    show_part,
    title,
    value_of,
    words,
)
from profiles import examples

import effviz
from effviz import ARCHITECTURES, Report, architecture
from effviz.advice.smallest import smallest_resolution
from effviz.core.units import change, exact
from effviz.count.kinds import VIEW
from effviz.ui.convention import COUNTS, MEMORIES, UNITS
from effviz.ui.widgets.controls import LARGEST_RESOLUTION

every_architecture = pytest.mark.parametrize("name", list(ARCHITECTURES))


@pytest.mark.parametrize("key", ["net", "network"])
def test_a_link_may_have_a_further_name_of_a_network(key: str) -> None:
    at = opened(**{key: "mnasnet0_5"})
    assert (at.selectbox(key="net").value, at.number_input(key="width").value) == ("mnasnet_b1", 0.5)
    assert at.query_params == {"net": title("mnasnet_b1"), "width": "0.5"}


def test_the_drop_down_has_every_network() -> None:
    assert opened().selectbox(key="net").options == [title(name) for name in ARCHITECTURES]


@every_architecture
def test_every_network_loads_with_the_engines_numbers(name: str) -> None:
    at = opened(net=title(name))
    counted = report(name)
    assert cards(at) == expected_cards(counted)
    assert changes(at) == PUBLISHED
    assert line(at) == ""
    for metric, number in zip(
        counted_cards(at), (counted.params, counted.macs, counted.memory_access, counted.peak_activation), strict=True
    ):
        assert metric.help.startswith(exact(number)), "the exact number on hover"
    check_charts(at, counted, 1, 1)
    check_layers(at, counted, 1, 1)
    show_part(at, "Published figures")
    assert any(counted.design.source in entry.value for entry in at.caption)
    for note in counted.design.notes:
        assert any(note in entry.value for entry in at.markdown)
        assert not FORBIDDEN.search(note)


# The texts of a network itself are above; the other texts on the page are the same sentences with other numbers.
@pytest.mark.parametrize("name", list(ARCHITECTURES)[:: 8 if examples(1) == 1 else 1])
def test_no_part_belittles_the_reader(name: str) -> None:
    assert not [text for text in words(opened(net=title(name))) if FORBIDDEN.search(text)]


def test_every_network_and_its_smallest_resolution_in_one_visit() -> None:
    at = open_page(net=title("vgg16"))
    for name in ARCHITECTURES:
        at.selectbox(key="net").set_value(name)
        run(at)
        assert cards(at) == expected_cards(report(name)), name
        assert changes(at) == PUBLISHED, name
        smallest = smallest_resolution(architecture(name))
        put(at, "res", smallest)
        assert cards(at) == expected_cards(report(name, resolution=smallest)), name
        if smallest > 1:
            with pytest.raises(effviz.DesignError):
                report(name, resolution=smallest - 1)


def test_the_smallest_resolution_by_link() -> None:
    """AlexNet and networks down to 1 px are in `SETTINGS`."""
    for name, smallest in (("vgg16", 32), ("squeezenet1_1", 17), ("densenet121", 29)):
        at = open_page(net=title(name), res=str(smallest))
        assert smallest == smallest_resolution(architecture(name))
        assert cards(at) == expected_cards(report(name, resolution=smallest))
        assert line(at) == ""


def test_efficientnet_b0_scaled_like_b3_is_b3() -> None:
    at = open_page(net="EfficientNet-B0", width="1.2", depth="1.4", res="300")
    assert cards(at) == expected_cards(report("efficientnet_b3"))


# --- every control ------------------------------------------------------------------------------------------------

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("mobilenet_v2", {"width": 0.5}),
    ("mobilenet_v2", {"width": 0.1}),
    ("mobilenet_v2", {"width": 4.0}),
    ("mobilenet_v2", {"width": 0.33}),
    ("mobilenet_v2", {"depth": 0.1}),
    ("mobilenet_v2", {"depth": 2.2}),
    ("mobilenet_v2", {"depth": 8.0}),
    ("mobilenet_v2", {"res": 96}),
    ("mobilenet_v2", {"res": 1}),
    ("mobilenet_v2", {"res": 2048}),
    ("mobilenet_v2", {"classes": 10}),
    ("mobilenet_v2", {"classes": 1}),
    ("mobilenet_v2", {"width": 1.4, "depth": 1.5, "res": 260, "classes": 21_843}),
    ("efficientnet_b7", {"width": 4.0, "depth": 8.0, "res": 2048, "classes": 100_000}),
    ("densenet121", {"width": 4.0, "depth": 8.0, "res": 2048, "classes": 100_000}),
    ("alexnet", {"width": 0.1, "depth": 0.1, "res": 63, "classes": 1}),
    ("resnext50_32x4d", {"width": 0.1, "depth": 0.1, "res": 1, "classes": 1}),
    ("shufflenet_v2", {"width": 0.75, "depth": 0.5}),
    ("vgg16", {"classes": 1001}),
]
OPTIONS = {"width": "width_mult", "depth": "depth_mult", "res": "resolution", "classes": "num_classes"}


def _counted(name: str, controls: dict[str, Any], **options: Any) -> Report:
    return report(name, **options, **{OPTIONS[key]: value for key, value in controls.items()})


def _expected_changes(counted: Report, base: Report) -> list[str]:
    return [
        change(getattr(counted, number), getattr(base, number))
        for number in ("params", "macs", "memory_access", "peak_activation")
    ]


def test_controls_show_the_engines_counts_in_one_visit() -> None:
    at = open_page()
    for name, controls in SETTINGS:
        for network in ("resnet18", name):
            # Another network resets the controls.
            at.selectbox(key="net").set_value(network)
            run(at)
        for key, value in controls.items():
            put(at, key, value)
        counted = _counted(name, controls)
        assert cards(at) == expected_cards(counted), (name, controls)
        assert changes(at) == _expected_changes(counted, report(name))
        check_charts(at, counted, 1, 1)
        check_layers(at, counted, 1, 1)


@pytest.mark.parametrize(
    ("name", "controls"),
    SETTINGS,
    ids=[f"{name}-{'-'.join(f'{key}{value:g}' for key, value in controls.items())}" for name, controls in SETTINGS],
)
def test_a_link_shows_the_same_as_the_controls(name: str, controls: dict[str, Any]) -> None:
    at = open_page(net=title(name), **{key: f"{value:g}" for key, value in controls.items()})
    assert cards(at) == expected_cards(_counted(name, controls))
    assert line(at) == ""
    for key, value in controls.items():
        assert value_of(at, key) == pytest.approx(value)


def test_sliders_do_the_same_as_their_inputs() -> None:
    at = open_page()
    for key, value in {"width": 0.5, "depth": 1.5, "res": 128}.items():
        before = value_of(at, key)
        at.slider(key=f"{key}_slider").set_value(value)
        run(at)
        assert value_of(at, key) == value
        assert cards(at) == expected_cards(_counted("mobilenet_v2", {key: value}))
        assert at.query_params == {key: f"{value:g}"}
        at.slider(key=f"{key}_slider").set_value(before)
        run(at)


def test_each_control_changes_its_number_only() -> None:
    at = open_page()
    expected = {"width": 1.0, "depth": 1.0, "res": 224, "classes": 1000}
    for key, value in {"width": 1.25, "depth": 0.5, "res": 320, "classes": 12}.items():
        put(at, key, value)
        expected[key] = value
        assert {other: value_of(at, other) for other in expected} == expected


@every_architecture
def test_every_reachable_width_can_be_built(name: str) -> None:
    at = opened(net=title(name))
    widths = [entry for entry in at.number_input if entry.key == "width"]
    if not widths:
        assert name == "shufflenet_v1", "widths of others are a number"
        return
    low, high = widths[0].min, widths[0].max
    for width in (low, low + 0.01, low + 0.05, high):
        for depth in (at.number_input(key="depth").min, at.number_input(key="depth").max):
            for side in (smallest_resolution(architecture(name)), LARGEST_RESOLUTION):
                # Legal values only: no DesignError.
                report(name, width_mult=round(width, 2), depth_mult=depth, resolution=side)


def test_alexnet_needs_63_pixels() -> None:
    at = open_page(net="AlexNet", res="62")
    assert line(at) == "Ignored in the link: res = 62 (63 to 2048, or height × width)."
    assert cards(at) == expected_cards(report("alexnet"))


def test_an_emptied_input_means_the_default() -> None:
    at = open_page(width="2", depth="2", res="2", classes="2")
    expected: dict[str, Any] = {"width_mult": 2.0, "depth_mult": 2.0, "resolution": 2, "num_classes": 2}
    for key, option in OPTIONS.items():
        put(at, key, None)
        del expected[option]
        assert cards(at) == expected_cards(report(**expected)), key


# --- ShuffleNetV1: groups and published scales ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "scales"),
    [(1, ["1"]), (2, ["1"]), (3, ["0.5", "1", "1.5", "2"]), (4, ["1"]), (8, ["0.5", "1", "1.5", "2"])],
)
def test_shufflenet_v1_has_groups_and_published_scales(groups: int, scales: list[str]) -> None:
    at = open_page(net="ShuffleNetV1")
    at.button_group(key="groups").set_value(str(groups))
    run(at)
    assert at.button_group(key="scale").options == scales
    for scale in scales:
        at.button_group(key="scale").set_value(scale)
        run(at)
        counted = report("shufflenet_v1", groups=groups, width_mult=float(scale))
        assert cards(at) == expected_cards(counted), (groups, scale)
        base = report("shufflenet_v1", groups=groups)
        expected = PUBLISHED if scale == "1" else _expected_changes(counted, base)
        assert changes(at) == expected, "unscaled means the same groups"


def test_a_scale_that_the_new_groups_lack_is_reset() -> None:
    at = open_page(net="ShuffleNetV1", groups="3", scale="2")
    at.button_group(key="groups").set_value("4")
    run(at)
    assert at.button_group(key="scale").value == "1"
    assert cards(at) == expected_cards(report("shufflenet_v1", groups=4))


def test_shufflenet_v1_by_link() -> None:
    at = open_page(net="ShuffleNetV1", groups="8", scale="1.5", depth="2", res="160", classes="10")
    counted = report("shufflenet_v1", groups=8, width_mult=1.5, depth_mult=2.0, resolution=160, num_classes=10)
    assert cards(at) == expected_cards(counted)
    assert line(at) == ""


# --- from one network to the next -------------------------------------------------------------------------------------


def test_another_network_starts_unscaled() -> None:
    at = open_page(net="MobileNetV2", width="0.5", depth="2", res="96", classes="10", find="conv", layer="stem.conv")
    at.selectbox(key="net").set_value("efficientnet_b7")
    run(at)
    assert cards(at) == expected_cards(report("efficientnet_b7"))
    assert changes(at) == PUBLISHED
    values = {key: value_of(at, key) for key in ("width", "depth", "res", "classes")}
    assert values == {"width": 1.0, "depth": 1.0, "res": 600, "classes": 1000}
    assert show_part(at, "Layers").text_input(key="find").value == ""
    assert len(layers(at)) == (report("efficientnet_b7").table["kind"] != VIEW).sum()
    assert at.query_params.get("net") in (None, "EfficientNet-B7")
    assert not set(at.query_params) & {"width", "depth", "res", "classes", "find", "layer"}


def test_to_shufflenet_v1_and_back() -> None:
    at = open_page(net="MobileNetV2", width="0.5")
    at.selectbox(key="net").set_value("shufflenet_v1")
    run(at)
    assert cards(at) == expected_cards(report("shufflenet_v1"))
    at.button_group(key="groups").set_value("8")
    at.button_group(key="scale").set_value("0.5")
    run(at)
    at.selectbox(key="net").set_value("mobilenet_v2")
    run(at)
    assert cards(at) == expected_cards(report())
    at.selectbox(key="net").set_value("shufflenet_v1")
    run(at)
    assert cards(at) == expected_cards(report("shufflenet_v1"))


def test_the_convention_stays_when_the_network_changes() -> None:
    at = open_page(count="FLOPs", unit="int8", memory="Paper")
    at.selectbox(key="net").set_value("vgg16")
    run(at)
    assert cards(at) == expected_cards(report("vgg16", "paper"), "flops", "int8")


# --- the convention -----------------------------------------------------------------------------------------------


def test_the_convention_rules_every_number() -> None:
    at = open_page(net="MobileNetV3-Small")
    for count, unit, memory in product(COUNTS, UNITS, MEMORIES):
        for key, value in (("count", count), ("unit", unit), ("memory", memory)):
            at.button_group(key=key).set_value(value)
        run(at)
        counted = report("mobilenet_v3_small", memory)
        compute, size = 2 if count == "flops" else 1, BYTES[unit] or 1
        assert cards(at) == expected_cards(counted, count, unit)
        check_charts(at, counted, compute, size)
        check_layers(at, counted, compute, size)
        check_formulas(at)


def test_the_heaviest_layer_is_explained_until_another_is_chosen() -> None:
    at = open_page(net="ResNet-18")
    assert at.selectbox(key="layer").value == "stem.conv"
    put(at, "width", 1.5)
    rows = effviz.analyze(effviz.architecture("resnet18", width_mult=1.5)).rows
    assert at.selectbox(key="layer").value == max(rows, key=lambda row: row.macs).path != "stem.conv"
    at.selectbox(key="layer").set_value(rows[-1].path)
    run(at)
    put(at, "width", 1.0)
    assert at.selectbox(key="layer").value == rows[-1].path
