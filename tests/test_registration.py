"""A new block, family or memory assumption reaches all lists without changes elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from effviz.model.fields import FieldBlock, block

ROOT = Path(__file__).parents[1]


def test_dummies_reach_the_engine_the_command_line_and_the_pages(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "dummies.py"), str(tmp_path)],
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "EFFVIZ_CACHE": str(tmp_path)},
        timeout=300,
    )


def test_a_block_name_is_used_once() -> None:
    with pytest.raises(ValueError, match="block name 'conv' is taken by ConvBNAct"):

        @block("conv", "Another convolution")
        class Another(FieldBlock):
            """Never registered."""
