"""Exported code against the built module: names, shapes, weights, outputs, and the assertions in the file."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import pytest
import torch
from cases import for_each
from examples import REPRESENTATIVES, bottlenecks, designs
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import nn

import effviz
from effviz import Design, DesignError, Stage, architecture, build, export_torch, list_architectures
from effviz.export import library_calls, nearest_call
from effviz.export.library import CALLS
from effviz.export.source import TAKEN
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.blocks.composed import EXAMPLE

SMALLEST = {"alexnet": 64, "vgg16": 32}
"""Images that still reach the classifier. Other networks take 40 pixels; not all of their maps divide by two."""

NARROW = {"shufflenet_v1": 0.5, "shufflenet_v2": 0.5}
"""The least published widths. Other networks take 0.25."""


def exported(source: str, device: str = "cpu") -> nn.Module:
    """The module that an exported file builds. The file runs under another name than a script's."""
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported.py", "exec"), names)
    (called,) = re.findall(r"^    model = (\w+)\(\)", source, flags=re.MULTILINE)
    with torch.device(device):
        module: nn.Module = names[called]()
    return module.eval()


def drops(module: nn.Module) -> dict[str, float]:
    """The probabilities of dropout and stochastic depth by name, without those that never drop."""
    found = {}
    named = dict(module.named_modules())
    for name, each in named.items():
        kind = type(each).__name__
        # An exported block without a shortcut has stochastic depth, and does not use it.
        idle = kind == "StochasticDepth" and not getattr(named[name.rpartition(".")[0]], "has_shortcut", True)
        if kind in ("Dropout", "DropBranch", "StochasticDepth") and each.p and not idle:
            found[name] = each.p
    return found


def alike(ours: nn.Module, theirs: nn.Module) -> None:
    """Names and shapes of all tensors are equal, and so are the probabilities of dropout."""
    assert [(name, tensor.shape) for name, tensor in ours.state_dict().items()] == [
        (name, tensor.shape) for name, tensor in theirs.state_dict().items()
    ]
    assert drops(theirs) == pytest.approx(drops(ours))


def agree(design: Design) -> None:
    """The modules are alike, weights load both ways, and with them the outputs are equal."""
    torch.manual_seed(0)
    ours, theirs = build(design).double(), exported(export_torch(design)).double()
    alike(ours, theirs)
    with torch.no_grad():
        for layer in ours.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for tensor in (layer.weight, layer.running_var):
                    tensor.uniform_(0.5, 1.5)
                for tensor in (layer.bias, layer.running_mean):
                    tensor.uniform_(-0.5, 0.5)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(2, *design.input_shape(), dtype=torch.float64)
    with torch.no_grad():
        expected, found = ours(image), theirs(image)
    assert torch.isfinite(expected).all()
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max() or 1))


def excited(stem: int, width: int, **fields: float) -> Design:
    """A stem and a bottleneck."""
    return Design("own", (Stage("conv", stem), Stage("fused_mbconv", width, **fields)), resolution=16)


def random_designs(count: int) -> Any:
    """Settings for tests with random designs."""
    return settings(
        derandomize=True,
        max_examples=examples(count),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


# --- every network ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_architectures())
def test_every_network_of_the_zoo(name: str) -> None:
    """The same names and shapes in the published size."""
    design = architecture(name)
    alike(build(design, device="meta"), exported(export_torch(design), "meta"))


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_outputs_of_the_zoo(name: str) -> None:
    """The same outputs in a small size."""
    agree(architecture(name, width_mult=NARROW.get(name, 0.25), resolution=SMALLEST.get(name, 40)))


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_every_network_of_the_zoo_scaled(name: str) -> None:
    # The widths of ShuffleNets are those of a table.
    width = 1.5 if name.startswith("shufflenet") else 0.75
    design = architecture(name, width_mult=width, depth_mult=1.2, num_classes=7)
    alike(build(design, device="meta"), exported(export_torch(design), "meta"))


@random_designs(40)
@given(design=designs())
def test_random_designs(design: Design) -> None:
    agree(design)


@random_designs(15)
@given(design=bottlenecks())
@example(design=excited(40, 40, expand_ratio=0.1, se_ratio=0.75))
@example(design=excited(24, 16, expand_ratio=0.25, se_ratio=0.5))
def test_inner_widths_of_any_ratio(design: Design) -> None:
    """One inner width may be computed from another, which must come first."""
    agree(design)


@pytest.mark.parametrize("activation", ["relu", "hardswish", "gelu", "sigmoid", "leaky_relu"])
def test_user_blocks(activation: str) -> None:
    rows = (
        Stage("conv", 16, stride=2, name="stem", activation=activation),
        Stage("composed", 16, repeats=2, recipe=EXAMPLE),
        Stage("composed", 24, repeats=2, stride=2, recipe=EXAMPLE),
        Stage("global_avg_pool", name="pool"),
        Stage("linear", 5, name="end"),
    )
    agree(Design("own", rows, resolution=33))


@pytest.mark.parametrize("own", [0.0, 0.5])
def test_stochastic_depth_of_several_kinds(own: float) -> None:
    """The probability rises over all blocks, or is that of each block if a row has a value."""
    rows = (
        Stage("conv", 8, name="stem"),
        Stage("fused_mbconv", 8, 3),
        Stage("fused_mbconv", 8, 2, drop_prob=own),
        Stage("mbconv", 8, 2),
        Stage("mbconv", 16, 12, 2),
    )
    agree(Design("own", rows, resolution=16, stochastic_depth=0.3))


def test_stochastic_depth_inside_user_blocks() -> None:
    recipe = Recipe("twice", (RecipeStep("mbconv", drop_prob=0.4), RecipeStep("mbconv", drop_prob=0.1)), shortcut=True)
    rows = (Stage("conv", 8), Stage("composed", 8, 2, recipe=recipe), Stage("mbconv", 8, 3))
    agree(Design("own", rows, resolution=16, stochastic_depth=0.3))


# --- the file ---------------------------------------------------------------------------------------------------------


def run(folder: Path, **sources: str) -> subprocess.CompletedProcess[str]:
    """Run files as scripts in one process that cannot import this project."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    code = f"import runpy\nfor name in {list(sources)}: runpy.run_path(f'{{name}}.py', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )


def test_files_run_alone_and_check_themselves(tmp_path: Path) -> None:
    networks = {name: architecture(name) for name in ("mobilenet_v2", "efficientnet_b0", "shufflenet_v2")}
    done = run(tmp_path, **{name: export_torch(design) for name, design in networks.items()})
    assert done.returncode == 0, done.stderr
    for line, design in zip(done.stdout.splitlines(), networks.values(), strict=True):
        assert f"{effviz.analyze(design).params:,} parameters, output (1, 1000)" in line


def test_a_file_detects_an_edit(tmp_path: Path) -> None:
    source = export_torch(architecture("mobilenet_v2"))
    edited = run(tmp_path, edited=source.replace(", 1000)\n", ", 1001)\n"))
    assert edited.returncode == 1
    assert "AssertionError" in edited.stderr
    assert "parameters instead of" in edited.stderr


@for_each("name", list_architectures())
def test_the_file_is_short_and_imports_torch_alone(name: str) -> None:
    design = architecture(name)
    source = export_torch(design)
    # GhostNetV2 has a line for each of its rows, and the longest blocks.
    assert len(source.splitlines()) < (300 if name == "ghostnet_v2" else 200)
    assert set(re.findall(r"^\s*(?:import|from) (\w+)", source, flags=re.MULTILINE)) == {"torch"}
    for word in ("def main", "assert params == ", *design.title.split(" (")[:1]):
        assert word in source


def test_files_pass_the_format_and_the_rules_of_this_project(tmp_path: Path) -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    (tmp_path / "pyproject.toml").write_text(project.read_text("utf-8"), "utf-8")
    for name in list_architectures():
        (tmp_path / f"{name}.py").write_text(export_torch(architecture(name)), encoding="utf-8")
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout


def test_the_classes_and_the_table_of_mobilenet_v2() -> None:
    lines = export_torch(architecture("mobilenet_v2")).splitlines()
    heads = [line for line in lines if line.startswith("class ")]
    assert heads == [
        "class ConvBNAct(nn.Sequential):", "class InvertedResidual(nn.Module):", "class MobileNetV2(nn.Sequential):",
    ]  # fmt: skip
    table = lines[lines.index("STAGES = (") + 2 : lines.index(")  # fmt: skip")]
    # Table 2 of the paper: t, c, n, s.
    assert [tuple(map(int, re.findall(r"\d+", line.partition(",")[2]))) for line in table] == [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mobilenet_v2", "        expanded = in_channels * expand_ratio\n"),
        ("mobilenet_v2", "        self.has_shortcut = stride == 1 and in_channels == out_channels\n"),
        ("efficientnet_b0", "        squeezed = in_channels // 4\n"),
        ("resnet50", "        inner = out_channels // 4\n"),
        ("ghostnet", "        half = out_channels // 2\n"),
        ("densenet121", "        inner = 4 * growth\n"),
        ("densenet121", "*(DenseLayer(channels, 32) for channels in range(64, 256, 32))"),
        ("condensenet", "*(CondenseLayer(channels, 8) for channels in range(16, 48, 8))"),
        ("condensenet", "        self.classifier.select = ChannelSelect(2064, 1032)\n"),
        ("vgg16", "        self.stage5 = nn.Sequential(*(ConvAct(512, 512) for _ in range(3)))\n"),
        ("mnasnet_a1", "        squeezed = int(in_channels * se_ratio)\n"),
        ("mobilenet_v3_large", "        self.squeeze_excite = SqueezeExcite(expanded, squeezed) if squeezed > 0 else"),
        ("shufflenet_v2", "class ShuffleUnitV2Strided(nn.Module):\n"),
    ],
)
def test_widths_and_conditions_are_those_of_the_paper(name: str, code: str) -> None:
    assert code in export_torch(architecture(name))


@pytest.mark.parametrize("block", ["linear", "condense_linear"])
def test_the_first_repeated_block_may_flatten_a_map(block: str) -> None:
    """The map has as many channels as the later blocks have features, but more features."""
    rows = (Stage("conv", 8, name="stem"), Stage(block, 8, 4, name="head"))
    design = Design("random", rows, resolution=5)
    module = exported(export_torch(design), "meta")
    assert sum(each.numel() for each in module.parameters()) == effviz.analyze(design).params


def test_a_formula_does_not_agree_by_chance() -> None:
    """Inner and input channels are equal in all blocks, but not of one meaning."""
    rows = (Stage("conv", 16, name="stem"), Stage("bottleneck", 64, name="one"), Stage("bottleneck", 64, name="two"))
    source = export_torch(Design("own", (*rows[:2], Stage("conv", 16, name="between"), rows[2]), resolution=16))
    assert "        inner = out_channels // 4\n" in source


def test_the_same_design_gives_the_same_text() -> None:
    design = architecture("ghostnet", width_mult=1.3)
    assert export_torch(design) == export_torch(Design.from_json(design.to_json()))


# --- untrusted text ---------------------------------------------------------------------------------------------------

NAMES = [
    'x"]; import os', "'''", '"""', '""" + "', "a\nb", "back\\slash", "\\", "class", "forward", "self", "torch", "nn",
    "é", "1", "a b", "STAGES", "main", "weight", "train", "{params}", "%s", "a" * 200, "名前", "\u202e", "ConvBNAct",
]  # fmt: skip


@for_each("name", NAMES)
def test_untrusted_names_stay_text(name: str) -> None:
    rows = (
        Stage("conv", 8, stride=2, name="stem"),
        Stage("inverted_residual", 8, 2, name="middle"),
        Stage("global_avg_pool", name="pool"),
        Stage("linear", 5, name="end"),
    )
    agree(Design("own", rows, title=name, source=name, notes=(name, f"{name}."), resolution=16))
    legal = 0
    for place in range(len(rows)):
        try:
            stages = tuple(row.with_changes(name=name) if row is rows[place] else row for row in rows)
        except DesignError:
            continue
        legal += 1
        agree(Design("own", stages, resolution=16))
    assert legal in (0, len(rows)), "a name is legal in every row or in none"


class_like = st.sampled_from(("M" * 60, "Conv" * 15, "x-" * 30, "InvertedResidual" * 3)) | st.text(max_size=80)


def columns(line: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in line)


def too_long(source: str) -> list[str]:
    return [line for line in source.split("\n") if columns(line) > 120]


@random_designs(25)
@given(design=designs(), title=class_like, text=st.text(max_size=300), data=st.data())
def test_no_line_is_too_long(design: Design, title: str, text: str, data: st.DataObject) -> None:
    """For any names of the network, its stages and its blocks."""
    named: dict[str, str] = {}
    called: dict[str, str] = {}
    stages = []
    for row in design.stages:
        wanted = data.draw(class_like.map(lambda each: each.replace(".", "")[: data.draw(st.integers(40, 57))]))
        recipe = dict(row.fields).get("recipe")
        if recipe is not None:
            called.setdefault(recipe.name, f"{data.draw(class_like).replace('.', '')[:57]}{len(called)}")
            row = row.with_changes(recipe=replace(recipe, name=called[recipe.name]))
        stages.append(row.with_changes(name=named.setdefault(row.name, f"{wanted}{len(named)}")))
    try:
        design = replace(design, stages=tuple(stages), title=title, source=text, notes=(text,))
    except DesignError:  # half of a surrogate pair
        assume(False)
    source = export_torch(design)
    assert too_long(source) == []
    exported(source, "meta")


ROWS = (
    *(Stage(block, 8, 2, 2, name=block) for block in ("mbconv", "inverted_residual", "fused_mbconv", "conv", "mbconv")),
    Stage("global_avg_pool", name="pool"),
)


@pytest.mark.parametrize("dropping", [1, 2, 3])
def test_long_names_with_stochastic_depth(dropping: int) -> None:
    rows = (Stage("conv", 8, name="stem"), *ROWS[:dropping], Stage("bottleneck", 8, name="y" * 46))
    design = Design("own", rows, title="M" * 200, resolution=64, stochastic_depth=0.12345678901234567)
    assert too_long(export_torch(design)) == []
    agree(design)


@pytest.mark.parametrize("steps", [3, 6, 9])
@pytest.mark.parametrize("shortcut", [True, False])
def test_blocks_of_many_layers(steps: int, shortcut: bool) -> None:
    parts = (RecipeStep("depthwise_separable"), RecipeStep("inverted_residual"), RecipeStep("squeeze_excite")) * (
        steps // 3
    )
    first = Recipe("Long" * 15, parts, shortcut=shortcut)
    names = (first.name, first.name, "Z", "z", "long" * 15, "Long" * 14, "Z!")
    rows = [
        Stage("composed", 8 * (1 + place), name=f"{'x' * 45}{place}", recipe=replace(first, name=name))
        for place, name in enumerate(names)
    ]
    design = Design("own", (Stage("conv", 8, name="stem"), *rows), title="Z", resolution=16)
    assert too_long(export_torch(design)) == []
    agree(design)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("ConvBNAct", "ConvBNActNet"),
        ("main", "Main"),
        ("STAGES", "STAGESNet"),
        ("None", "NoneNet"),
        ("InvertedResidual", "InvertedResidualNet"),
    ],
)
def test_a_name_that_is_taken(title: str, expected: str) -> None:
    rows = (Stage("conv", 8, name="stem"), Stage("inverted_residual", 8, 2), Stage("conv", 8, name="end"))
    design = Design("own", rows, title=title, resolution=16)
    assert f"    model = {expected}().eval()" in export_torch(design)
    agree(design)
    # A user block may have that name too.
    other = replace(design, stages=(*rows, Stage("composed", 8, name="own", recipe=replace(EXAMPLE, name=expected))))
    name = f"{expected}2" if expected.endswith("Net") else f"{expected}Net"
    assert f"    model = {name}().eval()" in export_torch(other)
    agree(other)


def test_attributes_of_torch_modules_are_taken() -> None:
    assert {name for name in dir(nn.Sequential()) if not name.startswith("_")} <= TAKEN


@pytest.mark.parametrize("given", [None, "mobilenet_v2", {}, 3])
@pytest.mark.parametrize(
    "function", [export_torch, effviz.export_keras, effviz.export_onnx, library_calls, nearest_call]
)
def test_only_designs_are_accepted(function: Any, given: Any) -> None:
    with pytest.raises(DesignError, match="must be a Design"):
        function(given)


def test_a_network_that_cannot_be_built_cannot_be_exported() -> None:
    with pytest.raises(DesignError, match="max_pool4: kernel_size = 2 spans 2 pixels"):
        export_torch(architecture("vgg16", resolution=8))


# --- calls of other libraries -----------------------------------------------------------------------------------------


@for_each("call", CALLS, ids=lambda call: call.text)
def test_a_call_is_listed_only_if_the_counts_agree(call: Any) -> None:
    """The parameters beside a call were counted in the module that the library built."""
    design = architecture(call.network, width_mult=call.width_mult)
    assert effviz.analyze(design).params == call.params
    assert call.text in library_calls(design)
    for changes in ({"num_classes": 999}, {"width_mult": 1.17}, {"depth_mult": 1.9}):
        options = {"width_mult": call.width_mult, **changes}
        try:
            other = architecture(call.network, **options)
        except DesignError:
            continue
        if other.blocks() != design.blocks():
            assert call.text not in library_calls(other)


def test_an_edited_network_has_no_call() -> None:
    design = architecture("mobilenet_v2")
    # As many parameters, but another network.
    other = replace(design, stages=tuple(
        stage.with_changes(activation="hardswish") if index == 2 else stage for index, stage in enumerate(design.stages)
    ))  # fmt: skip
    assert effviz.analyze(other).params == effviz.analyze(design).params
    assert library_calls(other) == ()
    # Another name, the same network.
    assert library_calls(replace(design, name="mine", title="")) == library_calls(design)


@pytest.mark.parametrize(("resolution", "listed"), [(64, True), (224, True), (255, True), (256, False), (320, False)])
def test_vgg_of_timm_is_another_network_for_large_images(resolution: int, listed: bool) -> None:
    """Its first linear layer is a convolution, which has four windows in an 8 x 8 map."""
    calls = library_calls(architecture("vgg16", resolution=resolution))
    assert calls[:1] == ("torchvision.models.vgg16()",)
    assert ('timm.create_model("vgg16")' in calls) == listed


def test_calls_of_other_variants_are_not_listed() -> None:
    assert library_calls(architecture("shufflenet_v2")) == ()
    assert not any("shufflenet_v2_x1_0" in call.text or "mobilenetv3_small_050" in call.text for call in CALLS)


def test_the_nearest_call_names_the_differing_blocks() -> None:
    near = nearest_call(architecture("mobilenet_v2", num_classes=10))
    assert near == ("torchvision.models.mobilenet_v2()", 3_504_872, ("classifier",), 21)
    same = nearest_call(architecture("mobilenet_v3_large"))
    assert same is not None
    assert same.differing == ()
    # The same network at another width is nearer than another network of the family.
    narrow = nearest_call(architecture("mobilenet_v3_large", width_mult=0.5))
    assert narrow is not None
    assert "mobilenetv3_large_075" in narrow.text
    assert nearest_call(excited(8, 8)) is None
