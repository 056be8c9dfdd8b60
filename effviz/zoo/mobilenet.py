"""MobileNetV1, V2 and V3."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import KERAS, Variant, VariantRule, rows, widths
from effviz.model.widths import WidthRule

_POOL = fixed(Stage("global_avg_pool", name="pool"))


def _classifier(dropout: float) -> Stage:
    return Stage("linear", 1000, dropout=dropout, width="classes", depth="fixed", name="classifier")


def _v1_row(c: int, n: int, s: int, name: str) -> Stage:
    return Stage("depthwise_separable", c, n, s, name=name)


def mobilenet_v1() -> Design:
    """MobileNetV1, arXiv 1704.04861, table 1."""
    row = _v1_row
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
            "The last 1×1 convolution keeps its 1280 channels below width 1.",
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
        width_rule=WidthRule(8, source="TF-slim mobilenet_v3.py: make_divisible(c * width, 8), last 1×1 kept"),
        notes=(
            f"The last 1×1 convolution keeps its {head} channels at every width, as in the authors' code; "
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
        "Table 2 ticks squeeze-and-excitation on the last 1×1 convolution; no implementation has it.",
    )
    return _v3("mobilenet_v3_small", "Small", rows, 576, 1024, notes)


# --- Other implementations --------------------------------------------------------------------------------------------

_TRUNCATED = widths("widths int(c * w)", WidthRule(1, 1, "down", source="int(c * width), without a minimum"))

_V1_VARIANTS = {
    "timm": Variant(
        "timm",
        "timm 1.0 models/efficientnet.py, mobilenetv1",
        (widths("widths in multiples of 8", WidthRule(8, source="timm make_divisible(c * width, 8)")),),
    ),
    "keras": Variant("Keras", "Keras 3 applications/mobilenet.py", (_TRUNCATED,), (KERAS,)),
    "teaching": Variant(
        "teaching code",
        "PyTorch ports with int(c * alpha)",
        (_TRUNCATED,),
        ("It differs from the default only below width 0.25, where TF-slim keeps at least 8 channels.",),
    ),
    "teaching_stride": Variant(
        "teaching code, stride of the table",
        "arXiv 1704.04861, table 1, read literally",
        (
            VariantRule(
                "stride 2 on the last depthwise layer",
                {"name": "stage5"},
                rows=(_v1_row(1024, 1, 2, "stage5"), _v1_row(1024, 1, 2, "stage5")),
            ),
        ),
        ("The parameters do not change, and the last feature map has half of the side.",),
    ),
}

_V2_VARIANTS = {
    "teaching": Variant(
        "teaching code",
        "PyTorch ports with max(8, int(c * w))",
        (
            widths("widths max(8, int(c * w))", WidthRule(8, 8, "down", source="max(8, int(c * width))")),
            rows("head scaled below width 1 too", {"name": "head"}, width="scaled"),
        ),
    ),
    "teaching_int": Variant(
        "teaching code, int",
        "tonylins/pytorch-mobilenet-v2, first version; pytorchcv mobilenetv2",
        (
            _TRUNCATED,
            rows("1×1 expansion in the first block", {"name": "stage1"}, always_expand=True),
        ),
        ("The expansion of ratio 1 keeps the width; the paper's table has it only by its formula.",),
    ),
    "teaching_ceil": Variant(
        "teaching code, ceil",
        "tonylins/pytorch-mobilenet-v2, later version",
        (
            widths(
                "widths rounded up to multiples of 8",
                WidthRule(8, rounding="ceil", source="int(ceil(c * width / 8) * 8)"),
            ),
            rows("stem kept", {"name": "stem"}, width="fixed"),
            rows("first block kept", {"name": "stage1"}, width="fixed"),
        ),
    ),
}

_SE_TEACHING = rows(
    "squeeze c // 16 without biases", {"block": "inverted_residual", "se_ratio": 0.25},
    se_ratio=1 / 16, se_divisor=1, se_bias=False,
)  # fmt: skip
_PROPORTIONAL = rows("last 1×1 before the pool: 6 × its input", {"name": "last"}, width="proportional")
_UNROUNDED = rows("expansion round(c * t)", {"block": "inverted_residual"}, expand_divisor=1)
_SQUEEZE = rows("squeeze c // 4", {"block": "inverted_residual", "se_ratio": 0.25}, se_divisor=1)
_RATIO = rows("expand ratio 3.67 instead of 88 / 24", {"expand_ratio": 88 / 24}, expand_ratio=3.67)
_STEM_UPWARDS = rows("stem scaled upwards only", {"name": "stem"}, width="at_least")

# The column exp of tables 1 and 2.
_LARGE_EXPANDED = (16, 64, 72, 72, 120, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960)
_SMALL_EXPANDED = (16, 72, 88, 96, 240, 240, 120, 144, 288, 576, 576)


def _v3_variants(expanded: tuple[int, ...], *ratio: VariantRule) -> dict[str, Variant]:
    """Return the variants that both sizes have; `ratio` is a rule of the smaller one."""
    return {
        "torchvision": Variant(
            "torchvision",
            "torchvision models/mobilenetv3.py",
            (
                rows("expansion make_divisible(exp * w)", {"block": "inverted_residual"}, expanded_channels=expanded),
                _PROPORTIONAL,
                rows("head scaled", {"name": "head"}, width="scaled"),
            ),
        ),
        "timm": Variant(
            "timm",
            "timm 1.0 models/mobilenetv3.py",
            (_STEM_UPWARDS, *ratio),
            ("Below width 0.75, timm keeps the stem. From there to 1, rounding gives 16 channels as well.",),
        ),
        "keras": Variant(
            "Keras",
            "Keras 3 applications/mobilenet_v3.py",
            (
                rows("stem kept", {"name": "stem"}, width="fixed"),
                _PROPORTIONAL,
                rows("head scaled above width 1", {"name": "head"}, width="at_least"),
            ),
            (KERAS,),
        ),
        "teaching": Variant(
            "teaching code",
            "PyTorch ports with round(c * t) and a squeeze of c // 4",
            (*ratio, _UNROUNDED, _SQUEEZE),
        ),
        "teaching_se": Variant(
            "teaching code, SELayer",
            "moskomule/senet.pytorch: Linear(c, c // 16, bias=False)",
            (_SE_TEACHING,),
        ),
    }


_V3_LARGE_VARIANTS = _v3_variants(_LARGE_EXPANDED)
_V3_SMALL_VARIANTS = {
    "paper_early": Variant(
        "early paper",
        "arXiv 1905.02244, early versions; pytorchcv and PaddleClas",
        (rows("head of 1280 channels", {"name": "head"}, out_channels=1280),),
        ("The README of the authors' code also prints 2.9 M parameters, which needs this head.",),
    ),
    **_v3_variants(_SMALL_EXPANDED, _RATIO),
}

PUBLISHED = "2017-04"
VARIANTS = {
    "mobilenet_v1": _V1_VARIANTS,
    "mobilenet_v2": _V2_VARIANTS,
    "mobilenet_v3_small": _V3_SMALL_VARIANTS,
    "mobilenet_v3_large": _V3_LARGE_VARIANTS,
}
ARCHITECTURES = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3_small": mobilenet_v3_small,
    "mobilenet_v3_large": mobilenet_v3_large,
}
