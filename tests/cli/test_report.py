"""The commands list and report: their output equals the engine's numbers."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import TINY, Ran, piped, random_inputs, run, run_json
from examples import designs
from hypothesis import given
from hypothesis import strategies as st

import effviz
from effviz import Design, Stage
from effviz.core.resolution import parse_resolution
from effviz.count.memory import ASSUMPTIONS


def test_list_has_every_architecture_with_its_numbers() -> None:
    ran = run("list")
    assert (ran.code, ran.err) == (0, "")
    head, *lines = ran.out.splitlines()
    assert head.split() == ["name", "title", "pixels", "parameters", "multiply-adds"]
    printed = {}
    for line in lines:
        name, title, *numbers = re.split("  +", line)
        printed[name] = (title, *(int(number.replace(",", "")) for number in numbers))
    expected = {}
    for name in effviz.ARCHITECTURES:
        report = effviz.analyze(effviz.architecture(name))
        expected[name] = (report.design.title, report.resolution, report.params, report.macs)
    assert printed == expected
    # The columns are aligned.
    assert len({len(line) for line in lines} | {len(head)}) == 1


def test_list_as_json_and_by_family() -> None:
    everything = run_json("list")
    assert [entry["name"] for entry in everything] == list(effviz.ARCHITECTURES)
    family = run_json("list", "--family", "mobilenet")
    assert family == [entry for entry in everything if entry["family"] == "MobileNet"]
    assert {entry["name"] for entry in family} >= {"mobilenet_v1", "mobilenet_v3_large"}
    assert family[1] == {
        "name": "mobilenet_v2",
        "title": "MobileNetV2",
        "family": "MobileNet",
        "source": effviz.architecture("mobilenet_v2").source,
        "resolution": 224,
        "params": 3504872,
        "macs": 300774272,
    }
    assert run("list", "--family", "mobilenets") == Ran(
        2,
        "",
        "effviz: family = 'mobilenets' is unknown; did you mean 'MobileNet'? Choices: AlexNet, CondenseNet, ConvNeXt, "
        "DenseNet, EfficientNet, FasterNet, GhostNet, MnasNet, MobileNet, MobileOne, ProxylessNAS, RegNet, ResNet, "
        "ShuffleNet, SqueezeNet, VGG\n",
    )


def test_report_as_text() -> None:
    assert run("report", "mobilenet_v2", "--width", "0.75", "--memory", "paper") == Ran(
        0,
        "MobileNetV2 (mobilenet_v2), width x 0.75, input 3 x 224 x 224\n"
        "Multiply-adds: fused multiply-adds of convolution and linear layers, one image; FLOPs: 2 x multiply-adds.\n"
        f"Memory access cost, paper: {ASSUMPTIONS['paper'].help}; in elements, batch 1.\n"
        "Parameters: trainable numbers, batch norm 2 per channel.\n"
        "\n"
        "parameters            2,636,424\n"
        "multiply-adds       209,069,792\n"
        "FLOPs               418,139,584\n"
        "activations           5,855,304\n"
        "memory access cost   14,409,480\n"
        "peak activations      1,505,280\n",
        "",
    )


def totals(report: effviz.Report) -> dict[str, Any]:
    names = ("params", "macs", "flops", "activations", "memory_access", "peak_activation", "memory", "resolution")
    found = {name: getattr(report, name) for name in names}
    # As in JSON, which has no pairs.
    return found | ({"resolution": list(report.resolution)} if isinstance(report.resolution, tuple) else {})


@pytest.mark.parametrize("memory", ASSUMPTIONS)
def test_report_of_every_architecture(memory: str) -> None:
    for name in effviz.list_architectures():
        printed = run_json("report", name, "--memory", memory)
        assert printed == printed | totals(effviz.analyze(effviz.architecture(name), memory=memory))
        assert f"Memory access cost, {memory}: " in printed["convention"]
        assert "layers" not in printed


@random_inputs(15)
@given(design=designs())
def test_report_of_any_design(design: Design) -> None:
    report = effviz.analyze(design)
    printed = run_json("report", "-", "--layers", stdin=piped(design))
    assert printed == printed | totals(report)
    assert printed["layers"] == report.table.to_dict("records")
    assert sum(layer["macs"] for layer in printed["layers"]) == printed["macs"]
    text = run("report", "-", "--layers", stdin=piped(design)).out.splitlines()
    assert len(text) == 4 + 1 + 6 + 1 + 1 + len(report.table)
    assert [line.split()[0] for line in text[-len(report.table) :]] == list(report.table["path"])


def test_csv_equals_the_table(folder: Path) -> None:
    (folder / "tiny.json").write_text(TINY.to_json())
    text = run("report", "tiny.json", "--csv").out
    assert "\r" not in text
    read = pd.read_csv(io.StringIO(text), keep_default_na=False)
    pd.testing.assert_frame_equal(read, effviz.analyze(TINY).table, check_dtype=False)


def test_layers_beyond_64_bits_are_exact() -> None:
    wide = Design(
        "wide", (Stage("conv", 2**20, name="a", kernel_size=63), Stage("conv", 2**20, name="b")), "", "", 2000
    )
    layers = run_json("report", "-", "--layers", stdin=piped(wide))["layers"]
    assert sum(layer["macs"] for layer in layers) == effviz.analyze(wide).macs > 2**63


@random_inputs(15)
@given(
    design=designs(),
    width=st.sampled_from((None, 0.5, 1.25)),
    depth=st.sampled_from((None, 0.5, 2.2)),
    phi=st.sampled_from((None, -1.0, 0.5)),
    resolution=st.sampled_from((None, "64", "97x40")),
    classes=st.sampled_from((None, 3)),
)
def test_scaling_equals_the_engine(
    design: Design, width: float | None, depth: float | None, phi: float | None, resolution: str | None,
    classes: int | None,
) -> None:  # fmt: skip
    options = {"width": width, "depth": depth, "phi": phi, "resolution": resolution, "classes": classes}
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    ran = run("report", "-", "--json", *words, stdin=piped(design))
    try:
        expected = design if classes is None else design.with_num_classes(classes)
        expected = expected.scaled(width_mult=width or 1, depth_mult=depth or 1)
        expected = expected if phi is None else effviz.compound_scale(expected, phi)
        report = effviz.analyze(expected, parse_resolution(resolution) if resolution else None)
    except effviz.DesignError as error:
        problem = str(error)
    else:
        printed = json.loads(ran.out)
        assert printed == printed | totals(report)
        return
    assert ran == Ran(2, "", f"effviz: {problem}\n")


def test_the_difference_of_a_variant_is_itemized() -> None:
    arguments = ("mobilenet_v2", "--width", "0.35", "--resolution", "160", "--classes", "10")
    default, teaching = (run_json("report", *arguments, *more) for more in ((), ("--variant", "teaching")))
    terms = teaching["difference_to_default"]
    for count in ("params", "macs"):
        assert sum(term[count] for term in terms) == teaching[count] - default[count] != 0
    assert "difference_to_default" not in default
    text = run("report", *arguments, "--variant", "teaching").out
    table = text[text.index("Difference between teaching and the default:") :].splitlines()
    assert "+0" not in text
    for term in terms:
        if term["params"] or term["macs"]:
            row = [f"{term['params']:+,}", f"{term['macs']:+,}"]
            assert any(line.split()[:2] == row and line.endswith(term["reason"]) for line in table), term
    assert table[-1].split() == [
        f"{teaching['params'] - default['params']:+,}", f"{teaching['macs'] - default['macs']:+,}", "Sum"
    ]  # fmt: skip


def test_a_variant_without_an_effect_and_one_with_groups() -> None:
    same = run("report", "mobilenet_v3_large", "--variant", "torchvision").out
    assert "torchvision and the default have equal counts.\nWithout effect here: expansion make_divisible" in same
    assert run_json("report", "mobilenet_v2", "--variant", "paper").keys() >= {"params"}


def test_a_printed_report_repeats_its_command() -> None:
    ran = run("report", "mobilenet_v2", "--width", "0.5", "--html")
    assert (ran.code, ran.err) == (0, "")
    assert "effviz report mobilenet_v2 --width 0.5 --html" in ran.out
