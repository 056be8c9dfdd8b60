"""effviz: understand and design efficient convolutional networks.

The engine counts a network exactly, in milliseconds, without building it:

>>> import effviz
>>> report = effviz.analyze(effviz.architecture("mobilenet_v2", width_mult=0.75))
>>> report.params, report.macs
(2636424, 209069792)

The package, in the direction in which it imports:

====================  ===============================================================================
`effviz.layers`       what a network is made of: primitives, containers, blocks; shapes
`effviz.blocks`       the blocks of the papers
`effviz.design`       `Stage`, `Design`: the stage table, its multipliers, JSON
`effviz.archs`        the zoo, one file per family
`effviz.counts`       sums over a block for a map of any size, traced once
`effviz.scaling`      compound scaling and other rules, sweeps, the phi that fits a budget
`effviz.trace`        follow shapes and tensors through a network
`effviz.cost`         parameters and multiply-adds: the counting convention
`effviz.memory`       memory access and peak activation memory
`effviz.report`       the numbers of one network as totals and as a table
`effviz.formulas`     how the numbers of one layer come about
`effviz.published`    what papers and libraries print, with sources
`effviz.outline`      stages, and runs of equal blocks
`effviz.words`        layers and blocks in a reader's words
`effviz.lessons`      convolutions, blocks, feature reuse: what the lessons compute
`effviz.guidelines`   the experiments of ShuffleNetV2 as designs, and their theory
`effviz.budgets`      limits on what a design may cost
`effviz.lint`         rules of thumb about efficient networks, and changes that mend what they find
`effviz.drafts`       a stage table while it is edited, counted up to its first fault
`effviz.torch_export` the same network as Python source that imports nothing but torch
`effviz.torch_build`  the same network as a torch.nn.Module
`effviz.profiling`    count any torch module, layer by layer
`effviz.crosscheck`   other people's counters beside effviz, every difference named
`effviz.diagrams`     a block or a network as a graph, from torchview
`effviz.latency`      how fast a design runs on this machine, measured in `effviz.worker`
`effviz.cli`          ``python -m effviz``: list, report, check, export, latency
====================  ===============================================================================

Importing effviz loads neither torch nor streamlit nor pandas; `build` loads torch, ``report.table`` pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effviz.archs import ARCHITECTURES, architecture, list_architectures
from effviz.blocks import BLOCKS
from effviz.design import Design, Stage
from effviz.errors import DesignError, UncountedLayerError, UnknownNameError
from effviz.report import Report, analyze
from effviz.scaling import compound_scale
from effviz.widths import WidthRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from effviz.latency import Latency, LatencyError
    from effviz.profiling import Profile

__version__ = "0.1.0"

__all__ = [
    "ARCHITECTURES",
    "BLOCKS",
    "Design",
    "DesignError",
    "Latency",
    "LatencyError",
    "Report",
    "Stage",
    "UncountedLayerError",
    "UnknownNameError",
    "WidthRule",
    "analyze",
    "architecture",
    "build",
    "compound_scale",
    "export_torch",
    "list_architectures",
    "measure_latency",
    "profile",
]


def build(design: Design, resolution: int | None = None, **options: Any) -> nn.Module:
    """The design as a torch module in evaluation mode, see `effviz.torch_build.build`. Loads torch."""
    from effviz.torch_build import build as build_module

    return build_module(design, resolution, **options)


def export_torch(design: Design) -> str:
    """The design as Python source that imports nothing but torch, see `effviz.torch_export.export_torch`."""
    from effviz.torch_export import export_torch as export

    return export(design)


def profile(module: nn.Module, input_shape: Sequence[int] | None = None, *, example_inputs: Any = None) -> Profile:
    """Count any torch module layer by layer, see `effviz.profiling.profile`. Loads torch."""
    from effviz.profiling import profile as profile_module

    return profile_module(module, input_shape, example_inputs=example_inputs)


def measure_latency(design: Design, resolution: int | None = None, batch_size: int = 1, threads: int = 1) -> Latency:
    """How fast the design runs on this CPU, see `effviz.latency.measure_latency`. Torch runs in a worker process."""
    from effviz.latency import measure_latency as measure

    return measure(design, resolution, batch_size, threads)


def __getattr__(name: str) -> Any:
    """`Latency` and `LatencyError` on first use: most programs measure nothing, and need no module about processes."""
    if name in ("Latency", "LatencyError"):
        from effviz import latency

        return getattr(latency, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
