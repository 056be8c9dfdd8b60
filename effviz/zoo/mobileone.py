"""MobileOne-S0 in its inference form."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def mobileone_s0() -> Design:
    """MobileOne-S0 after reparameterization, arXiv 2206.04040."""

    def row(c: int, n: int, name: str) -> Stage:
        return Stage("mobileone_block", c, n, 2, name=name)

    return Design(
        name="mobileone_s0",
        title="MobileOne-S0",
        family="MobileOne",
        source="arXiv 2206.04040; apple/ml-mobileone",
        stages=table(
            fixed(Stage("conv", 48, 1, 2, norm=False, name="stem")),
            #     c   n
            row( 48,  2, "stage1"),
            row(128,  8, "stage2"),
            row(256, 10, "stage3"),
            row(1024, 1, "stage4"),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper's sizes S0 to S4 have one multiplier per stage"),
        notes=(
            "The inference form: each convolution has a bias and no batch norm. The training form has four parallel "
            "branches per convolution, 5.29 M parameters and 1.05 G multiply-adds.",
        ),
    )  # fmt: skip


PUBLISHED = "2022-06"
ARCHITECTURES = {"mobileone_s0": mobileone_s0}
