"""Paths of the app's files, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

from effviz.ui.navigation import PageInfo

_PACKAGE = Path(__file__).resolve().parents[1]
# The wheel stores the files of the top level in `effviz/_app`, see pyproject.toml.
_IN_WHEEL = _PACKAGE / "_app"

ROOT = _IN_WHEEL if (_IN_WHEEL / "app.py").is_file() else _PACKAGE.parent
"""The folder that contains `app.py`, `pages/` and `assets/`."""

MAIN_SCRIPT = _PACKAGE / "ui" / "main.py"
"""The script that Streamlit runs for each session."""

_STYLE = _PACKAGE / "ui" / "style"
# In the order of the cascade: what pages contain, the frame, which arranges it, and single pages. A lesson changes the
# page below it.
_SHEETS = (
    *("base", "cards", "controls", "charts", "takeaway", "latency", "frame", "idea", "formulas", "exercises"),
    *("glossary", "motion", "home", "studio", "compare", "literature", "lessons", "classroom"),
)
STYLE_SHEETS = tuple(_STYLE / f"{name}.css" for name in _SHEETS)
PRESENT_STYLE_SHEET = _STYLE / "present.css"


def page_path(entry: PageInfo) -> Path:
    """Return the path of a page's script."""
    return ROOT / "pages" / entry.file
