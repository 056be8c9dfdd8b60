"""The search for networks within limits, against the engine and against filters written here."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

import effviz
from effviz import Design, DesignError
from effviz.advice.budgets import DTYPES, Budget, format_amount
from effviz.advice.scaling import compound_scale
from effviz.core.errors import if_legal
from effviz.studies import finder
from effviz.studies.finder import Candidate, candidates, find, read_limits, rechecked, search
from effviz.studies.finder_words import explained
from effviz.zoo.published import published
from effviz.zoo.published.cells import own_top1, top1_figures

SAMPLE = 40


@pytest.fixture(scope="module")
def pool() -> tuple[Candidate, ...]:
    return candidates()


def values(each: Candidate, dtype: str) -> dict[str, int]:
    """The limited quantities of a network, by another way to its counts."""
    groups = {} if each.groups is None else {"groups": each.groups}
    design = effviz.architecture(
        each.name, width_mult=each.width, depth_mult=each.depth, resolution=each.resolution, **groups
    )
    report = effviz.analyze(design)
    size = {"float32": 4, "float16": 2, "int8": 1}[dtype]
    return {
        "params": report.params,
        "macs": report.macs,
        "memory_access": report.memory_access,
        "peak_activation": size * report.peak_activation,
        "weight_size": size * report.params,
    }


def builds(base: Design, width: float, side: int) -> bool:
    return if_legal(lambda: effviz.analyze(base.scaled(width_mult=width), side)) is not None


@pytest.mark.slow
def test_the_candidates_are_the_whole_grid(pool: tuple[Candidate, ...]) -> None:
    assert len(pool) > 5_000
    assert len({each.label for each in pool}) == len(pool)
    assert {each.name for each in pool} == set(effviz.list_architectures())
    for name in ("mobilenet_v2", "shufflenet_v2", "vgg16"):
        base = effviz.architecture(name)
        built = {(width, side) for width in finder.WIDTHS for side in finder.RESOLUTIONS if builds(base, width, side)}
        assert len(built) > 100
        assert built <= {(each.width, each.resolution) for each in pool if each.name == name}
    b0 = effviz.architecture("efficientnet_b0")
    compound = {each.phi: each for each in pool if each.phi is not None}
    assert set(compound) == set(finder.PHIS)
    for phi in (-1.0, 0.5, 3.0):
        assert compound[phi].design == compound_scale(b0, phi)


def test_accuracies_are_those_of_the_table(pool: tuple[Candidate, ...]) -> None:
    table = published()
    known = [each for each in pool if each.top1 is not None]
    assert len(known) > 100
    for each in known:
        rows = table[
            (table["design"] == each.name) & (table["source"] == each.source) & (table["top1"] == each.top1)
            & (table["resolution"] == str(each.resolution)) & ((table["scale"] - each.width).abs() < 1e-6)
            & ((table["depth_scale"].fillna(1.0) - 1).abs() < 1e-6)
        ]  # fmt: skip
        if each.groups is not None:
            rows = rows[rows["groups"] == str(each.groups)]
        assert len(rows), each.label
    assert {each.phi for each in known} == {None}
    figure = own_top1("resnet50", 224)
    assert figure is not None
    assert top1_figures("resnet50")[1.0, 224] == figure
    wider = candidates(networks=("resnet50", "mobilenet_v2"), retrained=True)
    assert sum(each.top1 is not None for each in wider) > sum(
        each.top1 is not None for each in pool if each.name in ("resnet50", "mobilenet_v2")
    )


def test_published_accuracies_come_first_then_multiply_adds(pool: tuple[Candidate, ...]) -> None:
    known = [each.top1 for each in pool if each.top1 is not None]
    assert [each.top1 for each in pool[: len(known)]] == sorted(known, reverse=True)
    macs = [each.macs for each in pool[len(known) :]]
    assert macs == sorted(macs, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_each_row_fits_and_each_omitted_one_exceeds_a_limit(seed: int, pool: tuple[Candidate, ...]) -> None:
    draw = random.Random(seed)
    dtype = draw.choice(sorted(DTYPES))
    quantities = draw.sample(["params", "macs", "memory_access", "peak_activation", "weight_size"], 3)
    limits = {each: values(draw.choice(pool), dtype)[each] for each in quantities}
    found = search(pool, [Budget(*each) for each in limits.items()], dtype)
    fits = set(found.fits)
    assert found.fits == tuple(each for each in pool if each in fits)
    over: dict[Candidate, set[str]] = {}
    for each in draw.sample(pool, SAMPLE):
        known = values(each, dtype)
        over[each] = {quantity for quantity, limit in limits.items() if known[quantity] > limit}
        assert (each in fits) == (not over[each])
        assert [each in found.near[quantity] for quantity in limits] == [over[each] == {name} for name in limits]
    assert len(fits) + sum(map(len, found.near.values())) <= found.tried == len(pool)
    for quantity, limit in limits.items():
        assert found.excluded[quantity] == sum(each.value(quantity, dtype) > limit for each in pool)


def test_a_value_equal_to_its_limit_fits(pool: tuple[Candidate, ...]) -> None:
    for each in (pool[0], pool[-1]):
        for quantity in ("macs", "peak_activation", "weight_size"):
            limit = each.value(quantity, "float32")
            assert each in search(pool, [Budget(quantity, limit)]).fits
            assert each not in search(pool, [Budget(quantity, limit - 1)]).fits


def test_the_front_has_no_better_row(pool: tuple[Candidate, ...]) -> None:
    found = search(pool, read_limits({"max_macs": "300M", "max_peak": "512KiB"}), "int8")
    known = [(each, each.value(found.axis, "int8"), each.top1 or 0) for each in found.fits if each.top1 is not None]
    better = {
        each: any((value <= mine and top1 > own) or (value < mine and top1 >= own) for _, value, top1 in known)
        for each, mine, own in known
    }  # fmt: skip
    assert found.front == {each for each, is_better in better.items() if not is_better}


def test_the_binding_limit_excludes_the_most_alone(pool: tuple[Candidate, ...]) -> None:
    budgets = read_limits({"max_macs": "300M", "max_params": "4M", "max_peak": "256KiB"})
    found = search(pool, budgets, "int8")
    assert found.binding == "peak_activation"
    without = search(pool, [each for each in budgets if each.quantity != found.binding], "int8")
    assert len(without.fits) - len(found.fits) == len(found.near[found.binding])
    doubled = [
        Budget(each.quantity, 2 * each.limit if each.quantity == found.binding else each.limit) for each in budgets
    ]
    more = len(search(pool, doubled, "int8").fits) - len(found.fits)
    text = explained(found, budgets, "int8", format_amount)
    assert (
        f"it alone excludes {len(found.near[found.binding]):,} networks. A limit of 512 KiB would admit {more} more"
        in text
    )
    assert explained(search(pool, []), [], "int8", format_amount) == "No limit excludes a network."
    tight = read_limits({"max_macs": 10, "max_params": 10})
    assert "No limit excludes a network on its own" in explained(search(pool, tight), tight, "int8", format_amount)
    near = read_limits({"max_macs": pool[-1].macs - 1})
    assert "The binding limit is multiply-adds" in explained(search(pool[-1:], near), near, "int8", format_amount)


def test_an_unknown_latency_does_not_fit() -> None:
    small = {"networks": ("mobilenet_v2",), "widths": (0.5, 1.0), "resolutions": (224,)}
    half, full = sorted(candidates(**small), key=lambda each: each.width)  # type: ignore[arg-type]
    budgets = read_limits({"max_latency": "20 ms", "max_macs": "1G"})
    for known, fits in (
        ({}, ()), ({half: 20.0}, (half,)), ({half: 20.1, full: 30.0}, ()), ({half: 5.0, full: 6.0}, (full, half)),
    ):  # fmt: skip
        found, measured = find(budgets, latency=known.get, **small)  # type: ignore[arg-type, attr-defined]
        assert (found.fits, measured) == (fits, known)


@pytest.mark.slow
def test_the_public_function_returns_a_checked_table() -> None:
    table = effviz.find(max_macs="100M", max_peak=512 * 1024, dtype="int8", networks=["mobilenet_v1", "shufflenet_v1"])
    assert isinstance(table, pd.DataFrame)
    assert len(table) > 100
    assert (table["macs"] <= 100_000_000).all()
    assert (table["peak_bytes"] <= 524_288).all()
    assert (table["weight_bytes"] == table["params"]).all()
    assert table["network"].is_unique
    first = table.iloc[0]
    assert first["top1"] == table["top1"].max()
    report = effviz.analyze(
        effviz.architecture(first["name"], width_mult=first["width_mult"], resolution=int(first["resolution"]))
    )
    assert (first["params"], first["macs"]) == (report.params, report.macs)
    assert effviz.find(max_macs=10).empty


def test_a_wrong_count_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = candidates(networks=("alexnet",), widths=(1.0,), resolutions=(224,))[0]._replace(macs=5)
    budgets = read_limits({"max_macs": 10})
    with pytest.raises(AssertionError, match="differ"):
        finder.as_table(search([wrong], budgets), budgets, "float32", "fused", {})
    assert not rechecked((wrong,), budgets, "float32", "fused")[0][0].passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "limits = None must contain at least one of max_macs"),
        ({"max_macs": "3q"}, "max_macs = '3q' has the suffix 'q'"),
        ({"max_macs": 0}, "max_macs = 0 must be greater than 0"),
        ({"max_peak": 1.5}, "max_peak = 1.5 must be a whole number"),
        ({"max_weights": "1Mb"}, "max_weights = '1Mb' has the suffix"),
        ({"max_macs": "3M", "dtype": "int4"}, "dtype = 'int4' must be one of float32, float16, int8"),
        ({"max_macs": "3M", "memory": "cold"}, "memory = 'cold' must be one of"),
        ({"max_macs": "3M", "networks": ["lenet"]}, "architecture = 'lenet' is unknown"),
        ({"max_macs": "3M", "widths": []}, "widths = () must have at least one value, or be left out"),
        ({"max_macs": "3M", "networks": []}, "networks = () must have at least one value"),
        ({"max_macs": "3M", "resolutions": []}, "resolutions = () must have at least one value"),
        ({"max_macs": "3M", "widths": [-1]}, "widths = -1 must be greater than 0"),
        ({"max_macs": "3M", "resolutions": [0]}, "must be at least 1"),
        ({"max_macs": "3M", "resolutions": range(1, 5000)}, "makes a grid of"),
    ],
)
def test_illegal_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError) as caught:
        effviz.find(**arguments)
    assert message in str(caught.value)
