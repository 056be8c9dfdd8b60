"""The file as a whole: classes, stage table, the class of the network, and the check of its own numbers."""

from __future__ import annotations

from effviz.count.totals import block_totals
from effviz.export.body import HELPERS, Body, arguments, class_lines
from effviz.export.classes import BlockClass, Classes
from effviz.export.layout import Stage, is_bare, keeps_channels, lay_out, leaving, stage_of, taken
from effviz.export.pattern import Leaf
from effviz.export.source import INDENT, LINE, Names, call, class_name, docstring, fresh, literal, prose
from effviz.export.table import LOOP_NAMES, StageTable, drops_evenly
from effviz.model.design import Design
from effviz.model.layout import BuiltBlock

_RESERVED = {"torch", "nn", "Tensor", "STAGES", "main", "None", "True", "False", *LOOP_NAMES, *HELPERS}
_LONGEST_TITLE = 60


class File:
    """The source of one design."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._layout = lay_out(design)
        self._names = Names()
        self._helpers: set[str] = set()
        listed = self._layout.listed
        stages = [*self._layout.before, *listed, *self._layout.after]
        tabled = [entry.block for stage in listed for entry in stage]
        outside = [entry.block for stage in (*self._layout.before, *self._layout.after) for entry in stage]
        self._classes = Classes([*tabled, *(block for block in outside if block not in self._layout.inline)], tabled)
        used = self._classes.give_names(_RESERVED)
        self._title = prose(design.title or design.name)[:_LONGEST_TITLE].strip() or "A network"
        name = class_name(self._title)
        self._name = fresh(f"{name}Net", used) if name in used else name
        self._leaving = leaving(stages[-1][-1])
        self._table = None
        if listed:
            even = drops_evenly(design.stochastic_depth, stages, tabled, self._classes)
            drop_prob = design.stochastic_depth if even else None
            self._table = StageTable(listed, self._classes, self._names, drop_prob)

    def text(self) -> str:
        """The file."""
        classes: list[str] = []
        for each in self._classes:
            gives_width = each.tracked and self._table is not None and self._table.needs_width
            lines, helpers = class_lines(each, self._names, gives_width=gives_width)
            classes += lines
            self._helpers |= helpers
        table = ["", "", *self._table.lines()] if self._table else []
        network = self._network()
        brought = [text.strip("\n").split("\n") for name, text in HELPERS.items() if name in self._helpers]
        constants = self._names.lines()
        lines = [
            *self._introduction(),
            *("", "import torch", "from torch import Tensor, nn"),
            *(["", *constants] if constants else []),
            *(line for helper in brought for line in ("", "", *helper)),
            *(*classes, *table, *network, *self._main()),
        ]
        return "\n".join(lines) + "\n"

    # --- the network ----------------------------------------------------------------------------------------------

    def _network(self) -> list[str]:
        indent = 2 * INDENT
        shapes = [", ".join(("N", *map(str, shape))) for shape in (self._design.input_shape(), self._leaving)]
        lines = ["", "", f"class {self._name}(nn.Module):"]
        lines += docstring(f"Takes ({shapes[0]}) and gives ({shapes[1]})", indent=INDENT)
        lines += ["", f"{INDENT}def __init__(self) -> None:", f"{indent}super().__init__()"]
        for stage in self._layout.before:
            lines += self._part(stage, channels="")
        channels = ""
        if self._table is not None:
            if self._table.needs_channels:
                channels = "channels"
                lines.append(f"{indent}channels = {taken(self._layout.listed[0][0])}")
            lines += [f"{indent}{line}" for line in self._table.loop()]
        for stage in self._layout.after:
            lines += self._part(stage, channels)
            channels = channels if keeps_channels(stage) else ""
        lines += ["", f"{INDENT}def forward(self, x: Tensor) -> Tensor:"]
        return [*lines, f"{indent}for stage in self.children():", f"{indent}{INDENT}x = stage(x)", f"{indent}return x"]

    def _part(self, stage: Stage, channels: str) -> list[str]:
        """A stage outside the table; `channels` is the name of those before it, if they have one."""
        indent = 2 * INDENT
        name = stage_of(stage[0])
        if is_bare(stage):
            if stage[0].block in self._layout.inline:
                body = self._inlined(stage[0], channels)
                body.part(name, body.of.pattern, "self", indent)
                return body.lines
            return self._names.registered("self", name, *self._called(stage[0], channels), indent)
        made = [self._called(entry, channels if entry is stage[0] else "") for entry in stage]
        each = [f"{head}({', '.join(given)})" for head, given in made]
        if max(map(len, each)) < LINE - len(indent + INDENT):
            return self._names.registered("self", name, "nn.Sequential", each, indent, "stage")
        lines = [f"{indent}stage = nn.Sequential()"]
        for head, given in made:
            lines += [*call(f"layer = {head}", given, indent), f"{indent}stage.append(layer)"]
        return [*lines, *self._names.registered("self", name, "stage", None, indent)]

    def _called(self, entry: BuiltBlock, channels: str) -> tuple[str, list[str]]:
        """What makes a block, and its arguments."""
        if entry.block in self._layout.inline:
            body = self._inlined(entry, channels)
            assert isinstance(body.of.pattern, Leaf)
            return body.made(body.of.pattern)
        of = self._classes.of(entry.block)
        texts = {name: literal(value) for name, value in of.arguments(entry.block).items()}
        texts["in_channels"] = channels if channels and taken(entry) == entry.shape[0] else str(taken(entry))
        return of.name, arguments(of, texts)

    def _inlined(self, entry: BuiltBlock, channels: str) -> Body:
        named = channels if channels and taken(entry) == entry.shape[0] else str(taken(entry))
        of = BlockClass(type(entry.block), [entry.block], self._classes, inline=True)
        body = Body(of, self._names, {"in_channels": named})
        # The set is that of the file: what the body comes to need is known there.
        body.helpers = self._helpers
        return body

    # --- around it ------------------------------------------------------------------------------------------------

    def _introduction(self) -> list[str]:
        design = self._design
        params, macs = totals(design)
        multipliers = (("width", design.width_mult), ("depth", design.depth_mult))
        scaled = ", ".join(f"{what} multiplier {value:.6g}" for what, value in multipliers if value != 1)
        summary = f"{self._title}{f' ({scaled})' if scaled else ''}: {params:,} parameters, {macs:,} multiply-adds"
        size = " x ".join(map(str, design.input_shape()))
        return docstring(
            summary,
            [
                f"Source: {prose(design.source)}." if design.source else "",
                f"Input: {size}. Multiply-adds are those of convolutions and linear layers for one image.",
                prose(" ".join(design.notes)),
                "Written by effviz.",
            ],
        )

    def _main(self) -> list[str]:
        params, _ = totals(self._design)
        size = ", ".join(map(str, (1, *self._design.input_shape())))
        shape = literal((1, *self._leaving))
        return f'''

def main() -> None:
    """Build the network, and check its parameters and the shape of its output."""
    model = {self._name}().eval()
    params = sum(parameter.numel() for parameter in model.parameters())
    assert params == {params:_}, f"{{params:,}} parameters instead of {params:,}"
    with torch.no_grad():
        output = model(torch.rand({size}))
    assert output.shape == {shape}, f"output {{tuple(output.shape)}} instead of {shape}"
    print(f"{self._name}: {{params:,}} parameters, output {{tuple(output.shape)}}")


if __name__ == "__main__":
    main()'''.split("\n")


def totals(design: Design) -> tuple[int, int]:
    """Parameters and multiply-adds, as `effviz.analyze` counts them."""
    runs = [(run.repeats, block_totals(run.block, run.shape)) for run in design.runs()]
    return sum(repeats * each.params for repeats, each in runs), sum(repeats * each.macs for repeats, each in runs)
