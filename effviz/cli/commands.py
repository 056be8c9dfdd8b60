"""The command line: ``python -m effviz list | report | check | export | latency``.

A command makes its whole answer before anything is printed, so that a script gets all of it or none. What cannot be
done is one line on standard error, ``effviz: ...``, never a traceback.

    $ python -m effviz check mobilenet_v2 --max-macs 300M --max-params 4M
    MobileNetV2 (mobilenet_v2), input 3 x 224 x 224
    Sizes in bytes: float32, batch 1. Memory access: fused.

    pass  parameters       3,504,872  limit    4,000,000    12 % left
    FAIL  multiply-adds  300,774,272  limit  300,000,000    over by 774,272 (0.3 %)

=========  =====================================================================
exit code  means
=========  =====================================================================
0          done; every budget is kept
1          ``check``: a budget is broken, or there are findings and ``--strict-lint``
2          the command cannot be done, standard error says why
130        interrupted with Ctrl-C
141        whoever read the output has gone, as after ``| head``
=========  =====================================================================
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

from effviz import __version__, analyze, architecture, compound_scale
from effviz.advice.budgets import DTYPES, PRESETS, QUANTITIES, Budget, Preset, Verdict, check, parse_amount
from effviz.core.errors import DesignError, show, unknown
from effviz.core.units import binary, exact, lower, milliseconds, percent
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import Report
from effviz.model.design import Design
from effviz.zoo import ARCHITECTURES

if TYPE_CHECKING:
    from effviz.measure.latency import Latency

BROKEN, REFUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
MAX_BYTES = 4 * 2**20
"""Of a design's JSON: a thousand rows, the most there are, take a tenth of it."""

_TOTALS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "flops": "FLOPs",
    "activations": "activations",
    "memory_access": "memory access",
    "peak_activation": "peak activations",
}
_LIMITS = {
    "params": "--max-params",
    "macs": "--max-macs",
    "memory_access": "--max-memory-access",
    "peak_activation": "--max-peak",
    "weight_size": "--max-weights",
    "latency": "--max-latency",
}
_EXAMPLES = ("4M", "300M", "20M", "256kB", "1MB", "33ms")
# Shares of a limit beyond it that are told in per cent.
_MOST_EXCESS = 10
_LAYER_COLUMNS = ("path", "kind", "output_shape", "params", "macs", "memory_access", "alive")


class CommandError(ValueError):
    """A command that cannot be done, for another reason than the design; the message is for whoever typed it."""


class Answer(NamedTuple):
    """What a command prints, and the exit code."""

    text: str
    code: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words behind ``python -m effviz``; None for those of this process.

    Returns:
        The exit code.
    """
    try:
        answer = _answer(arguments)
        _write(answer.text)
    except (CommandError, DesignError) as error:
        return _complain(str(error), REFUSED)
    except BrokenPipeError:
        _discard(sys.stdout)
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    return answer.code


def _answer(arguments: Sequence[str] | None) -> Answer:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit:
        # --help and --version have printed what there is to say; every error of the parser is a CommandError.
        return Answer("")
    command: Callable[[argparse.Namespace], Answer] = options.run
    return command(options)


# --- commands -----------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> Answer:
    """Every architecture of the zoo, or those of one family."""
    reports = [analyze(architecture(name)) for name in ARCHITECTURES]
    families = list(dict.fromkeys(report.design.family for report in reports))
    if options.family is not None:
        named = [family for family in families if family.casefold() == options.family.casefold()]
        if not named:
            unknown("family", options.family, families)
        reports = [report for report in reports if report.design.family in named]
    if options.json:
        keys = ("name", "title", "family", "source", "resolution")
        rows = [
            {key: getattr(report.design, key) for key in keys} | {"params": report.params, "macs": report.macs}
            for report in reports
        ]
        return Answer(_json(rows))
    head = ("name", "title", "pixels", "parameters", "multiply-adds")
    body = [
        (each.design.name, each.design.title, str(each.resolution), exact(each.params), exact(each.macs))
        for each in reports
    ]
    return Answer(_table([head, *body], "<<>>>"))


def _report(options: argparse.Namespace) -> Answer:
    """What a design costs, in total and layer by layer."""
    report = analyze(_design(options), memory=options.memory)
    if options.json:
        return Answer(_json(_totals(report) | ({"layers": _layers(report)} if options.layers else {})))
    if options.csv:
        return Answer(report.table.map(_printable).to_csv(index=False, lineterminator="\n"))
    totals = [(label, exact(getattr(report, name))) for name, label in _TOTALS.items()]
    parts = [_lines([_heading(report.design), *_convention(report.memory)]), _table(totals, "<>")]
    if options.layers:
        rows = [[_cell(layer[column]) for column in _LAYER_COLUMNS] for layer in _layers(report)]
        parts.append(_table([_LAYER_COLUMNS, *rows], "<<<>>>>"))
    return Answer("\n".join(parts))


def _check(options: argparse.Namespace) -> Answer:
    """Whether a design keeps its budgets: a gate for continuous integration."""
    preset, budgets = _budgets(options)
    is_linted = options.lint or options.strict_lint
    if not budgets and not is_linted:
        raise CommandError(
            f"nothing to check: set {', '.join(_LIMITS.values())}, --preset ({', '.join(PRESETS)}), "
            "--lint or --strict-lint"
        )
    dtype = options.dtype
    if dtype is None:
        dtype = preset.dtype if preset else "float32"
    report = analyze(_design(options), memory=options.memory)
    counted = [each for each in budgets if each.quantity != "latency"]
    # A dtype that does not exist is refused before a measurement takes its seconds.
    verdicts = check(report, counted, dtype=dtype)
    latency = None
    if len(counted) < len(budgets):
        latency = _measured(report.design)
        verdicts = check(report, budgets, dtype=dtype, latency_ms=latency.median_ms)
    findings = _findings(report.design) if is_linted else []
    is_broken = any(not each.passed for each in verdicts) or (options.strict_lint and bool(findings))
    code = BROKEN if is_broken else 0
    if options.json:
        design = report.design
        answer = {"name": design.name, "resolution": design.resolution, "dtype": dtype, "memory": report.memory}
        answer |= {"passed": not is_broken, "budgets": [_judged(each) for each in verdicts]}
        answer |= {"latency": _latency_values(latency)} if latency else {}
        answer |= {"findings": findings} if is_linted else {}
        return Answer(_json(answer), code)
    parts = [_lines(_conditions(report, dtype, preset, latency))]
    if verdicts:
        parts.append(_table(map(_verdict, verdicts), "<<><><<"))
    if is_linted:
        parts.append(_lines(_remarks(findings, "FAIL" if options.strict_lint else "note")))
    return Answer("\n".join(parts), code)


def _budgets(options: argparse.Namespace) -> tuple[Preset | None, list[Budget]]:
    """The preset that was named, and its budgets where no limit of one's own takes their place."""
    if options.preset is not None and options.preset not in PRESETS:
        unknown("preset", options.preset, PRESETS)
    preset = PRESETS[options.preset] if options.preset is not None else None
    budgets = {each.quantity: each for each in preset.budgets} if preset else {}
    for quantity, option in _LIMITS.items():
        text = vars(options)[_attribute(option)]
        if text is not None:
            try:
                amount = parse_amount(text, quantity)
            except DesignError as error:
                # What was typed is the option.
                raise CommandError(f"{option}{str(error).removeprefix(quantity)}") from None
            budgets[quantity] = Budget(quantity, amount)
    return preset, [budgets[quantity] for quantity in QUANTITIES if quantity in budgets]


def _attribute(option: str) -> str:
    """Where argparse keeps an option."""
    return option.removeprefix("--").replace("-", "_")


def _conditions(report: Report, dtype: str, preset: Preset | None, latency: Latency | None) -> Iterator[str]:
    """What is judged, and under which convention."""
    yield _heading(report.design)
    yield f"Sizes in bytes: {dtype}, batch 1. Memory access: {report.memory}."
    if preset:
        yield f"{preset.title}. {preset.source}"
    if latency:
        noisy = ", noisy" if latency.noisy else ""
        yield f"Latency: median of {latency.runs} runs of PyTorch on this CPU, float32, batch 1, 1 thread{noisy}."


def _judged(verdict: Verdict) -> dict[str, Any]:
    budget = verdict.budget
    unit = QUANTITIES[budget.quantity].unit
    measured = {"value": verdict.value, "limit": budget.limit, "unit": unit}
    return {"quantity": budget.quantity} | measured | {"passed": verdict.passed, "margin": verdict.margin}


def _verdict(verdict: Verdict) -> tuple[str, ...]:
    """A line of ``check``: so many digits that nothing that fails looks as if it were the limit."""
    quantity, limit = QUANTITIES[verdict.budget.quantity], verdict.budget.limit
    value, margin = verdict.value or 0, verdict.margin or 0.0
    if verdict.passed:
        told = f"{percent(margin)} left"
    else:
        excess = percent(-margin) if -margin <= _MOST_EXCESS else f"{_times(value / limit)} times the limit"
        told = f"over by {' '.join([_amount(value - limit), quantity.unit]).strip()} ({excess})"
    mark = "pass" if verdict.passed else "FAIL"
    # Any two floats differ in 17 digits.
    enough = (each for each in range(6, 18) if value == limit or _amount(value, each) != _amount(limit, each))
    digits = next(enough, 17)
    return mark, lower(quantity.title), _amount(value, digits), "limit", _amount(limit, digits), quantity.unit, told


def _amount(value: float, digits: int = 6) -> str:
    return exact(value) if isinstance(value, int) else f"{value:,.{digits}g}"


def _times(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 100 else f"{factor:.3g}"


def _findings(design: Design) -> list[dict[str, Any]]:
    """What the rules find, with the words of a fix in its place."""
    from effviz.advice.lint import lint

    return [
        {name: getattr(each, name) for name in ("rule", "row", "path", "where", "why")}
        | {"fix": each.fix.label if each.fix else None}
        for each in lint(design)
    ]


def _remarks(findings: list[dict[str, Any]], mark: str) -> Iterator[str]:
    for each in findings:
        yield f"{mark}  {each['rule']}, {each['where']}: {each['why']}"
        if each["fix"]:
            yield f"      fix: {each['fix']}"
    if not findings:
        yield "No rule has anything to remark."


def _export(options: argparse.Namespace) -> Answer:
    """A design as PyTorch code, or as JSON."""
    if not options.output:
        raise CommandError("the name of the file behind -o is empty")
    design = _design(options)
    if options.json:
        # What cannot be built is refused here too: nobody wants to find out later.
        design.blocks()
        text = design.to_json(indent=2) + "\n"
    else:
        from effviz.export import export_torch

        text = export_torch(design)
    if options.output == "-":
        return Answer(text)
    try:
        _save(options.output, text, over=options.force)
    except FileExistsError:
        raise CommandError(f"{show(options.output)} exists already; --force writes over it") from None
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot write {show(options.output)}: {_reason(error)}") from None
    return Answer("")


def _save(file: str, text: str, *, over: bool) -> None:
    """Put `text` into a file, all of it or nothing: what fails leaves what was there before."""
    # The link stays one, and what it leads to is written.
    target = Path(os.path.realpath(file))
    if target.is_dir() or file.endswith("/"):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not over:
        _create(target, text)
        return
    mode = None
    with suppress(FileNotFoundError):
        mode = target.stat().st_mode
    if mode is not None:
        if not stat.S_ISREG(mode):
            # A pipe or a device has nothing to lose, and no other file may take its place.
            with target.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            return
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    beside = target.with_name(f".effviz-{os.urandom(8).hex()}.tmp")
    _create(beside, text, mode)
    try:
        beside.replace(target)
    except BaseException:
        beside.unlink()
        raise


def _create(file: Path, text: str, mode: int | None = None) -> None:
    """A new file, which is gone again if it cannot be written; `mode` is what the umask gives if it is None.

    Raises:
        FileExistsError: it exists, and is left as it is.
    """
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        if mode is not None:
            file.chmod(stat.S_IMODE(mode))
    except BaseException:
        file.unlink()
        raise


def _latency(options: argparse.Namespace) -> Answer:
    """How fast a design runs here, measured in a process of its own."""
    design = _design(options)
    latency = _measured(design, options.batch, options.threads)
    if options.json:
        return Answer(_json({"name": design.name} | _latency_values(latency)))
    noisy = "no"
    if latency.noisy:
        noisy = "yes, the machine was busy" if latency.loaded else "yes, IQR / median > 0.10"
    rows = [
        ("median", milliseconds(latency.median_ms)),
        ("90th percentile", milliseconds(latency.p90_ms)),
        ("IQR", milliseconds(latency.iqr_ms)),
        ("fastest", milliseconds(latency.min_ms)),
        ("runs", exact(latency.runs)),
        ("noisy", noisy),
        ("batch", exact(latency.batch_size)),
        *latency.environment.items(),
        ("measured at", latency.measured_at),
    ]
    head = [_heading(design), "One forward pass of PyTorch on this CPU, random weights, every run timed alone."]
    return Answer(f"{_lines(head)}\n{_table(rows, '<<')}")


# --- designs ------------------------------------------------------------------------------------------------------


def _design(options: argparse.Namespace) -> Design:
    """The design that was named, scaled as asked."""
    design = architecture(options.design) if options.design in ARCHITECTURES else _read(options.design)
    if options.classes is not None:
        design = design.with_num_classes(options.classes)
    multipliers = {"width_mult": options.width, "depth_mult": options.depth}
    design = design.scaled(**{name: value for name, value in multipliers.items() if value is not None})
    if options.phi is not None:
        design = compound_scale(design, options.phi)
    return design if options.resolution is None else design.scaled(resolution=options.resolution)


def _read(source: str) -> Design:
    """A design from a JSON file, or from standard input for ``-``."""
    if not source:
        raise CommandError(_neither(source))
    called = "standard input" if source == "-" else show(source)
    try:
        if source != "-":
            with Path(source).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        elif sys.stdin is not None:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            raise OSError(errno.EBADF, "it is closed")
    except FileNotFoundError:
        raise CommandError(_neither(source)) from None
    # A name with a null character is a ValueError.
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read {called}: {_reason(error)}") from None
    if len(content) > MAX_BYTES:
        raise CommandError(f"{called} holds more than {binary(MAX_BYTES)}: that is no design")
    try:
        return Design.from_json(content)
    except DesignError as error:
        raise CommandError(f"{called}: {error}") from None


def _neither(source: str) -> str:
    near = get_close_matches(source.lower(), ARCHITECTURES, n=3) if len(source) < 100 else []
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"{show(source)} is neither an architecture nor a file{hint} python -m effviz list names every architecture"


def _reason(error: OSError | ValueError) -> str:
    """Without the number of the error and the name of the file, which stands before it."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _latency_values(latency: Latency) -> dict[str, Any]:
    return latency.to_dict() | {"noisy": latency.noisy}


def _measured(design: Design, batch_size: int = 1, threads: int = 1) -> Latency:
    """As `effviz.measure_latency`; what the torch process logs about itself is not printed."""
    from effviz.measure.latency import LatencyError, measure_latency

    try:
        with _unheard_children():
            return measure_latency(design, batch_size=batch_size, threads=threads)
    except LatencyError as error:
        raise CommandError(str(error)) from None


@contextmanager
def _unheard_children() -> Iterator[None]:
    """Let processes that start meanwhile inherit no standard error: a failed job logs its traceback there.

    Why it failed is in the `LatencyError` too.
    """
    try:
        own = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


# --- text ---------------------------------------------------------------------------------------------------------


def _heading(design: Design) -> str:
    """Which network: ``MobileNetV2 (mobilenet_v2), width x 0.75, input 3 x 224 x 224``."""
    name = f"{design.title} ({design.name})" if design.title else design.name
    multipliers = (("width", design.width_mult), ("depth", design.depth_mult))
    scaled = [f"{word} x {value:g}" for word, value in multipliers if value != 1]
    return ", ".join([name, *scaled, f"input {' x '.join(map(str, design.input_shape()))}"])


def _convention(memory: str) -> list[str]:
    """What the numbers of a report count, line by line."""
    return [
        "Multiply-adds: fused multiply-adds of convolution and linear layers, one image; FLOPs: 2 x multiply-adds.",
        f"Memory access, {memory}: {ASSUMPTIONS[memory].help}; in elements, batch 1.",
        "Parameters: trainable numbers, batch norm 2 per channel.",
    ]


def _totals(report: Report) -> dict[str, Any]:
    design = report.design
    named = {key: getattr(design, key) for key in ("name", "title", "resolution", "in_channels")}
    scaled = {"width_mult": design.width_mult, "depth_mult": design.depth_mult}
    counted = {name: getattr(report, name) for name in _TOTALS}
    return named | scaled | counted | {"memory": report.memory, "convention": " ".join(_convention(report.memory))}


def _layers(report: Report) -> list[dict[str, Any]]:
    """One entry per layer; loads pandas."""
    rows: list[dict[str, Any]] = report.table.to_dict("records")
    return rows


def _cell(value: object) -> str:
    return exact(value) if isinstance(value, int) else str(value)


def _table(rows: Iterable[Sequence[str]], alignment: str) -> str:
    """Rows below each other, columns as wide as their widest cell; ``<`` and ``>`` in `alignment` as in formats."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    lines = (
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths, strict=True))
        for row in listed
    )
    return _lines(line.rstrip() for line in lines)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{_plain(line)}\n" for line in lines)


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _plain(text: str) -> str:
    """On one line, and without what a terminal would obey: names come from files of other people."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def _printable(cell: object) -> object:
    return _plain(cell) if isinstance(cell, str) else cell


def _write(text: str) -> None:
    if sys.stdout is None:
        if not text:
            return
        raise CommandError("cannot write to standard output: it is closed")
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What the help of argparse left unwritten is written here.
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        raise CommandError(f"cannot write to standard output: {_reason(error)}") from None


def _discard(stream: TextIO) -> None:
    """Send nowhere what could not be written: Python tries once more when it ends."""
    # A stream in memory has no descriptor, and nobody tries again.
    with suppress(io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _complain(problem: str, code: int) -> int:
    """One line on standard error, if there is one and somebody reads it; the exit code says the rest."""
    if sys.stderr is not None:
        try:
            print(f"effviz: {_plain(problem)}", file=sys.stderr, flush=True)
        except OSError:
            _discard(sys.stderr)
    return code


# --- arguments ----------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Its errors are those of every other input."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} ({self.prog} --help)")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{show(text)} must be an integer") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{show(text)} must be a number") from None


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m effviz",
        description="What efficient convolutional networks cost, counted exactly.",
        epilog="exit codes: 0 done, 1 a budget is broken, 2 the command cannot be done, 130 interrupted\n\n"
        "python -m effviz COMMAND --help says more about a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"effviz {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    design = _design_arguments()

    def command(run: Callable[[argparse.Namespace], Answer], parents: Sequence[_Parser], *examples: str) -> _Parser:
        name, does = run.__name__.removeprefix("_"), run.__doc__ or ""
        added: _Parser = commands.add_parser(
            name,
            parents=parents,
            help=does.splitlines()[0],
            description=does,
            epilog="\n".join(["examples:", *(f"  python -m effviz {name} {example}".rstrip() for example in examples)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(run=run)
        return added

    listing = command(_list, [], "", "--family MobileNet --json")
    listing.add_argument("--family", help="only this family")
    listing.add_argument("--json", action="store_true", help="as JSON, with family and source")

    report = command(_report, [design], "efficientnet_b0 --phi 1 --layers", "design.json --memory eager --json")
    _add_memory(report)
    report.add_argument("--layers", action="store_true", help="a line per layer too")
    forms = report.add_mutually_exclusive_group()
    forms.add_argument(
        "--csv", action="store_true", help="the layers as CSV; memory_access is counted as --memory says"
    )
    forms.add_argument("--json", action="store_true", help="as JSON; with --layers, the layers too")

    gate = command(_check, [design], "design.json --max-macs 300M --max-params 4M", "resnet18 --preset mcu_256k --lint")
    limits = gate.add_argument_group("budgets", "at most; what is exactly at the limit fits")
    for (quantity, option), example in zip(_LIMITS.items(), _EXAMPLES, strict=True):
        limits.add_argument(option, metavar=example, help=QUANTITIES[quantity].what.replace("%", "%%"))
    limits.add_argument("--preset", metavar="NAME", help=f"limits for a purpose: {', '.join(PRESETS)}")
    limits.add_argument(
        "--dtype",
        metavar="|".join(DTYPES),
        help="of weights and activations, for sizes in bytes; default: the preset's, float32 without",
    )
    _add_memory(gate)
    gate.add_argument("--lint", action="store_true", help="print what the rules of thumb find")
    gate.add_argument("--strict-lint", action="store_true", help="fail if they find anything")
    gate.add_argument("--json", action="store_true", help="as JSON")

    export = command(_export, [design], "mobilenet_v2 --width 0.75 -o net.py", "resnet18 --json -o resnet18.json")
    export.add_argument("-o", "--output", default="-", metavar="FILE", help="where to; default: -, standard output")
    export.add_argument("--force", action="store_true", help="write over a file that exists")
    export.add_argument("--json", action="store_true", help="the design as JSON, which every command reads")

    latency = command(_latency, [design], "mobilenet_v2", "design.json --batch 8 --threads 2 --json")
    latency.add_argument("--batch", type=_whole, default=1, metavar="N", help="images in one run; default: 1")
    latency.add_argument("--threads", type=_whole, default=1, metavar="N", help="of torch; default: 1")
    latency.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _add_memory(parser: _Parser) -> None:
    parser.add_argument(
        "--memory",
        default="fused",
        metavar="|".join(ASSUMPTIONS),
        help="assumption about memory access; default: fused",
    )


def _design_arguments() -> _Parser:
    """What all commands about one design take."""
    parser = _Parser(add_help=False)
    parser.add_argument("design", metavar="DESIGN", help="name of an architecture, JSON file, or - for standard input")
    scaling = parser.add_argument_group("scaling", "in this order, by the family's own rounding")
    scaling.add_argument("--classes", type=_whole, metavar="N", help="width of the classifier")
    scaling.add_argument("--width", type=_number, metavar="W", help="width multiplier")
    scaling.add_argument("--depth", type=_number, metavar="D", help="depth multiplier")
    scaling.add_argument("--phi", type=_number, metavar="P", help="compound scaling, as EfficientNet's paper has it")
    scaling.add_argument("--resolution", type=_whole, metavar="R", help="side of the input, in pixels")
    return parser
