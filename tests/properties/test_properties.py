"""Laws that hold for every design: scaling, storage, and the agreement of totals, table and torch.

All draws are derandomised: the same designs on every run and every machine.
"""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction
from typing import Any

import pytest
from cases import for_each
from examples import (
    SHUFFLENET_V1_SCALES,
    SMALLEST,
    Counts,
    designs,
    measured,
    names,
    reported,
    scalings,
    widths,
)
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import (
    Design,
    DesignError,
    Report,
    Stage,
    analyze,
    architecture,
    build,
    compound_scale,
    list_architectures,
)
from effviz.core.caches import forget
from effviz.core.rounding import ceil, make_divisible

every_architecture = for_each("name", list_architectures())
UNSCALED = [
    name for name in list_architectures() if architecture(name).width_mult == architecture(name).depth_mult == 1
]
factors = st.floats(0.3, 3) | st.sampled_from((0.1, 0.25, 0.7, 1.1, 1.2, 1.4, 2.2))


def repeatable(number: int) -> settings:
    return settings(
        max_examples=examples(number),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def built(design: Design) -> list[tuple[Any, ...]]:
    """Return path, block and input shape of each block; equal lists mean equal networks."""
    return [(entry.path, entry.block, entry.shape) for entry in design.blocks()]


# --- scaling ------------------------------------------------------------------------------------------------------


@every_architecture
def test_scaling_by_one_is_the_identity(name: str) -> None:
    design = architecture(name)
    for same in (
        design.scaled(),
        design.scaled(width_mult=1, depth_mult=1.0, resolution=design.resolution),
        architecture(name, width_mult=1, depth_mult=1),
        architecture(name, num_classes=1000),
        compound_scale(design, 0),
        compound_scale(design, 1, 1, 1, 1),
    ):
        assert same == design
        assert hash(same) == hash(design)
        assert same.to_json() == design.to_json()


@given(design=designs())
@repeatable(10)
def test_scaling_a_random_design_by_one_is_the_identity(design: Design) -> None:
    assert design.scaled() == design
    assert hash(design.scaled()) == hash(design)
    assert built(design.scaled()) == built(design)


@given(name=st.sampled_from(UNSCALED), a=factors, b=factors)
@repeatable(20)
def test_multipliers_multiply(name: str, a: float, b: float) -> None:
    assert architecture(name).scaled(depth_mult=a).scaled(depth_mult=b) == architecture(name, depth_mult=a * b)
    assume(name != "shufflenet_v1")
    assert architecture(name, width_mult=a).scaled(width_mult=b) == architecture(name, width_mult=a * b)


@given(name=names, a=factors, b=factors)
@repeatable(20)
def test_multipliers_multiply_on_variants_too(name: str, a: float, b: float) -> None:
    """B3 is B0 with multipliers. Products of three floats differ in the last bit; the networks must not differ."""
    options = {"depth_mult": a} if name == "shufflenet_v1" else {"width_mult": a, "depth_mult": a}
    scaled = dict.fromkeys(options, b)
    at_once = dict.fromkeys(options, a * b)
    try:
        expected = built(architecture(name, **at_once))
    except DesignError:
        assume(False)
    assert built(architecture(name, **options).scaled(**scaled)) == expected


@given(design=designs(), factor=st.integers(2, 99))
@repeatable(10)
def test_scaling_back_restores_the_network(design: Design, factor: int) -> None:
    """49 * (1 / 49) is not exactly 1 in floats, but unrounded widths are kept."""
    base = design.scaled(width_mult=1 / design.width_mult, depth_mult=1 / design.depth_mult)
    there = base.scaled(width_mult=factor, depth_mult=factor)
    back = there.scaled(width_mult=1 / factor, depth_mult=1 / factor)
    rows = [entry.row for entry in base.blocks()]
    assert rows == [entry.row for entry in back.blocks()]
    assert built(back) == built(Design(**{**vars(base), "width_mult": 1.0, "depth_mult": 1.0}))


def test_scaling_back_keeps_unrounded_widths() -> None:
    design = Design("odd", (Stage("conv", 30), Stage("dense_layer", growth=5), Stage("fire", squeeze=7)), resolution=8)
    assert built(design.scaled(width_mult=49).scaled(width_mult=1 / 49)) == built(design)


@given(data=st.data(), name=names)
@repeatable(15)
def test_wider_costs_at_least_as_much(data: st.DataObject, name: str) -> None:
    if name == "shufflenet_v1":
        groups = data.draw(st.sampled_from(sorted(SHUFFLENET_V1_SCALES)))
        scales = SHUFFLENET_V1_SCALES[groups]
        pair = sorted((data.draw(st.sampled_from(scales)), data.draw(st.sampled_from(scales))))
        narrow, wide = (architecture(name, groups=groups, width_mult=width) for width in pair)
    else:
        pair = sorted(data.draw(widths(name))["width_mult"] for _ in range(2))
        narrow, wide = (architecture(name, width_mult=width) for width in pair)
    assert analyze(narrow).params <= analyze(wide).params
    assert analyze(narrow).macs <= analyze(wide).macs
    assert narrow.num_classes == wide.num_classes == 1000


@given(name=names, pair=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)))
@repeatable(15)
def test_deeper_costs_at_least_as_much(name: str, pair: tuple[float, float]) -> None:
    shallow, deep = (architecture(name, depth_mult=depth) for depth in sorted(pair))
    assert analyze(shallow).params <= analyze(deep).params
    assert analyze(shallow).macs <= analyze(deep).macs
    assert shallow.num_classes == deep.num_classes == 1000


@given(data=st.data(), name=names)
@repeatable(10)
def test_params_do_not_depend_on_the_resolution(data: st.DataObject, name: str) -> None:
    sides = st.integers(SMALLEST.get(name, 32), 512)
    small, large = sorted((data.draw(sides), data.draw(sides)))
    design = architecture(name)
    assert analyze(design, small).params == analyze(design, large).params == analyze(design).params
    assert analyze(design, small).macs <= analyze(design, large).macs
    assert analyze(design, small).peak_activation <= analyze(design, large).peak_activation
    assert analyze(design.scaled(resolution=small)).macs == analyze(design, small).macs


@given(name=names, thousandths=st.integers(1, 4000))
@repeatable(20)
def test_depth_is_the_ceiling_per_stage(name: str, thousandths: int) -> None:
    base = architecture(name)
    assume(base.depth_mult == 1)
    design = base.scaled(depth_mult=thousandths / 1000)
    totals: dict[str, int] = {}
    for row in base.stages:
        totals[row.name] = totals.get(row.name, 0) + row.repeats
    found: dict[str, list[int]] = {}
    for entry in design.blocks():
        found.setdefault(design.stages[entry.row].name, []).append(entry.row)
    for row in base.stages:
        wanted = (
            math.ceil(Fraction(thousandths, 1000) * totals[row.name]) if row.depth == "scaled" else totals[row.name]
        )
        assert len(found[row.name]) == max(1, wanted), row.name
    assert list(found) == list(dict.fromkeys(row.name for row in base.stages))
    for rows in found.values():
        assert rows == sorted(rows)
        assert rows[0] == next(index for index, row in enumerate(base.stages) if row.name == base.stages[rows[0]].name)
    # The first blocks of stages have the strides and stay, so the resolution does not change.
    assert design.blocks()[-1].shape[1:] == base.blocks()[-1].shape[1:]


def test_depth_is_guarded_against_float_noise() -> None:
    assert 2.2 * 25 > 55
    assert ceil(2.2 * 25) == 55
    rows = (Stage("conv", 8, 25, name="body"),)
    assert len(Design("deep", rows, resolution=8).scaled(depth_mult=2.2).blocks()) == 55
    assert len(Design("deep", rows, resolution=8).scaled(depth_mult=1.1).scaled(depth_mult=2).blocks()) == 55
    assert len(Design("deep", rows, resolution=8).scaled(depth_mult=1e-9).blocks()) == 1


def test_deeper_stage_repeats_its_last_row_at_stride_1() -> None:
    rows = (Stage("conv", 8, 1, 2, name="a"), Stage("conv", 16, 2, 2, name="a", kernel_size=5))
    blocks = [entry.block for entry in Design("rows", rows, resolution=64, depth_mult=5 / 3).blocks()]
    described = [tuple(vars(block)[key] for key in ("out_channels", "stride", "kernel_size")) for block in blocks]
    assert described == [(8, 2, 3), (16, 2, 5), (16, 1, 5), (16, 1, 5), (16, 1, 5)]


@given(value=st.floats(0.001, 1e6), divisor=st.integers(1, 64), minimum=st.none() | st.integers(1, 64))
@repeatable(50)
def test_rounding_rule(value: float, divisor: int, minimum: int | None) -> None:
    width = make_divisible(value, divisor, minimum)
    assert width >= (minimum or divisor)
    assert width >= 0.9 * value - 1e-6
    assert width <= max(minimum or divisor, value) + divisor
    if width > (minimum or divisor) + divisor:
        assert width % divisor == 0
    assert make_divisible(value * 1.5, divisor, minimum) >= width


@given(base=st.integers(1, 2048), ratio=st.fractions(0, 4, max_denominator=40), divisor=st.sampled_from([1, 4, 8, 16]))
@repeatable(50)
@example(base=40, ratio=Fraction(4, 9), divisor=8)  # 16 is 90 % of it, to the last digit
@example(base=240, ratio=Fraction(23, 20), divisor=8)
def test_rounding_rule_decides_ties_as_fractions_do(base: int, ratio: Fraction, divisor: int) -> None:
    wide = base * ratio
    near = max(divisor, int((wide + Fraction(divisor, 2)) // divisor) * divisor)
    expected = near + divisor if near < Fraction(9, 10) * wide else near
    assert make_divisible(base * float(ratio), divisor) == expected


# --- storage ------------------------------------------------------------------------------------------------------


@given(design=designs(), indent=st.sampled_from((None, 1, 4)))
@repeatable(20)
def test_json_round_trip(design: Design, indent: int | None) -> None:
    text = design.to_json(indent=indent)
    for again in (Design.from_json(text), Design.from_json(text.encode())):
        assert again == design
        assert hash(again) == hash(design)
        assert again.to_json(indent=indent) == text
        assert built(again) == built(design)


@given(design=scalings())
@repeatable(6)
def test_json_round_trip_of_the_zoo(design: Design) -> None:
    again = Design.from_json(design.to_json())
    assert again == design
    assert reported(analyze(again)) == reported(analyze(design))


@every_architecture
def test_copies_are_equal(name: str) -> None:
    """Processes pickle designs, and sessions copy them."""
    design = architecture(name, width_mult=1.0, depth_mult=1.3)
    for again in (pickle.loads(pickle.dumps(design)), copy.deepcopy(design), copy.copy(design)):
        assert again == design
        assert hash(again) == hash(design)
        assert built(again) == built(design)


def test_unnamed_rows_do_not_join_a_neighbour() -> None:
    """Rows of one stage share its depth, so only rows with an explicit common name form a stage."""
    rows = (
        Stage("conv", 8, 2, name="stage1"),
        Stage("conv", 8, 2),
        Stage("conv", 8, 2),
        Stage("conv", 8, name="stage0"),
    )
    stages = Design("names", rows, resolution=8).stages
    assert len({row.name for row in stages}) == 4
    assert stages[0].name == "stage1"


# --- totals, table and torch ----------------------------------------------------------------------------------------


@given(design=scalings())
@repeatable(5)
def test_caches_do_not_change_the_result(design: Design) -> None:
    """Without caches, with caches, and after other networks."""
    first = reported(analyze(design))
    forget()
    analyze(architecture("ghostnet"))
    assert reported(analyze(design)) == first
    assert reported(analyze(design)) == first


def assert_consistent(design: Design) -> None:
    """Check that the sums of the table, the totals and torch agree."""
    module = build(design, device="meta")
    modules = dict(module.named_modules())
    expected = measured(module, design.input_shape())
    for memory in ("eager", "paper", "fused"):
        report = analyze(design, memory=memory)
        table: Any = report.table
        for column in ("params", "macs", "flops", "memory_access"):
            assert table[column].sum() == getattr(report, column), (memory, column)
        assert table.alive.max() == report.peak_activation, "the peaks of table and total differ"
        assert set(table.path) <= set(modules)
        assert reported(report) == expected


@given(design=designs())
@repeatable(25)
def test_random_designs(design: Design) -> None:
    assert_consistent(design)


def _rows(*rows: Stage) -> Design:
    return Design("rows", (Stage("conv", 8, norm=False, activation="none", name="stem"), *rows), resolution=12)


CROSSING = {
    "bias and batch norm": _rows(Stage("norm_act")),
    "batch norm without bias": _rows(Stage("conv", 8, norm=False, bias=False, activation="none"), Stage("norm_act")),
    "batch norm twice": _rows(Stage("norm_act", activation="none"), Stage("norm_act", activation="none")),
    "through a view": _rows(Stage("dropout"), Stage("norm_act"), Stage("dropout", p=0.1), Stage("norm_act")),
    "activation after batch norm": _rows(Stage("norm_act", activation="none"), Stage("norm_act")),
    "into a dense layer": _rows(Stage("dense_layer", None, 3, growth=4), Stage("transition", stride=2)),
    "into a transition": _rows(Stage("transition", stride=2), Stage("norm_act"), Stage("transition")),
    "after a merge": _rows(Stage("basic_block", 8, activation="none"), Stage("norm_act"), Stage("squeeze_excite")),
    "after a gate": _rows(Stage("squeeze_excite"), Stage("norm_act", activation="none")),
    "after a shuffle": _rows(Stage("channel_shuffle"), Stage("norm_act")),
    "after pooling": _rows(Stage("max_pool", stride=2), Stage("norm_act")),
    "after a cut": _rows(Stage("ghost_module", 7, activation="none"), Stage("norm_act"), Stage("conv", 7)),
    "a cut keeps the whole alive": _rows(Stage("ghost_module", 33, ratio=16), Stage("conv", 64)),
    "a cut of a cut": _rows(Stage("ghost_module", 9, ratio=4), Stage("dropout"), Stage("ghost_module", 9, ratio=4)),
    "a flattened cut": _rows(Stage("ghost_module", 1, ratio=16), Stage("linear", 5)),
    "only views after the stem": _rows(Stage("dropout"), Stage("flatten")),
}


@pytest.mark.parametrize("case", CROSSING)
def test_folding_across_blocks(case: str) -> None:
    """Totals are sums over blocks, but fusion crosses the borders of blocks."""
    assert_consistent(CROSSING[case])


def test_sums_beyond_64_bits() -> None:
    """A legal but huge network: the sum of a column must not overflow silently."""
    rows = (Stage("conv", 2**15, kernel_size=1), *(Stage("conv", 2**17, kernel_size=1) for _ in range(4)))
    report = analyze(Design("vast", rows, resolution=2**14))
    table: Any = report.table
    assert report.macs > 2**63
    assert sum(int(each) for each in table.macs) == report.macs
    assert table.macs.sum() == report.macs
    assert table.flops.sum() == report.flops


def test_row_with_its_own_stochastic_depth() -> None:
    """The rate of the design, 0 in the first block, must not remove a layer of the report."""
    rows = (Stage("mbconv", 8, drop_prob=0.5, name="own"), Stage("mbconv", 8, 2, name="designs"))
    assert_consistent(Design("drop", rows, in_channels=8, resolution=12, stochastic_depth=0.2))


def test_network_without_arithmetic_has_the_peak_of_its_input() -> None:
    design = Design("views", (Stage("dropout"), Stage("flatten")), resolution=4)
    assert analyze(design).peak_activation == measured(build(design, device="meta"), (3, 4, 4)).peak == 48


def _on_torch(design: Design, report: Report) -> Counts:
    return measured(build(design, device="meta"), report.input_shape)


@pytest.mark.parametrize("quarter", range(4))
@given(data=st.data())
@repeatable(4)
def test_random_scalings_of_the_zoo(quarter: int, data: st.DataObject) -> None:
    """In quarters, so that several processes can share the work."""
    design = data.draw(scalings(st.sampled_from(list_architectures()[quarter::4])))
    report = analyze(design)
    assert reported(report) == _on_torch(design, report)
    assert report.steps[-1].output.shape == (design.num_classes,)
