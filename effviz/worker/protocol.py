"""Messages between the manager and the torch process: one JSON object per line, validated by both.

The manager sends requests: ``{"id": 7, "kind": "latency", "payload": {...}}`` starts a job, and the kind "cancel" stops
the job with this id. The process sends events such as
``{"id": 7, "event": "progress", "fraction": 0.4, "message": "Run 12"}``. `EVENTS` lists the events and their fields.
The process exits at the end of the stream of requests.
"""

import json
from typing import Any, NamedTuple, NoReturn

CANCEL = "cancel"
EVENTS: dict[str, dict[str, type]] = {
    "ready": {"torch": str, "python": str},
    "started": {},
    # Sent before "started" too, by a job that waits for another server of this machine.
    "progress": {"fraction": float, "message": str},
    "result": {"value": dict},
    # The reason is a category, see `effviz.worker.ticket.Ticket`.
    "error": {"reason": str, "message": str},
    "cancelled": {},
    # Sent before the outcome of a job if the next one needs a new process.
    "worn": {},
}
MAX_LINE = 2**24


class ProtocolError(ValueError):
    """An invalid line, or a message that cannot be encoded."""


class Request(NamedTuple):
    """A job to run, or to stop if the kind is `CANCEL`."""

    id: int
    kind: str
    payload: dict[str, Any]


class Event(NamedTuple):
    """An event of job `id`; None for an event of the process."""

    id: int | None
    name: str
    data: dict[str, Any]


def encode_request(request: Request) -> bytes:
    """Encode a request as a line."""
    return _line(request._asdict())


def decode_request(line: bytes) -> Request:
    """Decode and validate a request."""
    message = _message(line)
    _check("a request", message, {"id": int, "kind": str, "payload": dict})
    return Request(**message)


def encode_event(event: Event) -> bytes:
    """Validate and encode an event as a line."""
    _check_event(event)
    return _line({"id": event.id, "event": event.name} | event.data)


def decode_event(line: bytes) -> Event:
    """Decode and validate an event."""
    message = _message(line)
    event = Event(message.pop("id", ""), message.pop("event", ""), message)
    if event.id is not None and type(event.id) is not int:
        raise ProtocolError("the id of an event must be an integer or null")
    _check_event(event)
    return event


def _check_event(event: Event) -> None:
    if not isinstance(event.name, str) or event.name not in EVENTS:
        raise ProtocolError(f"event {event.name!r} is unknown")
    _check(event.name, event.data, EVENTS[event.name])


def _check(name: str, message: dict[str, Any], fields: dict[str, type]) -> None:
    if {key: type(value) for key, value in message.items()} != fields:
        listed = ", ".join(f"{key} ({kind.__name__})" for key, kind in fields.items())
        raise ProtocolError(f"the fields of {name} must be: {listed or 'none'}")


def _line(message: dict[str, Any]) -> bytes:
    try:
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if len(line) > MAX_LINE:
        raise ProtocolError(f"the message has {len(line):,} bytes; the maximum is {MAX_LINE:,}")
    return line


def _message(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise ProtocolError("the line has no end")
    try:
        message = json.loads(line, parse_constant=_no_constant)
    except ProtocolError:
        raise
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise ProtocolError("the message must be an object")
    return message


def _no_constant(word: str) -> NoReturn:
    raise ProtocolError(f"{word} is not a number")
