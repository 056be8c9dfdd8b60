"""Python source as text: literals, identifiers, docstrings, and statements broken into lines as ruff breaks them.

Names and titles in a design are untrusted text. They reach the file only through `literal` and `prose`, and a name
becomes an attribute only if it is a free identifier.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from effviz.core.text import with_letter

LINE = 120
INDENT = "    "
# Leaves room for the longest line that names a class.
_LONGEST_CLASS = 40
_LONGEST_QUOTED = 50

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
"""Public attributes of torch modules. `add_module` refuses these names, and assigning to one breaks the module."""


class Code(str):
    """Text that is already an expression: ``nn.ReLU``."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """The expression ``head(arguments)``."""

    head: str
    arguments: tuple[str | Call, ...] = ()

    def __str__(self) -> str:
        return f"{self.head}({', '.join(map(str, self.arguments))})"


def statement(before: str, value: str | Call, indent: str, after: str = "") -> list[str]:
    """Return the lines of ``before + value + after``; a call that is too long is broken at its arguments."""
    one = f"{indent}{before}{value}{after}"
    if len(one) <= LINE or isinstance(value, str):
        return [one]
    deeper = indent + INDENT
    inner = [deeper + ", ".join(map(str, value.arguments))]
    if len(inner[0]) > LINE:
        inner = [line for argument in value.arguments for line in statement("", argument, deeper, ",")]
    return [f"{indent}{before}{value.head}(", *inner, f"{indent}){after}"]


def literal(value: Any) -> str:
    """Return `value` as a Python expression in ASCII."""
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
    """Return `text` for a docstring: one line, without quotes that could end it and without unprintable characters."""
    line = with_letter(" ".join(text.split()))
    return "".join(each if each.isprintable() else "?" for each in line).replace('"', "'")


def docstring(summary: str, paragraphs: Iterable[str] = (), indent: str = "") -> list[str]:
    """Return a docstring with a summary line, cut if necessary, and wrapped paragraphs; all texts are `prose`."""
    width = LINE - len(indent) - len('r"""."""')
    columns = _columns(summary, width)
    first = summary if len(summary) <= columns else f"{summary[: columns - 3].rstrip()}..."
    lines = [first if first.endswith((".", "!", "?")) else f"{first}."]
    for paragraph in filter(None, paragraphs):
        lines += ["", *textwrap.wrap(paragraph, _columns(paragraph, width))]
    # A backslash is literal only in a raw docstring.
    opening = 'r"""' if any("\\" in line for line in lines) else '"""'
    if len(lines) == 1:
        return [f'{indent}{opening}{lines[0]}"""']
    return [f"{indent}{opening}{lines[0]}", *(indent + line if line else "" for line in lines[1:]), f'{indent}"""']


def _columns(text: str, width: int) -> int:
    """Return how many characters of `text` fit into `width` columns; a character outside ASCII may take two."""
    return width if text.isascii() else width // 2


def names_in(text: str) -> set[str]:
    """Return the identifiers of an expression."""
    return set(re.findall(r"[A-Za-z_]\w*", text))


def is_plain(name: str) -> bool:
    """Return whether ``self.name = ...`` registers a module under this name and breaks nothing."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and is_free(name)


def is_free(name: str) -> bool:
    """Return whether `add_module` accepts the name."""
    return not name.startswith("_") and name not in TAKEN


def fresh(wanted: str, taken: Collection[str]) -> str:
    """Return `wanted` as an identifier: cleaned, and numbered if it is taken."""
    name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_")[:60] or "value"
    name = name if name[0].isalpha() else f"value_{name}"
    if keyword.iskeyword(name):
        name += "_"
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}{number}", number + 1
    return chosen


def class_name(title: str) -> str:
    """Return a class name made of the words of a title, without those in brackets."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\(.*?\)", " ", title))
    name = "".join(word[:1].upper() + word[1:] for word in words)[:_LONGEST_CLASS]
    return name if name[:1].isalpha() else f"Network{name}"


class Names:
    """Module names as expressions; a long name becomes a constant at the top of the file."""

    def __init__(self) -> None:
        self._constants: dict[str, str] = {}

    def is_simple(self, name: str) -> bool:
        """Return whether `add_module` accepts the name and no constant is needed."""
        return is_free(name) and len(literal(name)) <= _LONGEST_QUOTED

    def quoted(self, name: str) -> str:
        """Return `name` as an expression of at most 50 characters."""
        if len(literal(name)) <= _LONGEST_QUOTED:
            return literal(name)
        return self._constants.setdefault(name, f"NAME_{len(self._constants) + 1}")

    def lines(self) -> list[str]:
        """Return the definitions of the constants."""
        lines = []
        for name, constant in self._constants.items():
            line = f"{constant} = {literal(name)}"
            pieces = [f"{INDENT}{literal(name[start : start + 10])}" for start in range(0, len(name), 10)]
            lines += [line] if len(line) <= LINE else [f"{constant} = (", *pieces, ")"]
        return lines

    def reached(self, owner: str, name: str) -> str:
        """Return the expression for the child `name` of the module `owner`."""
        if is_plain(name):
            return f"{owner}.{name}"
        quoted = self.quoted(name)
        return f"{owner}.get_submodule({quoted})" if is_free(name) else f"{owner}._modules[{quoted}]"

    def registered(self, owner: str, name: str, value: str | Call, indent: str) -> list[str]:
        """Return the statement that makes `value` the child `name` of `owner`."""
        if is_free(name) and not is_plain(name):
            return statement("", Call(f"{owner}.add_module", (self.quoted(name), value)), indent)
        return statement(f"{self.reached(owner, name)} = ", value, indent)
