"""Designs of one kind at several depths, each as wide as one budget of multiply-adds allows."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from effviz.core.arguments import Within, check_public
from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution
from effviz.count.report import Report, analyze
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.studies.width_depth.designs import StageBlock, placed, stage_widths
from effviz.studies.width_depth.fit import DepthFit, OverBudgetError, fit_width
from effviz.zoo import architecture

NAMES = {-2: "Widest", -1: "Wide", 0: "Balanced", 1: "Deep", 2: "Deepest"}
"""Names of the designs by the power of the depth factor."""


def tradable(name: str) -> bool:
    """Whether the stages of a network of the zoo have one free width each, so that width can be traded for depth."""
    design = architecture(name)
    return not design.width_rule.multipliers and not any(
        BLOCKS[row.block].derives_out_channels for row in design.stages
    )


@dataclass(frozen=True)
class BudgetDesign:
    """One design that meets the budget."""

    name: str  # a value of `NAMES`
    fit: DepthFit  # the design, and how closely it meets the budget
    report: Report  # its counts
    blocks: tuple[StageBlock, ...]  # of its stages, in order

    @property
    def design(self) -> Design:
        """The design itself."""
        return self.fit.design

    @property
    def widths(self) -> dict[str, int]:
        """Output channels by stage."""
        return {entry.stage: entry.channels for entry in self.blocks}


class LeftOut(NamedTuple):
    """A depth without a design."""

    name: str  # a value of `NAMES`
    least: int | None  # multiply-adds of the narrowest network, where those exceed the budget; else None
    why: str  # the reason, where the budget is not


@dataclass(frozen=True)
class Designs:
    """The designs from wide to deep, and the depths without one."""

    budget: int
    variants: tuple[BudgetDesign, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def base(self) -> BudgetDesign:
        """The baseline: the balanced design if there is one, else the widest."""
        return next((each for each in self.variants if each.name == NAMES[0]), self.variants[0])

    @property
    def names(self) -> list[str]:
        """Names of the designs."""
        return [each.name for each in self.variants]

    def named(self, name: str) -> BudgetDesign:
        """The design with a name."""
        return next(each for each in self.variants if each.name == name)

    def reference(self, chosen: BudgetDesign) -> BudgetDesign | None:
        """The design to compare with: the baseline, for the baseline the first other one; None if there is no other."""
        return next((each for each in (self.base, *self.variants) if each is not chosen), None)


def at_depths(
    design: Design,
    macs: int,
    count: Annotated[int, Within(2, 5)],
    factor: Annotated[float, Within(1e-6, 1e6)],
    memory: str = "fused",
) -> Designs:
    """Fit the width of a design at several depths.

    Args:
        design: at the balanced depth.
        macs: the budget, multiply-adds of one image.
        count: number of depths, 2 to 5.
        factor: depth of a design relative to the one before.
        memory: assumption behind memory access.
    """
    variants: list[BudgetDesign] = []
    left_out: list[LeftOut] = []
    for power in range(-((count - 1) // 2), count // 2 + 1):
        name = NAMES[power]
        try:
            fit = fit_width(design, macs, depth_mult=factor**power)
        except OverBudgetError as error:
            left_out.append(LeftOut(name, error.least, ""))
        except DesignError as error:
            left_out.append(LeftOut(name, None, str(error)))
        else:
            blocks = tuple(placed(fit.design))
            if variants and len(variants[-1].blocks) == len(blocks):
                same = variants.pop().name
                left_out.append(LeftOut(same, None, f"no shallower than {name}, because every stage keeps a block"))
            variants.append(BudgetDesign(name, fit, analyze(fit.design, memory=memory), blocks))
    return Designs(macs, tuple(variants), tuple(left_out))


class Ratios(NamedTuple):
    """One design relative to another: blocks, sum of the stage widths, activations, parameters."""

    blocks: float
    widths: float
    activations: float
    params: float


def ratios(chosen: BudgetDesign, other: BudgetDesign) -> Ratios:
    """Dimensions and costs of a design relative to another."""
    return Ratios(
        len(chosen.blocks) / len(other.blocks),
        sum(chosen.widths.values()) / sum(other.widths.values()),
        chosen.report.activations / other.report.activations,
        chosen.report.params / other.report.params,
    )


def widened(fit: DepthFit) -> dict[str, int]:
    """Output channels of the stages that the next wider network widens; empty if it widens only inside blocks."""
    if fit.above is None:
        return {}
    now, then = (
        {row.path: vars(row.block).get("out_channels", 0) for row in each.blocks()} for each in (fit.design, fit.above)
    )
    return {path.partition(".")[0]: then[path] for path in now if now[path] != then[path]}


def tried_width(designs: Designs, *, depth_mult: float = 1.0, resolution: Resolution | None = None) -> float:
    """Sum of the stage widths at another depth or resolution and the same budget, relative to the baseline.

    Raises:
        DesignError: no such network is within the budget.
    """
    fit = fit_width(designs.base.design, designs.budget, depth_mult=depth_mult, resolution=resolution)
    return sum(stage_widths(fit.design).values()) / sum(designs.base.widths.values())


check_public(globals())
