"""The command ``search``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from effviz import Design
from effviz.advice.budgets import QUANTITIES, Budget
from effviz.cli import files, output
from effviz.cli.options import CommandOutput, command, limit_options
from effviz.core import progress
from effviz.core.errors import DesignError
from effviz.core.tabular import as_csv
from effviz.core.units import exact
from effviz.measure import store
from effviz.studies.search.run import COUNTS, SAMPLERS, StudyResult, Task, rows

_ALIGNMENT = {"network": ">", "stages": "<"}


@command(
    "--max-macs 300M --trials 300",
    "--storage postgresql://user@host/database --study mobile --workers 4 --trials 2000 --max-macs 300M",
)
@limit_options
@click.option(
    "--storage",
    metavar="PLACE",
    help="File, or URL of a database. Default: a file in the cache folder.",
)
@click.option("--study", default="", metavar="NAME", help="Name of the study. Default: one for these settings.")
@click.option("--trials", type=int, default=300, show_default=True, metavar="N", help="Networks in the study.")
@click.option("--workers", type=int, default=1, show_default=True, metavar="N", help="Processes of this machine.")
@click.option("--sampler", type=click.Choice(list(SAMPLERS)), default="nsga2", show_default=True, help="Algorithm.")
@click.option(
    "--minimize", type=click.Choice(COUNTS), multiple=True, default=["macs"], show_default=True,
    help="Count to minimize; may be repeated.",
)  # fmt: skip
@click.option("--latency", "measures", is_flag=True, help="Also minimize the latency measured on this machine.")
@click.option("--seed", type=int, metavar="N", help="Of the random numbers. Default: a random one.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True,
    help="Of the front; json contains the designs.",
)  # fmt: skip
def search(
    storage: str | None, study: str, trials: int, workers: int, sampler: str, minimize: tuple[str, ...],
    measures: bool, seed: int | None, form: str, **limits: Budget | None,
) -> CommandOutput:  # fmt: skip
    """Search a space like MnasNet's for networks with low cost and high entropy.

    The result is the Pareto front of exact counts and of the entropy of DeepMAD, which stands for capacity. Accuracy is
    not predicted. A study is continued until it has N networks, also by several machines that share a database.
    """
    from effviz.studies.search.workers import search_together

    budgets = tuple(limits[quantity] for quantity in QUANTITIES if limits.get(quantity))
    task = Task(
        study, trials, (*minimize, *(["latency"] if measures else [])), tuple(each for each in budgets if each),
        sampler=sampler, seed=seed,
    )  # fmt: skip
    if storage == "":
        raise DesignError("storage is empty; it must be a file or the URL of a database")
    before, progress.report = progress.report, _show
    try:
        with TemporaryDirectory() as folder:
            place = storage or str((store.cache_folder("search") or Path(folder)) / "command_line.log")
            found = search_together(task, place, workers, _median_ms if measures else None)
    finally:
        _show(0.0, "")
        progress.report = before
    return CommandOutput(_FORMATS[form](task, found), 0 if found.within else 1)


def _median_ms(design: Design) -> float:
    """Measure a network in the torch process, without the log of that process."""
    from effviz.measure.latency import LatencyError, measure_latency

    try:
        with files.silent_children():
            return measure_latency(design).median_ms
    except LatencyError as error:
        raise click.ClickException(str(error)) from None


def _show(_: float, message: str) -> None:
    """Show the progress in one line of a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r\x1b[K{message}", end="", file=sys.stderr, flush=True)


def _table(task: Task, found: StudyResult) -> str:
    limits = [f"{QUANTITIES[each.quantity].title} at most {each.limit:,}" for each in task.budgets]
    head = [
        f"Study {task.study}: {exact(found.finished)} networks, {exact(found.within)} within the limits, "
        f"{len(found.front)} on the front.",
        *limits,
        "Entropy: a measure of capacity (DeepMAD, arXiv 2303.02165), not a prediction of accuracy.",
        "Stages: kernel size k, expand ratio e, SE ratio se, layers n, width factor w.",
    ]
    body = rows(found)
    if not body:
        return output.lines(head)
    cells = [[_cell(value) for value in row.values()] for row in body]
    alignment = "".join(_ALIGNMENT.get(name, ">") for name in body[0])
    return f"{output.lines(head)}\n{output.table([list(body[0]), *cells], alignment)}"


def _cell(value: Any) -> str:
    return exact(value) if isinstance(value, int) else f"{value:,.1f}" if isinstance(value, float) else str(value)


def _json(task: Task, found: StudyResult) -> str:
    front = [
        row | {"design": json.loads(each.design.to_json())}
        for row, each in zip(rows(found), found.front, strict=True)
    ]  # fmt: skip
    settings = json.loads(task.settings)
    counts = {"study": task.study, "finished": found.finished, "within_limits": found.within}
    return output.as_json(counts | {"settings": settings, "front": front})


def _csv(_: Task, found: StudyResult) -> str:
    body = rows(found)
    return as_csv(list(body[0]) if body else ["network"], (each.values() for each in body))


_FORMATS: dict[str, Callable[[Task, StudyResult], str]] = {"table": _table, "json": _json, "csv": _csv}
