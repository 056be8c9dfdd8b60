"""Cross-check of effviz's counts against torch, thop and torch's FlopCounterMode, with each difference itemised.

Each tool counts the built module: torch and thop its parameters, thop and FlopCounterMode its operations. Every tool
has its own conventions. Each total is therefore compared with effviz's number plus one `Difference` per convention.
Differences are computed from the layers alone, never from the tool's total. `Comparison.remainder` is the part that
they do not explain. It is 0 unless the tool or effviz has an error.

The module is built on the meta device, where no network is too large. It is discarded afterwards, because thop adds
buffers to it.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache, partial, singledispatch
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.torch_version import TorchVersion
from torch.utils.flop_counter import FlopCounterMode

from effviz.backend.build import build
from effviz.core.errors import Cancelled, DesignError, UncountedLayerError
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.count.report import Report, analyze
from effviz.model import layers
from effviz.model.design import Design
from effviz.model.layers import Conv2d, Layer, Linear, Shape, elements
from effviz.model.trace import Step


@dataclass(frozen=True)
class Difference:
    """One convention in which a tool differs from effviz."""

    label: str  # its name
    formula: str  # in words, a colon, and the formula with this network's numbers
    value: int  # the amount added to effviz's number; negative if the tool counts less


@dataclass(frozen=True)
class Comparison:
    """One quantity, counted by one tool and by effviz."""

    tool: str  # name of the package or class
    version: str  # installed version
    quantity: str  # "params" or "macs"
    call: str  # the Python expression that counts
    total: int  # the tool's number
    effviz: int  # effviz's number
    terms: tuple[Difference, ...] = ()  # the differences between the two
    not_counted: tuple[str, ...] = ()  # torch classes without a rule in the tool; effviz counts 0 by convention

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


# --- rules of thop, from thop/profile.py and thop/vision/basic_hooks.py --------------------------------------------

# thop looks up a module's exact class. Classes that are not in its list, such as SiLU, count as 0.
_THOP_ACTIVATIONS = ("relu", "relu6", "leaky_relu")
_UNKNOWN_TO_THOP = (
    layers.Branches, layers.ChannelShuffle, layers.Flatten, layers.Identity, layers.Slice, layers.StochasticDepth,
    layers.ChannelSelect, layers.LayerNorm2d, layers.LayerScale, layers.Subsample, layers.ZeroPadChannels,
)  # fmt: skip
_GLOBAL_POOLS = (layers.AdaptiveAvgPool2d, layers.GlobalAvgPool)


@singledispatch
def _thop_macs(layer: Layer, entering: Shape, leaving: Shape) -> float:
    """Return thop's count for `layer`, in its double precision."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for the count of thop")


@_thop_macs.register
def _(layer: Conv2d | Linear, entering: Shape, leaving: Shape) -> float:
    return float(cost.macs(layer, leaving))


@_thop_macs.register
def _(layer: layers.BatchNorm2d, entering: Shape, leaving: Shape) -> float:
    return float(_per_normalised(layer) * elements(entering))


@_thop_macs.register
def _(layer: layers.AvgPool2d, entering: Shape, leaving: Shape) -> float:
    return float(elements(leaving))


@_thop_macs.register
def _(layer: layers.AdaptiveAvgPool2d | layers.GlobalAvgPool, entering: Shape, leaving: Shape) -> float:
    # thop's window has in / out pixels per side, which may be a fraction; the product is truncated.
    window = math.prod(side / out for side, out in zip(entering[1:], leaving[1:], strict=True))
    return float(int((window + 1.0) * elements(leaving)))


for _free in (layers.Activation, layers.Dropout, layers.MaxPool2d, *_UNKNOWN_TO_THOP):
    _thop_macs.register(_free, lambda layer, entering, leaving: 0.0)


def _per_normalised(layer: layers.BatchNorm2d) -> int:
    """Return 2 for the subtraction and the division, and 2 more for scale and shift."""
    return 4 if layer.affine else 2


def _exact_differences(steps: list[Step]) -> Iterator[Difference]:
    """Yield the conventions of thop for norms and pooling."""
    for rule, label in ((4, "batch norm"), (2, "batch norm without scale and shift")):
        maps = [
            elements(step.inputs[0].shape)
            for step in steps
            if isinstance(step.layer, layers.BatchNorm2d) and _per_normalised(step.layer) == rule
        ]
        formula = f"{rule} operations per element normalised by {_layers(maps)}: {rule} × {sum(maps):,}"
        yield Difference(label, formula, rule * sum(maps))
    pools = [step for step in steps if isinstance(step.layer, layers.AvgPool2d)]
    written = sum(elements(step.output.shape) for step in pools)
    formula = f"1 operation per output element of {_layers(pools)}, whatever the window: {written:,}"
    yield Difference("average pooling", formula, written)
    pools = [step for step in steps if isinstance(step.layer, _GLOBAL_POOLS)]
    read = sum(elements(step.inputs[0].shape) for step in pools)
    written = sum(elements(step.output.shape) for step in pools)
    formula = f"1 addition per input element and 1 division per output element of {_layers(pools)}: "
    yield Difference("adaptive and global average pooling", f"{formula}{read:,} + {written:,}", read + written)


def _layers(found: Sized) -> str:
    return f"{len(found):,} layer{'s' * (len(found) != 1)}"


def _thop_differences(steps: list[Step]) -> list[Difference]:
    exact = list(_exact_differences(steps))
    whole = sum(map(_macs, steps)) + sum(difference.value for difference in exact)
    counted = [(step.path, _thop_macs(step.layer, step.inputs[0].shape, step.output.shape)) for step in steps]
    return [*exact, _rounding(counted, whole)]


def _thop_params_differences(steps: list[Step]) -> list[Difference]:
    skipped = [step for step in steps if _is_unknown_to_thop(step)]
    missing = sum(cost.params(step.layer) for step in skipped)
    concerned = _layers([step for step in skipped if cost.params(step.layer)])
    formula = f"thop has no rule for {concerned} and does not count their parameters: −{missing:,}"
    counted = [
        (step.path, float(cost.weights(step.layer)) + float(cost.biases(step.layer)))
        for step in steps
        if not _is_unknown_to_thop(step)
    ]
    exact = sum(cost.params(step.layer) for step in steps) - missing
    return [Difference("layers without a rule", formula, -missing), _rounding(counted, exact)]


def _rounding(counted: list[tuple[str, float]], exact: int) -> Difference:
    rounded = int(_summed(counted))
    formula = f"thop calculates in 64-bit floating point and truncates: {rounded:,} − {exact:,}"
    return Difference("rounding", formula, rounded - exact)


def _summed(counted: list[tuple[str, float]]) -> float:
    """Add floats as thop does, module by module, children first; beyond 2**53 the order matters."""
    total = 0.0
    children: dict[str, list[tuple[str, float]]] = {}
    for path, value in counted:
        if path:
            name, _, rest = path.partition(".")
            children.setdefault(name, []).append((rest, value))
        else:
            total += value
    for below in children.values():
        total += _summed(below)
    return total


def _twice(steps: list[Step]) -> Difference:
    macs = sum(map(_macs, steps))
    formula = f"multiplications and additions are counted separately, 1 more operation per multiply-add: {macs:,}"
    return Difference("2 per multiply-add", formula, macs)


def _macs(step: Step) -> int:
    return cost.macs(step.layer, step.output.shape)


def _is_unknown_to_thop(step: Step) -> bool:
    if isinstance(step.layer, layers.Activation):
        return step.layer.function not in _THOP_ACTIVATIONS
    return isinstance(step.layer, _UNKNOWN_TO_THOP)


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
    steps = report.steps

    def differences(found: Iterable[Difference]) -> tuple[Difference, ...]:
        return tuple(difference for difference in found if difference.value)

    def classes(unknown: Callable[[Step], bool]) -> tuple[str, ...]:
        paths = [step.path for step in steps if unknown(step) and not step.is_view]
        return tuple(sorted({type(module.get_submodule(path)).__name__ for path in paths}))

    of_params = partial(Comparison, quantity="params", effviz=report.params)
    of_macs = partial(Comparison, quantity="macs", effviz=report.macs)
    torch_version = version("torch")
    thop: dict[str, Any] = {"tool": "thop", "version": version("thop"), "call": "thop.profile(module, (image,))"}
    not_product = classes(lambda step: not isinstance(step.layer, (Conv2d, Linear)))
    return (
        of_params("torch", torch_version, call="sum(p.numel() for p in module.parameters())", total=trained),
        of_params(**thop, total=thop_params, terms=differences(_thop_params_differences(steps))),
        of_macs(
            **thop, total=thop_macs, terms=differences(_thop_differences(steps)),
            not_counted=classes(_is_unknown_to_thop),
        ),
        of_macs(
            "FlopCounterMode", torch_version, call="torch.utils.flop_counter.FlopCounterMode()", total=flops,
            terms=differences([_twice(steps)]), not_counted=not_product,
        ),
    )  # fmt: skip
