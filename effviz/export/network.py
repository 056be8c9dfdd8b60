"""The file as a whole: classes, stage tables, the class of the network, and a check of its parameters and output."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from effviz.count.totals import block_totals
from effviz.export.body import HELPERS, Body, class_lines, layer_call
from effviz.export.classes import BlockClass, Classes, layers_of
from effviz.export.pattern import lay_over
from effviz.export.source import INDENT, LINE, Call, Names, class_name, docstring, fresh, is_free, literal, prose
from effviz.export.table import StageTable
from effviz.model.design import Design
from effviz.model.layers import Shape
from effviz.model.layout import BuiltBlock

Stage: TypeAlias = list[BuiltBlock]

_RESERVED = {"torch", "nn", "Tensor", "STAGES", "main", "None", "True", "False", *(name for name, _ in HELPERS)}
_LONGEST_TITLE = 60
# More blocks make a table, in several stages or in one. More equal calls make a generator expression.
_SHORT, _SHORT_STAGE, _SHORT_RUN = 4, 8, 2
_BODY = 2 * INDENT


class SourceFile:
    """The source of one design."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._names = Names()
        blocks, self._classes, self._drops = _classes(design)
        self._stages: list[Stage] = [list(group) for _, group in groupby(blocks, _stage_name)]
        listed = {entry.block for entry in blocks if "." in entry.path} | self._classes.nested
        chains = [each for each in self._classes if each.is_plain_chain and len(each.built) == 1]
        self._inline = [each for each in chains if each.built[0] not in listed]
        used = self._classes.give_names(_RESERVED)
        self._title = prose(design.title or design.name)[:_LONGEST_TITLE].strip() or "A network"
        name = class_name(self._title)
        self._name = fresh(f"{name}Net", used) if name in used else name
        self._leaving = _leaving(blocks[-1])

    def text(self) -> str:
        """Return the file."""
        tables, network = self._network()
        shared = [each for each in self._classes if each not in self._inline]
        classes = [line for each in shared for line in class_lines(each, self._names)]
        used = "\n".join([*classes, *network])
        helpers = [line for name, code in HELPERS if f"{name}(" in used for line in ("", *code.split("\n"))]
        constants = self._names.lines()
        lines = [
            *self._introduction(),
            *("", "import torch", f"from torch import {'Tensor, ' * (': Tensor' in used)}nn"),
            *(["", *constants] if constants else []),
            *(*helpers, *classes, *tables, *network, *self._main()),
        ]
        return "\n".join(lines) + "\n"

    # --- the network ----------------------------------------------------------------------------------------------

    def _network(self) -> tuple[list[str], list[str]]:
        """Return the stage tables and the class of the network."""
        shapes = [", ".join(("N", *map(str, shape))) for shape in (self._design.input_shape(), self._leaving)]
        lines = ["", "", f"class {self._name}(nn.Sequential):"]
        lines += docstring(f"Takes ({shapes[0]}) and returns ({shapes[1]})", indent=INDENT)
        lines += ["", f"{INDENT}def __init__(self) -> None:", f"{_BODY}super().__init__()"]
        runs = [(of, list(stages)) for of, stages in groupby(self._stages, self._class_of)]
        planned = [self._table(of, stages) if of else None for of, stages in runs]
        tables = [table for table in planned if table is not None]
        for number, table in enumerate(tables, 1):
            table.name = "STAGES" if len(tables) == 1 else f"STAGES_{number}"
        for (_, stages), planned_table in zip(runs, planned, strict=True):
            if planned_table is None:
                lines += [line for stage in stages for line in self._stage(stage)]
            else:
                lines += planned_table.loop(stages[0][0].shape[0], _BODY)
        if self._drops:
            lines += [
                f"{_BODY}drops = [module for module in self.modules() if isinstance(module, StochasticDepth)]",
                f"{_BODY}for index, drop in enumerate(drops):",
                f"{_BODY}{INDENT}drop.p *= index / len(drops)",
            ]
        return [line for table in tables for line in ("", "", *table.lines())], lines

    def _class_of(self, stage: Stage) -> BlockClass | None:
        """Return the class of all blocks of a stage; None if a table cannot list them."""
        name = _stage_name(stage[0])
        classes = {self._classes.find(entry.block) for entry in stage}
        of = classes.pop()
        if of is None or classes or "." not in stage[0].path or not (is_free(name) and self._names.is_short(name)):
            return None
        # The loop takes the channels after a block from the table.
        widths = [of.arguments(entry.block).get("out_channels", entry.shape[0]) for entry in stage]
        return of if widths == [_leaving(entry)[0] for entry in stage] else None

    def _table(self, of: BlockClass, stages: Sequence[Stage]) -> StageTable | None:
        """Return the stage table of a class; None if the stages are few or a line is too long."""
        blocks = [entry for stage in stages for entry in stage]
        if len(blocks) <= (_SHORT if len(stages) > 1 else _SHORT_STAGE):
            return None
        table = StageTable(blocks, of)
        lines = [*table.lines(), *table.loop(0, _BODY)]
        return table if max(map(len, lines)) < LINE else None

    def _stage(self, stage: Stage) -> list[str]:
        """Return the statements for a stage that no table lists."""
        entry, name = stage[0], _stage_name(stage[0])
        if "." in entry.path:
            return self._names.registered("self", name, Call("nn.Sequential", self._calls(stage)), _BODY)
        if self._classes.find(entry.block) not in self._inline:
            return self._names.registered("self", name, self._call(entry), _BODY)
        chain = lay_over([layers_of(entry.block)], self._classes.described)
        assert chain is not None
        for part in chain.parts():
            part.texts = {slot: literal(value) for slot, (value,) in part.slots.items()}
        body = Body(self._names)
        body.chain(chain, self._names.reached("self", name), _BODY, sequential=True)
        return [*self._names.registered("self", name, Call("nn.Sequential"), _BODY), *body.lines]

    def _calls(self, stage: Stage) -> tuple[str | Call, ...]:
        """Return the calls that make the blocks of a stage; equal ones become a generator expression.

        Calls that differ only in evenly rising input channels become one too.
        """
        made = [self._call(entry) for entry in stage]
        general = [self._call(entry, "channels") for entry in stage]
        widths = [entry.shape[0] for entry in stage]
        calls: list[str | Call] = []
        while len(calls) < len(stage) and made:
            step = widths[1] - widths[0] if len(widths) > 1 else 0
            run = 1
            while run < len(made) and general[run] == general[0] and widths[run] == widths[run - 1] + step:
                run += 1
            one = f"*({made[0]} for _ in range({run}))"
            if len(set(made[:run])) > 1:
                one = f"*({general[0]} for channels in range({widths[0]}, {widths[0] + run * step}, {step}))"
            if run <= _SHORT_RUN or len(f"{_BODY}{INDENT}{one},") > LINE:
                run, one = 1, ""
            calls.append(one or made[0])
            made, general, widths = made[run:], general[run:], widths[run:]
        return tuple(calls)

    def _call(self, entry: BuiltBlock, channels: str = "") -> Call:
        """Return the call that makes a block; `channels` is a name for those of its input."""
        kind, values = self._classes.described(entry.block)
        texts = {name: literal(value) for name, value in values.items()}
        return layer_call(kind, texts | ({"in_channels": channels} if channels else {}))

    # --- around it ------------------------------------------------------------------------------------------------

    def _introduction(self) -> list[str]:
        design = self._design
        params, macs = _totals(design)
        multipliers = (("width", design.width_mult), ("depth", design.depth_mult))
        scaled = ", ".join(f"{name} multiplier {value:.6g}" for name, value in multipliers if value != 1)
        summary = f"{self._title}{f' ({scaled})' if scaled else ''}: {params:,} parameters, {macs:,} multiply-adds"
        size = " x ".join(map(str, design.input_shape()))
        paragraphs = [
            f"Source: {prose(design.source)}." if design.source else "",
            f"Input: {size}. The multiply-adds are those of convolutions and linear layers for one image.",
            prose(" ".join(design.notes)),
            "Exported by effviz.",
        ]
        return docstring(summary, paragraphs)

    def _main(self) -> list[str]:
        params, _ = _totals(self._design)
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


def _classes(design: Design) -> tuple[list[BuiltBlock], Classes, bool]:
    """Return the blocks, their classes, and whether the network sets the probabilities of stochastic depth.

    It does if they rise evenly over all blocks that have one. The blocks returned then have the largest.
    """
    built, drop_prob = design.blocks(), design.stochastic_depth
    droppable = {entry.path: entry.block for entry in built if hasattr(entry.block, "drop_prob")}
    if drop_prob and not any(vars(block)["drop_prob"] for block in droppable.values()):
        dropping = {path: replace(block, **{"drop_prob": drop_prob}) for path, block in droppable.items()}
        blocks = [entry._replace(block=dropping.get(entry.path, entry.block)) for entry in built]
        classes = Classes(entry.block for entry in blocks)
        # A block without a shortcut needs the layer too, to be counted.
        listed = all(each is not None and each.tail for each in map(classes.find, dropping.values()))
        if listed and not any(hasattr(block, "drop_prob") for block in classes.nested):
            return blocks, classes, bool(droppable)
    blocks = design.training_blocks()
    return blocks, Classes(entry.block for entry in blocks), False


def _stage_name(entry: BuiltBlock) -> str:
    return entry.path.partition(".")[0]


def _leaving(entry: BuiltBlock) -> Shape:
    """Return the shape of a block's output."""
    return block_totals(entry.block, entry.shape).out_shape


def _totals(design: Design) -> tuple[int, int]:
    """Return the parameters and multiply-adds, as `effviz.analyze` counts them."""
    runs = [(run.repeats, block_totals(run.block, run.shape)) for run in design.runs()]
    return sum(repeats * each.params for repeats, each in runs), sum(repeats * each.macs for repeats, each in runs)
