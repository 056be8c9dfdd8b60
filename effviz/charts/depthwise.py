"""Two networks as multiples of the first: counts, depthwise layers and latency."""

from effviz.charts.relative import Measured, multiples_of, relative_dots
from effviz.charts.sentences import details, plural, times
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import lower, si
from effviz.studies.depthwise import PairedNetwork


def pair_chart(
    first: PairedNetwork, second: PairedNetwork, latencies: tuple[float | None, ...], label: str, look: Appearance
) -> Chart:
    """Draw the costs of the second network as multiples of the first.

    Args:
        first, second: the networks.
        latencies: of both, in milliseconds; None where unknown.
        label: of the latencies.
    """
    rows: dict[str, tuple[float | None, float | None]] = {
        "Multiply-adds": (first.report.macs, second.report.macs),
        "Parameters": (first.report.params, second.report.params),
        "Memory access": (first.report.memory_access, second.report.memory_access),
        "Depthwise layers": (first.layers, second.layers),
        "Memory access of depthwise layers": (first.access, second.access),
        label: (latencies[0], latencies[1]),
    }
    multiples = [multiples_of((after,), before)[0] for before, after in rows.values()]
    names = list(rows)
    axis = f"{second.title} compared with {first.title}"
    drawn = relative_dots(names, [Measured(second.title, "circle", multiples)], label, axis, look)
    spoken = details(
        (name, [si(each) if each is not None else "not known" for each in pair]) for name, pair in rows.items()
    )
    return chart(look, *drawn, _finding(first, second, latencies, label), spoken)


def _finding(first: PairedNetwork, second: PairedNetwork, latencies: tuple[float | None, ...], label: str) -> str:
    """Set multiply-adds and depthwise layers beside the latency."""
    if first.report.design == second.report.design:
        return f"Both networks are {first.title}"
    compute = times(second.report.macs / first.report.macs)
    one, two = latencies
    time = f" and takes {times(two / one)} as long ({lower(label)})" if one and two else ""
    layers = (
        f"{plural(second.layers, 'depthwise layer')} with {si(second.access)} memory accesses, against {first.layers} "
        f"with {si(first.access)}"
    )
    return f"{second.title} has {compute} the multiply-adds of {first.title}{time}: it has {layers}"


check_border(globals())
