"""Other people's counters on the same network: equal, or every difference named and counted.

Three counts that effviz has no hand in are taken of the built module: its parameters by torch and by thop, its
operations by thop and by torch's FlopCounterMode. They follow conventions of their own, so each is compared with
effviz's number plus terms, one for everything the tool adds. A term is computed from the layers alone and never from
the tool's total; what is then left over, `Comparison.remainder`, is 0, or one of the two is wrong.

The module is made for this and thrown away afterwards, because thop leaves buffers on it. It is made on the meta
device: shapes without memory, so no network is too large.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import singledispatch
from importlib.metadata import version
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effviz.backend.build import build
from effviz.core.errors import Cancelled, DesignError, UncountedLayerError
from effviz.count import cost
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Layer,
    Linear,
    MaxPool2d,
    Shape,
    Slice,
    StochasticDepth,
    elements,
)
from effviz.model.trace import Step


@dataclass(frozen=True)
class Term:
    """One thing that a tool counts and effviz does not.

    Attributes:
        label: what it is, for a student.
        formula: in words, a colon, then the same with this network's numbers.
        value: what it adds to effviz's number; negative if the tool counts less.
    """

    label: str
    formula: str
    value: int


@dataclass(frozen=True)
class Comparison:
    """One quantity by one tool, beside effviz.

    Attributes:
        tool: name of the package or class.
        version: the installed one.
        quantity: ``"params"`` or ``"macs"``.
        call: how the tool was asked.
        total: what it answers.
        effviz: effviz's number.
        terms: what lies between the two.
        not_counted: classes that calculate and that the tool gives 0 because its list lacks them. effviz gives them 0
            too, by decision.
    """

    tool: str
    version: str
    quantity: str
    call: str
    total: int
    effviz: int
    terms: tuple[Term, ...] = ()
    not_counted: tuple[str, ...] = ()

    @property
    def remainder(self) -> int:
        """What neither effviz's number nor a term explains; 0 unless something is wrong."""
        return self.total - self.effviz - sum(term.value for term in self.terms)

    @property
    def agrees(self) -> bool:
        """Whether the tool gives effviz's number as it stands."""
        return self.total == self.effviz and not self.terms


@dataclass(frozen=True)
class Crosscheck:
    """All comparisons of one design at one resolution.

    Attributes:
        design: its name.
        resolution: side of the input, in pixels.
        comparisons: parameters first, then multiply-adds.
    """

    design: str
    resolution: int
    comparisons: tuple[Comparison, ...]

    @property
    def explained(self) -> bool:
        """Whether every remainder is 0."""
        return all(comparison.remainder == 0 for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the remainders and verdicts; `from_dict` reads it back."""
        document = asdict(self) | {"explained": self.explained}
        document["comparisons"] = [
            asdict(comparison) | {"remainder": comparison.remainder, "agrees": comparison.agrees}
            for comparison in self.comparisons
        ]
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Crosscheck:
        """What `to_dict` wrote, or JSON made of it."""
        comparisons = []
        for entry in document["comparisons"]:
            fields = {key: entry[key] for key in Comparison.__dataclass_fields__}
            fields["terms"] = tuple(Term(**term) for term in entry["terms"])
            fields["not_counted"] = tuple(entry["not_counted"])
            comparisons.append(Comparison(**fields))
        return cls(document["design"], document["resolution"], tuple(comparisons))


# --- thop's rules, from its source: thop/profile.py and thop/vision/basic_hooks.py ---------------------------------

# thop looks a module's exact class up. These are in its list, with the rule "0" (ReLU, ReLU6, LeakyReLU; Dropout,
# MaxPool2d) or a rule below. All others, activations like SiLU among them, get 0 because they are not in the list.
_THOP_ACTIVATIONS = ("relu", "relu6", "leaky_relu")
_UNKNOWN_TO_THOP = (Branches, ChannelShuffle, Flatten, Identity, Slice, StochasticDepth)


@singledispatch
def _thop_macs(layer: Layer, entering: Shape, leaving: Shape) -> float:
    """What thop counts for `layer`, in its own double precision."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for what thop counts")


@_thop_macs.register(Conv2d)
@_thop_macs.register(Linear)
def _(layer: Conv2d | Linear, entering: Shape, leaving: Shape) -> float:
    return float(cost.macs(layer, leaving))


@_thop_macs.register
def _(layer: BatchNorm2d, entering: Shape, leaving: Shape) -> float:
    return float(_per_normalised(layer) * elements(entering))


@_thop_macs.register
def _(layer: AvgPool2d, entering: Shape, leaving: Shape) -> float:
    return float(elements(leaving))


@_thop_macs.register(AdaptiveAvgPool2d)
@_thop_macs.register(GlobalAvgPool)
def _(layer: Layer, entering: Shape, leaving: Shape) -> float:
    # A window has in / out pixels per side, a fraction where that does not divide; the product is cut off, not rounded.
    window = math.prod(side / out for side, out in zip(entering[1:], leaving[1:], strict=True))
    return float(int((window + 1.0) * elements(leaving)))


def _nothing(layer: Layer, entering: Shape, leaving: Shape) -> float:
    return 0.0


for _free in (Activation, Dropout, MaxPool2d, *_UNKNOWN_TO_THOP):
    _thop_macs.register(_free, _nothing)


def _per_normalised(layer: BatchNorm2d) -> int:
    """A subtraction and a division, and the same again for scale and shift."""
    return 4 if layer.affine else 2


def _norm_terms(steps: list[Step]) -> Iterable[Term]:
    for rule, kind in ((4, "batch norm"), (2, "batch norm without scale and shift")):
        maps = [
            elements(step.inputs[0].shape)
            for step in steps
            if isinstance(step.layer, BatchNorm2d) and _per_normalised(step.layer) == rule
        ]
        yield Term(
            kind,
            f"{rule} for every element that {_several(len(maps), 'layer')} normalised: {rule} × {sum(maps):,}",
            rule * sum(maps),
        )


def _pool_terms(steps: list[Step]) -> Iterable[Term]:
    pools = [step for step in steps if isinstance(step.layer, AvgPool2d)]
    put_out = sum(elements(step.output.shape) for step in pools)
    yield Term(
        "average pooling",
        f"1 for every element that {_several(len(pools), 'layer')} put out, whatever the window: {put_out:,}",
        put_out,
    )
    pools = [step for step in steps if isinstance(step.layer, (AdaptiveAvgPool2d, GlobalAvgPool))]
    taken_in = sum(elements(step.inputs[0].shape) for step in pools)
    put_out = sum(elements(step.output.shape) for step in pools)
    yield Term(
        "adaptive and global average pooling",
        "an addition for every element that comes in, a division for every element that goes out of "
        f"{_several(len(pools), 'layer')}: {taken_in:,} + {put_out:,}",
        taken_in + put_out,
    )


def _thop_terms(steps: list[Step]) -> Iterable[Term]:
    exact = [*_norm_terms(steps), *_pool_terms(steps)]
    yield from exact
    whole = sum(cost.macs(step.layer, step.output.shape) for step in steps) + sum(term.value for term in exact)
    counted = [(step.path, _thop_macs(step.layer, step.inputs[0].shape, step.output.shape)) for step in steps]
    yield _rounding(int(_summed(counted)), whole)


def _thop_params_terms(steps: list[Step]) -> Iterable[Term]:
    whole = sum(cost.params(step.layer) for step in steps)
    counted = [(step.path, float(cost.weights(step.layer)) + float(cost.biases(step.layer))) for step in steps]
    yield _rounding(int(_summed(counted)), whole)


def _rounding(rounded: int, exact: int) -> Term:
    return Term(
        "rounding",
        f"thop calculates in 64-bit floating point and cuts fractions off: {rounded:,} − {exact:,}",
        rounded - exact,
    )


def _summed(counted: list[tuple[str, float]]) -> float:
    """Floats added up as thop does, module by module, children first; beyond 2**53 the order matters."""
    own = 0.0
    children: dict[str, list[tuple[str, float]]] = {}
    for path, value in counted:
        if path:
            name, _, rest = path.partition(".")
            children.setdefault(name, []).append((rest, value))
        else:
            own += value
    for below in children.values():
        own += _summed(below)
    return own


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _twice(steps: list[Step]) -> Term:
    macs = sum(cost.macs(step.layer, step.output.shape) for step in steps)
    return Term(
        "2 per multiply-add",
        f"the multiplication and the addition are counted apart, which is once more for each: {macs:,}",
        macs,
    )


def _shown(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(term for term in terms if term.value)


def _classes(steps: Iterable[Step], module: nn.Module) -> tuple[str, ...]:
    """Torch classes of those steps that calculate."""
    paths = [step.path for step in steps if not step.is_view]
    return tuple(sorted({type(module.get_submodule(path)).__name__ for path in paths}))


def _unknown_to_thop(step: Step) -> bool:
    if isinstance(step.layer, Activation):
        return step.layer.function not in _THOP_ACTIVATIONS
    return isinstance(step.layer, _UNKNOWN_TO_THOP)


# --- asking the tools ---------------------------------------------------------------------------------------------


def _ask_thop(module: nn.Module, image: torch.Tensor) -> tuple[int, int]:
    with warnings.catch_warnings():
        # thop compares versions of torch by distutils while it is imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        import thop
    # Its counters are made on the default device and have to hold numbers, unlike the module.
    device = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
    with device, _in_range("thop"):
        macs, params = thop.profile(module, inputs=(image,), verbose=False)
    return int(macs), int(params)


def _ask_torch(module: nn.Module, image: torch.Tensor) -> int:
    with _in_range("FlopCounterMode"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(image)
    return int(counter.get_total_flops())


@contextmanager
def _in_range(tool: str) -> Iterator[None]:
    """Sizes beyond 64 bits as a `DesignError`."""
    try:
        yield
    except (RuntimeError, OverflowError) as error:
        raise DesignError(f"{tool} cannot count this network: {error}") from error


def crosscheck(design: Design, resolution: int | None = None) -> Crosscheck:
    """Count `design` with effviz, thop and torch, and explain every difference.

    Args:
        design: what to count.
        resolution: side of the input in pixels; None for the design's own.

    Raises:
        DesignError: the network cannot be built at this resolution, or is beyond a tool's arithmetic (thop's end at
            2**63 multiply-adds in one layer).
    """
    return _crosscheck(design, resolution, _no_progress, _never)


def _no_progress(fraction: float, message: str) -> None:
    pass


def _never() -> bool:
    return False


def _crosscheck(
    design: Design,
    resolution: int | None,
    progress: Callable[[float, str], object],
    cancelled: Callable[[], bool],
) -> Crosscheck:
    progress(0.0, "Building")
    report = analyze(design, resolution)
    steps = report.steps
    module = build(design, resolution, device="meta")
    image = torch.empty((1, *report.input_shape), device="meta")
    trained = sum(parameter.numel() for parameter in module.parameters())
    _stop_if(cancelled)
    progress(0.2, "Counting with FlopCounterMode")
    flops = _ask_torch(module, image)
    _stop_if(cancelled)
    progress(0.6, "Counting with thop")
    # Last, because it leaves buffers behind.
    macs, params = _ask_thop(module, image)
    comparisons = (
        Comparison(
            tool="torch",
            version=version("torch"),
            quantity="params",
            call="sum(p.numel() for p in module.parameters())",
            total=trained,
            effviz=report.params,
        ),
        Comparison(
            tool="thop",
            version=version("thop"),
            quantity="params",
            call="thop.profile(module, (image,))",
            total=params,
            effviz=report.params,
            terms=_shown(_thop_params_terms(steps)),
        ),
        Comparison(
            tool="thop",
            version=version("thop"),
            quantity="macs",
            call="thop.profile(module, (image,))",
            total=macs,
            effviz=report.macs,
            terms=_shown(_thop_terms(steps)),
            not_counted=_classes((step for step in steps if _unknown_to_thop(step)), module),
        ),
        Comparison(
            tool="FlopCounterMode",
            version=version("torch"),
            quantity="macs",
            call="torch.utils.flop_counter.FlopCounterMode()",
            total=flops,
            effviz=report.macs,
            terms=_shown([_twice(steps)]),
            not_counted=_classes((step for step in steps if not isinstance(step.layer, (Conv2d, Linear))), module),
        ),
    )
    progress(1.0, "Counted")
    return Crosscheck(design.name, report.resolution, comparisons)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled


def crosscheck_job(
    payload: Mapping[str, Any], progress: Callable[[float, str], object], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """`crosscheck` for a worker process: plain values in and out.

    Args:
        payload: ``design``, the text that `Design.to_json` wrote, and ``resolution``, a number or None.
        progress: called with the share that is done, 0 to 1, and what is being done.
        cancelled: asked between the tools.

    Raises:
        DesignError: as `crosscheck`, and if the text is no design.
        Cancelled: `cancelled` said so.
    """
    design = Design.from_json(payload["design"])
    return _crosscheck(design, payload.get("resolution"), progress, cancelled).to_dict()
