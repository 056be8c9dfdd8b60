"""Designs as JSON: one versioned format for files and links.

Version 2 differs from version 1 in one point. A row without a stride has the default of its block; in version 1 it has
stride 1.

The resolution is one number for a square, otherwise ``[height, width]``; the reader also accepts ``"512x2048"``. Files
from Windows and numbers from pandas or JavaScript are accepted: a byte order mark, UTF-16 in bytes, and ``2.0`` for 2.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from effviz.core.arguments import check_public
from effviz.core.errors import MAX_BLOCKS, DesignError, fail, look_up, multiplier, unknown
from effviz.core.resolution import parse_resolution
from effviz.model.blocks import BLOCKS, Recipe, RecipeStep
from effviz.model.design import Design
from effviz.model.fields import PARTS, declared
from effviz.model.layers import check_name
from effviz.model.stage import Stage
from effviz.model.widths import WidthRule

JSON_VERSION = 2
_READABLE = (1, 2)


def write(design: Design, *, indent: int | None = None) -> str:
    """Return `design` as JSON text."""
    rule = design.width_rule
    settings = ("name", "title", "family", "resolution", "in_channels", "width_mult", "depth_mult")
    document = {
        "version": JSON_VERSION,
        **{name: getattr(design, name) for name in settings},
        **({"variant": design.variant} if design.variant else {}),
        "width_rule": vars(rule) | {"table": [[multiplier, dict(widths)] for multiplier, widths in rule.table]},
        "stochastic_depth": design.stochastic_depth,
        # A row has the name of its recipe, which is in "blocks".
        "stages": [
            {key: value.name if isinstance(value, Recipe) else value for key, value in row.to_dict().items()}
            for row in design.stages
        ],
        "blocks": {recipe.name: recipe.to_dict() for recipe in design.recipes},
        "source": design.source,
        "notes": list(design.notes),
    }
    return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))


def read(text: str | bytes) -> Design:
    """Read a design from JSON text of version 1 or 2.

    Raises:
        DesignError: the text is not JSON or not a valid design.
    """
    entries = _mapping("design", parse(text))
    version = entries.pop("version", None)
    if type(version) is not int or version not in _READABLE:
        fail("version", version, "must be 1 or 2, the versions of the format that this effviz reads")
    recipes = {name: _recipe(name, entry) for name, entry in _mapping("blocks", entries.pop("blocks", {})).items()}
    _check_keys("key of the design", entries, Design.__dataclass_fields__)
    for key in ("name", "stages"):
        if key not in entries:
            fail("key", key, "is missing from the design")
    missing = {"stride": 1} if version == 1 else {}
    rows = []
    listed = _sequence("stages", entries["stages"])
    if len(listed) > MAX_BLOCKS:
        raise DesignError(f"stages has {len(listed)} rows: a design has at most {MAX_BLOCKS}")
    for index, row in enumerate(listed):
        try:
            rows.append(_stage(missing | _mapping("row", row), recipes))
        except DesignError as error:
            raise error.at(f"row {index}") from None
    entries["stages"] = tuple(rows)
    if isinstance(entries.get("resolution"), str):
        entries["resolution"] = parse_resolution(entries["resolution"])
    if "width_rule" in entries:
        entries["width_rule"] = _rule(_mapping("width_rule", entries["width_rule"]))
    if "notes" in entries:
        entries["notes"] = tuple(_sequence("notes", entries["notes"]))
    return Design(**entries)


def parse(text: str | bytes) -> Any:
    """Parse JSON text; raise `DesignError` for invalid JSON and for a repeated key of an object."""
    if not isinstance(text, (str, bytes)):
        fail("text", text, "must be JSON text")
    try:
        return json.loads(
            # A text that was decoded as UTF-8 keeps the byte order mark. In bytes, `json` finds the encoding.
            text.removeprefix("\ufeff") if isinstance(text, str) else text,
            parse_constant=_no_constant, parse_int=_integer, parse_float=_float, object_pairs_hook=_object,
        )  # fmt: skip
    except DesignError:
        raise
    except (ValueError, RecursionError) as error:
        raise DesignError(f"the text is not JSON: {error}") from None


def _no_constant(word: str) -> float:
    raise DesignError(f"the text is not JSON: {word} is not a number")


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        # Python's message is about a setting of the interpreter.
        raise DesignError(f"a number in the text has {len(digits.lstrip('-'))} digits, too many to read") from None


def _float(digits: str) -> float:
    """Return a whole number as an integer, which is legal where a float is: pandas and JavaScript write 2 as 2.0."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                fail("key", key, "is repeated in one JSON object")
            seen.add(key)
    return found


def _check_keys(what: str, entries: Iterable[str], known: Collection[str]) -> None:
    for key in entries:
        if key not in known:
            unknown(what, key, known)


def _mapping(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        fail(what, value, "must be a JSON object")
    return dict(value)


def _sequence(what: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        fail(what, value, "must be a JSON list")
    return value


def _recipe(name: str, value: Any) -> Recipe:
    # Checked first because the messages below include the name.
    check_name("name of the block", name)
    entry = _mapping(f"block {name}", value)
    _check_keys(f"key of block {name}", entry, ("parts", "shortcut"))
    parts = []
    for index, step in enumerate(_sequence("parts", entry.get("parts"))):
        try:
            parts.append(_part(_mapping("step", step)))
        except DesignError as error:
            raise error.at(f"block {name}, step {index}") from None
    return Recipe(name, tuple(parts), entry.get("shortcut", False))


def _part(step: dict[str, Any]) -> RecipeStep:
    block = step.get("block")
    kind = look_up("block", block, PARTS)
    _check_keys(f"key of a {block} step", step, ["block", "times", "of", *(field.name for field in declared(kind))])
    return RecipeStep(**step)


def _stage(row: Mapping[str, Any], recipes: Mapping[str, Recipe]) -> Stage:
    if "block" not in row:
        fail("key", "block", "is missing from the row")
    kind = look_up("block", row["block"], BLOCKS)
    known = [*Stage.__dataclass_fields__, *(field.name for field in declared(kind))]
    known.remove("fields")
    _check_keys(f"key of a {row['block']} row", row, known)
    if row.get("stride", 1) is None:
        fail("stride", None, "must be an integer")
    values = dict(row)
    if "recipe" in known and "recipe" in row:
        values["recipe"] = look_up("recipe", row["recipe"], recipes)
    return Stage(**values)


def _rule(rule: dict[str, Any]) -> WidthRule:
    _check_keys("key of width_rule", rule, WidthRule.__dataclass_fields__)
    table = []
    for entry in _sequence("table", rule.get("table", [])):
        if not isinstance(entry, list) or len(entry) != 2:
            fail("row of the table", entry, "must be [multiplier, {stage: width}]")
        table.append((multiplier("multiplier", entry[0]), tuple(_mapping("widths", entry[1]).items())))
    return WidthRule(**(rule | {"table": tuple(table)}))


check_public(globals())
Design.to_json = write  # type: ignore[assignment, method-assign]
Design.from_json = staticmethod(read)  # type: ignore[method-assign]
