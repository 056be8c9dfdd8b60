"""RegNetX and RegNetY: widths and group widths from a quantised linear rule, found by a search for design spaces."""

from collections.abc import Callable

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule

_Stages = tuple[tuple[int, int, int], ...]

# Depth, width and group width of every stage: facebookresearch/pycls, configs/dds_baselines.
_X: dict[str, _Stages] = {
    "200MF": ((1, 24, 8), (1, 56, 8), (4, 152, 8), (7, 368, 8)),
    "400MF": ((1, 32, 16), (2, 64, 16), (7, 160, 16), (12, 384, 16)),
    "600MF": ((1, 48, 24), (3, 96, 24), (5, 240, 24), (7, 528, 24)),
    "800MF": ((1, 64, 16), (3, 128, 16), (7, 288, 16), (5, 672, 16)),
    "1.6GF": ((2, 72, 24), (4, 168, 24), (10, 408, 24), (2, 912, 24)),
    "3.2GF": ((2, 96, 48), (6, 192, 48), (15, 432, 48), (2, 1008, 48)),
    "4.0GF": ((2, 80, 40), (5, 240, 40), (14, 560, 40), (2, 1360, 40)),
}
_Y: dict[str, _Stages] = {
    "200MF": ((1, 24, 8), (1, 56, 8), (4, 152, 8), (7, 368, 8)),
    "400MF": ((1, 48, 8), (3, 104, 8), (6, 208, 8), (6, 440, 8)),
    "600MF": ((1, 48, 16), (3, 112, 16), (7, 256, 16), (4, 608, 16)),
    "800MF": ((1, 64, 16), (3, 128, 16), (8, 320, 16), (2, 768, 16)),
    "1.6GF": ((2, 48, 24), (6, 120, 24), (17, 336, 24), (2, 888, 24)),
    "3.2GF": ((2, 72, 24), (5, 216, 24), (13, 576, 24), (1, 1512, 24)),
    "4.0GF": ((2, 128, 64), (6, 192, 64), (12, 512, 64), (2, 1088, 64)),
}
# torchvision rounds these widths to the group width in another way.
_OTHERS = {
    ("x", "400MF"): "The last stage has 400 channels in torchvision, which rounds 392 up; 384 are those of pycls.",
    ("y", "800MF"): "Stages 2 and 4 have 144 and 784 channels in torchvision; 128 and 768 are those of pycls.",
}  # fmt: skip


def _name(letter: str, size: str) -> str:
    return f"regnet{letter}_{size.lower().replace('.', '_')}"


def _regnet(letter: str, size: str, stages: _Stages) -> Design:
    se_ratio = 0.25 if letter == "y" else 0.0
    excitation = "Squeeze-and-excitation is a quarter of the block's input channels, after the 3×3 convolution."
    return Design(
        name=_name(letter, size),
        title=f"RegNet{letter.upper()}-{size}",
        family="RegNet",
        source="arXiv 2003.13678, section 5; facebookresearch/pycls, configs/dds_baselines",
        stages=table(
            Stage("conv", 32, 1, 2, width="fixed", depth="fixed", name="stem"),
            (
                Stage("regnet_block", c, n, 2, group_width=g, se_ratio=se_ratio, divisor=g, name=f"stage{index}")
                for index, (n, c, g) in enumerate(stages, start=1)
            ),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        width_rule=WidthRule(8, source="multiples of the group width, stem kept; the paper has no width multiplier"),
        notes=(
            "The group width is fixed, so the number of groups follows the width of a stage.",
            *((excitation,) if se_ratio else ()),
            *((_OTHERS[letter, size],) if (letter, size) in _OTHERS else ()),
        ),
    )


def _maker(letter: str, size: str, stages: _Stages) -> Callable[[], Design]:
    def make() -> Design:
        return _regnet(letter, size, stages)

    make.__doc__ = f"RegNet{letter.upper()}-{size}, arXiv 2003.13678."
    return make


PUBLISHED = "2020-03"
ARCHITECTURES = {
    _name(letter, size): _maker(letter, size, stages)
    for letter, sizes in (("x", _X), ("y", _Y))
    for size, stages in sizes.items()
}
