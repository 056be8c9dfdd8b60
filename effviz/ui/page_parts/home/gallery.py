"""The networks as a gallery: each is drawn to scale, with its published accuracy beside its counts."""

from __future__ import annotations

from urllib.parse import urlencode

import orjson
import streamlit as st
from streamlit.config import get_option

from effviz.core.caches import remembered
from effviz.core.units import si
from effviz.ui.convention import Convention
from effviz.ui.navigation import page
from effviz.ui.page_parts.home.instrument import boxes
from effviz.ui.page_parts.home.zoo import reports
from effviz.ui.paths import page_path
from effviz.ui.widgets.component import component
from effviz.zoo import default_groups
from effviz.zoo.published.cells import own_top1

_TARGET = "architectures"


def gallery(convention: Convention) -> None:
    """Show one card for each network, a link to its page, in the order of their compute."""
    base = str(get_option("server.baseUrlPath")).strip("/")
    show = component("gallery", '<div class="gallery"></div>')
    chosen = show(key="gallery", data=_cards(convention, f"/{base}/" if base else "/"), on_open_change=lambda: None)
    if chosen.open is not None:
        st.switch_page(page_path(page(_TARGET)), query_params={"net": str(chosen.open)})


@remembered
def _cards(convention: Convention, base: str) -> bytes:
    found = []
    for report in sorted(reports(convention.memory), key=lambda each: each.macs):
        design = report.design
        figure = own_top1(design.name, design.resolution, default_groups(design.name))
        title = design.title.removesuffix(" (g = 3)")
        found.append(
            {
                "title": title,
                "address": f"{base}{_TARGET}?{urlencode({'net': title})}",
                "top1": "" if figure is None else f"{figure.top1:.1f} %",
                "source": "" if figure is None else f"ImageNet top-1: {figure.source}",
                "counts": [
                    f"{convention.show('macs', report.macs)} {convention.compute_label}",
                    f"{si(report.params)} parameters",
                ],
                "boxes": [[box.side, box.channels] for box in boxes(design)],
            }
        )
    return orjson.dumps(found)
