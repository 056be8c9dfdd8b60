"""Published figures for each width and resolution of a network, with their sources."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.zoo import ARCHITECTURES
from effviz.zoo.published import published

_SLIM = "TF-slim tensorflow/models research/slim/nets/mobilenet/README"
# Documents by the authors of a network: the paper and the release of code and weights.
OWN = {
    "mobilenet_v1": ("MobileNets paper arXiv 1704.04861", "TF-slim tensorflow/models research/slim/nets/mobilenet_v1"),
    "mobilenet_v2": ("MobileNetV2 paper arXiv 1801.04381", _SLIM),
    "mobilenet_v3_large": ("MobileNetV3 paper arXiv 1905.02244", _SLIM),
    "mobilenet_v3_small": ("MobileNetV3 paper arXiv 1905.02244", _SLIM),
    "shufflenet_v1": ("ShuffleNet paper arXiv 1707.01083", "megvii-model/ShuffleNet-Series"),
    "shufflenet_v2": ("ShuffleNetV2 paper arXiv 1807.11164", "megvii-model/ShuffleNet-Series"),
    "ghostnet": ("GhostNet paper arXiv 1911.11907", "huawei-noah/Efficient-AI-Backbones"),
    "mnasnet_a1": ("MnasNet paper arXiv 1807.11626", "tensorflow/tpu models/official/mnasnet"),
    # The paper's number is only available as a quotation.
    "mnasnet_b1": ("post by the timm author forums.fast.ai/t/efficientnet/46978/79 quoting the paper",),
}
# Of networks without published cells: a document with their accuracy, by the authors if it is comparable.
_ACCURACY = {
    **{f"efficientnet_b{number}": ("EfficientNet paper arXiv 1905.11946",) for number in range(8)},
    "condensenet": ("ShichenLiu/CondenseNet README",),
    **{f"efficientnet_lite{number}": ("tensorflow/tpu models/official/efficientnet/lite",) for number in range(5)},
    **dict.fromkeys(("efficientnet_v2_s", "efficientnet_v2_m"), ("google/automl efficientnetv2/README.md",)),
    **dict.fromkeys(("densenet121", "densenet169"), ("DenseNet paper arXiv 1608.06993",)),
    **{name: ("facebookresearch/pycls MODEL_ZOO.md",) for name in ARCHITECTURES if name.startswith("regnet")},
    **{f"mobilenet_v4_conv_{size}": ("MobileNetV4 paper arXiv 2404.10518",) for size in ("small", "medium")},
    "convnext_tiny": ("facebookresearch/ConvNeXt README",),
    "mobileone_s0": ("apple/ml-mobileone README.md",),
    "ghostnet_v2": ("GhostNetV2 paper arXiv 2211.12905",),
    "fasternet_t0": ("JierunChen/FasterNet README.MD",),
    # It quotes the accuracy of the ProxylessNAS paper.
    "proxylessnas_mobile": ("MobileNetV3 paper arXiv 1905.02244",),
    "resnext50_32x4d": ("ResNeXt paper arXiv 1611.05431",),
    # Their papers print ten-crop accuracies or other variants. These are the weights of the library, single crop.
    **dict.fromkeys(
        (
            "alexnet", "vgg16", "resnet18", "resnet34", "resnet50", "resnet101", "resnext101_32x8d", "wide_resnet50_2",
            "squeezenet1_0", "squeezenet1_1",
        ),
        ("torchvision 0.29.2 models metadata",),
    ),
}  # fmt: skip
_SQUARE = re.compile(r"\d+")
QUANTISED = re.compile(r"int8|8-bit|quant", re.IGNORECASE)
_OTHER_DATA = re.compile(r"in21k|in22k|jft", re.IGNORECASE)
# A paper, a post with its author, or the first word: a release or a repository.
_ORIGIN = re.compile(r"\w+ paper|post by .*? author|\S*")
_SUPERSEDED = re.compile(r"\b(first|middle) version")
_MISPRINT, _UNEXPLAINED = "Misprint", "Cannot be reproduced"
OTHER_COUNT = "Counts something else"
"""Begins a sentence of the column `wrong` about a figure that is right, but not what its heading says."""
_SENTENCE = re.compile(rf"(?=\b(?:{_MISPRINT}|{_UNEXPLAINED}|{OTHER_COUNT}): )")
QUANTITIES = {"params": "parameters", "mult_adds": "multiply-adds", "top1": "top-1"}
"""Quantities of a cell and their names in the column `wrong`."""


class Flaw(str):
    """The error in a published figure, in the words of the column `wrong`."""

    @property
    def is_misprint(self) -> bool:
        """Whether the source contradicts itself, rather than that no count explains the figure."""
        return self.startswith(_MISPRINT)


class Figure(NamedTuple):
    """The figures of one source about a network at one width and resolution."""

    width: float  # relative to the named network
    resolution: int  # in pixels
    variant: str  # the name in the source
    params: float | None  # in millions as printed; None if not printed
    mult_adds: float | None  # in millions as printed; None if not printed
    top1: float | None  # in per cent; None if not printed
    document: str  # the paper or release of the authors of the network; empty for other sources
    source: str  # document and table
    notes: str
    wrong: dict[str, Flaw]  # by quantity of `QUANTITIES`, the error in the figure
    note: str  # the whole column `wrong`, including figures that count something else

    @property
    def quantised(self) -> bool:
        """Whether the accuracy is for 8-bit weights."""
        return bool(QUANTISED.search(self.variant))

    @property
    def comparable(self) -> bool:
        """Whether the accuracy is for floating point and training on ImageNet-1k, and not a misprint."""
        other = self.quantised or _OTHER_DATA.search(self.variant) or "own implementation" in self.note
        return self.top1 is not None and "top1" not in self.wrong and not other


def faults(wrong: str) -> dict[str, Flaw]:
    """Return the errors in a cell of `wrong` by quantity; a figure that counts something else is not an error."""
    found: dict[str, Flaw] = {}
    for sentence in _SENTENCE.split(wrong):
        if sentence and not sentence.startswith(OTHER_COUNT):
            named = [quantity for quantity, word in QUANTITIES.items() if word in sentence]
            # A figure without a name is about multiply-adds: "printed 138 M".
            for quantity in named or ["mult_adds"]:
                found[quantity] = Flaw(sentence.strip())
    return found


@remembered
def cells(
    name: str, groups: int | None = None, others: bool = False
) -> dict[tuple[float, Resolution], tuple[Figure, ...]]:
    """Return the figures for `name` at unchanged depth by width and resolution, the best source first.

    Documents by the authors come first, the one with the most accuracies first, so that most of them are from one
    training. Within a document, the latest table comes first, then the table with the most accuracies.

    Args:
        name: of a network in the zoo.
        groups: of ShuffleNetV1; excludes figures without a number of groups.
        others: include other sources: re-trainings and quotations.
    """
    figures = dict.fromkeys(
        (
            round(float(row.scale), 6), int(row.resolution), row.variant, _known(row.params), _known(row.mult_adds),
            _known(row.top1), _document(name, row.source), row.source, _about(row.notes), row.wrong,
        )
        for row in _rows().get(name, ())
        if groups is None or row.groups == str(groups)
    )  # fmt: skip
    found = [Figure(*values[:-1], faults(values[-1]), values[-1]) for values in figures]
    if not others:
        found = [each for each in found if each.document]
    own = OWN.get(name, ())
    documents = {document: _accuracies(each for each in found if each.document == document) for document in own}
    tables = {source: _accuracies(each for each in found if each.source == source) for source in
              {each.source for each in found}}  # fmt: skip

    def rank(each: Figure) -> tuple[Any, ...]:
        order = (-documents[each.document], own.index(each.document)) if each.document else (1, 0)
        superseded = bool(_SUPERSEDED.search(each.source))
        return (*order, each.quantised, superseded, -tables[each.source], each.source, each.variant)

    by_cell: dict[tuple[float, Resolution], list[Figure]] = {}
    for each in sorted(found, key=rank):
        by_cell.setdefault((each.width, each.resolution), []).append(each)
    return {cell: tuple(by_cell[cell]) for cell in sorted(by_cell)}


@cache
def _rows() -> dict[str, list[Any]]:
    """Return the published rows at unchanged depth of squares by network."""
    found: dict[str, list[Any]] = {}
    for row in published().itertuples():
        is_scaled = row.depth_scale == row.depth_scale and abs(row.depth_scale - 1) >= 1e-6
        if row.scale == row.scale and not is_scaled and _SQUARE.fullmatch(row.resolution):
            found.setdefault(row.design, []).append(row)
    return found


def printed_top1(figures: Iterable[Figure]) -> Figure | None:
    """Return the best source with a comparable accuracy."""
    return next((each for each in figures if each.comparable), None)


def own_top1(name: str, resolution: Resolution, groups: int | None = None, width: float = 1.0) -> Figure | None:
    """Return the figure with the published accuracy of a network at unchanged depth; None if unknown."""
    return top1_figures(name, groups).get((round(width, 6), resolution))


def origin(source: str) -> str:
    """Name a source in a few words: ``"MobileNetV3 paper"``, ``"TF-slim"``, ``"facebookresearch/pycls"``."""
    found = _ORIGIN.match(source)
    return found[0] if found else ""


@remembered
def top1_figures(
    name: str, groups: int | None = None, retrained: bool = False
) -> dict[tuple[float, Resolution], Figure]:
    """Return the figures with the published accuracies of a network by width and resolution.

    They are from the documents of its authors, or from one document if the authors print no comparable accuracies.

    Args:
        name: of a network in the zoo.
        groups: of a network with several; excludes figures without a number of groups.
        retrained: where these documents print nothing, use accuracies of other sources: re-trainings and quotations.
    """
    documents: tuple[str, ...] = OWN.get(name) or _ACCURACY.get(name) or ()
    found = {}
    for place, figures in cells(name, groups, others=True).items():
        figure = printed_top1(each for each in figures if each.source.startswith(documents))
        if figure is None and retrained:
            figure = printed_top1(figures)
        if figure is not None:
            found[place] = figure
    return found


def leading(name: str, groups: int | None = None) -> dict[tuple[float, Resolution], float]:
    """Return top-1 by cell from the document by the authors with the most accuracies.

    These can be interpolated because most are from one training recipe.
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
    """Return the notes unless they are about a latency."""
    return "" if notes.startswith("published as ") else notes


def _document(name: str, source: str) -> str:
    return next((document for document in OWN.get(name, ()) if source.startswith(document)), "")


def _accuracies(figures: Iterable[Figure]) -> int:
    """Count the cells with an accuracy."""
    return len({(each.width, each.resolution) for each in figures if each.comparable})


check_border(globals())
