"""Former names of the widgets, for pages that do not use the new ones yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from effviz.charts.style import Chart
from effviz.ui.widgets import charts, frame
from effviz.ui.widgets import exercise as exercises
from effviz.ui.widgets.cards import Card, show_cards
from effviz.ui.widgets.charts import kind_legend
from effviz.ui.widgets.downloads import File, copy_link, file_name
from effviz.ui.widgets.downloads import download as _download
from effviz.ui.widgets.frame import convention, look


def header(url_path: str) -> None:
    """Former name of `frame.header`."""
    frame.header(url_path)


def cards(entries: Iterable[Card]) -> None:
    """Former name of `cards.show_cards`."""
    show_cards(entries)


def show_chart(chart: Chart, key: str, *, heading: bool = True) -> None:
    """Former name of `charts.show_chart`."""
    charts.show_chart(chart, key, heading="subheader" if heading else "none")


def exercise(
    key: str, question: str, unit: str, answer: float, explanation: str, *, show: Callable[[float], str]
) -> None:
    """Former name of `exercise.exercise`."""
    entry = exercises.Exercise(key, question, unit, answer, explanation)
    object.__setattr__(entry, "show", show)
    exercises.exercise(entry)


def download(label: str, make: Callable[[], str], file: str, *, key: str | None = None) -> None:
    """Former name of `downloads.download`."""
    _download(File(label, file, make, key))


__all__ = [
    "Card", "cards", "convention", "copy_link", "download", "exercise", "file_name", "header", "kind_legend", "look",
    "show_chart",
]  # fmt: skip
