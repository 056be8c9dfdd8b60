"""Reads the LaTeX of the pages: formulas in Markdown and the value of their numbers. It shares no code with effviz."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_SPAN = re.compile(r"\$([^$]+)\$")


class Shown(NamedTuple):
    """One formula on a page."""

    name: str
    symbols: str  # LaTeX, as are the numbers
    numbers: str
    value: str  # as text, with its unit
    terms: tuple[float, ...]  # added to the numbers


def spans(markdown: str) -> list[str]:
    """Every formula inside a text."""
    return _SPAN.findall(markdown)


def is_balanced(latex: str) -> bool:
    """Whether braces are closed, and \\left has its \\right."""
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and latex.count(r"\left") == latex.count(r"\right")


def plain(latex: str) -> str:
    """Text without markup."""
    text = re.sub(r"\\text(?:bf)?" + _GROUP, r"\1", latex)
    text = text.replace(r"\textless ", "<").replace(r"\textgreater ", ">").replace(r"\textdollar ", "$")
    return re.sub(r"\\([{}&#%_])", r"\1", text)


def shown(markdown: str) -> list[Shown]:
    """The formulas of a text: a bold name, then lines with an equals sign, the last with the value."""
    found = []
    for paragraph in markdown.split("\n\n"):
        # The last line of a formula may be its source in small type.
        name, *lines = paragraph.split("  \n")
        lines = [line for line in lines if not line.startswith(":small[")]
        if not lines or r"\textbf{" not in lines[-1]:
            continue
        # A long line is written term by term.
        sides = [
            " ".join(each.removeprefix("{}") for each in spans(line) if each.startswith(("= ", "{}"))).removeprefix(
                "= "
            )
            for line in lines
            if line.startswith("$= ")
        ]
        terms = [spans(line)[0] for line in lines if line.startswith(("$+", "$-"))]
        value, unit = re.fullmatch(r"\$= ([^$]*)\$ ?(.*)", lines[-1], re.S).groups()  # type: ignore[union-attr]
        formulas = sides[: -2 if terms else -1]
        symbols, numbers = formulas[0] if formulas else "", formulas[-1] if formulas else value
        found.append(
            Shown(
                name.strip("*"), symbols, numbers, f"{plain(value)} {unit}".rstrip(),
                tuple(float(evaluated(term)) for term in terms),
            )
        )  # fmt: skip
    return found


def evaluated(latex: str) -> float:
    """The value of a formula that consists of numbers."""
    text = re.sub(r"\\underset" + _GROUP, "", latex.split(r"\quad")[0])
    text = re.sub(r"\\text(?:bf)?\{(round|[\d.,]+)[^{}]*\}", lambda found: found[1], text)
    text = text.replace("{,}", "").replace(",", "")
    while (simpler := re.sub(r"\\d?frac" + _GROUP + _GROUP, r"((\1)/(\2))", text)) != text:
        text = simpler
    while (simpler := re.sub(r"\\sqrt" + _GROUP, r" sqrt(\1)", text)) != text:
        text = simpler
    text = text.replace(r"\lceil", "ceil(").replace(r"\rceil", ")").replace(r"\left", "").replace(r"\right", "")
    text = text.replace(r"\cdot", "*").replace(r"\times", "*").replace("^", "**")
    text = re.sub(r"[{}]", lambda found: "(" if found[0] == "{" else ")", text).strip()
    text = re.sub(r"(?<=[\d)])\s*(?=[(a-z])", "*", text)
    names = set(re.findall(r"[a-z]+", text))
    assert names <= {"sqrt", "ceil", "round"}, latex
    return float(eval(text, {"sqrt": math.sqrt, "ceil": lambda x: math.ceil(x - 1e-9), "round": lambda x: x}))
