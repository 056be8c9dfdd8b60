"""DenseNet-121 and 169."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _densenet(layers: int, depths: tuple[int, int, int, int]) -> Design:
    """Return a network of table 1 with k = 32, from the layers of its four dense blocks."""

    def dense(n: int, index: int) -> Stage:
        return Stage("dense_layer", None, n, growth=32, name=f"stage{index}")

    def transition(index: int) -> Stage:
        return fixed(Stage("transition", stride=2, name=f"transition{index}"))

    return Design(
        name=f"densenet{layers}",
        title=f"DenseNet-{layers}",
        family="DenseNet",
        source="arXiv 1608.06993, table 1",
        stages=table(
            fixed(Stage("conv", 64, 1, 2, kernel_size=7, name="stem")),
            fixed(Stage("max_pool", stride=2, kernel_size=3, name="max_pool")),
            dense(depths[0], 1),
            transition(1),
            dense(depths[1], 2),
            transition(2),
            dense(depths[2], 3),
            transition(3),
            dense(depths[3], 4),
            fixed(Stage("norm_act", name="norm")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(4, source="stem and growth in multiples of 4; the paper varies k, the growth, instead"),
        notes=("The width multiplier scales the growth k and the stem; all other widths follow from them.",),
    )


def densenet121() -> Design:
    """DenseNet-121 (k = 32), arXiv 1608.06993, table 1."""
    return _densenet(121, (6, 12, 24, 16))


def densenet169() -> Design:
    """DenseNet-169 (k = 32), arXiv 1608.06993, table 1."""
    return _densenet(169, (6, 12, 32, 32))


PUBLISHED = "2016-08"
ARCHITECTURES = {"densenet121": densenet121, "densenet169": densenet169}
