"""ResNet, ResNeXt and Wide ResNet."""

from collections.abc import Callable
from typing import Any

from effviz.core.errors import fail, whole
from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import KERAS, Variant, rows
from effviz.model.widths import WidthRule

# Blocks per stage, arXiv 1512.03385, table 1.
_DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def _resnet(
    name: str, title: str, block: str, widths: tuple[int, ...], depths: tuple[int, ...], source: str,
    rule: WidthRule, notes: tuple[str, ...], **fields: Any,
) -> Design:  # fmt: skip
    strides = (1, 2, 2, 2)
    return Design(
        name=name,
        title=title,
        family="ResNet",
        source=source,
        stages=table(
            fixed(Stage("conv", 64, 1, 2, kernel_size=7, divisor=8, name="stem")),
            fixed(Stage("max_pool", stride=2, kernel_size=3, name="max_pool")),
            (
                Stage(block, c, n, s, name=f"stage{index}", **fields)
                for index, (c, n, s) in enumerate(zip(widths, depths, strides, strict=True), start=1)
            ),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=rule,
        notes=notes,
    )


def _plain(layers: int) -> Callable[[], Design]:
    def make() -> Design:
        basic = layers < 50
        note = (
            "The stride is in the 3×3 convolution, as in most libraries; with the paper's stride in the first 1×1, "
            "ResNet-50 takes 3,857,973,248 multiply-adds instead of 4,089,184,256."
        )
        return _resnet(
            f"resnet{layers}",
            f"ResNet-{layers}",
            "basic_block" if basic else "bottleneck",
            (64, 128, 256, 512) if basic else (256, 512, 1024, 2048),
            _DEPTHS[layers],
            "arXiv 1512.03385, table 1",
            WidthRule(8, source="multiples of 8; the paper has no width multiplier"),
            (
                "Where the shape changes, the shortcut is a 1×1 projection: option B of the paper.",
                *(() if basic else (note,)),
            ),
        )

    make.__doc__ = f"ResNet-{layers}, arXiv 1512.03385, table 1."
    return make


# Cardinality and width of a group at equal complexity, arXiv 1611.05431, table 2.
_GROUP_WIDTHS = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}


def resnext50_32x4d(groups: int = 32) -> Design:
    """ResNeXt-50, arXiv 1611.05431, table 1, for one cardinality of table 2; the default is 32x4d."""
    groups = whole("groups", groups)
    if groups not in _GROUP_WIDTHS:
        fail("groups", groups, f"must be one of {', '.join(map(str, _GROUP_WIDTHS))}: no other widths were published")
    # Inner channels of the first stage, whose output has 256.
    inner = groups * _GROUP_WIDTHS[groups]
    divisor = next(width for width in (64, 128) if inner * width // 256 % groups == 0)
    fits = f", so that {groups} groups divide the inner width" if groups > 1 else ""
    return _resnet(
        "resnext50_32x4d",
        f"ResNeXt-50 ({groups}x{_GROUP_WIDTHS[groups]}d)",
        "bottleneck",
        (256, 512, 1024, 2048),
        _DEPTHS[50],
        "arXiv 1611.05431, table 1" if groups == 32 else "arXiv 1611.05431, tables 1 and 2",
        WidthRule(divisor, source=f"multiples of {divisor}{fits}; the paper has no multiplier"),
        (f"The {groups} groups stay at every width; what scales is the width of a group.",) if groups > 1 else (),
        groups=groups,
        bottleneck_ratio=inner / 256,
    )


def resnext101_32x8d() -> Design:
    """ResNeXt-101 32x8d, the deeper network of arXiv 1611.05431 with groups of 8 channels, as in torchvision."""
    return _resnet(
        "resnext101_32x8d",
        "ResNeXt-101 (32x8d)",
        "bottleneck",
        (256, 512, 1024, 2048),
        _DEPTHS[101],
        "arXiv 1611.05431, section 3.1; torchvision resnext101_32x8d",
        WidthRule(32, source="multiples of 32, so that 32 groups divide the inner width; the paper has no multiplier"),
        ("The paper has 32x4d and 64x4d with 101 layers; 32x8d is from a later release by its authors.",),
        groups=32,
        bottleneck_ratio=1.0,
    )


def wide_resnet50_2() -> Design:
    """Wide ResNet-50-2, arXiv 1605.07146, section 3: twice the channels in the 3x3 convolutions."""
    return _resnet(
        "wide_resnet50_2",
        "Wide ResNet-50-2",
        "bottleneck",
        (256, 512, 1024, 2048),
        _DEPTHS[50],
        "arXiv 1605.07146, table 8; torchvision wide_resnet50_2",
        WidthRule(8, source="multiples of 8; the paper varies only the inner width"),
        ("ResNet-50 with twice the inner width of each bottleneck; the outer widths are unchanged.",),
        bottleneck_ratio=0.5,
    )


# --- Other implementations --------------------------------------------------------------------------------------------

_STRIDE = rows("stride in the first 1×1", {"block": "bottleneck"}, stride_at="1x1")
_VARIANTS = {
    "authors": Variant(
        "stride of the paper", "arXiv 1512.03385; KaimingHe/deep-residual-networks; pytorchcv resnet50", (_STRIDE,)
    ),
    "keras": Variant(
        "Keras",
        "Keras 3 applications/resnet.py",
        (
            _STRIDE,
            rows("biases in the convolutions", {"block": "bottleneck"}, conv_bias=True),
            rows("bias in the stem", {"name": "stem"}, bias=True),
        ),
        (KERAS,),
    ),
}

PUBLISHED = "2015-12"
VARIANTS = {"resnet50": _VARIANTS, "resnet101": _VARIANTS}
GROUPS = {"resnext50_32x4d": tuple(_GROUP_WIDTHS)}
ARCHITECTURES: dict[str, Callable[..., Design]] = {
    **{f"resnet{layers}": _plain(layers) for layers in _DEPTHS},
    "resnext50_32x4d": resnext50_32x4d,
    "resnext101_32x8d": resnext101_32x8d,
    "wide_resnet50_2": wide_resnet50_2,
}
