"""The command that searches the zoo for networks within limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from effviz.advice.budgets import Budget, format_amount
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
)
from effviz.core.units import exact

if TYPE_CHECKING:
    from effviz.studies.finder import Candidate, Found

_HEAD = (
    "network", "top-1 (%)", "multiply-adds", "parameters", "memory access", "peak (bytes)", "weights (bytes)",
    "source of top-1",
)  # fmt: skip


@command("--max-macs 300M --max-peak 256KiB --dtype int8", "--preset mcu_256k --network mobilenet_v2 --csv")
@limit_options
@preset_option
@dtype_option
@memory_option
@click.option("--network", "networks", multiple=True, metavar="NAME", help="Only this network; repeatable.")
@click.option("--retrained", is_flag=True, help="Use accuracies of other sources where the authors print none.")
@click.option("--rows", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="Rows printed.")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV.")
@json_option
def find(
    preset: str | None, dtype: str | None, memory: str, networks: tuple[str, ...], retrained: bool, rows: int,
    is_csv: bool, is_json: bool, **limits: Budget | None,
) -> CommandOutput:  # fmt: skip
    """Find networks of the zoo within limits, at usual widths and resolutions.

    A value equal to its limit fits. --max-latency uses measured and recorded latencies; networks without one do not
    fit. Each printed row is checked on a design that is built again.
    """
    if is_csv and is_json:
        raise click.UsageError("--csv and --json cannot be combined", click.get_current_context())
    chosen, budgets, dtype = budgets_of(preset, dtype, limits)
    if not budgets:
        raise no_limit()
    from effviz.studies import finder

    measured = None
    if any(each.quantity == "latency" for each in budgets):
        from effviz.measure import recorded

        measured = recorded.lookup()
    found, known = finder.find(
        budgets, dtype=dtype, memory=memory, networks=networks or None, retrained=retrained, latency=measured
    )
    printed = replace(found, fits=found.fits[:rows])
    table = finder.as_table(printed, budgets, dtype, memory, known)
    code = 0 if found.fits else EXCEEDED
    sentence = _sentence(found, budgets, dtype)
    if is_csv:
        if not found.fits:
            files.complain(f"no network fits. {sentence}")
        return CommandOutput(table.to_csv(index=False, lineterminator="\n"), code)
    if is_json:
        answer: dict[str, Any] = {"tried": found.tried, "fit": len(found.fits), "dtype": dtype, "memory": memory}
        answer |= {"limits": {each.quantity: each.limit for each in budgets}, "excluded": dict(found.excluded)}
        listed = table.astype(object).where(table.notna(), None).to_dict("records")
        return CommandOutput(output.as_json(answer | {"note": sentence, "networks": listed}), code)
    head = [f"{exact(len(found.fits))} of {exact(found.tried)} networks fit. {sentence}"]
    if found.fits:
        head += [finder.RANKING, f"Sizes in bytes: {dtype}, batch 1. Memory access: {memory}, in elements."]
    if chosen:
        head.append(f"{chosen.title}. {chosen.source}")
    if not found.fits:
        return CommandOutput(output.lines(head), code)
    body = [_row(each, dtype) for each in printed.fits]
    parts = [output.lines(head), output.table([_HEAD, *body], "<>>>>>><")]
    if len(found.fits) > rows:
        parts.append(output.lines([f"{exact(len(found.fits) - rows)} more; --rows {len(found.fits)} prints all."]))
    return CommandOutput("\n".join(parts), code)


def _sentence(found: Found, budgets: list[Budget], dtype: str) -> str:
    """Say which limit is the binding one, or, if nothing fits, which excludes the most networks."""
    from effviz.studies import finder_words

    if found.fits or not found.strictest:
        return finder_words.explained(found, budgets, dtype, format_amount)
    return finder_words.most_excluding(found, budgets, format_amount)


def _row(each: Candidate, dtype: str) -> tuple[str, ...]:
    top1 = "" if each.top1 is None else f"{each.top1:.1f}"
    counts = (each.macs, each.params, each.memory_access)
    sizes = (each.value("peak_activation", dtype), each.value("weight_size", dtype))
    return each.label, top1, *map(exact, (*counts, *sizes)), each.source
