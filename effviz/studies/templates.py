"""Groups of rows that are inserted at once: a stem, the stages of common networks, and a head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from effviz.core.arguments import check_border
from effviz.core.errors import one_of
from effviz.model.draft import Draft, checked
from effviz.model.layers import Shape
from effviz.model.stage import Stage
from effviz.studies.studio import row_totals

_SMALLEST_SIDE = 7
"""Stages reduce the map until its sides are at most 7 pixels, as in ImageNet networks."""
_DEFAULT_WIDTH, _FIRST_WIDTH = 32, 16
_CLASSES = 1000


def _inverted_residual(width: int, stride: int) -> Stage:
    return Stage("inverted_residual", width, 2, stride, expand_ratio=6.0)


def _excited(width: int, stride: int) -> Stage:
    return Stage("mbconv", width, 2, stride, expand_ratio=6.0, kernel_size=5)


def _ghost(width: int, stride: int) -> Stage:
    return Stage("ghost_bottleneck", width, 2, stride, expanded=3 * width)


def _residual(width: int, stride: int) -> Stage:
    return Stage("basic_block", width, 2, stride)


_STAGES: dict[str, tuple[Callable[[int, int], Stage], float]] = {
    "Inverted residual stage": (_inverted_residual, 1.5),
    "MBConv stage": (_excited, 1.5),
    "Ghost stage": (_ghost, 1.5),
    "ResNet stage": (_residual, 2.0),
}
"""Stages by name, with the factor of the width where the map is reduced."""

STEM, HEAD = "Stem", "Head"
TEMPLATES = (STEM, *_STAGES, HEAD)
"""Names of the templates, in the order of a network."""


def template(name: str, draft: Draft, above: int) -> tuple[Stage, ...]:
    """Return the rows of a template, with the widths and the stride that follow row `above` of a draft.

    A stage has two blocks. The first reduces the map by 2 and widens it, until the map has at most 7 pixels per side. A
    head is a pointwise convolution to four times the width, global average pooling and 1000 classes, as in MobileNetV2.

    Args:
        name: one of `TEMPLATES`.
        draft: the table.
        above: index of the row after which the template is inserted.
    """
    one_of("template", name, TEMPLATES)
    width, shape = _end(draft, above)
    if name == STEM:
        return (Stage("conv", _DEFAULT_WIDTH, 1, 2, name=_new("stem", draft), depth="fixed"),)
    if name == HEAD:
        fixed: dict[str, Any] = {"depth": "fixed"}
        return (
            Stage("conv", 4 * width, kernel_size=1, name=_new("head", draft), **fixed),
            Stage("global_avg_pool", name=_new("pool", draft), **fixed),
            Stage("linear", _CLASSES, name=_new("classifier", draft), width="classes", **fixed),
        )
    make, factor = _STAGES[name]
    stride = 2 if len(shape) == 3 and min(shape[1:]) > _SMALLEST_SIDE else 1
    wider = width if stride == 1 or not draft.rows else draft.frame.width_rule.round(width * factor)
    return (make(wider, stride),)


def _end(draft: Draft, above: int) -> tuple[int, Shape]:
    """Return the base width and the output shape of the rows as far as `above`."""
    widths = [row.out_channels for row in draft.rows[: above + 1] if row.out_channels is not None]
    design = checked(draft).design
    shapes = [each.out_shape for row, each in row_totals(design).items() if row <= above] if design else []
    shape = shapes[-1] if shapes else draft.frame.input_shape() if not draft.rows else ()
    return (widths[-1] if widths else _FIRST_WIDTH), shape


def _new(name: str, draft: Draft) -> str:
    """Return a name of a stage, or no name if the table has it: it is then numbered."""
    return "" if any(row.name == name for row in draft.rows) else name


check_border(globals())
