"""The networks as a gallery: each is drawn to scale, with its published accuracy beside its counts."""

from __future__ import annotations

from urllib.parse import urlencode

import orjson
import streamlit as st
from streamlit.config import get_option

from effviz.core.caches import remembered
from effviz.core.units import lower, short, si
from effviz.ui.convention import Convention
from effviz.ui.navigation import page
from effviz.ui.page_parts.home.instrument import boxes
from effviz.ui.page_parts.home.zoo import reports
from effviz.ui.paths import page_path
from effviz.ui.widgets.component import component
from effviz.zoo import default_groups
from effviz.zoo.published.cells import own_top1

_TARGET = "architectures"
_LIMITS = (("Mobile", 600_000_000), ("Mid-range", 5_000_000_000))
"""Groups by multiply-adds; 600 M is the limit of the mobile setting in the papers."""
_FIRST = {
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2", "ghostnet", "efficientnet_b0"),
    *("resnet18", "resnet50", "densenet121", "resnext50_32x4d", "efficientnet_b1", "efficientnet_b4"),
    *("vgg16", "resnet101", "wide_resnet50_2", "efficientnet_v2_s", "efficientnet_b5", "efficientnet_b7"),
}
"""The networks that are shown at first: those that the pages, the lessons and the field's papers compare most."""
_NOTE = (
    "Blocks from input to output. Length: channels. Height: side of the map, square root. "
    "Shade: multiply-adds. Top-1: published, on ImageNet."
)


def gallery(convention: Convention) -> None:
    """Show cards of the networks, links to their page, in the order of their compute; at first `_FIRST`."""
    base = str(get_option("server.baseUrlPath")).strip("/")
    show = component(
        "gallery",
        f'<p class="gallery_note">{_NOTE}</p><div class="gallery"></div>'
        '<button type="button" class="gallery_more" hidden></button>',
    )
    chosen = show(key="gallery", data=_cards(convention, f"/{base}/" if base else "/"), on_open_change=lambda: None)
    if chosen.open is not None:
        st.switch_page(page_path(page(_TARGET)), query_params={"net": str(chosen.open)})


def _group(macs: int, convention: Convention) -> str:
    """Name the group of a network by its compute."""
    unit = lower(convention.compute_label)
    for name, limit in _LIMITS:
        if macs <= limit:
            return f"{name}, up to {short(convention.compute(limit))} {unit}"
    return f"Large, above {short(convention.compute(_LIMITS[-1][1]))} {unit}"


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
                "first": design.name in _FIRST,
                "address": f"{base}{_TARGET}?{urlencode({'net': title})}",
                "top1": "" if figure is None else f"{figure.top1:.1f} %",
                "source": "" if figure is None else f"ImageNet top-1: {figure.source}",
                "group": _group(report.macs, convention),
                "counts": [
                    [convention.compute_label, convention.show("macs", report.macs)],
                    ["Parameters", si(report.params)],
                ],
                "boxes": [[box.side, box.channels, round(box.macs / report.macs, 4)] for box in boxes(design)],
            }
        )
    return orjson.dumps(found)
