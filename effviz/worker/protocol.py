"""What a manager and its torch process say to each other: one JSON object a line, checked by both.

Requests go down: ``{"id": 7, "kind": "latency", "payload": {...}}`` asks for a job, and the kind "cancel" with the id
of a job asks to stop it. Events come up: ``{"id": 7, "event": "progress", "fraction": 0.4, "message": "Run 12"}``;
which there are, and what each carries, is `EVENTS`. The end of the stream of requests is the end of the process.

Nothing here imports torch.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, NoReturn

CANCEL = "cancel"
EVENTS: dict[str, dict[str, type]] = {
    "ready": {"torch": str, "python": str},
    "started": {},
    "progress": {"fraction": float, "message": str},
    "result": {"value": dict},
    # Why, in a word for programs (see `effviz.worker.manager.Ticket.reason`) and in a sentence for readers.
    "error": {"reason": str, "message": str},
    "cancelled": {},
    # Said before the outcome of the last job: a new process should do the next one.
    "worn": {},
}
MAX_LINE = 2**24


class ProtocolError(ValueError):
    """A line that is not a message, or a message that cannot be a line."""


class Request(NamedTuple):
    """A job to do, or with the kind `CANCEL` one to stop."""

    id: int
    kind: str
    payload: dict[str, Any]


class Event(NamedTuple):
    """What became of job `id`; None for what concerns the process as a whole."""

    id: int | None
    name: str
    data: dict[str, Any]


def encode_request(request: Request) -> bytes:
    """The line that `decode_request` reads."""
    return _line({"id": request.id, "kind": request.kind, "payload": request.payload})


def decode_request(line: bytes) -> Request:
    """The request in `line`."""
    message = _message(line)
    if message.keys() != {"id", "kind", "payload"}:
        raise ProtocolError("a request has id, kind and payload")
    if type(message["id"]) is not int:
        raise ProtocolError("id must be an integer")
    if not isinstance(message["kind"], str):
        raise ProtocolError("kind must be text")
    if not isinstance(message["payload"], dict):
        raise ProtocolError("payload must be an object")
    return Request(**message)


def encode_event(event: Event) -> bytes:
    """The line that `decode_event` reads."""
    _check(event)
    return _line({"id": event.id, "event": event.name} | event.data)


def decode_event(line: bytes) -> Event:
    """The event in `line`."""
    message = _message(line)
    if not {"id", "event"} <= message.keys():
        raise ProtocolError("an event has id and event")
    number, name = message.pop("id"), message.pop("event")
    if number is not None and type(number) is not int:
        raise ProtocolError("id must be an integer or null")
    if not isinstance(name, str):
        raise ProtocolError("event must be text")
    event = Event(number, name, message)
    _check(event)
    return event


def _check(event: Event) -> None:
    fields = EVENTS.get(event.name)
    if fields is None:
        raise ProtocolError(f"there is no event {event.name!r}")
    if event.data.keys() != fields.keys() or any(type(event.data[field]) is not kind for field, kind in fields.items()):
        raise ProtocolError(f"{event.name} must carry {', '.join(fields) or 'nothing'}, each of its type")


def _line(message: dict[str, Any]) -> bytes:
    try:
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if len(line) > MAX_LINE:
        raise ProtocolError(f"{len(line):,} bytes, more than {MAX_LINE:,}")
    return line


def _message(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise ProtocolError("the line does not end")
    try:
        message = json.loads(line, parse_constant=_no_constant)
    except ProtocolError:
        raise
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise ProtocolError("must be an object")
    return message


def _no_constant(word: str) -> NoReturn:
    raise ProtocolError(f"{word} is not a number")
