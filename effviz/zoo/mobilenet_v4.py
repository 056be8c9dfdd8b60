"""MobileNetV4, the convolutional networks."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _uib(a: int, k: int, s: int, e: int, c: int, n: int, name: str) -> Stage:
    return Stage(
        "universal_inverted_bottleneck", c, n, s, start_kernel_size=a, kernel_size=k, expand_ratio=e, name=name
    )


def _mobilenet_v4(size: str, resolution: int, rows: tuple[Stage, ...], note: str) -> Design:
    return Design(
        name=f"mobilenet_v4_conv_{size}",
        title=f"MobileNetV4-Conv-{size[0].upper()}",
        family="MobileNet",
        source="arXiv 2404.10518, appendix; tensorflow/models official/vision, mobilenet.py",
        resolution=resolution,
        stages=table(
            Stage("conv", 32, 1, 2, width="at_least", depth="fixed", name="stem"),
            rows,
            fixed(Stage("conv", 960, kernel_size=1, name="last")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("conv", 1280, kernel_size=1, width="fixed", depth="fixed", name="head"),
            Stage("linear", 1000, dropout=0.2, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="timm: multiples of 8, stem not below 32, head kept"),
        notes=("The head after the pooling has batch norm and no bias, unlike that of MobileNetV3.", note),
    )


def mobilenet_v4_conv_small() -> Design:
    """MobileNetV4-Conv-S, arXiv 2404.10518."""
    rows = table(
        Stage("conv", 32, 1, 2, name="stage1"),
        Stage("conv", 32, kernel_size=1, name="stage1"),
        Stage("conv", 96, 1, 2, name="stage2"),
        Stage("conv", 64, kernel_size=1, name="stage2"),
        #    a  k  s  e    c  n
        _uib(5, 5, 2, 3,  96, 1, "stage3"),
        _uib(0, 3, 1, 2,  96, 4, "stage3"),
        _uib(3, 0, 1, 4,  96, 1, "stage3"),
        _uib(3, 3, 2, 6, 128, 1, "stage4"),
        _uib(5, 5, 1, 4, 128, 1, "stage4"),
        _uib(0, 5, 1, 4, 128, 1, "stage4"),
        _uib(0, 5, 1, 3, 128, 1, "stage4"),
        _uib(0, 3, 1, 4, 128, 2, "stage4"),
    )  # fmt: skip
    return _mobilenet_v4("small", 224, rows, "The paper prints 3.8 M parameters and 0.2 G multiply-adds.")


def mobilenet_v4_conv_medium() -> Design:
    """MobileNetV4-Conv-M, arXiv 2404.10518."""
    rows = table(
        Stage("fused_mbconv", 48, 1, 2, expand_ratio=4, activation="relu", name="stage1"),
        #    a  k  s  e    c  n
        _uib(3, 5, 2, 4,  80, 1, "stage2"),
        _uib(3, 3, 1, 2,  80, 1, "stage2"),
        _uib(3, 5, 2, 6, 160, 1, "stage3"),
        _uib(3, 3, 1, 4, 160, 2, "stage3"),
        _uib(3, 5, 1, 4, 160, 1, "stage3"),
        _uib(3, 3, 1, 4, 160, 1, "stage3"),
        _uib(3, 0, 1, 4, 160, 1, "stage3"),
        _uib(0, 0, 1, 2, 160, 1, "stage3"),
        _uib(3, 0, 1, 4, 160, 1, "stage3"),
        _uib(5, 5, 2, 6, 256, 1, "stage4"),
        _uib(5, 5, 1, 4, 256, 1, "stage4"),
        _uib(3, 5, 1, 4, 256, 2, "stage4"),
        _uib(0, 0, 1, 4, 256, 1, "stage4"),
        _uib(3, 0, 1, 4, 256, 1, "stage4"),
        _uib(3, 5, 1, 2, 256, 1, "stage4"),
        _uib(5, 5, 1, 4, 256, 1, "stage4"),
        _uib(0, 0, 1, 4, 256, 2, "stage4"),
        _uib(5, 0, 1, 2, 256, 1, "stage4"),
    )  # fmt: skip
    note = "The paper prints 9.2 M parameters and 1.0 G multiply-adds; the authors' code has 9.72 M and 1.08 G."
    return _mobilenet_v4("medium", 256, rows, note)


PUBLISHED = "2024-04"
ARCHITECTURES = {
    "mobilenet_v4_conv_small": mobilenet_v4_conv_small,
    "mobilenet_v4_conv_medium": mobilenet_v4_conv_medium,
}
