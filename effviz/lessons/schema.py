"""The JSON schema of a lesson's file, and the error that names file, step and field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from effviz.core.errors import DesignError

_TEXT = {"type": "string", "minLength": 1, "maxLength": 4_000}
_LINE = {"type": "string", "minLength": 1, "maxLength": 300}
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1}
_NAMES = {"type": "array", "items": _LINE, "uniqueItems": True}


def _record(required: Iterable[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
    }  # fmt: skip


_FORMULA = {"type": "object", "properties": {"function": _NAME}, "required": ["function"]}
_DIGITS = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 6}, {"const": "si"}]}
_SHOWN = {"type": "object", "properties": {"function": _NAME, "unit": {"type": "string"}, "digits": _DIGITS},
          "required": ["function"]}  # fmt: skip
_RANGE = {
    "anyOf": [
        {"type": "array", "minItems": 1},
        _record(["from", "to", "step"], **{"from": {"type": "number"}, "to": {"type": "number"},
                                           "step": {"type": "number", "exclusiveMinimum": 0}}),
    ]
}  # fmt: skip
_CHOICE = _record(
    ["text", "reason"], text=_LINE, reason=_TEXT, value=_FORMULA, above={"type": "number"}, below={"type": "number"},
)  # fmt: skip
_NAIVE = _record(["value", "reason"], value=_FORMULA, reason=_TEXT)
_PREDICTION = _record(
    ["question"], question=_TEXT, unit={"type": "string", "maxLength": 30}, digits=_DIGITS,
    tolerance={"type": "number", "exclusiveMinimum": 0, "maximum": 100}, given={"type": "object"},
    draw={"type": "object", "additionalProperties": _RANGE, "minProperties": 1}, answer=_FORMULA,
    choices={"type": "array", "items": _CHOICE, "minItems": 2, "maxItems": 5},
    right={"enum": ["largest", "smallest", "within"]}, solution=_TEXT,
    naive={"type": "array", "items": _NAIVE, "minItems": 1},
)  # fmt: skip
_SHEET = _record(
    ["question", "draw", "answer", "solution"], **{
        name: _PREDICTION["properties"][name]
        for name in ("question", "unit", "digits", "tolerance", "draw", "answer", "solution")
    },
)  # fmt: skip
_LIMIT = _record(
    ["quantity"], quantity=_NAME, at_most={"anyOf": [{"type": "number"}, _FORMULA]},
    at_least={"anyOf": [{"type": "number"}, _FORMULA]},
)  # fmt: skip
_STEP = _record(
    ["name", "title", "minutes", "text", "page"], name=_NAME, title=_LINE, minutes={"type": "integer", "minimum": 1},
    text=_TEXT, page={"type": "string", "pattern": "^[a-z_]*$"},
    state={"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object"}]}},
    keep={"type": "boolean"}, optional={"type": "boolean"},
    look=_TEXT, numbers={"type": "object", "additionalProperties": _SHOWN}, prediction=_PREDICTION, worksheet=_SHEET,
    explanation=_TEXT,
    goal=_record(["text", "limits"], text=_TEXT, limits={"type": "array", "items": _LIMIT, "minItems": 1}, after=_TEXT),
    hide=_NAMES, lock=_NAMES, use=_NAMES, conceal=_NAMES, teacher=_TEXT,
)  # fmt: skip
SCHEMA: Mapping[str, Any] = _record(
    ["title", "summary", "learn", "notes", "questions", "steps"], title=_LINE, summary=_TEXT,
    learn=_TEXTS, notes=_TEXTS,
    mistakes={"type": "array", "items": _record(["mistake", "answer"], mistake=_TEXT, answer=_TEXT, step=_NAME)},
    numbers={"type": "object", "additionalProperties": _SHOWN},
    questions={"type": "array", "items": _record(["question", "answer"], question=_TEXT, answer=_TEXT), "minItems": 3},
    steps={"type": "array", "items": _STEP, "minItems": 2, "maxItems": 20},
)  # fmt: skip


class LessonError(DesignError):
    """A lesson that cannot be used; the message names the file, the step and the field."""


def broken(file: str, step: str, field: str, problem: str) -> LessonError:
    """Return the error of a field; `step` is empty for fields of the whole lesson."""
    where = [file, f'step "{step}"' if step else "", f"field {field}" if field else ""]
    return LessonError(f"{', '.join(filter(None, where))}: {problem}")


def check(file: str, content: Any) -> None:
    """Check the content of a lesson's file against the schema.

    Raises:
        LessonError: the first violation.
    """
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(content))
    if error is None:
        return
    path = list(error.absolute_path)
    step = ""
    if path[:1] == ["steps"] and len(path) > 1:
        entry = content["steps"][path[1]]
        step = str(entry.get("name", int(path[1]) + 1)) if isinstance(entry, dict) else str(int(path[1]) + 1)
        path = path[2:]
    message = error.message if len(error.message) <= 300 else f"{error.message[:297]}..."
    raise broken(file, step, ".".join(map(str, path)), message)
