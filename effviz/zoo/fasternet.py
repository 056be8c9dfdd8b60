"""FasterNet-T0."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def fasternet_t0() -> Design:
    """FasterNet-T0, arXiv 2303.03667."""

    def merge(c: int, size: int, name: str) -> Stage:
        return fixed(Stage("conv", c, 1, size, kernel_size=size, padding=0, activation="none", name=name))

    def blocks(n: int, index: int) -> Stage:
        return Stage("fasternet_block", None, n, activation="gelu", name=f"stage{index}")

    return Design(
        name="fasternet_t0",
        title="FasterNet-T0",
        family="FasterNet",
        source="arXiv 2303.03667, section 3.3; JierunChen/FasterNet",
        stages=table(
            merge(40, 4, "stem"),
            blocks(1, 1),
            merge(80, 2, "merging1"),
            blocks(2, 2),
            merge(160, 2, "merging2"),
            blocks(8, 3),
            merge(320, 2, "merging3"),
            blocks(2, 4),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage(
                "conv", 1280, kernel_size=1, norm=False, bias=False, activation="gelu", width="fixed", depth="fixed",
                name="head",
            ),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(4, source="multiples of 4, the channels per convolved one; T1 is T0 at 1.6, T2 at 2.4"),
        notes=(
            "The concatenation of a partial convolution copies all channels. The paper counts no such copy, because "
            "the authors' inference code overwrites the convolved channels in place.",
        ),
    )  # fmt: skip


PUBLISHED = "2023-03"
ARCHITECTURES = {"fasternet_t0": fasternet_t0}
