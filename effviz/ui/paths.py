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

STYLE_SHEET = _PACKAGE / "ui" / "style.css"
PRESENT_STYLE_SHEET = _PACKAGE / "ui" / "present.css"


def page_path(entry: PageInfo) -> Path:
    """Return the path of a page's script."""
    return ROOT / "pages" / entry.file
