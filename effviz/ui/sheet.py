"""A report of a design on one page for printing: budgets, stages, a diagram, the conventions and a receipt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from effviz.advice.budgets import DTYPES, QUANTITIES, Verdict
from effviz.core.printed import document
from effviz.core.resolution import in_pixels
from effviz.core.text import html_text
from effviz.core.units import exact, si
from effviz.count.kinds import KIND_COLORS
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import Report
from effviz.count.totals import block_totals
from effviz.model.layers import shape_text
from effviz.model.layout import BuiltBlock
from effviz.model.outline import stage_of
from effviz.studies.outline import title_of

LONGEST = 18
"""Rows of the table of stages: with more, the page would not fit on A4."""

_COUNTS = ("params", "macs", "memory_access")
_WIDTH, _HEIGHT, _GAP = 700, 120, 4  # of the diagram, in pixels
_STYLE = """
@page { size: A4; margin: 10mm 15mm; }
body { font-size: 9pt; line-height: 1.3; max-width: 46rem; }
header { margin-bottom: 0.6rem; }
header p { margin: 0.2rem 0 0.4rem; }
section { margin-bottom: 0.6rem; }
h2 { margin-bottom: 0.15rem; }
h1 { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
table { width: 100%; }
td, th { white-space: nowrap; }
.short { max-width: 8rem; overflow: hidden; text-overflow: ellipsis; }
.name { width: 30%; max-width: 0; overflow: hidden; text-overflow: ellipsis; }
td, th { padding: 0.04rem 0.75rem 0.04rem 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.sum td { border-top: 1px solid #8a8a94; font-weight: 600; }
.over { font-weight: 600; }
.small, .receipt { font-size: 7.5pt; color: #5a5a66; }
.receipt { overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 9px "Source Sans 3", "Source Sans Pro", "Segoe UI", Arial, sans-serif; fill: #5a5a66; }
"""


class Receipt(NamedTuple):
    """Where a report comes from.

    Attributes:
        version: of effviz.
        date: ISO date.
        link: address of the design, or the command; empty for none.
    """

    version: str
    date: str
    link: str = ""


class StageEntry(NamedTuple):
    """One row of the table of stages."""

    stage: str
    blocks: int
    block: str  # the first block in a few words
    output: str
    params: int
    macs: int
    memory_access: int


def entries(report: Report) -> list[StageEntry]:
    """Return the stages of a network; those after row `LONGEST` are one row. The sums are the totals of the report."""
    stages: dict[str, list[BuiltBlock]] = {}
    for each in report.blocks:
        stages.setdefault(stage_of(each.path), []).append(each)
    found = [_entry(report, name, blocks) for name, blocks in stages.items()]
    if len(found) <= LONGEST:
        return found
    kept, rest = found[: LONGEST - 1], found[LONGEST - 1 :]
    sums = (sum(getattr(each, name) for each in rest) for name in _COUNTS)
    return [
        *kept,
        StageEntry(f"{len(rest)} more stages", sum(each.blocks for each in rest), "", rest[-1].output, *sums),
    ]


def _entry(report: Report, stage: str, blocks: Sequence[BuiltBlock]) -> StageEntry:
    output = shape_text(block_totals(blocks[-1].block, blocks[-1].shape).out_shape)
    sums = [found for (name, _), found in report.sums.items() if name == stage]
    counts = (sum(getattr(each, name) for each in sums) for name in _COUNTS)
    return StageEntry(stage, len(blocks), title_of(blocks[0]), output, *counts)


def sheet(
    report: Report, receipt: Receipt, *, verdicts: Iterable[Verdict] = (), dtype: str = "float32", source: str = ""
) -> str:
    """Return an HTML page that a browser prints on one sheet of A4.

    Args:
        report: of the design.
        receipt: where the page comes from.
        verdicts: comparisons with limits, from `effviz.advice.budgets.check`.
        dtype: number format of sizes in bytes, a key of `DTYPES`.
        source: of the limits.
    """
    design = report.design
    scales = [
        f"{name} × {value:g}"
        for name, value in (("width", design.width_mult), ("depth", design.depth_mult))
        if value != 1
    ]
    network = ", ".join([f"input {design.in_channels} channels at {in_pixels(report.resolution)}", *scales])
    found = entries(report)
    parts = [
        _section("Totals", _totals(report, dtype)),
        _budgets(list(verdicts), dtype, source),
        _section("Multiply-adds and parameters by stage", _diagram(found)),
        _section("Stages", _stages(report, found)),
        _section("Conventions", f'<p class="small">{html_text(conventions(report.memory))}</p>'),
        _receipt(report, receipt),
    ]
    return document(html_text(design.title or design.name), f"<p>{html_text(network)}</p>", "".join(parts), _STYLE)


def conventions(memory: str) -> str:
    """Return what the numbers of a report mean."""
    return (
        "Multiply-adds: fused multiply-adds of convolution and linear layers, one image; FLOPs: 2 × multiply-adds. "
        f"Memory access, {ASSUMPTIONS[memory].label.lower()}: {ASSUMPTIONS[memory].help}; in elements, batch 1. Peak "
        "activations: largest set of live tensors, with batch norm folded and activations fused. Parameters: trainable "
        "numbers, batch norm 2 per channel."
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str], last: str = "") -> str:
    """Return a table; `kinds` are the classes of its columns, and `last` is that of its last row."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="{kind}">{html_text(cell)}</{tag}>' for cell, kind in zip(row, kinds, strict=True)
        )

    lines = [f"<tr>{cells(row, 'td')}</tr>" for row in rows]
    if last and lines:
        lines[-1] = lines[-1].replace("<tr>", f'<tr class="{last}">', 1)
    return f"<table><thead><tr>{cells(heads, 'th')}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _totals(report: Report, dtype: str) -> str:

    def in_bytes(elements: int) -> str:
        return f"{exact(elements * DTYPES[dtype])} bytes as {dtype}"

    rows = [
        ("Parameters", exact(report.params), "", in_bytes(report.params)),
        ("Multiply-adds", exact(report.macs), "", f"{exact(report.flops)} FLOPs"),
        ("Memory access", exact(report.memory_access), "elements", in_bytes(report.memory_access)),
        ("Peak activations", exact(report.peak_activation), "elements", in_bytes(report.peak_activation)),
    ]  # fmt: skip
    return _table(("Quantity", "Count", "Unit", "Also"), rows, ("", "number", "", "number"))


def _budgets(verdicts: Sequence[Verdict], dtype: str, source: str) -> str:
    if not verdicts:
        return ""

    def row(each: Verdict) -> tuple[str, ...]:
        quantity, limit = QUANTITIES[each.budget.quantity], each.budget.limit
        here = "not measured" if each.value is None else f"{_amount(each.value)} {quantity.unit}".strip()
        margin = "" if each.margin is None else f"{100 * each.margin:+.1f} %"
        verdict = {None: "not measured", True: "fits", False: "over"}[each.passed]
        return quantity.title, here, f"{_amount(limit)} {quantity.unit}".strip(), margin, verdict

    table = _table(("Budget", "Here", "Limit", "Margin", "Verdict"), map(row, verdicts), ("", *["number"] * 4))
    formats = {each.budget.quantity: each.budget.dtype or dtype for each in verdicts if each.budget.is_size}
    sizes = "".join(f"{QUANTITIES[name].title} in {format}. " for name, format in formats.items())
    note = f"{sizes}{f'Source: {source}' if source else ''}".strip()
    return _section("Budget", f'{table}<p class="small">{html_text(note)}</p>')


def _amount(value: float) -> str:
    return exact(value) if isinstance(value, int) else f"{value:,.6g}"


def _stages(report: Report, found: Sequence[StageEntry]) -> str:
    rows = [
        (each.stage, str(each.blocks), each.block, each.output, *(exact(getattr(each, name)) for name in _COUNTS))
        for each in found
    ]
    total = (
        "Network",
        str(sum(each.blocks for each in found)),
        "",
        "",
        *(exact(getattr(report, name)) for name in _COUNTS),
    )
    heads = ("Stage", "Blocks", "First block", "Output", "Parameters", "Multiply-adds", "Memory access (elements)")
    return _table(heads, [*rows, total], ("short", "number", "name", "", *["number"] * 3), "sum")


def _diagram(found: Sequence[StageEntry]) -> str:
    """Draw the multiply-adds of each stage upwards and the parameters downwards, each as a share of the largest."""
    middle, room = _HEIGHT / 2, _HEIGHT / 2 - 16
    step = _WIDTH / max(len(found), 1)
    most = {name: max([getattr(each, name) for each in found] + [1]) for name in _COUNTS}
    color = next(iter(KIND_COLORS.values()))
    shapes = []
    for at, each in enumerate(found):
        x, wide = at * step + _GAP / 2, step - _GAP
        up, down = (room * getattr(each, name) / most[name] for name in ("macs", "params"))
        shapes.append(f'<rect x="{x:.1f}" y="{middle - up:.1f}" width="{wide:.1f}" height="{up:.1f}" fill="{color}"/>')
        shapes.append(f'<rect x="{x:.1f}" y="{middle:.1f}" width="{wide:.1f}" height="{down:.1f}" fill="#8a8a94"/>')
        label = each.stage if len(each.stage) * 4.6 < wide else ""
        center = x + wide / 2
        shapes.append(f'<text x="{center:.1f}" y="{_HEIGHT - 3}" text-anchor="middle">{html_text(label)}</text>')
        if wide > 34:
            top = middle - up - 3
            shapes.append(f'<text x="{center:.1f}" y="{top:.1f}" text-anchor="middle">{si(each.macs)}</text>')
    words = "Bars by stage: multiply-adds upwards, parameters downwards, each as a share of the largest stage."
    drawing = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{"".join(shapes)}</svg>'
    return f'{drawing}<p class="small">{words}</p>'


def _receipt(report: Report, receipt: Receipt) -> str:
    counts = (
        f"{exact(report.params)} parameters, {exact(report.macs)} multiply-adds, {exact(report.memory_access)} "
        f"elements of memory access ({report.memory}), {exact(report.peak_activation)} elements of peak activations"
    )
    line = " · ".join(filter(None, (f"effviz {receipt.version}", receipt.date, counts, receipt.link)))
    return f'<p class="receipt">{html_text(line)}</p>'
