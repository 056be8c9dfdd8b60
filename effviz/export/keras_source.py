"""A design as Keras source: one function per kind of block, and one that calls them in order.

The functions come from the same classes as the torch source. A layer has the name of its path, with a hyphen for every
dot: Keras with the torch backend rejects dots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from itertools import groupby
from typing import Any

from effviz.core.errors import UncountedLayerError
from effviz.count.totals import network_totals
from effviz.export.body import arguments, summary
from effviz.export.classes import BlockClass, Classes
from effviz.export.keras_layers import FUNCTIONS, HELPERS, INFERRED
from effviz.export.network import introduction
from effviz.export.pattern import NEUTRAL, SharedPart
from effviz.export.scope import KERAS_ACTIVATIONS, Param
from effviz.export.source import INDENT, Call, docstring, fresh, literal, names_in, statement
from effviz.model.design import Design
from effviz.model.layers import RESIZE, Branches, MaxPool2d, Sequential, Shape
from effviz.model.layout import BuiltBlock
from effviz.model.shapes import out_shape

_MERGED = {"add": "Add", "mul": "Multiply", "concat": "Concatenate"}
_RESERVED = {"keras", "prod", "network", "main", "model", "params", "index", "name", "x", "None", "True", "False"}
_SHORT_RUN = 2


class Function:
    """The function of a kind of block.

    Args:
        of: the layers, and the expressions for their arguments.
        name: of the function.
        known: the functions of the blocks inside.
    """

    def __init__(self, of: BlockClass, name: str, known: dict[BlockClass, Function]) -> None:
        self.name = name
        self._of, self._known = of, known
        self._lines: list[str] = []
        self._taken = {
            "x",
            "name",
            "keras",
            *["out"] * bool(of.has_shortcut),
            *HELPERS,
            *(each.name for each in of.params),
            *of.formulas,
        }
        self._open = ("", "", 0)
        self._indent = INDENT
        self._write()
        text = "\n".join(self._lines)
        self._formulas: dict[str, str] = {}
        for local, formula in reversed(of.formulas.items()):
            if local in names_in(text):
                self._formulas = {local: formula, **self._formulas}
                text += f"\n{formula}"
        # The input channels, which Keras takes from the input, are no argument unless a formula needs them.
        self._params = [each for each in of.params if each.name in names_in(text)]

    def call(self, source: str, name: str, texts: dict[str, str]) -> Call:
        """Return the call with `source` as its input and `texts` as its arguments."""
        required = [each.name for each in self._params if each.default is None]
        placed = required if len(required) <= 2 else ["in_channels", "out_channels"]
        return Call(self.name, (source, name, *arguments(self._params, texts, placed)))

    def lines(self) -> list[str]:
        """Return the definition."""
        params = [f"{each.name}={each.default}" if each.default else each.name for each in self._params]
        lines = ["", "", *statement("def ", Call(self.name, ("x", "name", *params)), "", ":")]
        lines += docstring(summary(self._of), indent=INDENT)
        return [*lines, *(f"{INDENT}{name} = {text}" for name, text in self._formulas.items()), *self._lines]

    # --- the body -------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        of = self._of
        result = self._run(of.body, (), "out" if of.has_shortcut else "x", "x")
        if of.has_shortcut:
            self._add(f"if {of.has_shortcut}:")
            self._indent = 2 * INDENT
            result = self._run(SharedPart(Sequential, children=of.tail), (), "out", result)
            self._assign("out", Call("keras.layers.Add", ("name=name",)), f"([x, {result}])")
            self._indent, result = INDENT, "out"
        self._add(f"return {result}")

    def _add(self, line: str) -> None:
        self._lines.append(self._indent + line)

    def _assign(self, target: str, value: Call, after: str = "") -> None:
        self._lines += statement(f"{target} = ", value, self._indent, after)

    def _run(self, part: SharedPart, path: tuple[str, ...], target: str, source: str) -> str:
        """Append the statements of a layer with the input `source`, and return the variable of its output."""
        if not part.optional:
            return self._always(part, path, target, source)
        if source != target:
            self._add(f"{target} = {source}")
        if self._open != (part.condition, self._indent, len(self._lines)):
            self._add(f"if {part.condition}:")
        self._indent += INDENT
        self._always(part, path, target, target)
        self._indent = self._indent.removesuffix(INDENT)
        self._open = (part.condition, self._indent, len(self._lines))
        return target

    def _always(self, part: SharedPart, path: tuple[str, ...], target: str, source: str) -> str:
        if part.kind is Sequential:
            for name, child in part.steps():
                source = self._run(child, (*path, name) if name else path, target, source)
            return source
        name = layer_name(path)
        if part.kind is Branches:
            self._merge(part, path, target, source)
        elif isinstance(part.kind, BlockClass):
            self._assign(target, self._known[part.kind].call(source, name, part.texts))
        else:
            self._assign(target, layer_call(part.kind, source, name, part.texts))
        return target

    def _merge(self, part: SharedPart, path: tuple[str, ...], target: str, source: str) -> None:
        names: list[str] = []
        for name, _ in part.children:
            names.append(fresh(name or "out", self._taken))
            self._taken.add(names[-1])
        inputs = names if part.split else [source] * len(names)
        if part.split:
            self._add(f"{', '.join(names)} = keras.ops.split({source}, {len(names)}, axis=-1)")
        outputs = [
            given if child is None else self._run(child, (*path, name) if name else path, local, given)
            for (name, child), local, given in zip(part.children, names, inputs, strict=True)
        ]
        self._taken -= set(names)
        if part.merge == RESIZE:
            self._assign(target, Call("resize_like", tuple(outputs)))
        else:
            made = Call(f"keras.layers.{_MERGED[part.merge]}", (f"name={layer_name(path)}",))
            self._assign(target, made, f"([{', '.join(outputs)}])")


def layer_name(path: Sequence[str]) -> str:
    """Return the expression for the name of a layer inside a block called ``name``."""
    return literal_name("{name}", path) if path else "name"


def literal_name(start: str, path: Sequence[str]) -> str:
    """Return an f-string of the parts of a path."""
    return f'f"{"-".join((start, *(re.sub(r"[^A-Za-z0-9_]", "_", each) for each in path)))}"'


def layer_call(kind: Any, source: str, name: str, texts: dict[str, str]) -> Call:
    """Return the call that applies one layer of torch."""
    if kind not in FUNCTIONS:
        raise UncountedLayerError(f"{kind.__name__} has no Keras source")
    if kind is MaxPool2d and texts["dilation"] != "1":
        raise UncountedLayerError("MaxPool2d with a dilation has no Keras source")
    given = [each for each in fields(kind) if each.name not in INFERRED]
    defaults = {each.name: MISSING if kind in NEUTRAL else each.default for each in given}
    if texts.get("function"):
        defaults = {"function": MISSING}
    params = [Param(key, default=None if each is MISSING else literal(each)) for key, each in defaults.items()]
    placed = [param.name for param in params if param.default is None]
    return Call(FUNCTIONS[kind], (source, name, *arguments(params, texts, placed)))


def keras_source(design: Design) -> str:
    """Return `design` as the text of a Python file that imports only Keras."""
    blocks = design.training_blocks()
    classes = Classes((entry.block for entry in blocks), KERAS_ACTIVATIONS)
    classes.give_names(())
    functions: dict[BlockClass, Function] = {}
    taken = {*_RESERVED, *HELPERS}
    for each in classes:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", each.name)
        name = words.lower()
        functions[each] = Function(each, fresh(f"{name}_block" if name in HELPERS else name, taken), functions)
        taken.add(functions[each].name)
    channels, *sides = design.input_shape()
    output = out_shape(blocks[-1].block, blocks[-1].shape)
    body = [
        *("", "", "def network():", f'{INDENT}"""Build the network for images of {sides[0]} x {sides[1]} pixels."""'),
        f"{INDENT}x = image = keras.Input(({sides[0]}, {sides[1]}, {channels}))",
        *_calls(blocks, classes, functions),
        f"{INDENT}return keras.Model(image, x)",
    ]
    defined = [line for each in functions.values() for line in each.lines()]
    text = "\n".join([*defined, *body])
    needed: list[str] = []
    while more := [name for name in HELPERS if name not in needed and f"{name}(" in text]:
        needed += more
        text += "".join(HELPERS[name] for name in more)
    lines = [
        *introduction(design, (*sides, channels)),
        *("", "from math import prod", "", "import keras"),
        *(line for name, code in HELPERS.items() if name in needed for line in ("", *code.split("\n"))),
        *defined, *body, *_main(network_totals(design)[0], output),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _calls(blocks: Sequence[BuiltBlock], classes: Classes, functions: dict[BlockClass, Function]) -> list[str]:
    """Return the statements that call the blocks; a run of equal blocks becomes a loop."""
    stages: dict[str, str] = {}

    def written(entry: BuiltBlock, index: str = "") -> Call:
        stage, _, number = entry.path.partition(".")
        if stage not in stages:
            stages[stage] = fresh(stage, stages.values())
        parts = [stages[stage], *([index or number] if number else [])]
        kind, values = classes.described(entry.block)
        name = literal_name(parts[0], parts[1:]) if not index else f'f"{parts[0]}-{{{index}}}"'
        texts = {key: literal(value) for key, value in values.items()}
        name = name if index else name[1:]
        return functions[kind].call("x", name, texts) if kind in functions else layer_call(kind, "x", name, texts)

    lines: list[str] = []
    general = [(written(entry, "index") if "." in entry.path else written(entry), entry) for entry in blocks]
    for call, group in groupby(general, lambda each: each[0]):
        entries = [entry for _, entry in group]
        first, last = (int(entries[place].path.partition(".")[2] or 0) for place in (0, -1))
        if len(entries) > _SHORT_RUN and last - first == len(entries) - 1:
            lines += [f"{INDENT}for index in range({first}, {last + 1}):", *statement("x = ", call, 2 * INDENT)]
        else:
            lines += [line for entry in entries for line in statement("x = ", written(entry), INDENT)]
    return lines


def _main(params: int, output: Shape) -> list[str]:
    shape = literal((None, *output[1:], output[0]))
    return f'''

def main():
    """Build the network, and check its trainable parameters and the shape of its output."""
    model = network()
    params = sum(prod(weight.shape) for weight in model.trainable_weights)
    assert params == {params:_}, f"{{params:,}} parameters instead of {params:,}"
    assert model.output_shape == {shape}, f"output {{model.output_shape}} instead of {shape}"
    model.summary()


if __name__ == "__main__":
    main()'''.split("\n")
