"""Exported Keras source and ONNX files against the torch module: parameters, names of layers, and outputs."""

from __future__ import annotations

import ast
import importlib
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from cases import for_each
from examples import EXAMPLES, REPRESENTATIVES, designs
from hypothesis import HealthCheck, given, settings
from profiles import examples
from torch import nn

import effviz
from effviz import ARCHITECTURES, BLOCKS, Design, DesignError, Stage, architecture, build, export_keras, export_onnx
from effviz.backend.build import ChannelSelect, LayerNorm2d, LayerScale, to_module
from effviz.export.keras_layers import FUNCTIONS, HELPERS
from effviz.export.onnx_file import OPSET, onnx_of
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.fields import declared
from effviz.model.layers import ACTIVATIONS, AvgPool2d, Identity, MaxPool2d, primitive_kinds

SMALLEST = {"alexnet": 64, "vgg16": 32}
"""Images that still reach the classifier. Other networks take 40 pixels; not all of their maps divide by two."""
NARROW = {"shufflenet_v1": 0.5, "shufflenet_v2": 0.5}
"""The least published widths. Other networks take 0.25."""
ONE_OF_EACH = list({architecture(name).family: name for name in sorted(ARCHITECTURES, reverse=True)}.values())
"""The first network of each family, by name."""

random_designs = settings(
    derandomize=True, max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@cache
def keras() -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    return importlib.import_module("keras")


@pytest.fixture(scope="module", autouse=True)
def loaded_keras() -> Iterator[None]:
    """Load Keras for this file alone: while it is loaded, Streamlit empties it at every run of a page, for 0.3 s."""
    sys.modules["keras"] = keras()
    yield
    del sys.modules["keras"]


def small(name: str, **options: Any) -> Design:
    width = NARROW.get(name, 0.25)
    return architecture(name, width_mult=width, resolution=SMALLEST.get(name, 40), num_classes=10, **options)


def randomized(module: nn.Module) -> nn.Module:
    """The module with norms and scales that are not neutral."""
    with torch.no_grad():
        for each in module.modules():
            if isinstance(each, (nn.BatchNorm2d, LayerNorm2d, LayerScale)):
                for name, tensor in each.state_dict().items():
                    if tensor.is_floating_point():
                        tensor.uniform_(*((0.5, 1.5) if name in ("weight", "running_var") else (-0.5, 0.5)))
    return module


# --- Keras ------------------------------------------------------------------------------------------------------------


def keras_model(source: str, device: str = "cpu") -> Any:
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported.py", "exec"), names)
    with keras().device(device):
        return names["network"]()


def trainable(model: Any) -> int:
    return sum(prod(weight.shape) for weight in model.trainable_weights)


def arrays(layer: Any, module: nn.Module) -> list[Any]:
    """The tensors of a torch module as the weights of a Keras layer."""
    state = {name: tensor.numpy() for name, tensor in module.state_dict().items() if name != "num_batches_tracked"}
    if isinstance(module, nn.Conv2d):
        kernel = state["weight"]
        if isinstance(layer, keras().layers.DepthwiseConv2D):
            state["weight"] = kernel.reshape(module.groups, -1, *kernel.shape[2:]).transpose(2, 3, 0, 1)
        else:
            state["weight"] = kernel.transpose(2, 3, 1, 0)
    if isinstance(module, nn.Linear):
        state["weight"] = state["weight"].T
    return list(state.values())


def copy_weights(module: nn.Module, model: Any) -> None:
    """Copy all tensors by the names of layers; every layer with weights must have its counterpart."""
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, LayerNorm2d, LayerScale, ChannelSelect)
    ours = {name.replace(".", "-"): each for name, each in module.named_modules() if isinstance(each, kinds)}
    theirs = {layer.name: layer for layer in model.layers if layer.weights}
    assert theirs.keys() == ours.keys()
    for name, layer in theirs.items():
        layer.set_weights(arrays(layer, ours[name]))


def keras_agrees(design: Design) -> None:
    torch.manual_seed(0)
    module, model = randomized(build(design)), keras_model(export_keras(design))
    assert trainable(model) == effviz.analyze(design).params
    copy_weights(module, model)
    image = torch.rand(2, *design.input_shape())
    with torch.no_grad():
        expected = module(image)
        found = model(image.permute(0, 2, 3, 1), training=False)
    found = found.permute(0, 3, 1, 2) if expected.dim() == 4 else found
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max() or 1))


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_keras_has_the_parameters_of_the_report(name: str) -> None:
    """Of fewer blocks than published, because Keras takes seconds to build a hundred layers."""
    design = architecture(name, depth_mult=0.25)
    source = export_keras(design)
    assert [line for line in source.split("\n") if len(line) > 120] == []
    assert trainable(keras_model(source, "meta")) == effviz.analyze(design).params


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_keras_computes_the_outputs_of_torch(name: str) -> None:
    keras_agrees(small(name, depth_mult=0.25))


def of_rows(*rows: Stage, side: int = 15) -> Design:
    return Design("own", (Stage("conv", 8, stride=1, name="stem"), *rows), resolution=side)


RARE = {
    "pools": of_rows(
        Stage("avg_pool", stride=2, kernel_size=3, ceil_mode=True, name="a"),
        Stage("max_pool", stride=2, kernel_size=3, padding=0, ceil_mode=True, name="b"),
        Stage("max_pool", stride=1, kernel_size=2, padding=1, name="c"),
        Stage("adaptive_avg_pool", output_size=3, name="d"),
        Stage("linear", 5, name="end"),
    ),
    "dilation": of_rows(
        Stage("conv", 8, stride=2, kernel_size=3, dilation=2, name="a"),
        Stage("conv", 16, stride=2, kernel_size=3, groups=8, dilation=2, name="b"),
        Stage("conv", 16, stride=1, kernel_size=4, padding=2, name="c"),
    ),
    "activations": of_rows(*(Stage("conv", 8, activation=each, name=f"row_{each}") for each in ACTIVATIONS)),
    "names": of_rows(
        Stage("mbconv", 8, 4, name="x/y"), Stage("mbconv", 8, 2, name="x_y"), Stage("conv", 8, name='é"{name}\\'),
        Stage("composed", 8, name="end",
              recipe=Recipe("linear", (RecipeStep("dropout"), RecipeStep("conv")), shortcut=True)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("design", RARE.values(), ids=RARE)
def test_rare_layers_in_keras(design: Design) -> None:
    if design is RARE["names"]:  # layers are renamed
        assert trainable(keras_model(export_keras(design))) == effviz.analyze(design).params
    else:
        keras_agrees(design)


@random_designs
@given(design=designs())
def test_keras_source_of_random_designs(design: Design) -> None:
    assert trainable(keras_model(export_keras(design), "meta")) == effviz.analyze(design).params


def test_a_keras_file_imports_keras_alone_and_checks_itself(tmp_path: Path, capsys: Any) -> None:
    design = architecture("mobilenet_v2")
    file = tmp_path / "net.py"
    file.write_text(export_keras(design), encoding="utf-8")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = [ast.unparse(each) for each in ast.walk(tree) if isinstance(each, (ast.Import, ast.ImportFrom))]
    assert imported == ["from math import prod", "import keras"]
    runpy.run_path(str(file), run_name="__main__")
    assert "Trainable params: 3,504,872" in capsys.readouterr().out
    file.write_text(export_keras(design).replace('"head", 1280', '"head", 1288', 1), encoding="utf-8")
    with pytest.raises(AssertionError, match="parameters instead of 3,504,872"):
        runpy.run_path(str(file), run_name="__main__")


def test_every_layer_has_a_keras_function() -> None:
    assert {*FUNCTIONS} == {*primitive_kinds()} - {Identity}
    assert {*FUNCTIONS.values()} <= {*HELPERS}
    # A field of this name would hide the function inside a block.
    assert not {each.name for kind in BLOCKS.values() for each in declared(kind)} & {*HELPERS, "keras", "name", "x"}


# --- ONNX -------------------------------------------------------------------------------------------------------------


def run_onnx(content: bytes, image: torch.Tensor) -> torch.Tensor:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["image"]
    (output,) = session.run(["output"], {"image": image.numpy()})
    return torch.from_numpy(output)


def onnx_agrees(content: bytes, module: nn.Module, shape: tuple[int, ...]) -> None:
    """The file is valid, has the parameters and running statistics, and computes what torch does for any batch."""
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    state = {name: each for name, each in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert {name: each.shape for name, each in weights.items()} == {name: tuple(e.shape) for name, e in state.items()}
    module.load_state_dict({name: torch.tensor(each) for name, each in weights.items()}, strict=False)
    # The initial norms are neutral: others show an exchange of scale and shift.
    trained = randomized(module).state_dict()
    for each in model.graph.initializer:
        each.CopyFrom(onnx.numpy_helper.from_array(trained[each.name].numpy(), each.name))
    image = torch.rand(2, *shape)
    with torch.no_grad():
        expected = module(image)
    found = run_onnx(model.SerializeToString(), image)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max() or 1))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_onnx_computes_the_outputs_of_torch(name: str) -> None:
    design = small(name)
    onnx_agrees(export_onnx(design), build(design), design.input_shape())


@for_each("example", EXAMPLES)
def test_onnx_of_every_layer(example: Any) -> None:
    layer, shape = example.layer, example.shape
    onnx_agrees(onnx_of(layer, shape, "layer", ""), to_module(layer).eval(), shape)


@pytest.mark.parametrize("design", RARE.values(), ids=RARE)
def test_rare_layers_in_onnx(design: Design) -> None:
    onnx_agrees(export_onnx(design), build(design), design.input_shape())


@pytest.mark.parametrize("kind", [MaxPool2d, AvgPool2d])
@pytest.mark.parametrize("side", [6, 7, 8, 9])
def test_windows_of_pools_at_the_edge(kind: Any, side: int) -> None:
    further = [{}] if kind is MaxPool2d else [{"count_include_pad": True}, {"count_include_pad": False}]
    for window, stride, padding in ((3, 2, 1), (3, 2, 0), (2, 3, 1), (2, 3, 0), (5, 4, 2)):
        for options in further:
            layer = kind(window, stride, padding, ceil_mode=True, **options)
            onnx_agrees(onnx_of(layer, (4, side, side), "pool", ""), to_module(layer), (4, side, side))


@random_designs
@given(design=designs())
def test_onnx_of_random_designs(design: Design) -> None:
    onnx_agrees(export_onnx(design), build(design), design.input_shape())


def test_the_weights_of_a_file_are_those_of_its_seed() -> None:
    design = small("mobilenet_v2")
    assert export_onnx(design) == export_onnx(design, 0) != export_onnx(design, seed=1)
    model = onnx.load_from_string(export_onnx(design, 3))
    assert [each.version for each in model.opset_import] == [OPSET]
    (batch, *sides) = model.graph.input[0].type.tensor_type.shape.dim
    assert (batch.dim_param, [each.dim_value for each in sides]) == ("batch", [3, 40, 40])
    expected = dict(build(design).named_parameters())
    for each in model.graph.initializer:
        array = onnx.numpy_helper.to_array(each)
        if array.ndim > 1:
            bound = prod(array.shape[1:]) ** -0.5
            assert bound * 0.8 < np.abs(array).max() <= bound
            assert array.std() == pytest.approx(float(expected[each.name].detach().std()), rel=0.3)


def test_a_file_of_more_than_2_gib_is_refused() -> None:
    design = architecture("vgg16", width_mult=2.0)
    with pytest.raises(DesignError, match=r"^parameters = 5\d{8} must be at most 535,822,336: an ONNX file"):
        export_onnx(replace(design, resolution=320))


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import effviz, effviz.cli\n"
        "assert effviz.cli.main(['export', 'alexnet', '--format', 'onnx', '-o', sys.argv[1]]) == 2\n"
        "try: effviz.export_onnx(effviz.architecture('alexnet'))\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "net.onnx")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "export_onnx needs the package onnx: pip install 'effviz[onnx]'\n"
    assert done.stderr == "effviz: this command needs onnx: pip install 'effviz[onnx]'\n"
    assert not list(tmp_path.iterdir())
