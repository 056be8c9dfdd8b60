"""A proxy of capacity that needs no training: the entropy of DeepMAD, a closed form of the layers' shapes.

It does not predict accuracy. It grows with depth, width and kernel size, as capacity does, so that a search has
something to weigh against cost.
"""

from __future__ import annotations

from math import log, prod

from effviz.core.caches import remembered
from effviz.model.design import Design
from effviz.model.layers import Conv2d, Layer, Shape, pair
from effviz.model.shapes import out_shape
from effviz.model.trace import trace_block

_LEFT_OUT = "SqueezeExcite"


def entropy(design: Design) -> float:
    """Return ``log(h w c) x sum(log(c_i k_i^2 / g_i))`` over the convolutions of a network.

    c_i, k_i and g_i are input channels, kernel size and groups of convolution i; h, w, c is the shape of the output of
    the last one. Convolutions inside squeeze-and-excitation are left out, because they act on single pixels.

    Source: DeepMAD, arXiv 2303.02165, the entropy of a convolutional network. The authors' code computes half of it for
    each stage, because it adds logarithms of standard deviations, square roots of c_i k_i^2 / g_i. It weights the five
    resolutions 1, 1, 1, 1 and 8 (github.com/alibaba/lightweight-neural-architecture-search, `ComputeDeepMadScore`).
    This function takes only the last resolution. The limit on depth over width is left out, because the space bounds
    the depth.
    """
    total, last = 0.0, design.input_shape()
    for run in design.runs():
        found = _logs(run.block, run.shape)
        total += run.repeats * sum(found)
        if found:
            last = out_shape(run.block, run.shape)
    return log(prod(last)) * total


@remembered
def _logs(block: Layer, shape: Shape) -> tuple[float, ...]:
    """Return the logarithm of the number of values that one output of each convolution reads."""
    convolutions = (
        step.layer for step in trace_block(block, shape).steps
        if isinstance(step.layer, Conv2d) and _LEFT_OUT not in step.blocks
    )  # fmt: skip
    return tuple(log(each.in_channels * prod(pair(each.kernel_size)) / each.groups) for each in convolutions)
