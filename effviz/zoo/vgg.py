"""VGG-16."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def vgg16() -> Design:
    """VGG-16 (configuration D), arXiv 1409.1556, table 1."""

    def convs(c: int, n: int, index: int) -> tuple[Stage, Stage]:
        return (
            Stage("conv", c, n, norm=False, name=f"stage{index}"),
            fixed(Stage("max_pool", stride=2, kernel_size=2, name=f"max_pool{index}")),
        )

    return Design(
        name="vgg16",
        title="VGG-16",
        family="VGG",
        source="arXiv 1409.1556, table 1, configuration D",
        stages=table(
            convs(64, 2, 1),
            convs(128, 2, 2),
            convs(256, 3, 3),
            convs(512, 3, 4),
            convs(512, 3, 5),
            fixed(Stage("adaptive_avg_pool", output_size=7, name="pool")),
            fixed(Stage("linear", 4096, activation="relu", name="fc1")),
            fixed(Stage("linear", 4096, activation="relu", dropout=0.5, name="fc2")),
            Stage("linear", 1000, dropout=0.5, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper has no width multiplier"),
        notes=(
            "An adaptive pool to 7 × 7 ahead of the classifier, as in torchvision, keeps the parameters independent of "
            "the resolution.",
            "Papers print 15.3 G multiply-adds, the convolutions alone; with the classifier they are 15.47 G.",
        ),
    )


PUBLISHED = "2014-09"
ARCHITECTURES = {"vgg16": vgg16}
