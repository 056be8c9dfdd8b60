"""Python source as text: literals, names, and lines broken where ruff breaks them.

Names and titles in a design are written by strangers. They reach the file through `literal` and `prose` only, and an
attribute is called by one of them only where that is an identifier nobody else has.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

LINE = 120
INDENT = "    "
# So that a class fits into the lines that name it, with what else is in them.
_LONGEST_CLASS = 40

TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
        T_destination add_module append apply bfloat16 buffers call_super_init children clear compile cpu cuda
        double dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter
        get_submodule half insert ipu load_state_dict modules mtia named_buffers named_children named_modules
        named_parameters parameters pop register_backward_hook register_buffer register_forward_hook
        register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
        register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
        register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule
        share_memory state_dict to to_empty train training type xpu zero_grad
        """,
    )
)
"""Public attributes of torch's modules: `add_module` refuses them, and assigning to them breaks the module."""


class Code(str):
    """Text that is an expression already: ``nn.ReLU``."""

    __slots__ = ()


def literal(value: Any) -> str:
    """`value` as Python writes it, in ASCII."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        body = value.encode("unicode_escape").decode("ascii")
        quote = "'" if body.count('"') > body.count("'") else '"'
        return quote + body.replace(quote, "\\" + quote) + quote
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def prose(text: str) -> str:
    """`text` for a docstring: one line, nothing that could end the docstring or hide what follows."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split())).replace('"', "'")


def docstring(summary: str, paragraphs: Iterable[str] = (), indent: str = "") -> list[str]:
    """A docstring of a summary in one line and paragraphs that are wrapped; all of them `prose`."""
    width = LINE - len(indent) - len('r"""."""')
    first = (
        summary
        if len(summary) <= _columns(summary, width)
        else f"{summary[: _columns(summary, width) - 3].rstrip()}..."
    )
    lines = [first if first.endswith((".", "!", "?")) else f"{first}."]
    for paragraph in filter(None, paragraphs):
        lines += ["", *textwrap.wrap(paragraph, _columns(paragraph, width))]
    # A backslash is itself only in a raw docstring.
    opening = 'r"""' if any("\\" in line for line in lines) else '"""'
    if len(lines) == 1:
        return [f'{indent}{opening}{lines[0]}"""']
    return [f"{indent}{opening}{lines[0]}", *(indent + line if line else "" for line in lines[1:]), f'{indent}"""']


def _columns(text: str, width: int) -> int:
    """Characters that fit into `width` columns, if any of them may be a wide one."""
    return width if text.isascii() else width // 2


def is_plain(name: str) -> bool:
    """Whether ``self.name = ...`` registers a module under exactly this name and breaks nothing."""
    return (
        name.isascii()
        and name.isidentifier()
        and not name.startswith("_")
        and not keyword.iskeyword(name)
        and name not in TAKEN
    )


def is_free(name: str) -> bool:
    """Whether `add_module` takes the name."""
    return not name.startswith("_") and name not in TAKEN


def fresh(wanted: str, taken: Collection[str]) -> str:
    """`wanted` as an identifier of its own: cleaned, and numbered where it is taken."""
    name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_")[:60] or "value"
    name = name if name[0].isalpha() else f"value_{name}"
    if keyword.iskeyword(name):
        name += "_"
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}{number}", number + 1
    return chosen


def class_name(title: str) -> str:
    """A class name in the letters of a title, without what stands in brackets."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\(.*?\)", " ", title))
    name = "".join(word[:1].upper() + word[1:] for word in words)[:_LONGEST_CLASS]
    return name if name[:1].isalpha() else f"Network{name}"


class Names:
    """The names of modules as they stand in the code; a long one becomes a constant above it."""

    def __init__(self) -> None:
        self._constants: dict[str, str] = {}

    def quoted(self, name: str) -> str:
        """`name` as an expression of at most 50 characters."""
        text = literal(name)
        if len(text) <= 50:
            return text
        return self._constants.setdefault(name, f"NAME_{len(self._constants) + 1}")

    def lines(self) -> list[str]:
        """The constants."""
        lines = []
        for name, constant in self._constants.items():
            line = f"{constant} = {literal(name)}"
            pieces = [f"{INDENT}{literal(name[start : start + 10])}" for start in range(0, len(name), 10)]
            lines += [line] if len(line) <= LINE else [f"{constant} = (", *pieces, ")"]
        return lines

    def reached(self, owner: str, name: str) -> str:
        """The child `name` of the module `owner`."""
        if is_plain(name):
            return f"{owner}.{name}"
        free = is_free(name)
        return f"{owner}.get_submodule({self.quoted(name)})" if free else f"{owner}._modules[{self.quoted(name)}]"

    def registered(
        self, owner: str, name: str, head: str, arguments: Sequence[str] | None, indent: str, local: str = "layer"
    ) -> list[str]:
        """The statements that make ``head(*arguments)``, or `head` itself, the child `name` of `owner`."""
        if is_plain(name):
            return call(f"{owner}.{name} = {head}", arguments, indent)
        before: list[str] = []
        value = head if arguments is None else f"{head}({', '.join(arguments)})"
        opening, closing = (f"{owner}.add_module({self.quoted(name)}, ", ")")
        if not is_free(name):
            opening, closing = (f"{owner}._modules[{self.quoted(name)}] = ", "")
        if len(f"{indent}{opening}{value}{closing}") > LINE and arguments is not None:
            before, value = call(f"{local} = {head}", arguments, indent), local
        return [*before, f"{indent}{opening}{value}{closing}"]


def call(head: str, arguments: Sequence[str] | None, indent: str, tail: str = "", width: int = LINE) -> list[str]:
    """Lines of ``head(arguments)tail``, at most `width` wide; None for a head that is not called."""
    if arguments is None:
        return [f"{indent}{head}{tail}"]
    joined = ", ".join(arguments)
    one = f"{indent}{head}({joined}){tail}"
    if len(one) <= width:
        return [one]
    deeper = indent + INDENT
    if len(deeper + joined) <= width:
        return [f"{indent}{head}(", deeper + joined, f"{indent}){tail}"]
    return [f"{indent}{head}(", *(f"{deeper}{argument}," for argument in arguments), f"{indent}){tail}"]


def definition(name: str, parameters: Sequence[str], returns: str, indent: str) -> list[str]:
    """The first lines of a function."""
    return call(f"def {name}", parameters, indent, f" -> {returns}:")
