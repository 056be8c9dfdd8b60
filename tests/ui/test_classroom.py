"""A class of thirty students, each a websocket, in one room of a real server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from server import Server, running_server
from visitor import Visitor, visiting

STUDENTS = 30
SECONDS = 2.0
_CODE = re.compile(r'aria-label="Code of the room">(\w+)<')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(env={"EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache"))}) as server:
        yield server


async def open_room(teacher: Visitor) -> str:
    await teacher.open()
    await teacher.until(lambda: "Open a room" in teacher.controls)
    await teacher.press("Open a room")
    await teacher.until(lambda: _CODE.search(teacher.text))
    return _CODE.findall(teacher.text)[0]


async def join(student: Visitor, nickname: str = "") -> None:
    await student.open()
    await student.until(lambda: "Join" in student.controls)
    student.forget("Nickname (optional)", nickname)
    await student.press("Join")
    await student.until(lambda: "Predict" in student.controls)


async def predict(student: Visitor, value: float) -> None:
    # The label contains the unit of the step.
    label = [each for each in student.controls if each.startswith("Your prediction")][-1]
    student.forget(label, value)
    await student.press("Predict")


@asynccontextmanager
async def room_of(server: Server, count: int) -> AsyncIterator[tuple[Visitor, list[Visitor], str]]:
    """A teacher and students who have joined."""
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(visiting(server.port, "classroom", polls=True))
        code = await open_room(teacher)
        tabs = [visiting(server.port, "classroom", f"room={code}", polls=True) for _ in range(count)]
        students = [await stack.enter_async_context(tab) for tab in tabs]
        await asyncio.gather(*(join(student, "Ada") for student in students))
        if count:
            await teacher.until(lambda: f"0 of {count}" in teacher.text)
        yield teacher, students, code


def test_a_class_of_thirty(server: Server) -> None:
    async def lesson() -> list[float]:
        async with room_of(server, STUDENTS) as (teacher, students, _):
            seconds = [await seen(teacher, students[place : place + 1], place + 1) for place in range(5)]
            # The others answer at the same moment.
            seconds.append(await seen(teacher, students[5:], STUDENTS))
            await teacher.press("Reveal")
            await asyncio.gather(*(each.until(lambda each=each: 'class="verdict' in each.text) for each in students))
            await teacher.press("Next")
            await asyncio.gather(*(each.until(lambda each=each: "Step 2 of" in each.text) for each in students))
            await comes_back(server, teacher, students[7])
            assert not [error for each in (teacher, *students) for error in each.errors]
            await teacher.press("End the room")
            await teacher.until(lambda: "Delete and end" in teacher.controls)
            await teacher.press("Delete and end")
            await students[0].until(lambda: "The class has ended" in students[0].text)
        return seconds

    seconds = asyncio.run(lesson())
    assert max(seconds) < SECONDS, seconds


async def seen(teacher: Visitor, students: list[Visitor], count: int) -> float:
    """Let students answer, and return the seconds until the teacher sees `count` answers."""
    started = time.monotonic()
    await asyncio.gather(*(predict(each, 9.0) for each in students))
    await teacher.until(lambda: f"{count} of {STUDENTS}" in teacher.text)
    return time.monotonic() - started


async def comes_back(server: Server, teacher: Visitor, student: Visitor) -> None:
    """A student whose browser is started again is at the teacher's step, under the same name, with the answers."""
    await predict(student, 2.0)
    await teacher.until(lambda: f"1 of {STUDENTS}" in teacher.text)
    # A run that the prediction caused may have replaced the bar for a moment.
    await student.until(lambda: re.search(r"Ada \d+", student.text) is not None)
    name = re.search(r"Ada \d+", student.text)
    async with visiting(server.port, "scaling", student.address, polls=True) as again:
        again.storage = dict(student.storage)
        await again.open()
        await again.until(lambda: "Step 2 of" in again.text and "Your prediction. " in again.text)
        assert "2.00×" in again.text
        assert name is not None
        assert name[0] in again.text
        assert f"1 of {STUDENTS}" in teacher.text


def test_a_room_gets_no_answers_from_before(server: Server) -> None:
    """A student's browser has answers of an earlier visitor. They are neither shown nor sent."""
    old = {"compound_scaling": {"baseline": {"guess": 25.0}, "depth": {"guess": 3.0, "room": "BBBBB"}}}

    async def lesson() -> None:
        async with (
            room_of(server, 0) as (teacher, _, code),
            visiting(server.port, "classroom", f"room={code}", polls=True) as student,
        ):
            student.storage = {"lessons": json.dumps(old)}
            await student.open()
            await student.until(lambda: "Join" in student.controls)
            await student.press("Join")
            await student.until(lambda: "Step 1 of" in student.text)
            await asyncio.sleep(1)  # the storage of the browser arrives after the first run
            await teacher.until(lambda: " of 1</strong>" in teacher.text)
            assert "0 of 1" in teacher.text
            assert "25.0" not in student.text
            await predict(student, 9.0)
            await teacher.until(lambda: "1 of 1" in teacher.text, 10)
            await student.until(lambda: "25.0" not in student.storage["lessons"], 10)
            assert json.loads(student.storage["lessons"])["compound_scaling"]["baseline"]["guess"] == 9

    asyncio.run(lesson())


def test_a_step_shows_no_result_of_the_step_before_and_waits_for_the_teacher(server: Server) -> None:
    async def lesson() -> None:
        async with room_of(server, 1) as (teacher, [student], _):
            await predict(student, 9.0)
            await student.until(lambda: "when the teacher reveals" in student.text, 10)
            assert "Look at:" not in student.text
            await teacher.until(lambda: "1 of 1" in teacher.text)
            await teacher.press("Reveal")
            await teacher.until(lambda: "about a tenth of ResNet-50" in teacher.text, 10)
            await student.until(lambda: "Look at:" in student.text, 10)
            await teacher.press("Next")
            await teacher.until(lambda: "Step 2 of" in teacher.text)
            await teacher.until(lambda: "about a tenth of ResNet-50" not in teacher.text, 10)

    asyncio.run(lesson())
