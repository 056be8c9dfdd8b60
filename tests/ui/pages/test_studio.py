"""The studio: any edit, any link, any import leaves a page that counts what can be built and says what cannot."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from examples import recipes
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import counted_cards, line, open_page, run
from streamlit.testing.v1 import AppTest

import effviz
from effviz import ARCHITECTURES, DesignError, Stage
from effviz.advice.budgets import PRESETS, QUANTITIES, format_share
from effviz.advice.lint import lint
from effviz.core.units import si
from effviz.measure import latency as latencies
from effviz.model.blocks.composed import EXAMPLE, Part, Recipe
from effviz.model.draft import Draft, checked
from effviz.studies.studio import recipe_of, steps_of
from effviz.ui import links
from effviz.ui.page_parts.studio.draft import EMPTY

PATH = "studio"
V2 = Draft.of(effviz.architecture("mobilenet_v2"))
WRONG = V2.change(2, block="conv", groups=7)


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


def opened(draft: Draft = V2, **query: str) -> AppTest:
    return open_page(PATH, design=draft.packed(), **query)


def held(at: AppTest) -> str:
    """What the address holds of the draft."""
    found = at.query_params.get("design", "")
    return str(found[0] if isinstance(found, list) else found)


def shown(at: AppTest) -> Draft:
    """The draft that the address holds."""
    return Draft.unpacked(held(at)) if held(at) else V2


def table(at: AppTest) -> pd.DataFrame:
    (found,) = (entry.value for entry in at.dataframe if entry.key == "studio_rows")
    return found


def told(at: AppTest) -> str:
    return html.unescape(markup(at))


def markup(at: AppTest) -> str:
    return "\n".join(entry.proto.body for entry in at.html)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return run(at)


def put(at: AppTest, key: str, value: Any) -> AppTest:
    widget = next(
        entry for entry in (*at.number_input, *at.selectbox, *at.text_input, *at.text_area) if entry.key == key
    )
    widget.set_value(value)
    return run(at)


def taken_in(at: AppTest, text: str) -> AppTest:
    return press(put(at, "import_text", text), "import_now")


def fits(at: AppTest) -> None:
    """The headline and the table are the engine's."""
    found = checked(shown(at)).design
    if found is None:
        return
    report = effviz.analyze(found)
    assert [card.value for card in counted_cards(at)] == [
        si(report.params), si(report.macs), si(report.memory_access), si(report.peak_activation)
    ]  # fmt: skip
    assert table(at)["Parameters"].sum() == report.params
    assert table(at)["Multiply-adds"].sum() == report.macs


# --- editing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_any_network_can_be_started_from(name: str) -> None:
    at = put(open_page(PATH), "start", name)
    assert shown(at).design == effviz.architecture(name)
    fits(at)
    again = opened(shown(at))
    assert [card.value for card in again.metric] == [card.value for card in at.metric]
    assert line(again) == ""


def test_from_nothing_to_a_network_that_fits() -> None:
    at = put(open_page(PATH), "start", EMPTY)
    assert not at.metric
    for block, channels in (("conv", 16), ("depthwise_separable", 32), ("global_avg_pool", None), ("linear", 10)):
        press(at, "row_add")
        put(at, "row_block", block)
        if channels:
            put(at, "row_out_channels", channels)
    fits(at)
    assert list(table(at)["c"]) == [16, 32, 32, 10]
    wanted = (
        Stage("conv", 16, stride=2),
        Stage("depthwise_separable", 32),
        Stage("global_avg_pool"),
        Stage("linear", 10),
    )
    assert effviz.analyze(shown(at).design).params == effviz.analyze(effviz.Design("any", wanted)).params


def test_undo_and_redo_go_through_every_step() -> None:
    at = opened()
    drafts = [shown(at)]
    for action in ("row_add", "row_copy", "row_down", "row_delete", "row_up"):
        press(at, action)
        drafts.append(shown(at))
    put(at, "row_repeats", 7)
    drafts.append(shown(at))
    put(at, "set_resolution", 160)
    drafts.append(shown(at))
    drafts = [draft for place, draft in enumerate(drafts) if place == 0 or draft != drafts[place - 1]]
    for draft in reversed(drafts[:-1]):
        assert shown(press(at, "undo")) == draft
        fits(at)
    assert at.button(key="undo").disabled
    for draft in drafts[1:]:
        assert shown(press(at, "redo")) == draft
    assert at.button(key="redo").disabled


def test_a_fault_is_named_and_the_rest_is_counted() -> None:
    at = opened(WRONG)
    assert "Row 3, stage2, cannot be built: groups = 7 must divide in_channels = 16" in told(at)
    status = list(table(at)["Status"])
    assert status[:2] == ["built", "built"]
    assert "groups = 7" in status[2]
    assert set(status[3:]) == {"not reached"}
    fits(at)
    assert all(entry.proto.label != "PyTorch code" for entry in at.get("download_button"))


def test_only_what_can_be_built_is_offered() -> None:
    for row in range(len(V2.rows)):
        at = opened()
        at.session_state["_studio_row"] = row
        run(at)
        for key in ("row_stride", "row_groups", "row_kernel_size", "row_expand_ratio"):
            widget = next((entry for entry in at.selectbox if entry.key == key), None)
            for option in widget.options if widget else ():
                value = float(option) if key == "row_expand_ratio" else int(option)
                fault = checked(V2.change(row, **{key.removeprefix("row_"): value})).fault
                assert fault is None or fault.row > row


def test_a_refused_edit_says_why_and_changes_nothing() -> None:
    at = opened()
    put(at, "row_name", "stage3")
    assert "Not changed: stage name = 'stage3' must be used by neighbouring rows only." in told(at)
    assert shown(at) == V2
    assert at.text_input(key="row_name").value == "stem"
    put(at, "row_name", "first")
    assert "Not changed" not in told(at)
    assert shown(at).rows[0].name == "first"


BUTTONS = ("row_add", "row_copy", "row_up", "row_down", "row_delete", "undo", "redo", "apply_0")


@settings(derandomize=True, max_examples=8, deadline=None)
@given(data=st.data())
def test_any_sequence_of_edits_keeps_the_page_alive(data: st.DataObject) -> None:
    at = opened(data.draw(st.sampled_from((V2, WRONG, Draft.empty(), Draft.of(effviz.architecture("shufflenet_v2"))))))
    for _ in range(12):
        at.session_state["_studio_row"] = data.draw(st.integers(0, 14))
        run(at)
        enabled = [entry for entry in at.button if entry.key in BUTTONS and not entry.disabled]
        cells = [entry for entry in at.selectbox if str(entry.key).startswith("row_")]
        if cells and data.draw(st.booleans()):
            cell = data.draw(st.sampled_from(cells))
            cell.select_index(data.draw(st.integers(0, len(cell.options) - 1)))
        else:
            data.draw(st.sampled_from(enabled)).click()
        run(at)
        fits(at)


# --- links ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["", "x", "AAAA", V2.packed()[:-4], "<script>", "\u00e9", V2.packed() * 2])
def test_a_hostile_link_is_named_and_the_page_works(design: str) -> None:
    at = open_page(PATH, design=design)
    assert shown(at) == V2
    assert "a design from the studio" in line(at)
    assert shown(press(at, "row_copy")) == V2.duplicate(0)


@pytest.mark.parametrize("name", ['x"]; import os', "<b>bold</b>", "a\nb", "**", "$x$", "]({"])
def test_names_are_text(name: str) -> None:
    at = opened(V2.change(1, name=name).settings(title=name))
    assert name in list(table(at)["Stage"])
    assert "<b>bold</b>" not in markup(at)


def test_a_draft_too_long_for_a_link_stays() -> None:
    many = Draft.empty(resolution=32)
    for place in range(900):
        many = Draft(
            many.frame, (*many.rows, Stage("conv", 8 + place * 7919 % 1000, name=f"s{place * 104729 % 99991}"))
        )
    at = opened()
    taken_in(at, many.to_json())
    assert "Too long for a link" in told(at)
    name = held(at)
    assert name.startswith("session-")
    press(at, "row_copy")
    assert len(table(at)) == 901
    press(at, "undo")
    assert held(at) == name
    assert len(table(at)) == 900
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "is_navigation", lambda: True)
        # The address without it, as after the browser's own way back.
        del at.query_params["design"]
        assert shown(run(at)) == V2
        assert len(table(at)) == len(V2.rows)
    # In another session it stands for nothing, and the page says so.
    other = open_page(PATH, design=name)
    assert f"design = {name} (a design from the studio; " in line(other)
    assert len(table(other)) == len(V2.rows)


def test_an_address_that_comes_late_takes_nothing_back() -> None:
    """A run begins with the address that the browser had when it asked, not with the last one that it was given."""
    at = opened()
    put(at, "row_repeats", 2)
    late = held(at)
    newest = shown(put(at, "row_out_channels", 48))
    for address in (late, V2.packed(), ""):
        at.query_params["design"] = address
        assert shown(run(at)) == newest
        at.query_params["design"] = address
        assert shown(put(at, "set_resolution", 160)) == newest.settings(resolution=160)
        assert shown(press(at, "undo")) == newest


def test_undo_goes_on_from_where_the_browser_went_back_to() -> None:
    at = opened()
    for repeats in (2, 3):
        put(at, "row_repeats", repeats)
        if repeats == 2:
            second = held(at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "is_navigation", lambda: True)
        at.query_params["design"] = second
        run(at)
    assert shown(at).rows[0].repeats == 2
    assert shown(press(at, "undo")).rows[0].repeats == 1
    assert shown(press(at, "redo")).rows[0].repeats == 2


def test_undo_takes_up_the_row_that_was_in_hand() -> None:
    at = opened()
    press(at, "row_down")
    assert at.session_state["_studio_row"] == 1
    press(at, "undo")
    assert at.session_state["_studio_row"] == 0
    assert at.number_input(key="row_out_channels").value == 32
    press(at, "redo")
    assert at.session_state["_studio_row"] == 1


@pytest.mark.parametrize("key", ["row_out_channels", "row_repeats", "set_width_mult", "set_depth_mult",
                                 "set_resolution", "set_in_channels"])  # fmt: skip
def test_a_cleared_field_gets_its_value_back(key: str) -> None:
    at = opened()
    before = at.number_input(key=key).value
    put(at, key, None)
    assert shown(at) == V2
    assert at.number_input(key=key).value == before


@pytest.mark.parametrize("times", [0.001, 100.0, 1000.0])
def test_a_multiplier_is_shown_as_it_is(times: float) -> None:
    draft = V2.settings(width_mult=times, resolution=32)
    at = opened(draft)
    assert at.number_input(key="set_width_mult").value == times
    put(at, "row_repeats", 2)
    assert at.number_input(key="set_width_mult").value == times
    assert shown(at).frame.width_mult == times


def test_a_new_row_takes_what_the_row_above_puts_out() -> None:
    for row in range(len(V2.rows)):
        at = opened()
        at.session_state["_studio_row"] = row
        run(at)
        press(at, "row_add")
        assert "cannot be built" not in told(at)
        fits(at)


def test_a_cleared_name_comes_back() -> None:
    at = put(opened(), "row_name", "")
    assert shown(at) == V2
    assert at.text_input(key="row_name").value == "stem"


def test_a_name_of_spaces_is_refused() -> None:
    at = put(opened(), "row_name", "  ")
    assert "Not changed: " in told(at)
    assert shown(at) == V2


# --- budgets and findings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_judged_with_its_source(preset: str) -> None:
    at = opened(budget=PRESETS[preset].title)
    verdicts = next(entry.value for entry in at.dataframe if "limits with the value" in entry.proto.alt)
    assert len(verdicts) == len(PRESETS[preset].budgets)
    assert any(PRESETS[preset].source in entry.value for entry in at.caption)


@pytest.mark.parametrize(("limit", "verdict"), [("300774272", "fits"), ("300774271", "over"), ("0.4G", "fits")])
def test_a_limit_is_exact(limit: str, verdict: str) -> None:
    at = opened(budget="own limits", max_macs=limit)
    verdicts = next(entry.value for entry in at.dataframe if "limits with the value" in entry.proto.alt)
    assert list(verdicts["Verdict"]) == [verdict]
    assert line(at) == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (0.0203, "2.03 %"), (0.743, "74.3 %"), (0.9999, "99.99 %"), (1.0, "100 %"), (1.002, "100.2 %"),
        (1.00001, "100.001 %"), (1 + 1e-12, "just over 100 %"), (1 - 1e-12, "just under 100 %"), (5.737, "574 %"),
        (9.9, "990 %"), (9.999, "999.9 %"), (18.4, "18×"), (1840.0, "1,840×"), (1e8, "100,000,000×"),
    ],
)  # fmt: skip
def test_a_share_of_a_limit_is_on_its_side(share: float, text: str) -> None:
    assert format_share(share) == text


def test_a_limit_is_shown_in_the_convention_of_the_page() -> None:
    at = opened(budget="own limits", max_macs="300M", max_memory_access="20M", max_latency="33ms", count="FLOPs",
                unit="int8")  # fmt: skip
    verdicts = next(entry.value for entry in at.dataframe if "limits with the value" in entry.proto.alt)
    shown_here = {row["Quantity"]: (row["Here"], row["Limit"]) for row in verdicts.to_dict("records")}
    assert shown_here["FLOPs"] == ("601.5 M", "600.0 M")
    assert shown_here[QUANTITIES["memory_access"].title] == ("16.8 MiB", "19.1 MiB")
    assert at.metric[1].delta == "\N{MULTIPLICATION X} 100.3 % of limit"
    assert at.metric[4].delta == "limit 33.0 ms"


def test_a_limit_that_is_none_is_named() -> None:
    at = opened(budget="own limits", max_macs="much")
    assert "max_macs = much" in line(at)
    put(at, "max_macs", "-3")
    assert "-3" in told(at)


def test_a_fix_is_applied_and_undone() -> None:
    draft = Draft.of(effviz.architecture("vgg16"))
    at = opened(draft)
    fixes = [(place, each) for place, each in enumerate(lint(draft.design)) if each.fix]
    assert fixes
    for place, each in fixes:
        press(at, f"apply_{place}")
        assert shown(at).design == each.fix.design
        press(at, "undo")
        assert shown(at) == draft


# --- taking in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"version": 1}', "\x00", V2.to_json()[:-3], V2.to_json().replace("224", "1e9")]
)
def test_a_wrong_import_says_why_and_changes_nothing(text: str) -> None:
    at = taken_in(opened(), text)
    assert "Not imported: " in told(at)
    assert shown(at) == V2


def test_an_import_is_the_design() -> None:
    other = effviz.architecture("ghostnet", width_mult=1.3)
    at = taken_in(opened(), other.to_json(indent=2))
    assert shown(at).design == other
    assert "Imported: GhostNet, " in told(at)
    fits(at)
    assert shown(press(at, "undo")) == V2
    assert "Imported: " not in told(at)
    # The same text once more.
    assert shown(press(at, "import_now")).design == other


# --- a block of one's own ------------------------------------------------------------------------------------------


@settings(derandomize=True, max_examples=100, deadline=None)
@given(recipe=recipes())
def test_the_table_of_steps_is_the_recipe(recipe: Recipe) -> None:
    assert recipe_of(recipe.name, steps_of(recipe), recipe.shortcut) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Step": None}, "step 1 has no block"),
        ({"Groups": 2}, "step 1: Depthwise: field of Depthwise = 'groups' is unknown"),
        ({"Other fields": "{"}, "step 1: other fields = '{' must be a JSON object"),
        ({"Kernel": 2.5}, "step 1: Depthwise: kernel_size = 2.5 must be"),
    ],
)
def test_a_wrong_step_is_named(change: dict[str, Any], message: str) -> None:
    steps = steps_of(EXAMPLE).astype(object)
    for column, value in change.items():
        steps.loc[0, column] = value
    with pytest.raises(DesignError) as raised:
        recipe_of("mine", steps, False)
    assert message.split(" = ")[-1] in str(raised.value)
    assert str(raised.value).startswith(message[:6])


def test_a_block_of_ones_own_is_used_in_a_row() -> None:
    at = opened(compose="true")
    at.session_state["_studio_row"] = 3
    run(at)
    press(at, "compose_use")
    assert shown(at) == V2.define(EXAMPLE, 3)
    fits(at)
    assert "separable_excite" in list(table(at)["Block"])
    report = effviz.analyze(effviz.Design("own", (Stage("composed", 24, recipe=EXAMPLE),), in_channels=24))
    by_hand = (9 * 24 + 48) + (24 * 16 + 16 + 16 * 24 + 24) + (24 * 24 + 48)
    assert report.params == by_hand


def test_a_block_of_ones_own_keeps_its_steps_under_the_name_of_the_example() -> None:
    shorter = Recipe(EXAMPLE.name, EXAMPLE.parts[1:], EXAMPLE.shortcut)
    at = opened(V2.define(shorter, 3))
    at.session_state["_studio_row"] = 3
    run(at)
    assert at.selectbox(key="row_recipe").value == shorter
    press(at, "row_down")
    assert shown(at).recipes == (shorter,)
    put(at, "set_resolution", 192)
    assert shown(at).recipes == (shorter,)
    fits(at)


def test_a_step_that_keeps_its_channels_has_no_multiple() -> None:
    recipe = Recipe("own", (Part("channel_shuffle", groups=2), Part("conv", 2, "in")))
    assert list(steps_of(recipe)["Channels x"].isna()) == [True, False]


def test_the_table_has_columns_of_json_only_for_what_has_no_other() -> None:
    recipe = Recipe("own", (Part("conv", dilation=2, kernel_size=5),))
    assert [json.loads(text) for text in steps_of(recipe)["Other fields"]] == [{"dilation": 2}]
