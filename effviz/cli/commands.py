"""The commands, built on click. Each returns an `CommandOutput`, which `main` prints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from effviz import ARCHITECTURES, Design, DesignError, Report, __version__, analyze, architecture
from effviz.advice.budgets import Budget
from effviz.advice.budgets import check as check_budgets
from effviz.cli import files, output
from effviz.cli.options import (
    DESIGN_OPTIONS,
    EXCEEDED,
    INTERRUPTED,
    PIPE_CLOSED,
    PROGRAM,
    REFUSED,
    UNFORESEEN,
    CommandOutput,
    budgets_of,
    chosen_design,
    cli,
    command,
    dtype_option,
    json_option,
    limit_options,
    memory_option,
    no_limit,
    preset_option,
    takes_design,
)
from effviz.core.errors import unknown
from effviz.core.resolution import compact_size
from effviz.core.text import csv_text, visible
from effviz.core.units import exact
from effviz.studies.variants import VariantTerm, for_reading, itemized

if TYPE_CHECKING:
    from effviz.measure.latency import Latency

_TOTALS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "flops": "FLOPs",
    "activations": "activations",
    "memory_access": "memory access cost",
    "peak_activation": "peak activations",
}
_OF_SEARCH = ("filelock", "optuna", "sqlalchemy")
_LAYER_COLUMNS = ("path", "kind", "output_shape", "params", "macs", "memory_access", "alive")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print its output or its error.

    Args:
        arguments: the command line after the program's name; None for that of this process.

    Returns:
        The exit code.
    """
    try:
        # Not `cli.main`: it prints an empty line on Ctrl-C and handles a closed pipe itself.
        given = list(sys.argv[1:] if arguments is None else arguments)
        with cli.make_context(PROGRAM, [*given], obj=shlex.join(["effviz", *given])) as context:
            answer: CommandOutput = cli.invoke(context)
        files.write(answer.text)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except click.ClickException as error:
        usage: click.Context | None = getattr(error, "ctx", None)
        files.complain(error.format_message() + (f" ({usage.command_path} --help)" if usage else ""))
        return REFUSED
    except DesignError as error:
        files.complain(str(error))
        return REFUSED
    except ModuleNotFoundError as error:
        # `pip install effviz` installs neither torch nor the app.
        package = str(error.name).partition(".")[0]
        extra = package if package in ("torch", "onnx") else "search" if package in _OF_SEARCH else "app"
        files.complain(f"this command needs {package}: pip install 'effviz[{extra}]'")
        return REFUSED
    except BrokenPipeError:
        return PIPE_CLOSED
    except KeyboardInterrupt:
        files.complain("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- a fault of the program has a separate code and no traceback
        files.complain(f"a fault in effviz, please report it: {type(error).__name__}: {error}")
        return UNFORESEEN
    return answer.code


# --- commands -------------------------------------------------------------------------------------------------------


@command("", "--family MobileNet --json")
@click.option("--family", help="Only this family.")
@json_option
def list_(family: str | None, is_json: bool) -> CommandOutput:
    """List the architectures."""
    reports = [analyze(architecture(name)) for name in ARCHITECTURES]
    families = dict.fromkeys(report.design.family for report in reports)
    if family is not None:
        reports = [report for report in reports if report.design.family.casefold() == family.casefold()]
        if not reports:
            unknown("family", family, families)
    if is_json:
        keys, counts = ("name", "title", "family", "source", "resolution"), ("params", "macs")
        return CommandOutput(
            output.as_json([output.values(each.design, keys) | output.values(each, counts) for each in reports])
        )
    head = ("name", "title", "pixels", "parameters", "multiply-adds")
    body = [
        (each.design.name, each.design.title, compact_size(each.resolution), exact(each.params), exact(each.macs))
        for each in reports
    ]
    return CommandOutput(output.table([head, *body], "<<>>>"))


@command("efficientnet_b0 --phi 1 --layers", "mobilenet_v2 --variant teaching", "design.json --memory eager --json")
@takes_design
@memory_option
@click.option("--layers", is_flag=True, help="Also print one line per layer.")
@click.option("--csv", "is_csv", is_flag=True, help="Print the layers as CSV; --memory applies.")
@click.option("--html", "is_html", is_flag=True, help="Print a page that a browser prints on one sheet of A4.")
@json_option
def report(design: Design, memory: str, layers: bool, is_csv: bool, is_html: bool, is_json: bool) -> CommandOutput:
    """Count the cost of a design, in total and layer by layer."""
    formats = [name for name, chosen in (("--csv", is_csv), ("--html", is_html), ("--json", is_json)) if chosen]
    if len(formats) > 1:
        raise click.UsageError(f"{' and '.join(formats)} cannot be combined", click.get_current_context())
    counted = analyze(design, memory=memory)
    if is_html:
        return CommandOutput(_sheet(counted))
    if is_csv:
        safe = counted.table.map(lambda cell: csv_text(visible(cell)) if isinstance(cell, str) else cell)
        return CommandOutput(safe.to_csv(index=False, lineterminator="\n"))
    terms = _variant_terms()
    # The table loads pandas.
    rows: list[dict[str, Any]] = counted.table.to_dict("records") if layers else []
    if is_json:
        keys = ("name", "title", "resolution", "in_channels", "width_mult", "depth_mult")
        answer = output.values(design, keys) | output.values(counted, (*_TOTALS, "memory"))
        answer |= {"convention": " ".join(output.convention(memory))}
        if terms:
            items = [output.values(each, ("reason", "where", "params", "macs")) for each in terms]
            answer |= {"variant": design.variant, "difference_to_default": items}
        return CommandOutput(output.as_json(answer | ({"layers": rows} if layers else {})))
    totals = [(label, exact(getattr(counted, name))) for name, label in _TOTALS.items()]
    parts = [output.lines([output.heading(design), *output.convention(memory)]), output.table(totals, "<>")]
    if terms:
        parts.append(_difference(design.variant, terms))
    if layers:
        cells = ([row[column] for column in _LAYER_COLUMNS] for row in rows)
        texts = [[exact(cell) if isinstance(cell, int) else str(cell) for cell in row] for row in cells]
        parts.append(output.table([_LAYER_COLUMNS, *texts], "<<<>>>>"))
    return CommandOutput("\n".join(parts))


def _sheet(counted: Report) -> str:
    from datetime import date

    from effviz.ui.sheet import Receipt, sheet

    return sheet(counted, Receipt(__version__, date.today().isoformat(), click.get_current_context().obj))


def _variant_terms() -> tuple[VariantTerm, ...]:
    """Return the terms of the difference between the variant of the command line and the default."""
    chosen = {name: click.get_current_context().params[name] for name in DESIGN_OPTIONS}
    if chosen["variant"] is None:
        return ()
    return itemized(
        chosen_design(**chosen | {"variant": None}), chosen["source"], chosen["variant"], chosen["groups"]
    )  # fmt: skip


def _difference(variant: str, terms: Sequence[VariantTerm]) -> str:
    shown, idle = for_reading(terms)
    head = [
        f"Difference between {variant} and the default:" if shown else f"{variant} and the default have equal counts."
    ]
    if idle:
        head.append(f"Without effect here: {'; '.join(idle)}.")
    rows = [(f"{each.params:+,}", f"{each.macs:+,}", each.where, each.reason) for each in shown]
    body = output.table([("parameters", "multiply-adds", "stage", "rule"), *rows], ">><<") if shown else ""
    return output.lines(head) + body


@command("design.json --max-macs 300M --max-params 4M", "resnet18 --preset mcu_256k --lint")
@takes_design
@limit_options
@preset_option
@dtype_option
@memory_option
@click.option("--lint", is_flag=True, help="Also print the findings of the lint rules.")
@click.option("--strict-lint", is_flag=True, help="Fail if there are findings.")
@json_option
def check(
    design: Design, preset: str | None, dtype: str | None, memory: str, lint: bool, strict_lint: bool, is_json: bool,
    **limits: Budget | None,
) -> CommandOutput:  # fmt: skip
    """Check a design against limits. A value equal to its limit passes."""
    chosen, budgets, dtype = budgets_of(preset, dtype, limits)
    if not (budgets or lint or strict_lint):
        raise no_limit("--lint", "--strict-lint")
    counted = analyze(design, memory=memory)
    latency = _measure(design) if any(each.quantity == "latency" for each in budgets) else None
    verdicts = check_budgets(counted, budgets, dtype=dtype, latency_ms=latency.median_ms if latency else None)
    findings = _findings(design) if lint or strict_lint else None
    passed = all(each.passed for each in verdicts) and not (strict_lint and findings)
    code = 0 if passed else EXCEEDED
    if is_json:
        answer: dict[str, Any] = {
            "name": design.name,
            "resolution": design.resolution,
            "dtype": dtype,
            "memory": memory,
        }
        answer |= {"passed": passed, "budgets": [output.verdict_values(each) for each in verdicts]}
        answer |= {"latency": latency.to_dict() | {"noisy": latency.noisy}} if latency else {}
        answer |= {"findings": findings} if findings is not None else {}
        return CommandOutput(output.as_json(answer), code)
    parts = [output.lines(output.conditions(counted, dtype, chosen, latency))]
    if verdicts:
        parts.append(output.table((output.verdict_row(each, dtype) for each in verdicts), "<<><><<"))
    if findings is not None:
        parts.append(output.lines(output.finding_lines(findings, "FAIL" if strict_lint else "note")))
    return CommandOutput("\n".join(parts), code)


def _findings(design: Design) -> list[dict[str, Any]]:
    from effviz.advice.lint import lint

    keys = ("rule", "row", "path", "where", "why")
    return [output.values(each, keys) | {"fix": each.fix and each.fix.label} for each in lint(design)]


@command("mobilenet_v2 --width 0.75 -o net.py", "resnet18 --format onnx -o resnet18.onnx")
@takes_design
@click.option("-o", "--output", "file", default="-", show_default=True, metavar="FILE", help="- is standard output.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--format", "form", type=click.Choice(["torch", "keras", "onnx", "json"]),
    help="PyTorch code (the default), Keras code, an ONNX file with random weights, or JSON, which all commands read.",
)  # fmt: skip
@click.option("--json", "is_json", is_flag=True, help="The same as --format json.")
@click.option("--seed", type=int, metavar="N", help="Seed of the weights in ONNX. Default: 0.")
def export(design: Design, file: str, force: bool, form: str | None, is_json: bool, seed: int | None) -> CommandOutput:
    """Export a design as PyTorch or Keras code, as an ONNX file or as JSON."""
    if not file:
        raise click.ClickException("the file name after -o is empty")
    if is_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} cannot be combined", click.get_current_context())
    form = "json" if is_json else form or "torch"
    if seed is not None and form != "onnx":
        raise click.UsageError("--seed needs --format onnx", click.get_current_context())
    if form == "onnx" and file == "-":
        raise click.UsageError("an ONNX file needs a name: -o FILE", click.get_current_context())
    content = _exported(design, form, seed or 0)
    if isinstance(content, str) and file == "-":
        return CommandOutput(content)
    files.save(file, content, overwrite=force)
    return CommandOutput()


def _exported(design: Design, form: str, seed: int) -> str | bytes:
    from effviz import export as exporters

    if form == "json":
        # Raises for a design that cannot be built, as the other formats do.
        design.blocks()
        return design.to_json(indent=2) + "\n"
    if form == "onnx":
        return exporters.export_onnx(design, seed)
    return exporters.export_keras(design) if form == "keras" else exporters.export_torch(design)


@command("mobilenet_v2", "design.json --batch 8 --threads 2 --json")
@takes_design
@click.option("--batch", type=int, default=1, show_default=True, metavar="N", help="Images per run.")
@click.option("--threads", type=int, default=1, show_default=True, metavar="N", help="Threads of PyTorch.")
@json_option
def latency(design: Design, batch: int, threads: int, is_json: bool) -> CommandOutput:
    """Measure the latency of a design with PyTorch on this CPU."""
    measured = _measure(design, batch, threads)
    if is_json:
        return CommandOutput(output.as_json({"name": design.name} | measured.to_dict() | {"noisy": measured.noisy}))
    conditions = "Forward passes of PyTorch on this CPU, random weights, each run timed separately."
    head = output.lines([output.heading(design), conditions])
    return CommandOutput(f"{head}\n{output.table(output.latency_rows(measured), '<<')}")


def _measure(design: Design, batch_size: int = 1, threads: int = 1) -> Latency:
    """Measure in the torch process, without the log of that process."""
    from effviz.measure.latency import LatencyError, measure_latency

    try:
        with files.silent_children():
            return measure_latency(design, batch_size=batch_size, threads=threads)
    except LatencyError as error:
        raise click.ClickException(str(error)) from None


@command("", "--json")
@json_option
def lessons(is_json: bool) -> CommandOutput:
    """Check the files of the lessons, and compute all their answers and worksheets."""
    from effviz.lessons.lesson import ORDER, lesson
    from effviz.lessons.worksheet import check_variants

    rows = []
    for name in ORDER:
        chosen = lesson(name)
        check_variants(chosen)
        rows += [(name, step.name, step.prediction.show(step.prediction.value()))
                 for step in chosen.steps if step.prediction is not None]  # fmt: skip
    if is_json:
        return CommandOutput(
            output.as_json([dict(zip(("lesson", "step", "answer"), row, strict=True)) for row in rows])
        )
    return CommandOutput(output.table(rows, "<<<"))


@command("--port 8600", "--address 0.0.0.0", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="Port of the server. Default: 8501.")
@click.option("--address", metavar="HOST", help="Address that the server listens on; 0.0.0.0: all. Default: localhost.")
@click.argument("streamlit_options", metavar="[STREAMLIT OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
def app(port: int | None, address: str | None, streamlit_options: tuple[str, ...]) -> CommandOutput:
    """Start the web app. Other options are passed to 'streamlit run'."""
    from effviz.ui.server import serve

    chosen = {"--server.port": port, "--server.address": address}
    serve([*(f"{name}={value}" for name, value in chosen.items() if value is not None), *streamlit_options])
    return CommandOutput()
