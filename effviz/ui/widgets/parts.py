"""Parts that every page is made of, in the order in which a class meets them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from effviz.charts.style import KIND_COLORS, Appearance, Chart, appearance
from effviz.core.units import exact
from effviz.ui import links
from effviz.ui.convention import COUNTS, MEMORIES, UNITS, Convention
from effviz.ui.navigation import page


def look() -> Appearance:
    """Colours of the visitor's appearance, light or dark."""
    return appearance(st.context.theme.type)


def header(url_path: str) -> None:
    """Title, one sentence of purpose, and the place for the line about the link."""
    entry = page(url_path)
    st.title(entry.title, anchor=False)
    st.markdown(entry.purpose)
    links.line()


def convention_bar() -> Convention:
    """One compact row, kept across pages and in the link."""
    with st.container(horizontal=True, key="convention", gap="medium", vertical_alignment="bottom"):
        count = links.switch("Count", list(COUNTS), "count", default="macs", format_func=COUNTS.__getitem__)
        unit = links.switch("Memory in", list(UNITS), "unit", default="elements", format_func=UNITS.__getitem__)
        memory = links.switch(
            "Memory access", list(MEMORIES), "memory", default="fused", format_func=MEMORIES.__getitem__
        )
    return Convention(count, unit, memory)


def convention() -> Convention:
    """The convention that the frame's bar holds in this run."""
    chosen: Convention = st.session_state["_convention"]
    return chosen


@dataclass(frozen=True)
class Card:
    """One headline number.

    Attributes:
        label: what is counted.
        text: the number as read.
        help: the number to the unit, and what it means.
        below: one short line: the difference to the baseline, or what is to be known.
        against: the baseline of the difference; empty if `below` is none.
        stale: of a former setting, shown dimmed.
    """

    label: str
    text: str
    help: str
    below: str
    against: str = ""
    stale: bool = False


def cards(entries: Iterable[Card]) -> None:
    """Headline numbers in one row, each with one difference to a named baseline."""
    with st.container(horizontal=True, key="cards", gap="small"):
        for card in entries:
            with st.container(key="stale_card" if card.stale else None, height="stretch"):
                st.metric(
                    card.label,
                    card.text,
                    delta=card.below,
                    delta_color="off",
                    delta_arrow="off",
                    delta_description=f"vs {card.against}" if card.against else None,
                    help=card.help,
                    border=True,
                    height="stretch",
                )


def show_chart(chart: Chart, key: str, *, heading: bool = True) -> None:
    """A chart under its finding, with alt text."""
    if heading:
        st.subheader(chart.title, anchor=False)
    st.plotly_chart(
        chart.figure, key=key, theme=None, alt=chart.alt, config={"displayModeBar": False, "displaylogo": False}
    )


def kind_legend(kinds: Iterable[str], ghost: str = "") -> None:
    """The colours of the layer kinds on this page, once, in the charts' order; `ghost` names the baseline's mark."""
    present = set(kinds)
    entries = [
        f'<span class="kind"><i style="background:{color}"></i>{kind}</span>'
        for kind, color in KIND_COLORS.items()
        if kind in present
    ]
    if ghost:
        entries.append(f'<span class="kind"><b></b>{html.escape(ghost)}</span>')
    st.html(f'<div class="kinds">{"".join(entries)}</div>')


def exercise(
    key: str, question: str, unit: str, answer: float, explanation: str, *, show: Callable[[float], str]
) -> None:
    """Predict, then reveal: the reader enters a guess and sees how far off it was.

    Args:
        key: unique on the page.
        question: about the current settings.
        unit: of the guess, after the input.
        answer: computed from the current settings.
        explanation: why, shown with the answer.
        show: the answer and the guess as text.
    """
    with st.container(border=True):
        st.markdown(question)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            guess = st.number_input(f"Your guess ({unit})", value=None, key=f"{key}_guess", width=220, min_value=0.0)
            # Never disabled: the click that leaves the input is the one that reveals.
            asked = st.button("Reveal", key=f"{key}_reveal")
        if asked and guess is None:
            st.markdown("Enter a guess first.")
        elif asked and guess is not None:
            off = abs(guess - answer) / answer if answer else abs(guess)
            verdict = "That is it." if off < 0.02 else f"Off by {off:.0%} of the answer."
            st.markdown(f"**{show(answer)}** (your guess: {show(guess)}). {verdict} {explanation}")


def file_name(*parts: str) -> str:
    """A file name of letters, digits, dots and hyphens."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(part for part in parts if part))


_COPY_JS = """
export default function (component) {
  const { parentElement, data } = component;
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = async () => {
    const address = window.location.href;
    try {
      await navigator.clipboard.writeText(address);
    } catch (error) {
      // Without a secure context there is no clipboard API: select a field and copy.
      const field = document.createElement("textarea");
      field.value = address;
      document.body.appendChild(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = data.done;
    setTimeout(() => { button.textContent = data.label; }, 1500);
  };
}
"""
_COPY_CSS = """
button {
  font: inherit; font-size: 0.875rem; color: var(--st-text-color); background: transparent; cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: 0.5rem; padding: 0.25rem 0.75rem; min-height: 2.5rem;
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""


_MIME = {"csv": "text/csv", "json": "application/json", "dot": "text/vnd.graphviz", "py": "text/x-python"}


def download(label: str, make: Callable[[], str], file: str, *, key: str | None = None) -> None:
    """A button that writes a file when it is asked for; what is no function, browsers fetch with every change."""
    st.download_button(label, make, file, _MIME[file.rpartition(".")[2]], on_click="ignore", key=key)


def copy_link() -> None:
    """A button that copies the address, which holds every control."""
    component = st.components.v2.component(
        "copy_link", html='<button type="button"></button>', js=_COPY_JS, css=_COPY_CSS
    )
    component(data={"label": "Copy link", "done": "Copied"}, key="copy_link", width="content")


def hover_exact(value: int, unit: str) -> str:
    """The number to the unit."""
    return f"{exact(value)} {unit}".strip()
