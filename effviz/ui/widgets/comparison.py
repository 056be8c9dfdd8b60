"""The list of networks to compare, and the button that adds a network to it from any page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from effviz.model.design import Design
from effviz.studies.compare.networks import PRESETS, preset
from effviz.studies.network_text import (
    MOST,
    Network,
    distinct_labels,
    network_of,
    networks_text,
    parse_network,
    parse_networks,
)
from effviz.ui import held, runs
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets.frame import notice

LIST = "nets"
"""Key of the list in the link of the Compare page."""
_OFFERED, _PART = "_compare_offered", "compare_part"


def listed_networks() -> tuple[Network, ...]:
    """Return the networks that the visitor compared last; at first those of the first preset."""
    return parse_networks(held.whole(held.remembered(LIST))).networks or preset(next(iter(PRESETS)))


def offer(design: Design | None) -> None:
    """Keep the network that `compare_button` adds; None while it cannot be built. The moving part of a page calls this.

    The text is kept, because objects in the session do not survive a hot reload.
    """
    st.session_state[_OFFERED] = None if design is None else network_of(design).text


def compare_button() -> None:
    """Show the button that adds the network on screen to the list and opens the Compare page, below the controls.

    A page calls this outside its moving part: the button is the same for every network. It is a fragment, because a run
    of the whole page would forget the settings of the page that is left.
    """
    with st.sidebar:
        st.fragment(_button, key=_PART)()


def _button() -> None:
    pressed = st.button("Compare", key="compare", icon=":material/compare_arrows:",
                        help="Adds this network to the Compare page and opens it.")  # fmt: skip
    if not pressed:
        return
    text = st.session_state.get(_OFFERED)
    if text is None:
        notice("The network cannot be built yet, so it cannot be compared.", alert=True)
        return
    network = parse_network(text)
    listed = listed_networks()
    if all(each.design != network.design for each in listed):
        # The baseline, which is the first network, stays.
        listed = (*listed[: MOST - 1], network)
    open_list(listed, network)


def open_list(listed: Sequence[Network], chosen: Network) -> None:
    """Open the Compare page with a list of networks, one of which is on screen. Call this in a separate fragment."""
    labels = {each.design: label for each, label in zip(listed, distinct_labels(listed), strict=True)}
    runs.release([LIST, "net"])
    st.switch_page(
        page_path(page("compare")),
        query_params={LIST: held.shortened(networks_text(listed)), "net": labels[chosen.design]},
    )
