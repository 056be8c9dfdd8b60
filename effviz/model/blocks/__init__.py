"""The blocks of the papers, each with fields and an `expand()` into simpler layers.

A row of a design names a block. The declarations of its fields (unit, legal values, default, help) generate the
controls of the pages, the JSON checks and the documentation. `BLOCKS` lists all blocks, in the order of the imports.
"""

# isort: off
from effviz.model.blocks.basic import ConvBNAct, Depthwise, depthwise, pointwise
from effviz.model.blocks.mobile import (
    DepthwiseSeparable,
    FusedMBConv,
    InvertedResidual,
    MBConv,
    MobileOneBlock,
    SqueezeExcite,
    UniversalInvertedBottleneck,
)
from effviz.model.blocks.shuffle import ShuffleUnitV1, ShuffleUnitV2
from effviz.model.blocks.ghost import AttentiveGhostModule, GhostBottleneck, GhostModule
from effviz.model.blocks.residual import BasicBlock, Bottleneck, DenseLayer, Fire, Transition
from effviz.model.blocks.regnet import RegNetBlock
from effviz.model.blocks.convnext import ConvNeXtBlock, FasterNetBlock, LayerNormRow, PartialConv
from effviz.model.blocks.condense import CondenseLayer, CondenseLinear
from effviz.model.blocks.guideline import Fragments, PlainBottleneck
from effviz.model.blocks.rows import (
    AdaptivePool,
    AvgPool,
    DropoutRow,
    FlattenRow,
    GlobalPool,
    LinearAct,
    MaxPool,
    NormAct,
    ShuffleRow,
)
from effviz.model.blocks.composed import Composed, RecipeStep, Recipe

# isort: on
from effviz.model.fields import BLOCKS

__all__ = [
    "BLOCKS", "AdaptivePool", "AttentiveGhostModule", "AvgPool", "BasicBlock", "Bottleneck", "Composed",
    "CondenseLayer", "CondenseLinear", "ConvBNAct", "ConvNeXtBlock", "DenseLayer", "Depthwise", "DepthwiseSeparable",
    "DropoutRow", "FasterNetBlock", "Fire", "FlattenRow", "Fragments", "FusedMBConv", "GhostBottleneck", "GhostModule",
    "GlobalPool", "InvertedResidual", "LayerNormRow", "LinearAct", "MBConv", "MaxPool", "MobileOneBlock", "NormAct",
    "PartialConv", "PlainBottleneck", "Recipe", "RecipeStep", "RegNetBlock", "ShuffleRow", "ShuffleUnitV1",
    "ShuffleUnitV2", "SqueezeExcite", "Transition", "UniversalInvertedBottleneck", "depthwise", "pointwise",
]  # fmt: skip
