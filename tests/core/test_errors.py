"""Any input gives a result or a `DesignError` with the reason, without delay.

Links and files may contain anything. A crash, a hang and a traceback on a page are bugs.
"""

from __future__ import annotations

import copy
import json
import math
import pickle
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import for_each
from examples import designs, scalings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import nn

from effviz import (
    BLOCKS,
    Design,
    DesignError,
    Stage,
    UnknownNameError,
    WidthRule,
    analyze,
    architecture,
    build,
    compound_scale,
    list_architectures,
)
from effviz.core import errors
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.fields import PARTS, declared
from effviz.model.layers import Branches, Conv2d, Flatten, GlobalAvgPool, Identity, Linear, MaxPool2d, Sequential
from effviz.model.trace import trace

BASE = architecture("mobilenet_v2", resolution=64)
SMALL = Design("small", (Stage("conv", 8, name="stem"), Stage("mbconv", 8, 2), Stage("linear", 5)), resolution=8)


def rows(*stages: Stage, **options: Any) -> Design:
    return Design("rows", stages, **options)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Awkward:
    """An object whose representation fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no representation")


GARBAGE: dict[str, Any] = {
    "zero": 0, "negative": -1, "large": 10**9, "half": 0.5, "nan": math.nan, "inf": math.inf, "-inf": -math.inf,
    "1e308": 1e308, "denormal": 5e-324, "10**5000": 10**5000, "-10**5000": -(10**5000), "true": True, "none": None,
    "complex": 1j, "decimal": Decimal("nan"), "fraction": Fraction(10**5000, 3), "empty": "", "text": "conv",
    "number as text": "1", "surrogate": "\ud800", "null character": "\0", "long text": "a" * 10**6, "bytes": b"\xff",
    "list": [1], "list of a huge integer": [10**5000], "long list": [0] * 10**5, "deep list": nested(100_000),
    "deep dict": {"a": nested(100_000)}, "dict": {"a": 1}, "tuple": (1, 2), "empty tuple": (), "set": {1},
    "int64": np.int64(-3), "float64 nan": np.float64("nan"), "float32": np.float32(-1), "bool_": np.bool_(True),
    "array": np.arange(3), "array of one": np.array(1), "array of text": np.array("a"), "type": int, "class": Stage,
    "function": len, "awkward": Awkward(), "list of awkward": [Awkward()], "row": Stage("conv", 8), "rows": (SMALL,),
    "not a number": NotImplemented, "ellipsis": ...,
}  # fmt: skip
ODD_KEYS = ("self", "cls", "fields", "__class__", "__dict__", "in_channels", "", "a b", "\ud800", "kernel", "x" * 200)


def _calls() -> dict[str, Callable[[Any], Any]]:
    """Every public entry with one argument left open."""
    calls: dict[str, Callable[[Any], Any]] = {
        "architecture": architecture,
        "architecture groups": lambda value: architecture("shufflenet_v1", groups=value),
        "compound_scale design": lambda value: compound_scale(value, 1),
        "with_num_classes": BASE.with_num_classes,
        "from_json": Design.from_json,
        "analyze design": analyze,
        "analyze resolution": lambda value: analyze(SMALL, value),
        "analyze memory": lambda value: analyze(SMALL, memory=value),
        "blocks": SMALL.blocks,
        "layer": SMALL.layer,
        "input_shape": SMALL.input_shape,
        "build design": build,
        "build resolution": lambda value: build(SMALL, value, device="meta"),
        "build device": lambda value: build(SMALL, device=value),
        "build option": lambda value: build(SMALL, batch=value),
        "Stage block": Stage,
        "Stage out_channels": lambda value: Stage("conv", value),
        "Stage unknown field": lambda value: Stage("conv", 8, field=value),
        "Stage without width": lambda value: Stage("fire", value),
        "Design stages": lambda value: Design("x", value),
        "Design row": lambda value: Design("x", (value,)),
        "Branches": lambda value: Branches((("a", Identity()), ("b", value))),
        "Branches name": lambda value: Branches((("a", Identity()), (value, Identity()))),
        "Sequential": lambda value: Sequential((("a", value),)),
        "Conv2d out_shape": lambda value: Conv2d(4, 4, value, 2, 1).out_shape((4, 9, 9)),
    }
    calls |= {
        f"architecture {key}": lambda value, key=key: analyze(architecture("mobilenet_v2", **{key: value}))
        for key in ("width_mult", "depth_mult", "resolution", "num_classes")
    }
    calls |= {
        f"scaled {key}": lambda value, key=key: analyze(SMALL.scaled(**{key: value}))
        for key in ("width_mult", "depth_mult", "resolution")
    }
    calls |= {
        f"compound_scale {key}": lambda value, key=key: analyze(compound_scale(SMALL, **({"phi": 2} | {key: value})))
        for key in ("phi", "alpha", "beta", "gamma")
    }
    calls |= {
        f"Stage {key}": lambda value, key=key: Stage("conv", 8, **{key: value})
        for key in ("repeats", "stride", "name", "width", "depth", "divisor")
    }
    calls |= {
        f"Design {key}": lambda value, key=key: Design(**({"name": "x", "stages": (Stage("conv", 8),)} | {key: value}))
        for key in Design.__dataclass_fields__
    }
    calls |= {
        f"WidthRule {key}": lambda value, key=key: WidthRule(**{key: value}) for key in WidthRule.__dataclass_fields__
    }
    calls |= {
        f"Stage {block} {field.name}": lambda value, block=block, name=field.name: Stage(
            block, 8 if BLOCKS[block].has_out_channels else None, **{name: value}
        )
        for block in BLOCKS
        for field in declared(BLOCKS[block])
    }
    return calls


CALLS = _calls()


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result of the call or its `DesignError`; any other exception fails the test."""
    try:
        return call()
    except DesignError as error:
        return error


def seconds(call: Callable[[], Any]) -> float:
    """Return the minimum of three times, because machines are noisy."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        outcome(call)
        times.append(time.perf_counter() - start)
    return min(times)


# --- garbage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", CALLS)
def test_garbage(entry: str) -> None:
    call = CALLS[entry]
    unexpected = {}
    for label, value in GARBAGE.items():
        try:
            found = outcome(lambda value=value: call(value))
        except Exception as error:  # noqa: BLE001 - the test lists every wrong kind of exception at once
            unexpected[label] = f"{type(error).__name__}: {str(error)[:100]}"
            continue
        if isinstance(found, DesignError):
            assert len(str(found)) < 1000, label
            str(found).encode()
    assert not unexpected


@pytest.mark.parametrize("entry", CALLS)
def test_garbage_raises_at_once(entry: str) -> None:
    slow = {}
    for label, value in GARBAGE.items():
        try:
            needed = seconds(lambda value=value: CALLS[entry](value))
        except Exception:  # noqa: BLE001 - the test above reports it
            continue
        if needed > 0.1:
            slow[label] = needed
    assert not slow


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_odd_keywords(key: str) -> None:
    for call in (
        lambda: architecture("mobilenet_v2", **{key: 1}),
        lambda: Stage("conv", 8, **{key: 1}),
        lambda: Stage("conv", 8).with_changes(**{key: 1}),
        lambda: Design.from_json(json.dumps({"version": 1, "name": "x", "stages": [], key: 1})),
        lambda: Design.from_json(json.dumps({"version": 1, "name": "x", "stages": [{"block": "conv", key: 1}]})),
        lambda: Design.from_json(json.dumps({"version": 1, "name": "x", "stages": [], "width_rule": {key: 1}})),
    ):
        found = outcome(call)
        assert isinstance(found, DesignError) or key == "in_channels", found


def test_numpy_integers_are_integers() -> None:
    assert architecture("mobilenet_v2", resolution=np.int64(96)) == architecture("mobilenet_v2", resolution=96)
    assert architecture("mobilenet_v2", num_classes=np.int32(7)).num_classes == 7
    assert analyze(BASE, np.uint16(64)).macs == analyze(BASE, 64).macs
    assert analyze(architecture("shufflenet_v1", groups=np.int64(8))).params == 2_434_768
    row = Stage("conv", np.int64(8), np.int64(2), np.int8(1), kernel_size=np.int64(5), divisor=np.int16(4))
    assert row == Stage("conv", 8, 2, 1, kernel_size=5, divisor=4)
    for value in (*row.to_dict().values(), architecture("alexnet", resolution=np.int64(96)).resolution):
        assert type(value) in (str, int)
    assert Design.from_json(rows(row).to_json()) == rows(row)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, int, Fraction])
def test_numpy_numbers_are_numbers(kind: Callable[[int], Any]) -> None:
    """`for phi in numpy.arange(8)` is how a notebook writes compound scaling."""
    assert architecture("mobilenet_v2", width_mult=kind(2)) == architecture("mobilenet_v2", width_mult=2.0)
    assert compound_scale(BASE, kind(2)) == compound_scale(BASE, 2.0)
    row = Stage("inverted_residual", 8, expand_ratio=kind(2))
    assert row == Stage("inverted_residual", 8, expand_ratio=2.0)
    assert all(type(value) in (str, int, float) for value in row.to_dict().values())


# --- JSON ---------------------------------------------------------------------------------------------------------


def document(**changes: Any) -> dict[str, Any]:
    return json.loads(SMALL.to_json()) | changes


def read(**changes: Any) -> Design:
    return Design.from_json(json.dumps(document(**changes)))


TEXTS: dict[str, str | bytes] = {
    "empty": "", "blank": "  ", "word": "design", "number": "1", "null": "null", "nan": "NaN",
    "open": "{", "deep list": "[" * 100_000, "deep closed list": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 100_000, "not UTF-8": b"\xff\xfe\xfa{}", "UTF-16": SMALL.to_json().encode("utf-16"),
    "null character": "\0", "surrogate": '"\ud800"',
    "long integer": '{"version": 1, "name": "x", "stages": [], "resolution": ' + "9" * 10_000 + "}",
    "large float": SMALL.to_json().replace("8,", "1e999,"),
    "not a number": SMALL.to_json().replace('"stochastic_depth":0.0', '"stochastic_depth":NaN'),
    "infinity": SMALL.to_json().replace('"stochastic_depth":0.0', '"stochastic_depth":-Infinity'),
    "same key twice": SMALL.to_json().replace('"resolution":8', '"resolution":8,"resolution":null'),
    "trailing": SMALL.to_json() + "}", "two": SMALL.to_json() * 2, "comment": "// design\n" + SMALL.to_json(),
}  # fmt: skip


@for_each("label", TEXTS)
def test_texts_that_are_no_design(label: str) -> None:
    found = outcome(lambda: Design.from_json(TEXTS[label]))
    assert isinstance(found, DesignError) or label == "UTF-16"
    assert len(str(found)) < 1000 or label == "UTF-16"
    assert seconds(lambda: Design.from_json(TEXTS[label])) < 0.1


def test_every_truncated_text_raises() -> None:
    text = SMALL.to_json()
    for length in range(len(text)):
        assert isinstance(outcome(lambda length=length: Design.from_json(text[:length])), DesignError), text[:length]


@pytest.mark.parametrize("place", ["stages", "notes", "resolution", "version", "width_rule", "blocks", "row", "table"])
def test_json_at_the_nesting_limit_of_the_parser(place: str) -> None:
    """Below the limit of the parser, the error message must not fail either."""
    deepest = sys.getrecursionlimit() + 10
    for depth in [*range(2, 20), *range(deepest - 250, deepest)]:
        value: Any = "DEEP"
        if place == "row":
            changed = document(stages=[{"block": "conv", "out_channels": value}])
        elif place == "table":
            changed = document(width_rule={"table": [[value, {}]]})
        else:
            changed = document(**{place: value})
        text = json.dumps(changed).replace('"DEEP"', "[" * depth + "]" * depth)
        found = outcome(lambda text=text: Design.from_json(text))
        assert isinstance(found, DesignError), depth


JUNK = st.sampled_from(
    [None, True, False, 0, -1, 1, 2, 3, 63, 64, 1000, 2**20, 2**31, 10**30, 0.0, -0.5, 1e-9, 0.3, 1e308, "", "conv",
     "linear", "scaled", "classes", "fixed", "down", "a.b", "forward", "training", "0", "\ud800", "x" * 3000, [], {},
     [[]], {"": 1}, {"block": "conv", "out_channels": 8}, [[1, {"stem": 8}]], [[0, {"stem": 8}]]]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Draw the document of a legal design with one to three nodes changed, removed or renamed."""
    design = draw(
        st.sampled_from([SMALL, *map(architecture, ("shufflenet_v1", "shufflenet_v2", "ghostnet"))]) | designs()
    )
    changed = json.loads(design.to_json())
    for _ in range(draw(st.integers(1, 3))):
        path, node = [], changed
        while isinstance(node, (dict, list)) and node and (not path or draw(st.integers(0, 3))):
            key = draw(st.sampled_from(sorted(node)) if isinstance(node, dict) else st.integers(0, len(node) - 1))
            path.append((node, key))
            node = node[key]
        if not path:
            return copy.deepcopy(draw(JUNK))
        parent, key = path[-1]
        action = draw(st.sampled_from(("replace", "replace", "scale", "remove", "rename", "copy")))
        if action == "remove":
            del parent[key]
        elif action == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from((*ODD_KEYS, "block", "stride", "name", "kernel_size")))] = parent.pop(key)
        elif action == "copy" and isinstance(parent, list):
            parent.insert(draw(st.integers(0, len(parent))), copy.deepcopy(node))
        elif action == "scale" and type(node) in (int, float):
            parent[key] = node * draw(st.sampled_from((-1, 0, 2, 3, 0.5, 1000)))
        else:
            # A later mutation must not modify the list of choices.
            parent[key] = copy.deepcopy(draw(JUNK))
    return changed


def assert_legal_or_refused(design: Design) -> None:
    """An accepted design can be stored, shown and analysed, or raises `DesignError`."""
    assert Design.from_json(design.to_json()) == design
    for text in (design.name, design.title, design.family, design.source, *design.notes):
        text.encode()
    for row in design.stages:
        row.name.encode()
    report = outcome(lambda: analyze(design))
    if isinstance(report, DesignError):
        str(report).encode()
        assert isinstance(outcome(lambda: build(design, device="meta")), DesignError)
        return
    assert report.peak_activation > 0
    if len(report.blocks) <= 60:
        module = build(design, device="meta")
        assert isinstance(module, nn.Module)
        assert {step.path for step in report.steps} <= {path for path, _ in module.named_modules()}


@pytest.mark.slow
@settings(
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(changed=mutated())
def test_mutated_documents(changed: Any) -> None:
    text = json.dumps(changed)
    found = outcome(lambda: Design.from_json(text))
    assert seconds(lambda: Design.from_json(text)) < 0.1
    if isinstance(found, Design):
        assert_legal_or_refused(found)
    else:
        str(found).encode()


@settings(max_examples=examples(50))
@given(
    text=st.text()
    | st.binary()
    | st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(json.dumps)
)
def test_random_texts(text: str | bytes) -> None:
    assert isinstance(outcome(lambda: Design.from_json(text)), DesignError)


def test_many_rows_are_read_or_rejected_quickly() -> None:
    """A file of a few hundred kilobytes with more rows than the limit must not block a page for seconds."""
    many = [{"block": "conv", "out_channels": 8, "name": f"s{index}"} for index in range(20_000)]
    text = json.dumps(document(stages=many))
    found = outcome(lambda: analyze(Design.from_json(text)))
    assert isinstance(found, DesignError)
    assert seconds(lambda: analyze(Design.from_json(text))) < 0.5


SURROGATE = "\ud800"


TEXT_CHANGES: dict[str, dict[str, Any]] = {
    **{key: {key: SURROGATE} for key in ("name", "title", "family", "source")},
    "notes": {"notes": [SURROGATE]},
    "stage name": {"stages": [{"block": "conv", "out_channels": 8, "name": SURROGATE}]},
    "rule": {"width_rule": {"source": SURROGATE}},
    "table": {"width_rule": {"table": [[1, {SURROGATE: 8}]]}},
}


@pytest.mark.parametrize("place", TEXT_CHANGES)
def test_text_that_no_page_can_show(place: str) -> None:
    """Half of a surrogate pair is legal in JSON, but cannot be encoded for a browser, a file or a log."""
    found = outcome(lambda: read(**TEXT_CHANGES[place]))
    assert isinstance(found, DesignError)
    str(found).encode()


def test_table_of_widths_at_multiplier_zero() -> None:
    with pytest.raises(DesignError, match="must be greater than 0"):
        read(width_rule={"table": [[0, {"stem": 8}]], "interpolates": True})


# --- names that torch modules reserve ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [*("forward", "training", "children", "append", "_modules", "extra_repr"), "0", "a b"])
def test_stage_names_that_torch_reserves(name: str) -> None:
    """Rejected as a row or built, never a KeyError from torch."""
    row = outcome(lambda: Stage("conv", 8, name=name))
    if isinstance(row, Stage):
        assert name in dict(build(rows(row), device="meta").named_modules())


def test_all_stage_names_that_torch_reserves() -> None:
    for name in dir(nn.Sequential()):
        row = outcome(lambda name=name: Stage("conv", 8, name=name))
        if isinstance(row, Stage):
            assert name in dict(build(rows(row), device="meta").named_modules())


@pytest.mark.parametrize("name", ["merge", "split", "runs", "forward", "training"])
def test_branch_names_that_modules_reserve(name: str) -> None:
    from effviz.backend.build import to_module

    branches = outcome(lambda: Branches(((name, GlobalAvgPool()), ("other", GlobalAvgPool()))))
    if isinstance(branches, Branches):
        assert name in dict(to_module(branches).named_modules())


# --- messages -----------------------------------------------------------------------------------------------------

NAMES = list_architectures()
# The first 40 names are listed.
ALL = f"{', '.join(NAMES[:40])} and {len(NAMES) - 40} more"
MESSAGES: dict[str, tuple[Callable[[], Any], str]] = {
    "misspelt architecture": (
        lambda: architecture("mobilnet_v2"),
        f"architecture = 'mobilnet_v2' is unknown; did you mean 'mobilenet_v2'? Choices: {ALL}",
    ),
    "unknown architecture": (lambda: architecture("zzz"), f"architecture = 'zzz' is unknown. Choices: {ALL}"),
    "misspelt option": (
        lambda: architecture("mobilenet_v2", width=1),
        "option of mobilenet_v2 = 'width' is unknown; did you mean 'width_mult'? "
        "Choices: depth_mult, in_channels, num_classes, resolution, variant, width_mult",
    ),
    "option of another family": (
        lambda: architecture("resnet50", groups=2),
        "option of resnet50 = 'groups' is unknown. Choices: depth_mult, in_channels, num_classes, resolution, "
        "variant, width_mult",
    ),
    "zero width": (lambda: architecture("vgg16", width_mult=0), "width_mult = 0 must be greater than 0"),
    "width that is no number": (lambda: BASE.scaled(width_mult=math.nan), "width_mult = nan must be finite"),
    "width as text": (lambda: BASE.scaled(width_mult="2"), "width_mult = '2' must be a number"),  # type: ignore[arg-type]
    "float resolution": (
        lambda: analyze(BASE, 224.0),  # type: ignore[arg-type]
        "resolution = 224.0 must be an integer or a pair (height, width)",
    ),
    "huge number of classes": (
        lambda: BASE.with_num_classes(10**5000),
        "num_classes = an integer of 16610 bits must be at most 1048576",
    ),
    "no classifier": (
        lambda: rows(Stage("conv", 8)).with_num_classes(5),
        "num_classes = 5 needs a row with width = 'classes', rows has none",
    ),
    "unpublished groups": (
        lambda: architecture("shufflenet_v1", groups=5),
        "groups = 5 must be one of 1, 2, 3, 4, 8: no other widths were published",
    ),
    "unpublished width": (
        lambda: architecture("shufflenet_v1", width_mult=0.75),
        "width_mult = 0.75 must be one of 0.5, 1, 1.5, 2: no other widths were published",
    ),
    "width too small for the family": (
        lambda: analyze(architecture("shufflenet_v2", width_mult=0.1)),
        "stage3.0: out_channels = 28 must exceed in_channels = 28 at stride > 1",
    ),
    "map smaller than the window": (
        lambda: analyze(architecture("alexnet"), 32),
        "max_pool3: kernel_size = 3 spans 3 pixels, more than the padded input of 1",
    ),
    "kernel larger than the map": (
        lambda: analyze(rows(Stage("conv", 8, kernel_size=9, padding=0, name="body", depth="fixed")), 8),
        "body.conv: kernel_size = 9 spans 9 pixels, more than the padded input of 8",
    ),
    "groups that do not divide": (
        lambda: analyze(rows(Stage("conv", 8), Stage("conv", 12, groups=8, name="body"))),
        "body.0: groups = 8 must divide out_channels = 12",
    ),
    "groups inside a block": (
        lambda: analyze(rows(Stage("conv", 8), Stage("shuffle_unit_v1", 20, 1, 2, groups=3, name="unit"))),
        "unit.0.reduce: groups = 3 must divide in_channels = 8",
    ),
    "branches that do not meet": (
        lambda: analyze(rows(Stage("inverted_residual", 8, 2, kernel_size=4, name="body")), 32),
        "body.1: branch outputs = [(8, 30, 30), (8, 31, 31)] must have equal shapes to be added",
    ),
    "convolution after the classifier": (
        lambda: analyze(rows(Stage("linear", 10), Stage("conv", 8))),
        "stage1.0.conv: input shape = (10,) must be (channels, height, width) for Conv2d",
    ),
    "unknown memory assumption": (
        lambda: analyze(BASE, memory="half"), "memory = 'half' must be one of paper, fused, eager",
    ),
    "name instead of a design": (
        lambda: analyze("mobilenet_v2"),  # type: ignore[arg-type]
        "design = 'mobilenet_v2' must be a Design; effviz.architecture(name) gives one",
    ),
    "missing width": (lambda: Stage("conv"), "out_channels = None must be an integer"),
    "derived width": (lambda: Stage("fire", 8), "out_channels = 8 must be left out: fire derives its output width"),
    "misspelt field": (
        lambda: Stage("conv", 8, kernel=3),
        "field of ConvBNAct = 'kernel' is unknown; did you mean 'kernel_size'? "
        "Choices: activation, bias, dilation, groups, kernel_size, norm, padding",
    ),
    "illegal field": (lambda: Stage("conv", 8, kernel_size=0), "ConvBNAct: kernel_size = 0 must be at least 1"),
    "stride of a block without": (
        lambda: Stage("fire", stride=2), "stride = 2 must be 1: fire keeps the resolution",
    ),
    "dot in a name": (
        lambda: Stage("conv", 8, name="a.b"),
        "name = 'a.b' must be text without dots",
    ),
    "no rows": (lambda: Design("x", ()), "stages is empty: a design needs at least one row"),
    "a stage in two places": (
        lambda: rows(Stage("conv", 8, name="a"), Stage("conv", 8, name="b"), Stage("conv", 8, name="a")),
        "stage name = 'a' must be used by neighbouring rows only",
    ),
    "too deep": (
        lambda: analyze(BASE.scaled(depth_mult=1000)), "stage1: depth_mult = 1000 builds more than 1000 blocks",
    ),
    "phi too large": (
        lambda: compound_scale(BASE, 50), "phi = 50: depth_mult = 9100.438150002134 must be at most 1000",
    ),
    "not JSON": (
        lambda: Design.from_json("{"),
        "the text is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    "another version": (
        lambda: read(version=3), "version = 3 must be 1 or 2, the versions of the format that this effviz reads",
    ),
    "version that is no integer": (
        lambda: read(version=1.5), "version = 1.5 must be 1 or 2, the versions of the format that this effviz reads",
    ),
    "key twice": (
        lambda: Design.from_json('{"version": 1, "name": "a", "name": "b"}'),
        "key = 'name' is repeated in one JSON object",
    ),
    "key twice, further in": (
        lambda: Design.from_json('{"stages": [{"block": "conv", "stride": 1, "repeats": 2, "stride": 2}]}'),
        "key = 'stride' is repeated in one JSON object",
    ),
    "long key twice": (
        lambda: Design.from_json('{"%s": {}, "%s": {}}' % (2 * ("k" * 10**5,))),
        f"key = '{'k' * 59}... (200 characters) is repeated in one JSON object",
    ),
    "number of many digits": (
        lambda: Design.from_json('{"version": -%s}' % ("9" * 5000)),
        "a number in the text has 5000 digits, too many to read",
    ),
    "long name of a recipe": (
        lambda: read(blocks={"b" * 10**5: 1}),
        f"name of the block = '{'b' * 59}... (200 characters) must have at most 60 characters",
    ),
    "key of a recipe with a long name": (
        lambda: read(blocks={"b" * 10**5: {"part": []}}),
        f"name of the block = '{'b' * 59}... (200 characters) must have at most 60 characters",
    ),
    "one of very many": (
        lambda: read(stages=[{"block": "composed", "out_channels": 8, "recipe": "block_99x"}],
                     blocks={f"block_{index:03}": {"parts": [{"block": "conv"}]} for index in range(900)}),
        "row 0: recipe = 'block_99x' is unknown; did you mean 'block_899'? "
        f"Choices: {', '.join(f'block_{index:03}' for index in range(40))} and 860 more",
    ),
    "unknown key": (
        lambda: read(colour="violet"),
        "key of the design = 'colour' is unknown. Choices: depth_mult, family, in_channels, name, notes, resolution, "
        "source, stages, stochastic_depth, title, variant, width_mult, width_rule",
    ),
    "unknown key of a row": (
        lambda: read(stages=[{"block": "fire", "squeez": 3}]),
        "row 0: key of a fire row = 'squeez' is unknown; did you mean 'squeeze'? Choices: block, depth, divisor, "
        "expand1x1, expand3x3, name, out_channels, repeats, squeeze, stride, width",
    ),
    "illegal field of a row": (
        lambda: read(stages=[{"block": "flatten"}, {"block": "mbconv", "out_channels": 8, "se_ratio": 2}]),
        "row 1: MBConv: se_ratio = 2 must be at most 1",
    ),
    "missing key": (lambda: Design.from_json('{"version": 1}'), "key = 'name' is missing from the design"),
    "recipe that is no object": (lambda: read(blocks={"a": 1}), "block a = 1 must be a JSON object"),
    "key of a recipe": (
        lambda: read(blocks={"a": {"part": []}}),
        "key of block a = 'part' is unknown; did you mean 'parts'? Choices: parts, shortcut",
    ),
    "recipe without steps": (
        lambda: read(blocks={"a": {"parts": []}}), "block a has 0 steps: it needs 1 to 32",
    ),
    "step that is no map's": (
        lambda: read(blocks={"a": {"parts": [{"block": "depthwise"}, {"block": "linear"}]}}),
        f"block a, step 1: block = 'linear' is unknown. Choices: {', '.join(sorted(PARTS))}",
    ),
    "key of a step": (
        lambda: read(blocks={"a": {"parts": [{"block": "depthwise", "kernel": 5}]}}),
        "block a, step 0: key of a depthwise step = 'kernel' is unknown; did you mean 'kernel_size'? Choices: "
        "activation, block, kernel_size, of, times",
    ),
    "width of a step that keeps its channels": (
        lambda: read(blocks={"a": {"parts": [{"block": "depthwise", "times": 2}]}}),
        "block a, step 0: times = 2 must be left out: depthwise keeps its channels",
    ),
    "name of a recipe": (
        lambda: read(blocks={"a.b": {"parts": [{"block": "conv"}]}}),
        "name of the block = 'a.b' must be text without dots",
    ),
    "row of a block that is not there": (
        lambda: read(stages=[{"block": "composed", "out_channels": 8, "recipe": "b"}],
                     blocks={"a": {"parts": [{"block": "conv"}]}}),
        "row 0: recipe = 'b' is unknown. Choices: a",
    ),
    "two blocks of one name": (
        lambda: Design("two", (Stage("composed", 8, recipe=Recipe("a", (RecipeStep("conv"),))),
                               Stage("composed", 8, recipe=Recipe("a", (RecipeStep("conv"),), shortcut=True)))),
        "name of the block = 'a' must stand for one recipe only",
    ),
    "recipe that ends too narrow": (
        lambda: Design("narrow", (Stage("composed", 8, recipe=Recipe("a", (RecipeStep("conv", 0.5),))),)).blocks(),
        "stage0.0: out_channels = 8 must equal the 4 channels of the last step, conv",
    ),
    "recipe whose groups do not divide": (
        lambda: Design("grouped", (
            Stage("composed", 8, recipe=Recipe("a", (RecipeStep("conv", groups=5),))),
        )).blocks(),
        "stage0.0.conv: groups = 5 must divide in_channels = 3",
    ),
    "stride that nothing takes": (
        lambda: Design("strided", (
            Stage("composed", 3, stride=2, recipe=Recipe("a", (
                RecipeStep("squeeze_excite"), RecipeStep("channel_shuffle"),
            ))),
        )).blocks(),
        "stage0.0: stride = 2 must be 1: no step of a can have a stride",
    ),
    "recipe that is none": (
        lambda: Stage("composed", 8, recipe="a"), "Composed: recipe = 'a' must be a Recipe",
    ),
    "groups of a convolution": (lambda: Conv2d(6, 4, 3, groups=4), "groups = 4 must divide in_channels = 6"),
    "padding of a pool": (
        lambda: MaxPool2d(2, padding=2), "padding = 2 must be at most half of the window, 1",
    ),
    "resize of three branches": (
        lambda: Branches(tuple((name, Identity()) for name in "abc"), "resize"),
        "branches = 3 must be 2 to resize the first one",
    ),
    "resize of features": (
        lambda: trace(Branches((("a", Identity()), ("b", Flatten())), "resize"), (3, 2, 2)),
        "branch outputs = [(3, 2, 2), (12,)] must be maps to be resized",
    ),
    "resize of an odd split": (
        lambda: trace(Branches((("a", Identity()), ("b", Identity())), "resize", split=True), (3, 2, 2)),
        "branches = 2 must divide the 3 channels that are split among them",
    ),
    "an unknown merge": (
        lambda: Branches((("a", Identity()), ("b", Identity())), "enlarge"),
        "merge = 'enlarge' must be one of add, mul, concat, resize",
    ),
    "map into a linear layer": (
        lambda: Linear(8, 4).out_shape((8, 1, 1)),
        "input shape = (8, 1, 1) must be (features,) for Linear: flatten the map first",
    ),
}  # fmt: skip


@for_each("case", MESSAGES)
def test_whole_message(case: str) -> None:
    call, message = MESSAGES[case]
    with pytest.raises(DesignError) as caught:
        call()
    assert str(caught.value) == message


def test_unknown_names_have_a_separate_class() -> None:
    for call in (lambda: architecture("x"), lambda: Stage("x"), lambda: read(colour=1), lambda: Stage("conv", 8, x=1)):
        with pytest.raises(UnknownNameError):
            call()


@pytest.mark.slow
def test_a_list_of_choices_is_short() -> None:
    """The names may come from an uploaded file, in any number and length."""
    with pytest.raises(UnknownNameError) as caught:
        errors.unknown("name", "n" * 99, [f"{'n' * 100}{index}" for index in range(10**5)])
    assert len(str(caught.value)) < 5000
    assert str(caught.value).endswith(" and 99960 more")
    few = [f"name{index:02}" for index in range(40)]
    with pytest.raises(UnknownNameError, match=f" Choices: {', '.join(few)}$"):
        errors.unknown("name", "x", few)


def test_errors_carry_their_path_and_survive_pickling() -> None:
    with pytest.raises(DesignError) as caught:
        analyze(architecture("alexnet"), 32)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.path, again.problem, str(again)) == (
        DesignError, "max_pool3", caught.value.problem, str(caught.value),
    )  # fmt: skip
    assert str(errors.UnknownNameError("problem", path="b").at("a")) == "a.b: problem"
    assert type(errors.UnknownNameError("problem").at("a")) is UnknownNameError


@settings(max_examples=examples(10))
@given(design=scalings(), resolution=st.integers(1, 40))
def test_too_small_inputs_name_the_layer(design: Design, resolution: int) -> None:
    """Each resolution gives a network, or an error with the path of a layer that exists at a larger resolution."""
    found = outcome(lambda: analyze(design, resolution))
    if isinstance(found, DesignError):
        paths = {step.path for step in analyze(design).steps}
        assert any(path == found.path or path.startswith(found.path + ".") for path in paths), str(found)
