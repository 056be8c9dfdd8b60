"""The studio's judgement: headline numbers beside their limits, and what the rules find."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import pandas as pd
import streamlit as st

import effviz
from effviz.advice import lint
from effviz.advice.budgets import PRESETS, QUANTITIES, Budget, Verdict, check, parse_amount
from effviz.advice.lint import RULES, Finding
from effviz.advice.lint.edits import moved
from effviz.core.errors import DesignError
from effviz.core.units import binary, exact, lower, milliseconds, percent, si
from effviz.count.report import Report
from effviz.model.draft import Draft
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.page_parts.studio import draft as studio
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.parts import Card, cards

NONE, OWN = "none", "own limits"
_COMPARED = "_studio_compared"
_EXAMPLES = {
    "params": "4M", "macs": "300M", "memory_access": "20M", "peak_activation": "320KiB", "weight_size": "1MB",
    "latency": "33ms",
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What the network must keep.

    Attributes:
        budgets: the limits.
        dtype: number format of sizes in bytes.
        source: where they are from; empty for the reader's own.
    """

    budgets: tuple[Budget, ...] = ()
    dtype: str = "float32"
    source: str = ""


def _limit_key(quantity: str) -> str:
    return f"max_{quantity}"


def _legal(quantity: str, text: str) -> bool:
    try:
        parse_amount(text, quantity)
    except DesignError:
        return False
    return True


def limits(convention: Convention) -> Limits:
    """The sidebar: a preset with its source, or limits of one's own."""
    names = [NONE, *PRESETS, OWN]
    chosen = links.choice(
        "Budget", names, "budget", default=NONE,
        format_func=lambda name: PRESETS[name].title if name in PRESETS else name,
    )  # fmt: skip
    dtype = "float32" if convention.unit == "elements" else convention.unit
    if chosen != OWN:
        links.idle(*map(_limit_key, QUANTITIES))
        preset = PRESETS.get(chosen)
        return Limits(preset.budgets, preset.dtype, preset.source) if preset else Limits(dtype=dtype)
    found = []
    left, right = st.columns(2)
    for place, (name, quantity) in enumerate(QUANTITIES.items()):
        with (left, right)[place % 2]:
            text = links.words(
                quantity.title, _limit_key(name), legal=partial(_legal, name),
                choices=f"an amount such as {_EXAMPLES[name]}", placeholder=_EXAMPLES[name],
            )  # fmt: skip
        if text.strip():
            try:
                found.append(Budget(name, parse_amount(text, name)))
            except DesignError as error:
                st.html(f'<p class="status" role="alert">{html.escape(str(error))}.</p>')
    return Limits(tuple(found), dtype)


def verdicts(report: Report, chosen: Limits, reading: Reading) -> dict[str, Verdict]:
    """What keeps its limit, by quantity."""
    known = None if reading.latency is None else reading.latency.median_ms
    return {each.budget.quantity: each for each in check(report, chosen.budgets, dtype=chosen.dtype, latency_ms=known)}


def amount(quantity: str, value: float, convention: Convention) -> str:
    """A value of a quantity as a reader sees it."""
    if quantity == "latency":
        return milliseconds(value)
    if quantity == "macs":
        return convention.show_compute(int(value))
    if quantity == "memory_access":
        return convention.show_size(int(value))
    return binary(value) if QUANTITIES[quantity].unit == "bytes" else si(value)


def _against(verdict: Verdict | None, convention: Convention, what: str = "") -> str:
    if verdict is None:
        return "no limit"
    if verdict.value is None:
        return f"limit {amount(verdict.budget.quantity, verdict.budget.limit, convention)}"
    mark = "\N{CHECK MARK}" if verdict.passed else "\N{MULTIPLICATION X}"
    share = share_text(verdict.value / verdict.budget.limit)
    return f"{mark} {what} {share}" if what else f"{mark} {share} of limit"


def share_text(share: float) -> str:
    """A share of a limit, never rounded to the other side of it: ``74.3 %``, ``100.3 %``, ``18 x``."""
    if share >= 10:
        return f"{share:,.0f} x"
    for text in (f"{100 * share:.3g}", *(f"{100 * share:.{digits}f}" for digits in range(1, 7))):
        if share in (0, 1) or ("e" not in text and (float(text) - 100) * (share - 1) > 0):
            return f"{text} %"
    return "just over 100 %" if share > 1 else "just under 100 %"


def headline(report: Report, judged: dict[str, Verdict], convention: Convention, reading: Reading) -> None:
    """What the network costs, each number beside its limit."""
    unit = ", elements" if convention.unit == "elements" else ""
    # The network with a fix has its own place, beside the fix.
    latency = live.card(replace(reading, others=()))
    if "latency" in judged and not latency.stale:
        latency = replace(latency, below=_against(judged["latency"], convention))
    size = judged.get("weight_size")
    cards(
        [
            Card(
                "Parameters", si(report.params),
                f"{exact(report.params)}. Trainable numbers; batch norm has two per channel.",
                _against(judged.get("params"), convention) if size is None or "params" in judged
                else _against(size, convention, "weights"),
            ),
            Card(
                convention.compute_label, convention.show_compute(report.macs),
                f"{exact(convention.compute(report.macs))}. Of convolution and linear layers, one image.",
                _against(judged.get("macs"), convention),
            ),
            Card(
                f"Memory access{unit}", convention.show_size(report.memory_access),
                f"{exact(convention.size(report.memory_access))} {convention.memory_unit}. Read + written, batch 1, "
                f"assumption: {MEMORIES[convention.memory].lower()}.",
                _against(judged.get("memory_access"), convention),
            ),
            Card(
                f"Peak activations{unit}", convention.show_size(report.peak_activation),
                f"{exact(convention.size(report.peak_activation))} {convention.memory_unit}. Most activation memory "
                "alive at once, batch norm folded and activations fused.",
                _against(judged.get("peak_activation"), convention),
            ),
            latency,
        ]
    )  # fmt: skip


def budget_table(judged: dict[str, Verdict], chosen: Limits, whole: bool, convention: Convention) -> None:
    """Every limit with its margin, and where it is from."""
    st.subheader(_told(judged, whole), anchor=False)
    if not judged:
        st.markdown("Choose a budget in the sidebar: a preset with its source, or limits of your own.")
        return
    rows = [
        {
            "Quantity": convention.compute_label if name == "macs" else QUANTITIES[name].title,
            "Here": "not measured" if each.value is None else amount(name, each.value, convention),
            "Limit": amount(name, each.budget.limit, convention),
            "Margin (%)": None if each.margin is None else 100 * each.margin,
            "Verdict": {None: "not measured", True: "fits", False: "over"}[each.passed],
        }
        for name, each in judged.items()
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height=35 * (len(rows) + 1) + 3,
        column_config={"Margin (%)": st.column_config.NumberColumn(format="%+.1f")},
        alt=f"{len(rows)} limits with the value here and the margin",
    )  # fmt: skip
    source = f" Source: {chosen.source}" if chosen.source else ""
    st.caption(
        f"Margin = 1 - value / limit. Sizes in bytes: {chosen.dtype}. Latency: the median measured here.{source}"
    )


def _told(judged: dict[str, Verdict], whole: bool) -> str:
    over = [QUANTITIES[name].title.lower() for name, each in judged.items() if each.passed is False]
    open_ = [name for name, each in judged.items() if each.passed is None]
    so_far = "" if whole else " What stands above the fault is judged."
    if not judged:
        return "No budget yet"
    if over:
        return f"Over budget: {', '.join(over)}.{so_far}"
    if open_:
        return f"Fits, as far as counted; latency is not measured.{so_far}"
    return f"Fits the budget.{so_far}"


# --- findings ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def findings(design: effviz.Design) -> tuple[Finding, ...]:
    """What the rules find in a design."""
    return lint.lint(design)


def compared(design: effviz.Design) -> list[effviz.Design]:
    """The network with the fix whose gain is measured, if one is; the question ends with any change."""
    asked = st.session_state.get(_COMPARED)
    return [each.fix.design for each in findings(design) if each.fix is not None and asked == (design, each.fix.design)]


def finding_list(report: Report, whole: bool, conditions: Conditions, reading: Reading, convention: Convention) -> None:
    """Each finding: where, why, what a fix would change, and buttons to apply it or to measure its gain."""
    found = findings(report.design)
    count = {0: "Nothing to remark", 1: "1 remark"}.get(len(found), f"{len(found)} remarks")
    st.subheader(f"{count} by {len(RULES)} rules" + ("" if whole else ", above the fault"), anchor=False)
    for place, each in enumerate(found):
        with st.container(border=True):
            _finding(each, place, report, whole, conditions, reading, convention)
    with st.expander("The rules and their sources", key="rules"):
        for rule in RULES.values():
            st.html(
                f'<p class="finding"><strong>{html.escape(rule.title)}.</strong> {html.escape(rule.guideline)} '
                f"Source: {html.escape(rule.source)}.</p>"
            )


def _finding(
    each: Finding, place: int, report: Report, whole: bool, conditions: Conditions, reading: Reading,
    convention: Convention,
) -> None:  # fmt: skip
    # Names of stages are what somebody wrote: text, never Markdown.
    st.html(
        f'<p class="finding"><strong>{html.escape(RULES[each.rule].title)}</strong>, {html.escape(each.where)}. '
        f"{html.escape(each.why)}</p>"
    )
    if each.fix is None:
        return
    st.html(f'<p class="finding">{html.escape(each.fix.label)}. {_saved(each, report, convention)}</p>')
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Apply", key=f"apply_{place}", on_click=_apply, args=(each, report.design), disabled=not whole,
            help=None if whole else "Mend the row at fault first.",
        )  # fmt: skip
        measured = st.session_state.get(_COMPARED) == (report.design, each.fix.design)
        st.button("Measure the gain", key=f"gain_{place}", on_click=_measure, args=(each, report.design, conditions))
        if measured and reading.latency is not None and reading.reference is not None:
            now, then = reading.latency, reading.reference
            told = f"{milliseconds(now.median_ms)} now, {milliseconds(then.median_ms)} with the fix"
            change = _change(then.median_ms, now.median_ms)
            if now.noisy or then.noisy:
                change = "too noisy to say which is faster: measure again"
            st.html(f'<p class="finding">Measured: {told}, {change}.</p>')


def _saved(each: Finding, report: Report, convention: Convention) -> str:
    """What a fix saves; its label says what it raises."""
    change = lint.gain(each, report)
    rows = (
        ("parameters", change.params, report.params),
        (lower(convention.compute_label), change.macs, report.macs),
        ("memory access", change.memory_access, report.memory_access),
        ("peak activation memory", change.peak_activation, report.peak_activation),
    )
    told = [f"{percent(-by / before)} of the {name}" for name, by, before in rows if by < 0]
    return f"Saves {', '.join(told)}." if told else "Saves nothing that is counted."


def _change(then: float, now: float) -> str:
    share = then / now - 1 if now else 0.0
    return f"{100 * share:+.1f} %".replace("-", "\N{MINUS SIGN}")


def _apply(each: Finding, before: effviz.Design) -> None:
    if each.fix is not None:
        design = each.fix.design
        studio.edit(lambda _: Draft.of(design))
        row = moved(each.row, before, design)
        if row is not None:
            studio.select(row)


def _measure(each: Finding, design: effviz.Design, conditions: Conditions) -> None:
    if each.fix is not None:
        st.session_state[_COMPARED] = (design, each.fix.design)
        live.ask(design, conditions)


def keys() -> Sequence[str]:
    """Settings of this part, for links that hold them while they are not shown."""
    return ("budget", *map(_limit_key, QUANTITIES))
