"""ShuffleNetV1 and V2: widths come from published tables, not from a rule."""

from collections.abc import Callable
from itertools import pairwise

from effviz.core.errors import fail, whole
from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.variants import Variant, rows, widths
from effviz.model.widths import WidthRule

_MAX_POOL = fixed(Stage("max_pool", stride=2, kernel_size=3, name="max_pool"))
_POOL = fixed(Stage("global_avg_pool", name="pool"))
_CLASSIFIER = Stage("linear", 1000, width="classes", depth="fixed", name="classifier")

# Stage widths at scale 1, arXiv 1707.01083, table 1.
_V1_WIDTHS = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
# Stems of the published scales, megvii-model/ShuffleNet-Series ShuffleNetV1/network.py. They do not scale plainly.
_V1_STEMS = {
    1: {1.0: 24},
    2: {1.0: 24},
    3: {0.5: 12, 1.0: 24, 1.5: 24, 2.0: 48},
    4: {1.0: 24},
    8: {0.5: 16, 1.0: 24, 1.5: 24, 2.0: 48},
}


def _v1_table(groups: int) -> tuple[tuple[float, tuple[tuple[str, int], ...]], ...]:
    stages = ("stage2", "stage3", "stage4")
    return tuple(
        (scale, (("stem", stem), *((name, int(c * scale)) for name, c in zip(stages, _V1_WIDTHS[groups], strict=True))))
        for scale, stem in _V1_STEMS[groups].items()
    )


def shufflenet_v1(groups: int = 3) -> Design:
    """ShuffleNetV1, arXiv 1707.01083, table 1, for one number of groups."""
    groups = whole("groups", groups)
    if groups not in _V1_WIDTHS:
        fail("groups", groups, f"must be one of {', '.join(map(str, _V1_WIDTHS))}: no other widths were published")
    widths = _V1_WIDTHS[groups]

    def unit(c: int, n: int, s: int, name: str, *, grouped_input: bool = True) -> Stage:
        return Stage("shuffle_unit_v1", c, n, s, groups=groups, grouped_input=grouped_input, name=name)

    return Design(
        name="shufflenet_v1",
        title=f"ShuffleNetV1 (g = {groups})",
        family="ShuffleNet",
        source="arXiv 1707.01083, table 1; megvii-model/ShuffleNet-Series",
        stages=table(
            fixed(Stage("conv", 24, 1, 2, name="stem")),
            _MAX_POOL,
            unit(widths[0], 1, 2, "stage2", grouped_input=False),
            unit(widths[0], 3, 1, "stage2"),
            unit(widths[1], 8, 2, "stage3"),
            unit(widths[2], 4, 2, "stage4"),
            _POOL,
            _CLASSIFIER,
        ),
        width_rule=WidthRule(
            divisor=1,
            table=_v1_table(groups),
            source="the widths of table 1 times the scale; stems of megvii-model/ShuffleNet-Series",
        ),
        notes=(
            "The complexities of the paper's table 1 leave the classifier out; its other tables include it.",
            "Widths at other scales were not published and would not be divisible by the groups: g = 3 and 8 exist at "
            "0.5, 1, 1.5 and 2, g = 1, 2 and 4 at 1.",
            "The classifier has a bias here; the authors' code has none (1,000 parameters fewer).",
        ),
    )


# arXiv 1807.11164, table 5; the stem keeps its 24 channels at every scale.
_V2_WIDTHS = (
    # scale  stage2  stage3  stage4  head
    (0.5,       48,     96,    192,  1024),
    (1.0,      116,    232,    464,  1024),
    (1.5,      176,    352,    704,  1024),
    (2.0,      244,    488,    976,  2048),
)  # fmt: skip


def _v2_rule(widest: int = 244) -> WidthRule:
    """Return the widths of table 5, with stage 2 of `widest` channels at 2x."""
    names = ("stage2", "stage3", "stage4", "head")
    table = [(row[0], dict(zip(names, row[1:], strict=True))) for row in _V2_WIDTHS]
    table[-1][1]["stage2"] = widest
    return WidthRule(
        divisor=4,
        minimum=28,
        table=tuple((scale, tuple(row.items())) for scale, row in table),
        interpolates=True,
        source="the widths of table 5; between them linear, beyond them proportional, in multiples of 4",
    )


def shufflenet_v2() -> Design:
    """ShuffleNetV2, arXiv 1807.11164, table 5."""
    return Design(
        name="shufflenet_v2",
        title="ShuffleNetV2",
        family="ShuffleNet",
        source="arXiv 1807.11164, table 5; megvii-model/ShuffleNet-Series",
        stages=table(
            Stage("conv", 24, 1, 2, width="fixed", depth="fixed", name="stem"),
            _MAX_POOL,
            Stage("shuffle_unit_v2", 116, 4, 2, name="stage2"),
            Stage("shuffle_unit_v2", 232, 8, 2, name="stage3"),
            Stage("shuffle_unit_v2", 464, 4, 2, name="stage4"),
            Stage("conv", 1024, kernel_size=1, width="fixed", depth="fixed", name="head"),
            _POOL,
            _CLASSIFIER,
        ),
        width_rule=_v2_rule(),
        notes=(
            "The stride-2 unit is that of the authors' code, which alone gives the published 146, 299 and 591 M; "
            "torchvision gives both branches half of the output.",
            "Widths are published for 0.5, 1, 1.5 and 2; at other multipliers they are interpolated here.",
            "The classifier has a bias here; the authors' code has none (1,000 parameters fewer).",
        ),
    )


# --- Other implementations --------------------------------------------------------------------------------------------

_AUTHORS = Variant(
    "authors' code",
    "megvii-model/ShuffleNet-Series",
    (rows("classifier without biases", {"name": "classifier"}, bias=False),),
)


def _v1_plain(groups: int = 3) -> Variant:
    """Return the teaching variant of ShuffleNetV1: every width, also that of the stem, is ``int(c * scale)``."""
    stages = ("stem", "stage2", "stage3", "stage4")
    scaled = [(scale, [int(c * scale) for c in (24, *_V1_WIDTHS[groups])]) for scale in (0.25, 0.5, 0.75, 1, 1.5, 2)]
    # Both 1x1 convolutions of every unit have to be divisible by the groups.
    legal = tuple(
        (float(scale), tuple(zip(stages, each, strict=True)))
        for scale, each in scaled
        if all(c // 4 % groups == 0 == (c - before) % groups for before, c in pairwise(each))
    )
    plain = WidthRule(1, table=legal, source="int(c * scale), where the groups divide it")
    return Variant(
        "teaching code",
        "pytorchcv shufflenet; ports with int(c * scale) for the stem",
        (widths("stem scaled plainly", plain),),
    )


_HALVES = rows("branches of equal width at stride 2", {"block": "shuffle_unit_v2"}, equal_branches=True)
_V2_VARIANTS: dict[str, Variant | Callable[..., Variant]] = {
    "torchvision": Variant("torchvision", "torchvision models/shufflenetv2.py", (_HALVES,)),
    "authors": _AUTHORS,
    "teaching": Variant(
        "teaching code",
        "CIFAR ports such as kuangliu/pytorch-cifar models/shufflenetv2.py",
        (
            widths("stage 2 of 224 instead of 244 channels at 2×", _v2_rule(224)),
            _HALVES,
        ),
        ("The ports have a stem of stride 1 and no max pooling for CIFAR; here both are those of the paper.",),
    ),
}

PUBLISHED = "2017-07"
VARIANTS: dict[str, dict[str, Variant | Callable[..., Variant]]] = {
    "shufflenet_v1": {"authors": _AUTHORS, "teaching": _v1_plain},
    "shufflenet_v2": _V2_VARIANTS,
}
GROUPS = {"shufflenet_v1": tuple(_V1_WIDTHS)}
ARCHITECTURES = {"shufflenet_v1": shufflenet_v1, "shufflenet_v2": shufflenet_v2}
# The names of torchvision; the networks have the authors' form.
ALIASES = {f"shufflenet_v2_x{row[0]}".replace(".", "_"): ("shufflenet_v2", row[0]) for row in _V2_WIDTHS}
