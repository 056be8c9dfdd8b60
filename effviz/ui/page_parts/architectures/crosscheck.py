"""Cross-check against thop and FlopCounterMode, with each difference itemized."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from effviz.core.resolution import in_pixels
from effviz.core.units import exact
from effviz.count.report import Report
from effviz.ui import runs
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.jobs import again, ask, live_part, polled
from effviz.ui.widgets.tables import Column, Table, show_table

_QUANTITIES = {"params": "Parameters", "macs": "Multiply-adds"}
COUNTS = (
    Column("Counter", lambda each: f"{each['tool']} {each['version']}"),
    Column("Quantity", lambda each: _QUANTITIES[each["quantity"]]),
    Column("Counter's result", lambda each: each["total"]),
    Column("effviz", lambda each: each["effviz"]),
    Column("Difference", lambda each: each["total"] - each["effviz"]),
    Column("Explained", lambda each: sum(term["value"] for term in each["terms"])),
    Column("Unexplained", lambda each: each["remainder"]),
    Column("Call", lambda each: each["call"]),
)
TERMS = (
    Column("Counter", lambda each: each["tool"]),
    Column("Additional count", lambda each: each["label"]),
    Column("Formula", lambda each: each["formula"], width="large"),
    Column("Amount", lambda each: each["value"]),
)


def crosscheck(report: Report) -> None:
    """Run thop and torch's FlopCounterMode on the built module in the torch process, and compare their counts."""
    live_part("crosscheck", partial(_crosscheck, report))


def _crosscheck(report: Report) -> None:
    payload = {"design": report.design.to_json(), "resolution": report.resolution}
    answer = ask("crosscheck", payload, settled=True)
    if answer.value is not None:
        _show(answer.value["comparisons"], report)

    def progress() -> bool:
        now = ask("crosscheck", payload, settled=True) if runs.is_poll() else answer
        if now.error:
            notice(f"The counters did not run. {now.error}", alert=True)
            st.button("Try again", key="check_again", on_click=again, args=("crosscheck",))
        elif now.pending:
            notice(f"Counting: {now.progress}", "status waiting")
        return now.pending

    polled(answer.pending, progress, "crosscheck")


def _show(found: list[dict[str, Any]], report: Report) -> None:
    title = report.design.title
    equal = sum(each["agrees"] for each in found)
    rest = len(found) - equal
    others = f"the other {rest} differ by the terms below" if rest else "none differs"
    left = sum(abs(each["remainder"]) for each in found)
    st.markdown(f"{equal} of {len(found)} counts equal effviz exactly; {others}. Unexplained: **{exact(left)}**.")
    show_table(Table(found, COUNTS, f"{len(found)} counts of {title} by other tools next to effviz"))
    terms = [{"tool": each["tool"]} | term for each in found for term in each["terms"]]
    if terms:
        st.markdown("Terms of the differences:")
        show_table(Table(terms, TERMS, f"{len(terms)} terms that the other counters add"))
    notes = [f"Run on the built PyTorch module of {title} at {in_pixels(report.resolution)}, batch 1."]
    for each in found:
        if each["not_counted"]:
            names = ", ".join(each["not_counted"])
            notes.append(f"{each['tool']} counts 0 for {names}, as effviz does by definition.")
    st.caption(" ".join(notes))
