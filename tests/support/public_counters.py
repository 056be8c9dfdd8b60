"""Runs the public counters that `effviz.count.reconcile` explains, on one module.

calflops requires accelerate and imports transformers, so it is not in tests/requirements.txt. The tests compare with
what it printed once. ``python tests/support/public_counters.py > tests/count/calflops.csv`` records it again, where
calflops is installed without its dependencies.
"""

from __future__ import annotations

import csv
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any, NamedTuple

import ptflops
import torch
import torchinfo
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

import effviz
from effviz import Design, Stage
from effviz.model.layers import ACTIVATIONS

with warnings.catch_warnings(action="ignore"):
    # On import it compiles with torch.jit, which is deprecated.
    import fvcore.nn

logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)

Numbers = dict[tuple[str, str], tuple[int, str]]
"""By the names of the counter and of the number: the number, and its text where the counter formats it."""


def by_fvcore(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run ``FlopCountAnalysis`` and ``parameter_count``."""
    with warnings.catch_warnings(action="ignore"):
        found = fvcore.nn.FlopCountAnalysis(module, image).total()
    params = fvcore.nn.parameter_count(module)[""]
    return {("fvcore", "flops"): (found, str(found)), ("fvcore", "params"): (params, str(params))}


def by_ptflops(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run both backends."""
    found: Numbers = {}
    for name, backend in (("ptflops", "pytorch"), ("ptflops-aten", "aten")):
        settings = {"print_per_layer_stat": False, "backend": backend}
        shape = tuple(image.shape[1:])
        macs, params = ptflops.get_model_complexity_info(module, shape, as_strings=False, **settings)
        found[name, "MACs"] = macs, ptflops.flops_to_string(macs)
        found[name, "params"] = params, ptflops.params_to_string(params)
    return found


def by_torchinfo(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run ``torchinfo.summary``."""
    found = torchinfo.summary(module, input_size=tuple(image.shape), device=image.device, verbose=0)
    lines = {line.partition(":")[0].partition(" (")[0]: line for line in str(found).splitlines()}
    return {
        ("torchinfo", "Total mult-adds"): (found.total_mult_adds, lines["Total mult-adds"]),
        ("torchinfo", "Total params"): (found.total_params, lines["Total params"]),
    }


INSTALLED: tuple[Callable[[nn.Module, torch.Tensor], Numbers], ...] = (by_fvcore, by_ptflops, by_torchinfo)
"""The counters of tests/requirements.txt. thop and FlopCounterMode are run by `effviz.backend.crosscheck`."""


def by_calflops(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run ``calculate_flops`` without the rest of calflops, which imports transformers."""
    if "calflops" not in sys.modules:
        place = find_spec("calflops")
        assert place is not None, "calflops is not installed"
        empty = ModuleSpec("calflops", None, is_package=True)
        empty.submodule_search_locations = place.submodule_search_locations
        sys.modules["calflops"] = module_from_spec(empty)
    from calflops import flops_counter, utils

    with redirect_stdout(io.StringIO()):
        flops, macs, params = flops_counter.calculate_flops(
            module, tuple(image.shape), print_results=False, output_as_string=False
        )
    return {
        ("calflops", "FLOPs"): (flops, utils.flops_to_string(flops)),
        ("calflops", "MACs"): (macs, utils.macs_to_string(macs)),
        ("calflops", "params"): (params, utils.params_to_string(params)),
    }


def printed(module: nn.Module, image: torch.Tensor, *counters: Callable[[nn.Module, torch.Tensor], Numbers]) -> Numbers:
    """Run counters, by default the installed ones, on a module in evaluation mode."""
    found: Numbers = {}
    with torch.no_grad():
        for counter in counters or INSTALLED:
            found |= counter(module, image)
    return found


def gallery() -> Design:
    """Return a design with every activation function, every pooling, biases and merges."""
    rows = [Stage("conv", 8, activation=function, norm=place % 2 == 0) for place, function in enumerate(ACTIVATIONS)]
    rows += [
        Stage("max_pool", kernel_size=3, padding=1),
        Stage("avg_pool", kernel_size=2, stride=1),
        Stage("mbconv", 12, se_ratio=0.25),
        Stage("shuffle_unit_v2", 24, stride=2),
        Stage("ghost_bottleneck", 16, expanded=48, se_ratio=0.25),
        Stage("ghost_module_dfc", 16),
        Stage("dense_layer", growth=8),
        Stage("convnext_block"),
        Stage("adaptive_avg_pool", output_size=3),
        Stage("flatten"),
        Stage("linear", 20, bias=False, activation="relu"),
        Stage("linear", 10),
    ]
    return Design("gallery", tuple(rows), resolution=32)


class Golden(NamedTuple):
    """A number that calflops printed."""

    design: str
    resolution: int
    number: str
    value: int
    text: str

    @property
    def network(self) -> Design:
        """The network that it counted."""
        return gallery() if self.design == "gallery" else effviz.architecture(self.design)


def _calflops() -> Iterator[Golden]:
    names = effviz.list_architectures()
    settings = [("gallery", 32), *((name, 64) for name in names), *((name, 224) for name in names if "v2" in name)]
    for name, side in settings:
        design = Golden(name, side, "", 0, "").network
        # Not on the meta device, where some functions call torch.mul, which calflops counts.
        module = effviz.build(design, side)
        for (_, number), (value, text) in printed(module, torch.empty((1, 3, side, side)), by_calflops).items():
            yield Golden(name, side, number, value, text)


def goldens() -> list[Golden]:
    """Return what calflops printed."""
    with (Path(__file__).parents[1] / "count" / "calflops.csv").open(encoding="utf-8") as file:
        rows: Any = csv.reader(line for line in file if not line.startswith("#"))
        return [Golden(name, int(side), number, int(value), text) for name, side, number, value, text in rows]


if __name__ == "__main__":
    print("# design, resolution, name of the number, the number, as printed; calflops 0.3.2 on the built module")
    csv.writer(sys.stdout, lineterminator="\n").writerows(_calflops())
