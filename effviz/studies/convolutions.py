"""Five kinds of convolution at one setting: cost, reduction, effect of each control, connected channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import fail, flag, if_legal, one_of, whole
from effviz.count import cost
from effviz.count.memory import fuse, memory_access
from effviz.count.report import Report, analyze
from effviz.model.blocks.basic import same_padding
from effviz.model.design import Design
from effviz.model.layers import Conv2d, Sequential, pair
from effviz.model.stage import Stage
from effviz.model.trace import trace

if TYPE_CHECKING:
    import numpy as np

KINDS = {
    "standard": "Standard",
    "pointwise": "Pointwise 1×1",
    "grouped": "Grouped",
    "depthwise": "Depthwise",
    "separable": "Depthwise separable",
}
"""Kinds of convolution that can be compared, and their names on screen; the cheapest is the last."""

CONTROLS = {
    "kernel_size": "Kernel size",
    "in_channels": "Input channels",
    "out_channels": "Output channels",
    "groups": "Groups",
    "stride": "Stride",
    "resolution": "Resolution",
}


@dataclass(frozen=True)
class Setting:
    """One convolution.

    Raises:
        DesignError: a value is illegal, or the groups do not divide the channels.
    """

    kernel_size: int = 3  # side of the window, in pixels; padded by half of it
    in_channels: int = 128  # of the input map
    out_channels: int = 128  # of the output map
    groups: int = 4  # of a grouped convolution; divides both
    stride: int = 1  # of the window, in pixels
    resolution: int = 28  # side of the input map, in pixels
    bias: bool = False  # a bias for each output channel of every layer

    def __post_init__(self) -> None:
        for name in CONTROLS:
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        flag("bias", self.bias)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                fail("groups", self.groups, f"must divide {name} = {getattr(self, name)}")


def legal_groups(in_channels: int, out_channels: int) -> list[int]:
    """Return the numbers of groups that divide both."""
    common = gcd(in_channels, out_channels)
    small = [number for number in range(1, int(common**0.5) + 1) if common % number == 0]
    return sorted({*small, *(common // number for number in small)})


@remembered
def design(kind: str, setting: Setting) -> Design:
    """Return a network of one layer, or of the two of a separable convolution, without norm and activation.

    A depthwise convolution has as many output channels as input channels: it ignores `out_channels`.
    """
    layers = _layers(kind, setting)
    rows = [
        Stage(
            "conv", layer.out_channels, 1, pair(layer.stride)[0], name=name, kernel_size=layer.kernel_size,
            groups=layer.groups, bias=setting.bias, norm=False, activation="none",
        )
        for name, layer in layers
    ]  # fmt: skip
    name, wide = KINDS[kind].removesuffix(" 1×1"), setting.in_channels
    size, out = layers[0][1].kernel_size, layers[-1][1].out_channels
    title = f"{name} {size}×{size}, {wide} to {out} channels, {setting.resolution} px"
    return Design(kind, tuple(rows), title=title, family="Convolution", resolution=setting.resolution, in_channels=wide)


def _layers(kind: str, setting: Setting) -> list[tuple[str, Conv2d]]:
    """Return the layers of one kind with their names."""
    one_of("kind", kind, KINDS)
    wide, out, stride, bias = setting.in_channels, setting.out_channels, setting.stride, setting.bias
    size, pad = setting.kernel_size, same_padding(setting.kernel_size)
    if kind == "separable":
        return [
            ("depthwise", Conv2d(wide, wide, size, stride, pad, 1, wide, bias)),
            ("pointwise", Conv2d(wide, out, 1, bias=bias)),
        ]
    if kind == "pointwise":
        return [("conv", Conv2d(wide, out, 1, stride, bias=bias))]
    groups = {"grouped": setting.groups, "depthwise": wide}.get(kind, 1)
    return [("conv", Conv2d(wide, wide if kind == "depthwise" else out, size, stride, pad, 1, groups, bias))]


def report(kind: str, setting: Setting, memory: str = "fused") -> Report:
    """Count the network of one kind at one setting."""
    return _report(kind, setting, memory)


@remembered
def _report(kind: str, setting: Setting, memory: str) -> Report:
    return analyze(design(kind, setting), memory=memory)


class Reduction(NamedTuple):
    """Reduction of multiply-adds against the standard convolution; without bias, that of parameters is the same."""

    factor: float  # from the exact counts
    symbols: str  # the closed form
    numbers: str  # the closed form with numbers substituted
    closed: float  # its value


def reduction(kind: str, setting: Setting) -> Reduction:
    """Return the reduction against the standard convolution, and its closed form."""
    counted = report("standard", setting).macs / report(kind, setting).macs
    size, out, groups = setting.kernel_size, setting.out_channels, setting.groups
    forms = {
        "standard": ("1", "1", 1.0),
        "pointwise": ("k²", f"{size}²", float(size**2)),
        "grouped": ("groups", f"{groups}", float(groups)),
        "depthwise": ("C_out", f"{out}", float(out)),
        "separable": (
            "k² × C_out / (k² + C_out)",
            f"{size}² × {out:,} / ({size}² + {out:,})",
            size**2 * out / (size**2 + out),
        ),
    }
    return Reduction(counted, *forms[kind])


def enough_channels(kernel_size: int, factor: float) -> int | None:
    """Return the fewest output channels at which a separable convolution is `factor` times cheaper, or None."""
    # k² C / (k² + C) >= f
    area = kernel_size**2
    if factor >= area:
        return None
    return max(1, -int(-factor * area // (area - factor)))


def near_limit(kernel_size: int) -> tuple[float, int | None]:
    """Return 8/9 of a separable convolution's largest reduction, and the output channels that reach it.

    The channels are None for a 1x1 window, which has nothing to save.
    """
    factor = kernel_size**2 * 8 / 9
    return factor, None if kernel_size == 1 else enough_channels(kernel_size, factor)


def relative_costs(setting: Setting, memory: str = "fused") -> dict[str, dict[str, float]]:
    """Return parameters, multiply-adds and memory access of every kind, relative to the standard convolution."""
    base = report("standard", setting, memory)
    return {
        kind: {name: getattr(each, name) / getattr(base, name) for name in ("params", "macs", "memory_access")}
        for kind in KINDS
        for each in [report(kind, setting, memory)]
    }


class Curves(NamedTuple):
    """Reduction factors along one setting."""

    at: list[int]  # values of the setting
    macs: list[float]  # factors in multiply-adds
    memory_access: list[float]  # factors in memory access


_KERNELS = tuple(range(1, 16, 2))
_WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)


def by_kernel(kind: str, setting: Setting, memory: str = "fused") -> Curves:
    """Return reduction factors for the usual kernel sizes and the one of `setting`."""
    return _curves(kind, setting, "kernel_size", sorted({*_KERNELS, setting.kernel_size}), memory)


def by_width(kind: str, setting: Setting, memory: str = "fused") -> Curves:
    """Return reduction factors for the usual output channels and those of `setting`."""
    # Only grouped convolutions need channels that the groups divide.
    free = setting if kind == "grouped" else replace(setting, groups=1)
    widths = [out for out in sorted({*_WIDTHS, setting.out_channels}) if out % free.groups == 0]
    return _curves(kind, free, "out_channels", widths, memory)


def _curves(kind: str, setting: Setting, name: str, values: list[int], memory: str) -> Curves:
    settings = [Setting(**vars(setting) | {name: value}) for value in values]
    pairs = [(_counts("standard", each, memory), _counts(kind, each, memory)) for each in settings]
    macs, access = ([standard[place] / other[place] for standard, other in pairs] for place in (0, 1))
    return Curves(values, macs, access)


def _counts(kind: str, setting: Setting, memory: str) -> tuple[int, int]:
    """Return multiply-adds and memory access as a report does, in a tenth of its time: a move draws twenty points."""
    shape = (setting.in_channels, setting.resolution, setting.resolution)
    steps = trace(Sequential(tuple(_layers(kind, setting))), shape)
    macs = sum(cost.macs(step.layer, step.output.shape) for step in steps)
    return macs, sum(memory_access(steps, fuse(steps, shape), memory))


class StepEffect(NamedTuple):
    """The effect of one step of one control."""

    control: str  # its name on screen
    before: int  # value of the control
    after: int  # value after the step
    params: float  # factors
    macs: float
    memory_access: float


def sensitivities(kind: str, setting: Setting, memory: str = "fused") -> list[StepEffect]:
    """Return the change of the counts for each control that can grow: the kernel by 2, the others twofold."""
    now = report(kind, setting, memory)
    found = []
    for name, moved in _moves(kind, setting):
        then = if_legal(partial(report, kind, moved, memory))
        if then is None:
            continue
        factors = (getattr(then, each) / getattr(now, each) for each in ("params", "macs", "memory_access"))
        found.append(StepEffect(CONTROLS[name], getattr(setting, name), getattr(moved, name), *factors))
    return found


def _moves(kind: str, setting: Setting) -> Iterator[tuple[str, Setting]]:
    for name in CONTROLS:
        value = getattr(setting, name)
        if name == "groups":
            larger = [count for count in legal_groups(setting.in_channels, setting.out_channels) if count > value]
            if kind != "grouped" or not larger:
                continue
            yield name, replace(setting, groups=larger[0])
        else:
            yield name, replace(setting, **{name: value + 2 if name == "kernel_size" else 2 * value})


# --- Which channels are connected ----------------------------------------------------------------------------------


class Connection(NamedTuple):
    """A full block of a connection matrix: these outputs read these inputs. Ends are excluded."""

    first_in: int
    end_in: int
    first_out: int
    end_out: int


def connections(kind: str, setting: Setting) -> list[list[Connection]]:
    """Which output channels read which input channels, layer by layer, from the groups of the built layers."""
    layers = []
    for entry in design(kind, setting).blocks():
        fields = vars(entry.block)
        groups = fields["groups"]
        wide, narrow = fields["in_channels"] // groups, fields["out_channels"] // groups
        layers.append([Connection(at * wide, (at + 1) * wide, at * narrow, (at + 1) * narrow) for at in range(groups)])
    return layers


def reach(channels: int, groups: int, *, shuffle: bool) -> np.ndarray:
    """Which inputs reach which outputs through two grouped 1x1 convolutions, with a channel shuffle between or without.

    The shuffle is that of ShuffleNet (arXiv 1707.01083, figure 1).

    Returns:
        (channels, channels) of bool: output, input.

    Raises:
        DesignError: the groups do not divide the channels.
    """
    import numpy as np

    if whole("channels", channels, 1) % whole("groups", groups, 1):
        fail("groups", groups, f"must divide channels = {channels}")
    size = channels // groups
    group_of = np.arange(channels) // size
    one = group_of[:, None] == group_of[None, :]
    order = np.arange(channels)
    if shuffle:
        order = order.reshape(groups, size).T.reshape(-1)
    # The matrix product over booleans, group by group: an output reads all of its group, each of which reads its own.
    between = one[order]
    reached = np.array([between[group_of == group].any(axis=0) for group in range(groups)])
    return np.asarray(reached[group_of])


def drawn_channels(channels: int, groups: int, most: int = 64) -> tuple[int, int]:
    """Channels and groups of a picture: the real ones if they are few enough, else fewer with the same structure."""
    if channels <= most:
        return channels, groups
    groups = min(groups, most // 2)
    size = max(1, min(channels // groups, most // groups))
    return groups * size, groups


check_border(globals())
