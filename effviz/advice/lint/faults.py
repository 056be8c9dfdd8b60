"""Rules about what is wrong whatever the budget: weights without work, pixels that nobody reads, too narrow a view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from effviz.advice.lint.edits import affordable, edited, fields_of, with_block
from effviz.advice.lint.findings import Candidate, Finding, Rule
from effviz.advice.lint.network import Network, Work, image, pixels, share
from effviz.advice.lint.reach import averaged_map, receptive_field
from effviz.advice.lint.shares import not_reducing
from effviz.core.units import percent, si
from effviz.count.kinds import DEPTHWISE, POINTWISE
from effviz.model.layers import Activation, AvgPool2d, BatchNorm2d, Branches, Conv2d, Layer, MaxPool2d, Shape, pair
from effviz.model.trace import Step

NARROWING = 2
"""Input channels per output channel from which a 1x1 convolution behind a depthwise one is a bottleneck: those of
MobileNetV2 narrow by 2 to 6."""

SATURATING = ("relu", "relu6")
"""Activations that set half of their input to zero."""

LARGEST_WINDOW = 7
"""Pixels: larger windows are rare, and costly where they are not depthwise."""

DEAR = 0.25
"""The share by which a wider view may raise the multiply-adds or parameters."""


# --- too much stride -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4_096)
def _taps(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many of the kernel's places along one side ever lie on a pixel."""
    met = 0
    for tap in range(kernel):
        offset = tap * dilation - padding
        # The first output at which the tap is not left of the map, if that is not beyond its right end.
        first = max(0, (stride - 1 - offset) // stride)
        met += first < outputs and first * stride + offset < size
    return met


def _idle_weights(work: Work) -> int:
    """Weights of a convolution that only ever meet padding."""
    layer = work.step.layer
    if not isinstance(layer, Conv2d) or pair(layer.kernel_size) == (1, 1):
        return 0
    met = [
        _taps(image(work.entering)[axis], image(work.leaving)[axis], *(pair(each)[axis] for each in sides))
        for sides in [(layer.kernel_size, layer.stride, layer.padding, layer.dilation)]
        for axis in (0, 1)
    ]
    high, wide = pair(layer.kernel_size)
    per_place = layer.out_channels * (layer.in_channels // layer.groups)
    return per_place * (high * wide - met[0] * met[1])


def _too_much_stride(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        concerned = [work for work in works if _idle_weights(work)]
        if not concerned:
            continue
        idle, params = sum(map(_idle_weights, concerned)), sum(work.params for work in concerned)
        first = concerned[0]
        layer = first.step.layer
        assert isinstance(layer, Conv2d)
        (high, wide), (rows, columns) = pair(layer.kernel_size), image(first.entering)
        yield Finding(
            "too_much_stride",
            row,
            first.path,
            network.where(concerned),
            f"Windows of {high} × {wide} work on a map of {rows} × {columns}: {si(idle)} of {si(params)} parameters "
            f"meet nothing but padding, at an input of {network.report.resolution} pixels.",
            float(idle),
        )


def _less_stride(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    for index in range(row, -1, -1):
        if design.stages[index].stride > 1:
            yield Candidate(
                f"Use stride 1 instead of {design.stages[index].stride} in {network.name(index)}",
                edited(design, {index: not_reducing(network, index)}),
            )
    size = fields_of(design.stages[row]).get("kernel_size", 1)
    for smaller in range(size - 2, 0, -2):
        yield Candidate(
            f"Use {smaller}×{smaller} windows instead of {size}×{size} in {network.name(row)}",
            edited(design, {row: {"kernel_size": smaller}}),
        )


# --- pixels that nobody reads ----------------------------------------------------------------------------------------


def _sides(layer: Conv2d | MaxPool2d | AvgPool2d, axis: int) -> tuple[int, int, int, int]:
    """Kernel, stride, padding and dilation along one side."""
    stride = layer.kernel_size if layer.stride is None else layer.stride
    dilation = 1 if isinstance(layer, AvgPool2d) else layer.dilation
    kernel, step, padding, spread = (pair(each)[axis] for each in (layer.kernel_size, stride, layer.padding, dilation))
    return kernel, step, padding, spread


def _leaves_gaps(layer: Layer) -> bool:
    """Whether a window passes over pixels on its way."""
    if not isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d)) or pair(layer.stride or 1) == (1, 1):
        return False
    sides = [_sides(layer, axis) for axis in (0, 1)]
    return any(len({tap * spread % stride for tap in range(kernel)}) < stride for kernel, stride, _, spread in sides)


@lru_cache(maxsize=4_096)
def _read(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The pixels along one side that a window reads, as the bits of an integer; all if it leaves none between."""
    if len({tap * dilation % stride for tap in range(kernel)}) == stride:
        return (1 << size) - 1
    places = {index * stride - padding + tap * dilation for index in range(outputs) for tap in range(kernel)}
    return sum(1 << place for place in places if 0 <= place < size)


def _seen(step: Step, shape: Shape) -> tuple[int, int]:
    """Rows and columns of a map that a step reads."""
    layer = step.layer
    (high, wide), leaving = image(shape), image(step.output.shape)
    if not isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d)):
        return (1 << high) - 1, (1 << wide) - 1
    return _read(high, leaving[0], *_sides(layer, 0)), _read(wide, leaving[1], *_sides(layer, 1))


def _unread(readers: Sequence[tuple[int, int]], shape: Shape) -> int:
    """Pixels of a map that none of its readers reads."""
    high, wide = image(shape)
    if any(rows == (1 << high) - 1 and columns == (1 << wide) - 1 for rows, columns in readers):
        return 0
    read = 0
    for row in range(high):
        columns = 0
        for rows, seen in readers:
            columns |= seen if rows >> row & 1 else 0
        read += columns.bit_count()
    return high * wide - read


def _skipped_pixels(network: Network) -> Iterator[Finding]:
    shapes = {step.inputs[0].storage: step.inputs[0].shape for step in network.steps if _leaves_gaps(step.layer)}
    if not shapes:
        return
    readers: dict[int, list[int]] = {}
    for index, step in enumerate(network.steps):
        for tensor in () if step.is_view else step.inputs:
            if tensor.storage in shapes:
                readers.setdefault(tensor.storage, []).append(index)
    worst: dict[int, Finding] = {}
    for storage, indices in readers.items():
        shape = shapes[storage]
        lost = _unread([_seen(network.steps[index], shape) for index in indices], shape)
        if not lost:
            continue
        works = [network.works[index] for index in indices]
        row, degree = works[0].row, share(lost, pixels(shape))
        layer = works[0].step.layer
        assert isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d))
        kernel, stride, _, _ = _sides(layer, 0)
        finding = Finding(
            "skipped_pixels",
            row,
            works[0].path,
            network.where([work for work in works if work.row == row]),
            f"Stride {stride} with windows of {kernel} × {kernel} passes over {percent(degree)} of the "
            f"{image(shape)[0]} × {image(shape)[1]} pixels: nothing reads what was computed for them.",
            degree,
        )
        if row not in worst or degree > worst[row].degree:
            worst[row] = finding
    yield from worst.values()


def _reading_all(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    stage, name, fields = design.stages[row], network.name(row), fields_of(design.stages[row])
    if fields.get("stride_at") == "1x1":
        yield Candidate(
            f"Give the stride of {name} to the {fields['kernel_size']}×{fields['kernel_size']} convolution",
            edited(design, {row: {"stride_at": "3x3"}}),
        )
    size = fields.get("kernel_size", 0)
    for larger in sorted({stride for stride in (stage.stride, stage.stride + 1) if stride > size > 0 and stride % 2}):
        yield Candidate(
            f"Use {larger}×{larger} windows instead of {size}×{size} in {name}",
            edited(design, {row: {"kernel_size": larger} | ({"padding": None} if "padding" in fields else {})}),
        )


# --- windows without a middle ----------------------------------------------------------------------------------------


def _is_off_centre(work: Work) -> bool:
    layer = work.step.layer
    if not isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d)):
        return False
    for axis in (0, 1):
        kernel, stride, padding, _ = _sides(layer, axis)
        slides = image(work.leaving)[axis] > 1
        if kernel % 2 == 0 and slides and (stride == 1 or (stride == kernel and padding > 0)):
            return True
    return False


def _even_windows(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        concerned = [work for work in works if _is_off_centre(work)]
        if not concerned:
            continue
        first = concerned[0]
        layer = first.step.layer
        assert isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d))
        kernel, stride, padding, _ = _sides(layer, 0)
        (high, wide), (rows, columns) = image(first.entering), image(first.leaving)
        why = (
            f"A window of {kernel} × {kernel} has no middle: at stride 1 it turns {high} × {wide} pixels into "
            f"{rows} × {columns}, each between four of the old ones. Places drift from layer to layer, and no shortcut "
            "fits around it."
            if stride == 1
            else f"Windows of {kernel} × {kernel} at stride {stride} are tiles; with padding {padding} they start "
            f"outside of the map of {high} × {wide} pixels and lie across its border."
        )
        yield Finding(
            "even_windows",
            row,
            first.path,
            network.where(concerned),
            why,
            float(len(concerned)),
        )


def _odd_windows(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    size = fields.get("kernel_size", 1)
    derived = {"padding": None} if "padding" in fields else {}
    if "padding" in fields and design.stages[row].stride == size:
        yield Candidate(f"Use no padding in {name}", edited(design, {row: {"padding": 0}}))
    for other in (size + 1, size - 1):
        yield Candidate(
            f"Use {other}×{other} windows instead of {size}×{size} in {name}",
            edited(design, {row: {"kernel_size": other} | derived}),
        )


# --- a bias ahead of batch norm --------------------------------------------------------------------------------------


def _idle_biases(network: Network) -> Iterator[Finding]:
    readers: dict[int, list[int]] = {}
    for index, step in enumerate(network.steps):
        for tensor in step.inputs:
            readers.setdefault(tensor.storage, []).append(index)
    by_row: dict[int, list[Work]] = {}
    for step, work in zip(network.steps, network.works, strict=True):
        following = readers.get(step.output.storage, [])
        if isinstance(step.layer, Conv2d) and step.layer.bias and len(following) == 1:
            norm = network.steps[following[0]].layer
            if isinstance(norm, BatchNorm2d):
                by_row.setdefault(work.row, []).append(work)
    for row, works in by_row.items():
        biases = sum(work.leaving[0] for work in works)
        yield Finding(
            "bias_before_norm",
            row,
            works[0].path,
            network.where(works),
            f"{biases} biases are added right ahead of a batch norm, which subtracts the mean and them with it: "
            "they are trained, stored and never seen.",
            float(biases),
        )


def _without_bias(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    fields = fields_of(design.stages[row])
    if "bias" in fields:
        bias = None if fields.get("norm") else False
        yield Candidate(f"Leave the bias out of {network.name(row)}", edited(design, {row: {"bias": bias}}))


# --- an activation on a narrow map -----------------------------------------------------------------------------------


def _narrow_activations(network: Network) -> Iterator[Finding]:
    writers = {step.output.storage: step for step in network.steps if not step.is_view}

    def made_by(step: Step) -> Step | None:
        """The convolution, merge or pooling whose output reaches a step through norms, activations and gates."""
        before = writers.get(step.inputs[0].storage)
        while before is not None and (
            isinstance(before.layer, (BatchNorm2d, Activation))
            or (isinstance(before.layer, Branches) and before.layer.merge == "mul")
        ):
            before = writers.get(before.inputs[0].storage)
        return before

    works = {
        step.output.storage: work for step, work in zip(network.steps, network.works, strict=True) if not step.is_view
    }
    by_row: dict[int, list[Work]] = {}
    for step in network.steps:
        if not (isinstance(step.layer, Activation) and step.layer.function in SATURATING):
            continue
        narrow = writers.get(step.inputs[0].storage)
        if narrow is not None and isinstance(narrow.layer, BatchNorm2d):
            narrow = writers.get(narrow.inputs[0].storage)
        if narrow is None or pixels(narrow.output.shape) == 1:
            continue
        work = works[narrow.output.storage]
        if work.kind != POINTWISE or work.leaving[0] * NARROWING > work.entering[0]:
            continue
        wide = made_by(narrow)
        if wide is not None and works[wide.output.storage].kind == DEPTHWISE:
            by_row.setdefault(work.row, []).append(work)
    for row, concerned in by_row.items():
        first = concerned[0]
        yield Finding(
            "narrow_activation",
            row,
            first.path,
            network.where(concerned),
            f"A rectifier follows the 1×1 convolution that narrows {first.entering[0]} channels to "
            f"{first.leaving[0]} behind a depthwise one: what it sets to zero has no other channel left to survive in.",
            float(len(concerned)),
        )


def _linear_bottleneck(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    stage, name, fields = design.stages[row], network.name(row), fields_of(design.stages[row])
    if stage.block == "conv":
        yield Candidate(f"Leave the activation out of {name}", edited(design, {row: {"activation": "none"}}))
    if stage.block == "depthwise_separable":
        yield Candidate(
            f"Use an inverted residual with an expansion of 1 in {name}: its last layer is linear",
            with_block(design, row, "inverted_residual", expand_ratio=1, activation=fields["activation"]),
        )


# --- the receptive field ---------------------------------------------------------------------------------------------


def _small_view(network: Network) -> Iterator[Finding]:
    target = averaged_map(network.steps)
    if target is None:
        return
    sides = receptive_field(network.steps, target)
    resolution = network.report.resolution
    if min(sides) >= resolution:
        return
    high, wide = image(target.shape)
    last = next(work for step, work in zip(network.steps, network.works, strict=True) if target in step.inputs)
    yield Finding(
        "receptive_field",
        None,
        last.path,
        "the whole network",
        f"A pixel of the last map ({high} × {wide}) depends on {sides[0]} × {sides[1]} of the {resolution} × "
        f"{resolution} pixels. What lies further apart meets in the average over the map only, which forgets where "
        "it was.",
        1 - min(sides) / resolution,
    )


def _wider_view(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    for more in (2, 4):
        # A window of the first row is the dearest, and what it adds is not multiplied by any stride.
        for index in list(network.rows)[:0:-1]:
            stage = design.stages[index]
            size = fields_of(stage).get("kernel_size", 0)
            if size % 2 and size + more <= LARGEST_WINDOW and stage.block not in ("max_pool", "avg_pool"):
                yield Candidate(
                    f"Use {size + more}×{size + more} windows instead of {size}×{size} in {network.name(index)}",
                    affordable(design, edited(design, {index: {"kernel_size": size + more}}), DEAR),
                )


TOO_MUCH_STRIDE = Rule(
    "too_much_stride",
    "Too much stride for this resolution",
    "Keep the map at least as large as half of the windows that slide over it.",
    "counted: zero padding contributes nothing to a convolution, whatever the weight that meets it",
    "Fewer strides, smaller windows or larger images would mend it.",
    _too_much_stride,
    _less_stride,
    is_fault=True,
)
SKIPPED_PIXELS = Rule(
    "skipped_pixels",
    "Pixels that nothing reads",
    "Let windows be at least as large as their stride, somewhere on every way through a block.",
    "Bag of tricks, arXiv 1812.01187, section 4 (ResNet-B, -D)",
    "Windows as large as the stride would mend it.",
    _skipped_pixels,
    _reading_all,
    is_fault=True,
)
EVEN_WINDOWS = Rule(
    "even_windows",
    "Windows without a middle",
    "Use windows with odd sides, or even ones that tile the map without padding.",
    "Convolution with even-sized kernels and symmetric padding, arXiv 1903.08385, section 3",
    "A window with an odd side would mend it.",
    _even_windows,
    _odd_windows,
    is_fault=True,
)
BIAS_BEFORE_NORM = Rule(
    "bias_before_norm",
    "A bias ahead of batch norm",
    "Leave the bias out of a convolution that batch norm follows.",
    "Batch normalization, arXiv 1502.03167, section 3.2",
    "The convolution's bias can be left out.",
    _idle_biases,
    _without_bias,
    is_fault=True,
)
NARROW_ACTIVATION = Rule(
    "narrow_activation",
    "A rectifier on a narrow map",
    "Leave narrow layers linear.",
    "MobileNetV2, arXiv 1801.04381, section 3.2",
    "The convolution can be left without an activation.",
    _narrow_activations,
    _linear_bottleneck,
    is_fault=True,
)
RECEPTIVE_FIELD = Rule(
    "receptive_field",
    "A receptive field smaller than the input",
    "Let every pixel of the last map see the whole image: more layers, larger windows or earlier strides.",
    "Araujo et al. 2019, Computing receptive fields, distill.pub/2019/computing-receptive-fields",
    "Another layer, a larger window or an earlier stride would mend it.",
    _small_view,
    _wider_view,
    is_whole=True,
    is_fault=True,
)
