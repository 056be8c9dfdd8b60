"""The counts of a network as functions of the resolution, so that one trace counts it at any number of resolutions.

Only the sizes of the maps depend on the resolution. Each count is a sum of map areas with constant coefficients, and
the peak activation memory is the largest of several such sums. The coefficients come from the counting rules
themselves: they count every block once with placeholders for its map sizes, powers of a large number. The digits of a
count to that base are its coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, if_legal
from effviz.core.resolution import Resolution, sides
from effviz.count import cost
from effviz.count.memory import ASSUMPTIONS, NETWORK_INPUT, Producer, alive, fuse, memory_access
from effviz.count.report import analyze
from effviz.count.rows import block_access, block_fusion, block_peak
from effviz.count.totals import block_totals
from effviz.model import layers
from effviz.model.design import Design
from effviz.model.fields import FieldBlock
from effviz.model.layers import Branches, Conv2d, Primitive, Shape, Subsample, elements
from effviz.model.shapes import SizedBlock, sized_block
from effviz.model.trace import Tensor, TraceStep

CONSTANT_SIZE = (layers.GlobalAvgPool, layers.AdaptiveAvgPool2d)
"""Primitives whose output size does not depend on that of the input."""
WITHOUT_CHANNELS = (layers.MaxPool2d, layers.AvgPool2d, layers.Subsample)
"""Primitives that accept any number of channels and may change the map size."""

_FORM_BYTES = 300
_BITS = 96
_BASE = 1 << _BITS
"""Larger than any coefficient."""

Form = tuple[tuple[int, int], ...]
"""A sum of map areas: pairs of the number of a map size and its coefficient. Number 0 is the constant, of area 1."""


class FormTotals(NamedTuple):
    """The totals of a network at one resolution, as in `effviz.count.report.Report`."""

    params: int
    macs: int
    memory_access: int
    peak_activation: int


class SizeChange(NamedTuple):
    """A layer that changes the map size.

    The layer has one channel, so that networks of different widths have equal changes. It is None for a merge, whose
    inputs must have equal sizes.
    """

    layer: Primitive | None
    sources: tuple[int, ...]  # numbers of the map sizes of the inputs


@dataclass(frozen=True, slots=True)
class NetworkForm:
    """The counts of a network. The map size of its input has the number 1, those after its `changes` follow."""

    params: int
    macs: Form
    memory_access: Form
    peaks: tuple[Form, ...]
    changes: tuple[SizeChange, ...]

    def __sizeof__(self) -> int:
        """Return about the bytes of the form, for caches."""
        return _FORM_BYTES * (2 + len(self.changes) + len(self.peaks))


@dataclass(frozen=True, slots=True)
class BlockForm(NetworkForm):
    """The counts of one block, with its output."""

    out: int  # number of the output's map size; 0 if it is constant
    out_shape: Shape  # of the output if its map size is constant; otherwise empty
    producer: Producer  # of the output


def count_at(design: Design, resolutions: tuple[Resolution, ...], memory: str = "fused") -> list[FormTotals | None]:
    """Count a network at many resolutions.

    Args:
        design: the network.
        resolutions: of the input in pixels.
        memory: assumption about memory access, one of `effviz.count.memory.ASSUMPTIONS`.

    Returns:
        The counts at each resolution; None where the network cannot be built.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    form = network_form(design, memory)
    if form is None:
        return [_analyzed(design, resolution, memory) for resolution in resolutions]
    return [
        _analyzed(design, resolution, memory)
        if areas is None
        else FormTotals(
            form.params,
            sum([factor * areas[size] for size, factor in form.macs]),
            sum([factor * areas[size] for size, factor in form.memory_access]),
            max([sum([factor * areas[size] for size, factor in peak]) for peak in form.peaks]),
        )
        for resolution, areas in zip(resolutions, _areas(form.changes, resolutions), strict=True)
    ]


def _analyzed(design: Design, resolution: Resolution, memory: str) -> FormTotals | None:
    report = if_legal(lambda: analyze(design, resolution, memory))
    if report is None:
        return None
    return FormTotals(report.params, report.macs, report.memory_access, report.peak_activation)


@remembered
def _areas(changes: tuple[SizeChange, ...], resolutions: tuple[Resolution, ...]) -> list[tuple[int, ...] | None]:
    """Return the area of each map size at each resolution, see `_areas_at`."""
    return [_areas_at(changes, sides(each)) for each in resolutions]


def _areas_at(changes: tuple[SizeChange, ...], input_sides: tuple[int, int]) -> tuple[int, ...] | None:
    """Return the area of each map size; None if a layer rejects its input, or if subsampling meets a map of one pixel.

    Such a map has the size of its subsampled copy, which decides about fusion.
    """
    sizes: list[Shape] = [(1, 1), input_sides]
    for layer, sources in changes:
        found = sizes[sources[0]]
        if layer is None:
            if any(sizes[source] != found for source in sources):
                return None
        else:
            try:
                found = layer.out_shape((1, *found))[1:]
            except DesignError:
                return None
        sizes.append(found)
    areas = tuple(map(elements, sizes))
    return None if 1 in areas[1:] and any(isinstance(change.layer, Subsample) for change in changes) else areas


# --- a network -------------------------------------------------------------------------------------------------------


@remembered
def network_form(design: Design, memory: str = "fused") -> NetworkForm | None:
    """Return the counts of a design as functions of the resolution; None if a block has no such form.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    params, macs, access = 0, {0: 0}, {0: 0}
    peaks: dict[Form, None] = {((1, design.in_channels),): None}
    changes: list[SizeChange] = []
    size, producer = 1, NETWORK_INPUT
    for run in design.runs():
        left = run.repeats
        while left:
            if size:
                form = block_form(run.block, run.shape[0], producer, memory)
            else:
                form = _constant_form(run.block, run.shape, producer, memory)
            if form is None:
                return None
            # After the first of equal blocks, the producers are usually equal too.
            times = left if form.producer == producer and not form.changes else 1
            numbers = (0, size, *range(len(changes) + 2, len(changes) + 2 + len(form.changes)))
            changes += [SizeChange(layer, tuple(numbers[each] for each in sources)) for layer, sources in form.changes]
            params += times * form.params
            for sums, found in ((macs, form.macs), (access, form.memory_access)):
                for each, factor in found:
                    sums[numbers[each]] = sums.get(numbers[each], 0) + times * factor
            for peak in form.peaks:
                peaks[tuple((numbers[each], factor) for each, factor in peak)] = None
            size, producer = numbers[form.out], form.producer
            left -= times
    return NetworkForm(params, tuple(macs.items()), tuple(access.items()), tuple(peaks), tuple(changes))


# --- a block ---------------------------------------------------------------------------------------------------------


def _constant_form(block: FieldBlock, shape: Shape, producer: Producer, memory: str) -> BlockForm:
    """Count a block whose input does not depend on the resolution."""
    totals = block_totals(block, shape)
    access, peak = block_access(block, shape, producer, memory), block_peak(block, shape, producer)
    after = block_fusion(block, shape, producer).producer
    macs, memory_access, largest = (((0, count),) for count in (totals.macs, access, peak))
    return BlockForm(totals.params, macs, memory_access, (largest,), (), 0, totals.out_shape, after)


@remembered
def block_form(block: FieldBlock, in_channels: int, producer: Producer, memory: str) -> BlockForm | None:
    """Return the counts of a block for maps of any size with these input channels; None if it has no such form."""
    sized = sized_block(block, in_channels)
    found = None if sized is None or producer.held else _numbered(sized)
    if sized is None or found is None:
        return None
    sizes, changes = found
    steps = _with_placeholders(sized, sizes)
    fusion = fuse(steps, (in_channels, *sizes[0]), producer)
    if fusion.producer.held:
        return None
    access = sum(memory_access(steps, fusion, memory))
    access += fusion.outside_bias if ASSUMPTIONS[memory].fuses else 0
    last = steps[-1].output.shape
    out = _number(last[1:])
    return BlockForm(
        sum(cost.params(step.layer) for step in steps),
        _form(sum(cost.macs(step.layer, step.output.shape) for step in steps)),
        _form(access),
        _largest({_form(count) for count in alive(steps, fusion) if count}),
        changes,
        out,
        () if out else last,
        fusion.producer,
    )


def _numbered(sized: SizedBlock) -> tuple[list[Shape], tuple[SizeChange, ...]] | None:
    """Return a placeholder for each map size of a block, and the changes between them; None for an unknown layer.

    Constant sizes, such as those after global pooling, are their own placeholders.
    """
    found: list[Shape] = [_placeholder(1)]
    changes: list[SizeChange] = []
    traced = {each.size: each.step.output.shape[1:] for each in sized.steps}
    for place, (layer, inputs) in enumerate(sized.resizes, 1):
        sources = tuple(dict.fromkeys(_number(found[size]) for _, size in inputs))
        if isinstance(layer, CONSTANT_SIZE):
            found.append(traced[place])
            continue
        if isinstance(layer, Branches):
            constant = {found[size] for _, size in inputs if not _number(found[size])}
            # Multiplication repeats a map of one pixel.
            if constant and (layer.merge != "mul" or constant != {(1, 1)}):
                return None
            sources = tuple(source for source in sources if source)
            change = SizeChange(None, sources)
        elif isinstance(layer, Conv2d):
            change = SizeChange(
                Conv2d(1, 1, layer.kernel_size, layer.stride, layer.padding, layer.dilation, bias=False), sources
            )
        elif isinstance(layer, WITHOUT_CHANNELS):
            change = SizeChange(layer, sources)
        else:
            return None
        if not all(sources) or not sources:
            return None
        if change.layer is None and len(sources) == 1:
            found.append(_placeholder(sources[0]))
        else:
            changes.append(change)
            found.append(_placeholder(1 + len(changes)))
    return found, tuple(changes)


def _with_placeholders(sized: SizedBlock, sizes: list[Shape]) -> list[TraceStep]:
    """Return the steps of a block with the placeholders as sizes of their maps."""
    steps = []
    for each in sized.steps:
        step = each.step
        inputs = tuple(
            Tensor(tensor.storage, (tensor.shape[0], *sizes[size]), tensor.first)
            for tensor, size in zip(step.inputs, each.inputs, strict=True)
        )
        output = Tensor(step.output.storage, (step.output.shape[0], *sizes[each.size]), step.output.first)
        steps.append(TraceStep(step.path, step.layer, step.blocks, inputs, output))
    return steps


def _placeholder(number: int) -> Shape:
    return (1 << _BITS * number, 1)


def _number(size: Shape) -> int:
    """Return the number of a placeholder; 0 for a constant size."""
    return (size[0].bit_length() - 1) // _BITS


def _form(count: int) -> Form:
    """Return the digits of a count that was made with placeholders."""
    found, number = [], 0
    while count:
        count, factor = divmod(count, _BASE)
        if factor:
            found.append((number, factor))
        number += 1
    return tuple(found)


def _largest(forms: set[Form]) -> tuple[Form, ...]:
    """Return the forms without those that another one exceeds at every resolution."""
    listed = [(form, dict(form)) for form in sorted(forms)]
    return tuple(
        form
        for form, factors in listed
        if not any(
            form != other and all(most.get(number, 0) >= factor for number, factor in form) for other, most in listed
        )
    )
