"""Released networks beside those that a rule builds."""

from collections.abc import Sequence

from effviz.charts.relative import Measured, relative_dots
from effviz.charts.sentences import details, times
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import lower, si
from effviz.studies.released import Pair


def released_chart(pairs: Sequence[Pair], base: int, chosen: str, label: str, factor: int, look: Appearance) -> Chart:
    """Draw the compute of both networks of every pair, relative to B0.

    Args:
        pairs: at least one.
        base: multiply-adds of B0.
        chosen: label of the pair at the φ on screen; empty for none.
        label: of the compute number.
        factor: from multiply-adds to it.
    """
    released = [each.released.report.macs for each in pairs]
    built = [each.built.report.macs if each.built else None for each in pairs]
    names = [each.label for each in pairs]
    measures = [
        Measured("Released", "circle", [macs / base for macs in released]),
        Measured("Built at φ = 1 to 7", "diamond-open", [macs / base if macs else None for macs in built]),
    ]
    drawn = relative_dots(names, measures, chosen, f"{label} compared with B0", look)
    spoken = details(
        (name, [f"released {si(one * factor)}", f"built {si(other * factor) if other else 'nothing'}"])
        for name, one, other in zip(names, released, built, strict=True)
    )
    return chart(look, *drawn, _finding(pairs, lower(label)), spoken)


def _finding(pairs: Sequence[Pair], label: str) -> str:
    known = {each: each.released.report.macs / each.built.report.macs for each in pairs if each.built is not None}
    if not known:
        return "The rule builds no network at φ = 1 to 7"
    low, high = min(known, key=lambda each: known[each]), max(known, key=lambda each: known[each])
    ends = [f"{times(known[each])} (B{each.phi}, φ = {each.phi})" for each in dict.fromkeys((low, high))]
    return f"The released networks have {' to '.join(ends)} of the {label} that the rule builds"


check_border(globals())
