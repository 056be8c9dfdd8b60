"""Networks, blocks and convolutions that a lesson describes by name and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from effviz.advice.scaling import PAPER, ScalingRule
from effviz.core.errors import DesignError, fail
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.model.draft import Draft
from effviz.studies import blocks, convolutions
from effviz.zoo import architecture

KINDS = ("architecture", "block", "convolution")


def rule_of(values: Mapping[str, Any]) -> ScalingRule:
    """Return the bases for depth, width and resolution; a missing one is the paper's."""
    return ScalingRule(
        *(float(values.get(name, usual)) for name, usual in zip(ScalingRule._fields, PAPER, strict=True))
    )


def design_of(subject: Mapping[str, Any]) -> Design:
    """Build the design that a lesson describes.

    Args:
        subject: one of ``architecture`` (with `width`, `depth`, `resolution`, or `phi` with `alpha`, `beta`, `gamma`,
            and `edits`, changes of its rows by index), ``block``, and ``convolution`` with the settings of their page.

    Raises:
        DesignError: the description has no such kind, an unknown setting, or an illegal value.
    """
    kinds = [kind for kind in KINDS if kind in subject]
    if len(kinds) != 1:
        fail("network", dict(subject), f"must have one of {', '.join(KINDS)}")
    values = dict(subject)
    name = values.pop(kinds[0])
    try:
        return _BUILD[kinds[0]](name, values)
    except TypeError as error:
        raise DesignError(f"{kinds[0]} {name}: {error}") from None


def _architecture(name: str, values: dict[str, Any]) -> Design:
    phi = values.pop("phi", None)
    bases = {letter: values.pop(letter) for letter in ScalingRule._fields if letter in values}
    edits = values.pop("edits", [])
    names = {"width": "width_mult", "depth": "depth_mult", "classes": "num_classes"}
    design = architecture(name, **{names.get(key, key): value for key, value in values.items()})
    return _edited(design if phi is None else rule_of(bases).scaled(design, phi), edits)


def _edited(design: Design, edits: list[dict[str, Any]]) -> Design:
    if not edits:
        return design
    draft = Draft.of(design)
    for edit in edits:
        changes = {key: value for key, value in edit.items() if key != "row"}
        draft = draft.change(edit["row"], **changes)
    return draft.design or design


def packed(subject: Mapping[str, Any]) -> str:
    """Return the URL parameter with which the studio opens the design."""
    return Draft.of(design_of(subject)).packed()


def _block(name: str, values: dict[str, Any]) -> Design:
    fields = values.pop("fields", {})
    return blocks.design(name, blocks.Place(**values), fields)


def _convolution(kind: str, values: dict[str, Any]) -> Design:
    return convolutions.design(kind, convolutions.Setting(**({"groups": 1} | values)))


_BUILD = {"architecture": _architecture, "block": _block, "convolution": _convolution}


def report_of(subject: Mapping[str, Any], memory: str = "fused") -> Report:
    """Count the network that a lesson describes."""
    return analyze(design_of(subject), memory=memory)
