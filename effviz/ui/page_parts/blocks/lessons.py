"""Lessons of the Building blocks page: linear bottlenecks, feature reuse, cost of squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

import effviz
from effviz.charts.blocks.excite import excite_chart
from effviz.charts.blocks.manifold import loss_chart, manifold_pictures
from effviz.charts.blocks.reuse import reuse_heatmap
from effviz.charts.motion import Motion
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import lower, percent
from effviz.count.report import Report
from effviz.model.outline import by_stage, stage_of
from effviz.studies.excite import Excitation, excite
from effviz.studies.manifold import DIMENSIONS, MAX_DIMENSIONS, embed, loss_curve
from effviz.studies.reuse import FeatureReads, Reuse, reading, reuse
from effviz.ui import inputs, links, playing
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.exercise import Exercise, exercise
from effviz.ui.widgets.formula import formula
from effviz.ui.widgets.frame import convention, look
from effviz.ui.widgets.glossary import caption_explained
from effviz.ui.widgets.motion import show_motion
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_SHOWN = (2, 3, 5, 15, 30)
_SEEDS = 20
_RELU = {"on": "relu", "off": "none"}
# DenseNet's authors print this picture; ShuffleNetV2 claims a similar one; ResNet adds features instead.
_LOST = r"1 - R^2 \quad \text{of the best linear map back to the spiral}"
_NETWORKS = ("shufflenet_v2", "densenet121", "condensenet", "resnet18", "resnet50", "mobilenet_v2", "ghostnet")
_EXCITE_COLUMNS = (
    Column("Reduction", "reduction", "%.3g"),
    Column("Channels", "channels"),
    Column("Squeezed channels", "squeezed"),
    Column("Parameters added", "params_added"),
    Column("Share of the block (%)", lambda each: 100 * each.share, "%.1f"),
    Column("Multiply-adds added", "macs_added"),
)


def why_linear() -> None:
    """Show the experiment of MobileNetV2's figure 1, computed live: ReLU on a few channels."""
    links.idle("linear")  # in older links
    with st.container(horizontal=True):
        dimensions = inputs.integer(
            "Channels n", "n", default=5, minimum=2, maximum=MAX_DIMENSIONS, help="Of the embedding."
        )
        seed = inputs.integer("Seed", "seed", default=0, minimum=0, maximum=9999, help="Of the random matrix.")
        relu = _RELU[inputs.switch("ReLU", list(_RELU), "relu", default="on")]
    spirals, losses, here, twice = _linear(dimensions, seed, relu, look())
    show_chart(spirals, "spirals")
    show_chart(losses, "lost")
    st.markdown(
        "A random matrix $T$ embeds a 2-D spiral in $n$ channels. ReLU is applied, and the pseudo-inverse of $T$ maps "
        "back. With few channels ReLU folds the spiral onto itself. With many, some channel stays linear "
        "for every point. An inverted residual therefore expands first, and its narrow end has no "
        "activation (MobileNetV2, arXiv 1801.04381, section 3.2 and figure 1)."
    )
    formula(
        "Lost", _LOST, "", percent(here), f"for $n = {dimensions}$ and seed {seed}",
    )  # fmt: skip
    exercise(
        Exercise(
            "lost",
            f"With {2 * dimensions} channels instead of {dimensions} and the same seed: what percentage is lost?",
            "%",
            100 * twice,
            "Each further channel is another half-plane in which the map stays linear.",
            "{:.2g} %",
        )
    )


@remembered
def _linear(dimensions: int, seed: int, relu: str, look: Appearance) -> tuple[Chart, Chart, float, float]:
    """Draw the spirals and the curve of the loss; return the loss here and with twice the channels, too."""
    pictures = {size: embed(size, seed, relu) for size in sorted({*_SHOWN, dimensions})}
    curve = loss_curve(sorted({*DIMENSIONS, dimensions}), _SEEDS, relu)
    twice = embed(min(2 * dimensions, MAX_DIMENSIONS), seed, relu)
    return (
        manifold_pictures(list(pictures.values()), look),
        loss_chart(curve, look, dimensions, relu),
        pictures[dimensions].lost,
        twice.lost,
    )


def feature_reuse() -> None:
    """Show which channels reach later blocks unchanged."""
    links.idle("reuse")  # in older links
    with st.container(horizontal=True):
        name = inputs.choice(
            "Network", list(_NETWORKS), "reuse_net", default="shufflenet_v2",
            format_func=lambda name: effviz.architecture(name).title,
        )  # fmt: skip
        stages = _stages(name)
        if st.session_state.get("reuse_stage") not in (None, *stages):
            st.session_state["reuse_stage"] = stages[0]
        stage = inputs.choice("Stage", stages, "reuse_stage", default=stages[0])
    found, chart = _reuse(name, stage, look())
    note = (
        "Row: the block that makes the channels. Column: a later block.\nCounted by following every channel of "
        f"{effviz.architecture(name).title} through slices, concatenations, shuffles and sums. Between blocks i and j "
        "of ShuffleNetV2, c / 2^(j − i) channels are connected directly (arXiv 1807.11164, section 3.2)."
    )
    show_chart(chart, "reuse_chart", note=note)
    _dense_networks()
    exercise(
        Exercise(
            "reused",
            f"What percentage of the channels of {found.labels[0]} is unchanged after {found.labels[-1]}?",
            "%",
            100 * found.direct_shares[0][-1],
            "Added channels are part of a sum and no longer unchanged."
            if found.added_shares[0][-1]
            else "Each block passes on a part.",
            "{:.3g} %",
        )
    )


def _dense_networks() -> None:
    """Compare the cost of reading all earlier channels in DenseNet and CondenseNet."""
    shown, found = convention(), _readings()
    dense, condensed = found
    every = round(condensed.first_macs / condensed.share)
    st.markdown(
        f"Both networks keep every channel of a stage. A filter of the 1×1 convolutions reads {percent(dense.share)} "
        f"of them in {dense.title} and {percent(condensed.share)} in {condensed.title}. There each group learns which "
        "channels it needs (arXiv 1711.09224, section 3.1). If every filter read all channels, these "
        f"convolutions of {condensed.title} would take {shown.show('macs', every)} "
        f"{lower(shown.compute_label)} instead of {shown.show('macs', condensed.first_macs)}."
    )
    columns = [
        Column("Network", "title"),
        Column("Inputs per filter (%)", lambda each: 100 * each.share, "%.3g",
               help="Channels of the block's input that one filter of its first convolution reads."),
        Column(f"{shown.compute_label} of these convolutions", lambda each: shown.value("macs", each.first_macs)),
        *count_columns(shown, ("macs", "params")),
    ]  # fmt: skip
    show_table(Table(found, columns, f"Channels that one filter reads in {dense.title} and {condensed.title}"))


@remembered
def _readings() -> tuple[FeatureReads, FeatureReads]:
    """Return the readings of DenseNet-121 and CondenseNet-74."""
    return reading(effviz.architecture("densenet121")), reading(effviz.architecture("condensenet"))


@remembered
def _stages(name: str) -> list[str]:
    """Return the stages of a network that have several blocks."""
    groups = by_stage(effviz.architecture(name).blocks())
    return [stage_of(group[0].path) for group in groups if len(group) > 1]


@remembered
def _reuse(name: str, stage: str, look: Appearance) -> tuple[Reuse, Chart]:
    found = reuse(effviz.architecture(name), stage)
    return found, reuse_heatmap(found, look)


def excitation_cost(report: Report) -> None:
    """Show the parameters that squeeze-and-excitation adds to the block on screen."""
    links.idle("se")  # in older links
    found, chart = _excitation(report, look())
    show_chart(chart, "excite_chart")
    alt = f"Cost of squeeze-and-excitation at {len(found)} reduction ratios"
    show_table(Table(found, _EXCITE_COLUMNS, alt))
    caption_explained(
        "Counted with and without it. The paper's formula for the weights is $2 C^2 / r$ with the [[reduction ratio]] "
        "$r$ (arXiv 1709.01507, equation 5); biases and rounding are added.",
        "excite",
    )


@remembered
def _excitation(report: Report, look: Appearance) -> tuple[list[Excitation], Chart]:
    found = excite(report.blocks[0].block, report.blocks[0].shape)
    return found, excite_chart(found, look)


def in_motion(motions: Mapping[str, Callable[[], Motion]]) -> None:
    """Show the animation of the block, or the chosen one of several; nothing for a block without one."""
    titles = list(motions)
    if playing.conceals("motion_view"):
        links.idle("motion")
        return
    if len(titles) < 2:
        links.idle("motion")
        for motion in motions.values():
            show_motion(motion(), "motion_view")
        return
    if st.session_state.get("motion") not in (None, *titles):
        st.session_state["motion"] = titles[0]
    chosen = inputs.switch("Animation", titles, "motion", default=titles[0], label_visibility="collapsed")
    show_motion(motions[chosen](), "motion_view")
