"""Tables as CSV, Markdown and LaTeX: any text is a cell of every format."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from effviz.core.text import csv_text, visible

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}",
    # At the start of a row these two belong to the line break before it.
    "[": "{[}", "*": "{*}", "×": r"$\times$", "·": r"$\cdot$", "≤": r"$\leq$", "≥": r"$\geq$",
    "≈": r"$\approx$", "→": r"$\rightarrow$", "−": "$-$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "φ": r"$\phi$", "ρ": r"$\rho$", "Δ": r"$\Delta$", "…": r"\dots{}", "²": "$^2$",
}  # fmt: skip
_LATEX_SIGN = re.compile("|".join((*map(re.escape, _LATEX), "-(?=-)", "[`'](?=[`'])")))


def as_csv(heads: Iterable[str], rows: Iterable[Iterable[Any]], note: str = "") -> str:
    """Write a table as CSV with all digits, under a comment line `note`."""
    out = io.StringIO()
    if note:
        out.write(f"# {note}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(map(csv_text, row) for row in rows)
    return out.getvalue()


def as_markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool], note: str = "") -> str:
    """Write a table in GitHub's Markdown, with `note` as a paragraph below it.

    Args:
        heads: headings.
        rows: cells as text.
        right: for each column, whether it is aligned to the right.
        note: what the numbers mean.
    """
    cells = [[markdown_text(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Iterable[str]) -> str:
        return f"| {' | '.join(row)} |"

    def padded(row: Sequence[str]) -> str:
        return line(
            f"{cell:{'>' if side else '<'}{width}}" for cell, side, width in zip(row, right, widths, strict=True)
        )

    rule = line(f"{'-' * (width - 1)}:" if side else "-" * width for side, width in zip(right, widths, strict=True))
    tail = ["", markdown_text(note)] if note else []
    return "\n".join([padded(cells[0]), rule, *map(padded, cells[1:]), *tail, ""])


def as_latex(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool], note: str = "") -> str:
    """Write a table in LaTeX with booktabs, with `note` in small print below it. The arguments are as for Markdown."""
    body = [" & ".join(map(latex_text, row)) + r" \\" for row in rows]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{{''.join('r' if side else 'l' for side in right)}}}",
        r"\toprule",
        " & ".join(map(latex_text, heads)) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\smallskip", rf"{{\footnotesize {latex_text(note)}\par}}"] if note else []),
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def markdown_text(text: str) -> str:
    """Return text for a cell of a Markdown table, which shows every character as it is."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def latex_text(text: str) -> str:
    """Return text for LaTeX in text mode, which shows every character as it is."""
    # Two hyphens would become a dash, two quotes a double one.
    return _LATEX_SIGN.sub(lambda found: _LATEX.get(found[0], f"{found[0]}{{}}"), visible(text))
