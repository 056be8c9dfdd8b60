"""Feature reuse as a heatmap: the share of a block's output that is found after a later block."""

from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent
from effviz.count.palette import text_on
from effviz.studies.reuse import Reuse

WRITTEN_UP_TO = 10
"""The largest number of blocks whose cells have room for numbers."""

_STATE = {"direct": "unchanged", "added": "part of a sum"}


def reuse_heatmap(found: Reuse, look: Appearance, how: str | None = None) -> Chart:
    """Draw the blocks whose channels are followed as rows, and the later blocks as columns.

    Args:
        found: from `effviz.studies.reuse.reuse`.
        how: ``"direct"`` or ``"added"``; None for direct reuse if there is any, else added.
    """
    size = len(found.labels)
    cells = [(i, j) for i in range(size) for j in range(i + 1, size)]
    if how is None:
        direct = any(found.direct[i][j] for i, j in cells) or not any(map(any, found.added))
        how = "direct" if direct else "added"
    own = {"direct": (found.direct, found.direct_shares), "added": (found.added, found.added_shares)}
    counts, shares = own[how]
    # A stage of one block has no cells; an empty chart keeps the place.
    sources, targets = list(found.labels[:-1]), list(found.labels[1:])
    rows, columns = range(size - 1), range(1, size)
    traces = [
        draw.heatmap(
            targets, sources, [[shares[i][j] if j > i else None for j in columns] for i in rows],
            (look.grid, look.muted),
            customdata=[[[exact(counts[i][j]), exact(found.channels[i]), percent(shares[i][j])] for j in columns]
                        for i in rows],
            hovertemplate="from %{y}, after %{x}<br>%{customdata[0]} of %{customdata[1]} channels "
            f"{_STATE[how]}, %{{customdata[2]}}<extra></extra>",
        )
    ]  # fmt: skip
    if 1 < size <= WRITTEN_UP_TO:
        colors = [text_on(draw.mixed(look.grid, look.muted, shares[i][j])) for i, j in cells]
        x, y = [found.labels[j] for _, j in cells], [found.labels[i] for i, _ in cells]
        traces.append(draw.labels(x, y, [exact(counts[i][j]) for i, j in cells], 13 if size <= 6 else 11, colors))
    names = [label.rpartition(".")[2] for label in found.labels]
    step = max(1, size // 8)
    across = {"tickvals": targets[::step], "ticktext": names[1::step]}
    down = {"tickvals": sources[::step], "ticktext": [f"{name} " for name in names[:-1][::step]]}
    layout = {
        "xaxis": draw.axis(f"After block of {found.stage}", type="category", **across),
        "yaxis": draw.axis("Channels of block", type="category", autorange="reversed", showgrid=False, **down),
    }
    spoken = "; ".join(
        f"{found.labels[i]} to {found.labels[j]}: {exact(counts[i][j])} of {exact(found.channels[i])}"
        for i, j in cells
        if size <= WRITTEN_UP_TO or i == 0
    )
    numbers = (
        f"Channels that are {_STATE[how]}, from block to block: {spoken}"
        if cells
        else f"It has {exact(found.channels[0])} channels"
    )
    height = 120 + 36 * min(max(size, 4), 10)
    title = _finding(found, [shares[i][j] for i, j in cells], shares[0], _STATE[how])
    return chart(look, height, traces, layout, title, numbers)


def _finding(found: Reuse, cells: Sequence[float], first_row: Sequence[float], state: str) -> str:
    if not cells:
        return f"{found.stage} of {found.design} has only one block, so no later block can reuse its channels"
    if not any(cells):
        return f"No channel of {found.stage} of {found.design} is {state} after a later block"
    if min(cells) == 1:
        return f"Every channel of {found.stage} is {state} after all later blocks"
    first = f"{percent(first_row[1])} of the {exact(found.channels[0])} channels of {found.labels[0]} are {state} after"
    if len(cells) == 1:
        return f"{first} {found.labels[1]}"
    return f"{first} {found.labels[1]}, and {percent(first_row[-1])} after {found.labels[-1]}"


check_border(globals())
