"""A dummy block, family and memory assumption, and a check of the places that have to show them.

Run as a script in a separate process, because pages read the lists at import and the dummies cannot be removed.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import torch

import effviz
from effviz import zoo
from effviz.count.memory import ASSUMPTIONS, Assumption
from effviz.model.blocks import ConvBNAct, pointwise
from effviz.model.draft import Draft
from effviz.model.fields import FieldBlock, block, declare
from effviz.model.layers import Layer, Linear, Sequential

FAMILY = '''
"""A dummy family."""

from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table


def dummy_net() -> Design:
    """A dummy network."""
    return Design(
        "dummy_net",
        table(
            fixed(Stage("conv", 8, 1, 2, name="stem")),
            Stage("dummy_block", 16, 2, narrow=4, name="stage1"),
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 10, width="classes", depth="fixed", name="classifier"),
        ),
        title="Dummy net",
        family="Dummies",
        resolution=64,
    )


PUBLISHED = "2099-01"
ARCHITECTURES = {"dummy_net": dummy_net}
'''


@block("dummy_block", "Dummy block")
class DummyBlock(FieldBlock):
    """A pointwise convolution and a strided one."""

    in_channels: int
    out_channels: int
    stride: int = 2
    narrow: int = declare(3, unit="channels", minimum=1, maximum=64, scales=True, help="Channels in between.")

    def expand(self) -> Layer:
        return Sequential.of(
            narrow=pointwise(self.in_channels, self.narrow, "relu"),
            conv=ConvBNAct(self.narrow, self.out_channels, self.stride),
        )


def register(folder: Path) -> None:
    """Add the family as a file of the folder `effviz.zoo`, and the assumption."""
    (folder / "dummies.py").write_text(FAMILY)
    zoo.__path__.append(str(folder))
    zoo.ARCHITECTURES.update(list(zoo._families())[-1].ARCHITECTURES)
    ASSUMPTIONS["dummy"] = Assumption("Dummy", "linear layers only", layers=(Linear,), biases=False)


def check_engine() -> None:
    assert "dummy_net" in effviz.list_architectures()
    design = effviz.architecture("dummy_net")
    assert [row.stride for row in design.stages] == [2, 2, 1, 1]
    assert effviz.Design.from_json(design.to_json()) == design
    assert Draft.unpacked(Draft.of(design).packed()).design == design
    assert design.scaled(width_mult=2).blocks()[1].block.narrow == 8
    report = effviz.analyze(design, memory="dummy")
    assert report.memory_access == 16 + 160 + 10
    module = effviz.build(design)
    names: dict[str, object] = {}
    exec(effviz.export_torch(design), names)
    (exported,) = (value for value in names.values() if isinstance(value, type) and value.__name__ == "DummyNet")
    image = torch.zeros(1, 3, 64, 64)
    assert exported().eval()(image).shape == module(image).shape == (1, 10)
    counted = [sum(each.numel() for each in network.parameters()) for network in (exported(), module)]
    assert counted == [report.params] * 2


def check_command_line() -> None:
    from effviz.cli import main

    def printed(*arguments: str) -> str:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            assert main(arguments) == 0
        return output.getvalue()

    assert "dummy_net" in printed("list")
    report = json.loads(printed("report", "dummy_net", "--memory", "dummy", "--json"))
    assert "186" in json.dumps(report), report
    assert "linear layers only" in printed("report", "dummy_net", "--memory", "dummy")


def check_pages() -> None:
    from page_reader import open_page, run

    at = open_page("architectures", net="Dummy net", memory="Dummy")
    network = at.selectbox(key="net")
    assert network.value == "dummy_net"
    assert "Dummy net" in network.options
    assert "linear layers only" in " ".join(entry.value for entry in at.caption)
    network.set_value("resnet18")
    run(at)
    design = effviz.architecture("mobilenet_v2")
    at = open_page("studio", design=Draft.of(design).packed())
    (choice,) = (entry for entry in at.selectbox if entry.label.startswith("Block of row"))
    assert "Dummy block" in choice.options
    choice.set_value("dummy_block")
    run(at)
    assert [entry.value for entry in at.selectbox if entry.label.startswith("Block of row")] == ["dummy_block"]
    assert any("narrow" in entry.label.lower() for entry in at.number_input)


if __name__ == "__main__":
    register(Path(sys.argv[1]))
    check_engine()
    check_command_line()
    check_pages()
