"""Share of squeeze-and-excitation in its block against the reduction ratio."""

import math
from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.charts.ticks import round_axis
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent, si
from effviz.studies.excite import Excitation


def excite_chart(found: Sequence[Excitation], look: Appearance) -> Chart:
    """Draw the share of the block's parameters against the reduction ratio; the block's own ratio is marked.

    A block that is squeeze-and-excitation alone always has a share of 100 %, so its parameters are drawn instead.

    Args:
        found: from `effviz.studies.excite.excite`; at least one.
    """
    alone = all(each.share == 1 for each in found)
    values = [float(each.params_added) if alone else each.share for each in found]
    texts = [si(each.params_added) if alone else percent(each.share) for each in found]
    marks = [f"here: {text}" if each.current else "" for each, text in zip(found, texts, strict=True)]
    hover = draw.hover(
        "reduction %{x:.4g}: %{customdata[0]} channels squeezed to %{customdata[1]}<br>%{customdata[2]} parameters, "
        "%{customdata[3]} of the block<br>%{customdata[4]} multiply-adds",
        [[exact(each.channels), exact(each.squeezed), exact(each.params_added), percent(each.share),
          exact(each.macs_added)] for each in found],
    )  # fmt: skip
    trace, notes = draw.marked_line([each.reduction for each in found], values, marks, look, **hover)
    scale = draw.axis("Share of the block's parameters", **round_axis(max(values)) | draw.percent_ticks(max(values)))
    if alone:
        scale = draw.axis("Parameters", **round_axis(max(values)))
    # Labels of other ratios would overlap.
    powers = [each.reduction for each in found if math.log2(each.reduction).is_integer()]
    layout = {
        "xaxis": draw.axis("Reduction ratio", type="log", **draw.ticks(powers, "{:g}".format)),
        "yaxis": scale,
        "annotations": notes,
    }
    spoken = "; ".join(
        f"reduction {each.reduction:g}: {exact(each.channels)} channels squeezed to {exact(each.squeezed)}, "
        f"{exact(each.params_added)} parameters, {percent(each.share)} of the block, "
        f"{exact(each.macs_added)} multiply-adds"
        for each in found
    )
    return chart(look, 320, [trace], layout, _finding(found, texts, alone=alone), spoken)


def _finding(found: Sequence[Excitation], texts: Sequence[str], *, alone: bool) -> str:
    """Compare the block's own ratio, or else the smallest, with the largest."""
    at = next((place for place, each in enumerate(found) if each.current), 0)
    part = f"has {texts[at]} parameters" if alone else f"has {texts[at]} of the block's parameters"
    first = f"At reduction {found[at].reduction:g}, squeeze-and-excitation {part}"
    return first if at == len(found) - 1 else f"{first}, and {texts[-1]} at reduction {found[-1].reduction:g}"


check_border(globals())
