"""Frame of a page: title, convention bar, notices, and the visitor's colors."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effviz.charts.style import Appearance, appearance
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import in_pixels
from effviz.core.text import html_text
from effviz.model.design import Design
from effviz.ui import inputs, links, playing, runs
from effviz.ui.convention import COUNTS, MEMORIES, UNITS, Convention
from effviz.ui.ideas import figure
from effviz.ui.navigation import page
from effviz.ui.paths import PRESENT_STYLE_SHEET
from effviz.ui.turns import TURNS
from effviz.ui.widgets import lesson_panel, takeaway
from effviz.ui.widgets.cards import TITLED
from effviz.ui.widgets.downloads import copy_link
from effviz.ui.widgets.glossary import explained

_CONVENTION = "_convention"
_CONTROLS = "_controls"
_LONG_IDEA = 120  # characters: more than two lines on a phone
_NAME = re.compile(r"(?<!\S)(?=\S{3,30}(?!\S))\S+-\S+")
_WHOLE = r'<span class="whole">\g<0></span>'
_SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z\[])")
PRESENT = "present"
"""Key of the setting that enlarges a page for a projector."""


def look() -> Appearance:
    """Return the colors of the visitor's appearance, light or dark."""
    return appearance(st.context.theme.type)


def top(url_path: str) -> None:
    """Show title, convention, present mode and the button for the link. The main script calls this.

    Streamlit forgets the settings of a page's script when the visitor leaves the page.
    """
    with st.container(horizontal=True, key="top", gap="small", vertical_alignment="center"):
        entry = page(url_path)
        st.title(entry.title, anchor=False, width="stretch")
        # With the address, so that the name of another page does not stay.
        st.html(f'<p class="titled" data-page="{url_path}"></p>', width="content")
        st.session_state[TITLED] = ""
        st.session_state[_CONVENTION] = _convention_chip(offered=entry.counts)
        present = _present(offered=entry.enlarges)
        copy_link()
    # Draws the charts again when present mode changes, see `frame.js`.
    takeaway.frame({"present": present}, page(url_path).title, st.session_state[_CONVENTION])


def header(url_path: str, *, controls: bool = True) -> Convention:
    """Show the idea of a page, and places for the notice and, if it has them, the controls; return the convention.

    A lesson replaces the idea, which would give answers away.
    """
    if playing.now() is None:
        idea = page(url_path).idea
        # A phone shows the first sentence of a long idea; an open one has its text in full.
        first, *rest = _SENTENCE_END.split(idea, maxsplit=1) if len(idea) > _LONG_IDEA else [idea]
        more = "<details><summary><span>More</span><span>Less</span></summary></details>" if rest else ""
        folded = "".join(f' <span class="rest">{each}</span>' for each in rest)
        text = f'<div class="idea">\n\n{explained(first + folded)}\n\n{more}\n\n{figure(url_path)}</div>'
        st.markdown(text, unsafe_allow_html=True)
    links.line()
    if controls:
        st.session_state[_CONTROLS] = st.sidebar.container()
    return convention()


def instrument() -> DeltaGenerator:
    """Return the place of the main control and the headline numbers. On a phone, it stays in view."""
    place: DeltaGenerator = st.session_state[lesson_panel.INSTRUMENT]
    return place


def titled(text: str) -> None:
    """Name the network or block on screen beside the title, for readers who do not see the sidebar.

    `show_cards` sends it, so this is called before.
    """
    st.session_state[TITLED] = text


def network_title(design: Design) -> str:
    """Name a network with its multipliers and resolution: ``MobileNetV2, width 0.5, 224 px``."""
    factors = {"width": design.width_mult, "depth": design.depth_mult}
    words = (f"{name} {value:g}" for name, value in factors.items() if value != 1)
    return ", ".join([design.title, *words, in_pixels(design.resolution)])


def sidebar() -> DeltaGenerator:
    """Return the place of the page's controls in the sidebar, above those that a page shows outside `moving`."""
    place: DeltaGenerator = st.session_state[_CONTROLS]
    return place


def moving(body: Callable[[], None]) -> None:
    """Show the part of a page that follows its controls: a change of one of them repeats `body`, not the frame.

    Every page has one. It contains the controls, also those in the sidebar, and all that depends on them.
    """

    def run() -> None:
        with TURNS.run():
            links.begin()
            if lesson_panel.show():
                lesson_panel.place_controls()
                st.session_state[lesson_panel.INSTRUMENT] = st.container(key="instrument")
                body()
                lesson_panel.finish()
                links.finish()
            else:
                # The sidebar keeps its width, so that the text does not move when the controls appear.
                with sidebar():
                    lesson_panel.outline()

    st.fragment(run, key=runs.PAGE_FRAGMENT)()


def _convention_chip(*, offered: bool) -> Convention:
    """Show the convention as one chip, with its choices behind it; it is kept across pages and in the link.

    A page on which nothing depends on it hides the chip. The controls exist there too, since they hold the choices.
    """
    known = (("count", COUNTS, "macs"), ("unit", UNITS, "elements"), ("memory", MEMORIES, "fused"))
    label = " · ".join(playing.planned(each[0]) or links.upcoming(*each) for each in known)
    # No popover: the controls in a closed one do not exist in the browser, which then forgets their values.
    key = "convention" if offered else "hidden_convention"
    with st.container(key=key, width="content"), st.expander(label, icon=":material/tune:"):
        count = inputs.switch("Count", list(COUNTS), "count", default="macs", format_func=COUNTS.__getitem__)
        unit = inputs.switch("Memory in", list(UNITS), "unit", default="elements", format_func=UNITS.__getitem__)
        memory = inputs.switch(
            "Memory access", list(MEMORIES), "memory", default="fused", format_func=MEMORIES.__getitem__
        )
        chosen = Convention(count, unit, memory)
        st.caption(chosen.text)
    return chosen


def _present(*, offered: bool) -> bool:
    """Show the switch of present mode: larger type and no sidebar, for a projector.

    A page that has no use for it shows the switch only while it is on.
    """
    with nullcontext() if offered else st.container(key="hidden_present", width="content"):
        chosen = inputs.flag("Present", PRESENT, help="Larger type and no sidebar, for a projector.")
    if chosen:
        st.html(PRESENT_STYLE_SHEET)
    return chosen


def convention() -> Convention:
    """Return the convention that the bar has in this run."""
    chosen: Convention = st.session_state[_CONVENTION]
    return chosen


def notice(text: str, kind: str = "status", *, alert: bool = False, strong: str = "") -> None:
    """Show plain text in a small line, never as Markdown: it may contain names that a visitor wrote.

    Args:
        text: a sentence.
        kind: ``"status"``, ``"status waiting"``, ``"finding"``, ``"ignored"`` or ``"failed"``.
        alert: whether screen readers announce it.
        strong: bold words in front of the text.
    """
    role = ' role="alert"' if alert else ""
    lead = f"<strong>{html_text(strong)}</strong>" if strong else ""
    st.html(f'<p class="{kind}"{role}>{lead}{html_text(text)}</p>')


def heading(text: str) -> None:
    """Show plain text as a heading, never as Markdown: it may contain names that a visitor wrote.

    No line ends within a name such as MobileNetV3-Large.
    """
    st.html(f"<h3>{_NAME.sub(_WHOLE, html_text(text))}</h3>")


@contextmanager
def section(name: str) -> Iterator[None]:
    """Draw a section of a page. If it fails, one line says why, and the next section is drawn.

    Args:
        name: of the section, in the line.

    Example:
        >>> with section("The chart"):
        ...     show_chart(stage_costs(report, look()), "stages")
    """
    try:
        yield
    except DesignError as error:
        notice(f"{name} cannot be shown: {error}.", alert=True)
    except Exception as error:  # noqa: BLE001 -- an error of any kind ends one section, not the page
        _log_once("".join(traceback.format_exception(error)))
        notice(f"{name} cannot be shown because of an error of effviz. The log of the server has the details.",
               "failed", alert=True)  # fmt: skip


@remembered
def _log_once(text: str) -> None:
    """Write the traceback of a section to the log, unless it is there already: a moving slider would repeat it."""
    logging.getLogger(__name__).error("A section of a page cannot be drawn.\n%s", text)


def refuse(message: str) -> NoReturn:
    """Show why nothing can be built, and end the page."""
    st.error(message)
    links.finish()
    st.stop()
