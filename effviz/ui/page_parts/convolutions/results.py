"""Results of the Convolutions page: cards, curves, connections, formulas."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from effviz.charts.convolutions import (
    FactorCurve,
    connection_picture,
    kind_costs,
    reach_picture,
    reduction_curve,
    window_picture,
)
from effviz.charts.motion import convolution
from effviz.charts.motion import shuffle as shuffle_motion
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.core.latex import LETTERS, latex, number, words
from effviz.core.units import binary, exact, lower, percent
from effviz.count.kinds import conv_kind
from effviz.model.layers import Conv2d
from effviz.studies import convolutions as lesson
from effviz.studies.convolutions import KINDS, Curves, Setting
from effviz.studies.fully_connected import alternatives
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.convolutions.controls import BASELINE, Choice
from effviz.ui.widgets.cards import Card, report_cards
from effviz.ui.widgets.charts import chart_row, show_chart
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_grid, formula_text, layer_texts
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.glossary import caption_explained
from effviz.ui.widgets.motion import show_motion
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_SHUFFLES = ("9 in 3 groups", "This convolution")


def cards(choice: Choice, convention: Convention) -> list[Card]:
    """Make the cards of the chosen kind: its cost against the standard convolution, and the reduction."""
    here = lesson.report(choice.kind, choice.setting, convention.memory)
    base = lesson.report(BASELINE, choice.setting, convention.memory) if choice.against else None
    factor = lesson.reduction(choice.kind, choice.setting).factor
    name = convention.compute_label
    return [
        *report_cards(
            convention, here, base, against=BASELINE, below={"params": "the baseline"},
            quantities=("params", "macs", "memory_access"),
        ),
        Card(
            "Reduction", f"{factor:.3g}×", f"{name} of the standard convolution divided by those of this one.",
            f"{'fewer' if factor >= 1 else 'more'} {lower(name)}", key="reduction",
        ),
    ]  # fmt: skip


def costs(choice: Choice, convention: Convention) -> None:
    """Show the cost of every kind."""
    chart = costs_figure(choice.kind, choice.setting, convention, look())
    show_chart(chart, "costs", note=_held_equal(choice.setting))


def savings(choice: Choice, convention: Convention) -> None:
    """Show the reduction against the kernel size and against the output channels."""
    kernels, widths = _figures(choice.kind, choice.setting, convention, look())
    chart_row({"by_kernel": kernels, "by_width": widths})
    if _compared_kind(choice.kind) == "separable":
        st.markdown(_limit(choice.setting.kernel_size))


def _held_equal(setting: Setting) -> str:
    """Say in one line what the kinds of convolution have in common, and what not."""
    wide, out = setting.in_channels, setting.out_channels
    equal = f"Held equal: input {wide} × {setting.resolution} × {setting.resolution}, stride {setting.stride}"
    if wide == out:
        return f"{equal}, {out} output channels. Pointwise has no window; depthwise connects no channels."
    return f"{equal}, {out} output channels, except depthwise ({wide}). Pointwise has no window."


def _compared_kind(kind: str) -> str:
    """Return the kind whose reduction is drawn; a standard convolution has none."""
    return "separable" if kind == BASELINE else kind


@remembered
def _figures(kind: str, setting: Setting, convention: Convention, look: Appearance) -> tuple[Chart, Chart]:
    """Draw the reduction by kernel and by width."""
    drawn, size = _compared_kind(kind), setting.kernel_size
    kernels = lesson.by_kernel(drawn, setting, convention.memory)
    widths = lesson.by_width(drawn, setting, convention.memory)

    def lines(found: Curves) -> list[FactorCurve]:
        return [
            FactorCurve(convention.compute_label, found.macs, "solid"),
            FactorCurve("Memory access", found.memory_access, "dash"),
        ]

    return (
        reduction_curve(kernels.at, lines(kernels), size, "Kernel size", KINDS[drawn], look, logarithmic=False),
        reduction_curve(
            widths.at, lines(widths), setting.out_channels, "Output channels", KINDS[drawn], look,
            logarithmic=True, limit=(float(size**2), f"k² = {size**2}") if drawn == "separable" else None,
        ),
    )  # fmt: skip


@remembered
def costs_figure(kind: str, setting: Setting, convention: Convention, look: Appearance) -> Chart:
    """Draw the cost of every kind relative to the standard convolution."""
    shares = lesson.relative_costs(setting, convention.memory)
    return kind_costs(shares, kind, KINDS, convention.compute_label, look)


def _limit(size: int) -> str:
    """Say from how many output channels on the reduction is close to its limit."""
    factor, near = lesson.near_limit(size)
    if near is None:
        return "With a 1×1 window there is nothing to save: a separable convolution only adds a depthwise layer."
    return (
        f"A {size}×{size} separable convolution is at most {size**2}× cheaper. It reaches 8/9 of that, {factor:.3g}×, "
        f"from {near} output channels on. With fewer, the depthwise layer is a larger share of the cost."
    )


def connections(choice: Choice) -> None:
    """Show the window, and which channels the built layers connect."""
    pictures = _connections(choice.kind, choice.setting, look())
    chart_row({f"connection_{place}": chart for place, chart in enumerate(pictures)}, heading="bold", gap="small")
    st.caption(f"{choice.design.title}. The black frame is the next position of the window.")


@remembered
def _connections(kind: str, setting: Setting, look: Appearance) -> list[Chart]:
    """Draw the window, and the connected channels of every convolution."""
    convs = [step.layer for step in lesson.report(kind, setting).steps if isinstance(step.layer, Conv2d)]
    layers = zip(convs, lesson.connections(kind, setting), strict=True)
    return [
        window_picture(setting, 1 if kind == "pointwise" else setting.kernel_size, look),
        *(connection_picture(blocks, conv_kind(conv), look) for conv, blocks in layers),
    ]


def fully_connected(choice: Choice, convention: Convention) -> None:
    """Show a fully connected layer on the same map beside the convolution: formulas, weights and their use."""
    rows = alternatives(choice.setting, convention.memory)
    st.markdown(_weights(choice.setting, convention))
    columns = [
        Column("Layer", "name"),
        *count_columns(convention, ("params", "macs"), row="report"),
        Column(
            f"Weights ({convention.weight_format})", lambda row: binary(convention.weight_bytes * row.report.params)
        ),
        Column("Uses of each weight", "uses", help="Multiply-adds per weight for one image."),
    ]
    show_table(Table(rows, columns, f"{len(rows)} layers with their parameters and the uses of each weight"))
    st.caption("All layers read the input map on screen and have its output channels.")


@remembered
def _weights(setting: Setting, convention: Convention) -> str:
    """Write the formulas of the parameters, and compare the largest layer with the convolution."""
    rows = alternatives(setting, convention.memory)
    lines = [
        f"**{row.name}**: $\\text{{parameters}} = {row.symbols} = {row.numbers} = {number(exact(row.report.params))}$"
        for row in rows
    ]
    first, dense = rows[0], next((row for row in rows if row.name == "Fully connected"), None)
    if dense is not None:
        size = binary(convention.weight_bytes * dense.report.params)
        lines.append(
            "A fully connected layer is a convolution whose window is the whole map. Here it has "
            f"{times(dense.report.params / first.report.params)} the parameters of the convolution, {size} in "
            f"{convention.weight_format}. An image uses each of its weights once, and each weight of the convolution "
            f"{exact(first.uses)} time{'s' * (first.uses > 1)}."
        )
    bias = "; the bias adds 1 per output channel" if setting.bias else ""
    lines.append(f":small[k kernel size, N input channels, M output channels, H and W sides of the map{bias}.]")
    return "\n\n".join(lines)


def in_motion(choice: Choice) -> None:
    """Show how the kernels of the chosen convolution slide over the input."""
    show_motion(convolution(choice.kind, choice.setting), "motion")


def shuffle(choice: Choice) -> None:
    """Show a channel shuffle, and two grouped convolutions in a row with it and without."""
    setting = choice.setting
    example = inputs.switch("Channels", _SHUFFLES, "shuffled", default=_SHUFFLES[0]) == _SHUFFLES[0]
    numbers = (9, 3) if example else (setting.out_channels, setting.groups)
    show_motion(shuffle_motion(*numbers), "shuffle_motion")
    channels, groups = lesson.drawn_channels(setting.out_channels, setting.groups)
    chart_row(_reaches(channels, groups, look()), heading="bold", gap="small")
    drawn = "" if channels == setting.out_channels else f" Drawn with {channels} of {setting.out_channels} channels."
    caption_explained(
        f"Two 1×1 convolutions with {groups} groups of {channels // groups} channels, without and with a "
        f"[[channel shuffle]], as in figure 1 of ShuffleNet (arXiv 1707.01083).{drawn}",
        "shuffle",
    )


@remembered
def _reaches(channels: int, groups: int, look: Appearance) -> dict[str, Chart]:
    """Draw the inputs that reach each output, without a channel shuffle and with one."""
    pictures = {}
    for shuffled, word in ((False, "Without shuffle"), (True, "With channel shuffle")):
        reached = lesson.reach(channels, groups, shuffle=shuffled)
        title = f"{word}: each output depends on {percent(float(reached.mean()))} of the inputs"
        pictures[f"reach_{shuffled}"] = reach_picture(reached, groups, title, look)
    return pictures


def sensitivities(choice: Choice, convention: Convention) -> None:
    """Show the effect of each setting on the counts."""
    rows = lesson.sensitivities(choice.kind, choice.setting, convention.memory)
    columns = [
        Column("Setting", "control"),
        Column("From", "before"),
        Column("To", "after"),
        Column("Parameters", lambda row: f"{row.params:.3g}×"),
        Column(convention.compute_label, lambda row: f"{row.macs:.3g}×"),
        Column("Memory access", lambda row: f"{row.memory_access:.3g}×"),
    ]
    show_table(Table(rows, columns, f"Factors on the cost of {KINDS[choice.kind]} for {len(rows)} settings"))
    st.caption("One setting changes, the others stay.")


def formulas(choice: Choice, convention: Convention) -> None:
    """Show the formulas of every layer, and the reduction."""
    formula_grid(_formulas(choice.kind, choice.setting, convention))


@remembered
def _formulas(kind: str, setting: Setting, convention: Convention) -> list[str]:
    """Write the formulas, which are shown as one text: a message for each would cost more than the text."""
    report = lesson.report(kind, setting, convention.memory)
    texts = []
    for index, step in enumerate(report.steps):
        if len(report.steps) > 1:
            texts.append(f"Layer {index + 1}, {step.path.partition('.')[0]}")
        texts += layer_texts(report, index, convention)
    found = lesson.reduction(kind, setting)
    name, standard = lower(convention.compute_label), lesson.report(BASELINE, setting)
    ratio = rf"\dfrac{{{words(f'{name}, standard')}}}{{{words(name)}}}"
    counted = [number(convention.exact("macs", each.macs)) for each in (standard, report)]
    reduction = formula_text("Reduction", ratio, rf"\dfrac{{{counted[0]}}}{{{counted[1]}}}", f"{found.factor:.4g}")
    closed = formula_text("Reduction, closed form", latex(found.symbols), latex(found.numbers), f"{found.closed:.4g}")
    return [*texts, reduction, closed, f":small[{LETTERS}]"]


def questions(choice: Choice, convention: Convention) -> None:
    """Show two questions about the setting on screen."""
    setting, name = choice.setting, lower(convention.compute_label)
    size = setting.kernel_size
    larger = if_legal(lambda: lesson.report("separable", replace(setting, kernel_size=size + 2)))
    few = replace(setting, out_channels=max(1, setting.out_channels // 16), groups=1)
    exercises(
        None if larger is None else Exercise(
            "larger",
            f"The kernel grows from {size} to {size + 2}. By what factor do the {name} of the separable "
            "convolution grow?",
            "×",
            larger.macs / lesson.report("separable", setting).macs,
            "Only the depthwise layer has the window. The pointwise layer, most of the cost, does not change.",
        ),
        Exercise(
            "few",
            f"With {few.out_channels} output channels instead of {setting.out_channels}: by what factor does a "
            f"separable {size}×{size} convolution reduce the {name} of a standard one?",
            "×",
            lesson.reduction("separable", few).factor,
            r"$k^2 C_{\text{out}} / (k^2 + C_{\text{out}})$: with few output channels the depthwise layer "
            "is most of the work.",
        ),
    )  # fmt: skip


def files(choice: Choice, convention: Convention) -> None:
    """Show the downloads: all kinds at this setting, and the chosen one."""
    setting = choice.setting
    rows = [(kind, lesson.report(kind, setting, convention.memory)) for kind in KINDS]
    columns = [
        Column("Convolution", lambda row: KINDS[row[0]]),
        *count_columns(convention, ("params", "macs", "memory_access"), row=lambda row: row[1]),
        Column("Reduction", lambda row: lesson.reduction(row[0], setting).factor),
    ]
    stem = file_name("effviz", choice.kind, f"{setting.kernel_size}x{setting.kernel_size}")
    table = Table(rows, columns, "")
    downloads(csv_file("Kinds", table, stem, f"{setting}. {convention.text}"), json_file(choice.design, stem))
