"""The memory of the draft on a microcontroller: the arena in SRAM over time, and the bytes in flash."""

from __future__ import annotations

import streamlit as st

from effviz.advice.budgets import Budget, format_share
from effviz.charts.microcontroller import arena_plan
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.units import binary, exact, percent
from effviz.count.microcontroller import KERNELS, MicrocontrollerReport, microcontroller
from effviz.model.design import Design
from effviz.studies.studio import is_costly, row_of
from effviz.ui import inputs
from effviz.ui.page_parts.studio.draft import Bench, missing, select
from effviz.ui.page_parts.studio.headline import OVER, WITHIN
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import Card, show_cards
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.glossary import show_explained
from effviz.ui.widgets.tables import Column, Table, show_table

KEY = "kernels"
_ASSUMPTIONS = (
    "TensorFlow Lite for Microcontrollers, int8, one image. The tensors are placed as its planner places them: the "
    "largest first, each at the lowest free place, in steps of 16 bytes. ReLU and ReLU6 are fused; other activations "
    "write a tensor. Strided convolutions have TensorFlow's padding. The interpreter is estimated for 32 bits: 8 bytes "
    "for each output channel of a convolution, 12 for each tensor and 32 for each operator, and their parameters. "
    "The file's structure is an estimate, and the code an assumption: 16 KiB and 5 KiB for each kind of operator."
)


@remembered
def plan(design: Design, kernels: str) -> MicrocontrollerReport:
    """Plan the memory of a design."""
    return microcontroller(design, kernels=kernels)


def memory(here: Bench, chosen: Limits) -> None:
    """Show whether the draft fits a microcontroller, its arena, and where the bytes come from."""
    show_explained(
        "A microcontroller keeps all tensors in one [[tensor arena|arena]] in SRAM, and weights and code in flash. The "
        "arena can be larger than the [[peak activation]]: tensors keep their places while they live.",
        "microcontroller",
    )
    kernels = inputs.choice(
        "Kernels", list(KERNELS), KEY, default="reference", width=320,
        format_func=lambda name: f"{KERNELS[name].label}: {KERNELS[name].help}",
        help="Fast kernels copy parts of a map into scratch memory first.",
    )  # fmt: skip
    if here.design is None or here.report is None or not here.is_whole:
        missing(here)
        return
    try:
        found = (
            calculated("Memory plan", plan, here.design, kernels)
            if is_costly(here.draft)
            else plan(here.design, kernels)
        )
    except DesignError as error:
        notice(f"{error}.", alert=True)
        return
    if found is None:
        return
    if not found.graph.operators:
        notice("This network has no operator.")
        return
    limits = {each.quantity: each for each in chosen.budgets}
    sram, flash = limits.get("peak_activation"), limits.get("weight_size")
    report = here.report
    show_cards(_cards(found, sram, flash), "microcontroller_cards")

    def select_row(mark: Click) -> None:
        place = int(mark.detail[-1])
        # The draft may have changed since the click.
        if 0 <= place < len(found.graph.operators):
            row = row_of(report, found.graph.operators[place].path)
            if row is not None:
                select(row)

    note = "A click selects the row of the layer. Accent color: in memory at the operator that needs the most."
    show_chart(_chart(found, sram, look()), "arena", note=note, on_click=select_row)
    flash_rows = [
        ("Flash", "Weights, int8", found.flash.weights), ("Flash", "Biases, int32", found.flash.biases),
        ("Flash", "Scales and zero points", found.flash.quantization),
        ("Flash", "Structure of the file (estimate)", found.flash.structure),
        ("Flash", "Code (assumption)", found.flash.code),
    ]  # fmt: skip
    rows = [*(("Arena", term.label, term.size) for term in found.terms), *flash_rows]
    columns = [
        Column("Memory", lambda each: each[0]),
        Column("Part", lambda each: each[1]),
        Column("Bytes", lambda each: exact(each[2])),
        Column("Share", lambda each: percent(each[2] / (found.arena if each[0] == "Arena" else found.flash.total))),
    ]
    alt = f"The arena of {exact(found.arena)} bytes and the flash of {exact(found.flash.total)} bytes as sums"
    show_table(Table(rows, columns, alt), height=460)
    st.caption(_ASSUMPTIONS)


def _cards(found: MicrocontrollerReport, sram: Budget | None, flash: Budget | None) -> list[Card]:
    """Make the cards of both memories and of the two parts of the arena."""
    share = f"{percent(found.interpreter / found.arena)} of the arena"
    more = found.tensors - found.report.peak_activation
    return [
        _card("Arena in SRAM", found.arena, sram, "Tensors and the data of the interpreter."),
        _card("Flash", found.flash.total, flash, "The file with the weights, and the code."),
        Card(
            "Tensors", binary(found.tensors), f"{exact(found.tensors)} bytes, as the planner places them.",
            f"{exact(abs(more))} bytes {'over' if more > 0 else 'below'} the peak" if more else "the peak activations",
        ),
        Card("Interpreter", binary(found.interpreter), f"{exact(found.interpreter)} bytes, an estimate.", share),
    ]  # fmt: skip


def _card(label: str, size: int, limit: Budget | None, definition: str) -> Card:
    """Make the card of a memory, with its share of a limit in bytes."""
    help = f"{exact(size)} bytes.\n\n{definition}"
    if limit is None:
        return Card(label, binary(size), help, "no limit")
    over = size > limit.limit
    return Card(
        label,
        binary(size),
        help,
        f"{OVER if over else WITHIN} {format_share(size / limit.limit)} of {limit.text}",
        over=over,
    )


@remembered
def _chart(found: MicrocontrollerReport, sram: Budget | None, look: Appearance) -> Chart:
    return arena_plan(found, look, None if sram is None else (sram.limit, sram.text))
