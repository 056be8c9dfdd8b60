"""Drafts: edits, invalid rows, storage and invalid links."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from typing import Any

import pytest
from cases import for_each
from examples import designs, rows, scalings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import BLOCKS, Design, DesignError, Stage, analyze, architecture
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.draft import MAX_LINK, Draft, checked
from effviz.model.fields import declared

quiet = settings(
    max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
V2 = architecture("mobilenet_v2")


def names(draft: Draft) -> list[str]:
    return [row.name for row in draft.rows]


# --- edits ----------------------------------------------------------------------------------------------------------


def test_a_network_from_an_empty_table() -> None:
    draft = Draft.empty(resolution=32)
    assert draft.design is None
    draft = draft.add(Stage("conv", 16, stride=2)).add(Stage("mbconv", 24, 2, 2)).add(Stage("linear", 10))
    assert names(draft) == ["stage1", "stage2", "stage3"]
    wanted = Design("any", (Stage("conv", 16, stride=2), Stage("mbconv", 24, 2, 2), Stage("linear", 10)), resolution=32)
    assert checked(draft).design is not None
    assert analyze(checked(draft).design).macs == analyze(wanted).macs


def test_edits_touch_one_row() -> None:
    draft = Draft.of(V2)
    wider = draft.change(3, out_channels=40)
    assert [place for place, pair in enumerate(zip(draft.rows, wider.rows, strict=True)) if len(set(pair)) > 1] == [3]
    assert wider.rows[3].out_channels == 40
    assert wider.change(3, out_channels=draft.rows[3].out_channels) == draft
    assert draft.add(Stage("dropout"), 2).remove(2) == draft
    assert draft.duplicate(4).remove(5) == draft
    assert draft.move(2, 3).move(5, -3) == draft
    assert draft.settings(resolution=160).settings(resolution=224) == draft


def test_a_copy_is_a_separate_stage_at_stride_1() -> None:
    draft = Draft.of(V2).duplicate(2)
    assert draft.rows[2].stride == 2
    assert (draft.rows[3].stride, draft.rows[3].out_channels) == (1, draft.rows[2].out_channels)
    assert len(set(names(draft))) == len(set(names(Draft.of(V2)))) + 1
    built = checked(draft).design
    assert built is not None
    assert analyze(built).params > analyze(V2).params


def test_a_split_stage_becomes_two() -> None:
    draft = Draft(V2, (Stage("conv", 8, name="a"), Stage("conv", 16, name="a"), Stage("conv", 24, name="b")))
    assert names(draft.move(2, -1)) == ["a", "b", "a1"]


def test_edits_of_several_rows() -> None:
    draft = Draft.of(V2)
    chosen = (2, 3, 5)
    assert draft.remove_all(chosen) == draft.remove(5).remove(3).remove(2)
    copied = draft.duplicate_all(chosen)
    assert [row.with_changes(name="", stride=1) for row in copied.rows[6:9]] == [
        draft.rows[each].with_changes(name="", stride=1) for each in chosen
    ]
    assert copied.remove_all((6, 7, 8)) == draft
    assert draft.move_all(chosen, 2).rows[4] == draft.rows[2]
    assert draft.move_all(chosen, 2).move_all((4, 5, 7), -2) == draft
    wider = draft.change_all(range(11), expand_ratio=3.0)
    assert [row.to_dict().get("expand_ratio") for row in wider.rows[2:8]] == [3.0] * 6
    assert wider.rows[0] == draft.rows[0]
    assert draft.change_all(chosen, out_channels=40).change_all((5,), out_channels=96).rows[5] == draft.rows[5]


def test_rows_of_several_stages_become_one_stage() -> None:
    draft = Draft(V2, (Stage("conv", 8, name="a"), Stage("conv", 8, name="b"), Stage("conv", 8, name="b")))
    assert names(draft.change_all((0, 1), name="c")) == ["c", "c", "b"]
    assert names(draft.change_all((1, 2), name="a")) == ["a", "a", "a"]
    with pytest.raises(DesignError, match="neighbouring"):
        draft.change_all((0, 2), name="c")


@pytest.mark.parametrize(("edit", "message"), [
    (lambda draft: draft.remove_all(()), "no row is selected"),
    (lambda draft: draft.move_all((0, 1), -1), "by = -1 must be at least 0"),
    (lambda draft: draft.duplicate_all((11,)), "row = 11 must be at most 10"),
    (lambda draft: draft.change_all((0, 9), expand_ratio=3.0), "no selected row has the attribute expand_ratio"),
])  # fmt: skip
def test_messages_of_edits_of_several_rows(edit: Any, message: str) -> None:
    with pytest.raises(DesignError) as raised:
        edit(Draft.of(V2))
    assert message in str(raised.value)


def test_separable_blocks_divide_the_multiply_adds_of_vgg_by_8() -> None:
    """The factor of VGG-16 with a depthwise separable block in every convolution row, by hand."""
    vgg = Draft.of(architecture("vgg16"))
    found = vgg.change_all(vgg.alike(0), block="depthwise_separable").design
    assert found is not None
    sizes = [(3, 64, 224), (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56), *[(256, 256, 56)] * 2,
             (256, 512, 28), *[(512, 512, 28)] * 2, *[(512, 512, 14)] * 3]  # fmt: skip
    fully_connected = 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    macs = sum(side * side * cin * (9 + cout) for cin, cout, side in sizes) + fully_connected
    assert analyze(found).macs == macs
    assert analyze(architecture("vgg16")).macs / macs == pytest.approx(8.1, abs=0.01)


def test_depth_applies_to_the_whole_stage() -> None:
    draft = Draft(V2, (Stage("conv", 8, name="a"), Stage("conv", 16, name="a"), Stage("conv", 24, name="b")))
    changed = draft.change(1, depth="fixed")
    assert [row.depth for row in changed.rows] == ["fixed", "fixed", "scaled"]


def test_a_new_block_keeps_shared_fields() -> None:
    draft = Draft.of(V2).change(2, kernel_size=5, expand_ratio=3.0)
    other = draft.change(2, block="mbconv").rows[2]
    assert (other.block, other.out_channels, other.stride, other.repeats) == ("mbconv", 24, 2, 2)
    assert dict(other.fields)["kernel_size"] == 5
    assert dict(other.fields)["expand_ratio"] == 3.0
    pooled = draft.change(2, block="max_pool").rows[2]
    assert (pooled.out_channels, pooled.stride) == (None, 2)
    assert draft.change(2, block="max_pool").change(2, block="conv").rows[2].out_channels == 16


@for_each("block", BLOCKS)
@for_each("start", BLOCKS)
def test_any_block_can_become_any_other(start: str, block: str) -> None:
    draft = Draft.empty().add(Stage("conv", 24)).add(Stage("conv", 16)).change(1, block=start)
    assert draft.change(1, block=block).rows[1].block == block


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda draft: draft.remove(99), "row = 99 must be at most 10"),
        (lambda draft: draft.move(0, -1), "row = -1 must be at least 0"),
        (lambda draft: draft.change(0, out_channels=0), "out_channels = 0 must be at least 1"),
        (lambda draft: draft.change(0, name="stage3"), "stage name = 'stage3' must be used by neighbouring rows only"),
        (lambda draft: draft.settings(resolution=0), "resolution = 0 must be at least 1"),
        (lambda draft: draft.add(Stage("conv", 8), 12), "at = 12 must be at most 11"),
    ],
)
def test_whole_message(edit: Any, message: str) -> None:
    with pytest.raises(DesignError) as raised:
        edit(Draft.of(V2))
    assert str(raised.value) == message


def test_a_recipe_is_the_same_in_all_rows() -> None:
    first = Recipe("mine", (RecipeStep("depthwise"), RecipeStep("conv", kernel_size=1)))
    draft = Draft.of(V2).define(first, 2).define(first, 4)
    assert [row.block for row in draft.rows].count("composed") == 2
    second = Recipe("mine", (RecipeStep("conv", kernel_size=3),), shortcut=True)
    again = draft.define(second, 2)
    assert again.recipes == (second,)
    assert draft.define(second).recipes == (second,)
    assert Draft.of(V2).define(second).recipes == ()


# --- errors ---------------------------------------------------------------------------------------------------------


def test_rows_above_an_invalid_row_are_counted() -> None:
    draft = Draft.of(V2).change(0, out_channels=24).add(Stage("conv", 30, groups=7), 1)
    found = checked(draft)
    assert found.fault is not None
    assert (found.fault.row, found.fault.problem) == (1, "groups = 7 must divide in_channels = 24")
    assert found.design is not None
    assert analyze(found.design).params == 24 * 27 + 48


def test_nothing_is_counted_if_the_first_row_is_invalid() -> None:
    found = checked(Draft.empty().add(Stage("conv", 8, groups=2)))
    assert found.design is None
    assert found.fault is not None
    assert found.fault.row == 0


EDITS = (
    "add", "remove", "duplicate", "move", "block", "field", "settings",
    "remove_all", "duplicate_all", "move_all", "change_all",
)  # fmt: skip
CHANGES: tuple[dict[str, Any], ...] = (
    {"block": "depthwise_separable"}, {"out_channels": 40}, {"kernel_size": 5, "repeats": 2}, {"stride": 1},
    {"name": "joined"}, {"depth": "fixed"}, {"expand_ratio": 3.0}, {"se_ratio": 0.25},
)  # fmt: skip


@quiet
@given(design=designs(), data=st.data())
def test_any_sequence_of_edits(design: Design, data: st.DataObject) -> None:
    """Each edit gives a draft or a `DesignError`; a draft is counted up to its first invalid row and stored."""
    draft = Draft.of(design)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(-1, len(draft.rows)))
        chosen = st.sets(st.integers(-1, len(draft.rows)), max_size=5)
        edit = data.draw(st.sampled_from(EDITS))
        with contextlib.suppress(DesignError):
            if edit == "add":
                row = data.draw(rows("", "scaled"))
                draft = draft.add(row, place) if row else draft
            elif edit in ("remove", "duplicate"):
                draft = getattr(draft, edit)(place)
            elif edit in ("remove_all", "duplicate_all"):
                draft = getattr(draft, edit)(data.draw(chosen))
            elif edit == "move_all":
                draft = draft.move_all(data.draw(chosen), data.draw(st.integers(-3, 3)))
            elif edit == "change_all":
                draft = draft.change_all(data.draw(chosen), **data.draw(st.sampled_from(CHANGES)))
            elif edit == "move":
                draft = draft.move(place, data.draw(st.integers(-3, 3)))
            elif edit == "block":
                draft = draft.change(place, block=data.draw(st.sampled_from(sorted(BLOCKS))))
            elif edit == "field" and 0 <= place < len(draft.rows):
                known = declared(BLOCKS[draft.rows[place].block])
                change = {field.name: data.draw(st.sampled_from((*field.choices, field.default))) for field in known}
                draft = draft.change(place, **change, repeats=data.draw(st.integers(0, 3)))
            else:
                draft = draft.settings(resolution=data.draw(st.integers(0, 64)))
    found = checked(draft)
    if found.fault is None:
        assert found.design == draft.design
    else:
        assert (len(found.design.stages) if found.design else 0) == found.fault.row
        assert draft.design is not None
        with pytest.raises(DesignError):
            draft.design.blocks()
    if found.design:
        assert analyze(found.design).design == found.design
    assert Draft.from_json(draft.to_json()) == draft
    assert Draft.unpacked(draft.packed()) == draft


# --- storage --------------------------------------------------------------------------------------------------------


@quiet
@given(design=scalings())
def test_every_network_at_any_multiplier_fits_into_a_link(design: Design) -> None:
    packed = Draft.of(design).packed()
    assert len(packed) <= MAX_LINK
    assert Draft.unpacked(packed).design == design


def test_a_draft_without_rows_keeps_its_settings() -> None:
    draft = Draft.empty(resolution=96).settings(title="Mine", width_mult=0.5)
    assert Draft.unpacked(draft.packed()) == draft
    assert Draft.from_json(draft.to_json(indent=2)) == draft


def test_recipes_are_stored() -> None:
    recipe = Recipe("mine", (RecipeStep("depthwise", kernel_size=5), RecipeStep("conv", kernel_size=1)), shortcut=True)
    draft = Draft.empty().add(Stage("composed", 16, recipe=recipe))
    assert Draft.unpacked(draft.packed()) == draft


def squeezed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(raw)).decode().rstrip("=")


@for_each(
    "text",
    [
        "", "a", "====", "é", "eJw", "x" * 5000, squeezed(b""), squeezed(b"null"), squeezed(b"[]"), squeezed(b"{}"),
        squeezed(b'{"stages": []}'), squeezed(b'{"stages": [], "name": 5, "version": 1}'), squeezed(b"\xff\xfe"),
        squeezed(b"[" * 100_000), squeezed(bytes(3_000_000)), Draft.of(V2).packed()[:-9],
        Draft.of(V2).packed() + "AAAA",
        squeezed(json.dumps(json.loads(V2.to_json()) | {"resolution": 10**9}).encode()),
    ],
)  # fmt: skip
def test_hostile_links_raise_only_design_errors(text: str) -> None:
    with pytest.raises(DesignError):
        Draft.unpacked(text)


@pytest.mark.parametrize("value", [None, 5, b"abc", [], {}, V2])
def test_only_text_is_a_link(value: Any) -> None:
    with pytest.raises(DesignError, match=r"^design = .* must be text$"):
        Draft.unpacked(value)


@quiet
@given(text=st.text() | st.binary().map(squeezed) | st.text(st.characters(codec="ascii")))
def test_fuzzed_links(text: str) -> None:
    with contextlib.suppress(DesignError):
        Draft.unpacked(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@quiet
@given(data=st.data())
def test_fuzzed_json(data: st.DataObject) -> None:
    """A design with one value replaced or removed."""
    document = json.loads(data.draw(st.sampled_from((V2, architecture("shufflenet_v2")))).to_json())
    place, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(place[key], (dict, list)) and place[key] and data.draw(st.integers(0, 3)):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    if data.draw(st.booleans()):
        place[key] = data.draw(json_values)
    else:
        del place[key]
    with contextlib.suppress(DesignError):
        draft = Draft.from_json(json.dumps(document))
        assert Draft.from_json(draft.to_json()) == draft
        checked(draft)


def test_a_repeated_key_is_an_error_in_an_empty_table_too() -> None:
    text = Draft.empty().to_json()
    assert Draft.from_json(text) == Draft.empty()
    with pytest.raises(DesignError, match="'name' is repeated in one JSON object"):
        Draft.from_json(text.replace('"name"', '"name":"first","name"', 1))
