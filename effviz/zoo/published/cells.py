"""What is printed for each width and resolution of a network, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from effviz.zoo.published import published

# Documents of a network's own authors: its paper and the release of its code and weights.
OWN = {
    "mobilenet_v1": ("MobileNets paper arXiv 1704.04861", "TF-slim tensorflow/models research/slim/nets/mobilenet_v1"),
    "mobilenet_v2": (
        "MobileNetV2 paper arXiv 1801.04381", "TF-slim tensorflow/models research/slim/nets/mobilenet/README",
    ),
    "mobilenet_v3_large": (
        "MobileNetV3 paper arXiv 1905.02244", "TF-slim tensorflow/models research/slim/nets/mobilenet/README",
    ),
    "mobilenet_v3_small": (
        "MobileNetV3 paper arXiv 1905.02244", "TF-slim tensorflow/models research/slim/nets/mobilenet/README",
    ),
    "shufflenet_v1": ("ShuffleNet paper arXiv 1707.01083", "megvii-model/ShuffleNet-Series"),
    "shufflenet_v2": ("ShuffleNetV2 paper arXiv 1807.11164", "megvii-model/ShuffleNet-Series"),
    "ghostnet": ("GhostNet paper arXiv 1911.11907", "huawei-noah/Efficient-AI-Backbones"),
    "mnasnet_a1": ("MnasNet paper arXiv 1807.11626", "tensorflow/tpu models/official/mnasnet"),
    # The paper's number, found only where it is quoted.
    "mnasnet_b1": ("post by the timm author forums.fast.ai/t/efficientnet/46978/79 quoting the paper",),
}  # fmt: skip
_QUANTISED = re.compile(r"int8|8-bit|quant", re.IGNORECASE)
_OTHER_DATA = re.compile(r"in21k|in22k|jft", re.IGNORECASE)
_SUPERSEDED = re.compile(r"\b(first|middle) version")
_SENTENCE = re.compile(r"(?=\b(?:Misprint|Cannot be reproduced|Counts something else): )")
QUANTITIES = {"params": "parameters", "mult_adds": "multiply-adds", "top1": "top-1"}
"""What is printed for a cell, and the word for it in the column `wrong`."""


class Figure(NamedTuple):
    """What one source prints about a network at one width and resolution.

    Attributes:
        width: relative to the named network.
        resolution: in pixels.
        variant: what the source calls it.
        params, mult_adds: in millions as printed, None where not printed.
        top1: in per cent, None where not printed.
        document: the paper or release of the network's own authors that it is in; empty for anybody else's.
        source: document and table.
        notes: what is to be known.
        wrong: by quantity of `QUANTITIES`, why the figure does not fit what it claims to count.
        remark: the column `wrong` in full; also what counts something else.
    """

    width: float
    resolution: int
    variant: str
    params: float | None
    mult_adds: float | None
    top1: float | None
    document: str
    source: str
    notes: str
    wrong: dict[str, str]
    remark: str

    @property
    def quantised(self) -> bool:
        """Whether the accuracy is that of 8-bit weights."""
        return bool(_QUANTISED.search(self.variant))

    @property
    def comparable(self) -> bool:
        """Whether the accuracy is of this network in floating point, trained on ImageNet-1k, and no misprint."""
        other = self.quantised or _OTHER_DATA.search(self.variant) or "own implementation" in self.remark
        return self.top1 is not None and "top1" not in self.wrong and not other


def faults(wrong: str) -> dict[str, str]:
    """What does not fit, by quantity of `QUANTITIES`; a figure that counts something else is not wrong.

    Args:
        wrong: a cell of the column `wrong`.
    """
    found: dict[str, str] = {}
    for sentence in _SENTENCE.split(wrong):
        if sentence and not sentence.startswith("Counts something else"):
            named = [quantity for quantity, word in QUANTITIES.items() if word in sentence]
            # A figure without a word is one of multiply-adds: "printed 138 M".
            for quantity in named or ["mult_adds"]:
                found[quantity] = sentence.strip()
    return found


@lru_cache(maxsize=64)
def cells(name: str, groups: int | None = None, everybody: bool = False) -> dict[tuple[float, int], tuple[Figure, ...]]:
    """What is printed for `name` at unchanged depth, by width and resolution; for each the best source first.

    Best is what the authors print; of theirs the document that prints most accuracies, so that a map of them is of
    one training as far as that goes; of its tables the latest version, then the one that prints most.

    Args:
        name: of a network in the zoo.
        groups: of ShuffleNetV1; figures that do not say for how many groups they are, are left out.
        everybody: also what others print: re-trainings, and tables that quote.
    """
    table = published()
    rows = table[
        (table["design"] == name) & table["scale"].notna() & ((table["depth_scale"].fillna(1.0) - 1).abs() < 1e-6)
    ]
    rows = rows[rows["resolution"].str.fullmatch(r"\d+")]
    if groups is not None:
        rows = rows[rows["groups"] == str(groups)]
    figures = dict.fromkeys(
        (
            round(float(row.scale), 6), int(row.resolution), row.variant, _known(row.params), _known(row.mult_adds),
            _known(row.top1), _document(name, row.source), row.source, _about(row.notes), row.wrong,
        )
        for row in rows.itertuples()
    )  # fmt: skip
    found = [Figure(*values[:-1], faults(values[-1]), values[-1]) for values in figures]
    if not everybody:
        found = [each for each in found if each.document]
    own = OWN.get(name, ())
    documents = {document: _accuracies(each for each in found if each.document == document) for document in own}
    tables = {source: _accuracies(each for each in found if each.source == source) for source in
              {each.source for each in found}}  # fmt: skip

    def rank(each: Figure) -> tuple[Any, ...]:
        order = (-documents[each.document], own.index(each.document)) if each.document else (1, 0)
        superseded = bool(_SUPERSEDED.search(each.source))
        return (*order, each.quantised, superseded, -tables[each.source], each.source, each.variant)

    by_cell: dict[tuple[float, int], list[Figure]] = {}
    for each in sorted(found, key=rank):
        by_cell.setdefault((each.width, each.resolution), []).append(each)
    return {cell: tuple(by_cell[cell]) for cell in sorted(by_cell)}


def printed_top1(figures: Iterable[Figure]) -> Figure | None:
    """The accuracy to show for a cell: the best source that prints one which can be compared."""
    return next((each for each in figures if each.comparable), None)


def leading(name: str, groups: int | None = None) -> dict[tuple[float, int], float]:
    """Top-1 of the cells that one document of the authors prints, the one that prints most of them.

    Between these one may interpolate: they are of one training recipe as far as that goes.
    """
    shown = {cell: printed_top1(figures) for cell, figures in cells(name, groups).items()}
    documents = [each.document for each in shown.values() if each is not None]
    if not documents:
        return {}
    most = max(dict.fromkeys(documents), key=documents.count)
    return {
        cell: each.top1
        for cell, each in shown.items()
        if each is not None and each.top1 is not None and each.document == most
    }


def _known(value: float) -> float | None:
    return None if value != value else float(value)


def _about(notes: str) -> str:
    """Notes, unless they are about a latency."""
    return "" if notes.startswith("published as ") else notes


def _document(name: str, source: str) -> str:
    return next((document for document in OWN.get(name, ()) if source.startswith(document)), "")


def _accuracies(figures: Iterable[Figure]) -> int:
    """For how many cells there is an accuracy."""
    return len({(each.width, each.resolution) for each in figures if each.comparable})
