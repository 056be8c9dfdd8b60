"""Tables as Markdown and LaTeX: hostile text is shown as it is, and numbers can be read back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effviz.core.tabular import as_latex, as_markdown

HOSTILE = ["a|b_$%&", r"\end{tabular}", "**bold** `code` <b>", "[link](x) ~s~ ^ #", "--- *star", "[0.5ex]", "1 × 2 → α"]
NOTE = r"100 % of $x$ & <i>y</i> \ _z_"


def cells_of_markdown(text: str) -> tuple[list[list[str]], list[str], str]:
    """Read a table by the rules of GitHub: the shown text of all cells, the marks of alignment, and the paragraph."""

    def shown(cell: str) -> str:
        for place, sign in enumerate(cell):
            # An odd number of backslashes before it makes a sign of markup text.
            before = len(cell[:place]) - len(cell[:place].rstrip("\\"))
            assert sign not in "`*_{}[]<>#~$&|" or before % 2, cell
        return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell)

    head, rule, *lines = text.split("\n")
    body = [line for line in lines if line.startswith("|")]
    cells = [[shown(cell.strip(" ")) for cell in re.split(r"(?<!\\)(?:\\\\)*\|", row[1:-1])] for row in (head, *body)]
    return (
        cells,
        [cell.strip() for cell in rule[1:-1].split("|")],
        shown(lines[len(body) + 1]) if lines[len(body) + 1 :] else "",
    )


SIGNS = {
    "textbackslash": "\\", "textasciicircum": "^", "textasciitilde": "~", "textbar": "|", "textless": "<",
    "textgreater": ">", "times": "×", "rightarrow": "→", "alpha": "α",
}  # fmt: skip


def shown_by_latex(text: str) -> str:
    """Return what LaTeX prints for text without environments: commands, escapes and groups are resolved."""
    token = re.compile(r"\\([a-zA-Z]+)(?:\{\})?|\\([^a-zA-Z])|(\{\})|([{}$])|(.)", re.DOTALL)
    return "".join(
        SIGNS[found[1]] if found[1] else found[2] or found[5] or "" for found in token.finditer(text)
    )  # fmt: skip


def cells_of_latex(text: str) -> tuple[list[list[str]], str]:
    body = text.partition("\\toprule\n")[2].partition("\\bottomrule")[0].replace("\\midrule\n", "")
    lines = [line.removesuffix(r" \\") for line in body.splitlines()]
    assert all(line.endswith(r" \\") for line in body.splitlines())
    note = re.search(r"\{\\footnotesize (.*)\\par\}", text)
    cells = [[shown_by_latex(cell) for cell in re.split(r" (?<!\\)& ", line)] for line in lines]
    return cells, shown_by_latex(note[1]) if note else ""


def test_hostile_text_and_alignment_in_markdown() -> None:
    rows = [[name, f"{number:,}"] for number, name in enumerate(HOSTILE, 1_000)]
    found, sides, note = cells_of_markdown(as_markdown(["Name |", "Bytes"], rows, [False, True], NOTE))
    assert found == [["Name |", "Bytes"], *rows]
    assert [side.endswith(":") for side in sides] == [False, True]
    assert note == NOTE


def test_hostile_text_and_alignment_in_latex() -> None:
    rows = [[name, f"{number:,}"] for number, name in enumerate(HOSTILE, 1_000)]
    text = as_latex(["Name & more", "Bytes"], rows, [False, True], NOTE)
    found, note = cells_of_latex(text)
    assert found == [["Name & more", "Bytes"], *rows]
    assert note == NOTE
    assert r"\begin{tabular}{lr}" in text
    assert not re.search(r"\\\\\s*[\[*]", text), "no row begins with an argument of the line break"
    assert text.count(r"\end{tabular}") == 1


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1), min_size=1))
def test_any_printable_ascii_survives_both_formats(cells: list[str]) -> None:
    rows = [[cell] for cell in cells]
    assert cells_of_markdown(as_markdown(["n"], rows, [False]))[0] == [["n"], *rows]
    assert cells_of_latex(as_latex(["n"], rows, [False]))[0] == [["n"], *rows]


@pytest.mark.parametrize("write", [as_markdown, as_latex])
def test_line_breaks_are_visible(write: object) -> None:
    assert callable(write)
    lines = write(["n"], [["a\nb"]], [False]).splitlines()
    assert sum("a" in line and "nb" in line for line in lines) == 1
