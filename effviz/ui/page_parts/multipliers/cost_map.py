"""The heat map of width and resolution, its table, and the published figures that do not fit."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from effviz.charts.multipliers import Cell, MapTitle, heat_map
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.resolution import compact_size, halved, in_pixels, ratio
from effviz.core.text import plotly_text
from effviz.core.units import change, exact, lower
from effviz.studies import multipliers
from effviz.studies.multipliers import Place, ScaledCounts
from effviz.studies.printed_cells import Accuracy, Misfit
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import Choice
from effviz.ui.page_parts.multipliers.headline import interpolation_error, points
from effviz.ui.widgets.charts import Click
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table, size_cell
from effviz.zoo.published.cells import QUANTITIES, Figure

_LISTED = 5
_LINE = 74
_PRINTED_AS = {"compute": "mult_adds", "params": "params", "top1": "top1"}


# --- the map -------------------------------------------------------------------------------------------------------


@remembered
def map_chart(choice: Choice, convention: Convention, look: Appearance) -> tuple[Chart, str]:
    """Draw the map, and write the caption that explains its marks."""
    cells = map_cells(choice, convention)
    finding = MapTitle(_finding(choice, convention), _unit(choice.measure, convention))
    legend = " ".join(_legend(choice, cells))
    note = f"{finding.unit}. {legend}\n{convention.text}"
    return heat_map(cells, choice.place, choice.own, finding, look, _cited(choice)), note


def _cited(choice: Choice) -> list[Place]:
    """Return the cells that the title of an unscaled network compares: half the width, and half the resolution."""
    if choice.scaled or choice.measure == "top1":
        return []
    half, side = multipliers.half_width(choice.base), choice.own[1]
    narrow: list[Place] = [] if half is None else [(half, side)]
    return narrow if choice.measure == "params" else [*narrow, (1.0, halved(side))]


def map_cells(choice: Choice, convention: Convention) -> list[Cell]:
    """Make the cells of the map, row by row."""
    widths, sides = choice.axes
    return [
        _cell(Choice(choice.printed, width, side, choice.measure), convention) for width in widths for side in sides
    ]


def _legend(choice: Choice, cells: list[Cell]) -> list[str]:
    accuracies = choice.measure == "top1"
    marks = {
        "Frame: on screen.": True,
        "Thin outline: unscaled.": choice.scaled,
        "Dashed: the cells of the title.": bool(_cited(choice)),
        "Bold: published.": any(cell.printed for cell in cells),
        "Regular: published by others.": accuracies and choice.printed.retrained,
        "Triangle: a published figure does not fit, see “Wrong figures”.": any(cell.misfit for cell in cells),
        f"≈: interpolated. {interpolation_error(choice.printed)}": accuracies
        and any("≈" in cell.text for cell in cells),
    }
    return [text for text, present in marks.items() if present]


@remembered
def _cell(choice: Choice, convention: Convention) -> Cell:
    """Make the cell of `choice`; a slider that moves changes few of them."""
    place = choice.place
    figures, accuracy = choice.printed.figures.get(place, ()), choice.top1(place)
    quantity = _PRINTED_AS.get(choice.measure)
    if choice.measure == "top1":
        value = accuracy.value if accuracy else None
        text = accuracy.text.replace(" ", "") if accuracy else "\N{EN DASH}"
        bold = bool(accuracy and accuracy.figure and accuracy.figure.document)
    else:
        value = _amount(choice, place, convention)
        text = _three_digits(value / _prefix(choice.measure, convention))
        bold = any(each.document and quantity and getattr(each, quantity) is not None for each in figures)
    hover = _hover(choice, place, figures, accuracy, convention)
    return Cell(*place, value, text, hover, bold, any(quantity in each.wrong for each in figures))


def _amount(choice: Choice, place: Place, convention: Convention) -> int:
    if choice.measure == "memory":
        return convention.size(choice.memory(place, convention))
    found = choice.counts(place)
    return found.params if choice.measure == "params" else convention.compute(found.macs)


def _prefix(measure: str, convention: Convention) -> float:
    return 1024.0**2 if measure == "memory" and not convention.in_elements else 1e6


def _unit(measure: str, convention: Convention) -> str:
    return {
        "compute": f"{convention.compute_label} in millions",
        "params": "Parameters in millions",
        "memory": f"Memory access in {'millions of elements' if convention.in_elements else 'MiB'}",
        "top1": "Top-1 on ImageNet in per cent",
    }[measure]


def _three_digits(value: float) -> str:
    """Write three significant digits: ``325``, ``41.0``, ``2.59``."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _hover(
    choice: Choice, place: Place, figures: tuple[Figure, ...], accuracy: Accuracy | None, convention: Convention
) -> str:
    found = choice.counts(place)
    lines = [
        f"<b>{plotly_text(choice.title)}, width {place[0]:g}, {in_pixels(place[1])}</b>",
        f"{convention.compute_label}: {exact(convention.compute(found.macs))}",
        f"Parameters: {exact(found.params)}",
    ]
    if choice.measure == "memory":
        lines.append(f"Memory access: {convention.exact('memory_access', choice.memory(place, convention))}")
    if accuracy and accuracy.between:
        lines.append(f"Top-1: {accuracy.text} %, interpolated, not published")
    for each in figures[:2]:
        lines += wrapped(f"Published: {figures_text(each)}. {each.source}")
        lines += [part for sentence in dict.fromkeys(each.wrong.values()) for part in wrapped(sentence)]
    if len(figures) > 2:
        lines.append(f"and {len(figures) - 2} more published rows, see the table")
    return "<br>".join(lines)


def wrapped(text: str) -> list[str]:
    """Break a text into escaped lines for a hover label."""
    return textwrap.wrap(plotly_text(text), _LINE)


def figures_text(figure: Figure) -> str:
    """List the figures of a published row."""
    words = [] if figure.top1 is None else [f"top-1 {figure.top1:g} %{' in 8 bits' if figure.quantised else ''}"]
    if figure.mult_adds is not None:
        words.append(f"{figure.mult_adds:g} M multiply-adds")
    if figure.params is not None:
        words.append(f"{figure.params:g} M parameters")
    return ", ".join(words) or "only a latency"


# --- its title -----------------------------------------------------------------------------------------------------


def _finding(choice: Choice, convention: Convention) -> str:
    """Write the title: the share that the scaled network keeps, or that two halves of the unscaled one keep."""
    if choice.measure == "top1":
        return top1_finding(choice)
    noun = {"compute": lower(convention.compute_label), "params": "parameters", "memory": "memory access"}
    base = _amount(choice, choice.own, convention)

    def share(place: Place) -> str:
        return _multiple(_amount(choice, place, convention) / base)

    if choice.scaled:
        return f"{_here(choice)}: {share(choice.place)} of the {noun[choice.measure]}; {_promise(choice, noun)}"
    half, side = multipliers.half_width(choice.base), choice.own[1]
    if choice.measure == "params":
        claims = ["any resolution leaves all"]
    else:
        claims = [f"half the resolution leaves {share((1.0, halved(side)))}"]
    if half:
        name = "half" if half == 0.5 else f"{half:g} times"
        claims.insert(0, f"{name} the width leaves {share((half, side))}")
    text = f"{', '.join(claims)} of the {noun[choice.measure]}"
    return text[0].upper() + text[1:]


def _here(choice: Choice) -> str:
    return f"{choice.width:g}× {choice.title} at {in_pixels(choice.resolution)}"


def _promise(choice: Choice, noun: dict[str, str]) -> str:
    """Compare with the law, or with the multiply-adds where it makes no promise."""
    wide, tall = choice.width**2, ratio(choice.resolution, choice.own[1]) ** 2
    if choice.measure == "compute":
        return f"width² × resolution² promises {_multiple(wide * tall)}"
    if choice.measure == "params":
        return f"width² promises {_multiple(wide)}"
    kept = choice.counts(choice.place).macs / choice.counts(choice.own).macs
    return f"{_multiple(kept)} of the {noun['compute']}"


def _multiple(share: float) -> str:
    if share < 1.995:
        return f"{100 * share:.3g} %"
    return f"{share:.3g} times" if share < 999.5 else f"{share:,.0f} times"


def top1_finding(choice: Choice) -> str:
    """Describe the published accuracy of the network on screen."""
    found, own, here = choice.top1(choice.place), choice.top1(choice.own), _here(choice)
    ends = None if choice.scaled else choice.printed.top1_range()
    if ends:
        low, high = (f"{choice.top1(end).value:g} % ({end[0]:g}×, {in_pixels(end[1])})" for end in ends)  # type: ignore[union-attr]
        return f"Published top-1 of {choice.title} ranges from {low} to {high}"
    if found is None:
        return f"{here}: no top-1 is published, and no published cells bracket it"
    if found.misprint:
        return f"{here}: the published top-1 of {found.value:g} % is a misprint"
    if found.between:
        return f"{here}: no top-1 is published; between published cells about {found.value:.1f} %"
    against = ""
    if choice.scaled and own is not None:
        against = f", {points(found.value - own.value).replace('pts', 'points')} relative to unscaled"
    return f"{here}: published top-1 {found.value:g} %{against}"


def selecting(choice: Choice) -> Callable[[Click], None]:
    """Return the function that sets width and resolution to those of a clicked cell."""
    widths, sides = choice.axes
    return lambda mark: select(choice, (widths[round(mark.y)], sides[round(mark.x)]))


def select(choice: Choice, place: Place) -> None:
    """Set width and resolution."""
    width, side = place
    if choice.base.width_rule.multipliers:
        links.assign("scale", f"{width:g}")
    else:
        links.put_number("width", width)
    links.assign("res", compact_size(side))


# --- misfits and table ---------------------------------------------------------------------------------------------


def explain_misfits(choice: Choice) -> None:
    """Explain every corner of the map: published and counted figure, reason, source."""
    misfits = choice.printed.misfits()
    if not misfits:
        st.caption(f"No published figure of these cells of {choice.title} is known to be wrong.")
        return
    together: dict[tuple[Place, str], list[Misfit]] = {}
    for each in misfits:
        together.setdefault((each.place, each.why), []).append(each)
    lines = []
    for (place, why), several in list(together.items())[:_LISTED]:
        figures = "; ".join(_misfit_text(choice, each) for each in several)
        sources = "; ".join(dict.fromkeys(source for each in several for source in each.sources))
        lines.append(f"- **{place[0]:g}× at {in_pixels(place[1])}**: {figures}. {why} *{sources}*")
    lead = "1 published figure does" if len(misfits) == 1 else f"{len(misfits)} published figures do"
    more = " These are the furthest off. “All cells” has the rest." if len(together) > _LISTED else ""
    if choice.printed.counts_something_else():
        more += (
            " Figures that count another quantity, such as parameters without batch norm, are not marked. “All cells” "
            "explains them."
        )
    with st.container(key="misfits"):
        st.markdown(f"**{lead} not fit.**{more}\n\n" + "\n".join(lines))


def _misfit_text(choice: Choice, misfit: Misfit) -> str:
    if misfit.counted is None:
        value = choice.printed.top1_between_neighbors(misfit.place)
        near = f", {value:.1f} % interpolated between its neighbors" if value else ""
        return f"top-1 {misfit.printed:g} % published{near}"
    off = change(misfit.printed, misfit.counted)
    return f"{misfit.printed:g} M {QUANTITIES[misfit.quantity]} published, {misfit.counted:.4g} M counted ({off})"


class _Row(NamedTuple):
    """A cell with one published row about it, if there is one."""

    place: Place
    counts: ScaledCounts
    memory_access: int
    top1: Accuracy | None
    figure: Figure | None


def cell_table(choice: Choice, convention: Convention) -> Table:
    """Make the table of every cell of the map, with a row for each published row about it."""
    widths, sides = choice.axes
    rows = [
        _Row(place, choice.counts(place), choice.memory(place, convention), choice.top1(place), figure)
        for place in ((width, side) for width in widths for side in sides)
        for figure in choice.printed.figures.get(place, ()) or (None,)
    ]

    def published(name: str, missing: Any = None) -> Any:
        return lambda row: missing if row.figure is None else getattr(row.figure, name)

    def notes(row: _Row) -> str:
        return "" if row.figure is None else " ".join(filter(None, (row.figure.note, row.figure.notes)))

    columns = [
        Column("Width", lambda row: row.place[0], ""),
        Column("Resolution (px)", lambda row: size_cell(row.place[1])),
        *count_columns(convention, ("params", "macs"), row="counts"),
        *count_columns(convention, ("memory_access",)),
        Column("Published parameters (M)", published("params"), ""),
        Column("Published multiply-adds (M)", published("mult_adds"), ""),
        Column("Published top-1 (%)", published("top1"), ""),
        Column("Interpolated top-1 (%)", lambda row: row.top1.value if row.top1 and row.top1.between else None, "%.1f"),
        Column("Published as", published("variant", "")),
        Column("Notes", notes, width="large"),
        Column("Source", published("source", ""), width="large"),
    ]
    return Table(rows, columns, f"{len(rows)} rows: cells of {choice.title} with exact counts and published figures")


def show_cell_table(choice: Choice, convention: Convention) -> None:
    """Show the table behind the map: counted and published figures."""
    links.idle("cells")  # in older links
    show_table(cell_table(choice, convention), height=360)
    st.caption("Published figures are in multiply-adds, whatever their source calls them.")


def files(choice: Choice, convention: Convention) -> None:
    """Show the downloads of the table and of the network on screen."""
    groups = f"g{choice.printed.groups}" if choice.printed.groups else ""
    stem = file_name("effviz", choice.printed.name, groups, f"w{choice.width:g}", compact_size(choice.resolution))
    note = f"{choice.title}. {convention.text}"
    downloads(csv_file("Cells", lambda: cell_table(choice, convention), stem, note), json_file(choice.design, stem))
