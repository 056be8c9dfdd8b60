"""The teacher's screen: code, step, number of answers, and the predictions against the truth."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import urlsplit

import segno
import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.lessons import printing
from effviz.lessons.lesson import Step
from effviz.lessons.results import results_csv
from effviz.lessons.rooms import HOURS, Room
from effviz.ui import classroom, playing
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.terms import linked
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.component import component
from effviz.ui.widgets.downloads import File, download, file_name
from effviz.ui.widgets.frame import section
from effviz.ui.widgets.glossary import show_explained
from effviz.ui.widgets.room_bar import TEACHER_S, predictions_chart, watch

_LOCAL = ("localhost", "127.0.0.1", "::1")
_LOCAL_ONLY = "This address works on this computer only. Start effviz with HOST=0.0.0.0, and open {}."
_ANYWHERE = "192.0.2.1"  # an address of documentation; nothing is sent to it
_ENDING = "_room_ending"
_HIDES = "The answer, the chart and the page disappear from all screens. The predictions are kept."


def screen(room: Room, key: str) -> None:
    """Show the room to its teacher."""
    scene, chosen = room.scene, classroom.lesson_of(room)
    step = chosen.steps[scene.step]
    with st.container(key="room_screen"):
        with st.container(key="room_main"):
            where = f"Step {scene.step + 1} of {len(chosen.steps)}"
            st.html(
                f'<p class="lesson_line"><strong>{html_text(chosen.title)}</strong> · {where}</p>'
                f"<h1>{html_text(step.title)}</h1>"
            )
            _task(room, step)
            watch(TEACHER_S, lambda: (room.scene, room.ended, _has_students(room)), lambda: _counts(room))
            with section("The predictions"):
                _predictions(room, step)
            if step.prediction is not None:
                with st.expander("Text of the step"):
                    show_explained(step.text, "room")
            if classroom.is_private(room):
                _private(step)
        _invitation(room)
    _controls(room, key, step)


def _private(step: Step) -> None:
    """Show what the class must not see, on a device that the teacher's link has opened."""
    with st.container(border=True, key="room_private"):
        st.markdown(f"**For you only**\n\n{printing.answer(step)}\n\n{step.teacher}")


def _task(room: Room, step: Step) -> None:
    """Show the question, or the text of a step without one, and the goal once the students see the page."""
    if step.prediction is not None:
        with st.container(key="room_question"):
            st.markdown(step.prediction.asked())
    else:
        show_explained(step.text, "room")
    if step.goal is not None and (step.prediction is None or room.scene.step in room.scene.revealed):
        st.markdown(f"**Goal:** {step.goal.text}")


def _has_students(room: Room) -> bool:
    return room.counts(room.scene.step).joined > 0


def _counts(room: Room) -> None:
    place = room.scene.step
    joined, answered = room.counts(place)
    asks = joined > 0 and room.questions[place] is not None
    number, noun = (answered, "answered") if asks else (joined, "joined")
    of = f" of {joined}" if asks else ""
    bar = f'<progress class="lesson_bar" max="{max(joined, 1)}" value="{answered}" aria-label="Answers"></progress>'
    # The result needs the room on the screen.
    kind, bar = ("room_count revealed", "") if place in room.scene.revealed else ("room_count", bar if asks else "")
    kind += "" if joined else " empty"
    notes = _goals(room, place) + _places(room)
    st.html(f'<p class="{kind}" role="status"><strong>{number}{of}</strong> {noun}</p>{notes}{bar}')


def _goals(room: Room, place: int) -> str:
    if classroom.lesson_of(room).steps[place].goal is None:
        return ""
    return f'<p class="room_note">{room.met(place)} met the goal</p>'


def _places(room: Room) -> str:
    """Describe at which steps the students are who work at their own pace."""
    if room.scene.follows or not room.places():
        return ""
    found = ", ".join(f"{count} at step {place + 1}" for place, count in room.places().items())
    return f'<p class="room_note">Own pace: {found}</p>'


def _predictions(room: Room, step: Step) -> None:
    """Show the choices or the result in one place: otherwise the browser may keep the result of another step."""
    place, asked = st.empty(), step.prediction
    if asked is None:
        return
    if room.scene.step not in room.scene.revealed:
        if asked.choices:
            rows = "".join(f"<li>{html_text(each.text)}</li>" for each in asked.choices)
            place.html(f'<ul class="room_choices">{rows}</ul>')
        return
    with place.container(key="room_result"):
        show_chart(predictions_chart(asked, room.answers(room.scene.step)), "room_answers")
        look = f"**Look at** on the page {page(step.page).title}: {step.look_elsewhere}"
        show_explained(f"{step.explanation}\n\n{look}", "answer")


def _invitation(room: Room) -> None:
    """Show how students join: a large QR code, and once students have joined a small one that a click enlarges."""
    address = _address(room)
    shown = (address.partition("://")[2] or address).partition("?")[0]
    has_students = _has_students(room)
    code = f'<img class="room_qr" src="{_qr(address)}" alt="QR code of the link to the room">'
    if has_students:
        # `st.html` removes popovers.
        shown_code = (
            f'<button type="button" class="room_enlarge" popovertarget="room_large" title="Enlarge">{code}</button>'
            f'<span popover="auto" id="room_large" class="room_large" role="note">{code}'
            f'<span>{html_text(shown)}</span><span class="room_code">{html_text(room.code)}</span></span>'
        )
    else:
        shown_code = f"<strong>Join the class</strong>{code}<span>or open</span>"
    with st.container(key="room_invited" if has_students else "room_invitation"):
        st.markdown(
            f'<div class="room_join">{shown_code}'
            f'<span class="room_note">{html_text(shown).replace("/", "<wbr>/")}</span>'
            f'<span class="room_code" aria-label="Code of the room">{html_text(room.code)}</span></div>',
            unsafe_allow_html=True,
        )
        _local_note(room)


@remembered
def _qr(address: str) -> str:
    """Return a QR code as a data URL of an SVG, black on white."""
    return str(segno.make(address, error="m", micro=False).svg_data_uri(border=2, dark="#000", light="#fff"))


def _local_note(room: Room) -> None:
    """Warn until students have joined that no other device reaches the address."""
    address = _address(room)
    if urlsplit(address).hostname in _LOCAL and not _has_students(room):
        st.html(f'<p class="room_note">{_LOCAL_ONLY.format(html_text(_network_address(address)))}</p>')


def _network_address(address: str) -> str:
    """Return an address of this computer with that of its network, or in words if it has none."""
    parts = urlsplit(address)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_ANYWHERE, 9))
        return f"{parts.scheme}://{probe.getsockname()[0]}:{parts.port or 80}{parts.path}"
    return "it under the address of this computer in the network"


def _address(room: Room) -> str:
    """Return the link for students, as the teacher's browser reaches the server."""
    return f"{_base()}?room={room.code}"


def _base() -> str:
    """Return the address of the Classroom page, as the teacher's browser reaches it."""
    return (st.context.url or classroom.PAGE).partition("?")[0].rstrip("/")


# --- Controls ---------------------------------------------------------------------------------------------------------


def _controls(room: Room, key: str, step: Step) -> None:
    place, last, revealed = room.scene.step, len(room.questions) - 1, room.scene.step in room.scene.revealed
    with st.container(horizontal=True, key="room_controls", gap="small", vertical_alignment="center"):
        st.button("Previous", disabled=place == 0, on_click=room.show, args=(key, place - 1))
        st.button("Next", disabled=place == last, on_click=room.show, args=(key, place + 1))
        st.button(
            "Hide the answer" if revealed else "Reveal", on_click=room.reveal, args=(key, place, not revealed),
            key="room_reveal", type="secondary" if revealed else "primary", disabled=step.prediction is None,
            help=_HIDES if revealed else None,
        )  # fmt: skip
        _pace(room, key)
        query = playing.address(classroom.lesson_of(room), place + 1) | {"room": room.code}
        link = linked(f"{_base().rpartition('/')[0]}/{step.page}", query)
        waits = step.prediction is not None and not revealed
        st.link_button(
            "Show the page", link, icon=":material/open_in_new:", type="tertiary", disabled=waits,
            help="After Reveal: the page contains the answer." if waits else "In a new tab.",
        )  # fmt: skip
        _more(room, key)


def _pace(room: Room, key: str) -> None:
    """Show the switch between the teacher's step and the students' own pace."""
    paces = {"Students follow": True, "Own pace": False}
    now = "Students follow" if room.scene.follows else "Own pace"
    name = f"room_pace_{now}"

    def change() -> None:
        room.set_follows(key, paces[str(st.session_state[name])])

    st.segmented_control(
        "Pace", list(paces), default=now, required=True, key=name, on_change=change, label_visibility="collapsed"
    )


def _more(room: Room, key: str) -> None:
    with st.popover("More"):
        chosen = classroom.lesson_of(room)
        if not classroom.is_private(room):
            # Its label changes with the step, which closes it.
            with st.expander(f"Note on step {room.scene.step + 1}: the class sees it here"):
                st.markdown(chosen.steps[room.scene.step].teacher)
        st.caption("Own pace: each student chooses the step, and sees the answer after the own prediction.")
        stem = file_name("effviz", room.lesson, room.code)
        download(File("Results as CSV", f"{stem}.csv", lambda: results_csv(chosen, room.results())))
        st.caption("For another device of yours, which also shows notes and answers. It has all your rights:")
        copy = component("copy_text", '<button type="button" class="copy_link"></button>')
        link = f"{_address(room)}&teacher={key}"
        copy(data={"label": "Copy teacher link", "done": "Copied", "text": link}, key="copy_teacher", width="content")
        st.caption(f"The room ends by itself {HOURS} hours after it was opened. Its data are then deleted.")
        _ending(room, key)
        st.page_link(page_path(page("")), label="Leave this screen")


def _ending(room: Room, key: str) -> None:
    """Show the button that ends the room, with a confirmation: the predictions are deleted."""
    if st.session_state.get(_ENDING) != room.code:
        st.button("End the room", on_click=_ask_end, args=(room.code,))
        return
    st.markdown("**All predictions are deleted.** Download the results first to keep them.")
    st.button("Delete and end", on_click=_end, args=(room, key), type="primary")
    st.button("Keep the room", on_click=_ask_end, args=("",))


def _ask_end(code: str) -> None:
    st.session_state[_ENDING] = code


def _end(room: Room, key: str) -> None:
    classroom.ROOMS.end(room.code, key)
    classroom.leave()
