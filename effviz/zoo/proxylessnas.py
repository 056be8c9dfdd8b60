"""ProxylessNAS for mobile phones."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _row(n: int, k: int, s: int, t: int, c: int, name: str) -> Stage:
    return Stage("inverted_residual", c, n, s, kernel_size=k, expand_ratio=t, name=name)


def proxylessnas_mobile() -> Design:
    """ProxylessNAS-Mobile, arXiv 1812.00332, figure 4."""
    return Design(
        name="proxylessnas_mobile",
        title="ProxylessNAS-Mobile",
        family="ProxylessNAS",
        source="arXiv 1812.00332, figure 4; mit-han-lab/proxylessnas",
        stages=table(
            fixed(Stage("conv", 32, 1, 2, activation="relu6", name="stem")),
            #    n  k  s  t    c
            _row(1, 3, 1, 1,  16, "stage1"),
            _row(1, 5, 2, 3,  32, "stage2"),
            _row(1, 3, 1, 3,  32, "stage2"),
            _row(1, 7, 2, 3,  40, "stage3"),
            _row(1, 3, 1, 3,  40, "stage3"),
            _row(2, 5, 1, 3,  40, "stage3"),
            _row(1, 7, 2, 6,  80, "stage4"),
            _row(3, 5, 1, 3,  80, "stage4"),
            _row(1, 5, 1, 6,  96, "stage5"),
            _row(3, 5, 1, 3,  96, "stage5"),
            _row(1, 7, 2, 6, 192, "stage6"),
            _row(1, 7, 1, 6, 192, "stage6"),
            _row(2, 7, 1, 3, 192, "stage6"),
            _row(1, 7, 1, 6, 320, "stage7"),
            Stage("conv", 1280, kernel_size=1, activation="relu6", width="at_least", depth="fixed", name="head"),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of 8, as in MobileNetV2; the search fixes the widths"),
        notes=("The search chose kernels of 7 × 7 in the later blocks of stride 2, and two blocks in stage 2.",),
    )  # fmt: skip


PUBLISHED = "2018-12"
ARCHITECTURES = {"proxylessnas_mobile": proxylessnas_mobile}
