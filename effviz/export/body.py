"""The code of a class: `__init__`, which registers the layers, and `forward`, which runs them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from effviz.core.errors import UncountedLayerError
from effviz.export.classes import BlockClass, parts_of
from effviz.export.pattern import Chain, Fork, Leaf, Part, Vector, always, known, never
from effviz.export.source import INDENT, LINE, Names, call, definition, docstring, fresh, is_plain, literal, prose
from effviz.export.terms import TORCH_ACTIVATIONS, names_in
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Linear,
    MaxPool2d,
    Slice,
    StochasticDepth,
)

TORCH = {
    Activation: "activation",
    AdaptiveAvgPool2d: "average pool",
    AvgPool2d: "average pool",
    BatchNorm2d: "batch norm",
    ChannelShuffle: "channel shuffle",
    Conv2d: "convolution",
    Dropout: "dropout",
    Flatten: "flatten",
    GlobalAvgPool: "global average pool",
    Identity: "identity",
    Linear: "linear layer",
    MaxPool2d: "max pool",
}
"""Primitives that are modules of torch.nn, in a reader's words."""

BROUGHT = {Slice: "ChannelSlice", StochasticDepth: "StochasticDepth"}
"""Primitives for which the file brings a class along."""

BRANCHES = "Branches"
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
        return x * keep.div_(1 - self.p)
''',
    "ChannelSlice": '''
class ChannelSlice(nn.Module):
    """The channels from start up to, not including, stop."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]
''',
    BRANCHES: '''
class Branches(nn.Module):
    """The input through several runs of layers, which are named; their outputs added, multiplied or concatenated.

    With split, every run gets an equal share of the channels instead of all of them.
    """

    def __init__(self, merge: str, *runs: tuple[str, ...], split: bool = False) -> None:
        super().__init__()
        self._merge, self._runs, self._split = merge, runs, split

    def forward(self, x: Tensor) -> Tensor:
        inputs = x.chunk(len(self._runs), dim=1) if self._split else [x] * len(self._runs)
        outputs = []
        for names, output in zip(self._runs, inputs, strict=True):
            for name in names:
                output = self._modules[name](output)
            outputs.append(output)
        if self._merge == "concat":
            return torch.cat(outputs, dim=1)
        merged = outputs[0]
        for output in outputs[1:]:
            merged = merged + output if self._merge == "add" else merged * output
        return merged
''',
}
"""Classes that a file brings along when it needs them."""

# What writes a tensor that only the next layer reads, so that an activation behind it may overwrite it.
_WRITERS = (Conv2d, BatchNorm2d, Linear, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, GlobalAvgPool)
_OVERWRITING = ("relu", "relu6", "hardswish", "silu", "hardsigmoid", "leaky_relu", "elu")
_IN_PLACE = [TORCH_ACTIVATIONS[each] for each in _OVERWRITING]
_MOST_BRANCHES = 4
_WIDEST_NEST = 88
# What a name is given, or returned, in a line of `forward`.
_WIDEST_LINE = LINE - 2 * len(INDENT) - len("return ")
_TAKEN = {"self", "torch", "nn", "x", "out"}


class Body:
    """Writes the layers of one class into `lines`.

    Args:
        of: the class.
        names: how the file writes names of modules.
        renamed: what stands for expressions of the class, where its layers are written without it.

    Attributes:
        helpers: names of the helpers that the lines need.
        forks: those that `forward` runs itself.
        flags: attributes that `forward` reads, and what they are set to.
    """

    def __init__(self, of: BlockClass, names: Names, renamed: dict[str, str] | None = None) -> None:
        self.of, self.names, self.renamed = of, names, renamed or {}
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        inner = of.pattern.parts if isinstance(of.pattern, Chain) else [("", of.pattern)]
        self.forks = [part for _, part in inner if isinstance(part, Fork)]
        self.flags: dict[str, str] = {}
        self._merges: dict[int, str] = {}
        self._splits: dict[int, str] = {}
        for fork in self.forks:
            if _said(fork.merged) is None:
                self._merges[id(fork)] = self.flag("has_shortcut", of.when_merged(fork))
            if _said(fork.split) is None:
                self._splits[id(fork)] = self.flag("splits", of.when_split(fork))

    def flag(self, name: str, text: str) -> str:
        """An attribute of the class that is no layer."""
        children = {name for part in parts_of(self.of.pattern) for name in part.path}
        name = fresh(name, children | self.flags.keys())
        self.flags[name] = text
        return name

    # --- making layers --------------------------------------------------------------------------------------------

    def made(self, leaf: Leaf, *, in_place: bool = False) -> tuple[str, list[str]]:
        """The callable that makes a layer, and its arguments."""
        kind = leaf.kind
        texts = {slot: self.renamed.get(text, text) for slot, text in self.of.texts(leaf).items()}
        if isinstance(kind, BlockClass):
            return kind.name, arguments(kind, texts)
        if kind in BROUGHT:
            self.helpers.add(BROUGHT[kind])
            return BROUGHT[kind], list(texts.values())
        if kind not in TORCH:
            raise UncountedLayerError(f"{kind.__name__} has no torch source")
        if kind is Activation:
            function = texts["function"]
            overwrites = in_place and all(value in _IN_PLACE for value in known(leaf.slots["function"]))
            return f"({function})" if " " in function else function, ["inplace=True"] if overwrites else []
        if kind is GlobalAvgPool:
            return "nn.AdaptiveAvgPool2d", ["1"]
        return f"nn.{kind.__name__}", _torch_arguments(kind, texts)

    def chain(self, parts: Sequence[tuple[str, Part]], owner: str, indent: str, *, sequential: bool) -> None:
        """Register parts with `owner`; what is optional may be left out of a `sequential` one."""
        for place, (name, part) in enumerate(parts):
            if not never(part):
                self.part(name, part, owner, indent, sequential=sequential, in_place=_is_written(parts[:place]))

    def part(
        self, name: str, part: Part, owner: str, indent: str, *, sequential: bool = False, in_place: bool = False
    ) -> None:
        """Register one part with `owner`."""
        condition = "" if always(part) else self.of.when(part)
        if isinstance(part, Chain):
            # Without its layers it is the identity.
            self.lines += self.names.registered(owner, name, "nn.Sequential", [], indent)
            self._only_if(condition, indent)
            inner = indent + INDENT if condition else indent
            self.chain(part.parts, self.names.reached(owner, name), inner, sequential=True)
            return
        head, given = self.made(part, in_place=in_place) if isinstance(part, Leaf) else (BRANCHES, self.runs(part))
        if condition and not sequential:
            one = f"{head}({', '.join(given)}) if {condition} else nn.Identity()"
            if isinstance(part, Leaf) and is_plain(name) and len(f"{indent}{owner}.{name} = {one}") <= LINE:
                self.lines.append(f"{indent}{owner}.{name} = {one}")
                return
            self.lines += self.names.registered(owner, name, "nn.Identity", [], indent)
        self._only_if(condition, indent)
        inner = indent + INDENT if condition else indent
        self.lines += self.names.registered(owner, name, head, given, inner)
        if isinstance(part, Fork):
            self.branches(part, self.names.reached(owner, name), inner)

    def blocks(self, parts: Sequence[tuple[str, Part]], indent: str) -> None:
        """Register parts with the block itself, whose `forward` runs their branches."""
        for place, (name, part) in enumerate(parts):
            if isinstance(part, Fork):
                # It is never called: its layers are what has names.
                self.lines += self.names.registered("self", name, "nn.Module", [], indent)
                self.branches(part, self.names.reached("self", name), indent)
            elif not never(part):
                self.part(name, part, "self", indent, in_place=_is_written(parts[:place]))

    def _only_if(self, condition: str, indent: str) -> None:
        """Open a block under a condition, or go on with the one before."""
        opening = f"{indent}if {condition}:"
        before = [line for line in self.lines if not line.startswith(indent + INDENT)]
        if condition and (not before or before[-1] != opening or self.lines[-1] == before[-1]):
            self.lines.append(opening)

    def branches(self, fork: Fork, owner: str, indent: str) -> None:
        """Register what is in the branches of a fork with `owner`."""
        for name, part in fork.branches:
            if not name and isinstance(part, Chain):
                self.chain(part.parts, owner, indent, sequential=False)
            elif not never(part):
                self.part(name, part, owner, indent)
        for name, leaf in fork.tail:
            self.part(name, leaf, owner, indent)

    def runs(self, fork: Fork) -> list[str]:
        """Arguments of the helper that runs branches as one module."""
        self.helpers.add(BRANCHES)
        runs = []
        for name, part in fork.branches:
            steps = part.parts if not name and isinstance(part, Chain) else [(name, part)]
            quoted = [self.names.quoted(child) for child, each in steps if not never(each)]
            runs.append(f"({', '.join(quoted)}{',' if len(quoted) == 1 else ''})")
        split = _said(fork.split)
        text = self.of.when_split(fork) if split is None else literal(split)
        return [literal(fork.merge), *runs, *([f"split={text}"] if split is not False else [])]

    # --- running them ---------------------------------------------------------------------------------------------

    def forward(self, parts: Sequence[tuple[str, Part]]) -> list[str]:
        """The statements of `forward`; a fork without a name has its branches in the block itself."""
        lines: list[str] = []
        value = "x"
        for name, part in parts:
            if never(part):
                continue
            owner = self.names.reached("self", name) if name else "self"
            # A fork reads its input several times; a value under a condition is no argument of a call.
            if value != "x" and (isinstance(part, Fork) or " if " in value or len(value) > _WIDEST_NEST):
                lines.append(f"x = {value}")
                value = "x"
            if not isinstance(part, Fork) and len(f"{owner}({value})") > _WIDEST_LINE:
                lines.append(f"x = {value}")
                value = "x"
            value = self._forked(part, owner, lines) if isinstance(part, Fork) else f"{owner}({value})"
        return [f"{2 * INDENT}{line}" for line in [*lines, f"return {value}"]]

    def _forked(self, fork: Fork, owner: str, lines: list[str]) -> str:
        """What a fork gives for x."""
        inputs = ["x"] * len(fork.branches)
        if _said(fork.split) is not False:
            inputs = [fresh(name or "body", _TAKEN) for name, _ in fork.branches]
            shares = f"x.chunk({len(inputs)}, dim=1)"
            if _said(fork.split) is None:
                shares += f" if self.{self._splits[id(fork)]} else ({', '.join(['x'] * len(inputs))})"
            lines.append(f"{', '.join(inputs)} = {shares}")
        outputs = []
        for (name, part), value in zip(fork.branches, inputs, strict=True):
            steps = part.parts if not name and isinstance(part, Chain) else [(name, part)]
            outputs.append(self._nested(steps, owner, value, lines))
        if _said(fork.merged) is None:
            lines.append(f"out = {outputs[0]}")
            merged = f"x + {self._nested(fork.tail, owner, 'out', lines)}"
            return f"{merged} if self.{self._merges[id(fork)]} else out"
        if len("".join(outputs)) > _WIDEST_NEST:
            for index, (name, _) in enumerate(fork.branches):
                if not outputs[index].isidentifier():
                    local = fresh(name or "out", {*_TAKEN, *outputs} - {"out"})
                    lines.append(f"{local} = {outputs[index]}")
                    outputs[index] = local
        if fork.merge == "concat":
            return f"torch.cat([{', '.join(outputs)}], dim=1)"
        # The input first, as one says it.
        outputs.sort(key=lambda output: output != "x")
        return (" + " if fork.merge == "add" else " * ").join(outputs)

    def _nested(self, steps: Sequence[tuple[str, Part]], owner: str, value: str, lines: list[str]) -> str:
        for name, part in steps:
            if not never(part):
                reached = self.names.reached(owner, name)
                if len(f"{reached}({value})") > _WIDEST_LINE:
                    lines.append(f"out = {value}")
                    value = "out"
                value = f"{reached}({value})"
            if len(value) > _WIDEST_NEST:
                lines.append(f"out = {value}")
                value = "out"
        return value


def _torch_arguments(kind: type[Any], texts: dict[str, str]) -> list[str]:
    """Arguments of a module of torch.nn, those left out that have torch's default."""
    given = []
    by_place = True
    for entry in fields(kind):
        text = texts[entry.name]
        if entry.default is MISSING or text != literal(entry.default) or kind is Dropout:
            # A stride in digits is read more easily with its name.
            usual = entry.name == "p" or (entry.name == "stride" and not text.isdigit())
            by_place = by_place and (entry.default is MISSING or usual)
            given.append(text if by_place else f"{entry.name}={text}")
    return given


def arguments(of: BlockClass, texts: dict[str, str]) -> list[str]:
    """Arguments of a call of a class, those left out that have its default."""
    needed = [param.name for param in of.params if not param.default]
    placed = set(needed) if len(needed) <= 3 else {"in_channels", "out_channels"}
    given = []
    by_place = True
    for param in of.params:
        text = texts[param.name]
        if not param.default or text != param.default:
            by_place = by_place and (param.name in placed or (of.nested and text == param.name == "stride"))
            given.append(text if by_place else f"{param.name}={text}")
        else:
            by_place = False
    return given


def class_lines(of: BlockClass, names: Names, *, gives_width: bool) -> tuple[list[str], set[str]]:
    """The whole class and the helpers that it needs; `gives_width`: the loop over the table asks for its channels."""
    body = Body(of, names)
    indent = 2 * INDENT
    root = of.pattern
    base = "nn.Module"
    given: list[str] = []
    forward: list[str] = []
    if isinstance(root, Leaf):
        base, given = body.made(root)
    elif isinstance(root, Fork) and len(root.branches) > _MOST_BRANCHES:
        base, given = BRANCHES, body.runs(root)
        body.branches(root, "self", indent)
    elif isinstance(root, Fork):
        body.branches(root, "self", indent)
        forward = body.forward([("", root)])
    elif body.forks:
        body.blocks(root.parts, indent)
        forward = body.forward(root.parts)
    else:
        base = "nn.Sequential"
        body.chain(root.parts, "self", indent, sequential=True)
    start = call("super().__init__", given, indent)
    variables = dict(of.locals)
    if gives_width:
        width = "out_channels" if of.has_width else "in_channels"
        used = "\n".join([*start, *body.lines, *body.flags.values(), *variables.values()])
        # A formula that nothing else needs stands where it is remembered.
        body.flag("out_channels", variables.pop(width) if width in variables and width not in names_in(used) else width)
    computed = [f"{indent}{name} = {text}" for name, text in variables.items()]
    lines = ["", "", f"class {of.name}({base}):", *docstring(_summary(of), indent=INDENT), ""]
    params = [f"{each.name}: {each.hint}{f' = {each.default}' if each.default else ''}" for each in of.params]
    lines += definition("__init__", ["self", *params], "None", INDENT)
    lines += [*computed, *start] if given else [*start, *computed]
    lines += [*(f"{indent}self.{name} = {text}" for name, text in body.flags.items()), *body.lines]
    if forward:
        lines += ["", *definition("forward", ["self", "x: Tensor"], "Tensor", INDENT), *forward]
    return lines, body.helpers


def _summary(of: BlockClass) -> str:
    """What the class is, in one line: its layers if torch has them all, otherwise what its block says."""
    leaves = [part for part in parts_of(of.pattern) if isinstance(part, Leaf) and not never(part)]
    if of.called:
        return f"{prose(of.called)}: {', '.join(prose(part.path[-1]) for part in leaves if part.path)}"
    if isinstance(of.pattern, Chain) and 0 < len(leaves) <= 5 and all(leaf.kind in TORCH for leaf in leaves):
        text = ", ".join(TORCH[leaf.kind] for leaf in leaves)
        return text[:1].upper() + text[1:]
    return prose((inspect.getdoc(of.kind) or of.name).partition("\n")[0])


def _said(vector: Vector) -> bool | None:
    """True or False if all blocks say so, None if they differ."""
    values = set(known(vector))
    return values.pop() if len(values) == 1 else None


def _is_written(before: Sequence[tuple[str, Part]]) -> bool:
    """Whether what a layer reads was written for it alone."""
    for _, part in reversed(before):
        if never(part):
            continue
        writes = isinstance(part, Fork) or (isinstance(part, Leaf) and part.kind in _WRITERS)
        if not writes or always(part):
            return writes
    return False
