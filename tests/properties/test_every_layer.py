"""Every layer against torch: the examples, and random fields from the declaration of each block.

The first tests fail if a layer has no example.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import oracle
import pytest
import torch
from cases import for_each
from examples import BLOCK_EXAMPLES, EXAMPLES, Example, blocks, counted, measured, sizes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import nn

from effviz import BLOCKS, DesignError, UncountedLayerError
from effviz.backend.build import to_module
from effviz.count import cost, kinds
from effviz.count.totals import block_totals
from effviz.model.fields import FieldBlock, declared
from effviz.model.layers import (
    MERGES,
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Primitive,
    Sequential,
    Shape,
    Slice,
    Subsample,
    ZeroPadChannels,
    primitive_kinds,
)
from effviz.model.shapes import sized_block
from effviz.model.trace import Tensor, TraceStep, trace

every_example = for_each(
    "example", EXAMPLES, ids=[f"{index}-{type(example.layer).__name__}" for index, example in enumerate(EXAMPLES)]
)
every_primitive = for_each("kind", primitive_kinds(), ids=lambda kind: kind.__name__)
every_block = for_each("name", BLOCKS)


class _Foreign(Primitive):
    """A primitive without rules; `primitive_kinds` ignores names with an underscore."""

    def out_shape(self, shape: Shape) -> Shape:
        return shape


# --- coverage -----------------------------------------------------------------------------------------------------


@every_primitive
def test_primitive_has_an_example(kind: type[Primitive]) -> None:
    assert kind in {type(example.layer) for example in EXAMPLES}


@every_block
def test_block_has_several_examples(name: str) -> None:
    fields = declared(BLOCKS[name])
    found = [example for example in BLOCK_EXAMPLES if type(example.layer) is BLOCKS[name]]
    assert len(found) >= (2 if fields else 1)


def test_every_declared_field_is_set_in_an_example() -> None:
    for name, kind in BLOCKS.items():
        for field in declared(kind):
            values = {getattr(example.layer, field.name) for example in BLOCK_EXAMPLES if type(example.layer) is kind}
            assert values - {field.default}, f"{name}: no example sets {field.name}"


def test_every_container_has_an_example() -> None:
    found = {(type(example.layer), getattr(example.layer, "merge", ""), getattr(example.layer, "split", False))
             for example in EXAMPLES}  # fmt: skip
    for merge in MERGES:
        assert {(Branches, merge, False), (Branches, merge, True)} <= found
    assert (Sequential, "", False) in found


@every_primitive
def test_primitive_has_all_rules(kind: type[Primitive]) -> None:
    for consumer in (cost.weights, cost.biases, cost.macs):
        assert consumer.dispatch(kind) is not consumer.dispatch(object), f"{consumer.__name__} has no rule"
    layer, shape = next(example for example in EXAMPLES if type(example.layer) is kind)
    assert isinstance(to_module(layer), nn.Module), "raises without a rule"
    for step in trace(layer, shape):
        assert kinds.kind_of(step) in kinds.KINDS


def test_unknown_primitive_is_an_error_everywhere() -> None:
    foreign, shape = _Foreign(), (3, 4, 4)
    step = TraceStep("path", foreign, (), (Tensor(0, shape),), Tensor(1, shape))
    consumers: list[Callable[[], Any]] = [
        lambda: cost.weights(foreign),
        lambda: cost.biases(foreign),
        lambda: cost.macs(foreign, shape),
        lambda: to_module(foreign),
    ]
    for consumer in consumers:
        with pytest.raises(UncountedLayerError, match="_Foreign has no"):
            consumer()
    with pytest.raises(TypeError, match="_Foreign has no kind"):
        kinds.kind_of(step)


@for_each(
    ("layer", "kind"),
    [
        (Conv2d(8, 8, 3), kinds.STANDARD),
        (Conv2d(8, 8, (1, 3)), kinds.STANDARD),
        (Conv2d(8, 16, 1), kinds.POINTWISE),
        (Conv2d(8, 16, (1, 1), 2), kinds.POINTWISE),
        (Conv2d(8, 16, 1, groups=4), kinds.GROUPED),
        (Conv2d(8, 16, 3, groups=2), kinds.GROUPED),
        (Conv2d(8, 8, 3, groups=8), kinds.DEPTHWISE),
        (Conv2d(8, 16, 3, groups=8), kinds.DEPTHWISE),
        (Conv2d(1, 4, 3), kinds.STANDARD),
        (Linear(8, 2), kinds.LINEAR),
        (ChannelShuffle(2), kinds.MERGE),
        (ChannelSelect(8, 4), kinds.MERGE),
        (BatchNorm2d(8), kinds.NORM),
        (LayerNorm2d(8), kinds.NORM),
        (LayerScale(8), kinds.NORM),
        (Activation(), kinds.NORM),
        (MaxPool2d(2), kinds.POOLING),
        (ZeroPadChannels(4, 6), kinds.MERGE),
        (Slice(0, 2), kinds.VIEW),
        (Subsample(2), kinds.VIEW),
    ],
    ids=str,
)
def test_kind(layer: Primitive, kind: str) -> None:
    tensor = Tensor(0, (8, 4, 4))
    assert kinds.kind_of(TraceStep("", layer, (), (tensor,), tensor)) == kind
    gate = kinds.VIEW if kind == kinds.VIEW else kinds.SQUEEZE_EXCITE
    assert kinds.kind_of(TraceStep("", layer, ("MBConv", "SqueezeExcite"), (tensor,), tensor)) == gate


@every_block
def test_block_field_names_are_free(name: str) -> None:
    """A row has attributes and the fields of its block; a shared name would be ambiguous in JSON."""
    own = {"block", "out_channels", "repeats", "stride", "name", "width", "depth", "divisor", "fields", "in_channels"}
    assert not own & {field.name for field in declared(BLOCKS[name])}


@every_block
def test_block_declares_legal_defaults_and_help(name: str) -> None:
    kind = BLOCKS[name]
    assert inspect.getdoc(kind)
    assert kind.title  # type: ignore[attr-defined]
    for field in declared(kind):
        assert field.check(field.default) == field.default
        assert field.help.endswith("."), f"{field.name} has no help sentence"
        for choice in field.choices:
            assert field.check(choice) == choice


# --- examples -----------------------------------------------------------------------------------------------------


def assert_torch_agrees(layer: Layer, shape: Shape) -> None:
    """Compare the counts, and the shape of each step at its path, with torch."""
    module = to_module(layer)
    assert counted(layer, shape) == measured(module, shape)
    shapes = oracle.output_shapes(module, shape)
    for step in trace(layer, shape):
        assert step.output.shape == shapes[step.path], step.path
    parameters = {step.path: cost.params(step.layer) for step in trace(layer, shape)}
    modules = dict(module.named_modules())
    for path, number in parameters.items():
        assert number == sum(
            each.numel() for each in modules[path].parameters(recurse=not list(modules[path].children()))
        )


@every_example
def test_example_on_meta(example: Example) -> None:
    assert_torch_agrees(example.layer, example.shape)


@every_example
def test_example_on_cpu(example: Example) -> None:
    """The meta device accepts some inputs that no kernel runs."""
    module = to_module(example.layer).eval()
    image = torch.rand(1, *example.shape)
    before = image.clone()
    with torch.no_grad():
        output = module(image)
    steps = trace(example.layer, example.shape)
    assert tuple(output.shape[1:]) == (steps[-1].output.shape if steps else example.shape)
    assert torch.equal(image, before), "an in-place activation overwrote the input"
    assert oracle.record(module, example.shape, "cpu") == oracle.record(module, example.shape)


@every_example
def test_example_in_place_is_safe(example: Example) -> None:
    """In-place activations do not change the output."""
    torch.manual_seed(0)
    module = to_module(example.layer).eval()
    image = torch.randn(1, *example.shape)
    with torch.no_grad():
        output = module(image.clone())
        for submodule in module.modules():
            if hasattr(submodule, "inplace"):
                submodule.inplace = False
        assert torch.equal(output, module(image.clone()))


@every_example
def test_example_trains(example: Example) -> None:
    """Gradients pass through in-place activations and stochastic depth, with the batch of two that batch norm needs."""
    module = to_module(example.layer).train()
    image = torch.rand(2, *example.shape, requires_grad=True)
    module(image).sum().backward()


def test_modules_are_exact_torch_classes() -> None:
    own = {"Merge", "ChannelSelect", "ChannelSlice", "DropBranch", "LayerNorm2d", "LayerScale", "Subsample",
           "ZeroPadChannels"}  # fmt: skip
    for example in EXAMPLES:
        for module in to_module(example.layer).modules():
            kind = type(module)
            assert kind.__name__ in own or getattr(nn, kind.__name__, None) is kind, kind


@pytest.mark.parametrize("merge", ["add", "mul"])
def test_merge_of_three_is_two_operations(merge: str) -> None:
    """Torch adds and multiplies two tensors at a time and reads the intermediate result again."""
    convs = tuple((name, Conv2d(4, 4, 1)) for name in "abc")
    try:
        layer = Branches(convs, merge)
    except DesignError:
        return
    assert_torch_agrees(layer, (4, 9, 6))


# --- random fields ------------------------------------------------------------------------------------------------


def runs(module: nn.Module, shape: Shape) -> bool:
    """Whether torch runs the layer on the CPU in evaluation mode."""
    try:
        with torch.no_grad():
            module.eval()(torch.zeros(1, *shape))
    except (RuntimeError, ValueError, IndexError):
        return False
    return True


def refusal(layer: Layer, shape: Shape) -> str:
    """Return the error of effviz, or None."""
    try:
        trace(layer, shape)
    except DesignError as error:
        return error.problem
    return ""


# Torch accepts more, such as broadcasting sums, slices beyond the last channel, and pooling or splitting of vectors.
LENIENT = (
    "must have equal shapes to be added",
    "must have the same number of dimensions to be multiplied",
    "must be at most the",
    "channels that are split among them",
    "must be (channels, height, width) for",
)


def assert_agreement(layer: Layer, shape: Shape) -> None:
    """Check that torch runs the layer exactly if effviz traces it, with equal counts."""
    refused = refusal(layer, shape)
    try:
        module = to_module(layer)
    except DesignError:
        # Only inner layers detect some errors, such as groups that do not divide an inner width.
        assert refused
        return
    if any(each in refused for each in LENIENT):
        return
    assert runs(module, shape) == (not refused), refused
    if not refused:
        assert_torch_agrees(layer, shape)


@every_block
@settings(max_examples=examples(6))
@given(data=st.data())
def test_random_fields(name: str, data: st.DataObject) -> None:
    kind = BLOCKS[name]
    block = data.draw(blocks(kind))
    assume(block is not None)
    assert isinstance(block, FieldBlock)
    shape: Shape = (getattr(block, "in_channels", 12), data.draw(sizes), data.draw(sizes))
    if kind.flattens:
        shape = (shape[0],)
    assert_agreement(block, shape)


pairs = st.integers(1, 5) | st.tuples(st.integers(1, 5), st.integers(1, 5))
paddings = st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3))
RANDOM_PRIMITIVES = {
    Conv2d: st.tuples(st.integers(1, 8), st.integers(1, 8), pairs, pairs, paddings, pairs, st.integers(1, 4),
                      st.booleans()),
    BatchNorm2d: st.tuples(st.integers(1, 8), st.just(1e-5), st.just(0.1), st.booleans()),
    LayerNorm2d: st.tuples(st.integers(1, 8)),
    Activation: st.tuples(st.just("silu")),
    MaxPool2d: st.tuples(pairs, st.none() | pairs, paddings, pairs, st.booleans()),
    AvgPool2d: st.tuples(pairs, st.none() | pairs, paddings, st.booleans(), st.booleans()),
    AdaptiveAvgPool2d: st.tuples(pairs),
    Linear: st.tuples(st.integers(1, 8), st.integers(1, 8), st.booleans()),
    ChannelShuffle: st.tuples(st.integers(1, 4)),
    Slice: st.tuples(st.integers(0, 4), st.integers(1, 8)),
    Subsample: st.tuples(st.integers(1, 9)),
}  # fmt: skip
TORCH = {MaxPool2d: lambda k, s, p, d, c: nn.MaxPool2d(k, s, p, d, ceil_mode=c)}


@pytest.mark.parametrize("kind", RANDOM_PRIMITIVES, ids=lambda kind: kind.__name__)
@settings(max_examples=examples(40))
@given(data=st.data())
def test_random_primitive(kind: type[Primitive], data: st.DataObject) -> None:
    """A primitive is legal exactly if torch runs it."""
    arguments = data.draw(RANDOM_PRIMITIVES[kind])
    channels = data.draw(st.sampled_from([each for each in arguments[:1] if isinstance(each, int) and each] + [4, 6]))
    shape: Shape = (
        (channels,) if kind is Linear else (channels, data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    )
    try:
        layer = kind(*arguments)
    except DesignError:
        if kind is not Slice:
            make = TORCH.get(kind) or getattr(nn, kind.__name__)
            try:
                module = make(*arguments)
            except ValueError:
                return
            assert not runs(module, shape)
        return
    assert_agreement(layer, shape)


@settings(max_examples=examples(30))
@given(data=st.data())
def test_random_trees(data: st.DataObject) -> None:
    """Blocks, containers and primitives in any order have the same counts as in torch."""
    layer = data.draw(trees)
    assert_agreement(layer, (4, data.draw(st.integers(3, 9)), data.draw(st.integers(3, 9))))


@st.composite
def _branches(draw: st.DrawFn, children: st.SearchStrategy[Layer]) -> Layer:
    merge = draw(st.sampled_from(MERGES))
    found = draw(st.lists(children, min_size=2, max_size=3 if merge == "concat" else 2))
    return Branches(tuple((f"b{index}", child) for index, child in enumerate(found)), merge, draw(st.booleans()))


# Most layers keep four channels, so that most trees are legal.
leaves: st.SearchStrategy[Layer] = st.sampled_from(
    [
        example.layer
        for example in EXAMPLES
        if type(example.layer) in (Activation, AvgPool2d, MaxPool2d, ChannelShuffle, Slice) and example.shape[0] == 6
    ]
    + [example.layer for example in EXAMPLES if example.shape == (4, 9, 6)]
    + 3 * [Conv2d(4, 4, 1, bias=False), Conv2d(4, 4, 1), BatchNorm2d(4), Activation("relu"), Activation("sigmoid")]
    + 2 * [Conv2d(2, 2, 3, padding=1, bias=False), BatchNorm2d(2), Sequential(()), BLOCKS["ghost_module"](4, 3)]  # type: ignore[call-arg]
    + [BLOCKS["squeeze_excite"](4), BLOCKS["inverted_residual"](4, 4), BLOCKS["shuffle_unit_v2"](4, 4)]  # type: ignore[call-arg]
)
trees = st.recursive(
    leaves,
    lambda children: st.lists(children, min_size=1, max_size=4).map(Sequential.numbered) | _branches(children),
    max_leaves=8,
)


# --- totals at another map size --------------------------------------------------------------------------------


def assert_counts_are_the_traced(layer: Layer, shape: Shape) -> None:
    """Check that totals from per-pixel counts equal those of a trace at this size, including error messages."""
    fault = ""
    try:
        steps = trace(layer, shape)
    except DesignError as error:
        fault = str(error)
    if fault:
        with pytest.raises(DesignError, match=f"^{re.escape(fault)}$"):
            block_totals(layer, shape)
        return
    found = block_totals(layer, shape)
    assert (found.params, found.macs, found.activations) == (
        sum(cost.params(step.layer) for step in steps),
        sum(cost.macs(step.layer, step.output.shape) for step in steps),
        sum(cost.activations(step.layer, step.output.shape) for step in steps),
    )
    assert found.out_shape == (steps[-1].output.shape if steps else shape)


@every_example
@settings(max_examples=examples(5))
@given(data=st.data())
def test_counts_of_an_example_at_any_size(example: Example, data: st.DataObject) -> None:
    channels = data.draw(st.sampled_from([example.shape[0], example.shape[0], example.shape[0] + 1]))
    sides = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    assert_counts_are_the_traced(example.layer, (channels, *sides) if len(example.shape) == 3 else (channels,))
    assert_counts_are_the_traced(example.layer, example.shape)


@settings(max_examples=examples(30))
@given(data=st.data())
def test_counts_of_random_trees_at_any_size(data: st.DataObject) -> None:
    layer = data.draw(trees)
    for side in data.draw(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=4)):
        assert_counts_are_the_traced(layer, (4, *side))


def test_most_blocks_are_traced_once_for_all_sizes() -> None:
    """Otherwise the test above compares a trace with itself."""
    outlined = [example.layer for example in BLOCK_EXAMPLES if sized_block(example.layer, example.shape[0]) is not None]
    assert len(outlined) > 0.8 * len(BLOCK_EXAMPLES)
