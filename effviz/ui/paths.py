"""Where the files of the app lie."""

from __future__ import annotations

from pathlib import Path

from effviz.ui.navigation import PageInfo

ROOT = Path(__file__).resolve().parents[2]


def page_path(entry: PageInfo) -> Path:
    """The script of a page."""
    return ROOT / "pages" / entry.file
