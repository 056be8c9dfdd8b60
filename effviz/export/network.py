"""The file as a whole: classes, stage tables, the class of the network, and a check of its parameters and output."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from effviz.count.totals import network_totals
from effviz.export.body import HELPERS, Body, class_lines, layer_call
from effviz.export.classes import BlockClass, Classes, layers_of
from effviz.export.pattern import lay_over
from effviz.export.source import INDENT, LINE, Call, Names, class_name, docstring, fresh, literal, prose, statement
from effviz.model.design import Design
from effviz.model.layout import BuiltBlock
from effviz.model.outline import by_stage, stage_of
from effviz.model.shapes import out_shape

Stage: TypeAlias = list[BuiltBlock]

_RESERVED = {"torch", "nn", "Tensor", "STAGES", "main", "None", "True", "False", *HELPERS}
_LONGEST_TITLE = 60
# More blocks make a table, in several stages or in one. More equal calls make a generator expression.
_SHORT, _SHORT_STAGE, _SHORT_RUN = 4, 8, 2
_BODY = 2 * INDENT

LETTERS = {
    "kernel_size": ("k", "kernel size"),
    "expand_ratio": ("t", "expansion"),
    "expanded": ("exp", "expanded channels"),
    "out_channels": ("c", "output channels"),
    "squeezed": ("se", "squeezed channels"),
    "se_ratio": ("se", "squeezed channels per channel"),
    "activation": ("nl", "activation"),
    "groups": ("g", "groups"),
    "padding": ("p", "padding"),
}
"""The letters that papers use for the fields of blocks, and their meanings, in the order of the columns."""

# Columns of other arguments come after these.
_FIRST = ("kernel_size", "expand_ratio", "expanded")
LOOP_NAMES = frozenset({"name", "n", "s", "index", "stage", "channels", "layer"})
"""Local variables of the loop."""


@dataclass
class ExportRow:
    """Blocks of one row of the design with equal arguments, except that only the first block has `stride`."""

    origin: int
    stage: str
    options: dict[str, Any]
    stride: int
    repeats: int = 0


class StageTable:
    """The rows of stages whose blocks are built of one class, and the loop that builds them."""

    def __init__(self, blocks: Sequence[BuiltBlock], of: BlockClass) -> None:
        self.name = "STAGES"
        self._of = of
        self._letters = self._named([param.name for param in of.params if param.name not in ("in_channels", "stride")])
        self.rows: list[ExportRow] = []
        last = ExportRow(-1, "", {}, 1)
        for entry in blocks:
            given = of.arguments[entry.block]
            options = {name: given[name] for name in self._letters}
            row = ExportRow(entry.row, stage_of(entry.path), options, given.get("stride", 1))
            if not (row.stride == 1 and replace(row, stride=last.stride, repeats=last.repeats) == last):
                self.rows.append(row)
            last = self.rows[-1]
            last.repeats += 1
        self._repeats = any(row.repeats > 1 for row in self.rows)
        self._strides = any(row.stride > 1 for row in self.rows)

    def _named(self, params: Sequence[str]) -> dict[str, str]:
        """Return the column of every argument, in the order of the table."""
        known = [name for name in LETTERS if name in params]
        order = [name for name in known if name in _FIRST] + [name for name in params if name not in LETTERS]
        letters: dict[str, str] = {}
        for name in [*order, *(name for name in known if name not in _FIRST)]:
            used = {*letters.values(), *LOOP_NAMES}
            letter = LETTERS[name][0] if name in LETTERS else name
            letters[name] = fresh(name if letter in used else letter, used)
        return letters

    def _columns(self) -> list[str]:
        numbers = [letter for letter, shown in (("n", self._repeats), ("s", self._strides)) if shown]
        return [*self._letters.values(), *numbers]

    def lines(self) -> list[str]:
        """Return the table, with its columns explained and aligned."""
        meanings = {letter: LETTERS[name][1] for name, letter in self._letters.items() if name in LETTERS}
        meanings |= {"n": "blocks"} if self._repeats else {}
        meanings |= {"s": "stride of the first block"} if self._strides else {}
        rows = [
            [literal(row.stage), *map(literal, row.options.values())]
            + [str(row.repeats)] * self._repeats
            + [str(row.stride)] * self._strides
            for row in self.rows
        ]
        heads = ["stage", *self._columns()]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        signs = [">" if any(cell[:1].isdigit() for cell in column) else "<" for column in zip(*rows, strict=True)]

        def aligned(cells: Sequence[str], comma: str) -> str:
            columns = zip(cells, signs, widths, strict=True)
            return " ".join(f"{cell + comma:{sign}{width + 1}}" for cell, sign, width in columns).rstrip()

        # The hash and the space before the first head take one column more than the bracket below them.
        head = aligned(heads, " ")
        head = f"{INDENT}# {head[: widths[0]]}{head[widths[0] + 1 :]}"
        lines = [f"{INDENT}({aligned(row, ',').removesuffix(',')})," for row in rows]
        # Lines are broken between entries, not inside.
        legend = "; ".join(f"{letter}: {meaning}".replace(" ", "\xa0") for letter, meaning in meanings.items())
        explained = [f"# {line}".replace("\xa0", " ") for line in textwrap.wrap(legend, LINE - 2)]
        return [*explained, f"{self.name} = (", head, *lines, ")  # fmt: skip"]

    def loop(self, channels: int) -> list[str]:
        """Return the statements that build the stages; `channels` are those of the input."""
        names = [row.stage for row in self.rows]
        stage = "getattr(self, name, nn.Sequential())" if len(set(names)) < len(names) else "nn.Sequential()"
        inner = _BODY + INDENT * (2 if self._repeats else 1)
        lines = [
            f"{_BODY}channels = {channels}",
            f"{_BODY}for {', '.join(['name', *self._columns()])} in {self.name}:",
            f"{_BODY}{INDENT}stage = {stage}",
        ]
        if self._repeats:
            lines.append(f"{_BODY}{INDENT}for {'index' if self._strides else '_'} in range(n):")
        texts = {**self._letters, "in_channels": "channels", "stride": "1"}
        if self._strides:
            texts["stride"] = "s if index == 0 else 1" if self._repeats else "s"
        made = layer_call(self._of, texts)
        if len(f"{inner}stage.append({made})") <= LINE:
            lines.append(f"{inner}stage.append({made})")
        else:
            lines += [*statement("layer = ", made, inner), f"{inner}stage.append(layer)"]
        if "out_channels" in self._letters:
            lines.append(f"{inner}channels = {self._letters['out_channels']}")
        return [*lines, f"{_BODY}{INDENT}self.add_module(name, stage)"]


class SourceFile:
    """The source of one design."""

    def __init__(self, design: Design) -> None:
        self._params = network_totals(design)[0]
        self._design = design
        self._names = Names()
        blocks, self._classes, self._drops = _classes(design)
        self._stages = by_stage(blocks)
        listed = {entry.block for entry in blocks if "." in entry.path} | self._classes.nested
        chains = [each for each in self._classes if each.is_plain_chain and len(each.built) == 1]
        self._inline = [each for each in chains if each.built[0] not in listed]
        used = self._classes.give_names(_RESERVED)
        name = class_name(title_of(design))
        self._name = fresh(f"{name}Net", used) if name in used else name
        self._output = out_shape(blocks[-1].block, blocks[-1].shape)

    def text(self) -> str:
        """Return the file."""
        tables, network = self._network()
        shared = [each for each in self._classes if each not in self._inline]
        classes = [line for each in shared for line in class_lines(each, self._names)]
        used = "\n".join([*classes, *network])
        helpers = [line for name, code in HELPERS.items() if f"{name}(" in used for line in ("", *code.split("\n"))]
        design, constants = self._design, self._names.lines()
        lines = [
            *introduction(design, design.input_shape()),
            *("", "import torch", f"from torch import {'Tensor, ' * (': Tensor' in used)}nn"),
            *(["", *constants] if constants else []),
            *(*helpers, *classes, *tables, *network, *self._main()),
        ]
        return "\n".join(lines) + "\n"

    # --- the network ----------------------------------------------------------------------------------------------

    def _network(self) -> tuple[list[str], list[str]]:
        """Return the stage tables and the class of the network."""
        shapes = [", ".join(("N", *map(str, shape))) for shape in (self._design.input_shape(), self._output)]
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
                lines += planned_table.loop(stages[0][0].shape[0])
        if self._drops:
            lines += [
                f"{_BODY}drops = [module for module in self.modules() if isinstance(module, StochasticDepth)]",
                f"{_BODY}for index, drop in enumerate(drops):",
                f"{_BODY}{INDENT}drop.p *= index / len(drops)",
            ]
        return [line for table in tables for line in ("", "", *table.lines())], lines

    def _class_of(self, stage: Stage) -> BlockClass | None:
        """Return the class of all blocks of a stage; None if a table cannot list them."""
        name = stage_of(stage[0].path)
        classes = {self._classes.by_block.get(entry.block) for entry in stage}
        of = classes.pop()
        if of is None or classes or "." not in stage[0].path or not self._names.is_simple(name):
            return None
        # The loop takes the channels after a block from the table.
        widths = [of.arguments[entry.block].get("out_channels", entry.shape[0]) for entry in stage]
        return of if widths == [out_shape(entry.block, entry.shape)[0] for entry in stage] else None

    def _table(self, of: BlockClass, stages: Sequence[Stage]) -> StageTable | None:
        """Return the stage table of a class; None if the stages are few or a line is too long."""
        blocks = [entry for stage in stages for entry in stage]
        if len(blocks) <= (_SHORT if len(stages) > 1 else _SHORT_STAGE):
            return None
        table = StageTable(blocks, of)
        lines = [*table.lines(), *table.loop(0)]
        return table if max(map(len, lines)) < LINE else None

    def _stage(self, stage: Stage) -> list[str]:
        """Return the statements for a stage that no table lists."""
        entry, name = stage[0], stage_of(stage[0].path)
        if "." in entry.path:
            return self._names.registered("self", name, Call("nn.Sequential", self._calls(stage)), _BODY)
        if self._classes.by_block.get(entry.block) not in self._inline:
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
        # A block that flattens its input has more input features than the map has channels.
        widths = [getattr(entry.block, "in_channels", entry.shape[0]) for entry in stage]
        calls: list[str | Call] = []
        while made:
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

    def _main(self) -> list[str]:
        params = self._params
        size = ", ".join(map(str, (1, *self._design.input_shape())))
        shape = literal((1, *self._output))
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


def title_of(design: Design) -> str:
    """Return the title of a network as text for a docstring."""
    return prose(design.title or design.name)[:_LONGEST_TITLE].strip() or "A network"


def introduction(design: Design, shape: Sequence[int]) -> list[str]:
    """Return the docstring of a file; `shape` is that of one image."""
    params, macs, _ = network_totals(design)
    counts = f"{params:,} parameters, {macs:,} multiply-adds"
    multipliers = (("width", design.width_mult), ("depth", design.depth_mult))
    scaled = ", ".join(f"{name} multiplier {value:.6g}" for name, value in multipliers if value != 1)
    summary = f"{title_of(design)}{f' ({scaled})' if scaled else ''}: {counts}"
    size = " x ".join(map(str, shape))
    paragraphs = [
        f"Source: {prose(design.source)}." if design.source else "",
        f"Input: {size}. The multiply-adds are those of convolutions and linear layers for one image.",
        prose(" ".join(design.notes)),
        "Exported by effviz.",
    ]
    return docstring(summary, paragraphs)


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
        listed = all(each is not None and each.tail for each in map(classes.by_block.get, dropping.values()))
        if listed and not any(hasattr(block, "drop_prob") for block in classes.nested):
            return blocks, classes, bool(droppable)
    blocks = design.training_blocks()
    return blocks, Classes(entry.block for entry in blocks), False
