"""The parts of the home page: the ways in, and every network's totals."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import streamlit as st

import effviz
from effviz.advice.budgets import PRESETS
from effviz.core.units import exact
from effviz.ui.convention import Convention
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.zoo import ARCHITECTURES

WAYS = (
    (
        "Browse",
        "What does a network cost, and where? Move one control and see which number follows.",
        "architectures",
        "MobileNetV2 at half width",
        {"net": "MobileNetV2", "width": "0.5"},
    ),
    (
        "Teach",
        "One link puts a whole class on the same screen. What does a step of phi promise, and what is built of it?",
        "scaling",
        "EfficientNet-B0 at phi = 2",
        {"phi": "2"},
    ),
    (
        "Sanity-check",
        "Does it fit, what is wrong with it, and what is the code? A stage table to edit, with limits and rules.",
        "studio",
        "MobileNetV2 against 300 M multiply-adds",
        {"budget": PRESETS["mobile_300m"].title},
    ),
)


@lru_cache(maxsize=8)
def totals(memory: str) -> pd.DataFrame:
    """Totals of every network at its own resolution."""
    rows = []
    for name in ARCHITECTURES:
        report = effviz.analyze(effviz.architecture(name), memory=memory)
        rows.append(
            {
                "title": report.design.title,
                "family": report.design.family,
                "resolution": report.resolution,
                "params": report.params,
                "macs": report.macs,
                "memory_access": report.memory_access,
                "peak_activation": report.peak_activation,
                "source": report.design.source,
            }
        )
    return pd.DataFrame(rows)


def three_ways() -> None:
    """Three cards, each with a link into a page that is set up for it."""
    for column, (title, text, target, link, query) in zip(st.columns(3), WAYS, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.markdown(text)
            st.page_link(page_path(page(target)), label=link, query_params=query, icon=":material/arrow_forward:")


def show_table(table: pd.DataFrame, convention: Convention) -> None:
    """The table behind the map."""
    unit = convention.memory_unit
    shown = pd.DataFrame(
        {
            "Network": table["title"],
            "Resolution (px)": table["resolution"],
            "Parameters": table["params"],
            convention.compute_label: table["macs"] * convention.compute(1),
            f"Memory access ({unit})": table["memory_access"] * convention.size(1),
            f"Peak activations ({unit})": table["peak_activation"] * convention.size(1),
            "Source": table["source"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=320,
        column_config={
            column: st.column_config.NumberColumn(format="localized")
            for column in shown.columns
            if column not in ("Network", "Source", "Resolution (px)")
        },
        alt=f"{len(table)} networks with their exact totals",
    )
    st.caption(f"{exact(len(table))} networks at their own resolution. {convention.text}")
