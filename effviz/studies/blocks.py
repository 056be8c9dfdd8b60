"""One block as a network of one row: its fields, the values that can be built, and its cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, look_up
from effviz.count.kinds import DEPTHWISE, VIEW
from effviz.count.report import Report
from effviz.count.rows import LayerSums
from effviz.count.words import reader_name
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import Field, declared
from effviz.model.layers import Branches, Conv2d, pair, shape_text
from effviz.model.stage import Stage
from effviz.model.trace import TraceStep

# Fields without a control: they change how a block is written or trained, not its structure.
_FIXED = (
    "drop_prob",
    "padding",
    "dilation",
    "norm",
    "expand_divisor",
    "se_divisor",
    "always_expand",
    "conv_bias",
    "equal_branches",
)
ROW = "block"


@dataclass(frozen=True)
class BlockPreset:
    """A block with the settings of a paper."""

    title: str  # on screen
    block: str  # name in `effviz.model.blocks.BLOCKS`
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)  # where they differ from the defaults
    repeats: int = 1  # blocks of one pattern, 2 for the VGG pair
    plain: str = ""  # what it is, where its name is not explained

    @property
    def short(self) -> str:
        """The name beside a number."""
        return self.plain or self.title.partition(",")[0]


PRESETS = {
    "inverted_residual": BlockPreset("Inverted residual (MobileNetV2)", "inverted_residual"),
    "inverted_residual_v3": BlockPreset(
        "Inverted residual with SE (MobileNetV3)",
        "inverted_residual",
        {"se_ratio": 0.25, "activation": "hardswish", "kernel_size": 5},
    ),
    "separable": BlockPreset("Depthwise separable (MobileNetV1)", "depthwise_separable"),
    "mbconv": BlockPreset("MBConv (EfficientNet)", "mbconv"),
    "fused_mbconv": BlockPreset("Fused-MBConv (EfficientNetV2)", "fused_mbconv"),
    "shuffle_v1": BlockPreset("ShuffleNet V1 unit", "shuffle_unit_v1"),
    "shuffle_v2": BlockPreset("ShuffleNet V2 unit", "shuffle_unit_v2"),
    "ghost_module": BlockPreset("Ghost module", "ghost_module"),
    "ghost_module_dfc": BlockPreset("Ghost module with DFC attention", "ghost_module_dfc"),
    "ghost_bottleneck": BlockPreset("Ghost bottleneck", "ghost_bottleneck"),
    "squeeze_excite": BlockPreset("Squeeze-and-excitation", "squeeze_excite"),
    "basic": BlockPreset("ResNet basic block", "basic_block"),
    "bottleneck": BlockPreset("ResNet bottleneck", "bottleneck"),
    "resnext": BlockPreset("ResNeXt block", "bottleneck", {"groups": 32, "bottleneck_ratio": 0.5}),
    "vgg": BlockPreset("VGG pair, two 3×3", "conv", {"norm": False}, 2, "two 3×3 convolutions"),
    "dense": BlockPreset("Dense layer (DenseNet)", "dense_layer"),
    "condense": BlockPreset("Dense layer (CondenseNet)", "condense_layer"),
}
"""Blocks of the page, by name."""


@dataclass(frozen=True)
class Place:
    """The position of a block in a network."""

    in_channels: int = 96  # of the input map
    out_channels: int = 96  # requested; a block that keeps or derives its width ignores it
    stride: int = 1  # of the block; ignored by a block without stride
    resolution: int = 14  # side of the input map, in pixels


def fields_of(name: str) -> list[Field]:
    """Return the fields with a control, with the defaults of the preset."""
    chosen = look_up("block", name, PRESETS)
    shown = [each for each in declared(BLOCKS[chosen.block]) if each.name not in _FIXED and not each.optional]
    return [Field(**(vars(each) | {"default": chosen.fields.get(each.name, each.default)})) for each in shown]


def matters(entry: Field, values: Mapping[str, Any]) -> bool:
    """Return whether a field has an effect beside the other `values`."""
    return entry.name != "se_bias" or values["se_ratio"] > 0


def changed(name: str, values: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    """Return the fields whose values differ from those of the preset, with these values."""
    entries = [(entry, values.get(entry.name, entry.default)) for entry in fields_of(name)]
    return [(entry, value) for entry, value in entries if value != entry.default and matters(entry, values)]


def design(name: str, place: Place, values: Mapping[str, Any] | None = None) -> Design:
    """Return a network that consists of this block; the preset has the fields that are not among `values`.

    Raises:
        DesignError: a value is illegal, or the block rejects the position; the message names the relation.
    """
    return _design(name, place, tuple(sorted((values or {}).items())))


@remembered
def _design(name: str, place: Place, values: tuple[tuple[str, Any], ...]) -> Design:
    chosen = look_up("block", name, PRESETS)
    kind = BLOCKS[chosen.block]
    out, stride = place.out_channels if kind.has_out_channels else None, place.stride if kind.has_stride else 1
    fields = {**chosen.fields, **dict(values)}
    row = Stage(chosen.block, out, chosen.repeats, stride, name=ROW, depth="fixed", **fields)
    return Design(
        chosen.block, (row,), chosen.title, "Block", resolution=place.resolution, in_channels=place.in_channels
    )


def problem(name: str, place: Place, values: Mapping[str, Any] | None = None) -> str:
    """Return why the block cannot be built at this position; empty if it can."""
    return _problem(name, place, tuple(sorted((values or {}).items())))


# The controls of a page check every usual value of every field.
@remembered
def _problem(name: str, place: Place, values: tuple[tuple[str, Any], ...]) -> str:
    try:
        made = _design(name, place, values)
        made.blocks()
        made.layer()
    except DesignError as error:
        return str(error)
    return ""


def legal(name: str, place: Place, values: Mapping[str, Any], entry: Field) -> list[Any]:
    """Return the usual values of a field at which the block can be built, with the other `values` unchanged.

    The list is empty if no value is legal.
    """
    usual: Iterable[Any] = entry.choices
    if entry.kind == "bool":
        usual = (False, True)
    elif entry.kind in ("int", "float"):
        usual = sorted({*entry.choices, entry.default})
    if entry.is_free and not problem(name, place, values):
        return list(usual)
    return [value for value in usual if not problem(name, place, {**values, entry.name: value})]


def settle(name: str, place: Place, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the largest legal number of groups at most as large, if the block needs it."""
    settled = dict(values)
    groups = next((entry for entry in fields_of(name) if entry.name == "groups"), None)
    if groups is not None and problem(name, place, settled):
        wanted = settled.get("groups", groups.default)
        possible = [count for count in legal(name, place, settled, groups) if count <= wanted]
        if possible:
            settled["groups"] = max(possible)
    return settled


def adapt(name: str, place: Place, values: Mapping[str, Any]) -> tuple[Place, dict[str, Any]]:
    """Return the nearest position and values at which the block can be built.

    ShuffleNet units keep the width at stride 1, widen at stride 2, and need halves or groups of the channels.
    """
    settled = settle(name, place, values)
    if not problem(name, place, settled):
        return place, settled
    for step in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128):
        wide = _nearest(place.in_channels, step)
        narrow = _nearest(place.out_channels, step)
        for out in (narrow, wide, 2 * wide):
            tried = replace(place, in_channels=wide, out_channels=out)
            settled = settle(name, tried, values)
            if not problem(name, tried, settled):
                return tried, settled
    return place, dict(values)


def _nearest(channels: int, step: int) -> int:
    return max(step, round(channels / step) * step)


def sublayer(step: TraceStep) -> str:
    """Return the name of the part of a block that contains a layer: ``expand``, ``squeeze excite``, ``add``."""
    parts = step.path.split(".")[1:]
    number = ""
    if parts and parts[0].isdecimal():
        number, parts = f" {int(parts[0]) + 1}", parts[1:]
    if isinstance(step.layer, Branches):
        parts = [*parts, step.layer.merge]
    elif len(parts) > 1 and parts[-1] in ("conv", "norm", "act"):
        parts = parts[:-1]
    words = [part for part in parts if part not in ("residual", "concat")]
    if isinstance(step.layer, Branches) and step.layer.merge == "concat":
        words.append("concat")
    if "squeeze_excite" in words[:-1]:
        words = words[: words.index("squeeze_excite") + 1]
    return f"{' '.join(reader_name(word, '') or word for word in words[:2])}{number}"


def sublayer_sums(report: Report) -> dict[tuple[str, str], LayerSums]:
    """Return the sums of a block by part and layer kind, without views."""
    found: dict[tuple[str, str], LayerSums] = {}
    for step, row in zip(report.steps, report.rows, strict=True):
        if row.kind != VIEW:
            key = sublayer(step), row.kind
            found[key] = found.get(key, LayerSums()) + row
    return found


def output_text(report: Report) -> str:
    """Write the shape of a network's output: ``"96 × 14 × 14"``."""
    return shape_text(report.steps[-1].output.shape)


def inner_channels(report: Report) -> int | None:
    """Return the most channels in a layer with a window, which are those inside a bottleneck; None without one."""
    convs = [step.layer for step in report.steps if isinstance(step.layer, Conv2d)]
    return max((conv.out_channels for conv in convs if max(pair(conv.kernel_size)) > 1), default=None)


class Shares(NamedTuple):
    """Shares of some layers in a block's totals."""

    macs: float
    memory_access: float


def depthwise_shares(report: Report) -> Shares | None:
    """Return the shares of the depthwise layers; None for a block without any, or with nothing else."""
    rows = [row for row in report.rows if row.kind == DEPTHWISE]
    macs = sum(row.macs for row in rows)
    if not 0 < macs < report.macs:
        return None
    access = sum(row.memory_access for row in rows)
    return Shares(macs / report.macs, access / max(report.memory_access, 1))


def heaviest_layer(report: Report) -> tuple[str, int]:
    """Return path and multiply-adds of the layer with the most of them."""
    row = max(report.rows, key=lambda row: row.macs)
    return row.path, row.macs


check_border(globals())
