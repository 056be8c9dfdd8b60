"""The blocks of the papers, each as fields and an `expand()` into simpler layers.

A block is one row of a design. Its fields carry their own declaration (unit, legal values, default, help), from
which pages, JSON checks and documentation are generated; `BLOCKS` names them all.
"""

from __future__ import annotations

from effviz.model.blocks.basic import (
    AdaptivePool,
    AvgPool,
    ConvBNAct,
    Depthwise,
    DropoutRow,
    FlattenRow,
    GlobalPool,
    LinearAct,
    MaxPool,
    NormAct,
    ShuffleRow,
    depthwise,
    pointwise,
)
from effviz.model.blocks.composed import Composed, Part, Recipe
from effviz.model.blocks.ghost import GhostBottleneck, GhostModule
from effviz.model.blocks.guideline import Fragments, PlainBottleneck
from effviz.model.blocks.mobile import DepthwiseSeparable, FusedMBConv, InvertedResidual, MBConv, SqueezeExcite
from effviz.model.blocks.residual import BasicBlock, Bottleneck, DenseLayer, Fire, Transition
from effviz.model.blocks.shuffle import ShuffleUnitV1, ShuffleUnitV2
from effviz.model.fields import FieldBlock

BLOCKS: dict[str, type[FieldBlock]] = {
    "conv": ConvBNAct,
    "depthwise": Depthwise,
    "depthwise_separable": DepthwiseSeparable,
    "inverted_residual": InvertedResidual,
    "mbconv": MBConv,
    "fused_mbconv": FusedMBConv,
    "squeeze_excite": SqueezeExcite,
    "shuffle_unit_v1": ShuffleUnitV1,
    "shuffle_unit_v2": ShuffleUnitV2,
    "ghost_module": GhostModule,
    "ghost_bottleneck": GhostBottleneck,
    "basic_block": BasicBlock,
    "bottleneck": Bottleneck,
    "dense_layer": DenseLayer,
    "transition": Transition,
    "fire": Fire,
    "fragments": Fragments,
    "plain_bottleneck": PlainBottleneck,
    "channel_shuffle": ShuffleRow,
    "norm_act": NormAct,
    "max_pool": MaxPool,
    "avg_pool": AvgPool,
    "adaptive_avg_pool": AdaptivePool,
    "global_avg_pool": GlobalPool,
    "flatten": FlattenRow,
    "dropout": DropoutRow,
    "linear": LinearAct,
    "composed": Composed,
}
"""Every block by the name a design's row calls it."""

__all__ = ["BLOCKS", "Part", "Recipe", *sorted(block.__name__ for block in BLOCKS.values()), "depthwise", "pointwise"]
