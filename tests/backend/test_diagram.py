"""Diagrams contain every layer, every edge and every multiply-add of the network, and nothing else."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from examples import REPRESENTATIVES, designs
from hypothesis import given, settings
from profiles import examples
from torch import Tensor

import effviz
from effviz import Design, DesignError, Stage
from effviz.backend.build import Merge
from effviz.backend.diagram import recording
from effviz.backend.diagram.dot import to_dot
from effviz.backend.diagram.draw import Diagram, draw
from effviz.backend.diagram.graph import Node, Sketch
from effviz.backend.diagram.sketch import BLOCKS, LAYERS, MAX_NODES, STAGES, sketch
from effviz.charts import style
from effviz.core.errors import Cancelled
from effviz.core.units import percent
from effviz.count import kinds
from effviz.count.kinds import KIND_COLORS
from effviz.count.palette import APPEARANCES, contrast, text_on
from effviz.model.layers import Conv2d, Identity, Linear, StochasticDepth
from effviz.model.layout import BuiltBlock
from effviz.model.trace import TraceStep, trace
from effviz.worker.jobs import diagram as job

ROOT = Path(__file__).parents[2]
# Recording takes up to two seconds per network.
every_recorded = pytest.mark.parametrize("name", REPRESENTATIVES)
each_look = pytest.mark.parametrize("look", APPEARANCES)


@cache
def _distinct_blocks() -> Mapping[str, list[str]]:
    """Paths of the blocks of the networks, each block and input shape once."""
    seen: set[tuple[object, ...]] = set()
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in REPRESENTATIVES:
        for entry in effviz.architecture(name).blocks():
            if (entry.block, entry.shape) not in seen:
                seen.add((entry.block, entry.shape))
                found[name].append(entry.path)
    return found


# --- DOT, read without Graphviz ------------------------------------------------------------------------------------

_TOKENS = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(->|[{}\[\]=,;])|([A-Za-z_][\w]*|-?\d*\.?\d+))', re.DOTALL)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        start = at + len(text[at:]) - len(text[at:].lstrip())
        if text[start] == "<":
            depth, at = 0, start
            while True:
                depth += {"<": 1, ">": -1}.get(text[at], 0)
                at += 1
                if not depth:
                    break
            yield text[start:at]
            continue
        match = _TOKENS.match(text, at)
        assert match, f"not DOT: {text[at : at + 60]!r}"
        yield next(group for group in match.groups() if group)
        at = match.end()


def _unquoted(name: str) -> str:
    return name.strip('"')


class Dot:
    """The nodes and edges of DOT text; statements that `to_dot` does not write fail an assertion."""

    def __init__(self, text: str) -> None:
        self.nodes: dict[str, dict[str, str]] = {}
        self.edges: list[tuple[str, str]] = []
        self.clusters = 0
        self._tokens = list(_tokens(text))
        self._at = 0
        self._take("digraph")
        self._block()
        assert self._at == len(self._tokens)
        for tail, head in self.edges:
            assert {tail, head} <= set(self.nodes), "an edge creates a node that was not declared"
        for attributes in self.nodes.values():
            _check_label(attributes["label"])

    def _take(self, wanted: str = "") -> str:
        token = self._tokens[self._at]
        assert not wanted or token == wanted
        self._at += 1
        return token

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _block(self) -> None:
        self._take("{")
        while self._peek() != "}":
            name = self._take()
            if name == "subgraph":
                assert re.fullmatch(r"cluster_\d+", self._take())
                self.clusters += 1
                self._block()
            elif self._peek() == "->":
                self._take()
                self.edges.append((_unquoted(name), _unquoted(self._take())))
                self._attributes()
            else:
                attributes = self._attributes()
                if name not in ("graph", "node", "edge"):
                    assert _unquoted(name) not in self.nodes, f"{name} is declared twice"
                    self.nodes[_unquoted(name)] = attributes
        self._take("}")

    def _attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self._peek() != "[":
            return found
        self._take("[")
        while self._peek() != "]":
            key = self._take()
            self._take("=")
            found[key] = self._take()
            if self._peek() == ",":
                self._take()
        self._take("]")
        return found


def _check_label(label: str) -> None:
    """HTML-like labels are well-formed, have known tags only, and no empty element that Graphviz rejects."""
    assert label.startswith("<")
    assert label.endswith(">")
    for element in ElementTree.fromstring(f"<LABEL>{label[1:-1]}</LABEL>").iter():
        assert element.tag in {"LABEL", "TABLE", "TR", "TD", "FONT", "B"}
        assert element.tag == "TD" or len(element) or element.text, f"empty {element.tag}"


def _words(label: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(f"<LABEL>{label[1:-1]}</LABEL>").itertext()).split())


# --- One block against effviz.model.trace --------------------------------------------------------------------------


def _weighted(steps: list[TraceStep]) -> list[str]:
    return [step.path for step in steps if isinstance(step.layer, (Conv2d, Linear))]


def _steps(design: Design, entry: BuiltBlock) -> dict[str, TraceStep]:
    """Of a block as it is built, stochastic depth included."""
    layer: Any = design.layer()
    for part in entry.path.split("."):
        layer = dict(layer.children)[part]
    return {step.path: step for step in trace(layer, entry.shape, entry.path)}


def _check_edges(drawn: Sketch, steps: Mapping[str, TraceStep]) -> None:
    """Every node reads exactly the tensors that the trace lists for it."""
    written: dict[str, int] = {}
    for node in drawn.nodes:
        sources = [edge.tail for edge in drawn.edges if edge.head == node.id]
        read = sorted(written[tail] for tail in sources)
        if node.role == "input":
            assert not sources
            written[node.id] = 0
            continue
        if node.paths:
            first, last = steps[node.paths[0]], steps[node.paths[-1]]
            assert read == sorted(tensor.storage for tensor in first.inputs), node.id
            assert node.shape == last.output.shape
            written[node.id] = last.output.storage
        else:
            assert node.role in ("split", "output")
            assert len(sources) == 1
            written[node.id] = read[0]
    final = list(steps.values())[-1].output
    assert written[drawn.nodes[-1].id] == final.storage
    assert drawn.nodes[-1].shape == final.shape


def _check_costs(drawn: Sketch, macs: int, params: int) -> None:
    assert sum(node.macs for node in drawn.nodes) == macs
    assert sum(node.params for node in drawn.nodes) == params
    assert sum(node.share for node in drawn.nodes) == pytest.approx(1 if macs else 0)
    for node in drawn.nodes:
        assert sum(count for _, count in node.mix) == node.macs


def _check_reachable(drawn: Sketch) -> None:
    """Every node is on a path from the input to the output, and edges follow the order of execution."""
    order = {node.id: place for place, node in enumerate(drawn.nodes)}
    assert all(order[edge.tail] < order[edge.head] for edge in drawn.edges)
    heads, tails = {edge.head for edge in drawn.edges}, {edge.tail for edge in drawn.edges}
    assert heads == set(order) - {drawn.nodes[0].id}
    assert tails == set(order) - {drawn.nodes[-1].id}
    assert drawn.nodes[0].role == "input"
    assert drawn.nodes[-1].role == "output"


@every_recorded
def test_every_block_is_drawn_layer_by_layer(name: str) -> None:
    design = effviz.architecture(name)
    table = effviz.analyze(design).table
    for entry in design.blocks():
        if entry.path not in _distinct_blocks()[name]:
            continue
        drawn, steps = sketch(design, path=entry.path), _steps(design, entry)
        assert drawn.depth == LAYERS
        assert not drawn.collapsed
        assert not drawn.note
        # Every layer is in one node, except identities, which are edges.
        layers = [path for node in drawn.nodes for path in node.paths]
        assert sorted(layers) == sorted(path for path, step in steps.items() if not isinstance(step.layer, Identity))
        # No node has two layers with weights, and every layer with weights has a node.
        wanted = _weighted(list(steps.values()))
        counting = [node for node in drawn.nodes if set(node.paths) & set(wanted)]
        assert len(counting) == len(wanted)
        assert all(node.macs for node in counting)
        assert not [node for node in drawn.nodes if node.role == "other"]
        _check_edges(drawn, steps)
        _check_reachable(drawn)
        rows = table[(table["path"] == entry.path) | table["path"].str.startswith(f"{entry.path}.")]
        _check_costs(drawn, rows["macs"].sum(), rows["params"].sum())

        assert "…" not in draw(design, path=entry.path).dot
        dot = Dot(draw(design, path=entry.path).dot)
        assert len(dot.nodes) == len(drawn.nodes) == draw(design, path=entry.path).nodes
        assert Counter(dot.edges) == Counter((edge.tail, edge.head) for edge in drawn.edges)
        for node in counting:
            label = _words(dot.nodes[node.id]["label"])
            assert f"{node.name} {percent(node.share)} of multiply-adds" in label
            assert " × ".join(map(str, node.shape)) in label
            assert "parameters" in label


@every_recorded
def test_every_network_is_drawn(name: str) -> None:
    design = effviz.architecture(name)
    # None draws a network by stages.
    for depth in (None, BLOCKS, LAYERS):
        _check_network(design, depth)


def _check_network(design: Design, depth: int | None) -> None:
    report = effviz.analyze(design)
    drawn, diagram = sketch(design, depth=depth), draw(design, depth=depth)
    assert len(drawn.nodes) <= MAX_NODES
    _check_costs(drawn, report.macs, report.params)
    _check_reachable(drawn)
    assert drawn.nodes[0].shape == (3, design.resolution, design.resolution)
    assert drawn.nodes[-1].shape == (1000,)
    assert not [node for node in drawn.nodes if node.role == "other"]
    if drawn.depth < LAYERS:
        # The nodes form a chain and contain every layer once.
        assert len(drawn.edges) == len(drawn.nodes) - 1
        assert [path for node in drawn.nodes for path in node.paths] == [step.path for step in report.steps]
        assert drawn.collapsed == len(report.blocks) - len(drawn.nodes) + 2
    dot = Dot(diagram.dot)
    assert len(dot.nodes) == diagram.nodes
    assert len(dot.edges) == len(drawn.edges)
    assert dot.clusters == len(drawn.groups)
    assert (diagram.depth, diagram.collapsed, diagram.note) == (drawn.depth, drawn.collapsed, drawn.note)


@settings(max_examples=examples(5))
@given(designs())
def test_any_design_is_drawn(design: Design) -> None:
    report = effviz.analyze(design)
    for depth in (STAGES, BLOCKS, LAYERS):
        drawn = sketch(design, depth=depth)
        _check_costs(drawn, report.macs, report.params)
        _check_reachable(drawn)
        Dot(to_dot(drawn, APPEARANCES["light"]))
    for entry in report.blocks[:4]:
        drawn = sketch(design, path=entry.path, depth=LAYERS)
        _check_edges(drawn, _steps(design, entry))


# --- names and descriptions ----------------------------------------------------------------------------------------

READS = {
    ("mobilenet_v1", "stage2.0"): "depthwise, pointwise",
    ("mobilenet_v2", "stage4.1"): "expand, depthwise, project, add",
    ("mobilenet_v3_large", "stage3.1"): "expand, depthwise, global average pool, reduce, expand, mul, project, add",
    ("shufflenet_v1", "stage2.0"): (
        "3×3 average pool, stride 2; reduce; channel shuffle, 3 groups; depthwise; expand; concat"
    ),
    ("shufflenet_v2", "stage2.0"): (
        "left depthwise; left pointwise; right reduce; right depthwise; right expand; concat; channel shuffle, 2 groups"
    ),
    ("shufflenet_v2", "stage2.1"): (
        "split; right reduce; right depthwise; right expand; concat; channel shuffle, 2 groups"
    ),
    ("ghostnet", "stage2.0"): (
        "primary, cheap, concat, depthwise, primary, cheap, concat, shortcut depthwise, shortcut pointwise, add"
    ),
    ("resnet18", "stage1.0"): "conv1, conv2, add, ReLU",
    ("resnext50_32x4d", "stage1.0"): "reduce, conv, expand, shortcut, add, ReLU",
    ("densenet121", "stage1.0"): "BN, ReLU; reduce; conv; concat",
    ("densenet121", "transition1"): "BN, ReLU; conv; 2×2 average pool, stride 2",
    ("squeezenet1_1", "stage1.0"): "squeeze, expand 1×1, expand 3×3, concat",
    ("alexnet", "fc1"): "fc1",
    ("vgg16", "max_pool1"): "2×2 max pool, stride 2;",
}


@pytest.mark.parametrize(("name", "path"), READS)
def test_layers_have_the_names_of_the_papers(name: str, path: str) -> None:
    drawn = sketch(effviz.architecture(name), path=path)
    wanted = READS[name, path]
    words = wanted.strip(";").split("; " if ";" in wanted else ", ")
    assert [node.name for node in drawn.nodes[1:-1]] == words


def test_a_card_says_what_the_layer_is() -> None:
    drawn = sketch(effviz.architecture("mobilenet_v2"), path="stage4.0")
    expand, depthwise, project = drawn.nodes[1:-1]
    assert (expand.what, expand.channels, expand.after) == ("1×1 conv", "32 → 192", "BN, ReLU6")
    assert (depthwise.what, depthwise.channels, depthwise.shape) == (
        "3×3 conv, stride 2",
        "192 channels",
        (192, 14, 14),
    )
    assert (project.after, project.kind) == ("BN", kinds.POINTWISE)
    grouped = sketch(effviz.architecture("resnext50_32x4d"), path="stage1.1").nodes[2]
    assert (grouped.what, grouped.kind) == ("3×3 conv, 32 groups", kinds.GROUPED)


def test_squeeze_and_excitation_is_a_box_in_its_color() -> None:
    drawn = sketch(effviz.architecture("efficientnet_b0"), path="stage2.1")
    (box,) = drawn.groups
    assert drawn.groups[box] == "Squeeze-and-excitation"
    assert {node.kind for node in drawn.nodes if node.group == box} == {kinds.SQUEEZE_EXCITE}
    assert [node.after for node in drawn.nodes if node.group == box] == ["", "SiLU", "sigmoid gate", ""]


def test_stochastic_depth_is_named() -> None:
    """It is a module of the built network, although it costs nothing."""
    design = effviz.architecture("efficientnet_b0")
    entry = next(entry for entry in design.blocks() if entry.path == "stage2.1")
    assert any(isinstance(step.layer, StochasticDepth) for step in _steps(design, entry).values())
    (project,) = [node for node in sketch(design, path="stage2.1").nodes if node.name == "project"]
    assert project.after == "BN, stochastic depth"


def test_a_shortcut_is_a_line_with_its_name() -> None:
    drawn = sketch(effviz.architecture("mobilenet_v2"), path="stage4.1")
    (shortcut,) = [edge for edge in drawn.edges if edge.skips]
    assert (shortcut.tail, shortcut.head, shortcut.label) == ("input", "stage4.1.add", "shortcut")
    assert "penwidth=2" in draw(effviz.architecture("mobilenet_v2"), path="stage4.1").dot
    # A projection has nodes, so its edges skip nothing.
    assert not [edge for edge in sketch(effviz.architecture("resnet50"), path="stage1.0").edges if edge.skips]


def test_edges_of_a_split_have_their_channels() -> None:
    drawn = sketch(effviz.architecture("shufflenet_v2"), path="stage2.1")
    assert [edge.label for edge in drawn.edges if edge.tail.endswith("split")] == ["58 channels", "58 channels"]


def test_stages_have_the_number_of_repetitions() -> None:
    drawn = sketch(effviz.architecture("mobilenet_v2"))
    said = {node.name: (node.what, node.channels) for node in drawn.nodes}
    assert said["stage4"] == ("Inverted residual × 4, stride 2", "32 → 64")
    assert said["stem"] == ("3×3 conv, stride 2", "3 → 32")
    assert said["classifier"] == ("linear", "1280 → 1000")
    assert drawn.collapsed == 10
    said = {node.name: node.what for node in sketch(effviz.architecture("vgg16")).nodes} | {"": ""}
    assert said["stage1"] == "3×3 conv × 2"


def test_blocks_that_are_alike_are_one_node() -> None:
    design = effviz.architecture("resnet50")
    names = [node.name for node in sketch(design, depth=BLOCKS).nodes]
    # The first block has a projection, although it has no stride.
    assert names[3:5] == ["stage1.0", "stage1.1 to stage1.2"]
    dense = sketch(effviz.architecture("densenet121"), depth=BLOCKS)
    assert dense.nodes[3].name == "stage1"
    assert (dense.nodes[3].what, dense.nodes[3].channels) == ("Dense layer × 6", "64 → 256")


def test_layers_of_repeated_blocks_are_drawn_once() -> None:
    design = effviz.architecture("mobilenet_v2")
    drawn = sketch(design, path="stage4", depth=LAYERS)
    assert drawn.collapsed == 2
    assert list(drawn.groups.values()) == ["stage4.0", "stage4.1 × 3"]
    total = sum(
        entry["macs"] for entry in effviz.analyze(design).table.to_dict("records") if entry["stage"] == "stage4"
    )
    _check_costs(drawn, total, sum(node.params for node in drawn.nodes))
    (expand,) = [node for node in drawn.nodes if node.id == "stage4.1.expand"]
    once = next(node for node in sketch(design, path="stage4.1").nodes if node.name == "expand")
    assert (expand.macs, expand.params) == (3 * once.macs, 3 * once.params)
    assert [edge.head for edge in drawn.edges if edge.tail == "stage4.1.add"] == ["output"]


@pytest.mark.parametrize("path", [None, "stage4", "stage4.1", "pool"])
def test_title_and_alt_text(path: str | None) -> None:
    design = effviz.architecture("mobilenet_v2")
    diagram = draw(design, path=path)
    assert diagram.alt.startswith(diagram.title)
    for node in sketch(design, path=path).nodes:
        if node.role != "merge":
            assert node.name in diagram.alt
    assert "MobileNetV2" in diagram.title
    if path == "stage4.1":
        assert diagram.title == (
            "stage4.1 of MobileNetV2: pointwise 1×1 takes 93 % of the multiply-adds, and the block 3.4 % of the "
            "network's"
        )
        assert "sum of project and input" in diagram.alt


# --- colors --------------------------------------------------------------------------------------------------------


def test_one_colour_per_kind_in_charts_and_diagrams() -> None:
    assert KIND_COLORS == style.KIND_COLORS
    for name, look in APPEARANCES.items():
        other = style.appearance(name)
        for attribute in ("ink", "muted", "grid", "accent", "outline", "paper"):
            assert getattr(look, attribute) == getattr(other, attribute)


def test_text_is_readable_on_every_kind() -> None:
    for color in KIND_COLORS.values():
        assert contrast(text_on(color), color) >= 4.5
    for look in APPEARANCES.values():
        assert contrast(look.ink, look.paper) >= 7
        assert contrast(look.muted, look.paper) >= 4.5
        # Views have no color of a kind.
        assert contrast(text_on(look.grid), look.grid) >= 4.5


@each_look
@pytest.mark.parametrize("path", [None, "stage2.0", "stage2.1"])
def test_colours_come_from_the_palette(look: str, path: str | None) -> None:
    colors = APPEARANCES[look]
    known = {*KIND_COLORS.values(), colors.ink, colors.muted, colors.grid, colors.outline, colors.paper}
    dot = draw(effviz.architecture("shufflenet_v2"), path=path, appearance=look).dot
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", dot)) <= known | {"#000000", "#FFFFFF"}
    assert "bgcolor=transparent" in dot
    assert set(re.findall(r'fontname="([^"]*)"', dot)) == {"Source Sans"}
    for node in sketch(effviz.architecture("shufflenet_v2"), path=path).nodes:
        if node.kind in KIND_COLORS:
            assert KIND_COLORS[node.kind] in dot


def test_light_and_dark_differ_in_colours_only() -> None:
    design = effviz.architecture("ghostnet")
    bare = [re.sub(r"#[0-9A-F]{6}", "", draw(design, path="stage3.0", appearance=look).dot) for look in APPEARANCES]
    assert bare[0] == bare[1]


# --- names and arguments -------------------------------------------------------------------------------------------

NASTY = '\\N</TD><B>"];x[URL="javascript:alert(1)"] \\N \\" &amp; <!-- \x00\n\u202e\u2028 -> {'


def test_names_are_text_and_nothing_else() -> None:
    name = NASTY.replace(".", "")[:60]
    rows = (
        Stage("conv", 8, 1, name=name),
        Stage("inverted_residual", 8, 3, name="input"),
        Stage("conv", 8, 2, name="-> [label=x]"),
        Stage("conv", 8, 2, name="-> {label=x}"),
    )
    design = Design(NASTY, rows, title=NASTY, resolution=16)
    paths = [None, *{entry.path for entry in design.blocks()}, name, "input"]
    for path, depth in itertools.product(paths, (None, STAGES, BLOCKS, LAYERS)):
        diagram = draw(design, path=path, depth=depth)
        dot = Dot(diagram.dot)
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", node) for node in dot.nodes)
        for text in (diagram.dot, diagram.title, diagram.alt):
            text.encode()
            assert all(char.isprintable() or char in "\n\t" for char in text)
        for attributes in dot.nodes.values():
            assert "URL" not in attributes
            # Graphviz would replace \N by the name of the node.
            assert "\\" not in attributes["label"]
    assert "&#92;N&lt;/TD&gt;&lt;B&gt;" in draw(design).dot


def test_long_names_are_cut() -> None:
    design = Design("x", (Stage("conv", 8, 2, name="n" * 60),), title="t" * 2_000, resolution=8)
    for path in (None, f"{'n' * 60}.0"):
        diagram = draw(design, path=path)
        assert max(len(_words(node["label"])) for node in Dot(diagram.dot).nodes.values()) < 250
        assert len(diagram.title) <= 300


@pytest.mark.parametrize("path", ["", ".", "stage4.", "stage4.99", "stage4.1.expand", "stem.0", "STEM", "x" * 10_000])
def test_an_unknown_path_lists_what_exists(path: str) -> None:
    with pytest.raises(DesignError) as caught:
        draw(effviz.architecture("mobilenet_v2"), path=path)
    assert "stem, stage1.0, stage2.0 to stage2.1, stage3.0 to stage3.2, stage4.0 to stage4.3" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_near_path_is_suggested() -> None:
    with pytest.raises(DesignError, match=r"^path = 'stage4\.4' is unknown; did you mean 'stage4\.3'\? Blocks: stem, "):
        draw(effviz.architecture("mobilenet_v2"), path="stage4.4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": 4}, "path = 4 must be text or None"),
        ({"depth": 0}, "depth = 0 must be at least 1"),
        ({"depth": 4}, "depth = 4 must be at most 3"),
        ({"depth": True}, "depth = True must be an integer"),
        ({"resolution": 0}, "resolution = 0 must be at least 1"),
        ({"resolution": "big"}, "resolution = 'big' must be an integer or a pair (height, width)"),
        ({"appearance": "sepia"}, "appearance = 'sepia' must be one of light, dark"),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(message)}$"):
        draw(effviz.architecture("mobilenet_v2"), **arguments)


def test_only_designs_are_drawn() -> None:
    with pytest.raises(DesignError, match=r"^design = 'mobilenet_v2' must be a Design; "):
        draw("mobilenet_v2")  # type: ignore[arg-type]


def test_a_network_that_cannot_be_built_names_the_layer() -> None:
    with pytest.raises(DesignError, match=r"^max_pool3: kernel_size = 3 spans 3 pixels"):
        draw(effviz.architecture("alexnet"), 32)


def test_a_diagram_with_too_many_nodes_has_a_note() -> None:
    diagram = draw(effviz.architecture("efficientnet_b7"), depth=LAYERS)
    assert diagram.depth == BLOCKS
    assert re.fullmatch(
        r"Drawn by blocks: by layers it would have \d+ nodes, and more than 60 are not readable\.", diagram.note
    )
    assert diagram.note in diagram.alt


@pytest.mark.parametrize("depth", [None, STAGES, BLOCKS, LAYERS])
def test_hundreds_of_stages_share_nodes(depth: int | None) -> None:
    rows = tuple(Stage("conv", 8 + index % 3, name=f"s{index}") for index in range(200))
    design = Design("long", rows, resolution=4)
    drawn, diagram = sketch(design, depth=depth), draw(design, depth=depth)
    assert len(drawn.nodes) <= MAX_NODES
    assert drawn.nodes[1].name == "s0.0 to s3.0"
    assert drawn.collapsed == 150
    report = effviz.analyze(design)
    _check_costs(drawn, report.macs, report.params)
    assert diagram.note.endswith("200 stages share 50 nodes, because more than 60 are not readable.")


def test_a_design_without_multiply_adds_is_drawn() -> None:
    design = Design("pools", (Stage("max_pool", stride=2, name="a"), Stage("flatten", name="b")), resolution=8)
    assert draw(design).title == "pools at 8 px: no multiply-adds"
    assert Dot(draw(design, path="b").dot).nodes


def test_an_operation_without_a_counterpart_in_effviz_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Merge.forward

    def louder(self: Merge, x: Tensor) -> Tensor:
        return torch.sqrt(torch.abs(forward(self, x)))

    monkeypatch.setattr(Merge, "forward", louder)
    recording.record.cache_clear()
    try:
        drawn = sketch(effviz.architecture("mobilenet_v2"), path="stage4.1")
        assert [(node.role, node.name) for node in drawn.nodes[-4:-1]] == [
            ("merge", "add"),
            ("other", "abs"),
            ("other", "sqrt"),
        ]
        _check_reachable(drawn)
        dot = Dot(to_dot(drawn, APPEARANCES["dark"]))
        assert _words(dot.nodes["stage4.1.sqrt"]["label"]).startswith("sqrt")
    finally:
        recording.record.cache_clear()


# --- determinism and speed -----------------------------------------------------------------------------------------

SAME = """
import sys
import effviz
from effviz.backend.diagram.draw import draw
assert "torchview" not in sys.modules, "torchview is imported before the first drawing"
assert not {"plotly", "pandas", "streamlit"} & set(sys.modules)
design = effviz.architecture("ghostnet")
print(draw(design).dot, draw(design, path="stage3.0").dot)
"""


def test_equal_input_gives_equal_text() -> None:
    """In another process with other hashes, which also checks what drawing imports."""
    design = effviz.architecture("ghostnet")
    here = f"{draw(design).dot} {draw(design, path='stage3.0').dot}\n"
    done = subprocess.run(
        [sys.executable, "-c", SAME],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        timeout=120,
        text=True,
        encoding="utf-8",
    )
    assert done.stdout == here


def test_a_network_is_drawn_by_stages() -> None:
    design = effviz.architecture("mobilenet_v2")
    assert draw(design) == draw(design, depth=STAGES)
    assert sketch(design) == sketch(design, depth=STAGES)


def test_a_diagram_is_cached() -> None:
    design = effviz.architecture("mobilenet_v2")
    assert draw(design, path="stage4.1") is draw(Design.from_json(design.to_json()), path="stage4.1")
    assert draw(design, path="stage4.1") is not draw(design, 192, path="stage4.1")


def test_drawing_does_not_depend_on_the_size_of_the_image() -> None:
    """The meta device allocates nothing; this image alone would take 3 GB."""
    diagram = draw(effviz.architecture("mobilenet_v2"), 16_384, path="stage1.0")
    assert "32 × 8192 × 8192" in diagram.dot


def test_a_block_is_drawn_in_half_a_second() -> None:
    design = effviz.architecture("ghostnet")
    draw(design, path="stage3.0")
    times = []
    for resolution in (225, 226, 227, 228, 229):
        recording.record.cache_clear()
        start = time.perf_counter()
        draw(design, resolution, path="stage3.0")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


# --- the job -------------------------------------------------------------------------------------------------------


def _job(payload: Mapping[str, Any], *, cancelled: bool = False) -> tuple[dict[str, Any], list[float]]:
    heard: list[float] = []
    result = job.run(dict(payload), lambda done, message: heard.append(done), lambda: cancelled)
    return result, heard


def test_the_job_is_draw_in_json() -> None:
    design = effviz.architecture("shufflenet_v2")
    payload = {"design": design.to_json(), "path": "stage2.1", "appearance": "dark", "resolution": 192, "depth": None}
    result, heard = _job(payload | {"memory": 2**30})
    assert Diagram(**json.loads(json.dumps(result))) == draw(design, 192, path="stage2.1", appearance="dark")
    assert heard == [0.0, 1.0]
    assert _job({"design": design.to_json()})[0] == _job(payload | {"path": None, "resolution": None})[0] | {
        "dot": draw(design).dot
    }


def test_the_job_passes_errors_on() -> None:
    with pytest.raises(DesignError, match=r"^the text is not JSON"):
        _job({"design": "{"})
    with pytest.raises(DesignError, match=r"^path = 'x' is unknown\. Blocks: stem"):
        _job({"design": effviz.architecture("vgg16").to_json().replace("stage1", "stem"), "path": "x"})
    with pytest.raises(Cancelled):
        _job({"design": effviz.architecture("vgg16").to_json()}, cancelled=True)


def test_nodes_are_hashable_and_plain() -> None:
    """Sketches can be compared and cached."""
    drawn = sketch(effviz.architecture("mobilenet_v2"), path="stage4.1")
    assert len({*drawn.nodes}) == len(drawn.nodes)
    assert drawn == sketch(effviz.architecture("mobilenet_v2"), path="stage4.1")
    assert isinstance(drawn.nodes[0], Node)


def test_marked_stages_say_in_words_how_they_differ() -> None:
    marks = {"stem": "edited", "stage2": "added", "head": "removed"}
    plain, marked = (draw(effviz.architecture("mobilenet_v2"), marks=each) for each in (None, marks))
    for text in ("+ added", "\N{MINUS SIGN} removed", "≠ edited"):
        assert marked.dot.count(text) == 1
        assert text not in plain.dot
    assert "stem (3×3 conv, stride 2, 3 → 32, BN, ReLU6), edited to" in marked.alt
    assert marked.title == plain.title
    with pytest.raises(DesignError, match="mark"):
        draw(effviz.architecture("mobilenet_v2"), marks={"stem": "new"})
