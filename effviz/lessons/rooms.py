"""Rooms of a class: members, the step that the teacher shows, and predictions, in the memory of one server.

A room has no accounts and no file. It contains random tokens, nicknames that members chose, and their predictions. It
is deleted when the teacher ends it, or after twelve hours.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from effviz.core import settings
from effviz.core.text import printable

HOURS = 12
LONGEST_NICKNAME = 24
_LETTERS = "BCDFGHJKMNPQRTVWXY"  # no vowels, so that a code is no word, and none that looks like a digit
_RANDOM_LETTERS = 5
_CODE = re.compile(rf"\d{{0,3}}[{_LETTERS}]{{{_RANDOM_LETTERS}}}")
_LARGEST = 1e15


class RoomError(Exception):
    """A request that a room refuses. The message is for the visitor."""


class RoomQuestion(NamedTuple):
    """Question of a step, for a number or, with `choices`, for the place of one of several choices."""

    choices: int = 0

    def check(self, value: object) -> float:
        """Return an answer.

        Raises:
            RoomError: the value is not a number of at most 1e15, or not the place of a choice.
        """
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
            raise RoomError(f"The answer must be a number of at most {_LARGEST:g}.")
        if self.choices and value not in range(self.choices):
            raise RoomError(f"The answer must be one of {self.choices} choices.")
        return float(value)


@dataclass
class Member:
    """A student in a room: a random token, a nickname or ``Student 3``, the last step, answers by step, goals met.

    `late` are the answers that were given at the student's own pace after the answer was revealed to the class.
    """

    token: str
    name: str
    step: int = 0
    answers: dict[int, float] = field(default_factory=dict)
    late: dict[int, float] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)


class Attendance(NamedTuple):
    """How many members have joined, and how many of them have answered the current step."""

    joined: int
    answered: int


class MemberResult(NamedTuple):
    """A member's nickname, answers by step, steps whose goal was met, and steps that were answered late."""

    name: str
    answers: dict[int, float]
    met: frozenset[int]
    late: frozenset[int] = frozenset()


class Scene(NamedTuple):
    """State that all members see: the teacher's step, whether members follow it, and the revealed steps."""

    step: int
    follows: bool
    revealed: frozenset[int]


def read_code(text: str) -> str:
    """Return the code that a visitor typed, in capital letters and without spaces; empty if it cannot be a code."""
    code = "".join(text.split()).replace("-", "").upper()
    return code if _CODE.fullmatch(code) else ""


def replica_of(code: str) -> int:
    """Return the number of the replica that has the room of a code; 0 for a single server."""
    return int(code.rstrip(_LETTERS) or 0)


def read_nickname(text: str) -> str:
    """Return a nickname in one line without invisible characters; empty for none."""
    text = unicodedata.normalize("NFC", text[: 8 * LONGEST_NICKNAME])
    return printable(" ".join(text.split()))[:LONGEST_NICKNAME].strip()


class Room:
    """One class. All methods can be called from any thread."""

    def __init__(self, code: str, lesson: str, questions: Sequence[RoomQuestion | None], ends: float) -> None:
        self.code, self.lesson, self.questions, self.ends = code, lesson, tuple(questions), ends
        self.key = secrets.token_urlsafe(24)
        self._lock = threading.RLock()
        self._members: dict[str, Member] = {}
        self._scene = Scene(0, follows=True, revealed=frozenset())
        self.ended = False

    # --- students -----------------------------------------------------------------------------------------------------

    def join(self, nickname: str = "") -> Member:
        """Add a member. A nickname that another member has gets a number.

        Raises:
            RoomError: the room is full.
        """
        most = settings.ROOM_MEMBERS.value
        with self._lock:
            if len(self._members) >= most:
                raise RoomError(f"The room is full: {most} students have joined.")
            base = read_nickname(nickname) or f"Student {len(self._members) + 1}"
            taken, name, number = {each.name for each in self._members.values()}, base, 2
            while name in taken:
                name, number = f"{base} {number}", number + 1
            member = Member(secrets.token_urlsafe(16), name)
            self._members[member.token] = member
            return member

    def member(self, token: str) -> Member | None:
        """Return the member with this token."""
        return self._members.get(token)

    def answer(self, token: str, step: int, value: object) -> float:
        """Store a member's answer, and return the one that counts: the last one before the answer is revealed.

        A member who works at the own pace and has no answer to a revealed step can give a late one.

        Raises:
            RoomError: the room has no such member or question, the answer is illegal, or the step is revealed.
        """
        question = self.questions[step] if 0 <= step < len(self.questions) else None
        if question is None:
            raise RoomError("This step has no question.")
        checked = question.check(value)
        with self._lock:
            member = self._members.get(token)
            if member is None:
                raise RoomError("Join the room first.")
            if step not in self._scene.revealed:
                member.answers[step] = checked
            elif step not in member.answers:
                if self._scene.follows:
                    raise RoomError("The answer is revealed already.")
                return member.late.setdefault(step, checked)
            return member.answers[step]

    def meet(self, token: str, step: int) -> None:
        """Note that a member has met the goal of a step; other tokens and steps are ignored."""
        with self._lock:
            member = self._members.get(token)
            if member is not None and 0 <= step < len(self.questions):
                member.met.add(step)

    # --- the teacher --------------------------------------------------------------------------------------------------

    def is_teacher(self, key: str) -> bool:
        """Return whether a key is the teacher's key of this room."""
        return secrets.compare_digest(key.encode("utf-8", "replace"), self.key.encode())

    def show(self, key: str, step: int) -> None:
        """Set the step, the nearest one that exists."""
        self._change(key, lambda scene: scene._replace(step=min(max(step, 0), len(self.questions) - 1)))

    def set_follows(self, key: str, follows: bool) -> None:
        """Set whether members follow the teacher's step or work at their own pace."""
        self._change(key, lambda scene: scene._replace(follows=bool(follows)))

    def reveal(self, key: str, step: int, revealed: bool = True) -> None:
        """Show or hide the predictions and the truth of a step."""
        steps = {step} & set(range(len(self.questions)))
        self._change(
            key, lambda scene: scene._replace(revealed=scene.revealed | steps if revealed else scene.revealed - steps)
        )

    def _change(self, key: str, change: Callable[[Scene], Scene]) -> None:
        if not self.is_teacher(key):
            raise RoomError("Only the teacher can change the room.")
        with self._lock:
            self._scene = change(self._scene)

    # --- everyone -----------------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """State that all members see now."""
        return self._scene

    def counts(self, step: int) -> Attendance:
        """Count the members, and those who have answered a step."""
        with self._lock:
            members = list(self._members.values())
            return Attendance(len(members), sum(step in each.answers for each in members))

    def answers(self, step: int) -> list[float]:
        """Return the answers to a step, in the order in which the members joined."""
        with self._lock:
            return [each.answers[step] for each in self._members.values() if step in each.answers]

    def met(self, step: int) -> int:
        """Count the members who have met the goal of a step."""
        with self._lock:
            return sum(step in each.met for each in self._members.values())

    def places(self) -> dict[int, int]:
        """Count the members by the step at which they are."""
        with self._lock:
            return dict(sorted(Counter(each.step for each in self._members.values()).items()))

    def results(self) -> list[MemberResult]:
        """Return the answers and goals of all members, in the order in which they joined."""
        with self._lock:
            return [
                MemberResult(
                    each.name, each.late | each.answers, frozenset(each.met),
                    frozenset(each.late.keys() - each.answers.keys()),
                )
                for each in self._members.values()
            ]  # fmt: skip


class Rooms:
    """All rooms of this server.

    Args:
        clock: seconds, as of `time.monotonic`.
        replica: number of this server behind its proxy, which is part of every code; by default that of the settings.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, replica: int | None = None) -> None:
        self._clock, self._replica = clock, replica
        self._lock = threading.Lock()
        self._rooms: dict[str, tuple[Room, str]] = {}  # with the address of the teacher

    def open(self, lesson: str, questions: Sequence[RoomQuestion | None], address: str = "") -> Room:
        """Open a room for a lesson with at least one step.

        Args:
            lesson: name of the lesson.
            questions: of its steps; None for a step without a question.
            address: network address of the teacher.

        Raises:
            RoomError: the server has as many rooms as it may have, or this address has.
        """
        if not questions:
            raise RoomError("The lesson has no steps.")
        with self._lock:
            self._drop_ended()
            most, most_here = settings.ROOMS.value, settings.ADDRESS_ROOMS.value
            if len(self._rooms) >= most:
                raise RoomError(f"{most} rooms are open on this server, which is the limit. Try again later.")
            if sum(each == address for _, each in self._rooms.values()) >= most_here:
                raise RoomError(f"{most_here} rooms of this address are open, which is the limit. End one first.")
            room = Room(self._new_code(), lesson, questions, self._clock() + HOURS * 3600)
            self._rooms[room.code] = room, address
            return room

    def _new_code(self) -> str:
        replica = settings.REPLICA.value if self._replica is None else self._replica
        while True:
            code = (str(replica) if replica else "") + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LETTERS))
            if code not in self._rooms:
                return code

    def find(self, code: str) -> Room | None:
        """Return the open room with a code."""
        with self._lock:
            self._drop_ended()
            room, _ = self._rooms.get(code, (None, ""))
            return room

    def end(self, code: str, key: str) -> None:
        """End a room and forget all that it contains.

        Raises:
            RoomError: the key is not the teacher's.
        """
        room = self.find(code)
        if room is None:
            return
        if not room.is_teacher(key):
            raise RoomError("Only the teacher can end the room.")
        with self._lock:
            self._rooms.pop(code, None)
            room.ended = True

    def _drop_ended(self) -> None:
        now = self._clock()
        for code, (room, _) in list(self._rooms.items()):
            if now >= room.ends:
                del self._rooms[code]
                room.ended = True

    def __len__(self) -> int:
        return len(self._rooms)
