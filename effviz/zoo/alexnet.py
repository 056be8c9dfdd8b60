"""AlexNet."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def alexnet() -> Design:
    """AlexNet, one tower: arXiv 1404.5997 ("one weird trick"), as in torchvision."""

    def conv(c: int, k: int, s: int, padding: int, n: int, name: str) -> Stage:
        return Stage("conv", c, n, s, kernel_size=k, padding=padding, norm=False, name=name)

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
            "This is the one-tower network of 2014 that torchvision has; the two-tower original of 2012 has 62.4 M "
            "parameters and 1.13 G multiply-adds.",
            "An adaptive pool to 6 x 6 ahead of the classifier keeps the parameters independent of the resolution.",
        ),
    )  # fmt: skip


PUBLISHED = "2014-04"
ARCHITECTURES = {"alexnet": alexnet}
