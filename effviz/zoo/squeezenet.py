"""SqueezeNet 1.1."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def squeezenet1_1() -> Design:
    """SqueezeNet 1.1, arXiv 1602.07360 with the authors' later changes (forresti/SqueezeNet, SqueezeNet_v1.1)."""

    def fire(s1x1: int, e1x1: int, e3x3: int, n: int, name: str) -> Stage:
        return Stage("fire", None, n, squeeze=s1x1, expand1x1=e1x1, expand3x3=e3x3, name=name)

    def pool(index: int) -> Stage:
        return fixed(Stage("max_pool", stride=2, kernel_size=3, padding=0, ceil_mode=True, name=f"max_pool{index}"))

    return Design(
        name="squeezenet1_1",
        title="SqueezeNet 1.1",
        family="SqueezeNet",
        source="arXiv 1602.07360, table 1; forresti/SqueezeNet, SqueezeNet_v1.1",
        stages=table(
            fixed(Stage("conv", 64, 1, 2, norm=False, padding=0, name="stem")),
            pool(1),
            #   s1x1 e1x1 e3x3 n
            fire( 16,  64,  64, 2, "stage1"),
            pool(2),
            fire( 32, 128, 128, 2, "stage2"),
            pool(3),
            fire( 48, 192, 192, 2, "stage3"),
            fire( 64, 256, 256, 2, "stage3"),
            fixed(Stage("dropout", p=0.5, name="dropout")),
            Stage("conv", 1000, kernel_size=1, norm=False, width="classes", depth="fixed", name="classifier"),
            fixed(Stage("global_avg_pool", name="pool")),
            fixed(Stage("flatten", name="flatten")),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper has no width multiplier"),
        notes=(
            "The MobileNet paper prints 1,700 M multiply-adds for SqueezeNet 1.0, about twice the exact 819 M.",
        ),
    )  # fmt: skip


PUBLISHED = "2016-02"
ARCHITECTURES = {"squeezenet1_1": squeezenet1_1}
