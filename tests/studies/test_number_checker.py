"""The number checker: what it reads, and that it finds every network of the zoo from two digits."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from cases import for_each

import effviz
from effviz import DesignError
from effviz.studies.number_checker import EXAMPLES, MOST, candidates, identify, read_claims


def kinds(text: str) -> tuple[list[tuple[str, int, int]], object]:
    claims, side = read_claims(text)
    return [(each.kind, each.digits.value, each.digits.step) for each in claims], side


@pytest.mark.parametrize(
    ("text", "claims", "side"),
    [
        ("1.8 GFLOPs, 12.2 M, 300 px", [("flops", 1_800_000_000, 10**8), ("params", 12_200_000, 10**5)], 300),
        ("12.2M params @300", [("params", 12_200_000, 10**5)], 300),
        ("569 M MMAdds / 4.2 M / 224x224", [("macs", 569_000_000, 10**6), ("params", 4_200_000, 10**5)], 224),
        ("0.39B FLOPs at 224", [("flops", 390_000_000, 10**7)], 224),
        ("4.1 GMACs and 25.6 M parameters", [("macs", 4_100_000_000, 10**8), ("params", 25_600_000, 10**5)], None),
        ("3,504,872 params", [("params", 3_504_872, 1)], None),
        ("1.2 T", [("macs", 1_200_000_000_000, 10**11)], None),
        ("720x1280, 300 million multiply-adds", [("macs", 300_000_000, 10**6)], (720, 1280)),
        ("13.4 MiB", [("size", int(Decimal("13.4") * 2**20), 104_857)], None),
        ("14.0 MB weights; ~0.3 G", [("size", 14_000_000, 10**5), ("macs", 300_000_000, 10**8)], None),
        ("56 M / 2.5 M", [("macs", 56_000_000, 10**6), ("params", 2_500_000, 10**5)], None),
        ("3 M, 4 M params", [("macs", 3_000_000, 10**6), ("params", 4_000_000, 10**6)], None),
        ("4.2 MILLION PARAMETERS", [("params", 4_200_000, 10**5)], None),
    ],
)
def test_figures_are_read(text: str, claims: list[tuple[str, int, int]], side: object) -> None:
    assert kinds(text) == (claims, side)


@for_each(
    ("text", "problem"),
    [
        ("", "must be text"),
        ("   ", "must be text"),
        ("hello", "'hello' has no number in front"),
        ("12 foo", "unknown unit 'foo'"),
        ("1.2 M params, 3 M params", "for one quantity"),
        ("1 M, 2 M, 3 M", "for one quantity"),
        ("1 GFLOPs, 2 GMACs", "for one quantity"),
        ("224 px", "has no parameters"),
        ("4 M, 224 px, 300 px", "two resolutions"),
        ("4 M, 0 px", "resolution = 0"),
        ("4 M, 9999999999 px", "resolution = "),
        ("4 M @22.5 px", "whole number of pixels"),
        ("0 M", "must be from 1"),
        ("9999999999 T", "must be from 1"),
        ("4.2 M params ???", "'???' has no number in front"),
        ("-4 M", "'-4 M' has no number in front"),
        ("4 M " * MOST, "at most 200 characters"),
        ("e9 params", "no number in front"),
        ("5,3 M", "'5,3' has a comma that groups no thousands: write a decimal point"),
        ("25.6 M, 4,1 G", "'4,1' has a comma that groups no thousands"),
        ("0,39 G", "'0,39' has a comma that groups no thousands"),
    ],
)
def test_a_bad_input_is_an_error_with_its_text(text: str, problem: str) -> None:
    with pytest.raises(DesignError) as error:
        identify(text)
    assert problem in str(error.value)
    assert len(str(error.value)) < 400


def two_digits(count: int) -> str:
    """A count with two significant digits, in G where the digits would otherwise end in a zero that is no digit."""
    short = Decimal(f"{count:.1e}")
    unit, name = next((unit, name) for unit, name in ((10**9, "G"), (10**6, "M")) if short >= unit / 10)
    exponent = short.adjusted() - 1
    digits = short / unit
    decimals = max(0, len(str(unit)) - 1 - exponent)
    return f"{digits:.{decimals}f} {name}"


@cache
def shortened() -> dict[tuple[str, float, int | None, object], tuple[Decimal, Decimal]]:
    """Parameters and multiply-adds, with two digits, of every candidate at every resolution of its family."""
    found = {}
    for candidate in candidates():
        for side in candidate.sides:
            report = effviz.analyze(candidate.place.design(), side)
            key = (candidate.place.name, candidate.place.width, candidate.place.groups, side)
            found[key] = (Decimal(f"{report.params:.1e}"), Decimal(f"{report.macs:.1e}"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", effviz.list_architectures())
def test_two_digits_find_the_network(name: str) -> None:
    report = effviz.analyze(effviz.architecture(name))
    text = f"{two_digits(report.params)} params, {two_digits(report.macs)} MACs, {report.resolution} px"
    matches = identify(text)
    best = [each for each in matches if each.rank == 1]
    assert (name, 1.0, None) in [(each.place.name, each.place.width, each.place.groups) for each in best], text
    # Networks share a rank only if both of their numbers have the same two digits.
    assert {each.missed for each in best} == {0}
    mine = shortened()[name, 1.0, None, report.resolution]
    same = {key for key, each in shortened().items() if each == mine and key[3] == report.resolution}
    found = {(each.place.name, each.place.width, each.place.groups, each.resolution): each.place for each in best}
    # A network is also tried at a typed resolution that its papers do not use.
    assert found.keys() >= same
    for _, place in found.items() - {key: found[key] for key in same}.items():
        other = effviz.analyze(place.design(), report.resolution)
        assert (Decimal(f"{other.params:.1e}"), Decimal(f"{other.macs:.1e}")) == mine


@pytest.mark.slow
@for_each("name", effviz.list_architectures())
def test_two_digits_find_the_network_without_a_resolution(name: str) -> None:
    report = effviz.analyze(effviz.architecture(name))
    matches = identify(f"{two_digits(report.params)} params, {two_digits(report.macs)} MACs")
    assert (name, 1.0) in [(each.place.name, each.place.width) for each in matches if each.rank == 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "name", "resolution", "rules"),
    [
        (EXAMPLES[0], "efficientnet_b3", 300, ["multiply-adds", "trainable"]),
        ("3.47 M params, 300 M MMAdds", "mobilenet_v2", 224, ["without batch norm", "multiply-adds"]),
        ("5.33 M, 0.77 GFLOPs @224", "efficientnet_b0", 224, ["4 batch-norm vectors", "FLOPs = 2×"]),
        ("25.6 M, 4.11 G", "resnet50", 224, ["trainable", "fvcore"]),
        ("5.29 M params, 415.15 M MACs", "efficientnet_b0", 224, ["trainable", "thop"]),
        ("19 M, 4.2 B", "efficientnet_b4", 380, ["trainable", "multiply-adds"]),
        ("2.9 M, 57 M", "mobilenet_v3_small", 224, ["1280-wide head", "multiply-adds"]),
        ("13.37 MiB", "mobilenet_v2", 224, ["float32"]),
        ("≈5.3e6 params, ≤0.386 G", "efficientnet_b0", 224, ["trainable", "multiply-adds"]),
        ("4,253,864 params", "mobilenet_v1", 224, ["4 batch-norm vectors"]),
    ],
)
def test_a_convention_is_found(text: str, name: str, resolution: int, rules: list[str]) -> None:
    first = identify(text)[0]
    assert (first.place.name, first.resolution) == (name, resolution), first.sentence
    assert [each.rule for each in first.explained] == rules


def test_every_example_has_an_answer() -> None:
    for text in EXAMPLES:
        assert identify(text), text


def test_figures_of_no_network_have_the_closest_ones_or_none() -> None:
    near = identify("26.9 M params, 4.3 GMACs, 224 px")
    assert near
    assert all(each.missed for each in near)
    assert "no rule gives it" in near[0].sentence
    assert identify("900 M params") == ()


def test_a_rule_explains_a_figure_in_a_sentence() -> None:
    (first, *_) = identify("19 M, 4.2 B")
    assert "no rule gives it; exact 4,393,771,024" in first.sentence
    assert "Printed in EfficientNet paper" in first.sentence


def test_ranks_rise_and_start_at_one() -> None:
    for text in (*EXAMPLES, "4 M params", "0.3 G"):
        ranks = [each.rank for each in identify(text)]
        assert ranks[0] == 1
        assert ranks == sorted(ranks)
