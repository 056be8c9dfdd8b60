"""AlexNet."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import Variant, VariantRule, rows
from effviz.model.widths import WidthRule


def _conv(c: int, k: int, s: int, padding: int, n: int, name: str) -> Stage:
    return Stage("conv", c, n, s, kernel_size=k, padding=padding, norm=False, name=name)


def alexnet() -> Design:
    """AlexNet, one tower: arXiv 1404.5997 ("one weird trick"), as in torchvision."""
    conv = _conv

    def pool(index: int) -> Stage:
        return fixed(Stage("max_pool", stride=2, kernel_size=3, padding=0, name=f"max_pool{index}"))

    return Design(
        name="alexnet",
        title="AlexNet",
        family="AlexNet",
        source="arXiv 1404.5997; torchvision alexnet",
        stages=table(
            #      c   k  s  p  n
            fixed(conv( 64, 11, 4, 2, 1, "stem")),
            pool(1),
            conv(192,  5, 1, 2, 1, "stage1"),
            pool(2),
            conv(384,  3, 1, 1, 1, "stage2"),
            conv(256,  3, 1, 1, 2, "stage3"),
            pool(3),
            fixed(Stage("adaptive_avg_pool", output_size=6, name="pool")),
            fixed(Stage("linear", 4096, dropout=0.5, activation="relu", name="fc1")),
            fixed(Stage("linear", 4096, dropout=0.5, activation="relu", name="fc2")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper has no width multiplier"),
        notes=(
            "This is the one-tower network of 2014 that torchvision has. The network of 2012 has 61.0 M parameters and "
            "0.72 G multiply-adds with two towers, 62.4 M and 1.13 G without groups.",
            "An adaptive pool to 6 × 6 ahead of the classifier keeps the parameters independent of the resolution.",
        ),
    )  # fmt: skip


# --- Other implementations --------------------------------------------------------------------------------------------

# Krizhevsky et al. 2012, figure 2: 96-256-384-384-256 channels.
_OF_2012 = (
    rows("stem of 96 channels without padding", {"name": "stem"}, out_channels=96, padding=0),
    rows("second convolution of 256 channels", {"name": "stage1"}, out_channels=256),
    VariantRule(
        "384, 384 and 256 channels in the last three convolutions",
        {"name": "stage3"},
        rows=(_conv(384, 3, 1, 1, 1, "stage3"), _conv(256, 3, 1, 1, 1, "stage3")),
    ),
    rows("pooling keeps a partly filled window", {"block": "max_pool"}, ceil_mode=True),
)
_VARIANTS = {
    "authors": Variant(
        "two towers of 2012",
        "Krizhevsky et al. 2012, figure 2; Caffe bvlc_alexnet",
        (
            *_OF_2012,
            rows("two groups, one for each GPU", {"name": ("stage1", "stage3")}, groups=2),
        ),
        ("Caffe crops 227 px, where no window is partly filled.",),
    ),
    "teaching": Variant(
        "teaching code",
        "pytorchcv alexnetb; ports of the network of 2012 without groups",
        _OF_2012,
        ("Most ports expect 227 px, where no window is partly filled.",),
    ),
}

PUBLISHED = "2014-04"
VARIANTS = {"alexnet": _VARIANTS}
ARCHITECTURES = {"alexnet": alexnet}
