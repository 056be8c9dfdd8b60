"""The command identify: the networks that have some figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from effviz.cli import output
from effviz.cli.options import CommandOutput, command, json_option
from effviz.core.resolution import compact_size
from effviz.core.units import exact

if TYPE_CHECKING:
    from effviz.studies.number_checker import Match

_FITS = {"": "no rule gives it", "printed": "printed in a source"}


@command('"1.8 GFLOPs, 12.2 M, 300 px"', '"3.4 M params, 300 M MMAdds" --json')
@click.argument("figures")
@json_option
def identify(figures: str, is_json: bool) -> CommandOutput:
    """Find the networks of the zoo that have these figures, and the convention of each figure.

    FIGURES are parameters, multiply-adds or FLOPs, the size of the weights, and a resolution, each with its unit.
    Networks with equal ranks fit equally well.
    """
    from effviz.studies.number_checker import identify as networks_with

    matches = networks_with(figures)
    return CommandOutput(_as_json(matches) if is_json else _as_table(matches), 0 if matches else 1)


def _as_json(matches: Sequence[Match]) -> str:
    return output.as_json(
        [
            {"name": each.place.name, "width_mult": each.place.width, "groups": each.place.groups}
            | output.values(each, ("title", "rank", "resolution", "missed"))
            | {"figures": [output.values(one, ("text", "rule", "counted", "fit")) for one in each.explained]}
            for each in matches
        ]
    )


def _as_table(matches: Sequence[Match]) -> str:
    """Lay out the networks with one line per figure."""
    if not matches:
        return "No network of the zoo is within 10 % of these figures.\n"
    head = ("rank", "network", "pixels", "figure", "count", "digits", "convention")
    rows = [
        (str(each.rank), each.title, compact_size(each.resolution), one.text, exact(one.counted),
         _FITS.get(one.fit, one.fit), one.rule)
        for each in matches
        for one in each.explained
    ]  # fmt: skip
    return output.table([head, *rows], "><>>><<")
