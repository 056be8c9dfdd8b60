"""A network with its standard k x k convolutions replaced by depthwise separable ones."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.model.blocks.basic import same_padding
from effviz.model.design import Design
from effviz.model.layers import Conv2d, pair
from effviz.model.stage import Stage
from effviz.model.trace import trace

_BLOCK = "depthwise_separable"


class Replaced(NamedTuple):
    """A network before and after the replacement."""

    before: Design
    after: Design
    convolutions: int  # standard convolutions with a window before it
    left: int  # those that stay


@remembered
def separated(design: Design) -> Replaced:
    """Replace every standard k x k convolution that is a row of the design, or part of a Fused-MBConv.

    A convolution becomes the depthwise separable block of MobileNetV1 with the same kernel, stride, channels and
    activation, and Fused-MBConv becomes MBConv. Convolutions with unusual padding or dilation and those inside other
    blocks stay.

    Raises:
        DesignError: the network has nothing to replace.
    """
    rows = tuple(map(_separated, design.stages))
    if rows == design.stages:
        raise DesignError(f"{design.title or design.name} has no row with a standard convolution larger than 1×1")
    title = f"{design.title or design.name}, separable"
    after = replace(design, name=f"{design.name}_separable", title=title, stages=rows, source="", notes=())
    return Replaced(design, after, standard_convolutions(design), standard_convolutions(after))


def standard_convolutions(design: Design) -> int:
    """Count the convolutions with one group and a window of more than one pixel."""
    layers = (step.layer for step in trace(design.layer(), design.input_shape()))
    return sum(isinstance(each, Conv2d) and each.groups == 1 and max(pair(each.kernel_size)) > 1 for each in layers)


def _separated(row: Stage) -> Stage:
    fields = dict(row.fields)
    if row.block == "fused_mbconv":
        # The defaults of Fused-MBConv, which are not those of MBConv.
        return Stage(**({"expand_ratio": 4.0, "se_ratio": 0.0} | row.to_dict() | {"block": "mbconv"}))
    size, padding = fields.get("kernel_size", 3), fields.get("padding")
    is_standard = row.block == "conv" and size > 1 and fields.get("groups", 1) == 1 and fields.get("dilation", 1) == 1
    if not is_standard or padding not in (None, same_padding(size)):
        return row
    dropped = {"norm", "bias", "padding", "groups", "dilation"}
    return Stage(**({name: value for name, value in row.to_dict().items() if name not in dropped} | {"block": _BLOCK}))


check_border(globals())
