"""Rooms of a class: what they accept, what they count, and when they end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from effviz.lessons.rooms import HOURS, LONGEST_NICKNAME, Room, RoomError, RoomQuestion, Rooms, read_code, replica_of

QUESTIONS = (RoomQuestion(), None, RoomQuestion(choices=2))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock: Clock) -> Rooms:
    return Rooms(clock, replica=0)


@pytest.fixture
def room(rooms: Rooms) -> Room:
    return rooms.open("scaling", QUESTIONS)


def test_codes_are_typed_in_any_form(rooms: Rooms) -> None:
    room = Rooms(replica=12).open("scaling", QUESTIONS)
    assert room.code.startswith("12")
    assert [replica_of(code) for code in (room.code, f"1{room.code[2:]}", room.code[2:])] == [12, 1, 0]
    for code in (room.code, rooms.open("scaling", QUESTIONS).code):
        assert 5 <= len(code) <= 7
        assert not set(code[2:]) & set("AEIOU01")
        assert read_code(f" {code[:3].lower()} {code[3:].lower()}\n") == read_code(f"{code[:2]}-{code[2:]}") == code
    for text in ("", "BCDF", "BCDFGH", "ABCDE", "1234BCDFG", "٣BCDFG", "BCDFG\0", "<b>", "x" * 10_000):
        assert read_code(text) in ("", text.upper())
        assert rooms.find(read_code(text)) is None


def test_two_rooms_are_independent(rooms: Rooms) -> None:
    one, other = rooms.open("scaling", QUESTIONS), rooms.open("scaling", QUESTIONS)
    assert one.code != other.code
    assert rooms.find(one.code) is one
    member = one.join("Ada")
    assert other.member(member.token) is None
    with pytest.raises(RoomError, match=r"^Join the room first"):
        other.answer(member.token, 0, 1)
    assert not other.is_teacher(one.key)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ada", "Ada"), ("  Ada \n Lovelace ", "Ada Lovelace"), ("", "Student 1"), (" \t\u200b\u202e\0", "Student 1"),
        ("a\u202eb\u0007c\u2028d", "abc d"), ("<b>$x$</b>", "<b>$x$</b>"), ("e\u0301", "é"), ("=1+1", "=1+1"),
        ("x" * 10_000, "x" * LONGEST_NICKNAME), ("\ud800", "Student 1"),
    ],
)  # fmt: skip
def test_a_nickname_is_one_short_visible_line(room: Room, typed: str, shown: str) -> None:
    assert room.join(typed).name == shown


def test_names_are_unique(room: Room) -> None:
    assert [room.join(name).name for name in ("Ada", "Ada", "Ada 2", "", "Student 4", "")] == [
        "Ada", "Ada 2", "Ada 2 2", "Student 4", "Student 4 2", "Student 6",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e16, 10**400, True, None, "7", "", b"1", [7], {}, 1j])
def test_an_illegal_number_is_refused(room: Room, value: Any) -> None:
    token = room.join().token
    with pytest.raises(RoomError, match=r"^The answer must be a number of at most 1e\+15\.$"):
        room.answer(token, 0, value)
    assert room.counts(0) == (1, 0)


@pytest.mark.parametrize("value", [2, -1, 0.5, float("nan"), "0", None, True])
def test_an_illegal_choice_is_refused(room: Room, value: Any) -> None:
    with pytest.raises(RoomError, match=r"^The answer must be "):
        room.answer(room.join().token, 2, value)


@pytest.mark.parametrize("step", [1, 3, -1, 10**9])
def test_a_step_without_a_question_takes_no_answer(room: Room, step: int) -> None:
    with pytest.raises(RoomError, match=r"^This step has no question\.$"):
        room.answer(room.join().token, step, 1)


def test_the_last_answer_counts_until_the_answer_is_revealed(room: Room) -> None:
    ada, bob, eve = (room.join(name).token for name in ("Ada", "Bob", "Eve"))
    assert room.answer(ada, 0, 5) == 5
    assert room.answer(ada, 0, 6) == 6
    assert room.answer(ada, 0, 5) == 5
    room.answer(bob, 2, 1)
    room.answer(bob, 0, -1.5)
    assert room.counts(0) == (3, 2)
    assert room.counts(2) == (3, 1)
    assert room.answers(0) == [5, -1.5]
    room.meet(bob, 1)
    found = [each[:3] for each in room.results()]
    assert found == [("Ada", {0: 5}, frozenset()), ("Bob", {0: -1.5, 2: 1}, {1}), ("Eve", {}, frozenset())]
    room.reveal(room.key, 0)
    with pytest.raises(RoomError, match=r"^The answer is revealed already\.$"):
        room.answer(eve, 0, 5)
    assert room.answer(ada, 0, 7) == 5, "a page that sends its answer again"
    room.reveal(room.key, 0, revealed=False)
    assert room.answer(eve, 0, 7) == 7


def test_a_late_answer_is_separate(room: Room) -> None:
    ada, eve = (room.join(name).token for name in ("Ada", "Eve"))
    room.answer(ada, 0, 5)
    room.reveal(room.key, 0)
    room.set_follows(room.key, follows=False)
    assert [room.answer(eve, 0, value) for value in (8, 9)] == [8, 8]
    assert room.answer(ada, 0, 9) == 5
    assert room.answers(0) == [5]
    assert room.counts(0) == (2, 1)
    assert [(each.answers, each.late) for each in room.results()] == [({0: 5}, set()), ({0: 8}, {0})]


def test_the_steps_of_the_members_are_counted(room: Room) -> None:
    for step in (2, 0, 2):
        room.join().step = step
    assert room.places() == {0: 1, 2: 2}


def test_only_the_teacher_changes_the_room(rooms: Rooms, room: Room) -> None:
    member = room.join("Ada")
    for key in ("", member.token, room.code, "ä\ud800"):
        for change in (
            lambda key: room.show(key, 1),
            lambda key: room.set_follows(key, False),
            lambda key: room.reveal(key, 0),
            lambda key: rooms.end(room.code, key),
        ):
            with pytest.raises(RoomError, match=r"^Only the teacher can"):
                change(key)
    assert room.scene == (0, True, frozenset())
    assert rooms.find(room.code) is room

    for step, shown in ((1, 1), (99, 2), (-1, 0)):
        room.show(room.key, step)
        assert room.scene.step == shown
    room.set_follows(room.key, False)
    room.reveal(room.key, 99)
    room.reveal(room.key, 2)
    assert room.scene == (0, False, {2})
    rooms.end(room.code, room.key)
    assert rooms.find(room.code) is None
    assert room.ended
    rooms.end(room.code, room.key)  # a second click


def test_a_room_ends_after_twelve_hours(rooms: Rooms, clock: Clock) -> None:
    room = rooms.open("scaling", QUESTIONS)
    clock.now = HOURS * 3600 - 1
    later = rooms.open("scaling", QUESTIONS)
    assert rooms.find(room.code) is room
    clock.now += 1
    assert rooms.find(room.code) is None
    assert room.ended
    assert rooms.find(later.code) is later
    assert len(rooms) == 1


def test_rooms_and_members_are_limited(rooms: Rooms, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_ROOMS", "3")
    monkeypatch.setenv("EFFVIZ_ADDRESS_ROOMS", "2")
    monkeypatch.setenv("EFFVIZ_ROOM_MEMBERS", "2")
    room = rooms.open("scaling", QUESTIONS, "a")
    rooms.open("scaling", QUESTIONS, "a")
    with pytest.raises(RoomError, match=r"^2 rooms of this address are open, which is the limit\. End one first\.$"):
        rooms.open("scaling", QUESTIONS, "a")
    rooms.open("scaling", QUESTIONS, "b")
    with pytest.raises(RoomError, match=r"^3 rooms are open on this server, which is the limit\. Try again later\.$"):
        rooms.open("scaling", QUESTIONS, "c")
    rooms.end(room.code, room.key)
    room = rooms.open("scaling", QUESTIONS, "a")
    room.join()
    room.join()
    with pytest.raises(RoomError, match=r"^The room is full: 2 students have joined\.$"):
        room.join()
    clock.now = HOURS * 3600
    rooms.open("scaling", QUESTIONS, "a")
    assert len(rooms) == 1


def test_a_class_answers_at_once(room: Room) -> None:
    """Every thread joins, answers, and tries to answer again, while the teacher moves on and counts."""
    barrier = threading.Barrier(31)
    errors: list[Exception] = []

    def student(number: int) -> None:
        try:
            barrier.wait()
            token = room.join("Ada").token
            for _ in range(20):
                assert room.answer(token, 0, number) == number
        except Exception as error:  # noqa: BLE001 -- reported by the test
            errors.append(error)

    threads = [threading.Thread(target=student, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    barrier.wait()
    while any(thread.is_alive() for thread in threads):
        joined, answered = room.counts(0)
        assert answered <= joined <= 30
        room.show(room.key, room.scene.step + 1)
        room.results()
    assert not errors
    assert room.counts(0) == (30, 30)
    assert sorted(room.answers(0)) == list(range(30))
    assert len({name for name, *_ in room.results()}) == 30


def test_goals_are_counted(room: Room) -> None:
    members = [room.join() for _ in range(2)]
    room.meet(members[0].token, 0)
    room.meet(members[0].token, 0)
    room.meet("stranger", 0)
    room.meet(members[1].token, 99)
    assert [room.met(0), room.met(1), room.met(99)] == [1, 0, 0]
