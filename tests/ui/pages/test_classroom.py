"""The Classroom page without a browser: ways in, wrong codes, the teacher's link, and the end of a room."""

from __future__ import annotations

import pytest
from page_reader import component, failures, go_to, open_page, run
from streamlit.testing.v1 import AppTest

from effviz.lessons.lesson import lesson
from effviz.lessons.rooms import Room
from effviz.ui.classroom import ROOMS


def click(at: AppTest, label: str) -> AppTest:
    next(each for each in at.button if each.label == label).click()
    return run(at)


def texts(at: AppTest) -> str:
    parts = [each.proto.body for each in at.html if "<style>" not in each.proto.body]
    return "\n".join([*parts, *(str(each.value) for each in at.markdown)])


def labels(at: AppTest) -> list[str]:
    return [each.label for each in at.button]


def opened() -> AppTest:
    return click(open_page("classroom"), "Open a room")


@pytest.mark.parametrize("typed", ["", "BCDFG", "0", "<b>x</b>", "12BCDFG", "x" * 20])
def test_a_code_of_no_room_is_reported(typed: str) -> None:
    at = open_page("classroom")
    next(each for each in at.text_input if each.label == "Code").set_value(typed)
    click(at, "Continue")
    assert ("Enter the code." if not typed else "No class with the code ") in texts(at)
    assert "<b>" not in texts(at)


@pytest.mark.parametrize("code", ["BCDFG", "bcdfg", "<script>", "1BCDFG2", "../../x", "ä" * 300])
def test_a_link_to_no_room_shows_the_ways_in(code: str) -> None:
    at = open_page("classroom", room=code)
    assert "Open a room" in labels(at)
    expected = f"The room {code.upper()} is not open." if code.isalpha() and code.isascii() else "Ignored in the link"
    assert expected in texts(at)


def test_the_teachers_screen() -> None:
    at = opened()
    code = at.query_params["room"]
    room = ROOMS.find(code)
    assert room is not None
    assert set(at.query_params) == {"room"}
    assert code in texts(at)
    # In a private link only, which the address forgets.
    other = open_page("classroom", room=code, teacher=room.key)
    assert "Reveal" in labels(other)
    assert set(other.query_params) == {"room"}
    wrong = open_page("classroom", room=code, teacher="x" * 32)
    assert "Reveal" not in labels(wrong)
    click(at, "Next")
    assert room.scene.step == 1
    click(at, "Reveal")
    assert room.scene.revealed == {1}
    click(at, "End the room")
    assert ROOMS.find(code) is room
    assert "Results as CSV" in [each.proto.label for each in at.get("download_button")]
    returned = click(at, "Keep the room")
    click(returned, "End the room")
    click(at, "Delete and end")
    assert ROOMS.find(code) is None
    assert "Open a room" in labels(at)
    assert "room" not in at.query_params
    # A click on a screen that does not know the end yet.
    next(each for each in other.button if each.label == "Next").click()
    other.run()
    assert failures(other) == []
    assert f"The room {code} is not open." in texts(other)


def test_too_many_rooms_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_ROOMS", str(max(len(ROOMS), 1)))
    at = opened()
    if len(ROOMS) == 1 and "Reveal" in labels(at):
        at = opened()
    assert "which is the limit" in texts(at)


def test_the_projector_shows_no_answer_before_it_is_revealed() -> None:
    room = ROOMS.find(opened().query_params["room"])
    assert room is not None
    step = lesson(room.lesson).steps[0]
    assert step.prediction is not None
    answer = step.prediction.show(step.prediction.value())
    at = open_page("classroom", room=room.code, teacher=room.key)
    at.query_params.update({"lesson": room.lesson, "step": "1"})
    go_to(at, f"{step.page}.py")
    assert not component(at, "cards")
    assert 'class="verdict' not in texts(at)
    assert "when you reveal the answer on the class screen" in texts(at)
    room.reveal(room.key, 0)
    assert f"The answer is {answer}." in texts(run(at))
    assert component(at, "cards")


def test_notes_and_answers_are_on_the_second_device_of_the_teacher_only() -> None:
    first = opened()
    room = ROOMS.find(first.query_params["room"])
    assert room is not None
    step = lesson(room.lesson).steps[0]
    link = next(entry.proto for entry in first.get("link_button") if entry.proto.label == "Show the page")
    assert link.disabled
    assert "For you only" not in texts(first)
    assert "Note on step 1: the class sees it here" in [entry.label for entry in first.expander]
    second = open_page("classroom", room=room.code, teacher=room.key)
    assert "For you only" in texts(second)
    assert step.teacher in texts(second)
    assert not [entry.label for entry in second.expander if entry.label.startswith("Note on")]
    click(second, "Reveal")
    link = next(entry.proto for entry in second.get("link_button") if entry.proto.label == "Show the page")
    assert not link.disabled
    assert "Hide the answer" in labels(second)


def seated(room: Room) -> AppTest:
    """The page of the first step for a student who has joined; the token is in the storage of the browser."""
    at = open_page("lessons")
    at.session_state["_room_passes"] = {room.code: {"token": room.join().token}}
    at.query_params.update({"lesson": room.lesson, "step": "1", "room": room.code})
    return go_to(at, f"{lesson(room.lesson).steps[0].page}.py")


def test_a_student_changes_a_prediction_until_it_is_revealed() -> None:
    room = ROOMS.find(opened().query_params["room"])
    assert room is not None
    chosen = lesson(room.lesson)
    key = f"lesson_guess_{chosen.name}_{chosen.steps[0].name}"
    at = seated(room)
    at.number_input(key=key).set_value(20.0)
    click(at, "Predict")
    assert room.answers(0) == [20]
    click(at, "Change")
    assert at.number_input(key=key).value == 20
    at.number_input(key=key).set_value(2.0)
    click(at, "Predict")
    assert room.answers(0) == [2]
    room.reveal(room.key, 0)
    run(at)
    assert "Change" not in labels(at)
    assert "You predicted 2.0\N{NO-BREAK SPACE}%" in texts(at) or "You predicted 2.0 %" in texts(at)
    assert "room_answers" in component(at, "chart"), "the predictions of the class"


def test_a_late_student_predicts_at_the_own_pace() -> None:
    room = ROOMS.find(opened().query_params["room"])
    assert room is not None
    chosen = lesson(room.lesson)
    key = f"lesson_guess_{chosen.name}_{chosen.steps[0].name}"
    room.reveal(room.key, 0)
    room.set_follows(room.key, follows=False)
    at = seated(room)
    at.number_input(key=key).set_value(20.0)
    click(at, "Predict")
    assert room.answers(0) == []
    assert "You predicted 20.0 %" in texts(at)
    assert "Your prediction is late" in texts(at)
    assert [(each.answers, each.late) for each in room.results()] == [({0: 20}, {0})]
