"""A stage table, and the loop that builds its stages."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from effviz.export.body import layer_call
from effviz.export.classes import BlockClass
from effviz.export.source import INDENT, LINE, fresh, literal, statement
from effviz.model.layout import BuiltBlock

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
class Row:
    """Blocks of one row of the design with equal arguments, except that only the first block has `stride`."""

    origin: int
    stage: str
    options: dict[str, Any]
    stride: int
    repeats: int = 0


class StageTable:
    """The rows of stages that are built of one class.

    Args:
        blocks: the blocks of the stages.
        of: their class.
    """

    def __init__(self, blocks: Sequence[BuiltBlock], of: BlockClass) -> None:
        self.name = "STAGES"
        self._of = of
        self._letters = self._named([param.name for param in of.params if param.name not in ("in_channels", "stride")])
        self.rows: list[Row] = []
        last = Row(-1, "", {}, 1)
        for entry in blocks:
            given = of.arguments(entry.block)
            options = {name: given[name] for name in self._letters}
            row = Row(entry.row, entry.path.partition(".")[0], options, given.get("stride", 1))
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

    def loop(self, channels: int, indent: str) -> list[str]:
        """Return the statements that build the stages; `channels` are those of the input."""
        names = [row.stage for row in self.rows]
        stage = "getattr(self, name, nn.Sequential())" if len(set(names)) < len(names) else "nn.Sequential()"
        inner = indent + INDENT * (2 if self._repeats else 1)
        lines = [
            f"{indent}channels = {channels}",
            f"{indent}for {', '.join(['name', *self._columns()])} in {self.name}:",
            f"{indent}{INDENT}stage = {stage}",
        ]
        if self._repeats:
            lines.append(f"{indent}{INDENT}for {'index' if self._strides else '_'} in range(n):")
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
        return [*lines, f"{indent}{INDENT}self.add_module(name, stage)"]
