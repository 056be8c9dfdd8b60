"""The conventions by which sources count parameters and multiply-adds, each as a rule on the parts of a count.

The first rule of each quantity is the convention of effviz. The others are those of papers and libraries, and of
mistakes that occur often. A rule changes what is counted, or one layer that implementations build differently.
"""

from collections.abc import Callable, Iterable
from math import prod
from typing import NamedTuple

from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.count.reconcile.counters import COUNTERS
from effviz.count.reconcile.rules import operations, tally
from effviz.model.design import Design
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    GlobalAvgPool,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Shape,
    pair,
)
from effviz.model.trace import TraceStep, trace_block
from effviz.studies.literature import networks


class Parts(NamedTuple):
    """A count in parts: sums over the layers of a network, for one image."""

    weights: int = 0  # of convolutions and linear layers
    biases: int = 0  # of convolutions and linear layers
    unbiased: int = 0  # output channels of convolutions without bias
    norm: int = 0  # channels of batch norm
    other: int = 0  # parameters of other layers
    conv_macs: int = 0
    linear_macs: int = 0
    bias_adds: int = 0  # output elements of layers with bias
    norm_elements: int = 0  # output elements of batch norm
    relu_elements: int = 0  # output elements of ReLU
    relu6_elements: int = 0  # output elements of ReLU6
    sigmoid_elements: int = 0  # output elements of sigmoid and of SiLU, which contains one
    merged_elements: int = 0  # output elements of additions and multiplications of maps
    pool_reads: int = 0  # elements that the windows of average pooling read
    global_reads: int = 0  # elements that global average pooling before the classifier reads
    gate_reads: int = 0  # elements that global average pooling in squeeze-and-excitation reads
    pooled_channels: int = 0  # output elements of global average pooling
    max_reads: int = 0  # elements that the windows of max pooling read
    activation_flops: int = 0  # operations of activation functions, as pytorchcv counts them
    shuffle_elements: int = 0  # elements that a channel shuffle moves
    channel_pairs: int = 0  # input channels x output channels / groups of convolutions without bias
    regrouped_weights: int = 0  # weights of convolutions, divided by the groups a second time
    regrouped_macs: int = 0  # multiply-adds of convolutions, divided by the groups a second time
    fc_weights: int = 0  # of the last linear layer
    fc_biases: int = 0  # of the last linear layer
    first_macs: int = 0  # of the convolutions of the first block
    # Operations that a counter prints, see `effviz.count.reconcile.counters`.
    fvcore: int = 0
    thop: int = 0
    ptflops: int = 0
    torchinfo: int = 0


def _total(parts: Iterable[tuple[Parts, int]]) -> Parts:
    """Add the parts of layers, or of blocks that repeat. The last linear layer is that of the last one with any."""
    listed = list(parts)
    summed = Parts(*(sum(value * times for value, times in column) for column in _columns(listed)))
    last = next((each for each, _ in reversed(listed) if each.fc_weights), Parts())
    return summed._replace(fc_weights=last.fc_weights, fc_biases=last.fc_biases)


def _columns(parts: list[tuple[Parts, int]]) -> Iterable[list[tuple[int, int]]]:
    return ([(each[index], times) for each, times in parts] for index in range(len(Parts._fields)))


@remembered
def parts_of(design: Design, resolution: Resolution | None = None) -> Parts:
    """Count a network in parts; raises as `effviz.model.design.Design.runs`."""
    parts = [(_block_parts(run.block, run.shape), run.repeats) for run in design.runs(resolution)]
    return _total(parts)._replace(first_macs=parts[0][0].conv_macs)


@remembered
def _block_parts(block: Layer, shape: Shape) -> Parts:
    steps = trace_block(block, shape).steps
    return _total((_step_parts(step), 1) for step in steps)._replace(**_printed(steps))


_COUNTERS = {name: COUNTERS[name].numbers[0] for name in ("fvcore", "thop", "ptflops", "torchinfo")}


def _printed(steps: tuple[TraceStep, ...]) -> dict[str, int]:
    """Return the operations that each counter prints for the layers of a block."""
    found, macs = tally(steps), sum(cost.macs(step.layer, step.output.shape) for step in steps)
    return {name: operations(printed, macs, found, lambda: steps) for name, printed in _COUNTERS.items()}


# Operations per element in measure_model of pytorchcv.
_ACTIVATION_FLOPS = {"relu": 1, "relu6": 1, "hardsigmoid": 1, "hardswish": 2, "sigmoid": 4, "silu": 5}
_ACTIVATIONS = {"relu_elements": ("relu",), "relu6_elements": ("relu6",), "sigmoid_elements": ("sigmoid", "silu")}


def _step_parts(step: TraceStep) -> Parts:
    layer, output = step.layer, step.output.shape
    if isinstance(layer, (Conv2d, Linear)):
        return _product_parts(layer, output)
    elements, read = prod(output), prod(step.inputs[0].shape)
    match layer:
        case BatchNorm2d():
            return Parts(norm=layer.num_features, norm_elements=elements)
        case LayerNorm2d() | LayerScale():
            return Parts(other=cost.params(layer))
        case Activation():
            found = {field: elements for field, functions in _ACTIVATIONS.items() if layer.function in functions}
            return Parts(activation_flops=_ACTIVATION_FLOPS.get(layer.function, 0) * elements, **found)
        case Branches():
            return Parts(merged_elements=elements if layer.merge in ("add", "mul") else 0)
        case MaxPool2d():
            return Parts(max_reads=elements * prod(pair(layer.kernel_size)))
        case AvgPool2d():
            return Parts(pool_reads=elements * prod(pair(layer.kernel_size)))
        case AdaptiveAvgPool2d() | GlobalAvgPool():
            if read == elements:
                return Parts()
            where = "gate_reads" if "SqueezeExcite" in step.blocks else "global_reads"
            return Parts(pooled_channels=elements, **{where: read})
        case ChannelShuffle():
            return Parts(shuffle_elements=elements)
    return Parts()


def _product_parts(layer: Conv2d | Linear, output: Shape) -> Parts:
    weights, biases, macs = cost.weights(layer), cost.biases(layer), cost.macs(layer, output)
    shared = Parts(weights=weights, biases=biases, bias_adds=prod(output) if biases else 0)
    if isinstance(layer, Linear):
        return shared._replace(linear_macs=macs, fc_weights=weights, fc_biases=biases)
    pairs = layer.in_channels * layer.out_channels // layer.groups
    free = {} if biases else {"unbiased": layer.out_channels, "channel_pairs": pairs}
    regrouped = {"regrouped_weights": weights // layer.groups, "regrouped_macs": macs // layer.groups}
    return shared._replace(conv_macs=macs, **free, **regrouped)


# --- rules ------------------------------------------------------------------------------------------------------------


class CountingRule(NamedTuple):
    """One convention.

    Attributes:
        name: short, for tables and filters.
        text: end of the sentence "These digits count ...".
        count: from the parts of a network.
        variant: the network that is counted instead, None for networks without it; empty for the same network.
        source: the code that counts in this way; empty for a rule that many sources use.
    """

    name: str
    text: str
    count: Callable[[Parts], int]
    variant: Callable[[Design], Design | None] | None = None
    source: str = ""

    def of(self, design: Design, resolution: Resolution | None = None) -> int | None:
        """Count a network by this rule; None if the rule says nothing about it."""
        counted = design if self.variant is None else self.variant(design)
        return None if counted is None else self.count(parts_of(counted, resolution))


def _without_norm(parts: Parts) -> int:
    return parts.weights + parts.biases + parts.other


def _params(parts: Parts) -> int:
    return _without_norm(parts) + 2 * parts.norm


def _macs(parts: Parts) -> int:
    return parts.conv_macs + parts.linear_macs


def _pytorchcv(parts: Parts) -> int:
    """Half of the FLOPs of measure_model in pytorchcv."""
    flops = 2 * _macs(parts) - parts.channel_pairs + 4 * parts.norm_elements + parts.activation_flops
    return (
        flops + parts.pool_reads + parts.global_reads + parts.gate_reads + parts.max_reads + parts.shuffle_elements
    ) // 2


def _toco(parts: Parts) -> int:
    """Half of the operations that TensorFlow's converter estimates for a network with folded batch norm.

    An activation is a part of its convolution, except for the logistic function, and global pooling is not counted.
    """
    added = parts.norm_elements + parts.bias_adds + parts.merged_elements + parts.max_reads + parts.pool_reads
    return _macs(parts) + (added + 64 * parts.sigmoid_elements) // 2


def _pytorchcv_shufflenet(parts: Parts) -> int:
    """Half of the FLOPs of pytorchcv's ShuffleNet, whose ReLU also changes the average pool of 3 x 3."""
    return _pytorchcv(parts) + parts.pool_reads // 9 // 2


def _paddle_params(parts: Parts) -> int:
    """Parameters of PaddlePaddle's model_stat, which has one parameter for all biases of the FC layer."""
    return parts.regrouped_weights + parts.fc_weights + (1 if parts.fc_weights else 0) + 2 * parts.norm


def _paddle_flops(parts: Parts) -> int:
    """FLOPs of PaddlePaddle's model_stat, with the multiply-adds of linear layers counted once."""
    return _paddle_ungrouped(parts) - 2 * (parts.conv_macs - parts.regrouped_macs)


def _paddle_ungrouped(parts: Parts) -> int:
    """The same, with grouped convolutions divided by the groups once."""
    read = parts.pool_reads + parts.max_reads + parts.pooled_channels
    activations = parts.relu_elements + parts.sigmoid_elements
    return 2 * (parts.conv_macs + parts.norm_elements) + parts.linear_macs + activations + read


_TOCO = "TensorFlow, lite/toco/tooling_util.cc"
_PADDLE = "PaddlePaddle, fluid/contrib/model_stat.py"
_PADDLE_PARAMS = "no biases, and weights of grouped convolutions divided by the groups twice"
_TWICE = ", divided by the groups twice"
_PADDLE_FLOPS = (
    f"two operations for each multiply-add of a convolution{_TWICE}, one in linear layers, and "
    "those of batch norm, ReLU and pooling"
)

PARAMS = (
    CountingRule("trainable", "all trainable parameters", _params),
    CountingRule("without batch norm", "weights and biases without batch norm", lambda p: _without_norm(p)),
    CountingRule(
        "3 batch-norm vectors", "three batch-norm vectors per channel", lambda p: _without_norm(p) + 3 * p.norm
    ),
    CountingRule(
        "4 batch-norm vectors",
        "all four batch-norm vectors per channel, as Keras does",
        lambda p: _without_norm(p) + 4 * p.norm,
    ),
    CountingRule(
        "Keras, with normalization",
        "four batch-norm vectors per channel and the 7 numbers of Keras' input normalization",
        lambda p: _without_norm(p) + 4 * p.norm + 7,
    ),
    CountingRule(
        "Keras, with biases",
        "four batch-norm vectors per channel, and a bias in every convolution",
        lambda p: _without_norm(p) + p.unbiased + 4 * p.norm,
    ),
    CountingRule("without FC bias", "a classifier without bias", lambda p: _params(p) - p.fc_biases),
    CountingRule("weights only", "only weights of convolutions and linear layers", lambda p: p.weights),
    CountingRule(
        "without FC layer", "the network without its last FC layer", lambda p: _params(p) - p.fc_weights - p.fc_biases
    ),
    CountingRule(
        "1280-wide head", "the head of 1,280 channels of the paper's first versions", _params, networks.wide_head
    ),
    CountingRule(
        "1280-wide head, no batch norm",
        "the head of 1,280 channels, without batch norm",
        lambda p: _without_norm(p),
        networks.wide_head,
    ),
    CountingRule("PaddlePaddle", _PADDLE_PARAMS, _paddle_params, source=_PADDLE),
    CountingRule(
        "PaddleClas ShuffleNetV2",
        f"the network of PaddleClas, with {_PADDLE_PARAMS}",
        _paddle_params,
        networks.paddle_shufflenet,
        _PADDLE,
    ),
    CountingRule(
        "PaddleClas MobileNetV3",
        "the network of PaddleClas without biases: expansions and head as in its table, squeeze by c // 4",
        lambda p: p.weights + 2 * p.norm,
        networks.paddle_mobilenet_v3,
        "PaddleClas, mobilenet_v3.py",
    ),
    CountingRule(
        "pytorchcv MobileNetV3",
        "the network of pytorchcv, whose head has no bias",
        _params,
        networks.pytorchcv_mobilenet,
        "pytorchcv, mobilenetv3.py",
    ),
    CountingRule(
        "two-group AlexNet",
        "the network of the AlexNet paper, with two groups of channels",
        _params,
        networks.grouped_alexnet,
    ),
)
"""Rules for parameters, the most usual first."""

MACS = (
    CountingRule("multiply-adds", "multiply-adds of convolutions and linear layers", _macs),
    CountingRule("FLOPs = 2x", "two operations for each multiply-add", lambda p: 2 * _macs(p)),
    CountingRule("without FC layer", "the network without its last FC layer", lambda p: _macs(p) - p.fc_weights),
    CountingRule("convolutions only", "convolutions without any linear layer", lambda p: p.conv_macs),
    CountingRule("with bias adds", "one more operation for each bias added", lambda p: _macs(p) + p.bias_adds),
    CountingRule(
        "fvcore",
        "two more operations for each batch-norm output and one for each globally pooled element, as fvcore does",
        lambda p: p.fvcore,
    ),
    CountingRule(
        "fvcore, gates by mean",
        "what fvcore prints for code whose squeeze-and-excitation pools with `mean`, which it does not count",
        lambda p: p.fvcore - p.gate_reads,
    ),
    CountingRule(
        "thop", "four more operations for each batch-norm output, and those of pooling, as thop does", lambda p: p.thop
    ),
    CountingRule(
        "pytorchcv",
        "half of all operations, also of batch norm, activations and pooling, as pytorchcv does",
        _pytorchcv,
    ),
    CountingRule(
        "pytorchcv, convolution as FC",
        "half of all operations, with a convolution without bias as classifier",
        lambda p: _pytorchcv(p) - p.fc_weights // 2,
    ),
    CountingRule(
        "with batch norm", "one more operation for each batch-norm output", lambda p: _macs(p) + p.norm_elements
    ),
    CountingRule(
        "with ReLU, pooling",
        "one more operation for each ReLU and each average-pooled element",
        lambda p: _macs(p) + p.relu_elements + p.relu6_elements + p.pool_reads + p.global_reads,
    ),
    CountingRule("ptflops", "also biases, batch norm, activations and pooling, as ptflops does", lambda p: p.ptflops),
    CountingRule(
        "torchinfo",
        "also biases of convolutions, and two operations per channel of batch norm, as torchinfo does",
        lambda p: p.torchinfo,
    ),
    CountingRule(
        "TensorFlow converter",
        "half of all operations of the converted network: also biases, additions, products, and 64 for each sigmoid",
        _toco,
        networks.google,
        _TOCO,
    ),
    CountingRule("PaddlePaddle", _PADDLE_FLOPS, _paddle_flops, source=_PADDLE),
    CountingRule(
        "PaddleClas ShuffleNetV2",
        f"the network of PaddleClas, with {_PADDLE_FLOPS}",
        _paddle_flops,
        networks.paddle_shufflenet,
        _PADDLE,
    ),
    CountingRule(
        "PaddleClas MobileNetV2",
        f"the network of PaddleClas, with {_PADDLE_FLOPS}",
        _paddle_flops,
        networks.paddle_mobilenet_v2,
        _PADDLE,
    ),
    CountingRule(
        "PaddleClas MobileNetV3",
        f"the network of PaddleClas, with {_PADDLE_FLOPS.replace(_TWICE, '')}",
        _paddle_ungrouped,
        networks.paddle_mobilenet_v3,
        "PaddleClas, mobilenet_v3.py",
    ),
    CountingRule(
        "pytorchcv ShuffleNet",
        "half of all operations, with the ReLU after the concatenation, as in pytorchcv",
        _pytorchcv_shufflenet,
        networks.pytorchcv_shufflenet,
        "pytorchcv, shufflenet.py",
    ),
    CountingRule(
        "pytorchcv MobileNetV3",
        "half of all operations of the network of pytorchcv, whose head has no bias",
        _pytorchcv,
        networks.pytorchcv_mobilenet,
        "pytorchcv, mobilenetv3.py",
    ),
    CountingRule(
        "two-group AlexNet",
        "the network of the AlexNet paper, with two groups of channels",
        _macs,
        networks.grouped_alexnet,
    ),
    CountingRule(
        "without first convolution",
        "the network without its first convolution",
        lambda p: _macs(p) - p.first_macs,
        networks.mobilenet_v1,
    ),
    CountingRule(
        "1280-wide head", "the head of 1,280 channels of the paper's first versions", _macs, networks.wide_head
    ),
    CountingRule(
        "stride in the 1×1",
        "the stride in the first 1×1 of a bottleneck, as the ResNet paper has it",
        _macs,
        networks.early_stride,
    ),
    CountingRule(
        "pytorchcv, stride in the 1×1",
        "half of all operations, with the stride in the first 1×1 of a bottleneck",
        _pytorchcv,
        networks.early_stride,
    ),
    CountingRule(
        "1280-wide head, 2x",
        "the head of 1,280 channels, and two operations for each multiply-add",
        lambda p: 2 * _macs(p),
        networks.wide_head,
    ),
)
"""Rules for multiply-adds, the most usual first."""

RULES = {"params": PARAMS, "mult_adds": MACS}
