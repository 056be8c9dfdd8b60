"""Cross-check of effviz's counts against torch, thop and torch's FlopCounterMode, with each difference itemised.

Each tool counts the built module: torch and thop its parameters, thop and FlopCounterMode its operations. Every tool
has its own conventions. Each total is therefore compared with effviz's number plus one `CounterTerm` per convention.
The terms come from `effviz.count.reconcile`, never from the tool's total. `Comparison.remainder` is the part that
they do not explain. It is 0 unless the tool or effviz has an error.

The module is built on the meta device, where no network is too large. It is discarded afterwards, because thop adds
buffers to it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.torch_version import TorchVersion
from torch.utils.flop_counter import FlopCounterMode

from effviz.backend.build import build
from effviz.core.errors import Cancelled, DesignError
from effviz.core.resolution import Resolution
from effviz.count.reconcile import CounterTerm, operation, reconcile
from effviz.count.report import Report, analyze
from effviz.model.design import Design


@dataclass(frozen=True)
class Comparison:
    """One quantity, counted by one tool and by effviz."""

    tool: str  # name of the package or class
    version: str  # installed version
    quantity: str  # "params" or "macs"
    call: str  # the Python expression that counts
    total: int  # the tool's number
    effviz: int  # effviz's number
    terms: tuple[CounterTerm, ...] = ()  # the differences between the two
    not_counted: tuple[str, ...] = ()  # torch classes that the tool counts as 0, as effviz does

    @property
    def remainder(self) -> int:
        """The part of the total that effviz's number and the differences do not explain."""
        return self.total - self.effviz - sum(term.value for term in self.terms)

    @property
    def agrees(self) -> bool:
        """Whether the two numbers are equal without any difference."""
        return self.total == self.effviz and not self.terms


@dataclass(frozen=True)
class Crosscheck:
    """All comparisons of one design at one resolution."""

    design: str  # its name
    resolution: Resolution  # of the input in pixels
    comparisons: tuple[Comparison, ...]  # parameters first, then multiply-adds

    @property
    def explained(self) -> bool:
        """Whether every remainder is 0."""
        return all(comparison.remainder == 0 for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, including remainders and verdicts."""
        document = asdict(self) | {"explained": self.explained}
        document["comparisons"] = [
            asdict(comparison) | {"remainder": comparison.remainder, "agrees": comparison.agrees}
            for comparison in self.comparisons
        ]
        return document


# --- running the tools --------------------------------------------------------------------------------------------


@cache
def load_thop() -> ModuleType:
    """Import thop, which has not changed since 2022.

    On import it compares versions of torch with distutils, which Python 3.12 removed. In its place thop is given the
    version class of torch.
    """
    versions = ModuleType("distutils.version")
    vars(versions)["LooseVersion"] = TorchVersion
    places = {"distutils": ModuleType("distutils"), versions.__name__: versions}
    former = {name: sys.modules.get(name) for name in places}
    sys.modules.update(places)
    try:
        return import_module("thop")
    finally:
        for name, module in former.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _count_with_thop(module: nn.Module, image: torch.Tensor) -> tuple[int, int]:
    thop = load_thop()
    # Its counters are created on the default device and must hold values, unlike the module.
    device = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
    with device, _in_range("thop"):
        macs, params = thop.profile(module, inputs=(image,), verbose=False)
    return int(macs), int(params)


def _count_with_torch(module: nn.Module, image: torch.Tensor) -> int:
    with _in_range("FlopCounterMode"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(image)
    return int(counter.get_total_flops())


@contextmanager
def _in_range(tool: str) -> Iterator[None]:
    """Convert errors on numbers beyond 64 bits into `DesignError`."""
    try:
        yield
    except (RuntimeError, OverflowError) as error:
        raise DesignError(f"{tool} cannot count this network: {error}") from error


def crosscheck(
    design: Design,
    resolution: Resolution | None = None,
    *,
    progress: Callable[[float, str], object] = lambda fraction, message: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Crosscheck:
    """Count `design` with effviz, thop and torch, and explain every difference.

    Args:
        design: the network.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        progress: called with the fraction done, 0 to 1, and a message.
        cancelled: called between the tools.

    Raises:
        DesignError: the network cannot be built at this resolution, or a number exceeds a tool's range (for thop,
            2**63 multiply-adds in one layer).
        Cancelled: `cancelled` returned true.
    """

    def advance(fraction: float, message: str) -> None:
        if cancelled():
            raise Cancelled
        progress(fraction, message)

    progress(0.0, "Building")
    report = analyze(design, resolution)
    module = build(design, resolution, device="meta")
    image = torch.empty((1, *report.input_shape), device="meta")
    trained = sum(parameter.numel() for parameter in module.parameters())
    advance(0.2, "Counting with FlopCounterMode")
    flops = _count_with_torch(module, image)
    advance(0.6, "Counting with thop")
    # Last, because it adds buffers to the module.
    macs, params = _count_with_thop(module, image)
    comparisons = _comparisons(report, module, trained=trained, flops=flops, thop_macs=macs, thop_params=params)
    progress(1.0, "Counted")
    return Crosscheck(design.name, report.resolution, comparisons)


def _comparisons(
    report: Report, module: nn.Module, *, trained: int, flops: int, thop_macs: int, thop_params: int
) -> tuple[Comparison, ...]:
    found = {(each.counter.name, each.printed.quantity): each for each in reconcile(report)}

    def compared(tool: str, quantity: str, total: int, version: str) -> Comparison:
        each = found[tool, quantity]
        paths = [step.path for step in report.steps if operation(step.layer) in each.uncounted]
        not_counted = tuple(sorted({type(module.get_submodule(path)).__name__ for path in paths}))
        return Comparison(tool, version, quantity, each.printed.call, total, each.ours, each.terms, not_counted)

    trainable = "sum(p.numel() for p in module.parameters())"
    torch_version, thop_version = version("torch"), version("thop")
    return (
        Comparison("torch", torch_version, "params", trainable, trained, report.params),
        compared("thop", "params", thop_params, thop_version),
        compared("thop", "macs", thop_macs, thop_version),
        compared("FlopCounterMode", "macs", flops, torch_version),
    )
