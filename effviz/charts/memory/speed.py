"""Speed of the guideline experiments, measured here and published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from effviz.charts.relative import Measured, relative_dots
from effviz.charts.sentences import details, listed
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import si
from effviz.studies.guidelines.experiments import GuidelineVerdict, unexplained, verdict


@dataclass(frozen=True)
class Machine:
    """Speeds on one machine."""

    name: str  # of the machine, short
    unit: str  # of its speeds
    speeds: Mapping[str, float]  # by label of the case, in the table's order; may be incomplete
    noisy: frozenset[str] = frozenset()  # labels of cases measured on a busy machine
    quiet: bool = False  # recorded on another machine

    def relative(self, first: str) -> dict[str, float]:
        """Return the speeds as multiples of that of `first`, or nothing if `first` is not measured."""
        base = self.speeds.get(first)
        return {label: speed / base for label, speed in self.speeds.items()} if base else {}


def speed_dots(guideline: str, labels: Sequence[str], machines: Sequence[Machine], look: Appearance) -> Chart:
    """Draw the speed of every case on every machine, relative to the first case.

    Args:
        guideline: ``"G1"`` to ``"G4"``.
        labels: the cases; the others are compared with the first.
        machines: this machine first, then those of the paper.
    """
    relative = [machine.relative(labels[0]) for machine in machines]
    measures = [
        Measured(
            machine.name, symbol, [values.get(label) for label in labels],
            [_amount(machine, label) for label in labels],
            [place for place, label in enumerate(labels) if label in machine.noisy],
        )
        for machine, values, symbol in zip(machines, relative, ("circle", "diamond", "square"), strict=False)
    ]  # fmt: skip
    title = f"Speed relative to {labels[0]}"
    drawn = relative_dots(labels, measures, machines[0].name, title, look)
    spoken = details(
        (machine.name, [f"{label} {value:.2f}" for label, value in values.items()] or ["not measured"])
        for machine, values in zip(machines, relative, strict=True)
    )
    noisy = f"Noisy measurements: {len(machines[0].noisy)} of {len(labels)}" if machines[0].noisy else ""
    told = finding(guideline, labels, machines)
    return chart(look, *drawn, told, title, spoken, noisy)


def _amount(machine: Machine, label: str) -> str:
    if label not in machine.speeds:
        return ""
    return f"{si(machine.speeds[label])} {machine.unit}{', noisy' if label in machine.noisy else ''}"


def finding(guideline: str, labels: Sequence[str], machines: Sequence[Machine]) -> str:
    """State which cases are slower or faster than the first one here, beside the speeds of the paper."""
    here, *others = machines
    done = sum(label in here.speeds for label in labels)
    if done < len(labels):
        return f"{done} of {len(labels)} cases measured so far. {_published(guideline, others, labels)}"
    found = verdict(guideline, {label: here.speeds[label] for label in labels})
    beside = ", ".join(f"{machine.relative(labels[0])[found.extreme]:.2f}× on {_short(machine)}" for machine in others)
    where = "On the recorded machine" if here.quiet else "On this machine"
    return f"{_judged(guideline, found, labels[0], where)} (paper: {beside})"


def contradiction(machine: Machine, access: Mapping[str, int]) -> str:
    """State the speed that memory access explains least; empty if it explains the order of all speeds.

    Args:
        machine: with its speeds; a noisy measurement contradicts nothing.
        access: memory access in elements by label of the case.
    """
    found = unexplained({label: each for label, each in machine.speeds.items() if label not in machine.noisy}, access)
    if not found:
        return ""
    slow, fast = found
    speed, more = machine.speeds[fast] / machine.speeds[slow], access[fast] / access[slow]
    return (
        f"Memory access does not explain the speed of {fast}, which is {speed:.2f}× that of {slow} for {more:.2f}× the "
        "access."
    )


def _short(machine: Machine) -> str:
    return machine.name.partition(" ")[0]


def _published(guideline: str, machines: Sequence[Machine], labels: Sequence[str]) -> str:
    """Name the extreme case of every machine of the paper; a case that is extreme on several is named once."""
    parts: dict[str, list[str]] = {}
    for machine in machines:
        found = verdict(guideline, {label: machine.speeds[label] for label in labels})
        parts.setdefault(found.extreme, []).append(f"{found.speed:.2f}× on {_short(machine)}")
    cases = listed([f"{label} at {listed(speeds)}" for label, speeds in parts.items()])
    return f"In the paper, the largest difference from {labels[0]} is {cases}"


def _judged(guideline: str, found: GuidelineVerdict, first: str, where: str) -> str:
    expected, opposite, extreme = (
        ("faster", "slower", "fastest") if guideline == "G4" else ("slower", "faster", "slowest")
    )
    groups = [(found.follow, expected), (found.equal, "equal"), (found.against, opposite)]
    (labels, word), *rest = [(labels, word) for labels, word in groups if labels]
    than = f"as fast as {first}" if word == "equal" else f"{word} than {first}"
    clauses = [_clause(labels, than), *(_clause(labels, word) for labels, word in rest)]
    compared = ", and ".join(filter(None, [", ".join(clauses[:-1]), clauses[-1]]))
    return f"{where}, {compared}. The {extreme}, {found.extreme}, runs at {found.speed:.2f}× the speed"


def _clause(labels: Sequence[str], word: str) -> str:
    # Among others the label "4 groups" is plural, "1:6" is not.
    several = len(labels) > 1 or labels[0].partition(" ")[0].isdigit()
    return f"{listed(labels)} {'are' if several else 'is'} {word}"


check_border(globals())
