"""Variants of published networks against other implementations: library counts, and teaching code in plain torch.

`variant_goldens.csv` contains counts of the libraries themselves, run at these widths, and of published tables.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import for_each
from teaching import TEACHING
from torch.utils.flop_counter import FlopCounterMode

from effviz import Design, DesignError, analyze, architecture, build, export_torch
from effviz.advice.smallest import smallest_width
from effviz.lint import lint
from effviz.model.draft import Draft
from effviz.model.variants import DEFAULT, VariantRule, rows
from effviz.zoo import ARCHITECTURES, VARIANTS, default_groups, list_variants, variant

PAIRS = [(name, each) for name in VARIANTS for each in VARIANTS[name]]
every_variant = for_each(("name", "each"), PAIRS, ids=[" ".join(pair) for pair in PAIRS])


def _goldens() -> list[Any]:
    with (Path(__file__).parent / "variant_goldens.csv").open(newline="", encoding="utf-8") as opened:
        found = list(csv.DictReader(opened))
    return [pytest.param(row, id=f"{row['architecture']}-{row['variant']}-{row['width_mult']}-{row['source'][:6]}-{at}")
            for at, row in enumerate(found)]  # fmt: skip


@for_each("row", _goldens())
def test_counts_of_the_libraries(row: dict[str, str]) -> None:
    """With the variant "paper" the library agrees with the default."""
    options: dict[str, Any] = {"resolution": int(row["resolution"])} if row["resolution"] else {}
    design = architecture(row["architecture"], variant=row["variant"], width_mult=float(row["width_mult"]), **options)
    report = analyze(design)
    assert report.params == int(row["params"])
    assert report.macs == int(row["macs"] or report.macs)


def test_every_library_variant_has_a_golden() -> None:
    covered = {(row.values[0]["architecture"], row.values[0]["variant"]) for row in _goldens()}
    assert set(PAIRS) <= covered | set(TEACHING) | {
        # One table with other multipliers than B0.
        *((f"efficientnet_b{number}", each) for number in range(1, 8) for each in VARIANTS["efficientnet_b0"]),
        ("resnet101", "authors"),
    }


@pytest.mark.processes
@pytest.mark.parametrize(("name", "each"), TEACHING, ids=[" ".join(pair) for pair in TEACHING])
def test_teaching_code(name: str, each: str) -> None:
    """Parameters and multiply-adds of a transcription in plain torch, at five widths."""
    transcribed, widths = TEACHING[name, each]
    for width in widths:
        report = analyze(architecture(name, variant=each, width_mult=width))
        with torch.device("meta"):
            module = transcribed(width).eval()
            image = torch.empty(1, *report.input_shape)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            module(image)
        found = sum(entry.numel() for entry in module.parameters()), counter.get_total_flops() // 2
        assert (report.params, report.macs) == found, width


@every_variant
def test_a_variant_is_a_design_like_any_other(name: str, each: str) -> None:
    design = architecture(name, variant=each)
    assert (design.name, design.variant) == (f"{name}_{each}", each)
    assert design.title.startswith(architecture(name).title)
    assert design.title != architecture(name).title
    assert Design.from_json(design.to_json()) == design
    assert Draft.unpacked(Draft.of(design).packed()).design == design
    for note in design.notes:
        assert note.endswith(".")
        assert note[0].isupper()
    lint(design)


@every_variant
def test_scaling_keeps_the_rules(name: str, each: str) -> None:
    for width in (0.5, 1.5, 2):
        assert (
            architecture(name, variant=each).scaled(width_mult=width)
            == architecture(name, variant=each, width_mult=width)
            or "shufflenet" in name
        )
    changed = architecture(name, variant=each, depth_mult=2, num_classes=10, resolution=192, in_channels=1)
    assert (changed.variant, changed.num_classes, changed.input_shape()) == (each, 10, (1, 192, 192))


@every_variant
def test_the_smallest_width_is_that_of_the_default(name: str, each: str) -> None:
    """The slider of the page keeps its range when another variant is chosen."""
    if not architecture(name).width_rule.table:
        assert smallest_width(architecture(name, variant=each)) == smallest_width(architecture(name))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "each"),
    [
        ("mobilenet_v3_large", "torchvision"), ("resnet50", "keras"), ("shufflenet_v2", "torchvision"),
        ("mobilenet_v2", "teaching_int"), ("alexnet", "authors"), ("mnasnet_a1", "teaching"), ("ghostnet", "teaching"),
    ],
)  # fmt: skip
def test_build_and_export(name: str, each: str) -> None:
    design = architecture(name, variant=each, width_mult=0.75 if name == "ghostnet" else 1)
    params = analyze(design).params
    assert sum(entry.numel() for entry in build(design, device="meta").parameters()) == params
    names: dict[str, Any] = {"__name__": "exported"}
    exec(export_torch(design), names)
    kinds = [value for value in names.values() if isinstance(value, type) and value.__module__ == "exported"]
    with torch.device("meta"):
        network = kinds[-1]()
    assert sum(entry.numel() for entry in network.parameters()) == params


def test_the_default_is_unchanged_by_its_name() -> None:
    for name in ARCHITECTURES:
        assert architecture(name, variant=DEFAULT) == architecture(name)
        assert architecture(name).variant == ""
        assert '"variant"' not in architecture(name).to_json()
        assert list_variants(name)[0] == DEFAULT


def test_shufflenet_v1_with_other_groups() -> None:
    for groups in (1, 3, 8):
        transcribed, _ = TEACHING["shufflenet_v1", "teaching"]
        report = analyze(architecture("shufflenet_v1", groups=groups, variant="teaching", width_mult=2))
        with torch.device("meta"):
            module = transcribed(2.0, groups)  # type: ignore[call-arg]
        assert report.params == sum(entry.numel() for entry in module.parameters())
    assert default_groups("shufflenet_v1") == 3


@pytest.mark.parametrize(
    ("name", "wrong", "listed"),
    [
        ("mobilenet_v2", "keras", ["paper", "teaching", "teaching_int", "teaching_ceil"]),
        ("densenet121", "torchvision", ["paper"]),
        ("mobilenet_v2", 3, ["paper", "teaching"]),
    ],
)
def test_an_unknown_variant_is_an_error_that_lists_the_existing_ones(name: str, wrong: Any, listed: list[str]) -> None:
    with pytest.raises(DesignError, match=f"variant of {name}") as error:
        architecture(name, variant=wrong)
    assert all(re.search(rf"\b{each}\b", str(error.value)) for each in listed)


def test_a_rule_without_a_row_is_an_error() -> None:
    design = architecture("mobilenet_v2")
    with pytest.raises(DesignError, match="must match a row of mobilenet_v2"):
        rows("nothing", {"name": "missing"}, width="fixed").applied(design)
    with pytest.raises(DesignError, match="must have 1 values, one for each row"):
        VariantRule("too many", {"name": "stem"}, {"out_channels": (1, 2)}).applied(design)


def test_rules_of_a_variant() -> None:
    assert [rule.reason for rule in variant("mobilenet_v2", "teaching").rules] == [
        "widths max(8, int(c * w))", "head scaled below width 1 too",
    ]  # fmt: skip
