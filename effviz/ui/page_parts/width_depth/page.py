"""The parts of the page that holds wide and shallow against narrow and deep, at equal multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.width_depth import Built, Quantity, finding, multiples_chart, shapes_chart
from effviz.core.units import change, exact, lower, milliseconds, percent, si
from effviz.count.report import Report
from effviz.measure.latency import Latency
from effviz.model.blocks import BLOCKS
from effviz.model.fields import Field
from effviz.studies.width_depth import (
    KINDS,
    Fit,
    OverBudgetError,
    Placed,
    fit_width,
    placed,
    shares,
    stage_widths,
    template,
    title_of,
    told_fields,
)
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.page_parts.architectures import network
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.parts import Card
from effviz.zoo import ARCHITECTURES

NAMES = {-2: "Widest", -1: "Wide", 0: "Balanced", 1: "Deep", 2: "Deepest"}
COUNTS = ("2", "3", "4", "5")
FACTORS = ("1.5", "2", "3", "4")
DIVISORS = ("1", "4", "8", "16")
COARSE = 0.05  # of the budget
MOST_BLOCKS = 12
MOST_BUDGET = 1_000_000


def _stages(name: str) -> bool:
    """Whether a network of the zoo has stages whose width and depth can be traded."""
    design = effviz.architecture(name)
    rule = design.width_rule
    return (rule.interpolates or not rule.table) and not any(
        BLOCKS[row.block].derives_out_channels for row in design.stages
    )


@lru_cache(maxsize=1)
def _sources() -> dict[str, str]:
    """Kinds of block, then networks of the zoo, by their names on screen."""
    return {name: title_of(name) for name in KINDS} | {
        name: effviz.architecture(name).title for name in ARCHITECTURES if _stages(name)
    }


@dataclass(frozen=True)
class Options:
    """What the sidebar asks for.

    Attributes:
        source: a kind of block, or a network of the zoo.
        fields: of the block, as pairs.
        macs: the budget.
        count: of designs.
        factor: in depth between neighbours.
        blocks: per stage of the balanced design.
        resolution: side of the input, in pixels.
        divisor: of the widths.
    """

    source: str = "inverted_residual"
    fields: tuple[tuple[str, Any], ...] = ()
    macs: int = 300_000_000
    count: int = 3
    factor: float = 2.0
    blocks: int = 4
    resolution: int = 224
    divisor: int = 8

    @property
    def design(self) -> effviz.Design:
        """At the balanced depth, its width still to be found."""
        if self.source in KINDS:
            return template(self.source, self.blocks, self.divisor, self.resolution, dict(self.fields))
        return effviz.architecture(self.source, resolution=self.resolution)


def _key(field: str) -> str:
    return f"of_{field}"


def _reset() -> None:
    """Another block starts with its own fields."""
    source = st.session_state["kind"]
    for entry in told_fields(source) if source in KINDS else ():
        if _key(entry.name) in st.session_state:
            st.session_state[_key(entry.name)] = entry.default


def controls() -> Options:
    """The sidebar: what is built of which, for how much, and how many designs of it."""
    source = links.choice(
        "Block or network", list(_sources()), "kind", default="inverted_residual",
        format_func=_sources().__getitem__, on_change=_reset,
    )  # fmt: skip
    budget = int(
        links.amount(
            "Budget (M multiply-adds)", "budget", default=300, minimum=1, maximum=MOST_BUDGET, step=10,
            usual=(50, 1000),
        )
    )  # fmt: skip
    fields: dict[str, Any] = {}
    if source in KINDS:
        entries = told_fields(source)
        for entry, column in zip(entries, st.columns(len(entries), gap="small"), strict=True):
            with column:
                fields[entry.name] = links.choice(
                    _label(entry), sorted({*entry.choices, entry.default}), _key(entry.name), default=entry.default,
                    format_func=lambda value: f"{value:g}", help=entry.help,
                )  # fmt: skip
    with st.container(horizontal=True):
        count = int(links.switch("Designs", list(COUNTS), "designs", default="3"))
        factor = float(
            links.switch(
                "Depth between neighbours", list(FACTORS), "factor", default="2", format_func="x{}".format,
                help="Factor on the blocks of every stage, rounded up.",
            )
        )  # fmt: skip
    options: dict[str, Any] = {}
    if source in KINDS:
        options["blocks"] = int(
            links.amount(
                "Blocks per stage", "blocks", default=4, minimum=1, maximum=MOST_BLOCKS, step=1,
                usual=(1, MOST_BLOCKS), help="Of the balanced design, in each of its four stages.",
            )
        )  # fmt: skip
        options["divisor"] = int(
            links.switch(
                "Widths are multiples of", list(DIVISORS), "divisor", default="8",
                help="Rounded to it, but never more than 10 % below. Groups and halves of channels may ask for more.",
            )
        )  # fmt: skip
    smallest = 1 if source in KINDS else network.smallest_resolution(source, None)
    resolution = links.amount(
        "Resolution (px)", "px", default=224, minimum=max(32, smallest), maximum=1024, step=1,
        usual=(max(32, smallest), 512), help="Side of the square input image.",
    )  # fmt: skip
    return Options(
        source, tuple(fields.items()), budget * 1_000_000, count, factor, resolution=int(resolution), **options
    )


def _label(entry: Field) -> str:
    """As short as a third of the sidebar asks for."""
    words = {"kernel_size": "Kernel", "cheap_kernel_size": "Cheap", "expand_ratio": "Expand", "se_ratio": "SE ratio",
             "bottleneck_ratio": "Inner"}  # fmt: skip
    return words.get(entry.name, entry.name.replace("_", " ").capitalize())


# --- the designs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One design that meets the budget.

    Attributes:
        name: a value of `NAMES`.
        fit: its width and how close it comes.
        report: what it costs.
        blocks: in its stages.
        latency: measured here, None if it was not.
    """

    name: str
    fit: Fit
    report: Report
    blocks: tuple[Placed, ...]
    latency: Latency | None = None

    @property
    def widths(self) -> dict[str, int]:
        """Channels that leave each stage."""
        return {entry.stage: entry.channels for entry in self.blocks}

    @property
    def drawn(self) -> Built:
        """For the charts."""
        stages = len(self.widths)
        each = len(self.blocks) / stages
        depth = f"{each:g} a stage" if each.is_integer() and stages == 4 else f"{len(self.blocks)} blocks"
        depth = depth.replace(" a stage", " blocks a stage" if each > 1 else " block a stage")
        return Built(
            self.name, f"{depth}: {_listed(self.widths)}", [entry.channels for entry in self.blocks],
            [entry.stage for entry in self.blocks],
        )  # fmt: skip


def _listed(widths: dict[str, int]) -> str:
    every = list(widths.values())
    shown = every if len(every) <= 5 else [every[0], every[len(every) // 2], every[-1]]
    return " · ".join(map(str, shown)) if shown == every else f"{shown[0]} … {shown[1]} … {shown[2]}"


@dataclass(frozen=True)
class Found:
    """The designs, from wide to deep.

    Attributes:
        options: that they are for.
        entries: that meet the budget.
        left_out: why others are missing, a sentence each.
    """

    options: Options
    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]

    @property
    def base(self) -> Entry:
        """What the others are compared with: the balanced one, if it is there."""
        return next((entry for entry in self.entries if entry.name == NAMES[0]), self.entries[0])

    @property
    def names(self) -> list[str]:
        """Of the designs that are there."""
        return [entry.name for entry in self.entries]

    def named(self, name: str) -> Entry:
        """The design of this name."""
        return next(entry for entry in self.entries if entry.name == name)

    def beside(self, chosen: Entry) -> Entry | None:
        """What a card's difference is to: the base, for the base the first of the others."""
        return next((entry for entry in (self.base, *self.entries) if entry is not chosen), None)


def solve(options: Options, convention: Convention) -> Found:
    """Find the width of every design."""
    entries: list[Entry] = []
    left_out: list[str] = []
    for power in range(-((options.count - 1) // 2), options.count // 2 + 1):
        name = NAMES[power]
        try:
            fit = fit_width(options.design, options.macs, depth_mult=options.factor**power)
        except OverBudgetError as error:
            left_out.append(f"{name}: its narrowest network has {convention.show_compute(error.least)}.")
            continue
        except effviz.DesignError as error:
            left_out.append(f"{name}: {error}.")
            continue
        blocks = tuple(placed(fit.design))
        if entries and len(entries[-1].blocks) == len(blocks):
            left_out.append(f"{entries.pop().name}: no shallower than {name}, as every stage keeps a block.")
        entries.append(Entry(name, fit, effviz.analyze(fit.design, memory=convention.memory), blocks))
    return Found(options, tuple(entries), tuple(left_out))


def choose(found: Found) -> Entry:
    """The design on the cards, chosen above them."""
    default = found.base.name
    if st.session_state.get("card") not in (None, *found.names):
        # Fewer designs, or one that the budget has no room for any more.
        st.session_state["card"] = default
    name = links.switch("Design on the cards", found.names, "card", default=default, label_visibility="collapsed")
    return found.named(name)


def read(found: Found, chosen: Entry, asked: Conditions) -> tuple[Reading, Found]:
    """The latency of the chosen design, and the designs with what is known of theirs."""
    others = [entry for entry in found.entries if entry is not chosen]
    others.sort(key=lambda entry: entry is not found.beside(chosen))
    reading = live.read(chosen.fit.design, [entry.fit.design for entry in others], asked)
    known = {chosen.name: reading.latency} | {
        entry.name: latency for entry, latency in zip(others, reading.others, strict=True)
    }
    entries = tuple(
        Entry(entry.name, entry.fit, entry.report, entry.blocks, known[entry.name]) for entry in found.entries
    )
    return reading, Found(found.options, entries, found.left_out)


# --- what is shown -------------------------------------------------------------------------------------------------


def nothing(found: Found, convention: Convention) -> None:
    """Why there is no design at all."""
    st.subheader(f"No design is within {_budget(found, convention)}", anchor=False)
    st.markdown("\n".join(f"- {why}" for why in found.left_out))
    st.caption(convention.text)


def _budget(found: Found, convention: Convention) -> str:
    return f"{convention.show_compute(found.options.macs)} {lower(convention.compute_label)}"


def headline(found: Found, chosen: Entry, reading: Reading, convention: Convention) -> None:
    """The chosen design against the balanced one, or the balanced one against the first."""
    report, other = chosen.report, found.beside(chosen)
    against = other.name if other else ""
    unit = ", elements" if convention.unit == "elements" else ""

    def card(label: str, text: str, attribute: str, help: str) -> Card:
        if other is None:
            return Card(label, text, help, chosen.drawn.summary.partition(":")[0])
        return Card(label, text, help, change(getattr(report, attribute), getattr(other.report, attribute)), against)

    def size(elements: int) -> str:
        return f"{exact(convention.size(elements))} {convention.memory_unit}"

    parts.cards(
        [
            card("Parameters", si(report.params), "params", f"{exact(report.params)}, batch norm 2 per channel."),
            Card(
                convention.compute_label, convention.show_compute(report.macs),
                f"{exact(convention.compute(report.macs))} of {exact(convention.compute(chosen.fit.budget))}.",
                f"{percent(chosen.fit.gap)} under {convention.show_compute(chosen.fit.budget)}",
            ),
            card(
                f"Activations{unit}", convention.show_size(report.activations), "activations",
                f"{size(report.activations)}, put out by convolutions.",
            ),
            card(
                f"Memory access{unit}", convention.show_size(report.memory_access), "memory_access",
                f"{size(report.memory_access)}, read + written. Assumption: {MEMORIES[convention.memory].lower()}.",
            ),
            live.card(reading, against),
        ]
    )  # fmt: skip


def quantities(found: Found, convention: Convention) -> list[Quantity]:
    """What the designs are compared by, the most telling first."""
    reports = [entry.report for entry in found.entries]
    times = [entry.latency for entry in found.entries]

    def sizes(label: str, every: list[int]) -> Quantity:
        return Quantity(
            label, [convention.size(size) for size in every], [convention.show_size(size) for size in every]
        )

    return [
        sizes("Activations", [report.activations for report in reports]),
        sizes("Memory access", [report.memory_access for report in reports]),
        sizes("Peak activations", [report.peak_activation for report in reports]),
        Quantity("Parameters", [report.params for report in reports], [si(report.params) for report in reports]),
        Quantity(
            convention.compute_label, [convention.compute(report.macs) for report in reports],
            [convention.show_compute(report.macs) for report in reports],
        ),
        Quantity(
            "Latency here", [each.median_ms if each else None for each in times],
            [milliseconds(each.median_ms) if each else "not measured" for each in times],
        ),
    ]  # fmt: skip


def charts(found: Found, chosen: Entry, convention: Convention) -> None:
    """The designs to one scale, and what they cost beside one another."""
    drawn, look = [entry.drawn for entry in found.entries], parts.look()
    every = quantities(found, convention)
    activations, access, _, params, compute, latency = every
    title = finding(drawn, [activations, access, params, latency], compute, _budget(found, convention))
    ends = (found.entries[0].latency, found.entries[-1].latency)
    if all(ends) and any(each and each.noisy for each in ends):
        title += " (noisy)"
    st.subheader(title, anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        parts.show_chart(shapes_chart(drawn, chosen.name, look), "shapes", heading=False)
    with right:
        base = found.entries.index(found.base)
        parts.show_chart(multiples_chart(drawn, every, base, chosen.name, title, look), "multiples", heading=False)
    notes = ["Left: a bar is a block of a stage, its height the channels it puts out, one scale for all."]
    worst = max(found.entries, key=lambda entry: entry.fit.gap)
    if worst.fit.gap > COARSE:
        why = "its next wider network exceeds it." if worst.fit.above else "no wider network can be built."
        notes.append(f"{worst.name} leaves {percent(worst.fit.gap)} of the budget: {why}")
        if worst.fit.above and found.options.source in KINDS and found.options.divisor > 1:
            notes.append(f"Widths that are multiples of {found.options.divisor} are coarse here: try smaller ones.")
    st.caption(" ".join([*notes, *(f"Left out: {why}" for why in found.left_out)]))


def table(found: Found, convention: Convention) -> None:
    """The numbers behind the charts."""
    rows = rows_of(found, convention)
    with st.expander(f"Table: {len(rows)} designs", key="designs_table"):
        st.dataframe(
            rows, hide_index=True, column_config=_formats(rows),
            alt=f"{len(rows)} designs with their widths and costs",
        )  # fmt: skip
        st.caption(convention.text)


def _formats(rows: pd.DataFrame) -> dict[str, Any]:
    """Whole numbers in groups of three digits, shares with two decimals."""
    found: dict[str, Any] = {}
    for name in rows.columns:
        if pd.api.types.is_integer_dtype(rows[name]):
            found[name] = st.column_config.NumberColumn(format="localized")
        elif pd.api.types.is_float_dtype(rows[name]) and "ultiplier" not in name:
            found[name] = st.column_config.NumberColumn(format="%.2f")
    return found


def rows_of(found: Found, convention: Convention) -> pd.DataFrame:
    """The designs as a reader takes them away."""
    unit = convention.memory_unit
    return pd.DataFrame(
        {
            "Design": entry.name,
            "Blocks": len(entry.blocks),
            "Width multiplier": entry.fit.design.width_mult,
            "Stage widths": " · ".join(map(str, entry.widths.values())),
            "Parameters": entry.report.params,
            convention.compute_label: convention.compute(entry.report.macs),
            f"Activations ({unit})": convention.size(entry.report.activations),
            f"Memory access ({unit})": convention.size(entry.report.memory_access),
            f"Peak activations ({unit})": convention.size(entry.report.peak_activation),
            "Latency (ms)": entry.latency.median_ms if entry.latency else math.nan,
        }
        for entry in found.entries
    )


def formulas(found: Found, chosen: Entry, convention: Convention) -> None:
    """The law, the law with the current numbers, where it fails, and how close the budget was met."""
    st.subheader("How this is computed", anchor=False)
    st.markdown(
        "**Law** of a stage: d blocks of width w on a map of h × h, most of it in 1x1 convolutions or others that "
        "connect all channels  \n"
        "multiply-adds ∝ d w² h², parameters ∝ d w², activations ∝ d w h²  \n"
        "= at equal multiply-adds: **w ∝ 1 / √d**, parameters unchanged, activations ∝ **√d**"
    )
    other = found.beside(chosen)
    if other is not None:
        deeper = len(chosen.blocks) / len(other.blocks)
        law = math.sqrt(deeper)
        widths, activations, params = _ratios(chosen, other)
        st.markdown(
            f"**{chosen.name} against {other.name}**: d x {len(chosen.blocks)} / {len(other.blocks)} = {deeper:.3g}  \n"
            f"widths x 1 / √{deeper:.3g} = {1 / law:.3f}, built **{widths:.3f}**  \n"
            f"activations x √{deeper:.3g} = {law:.3f}, built **{activations:.3f}**  \n"
            f"parameters x 1, built **{params:.3f}**"
        )
    st.markdown(f"**Where the law fails**, {chosen.name}:\n{_failures(chosen, convention)}")
    st.markdown(f"**How close the budget of {_budget(found, convention)} is met**")
    rows = closeness(found, convention)
    st.dataframe(
        rows, hide_index=True, column_config=_formats(rows),
        alt=f"{len(rows)} designs with their width multiplier, what is left of the budget, and the next step up",
    )  # fmt: skip
    st.caption(
        f"Widths are rounded ({_rule(chosen)}), so that over the width multiplier the multiply-adds are a staircase. "
        "It is bisected by building: the design is the highest step within the budget, the next step up exceeds it. "
        f"Of all multipliers that build the same network, one with the fewest digits is shown. {convention.text}"
    )


def _ratios(chosen: Entry, other: Entry) -> tuple[float, float, float]:
    """Widths, activations and parameters of one design over those of another."""
    return (
        sum(chosen.widths.values()) / sum(other.widths.values()),
        chosen.report.activations / other.report.activations,
        chosen.report.params / other.report.params,
    )


def _failures(chosen: Entry, convention: Convention) -> str:
    macs, params = shares(chosen.fit.design, "macs"), shares(chosen.fit.design, "params")
    label = lower(convention.compute_label)
    lines = [
        f"- Stem, head and classifier are there once, however deep: {percent(macs.outside)} of the {label}, "
        f"{percent(params.outside)} of the parameters.",
        f"- So is the first block of each stage, which halves the map or widens: {percent(macs.first)} of the {label}.",
    ]
    if macs.depthwise:
        lines.append(f"- Depthwise convolutions grow with w, not with w²: {percent(macs.depthwise)} of the {label}.")
    lines.append(f"- Rounding leaves {percent(chosen.fit.gap)} of the budget.")
    return "\n".join(lines)


def _rule(chosen: Entry) -> str:
    rule = chosen.fit.design.width_rule
    if rule.source:
        return f"the family's own rule, {rule.source}"
    return f"to multiples of {rule.divisor}, never more than 10 % below"


def closeness(found: Found, convention: Convention) -> pd.DataFrame:
    """Multiplier, widths, what is left, and what the next step up would cost."""
    label = convention.compute_label
    return pd.DataFrame(
        {
            "Design": entry.name,
            "Multiplier": entry.fit.design.width_mult,
            "Stage widths": " · ".join(map(str, entry.widths.values())),
            label: convention.compute(entry.fit.macs),
            "Left (%)": 100 * entry.fit.gap,
            "Next step up": _next_step(entry),
            f"Its {lower(label)}": None if entry.fit.macs_above is None else convention.compute(entry.fit.macs_above),
            "Over (%)": math.nan if entry.fit.excess is None else 100 * entry.fit.excess,
        }
        for entry in found.entries
    )


def _next_step(entry: Entry) -> str:
    """What is wider one step up: rows of stages, or others."""
    if entry.fit.above is None:
        return "none can be built"
    now, then = ({row.path: row.block for row in design.blocks()} for design in (entry.fit.design, entry.fit.above))
    wider = {path.partition(".")[0]: getattr(then[path], "out_channels", 0) for path in now if
             getattr(now[path], "out_channels", 0) != getattr(then[path], "out_channels", 0)}  # fmt: skip
    return ", ".join(f"{stage} {channels}" for stage, channels in wider.items()) or "inside the blocks"


def exercises(found: Found) -> None:
    """Two designs that are not on screen."""
    st.subheader("Try this", anchor=False)
    base, half = found.base, found.options.resolution // 2
    now = sum(base.widths.values())
    left, right = st.columns(2)
    with left:
        _exercise(
            "three", f"Three times the blocks of {base.name}, same budget. By what factor do stages become narrower?",
            lambda: now / _tried(found, depth_mult=3.0),
            "By the law √3 = 1.73. What does not grow with d w² makes the difference, and rounding.",
        )  # fmt: skip
    with right:
        _exercise(
            "half", f"Half the resolution, {half} px, with the blocks and the budget of {base.name}. By what factor do "
            "the stages become wider?", lambda: _tried(found, resolution=half) / now,
            "The maps have a quarter of the pixels, which leaves room for four times w², twice the width. What grows "
            "with w alone leaves more, a classifier less.",
        )  # fmt: skip


def _exercise(key: str, question: str, solve: Callable[[], float], why: str) -> None:
    """Solved once there is a guess: it takes as long as a design on screen."""
    try:
        answer = 1.0 if st.session_state.get(f"{key}_guess") is None else solve()
    except effviz.DesignError:
        with st.container(border=True):
            st.markdown(f"{question}\n\nNo such network is within the budget.")
        return
    parts.exercise(key, question, "x", answer, why, show=lambda value: f"x{value:.2f}")


def _tried(found: Found, **changes: Any) -> int:
    """Sum of the stage widths of the base under another depth or resolution."""
    return sum(stage_widths(fit_width(found.base.fit.design, found.options.macs, **changes).design).values())


def downloads(found: Found, chosen: Entry, convention: Convention) -> None:
    """CSV of the designs, JSON of the chosen one, and the link."""
    options, design = found.options, chosen.fit.design
    head = f"# {design.title}, {options.resolution} px, budget {_budget(found, convention)}. {convention.text}\n"

    def csv() -> str:
        rows = rows_of(found, convention).merge(
            closeness(found, convention).drop(columns=["Multiplier", "Stage widths", convention.compute_label]),
            on="Design",
        )
        return f"{head}{rows.to_csv(index=False)}"

    stem = parts.file_name("effviz", "width-depth", options.source, f"{options.macs // 1_000_000}M")
    with st.container(horizontal=True, gap="small"):
        parts.download("Designs as CSV", csv, f"{stem}.csv")
        file = parts.file_name(stem, f"{chosen.name}.json")
        parts.download(f"{chosen.name} as JSON", lambda: design.to_json(indent=2), file, key="design_json")
        parts.copy_link()
