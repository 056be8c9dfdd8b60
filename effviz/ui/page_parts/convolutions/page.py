"""The parts of the Convolutions page: controls, cards, curves, connections."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from effviz.charts.convolutions import (
    Curve,
    connection_picture,
    kind_costs,
    reach_picture,
    reduction_curve,
    window_picture,
)
from effviz.core.units import change, exact, lower, percent, si
from effviz.count.kinds import conv_kind
from effviz.model.layers import Conv2d
from effviz.studies import convolutions as lesson
from effviz.studies.convolutions import KINDS, Setting
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.page_parts.architectures import network
from effviz.ui.widgets import parts
from effviz.ui.widgets.parts import Card

BASELINE = "standard"
KERNELS = tuple(range(1, 16, 2))
WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class Choice:
    """What the sidebar asks for."""

    kind: str
    setting: Setting


def controls() -> Choice:
    """The sidebar: the kind of convolution and its numbers; groups only such as divide the channels."""
    kind = links.choice("Convolution", list(KINDS), "type", default="separable", format_func=KINDS.__getitem__)
    kernel = int(
        links.amount(
            "Kernel size", "kernel", default=3, minimum=1, maximum=63, step=2, usual=(1, 15),
            help="Side of the square window, padded by half of it.",
        )
    )  # fmt: skip
    wide = int(links.amount("Input channels", "cin", default=128, minimum=1, maximum=4096, step=8, usual=(8, 512)))
    out = int(links.amount("Output channels", "cout", default=128, minimum=1, maximum=4096, step=8, usual=(8, 512)))
    legal = lesson.legal_groups(wide, out)
    chosen = st.session_state.get("g")
    if chosen is not None and chosen not in legal:
        # Other channels, other divisors: the next smaller one.
        st.session_state["g"] = max(count for count in legal if count <= chosen)
    groups = links.choice(
        "Groups", legal, "g", default=max(count for count in legal if count <= 4),
        help="Of the grouped convolution: numbers that divide the input and the output channels.",
    )  # fmt: skip
    stride = int(links.switch("Stride", ["1", "2"], "stride", default="1"))
    side = int(
        links.amount(
            "Resolution (px)", "map", default=28, minimum=1, maximum=1024, step=1, usual=(7, 224),
            help="Side of the square input map.",
        )
    )  # fmt: skip
    return Choice(kind, Setting(kernel, wide, out, groups, stride, side))


def headline(choice: Choice, convention: Convention, latency: Card) -> None:
    """Cost of the chosen kind, each beside the standard convolution; the reduction; the latency."""
    here = lesson.report(choice.kind, choice.setting, convention.memory)
    base = lesson.report(BASELINE, choice.setting, convention.memory)
    factor = lesson.reduction(choice.kind, choice.setting)
    against = "" if choice.kind == BASELINE else "standard"
    name = lower(convention.compute_label)

    def card(label: str, text: str, told: str, value: int, standard: int) -> Card:
        return Card(label, text, told, change(value, standard) if against else "the baseline", against)

    unit = ", elements" if convention.unit == "elements" else ""
    size = convention.size(here.memory_access)
    parts.cards(
        [
            card("Parameters", si(here.params), f"{exact(here.params)} weights, no bias", here.params, base.params),
            card(
                convention.compute_label, convention.show_compute(here.macs),
                exact(convention.compute(here.macs)), here.macs, base.macs,
            ),
            card(
                f"Memory access{unit}", convention.show_size(here.memory_access),
                f"{exact(size)} {convention.memory_unit}. Assumption: {MEMORIES[convention.memory].lower()}.",
                here.memory_access, base.memory_access,
            ),
            Card(
                "Reduction", f"x{factor.factor:.3g}", f"{convention.compute_label} of standard / of this one.",
                f"fewer {name}" if factor.factor >= 1 else f"more {name}",
            ),
            latency,
        ]
    )  # fmt: skip


def cost_chart(choice: Choice, convention: Convention) -> None:
    """The page's chart: all kinds beside the standard convolution."""
    base = lesson.report(BASELINE, choice.setting, convention.memory)
    shares = {
        kind: {quantity: getattr(report, quantity) / getattr(base, quantity) for quantity in ("macs", "memory_access")}
        for kind in KINDS
        for report in [lesson.report(kind, choice.setting, convention.memory)]
    }
    parts.show_chart(kind_costs(shares, choice.kind, KINDS, convention.compute_label, parts.look()), "costs")


def curves(choice: Choice, convention: Convention) -> None:
    """The reduction against kernel size and against output channels."""
    kind = "separable" if choice.kind == BASELINE else choice.kind
    setting, look = choice.setting, parts.look()
    left, right = st.columns(2, gap="large")
    kernels = sorted({*KERNELS, setting.kernel_size})
    with left:
        lines = _lines(kind, [replace(setting, kernel_size=size) for size in kernels], convention)
        chart = reduction_curve(
            kernels, lines, setting.kernel_size, "Kernel size", KINDS[kind], look, logarithmic=False
        )
        parts.show_chart(chart, "by_kernel")
    # Groups divide what the axis runs through; other kinds have none.
    free = setting if kind == "grouped" else replace(setting, groups=1)
    widths = [out for out in sorted({*WIDTHS, setting.out_channels}) if out % free.groups == 0]
    settings = {out: replace(free, out_channels=out) for out in widths}
    with right:
        area = setting.kernel_size**2
        limit = (float(area), f"K² = {area}") if kind == "separable" else None
        chart = reduction_curve(
            list(settings), _lines(kind, list(settings.values()), convention), setting.out_channels,
            "Output channels", KINDS[kind], look, logarithmic=True, limit=limit,
        )  # fmt: skip
        parts.show_chart(chart, "by_width")
    if kind == "separable":
        st.markdown(_where_it_stops(setting))


def _lines(kind: str, settings: list[Setting], convention: Convention) -> list[Curve]:
    memory = convention.memory
    macs = [lesson.reduction(kind, each).factor for each in settings]
    access = [
        lesson.report(BASELINE, each, memory).memory_access / lesson.report(kind, each, memory).memory_access
        for each in settings
    ]
    return [Curve(convention.compute_label, macs, "solid"), Curve("Memory access", access, "dash")]


def _where_it_stops(setting: Setting) -> str:
    """From how many output channels on the saving is close to its limit."""
    size, area = setting.kernel_size, setting.kernel_size**2
    near = lesson.enough_channels(size, area * 8 / 9)
    if area == 1 or near is None:
        return "With a 1x1 window there is nothing to save: a separable convolution only adds a depthwise layer."
    return (
        f"A {size}x{size} separable convolution saves at most {area} times. It reaches 8/9 of that, "
        f"{area * 8 / 9:.3g} times, from {near} output channels on: below, the pointwise layer is too small for the "
        "depthwise one beside it not to count."
    )


def connections(choice: Choice) -> None:
    """Window and channel connections, from the groups of the built layers."""
    st.subheader("What is connected", anchor=False)
    setting, look = choice.setting, parts.look()
    built = lesson.design(choice.kind, setting)
    layers = [step.layer for step in lesson.report(choice.kind, setting).steps]
    convs = [layer for layer in layers if isinstance(layer, Conv2d)]
    drawn = [None, *lesson.connections(choice.kind, setting)]
    for place, (column, blocks) in enumerate(zip(st.columns(len(drawn)), drawn, strict=True)):
        with column:
            if blocks is None:
                size = 1 if choice.kind == "pointwise" else setting.kernel_size
                chart = window_picture(setting, size, look)
            else:
                chart = connection_picture(blocks, conv_kind(convs[place - 1]), look)
            st.markdown(f"**{chart.title}**")
            parts.show_chart(chart, f"connection_{place}", heading=False)
    st.caption(f"{built.title}. The black frame shows where the window stands next.")


def shuffle(choice: Choice) -> None:
    """Two grouped convolutions in a row, with a channel shuffle between them and without."""
    setting, look = choice.setting, parts.look()
    st.subheader("Two grouped convolutions in a row", anchor=False)
    channels, groups = lesson.drawn_channels(setting.out_channels, setting.groups)
    shares = []
    for column, shuffled in zip(st.columns(2), (False, True), strict=True):
        reached = lesson.reach(channels, groups, shuffle=shuffled)
        shares.append(float(reached.mean()))
        word = "With channel shuffle" if shuffled else "Without shuffle"
        with column:
            title = f"{word}: each output depends on {percent(shares[-1])} of the inputs"
            chart = reach_picture(reached, groups, title, look)
            st.markdown(f"**{chart.title}**")
            parts.show_chart(chart, f"reach_{shuffled}", heading=False)
    drawn = "" if channels == setting.out_channels else f" Drawn with {channels} of {setting.out_channels} channels."
    st.caption(
        f"Two 1x1 convolutions with {groups} groups of {channels // groups} channels: which inputs reach which "
        f"outputs, as in figure 1 of ShuffleNet (arXiv 1707.01083).{drawn}"
    )


def sensitivity_table(choice: Choice, convention: Convention) -> None:
    """Which number moves when a control moves."""
    st.subheader("Which number moves", anchor=False)
    rows = lesson.sensitivities(choice.kind, choice.setting, convention.memory)
    st.dataframe(
        pd.DataFrame(
            {
                "When": [row.control for row in rows],
                "goes from": [row.before for row in rows],
                "to": [row.after for row in rows],
                "Parameters": [f"x{row.params:.3g}" for row in rows],
                convention.compute_label: [f"x{row.macs:.3g}" for row in rows],
                "Memory access": [f"x{row.memory_access:.3g}" for row in rows],
            }
        ),
        hide_index=True,
        alt=f"Factors on the cost of {KINDS[choice.kind]} for {len(rows)} controls",
    )
    st.caption(f"All other controls stay. {convention.text}")


def formulas(choice: Choice, convention: Convention) -> None:
    """The formulas of every layer with the current numbers, and the reduction."""
    st.subheader("How this is computed", anchor=False)
    report = lesson.report(choice.kind, choice.setting, convention.memory)
    for index in range(len(report.steps)):
        if len(report.steps) > 1:
            st.markdown(f"Layer {index + 1}, {report.steps[index].path.partition('.')[0]}:")
        network.formulas(report, index, convention)
    found = lesson.reduction(choice.kind, choice.setting)
    standard = lesson.report(BASELINE, choice.setting).macs
    name, symbols = lower(convention.compute_label), found.symbols.replace("_", "\\_")
    st.markdown(
        f"**Reduction** = {name} of the standard convolution / {name}  \n"
        f"= {exact(convention.compute(standard))} / {exact(convention.compute(report.macs))}  \n"
        f"= **{found.factor:.4g}**"
    )
    st.markdown(f"Closed form: {symbols} = {found.numbers} = {found.closed:.4g}")


def exercises(choice: Choice, convention: Convention) -> None:
    """Three predictions about the setting on screen."""
    st.subheader("Try this", anchor=False)
    setting, name = choice.setting, lower(convention.compute_label)
    larger = replace(setting, kernel_size=setting.kernel_size + 2)
    few = replace(setting, out_channels=max(1, setting.out_channels // 16), groups=1)
    left, right = st.columns(2)
    with left:
        parts.exercise(
            "larger",
            f"The kernel grows from {setting.kernel_size} to {larger.kernel_size}. By what factor do the {name} of the "
            "separable convolution grow?",
            "x",
            lesson.report("separable", larger).macs / lesson.report("separable", setting).macs,
            "Only the depthwise layer has the window; the pointwise one, most of the cost, stays as it is.",
            show=lambda value: f"x{value:.2f}",
        )
    with right:
        parts.exercise(
            "few",
            f"With {few.out_channels} output channels instead of {setting.out_channels}: how many times fewer {name} "
            f"does a separable {setting.kernel_size}x{setting.kernel_size} convolution need than a standard one?",
            "x",
            lesson.reduction("separable", few).factor,
            "K² C_out / (K² + C_out): with few output channels the depthwise layer is most of the work.",
            show=lambda value: f"x{value:.2f}",
        )


def downloads(choice: Choice, convention: Convention) -> None:
    """CSV of all kinds at this setting, JSON of the chosen one, and the link."""
    setting = choice.setting
    rows = []
    for kind, label in KINDS.items():
        report = lesson.report(kind, setting, convention.memory)
        rows.append(
            {
                "Convolution": label,
                "Parameters": report.params,
                convention.compute_label: convention.compute(report.macs),
                f"Memory access ({convention.memory_unit})": convention.size(report.memory_access),
                "Reduction": lesson.reduction(kind, setting).factor,
            }
        )
    table = f"# {setting}. {convention.text}\n{pd.DataFrame(rows).to_csv(index=False)}"
    design = lesson.design(choice.kind, setting)
    stem = parts.file_name("effviz", choice.kind, f"{setting.kernel_size}x{setting.kernel_size}")
    with st.container(horizontal=True, gap="small"):
        parts.download("Kinds as CSV", lambda: table, f"{stem}.csv")
        parts.download("Design as JSON", lambda: design.to_json(indent=2), f"{stem}.json")
        parts.copy_link()
