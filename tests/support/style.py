"""The mechanical rules of the writing style, checked over every text of the repository.

    python tests/support/style.py                   all files
    python tests/support/style.py effviz/charts     some of them

A text is a comment, a docstring, another string of the source, the name of a test, or a line of a document. Rules that
need a reader are not here.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
# The rules themselves contain what they forbid.
EXEMPT = {"tests/support/style.py", "tests/test_style.py"}
DOCUMENTS = ("*.md", "*.toml", "*.css", "Makefile", "*requirements.txt", ".ci/run", ".gitignore")
ON_SCREEN = re.compile(r"pages/|effviz/(ui|charts|studies|advice|count|core|model|cli)/")

# What to write instead is in the message.
WORDS = {
    r"nobody|somebody|everybody|whoever|anybody|his|people": "name the user, the caller, or the thing",
    r"one's own|of (its|their|one's) own": "'custom', 'separate', or nothing",
    r"in vain": "'ignored' or 'without a result'",
    r"at fault": "'invalid'",
    r"mend(s|ed|ing)?": "'fix'",
    r"tells?|told|telling": "'report', 'show', 'distinguish'",
    r"asks?|asked|asking": "'request', 'call', 'require'",
    r"says? of|said of": "'report about', 'describe'",
    r"stands?( in| at| on| above| below| beside| here| there)?(?! for)|stood": "'is'",
    r"lies|lay(s)? (in|at|between|on)": "'is'",
    r"goes|went": "'moves', 'passes', 'is'",
    r"puts? out": "'outputs'",
    r"hands? (on|over|in|out)": "'passes'",
    r"comes? about|came about": "'is computed'",
    r"remarks?": "'finding', 'suggestion', 'note'",
    r"(kept|told|set|keeps?) apart": "'separate', 'distinguish'",
    r"lets? go|let go": "'release'",
    r"anew|thereby|whereby|hardly ever|in turn of": "'again', 'so that', 'rarely'",
    r"kin": "name the networks",
    r"in hand": "'selected', 'current'",
    r"as one would|the like of": "say it directly",
    r"\d+ times (fewer|less|cheaper|smaller|lower)": "'4× cheaper'",
}  # fmt: skip
FACTOR = "write '1.43×'"
_PARTICIPLE = (
    "Measured|Shown|Drawn|Counted|Printed|Compared|Marked|Given|Left|Written|Kept|Added|Missing|Timed|Listed|Noted"
)
PATTERNS = {
    **{rf"\b(?:{words})\b": f"use {instead}" for words, instead in WORDS.items()},
    rf"(?:^|[.:;] )(?:Not )?(?:{_PARTICIPLE}) (?:is|are|was|were|here is|here are)\b": "inverted sentence",
    r"(?:^|[.] )What (?![^.?!]*\?)[^.?!]{12,}(?:[.]|$)": "'What ...' as a noun: use the noun",
    r"(?<![\w.])x\d+(?:\.\d+)?(?![\w.]*\w)": FACTOR,
}
COMPILED = {
    re.compile(pattern, re.IGNORECASE if pattern.startswith(r"\b") else 0): why for pattern, why in PATTERNS.items()
}
LONGEST = {"screen": 26, "docstring": 36}


class Text(NamedTuple):
    """One text of a file: its line, what it is, and its words. A filled-in value counts as one word."""

    line: int
    sort: str
    words: str


def _joined(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "N" for part in node.values)
    return None


def _python(source: str, *, tests: bool) -> Iterator[Text]:
    tree = ast.parse(source)
    docstrings, inner = set(), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        ):
            for statement in body:
                # The first statement, and the text below an attribute.
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    docstrings.add(statement.value)
        if isinstance(node, ast.JoinedStr):
            inner |= {part for part in node.values if isinstance(part, ast.Constant)}
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and tests and node.name.lower().startswith("test"):
            yield Text(node.lineno, "name", node.name.replace("_", " "))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node not in inner:
            words = _joined(node)
            if words and " " in words.strip():
                yield Text(node.lineno, "docstring" if node in docstrings else "string", words)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(token.start[0], "comment", token.string.lstrip("#!: "))


def _document(source: str) -> Iterator[Text]:
    for number, line in enumerate(source.splitlines(), 1):
        yield Text(number, "document", re.sub(r"`[^`]*`|<[^>]*>", "N", line))


def texts(path: Path) -> list[Text]:
    """Every text of a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return list(_document(source))
    return list(_python(source, tests="tests" in path.parts))


def _sentences(words: str) -> Iterator[str]:
    """Sentences; an entry of Args or Attributes, a list item and a line of a table count as one each."""
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*|>]|[\w*, ]+:\s))|\n(?=\s*\S+\s{2,}\S)", words):
        yield from re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))


def findings(path: Path) -> Iterator[str]:
    """One line per violation in a file, starting with its place."""
    name = path.relative_to(ROOT).as_posix()
    shown = ON_SCREEN.match(name) is not None
    for line, sort, words in texts(path):
        plain = re.sub(r"``[^`]*``|`[^`]*`", "N", words) if sort != "string" else words
        for pattern, why in COMPILED.items():
            if why == FACTOR and not shown:
                continue
            for match in pattern.finditer(" ".join(plain.split())):
                yield f"{name}:{line}: {sort}: {match[0].strip()!r}: {why}"
        longest = (
            LONGEST["docstring"] if sort == "docstring" else LONGEST["screen"] if sort == "string" and shown else 0
        )
        for sentence in _sentences(words) if longest else ():
            count = len(re.findall(r"\w[^\s]*", sentence))
            if count > longest and "===" not in sentence:
                yield f"{name}:{line}: {sort}: {count} words in a sentence, at most {longest}: {sentence[:60]!r}"


def files(*below: str) -> list[Path]:
    """The texts of the repository, below the given folders or everywhere."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", *DOCUMENTS]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    names = sorted({name for name in listed if name and name not in EXEMPT and (ROOT / name).exists()})
    return [ROOT / name for name in names if not below or name.startswith(below)]


def main() -> int:
    """Print every violation; 1 if there is one."""
    found = [line for path in files(*sys.argv[1:]) for line in findings(path)]
    print("\n".join([*found, f"{len(found)} violations of the writing style"]))
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
