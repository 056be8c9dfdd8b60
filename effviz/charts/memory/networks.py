"""Networks of the zoo against the four guidelines."""

from collections.abc import Mapping

from effviz.charts import draw
from effviz.charts.sentences import details, listed, plural
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import percent
from effviz.studies.guidelines.networks import Evidence


def guideline_map(rows: Mapping[str, Mapping[str, Evidence]], chosen: str, look: Appearance) -> Chart:
    """Draw a table of networks and guidelines, with dark cells where a network departs from a guideline.

    Args:
        rows: evidence by guideline, by title of the network; at least one.
        chosen: title of the network on screen.
    """
    names, guidelines = list(rows), list(next(iter(rows.values())))
    cells = [[_cell(guideline, found[guideline]) for guideline in guidelines] for found in rows.values()]
    departs = [[float(found[guideline].departs) for guideline in guidelines] for found in rows.values()]
    shades = (draw.mixed(look.paper, look.grid, 0.6), draw.mixed(look.paper, look.accent, 0.35))
    heat = draw.heatmap(
        guidelines, names, departs, shades, customdata=[[name] * len(guidelines) for name in names], text=cells,
        texttemplate="%{text}", textfont={"size": 13, "color": look.ink},
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    place = names.index(chosen)
    frame = draw.box(-0.5, place - 0.5, len(guidelines) - 0.5, place + 0.5, look.accent, 2)
    layout = {
        "shapes": [frame],
        "xaxis": draw.axis("", side="top", type="category"),
        "yaxis": draw.ROWS | {"type": "category", "dtick": 1},
    }
    spoken = details(
        (name, [f"{guideline} {text}" for guideline, text in zip(guidelines, row, strict=True)])
        for name, row in zip(names, cells, strict=True)
    )
    return chart(look, 40 + 26 * len(names), [heat], layout, _finding(rows, guidelines), spoken)


def _cell(guideline: str, found: Evidence) -> str:
    if guideline == "G3":
        return found.text.partition(" ")[0]
    return percent(found.degree)


def _finding(rows: Mapping[str, Mapping[str, Evidence]], guidelines: list[str]) -> str:
    counts = [f"{sum(found[each].departs for found in rows.values())} from {each}" for each in guidelines]
    whole = plural(len(rows), "network")
    return f"Networks that depart from a guideline, of {whole}: {listed(counts)}"


check_border(globals())
