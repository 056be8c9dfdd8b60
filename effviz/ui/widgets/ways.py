"""Links from page to page that carry a network or limits."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from effviz.advice.budgets import DTYPES, QUANTITIES, Budget, format_amount
from effviz.core.resolution import Resolution, compact_size
from effviz.model.design import Design
from effviz.model.draft import MAX_LINK, Draft
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets.controls import network_title
from effviz.zoo import architecture

LIMIT_KEYS = {quantity: f"max_{quantity}" for quantity in QUANTITIES}
"""URL parameters of limits, by quantity."""

FORMAT = "format"
"""URL parameter of the number format of limits."""


def studio_link(design: Design) -> None:
    """Show a link that opens a network in the studio, unless the link would be too long."""
    packed = Draft.of(design).packed()
    if len(packed) <= MAX_LINK:
        st.page_link(
            page_path(page("studio")),
            label="Edit in the studio",
            query_params={"design": packed},
            icon=":material/table_edit:",
        )


def architectures_link(name: str, groups: int | None, width: float, depth: float, resolution: Resolution) -> None:
    """Show a link that opens a network of the zoo, with its multipliers, on the page of architectures."""
    rule = architecture(name).width_rule
    # A family with few widths has a switch for them.
    scale = {"scale": f"{width:g}"} if rule.multipliers else {"width": repr(width)}
    query = {"net": network_title(name)} | scale | {"depth": repr(depth), "res": compact_size(resolution)}
    st.page_link(
        page_path(page("architectures")),
        label="Open in Architectures",
        query_params=query | ({} if groups is None else {"groups": str(groups)}),
        icon=":material/account_tree:",
    )


def find_link(budgets: Iterable[Budget], dtype: str, label: str = "Find a network that fits") -> None:
    """Show a link that finds published networks within limits, at any width and resolution.

    The page has one number format for all sizes: that of the first limit on a size, or else `dtype`.
    """
    budgets = tuple(budgets)
    formats = [each.dtype or dtype for each in budgets if each.is_size]
    dtype = formats[0] if formats else dtype

    def amount(each: Budget) -> int | float:
        """Return a limit for the same number of elements."""
        return each.limit * DTYPES[dtype] // DTYPES[each.dtype or dtype] if each.is_size else each.limit

    limits = {LIMIT_KEYS[each.quantity]: format_amount(amount(each), each.quantity) for each in budgets}
    # The page itself starts with a limit.
    limits.setdefault(LIMIT_KEYS["macs"], "no limit")
    st.page_link(page_path(page("find")), label=label, query_params=limits | {FORMAT: dtype}, icon=":material/search:")
