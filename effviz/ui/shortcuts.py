"""Shortcuts in Streamlit for what it computes at every move of a control, with the same results.

A number input, a drop-down and a text input each look up one value in a copy of the whole session state. With the
hundred values of a page, these copies took a fifth of a move. Every run also converts the colors of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState


class Values(Mapping[str, Any]):
    """The values of a session by their keys, as in `SessionState.filtered_state`, each read when it is needed."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.filtered_state)

    def __len__(self) -> int:
        return len(self._state.filtered_state)


Populate = Callable[[CustomThemeConfig, str], None]


def remembering(populate: Populate) -> Populate:
    """Return a function that writes a section of the theme into a message, and reads the configuration once."""

    @cache
    def theme(section: str) -> CustomThemeConfig:
        found = CustomThemeConfig()
        populate(found, section)
        return found

    def write(message: CustomThemeConfig, section: str = "theme") -> None:
        message.CopyFrom(theme(section))

    return write


def take_shortcuts() -> None:
    """Replace these functions of Streamlit in this process, once."""
    SafeSessionState.filtered_state = property(lambda safe: Values(safe._state))  # type: ignore[method-assign, assignment]
    app_session._populate_theme_msg = remembering(app_session._populate_theme_msg)  # type: ignore[assignment]
