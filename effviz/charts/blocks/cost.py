"""Cost of one block by sub-layer, and several blocks side by side."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.architectures import Measure, by_stage, stage_costs
from effviz.charts.relative import Measured, multiples_of, relative_dots
from effviz.charts.sentences import details, listed
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import lower, percent
from effviz.count.rows import KindSums, LayerSums


def block_costs(sums: KindSums, subject: str, measures: list[Measure], look: Appearance) -> Chart:
    """Draw stacked bars per sub-layer, one panel per measure.

    Args:
        sums: by sub-layer and kind.
        subject: name of the block, for the alternative text.
        measures: the panels; the second is multiply-adds or FLOPs, the last memory access.
    """
    made = stage_costs(sums, measures, look)
    title = _heaviest(by_stage(sums), subject, measures[1], measures[-1])
    return Chart(made.spec, title, f"{title}. Block: {subject}. {made.alt}")


_MERGES = {"mul": "gating multiplication", "add": "addition", "concat": "concatenation", "resize": "resizing"}


def _heaviest(totals: Mapping[str, LayerSums], subject: str, compute: Measure, memory: Measure) -> str:
    """Name the sub-layers with the most compute and the most memory access."""
    claims: dict[str, list[str]] = {}
    for measure in (compute, memory):
        sums = {name: measure.of(each) for name, each in totals.items()}
        if total := sum(sums.values()):
            highest = max(sums.values())
            most = [_part(name) for name, value in sums.items() if value == highest]
            who = f"{listed(most)} {'each take' if len(most) > 1 else 'takes'}"
            claims.setdefault(who, []).append(f"{percent(highest / total)} of the {lower(measure.label)}")
    if not claims:
        return f"{subject} has no cost"
    found = ", and ".join(f"{who} {listed(shares)}" for who, shares in claims.items())
    return found[:1].upper() + found[1:]


def _part(name: str) -> str:
    """Name a sub-layer in a sentence: ``"ghost 1 concat"`` as ``"the concatenation of ghost 1"``."""
    rest, _, last = name.rpartition(" ")
    return name if last not in _MERGES else f"the {_MERGES[last]}{f' of {rest}' if rest else ''}"


class BlockMeasure(NamedTuple):
    """One measure of several blocks: its name, and one value and text per block; None where it is unknown."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


_SYMBOLS = ("circle", "diamond", "square", "star")


def side_by_side(
    names: Sequence[str], sides: Sequence[BlockMeasure], look: Appearance, *, outputs: Sequence[str] = (),
    inside: Sequence[int | None] = (),
) -> Chart:  # fmt: skip
    """Draw several blocks as multiples of the first, the one on screen: a row per measure, a mark per block.

    Args:
        names: of the blocks, at least one.
        sides: the measures.
        outputs: shapes of the outputs as text. The title compares only blocks with the output of the first one.
        inside: channels inside each block, which the title states where they differ: they are part of the cost.
    """
    multiples = [multiples_of(side.values, side.values[0]) for side in sides]
    # The first one is a line, as long as there are others.
    others = [
        Measured(name, symbol, [row[place] for row in multiples])
        for (place, name), symbol in zip([*enumerate(names)][1 if len(names) > 1 else 0 :], _SYMBOLS, strict=False)
    ]
    height, traces, layout = relative_dots([side.label for side in sides], others, "", f"Cost, {names[0]} = 1×", look)
    layout["shapes"] = [draw.rule(look.accent, 2, "dash", x=1, layer="below")]
    layout["xaxis"]["title"]["font"] = {"color": look.accent}
    spoken = details(
        (name, [f"{lower(side.label)} {side.texts[place]}" for side in sides]) for place, name in enumerate(names)
    )
    return chart(look, height, traces, layout, _title(names, sides, outputs, inside), spoken)


def _title(
    names: Sequence[str], sides: Sequence[BlockMeasure], outputs: Sequence[str], inside: Sequence[int | None]
) -> str:
    """Name the cheapest blocks among those with equal outputs, and the channels inside if they differ."""
    alike = [place for place in range(len(names)) if not outputs or outputs[place] == outputs[0]]
    if len(alike) == 1 < len(names):
        return f"{names[0]} has another output than the other blocks, so their costs are not those of equal layers"
    kept = [names[place] for place in alike]
    compared = [
        BlockMeasure(side.label, [side.values[place] for place in alike], [side.texts[place] for place in alike])
        for side in sides
    ]
    kept = _plain(kept)
    found = _winners(kept, compared)
    widths = {
        name: inside[place] for name, place in zip(kept, alike, strict=True) if inside and inside[place] is not None
    }
    if len(set(widths.values())) > 1:
        found += f" (channels inside: {listed([str(width) for width in widths.values()])})"
    return found


def _plain(names: Sequence[str]) -> list[str]:
    """Leave out the papers in parentheses, unless that makes two names equal."""
    short = [re.sub(r" \([^)]*\)", "", name) for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _winners(names: Sequence[str], sides: Sequence[BlockMeasure]) -> str:
    """Name the blocks with the lowest cost, and what they are the lowest in."""
    best: dict[str, list[str]] = {}
    for side in sides:
        known = {name: value for name, value in zip(names, side.values, strict=True) if value is not None}
        if len(known) < 2:
            continue
        lowest = [name for name, value in known.items() if value == min(known.values())]
        is_lowest = "is lowest in" if len(lowest) == 1 else "are lowest in"
        verb = "have equal" if len(lowest) == len(known) else is_lowest
        best.setdefault(f"{listed(lowest)} {verb}", []).append(lower(side.label))
    return "; ".join(f"{who} {listed(what)}" for who, what in best.items()) or "No measure is known for two blocks"


check_border(globals())
