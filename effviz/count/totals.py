"""Totals of blocks for maps of any size: counts per pixel times the map sizes of `effviz.model.shapes`."""

from typing import NamedTuple

from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.model.design import Design
from effviz.model.layers import Layer, Shape
from effviz.model.shapes import map_sizes, out_shape, sized_block
from effviz.model.trace import trace_block


class BlockTotals(NamedTuple):
    """Sums over the layers of one block, as in `effviz.count.cost`, and the shape of its output."""

    params: int
    macs: int
    activations: int
    out_shape: Shape


@remembered
def block_totals(block: Layer, shape: Shape) -> BlockTotals:
    """Sum the counts of the layers of `block` for an input of `shape`; raises as `effviz.model.trace.trace`."""
    sizes = map_sizes(block, shape)
    if sizes is None:
        steps = trace_block(block, shape).steps
        return BlockTotals(
            params=sum(cost.params(step.layer) for step in steps),
            macs=sum(cost.macs(step.layer, step.output.shape) for step in steps),
            activations=sum(cost.activations(step.layer, step.output.shape) for step in steps),
            out_shape=out_shape(block, shape),
        )
    params, per_pixel = _per_pixel(block, shape[0])
    macs = activations = 0
    for (height, width), (pixel_macs, pixel_activations) in zip(sizes, per_pixel, strict=True):
        macs += height * width * pixel_macs
        activations += height * width * pixel_activations
    return BlockTotals(params, macs, activations, out_shape(block, shape))


def network_totals(design: Design, resolution: Resolution | None = None) -> tuple[int, int, int]:
    """Sum parameters, multiply-adds and activations over the blocks of a network."""
    params = macs = activations = 0
    for run in design.runs(resolution):
        each = block_totals(run.block, run.shape)
        params += run.repeats * each.params
        macs += run.repeats * each.macs
        activations += run.repeats * each.activations
    return params, macs, activations


@remembered
def _per_pixel(block: Layer, channels: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Count the parameters, and per map size the multiply-adds and activations of one pixel."""
    sized = sized_block(block, channels)
    assert sized is not None
    params = 0
    sums = [[0, 0] for _ in range(len(sized.resizes) + 1)]
    for step, _, size in sized.steps:
        layer, pixel = step.layer, (step.output.shape[0], 1, 1)
        params += cost.params(layer)
        # Activations are outputs of convolutions, which have multiply-adds.
        if macs := cost.macs(layer, pixel):
            sums[size][0] += macs
            sums[size][1] += cost.activations(layer, pixel)
    return params, tuple((macs, activations) for macs, activations in sums)
