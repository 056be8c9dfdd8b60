"""MnasNet-A1 and B1."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import Variant, rows, widths
from effviz.model.widths import WidthRule


def _row(n: int, e: int, k: int, c: int, s: int, se: float, name: str) -> Stage:
    return Stage("mbconv", c, n, s, kernel_size=k, expand_ratio=e, se_ratio=se, activation="relu", name=name)


def _mnasnet(variant: str, rows: tuple[Stage, ...], notes: tuple[str, ...] = ()) -> Design:
    return Design(
        name=f"mnasnet_{variant.lower()}",
        title=f"MnasNet-{variant}",
        family="MnasNet",
        source="arXiv 1807.11626, figure 7; tensorflow/tpu mnasnet_models.py",
        stages=table(
            fixed(Stage("conv", 32, 1, 2, name="stem")),
            # SepConv: depthwise, then a linear 1x1, without a shortcut.
            Stage("mbconv", 16, expand_ratio=1, se_ratio=0, activation="relu", shortcut=False, name="stage1"),
            rows,
            Stage("conv", 1280, kernel_size=1, width="fixed", depth="fixed", name="head"),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, dropout=0.2, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="tensorflow/tpu mnasnet_models.py: round_filters, multiples of 8, head kept"),
        notes=("The last 1×1 convolution keeps its 1280 channels at every width.", *notes),
    )


def mnasnet_a1() -> Design:
    """MnasNet-A1, with squeeze-and-excitation."""
    rows = table(
        #    n  e  k    c  s    se
        _row(2, 6, 3,  24, 2, 0.00, "stage2"),
        _row(3, 3, 5,  40, 2, 0.25, "stage3"),
        _row(4, 6, 3,  80, 2, 0.00, "stage4"),
        _row(2, 6, 3, 112, 1, 0.25, "stage5"),
        _row(3, 6, 5, 160, 2, 0.25, "stage6"),
        _row(1, 6, 3, 320, 1, 0.00, "stage7"),
    )  # fmt: skip
    note = "The README of the authors' code prints multiply-adds 1 to 2 % above the exact count."
    return _mnasnet("A1", rows, (note,))


def mnasnet_b1() -> Design:
    """MnasNet-B1, without squeeze-and-excitation; torchvision's mnasnet."""
    rows = table(
        #    n  e  k    c  s  se
        _row(3, 3, 3,  24, 2, 0, "stage2"),
        _row(3, 3, 5,  40, 2, 0, "stage3"),
        _row(3, 6, 5,  80, 2, 0, "stage4"),
        _row(2, 6, 3,  96, 1, 0, "stage5"),
        _row(4, 6, 5, 192, 2, 0, "stage6"),
        _row(1, 6, 3, 320, 1, 0, "stage7"),
    )  # fmt: skip
    return _mnasnet("B1", rows)


# --- Other implementations --------------------------------------------------------------------------------------------

_SELAYER = rows(
    "squeeze c // 16 of the expanded channels without biases", {"block": "mbconv", "se_ratio": 0.25},
    block="inverted_residual", activation="relu", se_ratio=1 / 16, se_divisor=1, se_bias=False,
)  # fmt: skip
_SCALED = (
    widths("widths max(8, int(c * w))", WidthRule(8, 8, "down", source="max(8, int(c * width))")),
    rows("head scaled", {"name": "head"}, width="scaled"),
)
_SAME = "The counts of timm equal those of the default."

PUBLISHED = "2018-07"
VARIANTS = {
    "mnasnet_a1": {
        "teaching": Variant(
            "teaching code", "moskomule/senet.pytorch: Linear(c, c // 16, bias=False)", (_SELAYER,), (_SAME,)
        ),
    },
    "mnasnet_b1": {
        "teaching": Variant(
            "teaching code",
            "PyTorch ports with max(8, int(c * w))",
            _SCALED,
            ("The counts of torchvision and timm equal those of the default.",),
        ),
    },
}
ARCHITECTURES = {"mnasnet_a1": mnasnet_a1, "mnasnet_b1": mnasnet_b1}
# The names of torchvision, whose networks are B1; 1.4 is one of timm's widths.
ALIASES = {f"mnasnet{width}".replace(".", "_"): ("mnasnet_b1", width) for width in (0.5, 0.75, 1.0, 1.3, 1.4)}
