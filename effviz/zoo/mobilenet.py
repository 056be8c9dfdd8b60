"""MobileNetV1, V2 and V3."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule

_POOL = fixed(Stage("global_avg_pool", name="pool"))


def _classifier(dropout: float) -> Stage:
    return Stage("linear", 1000, dropout=dropout, width="classes", depth="fixed", name="classifier")


def mobilenet_v1() -> Design:
    """MobileNetV1, arXiv 1704.04861, table 1."""

    def row(c: int, n: int, s: int, name: str) -> Stage:
        return Stage("depthwise_separable", c, n, s, name=name)

    return Design(
        name="mobilenet_v1",
        title="MobileNetV1",
        family="MobileNet",
        source="arXiv 1704.04861, table 1",
        stages=table(
            fixed(Stage("conv", 32, 1, 2, name="stem")),
            #      c  n  s
            row(  64, 1, 1, "stage1"),
            row( 128, 2, 2, "stage2"),
            row( 256, 2, 2, "stage3"),
            row( 512, 6, 2, "stage4"),
            row(1024, 2, 2, "stage5"),
            _POOL,
            _classifier(0.001),
        ),
        width_rule=WidthRule(8, 8, "down", source="TF-slim mobilenet_v1.py: max(int(depth * multiplier), 8)"),
        notes=(
            "The paper's table 1 prints stride 2 on the last depthwise layer; all code has stride 1, and 569 M "
            "multiply-adds hold only then.",
        ),
    )  # fmt: skip


def mobilenet_v2() -> Design:
    """MobileNetV2, arXiv 1801.04381, table 2."""

    def row(t: int, c: int, n: int, s: int, name: str) -> Stage:
        return Stage("inverted_residual", c, n, s, expand_ratio=t, name=name)

    return Design(
        name="mobilenet_v2",
        title="MobileNetV2",
        family="MobileNet",
        source="arXiv 1801.04381, table 2",
        stages=table(
            fixed(Stage("conv", 32, 1, 2, activation="relu6", name="stem")),
            #  t   c  n  s
            row(1,  16, 1, 1, "stage1"),
            row(6,  24, 2, 2, "stage2"),
            row(6,  32, 3, 2, "stage3"),
            row(6,  64, 4, 2, "stage4"),
            row(6,  96, 3, 1, "stage5"),
            row(6, 160, 3, 2, "stage6"),
            row(6, 320, 1, 1, "stage7"),
            Stage("conv", 1280, kernel_size=1, activation="relu6", width="at_least", depth="fixed", name="head"),
            _POOL,
            _classifier(0.2),
        ),
        width_rule=WidthRule(8, source="TF-slim mobilenet_v2.py: make_divisible(c * width, 8), head max(1, width)"),
        notes=(
            "The last 1x1 convolution keeps its 1280 channels below width 1.",
            "The paper's table 4 prints 6.9 M parameters at width 1.4; every implementation has 6.11 M.",
        ),
    )  # fmt: skip


def _v3(name: str, size: str, rows: tuple[Stage, ...], last: int, head: int, notes: tuple[str, ...]) -> Design:
    return Design(
        name=name,
        title=f"MobileNetV3-{size}",
        family="MobileNet",
        source=f"arXiv 1905.02244, table {1 if size == 'Large' else 2}",
        stages=table(
            fixed(Stage("conv", 16, 1, 2, activation="hardswish", name="stem")),
            rows,
            fixed(Stage("conv", last, kernel_size=1, activation="hardswish", name="last")),
            _POOL,
            Stage("conv", head, kernel_size=1, activation="hardswish", norm=False, width="fixed", depth="fixed",
                  name="head"),
            _classifier(0.2),
        ),
        width_rule=WidthRule(8, source="TF-slim mobilenet_v3.py: make_divisible(c * width, 8), last 1x1 kept"),
        notes=(
            f"The last 1x1 convolution keeps its {head} channels at every width, as in the authors' code; "
            "torchvision scales it.",
            *notes,
        ),
    )  # fmt: skip


def _v3_row(k: int, t: float, c: int, se: str, nl: str, s: int, name: str) -> Stage:
    """One block; t is the ratio exp / in of TF-slim, from which every width rounds the expansion again."""
    activation = {"RE": "relu", "HS": "hardswish"}[nl]
    se_ratio = {"SE": 0.25, "-": 0.0}[se]
    return Stage("inverted_residual", c, 1, s, kernel_size=k, expand_ratio=t, se_ratio=se_ratio,
                 activation=activation, expand_divisor=8, name=name)  # fmt: skip


def mobilenet_v3_large() -> Design:
    """MobileNetV3-Large, arXiv 1905.02244, table 1."""
    row = _v3_row
    rows = table(
        #   k    t    c    SE   NL   s            exp in the paper
        row(3, 1.0,  16,  "-", "RE", 1, "stage1"),  #  16
        row(3, 4.0,  24,  "-", "RE", 2, "stage2"),  #  64
        row(3, 3.0,  24,  "-", "RE", 1, "stage2"),  #  72
        row(5, 3.0,  40, "SE", "RE", 2, "stage3"),  #  72
        row(5, 3.0,  40, "SE", "RE", 1, "stage3"),  # 120
        row(5, 3.0,  40, "SE", "RE", 1, "stage3"),  # 120
        row(3, 6.0,  80,  "-", "HS", 2, "stage4"),  # 240
        row(3, 2.5,  80,  "-", "HS", 1, "stage4"),  # 200
        row(3, 2.3,  80,  "-", "HS", 1, "stage4"),  # 184
        row(3, 2.3,  80,  "-", "HS", 1, "stage4"),  # 184
        row(3, 6.0, 112, "SE", "HS", 1, "stage5"),  # 480
        row(3, 6.0, 112, "SE", "HS", 1, "stage5"),  # 672
        row(5, 6.0, 160, "SE", "HS", 2, "stage6"),  # 672
        row(5, 6.0, 160, "SE", "HS", 1, "stage6"),  # 960
        row(5, 6.0, 160, "SE", "HS", 1, "stage6"),  # 960
    )  # fmt: skip
    note = "The paper prints 219 M multiply-adds in table 3 and 217 M in table 9; exact are 216.6 M."
    return _v3("mobilenet_v3_large", "Large", rows, 960, 1280, (note,))


def mobilenet_v3_small() -> Design:
    """MobileNetV3-Small, arXiv 1905.02244, table 2."""
    row = _v3_row
    rows = table(
        #   k      t   c    SE   NL   s             exp in the paper
        row(3,   1.0, 16, "SE", "RE", 2, "stage1"),  #  16
        row(3,   4.5, 24,  "-", "RE", 2, "stage2"),  #  72
        row(3, 88/24, 24,  "-", "RE", 1, "stage2"),  #  88
        row(5,   4.0, 40, "SE", "HS", 2, "stage3"),  #  96
        row(5,   6.0, 40, "SE", "HS", 1, "stage3"),  # 240
        row(5,   6.0, 40, "SE", "HS", 1, "stage3"),  # 240
        row(5,   3.0, 48, "SE", "HS", 1, "stage4"),  # 120
        row(5,   3.0, 48, "SE", "HS", 1, "stage4"),  # 144
        row(5,   6.0, 96, "SE", "HS", 2, "stage5"),  # 288
        row(5,   6.0, 96, "SE", "HS", 1, "stage5"),  # 576
        row(5,   6.0, 96, "SE", "HS", 1, "stage5"),  # 576
    )  # fmt: skip
    notes = (
        "Early versions of the paper have a 1280-wide head (2.9 M parameters); the authors' code and the last "
        "version have 1024 (2.54 M), as here.",
        "The 66 M multiply-adds of early versions fit no implementation; exact are 56.5 M.",
        "Table 2 ticks squeeze-and-excitation on the last 1x1 convolution; no implementation has it.",
    )
    return _v3("mobilenet_v3_small", "Small", rows, 576, 1024, notes)


PUBLISHED = "2017-04"
ARCHITECTURES = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3_small": mobilenet_v3_small,
    "mobilenet_v3_large": mobilenet_v3_large,
}
