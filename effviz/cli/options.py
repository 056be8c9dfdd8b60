"""Group, options and answers of all commands."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from effviz import Design, DesignError, __version__, compound_scale
from effviz.advice.budgets import DTYPES, PRESETS, QUANTITIES, Budget, Preset, read_limit
from effviz.cli import files
from effviz.core.resolution import Resolution, parse_resolution
from effviz.count.memory import ASSUMPTIONS

EXCEEDED, REFUSED, UNFORESEEN, INTERRUPTED, PIPE_CLOSED = 1, 2, 70, 130, 141

PROGRAM = "effviz" if Path(sys.argv[0]).stem == "effviz" else "python -m effviz"
"""How this process was started, for help and error messages."""

# Quantity, option, example.
LIMITS = (
    ("params", "--max-params", "4M"),
    ("macs", "--max-macs", "300M"),
    ("memory_access", "--max-memory-access", "20M"),
    ("peak_activation", "--max-peak", "256kB"),
    ("weight_size", "--max-weights", "1MB"),
    ("latency", "--max-latency", "33ms"),
)


class CommandOutput(NamedTuple):
    """The output of a command and its exit code."""

    text: str = ""
    code: int = 0


Function = Callable[..., CommandOutput]


def _printed(names: Sequence[str], text: Callable[[click.Context], str], help: str) -> click.Option:
    """Return an option that prints a text and exits. click's own would raise if standard output cannot be written."""

    def callback(context: click.Context, _: click.Parameter, is_set: bool) -> None:
        if is_set:
            files.write(text(context) + "\n")
            context.exit()

    return click.Option(names, is_flag=True, expose_value=False, is_eager=True, help=help, callback=callback)


_HELP = _printed(["-h", "--help"], click.Context.get_help, "Show this message and exit.")
_VERSION = _printed(["--version"], lambda _: f"effviz {__version__}", "Show the version and exit.")
json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON.")
memory_option = click.option(
    "--memory", type=click.Choice(list(ASSUMPTIONS)), default="fused", show_default=True, help="Memory assumption."
)


preset_option = click.option("--preset", type=click.Choice(list(PRESETS)), help="Limits for a purpose.")
dtype_option = click.option(
    "--dtype", type=click.Choice(list(DTYPES)), help="Number format. Default: the preset's, else float32."
)


@click.group(
    params=[_VERSION, _HELP],
    no_args_is_help=False,
    epilog="Exit codes: 0 success, 1 a limit is exceeded, 2 wrong input or failure. 70 is a fault in effviz. "
    "130 and 141 are interruptions by the user and by the reader of the output.",
)
def cli() -> None:
    """Count the exact cost of efficient convolutional networks."""


def command(*examples: str, **settings: Any) -> Callable[[Function], click.Command]:
    """Make a function a command. Its help consists of the docstring, the options and the examples."""

    def decorate(function: Function) -> click.Command:
        name = function.__name__.strip("_")
        epilog = "\n".join(["\b", "Examples:", *(f"  {PROGRAM} {name} {each}".rstrip() for each in examples)])
        made = cli.command(name, epilog=epilog, **settings)(function)
        made.params.append(_HELP)
        return made

    return decorate


def _resolution(_: click.Context, option: click.Parameter, text: str | None) -> Resolution | None:
    """Parse the value of an option that sets a resolution."""
    try:
        return None if text is None else parse_resolution(text)
    except DesignError as error:
        # click's message names the option.
        raise click.BadParameter(str(error).removeprefix("resolution = ")) from None


DESIGN_OPTIONS = ("source", "groups", "variant", "classes", "in_channels", "width", "depth", "phi", "resolution")
"""Parameters of `takes_design`."""
_OPTIONS = {
    "num_classes": "--classes", "in_channels": "--in-channels", "width_mult": "--width", "depth_mult": "--depth",
    "phi": "--phi",
}  # fmt: skip


def chosen_design(
    source: str, groups: int | None, variant: str | None, classes: int | None, in_channels: int | None,
    width: float, depth: float, phi: float | None, resolution: Resolution | None,
) -> Design:  # fmt: skip
    """Return the design that the options of `takes_design` describe."""
    design = files.load(source, groups, variant)
    try:
        if classes is not None:
            design = design.with_num_classes(classes)
        if in_channels is not None:
            design = replace(design, in_channels=in_channels)
        design = design.scaled(width_mult=width, depth_mult=depth)
        if phi is not None:
            design = compound_scale(design, phi)
        return design.scaled(resolution=resolution)
    except DesignError as error:
        name, equals, rest = str(error).partition(" = ")
        raise DesignError(f"{_OPTIONS.get(name, name)}{equals}{rest}") from None


def takes_design(function: Function) -> Function:
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
    def scaled(**options: Any) -> CommandOutput:
        chosen = {name: options.pop(name) for name in DESIGN_OPTIONS}
        return function(chosen_design(**chosen), **options)

    scaled.__doc__ = f"""{function.__doc__}

    DESIGN is an architecture's name, a JSON file, or - for standard input. The scaling options apply in the order of
    the list below, with the rounding rule of the design's family.
    """
    return scaled


def _budget(_: click.Context, option: click.Parameter, text: str | None) -> Budget | None:
    """Parse the value of an option that sets a limit."""
    quantity = str(option.name)
    try:
        return None if text is None else read_limit(quantity, text, quantity)
    except DesignError as error:
        # click's message names the option instead of the quantity.
        raise click.BadParameter(str(error).removeprefix(f"{quantity} = ")) from None


def limit_options(function: Function) -> Function:
    """Add an option for each quantity that can have a limit. `function` receives a `Budget` or None for each."""
    for quantity, option, example in reversed(LIMITS):
        text = QUANTITIES[quantity].what
        function = click.option(option, quantity, callback=_budget, metavar=example, help=text)(function)
    return function


def budgets_of(
    preset: str | None, dtype: str | None, limits: Mapping[str, Budget | None]
) -> tuple[Preset | None, list[Budget], str]:
    """Return the chosen preset, its limits with those of the options, and the number format."""
    chosen = PRESETS[preset] if preset else None
    named = {each.quantity: each for each in chosen.budgets} if chosen else {}
    named |= {quantity: each for quantity, each in limits.items() if each}
    budgets = [named[quantity] for quantity in QUANTITIES if quantity in named]
    return chosen, budgets, dtype or (chosen.dtype if chosen else "float32")


def no_limit(*others: str) -> click.ClickException:
    """Return the error of a command without a limit; `others` are further options that it accepts instead."""
    options = [*(option for _, option, _ in LIMITS), "--preset", *others]
    return click.ClickException(f"no limit is set; use {', '.join(options[:-1])} or {options[-1]}")
