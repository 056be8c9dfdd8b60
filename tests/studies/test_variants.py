"""The itemized difference between a variant and the default adds up to the unit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effviz import DesignError, analyze, architecture
from effviz.studies.variants import VariantTerm, compared, itemized, variant_title
from effviz.zoo import GROUPS, VARIANTS, list_variants

PAIRS = [(name, each) for name in VARIANTS for each in VARIANTS[name]]


@pytest.mark.slow
@given(
    pair=st.sampled_from(PAIRS), width=st.floats(0.25, 2), depth=st.sampled_from((0.5, 1, 1.3)),
    side=st.sampled_from((96, 160, 224)), classes=st.sampled_from((10, 1000)),
)  # fmt: skip
def test_terms_sum_to_the_difference(
    pair: tuple[str, str], width: float, depth: float, side: int, classes: int
) -> None:
    name, each = pair
    scales = architecture(name).width_rule.table
    if scales:
        width = min((scale for scale, _ in scales), key=lambda scale: abs(scale - width))
    options: dict[str, Any] = {
        "width_mult": width, "depth_mult": depth, "resolution": side, "num_classes": classes,
    }  # fmt: skip
    default, other = architecture(name, **options), architecture(name, variant=each, **options)
    terms = itemized(default, name, each)
    before, after = analyze(default), analyze(other)
    assert sum(term.params for term in terms) == after.params - before.params
    assert sum(term.macs for term in terms) == after.macs - before.macs
    (row,) = (row for row in compared(default, name) if row.name == each)
    assert (row.params, row.macs) == (after.params, after.macs)


def test_terms_of_teaching_code() -> None:
    """Stage 3 of width 0.85: 27.2 channels are 24 or 32 in multiples of 8, and 27 truncated."""
    design = architecture("mobilenet_v2", width_mult=0.85)
    widths, head = "widths max(8, int(c * w))", "head scaled below width 1 too"
    assert itemized(design, "mobilenet_v2", "teaching") == (
        VariantTerm(widths, "stem: 32 → 27 channels", -280, -3_261_440),
        VariantTerm(widths, "stage1: 16 → 13 channels", -1_275, -9_426_816),
        VariantTerm(widths, "stage2: 24 → 20 channels", -4_888, -12_362_112),
        VariantTerm(widths, "stage3: 32 → 27 channels", -12_330, -8_214_360),
        VariantTerm(widths, "stage4: 56 → 54 channels", -11_164, -2_147_376),
        VariantTerm(widths, "stage5: 80 → 81 channels", 6_210, 1_073_982),
        VariantTerm(head, "head: 1280 → 1088 channels", -244_608, -2_750_976),
    )


def test_biases_of_keras() -> None:
    """One bias for every channel with batch norm; the stride changes multiply-adds only."""
    stride, biases, stem = itemized(architecture("resnet50"), "resnet50", "keras")
    assert (stride.params, stride.macs) == (0, 3_857_973_248 - 4_089_184_256)
    assert (biases.params, biases.macs, stem.params, stem.macs) == (26_560 - 64, 0, 64, 0)


def test_squeeze_without_biases() -> None:
    """16 channels of SELayer: the squeeze of 16 becomes 1, and 8 + 16 biases go."""
    (term,) = itemized(architecture("mobilenet_v3_small"), "mobilenet_v3_small", "teaching_se")
    wide = (16, 96, 240, 240, 120, 144, 288, 576, 576)
    squeezed = (8, 24, 64, 64, 32, 40, 72, 144, 144)
    assert term.params == sum(2 * c * (c // 16) - (2 * c * s + c + s) for c, s in zip(wide, squeezed, strict=True))


def test_the_default_has_no_terms() -> None:
    assert itemized(architecture("densenet121"), "densenet121", "paper") == ()
    assert [row.name for row in compared(architecture("densenet121"), "densenet121")] == ["paper"]


def test_a_variant_that_cannot_be_built_has_no_counts() -> None:
    design = architecture("shufflenet_v1", groups=8, width_mult=1.5)
    found = {row.name: row.params for row in compared(design, "shufflenet_v1", 8)}
    assert found == {"paper": analyze(design).params, "authors": analyze(design).params - 1000, "teaching": None}
    with pytest.raises(DesignError, match="width_mult"):
        itemized(design, "shufflenet_v1", "teaching", 8)


def test_titles_of_one_network_differ() -> None:
    for name in VARIANTS:
        for groups in GROUPS.get(name, (None,)):
            titles = [variant_title(name, each, groups) for each in list_variants(name)]
            assert len(set(titles)) == len(titles)
