"""SqueezeNet 1.0 and 1.1."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table
from effviz.model.widths import WidthRule


def _fire(s1x1: int, e1x1: int, e3x3: int, n: int, name: str) -> Stage:
    return Stage("fire", None, n, squeeze=s1x1, expand1x1=e1x1, expand3x3=e3x3, name=name)


def _pool(index: int) -> Stage:
    return fixed(Stage("max_pool", stride=2, kernel_size=3, padding=0, ceil_mode=True, name=f"max_pool{index}"))


def _squeezenet(version: str, rows: tuple[Stage, ...], notes: tuple[str, ...]) -> Design:
    return Design(
        name=f"squeezenet{version.replace('.', '_')}",
        title=f"SqueezeNet {version}",
        family="SqueezeNet",
        source=f"arXiv 1602.07360, table 1; forresti/SqueezeNet, SqueezeNet_v{version}",
        stages=table(
            rows,
            fixed(Stage("dropout", p=0.5, name="dropout")),
            Stage("conv", 1000, kernel_size=1, norm=False, width="classes", depth="fixed", name="classifier"),
            fixed(Stage("global_avg_pool", name="pool")),
            fixed(Stage("flatten", name="flatten")),
        ),
        width_rule=WidthRule(8, source="multiples of 8; the paper has no width multiplier"),
        notes=notes,
    )


def squeezenet1_0() -> Design:
    """SqueezeNet 1.0, arXiv 1602.07360, table 1, without padding of the first convolution, as in torchvision."""
    rows = table(
        fixed(Stage("conv", 96, 1, 2, kernel_size=7, norm=False, padding=0, name="stem")),
        _pool(1),
        #     s1x1 e1x1 e3x3 n
        _fire( 16,  64,  64, 2, "stage1"),
        _fire( 32, 128, 128, 1, "stage1"),
        _pool(2),
        _fire( 32, 128, 128, 1, "stage2"),
        _fire( 48, 192, 192, 2, "stage2"),
        _fire( 64, 256, 256, 1, "stage2"),
        _pool(3),
        _fire( 64, 256, 256, 1, "stage3"),
    )  # fmt: skip
    notes = (
        "The first map has 109 × 109 pixels; with the 111 × 111 of the paper's table 1, multiply-adds are 833 M.",
        "The MobileNet paper prints 1,700 M multiply-adds, about twice the exact 819 M.",
    )
    return _squeezenet("1.0", rows, notes)


def squeezenet1_1() -> Design:
    """SqueezeNet 1.1, arXiv 1602.07360 with the authors' later changes (forresti/SqueezeNet, SqueezeNet_v1.1)."""
    rows = table(
        fixed(Stage("conv", 64, 1, 2, norm=False, padding=0, name="stem")),
        _pool(1),
        #     s1x1 e1x1 e3x3 n
        _fire( 16,  64,  64, 2, "stage1"),
        _pool(2),
        _fire( 32, 128, 128, 2, "stage2"),
        _pool(3),
        _fire( 48, 192, 192, 2, "stage3"),
        _fire( 64, 256, 256, 2, "stage3"),
    )  # fmt: skip
    note = "The MobileNet paper prints 1,700 M multiply-adds for SqueezeNet 1.0, about twice the exact 819 M."
    return _squeezenet("1.1", rows, (note,))


PUBLISHED = "2016-02"
ARCHITECTURES = {"squeezenet1_0": squeezenet1_0, "squeezenet1_1": squeezenet1_1}
