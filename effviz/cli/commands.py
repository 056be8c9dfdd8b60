"""The commands, built on click. Each returns an `Answer`, which `main` prints."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from effviz import ARCHITECTURES, Design, DesignError, __version__, analyze, architecture, compound_scale
from effviz.advice.budgets import DTYPES, PRESETS, QUANTITIES, Budget, parse_amount
from effviz.advice.budgets import check as check_budgets
from effviz.cli import files, output
from effviz.core.errors import unknown
from effviz.core.resolution import Resolution, compact_size, parse_resolution
from effviz.core.text import csv_text, visible
from effviz.core.units import exact
from effviz.count.memory import ASSUMPTIONS

if TYPE_CHECKING:
    from effviz.measure.latency import Latency

EXCEEDED, REFUSED, UNFORESEEN, INTERRUPTED, PIPE_CLOSED = 1, 2, 70, 130, 141

PROGRAM = "effviz" if Path(sys.argv[0]).stem == "effviz" else "python -m effviz"
"""How this process was started, for help and error messages."""

_TOTALS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "flops": "FLOPs",
    "activations": "activations",
    "memory_access": "memory access cost",
    "peak_activation": "peak activations",
}
_LAYER_COLUMNS = ("path", "kind", "output_shape", "params", "macs", "memory_access", "alive")
# Quantity, option, example.
_LIMITS = (
    ("params", "--max-params", "4M"),
    ("macs", "--max-macs", "300M"),
    ("memory_access", "--max-memory-access", "20M"),
    ("peak_activation", "--max-peak", "256kB"),
    ("weight_size", "--max-weights", "1MB"),
    ("latency", "--max-latency", "33ms"),
)


class Answer(NamedTuple):
    """The output of a command and its exit code."""

    text: str = ""
    code: int = 0


Function = Callable[..., Answer]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print its output or its error.

    Args:
        arguments: the command line after the program's name; None for that of this process.

    Returns:
        The exit code.
    """
    try:
        # Not `cli.main`: it prints an empty line on Ctrl-C and handles a closed pipe itself.
        with cli.make_context(PROGRAM, list(sys.argv[1:] if arguments is None else arguments)) as context:
            answer: Answer = cli.invoke(context)
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
        extra = "torch" if package == "torch" else "app"
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


# --- options --------------------------------------------------------------------------------------------------------


def _printed(names: Sequence[str], text: Callable[[click.Context], str], help: str) -> click.Option:
    """Return an option that prints a text and exits. click's own would raise if standard output cannot be written."""

    def callback(context: click.Context, _: click.Parameter, is_set: bool) -> None:
        if is_set:
            files.write(text(context) + "\n")
            context.exit()

    return click.Option(names, is_flag=True, expose_value=False, is_eager=True, help=help, callback=callback)


_HELP = _printed(["-h", "--help"], click.Context.get_help, "Show this message and exit.")
_VERSION = _printed(["--version"], lambda _: f"effviz {__version__}", "Show the version and exit.")
_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")
_memory = click.option(
    "--memory", type=click.Choice(list(ASSUMPTIONS)), default="fused", show_default=True, help="Memory assumption."
)


@click.group(
    params=[_VERSION, _HELP],
    no_args_is_help=False,
    epilog="Exit codes: 0 success, 1 a limit is exceeded, 2 wrong input or failure, 70 a fault in effviz, "
    "130 interrupted.",
)
def cli() -> None:
    """Count the exact cost of efficient convolutional networks."""


def _command(*examples: str, **settings: Any) -> Callable[[Function], click.Command]:
    """Make a function a command. Its help consists of the docstring, the options and the examples."""

    def decorate(function: Function) -> click.Command:
        name = function.__name__.strip("_")
        epilog = "\n".join(["\b", "Examples:", *(f"  {PROGRAM} {name} {each}".rstrip() for each in examples)])
        command = cli.command(name, epilog=epilog, **settings)(function)
        command.params.append(_HELP)
        return command

    return decorate


def _resolution(_: click.Context, option: click.Parameter, text: str | None) -> Resolution | None:
    """Parse the value of an option that sets a resolution."""
    try:
        return None if text is None else parse_resolution(text)
    except DesignError as error:
        # click's message names the option.
        raise click.BadParameter(str(error).removeprefix("resolution = ")) from None


def _takes_design(function: Function) -> Function:
    """Add the argument DESIGN and the options that scale it. `function` receives the scaled design."""

    @click.argument("source", metavar="DESIGN")
    @click.option("--groups", type=int, metavar="G", help="Groups of a named network that exists with several.")
    @click.option("--variant", metavar="V", help="Another implementation of a named network, such as teaching.")
    @click.option("--classes", type=int, metavar="N", help="Number of classes.")
    @click.option("--in-channels", type=int, metavar="C", help="Channels of the image: 1 for grayscale, 3 for RGB.")
    @click.option("--width", type=float, default=1.0, metavar="W", help="Width multiplier.")
    @click.option("--depth", type=float, default=1.0, metavar="D", help="Depth multiplier.")
    @click.option("--phi", type=float, metavar="P", help="Compound scaling with EfficientNet's coefficients.")
    @click.option(
        "--resolution", callback=_resolution, metavar="R", help="Side in pixels, or height x width: 512x2048."
    )
    @functools.wraps(function)
    def command(
        source: str, groups: int | None, variant: str | None, classes: int | None, in_channels: int | None,
        width: float, depth: float, phi: float | None, resolution: Resolution | None, **options: Any,
    ) -> Answer:  # fmt: skip
        design = files.load(source, groups, variant)
        if classes is not None:
            design = design.with_num_classes(classes)
        if in_channels is not None:
            design = replace(design, in_channels=in_channels)
        design = design.scaled(width_mult=width, depth_mult=depth)
        if phi is not None:
            design = compound_scale(design, phi)
        return function(design.scaled(resolution=resolution), **options)

    command.__doc__ = f"""{function.__doc__}

    DESIGN is an architecture's name, a JSON file, or - for standard input. The scaling options apply in the order of
    the list below, with the rounding rule of the design's family.
    """
    return command


def _budget(_: click.Context, option: click.Parameter, text: str | None) -> Budget | None:
    """Parse the value of an option that sets a limit."""
    quantity = str(option.name)
    try:
        return None if text is None else Budget(quantity, parse_amount(text, quantity))
    except DesignError as error:
        # click's message names the option instead of the quantity.
        raise click.BadParameter(str(error).removeprefix(f"{quantity} = ")) from None


def _limit_options(function: Function) -> Function:
    for quantity, option, example in reversed(_LIMITS):
        text = QUANTITIES[quantity].what
        function = click.option(option, quantity, callback=_budget, metavar=example, help=text)(function)
    return function


# --- commands -------------------------------------------------------------------------------------------------------


@_command("", "--family MobileNet --json")
@click.option("--family", help="Only this family.")
@_json
def list_(family: str | None, is_json: bool) -> Answer:
    """List the architectures."""
    reports = [analyze(architecture(name)) for name in ARCHITECTURES]
    families = dict.fromkeys(report.design.family for report in reports)
    if family is not None:
        reports = [report for report in reports if report.design.family.casefold() == family.casefold()]
        if not reports:
            unknown("family", family, families)
    if is_json:
        keys, counts = ("name", "title", "family", "source", "resolution"), ("params", "macs")
        return Answer(
            output.as_json([output.values(each.design, keys) | output.values(each, counts) for each in reports])
        )
    head = ("name", "title", "pixels", "parameters", "multiply-adds")
    body = [
        (each.design.name, each.design.title, compact_size(each.resolution), exact(each.params), exact(each.macs))
        for each in reports
    ]
    return Answer(output.table([head, *body], "<<>>>"))


@_command("efficientnet_b0 --phi 1 --layers", "design.json --memory eager --json")
@_takes_design
@_memory
@click.option("--layers", is_flag=True, help="Also print one line per layer.")
@click.option("--csv", "is_csv", is_flag=True, help="Print the layers as CSV; --memory applies.")
@_json
def report(design: Design, memory: str, layers: bool, is_csv: bool, is_json: bool) -> Answer:
    """Count the cost of a design, in total and layer by layer."""
    if is_csv and is_json:
        raise click.UsageError("--csv and --json cannot be combined", click.get_current_context())
    counted = analyze(design, memory=memory)
    if is_csv:
        safe = counted.table.map(lambda cell: csv_text(visible(cell)) if isinstance(cell, str) else cell)
        return Answer(safe.to_csv(index=False, lineterminator="\n"))
    # The table loads pandas.
    rows: list[dict[str, Any]] = counted.table.to_dict("records") if layers else []
    if is_json:
        keys = ("name", "title", "resolution", "in_channels", "width_mult", "depth_mult")
        answer = output.values(design, keys) | output.values(counted, (*_TOTALS, "memory"))
        answer |= {"convention": " ".join(output.convention(memory))}
        return Answer(output.as_json(answer | ({"layers": rows} if layers else {})))
    totals = [(label, exact(getattr(counted, name))) for name, label in _TOTALS.items()]
    parts = [output.lines([output.heading(design), *output.convention(memory)]), output.table(totals, "<>")]
    if layers:
        cells = ([row[column] for column in _LAYER_COLUMNS] for row in rows)
        texts = [[exact(cell) if isinstance(cell, int) else str(cell) for cell in row] for row in cells]
        parts.append(output.table([_LAYER_COLUMNS, *texts], "<<<>>>>"))
    return Answer("\n".join(parts))


@_command("design.json --max-macs 300M --max-params 4M", "resnet18 --preset mcu_256k --lint")
@_takes_design
@_limit_options
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Limits for a purpose.")
@click.option("--dtype", type=click.Choice(list(DTYPES)), help="Number format. Default: the preset's, else float32.")
@_memory
@click.option("--lint", is_flag=True, help="Also print the findings of the lint rules.")
@click.option("--strict-lint", is_flag=True, help="Fail if there are findings.")
@_json
def check(
    design: Design, preset: str | None, dtype: str | None, memory: str, lint: bool, strict_lint: bool, is_json: bool,
    **limits: Budget | None,
) -> Answer:  # fmt: skip
    """Check a design against limits. A value equal to its limit passes."""
    chosen = PRESETS[preset] if preset else None
    named = {each.quantity: each for each in chosen.budgets} if chosen else {}
    named |= {quantity: each for quantity, each in limits.items() if each}
    budgets = [named[quantity] for quantity in QUANTITIES if quantity in named]
    if not (budgets or lint or strict_lint):
        options = ", ".join(option for _, option, _ in _LIMITS)
        raise click.ClickException(f"no limit is set; use {options}, --preset, --lint or --strict-lint")
    dtype = dtype or (chosen.dtype if chosen else "float32")
    counted = analyze(design, memory=memory)
    latency = _measure(design) if "latency" in named else None
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
        return Answer(output.as_json(answer), code)
    parts = [output.lines(output.conditions(counted, dtype, chosen, latency))]
    if verdicts:
        parts.append(output.table(map(output.verdict_row, verdicts), "<<><><<"))
    if findings is not None:
        parts.append(output.lines(output.finding_lines(findings, "FAIL" if strict_lint else "note")))
    return Answer("\n".join(parts), code)


def _findings(design: Design) -> list[dict[str, Any]]:
    from effviz.advice.lint import lint

    keys = ("rule", "row", "path", "where", "why")
    return [output.values(each, keys) | {"fix": each.fix and each.fix.label} for each in lint(design)]


@_command("mobilenet_v2 --width 0.75 -o net.py", "resnet18 --json -o resnet18.json")
@_takes_design
@click.option("-o", "--output", "file", default="-", show_default=True, metavar="FILE", help="- is standard output.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--json", "is_json", is_flag=True, help="Write JSON, which every command reads.")
def export(design: Design, file: str, force: bool, is_json: bool) -> Answer:
    """Export a design as PyTorch code or JSON."""
    if not file:
        raise click.ClickException("the file name after -o is empty")
    if is_json:
        # Raises for a design that cannot be built, as export_torch does.
        design.blocks()
        text = design.to_json(indent=2) + "\n"
    else:
        from effviz.export import export_torch

        text = export_torch(design)
    if file == "-":
        return Answer(text)
    files.save(file, text, overwrite=force)
    return Answer()


@_command("mobilenet_v2", "design.json --batch 8 --threads 2 --json")
@_takes_design
@click.option("--batch", type=int, default=1, show_default=True, metavar="N", help="Images per run.")
@click.option("--threads", type=int, default=1, show_default=True, metavar="N", help="Threads of PyTorch.")
@_json
def latency(design: Design, batch: int, threads: int, is_json: bool) -> Answer:
    """Measure the latency of a design with PyTorch on this CPU."""
    measured = _measure(design, batch, threads)
    if is_json:
        return Answer(output.as_json({"name": design.name} | measured.to_dict() | {"noisy": measured.noisy}))
    conditions = "Forward passes of PyTorch on this CPU, random weights, each run timed separately."
    head = output.lines([output.heading(design), conditions])
    return Answer(f"{head}\n{output.table(output.latency_rows(measured), '<<')}")


def _measure(design: Design, batch_size: int = 1, threads: int = 1) -> Latency:
    """Measure in the torch process, without the log of that process."""
    from effviz.measure.latency import LatencyError, measure_latency

    try:
        with files.silent_children():
            return measure_latency(design, batch_size=batch_size, threads=threads)
    except LatencyError as error:
        raise click.ClickException(str(error)) from None


@_command("", "--json")
@_json
def lessons(is_json: bool) -> Answer:
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
        return Answer(output.as_json([dict(zip(("lesson", "step", "answer"), row, strict=True)) for row in rows]))
    return Answer(output.table(rows, "<<<"))


@_command("--port 8600", "--address 0.0.0.0", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, metavar="N", help="Port of the server. Default: 8501.")
@click.option("--address", metavar="HOST", help="Address that the server listens on; 0.0.0.0: all. Default: localhost.")
@click.argument("streamlit_options", metavar="[STREAMLIT OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
def app(port: int | None, address: str | None, streamlit_options: tuple[str, ...]) -> Answer:
    """Start the web app. Other options are passed to 'streamlit run'."""
    from effviz.ui.server import serve

    chosen = {"--server.port": port, "--server.address": address}
    serve([*(f"{name}={value}" for name, value in chosen.items() if value is not None), *streamlit_options])
    return Answer()
