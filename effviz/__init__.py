"""effviz: understand and design efficient convolutional networks.

The engine counts a network exactly, in milliseconds, without building it:

>>> import effviz
>>> report = effviz.analyze(effviz.architecture("mobilenet_v2", width_mult=0.75))
>>> report.params, report.macs
(2636424, 209069792)

The folders in order. Each imports only folders above it:

==================  ================================================================================
`effviz.core`       errors, units, rounding, settings, text in other formats
`effviz.model`      layers, blocks, the stage table (`Stage`, `Design`), traces, shapes, JSON
`effviz.zoo`        published networks, one file per family, and the figures that papers print
`effviz.count`      parameters, multiply-adds, memory, formulas: `Report`
`effviz.advice`     compound scaling and its inverses, budgets, rules of thumb with fixes
`effviz.backend`    torch: build, profile, time, cross-check, draw
`effviz.worker`     the torch process of the app and of `measure_latency`
`effviz.studies`    the computations behind the lessons
`effviz.export`     a design as PyTorch source code
`effviz.measure`    measured latency and where it is stored
`effviz.lessons`    steps with predictions, answers computed by the engine, goals, worksheets
`effviz.charts`     plotly figures
`effviz.ui`         the Streamlit app: frame, widgets, pages
`effviz.cli`        the command line
==================  ================================================================================

`effviz.scaling`, `effviz.lint` and `effviz.budgets` are public names for `effviz.advice`.

Importing effviz loads neither torch nor streamlit nor pandas; `build` loads torch, ``report.table`` pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effviz.advice.scaling import compound_scale
from effviz.core.arguments import check_public
from effviz.core.errors import DesignError, UncountedLayerError, UnknownNameError
from effviz.core.resolution import Resolution
from effviz.count.report import Report, analyze
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule
from effviz.zoo import ALIASES, ARCHITECTURES, architecture, list_architectures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from effviz.backend.profile import Profile
    from effviz.measure.latency import Latency, LatencyError

__version__ = "0.1.0"

__all__ = [
    "ALIASES", "ARCHITECTURES", "BLOCKS", "Design", "DesignError", "Latency", "LatencyError", "Report", "Stage",
    "UncountedLayerError", "UnknownNameError", "WidthRule", "analyze", "architecture", "build", "compound_scale",
    "export_torch", "list_architectures", "measure_latency", "profile",
]  # fmt: skip


def build(design: Design, resolution: Resolution | None = None, **options: Any) -> nn.Module:
    """Build the design as a torch module in evaluation mode, see `effviz.backend.build.build`. Loads torch."""
    from effviz.backend.build import build as build_module

    return build_module(design, resolution, **options)


def export_torch(design: Design) -> str:
    """Return the design as Python source that imports only torch, see `effviz.export.export_torch`."""
    from effviz.export import export_torch as export

    return export(design)


def profile(module: nn.Module, input_shape: Sequence[int] | None = None, *, example_inputs: Any = None) -> Profile:
    """Count any torch module layer by layer, see `effviz.backend.profile.profile`. Loads torch."""
    from effviz.backend.profile import profile as profile_module

    return profile_module(module, input_shape, example_inputs=example_inputs)


def measure_latency(
    design: Design, resolution: Resolution | None = None, batch_size: int = 1, threads: int = 1
) -> Latency:
    """Measure the latency of the design on this CPU, see `effviz.measure.latency.measure_latency`."""
    from effviz.measure.latency import measure_latency as measure

    return measure(design, resolution, batch_size, threads)


def __getattr__(name: str) -> Any:
    """Import `Latency` and `LatencyError` on first use, because they load the modules that start processes."""
    if name in ("Latency", "LatencyError"):
        from effviz.measure import latency

        return getattr(latency, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


check_public(globals())
