"""Hostile messages and frames on a websocket of a real server, beside a visitor who must not notice."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from contextlib import ExitStack, suppress
from typing import Any

import websockets
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import EncodeError
from server import Server, running_server
from streamlit.proto.BackMsg_pb2 import BackMsg
from visitor import PATIENCE_S, Visitor

_SLOW_S = 2.0
_TEXTS = ("", "x", "\0", "../" * 50, "<script>", "%ff", "\N{SNOWMAN}" * 300, "a" * 20_000, "$$ID-x-phi", "null", "-1")
_NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31))
_FLOATS = (0.0, float("nan"), float("inf"), -1e308, 5e-324)
_MOST_DEPTH, _MOST_ITEMS = 6, 4


def _scalar(field: Any, draw: random.Random) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        text = draw.choice(_TEXTS)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return draw.random() < 0.5
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return draw.choice(field.enum_type.values).number
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return draw.choice(_FLOATS)
    return draw.choice(_NUMBERS)


def fill(message: Any, draw: random.Random, depth: int = 0) -> Any:
    """Set random fields of a protobuf message to hostile values, with its parts, and return it."""
    for field in message.DESCRIPTOR.fields:
        if depth > _MOST_DEPTH or draw.random() < 0.5:
            continue
        # A value outside the limits of its type, and an entry of a map, are left out.
        with suppress(ValueError, TypeError, AttributeError):
            if field.is_repeated:
                items = getattr(message, field.name)
                for _ in range(draw.randint(1, _MOST_ITEMS)):
                    if field.message_type:
                        fill(items.add(), draw, depth + 1)
                    else:
                        items.append(_scalar(field, draw))
            elif field.message_type:
                part = getattr(message, field.name)
                part.SetInParent()
                fill(part, draw, depth + 1)
            else:
                setattr(message, field.name, _scalar(field, draw))
    return message


def payload(draw: random.Random) -> bytes | str:
    """Return a message: random fields, a message with changed bytes, random bytes, a text, or a very long one."""
    kind = draw.randrange(10)
    if kind == 0:
        return draw.randbytes(draw.choice((0, 1, 10, 1_000, 100_000)))
    if kind == 1:
        return draw.choice(_TEXTS)
    if kind == 2:
        return b"\x0a\xff\xff\xff\xff\x7f" * draw.choice((1, 1_000))
    if kind == 3:
        return b"\x5a" * 1_200_000
    message = BackMsg()
    if kind > 5:
        # Most random messages are of a kind that is refused.
        fill(message.rerun_script, draw)
    else:
        fill(message, draw)
    try:
        data = bytearray(message.SerializeToString())
    except EncodeError:
        return b""
    for _ in range(draw.choice((0, 0, 1, 5)) if data else 0):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data)


def frame(draw: random.Random) -> bytes:
    """Return a frame that breaks the protocol: unmasked, a reserved bit, a wrong code, a huge length, or cut off."""
    first = draw.choice((0x82, 0xF2, 0x83, 0x8F, 0x00, 0x89, 0x88))
    length = draw.choice((0, 5, 125, 126, 127))
    data = bytes([first, length | draw.choice((0, 0x80))])
    if length == 126:
        data += struct.pack(">H", draw.choice((0, 200, 65_535)))
    if length == 127:
        data += struct.pack(">Q", draw.choice((0, 2**31, 2**63, 2**64 - 1)))
    return data + draw.randbytes(draw.choice((0, 4, 20)))


class Target:
    """A server, and a visitor who moves a slider after every attack."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        self._runner = self._exits.enter_context(asyncio.Runner())
        self._server: Server = self._exits.enter_context(running_server(env={"EFFVIZ_CACHE": ""}))
        self._visitor = Visitor(self._server.port, "convolutions", "", polls=False)
        self._runner.run(self._arrive())
        self._read = len(self._server.log)

    def close(self) -> None:
        """Close the connection and end the server."""
        with suppress(Exception):
            self._runner.run(self._visitor.close())
        self._exits.close()

    def attacked(self, draw: random.Random) -> tuple[str, str] | None:
        """Attack once, and return the fault and the messages that caused it; None without a fault."""
        sent: list[bytes | str] = []
        try:
            self._runner.run(self._attack(draw, sent))
            seconds = self._runner.run(self._moved(draw))
        except (OSError, TimeoutError, ConnectionError) as error:
            return f"the visitor is cut off: {type(error).__name__}", repr(sent)
        log, self._read = self._server.log[self._read :], len(self._server.log)
        if self._server.process.poll() is not None:
            return "the server has ended", repr(sent)
        if "Traceback" in log:
            return f"traceback: {log.strip().rpartition(chr(10))[2]}", repr(sent)
        if self._visitor.errors:
            return f"the visitor sees {self._visitor.errors[0]}", repr(sent)
        return ("the visitor waits for more than 2 s", repr(sent)) if seconds > _SLOW_S else None

    async def _arrive(self) -> None:
        await self._visitor.connect()
        await self._visitor.open()

    async def _moved(self, draw: random.Random) -> float:
        start = time.perf_counter()
        await self._visitor.move("Input channels", draw.randrange(16, 512))
        return time.perf_counter() - start

    async def _attack(self, draw: random.Random, sent: list[bytes | str]) -> None:
        """Send hostile messages on a new connection, until the server closes it."""
        address, names = f"ws://127.0.0.1:{self._server.port}/_stcore/stream", ["streamlit", "x"]
        subprotocols = [websockets.Subprotocol(name) for name in names]
        connection = await websockets.connect(
            address, subprotocols=subprotocols, max_size=None, compression=None, open_timeout=PATIENCE_S
        )
        try:
            with suppress(websockets.ConnectionClosed):
                for _ in range(draw.randint(1, 5)):
                    sent.append(payload(draw))
                    await connection.send(sent[-1])
                if draw.random() < 0.3:
                    sent.append(frame(draw))
                    connection.transport.write(sent[-1])
                await asyncio.sleep(0.02)
        finally:
            connection.transport.abort()
