"""Controls of the Compare page: the list of networks, the baseline, the network on screen, and the axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from effviz.core.errors import MAX_MULTIPLIER, DesignError
from effviz.core.resolution import compact_size
from effviz.model.design import Design
from effviz.studies.compare.networks import MEASURES, PRESETS, phones, preset
from effviz.studies.network_text import (
    MOST,
    Network,
    distinct_labels,
    networks_text,
    parse_network,
    parse_networks,
)
from effviz.ui import held, inputs, links, runs
from effviz.ui.widgets.comparison import LIST, listed_networks
from effviz.ui.widgets.controls import SIZE_HELP
from effviz.ui.widgets.frame import instrument, notice
from effviz.zoo import ARCHITECTURES

AXES = {
    "params": "Parameters", "macs": "Multiply-adds", "memory_access": "Memory access",
    "peak_activation": "Peak activations", "receptive_field": "Receptive field", "top1": "Published top-1",
    "phone": "Phone latency", "latency": "Latency here", "efficiency": "Top-1 per multiply-add",
}  # fmt: skip
"""Names of the measures in the controls and in links, the same in every convention."""
NONE = "none"
_FORMER = {"Compute": AXES["macs"], "Top-1 per compute": AXES["efficiency"]}
_SIZES = {NONE: "Equal"} | {key: AXES[key] for key in ("params", "macs", "memory_access", "peak_activation")}
_PROBLEMS = "_compare_problems"
_ADD = ("add_name", "add_width", "add_depth", "add_resolution")


@dataclass(frozen=True)
class Choice:
    """Values of the controls.

    Attributes:
        networks: of the list, at least one.
        labels: of the networks, each different.
        baseline, chosen: places in the list of the baseline and of the network on screen.
        x, y: measures of the axes.
        size: measure of the areas of the bubbles; None for equal ones.
        phone: of the published latencies; empty if there are none.
    """

    networks: tuple[Network, ...]
    labels: tuple[str, ...]
    baseline: int
    chosen: int
    x: str
    y: str
    size: str | None
    phone: str

    @property
    def base(self) -> Design:
        """The baseline."""
        return self.networks[self.baseline].design

    @property
    def design(self) -> Design:
        """The network on screen."""
        return self.networks[self.chosen].design

    @property
    def names(self) -> tuple[str, str]:
        """Labels of the baseline and of the network on screen."""
        return self.labels[self.baseline], self.labels[self.chosen]

    @property
    def differ(self) -> bool:
        """Whether another network than the baseline is on screen."""
        return self.baseline != self.chosen


def controls() -> Choice:
    """Show the list in the sidebar, and the two networks that are compared above the headline numbers."""
    held.held(LIST, _has_networks, "networks such as mobilenet_v2-w0.75-r192, separated by spaces")
    networks = _networks()
    labels = distinct_labels(networks)
    _list(networks, labels)
    texts = [network.text for network in networks]
    named = dict(zip(texts, labels, strict=True))
    with instrument(), st.container(horizontal=True, key="pair", gap="small"):
        chosen = _one_of("Network", texts, "net", texts[min(1, len(texts) - 1)], named)
        baseline = _one_of("Baseline", texts, "base", texts[0], named)
    st.subheader("Chart", anchor=False)
    for key in ("x", "y", "size"):
        former_name(key)
    x = inputs.choice("Horizontal axis", list(MEASURES), "x", default="macs", format_func=AXES.__getitem__)
    y = inputs.choice("Vertical axis", list(MEASURES), "y", default="top1", format_func=AXES.__getitem__)
    size = inputs.choice("Area", list(_SIZES), "size", default="params", format_func=_SIZES.__getitem__)
    return Choice(networks, labels, texts.index(baseline), texts.index(chosen), x, y,
                  None if size == NONE else size, _phone(networks))  # fmt: skip


def former_name(key: str) -> None:
    """Read a measure of a link that has its former name, before its control is made."""
    links.rewrite(key, lambda text: _FORMER.get(text, text))


def _one_of(label: str, texts: Sequence[str], key: str, default: str, named: dict[str, str]) -> str:
    _keep(key, texts, default, named)
    return inputs.choice(label, texts, key, default=default, format_func=lambda text: named.get(text, text))


def _keep(key: str, options: Sequence[str], default: str, named: Mapping[str, str]) -> None:
    """Keep the option of a control whose options and default depend on the list, also in the address.

    The address omits defaults: an option that was the default, and is it no longer, is written to the address.
    """
    state, former = st.session_state, f"_compare_default_{key}"
    value = state.get(key)
    if value is not None and value not in options:
        # Another list may not have the option.
        value = state[key] = default
    if value not in (None, default) and state.get(former) not in (None, default):
        links.put_text(key, value, named.get(value, value))
    state[former] = default


def _phone(networks: Sequence[Network]) -> str:
    known = phones(networks)
    if not known:
        links.idle("phone")
        return ""
    _keep("phone", known, known[0], {})
    return inputs.choice("Phone", known, "phone", default=known[0], help="Device of the published latencies.")


# --- the list ---------------------------------------------------------------------------------------------------------


def _has_networks(text: str) -> bool:
    return bool(parse_networks(held.whole(text)).networks)


def _networks() -> tuple[Network, ...]:
    """Return the networks of the link, and keep what is wrong with it for the notice."""
    text = held.remembered(LIST)
    found = parse_networks(held.whole(text))
    if found.problems:
        st.session_state[_PROBLEMS] = found.problems
        _hold(found.networks)
    return found.networks or listed_networks()


def _hold(networks: Sequence[Network]) -> None:
    text = networks_text(networks)
    held.hold(LIST, "" if text == networks_text(preset(next(iter(PRESETS)))) else held.shortened(text))


def _list(networks: Sequence[Network], labels: Sequence[str]) -> None:
    """Show the presets, the networks of the list, and a form that adds one."""
    texts = [network.text for network in networks]
    current = next((name for name, each in PRESETS.items() if list(each) == texts), None)
    st.session_state["preset"] = current
    st.selectbox(
        "Start from", list(PRESETS), index=None, key="preset", placeholder="a list", on_change=_guarded(_start)
    )
    named = dict(zip(texts, labels, strict=True)) | {
        name: title for name, title in _titles().items() if name not in texts
    }  # fmt: skip
    st.session_state["networks"] = texts
    st.multiselect(
        "Networks", list(named), key="networks", format_func=lambda text: named.get(text, text),
        on_change=_guarded(_changed), accept_new_options=True, max_selections=MOST, placeholder="Choose or type",
        help="Choose a network, or type one with its multipliers, such as mobilenet_v2-w0.75-r192. -w: width "
        "multiplier, -d: depth multiplier, -r: resolution, -g: groups, -c: classes, -i: channels of the image.",
    )  # fmt: skip
    if problems := st.session_state.get(_PROBLEMS):
        notice(f"Ignored in the list: {'; '.join(problems)}.", "ignored", alert=True)
    if held.whole(held.remembered(LIST)) != held.remembered(LIST):
        notice("Too long for a link: this list exists only in this browser session.", "ignored", alert=True)
    if box := inputs.section("Add a scaled network", "adding"):
        with box:
            _form()


def _titles() -> dict[str, str]:
    return {name: parse_network(name).label for name in ARCHITECTURES}


def _form() -> None:
    st.selectbox("Published network", list(ARCHITECTURES), key=_ADD[0], format_func=_titles().__getitem__)
    for label, key in (("Width", _ADD[1]), ("Depth", _ADD[2])):
        st.number_input(f"{label} multiplier", 0.01, MAX_MULTIPLIER, 1.0, 0.05, key=key)
    st.text_input("Resolution (px)", "", key=_ADD[3], max_chars=40, placeholder="as published", help=SIZE_HELP)
    st.button("Add", key="add", on_click=_guarded(_add))


def _guarded(act: Callable[[], None]) -> Callable[[], None]:
    """Make a callback that ignores polls and forgets the problems of the list."""

    def run() -> None:
        if not runs.is_poll():
            st.session_state.pop(_PROBLEMS, None)
            act()

    return run


def _start() -> None:
    name = st.session_state["preset"]
    if name is not None:
        _hold(preset(name))
        # Values are set, not dropped: the browser would send a dropped one again.
        fresh = {"base": PRESETS[name][0], "net": PRESETS[name][1], "phone": phones(preset(name))[0]}
        st.session_state.update(fresh)


def _changed() -> None:
    titles = {title: name for name, title in _titles().items()}
    typed = " ".join(titles.get(each, each) for each in st.session_state["networks"])
    found = parse_networks(typed)
    if found.problems:
        st.session_state[_PROBLEMS] = found.problems
    _hold(found.networks)


def _add() -> None:
    state = st.session_state
    name, width, depth, resolution = (state[key] for key in _ADD)
    text = f"{name}-w{width:g}-d{depth:g}"
    try:
        network = parse_network(f"{text}-r{resolution}" if resolution else text)
    except DesignError as error:
        state[_PROBLEMS] = (str(error),)
        return
    networks = _networks()
    found = parse_networks(networks_text((*networks, network)))
    if found.problems:
        state[_PROBLEMS] = found.problems
        return
    _hold(found.networks)
    state["net"] = network.text
    state[_ADD[3]] = compact_size(network.design.resolution) if resolution else ""
