"""Headline cards, the bubble chart, parallel coordinates and the table of the networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from effviz.advice.budgets import DTYPES
from effviz.charts.compare.bubbles import Bubble, bubbles
from effviz.charts.compare.profile import ProfileLine, profiles
from effviz.charts.sentences import listed
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import binary
from effviz.studies.compare.networks import ComparedRow, front
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.compare.rows import View, axes, value
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import Card, count_card, show_cards
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.live_latency import Conditions
from effviz.ui.widgets.tables import Column, Pick, Table, show_table
from effviz.zoo.published.cells import origin

DASH = "\N{EN DASH}"
_COUNTED = ("params", "macs", "memory_access")
_PROFILE = (
    "params", "macs", "memory_access", "peak_activation", "receptive_field", "latency", "phone", "top1", "efficiency",
)  # fmt: skip


def headline(view: View, convention: Convention, conditions: Conditions) -> None:
    """Show the numbers of the network on screen relative to the baseline, and its latency."""
    choice = view.choice
    against = choice.names[0] if choice.differ else ""
    note = f"Baseline: {choice.names[0]}."
    cards = [
        count_card(
            convention, key, getattr(view.chosen.counted, key), getattr(view.base.counted, key) if against else None,
            against=against, below="the baseline" if key == _COUNTED[0] else "", note=note,
        )
        for key in _COUNTED
    ]  # fmt: skip
    show_cards([*cards, _top1_card(view, against), live.card(view.reading, against)])
    live.bar(choice.design, conditions, view.reading)


def _top1_card(view: View, against: str) -> Card:
    own, base = view.chosen.top1, view.base.top1
    if own.value is None:
        return Card("Published top-1", DASH, f"{own.why.capitalize()}.", "not published")
    text, help = f"{own.value:.1f} %", f"{own.why}. Training recipes differ between papers."
    if not against or base.value is None:
        return Card("Published top-1", text, help, f"{against}: not published" if against else origin(own.why))
    difference = own.value - base.value
    sign = "+" if difference > 0 else "\N{MINUS SIGN}"
    below = "equal" if abs(difference) < 0.05 else f"{sign}{abs(difference):.1f} pts"
    return Card("Published top-1", text, help, below, against)


# --- charts -----------------------------------------------------------------------------------------------------------


def chart(view: View, convention: Convention) -> None:
    """Show the networks over two measures. A click on a bubble chooses the network."""
    choice = view.choice
    made = _bubbles(view.rows, choice.x, choice.y, choice.size, choice.names, convention, view.reading.label, look())
    show_chart(made, "bubbles", note=_note(view), on_click=partial(_select, view))


@remembered
def _bubbles(
    rows: tuple[ComparedRow, ...], x: str, y: str, size: str | None, names: tuple[str, str], convention: Convention,
    latency: str, look: Appearance,
) -> Chart:  # fmt: skip
    found = axes(convention, latency)
    points = []
    for row in rows:
        places = [value(row, measure, convention) for measure in (x, y)]
        # A logarithmic axis has no 0.
        if all(place is not None and (place > 0 or not found[key].log)
               for place, key in zip(places, (x, y), strict=True)):  # fmt: skip
            points.append(Bubble(row.label, row.label, places[0] or 0, places[1] or 0,
                                 value(row, size, convention) if size else None))  # fmt: skip
    best = front([(point.x, point.y) for point in points], (found[x].better, found[y].better)) if x != y else []
    return bubbles(points, (found[x], found[y]), found[size] if size else None, best, names[1], names[0], look)


def _note(view: View) -> str:
    """Say which networks are not drawn, and why."""
    choice = view.choice
    area = "" if choice.size is None else " Areas are proportional to the chosen quantity."
    lines = [
        f"Ring: the chosen network. Bold: the baseline. Filled: on the Pareto front.{area} A click chooses a network."
    ]
    if "phone" in (choice.x, choice.y) and choice.phone:
        lines[0] = f"Phone: {choice.phone}. {lines[0]}"
    missing: dict[str, list[str]] = {}
    for row in view.rows:
        for measure in dict.fromkeys((choice.x, choice.y)):
            known = row.known(measure)
            if not known.value:
                why = known.why if known.value is None else "0 is not on a logarithmic axis"
                missing.setdefault(why, []).append(row.label)
                break
    if missing:
        count = sum(map(len, missing.values()))
        lines[0] += f" Not drawn: {count} of {len(view.rows)}."
        lines += [f"{listed(labels)}: {why}." for why, labels in missing.items()]
    return "\n".join(lines)


def _select(view: View, mark: Click) -> None:
    """Choose the network of a mark."""
    by_label = {row.label: row.network.text for row in view.rows}
    detail = mark.detail[0] if isinstance(mark.detail, list) and mark.detail else None
    if detail in by_label:
        links.assign("net", by_label[detail])


def profile(view: View, convention: Convention) -> None:
    """Show every measure of every network as a line."""
    made = _profiles(view.rows, view.choice.names, convention, view.reading.label, look())
    show_chart(made, "profiles", note="Left: the worst value of a row. Right: the best one; of the receptive field, "
               "the largest. A missing marker: the value is unknown.",
               on_click=partial(_select, view))  # fmt: skip


@remembered
def _profiles(
    rows: tuple[ComparedRow, ...], names: tuple[str, str], convention: Convention, latency: str, look: Appearance
) -> Chart:
    found = axes(convention, latency)
    # Zero has no logarithm; it is as good as unknown on such a row.
    networks = [
        ProfileLine(row.label, row.label, [value(row, key, convention) or None for key in _PROFILE]) for row in rows
    ]
    return profiles(networks, [found[key] for key in _PROFILE], names[1], names[0], look)


# --- table ------------------------------------------------------------------------------------------------------------


def table(view: View, convention: Convention) -> None:
    """Show all numbers of the networks, with their ratios to the baseline. A selected row chooses the network."""
    texts = tuple(row.network.text for row in view.rows)
    made = networks_table(view, convention)
    show_table(made, key="networks_table", height=480, pick=Pick("net", texts, (texts, view.choice.phone)))
    notice(
        f"Ratios are relative to {view.choice.names[0]}. {DASH}: unknown; the last columns have sources and reasons. "
        "Receptive field: input pixels that one pixel of the last map depends on, the shorter side."
    )


def networks_table(view: View, convention: Convention) -> Table:
    """Make the table of all numbers."""
    base = view.base
    against = f"Relative to {base.label}."
    columns = [Column("Network", "label", width=150)]
    found = axes(convention, view.reading.label)
    forms = {"top1": "{:.1f}", "phone": "{:.1f}", "latency": "{:.1f}", "efficiency": "{:.3g}"}
    known = {key: Column(found[key].title, _shown(key, form, convention)) for key, form in forms.items()}
    for key in _RATIOS:
        count = partial(value, measure=key, convention=convention)
        columns.append(Column(convention.heading(key), count, help=convention.help(key)))
        columns.append(Column(f"{convention.label(key)} ×", _ratio(key, base), help=against))
        if key == "macs":
            # In view without scrolling: what the computation buys.
            columns.append(known["top1"])
    columns += [known["latency"], known["phone"], known["efficiency"]]
    columns.append(Column("Receptive field (px)", _shown("receptive_field", "{:.0f}")))
    columns += [Column(f"Weights, {name}", partial(_weights, size=size), width=120) for name, size in DTYPES.items()]
    columns += [Column(text, partial(_why, key), width="medium") for key, text in _SOURCES.items()]
    return Table(view.rows, columns, f"{len(view.rows)} networks with exact counts, published figures and latencies")


_RATIOS = "params", "macs", "memory_access", "peak_activation"
_SOURCES = {"top1": "Source of top-1", "phone": "Source of phone latency", "latency": "Conditions of latency"}


def _weights(row: ComparedRow, *, size: int) -> str:
    return binary(row.counted.params * size)


def _why(key: str, row: ComparedRow) -> str:
    return row.known(key).why


def _ratio(key: str, base: ComparedRow) -> Callable[[ComparedRow], str]:
    whole = getattr(base.counted, key)
    return lambda row: f"{getattr(row.counted, key) / whole:.3g}×" if whole else DASH


def _shown(key: str, form: str, convention: Convention | None = None) -> Callable[[ComparedRow], str]:
    def show(row: ComparedRow) -> str:
        found = value(row, key, convention or Convention())
        return DASH if found is None else form.format(found)

    return show
