"""GhostNet and GhostNetV2."""

from dataclasses import replace

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import Variant, VariantRule
from effviz.model.widths import WidthRule


def _row(k: int, exp: int, c: int, se: float, s: int, name: str) -> Stage:
    return Stage("ghost_bottleneck", c, 1, s, kernel_size=k, expanded=exp, se_ratio=se, name=name)


def ghostnet() -> Design:
    """GhostNet, arXiv 1911.11907, table 1."""
    return Design(
        name="ghostnet",
        title="GhostNet",
        family="GhostNet",
        source="arXiv 1911.11907, table 1; huawei-noah ghostnet_pytorch",
        stages=table(
            fixed(Stage("conv", 16, 1, 2, name="stem")),
            #    k  exp    c   se   s
            _row(3,  16,  16, 0.00, 1, "stage1"),
            _row(3,  48,  24, 0.00, 2, "stage2"),
            _row(3,  72,  24, 0.00, 1, "stage2"),
            _row(5,  72,  40, 0.25, 2, "stage3"),
            _row(5, 120,  40, 0.25, 1, "stage3"),
            _row(3, 240,  80, 0.00, 2, "stage4"),
            _row(3, 200,  80, 0.00, 1, "stage4"),
            _row(3, 184,  80, 0.00, 1, "stage4"),
            _row(3, 184,  80, 0.00, 1, "stage4"),
            _row(3, 480, 112, 0.25, 1, "stage5"),
            _row(3, 672, 112, 0.25, 1, "stage5"),
            _row(5, 672, 160, 0.25, 2, "stage6"),
            _row(5, 960, 160, 0.00, 1, "stage6"),
            _row(5, 960, 160, 0.25, 1, "stage6"),
            _row(5, 960, 160, 0.00, 1, "stage6"),
            _row(5, 960, 160, 0.25, 1, "stage6"),
            fixed(Stage("conv", 960, kernel_size=1, name="last")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("conv", 1280, kernel_size=1, norm=False, width="fixed", depth="fixed", name="head"),
            Stage("linear", 1000, dropout=0.2, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(4, source="huawei-noah ghostnet_pytorch: _make_divisible(c * width, 4), 1280 kept"),
        notes=(
            "A block of stride 1 has no depthwise layer in its main branch; its kernel size acts in the shortcut.",
        ),
    )  # fmt: skip


def ghostnet_v2() -> Design:
    """GhostNetV2, arXiv 2211.12905, section 4: GhostNet's table; DFC attention from the third block on."""
    base = ghostnet()
    attentive = [row for row in base.stages if row.block == "ghost_bottleneck"][2:]
    stages = (row.with_changes(attention=True) if row in attentive else row for row in base.stages)
    return replace(
        base,
        name="ghostnet_v2",
        title="GhostNetV2",
        source="arXiv 2211.12905, section 4; huawei-noah ghostnetv2_pytorch",
        stages=tuple(stages),
        notes=(
            *base.notes,
            "DFC attention is computed at half of the resolution and enlarged by copying the nearest pixel.",
        ),
    )


# --- Other implementations --------------------------------------------------------------------------------------------

_VARIANTS = {
    "teaching": Variant(
        "teaching code",
        "PyTorch ports with int(c * w) and Ghost modules of 2 * (c // 2) channels",
        (
            VariantRule(
                "widths int(c * w), Ghost channels by floor",
                {"name": ("stem", "last")},
                {"divisor": 1},
                width_rule=WidthRule(2, rounding="floor", source="int(c * width), 2 * (c // 2) in Ghost modules"),
            ),
        ),
    ),
}

PUBLISHED = "2019-11"
VARIANTS = {"ghostnet": _VARIANTS}
ARCHITECTURES = {"ghostnet": ghostnet, "ghostnet_v2": ghostnet_v2}
