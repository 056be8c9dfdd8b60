"""Shortcuts in Streamlit have the results of the functions that they replace."""

from __future__ import annotations

import pytest
from page_reader import open_page
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime.app_session import _populate_theme_msg

from effviz.ui.shortcuts import Values, remembering


def test_single_values_are_those_of_the_copy() -> None:
    at = open_page("architectures", width="0.5", part="Layers")
    state = vars(at.session_state)["_state"]
    whole, singly = state.filtered_state, Values(state)
    assert {key: singly[key] for key in whole} == dict(singly) == whole
    assert whole["width"] == 0.5
    assert set(singly) == set(whole)
    assert len(singly) == len(whole)
    for key in whole:
        assert key in singly
    assert "nothing" not in singly


@pytest.mark.parametrize("section", ["theme", "theme.light", "theme.dark", "theme.sidebar"])
def test_the_remembered_theme_is_that_of_the_configuration(section: str) -> None:
    write = remembering(_populate_theme_msg)
    expected = CustomThemeConfig()
    _populate_theme_msg(expected, section)
    for _ in range(2):
        found = CustomThemeConfig()
        write(found, section)
        assert found == expected
