"""The glossary: terms of the field, each with the page that shows it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlencode


class Term(NamedTuple):
    """One entry of the glossary.

    Attributes:
        name: in the singular, in lower case unless it is a name.
        text: one sentence, in Markdown.
        page: address of the page that shows it.
        part: of that page; empty for its chart and cards.
        formula: in LaTeX; empty for none.
        source: paper, or empty for common usage.
        aliases: other names.
        query: settings of the page.
    """

    name: str
    text: str
    page: str
    part: str = ""
    formula: str = ""
    source: str = ""
    aliases: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """Name with a capital, unless it is a Greek letter."""
        return self.name[:1].upper() + self.name[1:] if self.name.isascii() else self.name

    @property
    def link(self) -> str:
        """Address of the page and its part, relative to the app's other pages."""
        return linked(self.page, {**dict(self.query), **({"part": self.part} if self.part else {})})


def linked(page: str, query: dict[str, str]) -> str:
    """Return the address of a page with settings, relative to the app's other pages."""
    return f"{page}{'?' * bool(query)}{urlencode(query, quote_via=quote)}"


def _block(title: str) -> tuple[tuple[str, str], ...]:
    return (("block", title),)


_V2, _SE, _GHOST = "Inverted residual (MobileNetV2)", "Squeeze-and-excitation", "Ghost module"
_DFC = "Ghost module with DFC attention"
_HOW, _MOBILENET, _MOBILENET_V2, _SHUFFLENET_V2, _EFFICIENTNET = (
    "How this is computed", "arXiv 1704.04861", "arXiv 1801.04381", "arXiv 1807.11164", "arXiv 1905.11946",
)  # fmt: skip

TERMS = (
    # --- counts ---
    Term("multiply-add", "One multiplication and one addition, fused; convolutions and linear layers consist of them.",
         "architectures", _HOW, r"H \cdot W \cdot \dfrac{C_{\text{in}}}{g} \cdot C_{\text{out}} \cdot k^2",
         aliases=("MACC", "multiply-accumulate")),
    Term("FLOPs", "Floating-point operations of one image, two per multiply-add; many papers print multiply-adds "
         "under this name.", "architectures", _HOW, r"2 \times \text{multiply-adds}", aliases=("FLOP",),
         query=(("count", "FLOPs"),)),
    Term("parameter", "A trained number of a network: a weight, a bias, or a scale or shift of batch norm.",
         "architectures", "Layers"),
    Term("memory access cost", "The elements that all layers read and write for one image.", "memory", _HOW,
         r"h w (c_1 + c_2) + c_1 c_2", _SHUFFLENET_V2, ("memory access", "MAC")),
    Term("peak activation", "The most activation elements that are in memory at the same time.", "studio", _HOW,
         aliases=("peak activation memory",)),
    Term("tensor arena", "One block of a microcontroller's memory, in which tensors that are needed at different times "
         "share bytes.", "studio", "Microcontroller", source="arXiv 2010.08678", aliases=("arena",)),
    Term("arithmetic intensity", "The multiply-adds per element that is read or written; low values leave the "
         "processor waiting for memory.", "memory", "Arithmetic intensity",
         r"\dfrac{\text{multiply-adds}}{\text{memory access}}", "Williams et al. 2009",
         ("operational intensity",)),
    Term("activation", "An element of a feature map, the output of a layer.", "architectures", "Layers"),
    Term("feature map", "The output of a layer for one image: channels, each with a height and a width.",
         "convolutions", "Connections"),
    # --- convolutions ---
    Term("standard convolution", "A convolution in which every output channel reads every input channel.",
         "convolutions", "Connections", r"k^2 \cdot C_{\text{in}} \cdot C_{\text{out}} \cdot H \cdot W",
         query=(("type", "Standard"),)),
    Term("grouped convolution", "A convolution whose channels are split into groups that do not exchange data.",
         "convolutions", "Connections", r"\dfrac{k^2 \cdot C_{\text{in}} \cdot C_{\text{out}}}{g} \cdot H \cdot W",
         "arXiv 1611.05431", ("group convolution",), (("type", "Grouped"),)),
    Term("depthwise convolution", "A convolution that filters each channel on its own.", "convolutions",
         "Connections", r"k^2 \cdot C \cdot H \cdot W", _MOBILENET, ("depthwise",), (("type", "Depthwise"),)),
    Term("pointwise convolution", "A convolution with a 1×1 kernel, which mixes the channels of each pixel.",
         "convolutions", "Connections", r"C_{\text{in}} \cdot C_{\text{out}} \cdot H \cdot W", _MOBILENET,
         ("pointwise", "1×1 convolution", "1×1 kernel"), (("type", "Pointwise 1×1"),)),
    Term("depthwise separable convolution", "A depthwise convolution followed by a pointwise one.", "convolutions",
         _HOW, r"\dfrac{1}{C_{\text{out}}} + \dfrac{1}{k^2}\;\text{ of a standard one}", _MOBILENET,
         ("depthwise separable",), (("type", "Depthwise separable"),)),
    Term("channel shuffle", "A permutation of the channels, after which each group reads channels of all groups.",
         "convolutions", "Channel shuffle", source="arXiv 1707.01083"),
    Term("receptive field", "The pixels of the input that can influence one output.", "blocks", _HOW,
         r"r_l = r_{l-1} + (k_l - 1) \prod_{i < l} s_i", "arXiv 1409.1556", query=_block("VGG pair, two 3×3")),
    Term("Pareto front", "The networks that no other one beats in one of two numbers without losing in the other.",
         "compare", _HOW),
    Term("stride", "The step of a kernel over the map; stride 2 halves height and width.", "convolutions",
         r"Effect of each setting"),
    Term("kernel size", "The side of the window that a convolution reads for one output.", "convolutions",
         "Effect of each setting", aliases=("kernel",)),
    # --- blocks ---
    Term("inverted residual", "A block that expands few channels to many, filters them depthwise, and projects back "
         "to few, with the shortcut between the narrow ends.", "blocks", _HOW,
         r"h \cdot w \cdot d' \cdot t \cdot (d' + k^2 + d'')", _MOBILENET_V2, ("MBConv",), _block(_V2)),
    Term("linear bottleneck", "The narrow end of an inverted residual, which has no activation function, because "
         "ReLU loses information in few channels.", "blocks", "Why linear?", source=_MOBILENET_V2),
    Term("expand ratio", "The expanded channels of an inverted residual over its input channels.", "blocks", _HOW,
         r"t = \dfrac{\text{expanded}}{C_{\text{in}}}", _MOBILENET_V2, ("expansion", "t"), _block(_V2)),
    Term("squeeze-and-excitation", "Two small linear layers that weight every channel by its mean over the map.",
         "blocks", _HOW, r"\dfrac{2 C^2}{r}\;\text{ weights}", "arXiv 1709.01507", ("SE",), _block(_SE)),
    Term("reduction ratio", "The channels of squeeze-and-excitation over those of its narrow layer.", "blocks", _SE,
         r"r = \dfrac{C}{\text{squeezed}}", "arXiv 1709.01507",
         query=_block("Inverted residual with SE (MobileNetV3)")),
    Term("Ghost module", "A block that computes some of its channels and derives the others with cheap depthwise "
         "filters.", "blocks", _HOW, r"\text{speed-up} \approx s", "arXiv 1911.11907", query=_block(_GHOST)),
    Term("DFC attention", "A weight for each value of a map, from sums along its row and its column at half of the "
         "resolution; \"DFC\" stands for decoupled fully connected.", "blocks", _HOW, source="arXiv 2211.12905",
         aliases=("decoupled fully connected attention",), query=_block(_DFC)),
    Term("residual block", "A block that adds its input to its output through a shortcut.", "blocks", "Diagram",
         r"y = x + F(x)", "arXiv 1512.03385", ("shortcut", "residual"), _block("ResNet basic block")),
    Term("feature reuse", "Later layers read the outputs of earlier ones again, through concatenation or a split.",
         "blocks", "Feature reuse", source="arXiv 1608.06993"),
    Term("batch norm folding", "The multiplication of the scale of batch norm into the weights of the convolution "
         "before it, after which batch norm costs nothing.", "architectures", _HOW,
         r"w' = \dfrac{\gamma}{\sigma} w", "arXiv 1712.05877", ("folding", "batch norm")),
    # --- memory and guidelines ---
    Term("fused", "The memory assumption with folded batch norm, and with activations inside the layer before them.",
         "architectures", _HOW, query=(("memory", "Fused"),)),
    Term("eager", "The memory assumption in which every operation reads and writes memory on its own, as in PyTorch "
         "without a compiler.", "architectures", _HOW, aliases=("eager mode",), query=(("memory", "Eager"),)),
    Term("G1", "Guideline: equal input and output widths have the least memory access.", "memory", _HOW,
         r"\text{access} \ge 2 \sqrt{h w B} + \dfrac{B}{h w}", _SHUFFLENET_V2, query=(("guideline", "G1"),)),
    Term("G2", "Guideline: more groups increase the memory access at equal multiply-adds.", "memory", _HOW,
         r"h w c_1 + \dfrac{B g}{c_1} + \dfrac{B}{h w}", _SHUFFLENET_V2, query=(("guideline", "G2"),)),
    Term("G3", "Guideline: fragments, which are many small layers instead of one, reduce parallelism.", "memory",
         _HOW, source=_SHUFFLENET_V2, aliases=("fragmentation",), query=(("guideline", "G3"),)),
    Term("G4", "Guideline: element-wise operations have few FLOPs, but not little memory access.", "memory", _HOW,
         source=_SHUFFLENET_V2, aliases=("element-wise operation",), query=(("guideline", "G4"),)),
    # --- scaling ---
    Term("width multiplier", "A factor on the channels of every layer.", "multipliers", _HOW,
         r"\text{multiply-adds} \propto \alpha^2", _MOBILENET, ("α of MobileNet",)),
    Term("resolution multiplier", "A factor on the side of the input image.", "multipliers", _HOW,
         r"\text{multiply-adds} \propto \rho^2", _MOBILENET, ("ρ", "resolution")),
    Term("depth multiplier", "A factor on the number of blocks of every stage, rounded up.", "scaling", "Stages",
         r"\lceil d \cdot n \rceil", _EFFICIENTNET),
    Term("compound scaling", "Growth of depth, width and resolution together, by one coefficient.", "scaling", _HOW,
         r"d = \alpha^\phi, \quad w = \beta^\phi, \quad r = \gamma^\phi", _EFFICIENTNET),
    Term("φ", "The coefficient of compound scaling; each step of one about doubles the multiply-adds.", "scaling",
         _HOW, r"(\alpha \cdot \beta^2 \cdot \gamma^2)^\phi \approx 2^\phi", _EFFICIENTNET,
         ("phi", "compound coefficient")),
    Term("α, β, γ", "The bases of depth, width and resolution in compound scaling, found by a small grid search.",
         "scaling", "Grid search", r"\alpha \cdot \beta^2 \cdot \gamma^2 \approx 2", _EFFICIENTNET,
         ("alpha", "beta", "gamma")),
    Term("NAS objective", "The score of a network in a neural architecture search, accuracy times a penalty for the "
         "cost.", "search", "The objective", r"\text{accuracy} \cdot \left(\dfrac{\text{cost}}{T}\right)^{w}",
         "arXiv 1807.11626", ("neural architecture search", "NAS")),
    Term("equal budget", "A comparison of networks with the same multiply-adds.", "scaling", "Equal multiply-adds",
         aliases=("equal multiply-adds", "budget")),
    # --- networks and measurements ---
    Term("stage", "Consecutive blocks with the same map and the same width.", "architectures", "Blocks"),
    Term("stem", "The first layers of a network, which reduce the resolution of the image.", "architectures",
         "Layers"),
    Term("head", "The last layers of a network: pooling and the classifier.", "architectures", "Layers"),
    Term("top-1", "The share of test images whose most probable class is the true one.", "multipliers", "Accuracy",
         aliases=("top-1 accuracy",)),
    Term("latency", "The time of one forward pass.", "latency", "Measured networks"),
    Term("median", "The middle value of repeated measurements, which outliers do not change.", "latency",
         "Measured networks"),
    Term("IQR", "The interquartile range, between the first and the third quarter of the measurements.", "latency",
         "Measured networks", aliases=("interquartile range",)),
    Term("rank correlation", "The agreement of two orders, from −1 to 1; here, of a count and the latency.",
         "latency", _HOW, r"\dfrac{\sum (r - \bar r)(s - \bar s)}"
         r"{\sqrt{\sum (r - \bar r)^2 \cdot \sum (s - \bar s)^2}}", "Spearman 1904", ("Spearman correlation",)),
)  # fmt: skip


def term(name: str) -> Term:
    """Return the entry of a name, an alias, or the plural of one.

    Raises:
        KeyError: the glossary has no such term.
    """
    return _BY_NAME[name.lower()]


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _names(entry: Term) -> list[str]:
    return [form.lower() for each in (entry.name, *entry.aliases) for form in (each, _plural(each))]


_BY_NAME = {name: entry for entry in TERMS for name in _names(entry)}
