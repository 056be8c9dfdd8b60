"""Arm's compiler for neural processors, Ethos-U: the tensors that it keeps in SRAM."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_ROW = re.compile(r"(\d+) -\s+(\d+):\s+(0x[0-9a-f]+) -\s+(0x[0-9a-f]+):\s+(\d+):\s+\d+: \S+\s*: (\S+)")


class Sram(NamedTuple):
    """Bytes in SRAM at the worst moment.

    Attributes:
        total: of the compiler's summary.
        maps: of tensors of the network, of which several can share a place.
    """

    total: int
    maps: int


def sram(file: bytes, folder: Path) -> Sram:
    """Compile a file for Ethos-U55 for speed, which runs operators one by one, and return its SRAM."""
    (folder / "network.tflite").write_bytes(file)
    command = [
        Path(sys.executable).with_name("vela"), "network.tflite", "--output-dir", "out", "--accelerator-config",
        "ethos-u55-128", "--optimise", "Performance", "--verbose-allocation",
    ]  # fmt: skip
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    listed = printed.split("Allocation, memory Sram")[1].split("Allocation Peak")[0]
    # The others are buffers for weights.
    rows = [found.groups() for found in _ROW.finditer(listed) if not found[6].startswith("WB_")]
    total = re.search(r"Allocation Peak Tensor Size: (\d+) bytes", printed)
    assert rows
    assert total
    moments = range(max(int(row[1]) for row in rows) + 1)
    return Sram(
        int(total[1]),
        max(
            sum({row[2:4]: int(row[4]) for row in rows if int(row[0]) <= moment <= int(row[1])}.values())
            for moment in moments
        ),
    )
