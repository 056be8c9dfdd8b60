"""Names from designs as data in other formats: HTML, charts and CSV. A link or a file may contain any text."""

import html
import unicodedata
from typing import Any

# Programs for tables take text that starts with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    """Escape line breaks, control characters and invisible ones, such as those that reverse the direction of text."""
    if text.isprintable():
        return text
    return "".join(each.encode("unicode_escape").decode("ascii") if _is_hidden(each) else each for each in text)


def printable(text: str) -> str:
    """Return text without control characters and invisible ones."""
    return "".join(each for each in text if not _is_hidden(each))


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")


def search_text(text: str) -> str:
    """Return text in the form that searches compare: in lower case, with ``x`` for the multiplication sign."""
    return text.lower().replace("\N{MULTIPLICATION SIGN}", "x")


def html_text(text: str) -> str:
    """Return text as HTML without tags."""
    return html.escape(visible(text))


def plotly_text(text: str) -> str:
    """Return text for labels and hover of plotly, which shows some tags, ``%{...}`` of templates, and formulas."""
    return html.escape(visible(text), quote=False).replace("%{", "&#37;{").replace("$", "&#36;")


def csv_text(value: Any) -> Any:
    """Return a cell of a CSV file: an apostrophe before text that looks like a formula, other values unchanged."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
