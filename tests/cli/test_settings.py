"""The options --resolution, --in-channels and --groups, and design files as other programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import run, run_json

from effviz import Design, architecture


@pytest.mark.parametrize("text", ["512x2048", "512 x 2048", "512×2048", "512X2048px"])
def test_height_and_width(text: str) -> None:
    found = run_json("report", "mobilenet_v2", "--resolution", text)
    assert (found["resolution"], found["in_channels"], found["macs"]) == ([512, 2048], 3, 6_260_099_072)
    assert run_json("check", "mobilenet_v2", "--resolution", text, "--max-params", "9M")["resolution"] == [512, 2048]
    assert "input 3 x 512 x 2048\n" in run("report", "mobilenet_v2", "--resolution", text).out


def test_equal_sides_are_one_number() -> None:
    assert run_json("report", "resnet18", "--resolution", "96x96") == run_json(
        "report", "resnet18", "--resolution", "96"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("mobilenet_v2", "--in-channels", "1"), (3_504_296, 293_548_928)),
        (("shufflenet_v1", "--groups", "8", "--width", "1.5"), (4_269_952, 290_188_800)),
        (("shufflenet_v1", "--groups", "8", "--variant", "authors"), (2_433_768, 138_365_952)),
        (("mobilenet_v3_large", "--variant", "torchvision", "--width", "0.75"), (3_377_576, 140_033_816)),
        (("resnext50_32x4d", "--groups", "1"), (25_557_032, 4_089_184_256)),
    ],
    ids=lambda value: str(value[0]),
)
def test_channels_and_groups(arguments: tuple[str, ...], expected: tuple[int, int]) -> None:
    found = run_json("report", *arguments)
    assert (found["params"], found["macs"]) == expected


def test_phi_scales_both_sides_and_resolution_replaces_them(folder: Path) -> None:
    (folder / "wide.json").write_text(architecture("efficientnet_b0", resolution=(64, 128)).to_json())
    assert run_json("report", "wide.json", "--phi", "2")["resolution"] == [85, 169]
    assert run_json("report", "wide.json", "--phi", "2", "--resolution", "70x60")["resolution"] == [70, 60]


def test_an_export_is_read_again() -> None:
    design = architecture("resnet18", resolution=(64, 96), in_channels=2)
    ran = run("export", "resnet18", "--resolution", "64x96", "--in-channels", "2", "--json")
    assert Design.from_json(ran.out) == design
    assert "torch.rand(1, 2, 64, 96)" in run("export", "-", stdin=ran.out.encode()).out


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_other_programs(encoding: str) -> None:
    text = architecture("mobilenet_v2").to_json().replace('"stride":2', '"stride":2.0')
    found: dict[str, Any] = run_json("report", "-", stdin=text.encode(encoding))
    assert found == run_json("report", "mobilenet_v2")
