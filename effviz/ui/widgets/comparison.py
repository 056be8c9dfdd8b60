"""The list of networks to compare, and the button that adds a network to it from any page."""

from __future__ import annotations

import streamlit as st

from effviz.model.design import Design
from effviz.studies.compare.networks import PRESETS, preset
from effviz.studies.network_text import (
    MOST,
    Network,
    distinct_labels,
    network_of,
    networks_text,
    parse_networks,
)
from effviz.ui import held, runs
from effviz.ui.navigation import page
from effviz.ui.paths import page_path

LIST = "nets"
"""Key of the list in the link of the Compare page."""


def listed_networks() -> tuple[Network, ...]:
    """Return the networks that the visitor compared last; at first those of the first preset."""
    return parse_networks(held.whole(held.remembered(LIST))).networks or preset(next(iter(PRESETS)))


def compare_button(design: Design) -> None:
    """Show the button that adds a network to the list and opens the Compare page."""
    if not st.button("Compare", key="compare", icon=":material/compare_arrows:", help="Put it beside other networks."):
        return
    network = network_of(design)
    others = [each for each in listed_networks() if each.design != design]
    # The baseline, which is the first network, stays.
    listed = (*others[: MOST - 1], network)
    runs.release([LIST, "net"])
    st.switch_page(
        page_path(page("compare")),
        query_params={LIST: held.shortened(networks_text(listed)), "net": distinct_labels(listed)[-1]},
    )
