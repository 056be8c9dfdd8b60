"""Other counters: the numbers that they print for a network, explained from their rules, and a run of two of them."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from effviz.advice.budgets import QUANTITIES
from effviz.charts.counters import Addend, counted_chart, signed
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.resolution import in_pixels
from effviz.core.units import change, exact
from effviz.count.reconcile import Explanation, reconcile
from effviz.count.report import Report
from effviz.ui import inputs, runs
from effviz.ui.convention import Convention
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.jobs import again, ask, live_part, polled
from effviz.ui.widgets.tables import Column, Pick, Table, show_table, unpick

CONTROLS = ("counter", "check")
"""Keys of the settings."""


class Line(NamedTuple):
    """One row of the table: a counter, or one of the numbers of a counter that prints several."""

    name: str
    compute: Explanation | None
    params: Explanation | None

    @property
    def main(self) -> Explanation:
        """The number that the chart explains."""
        found = self.compute or self.params
        assert found is not None
        return found


def _printed(each: Explanation | None) -> str:
    if each is None:
        return "not printed"
    return each.text if each.text.startswith(each.printed.name) else f"{each.printed.name} {each.text}"


def _difference(each: Explanation | None) -> str | None:
    return None if each is None else signed(each.total - each.ours) if each.total != each.ours else "0"


def _relative(each: Explanation | None) -> str | None:
    return None if each is None else change(each.total, each.ours) if each.total != each.ours else "equal"


NUMBERS = (
    Column("Counter", "name"),
    Column("Operations as printed", lambda each: _printed(each.compute), width=270),
    Column("Difference", lambda each: _difference(each.compute), width="small"),
    Column("Relative", lambda each: _relative(each.compute), width="small"),
    Column("Parameters as printed", lambda each: _printed(each.params), width=180),
    Column("Their difference", lambda each: _difference(each.params), width="small"),
)


@remembered
def lines(report: Report, per_product: int) -> tuple[Line, ...]:
    """Group the numbers by counter.

    Args:
        report: of the network.
        per_product: operations per multiply-add in the numbers of effviz.
    """
    found: dict[str, dict[str, list[Explanation]]] = {}
    for each in reconcile(report, per_product):
        found.setdefault(each.counter.name, {"macs": [], "params": []})[each.printed.quantity].append(each)
    rows = []
    for name, numbers in found.items():
        params = next(iter(numbers["params"]), None)
        several = len(numbers["macs"]) > 1
        rows += [Line(f"{name} {each.printed.name}" if several else name, each, params) for each in numbers["macs"]]
        rows += [] if numbers["macs"] else [Line(name, None, params)]
    return tuple(rows)


def other_counters(report: Report, convention: Convention) -> None:
    """Show what every counter prints, the terms of the chosen one, and a run of thop and FlopCounterMode."""
    found = lines(report, convention.compute(1))
    names = [line.name for line in found]
    title = report.design.title or report.design.name
    help = "Selecting a row of the table has the same effect."
    name = inputs.choice("Counter", names, "counter", default=names[0], on_change=unpick("counter"), help=help)
    pick = Pick("counter", tuple(names), (report.design.name, report.resolution, convention.count))
    alt = f"{len(names)} numbers that other counters print for {title}, next to effviz"
    show_table(Table(found, NUMBERS, alt), key="numbers", height=400, pick=pick)
    _chosen(found[names.index(name)], convention)
    if inputs.flag("Run thop and FlopCounterMode", "check", help="In the torch process, on the built module."):
        live_part("crosscheck", partial(_crosscheck, report))


def _chosen(line: Line, convention: Convention) -> None:
    """Show the terms of one counter, its rule and its source."""
    main = line.main
    label = convention.compute_label if main.printed.quantity == "macs" else QUANTITIES["params"].title
    show_chart(_chart(main, line.name, label, look()), "terms")
    # One message: a move sends it.
    st.markdown(terms_text(line, label))


def terms_text(line: Line, label: str) -> str:
    """Write the terms, the rule and the source of a counter in Markdown."""
    main, counter = line.main, line.main.counter
    rows = [(f"{label} of effviz", exact(main.ours), "")]
    rows += [(term.label, signed(term.value), term.formula) for term in main.terms]
    rows += [("not counted", "0", f"operations of {', '.join(main.uncounted)}")] if main.uncounted else []
    rows.append((f"**{line.name}**", f"**{exact(main.total)}**", f"printed as {main.text}"))
    table = "\n".join(f"| {' | '.join(row)} |" for row in [("Term", "Amount", "Formula"), (":--", "--:", ":--"), *rows])
    source = (
        f"{counter.name} {counter.version}, `{main.printed.call}`. Rules from [{counter.source}]({counter.link}), for "
        "the module that effviz builds. Other code of the same network may pool or merge with functions, which some "
        "counters do not see."
    )
    return f"{table}\n\n{counter.rule}\n\n:small[{source}]"


@remembered
def _chart(each: Explanation, name: str, label: str, look: Appearance) -> Chart:
    terms = [Addend(term.label, term.value, term.formula) for term in each.terms]
    return counted_chart((f"effviz: {label}", each.ours), terms, name, label, look)


# --- the run ---------------------------------------------------------------------------------------------------------

COUNTS = (
    Column("Counter", lambda each: f"{each['tool']} {each['version']}"),
    Column("Quantity", lambda each: QUANTITIES[each["quantity"]].title),
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
    notice(" ".join(notes))
