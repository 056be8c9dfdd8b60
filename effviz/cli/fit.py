"""The command that changes a design so that it meets limits."""

from __future__ import annotations

import json
from typing import Any

import click

from effviz import Design
from effviz import fit as solve
from effviz.advice.budgets import Budget, format_share, read_limits
from effviz.advice.solver import FITS, FOUND, Fit
from effviz.cli import files, output
from effviz.cli.options import (
    EXCEEDED,
    CommandOutput,
    budgets_of,
    command,
    dtype_option,
    json_option,
    limit_options,
    memory_option,
    no_limit,
    preset_option,
    takes_design,
)


@command(
    "mobilenet_v3_large --max-macs 300M --max-params 4M --max-peak 512kB --dtype int8",
    "design.json --preset mcu_256k -o small.json",
)
@takes_design
@limit_options
@preset_option
@dtype_option
@memory_option
@click.option("-o", "--output", "file", metavar="FILE", help="Write the result as JSON, which every command reads.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@json_option
def fit(
    design: Design, preset: str | None, dtype: str | None, memory: str, file: str | None, force: bool, is_json: bool,
    **limits: Budget | None,
) -> CommandOutput:  # fmt: skip
    """Change a design so that it meets all limits at once, and keep the most capacity.

    Multipliers and rows only become smaller. Capacity is the sum of the logarithms of the multiply-adds of all layers;
    accuracy is not predicted. The exit code is 1 if no variant is found.
    """
    chosen, budgets, dtype = budgets_of(preset, dtype, limits)
    if not budgets:
        raise no_limit()
    found = solve(design, read_limits(budgets, dtype), memory=memory)
    code = 0 if found.status in (FITS, FOUND) else EXCEEDED
    if file is not None and found.design is not None:
        files.save(file, found.design.to_json(indent=2) + "\n", overwrite=force)
    if is_json:
        return CommandOutput(output.as_json(_values(found, dtype, memory)), code)
    head = [output.heading(design), f"Sizes in bytes: {dtype}, batch 1. Memory access: {memory}."]
    if chosen:
        head.append(f"{chosen.title}. {chosen.source}")
    parts = [output.lines([*head, "", found.sentence])]
    if found.path:
        rows = [
            (f"{place}.", each.edit.label, f"{format_share(each.capacity)} of the capacity")
            for place, each in enumerate(found.path, 1)
        ]
        parts.append(output.table(rows, "><>"))
    parts.append(output.table((output.verdict_row(each, dtype) for each in found.verdicts), "<<><><<"))
    return CommandOutput("\n".join(parts), code)


def _values(found: Fit, dtype: str, memory: str) -> dict[str, Any]:
    """Return a result for JSON."""
    steps = [
        {
            "label": each.edit.label,
            "rows": list(each.edit.rows),
            "values": dict(each.edit.values),
            "capacity": each.capacity,
            "budgets": [output.verdict_values(verdict) for verdict in each.verdicts],
        }
        for each in found.path
    ]
    answer: dict[str, Any] = output.values(found, ("status", "sentence")) | {"dtype": dtype, "memory": memory}
    answer |= output.values(found, ("capacity", "binding", "smallest", "bound", "tried"))
    answer |= {"budgets": [output.verdict_values(each) for each in found.verdicts], "path": steps}
    return answer | {"design": None if found.design is None else json.loads(found.design.to_json())}
