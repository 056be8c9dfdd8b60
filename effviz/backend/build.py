"""A design as a torch.nn.Module with the same tree and the same names.

Modules are exact torch classes, because thop ignores subclasses. Eight classes that torch does not have are
defined here: the merge of branches, a channel slice, a channel selection, subsampling, channels of zeros, stochastic
depth, and layer norm and a scale of the channels.
"""

import os
from collections.abc import Callable
from functools import reduce, singledispatch
from typing import Any

import torch
from torch import Tensor, nn

from effviz.core.errors import DesignError, UncountedLayerError, fail
from effviz.core.resolution import Resolution
from effviz.model import layers
from effviz.model.design import Design, as_design
from effviz.model.layers import RESIZE, Activation, Block, Branches, Layer, Sequential

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hardswish": nn.Hardswish,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
}
_MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"add": torch.add, "mul": torch.mul}
# Only the next layer reads the output of these, so an activation after them may overwrite it.
_WRITERS = (
    layers.Conv2d, layers.BatchNorm2d, layers.Linear, layers.MaxPool2d, layers.AvgPool2d, layers.AdaptiveAvgPool2d,
    layers.GlobalAvgPool, Branches,
)  # fmt: skip
_IN_PLACE = ("relu", "relu6", "hardswish", "silu", "hardsigmoid", "leaky_relu", "elu")


def _adopt(parent: nn.Module, name: str, child: nn.Module) -> None:
    """Add a child under any name; `add_module` rejects stages named "forward" or "training"."""
    parent._modules[name] = child


class Merge(nn.Module):
    """Branches with a common input, whose outputs are added, multiplied, concatenated or resized.

    Args:
        branches: ``(name, module)``; of a branch without a name, the children are registered.
        merge: ``"add"``, ``"mul"``, ``"concat"`` (along the channels), or ``"resize"`` (the first to the size of the
            second).
        split: give every branch an equal share of the channels instead of the whole input.
    """

    def __init__(self, branches: list[tuple[str, nn.Module]], merge: str, *, split: bool) -> None:
        super().__init__()
        self.merge = merge
        self.split = split
        self.runs: list[list[str]] = []
        for name, module in branches:
            named = [(name, module)] if name else list(module.named_children())
            for child, layer in named:
                _adopt(self, child, layer)
            self.runs.append([child for child, _ in named])

    def forward(self, x: Tensor) -> Tensor:
        """Run the branches on ``(N, C, H, W)`` or ``(N, F)`` and merge their outputs."""
        inputs = x.chunk(len(self.runs), dim=1) if self.split else [x] * len(self.runs)
        outputs = []
        for run, part in zip(self.runs, inputs, strict=True):
            for name in run:
                part = self._modules[name](part)  # type: ignore[misc]
            outputs.append(part)
        if self.merge == "concat":
            return torch.cat(outputs, dim=1)
        if self.merge == RESIZE:
            resized, like = outputs
            return nn.functional.interpolate(resized, size=like.shape[-2:], mode="nearest")
        return reduce(_MERGES[self.merge], outputs)

    def extra_repr(self) -> str:
        return f"merge={self.merge}, split={self.split}"


class ChannelSlice(nn.Module):
    """Channels `start` to `stop` of ``(N, C, H, W)``, as a view."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}"


class ChannelSelect(nn.Module):
    """Copies of chosen channels of ``(N, C, H, W)`` or ``(N, C)``; evenly spaced until weights are loaded."""

    index: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.register_buffer("index", torch.arange(out_channels) * in_channels // out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.index)

    def extra_repr(self) -> str:
        return f"{len(self.index)}"


class Subsample(nn.Module):
    """Every `stride`-th pixel of ``(N, C, H, W)``, as a view."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride]

    def extra_repr(self) -> str:
        return f"stride={self.stride}"


class ZeroPadChannels(nn.Module):
    """Channels of zeros before and after those of ``(N, C, H, W)``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.before = (out_channels - in_channels) // 2
        self.after = out_channels - in_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pad(x, (0, 0, 0, 0, self.before, self.after))

    def extra_repr(self) -> str:
        return f"{self.before}, {self.after}"


class LayerNorm2d(nn.Module):
    """Layer norm of the channels of each pixel of ``(N, C, H, W)``."""

    def __init__(self, num_features: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Tensor) -> Tensor:
        normed = nn.functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps)
        return normed.permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps:g}"


class LayerScale(nn.Module):
    """One trained factor per channel of ``(N, C, H, W)``, initially 1e-6 (arXiv 2103.17239)."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_features,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}"


class DropBranch(nn.Module):
    """Stochastic depth: zeroes the whole branch of single images with probability `p`, in training only.

    The remaining images are divided by ``1 - p``, which keeps the expectation (arXiv 1603.09382).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        keep = torch.empty((x.shape[0],) + (1,) * (x.dim() - 1), dtype=x.dtype, device=x.device)
        return x * keep.bernoulli_(1 - self.p).div_(1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


# Modules with the arguments of the layer.
_SAME: dict[type[Layer], Callable[..., nn.Module]] = {
    getattr(layers, name): getattr(nn, name)
    for name in (
        "Conv2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Linear", "ChannelShuffle", "Flatten",
        "Dropout", "Identity",
    )
} | {
    layers.Slice: ChannelSlice,
    layers.ChannelSelect: ChannelSelect,
    layers.Subsample: Subsample,
    layers.ZeroPadChannels: ZeroPadChannels,
    layers.LayerNorm2d: LayerNorm2d,
    layers.LayerScale: LayerScale,
    layers.StochasticDepth: DropBranch,
}  # fmt: skip


@singledispatch
def to_module(layer: Layer) -> nn.Module:
    """Return the torch module of a layer tree."""
    if type(layer) not in _SAME:
        raise UncountedLayerError(f"{type(layer).__name__} has no torch module")
    return _SAME[type(layer)](**vars(layer))


@to_module.register
def _(layer: layers.GlobalAvgPool) -> nn.Module:
    return nn.AdaptiveAvgPool2d(1)


@to_module.register
def _(layer: Activation, *, in_place: bool = False) -> nn.Module:
    kind = _ACTIVATIONS[layer.function]
    return kind(inplace=True) if in_place and layer.function in _IN_PLACE else kind()


@to_module.register
def _(layer: Sequential) -> nn.Module:
    module = nn.Sequential()
    before: Layer | None = None
    for name, child in layer.children:
        while isinstance(child, Block):
            child = child.expand()
        options = {"in_place": isinstance(before, _WRITERS)} if isinstance(child, Activation) else {}
        _adopt(module, name, to_module(child, **options))
        before = child
    return module


@to_module.register
def _(layer: Branches) -> nn.Module:
    return Merge([(name, to_module(child)) for name, child in layer.branches], layer.merge, split=layer.split)


@to_module.register
def _(layer: Block) -> nn.Module:
    return to_module(layer.expand())


def build(
    design: Design, resolution: Resolution | None = None, *, device: str | torch.device | None = None, **options: Any
) -> nn.Module:
    """Build `design` as a module in evaluation mode, with input ``(N, in_channels, height, width)``.

    Args:
        design: the network.
        resolution: of the input in pixels, one side or (height, width); None for the design's own. It
            affects only designs that flatten a map whose size depends on it.
        device: of the parameters; ``"meta"`` creates shapes without memory.

    Raises:
        DesignError: the network cannot be built at this resolution, or it is too large for torch.
        RuntimeError: other programs need the memory.
    """
    design = as_design(design)
    if options:
        fail("option", next(iter(options)), "is unknown; build accepts resolution and device")
    tree = design.layer(resolution)
    if device is not None and not isinstance(device, (str, torch.device)):
        fail("device", device, "must be the name of a torch device")
    try:
        target = torch.device("cpu" if device is None else device)
    except RuntimeError as error:
        fail("device", device, f"is not a torch device: {str(error).splitlines()[0][:200]}")
    try:
        with target:
            return to_module(tree).eval()
    except RuntimeError as error:
        if "allocate" in str(error) and _fits(tree):
            raise  # other programs need the memory at the moment
        raise DesignError(f"torch cannot build the design: {str(error).partition(chr(10))[0][:200]}") from None


def _fits(tree: Layer) -> bool:
    """Return whether the parameters fit into the memory of this machine."""
    with torch.device("meta"):
        needed = 4 * sum(each.numel() for each in to_module(tree).parameters())
    if not hasattr(os, "sysconf"):  # Windows
        return True
    return needed < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
