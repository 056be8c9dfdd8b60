"""Designs as JSON: one versioned format for files, links and exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from effviz.blocks import BLOCKS
from effviz.design import Design, Stage
from effviz.errors import MAX_BLOCKS, DesignError, fail, unknown
from effviz.fields import declared
from effviz.widths import WidthRule

JSON_VERSION = 1


def write(design: Design, *, indent: int | None = None) -> str:
    """`design` as JSON text."""
    rule = design.width_rule
    document = {
        "version": JSON_VERSION,
        "name": design.name,
        "title": design.title,
        "family": design.family,
        "resolution": design.resolution,
        "in_channels": design.in_channels,
        "width_mult": design.width_mult,
        "depth_mult": design.depth_mult,
        "width_rule": {
            "divisor": rule.divisor,
            "minimum": rule.minimum,
            "rounding": rule.rounding,
            "table": [[multiplier, dict(widths)] for multiplier, widths in rule.table],
            "interpolates": rule.interpolates,
            "source": rule.source,
        },
        "stochastic_depth": design.stochastic_depth,
        "stages": [row.to_dict() for row in design.stages],
        # The place of a design's own blocks.
        "blocks": {},
        "source": design.source,
        "notes": list(design.notes),
    }
    return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))


def read(text: str | bytes) -> Design:
    """The design in JSON text; `DesignError` for anything that `write` would not have written."""
    if not isinstance(text, (str, bytes)):
        fail("text", text, "must be JSON text")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except DesignError:
        raise
    except (ValueError, RecursionError) as error:
        raise DesignError(f"the text is not JSON: {error}") from None
    entries = _mapping("design", document)
    version = entries.pop("version", None)
    if version != JSON_VERSION or isinstance(version, bool):
        fail("version", version, f"must be {JSON_VERSION}, the version of the format that this effviz reads")
    if _mapping("blocks", entries.pop("blocks", {})):
        fail("blocks", "non-empty", "is reserved for a design's own blocks, which this version does not read")
    known = list(Design.__dataclass_fields__)
    for key in entries:
        if key not in known:
            unknown("key of the design", key, known)
    for key in ("name", "stages"):
        if key not in entries:
            fail("key", key, "is missing from the design")
    rows = []
    listed = _sequence("stages", entries["stages"])
    if len(listed) > MAX_BLOCKS:
        raise DesignError(f"stages has {len(listed)} rows: a design has at most {MAX_BLOCKS}")
    for index, row in enumerate(listed):
        try:
            rows.append(_stage(_mapping("row", row)))
        except DesignError as error:
            raise error.at(f"row {index}") from None
    entries["stages"] = tuple(rows)
    if "width_rule" in entries:
        entries["width_rule"] = _rule(_mapping("width_rule", entries["width_rule"]))
    if "notes" in entries:
        entries["notes"] = tuple(_sequence("notes", entries["notes"]))
    return Design(**entries)


def _no_constant(word: str) -> float:
    raise DesignError(f"the text is not JSON: {word} is not a number")


def _mapping(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        fail(what, value, "must be a JSON object")
    return dict(value)


def _sequence(what: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        fail(what, value, "must be a JSON list")
    return value


def _stage(row: Mapping[str, Any]) -> Stage:
    if "block" not in row:
        fail("key", "block", "is missing from the row")
    block = row["block"]
    if not isinstance(block, str) or block not in BLOCKS:
        unknown("block", block, BLOCKS)
    known = [*Stage.__dataclass_fields__, *(field.name for field in declared(BLOCKS[block]))]
    known.remove("fields")
    for key in row:
        if key not in known:
            unknown(f"key of a {block} row", key, known)
    return Stage(**row)


def _rule(rule: dict[str, Any]) -> WidthRule:
    for key in rule:
        if key not in WidthRule.__dataclass_fields__:
            unknown("key of width_rule", key, WidthRule.__dataclass_fields__)
    table = []
    for entry in _sequence("table", rule.get("table", [])):
        if not isinstance(entry, list) or len(entry) != 2:
            fail("row of the table", entry, "must be [multiplier, {stage: width}]")
        table.append((entry[0], tuple(_mapping("widths", entry[1]).items())))
    return WidthRule(**(rule | {"table": tuple(table)}))
