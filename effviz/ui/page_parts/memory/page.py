"""The parts of the page about ShuffleNetV2's guidelines: memory access in theory, speed in the experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz import ARCHITECTURES
from effviz.charts.memory.intensity import intensity_bars
from effviz.charts.memory.speed import Measured, speed_bars
from effviz.charts.memory.theory import Unit, elementwise_chart, fragments_chart, groups_chart, ratio_chart
from effviz.core.units import ago, change, exact, lower, percent, si
from effviz.measure.latency import Latency
from effviz.measure.runs import guideline_run
from effviz.studies.guidelines import (
    ARRANGEMENTS,
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    GUIDELINES,
    SCALES,
    SOURCE,
    VARIANTS,
    Case,
    Point,
    column,
    elementwise_point,
    fragments_point,
    groups_point,
    intensities,
    least_access,
    printed_speed,
    ratio_curve,
    ratio_point,
    variant_text,
)
from effviz.ui import links
from effviz.ui.convention import BYTES, Convention
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts
from effviz.ui.widgets.measuring import Words, run_bar
from effviz.ui.widgets.parts import Card
from effviz.worker.limits import usable_cores

CHANNELS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
DEFAULT_CHANNELS = 64
MOST_RATIO = 64
SMALL_MAP = 7
_WORDS = Words(
    nothing="The paper's networks, not measured yet here. It takes seconds to a minute, best on a machine at rest.",
    elsewhere="Another column is being measured at the moment; starting here stops that.",
    things="Cases",
)
_ASKED = {
    "G1": "A 1x1 convolution with the multiply-adds of c → c, as narrow → wide.",
    "G2": "A 1x1 group convolution with the multiply-adds of c → c.",
    "G3": "1x1 convolutions with the multiply-adds of one c → c.",
    "G4": "A bottleneck c → c/4 → c/4 → c: 1x1, 3x3, 1x1.",
}


@dataclass(frozen=True)
class Options:
    """What the sidebar asks for.

    Attributes:
        guideline: a key of `GUIDELINES`.
        resolution: side of the map, in pixels.
        channels: that set the multiply-adds.
        ratio: c2 / c1, guideline 1.
        groups: guideline 2.
        fragments, arrangement: guideline 3.
        variant: of `VARIANTS`, guideline 4.
        device, scale: which column of the paper's table is measured.
        threads: of torch.
        network: of the zoo, for arithmetic intensity.
    """

    guideline: str
    resolution: int
    channels: int
    ratio: int = 6
    groups: int = 4
    fragments: int = 4
    arrangement: str = "parallel"
    variant: str = "relu+shortcut"
    device: str = "ARM"
    scale: str = "x1"
    threads: int = 1
    network: str = "mobilenet_v2"

    @property
    def pixels(self) -> int:
        """Of the map."""
        return self.resolution**2


def controls() -> Options:
    """The sidebar: the guideline, its theory, its experiment, the network."""
    guideline = links.switch("Guideline", list(GUIDELINES), "guideline", default="G1")
    st.caption(f"{GUIDELINES[guideline]}. {_ASKED[guideline]}")
    chosen: dict[str, Any] = {}
    if guideline == "G1":
        chosen["ratio"] = links.amount(
            "Ratio c2 / c1", "ratio", default=6, minimum=1, maximum=MOST_RATIO, step=1, usual=(1, 16),
            help="Output channels per input channel. The product of both stays, but for rounding.",
        )  # fmt: skip
    elif guideline == "G2":
        chosen["groups"] = int(links.switch("Groups", [str(count) for count in GROUP_COUNTS], "groups", default="4"))
    elif guideline == "G3":
        counts = [str(count) for count in FRAGMENT_COUNTS]
        chosen["fragments"] = int(links.switch("Fragments", counts, "fragments", default="4"))
        chosen["arrangement"] = links.switch("Arranged in", list(ARRANGEMENTS), "arranged", default="parallel")
    else:
        chosen["variant"] = links.choice(
            "With", list(VARIANTS), "with", default="relu+shortcut", format_func=variant_text
        )
    channels = links.choice(
        "Channels c", list(CHANNELS), "c", default=DEFAULT_CHANNELS,
        help="They set the multiply-adds that everything on the curve has in common.",
    )  # fmt: skip
    resolution = links.amount(
        "Side of the map (px)", "res", default=56, minimum=1, maximum=1024, step=1, usual=(1, 112)
    )
    st.subheader("The paper's experiment", anchor=False)
    with st.container(horizontal=True):
        device = links.switch(
            "Widths of", list(DEVICES), "widths", default="ARM",
            help="The paper has narrower networks on the Snapdragon 810 (ARM) than on the GTX 1080 Ti (GPU).",
        )  # fmt: skip
        scale = links.switch(
            "Scale", list(SCALES), "scale", default="x1",
            help="On the channels: x2 has 4 times the multiply-adds, x4 16 times.",
        )  # fmt: skip
    threads = links.integer(
        "Threads", "threads", default=1, minimum=1, maximum=usable_cores(),
        help="Of PyTorch, within one operation; at most the cores that this server may use.",
    )  # fmt: skip
    st.subheader("Arithmetic intensity", anchor=False)
    network = links.choice("Network", list(ARCHITECTURES), "net", default="mobilenet_v2", format_func=_title)
    return Options(
        guideline, int(resolution), channels, device=device, scale=scale, threads=threads, network=network, **chosen
    )


def _title(name: str) -> str:
    return effviz.architecture(name).title


# --- theory --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Theory:
    """What is counted for the current settings.

    Attributes:
        now: the chosen shape.
        base: what it is compared with.
        curves: by name, the points of the chart.
        least: for guideline 1 the lower bound at the multiply-adds of `now`, in elements.
    """

    now: Point
    base: Point
    curves: Mapping[str, tuple[Point, ...]]
    least: float

    def factor(self, memory: str) -> float:
        """Memory access of `now` over that of `base`."""
        return self.now.memory_access[memory] / self.base.memory_access[memory]


def theory(options: Options) -> Theory:
    """Count the chosen shape, what it is compared with, and everything on the curve."""
    return _at(options, options.resolution)


def _at(options: Options, side: int) -> Theory:
    """The same on a map of another side."""
    channels = options.channels
    if options.guideline == "G1":
        now, base = ratio_point(channels, options.ratio, side), ratio_point(channels, 1, side)
        curves = {"convolution": ratio_curve(channels, side, max(16, options.ratio))}
    elif options.guideline == "G2":
        fixed = tuple(groups_point(channels, count, side) for count in GROUP_COUNTS)
        widened = tuple(groups_point(channels, count, side, widened=True) for count in GROUP_COUNTS)
        now, base = fixed[GROUP_COUNTS.index(options.groups)], fixed[0]
        curves = {"input fixed": fixed, "both widened": widened}
    elif options.guideline == "G3":
        curves = {
            f"in {each}": tuple(fragments_point(channels, count, each, side) for count in FRAGMENT_COUNTS)
            for each in ARRANGEMENTS
        }
        place = FRAGMENT_COUNTS.index(options.fragments)
        now, base = curves[f"in {options.arrangement}"][place], curves["in series"][0]
    else:
        variants = {each: elementwise_point(channels, each, side) for each in VARIANTS}
        now, base = variants[options.variant], variants["neither"]
        curves = {"bottleneck": tuple(variants.values())}
    return Theory(now, base, curves, least_access(side**2, now.macs))


def unit(convention: Convention) -> Unit:
    """Memory in the bar's convention."""
    return Unit(convention.memory, convention.size(1), convention.memory_unit, convention.show_amount)


def per(convention: Convention) -> tuple[float, str]:
    """From multiply-adds per element to what is shown, and what that is per."""
    size = BYTES[convention.unit]
    return convention.compute(1) / (size or 1), "byte" if size else "element"


def headline(found: Theory, run: Experiment, convention: Convention) -> None:
    """Cost of the chosen shape against the one that the guideline recommends, and the speed of the last case here."""
    now, base, memory = found.now, found.base, convention.memory
    access, before = now.memory_access[memory], base.memory_access[memory]
    factor, what = per(convention)
    against = _short(base.name)
    intense, usual = (point.macs / point.memory_access[memory] * factor for point in (now, base))
    cards = [
        Card(
            convention.compute_label, convention.show_compute(now.macs),
            f"{exact(convention.compute(now.macs))}: {now.widths}", _change(now.macs, base.macs), against,
        ),
        Card(
            f"Memory access{', elements' if convention.unit == 'elements' else ''}", convention.show_size(access),
            f"{exact(convention.size(access))} {convention.memory_unit}, read and written.",
            _change(access, before), against,
        ),
        Card(
            f"{convention.compute_label} per {what}", f"{intense:.1f}",
            f"Arithmetic intensity: {lower(convention.compute_label)} for each {what} read or written.",
            _change(intense, usual), against,
        ),
        _own_card(found, run, convention),
    ]  # fmt: skip
    first, last = run.labels[0], run.labels[-1]
    judged = run.here.relative(first)
    told = f"{last} relative to {first}, in images per second"
    if last in judged:
        doubt = " At least one of the two measurements is noisy." if {last, first} & run.here.noisy else ""
        cards.append(Card("Speed here", f"x{judged[last]:.2f}", f"{told}.{doubt}", last, _short(first)))
    else:
        cards.append(Card("Speed here", "\N{EN DASH}", f"{told}, once both are measured.", "not measured"))
    parts.cards(cards)


def _short(label: str) -> str:
    """A baseline's name, as short as a card needs it."""
    return {"1 fragment": "one", "Neither": "neither", "ReLU and shortcut": "both"}.get(label, label)


def _change(value: float, baseline: float) -> str:
    """As `change`, in a word that leaves room for the baseline's name."""
    return "equal" if value == baseline else change(value, baseline)


def _own_card(found: Theory, run: Experiment, convention: Convention) -> Card:
    """What only this guideline asks for."""
    now, base = found.now, found.base
    if run.guideline == "G1":
        over = now.memory_access[convention.memory] / found.least
        return Card(
            "Least possible", convention.show_size(round(found.least)),
            "2 √(h w B) + B / (h w), with B multiply-adds: no 1x1 convolution moves less.", f"x{over:.3g} is moved",
        )  # fmt: skip
    if run.guideline == "G2":
        below = _change(now.params, base.params)
        return Card("Weights", si(now.params), f"{exact(now.params)} weights.", below, _short(base.name))
    if run.guideline == "G3":
        return Card(
            "Kernels", str(now.kernels), "Operations that are started one after another; n maps take n − 1 additions.",
            _change(now.kernels, base.kernels), _short(base.name),
        )  # fmt: skip
    share = now.share(convention.memory)
    return Card(
        "Element-wise", percent(share), f"Share of ReLU and addition in memory access, {convention.memory}.",
        f"{percent(now.share('eager'))} run eagerly",
    )  # fmt: skip


def theory_chart(found: Theory, options: Options, convention: Convention) -> None:
    """The guideline as a curve, the current point on it."""
    measure, look = unit(convention), parts.look()
    now, pixels = found.now, options.pixels
    if options.guideline == "G1":
        made = ratio_chart(found.curves["convolution"], now, found.least, pixels, measure, look)
    elif options.guideline == "G2":
        made = groups_chart(found.curves["input fixed"], found.curves["both widened"], now, pixels, measure, look)
    elif options.guideline == "G3":
        made = fragments_chart(found.curves["in series"], found.curves["in parallel"], now, pixels, measure, look)
    else:
        made = elementwise_chart(found.curves["bottleneck"], now, measure, look)
    parts.show_chart(made, "theory")
    if options.guideline == "G4":
        parts.kind_legend(kind for point in found.curves["bottleneck"] for kind in point.by_kind["eager"])
    else:
        st.caption(_CHART_NOTES[options.guideline])


_CHART_NOTES = {
    "G1": "Dots: whole widths, counted layer by layer. Line: the closed form. The widths are rounded, so that "
    "multiply-adds differ by up to 0.5 % along the dots.",
    "G2": "Dots: counted. Lines: the closed forms. “Input fixed” is the paper's equation, c → g c; “both widened” is "
    "its experiment, √g c → √g c, rounded to what the groups divide.",
    "G3": "Dots: counted. Lines: the closed forms. n fragments of c / √n channels each, rounded; parallel ones are "
    "added, which is memory access in the fused and the eager convention.",
}


def theory_table(found: Theory, options: Options, convention: Convention) -> None:
    """The numbers behind the chart."""
    table = theory_rows(found, options, convention)
    with st.expander(f"Table: {len(table)} shapes at equal multiply-adds", key="theory_table"):
        st.dataframe(
            table, hide_index=True, height=min(320, 36 * (len(table) + 1)), column_config=_formats(table),
            alt=f"{len(table)} shapes with their multiply-adds and memory access",
        )  # fmt: skip


def theory_rows(found: Theory, options: Options, convention: Convention) -> pd.DataFrame:
    """Everything on the curve, in the bar's convention."""
    rows = []
    factor, what = per(convention)
    for name, points in found.curves.items():
        for point in points:
            access = point.memory_access[convention.memory]
            row: dict[str, Any] = {
                "Curve": name,
                "Case": point.name,
                "Channels": point.widths,
                convention.compute_label: convention.compute(point.macs),
                f"Memory access ({convention.memory_unit})": convention.size(access),
                f"{convention.compute_label} per {what}": point.macs / access * factor,
                "Kernels": point.kernels,
                "Weights": point.params,
            }
            if options.guideline == "G1":
                least = least_access(options.pixels, point.macs)
                row["Lower bound"] = least * convention.size(1)
                row["Over the bound"] = access / least
            if options.guideline == "G4":
                row |= {f"Element-wise, {each} (%)": 100 * point.share(each) for each in ("eager", "fused")}
            rows.append(row)
    return pd.DataFrame(rows)


def _formats(table: pd.DataFrame) -> dict[str, Any]:
    def of(name: str) -> str:
        if table[name].dtype.kind == "i" or name == "Lower bound":
            return "localized"
        if name.endswith("/s)"):
            return "%.4g"
        return "%.4f" if name == "Over the bound" else "%.2f"

    return {
        name: st.column_config.NumberColumn(format=of(name)) for name in table.columns if table[name].dtype.kind in "if"
    }


# --- the experiment ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Experiment:
    """One column of a table of the paper, with what is known of it here.

    Attributes:
        guideline: a key of `GUIDELINES`.
        cases: of the column, the first one being what the others are compared with.
        latencies: by title, of those that are measured.
        here: their speeds, by label.
        printed: what the paper prints, by device.
    """

    guideline: str
    cases: list[Case]
    latencies: Mapping[str, Latency]
    here: Measured
    printed: Mapping[str, Measured]

    @property
    def labels(self) -> list[str]:
        """Of the cases."""
        return [case.label for case in self.cases]


def experiment(options: Options) -> Experiment:
    """What is known of the column that the sidebar chose."""
    cases = column(options.guideline, options.device, options.scale)
    known = guideline_run().latencies(options.threads, cases)
    found = {case.label: known[case.title] for case in cases if case.title in known}
    here = Measured(
        "Here", "images/s", {label: 1000 / latency.median_ms for label, latency in found.items()},
        frozenset(label for label, latency in found.items() if latency.noisy),
    )  # fmt: skip
    printed = {}
    for device in DEVICES:
        speeds = {case.label: printed_speed(case, device) for case in cases}
        printed[device] = Measured(
            f"{device} (paper)", speeds[cases[0].label][1], {label: speed for label, (speed, _) in speeds.items()}
        )
    return Experiment(options.guideline, cases, known, here, printed)


def bar(run: Experiment, options: Options) -> None:
    """Start, pause, and how far the measurement of this column is."""
    run_bar(guideline_run(), run.cases, options.threads, _WORDS, shown=len(run.latencies))


def experiment_chart(run: Experiment) -> None:
    """Speeds here beside the paper's, each with its first case as 1."""
    machines = [run.here, *run.printed.values()]
    parts.show_chart(speed_bars(run.guideline, run.labels, machines, parts.look()), "experiment")


def experiment_table(run: Experiment, convention: Convention) -> None:
    """The numbers behind the chart, absolute ones too."""
    table = experiment_rows(run, convention)
    st.dataframe(
        table, hide_index=True, height=36 * (len(table) + 1) + 4, column_config=_formats(table),
        alt=f"{len(table)} networks of table {run.guideline[1]} of the paper, with speeds here and as printed",
    )  # fmt: skip
    here, other = run.cases[0].device, next(device for device in DEVICES if device != run.cases[0].device)
    wide = {device: column(run.guideline, device, run.cases[0].scale)[0].widths for device in (here, other)}
    widths = (
        f"Measured are the {here} widths; the paper's {other} figures are for others, {wide[other]} in the first row."
        if wide[here] != wide[other]
        else "The paper has the same widths on both devices."
    )
    macs = [int(value) for value in table[convention.compute_label]]
    deviation = max(abs(value / macs[0] - 1) for value in macs)
    changed = [case for case in run.cases if case.printed_widths]
    notes = [
        f"Ten blocks on a 56 × 56 map, no batch norm, batch 1, float32, random weights. {widths} "
        + (
            f"{convention.compute_label} differ by at most {percent(deviation)} from the first row, by rounding."
            if deviation
            else f"{convention.compute_label} are equal."
        )
    ]
    notes += [
        f"{case.label}: {case.widths}, as {case.printed_widths} channels, which the paper prints, cannot be divided "
        "into these groups."
        for case in changed
    ]
    if run.guideline == "G3":
        notes.append("Parallel fragments are added; widths are c / √n, rounded.")
    if run.guideline == "G4":
        notes.append("The paper prints c only; inside the block are c / 4 channels, as in ResNet.")
    printed = ", ".join(f"{device}: {name}" for device, name in DEVICES.items())
    notes.append(
        f"Printed speeds: {SOURCE}, table {run.guideline[1]} ({printed}, batch size of the GPU not said). "
        f"Here: {live.machine()}."
    )
    st.caption(" ".join(notes))


def experiment_rows(run: Experiment, convention: Convention) -> pd.DataFrame:
    """The column as a reader sees it and takes it away."""
    relative = run.here.relative(run.labels[0])
    rows = []
    for case in run.cases:
        report = effviz.analyze(case.design, memory=convention.memory)
        latency = run.latencies.get(case.title)
        row: dict[str, Any] = {
            "Case": case.label,
            "Channels": case.widths,
            "Here (images/s)": run.here.speeds.get(case.label),
            "Here, relative": relative.get(case.label),
        }
        for device, machine in run.printed.items():
            row[f"{device} ({machine.unit})"] = machine.speeds[case.label]
            row[f"{device}, relative"] = machine.relative(run.labels[0])[case.label]
        rows.append(
            row
            | {
                convention.compute_label: convention.compute(report.macs),
                f"Memory access ({convention.memory_unit})": convention.size(report.memory_access),
                "Median (ms)": latency.median_ms if latency else None,
                "IQR (ms)": latency.iqr_ms if latency else None,
                "Runs": latency.runs if latency else None,
                "Noise": live.noise(latency) if latency else "",
                "Age": ago(latency.age.total_seconds()) if latency else "",
                "Source": case.design.source,
            }
        )
    table = pd.DataFrame(rows)
    for name in ("Here (images/s)", "Here, relative", "Median (ms)", "IQR (ms)"):
        table[name] = table[name].astype(float)
    table["Runs"] = table["Runs"].astype("Int64")
    return table


# --- arithmetic intensity ------------------------------------------------------------------------------------------


def intensity(options: Options, convention: Convention) -> None:
    """Multiply-adds per element or byte, by kind of layer."""
    factor, what = per(convention)
    entries = intensities(options.network, convention.memory)
    made = intensity_bars(_title(options.network), entries, factor, convention.compute_label, what, parts.look())
    parts.show_chart(made, "intensity")
    table = intensity_rows(options, convention)
    with st.expander(f"Table: {len(table)} kinds of layer", key="intensity_table"):
        st.dataframe(
            table, hide_index=True, column_config=_formats(table),
            alt=f"{len(table)} kinds of layer with multiply-adds and memory access",
        )  # fmt: skip
    st.caption(f"In brackets: share of the network's memory access. {convention.text}")


def intensity_rows(options: Options, convention: Convention) -> pd.DataFrame:
    """The kinds of layer of the chosen network."""
    factor, what = per(convention)
    return pd.DataFrame(
        {
            "Kind": entry.kind,
            f"{convention.compute_label} per {what}": entry.per_element * factor,
            convention.compute_label: convention.compute(entry.macs),
            f"Memory access ({convention.memory_unit})": convention.size(entry.memory_access),
            "Share of memory access (%)": 100 * entry.share,
        }
        for entry in intensities(options.network, convention.memory)
    )


# --- how, and what to try ------------------------------------------------------------------------------------------


def formulas(found: Theory, options: Options, convention: Convention) -> None:
    """The guideline's formula, then with the current numbers."""
    st.subheader("How this is computed", anchor=False)
    side, now, memory = options.resolution, found.now, convention.memory
    area = f"{side} × {side}"
    access = now.memory_access[memory]
    if options.guideline == "G1":
        narrow, wide = now.widths.split(" → ")
        _formula("Memory access", "h w (c1 + c2) + c1 c2", f"{area} × ({narrow} + {wide}) + {narrow} × {wide}", access)
        _formula(
            "Lower bound", "2 √(h w B) + B / (h w), with B = h w c1 c2 multiply-adds",
            f"2 × √({area} × {exact(now.macs)}) + {exact(now.macs)} / ({area})", round(found.least),
        )  # fmt: skip
        st.markdown(
            "The bound follows from c1 + c2 ≥ 2 √(c1 c2), where both sides are equal if and only if c1 = c2. "
            "Map and multiply-adds fix the product c1 c2, so only the sum depends on the ratio."
        )
    elif options.guideline == "G2":
        inputs = int(now.widths.split(" → ")[0])
        _formula(
            "Memory access", "h w c1 + B g / c1 + B / (h w), with B = h w c1 c2 / g multiply-adds",
            f"{area} × {inputs} + {exact(now.macs)} × {options.groups} / {inputs} + {exact(now.macs)} / ({area})",
            access,
        )  # fmt: skip
        st.markdown(
            "With the input c1 and the multiply-adds B fixed, only B g / c1 changes: the output has g times the "
            "channels. The weights, B / (h w), stay the same."
        )
    elif options.guideline == "G3":
        _fragment_formulas(now, options, access, memory)
    else:
        _bottleneck_formulas(now, options, memory)
    st.markdown(
        f"**Arithmetic intensity** = {lower(convention.compute_label)} / memory access  \n"
        f"= {exact(convention.compute(now.macs))} / {exact(convention.size(access))}  \n"
        f"= **{convention.compute(now.macs) / convention.size(access):.2f}** per {per(convention)[1]}"
    )
    st.markdown(
        "Speed is 1 / latency, the median over single runs of one forward pass, each timed alone after a warm-up. "
        "“Holds” means that every case differs from the first one by more than 5 %, which is what the "
        "multiply-adds of a column differ by, in the direction of the guideline."
    )


def _formula(name: str, symbols: str, numbers: str, value: int, unit: str = "elements") -> None:
    st.markdown(f"**{name}** = {symbols}  \n= {numbers}  \n= **{exact(value)}** {unit}")


def _fragment_formulas(now: Point, options: Options, access: int, memory: str) -> None:
    width = int(now.widths.split(" → ")[0])
    count, area = options.fragments, f"{options.resolution} × {options.resolution}"
    symbols = "n × (2 h w m + m²)"
    numbers = f"{count} × (2 × {area} × {width} + {width} × {width})"
    if options.arrangement == "parallel" and memory != "paper" and count > 1:
        symbols, numbers = f"{symbols} + 3 (n − 1) h w m", f"{numbers} + 3 × {count - 1} × {area} × {width}"
    _formula("Memory access", f"{symbols}, with m = c / √n", numbers, access)
    if options.arrangement == "parallel" and count > 1:
        _formula("Kernels", "n convolutions + (n − 1) additions", f"{count} + {count - 1}", now.kernels, "kernels")
    else:
        _formula("Kernels", "n convolutions", f"{count}", now.kernels, "kernels")
    st.markdown(
        "Every addition reads two maps and writes one. A kernel takes a moment to start, however little it does."
    )


def _bottleneck_formulas(now: Point, options: Options, memory: str) -> None:
    area = f"{options.resolution} × {options.resolution}"
    channels, inner = (int(text) for text in now.widths.split(" → ")[:2])
    relu, shortcut = VARIANTS[options.variant]
    convolutions = now.memory_access["paper"]
    _formula(
        "Convolutions", "2 (h w (c + m) + c m) + 2 h w m + 9 m², with m = c / 4",
        f"2 × ({area} × ({channels} + {inner}) + {channels} × {inner}) + 2 × {area} × {inner} + 9 × {inner} × {inner}",
        convolutions,
    )  # fmt: skip
    if shortcut:
        _formula("Shortcut", "3 h w c", f"3 × {area} × {channels}", 3 * options.pixels * channels)
    if relu:
        _formula(
            "ReLU, eager", "2 h w (m + m + c); fused, it runs inside the layer before it: 0",
            f"2 × {area} × ({inner} + {inner} + {channels})", 2 * options.pixels * (2 * inner + channels),
        )  # fmt: skip
    total = now.memory_access[memory]
    st.markdown(
        f"**Element-wise share**, {memory} = (memory access − convolutions) / memory access  \n"
        f"= ({exact(total)} − {exact(convolutions)}) / {exact(total)}  \n= **{percent(now.share(memory))}**"
    )


def exercises(found: Theory, run: Experiment, options: Options, convention: Convention) -> None:
    """Predictions about theory, and about this machine once it is measured."""
    st.subheader("Try this", anchor=False)
    if found.now.x == found.base.x:
        # Nothing to predict about the baseline itself: ask about what the page starts with.
        options = replace(options, ratio=6, groups=4, fragments=4, arrangement="parallel", variant="relu+shortcut")
        found = theory(options)
    now, base, memory = found.now, found.base, convention.memory
    left, right = st.columns(2)
    other = SMALL_MAP if options.resolution != SMALL_MAP else 56
    small = _at(options, other)
    with left:
        if options.guideline == "G4":
            _percent(
                "share", f"A bottleneck with {_with(options.variant)}, {options.channels} channels, run eagerly: which "
                "share of its memory access is element-wise?", now.share("eager"),
                "ReLU three times, reading and writing, and an addition that reads two maps: none of it counts as a "
                "multiply-add.",
            )  # fmt: skip
        else:
            _times(
                "theory", f"On a {options.resolution} × {options.resolution} map, {_asked(now, options)} has the "
                f"multiply-adds of {_asked(base, options)}. How many times the memory does it move?",
                found.factor(memory), _WHY[options.guideline],
            )  # fmt: skip
    with right:
        if options.guideline == "G3":
            total = now.kernels * 10
            parts.exercise(
                "kernels", f"Ten blocks, each {_asked(now, options)}: how many kernels start for one image?",
                "kernels", total, f"{now.kernels} in a block; with one fragment it would be 10.",
                show=lambda value: f"{value:.0f}",
            )  # fmt: skip
        elif options.guideline == "G4":
            _percent(
                "fused", "Now fused, so that an activation runs inside the layer before it: which share is left?",
                now.share("fused"), "The addition stays: it needs a second map, which has to be read.",
            )  # fmt: skip
        else:
            _times(
                "small", f"The same pair on a {other} × {other} map: how many times the memory now?",
                small.factor(memory),
                "The weights are as many for both and do not shrink with the map: the smaller the map, the more of the "
                "memory access they are.",
            )  # fmt: skip
    judged = run.here.relative(run.labels[0])
    slow = run.labels[-1]
    device = next(iter(run.printed))
    machine = "On this machine" if slow in judged else f"On the paper's {DEVICES[device]} ({device})"
    speeds = judged if slow in judged else run.printed[device].relative(run.labels[0])
    beside = ", ".join(f"{each.name} {each.relative(run.labels[0])[slow]:.2f}" for each in run.printed.values())
    parts.exercise(
        "speed", f"{machine}: the experiment's network with “{slow}” has the multiply-adds of the one with "
        f"“{run.labels[0]}”. How fast is it, with that network's speed as 1?", "x", speeds[slow],
        f"Printed: {beside}.", show=lambda value: f"x{value:.2f}",
    )  # fmt: skip


_WHY = {
    "G1": "The weights are as many; what grows is the sum of input and output channels.",
    "G2": "The output has as many more channels as there are groups, and has to be written.",
    "G3": "Each fragment has 1 / √n of the channels, but there are n of them, and parallel ones are added.",
}


def _with(variant: str) -> str:
    return {"relu+shortcut": "ReLU and shortcut", "relu": "ReLU", "shortcut": "a shortcut",
            "neither": "neither ReLU nor shortcut"}[variant]  # fmt: skip


def _asked(point: Point, options: Options) -> str:
    if options.guideline == "G1":
        return f"a 1x1 convolution {point.widths}"
    if options.guideline == "G2":
        return f"a 1x1 convolution {point.widths} in {point.name}"
    return f"{point.name} of {point.widths}"


def _times(key: str, question: str, answer: float, why: str) -> None:
    parts.exercise(key, question, "x", answer, why, show=lambda value: f"x{value:.2f}")


def _percent(key: str, question: str, answer: float, why: str) -> None:
    parts.exercise(key, question, "%", 100 * answer, why, show=lambda value: f"{value:.0f} %")


def _csv(head: str, table: pd.DataFrame) -> str:
    return f"{head}{table.to_csv(index=False)}"


def downloads(found: Theory, run: Experiment, options: Options, convention: Convention) -> None:
    """CSV of theory, experiment and intensity, each with its conditions, and the link."""
    theory_csv = (
        f"# {GUIDELINES[options.guideline]}. Map {options.resolution} x {options.resolution}. {convention.text}\n"
    )
    conditions = effviz.measure.latency.environment(options.threads).items()
    known = ", ".join(f"{name}: {value}" for name, value in conditions)
    experiment_csv = (
        f"# Speeds here: batch 1, {known}. Printed: {SOURCE}, table {run.guideline[1]}. {convention.text}\n"
    )
    intensity_csv = f"# Arithmetic intensity of {_title(options.network)}. {convention.text}\n"
    tables = {
        "Theory": (theory_csv, theory_rows(found, options, convention)),
        "Experiment": (experiment_csv, experiment_rows(run, convention)),
        "Intensity": (intensity_csv, intensity_rows(options, convention)),
    }
    with st.container(horizontal=True, gap="small"):
        for name, (head, table) in tables.items():
            file = parts.file_name("effviz", options.guideline, f"{name.lower()}.csv")
            text = partial(_csv, head, table)
            parts.download(f"{name} as CSV", text, file, key=f"{name.lower()}_csv")
        parts.copy_link()


__all__ = [
    "Experiment", "Options", "Theory", "bar", "controls", "downloads", "exercises", "experiment", "experiment_chart",
    "experiment_rows", "experiment_table", "formulas", "headline", "intensity", "intensity_rows", "theory",
    "theory_chart", "theory_rows", "theory_table",
]  # fmt: skip
