"""EfficientNet B0 to B7: one table and three multipliers each."""

from collections.abc import Callable

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import Variant, rows, widths
from effviz.model.widths import WidthRule


def _row(n: int, k: int, s: int, e: int, o: int, name: str) -> Stage:
    return Stage("mbconv", o, n, s, kernel_size=k, expand_ratio=e, name=name)


def _efficientnet(variant: str, width: float, depth: float, resolution: int, dropout: float) -> Design:
    """The table of B0 (arXiv 1905.11946, table 1) with a variant's multipliers."""
    notes = {
        "b2": "The paper prints 9.2 M parameters; exact are 9.11 M.",
        "b4": "The paper prints 4.2 G multiply-adds; exact are 4.39 G.",
        "b5": "The paper prints 9.9 G multiply-adds; exact are 10.27 G.",
    }
    return Design(
        name=f"efficientnet_{variant}",
        title=f"EfficientNet-{variant.upper()}",
        family="EfficientNet",
        source="arXiv 1905.11946, table 1; tensorflow/tpu efficientnet_builder.py",
        resolution=resolution,
        stages=table(
            fixed(Stage("conv", 32, 1, 2, activation="silu", name="stem")),
            #    n  k  s  e    o
            _row(1, 3, 1, 1,  16, "stage1"),
            _row(2, 3, 2, 6,  24, "stage2"),
            _row(2, 5, 2, 6,  40, "stage3"),
            _row(3, 3, 2, 6,  80, "stage4"),
            _row(3, 5, 1, 6, 112, "stage5"),
            _row(4, 5, 2, 6, 192, "stage6"),
            _row(1, 3, 1, 6, 320, "stage7"),
            fixed(Stage("conv", 1280, kernel_size=1, activation="silu", name="head")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, dropout=dropout, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="tensorflow/tpu efficientnet_model.py: round_filters, multiples of 8"),
        stochastic_depth=0.2,
        notes=(
            "Squeeze-and-excitation is a quarter of the block's input channels, not of the expanded ones.",
            *([notes[variant]] if variant in notes else []),
        ),
    ).scaled(width_mult=width, depth_mult=depth)  # fmt: skip


def _maker(*coefficients: object) -> Callable[[], Design]:
    def make() -> Design:
        return _efficientnet(*coefficients)  # type: ignore[arg-type]

    make.__doc__ = f"EfficientNet-{str(coefficients[0]).upper()}, arXiv 1905.11946."
    return make


COEFFICIENTS = (
    # variant  width  depth  resolution  dropout
    ("b0",       1.0,   1.0,        224,     0.2),
    ("b1",       1.0,   1.1,        240,     0.2),
    ("b2",       1.1,   1.2,        260,     0.3),
    ("b3",       1.2,   1.4,        300,     0.3),
    ("b4",       1.4,   1.8,        380,     0.4),
    ("b5",       1.6,   2.2,        456,     0.4),
    ("b6",       1.8,   2.6,        528,     0.5),
    ("b7",       2.0,   3.1,        600,     0.5),
)  # fmt: skip
"""The released multipliers: tensorflow/tpu efficientnet_builder.py, efficientnet_params."""

# --- Other implementations --------------------------------------------------------------------------------------------

_SELAYER = rows(
    "squeeze c // 16 of the expanded channels without biases", {"block": "mbconv", "se_ratio": 0.25},
    block="inverted_residual", activation="silu", se_ratio=1 / 16, se_divisor=1, se_bias=False,
)  # fmt: skip
_VARIANTS = {
    "teaching": Variant(
        "teaching code",
        "moskomule/senet.pytorch: Linear(c, c // 16, bias=False) inside MBConv",
        (_SELAYER,),
        ("The counts of torchvision, timm and Keras equal those of the default.",),
    ),
    "teaching_ceil": Variant(
        "teaching code, ceil",
        "PyTorch ports with int(ceil(c * w / 8) * 8)",
        (
            widths(
                "widths rounded up to multiples of 8",
                WidthRule(8, rounding="ceil", source="int(ceil(c * width / 8) * 8)"),
            ),
        ),
        ("The counts of torchvision, timm and Keras equal those of the default.",),
    ),
}

PUBLISHED = "2019-05"
VARIANTS = {f"efficientnet_{row[0]}": _VARIANTS for row in COEFFICIENTS}
ARCHITECTURES = {f"efficientnet_{row[0]}": _maker(*row) for row in COEFFICIENTS}
