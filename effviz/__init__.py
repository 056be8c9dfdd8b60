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
`effviz.count`      parameters, multiply-adds, memory, formulas: `Report`; memory on a microcontroller
`effviz.advice`     compound scaling and its inverses, budgets, rules of thumb with fixes, the solver
`effviz.backend`    torch: build, profile, time, cross-check, draw
`effviz.worker`     the torch process of the app and of `measure_latency`
`effviz.studies`    the computations behind the lessons
`effviz.export`     a design as PyTorch or Keras source, or as an ONNX file
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

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from effviz.advice.budgets import Budget
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
    import pandas as pd
    from torch import nn

    from effviz.advice.solver import Fit
    from effviz.backend.profile import Profile
    from effviz.count.microcontroller import MicrocontrollerReport
    from effviz.measure.latency import Latency, LatencyError

__version__ = "0.1.0"

__all__ = [
    "ALIASES", "ARCHITECTURES", "BLOCKS", "Design", "DesignError", "Latency", "LatencyError", "Report", "Stage",
    "UncountedLayerError", "UnknownNameError", "WidthRule", "analyze", "architecture", "build", "compound_scale",
    "export_keras", "export_onnx", "export_torch", "find", "fit", "list_architectures", "measure_latency",
    "microcontroller", "profile",
]  # fmt: skip


def build(design: Design, resolution: Resolution | None = None, **options: Any) -> nn.Module:
    """Build the design as a torch module in evaluation mode, see `effviz.backend.build.build`. Loads torch."""
    from effviz.backend.build import build as build_module

    return build_module(design, resolution, **options)


def export_torch(design: Design) -> str:
    """Return the design as Python source that imports only torch, see `effviz.export.export_torch`."""
    from effviz.export import export_torch as export

    return export(design)


def export_keras(design: Design) -> str:
    """Return the design as Python source that imports only Keras, see `effviz.export.export_keras`."""
    from effviz.export import export_keras as export

    return export(design)


def export_onnx(design: Design, seed: int = 0) -> bytes:
    """Return the design as an ONNX file with random weights, see `effviz.export.export_onnx`. Loads onnx."""
    from effviz.export import export_onnx as export

    return export(design, seed)


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


def find(
    max_macs: float | str | None = None,
    max_params: float | str | None = None,
    max_peak: float | str | None = None,
    dtype: str = "float32",
    *,
    max_memory_access: float | str | None = None,
    max_weights: float | str | None = None,
    max_latency: float | str | None = None,
    memory: str = "fused",
    networks: Sequence[str] | None = None,
    widths: Sequence[float] | None = None,
    resolutions: Sequence[Resolution] | None = None,
    retrained: bool = False,
) -> pd.DataFrame:
    """Find networks of the zoo, at any width and resolution, within joint limits. Loads pandas.

    Networks with a published top-1 for exactly their width and resolution come first, the highest above. The others
    follow, those with the most multiply-adds above; no accuracy is estimated. Each row is checked by
    `effviz.budgets.check` on a design that is built again, which takes about 5 ms.

    Args:
        max_macs: multiply-adds of one image. A limit is a number or text: ``300e6``, ``"300M"``, ``"256KiB"``.
        max_params: parameters.
        max_peak: peak activation memory in bytes.
        dtype: number format of sizes in bytes: ``"float32"``, ``"float16"`` or ``"int8"``.
        max_memory_access: memory access in elements.
        max_weights: size of all parameters in bytes.
        max_latency: median in ms, batch 1, one thread, float32. Only networks with a latency that was measured here
            or is recorded can fit; none is measured now.
        memory: assumption about memory access, one of `effviz.count.memory.ASSUMPTIONS`.
        networks: names in the zoo; None for all.
        widths: multipliers; None for usual and published ones.
        resolutions: in pixels; None for usual and published ones, and each network's own.
        retrained: use accuracies that other sources print where the authors of a network print none.

    Returns:
        One row per network. Columns: network, name, groups, width_mult, depth_mult, phi, resolution, params, macs,
        memory_access, peak_activation (elements), peak_bytes, weight_bytes, latency_ms, top1 (per cent), front, source
        (of top1). In ``front``, no other row has as high a top-1 at less of the binding quantity.

    Raises:
        DesignError: no limit is set, or an argument is illegal.
    """
    from effviz.studies import finder

    budgets = finder.read_limits({
        "max_macs": max_macs, "max_params": max_params, "max_memory_access": max_memory_access, "max_peak": max_peak,
        "max_weights": max_weights, "max_latency": max_latency,
    })  # fmt: skip
    measured = None
    if max_latency is not None:
        from effviz.measure import recorded

        measured = recorded.lookup()
    found, known = finder.find(
        budgets, dtype=dtype, memory=memory, networks=networks, widths=widths, resolutions=resolutions,
        retrained=retrained, latency=measured,
    )  # fmt: skip
    return finder.as_table(found, budgets, dtype, memory, known)


def fit(
    design: Design, limits: Mapping[str, float | str] | Iterable[Budget], *, dtype: str | None = None,
    memory: str = "fused",
) -> Fit:  # fmt: skip
    """Change a stage table so that it meets all limits at once, see `effviz.advice.solver.fit`."""
    from effviz.advice.solver import fit as solve

    return solve(design, limits, dtype=dtype, memory=memory)


def microcontroller(
    design: Design, resolution: Resolution | None = None, *, kernels: str = "reference", code_size: int | None = None
) -> MicrocontrollerReport:
    """Plan the memory on a microcontroller, see `effviz.count.microcontroller.microcontroller`."""
    from effviz.count.microcontroller import microcontroller as planned

    return planned(design, resolution, kernels=kernels, code_size=code_size)


def __getattr__(name: str) -> Any:
    """Import `Latency` and `LatencyError` on first use, because they load the modules that start processes."""
    if name in ("Latency", "LatencyError"):
        from effviz.measure import latency

        return getattr(latency, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


check_public(globals())
