"""The implementations of the network on screen, and the itemized difference of the chosen one to the default."""

from __future__ import annotations

import streamlit as st

from effviz.core.errors import DesignError
from effviz.core.resolution import in_pixels
from effviz.core.units import exact, lower
from effviz.model.variants import DEFAULT
from effviz.studies.variants import VariantTerm, VariantTotals, compared, for_reading, itemized, variant_title
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import Choice, choose
from effviz.ui.widgets.frame import heading, notice
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.zoo import list_variants


def variants(choice: Choice, convention: Convention) -> None:
    """Show the counts of all implementations, and the terms of the chosen one."""
    if list_variants(choice.name) == [DEFAULT]:
        st.markdown(
            f"torchvision, timm, Keras and the authors' code agree on {choice.baseline.title}, as far as they have it."
        )
        return
    design = choice.design
    try:
        default = choose(
            choice.name, choice.groups, choice.width, choice.depth, design.resolution, choice.classes,
            design.in_channels,
        ).design  # fmt: skip
    except DesignError as error:
        notice(f"The default does not exist at this width, so there is no difference to it. {error}")
        return
    rows = compared(default, choice.name, choice.groups)
    _show_totals(rows, choice, convention)
    if choice.variant == DEFAULT:
        st.caption("Choose a variant in the sidebar to see its difference to the default, rule by rule.")
        return
    _show_terms(itemized(default, choice.name, choice.variant, choice.groups), choice, convention)


def _show_totals(rows: tuple[VariantTotals, ...], choice: Choice, convention: Convention) -> None:
    first, compute, factor = rows[0], convention.heading("macs"), convention.factor("macs")
    columns = (
        Column("Variant", lambda row: variant_title(choice.name, row.name, choice.groups)),
        Column("Parameters", "params"),
        Column("Parameters vs default", lambda row: _difference(row.params, first.params, 1)),
        Column(compute, lambda row: _difference(row.macs, 0, factor)),
        Column(f"{compute} vs default", lambda row: _difference(row.macs, first.macs, factor)),
        Column("Differs by", "differs", width="large"),
        Column("Source", "source", width="large"),
    )
    heading(_finding(rows, choice))
    show_table(Table(rows, columns, f"{len(rows)} implementations of {choice.name} with exact counts"))
    st.caption(
        f"At width {choice.design.width_mult:g}, depth {choice.design.depth_mult:g} and "
        f"{in_pixels(choice.design.resolution)}. Non-trainable parameters, which Keras prints too, are not counted."
    )


def _finding(rows: tuple[VariantTotals, ...], choice: Choice) -> str:
    built = {(row.params, row.macs) for row in rows if row.params is not None}
    at = f"at width {choice.width:g}"
    if len(built) == 1:
        return f"All {len(rows)} implementations have the same counts {at}"
    return f"{len(rows)} implementations have {len(built)} different counts {at}"


def _show_terms(terms: tuple[VariantTerm, ...], choice: Choice, convention: Convention) -> None:
    title = variant_title(choice.name, choice.variant, choice.groups)
    shown, idle = for_reading(terms)
    factor = convention.factor("macs")
    columns = (
        Column("Change", lambda term: term.where or term.reason),
        Column("Parameters", "params"),
        Column(convention.heading("macs"), lambda term: term.macs * factor),
        Column("Rule", lambda term: term.reason if term.where else ""),
    )
    compute = lower(convention.compute_label)
    change = f"{_signed(shown[-1].params)} parameters, {_signed(shown[-1].macs * factor)} {compute}" if shown else ""
    st.markdown(f"**{title}** against the default: {change or 'no difference'}.")
    if shown:
        show_table(Table(shown, columns, f"{len(shown) - 1} terms of the difference, and their sum"))
    without = f"Without effect at this width: {'; '.join(idle)}. " if idle else ""
    st.caption(
        f"{without}The rules are applied in this order, width changes stage by stage. Every term is the difference of "
        "two exact counts."
    )
    for note in choice.baseline.notes[1:]:
        st.markdown(f"- {note}")


def _difference(value: int | None, default: int | None, factor: int) -> int | None:
    return None if value is None or default is None else (value - default) * factor


def _signed(value: int) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{exact(abs(value))}"
