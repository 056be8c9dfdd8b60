"""CondenseNet in its converted form, with standard group convolutions."""

from effviz.core.errors import fail, whole
from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule

_GROUPS = (4, 8)


def condensenet(groups: int = 4) -> Design:
    """CondenseNet-74, arXiv 1711.09224, section 4.2, for one number of groups and condensation factor."""
    groups = whole("groups", groups)
    if groups not in _GROUPS:
        fail("groups", groups, f"must be one of {', '.join(map(str, _GROUPS))}: no other models were published")

    def dense(k: int, n: int, index: int) -> Stage:
        return Stage("condense_layer", None, n, growth=k, groups=groups, condense_factor=groups, name=f"stage{index}")

    def pool(index: int) -> Stage:
        return fixed(Stage("avg_pool", stride=2, name=f"transition{index}"))

    return Design(
        name="condensenet",
        title=f"CondenseNet-74 (G = C = {groups})",
        family="CondenseNet",
        source="arXiv 1711.09224, section 4.2; ShichenLiu/CondenseNet",
        stages=table(
            fixed(Stage("conv", 16, 1, 2, norm=False, bias=False, activation="none", name="stem")),
            dense(8, 4, 1),
            pool(1),
            dense(16, 6, 2),
            pool(2),
            dense(32, 8, 3),
            pool(3),
            dense(64, 10, 4),
            pool(4),
            dense(128, 8, 5),
            fixed(Stage("norm_act", name="norm")),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("condense_linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(groups, source="stem and growth in multiples of the groups; the paper varies C instead"),
        notes=(
            "The converted network: each group reads the input channels that training has kept. Training itself uses "
            "the larger network with all connections.",
            "Pooling keeps all channels between stages, so every layer can read the features of all earlier layers.",
            "The authors' 529 M and 274 M multiply-adds also count ReLU and average pooling.",
        ),
    )


PUBLISHED = "2017-11"
ARCHITECTURES = {"condensenet": condensenet}
ALIASES = {"condensenet_74": ("condensenet", 1.0)}
GROUPS = {"condensenet": _GROUPS}
