"""The parts of the Architectures page: controls, cards, table, formulas, published figures."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.architectures import Measure
from effviz.core.units import change, exact, si
from effviz.count.formulas import explain
from effviz.count.kinds import VIEW
from effviz.count.report import Report
from effviz.model.draft import MAX_LINK, Draft
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets import parts
from effviz.ui.widgets.parts import Card
from effviz.zoo import ARCHITECTURES
from effviz.zoo.published import figures_for

QUANTITIES = {"params": "Parameters", "macs": "Multiply-adds", "memory_access": "Memory access cost"}


@dataclass(frozen=True)
class Choice:
    """What the controls ask for.

    Attributes:
        design: with the multipliers.
        baseline: the named network itself.
        width, depth: multipliers relative to it.
        groups: of ShuffleNetV1, None elsewhere.
    """

    design: effviz.Design
    baseline: effviz.Design
    width: float
    depth: float
    groups: int | None

    @property
    def scaled(self) -> bool:
        """Whether any control has left the named network."""
        return self.design != self.baseline

    @property
    def baseline_name(self) -> str:
        """Of the cards' differences."""
        return f"{self.baseline.title}, {self.baseline.resolution} px"


@lru_cache(maxsize=64)
def smallest_resolution(name: str, groups: int | None) -> int:
    """The smallest input side that every layer of the named network can take."""
    design = effviz.architecture(name, groups=groups) if groups else effviz.architecture(name)
    low, high = 1, design.resolution
    while low < high:
        middle = (low + high) // 2
        try:
            design.blocks(middle)
            high = middle
        except effviz.DesignError:
            low = middle + 1
    return low


@lru_cache(maxsize=64)
def smallest_width(name: str) -> float:
    """The smallest width multiplier from 0.1 on, in steps of the control, that the named network can be built at."""
    for step in range(2, 21):
        try:
            effviz.architecture(name, width_mult=step / 20).blocks()
        except effviz.DesignError:
            continue
        return step / 20
    return 1.0


@lru_cache(maxsize=32)
def reference(baseline: effviz.Design, memory: str) -> Report:
    """The report of a named network, kept because every move of a control compares with it."""
    return effviz.analyze(baseline, memory=memory)


def _title(name: str) -> str:
    return effviz.architecture(name).title.removesuffix(" (g = 3)")


def _reset() -> None:
    """Another network starts unscaled. Values are set, not dropped: the browser would send a dropped one again."""
    state = st.session_state
    fresh = {
        "width": 1.0,
        "depth": 1.0,
        "res": effviz.architecture(state["net"]).resolution,
        "classes": 1000,
        "groups": "3",
        "scale": "1",
        "find": "",
        "layer": "",
    }
    state.update({key: value for key, value in fresh.items() if key in state})


def controls() -> Choice:
    """The sidebar: network, its multipliers, resolution, classes."""
    name = links.choice(
        "Network", list(ARCHITECTURES), "net", default="mobilenet_v2", format_func=_title, on_change=_reset
    )
    groups = None
    if name == "shufflenet_v1":
        groups = int(links.switch("Groups", ["1", "2", "3", "4", "8"], "groups", default="3"))
    baseline = effviz.architecture(name, groups=groups) if groups else effviz.architecture(name)
    rule = baseline.width_rule
    if rule.table and not rule.interpolates:
        scales = [f"{multiplier:g}" for multiplier, _ in rule.table]
        width = float(links.switch("Width multiplier (published)", scales, "scale", default="1"))
    else:
        width = links.amount(
            "Width multiplier", "width", default=1.0, minimum=smallest_width(name), maximum=4.0, step=0.05,
            usual=(0.25, 2.0), help=f"Factor on the channels, rounded by the family's rule: {rule.source}.",
        )  # fmt: skip
    depth = links.amount(
        "Depth multiplier", "depth", default=1.0, minimum=0.1, maximum=8.0, step=0.05, usual=(0.25, 3.0),
        help="Factor on the blocks of every stage, rounded up.",
    )  # fmt: skip
    smallest = smallest_resolution(name, groups)
    resolution = links.amount(
        "Resolution (px)", "res", default=baseline.resolution, minimum=smallest, maximum=2048, step=1,
        usual=(max(32, smallest), 640), help="Side of the square input image.",
    )  # fmt: skip
    classes = links.integer("Classes", "classes", default=1000, minimum=1, maximum=100_000)
    design = effviz.architecture(
        name, **({"groups": groups} if groups else {}),
        width_mult=width, depth_mult=depth, resolution=int(resolution), num_classes=classes,
    )  # fmt: skip
    return Choice(design, baseline, width, depth, groups)


def measures(convention: Convention) -> list[Measure]:
    """What the charts show side by side, in the bar's convention."""
    return [
        Measure("params", "Parameters"),
        Measure("macs", convention.compute_label, convention.compute(1)),
        Measure("memory_access", "Memory access", convention.size(1), convention.show_amount),
    ]


def alive_measure(convention: Convention) -> Measure:
    """The activation-memory timeline's axis."""
    return Measure("alive", f"Activations alive ({convention.memory_unit})", convention.size(1), convention.show_amount)


def headline(report: Report, reference: Report, convention: Convention, choice: Choice, latency: Card) -> None:
    """Four numbers that are counted and one that is measured, each with its difference to the unscaled network."""
    # In bytes the value carries the unit itself.
    unit = ", elements" if convention.unit == "elements" else ""

    def card(label: str, text: str, value: int, baseline: int, told: str, help: str) -> Card:
        difference = change(value, baseline) if choice.scaled else "as published"
        help = f"{told}\n\n{help} Unscaled: {choice.baseline_name}."
        against = "unscaled" if choice.scaled and value != baseline else ""
        return Card(label, text, help, difference, against)

    def memory(size: int) -> str:
        return f"{exact(convention.size(size))} {convention.memory_unit}"

    parts.cards(
        [
            card(
                "Parameters", si(report.params), report.params, reference.params,
                exact(report.params), "Trainable numbers; batch norm has two per channel.",
            ),
            card(
                convention.compute_label, convention.show_compute(report.macs), report.macs, reference.macs,
                exact(convention.compute(report.macs)), "Of convolution and linear layers, one image.",
            ),
            card(
                f"Memory access{unit}", convention.show_size(report.memory_access),
                report.memory_access, reference.memory_access, memory(report.memory_access),
                f"Read + written, batch 1, assumption: {MEMORIES[convention.memory].lower()}.",
            ),
            card(
                f"Peak activations{unit}", convention.show_size(report.peak_activation),
                report.peak_activation, reference.peak_activation, memory(report.peak_activation),
                "Most activation memory alive at once, batch norm folded and activations fused.",
            ),
            latency,
        ]
    )  # fmt: skip


def layer_table(report: Report, convention: Convention) -> int:
    """The table of layers with a search; returns the index of the layer chosen for the formulas."""
    st.subheader("Layers", anchor=False)
    find = links.words("Search path, block, layer or kind", "find", placeholder="for example depthwise")
    table = report.table[report.table["kind"] != VIEW]
    found = table[_matches(table, find)] if find else table
    shown = in_convention(found, convention)
    rows = (report.design.name, find, len(table), st.session_state.get("_layer_turn", 0))
    key = f"layers_{zlib.crc32(repr(rows).encode())}"
    st.dataframe(
        shown,
        # A row that was selected means nothing any more once the rows are others or another layer is explained.
        key=key,
        hide_index=True,
        height=320,
        on_select=_choose(key, found["path"].tolist()),
        selection_mode="single-row",
        column_config={column: st.column_config.NumberColumn(format="localized") for column in shown.columns[3:7]},
        alt=f"{len(found)} of {len(table)} layers of {report.design.title} with shapes and costs",
    )
    st.caption(
        f"{len(found)} of {len(table)} layers; views such as flatten are left out. Sums over the whole network: "
        f"{exact(report.params)} parameters, {exact(convention.compute(report.macs))} {convention.compute_label}. "
        f"{convention.text}"
    )
    return _chosen_layer(report, table)


def in_convention(table: pd.DataFrame, convention: Convention) -> pd.DataFrame:
    """The report's table as a reader sees it: his unit, his words, the unit in each heading."""
    unit = convention.memory_unit
    shown = table.assign(
        macs=table["macs"] * convention.compute(1),
        memory_access=table["memory_access"] * convention.size(1),
        alive=table["alive"] * convention.size(1),
    )
    headings = {
        "path": "Path",
        "kind": "Kind",
        "output_shape": "Output",
        "params": "Parameters",
        "macs": convention.compute_label,
        "memory_access": f"Memory access ({unit})",
        "alive": f"Alive ({unit})",
        "input_shape": "Input",
        "kernel_size": "Kernel",
        "stride": "Stride",
        "groups": "Groups",
        "layer": "Layer",
    }
    return shown[list(headings)].rename(columns=headings)


def _matches(table: pd.DataFrame, find: str) -> pd.Series:
    words = table["path"] + " " + table["block"] + " " + table["layer"] + " " + table["kind"]
    return words.str.contains(find, case=False, regex=False)


def _choose(key: str, paths: list[str]) -> Callable[[], None]:
    def chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(paths):
            st.session_state["layer"] = paths[rows[0]]

    return chosen


def _turn() -> None:
    st.session_state["_layer_turn"] = st.session_state.get("_layer_turn", 0) + 1


def _chosen_layer(report: Report, table: pd.DataFrame) -> int:
    st.subheader("How this is computed", anchor=False)
    heaviest = str(table.loc[table["macs"].idxmax(), "path"])
    paths = table["path"].tolist()
    if st.session_state.get("layer") not in (None, *paths):
        # Another network, width or depth may not have the layer that was chosen.
        st.session_state["layer"] = heaviest
    path = links.choice("Layer (or select a row above)", paths, "layer", default=heaviest, on_change=_turn)
    return int(report.table.index[report.table["path"] == path][0])


def formulas(report: Report, index: int, convention: Convention) -> None:
    """The chosen layer's formulas with its numbers."""
    for formula in explain(report.steps, report.fusion, index, convention.memory):
        label, factor, unit = QUANTITIES[formula.quantity], 1, ""
        if formula.quantity == "macs" and convention.count == "flops":
            label, factor = "FLOPs", 2
        if formula.quantity == "memory_access":
            factor, unit = convention.size(1), f" {convention.memory_unit}"
        symbols, numbers = formula.symbols, formula.numbers
        if factor > 1 and formula.value:
            symbols, numbers = f"{factor} × ({symbols})", f"{factor} × ({numbers})"
        escaped = symbols.replace("_", "\\_")
        value = exact(factor * formula.value)
        st.markdown(f"**{label}** = {escaped}  \n= {numbers}  \n= **{value}**{unit}")


def published_figures(choice: Choice, report: Report) -> None:
    """What papers and libraries print for this network at these multipliers."""
    st.subheader("What others print", anchor=False)
    rows = figures_for(choice.baseline, choice.width, choice.depth, choice.groups)
    here = rows[rows["resolution"] == str(report.resolution)]
    printed_classes = choice.baseline.num_classes or 1000
    exact_report = effviz.analyze(choice.design.with_num_classes(printed_classes))
    if here.empty:
        st.markdown(
            f"No printed figures for {choice.baseline.title} at width {choice.width:g}, depth {choice.depth:g} and "
            f"{report.resolution} px" + (f"; there are some at {_resolutions(rows)} px." if len(rows) else ".")
        )
    else:
        figures = pd.DataFrame(
            {
                "Printed as": here["variant"],
                "Parameters": _printed(here["params"]),
                "vs exact": [off(value, exact_report.params) for value in here["params"]],
                "Multiply-adds": _printed(here["mult_adds"]),
                "vs exact ": [off(value, exact_report.macs) for value in here["mult_adds"]],
                "Top-1 (%)": ["" if pd.isna(value) else f"{value:g}" for value in here["top1"]],
                "What to know": [
                    " ".join(filter(None, pair)) for pair in zip(here["wrong"], here["notes"], strict=True)
                ],
                "Source": here["source"],
            }
        ).drop_duplicates(ignore_index=True)
        st.dataframe(
            figures,
            key="published",
            hide_index=True,
            height=min(320, 60 + 36 * len(figures)),
            column_config={
                "What to know": st.column_config.TextColumn(width="large"),
                "Source": st.column_config.TextColumn(width="large"),
            },
            alt=f"{len(figures)} printed figures for {choice.baseline.title} with their sources",
        )
    st.caption(
        f"Table: {choice.design.source}. Exact, with {exact(printed_classes)} classes: {exact(exact_report.params)} "
        f"parameters, {exact(exact_report.macs)} multiply-adds. Printed figures are shown as printed, in multiply-adds "
        "whatever their source calls them."
    )
    if choice.design.notes:
        st.markdown("\n".join(f"- {note}" for note in choice.design.notes))


def _printed(millions: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else f"{value:,g} M" for value in millions.round(6)]


def _resolutions(rows: pd.DataFrame) -> str:
    return ", ".join(sorted(set(rows["resolution"]) - {""}, key=lambda side: (len(side), side)))


def off(printed: float, counted: int) -> str:
    """How far a figure printed in millions is from the count; rounding to its last digit is no difference."""
    if pd.isna(printed):
        return ""
    digits = len(f"{printed:g}".partition(".")[2])
    return "rounded" if abs(printed - counted / 1e6) <= 0.5 * 10.0**-digits + 1e-9 else change(printed * 1e6, counted)


def exercises(design: effviz.Design, report: Report) -> None:
    """Two predictions about the network on screen."""
    st.subheader("Try this", anchor=False)
    other = report.resolution // 2
    if other < smallest_resolution_of(design):
        other = 2 * report.resolution
    moved = effviz.analyze(design, resolution=other)
    left, right = st.columns(2)
    with left:
        parts.exercise(
            "half",
            f"The resolution goes from {report.resolution} to {other} px. To what per cent of today's multiply-adds do "
            "they change?",
            "%",
            100 * moved.macs / report.macs,
            "Every map changes in height and in width; the classifier and the parameters stay.",
            show=lambda value: f"{value:.1f} %",
        )  # fmt: skip
    try:
        wide = effviz.analyze(design.scaled(width_mult=2.0))
    except effviz.DesignError:
        return
    with right:
        parts.exercise(
            "double",
            "The width multiplier doubles. By what factor do the multiply-adds grow?",
            "x",
            wide.macs / report.macs,
            "A 1x1 convolution has both its sides doubled, which is a factor of 4; depthwise layers and the stem's "
            "three input channels only double.",
            show=lambda value: f"x{value:.2f}",
        )


def smallest_resolution_of(design: effviz.Design) -> int:
    """`smallest_resolution` for a design of the zoo, whatever its multipliers."""
    groups = dict(design.stages[2].fields).get("groups") if design.name == "shufflenet_v1" else None
    return smallest_resolution(design.name, groups)


def downloads(report: Report, convention: Convention) -> None:
    """CSV of the table, JSON of the design, the link, and the way into the studio."""
    design = report.design
    packed = Draft.of(design).packed()
    stem = parts.file_name(
        "effviz", design.name, f"w{design.width_mult:g}", f"d{design.depth_mult:g}", str(report.resolution)
    )

    def csv() -> str:
        rows = in_convention(report.table, convention).to_csv(index=False)
        return f"# {design.title}, {report.resolution} px. {convention.text}\n{rows}"

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        parts.download("Layers as CSV", csv, f"{stem}.csv")
        parts.download("Design as JSON", lambda: design.to_json(indent=2), f"{stem}.json")
        parts.copy_link()
        if len(packed) <= MAX_LINK:
            st.page_link(
                page_path(page("studio")),
                label="Edit in the studio",
                query_params={"design": packed},
                icon=":material/table_edit:",
            )
