"""The stage table and the loop over it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from effviz.export.classes import BlockClass, Classes
from effviz.export.layout import Stage, is_bare, stage_of
from effviz.export.source import INDENT, LINE, Names, call, fresh, is_free, literal
from effviz.model.fields import FieldBlock

LETTERS = {
    "kernel_size": ("k", "kernel size"),
    "expand_ratio": ("t", "expansion"),
    "expanded": ("exp", "expanded channels"),
    "out_channels": ("c", "output channels"),
    "squeezed": ("se", "squeezed channels"),
    "se_ratio": ("se", "squeezed channels per channel"),
    "activation": ("nl", "non-linearity"),
    "groups": ("g", "groups"),
    "padding": ("p", "padding"),
    "squeeze": ("s1x1", "squeeze channels"),
    "expand1x1": ("e1x1", "1x1 channels"),
    "expand3x3": ("e3x3", "3x3 channels"),
}
"""What the papers call the arguments of blocks, and what that means."""

# Columns of arguments that are not here come between the two.
_FIRST = ("kernel_size", "expand_ratio", "expanded")
LOOP_NAMES = frozenset({
    "name", "block", "n", "s", "options", "index", "stage", "channels", "built", "total", "drop", "dropping", "stride",
    "layer",
})  # fmt: skip
"""Local variables of the loop."""


@dataclass(frozen=True)
class Row:
    """Neighbouring blocks of a stage that are given the same.

    Attributes:
        bare: one layer that has the name of its stage.
        options: arguments of the class, but for the channels before it, stride and stochastic depth.
        stride: of the first block; the others have 1.
        origin: index of the row of the design.
    """

    stage: str
    bare: bool
    of: BlockClass
    options: tuple[tuple[str, Any], ...]
    repeats: int
    stride: int
    origin: int

    def goes_on_with(self, other: Row) -> bool:
        """Whether the first block of `other` is one more of this row."""
        return not self.bare and other.stride == 1 and replace(other, repeats=self.repeats, stride=self.stride) == self


class StageTable:
    """The rows of the stages that are listed.

    Args:
        drop_prob: stochastic depth of the last block, if it rises evenly from 0 over the blocks of the table.
    """

    def __init__(self, stages: Sequence[Stage], classes: Classes, names: Names, drop_prob: float | None) -> None:
        self.names, self.drop_prob = names, drop_prob
        hidden = {"in_channels", "stride", *(() if drop_prob is None else ("drop_prob",))}
        self.rows: list[Row] = []
        for stage in stages:
            for entry in stage:
                of = classes.of(entry.block)
                given = of.arguments(entry.block)
                options = tuple((name, value) for name, value in given.items() if name not in hidden)
                row = Row(stage_of(entry), is_bare(stage), of, options, 1, given.get("stride", 1), entry.row)
                if self.rows and self.rows[-1].goes_on_with(row):
                    self.rows[-1] = replace(self.rows[-1], repeats=self.rows[-1].repeats + 1)
                else:
                    self.rows.append(row)
        self._classes = list(dict.fromkeys(row.of for row in self.rows))
        self._bare = any(row.bare for row in self.rows)
        self._mixed = self._bare or len(self._classes) > 1
        self._counted = drop_prob is not None or self._bare or any(row.repeats > 1 for row in self.rows)
        self._strided = any(row.stride > 1 for row in self.rows)
        self._letters = {of: self._named(of, hidden) for of in self._classes}

    @property
    def needs_channels(self) -> bool:
        """Whether its blocks take the channels before them."""
        return any(of.takes("in_channels") for of in self._classes)

    @property
    def needs_width(self) -> bool:
        """Whether the loop asks a block for the channels that it puts out."""
        return self._mixed or not (
            self._classes[0].kind.keeps_channels or "out_channels" in self._letters[self._classes[0]]
        )

    def _named(self, of: BlockClass, hidden: set[str]) -> dict[str, str]:
        """The letter of every argument that a row gives, in the order of the columns."""
        letters: dict[str, str] = {}
        for param in of.params:
            if param.name not in hidden:
                letter = LETTERS.get(param.name, (param.name, ""))[0]
                used = {*letters.values(), *LOOP_NAMES}
                letters[param.name] = fresh(letter if letter not in used else param.name, used)
        if self._mixed:
            return letters
        last = [name for name in LETTERS if name not in _FIRST]
        order = [*_FIRST, *(name for name in letters if name not in LETTERS), *last]
        return {name: letters[name] for name in order if name in letters}

    # --- its text -------------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The table, with a line that says what its columns are."""
        heads: list[list[str]] = []
        rows: list[list[str]] = []
        for row in self.rows:
            letters = self._letters[row.of]
            options = [literal(dict(row.options)[name]) for name in letters]
            numbers = [(["n"], "None" if row.bare else str(row.repeats))] if self._counted else []
            numbers += [(["s"], str(row.stride))] if self._strided else []
            counted, values = [name for (name,), _ in numbers], [value for _, value in numbers]
            stage = self.names.quoted(row.stage)
            if self._mixed:
                heads.append(["stage", "block", *counted, *letters.values()])
                rows.append([stage, row.of.name, *values, *options])
            else:
                heads.append(["stage", *letters.values(), *counted])
                rows.append([stage, *options, *values])
        # What a row of another class has first says nothing that is new where it has no columns of its own.
        shown = [bool(self._letters[row.of]) and row.of not in {each.of for each in self.rows[:index]}
                 for index, row in enumerate(self.rows)]  # fmt: skip
        shown[0] = True
        return [*self._legend(), "STAGES = (", *_aligned(rows, heads, shown), ")  # fmt: skip"]

    def _legend(self) -> Iterator[str]:
        said = {
            letter: LETTERS[name][1]
            for of in self._classes
            for name, letter in self._letters[of].items()
            if name in LETTERS
        }
        if self._counted:
            said["n"] = "blocks, or None for one layer without a number" if self._bare else "blocks"
        if self._strided:
            said["s"] = "stride of the first block"
        line = "#"
        for letter, meaning in said.items():
            entry = f" {letter}: {meaning};"
            if len(line + entry) > LINE:
                yield line
                line = "#"
            line += entry
        if said:
            yield line.removesuffix(";")

    # --- the loop -------------------------------------------------------------------------------------------------

    def loop(self) -> list[str]:
        """The statements that build the stages."""
        numbers = [*(["n"] if self._counted else []), *(["s"] if self._strided else [])]
        first = self._classes[0]
        columns = (
            ["name", "block", *numbers, "*options"]
            if self._mixed
            else ["name", *self._letters[first].values(), *numbers]
        )
        free = all(is_free(row.stage) for row in self.rows)
        several = len({row.stage for row in self.rows}) < len(self.rows)
        lines = self._counters()
        one = f"for {', '.join(columns)} in STAGES:"
        lines += [one] if len(one) <= LINE - len(2 * INDENT) else _broken("for ", columns, " in STAGES:")
        found = "getattr(self, name, nn.Sequential())" if free else "self._modules.get(name, nn.Sequential())"
        lines.append(f"{INDENT}stage = {found if several else 'nn.Sequential()'}")
        inner = INDENT
        if self._counted:
            lines.append(
                f"{INDENT}for {'index' if self._strided else '_'} in range({'n or 1' if self._bare else 'n'}):"
            )
            inner += INDENT
        lines += [f"{inner}{line}" for line in self._block(LINE - len(2 * INDENT + inner))]
        made = "stage if n else stage[0]" if self._bare else "stage"
        lines.append(f"{INDENT}self.add_module(name, {made})" if free else f"{INDENT}self._modules[name] = {made}")
        return lines

    @cached_property
    def _droppable(self) -> list[str]:
        """The names of the classes that have stochastic depth, if not all have."""
        names = [of.name for of in self._classes if of.takes("drop_prob")]
        return names if len(names) < len(self._classes) else []

    @cached_property
    def _has_long_names(self) -> bool:
        """Whether the classes that have stochastic depth are too many for the lines that ask for them."""
        return len(4 * INDENT + self._drop(self._one_of("block"))) > LINE

    def _one_of(self, block: str) -> str:
        names = self._droppable
        return f"{block} is {names[0]}" if len(names) == 1 else f"{block} in ({', '.join(names)})"

    def _drop(self, condition: str) -> str:
        return f'drop = {{"drop_prob": {literal(self.drop_prob)} * built / total}} if {condition} else {{}}'

    def _dropping(self, block: str) -> str:
        """The condition under which a block has stochastic depth, "" if all have."""
        if not self._droppable:
            return ""
        return f"{block} in dropping" if self._has_long_names else self._one_of(block)

    def _counters(self) -> list[str]:
        """Of the blocks that have stochastic depth: how many there are, and how many are built."""
        if self.drop_prob is None:
            return []
        if self._mixed:
            only = self._dropping("row[1]")
            each = f"{'row[2] or 1' if self._bare else 'row[2]'} for row in STAGES{f' if {only}' if only else ''}"
        else:
            each = f"n for *_, n{', _' if self._strided else ''} in STAGES"
        listed = _broken("dropping = ", self._droppable) if self._droppable and self._has_long_names else []
        return [*listed, f"total = sum({each})", "built = 0"]

    def _block(self, width: int) -> list[str]:
        """The statements that add one block."""
        first = self._classes[0]
        stride = "s if index == 0 else 1" if self._counted else "s"
        drop_prob = f"{literal(self.drop_prob)} * built / total"
        before: list[str] = []
        after = ["built += 1"] if self.drop_prob is not None else []
        if self._mixed:
            head, given = "block", [*(["channels"] if self.needs_channels else []), "*options"]
            if self._strided and all(of.takes("stride") for of in self._classes):
                given.append(f"stride={stride}")
            elif self._strided:
                before.append(
                    f'stride = {{"stride": s}} if s > 1{" and index == 0" if self._counted else ""} else {{}}'
                )
                given.append("**stride")
            if self.drop_prob is not None and self._dropping("block"):
                before.append(self._drop(self._dropping("block")))
                given.append("**drop")
                after = ["built += len(drop)"]
            elif self.drop_prob is not None:
                given.append(f"drop_prob={drop_prob}")
        else:
            texts = {"drop_prob": drop_prob, **self._letters[first], "in_channels": "channels"}
            texts["stride"] = stride if self._strided else "1"
            head, given = first.name, []
            for param in first.params:
                if not param.default or texts[param.name] != param.default:
                    by_place = param.name in ("in_channels", "out_channels")
                    given.append(texts[param.name] if by_place else f"{param.name}={texts[param.name]}")
        if self.needs_channels and self.needs_width:
            after.insert(0, "channels = stage[-1].out_channels")
        elif self.needs_channels and "out_channels" in self._letters[first]:
            after.insert(0, f"channels = {self._letters[first]['out_channels']}")
        one = f"stage.append({head}({', '.join(given)}))"
        made = [one] if len(one) <= width else [*call(f"layer = {head}", given, "", width=width), "stage.append(layer)"]
        return [*before, *made, *after]


def _broken(head: str, names: Sequence[str], tail: str = "") -> list[str]:
    """Lines of ``head(names)tail`` with a tuple of names, one to a line."""
    return [f"{head}(", *(f"{INDENT}{name}," for name in names), f"){tail}"]


def drops_evenly(drop_prob: float, stages: Sequence[Stage], listed: Sequence[FieldBlock], classes: Classes) -> bool:
    """Whether stochastic depth rises from block to block of the table as `Design.training_blocks` lets it."""
    droppable = [entry.block for stage in stages for entry in stage if hasattr(entry.block, "drop_prob")]
    inside = [block for block in listed if hasattr(block, "drop_prob")]
    even = [drop_prob * order / len(inside) for order in range(len(inside))]
    return (
        0 < len(inside) == len(droppable)
        and drop_prob > 0
        and [vars(block)["drop_prob"] for block in inside] == even
        and all(classes.of(block).takes("drop_prob") for block in inside)
    )


def _aligned(rows: Sequence[Sequence[str]], heads: Sequence[Sequence[str]], shown: Sequence[bool]) -> Iterator[str]:
    """Rows with their columns aligned, text to the left and numbers to the right, under the heads that are shown."""
    columns = max(map(len, rows))
    lines = [*rows, *(head for head, show in zip(heads, shown, strict=True) if show)]
    widths = [max(len(line[place]) for line in lines if place < len(line)) + 1 for place in range(columns)]
    right = [any(_is_number(row[place]) for row in rows if place < len(row)) for place in range(columns)]

    def padded(cells: Sequence[str], comma: str) -> str:
        places = range(len(cells))
        return " ".join(
            (cells[place] + comma).rjust(widths[place]) if right[place] else (cells[place] + comma).ljust(widths[place])
            for place in places
        )

    for row, head, show in zip(rows, heads, shown, strict=True):
        if show:
            # The hash and the space behind it are one column wider than the bracket below them.
            named = padded(head, " ")
            named = f"{INDENT}# {named[1:] if right[0] else named[: widths[0] - 1] + named[widths[0] :]}".rstrip()
            # Rows that are too long have no columns either.
            wrapped = textwrap.wrap(", ".join(head), LINE - len(INDENT + "# "))
            yield from [named] if len(named) <= LINE else (f"{INDENT}# {each}" for each in wrapped)
        line = f"{INDENT}({padded(row, ',').rstrip().removesuffix(',')}),"
        if len(line) <= LINE:
            yield line
        else:
            yield from (f"{INDENT}(", *(f"{INDENT}{INDENT}{cell}," for cell in row), f"{INDENT}),")


def _is_number(cell: str) -> bool:
    return cell == "None" or cell.lstrip("-")[:1].isdigit()
