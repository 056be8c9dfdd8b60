"""A new block, family or memory assumption reaches all lists without changes elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from effviz.model import fields, layers
from effviz.model.blocks import depthwise, pointwise
from effviz.model.fields import BLOCKS, PARTS, FieldBlock, block
from effviz.model.shapes import out_shape

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


def test_the_contributing_guide_names_files_that_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`((?:effviz|tests|pages)/[\w/.]+)`", guide) if "<" not in path}
    assert len(named) > 20
    assert not [path for path in named if not (ROOT / path).exists()]
    targets = re.findall(r"`make ([\w-]+)", guide)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert not [target for target in targets if f"\n{target}" not in makefile and f" {target}:" not in makefile]


def test_the_example_block_of_the_contributing_guide_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("effviz.model.fields.BLOCKS", BLOCKS.copy())
    monkeypatch.setattr("effviz.model.fields.PARTS", PARTS.copy())
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    names: dict[str, Any] = {
        **vars(fields), **vars(layers), "depthwise": depthwise, "pointwise": pointwise, "__name__": __name__
    }  # fmt: skip
    exec("from __future__ import annotations\n" + code, names)
    assert out_shape(names["MyBlock"](8, 16, 2), (8, 32, 32)) == (16, 16, 16)
