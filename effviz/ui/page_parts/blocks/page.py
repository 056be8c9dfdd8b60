"""The parts of the Building blocks page: controls made from the declarations, cost, formulas, comparison."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.blocks.cost import Side, block_costs, side_by_side
from effviz.core.units import change, exact, lower, milliseconds, si
from effviz.count.report import Report
from effviz.model.fields import Field
from effviz.studies import blocks as lesson
from effviz.studies.blocks import PRESETS, Place
from effviz.studies.closed_forms import closed_forms, shown
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.page_parts.architectures import network
from effviz.ui.widgets import parts
from effviz.ui.widgets.live_latency import Reading
from effviz.ui.widgets.parts import Card

NONE = "none"
OTHERS = 3
_TITLES = {name: each.title for name, each in PRESETS.items()}
_QUANTITIES = {"macs": "Multiply-adds", "params": "Parameters", "ratio": "Ratio of multiply-adds"}


@dataclass(frozen=True)
class Choice:
    """What the controls ask for.

    Attributes:
        name: of the preset.
        place: channels, stride, resolution.
        values: of the block's fields.
    """

    name: str
    place: Place
    values: dict[str, Any]

    @property
    def title(self) -> str:
        """The block's name."""
        return _TITLES[self.name]

    @property
    def design(self) -> effviz.Design:
        """A network of this block alone."""
        return lesson.design(self.name, self.place, self.values)


def _key(field: str) -> str:
    return f"with_{field}"


def _reset() -> None:
    """Another block starts with its own fields; where it stands is kept."""
    for entry in lesson.fields_of(st.session_state["block"]):
        if _key(entry.name) in st.session_state:
            st.session_state[_key(entry.name)] = entry.default


def controls() -> Choice:
    """The sidebar: block, where it stands, and its fields as it declares them, legal values only."""
    name = links.choice(
        "Block", list(PRESETS), "block", default="inverted_residual", format_func=_TITLES.__getitem__, on_change=_reset
    )
    wide = int(links.amount("Input channels", "cin", default=96, minimum=1, maximum=4096, step=8, usual=(8, 512)))
    out = int(links.amount("Output channels", "cout", default=96, minimum=1, maximum=4096, step=8, usual=(8, 512)))
    stride = int(links.switch("Stride", ["1", "2"], "stride", default="1"))
    side = int(
        links.amount(
            "Resolution (px)", "map", default=14, minimum=1, maximum=1024, step=1, usual=(7, 224),
            help="Side of the square input map.",
        )
    )  # fmt: skip
    place = Place(wide, out, stride, side)
    entries = lesson.fields_of(name)
    held = {entry.name: _held(entry) for entry in entries}
    why = lesson.problem(name, place, lesson.settle(name, place, held))
    place, values = lesson.adapt(name, place, held)
    if why and not lesson.problem(name, place, values):
        st.html(
            f'<p class="status">Built with {place.in_channels} to {place.out_channels} channels. {html.escape(why)}</p>'
        )
    for entry in entries:
        values[entry.name] = _control(name, place, values, entry)
    return Choice(name, place, values)


def _held(entry: Field) -> Any:
    return st.session_state.get(_key(entry.name), entry.default)


def _label(entry: Field) -> str:
    words = {"se_ratio": "SE ratio", "cheap_kernel_size": "Cheap kernel size"}.get(
        entry.name, entry.name.replace("_", " ").capitalize()
    )
    return f"{words} ({entry.unit})" if entry.unit in ("x", "channels") else words


def _control(name: str, place: Place, values: dict[str, Any], entry: Field) -> Any:
    """One field's control: a drop-down of its usual values, a toggle, or a number."""
    key, default = _key(entry.name), values[entry.name]
    if entry.kind == "bool":
        return links.flag(_label(entry), key, default=entry.default, help=entry.help)
    if entry.choices:
        possible = lesson.legal(name, place, values, entry) or [default]
        if default not in possible:
            default = possible[0]
        if st.session_state.get(key) not in (None, *possible):
            st.session_state[key] = default
        return links.choice(_label(entry), possible, key, default=default, format_func=_word, help=entry.help)
    if entry.kind == "int":
        return links.integer(
            _label(entry), key, default=entry.default, minimum=int(entry.minimum),
            maximum=min(int(entry.maximum), 4096), help=entry.help,
        )  # fmt: skip
    return entry.default


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def companions(choice: Choice) -> list[Choice]:
    """Up to three other blocks at the same input and output, chosen above their comparison."""
    found: list[Choice] = []
    names = [name for name in PRESETS if name != choice.name]
    for number, column in enumerate(st.columns(OTHERS), start=1):
        with column:
            default = "bottleneck" if number == 1 and choice.name != "bottleneck" else NONE
            name = links.choice(
                f"Beside it ({number})", [NONE, *names], f"beside{number}", default=default,
                format_func=lambda name: "none" if name == NONE else _TITLES[name],
            )  # fmt: skip
        if name != NONE and name not in [each.name for each in found]:
            fields = {entry.name: entry.default for entry in lesson.fields_of(name)}
            other = Choice(name, choice.place, lesson.settle(name, choice.place, fields))
            why = lesson.problem(other.name, other.place, other.values)
            if why:
                st.caption(f"{other.title} cannot stand here. {why}")
            else:
                found.append(other)
    return found


def headline(choice: Choice, report: Report, convention: Convention, latency: Card) -> None:
    """Cost of the block and its latency."""
    unit = ", elements" if convention.unit == "elements" else ""
    per = convention.compute(report.macs) / max(report.params, 1)
    parts.cards(
        [
            Card("Parameters", si(report.params), f"{exact(report.params)}, batch norm 2 per channel", "of the block"),
            Card(
                convention.compute_label, convention.show_compute(report.macs), exact(convention.compute(report.macs)),
                f"{per:.3g} per parameter",
            ),
            Card(
                f"Memory access{unit}", convention.show_size(report.memory_access),
                f"{exact(convention.size(report.memory_access))} {convention.memory_unit}. "
                f"Assumption: {MEMORIES[convention.memory].lower()}.",
                f"{convention.compute(report.macs) / max(report.memory_access, 1):.3g} per element",
            ),
            Card(
                f"Peak activations{unit}", convention.show_size(report.peak_activation),
                f"{exact(convention.size(report.peak_activation))} {convention.memory_unit}, batch norm folded.",
                f"output {_output(report)}",
            ),
            latency,
        ]
    )  # fmt: skip


def _output(report: Report) -> str:
    return str(report.table["output_shape"].iloc[-1])


def cost_chart(choice: Choice, report: Report, convention: Convention) -> None:
    """The page's chart: where the block spends its cost."""
    table = report.table.assign(stage=[lesson.sublayer(step) for step in report.steps])
    table = table[table["kind"] != "view"]
    parts.kind_legend(table["kind"])
    parts.show_chart(block_costs(table, choice.title, network.measures(convention), parts.look()), "sublayers")


def formulas(choice: Choice, report: Report, convention: Convention) -> None:
    """What the papers' formulas give, and what lies between them and the exact count."""
    st.subheader("How this is computed", anchor=False)
    entry = report.blocks[0]
    forms = closed_forms(entry.block, entry.shape)
    if not forms:
        st.markdown("No paper prints a formula for this block. Exact counts are sums over its layers.")
    for form in forms:
        symbols = form.symbols.replace("*", "×").replace("_", "\\_")
        terms = "".join(f"  \n{_sign(term.value)} {shown(_size(term.value))}: {term.label}" for term in form.terms)
        st.markdown(
            f"**{_QUANTITIES[form.quantity]}**, {form.what}: {symbols}  \n= {form.numbers}  \n= {shown(form.value)}"
            f"{terms}  \n= **{shown(form.exact)}**, exact"
        )
        st.caption(f"{form.where}. {form.source}.")
    st.caption(f"Exact: counted layer by layer from the built block. {convention.text}")


def _size(value: int | Fraction) -> int | Fraction:
    return value if value >= 0 else -value


def _sign(value: Any) -> str:
    # Escaped: a line that starts with a plus sign is a list.
    return "\\+" if value >= 0 else "\N{MINUS SIGN}"


def comparison(choice: Choice, others: Sequence[Choice], reading: Reading, convention: Convention) -> None:
    """The blocks side by side: counts and measured latency."""
    if not others:
        return
    every = [choice, *others]
    reports = [effviz.analyze(each.design, memory=convention.memory) for each in every]
    times = [reading.latency, *reading.others]
    sides = [
        Side("Parameters", [report.params for report in reports], [si(report.params) for report in reports]),
        Side(
            convention.compute_label,
            [convention.compute(report.macs) for report in reports],
            [convention.show_compute(report.macs) for report in reports],
        ),
        Side(
            "Memory access",
            [convention.size(report.memory_access) for report in reports],
            [convention.show_size(report.memory_access) for report in reports],
        ),
        Side(
            "Peak activations",
            [convention.size(report.peak_activation) for report in reports],
            [convention.show_size(report.peak_activation) for report in reports],
        ),
        Side(
            "Latency here",
            [each.median_ms if each else None for each in times],
            [milliseconds(each.median_ms) if each else "not measured" for each in times],
        ),
    ]
    names = [each.title for each in every]
    parts.show_chart(side_by_side(names, sides, parts.look()), "side_by_side")
    first = reports[0]
    st.dataframe(
        pd.DataFrame(
            {
                "Block": names,
                "Output": [_output(report) for report in reports],
                "Parameters": [report.params for report in reports],
                convention.compute_label: [convention.compute(report.macs) for report in reports],
                f"vs {choice.title}": [
                    "" if report is first else change(report.macs, first.macs) if first.macs else ""
                    for report in reports
                ],
                f"Memory access ({convention.memory_unit})": [
                    convention.size(report.memory_access) for report in reports
                ],
                f"Peak activations ({convention.memory_unit})": [
                    convention.size(report.peak_activation) for report in reports
                ],
                "Latency (ms)": [each.median_ms if each else None for each in times],
            }
        ),
        hide_index=True,
        column_config={
            "Latency (ms)": st.column_config.NumberColumn(format="%.3f"),
            **{
                name: st.column_config.NumberColumn(format="localized")
                for name in (
                    "Parameters",
                    convention.compute_label,
                    f"Memory access ({convention.memory_unit})",
                    f"Peak activations ({convention.memory_unit})",
                )
            },
        },
        alt=f"{len(every)} blocks at the same input with exact counts",
    )
    st.caption(
        "All at the input on screen, each other block with its paper's fields. Blocks that keep or derive their width "
        f"have their own output. Measure latency measures all of them. {convention.text}"
    )


def exercises(choice: Choice, report: Report, convention: Convention) -> None:
    """Two predictions about the block on screen."""
    st.subheader("Try this", anchor=False)
    name = lower(convention.compute_label)
    left, right = st.columns(2)
    wide = Place(
        2 * choice.place.in_channels, 2 * choice.place.out_channels, choice.place.stride, choice.place.resolution
    )
    values = lesson.settle(choice.name, wide, choice.values)
    with left:
        if not lesson.problem(choice.name, wide, values):
            doubled = effviz.analyze(lesson.design(choice.name, wide, values))
            parts.exercise(
                "wide",
                f"{choice.title}: input and output channels double. By what factor do the {name} grow?",
                "x",
                doubled.macs / max(report.macs, 1),
                "Layers that connect every channel with every other grow by 4, depthwise layers by 2.",
                show=lambda value: f"x{value:.2f}",
            )
    with right:
        table = report.table
        share = table.loc[table["kind"] == "depthwise", "macs"].sum() / max(report.macs, 1)
        if 0 < share < 1:
            access = table.loc[table["kind"] == "depthwise", "memory_access"].sum() / max(report.memory_access, 1)
            parts.exercise(
                "share",
                f"The depthwise layer takes {share:.1%} of the {name}. What per cent of the memory access cost?",
                "%",
                100 * access,
                "It has few weights, and reads and writes a whole map all the same.",
                show=lambda value: f"{value:.1f} %",
            )
        else:
            largest = table["macs"].max() / max(report.macs, 1)
            parts.exercise(
                "largest",
                f"What per cent of the {name} does the most expensive layer of this block take?",
                "%",
                100 * largest,
                f"It is {table.loc[table['macs'].idxmax(), 'path']}.",
                show=lambda value: f"{value:.1f} %",
            )


def downloads(choice: Choice, report: Report, convention: Convention) -> None:
    """CSV of the layers, JSON of the block, and the link."""
    stem = parts.file_name("effviz", choice.name, str(choice.place.in_channels), str(choice.place.out_channels))

    def csv() -> str:
        rows = network.in_convention(report.table, convention).to_csv(index=False)
        return f"# {choice.title}. {convention.text}\n{rows}"

    with st.container(horizontal=True, gap="small"):
        parts.download("Layers as CSV", csv, f"{stem}.csv")
        parts.download("Design as JSON", lambda: choice.design.to_json(indent=2), f"{stem}.json")
        parts.copy_link()
