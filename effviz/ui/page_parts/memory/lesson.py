"""Formulas with the current numbers, exercises, and downloads."""

from __future__ import annotations

from dataclasses import replace

from effviz.core.latex import latex, words
from effviz.core.units import exact, lower
from effviz.measure.latency import environment
from effviz.studies.guideline_shapes import Shape, ShapePair, compare, differing, formulas
from effviz.studies.guidelines.access import DEVICES, GUIDELINES, SOURCE
from effviz.studies.guidelines.theory import Point
from effviz.ui.convention import Convention
from effviz.ui.page_parts.memory.experiment import Experiment, experiment_table
from effviz.ui.page_parts.memory.theory import intensity_unit, theory_table
from effviz.ui.widgets.downloads import csv_file, downloads, file_name
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_grid, formula_text

_SMALL, _USUAL = 7, 56
_REMARKS = {
    "G1": r"The bound follows from $c_1 + c_2 \ge 2 \sqrt{c_1 c_2}$, with equality exactly for $c_1 = c_2$. The map "
    "and the multiply-adds fix the product, so only the sum depends on the ratio.",
    "G2": r"With the input $c_1$ and the multiply-adds $B$ fixed, only $B g / c_1$ changes: the output has $g$ times "
    r"the channels. The number of weights, $B / (h w)$, is constant.",
    "G3": "Every addition reads two maps and writes one. Starting a kernel takes time, no matter how little it "
    "computes.",
    "G4": "A fused ReLU runs inside the layer before it and accesses no memory.",
}
_WHY = {
    "G1": "The number of weights is equal. The sum of input and output channels grows.",
    "G2": "The output has as many times the channels as there are groups, and all of it is written.",
    "G3": r"Each fragment has $1 / \sqrt{n}$ of the channels, but there are $n$ fragments, and parallel ones are "
    "added.",
}
_NAMED = {
    "relu+shortcut": "ReLU and shortcut", "relu": "ReLU", "shortcut": "a shortcut",
    "neither": "neither ReLU nor shortcut",
}  # fmt: skip


def show_formulas(found: ShapePair, convention: Convention) -> None:
    """Show the formulas of the guideline, then the arithmetic intensity."""
    now, memory = found.now, convention.memory
    texts = [
        formula_text(each.quantity, each.symbols, each.numbers, each.value, each.unit)
        for each in formulas(found, memory)
    ]
    label, per = convention.compute_label, intensity_unit(convention)[1]
    macs, access = convention.compute(now.macs), convention.size(now.memory_access[memory])
    texts.append(formula_text(
        "Arithmetic intensity", rf"\dfrac{{{words(lower(label))}}}{{\text{{memory access}}}}",
        latex(f"{exact(macs)} / {exact(access)}"), f"{macs / access:.2f}", f"per {per}",
    ))  # fmt: skip
    formula_grid([
        *texts,
        _REMARKS[found.shape.guideline],
        "Speed is 1 / latency. The latency is the median of single forward passes, each timed separately after a "
        "warm-up. A guideline “holds” if every case differs from the first one by more than 5 % in its direction. "
        "The multiply-adds of its cases differ by at most as much.",
    ])  # fmt: skip


def show_exercises(found: ShapePair, run: Experiment, convention: Convention) -> None:
    """Show predictions about theory, and about this machine once it is measured."""
    found = differing(found)
    pair = _elementwise(found) if found.shape.guideline == "G4" else _pair(found, convention)
    exercises(*pair, _speed(run))


def _pair(found: ShapePair, convention: Convention) -> list[Exercise]:
    shape, memory = found.shape, convention.memory
    now, base = (_described(point, shape) for point in (found.now, found.base))
    first = Exercise(
        "theory", f"Compare {now} with {base} on a {shape.resolution} × {shape.resolution} map. The multiply-adds are "
        "equal. How many times the memory access does the first have?", "×", found.factor(memory),
        _WHY[shape.guideline],
    )  # fmt: skip
    if shape.guideline == "G3":
        kernels = found.now.kernels
        question = f"A network has ten blocks, each with {now}. How many kernels start for one image?"
        why = f"{kernels} per block. With one fragment per block there are 10."
        return [first, Exercise("kernels", question, "kernels", 10 * kernels, why, "{:.0f}")]
    other = _SMALL if shape.resolution != _SMALL else _USUAL
    small = compare(replace(shape, resolution=other))
    second = Exercise(
        "small", f"Compare the same pair on a {other} × {other} map. How many times the memory access does the first "
        "have now?", "×", small.factor(memory), "Both have the same number of weights on every map. The smaller the "
        "map, the larger their share of memory access.",
    )  # fmt: skip
    return [first, second]


def _described(point: Point, shape: Shape) -> str:
    if shape.guideline == "G3" and point.x > 1:
        order = "parallel" if shape.arrangement == "parallel" else "successive"
        return f"{point.x:g} {order} 1×1 convolutions {point.widths}"
    groups = f" in {point.name}" if shape.guideline == "G2" else ""
    return f"a 1×1 convolution {point.widths}{groups}"


def _elementwise(found: ShapePair) -> list[Exercise]:
    now, shape = found.now, found.shape
    return [
        Exercise(
            "share", f"A bottleneck of {shape.channels} channels with {_NAMED[shape.variant]} runs in eager mode. "
            "Which share of its memory access is element-wise?", "%", 100 * now.share("eager"),
            "Each ReLU reads and writes a map. The addition reads two maps and writes one. Neither counts as a "
            "multiply-add.", "{:.0f} %",
        ),
        Exercise(
            "fused", "Now fused: an activation runs inside the layer before it. Which share remains?", "%",
            100 * now.share("fused"), "Only the addition remains, because it reads a second map.", "{:.0f} %",
        ),
    ]  # fmt: skip


def _speed(run: Experiment) -> Exercise:
    fast, slow = run.labels[0], run.labels[-1]
    device, machine = next(iter(run.printed.items()))
    measured = slow in run.relative
    where = "On this machine" if measured else f"On the paper's {DEVICES[device]} ({device})"
    speeds = run.relative if measured else machine.relative(fast)
    published = ", ".join(f"{each.name} {each.relative(fast)[slow]:.2f}" for each in run.printed.values())
    return Exercise(
        "speed", f"{where}: the experiment's networks with “{slow}” and “{fast}” have equal multiply-adds. How fast is "
        f"“{slow}” relative to “{fast}”?", "×", speeds[slow], f"Published: {published}.",
    )  # fmt: skip


def files(found: ShapePair, run: Experiment, threads: int, convention: Convention) -> None:
    """Show the downloads of both tables with their conditions."""
    shape, guideline = found.shape, found.shape.guideline
    conditions = ", ".join(f"{name}: {value}" for name, value in environment(threads).items())
    theory = f"{GUIDELINES[guideline]}. Map {shape.resolution} × {shape.resolution}. {convention.text}"
    speeds = f"Speeds here: batch 1, {conditions}. Published speeds: {SOURCE}, table {guideline[1]}."
    stem = file_name("effviz", guideline)
    downloads(
        csv_file("Theory", lambda: theory_table(found, convention), f"{stem}-theory", theory),
        csv_file("Experiment", lambda: experiment_table(run, convention), f"{stem}-experiment", speeds),
    )
