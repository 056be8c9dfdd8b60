"""Networks that some sources build differently; None for a network to which the difference does not apply."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from effviz.core.arguments import check_border
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule
from effviz.zoo import variant

# Channels and groups of the convolutions in each row of the zoo's AlexNet.
_ALEXNET = {"stem": [(96, 1)], "stage1": [(256, 2)], "stage2": [(384, 1)], "stage3": [(384, 2), (256, 2)]}


def wide_head(design: Design) -> Design | None:
    """Return MobileNetV3-Small with the head of 1,280 channels that the first versions of the paper have."""
    if design.name != "mobilenet_v3_small":
        return None
    return _head(design, out_channels=1280)


def early_stride(design: Design) -> Design | None:
    """Return a ResNet with the strides of the paper, in the first 1x1 of a bottleneck; libraries have it in the 3x3."""
    if not any(row.block == "bottleneck" for row in design.stages):
        return None
    return _changed(design, lambda row: row.block == "bottleneck", stride_at="1x1")


def google(design: Design) -> Design | None:
    """Return a network whose authors print estimates of TensorFlow's converter, in some of their tables."""
    return design if design.name.startswith(("mnasnet", "mobilenet_v3")) else None


def paddle_shufflenet(design: Design) -> Design | None:
    """Return ShuffleNetV2 as PaddleClas builds it: equal branches, and 224 channels in stage 2 at width 2."""
    return variant(design.name, "teaching").applied("teaching", design) if design.name == "shufflenet_v2" else None


def paddle_mobilenet_v2(design: Design) -> Design | None:
    """Return MobileNetV2 as PaddleClas builds it: widths int(c * w), and an expansion in the first block too."""
    if design.name != "mobilenet_v2":
        return None
    return replace(_expanding(design), width_rule=WidthRule(1, 1, "down", source="PaddleClas, mobilenet_v2.py"))


def paddle_mobilenet_v3(design: Design) -> Design | None:
    """Return MobileNetV3 as PaddleClas builds it.

    It has the expanded channels of torchvision, c // 4 squeezed ones, a head of 1,280 channels, and an expansion in the
    first block too.
    """
    if design.name not in ("mobilenet_v3_large", "mobilenet_v3_small"):
        return None
    expanded = next(rule for rule in variant(design.name, "torchvision").rules if "expanded_channels" in rule.changes)
    wide = _head(_expanding(expanded.applied(design)), out_channels=1280)
    return _changed(wide, lambda row: row.block == "inverted_residual", se_divisor=1)


def pytorchcv_mobilenet(design: Design) -> Design | None:
    """Return MobileNetV3-Large as pytorchcv builds it: the 1x1 convolution after the pooling has no bias."""
    return _head(design, bias=False) if design.name == "mobilenet_v3_large" else None


def pytorchcv_shufflenet(design: Design) -> Design | None:
    """Return ShuffleNet if its units shuffle; pytorchcv counts a shuffle of one group too."""
    if design.name != "shufflenet_v1" or any(("groups", 1) in row.fields for row in design.stages):
        return None
    return design


def mobilenet_v1(design: Design) -> Design | None:
    """Return MobileNetV1. The column of width 0.75 in TF-slim leaves out its first convolution."""
    return design if design.name == "mobilenet_v1" else None


def grouped_alexnet(design: Design) -> Design | None:
    """Return AlexNet as in its paper: 96, 256, 384, 384 and 256 channels, three layers in two groups.

    torchvision builds the later version for one GPU.
    """
    if design.name != "alexnet":
        return None
    rows = []
    for row in design.stages:
        widths = _ALEXNET.get(row.name, ())
        rows += [row.with_changes(out_channels=width, groups=groups, repeats=1) for width, groups in widths] or [row]
    return replace(design, stages=tuple(rows))


def _expanding(design: Design) -> Design:
    return _changed(design, lambda row: row.block == "inverted_residual", always_expand=True)


def _head(design: Design, **changes: Any) -> Design:
    return _changed(design, lambda row: row.name == "head", **changes)


def _changed(design: Design, chosen: Callable[[Stage], bool], **changes: Any) -> Design:
    rows = (row.with_changes(**changes) if chosen(row) else row for row in design.stages)
    return replace(design, stages=tuple(rows))


check_border(globals())
