"""EfficientNet-lite: EfficientNet without squeeze-and-excitation and SiLU, for quantised inference on phones."""

from collections.abc import Callable

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _row(n: int, k: int, s: int, e: int, o: int, name: str) -> Stage:
    return Stage("mbconv", o, n, s, kernel_size=k, expand_ratio=e, se_ratio=0, activation="relu6", name=name)


def _conv(channels: int, name: str, stride: int = 1, kernel_size: int = 3) -> Stage:
    return Stage(
        "conv",
        channels,
        1,
        stride,
        kernel_size=kernel_size,
        activation="relu6",
        width="fixed",
        depth="fixed",
        name=name,
    )


def _efficientnet_lite(number: int, width: float, depth: float, resolution: int, dropout: float) -> Design:
    """The table of B0 (arXiv 1905.11946, table 1) with the changes of the lite release."""
    return Design(
        name=f"efficientnet_lite{number}",
        title=f"EfficientNet-lite{number}",
        family="EfficientNet",
        source="arXiv 1905.11946, table 1; tensorflow/tpu models/official/efficientnet/lite",
        resolution=resolution,
        stages=table(
            _conv(32, "stem", 2),
            #          n  k  s  e    o
            fixed(_row(1, 3, 1, 1,  16, "stage1")),
            _row(2, 3, 2, 6,  24, "stage2"),
            _row(2, 5, 2, 6,  40, "stage3"),
            _row(3, 3, 2, 6,  80, "stage4"),
            _row(3, 5, 1, 6, 112, "stage5"),
            _row(4, 5, 2, 6, 192, "stage6"),
            fixed(_row(1, 3, 1, 6, 320, "stage7")),
            _conv(1280, "head", kernel_size=1),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, dropout=dropout, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="tensorflow/tpu efficientnet_lite_builder.py: multiples of 8, fixed ends"),
        stochastic_depth=0.2,
        notes=(
            "Stem and head keep their width, and the first and last stage their depth, in every size.",
            "The README of the release prints multiply-adds 3 to 6 % above the exact count.",
        ),
    ).scaled(width_mult=width, depth_mult=depth)  # fmt: skip


def _maker(number: int, *coefficients: float) -> Callable[[], Design]:
    def make() -> Design:
        return _efficientnet_lite(number, *coefficients)  # type: ignore[arg-type]

    make.__doc__ = f"EfficientNet-lite{number}, after arXiv 1905.11946."
    return make


# tensorflow/tpu efficientnet_lite_builder.py, efficientnet_lite_params.
_COEFFICIENTS = (
    # number  width  depth  resolution  dropout
    (0,         1.0,   1.0,        224,     0.2),
    (1,         1.0,   1.1,        240,     0.2),
    (2,         1.1,   1.2,        260,     0.3),
    (3,         1.2,   1.4,        280,     0.3),
    (4,         1.4,   1.8,        300,     0.3),
)  # fmt: skip

PUBLISHED = "2020-03"
ARCHITECTURES = {f"efficientnet_lite{row[0]}": _maker(*row) for row in _COEFFICIENTS}
