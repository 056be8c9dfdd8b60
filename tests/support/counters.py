"""Runs the public counters that `effviz.count.reconcile` explains, on one module."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from typing import Any

import fvcore.nn
import ptflops
import torch
import torchinfo
from torch import nn

logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)

Numbers = dict[tuple[str, str], tuple[int, str]]
"""By the names of the counter and of the number: the number, and its text where the counter formats it."""


def by_fvcore(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run ``FlopCountAnalysis`` and ``parameter_count``."""
    found = fvcore.nn.FlopCountAnalysis(module, image).total()
    params = fvcore.nn.parameter_count(module)[""]
    return {("fvcore", "flops"): (found, str(found)), ("fvcore", "params"): (params, str(params))}


def by_ptflops(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run both backends."""
    found: Numbers = {}
    for name, backend in (("ptflops", "pytorch"), ("ptflops, aten", "aten")):
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


def by_calflops(module: nn.Module, image: torch.Tensor) -> Numbers:
    """Run ``calculate_flops`` without the rest of calflops, which imports transformers."""
    if "calflops" not in sys.modules:
        place = find_spec("calflops")
        assert place is not None, "calflops is not installed; it needs no dependency here"
        empty = ModuleSpec("calflops", None, is_package=True)
        empty.submodule_search_locations = place.submodule_search_locations
        sys.modules["calflops"] = module_from_spec(empty)
    from calflops import flops_counter, utils  # type: ignore[import-not-found]

    with redirect_stdout(io.StringIO()):
        flops, macs, params = flops_counter.calculate_flops(
            module, tuple(image.shape), print_results=False, output_as_string=False
        )
    return {
        ("calflops", "FLOPs"): (flops, utils.flops_to_string(flops)),
        ("calflops", "MACs"): (macs, utils.macs_to_string(macs)),
        ("calflops", "params"): (params, utils.params_to_string(params)),
    }


INSTALLED: tuple[Callable[[nn.Module, torch.Tensor], Numbers], ...] = (by_fvcore, by_ptflops, by_torchinfo)
"""The counters of tests/requirements.txt. thop and FlopCounterMode are run by `effviz.backend.crosscheck`."""


def printed(module: nn.Module, image: torch.Tensor, *counters: Any) -> Numbers:
    """Run counters, by default the installed ones, on a module in evaluation mode."""
    found: Numbers = {}
    with torch.no_grad():
        for counter in counters or INSTALLED:
            found |= counter(module, image)
    return found
