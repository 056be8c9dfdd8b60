"""Chart of the memory plan of a microcontroller: the tensors in the arena over time."""

from effviz.charts import draw
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text, visible
from effviz.core.units import binary, exact, percent, short_binary
from effviz.count.microcontroller.report import MicrocontrollerReport

_MOST = 1_000
"""Rectangles of a chart."""


def arena_plan(report: MicrocontrollerReport, look: Appearance, limit: tuple[float, str] | None = None) -> Chart:
    """Draw a rectangle for each buffer: the operators during which it lives, and its bytes in the arena.

    The buffers of the operator that needs the most memory have the accent color. The last number in the customdata of a
    rectangle is the place of its operator.

    Args:
        report: of the network.
        look: of the chart.
        limit: bytes of SRAM, and as text; drawn as a horizontal line where it leaves room for the interpreter.
    """
    alive, count = report.alive, len(report.graph.operators)
    worst = max(range(len(alive)), key=alive.__getitem__)
    drawn = report.buffers
    if len(drawn) > _MOST:
        drawn = tuple(sorted(drawn, key=lambda each: each.buffer.size, reverse=True)[:_MOST])
    buffers = [each.buffer for each in drawn]
    marked = [each.first <= worst <= each.last for each in buffers]
    texts = [
        [plotly_text(each.path), binary(each.size), each.kind, f"{each.first + 1} to {each.last + 1}", each.first]
        for each in buffers
    ]
    bars: Spec = {
        "type": "bar",
        "x": [(each.first + each.last) / 2 + 1 for each in buffers],
        "width": [each.last - each.first + 1 for each in buffers],
        "y": [each.size for each in buffers],
        "base": [each.offset for each in drawn],
        "marker": {
            "color": [look.accent if each else look.muted for each in marked],
            "opacity": 0.55,
            "line": {"color": look.paper, "width": 1},
        },
    }
    hover = draw.hover("%{customdata[0]}<br>%{customdata[1]}, %{customdata[2]}<br>operators %{customdata[3]}", texts)
    title = f"The tensors need {binary(report.tensors)}"
    if count:
        title += f", the most for {visible(report.graph.operators[worst].path)}"
    layout: Spec = {
        "xaxis": draw.axis(f"Operators in execution order ({count})", range=[0.5, len(alive) + 0.5]),
        "yaxis": draw.axis("Place in the arena", **_places(max(report.tensors, limit[0] if limit else 0))),
    }
    if limit is not None:
        most, said = limit
        room = most - report.interpreter
        if room > 0:
            layout["shapes"] = [draw.rule(look.accent, 2, "dash", y=room)]
            note = f"{said} less the interpreter"
            layout["annotations"] = [draw.note(count + 0.5, room, note, look.accent, 13, yshift=9, xanchor="right")]
        title += f"; with the interpreter {percent(report.arena / most)} of {said}"
    used = sum(each.buffer.first <= worst <= each.buffer.last for each in report.buffers)
    at_worst = f"There, {plural(used, 'buffer')} of {exact(alive[worst])} bytes are in memory"
    gaps = report.tensors - max(alive)
    lost = f"The planner's gaps add {exact(gaps)} bytes" if gaps else "The plan has no gaps at its highest place"
    left_out = f"Only the {exact(_MOST)} largest of {exact(len(report.buffers))} are drawn"
    return chart(
        look, 300, [bars | hover], layout, title, at_worst, lost, left_out if len(drawn) < len(report.buffers) else ""
    )


def _places(end: float) -> Spec:
    """Build ticks at round numbers of bytes, powers of two of KiB."""
    step = 1024
    while end / step > 6:
        step *= 2
    values = list(range(0, int(end) + step, step))
    return {"range": [0, max(end, 1)], **draw.ticks(values, short_binary)}


check_border(globals())
