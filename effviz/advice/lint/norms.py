"""Fault rules about batch norms and activations: biases before a norm, rectifiers after a bottleneck."""

from collections.abc import Iterator

from effviz.advice.lint.edits import with_block
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, by_row, pixels
from effviz.count.kinds import DEPTHWISE, POINTWISE
from effviz.model.layers import Activation, BatchNorm2d, Branches, Conv2d, Layer
from effviz.model.trace import Step

NARROWING = 2
"""Input channels per output channel from which a 1x1 convolution after a depthwise one is a bottleneck. MobileNetV2
narrows by 2 to 6."""

SATURATING = ("relu", "relu6")
"""Activations that set half of their input to zero."""


def _idle_biases(network: BuiltNetwork) -> Iterator[Finding]:
    readers: dict[int, list[Step]] = {}
    for step in network.steps:
        for tensor in step.inputs:
            readers.setdefault(tensor.storage, []).append(step)
    concerned = []
    for step, layer in zip(network.steps, network.layers, strict=True):
        following = [reader.layer for reader in readers.get(step.output.storage, [])]
        normed = len(following) == 1 and isinstance(following[0], BatchNorm2d)
        if isinstance(step.layer, Conv2d) and step.layer.bias and normed:
            concerned.append(layer)
    for layers in by_row(concerned).values():
        biases = sum(layer.output_shape[0] for layer in layers)
        yield network.finding(
            "bias_before_norm", layers, float(biases),
            f"{biases} biases are added directly before a batch norm, which subtracts the mean. They are trained and "
            "stored without any effect.",
        )  # fmt: skip


def _without_bias(row: BuiltRow) -> Iterator[Proposal]:
    if "bias" in row.fields:
        yield row.change("Remove the bias in {}", bias=None if row.fields.get("norm") else False)


def _carries_on(layer: Layer) -> bool:
    """Whether a layer passes its input on channel by channel: a norm, an activation or a gate."""
    return isinstance(layer, (BatchNorm2d, Activation)) or (isinstance(layer, Branches) and layer.merge == "mul")


def _narrow_activations(network: BuiltNetwork) -> Iterator[Finding]:
    pairs = zip(network.steps, network.layers, strict=True)
    writers = {step.output.storage: (step, layer) for step, layer in pairs if not step.is_view}

    def before(step: Step) -> tuple[Step, BuiltLayer] | None:
        return writers.get(step.inputs[0].storage)

    concerned = []
    for step in network.steps:
        if not (isinstance(step.layer, Activation) and step.layer.function in SATURATING):
            continue
        narrow = before(step)
        if narrow is not None and isinstance(narrow[0].layer, BatchNorm2d):
            narrow = before(narrow[0])
        if narrow is None or pixels(narrow[0].output.shape) == 1:
            continue
        layer = narrow[1]
        if layer.kind != POINTWISE or layer.output_shape[0] * NARROWING > layer.input_shape[0]:
            continue
        wide = before(narrow[0])
        while wide is not None and _carries_on(wide[0].layer):
            wide = before(wide[0])
        if wide is not None and wide[1].kind == DEPTHWISE:
            concerned.append(layer)
    for layers in by_row(concerned).values():
        yield network.finding(
            "narrow_activation", layers, float(len(layers)),
            f"A ReLU follows the 1×1 convolution that reduces {layers[0].input_shape[0]} channels to "
            f"{layers[0].output_shape[0]} after a depthwise convolution. Values that it sets to zero are lost, because "
            "no other channel carries them.",
        )  # fmt: skip


def _linear_bottleneck(row: BuiltRow) -> Iterator[Proposal]:
    if row.stage.block == "conv":
        yield row.change("Remove the activation in {}", activation="none")
    if row.stage.block == "depthwise_separable":
        fields = {"expand_ratio": 1, "activation": row.fields["activation"]}
        changed = with_block(row.design, row.index, "inverted_residual", **fields)
        yield row.propose("Use an inverted residual with expansion 1 in {}, which has a linear last layer", changed)


BIAS_BEFORE_NORM = Rule(
    "bias_before_norm", "Bias before batch norm",
    "Omit the bias of a convolution that is followed by batch norm.",
    "Batch normalization, arXiv 1502.03167, section 3.2",
    "The bias of the convolution can be removed.",
    _idle_biases, _without_bias, is_fault=True,
)  # fmt: skip
NARROW_ACTIVATION = Rule(
    "narrow_activation", "ReLU after a bottleneck",
    "Keep narrow layers linear.",
    "MobileNetV2, arXiv 1801.04381, section 3.2",
    "The activation of the convolution can be removed.",
    _narrow_activations, _linear_bottleneck, is_fault=True,
)  # fmt: skip
