"""EfficientNetV2-S and M: Fused-MBConv in the early stages."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _fused(n: int, s: int, e: int, o: int, name: str) -> Stage:
    return Stage("fused_mbconv", o, n, s, expand_ratio=e, name=name)


def _mbconv(n: int, s: int, e: int, o: int, name: str) -> Stage:
    return Stage("mbconv", o, n, s, expand_ratio=e, name=name)


def _efficientnet_v2(size: str, resolution: int, dropout: float, rows: tuple[Stage, ...]) -> Design:
    return Design(
        name=f"efficientnet_v2_{size.lower()}",
        title=f"EfficientNetV2-{size}",
        family="EfficientNet",
        source="arXiv 2104.00298, table 4; google/automl efficientnetv2/effnetv2_configs.py",
        resolution=resolution,
        stages=table(
            fixed(Stage("conv", 24, 1, 2, activation="silu", name="stem")),
            rows,
            fixed(Stage("conv", 1280, kernel_size=1, activation="silu", name="head")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, dropout=dropout, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(
            8, rounding="half_up", source="google/automl effnetv2_model.py: round_filters, to the nearest multiple of 8"
        ),
        stochastic_depth=0.2,
        notes=(
            "Squeeze-and-excitation is a quarter of the block's input channels; the Fused-MBConv stages have none.",
            "A Fused-MBConv with expansion 1 is a single 3×3 convolution.",
            "The resolution is that of the evaluation; training uses smaller images, of rising size.",
        ),
    )


def efficientnet_v2_s() -> Design:
    """EfficientNetV2-S, arXiv 2104.00298, table 4."""
    rows = table(
        #       n  s  e    o
        _fused( 2, 1, 1,  24, "stage1"),
        _fused( 4, 2, 4,  48, "stage2"),
        _fused( 4, 2, 4,  64, "stage3"),
        _mbconv(6, 2, 4, 128, "stage4"),
        _mbconv(9, 1, 6, 160, "stage5"),
        _mbconv(15, 2, 6, 256, "stage6"),
    )  # fmt: skip
    return _efficientnet_v2("S", 384, 0.2, rows)


def efficientnet_v2_m() -> Design:
    """EfficientNetV2-M, google/automl effnetv2_configs.py."""
    rows = table(
        #        n  s  e    o
        _fused(  3, 1, 1,  24, "stage1"),
        _fused(  5, 2, 4,  48, "stage2"),
        _fused(  5, 2, 4,  80, "stage3"),
        _mbconv( 7, 2, 4, 160, "stage4"),
        _mbconv(14, 1, 6, 176, "stage5"),
        _mbconv(18, 2, 6, 304, "stage6"),
        _mbconv( 5, 1, 6, 512, "stage7"),
    )  # fmt: skip
    return _efficientnet_v2("M", 480, 0.3, rows)


PUBLISHED = "2021-04"
ARCHITECTURES = {"efficientnet_v2_s": efficientnet_v2_s, "efficientnet_v2_m": efficientnet_v2_m}
