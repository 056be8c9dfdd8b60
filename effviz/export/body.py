"""The code of one class: `__init__` registers the layers, `forward` runs them."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from effviz.core.errors import UncountedLayerError
from effviz.export.classes import BlockClass
from effviz.export.pattern import NEUTRAL, SharedPart, known
from effviz.export.scope import TORCH_ACTIVATIONS, Param
from effviz.export.source import INDENT, LINE, Call, Names, docstring, fresh, is_plain, literal, prose, statement
from effviz.model import layers
from effviz.model.layers import (
    RESIZE,
    Activation,
    Branches,
    ChannelSelect,
    GlobalAvgPool,
    LayerNorm2d,
    LayerScale,
    Sequential,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
)

# An activation may overwrite the output of these, which no other layer reads.
_WRITERS = {
    *(layers.Conv2d, layers.BatchNorm2d, layers.Linear, layers.MaxPool2d, layers.AvgPool2d),
    *(layers.AdaptiveAvgPool2d, layers.GlobalAvgPool, Branches),
}
_TORCH = {*_WRITERS, Activation, layers.ChannelShuffle, layers.Dropout, layers.Flatten} - {Branches}
_OVERWRITING = ("relu", "relu6", "hardswish", "silu", "hardsigmoid", "leaky_relu", "elu")
_IN_PLACE = {TORCH_ACTIVATIONS[name] for name in _OVERWRITING} | {None}
_WIDEST_MERGE = 80

_BROUGHT = {
    StochasticDepth: "StochasticDepth",
    Slice: "ChannelSlice",
    ChannelSelect: "ChannelSelect",
    Subsample: "Subsample",
    ZeroPadChannels: "ZeroPadChannels",
    LayerNorm2d: "LayerNorm2d",
    LayerScale: "LayerScale",
}
HELPERS = {
    "StochasticDepth": '''
class StochasticDepth(nn.Module):
    """Drop the whole branch of single images with probability p, in training only (arXiv 1603.09382)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        keep = x.new_empty((len(x),) + (1,) * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * keep.div_(1 - self.p)''',
    "ChannelSlice": '''
class ChannelSlice(nn.Module):
    """The channels from start up to, not including, stop."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]''',
    "ChannelSelect": '''
class ChannelSelect(nn.Module):
    """Copies of chosen channels; the indices are evenly spaced until trained weights are loaded."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.register_buffer("index", torch.arange(out_channels) * in_channels // out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.index)''',
    "Subsample": '''
class Subsample(nn.Module):
    """Every stride-th pixel of both sides."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride]''',
    "ZeroPadChannels": '''
class ZeroPadChannels(nn.Module):
    """Channels of zeros before and after those of the input."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.before = (out_channels - in_channels) // 2
        self.after = out_channels - in_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pad(x, (0, 0, 0, 0, self.before, self.after))''',
    "LayerNorm2d": '''
class LayerNorm2d(nn.Module):
    """Layer norm of the channels of each pixel."""

    def __init__(self, num_features: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = nn.functional.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)''',
    "LayerScale": '''
class LayerScale(nn.Module):
    """One trained factor per channel."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_features,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, 1, 1)''',
}
"""Names and code of the classes that a file defines if it needs them."""


def layer_call(kind: Any, texts: dict[str, str], *, in_place: bool = False) -> Call:
    """Return the expression that makes a layer; `texts` are its arguments."""
    if isinstance(kind, BlockClass):
        required = [param.name for param in kind.params if param.default is None]
        widths = ["in_channels", "out_channels"]
        return Call(kind.name, arguments(kind.params, texts, required if len(required) <= len(widths) else widths))
    if kind is Activation:
        return Call(texts["function"], ("inplace=True",) if in_place else ())
    if kind is GlobalAvgPool:
        return Call("nn.AdaptiveAvgPool2d", ("1",))
    if kind not in _TORCH and kind not in _BROUGHT:
        raise UncountedLayerError(f"{kind.__name__} has no torch source")
    defaults = {entry.name: MISSING if kind in NEUTRAL else entry.default for entry in fields(kind)}
    params = [Param(name, default=None if each is MISSING else literal(each)) for name, each in defaults.items()]
    placed = [param.name for param in params if param.default is None]
    return Call(_BROUGHT.get(kind, f"nn.{kind.__name__}"), arguments(params, texts, placed))


def arguments(params: Sequence[Param], texts: dict[str, str], placed: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of a call, without those that are defaults."""
    given = [(param.name, texts[param.name]) for param in params if texts[param.name] != param.default]
    return tuple(text if name in placed else f"{name}={text}" for name, text in given)


class Body:
    """Layers as code; `names` is how the file writes the names of modules."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.lines: list[str] = []  # statements of __init__
        self.forward: list[str] = []  # statements of forward; empty for a nn.Sequential
        self._taken = {"self", "torch", "nn", "x"}
        self._open = ("", "", 0)

    def write(self, of: BlockClass) -> None:
        """Append all layers of a class."""
        sequential = not (of.body.forks or of.has_shortcut)
        self.chain(of.body, "self", 2 * INDENT, sequential=sequential)
        self.chain(SharedPart(Sequential, children=of.tail), "self", 2 * INDENT, sequential=sequential)
        if of.has_shortcut:
            self.forward.append(f"out = {self._run(of.body.children, 'self', 'x', 'out')}")
            added = self._run(of.tail, "self", "out", "out")
            self.forward.append(f"return x + {added} if self.has_shortcut else out")
        elif not sequential:
            self.forward.append(f"return {self._run([('', of.body)], 'self', 'x', 'x')}")

    # --- __init__ ------------------------------------------------------------------------------------------------

    def chain(self, part: SharedPart, owner: str, indent: str, *, sequential: bool) -> None:
        """Register the layers of a container with `owner`; `sequential` runs only those that exist."""
        before: list[SharedPart] = []
        for name, child in part.steps():
            if name:
                in_place = part.kind is Sequential and _overwrites(child, before)
                self._child(name, child, owner, indent, sequential=sequential, in_place=in_place)
            else:
                self.chain(child, owner, indent, sequential=False)
            before.append(child)

    def _child(self, name: str, part: SharedPart, owner: str, indent: str, *, sequential: bool, in_place: bool) -> None:
        """Register one layer with `owner`, or the identity where its condition is false."""
        container = part.kind in (Sequential, Branches)
        value = Call("nn.Module" if part.forks else "nn.Sequential")
        if not container:
            value = layer_call(part.kind, part.texts, in_place=in_place)
            one = f"{indent}{owner}.{name} = {value} if {part.condition} else nn.Identity()"
            if part.optional and not sequential and is_plain(name) and len(one) <= LINE:
                self.lines.append(one)
                return
            if part.optional and not sequential:
                self.lines += self._names.registered(owner, name, Call("nn.Identity"), indent)
        else:
            self.lines += self._names.registered(owner, name, value, indent)
        inner = indent + INDENT * part.optional
        if part.optional and self._open != (part.condition, indent, len(self.lines)):
            self.lines.append(f"{indent}if {part.condition}:")
        if container:
            self.chain(part, self._names.reached(owner, name), inner, sequential=not part.forks)
        else:
            self.lines += self._names.registered(owner, name, value, inner)
        self._open = (part.condition, indent, len(self.lines))

    # --- forward -------------------------------------------------------------------------------------------------

    def _run(self, steps: Sequence[tuple[str, SharedPart | None]], owner: str, source: str, target: str) -> str:
        """Append statements that run layers one after another, and return the expression of the last output."""
        value = source
        for place, (name, part) in enumerate((name, part) for name, part in steps if part is not None):
            if place:
                self.forward.append(f"{target} = {value}")
                value = target
            reached = self._names.reached(owner, name) if name else owner
            if part.kind is Branches:
                value = self._merge(part, reached, value)
            elif part.forks or not name:
                value = self._run(part.children, reached, value, target)
            else:
                value = f"{reached}({value})"
        return value

    def _merge(self, part: SharedPart, owner: str, source: str) -> str:
        """Append statements that run branches, and return the expression of the merged output."""
        names = [fresh(name or "out", self._taken) for name, _ in part.children]
        inputs = names if part.split else [source] * len(names)
        if part.split:
            self.forward.append(f"{', '.join(names)} = {source}.chunk({len(names)}, dim=1)")
        outputs = []
        for branch, local, given in zip(part.children, names, inputs, strict=True):
            self._taken.add(local)
            outputs.append(self._run([branch], owner, given, local))
            if branch[1] and (branch[1].forks or not branch[0]):
                self.forward.append(f"{local} = {outputs.pop()}")
                outputs.append(local)
        self._taken -= set(names)
        if part.merge == RESIZE:
            resized, like = outputs
            return f"nn.functional.interpolate({resized}, size={like}.shape[-2:])"
        if part.merge != "concat":
            # The input first: x + out.
            outputs.sort(key=lambda output: output != source)
        sign, template = {"add": (" + ", "{}"), "mul": (" * ", "{}")}.get(part.merge, (", ", "torch.cat([{}], dim=1)"))
        while len(outputs) > 2 and len(sign.join(outputs)) > _WIDEST_MERGE:
            self.forward.append(f"out = {template.format(sign.join(outputs[:2]))}")
            outputs[:2] = ["out"]
        return template.format(sign.join(outputs))


def _overwrites(part: SharedPart, before: Sequence[SharedPart]) -> bool:
    """Return whether an activation may work in place after the layers before it in its chain."""
    for each in reversed(before):
        if each.kind not in _WRITERS:
            return False
        if not each.optional:
            return part.kind is Activation and set(known(part.slots["function"])) <= _IN_PLACE
    return False


def class_lines(of: BlockClass, names: Names) -> list[str]:
    """Return the whole class."""
    body = Body(names)
    body.write(of)
    indent = 2 * INDENT
    params = [f"{each.name}: {each.hint}" + (f" = {each.default}" if each.default else "") for each in of.params]
    lines = ["", "", f"class {of.name}({'nn.Module' if body.forward else 'nn.Sequential'}):"]
    lines += [*docstring(summary(of), indent=INDENT), ""]
    lines += statement("def ", Call("__init__", ("self", *params)), INDENT, " -> None:")
    lines += [f"{indent}super().__init__()", *(f"{indent}{name} = {text}" for name, text in of.formulas.items())]
    lines += [f"{indent}self.has_shortcut = {of.has_shortcut}"] if of.has_shortcut else []
    lines += body.lines
    if body.forward:
        lines += ["", f"{INDENT}def forward(self, x: Tensor) -> Tensor:", *(indent + line for line in body.forward)]
    return lines


def summary(of: BlockClass) -> str:
    """Return the steps of a recipe, or the first line of the block's docstring."""
    steps = [prose(part.path[-1]) for part in of.body.parts() if not part.children and part.path]
    return f"{prose(of.called)}: {', '.join(steps)}" if of.called else prose((of.kind.__doc__ or "").partition("\n")[0])
