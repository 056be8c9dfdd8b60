"""Other people's counters on the network of the page: equal, or every difference named."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd
import streamlit as st

from effviz.core.units import exact
from effviz.count.report import Report
from effviz.ui import links
from effviz.ui.widgets.jobs import again, ask, polled, progress_text

_QUANTITIES = {"params": "Parameters", "macs": "Multiply-adds"}


def counters(report: Report) -> None:
    """A section that runs thop and torch's FlopCounterMode in the torch process, while it is open."""
    box = links.section("Do other counters agree? thop and FlopCounterMode on the built module", "check")
    if box is None:
        return
    with box:
        answer = ask("crosscheck", {"design": report.design.to_json(), "resolution": report.resolution})

        def draw() -> bool:
            if answer.ticket is not None:
                st.html(f'<p class="status waiting">Counting: {html.escape(progress_text(answer.ticket))}</p>')
            return answer.ticket is not None and not answer.ticket.ended

        if answer.value is not None:
            _show(answer.value, report)
        elif answer.error:
            st.html(f'<p class="status" role="alert">The counters did not run. {html.escape(answer.error)}</p>')
            st.button("Try again", key="check_again", on_click=again, args=("crosscheck",))
        else:
            polled(True, draw)


def _show(found: dict[str, Any], report: Report) -> None:
    comparisons = found["comparisons"]
    equal = sum(each["agrees"] for each in comparisons)
    rest = len(comparisons) - equal
    named = f"the other {rest} differ by what is listed below" if rest else "none differs"
    left = sum(abs(each["remainder"]) for each in comparisons)
    st.markdown(
        f"{equal} of {len(comparisons)} counts equal effviz to the unit; {named}. Left unexplained: **{exact(left)}**."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Counter": [f"{each['tool']} {each['version']}" for each in comparisons],
                "Quantity": [_QUANTITIES[each["quantity"]] for each in comparisons],
                "It says": [each["total"] for each in comparisons],
                "effviz says": [each["effviz"] for each in comparisons],
                "Difference": [each["total"] - each["effviz"] for each in comparisons],
                "Explained": [sum(term["value"] for term in each["terms"]) for each in comparisons],
                "Left over": [each["remainder"] for each in comparisons],
                "Asked by": [each["call"] for each in comparisons],
            }
        ),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("It says", "effviz says", "Difference", "Explained", "Left over")
        },
        alt=f"{len(comparisons)} counts of {report.design.title} by other tools beside effviz",
    )
    terms = [(each, term) for each in comparisons for term in each["terms"]]
    if terms:
        st.markdown("What makes the difference:")
        st.dataframe(
            pd.DataFrame(
                {
                    "Counter": [each["tool"] for each, _ in terms],
                    "It counts too": [term["label"] for _, term in terms],
                    "How much": [term["formula"] for _, term in terms],
                    "Adds": [term["value"] for _, term in terms],
                }
            ),
            hide_index=True,
            column_config={
                "How much": st.column_config.TextColumn(width="large"),
                "Adds": st.column_config.NumberColumn(format="localized"),
            },
            alt=f"{len(terms)} terms that the other counters add",
        )
    notes = [f"Run on the built PyTorch module of {report.design.title} at {report.resolution} px, batch 1."]
    for each in comparisons:
        if each["not_counted"]:
            names = ", ".join(each["not_counted"])
            notes.append(f"{each['tool']} has no rule for {names} and counts 0, as effviz does by decision.")
    st.caption(" ".join(notes))
