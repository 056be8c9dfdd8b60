"""The search: its start and progress, the Pareto front, and one of its networks."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

import streamlit as st

from effviz.charts.search import Dot, front_chart
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import lower, si
from effviz.studies.search.run import SAMPLERS, StudyNetwork, StudyResult
from effviz.studies.search.space import BASE, CHOICES
from effviz.studies.search.summary import searched
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.search.controls import USUAL_BUDGET, Choice
from effviz.ui.page_parts.search.place import EXAMPLE, evict, finished, storage
from effviz.ui.page_parts.search.ranking import ranking_table
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.downloads import csv_file, downloads, file_name
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table
from effviz.ui.widgets.ways import studio_link

MEMBER = "member"
_OF_EXAMPLE = "example"
_STARTED = "_search_started"
_CAPTION = (
    "Accuracy is not predicted. Entropy is a measure of capacity (DeepMAD, arXiv 2303.02165), from layer shapes.\n"
    "It grows with depth, width and kernel size, and squeeze-and-excitation does not change it. Networks beyond the "
    "budget are never on the front. Every network of the front is counted again."
)


def search_part(choice: Choice, convention: Convention) -> None:
    """Show the front of a search: of the example until the visitor starts one."""
    task = choice.task
    name, budget, arguments = "Search", choice.budget, (task, storage(task))
    if finished(task) is None and st.session_state.get(_STARTED) != arguments:
        notice(
            f"Finished example: {SAMPLERS[EXAMPLE.sampler]} looked for networks with few "
            f"{lower(convention.compute_label)} and high entropy, within {convention.show_compute(USUAL_BUDGET)}. "
            "No network is trained."
        )
        st.button(
            f"Search {task.trials} networks", key="start_search", type="primary", on_click=_start, args=(arguments,)
        )
        name, budget, arguments = "Example search", USUAL_BUDGET, (EXAMPLE, "")
    # A link to a network of a search keeps it until the search has ended.
    key, other = (_OF_EXAMPLE, MEMBER) if name == "Example search" else (MEMBER, _OF_EXAMPLE)
    links.idle(other)
    found = calculated(name, searched, *arguments, long=True)
    if found is None:
        links.idle(key)
        return
    if not found.front:
        links.idle(key)
        notice(f"None of {found.finished} networks is within the budget of {convention.show_compute(budget)}.")
        return
    members = {str(each.number): each for each in found.front}
    largest = list(members)[-1]
    chart = st.container()
    number = inputs.following(
        "Network of the front", list(members), key, default=largest,
        format_func=lambda name: _label(members[name], convention),
    )  # fmt: skip
    with chart:
        drawn = _chart(found, int(number), budget, convention.count, look())
        show_chart(drawn, "front", note=_CAPTION, on_click=lambda mark: _select(mark, members, key))
    _network(members[number], convention)


def _start(arguments: object) -> None:
    evict()
    st.session_state[_STARTED] = arguments


def _select(mark: Click, members: dict[str, StudyNetwork], key: str) -> None:
    if str(mark.detail) in members:
        st.session_state[key] = str(mark.detail)


def _label(found: StudyNetwork, convention: Convention) -> str:
    return f"{found.number}: {convention.show_compute(found.report.macs)}, entropy {found.entropy:.0f}"


@remembered
def _chart(found: StudyResult, chosen: int, budget: int, count: str, look: Appearance) -> Chart:
    factor = Convention(count).compute(1)
    members = {each.number for each in found.front}
    dots = [Dot(each.number, each.values[0] * factor, each.values[-1]) for each in found.evaluated]
    front = sorted((each for each in dots if each.number in members), key=lambda each: each.amount)
    others = [each for each in dots if each.number not in members]
    return front_chart(front, others, chosen, budget * factor, Convention(count).compute_label, look)


def _network(found: StudyNetwork, convention: Convention) -> None:
    """Show the choices and the counts of one network, and open it in the Studio."""
    stages = [(f"stage{place}", *option) for place, option in enumerate(found.options, start=1)]
    titles = ("Stage", *CHOICES.values())
    columns = [Column(title, itemgetter(place), "") for place, title in enumerate(titles)]
    show_table(Table(stages, columns, f"Choices of network {found.number} in every stage"), key="stages_of_member")
    report = found.report
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.caption(
            f"Network {found.number}: {convention.show_compute(report.macs)} {convention.compute_label}, "
            f"{si(report.params)} parameters, peak {convention.show_size(report.peak_activation)}."
        )
        studio_link(found.design)


def front_table(found: StudyResult, convention: Convention) -> Table:
    """Return the networks of the front."""
    columns = [
        Column("Network", "number"),
        *count_columns(convention, row="report"),
        Column("Entropy", "entropy", "%.1f"),
        *(
            Column(f"Stage {stage + 1}: {title}", _choice(stage, name))
            for stage in range(len(BASE)) for name, title in CHOICES.items()
        ),
    ]  # fmt: skip
    return Table(found.front, columns, f"{len(found.front)} networks of the front")


def _choice(stage: int, name: str) -> Callable[[StudyNetwork], float]:
    return lambda found: float(getattr(found.options[stage], name))


def files(choice: Choice, convention: Convention) -> None:
    """Show the downloads: the ranking, and the front of a search that has ended."""
    target = f"T = {choice.by.target_ms:g} ms, alpha = {choice.by.alpha:g}, beta = {choice.by.beta:g}"
    made = [csv_file("Ranking", ranking_table(choice.ranking), "effviz-objective", f"{choice.where}, {target}")]
    if found := finished(choice.task):
        name = file_name("effviz-search", choice.task.study)
        made.append(csv_file("Front", front_table(found, convention), name, convention.text))
    downloads(*made)
