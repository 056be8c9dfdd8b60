"""The command reconcile: what other counters print, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from effviz import Design, Report, analyze
from effviz.cli import output
from effviz.cli.options import CommandOutput, command, json_option, takes_design
from effviz.core.units import change, exact
from effviz.count.reconcile import COUNTERS, QUANTITIES, Explanation
from effviz.count.reconcile import reconcile as explanations


@command("mobilenet_v2", "resnet18 --counter ptflops --json")
@takes_design
@click.option(
    "--counter", type=click.Choice(list(COUNTERS), case_sensitive=False), help="Only this counter, with all terms."
)
@json_option
def reconcile(design: Design, counter: str | None, is_json: bool) -> CommandOutput:
    """Explain what thop, fvcore, ptflops and other counters print for a design, from their rules."""
    report = analyze(design)
    found = [each for each in explanations(report) if counter in (None, each.counter.name)]
    if is_json:
        return CommandOutput(output.as_json([_values(each) for each in found]))
    return CommandOutput(_summary(report, found) if counter is None else _terms(report, found))


def _values(each: Explanation) -> dict[str, Any]:
    counter = {"counter": each.counter.name} | output.values(each.counter, ("version", "rule", "source", "link"))
    number = output.values(each.printed, ("name", "quantity", "call")) | {"effviz": each.ours}
    return counter | number | output.values(each, ("total", "text", "uncounted")) | {
        "terms": [output.values(term, ("label", "formula", "value")) for term in each.terms]
    }  # fmt: skip


def _summary(report: Report, found: Sequence[Explanation]) -> str:
    head = ("counter", "number", "as printed", "exact", "difference", "")
    rows = []
    for each in found:
        by = each.total - each.ours
        label = f"{each.counter.name} {each.counter.version}"
        relative = change(each.total, each.ours) if by else ""
        rows.append((label, each.printed.name, each.text, exact(each.total), f"{by:+,}" if by else "0", relative))
    counts = f"effviz: {exact(report.macs)} multiply-adds, {exact(report.params)} parameters."
    parts = [output.lines([output.heading(report.design), counts]), output.table([head, *rows], "<<<>>>")]
    return "\n".join(parts)


def _terms(report: Report, found: Sequence[Explanation]) -> str:
    counter = found[0].counter
    parts = [
        output.lines(
            [
                output.heading(report.design),
                f"{counter.name} {counter.version}: {counter.rule}",
                f"Source: {counter.source}, {counter.link}",
            ]
        )
    ]
    for each in found:
        rows = [("", exact(each.ours), f"{QUANTITIES[each.printed.quantity]} of effviz")]
        rows += [
            ("-" if term.value < 0 else "+", exact(abs(term.value)), f"{term.label}: {term.formula}")
            for term in each.terms
        ]
        rows += [("+", "0", f"not counted: {', '.join(each.uncounted)}")] if each.uncounted else []
        rows.append(("=", exact(each.total), f"{each.printed.name} of {counter.name}, printed as {each.text}"))
        parts.append(output.table(rows, ">><"))
    return "\n".join(parts)
