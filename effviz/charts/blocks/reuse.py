"""Feature reuse as a heatmap: how much of one block's output stands in that of a later one."""

from __future__ import annotations

from effviz.charts.style import Appearance, Chart, figure, text_on
from effviz.core.units import exact, percent
from effviz.studies.reuse import Reuse

WRITTEN_UP_TO = 10
"""With more blocks than these the numbers would not fit into the cells."""

WAYS = ("direct", "added")
_DONE = {"direct": "unchanged", "added": "in a sum"}


def reuse_heatmap(found: Reuse, look: Appearance, how: str | None = None) -> Chart:
    """Rows are the blocks that a channel comes from, columns the blocks behind which it is looked for.

    Args:
        found: from `effviz.studies.reuse.reuse`.
        look: light or dark.
        how: ``"direct"`` or ``"added"``; None for what there is, direct before added.
    """
    size = len(found.labels)
    if how is None:
        how = "direct" if any(found.direct[i][j] for i in range(size) for j in range(i + 1, size)) else "added"
        how = how if any(map(any, found.added)) else "direct"
    counts = found.added if how == "added" else found.direct
    shares = found.added_shares if how == "added" else found.direct_shares
    cells = [(i, j) for i in range(size) for j in range(i + 1, size)]
    # A stage of one block has nothing behind it, but the chart keeps its place.
    sources, targets = list(found.labels[:-1]), list(found.labels[1:])
    heat = {
        "type": "heatmap",
        "x": targets,
        "y": sources,
        "z": [[shares[i][j] if j > i else None for j in range(1, size)] for i in range(size - 1)],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, look.grid], [1, look.muted]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "customdata": [
            [[exact(counts[i][j]), exact(found.channels[i]), percent(shares[i][j])] for j in range(1, size)]
            for i in range(size - 1)
        ],
        "hovertemplate": "from %{y}, behind %{x}<br>%{customdata[0]} of %{customdata[1]} channels "
        f"{_DONE[how]}, %{{customdata[2]}}<extra></extra>",
    }
    traces = [heat]
    if 1 < size <= WRITTEN_UP_TO:
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [found.labels[j] for _, j in cells],
                "y": [found.labels[i] for i, _ in cells],
                "text": [exact(counts[i][j]) for i, j in cells],
                "textfont": {
                    "size": 13 if size <= 6 else 11,
                    "color": [text_on(_mixed(look.grid, look.muted, shares[i][j])) for i, j in cells],
                },
                "hoverinfo": "skip",
            }
        )
    names = [label.rpartition(".")[2] for label in found.labels]
    step = max(1, size // 8)
    layout = {
        "xaxis": {
            "type": "category",
            "tickvals": targets[::step],
            "ticktext": names[1::step],
            "title": {"text": f"Behind block of {found.stage}"},
        },
        "yaxis": {
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
            "tickvals": sources[::step],
            "ticktext": [f"{name} " for name in names[:-1][::step]],
            "title": {"text": "Channels of block"},
        },
    }
    title = _finding(found, how)
    spoken = "; ".join(
        f"{found.labels[i]} to {found.labels[j]}: {exact(counts[i][j])} of {exact(found.channels[i])}"
        for i, j in cells
        if size <= WRITTEN_UP_TO or i == 0
    )
    alt = f"{title}. Channels {_DONE[how]}, {spoken}." if cells else f"{title}. {exact(found.channels[0])} channels."
    return Chart(figure(look, 120 + 36 * min(max(size, 4), 10), traces, layout), title, alt)


def _mixed(low: str, high: str, share: float) -> str:
    """The colour of a cell: between `low` and `high`, as plotly mixes them."""
    ends = [[int(color[start : start + 2], 16) for start in (1, 3, 5)] for color in (low, high)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(*ends, strict=True))


def _finding(found: Reuse, how: str) -> str:
    size = len(found.labels)
    if size < 2:
        return f"{found.stage} of {found.design} has one block: there is no later one to reuse its channels"
    counts = found.added if how == "added" else found.direct
    shares = found.added_shares if how == "added" else found.direct_shares
    if not any(counts[i][j] for i in range(size) for j in range(i + 1, size)):
        return f"No channel of {found.stage} of {found.design} is found {_DONE[how]} behind a later block"
    first, last = shares[0][1], shares[0][-1]
    label, after, end = found.labels[0], found.labels[1], found.labels[-1]
    if min(shares[i][j] for i in range(size) for j in range(i + 1, size)) == 1:
        return f"Every channel of a block of {found.stage} is found {_DONE[how]} behind all later blocks"
    start = (
        f"Of the {exact(found.channels[0])} channels of {label}, {percent(first)} are found {_DONE[how]} behind {after}"
    )
    return start if size == 2 else f"{start}, {percent(last)} behind {end}"
