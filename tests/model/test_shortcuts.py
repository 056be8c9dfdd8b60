"""Shortcuts of ResNet where the shape changes: option A, without parameters, and option B."""

from __future__ import annotations

import re
from dataclasses import replace

import oracle
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from effviz import Design, DesignError, Stage, analyze, architecture
from effviz.advice.lint import lint
from effviz.backend.build import build
from effviz.backend.crosscheck import crosscheck
from effviz.backend.diagram.draw import draw
from effviz.export import export_torch
from effviz.model.draft import Draft
from effviz.studies.closed_forms import closed_forms


def resnet(layers: int, shortcut: str, block: str = "basic_block") -> Design:
    """ResNet for CIFAR-10, arXiv 1512.03385, section 4.2, with 6 n + 2 layers."""
    repeats = (layers - 2) // 6
    rows = (
        Stage("conv", 16, name="stem"),
        *(
            Stage(block, width, repeats, stride, name=f"stage{width}", shortcut=shortcut)
            for width, stride in ((16, 1), (32, 2), (64, 2))
        ),
        Stage("global_avg_pool", name="pool"),
        Stage("linear", 10, width="classes", name="fc"),
    )
    return Design("resnet", rows, resolution=32)


class _Block(nn.Module):
    """The block of akamaster/pytorch_resnet_cifar10, resnet.py, with option A."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs // 4 if inputs != outputs else 0

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        short = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra, self.extra))
        return functional.relu(out + short)


def _reference(repeats: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for index in range(repeats):
            layers.append(_Block(inputs, outputs, 2 if index == 0 and outputs > 16 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).eval()


# Parameters of option A: table 6 of the paper prints 0.27, 0.46, 0.66, 0.85 and 1.7 M.
@pytest.mark.parametrize(
    ("layers", "params", "macs"), [(20, 269_722, 40_551_040), (56, 853_018, 125_485_696), (110, 1_727_962, None)]
)
def test_option_a_is_the_network_of_the_paper(layers: int, params: int, macs: int | None) -> None:
    report, module = analyze(resnet(layers, "A")), _reference((layers - 2) // 6)
    assert report.params == params == oracle.count_params(module)
    assert report.macs == oracle.count_macs(module, (3, 32, 32))
    assert macs in (None, report.macs)


def test_outputs_and_memory_are_those_of_the_reference() -> None:
    shape = (3, 30, 21)
    design = replace(resnet(20, "A"), resolution=shape[1:])
    ours, theirs = build(design), _reference(3)
    names: dict[str, object] = {"__name__": "exported"}
    exec(export_torch(design), names)
    exported = names["Resnet"]().eval()  # type: ignore[operator]
    image = torch.rand(2, *shape)
    for module in (ours, exported):
        for mine, given in zip(module.state_dict().values(), theirs.state_dict().values(), strict=True):
            mine.copy_(given)
        with torch.no_grad():
            torch.testing.assert_close(module(image), theirs(image))
    report = analyze(design)
    assert report.memory_accesses["fused"] == oracle.fused_memory_access(ours, shape)
    assert report.memory_accesses["eager"] == oracle.eager_memory_access(ours, shape)
    assert report.peak_activation == oracle.peak_activation(ours, shape)[0]
    assert crosscheck(design).explained
    assert draw(design, path="stage32.0").nodes > 0


def test_option_b_is_the_default() -> None:
    rows = [row.with_changes(shortcut="B") for row in architecture("resnet18").stages if row.block == "basic_block"]
    plain = [row for row in architecture("resnet18").stages if row.block == "basic_block"]
    for each, other in zip(rows, plain, strict=True):
        one, two = (Design("one", (row,), in_channels=16, resolution=14) for row in (each, other))
        assert analyze(one).params == analyze(two).params
    assert analyze(resnet(20, "B")).params == 272_474


@pytest.mark.parametrize("block", ["basic_block", "bottleneck"])
def test_closed_forms_have_no_projection(block: str) -> None:
    for shortcut, projects in (("A", False), ("B", True)):
        entry = resnet(20, shortcut, block).blocks()[4]
        for form in closed_forms(entry.block, entry.shape):
            assert form.value + sum(term.value for term in form.terms) == form.exact
            assert ("1×1 projection on the shortcut" in [term.label for term in form.terms]) is projects


def test_option_a_cannot_drop_channels() -> None:
    rows = (Stage("conv", 32, name="stem"), Stage("bottleneck", 16, name="narrow", shortcut="A"))
    message = "narrow.0: out_channels = 16 must be at least in_channels = 32 with shortcut A, which only adds channels"
    with pytest.raises(DesignError, match=f"^{re.escape(message)}$"):
        analyze(Design("narrow", rows))
    with pytest.raises(DesignError, match=r"^BasicBlock: shortcut = 'C' must be one of B, A$"):
        Stage("basic_block", 16, shortcut="C")


def test_option_a_in_a_draft_and_in_json() -> None:
    draft = Draft.of(resnet(20, "B"))
    for index in (1, 2, 3):
        draft = draft.change(index, shortcut="A")
    assert draft.design == resnet(20, "A")
    assert Draft.unpacked(draft.packed()) == draft
    assert Design.from_json(resnet(20, "A").to_json()) == resnet(20, "A")


def test_lint_sees_the_pixels_that_the_shortcut_skips() -> None:
    """With the stride in the first 1x1, body and shortcut read the same quarter of the pixels."""
    skipped = {
        (shortcut, stride_at): [
            each.why
            for each in lint(
                Design(
                    "own",
                    tuple(
                        row.with_changes(stride_at=stride_at) if row.block == "bottleneck" else row
                        for row in resnet(20, shortcut, "bottleneck").stages
                    ),
                    resolution=64,
                )
            )
            if each.rule == "skipped_pixels"
        ]
        for shortcut in "AB"
        for stride_at in ("1x1", "3x3")
    }
    assert skipped["A", "1x1"] == skipped["B", "1x1"] != []
    assert skipped["A", "3x3"] == skipped["B", "3x3"] == []


def test_the_receptive_field_includes_the_shortcut() -> None:
    fields = {
        shortcut: [each.why for each in lint(replace(resnet(20, shortcut), resolution=160)) if "depends on" in each.why]
        for shortcut in "AB"
    }
    assert fields["A"] == fields["B"] != []
