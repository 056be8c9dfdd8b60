"""Paths of the app's files."""

from __future__ import annotations

from pathlib import Path

from effviz.ui.navigation import PageInfo

ROOT = Path(__file__).resolve().parents[2]


def page_path(entry: PageInfo) -> Path:
    """Return the script of a page."""
    return ROOT / "pages" / entry.file
