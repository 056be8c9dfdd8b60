"""Networks side by side, aligned stages, and differences whose terms sum exactly."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest
from examples import designs, scalings
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz import Design, DesignError, Stage
from effviz.studies.compare.difference import QUANTITIES, by_kind, by_stage, factors, is_scaling
from effviz.studies.compare.networks import (
    MEASURES,
    PRESETS,
    ComparedRow,
    Known,
    counted,
    front,
    phone_latency,
    phones,
    preset,
    published_top1,
)
from effviz.studies.compare.stages import ADDED, EDITED, REMOVED, SAME, aligned, aligned_stages
from effviz.studies.network_text import Network, network_of, parse_network

some = designs() | scalings()
MEMORIES = st.sampled_from(("fused", "paper", "eager"))


# --- the terms of a difference ----------------------------------------------------------------------------------------


@pytest.mark.slow
@given(some, some, MEMORIES)
@settings(max_examples=examples(40), deadline=None)
def test_the_terms_sum_to_the_difference(one: Design, other: Design, memory: str) -> None:
    before, after = (effviz.analyze(design, memory=memory) for design in (one, other))
    for quantity in QUANTITIES:
        # The totals of a report are computed without its sums by stage and kind.
        difference = getattr(after, quantity) - getattr(before, quantity)
        assert sum(term.value for term in by_stage(before, after, quantity)) == difference
        assert sum(term.value for term in by_kind(before, after, quantity)) == difference


@pytest.mark.slow
@given(some, some)
@settings(max_examples=examples(40), deadline=None)
def test_an_alignment_keeps_every_stage_and_its_order(one: Design, other: Design) -> None:
    pairs = aligned_stages(one, other)
    for design, stages in zip((one, other), zip(*pairs, strict=True), strict=True):
        built = list(dict.fromkeys(entry.path.partition(".")[0] for entry in design.blocks()))
        assert [stage.name for stage in stages if stage is not None] == built
    for pair in pairs:
        assert (pair.status == EDITED) == bool(pair.changes)
    assert all(pair.status == SAME for pair in aligned_stages(one, one))


def test_an_alignment_is_the_cheapest() -> None:
    """Compared with all alignments of short texts, by the distance of Levenshtein."""

    def distance(old: str, new: str) -> int:
        if not old or not new:
            return 3 * (len(old) + len(new))
        paired = 4 * (old[0] != new[0]) + distance(old[1:], new[1:])
        return min(paired, 3 + distance(old[1:], new), 3 + distance(old, new[1:]))

    for old, new in (("kitten", "sitting"), ("abc", ""), ("", "ab"), ("aabb", "bbaa"), ("stage", "gates")):
        pairs = aligned(old, new, lambda one, other: 4 * (one != other), 3)
        costs = [3 if one is None or other is None else 4 * (one != other) for one, other in pairs]
        assert sum(costs) == distance(old, new), (old, new)
        assert "".join(one for one, _ in pairs if one) == old
        assert "".join(other for _, other in pairs if other) == new


# --- what changed -----------------------------------------------------------------------------------------------------


def changes(one: Design, other: Design) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {pair.name: (pair.status, pair.changes) for pair in aligned_stages(one, other) if pair.status != SAME}


def test_edits_of_a_table_are_found() -> None:
    base = effviz.architecture("mobilenet_v2")
    rows = list(base.stages)
    names = [row.name for row in rows]
    rows[names.index("stem")] = rows[0].with_changes(out_channels=24)
    rows[names.index("stage3")] = rows[names.index("stage3")].with_changes(kernel_size=5, repeats=5)
    rows.insert(names.index("stage5"), Stage("mbconv", 80, name="extra"))
    del rows[names.index("stage7") + 1]
    edited = Design("edited", tuple(rows), width_rule=base.width_rule)
    assert changes(base, edited) == {
        "stem": (EDITED, ("out channels 32 → 24",)),
        "stage3": (EDITED, ("2 blocks added", "kernel size 3 → 5")),
        "extra": (ADDED, ()),
        "stage7": (REMOVED, ()),
    }
    assert changes(edited, base)["stage3"] == (EDITED, ("2 blocks removed", "kernel size 5 → 3"))
    assert (changes(edited, base)["extra"], changes(edited, base)["stage7"]) == ((REMOVED, ()), (ADDED, ()))


def test_b4_is_a_wider_and_deeper_b0() -> None:
    found = changes(effviz.architecture("efficientnet_b0"), effviz.architecture("efficientnet_b4"))
    assert found["stage2"] == (EDITED, ("2 blocks added", "out channels 24 → 32"))
    assert found["classifier"] == (EDITED, ("dropout 0.2 → 0.4",))
    assert "pool" not in found


def test_a_convolution_is_never_aligned_with_a_pooling_or_a_linear_layer() -> None:
    pairs = aligned_stages(effviz.architecture("vgg16"), effviz.architecture("resnet50"))
    for pair in pairs:
        if pair.before is not None and pair.after is not None:
            assert {block.role for block in pair.before.blocks} & {block.role for block in pair.after.blocks}
    assert {pair.before.name for pair in pairs if pair.status == REMOVED and pair.before} >= {"fc1", "fc2"}


def test_very_long_tables_are_aligned_in_order() -> None:
    def long(count: int) -> Design:
        return Design("long", tuple(Stage("conv", 8, name=f"s{place}") for place in range(count)), resolution=8)

    pairs = aligned_stages(long(150), long(160))
    assert [pair.status for pair in pairs] == [SAME] * 150 + [ADDED] * 10


# --- two scalings of one network --------------------------------------------------------------------------------------


def test_why_b4_costs_eleven_times_b0() -> None:
    found = factors(effviz.architecture("efficientnet_b0"), effviz.architecture("efficientnet_b4"))
    assert f"{float(found.ratio):.1f}" == "11.4"
    depth, width, resolution = found.factors
    assert (depth.nominal, width.nominal) == (Fraction("1.8"), Fraction("1.96"))
    assert resolution.nominal == Fraction(380, 224) ** 2
    # Seven stages have 1, 2, 2, 3, 3, 4 and 1 blocks; times 1.8, rounded up, they are 2, 4, 4, 6, 6, 8 and 2.
    assert depth.rounding > Fraction("1.1")
    # 224 is halved to 7 without a remainder, 380 to 11.875.
    assert resolution.rounding > 1


@st.composite
def two_scalings(draw: st.DrawFn) -> tuple[Design, Design]:
    one = draw(scalings())
    network = network_of(one)
    widths = [width for width, _ in one.width_rule.table] if not one.width_rule.interpolates else []
    width = draw(st.sampled_from(widths)) if widths else draw(st.sampled_from((0.5, 0.75, 1.0, 1.3)))
    groups = {} if network.groups is None else {"groups": network.groups}
    options = {"width_mult": width, "depth_mult": draw(st.sampled_from((0.7, 1.0, 1.5))), **groups}
    other = effviz.architecture(one.name, resolution=draw(st.integers(70, 260)), num_classes=one.num_classes,
                                in_channels=one.in_channels, **options)  # fmt: skip
    return one, other


@pytest.mark.slow
@given(two_scalings())
@settings(max_examples=examples(40), deadline=None)
def test_the_factors_multiply_to_the_ratio(pair: tuple[Design, Design]) -> None:
    one, other = pair
    assert is_scaling(one, other)
    found = factors(one, other)
    macs = [effviz.analyze(design).macs for design in pair]
    assert prod((each.built for each in found.factors), start=Fraction(1)) == Fraction(macs[1], macs[0]) == found.ratio
    assert found.product("nominal") * found.product("fixed") * found.product("rounding") == found.ratio


def test_a_network_of_equal_blocks_has_no_residual() -> None:
    """Three equal rows of pointwise convolutions, whose map has a side that both resolutions divide."""
    rows = tuple(Stage("conv", 16, 2, name=f"s{place}", kernel_size=1, norm=False) for place in range(3))
    base = Design("plain", rows, resolution=8, in_channels=16)
    found = factors(base, base.scaled(depth_mult=2, resolution=16))
    assert [each.built for each in found.factors] == [2, 1, 4]
    assert [(each.fixed, each.rounding) for each in found.factors] == [(1, 1)] * 3


def test_other_networks_are_no_scalings_of_one() -> None:
    b0 = effviz.architecture("efficientnet_b0")
    assert is_scaling(b0, effviz.architecture("efficientnet_b7"))
    assert not is_scaling(b0, effviz.architecture("mobilenet_v2"))
    assert not is_scaling(b0, b0.with_num_classes(10))
    assert not is_scaling(effviz.architecture("shufflenet_v1"), effviz.architecture("shufflenet_v1", groups=8))


def test_a_network_without_multiply_adds_has_no_factors() -> None:
    pool = Design("pool", (Stage("max_pool", name="pool", depth="fixed"),), resolution=8)
    with pytest.raises(DesignError, match="pool has no multiply-adds"):
        factors(pool, pool.scaled(resolution=16))


# --- side by side -----------------------------------------------------------------------------------------------------

# Araujo et al. 2019, distill.pub/2019/computing-receptive-fields, and torchvision's ResNets with the stride in the 3x3.
RECEPTIVE_FIELDS = {"vgg16": 212, "mobilenet_v1": 315, "mobilenet_v1-w0.5": 315, "alexnet": 195, "resnet50": 427}


@pytest.mark.parametrize(("text", "pixels"), RECEPTIVE_FIELDS.items())
def test_receptive_fields_are_those_of_the_literature(text: str, pixels: int) -> None:
    assert counted(parse_network(text).design, "fused").receptive_field.value == pixels


@pytest.mark.parametrize("name", PRESETS)
def test_every_network_of_a_preset_has_a_published_accuracy(name: str) -> None:
    networks = preset(name)
    assert len({network.text for network in networks}) == len(PRESETS[name])
    assert [network.text for network in networks] == list(PRESETS[name])
    for network in networks:
        found = published_top1(network)
        assert found.value is not None, network.text
        assert found.why


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("mobilenet_v2", 71.8, "TF-slim"),
        ("mobilenet_v2-w0.75", 69.8, "TF-slim"),
        ("mobilenet_v2-w0.77", None, "no accuracy is published at this width and resolution"),
        ("mobilenet_v2-d2", None, "no accuracy is published at another depth"),
        ("mobilenet_v2-c10", None, "no accuracy is published for other classes or image channels"),
        ("shufflenet_v1-g8-w0.5", 58.8, "megvii"),
    ],
)
def test_an_unknown_accuracy_has_a_reason(text: str, value: float | None, why: str) -> None:
    found = published_top1(parse_network(text))
    assert found.value == value
    assert found.why.startswith(why)


def test_latencies_of_phones_name_their_source() -> None:
    networks = preset("MobileNets")
    phone = "Pixel 1 single large core, batch 1, TF-Lite"
    assert phone in phones(networks)
    assert phone_latency(parse_network("mobilenet_v2"), phone) == Known(
        64.0, "MobileNetV3 paper arXiv 1905.02244 late version (1024-wide Small head) Table 3"
    )
    unknown = phone_latency(parse_network("vgg16"), phone)
    assert unknown == Known(None, f"no latency is published for {phone} at this width, depth and resolution")
    # 8-bit weights on the same phone are other networks: 44.0 ms.
    assert phone_latency(parse_network("mobilenet_v3_large"), "Pixel 1 large core, TF-Lite").value == 51.2


def test_a_design_of_the_studio_has_no_published_figures() -> None:
    network = Network(Design("mine", (Stage("conv", 8), Stage("flatten", name="flat")), resolution=8))
    row = ComparedRow(network, "mine", counted(network.design, "fused"), published_top1(network),
                      phone_latency(network, ""), Known(None, "not measured"))  # fmt: skip
    for measure in ("top1", "phone", "efficiency"):
        assert row.known(measure).value is None
        assert "not a network of the zoo" in row.known(measure).why
    for measure in MEASURES:
        assert row.known(measure).why


def test_the_front_follows_the_directions() -> None:
    points = [(1.0, 70.0), (2.0, 72.0), (3.0, 71.0), (2.0, 60.0)]
    assert front(points, (-1, 1)) == [0, 1]
    assert front([(-x, y) for x, y in points], (1, 1)) == [0, 1]
    assert front(points, (0, 1)) == []
