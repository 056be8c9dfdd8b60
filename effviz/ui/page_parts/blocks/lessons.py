"""Lessons of the Building blocks page: why linear bottlenecks, feature reuse, what squeeze-and-excitation costs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.blocks.excite import excite_chart
from effviz.charts.blocks.manifold import loss_chart, manifold_pictures
from effviz.charts.blocks.reuse import reuse_heatmap
from effviz.core.units import percent
from effviz.count.report import Report
from effviz.model.outline import by_stage, stage_of
from effviz.studies.excite import can_excite, excite
from effviz.studies.manifold import DIMENSIONS, MAX_DIMENSIONS, embed, loss_curve
from effviz.studies.reuse import reuse
from effviz.ui import links
from effviz.ui.widgets import parts

_SHOWN = (2, 3, 5, 15, 30)
_SEEDS = 20
_RELU = {"on": "relu", "off": "none"}
# The authors of DenseNet print this picture; ShuffleNetV2 claims its likeness; ResNet adds instead.
_NETWORKS = ("shufflenet_v2", "densenet121", "resnet18", "resnet50", "mobilenet_v2", "ghostnet")


def why_linear() -> None:
    """The experiment of MobileNetV2's figure 1, live."""
    box = links.section("Why linear? What ReLU does to a few channels", "linear", ("n", "seed", "relu"))
    if box is None:
        return
    with box:
        left, middle, right = st.columns(3)
        with left:
            dimensions = links.integer("Channels n of the embedding", "n", default=5, minimum=2, maximum=MAX_DIMENSIONS)
        with middle:
            seed = links.integer("Seed of the random matrix", "seed", default=0, minimum=0, maximum=9999)
        with right:
            relu = _RELU[links.switch("ReLU", list(_RELU), "relu", default="on")]
        look = parts.look()
        pictures = [embed(size, seed, relu) for size in sorted({*_SHOWN, dimensions})]
        parts.show_chart(manifold_pictures(pictures, look), "spirals")
        curve = loss_curve(sorted({*DIMENSIONS, dimensions}), _SEEDS, relu)
        parts.show_chart(loss_chart(curve, look, dimensions, relu), "lost")
        here = next(each for each in pictures if each.dimensions == dimensions)
        st.markdown(
            "A 2-D spiral is embedded by a random matrix T into n channels, ReLU acts, and the pseudo-inverse of T "
            "leads back. With few channels ReLU folds the spiral onto itself; with many, some channel stays linear "
            "for every point. That is why an inverted residual expands first, and why its narrow end has no "
            "activation (MobileNetV2, arXiv 1801.04381, section 3.2 and figure 1)."
        )
        st.markdown(
            "**Lost** = 1 − R² of the best linear map from the channels back to the spiral  \n"
            f"= **{percent(here.lost)}** with n = {dimensions}, seed {seed}"
        )
        parts.exercise(
            "lost",
            f"With {2 * dimensions} channels instead of {dimensions}, same seed: what per cent is lost?",
            "%",
            100 * embed(min(2 * dimensions, MAX_DIMENSIONS), seed, relu).lost,
            "Each further channel is another half-plane in which the map stays linear.",
            show=lambda value: f"{value:.2g} %",
        )


def feature_reuse() -> None:
    """Which channels reach later blocks unchanged."""
    box = links.section("Feature reuse: which channels reach later blocks", "reuse", ("reuse_net", "reuse_stage"))
    if box is None:
        return
    with box:
        left, right = st.columns(2)
        with left:
            name = links.choice(
                "Network", list(_NETWORKS), "reuse_net", default="shufflenet_v2",
                format_func=lambda name: effviz.architecture(name).title,
            )  # fmt: skip
        design = effviz.architecture(name)
        stages = [stage_of(group[0].path) for group in by_stage(design.blocks()) if len(group) > 1]
        if st.session_state.get("reuse_stage") not in (None, *stages):
            st.session_state["reuse_stage"] = stages[0]
        with right:
            stage = links.choice("Stage", stages, "reuse_stage", default=stages[0])
        found = reuse(design, stage)
        parts.show_chart(reuse_heatmap(found, parts.look()), "reuse_chart")
        st.caption(
            f"Row: the block that makes the channels; column: a later block. Counted by following every channel of "
            f"{design.title} through slices, concatenations, shuffles and sums. Between blocks i and j of "
            "ShuffleNetV2, c / 2^(j − i) channels are connected directly (arXiv 1807.11164, section 3.2)."
        )
        first, last = found.direct_shares[0], found.added_shares[0]
        parts.exercise(
            "reused",
            f"What per cent of the channels of {found.labels[0]} are found behind {found.labels[-1]}, unchanged?",
            "%",
            100 * first[-1],
            "Added, they are part of a sum and no longer themselves." if last[-1] else "Each block hands on a part.",
            show=lambda value: f"{value:.3g} %",
        )


def what_se_does(report: Report) -> None:
    """Parameters that squeeze-and-excitation adds to the block on screen."""
    block, shape = report.blocks[0].block, report.blocks[0].shape
    if not can_excite(block):
        return
    box = links.section("What does squeeze-and-excitation cost?", "se")
    if box is None:
        return
    with box:
        found = excite(block, shape)
        parts.show_chart(excite_chart(found, parts.look()), "excite_chart")
        st.dataframe(
            pd.DataFrame(
                {
                    "Reduction": [each.reduction for each in found],
                    "Channels": [each.channels for each in found],
                    "Squeezed to": [each.squeezed for each in found],
                    "Parameters added": [each.params_added for each in found],
                    "Share of the block (%)": [100 * each.share for each in found],
                    "Multiply-adds added": [each.macs_added for each in found],
                }
            ),
            hide_index=True,
            column_config={
                "Reduction": st.column_config.NumberColumn(format="%.3g"),
                "Share of the block (%)": st.column_config.NumberColumn(format="%.1f"),
                "Parameters added": st.column_config.NumberColumn(format="localized"),
                "Multiply-adds added": st.column_config.NumberColumn(format="localized"),
            },
            alt=f"Cost of squeeze-and-excitation at {len(found)} reduction ratios",
        )
        st.caption(
            "Counted with and without it. The paper's formula for the weights is 2 C² / r (arXiv 1709.01507, equation "
            "5); biases and rounding come on top."
        )
