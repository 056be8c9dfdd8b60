"""ConvNeXt-T."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def convnext_tiny() -> Design:
    """ConvNeXt-T, arXiv 2201.03545, table 9."""

    def norm(name: str) -> Stage:
        return fixed(Stage("layer_norm", name=name))

    def conv(c: int, size: int, name: str) -> Stage:
        return fixed(
            Stage("conv", c, 1, size, kernel_size=size, padding=0, norm=False, activation="none", name=name)
        )  # fmt: skip

    def blocks(n: int, index: int) -> Stage:
        return Stage("convnext_block", None, n, name=f"stage{index}")

    return Design(
        name="convnext_tiny",
        title="ConvNeXt-T",
        family="ConvNeXt",
        source="arXiv 2201.03545, table 9; facebookresearch/ConvNeXt",
        stages=table(
            conv(96, 4, "stem"),
            norm("stem"),
            blocks(3, 1),
            norm("downsample1"),
            conv(192, 2, "downsample1"),
            blocks(3, 2),
            norm("downsample2"),
            conv(384, 2, "downsample2"),
            blocks(9, 3),
            norm("downsample3"),
            conv(768, 2, "downsample3"),
            blocks(3, 4),
            fixed(Stage("global_avg_pool", name="pool")),
            norm("norm"),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper varies the width from 96 (T) to 256 (XL)"),
        stochastic_depth=0.1,
        notes=(
            "The 1×1 convolutions of a block are linear layers in the authors' code; the counts are equal.",
            "Layer norm and the scale per channel have parameters, which thop does not count.",
        ),
    )


PUBLISHED = "2022-01"
ARCHITECTURES = {"convnext_tiny": convnext_tiny}
