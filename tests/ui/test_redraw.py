"""A part that is drawn again from another part."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from effviz.ui.redraw import redraw

    def part() -> None:
        st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
        if st.session_state["drawn"] == 1:
            redraw("part")
        st.write(f"drawing {st.session_state['drawn']}")

    st.fragment(part, key="part")()
    st.write("below the part")


def test_a_run_that_requests_another_one_is_drawn_to_its_end() -> None:
    page = AppTest.from_function(_page).run()
    assert {each.value for each in page.markdown} == {"drawing 2", "below the part"}
