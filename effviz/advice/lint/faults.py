"""Fault rules: weights that meet only padding, skipped pixels, even kernel sizes, idle biases, narrow activations."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from effviz.advice.lint.edits import with_block
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, by_row, image, pixels, share
from effviz.core.caches import remembered
from effviz.core.resolution import size_text
from effviz.core.units import percent, si
from effviz.count.kinds import DEPTHWISE, POINTWISE
from effviz.model.layers import (
    Activation,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Conv2d,
    Layer,
    MaxPool2d,
    Shape,
    Subsample,
    pair,
)
from effviz.model.trace import TraceStep

Window: TypeAlias = Conv2d | MaxPool2d | AvgPool2d
WINDOWS = (Conv2d, MaxPool2d, AvgPool2d)

NARROWING = 2
"""Input channels per output channel from which a 1x1 convolution after a depthwise one is a bottleneck. MobileNetV2
narrows by 2 to 6."""

SATURATING = ("relu", "relu6")
"""Activations that set half of their input to zero."""


def sides(layer: Window, axis: int) -> tuple[int, int, int, int]:
    """Return kernel size, stride, padding and dilation along one axis."""
    stride = layer.kernel_size if layer.stride is None else layer.stride
    dilation = 1 if isinstance(layer, AvgPool2d) else layer.dilation
    kernel, step, padding, spread = (pair(each)[axis] for each in (layer.kernel_size, stride, layer.padding, dilation))
    return kernel, step, padding, spread


# --- too much stride -------------------------------------------------------------------------------------------------


@remembered
def _used_taps(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Count the kernel positions along one axis that meet a pixel at any output."""
    met = 0
    for tap in range(kernel):
        offset = tap * dilation - padding
        # The first output whose tap is inside the left border, if it is also inside the right one.
        first = max(0, (stride - 1 - offset) // stride)
        met += first < outputs and first * stride + offset < size
    return met


def _idle_weights(layer: BuiltLayer) -> int:
    """Count the weights of a convolution that meet only padding."""
    conv = layer.step.layer
    if not isinstance(conv, Conv2d) or pair(conv.kernel_size) == (1, 1):
        return 0
    rows, columns = (
        _used_taps(image(layer.input_shape)[axis], image(layer.output_shape)[axis], *sides(conv, axis))
        for axis in (0, 1)
    )
    high, wide = pair(conv.kernel_size)
    return conv.out_channels * (conv.in_channels // conv.groups) * (high * wide - rows * columns)


def _too_much_stride(network: BuiltNetwork) -> Iterator[Finding]:
    for concerned in by_row(filter(_idle_weights, network.layers)).values():
        idle, params = sum(map(_idle_weights, concerned)), sum(layer.params for layer in concerned)
        conv = concerned[0].step.layer
        assert isinstance(conv, Conv2d)
        (high, wide), (rows, columns) = pair(conv.kernel_size), image(concerned[0].input_shape)
        yield network.finding(
            "too_much_stride", concerned, float(idle),
            f"{high} × {wide} kernels are applied to a map of {rows} × {columns} pixels. {si(idle)} of {si(params)} "
            f"parameters meet only padding at an input of {size_text(network.resolution)} pixels.",
        )  # fmt: skip


def _less_stride(row: BuiltRow) -> Iterator[Proposal]:
    for index in range(row.index, -1, -1):
        earlier = row.network.row(index)
        if earlier.stage.stride > 1:
            yield earlier.change(f"Use stride 1 instead of {earlier.stage.stride} in {{}}", **earlier.stride_1())
    for smaller in range(row.fields.get("kernel_size", 1) - 2, 0, -2):
        yield row.kernel(smaller)


# --- skipped pixels --------------------------------------------------------------------------------------------------


def _has_gaps(kernel: int, stride: int, dilation: int) -> bool:
    """Whether a sliding window skips pixels between two positions."""
    return len({tap * dilation % stride for tap in range(kernel)}) < stride


def _skips(layer: Layer) -> bool:
    if not isinstance(layer, WINDOWS) or pair(layer.stride or 1) == (1, 1):
        return False
    return any(_has_gaps(kernel, stride, spread) for kernel, stride, _, spread in (sides(layer, 0), sides(layer, 1)))


@remembered
def _read(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return the pixels read along one axis as the bits of an integer; all of them if the window has no gaps."""
    if not _has_gaps(kernel, stride, dilation):
        return (1 << size) - 1
    places = {index * stride - padding + tap * dilation for index in range(outputs) for tap in range(kernel)}
    return sum(1 << place for place in places if 0 <= place < size)


def _read_by(step: TraceStep, shape: Shape, stride: int) -> tuple[int, int]:
    """Return the rows and columns of a map that a step reads, through a view of every `stride`-th pixel."""
    layer = step.layer
    (high, wide), (rows, columns) = image(shape), image(step.output.shape)
    if stride > 1:
        return _read(high, rows, 1, stride, 0, 1), _read(wide, columns, 1, stride, 0, 1)
    if not isinstance(layer, WINDOWS):
        return (1 << high) - 1, (1 << wide) - 1
    return _read(high, rows, *sides(layer, 0)), _read(wide, columns, *sides(layer, 1))


def _unread(readers: Sequence[tuple[int, int]], shape: Shape) -> int:
    """Count the pixels of a map that no reader reads."""
    high, wide = image(shape)
    if ((1 << high) - 1, (1 << wide) - 1) in readers:
        return 0
    read = 0
    for row in range(high):
        columns = 0
        for rows, seen in readers:
            columns |= seen if rows >> row & 1 else 0
        read += columns.bit_count()
    return high * wide - read


def _skipped_pixels(network: BuiltNetwork) -> Iterator[Finding]:
    shapes = {step.inputs[0].storage: step.inputs[0].shape for step in network.steps if _skips(step.layer)}
    strides = {step.output: step.layer.stride for step in network.steps if isinstance(step.layer, Subsample)}
    readers: dict[int, list[tuple[int, int]]] = {}
    for index, step in enumerate(network.steps):
        for tensor in () if step.is_view else step.inputs:
            if tensor.storage in shapes:
                readers.setdefault(tensor.storage, []).append((index, strides.get(tensor, 1)))
    worst: dict[int, Finding] = {}
    for storage, reading in readers.items():
        shape = shapes[storage]
        lost = _unread([_read_by(network.steps[index], shape, stride) for index, stride in reading], shape)
        if not lost:
            continue
        layers = [network.layers[index] for index, _ in reading]
        row, degree, window = layers[0].row, share(lost, pixels(shape)), layers[0].step.layer
        assert isinstance(window, WINDOWS)
        kernel, stride, _, _ = sides(window, 0)
        finding = network.finding(
            "skipped_pixels", [layer for layer in layers if layer.row == row], degree,
            f"Stride {stride} with {kernel} × {kernel} kernels skips {percent(degree)} of the {image(shape)[0]} × "
            f"{image(shape)[1]} pixels. Their values are computed but never read.",
        )  # fmt: skip
        if row not in worst or degree > worst[row].degree:
            worst[row] = finding
    yield from worst.values()


def _reading_all(row: BuiltRow) -> Iterator[Proposal]:
    stride, size = row.stage.stride, row.fields.get("kernel_size", 0)
    if row.fields.get("stride_at") == "1x1":
        yield row.change(f"Move the stride of {{}} to the {size}×{size} convolution", stride_at="3x3")
    for larger in (stride, stride + 1):
        if larger > size > 0 and larger % 2:
            yield row.kernel(larger, reset_padding=True)


# --- even kernel sizes -----------------------------------------------------------------------------------------------


def _is_off_center(layer: BuiltLayer) -> bool:
    window = layer.step.layer
    if not isinstance(window, WINDOWS):
        return False
    for axis in (0, 1):
        kernel, stride, padding, _ = sides(window, axis)
        slides = image(layer.output_shape)[axis] > 1
        if kernel % 2 == 0 and slides and (stride == 1 or (stride == kernel and padding > 0)):
            return True
    return False


def _even_windows(network: BuiltNetwork) -> Iterator[Finding]:
    for concerned in by_row(filter(_is_off_center, network.layers)).values():
        window = concerned[0].step.layer
        assert isinstance(window, WINDOWS)
        kernel, stride, padding, _ = sides(window, 0)
        (high, wide), (rows, columns) = image(concerned[0].input_shape), image(concerned[0].output_shape)
        if stride == 1:
            why = (
                f"A {kernel} × {kernel} kernel has no center pixel. At stride 1 it turns {high} × {wide} pixels into "
                f"{rows} × {columns}, each between four input pixels. Positions shift from layer to layer, and no "
                "shortcut fits around the layer."
            )
        else:
            why = (
                f"{kernel} × {kernel} kernels at stride {stride} tile the map. With padding {padding} the tiles start "
                f"outside the map of {high} × {wide} pixels and cross its border."
            )
        yield network.finding("even_windows", concerned, float(len(concerned)), why)


def _odd_windows(row: BuiltRow) -> Iterator[Proposal]:
    size = row.fields.get("kernel_size", 1)
    if "padding" in row.fields and row.stage.stride == size:
        yield row.change("Remove the padding in {}", padding=0)
    if "kernel_size" in row.fields:
        yield row.kernel(size + 1, reset_padding=True)
        yield row.kernel(size - 1, reset_padding=True)


# --- batch norms and activations -------------------------------------------------------------------------------------


def _idle_biases(network: BuiltNetwork) -> Iterator[Finding]:
    readers: dict[int, list[TraceStep]] = {}
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

    def before(step: TraceStep) -> tuple[TraceStep, BuiltLayer] | None:
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


RULES = (
    Rule(
        "too_much_stride", "Too much stride for this resolution",
        "Keep maps at least half as large as the kernels that slide over them.",
        "counted: a weight that is multiplied only by zero padding has no effect",
        "Fewer strides, smaller kernels or larger images would fix this.",
        _too_much_stride, _less_stride, is_far=True, is_fault=True,
    ),
    Rule(
        "skipped_pixels", "Skipped pixels",
        "Use kernels at least as large as their stride on at least one path through a block.",
        "Bag of tricks, arXiv 1812.01187, section 4 (ResNet-B, -D)",
        "Kernels as large as the stride would fix this.",
        _skipped_pixels, _reading_all, is_fault=True,
    ),
    Rule(
        "even_windows", "Kernels without a center pixel",
        "Use odd kernel sizes, or even ones that tile the map without padding.",
        "Convolution with even-sized kernels and symmetric padding, arXiv 1903.08385, section 3",
        "An odd kernel size would fix this.",
        _even_windows, _odd_windows, is_fault=True,
    ),
    Rule(
        "bias_before_norm", "Bias before batch norm",
        "Omit the bias of a convolution that is followed by batch norm.",
        "Batch normalization, arXiv 1502.03167, section 3.2",
        "The bias of the convolution can be removed.",
        _idle_biases, _without_bias, is_fault=True,
    ),
    Rule(
        "narrow_activation", "ReLU after a bottleneck",
        "Keep narrow layers linear.",
        "MobileNetV2, arXiv 1801.04381, section 3.2",
        "The activation of the convolution can be removed.",
        _narrow_activations, _linear_bottleneck, is_fault=True,
    ),
)  # fmt: skip
