"""The command that plans the memory of a network on a microcontroller."""

from __future__ import annotations

import click

from effviz import Design
from effviz import microcontroller as planned
from effviz.cli import output
from effviz.cli.options import CommandOutput, command, json_option, takes_design
from effviz.core.units import exact
from effviz.count.microcontroller import KERNELS, MicrocontrollerReport


@command("mobilenet_v2 --width 0.35 --resolution 96", "design.json --kernels cmsis_nn_dsp --code-size 80000")
@takes_design
@click.option(
    "--kernels", type=click.Choice(list(KERNELS)), default="reference", show_default=True, help="Library of kernels."
)
@click.option(
    "--code-size", type=click.IntRange(0, 2**30), metavar="N",
    help="Bytes of interpreter and kernels in flash. Default: 16 KiB and 5 KiB for each kind of operator.",
)  # fmt: skip
@click.option("--buffers", "with_buffers", is_flag=True, help="List all tensors with their places in the arena.")
@json_option
def microcontroller(
    design: Design, kernels: str, code_size: int | None, with_buffers: bool, is_json: bool
) -> CommandOutput:
    """Plan the memory of a network of int8 on a microcontroller.

    The arena in SRAM is that of TensorFlow Lite for Microcontrollers. The interpreter's part of it and the structure of
    the file are estimates, and the size of the code is an assumption.
    """
    found = planned(design, kernels=kernels, code_size=code_size)
    if is_json:
        return CommandOutput(output.as_json(_values(found, with_buffers)))
    head = [
        output.heading(design),
        f"TensorFlow Lite for Microcontrollers, int8, batch 1. Kernels: {KERNELS[kernels].label}.",
    ]
    flash = found.flash
    rows = [
        *((term.label, exact(term.size)) for term in found.terms),
        ("Arena in SRAM, bytes", exact(found.arena)),
        ("", ""),
        ("Weights, int8", exact(flash.weights)),
        ("Biases, int32", exact(flash.biases)),
        ("Scales and zero points", exact(flash.quantization)),
        ("Structure of the file (estimate)", exact(flash.structure)),
        ("Code (assumption)" if code_size is None else "Code", exact(flash.code)),
        ("Flash, bytes", exact(flash.total)),
    ]
    parts = [output.lines([*head, ""]), output.table(rows, "<>")]
    if with_buffers:
        listed = [("offset", "bytes", "operators", "kind", "layer")]
        listed += [
            (exact(each.offset), exact(each.buffer.size), f"{each.buffer.first + 1} to {each.buffer.last + 1}",
             each.buffer.kind, each.buffer.path)
            for each in found.buffers
        ]  # fmt: skip
        parts += ["\n", output.table(listed, ">>><<")]
    return CommandOutput("".join(parts))


def _values(found: MicrocontrollerReport, with_buffers: bool) -> dict[str, object]:
    """Return a plan for JSON."""
    flash = output.values(found.flash, ("weights", "biases", "quantization", "structure", "code", "file", "total"))
    values: dict[str, object] = {
        "network": found.report.design.name, "kernels": found.kernels, "arena": found.arena,
        "terms": [{"label": term.label, "bytes": term.size} for term in found.terms], "flash": flash,
    }  # fmt: skip
    if with_buffers:
        values["buffers"] = [each.buffer._asdict() | {"offset": each.offset} for each in found.buffers]
    return values
