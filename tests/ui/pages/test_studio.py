"""Tests of the Studio page: edits, undo, links, budgets, findings, imports and custom blocks."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import (
    charts,
    component,
    control,
    counted_cards,
    headings,
    line,
    metrics,
    open_page,
    questions,
    run,
    show_part,
)
from profiles import examples
from streamlit.testing.v1 import AppTest

import effviz
from effviz import ARCHITECTURES, Stage
from effviz.advice.budgets import PRESETS, QUANTITIES
from effviz.advice.lint import RULES, lint
from effviz.advice.remedies import diagnose
from effviz.core.units import si
from effviz.export import export_torch
from effviz.measure import latency as latencies
from effviz.model.blocks.composed import EXAMPLE, Recipe
from effviz.model.draft import Draft, checked
from effviz.studies.templates import template
from effviz.ui import runs
from effviz.ui.page_parts.studio import code, findings
from effviz.ui.page_parts.studio.cells import with_cells
from effviz.ui.page_parts.studio.draft import EMPTY
from effviz.ui.page_parts.studio.form import MORE

PATH = "studio"
V2 = Draft.of(effviz.architecture("mobilenet_v2"))
WRONG = V2.change(2, block="conv", groups=7)


@pytest.fixture(autouse=True, scope="module")
def no_known_latency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFVIZ_CACHE", str(tmp_path_factory.mktemp("latencies")))
        latencies._remembered.clear()
        yield


@pytest.fixture(scope="module")
def session() -> AppTest:
    """One visit, shared by the tests that start with `go`."""
    return open_page(PATH)


def opened(draft: Draft = V2, **query: str) -> AppTest:
    """Open the page in a new session."""
    return open_page(PATH, design=draft.packed(), **query)


def navigate(at: AppTest, design: str) -> AppTest:
    """Run the page like the back button of the browser does, with another design in the address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "is_navigation", lambda: True)
        if design:
            at.query_params["design"] = design
        elif "design" in at.query_params:
            del at.query_params["design"]
        return run(at)


def go(at: AppTest, draft: Draft = V2, row: int = 0) -> AppTest:
    """Bring a session to a draft with a selected row, without messages about the last edit."""
    at.session_state["_studio_row"] = row
    at.session_state["_studio_problem"] = at.session_state["_studio_import"] = ""
    return navigate(at, draft.packed())


def held(at: AppTest) -> str:
    """Return the draft in the address, encoded."""
    found = at.query_params.get("design", "")
    return str(found[0] if isinstance(found, list) else found)


def shown(at: AppTest) -> Draft:
    """Return the draft in the address."""
    return Draft.unpacked(held(at)) if held(at) else V2


def table(at: AppTest) -> pd.DataFrame:
    (found,) = (entry.value for entry in at.dataframe if entry.key == "studio_rows")
    return found


def text_of(at: AppTest) -> str:
    return html.unescape(markup(at))


def markup(at: AppTest) -> str:
    return "\n".join(entry.proto.body for entry in at.html)


def more(at: AppTest) -> AppTest:
    """Open the settings of a row that are changed less often."""
    at.session_state[MORE] = True
    return run(at)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return run(at)


def put(at: AppTest, key: str, value: Any) -> AppTest:
    widget = next(
        entry for entry in (*at.number_input, *at.selectbox, *at.text_input, *at.text_area) if entry.key == key
    )
    is_text = widget.type in ("text_input", "text_area")
    widget.set_value(("" if value is None else str(value)) if is_text else value)
    return run(at)


def imported(at: AppTest, text: str) -> AppTest:
    return press(put(at, "import_text", text), "import_now")


def check_numbers(at: AppTest) -> None:
    """Check that the headline and the table are the engine's."""
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


def test_any_network_can_be_started_from(session: AppTest) -> None:
    at = go(session)
    for name in ARCHITECTURES:
        put(at, "start", name)
        assert shown(at).design == effviz.architecture(name)
        check_numbers(at)
        if name in ("alexnet", "ghostnet", "vgg16"):
            again = opened(shown(at))
            assert metrics(again) == metrics(at)
            assert line(again) == ""


def test_an_empty_table_becomes_a_network(session: AppTest) -> None:
    at = put(go(session), "start", EMPTY)
    assert not metrics(at)
    for block, channels in (("conv", 16), ("depthwise_separable", 32), ("global_avg_pool", None), ("linear", 10)):
        press(at, "row_add")
        put(at, "row_block", block)
        if channels:
            put(at, "row_out_channels", channels)
    check_numbers(at)
    assert list(table(at)["c"]) == [16, 32, 32, 10]
    wanted = (
        Stage("conv", 16, stride=2),
        Stage("depthwise_separable", 32),
        Stage("global_avg_pool"),
        Stage("linear", 10),
    )
    assert effviz.analyze(shown(at).design).params == effviz.analyze(effviz.Design("any", wanted)).params


def test_undo_and_redo_pass_every_step() -> None:
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
        check_numbers(at)
    assert at.button(key="undo").disabled
    for draft in drafts[1:]:
        assert shown(press(at, "redo")) == draft
    assert at.button(key="redo").disabled


def test_a_fault_is_named_and_the_rows_above_are_counted() -> None:
    at = opened(WRONG, budget="own limits", max_macs="1G")
    assert "Row 3, stage2, cannot be built: groups = 7 must divide in_channels = 16" in text_of(at)
    status = list(table(at)["Status"])
    assert status[:2] == ["built", "built"]
    assert "groups = 7" in status[2]
    assert set(status[3:]) == {"not reached"}
    check_numbers(at)
    assert "\N{CHECK MARK} Fits the budget. Only the rows above the error are checked." in headings(at)
    show_part(at, "Suggestions")
    assert any(each.endswith(f"({len(RULES)} rules checked, only the rows above the error)") for each in headings(at))
    show_part(at, "Downloads")
    assert [entry.proto.label for entry in at.get("download_button")] == ["Design as JSON"]


@pytest.mark.parametrize("row", [0, 2, 8])
def test_only_values_that_can_be_built_are_offered(session: AppTest, row: int) -> None:
    at = go(session, row=row)
    for key in ("row_stride", "row_groups", "row_kernel_size", "row_expand_ratio"):
        widget = next((entry for entry in at.selectbox if entry.key == key), None)
        for option in widget.options if widget else ():
            value = float(option) if key == "row_expand_ratio" else int(option)
            fault = checked(V2.change(row, **{key.removeprefix("row_"): value})).fault
            assert fault is None or fault.row > row


def test_a_rejected_edit_has_a_reason_and_changes_nothing(session: AppTest) -> None:
    at = more(go(session))
    put(at, "row_name", "stage3")
    assert "Not changed: stage name = 'stage3' must be used by neighbouring rows only." in text_of(at)
    assert shown(at) == V2
    assert at.text_input(key="row_name").value == "stem"
    put(at, "row_name", "first")
    assert "Not changed" not in text_of(at)
    assert shown(at).rows[0].name == "first"


BUTTONS = ("row_add", "row_copy", "row_up", "row_down", "row_delete", "undo", "redo", "apply_0")


@settings(max_examples=examples(3))
@given(data=st.data())
def test_random_edits(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from((V2, WRONG, Draft.empty(), Draft.of(effviz.architecture("shufflenet_v2")))))
    at = opened(start, part="Suggestions")
    for step in range(12):
        if step % 3 == 0:
            at.session_state["_studio_row"] = data.draw(st.integers(0, 14))
            run(at)
        enabled = [entry for entry in at.button if entry.key in BUTTONS and not entry.disabled]
        cells = [entry for entry in at.selectbox if str(entry.key).startswith("row_") and entry.value is not None]
        if cells and data.draw(st.booleans()):
            cell = data.draw(st.sampled_from(cells))
            cell.select_index(data.draw(st.integers(0, len(cell.options) - 1)))
        else:
            data.draw(st.sampled_from(enabled)).click()
        run(at)
        check_numbers(at)


# --- links ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["", "x", "AAAA", V2.packed()[:-4], "<script>", "\u00e9", V2.packed() * 2])
def test_a_hostile_link_is_named_and_the_page_works(design: str) -> None:
    at = open_page(PATH, design=design)
    assert shown(at) == V2
    assert "a design from the studio" in line(at)
    assert shown(press(at, "row_copy")) == V2.duplicate(0)


def test_names_are_text(session: AppTest) -> None:
    names = ['x"]; import os', "<b>bold</b>", "a\nb", "**", "$x$", "]({"]
    for name in names:
        at = go(session, V2.change(1, name=name).settings(title=name))
        assert name in list(table(at)["Stage"])
        assert "<b>bold</b>" not in markup(at)


def test_a_draft_too_long_for_a_link_stays() -> None:
    many = Draft.empty(resolution=32)
    for place in range(720):
        many = Draft(
            many.frame, (*many.rows, Stage("conv", 8 + place * 7919 % 1000, name=f"s{place * 104729 % 99991}"))
        )
    at = opened()
    imported(at, many.to_json())
    assert "Too long for a link" in text_of(at)
    name = held(at)
    assert name.startswith("session-")
    press(at, "row_copy")
    assert len(table(at)) == 721
    press(at, "undo")
    assert held(at) == name
    assert len(table(at)) == 720
    assert shown(navigate(at, "")) == V2
    assert len(table(at)) == len(V2.rows)
    # In another session the name is unknown, and the page reports it.
    other = open_page(PATH, design=name)
    assert f"design = {name} (a design from the studio; " in line(other)
    assert len(table(other)) == len(V2.rows)


def test_an_outdated_address_does_not_revert_edits() -> None:
    """A run may start with an address that the browser had before the last edit."""
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


def test_undo_continues_after_the_back_button() -> None:
    at = opened()
    for repeats in (2, 3):
        put(at, "row_repeats", repeats)
        if repeats == 2:
            second = held(at)
    navigate(at, second)
    assert shown(at).rows[0].repeats == 2
    assert shown(press(at, "undo")).rows[0].repeats == 1
    assert shown(press(at, "redo")).rows[0].repeats == 2


def test_undo_restores_the_selected_row() -> None:
    at = opened()
    press(at, "row_down")
    assert at.session_state["_studio_row"] == 1
    press(at, "undo")
    assert at.session_state["_studio_row"] == 0
    assert at.number_input(key="row_out_channels").value == 32
    press(at, "redo")
    assert at.session_state["_studio_row"] == 1


def test_a_cleared_number_returns(session: AppTest) -> None:
    at = go(session)
    for key in ("row_out_channels", "row_repeats", "set_width_mult", "set_depth_mult", "set_resolution",
                "set_in_channels"):  # fmt: skip
        before = control(at, key).value
        put(at, key, None)
        assert shown(at) == V2
        assert control(at, key).value == before


@pytest.mark.parametrize("times", [0.001, 100.0, 1000.0])
def test_unusual_multipliers_are_kept(session: AppTest, times: float) -> None:
    at = go(session, V2.settings(width_mult=times, resolution=32))
    assert at.number_input(key="set_width_mult").value == times
    put(at, "row_repeats", 2)
    assert at.number_input(key="set_width_mult").value == times
    assert shown(at).frame.width_mult == times


@pytest.mark.parametrize("row", [3, 10])
def test_a_new_row_can_be_built(session: AppTest, row: int) -> None:
    at = press(go(session, row=row), "row_add")
    assert "cannot be built" not in text_of(at)
    check_numbers(at)


def test_a_cleared_name_returns(session: AppTest) -> None:
    at = put(more(go(session)), "row_name", "")
    assert shown(at) == V2
    assert at.text_input(key="row_name").value == "stem"


def test_a_name_of_spaces_is_rejected(session: AppTest) -> None:
    at = put(more(go(session)), "row_name", "  ")
    assert "Not changed: " in text_of(at)
    assert shown(at) == V2


# --- parts of the page ---------------------------------------------------------------------------------------------

PARTS = (
    "How this is computed", "Suggestions", "Code", "Budget", "Structure", "Activations", "Microcontroller", "Snapshots",
    "Compose a block", "Other counters", "Try this", "Downloads",
)  # fmt: skip
BELOW_THE_STEM = Draft(V2.frame, (V2.rows[0].with_changes(groups=7), *V2.rows[1:]))


@pytest.mark.parametrize(("draft", "reason"), [(Draft.empty(), "Add a row first."),
                                               (BELOW_THE_STEM, "Fix the highlighted row first.")])  # fmt: skip
def test_parts_without_a_network_say_why(draft: Draft, reason: str) -> None:
    at = opened(draft)
    assert list(at.button_group(key="part").options) == list(PARTS)
    for part in ("How this is computed", "Suggestions", "Microcontroller", "Code", "Try this"):
        show_part(at, part)
        assert [entry.value for entry in at.markdown][-1] == reason
    assert "Choose a preset in the sidebar" in show_part(at, "Budget").markdown[-1].value
    assert show_part(at, "Compose a block").button(key="compose_use").disabled == (not draft.rows)
    assert [entry.proto.label for entry in show_part(at, "Downloads").get("download_button")] == ["Design as JSON"]


def test_a_part_is_computed_only_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        for module, name in ((findings.lint, "lint"), (code, "export_torch"), (code, "library_calls")):
            patch.setattr(module, name, never)
        at = put(opened(), "set_width_mult", 0.77)
    assert any(each.endswith(f"({len(RULES)} rules checked)") for each in headings(show_part(at, "Suggestions")))
    text = export_torch(shown(at).design).rstrip()
    assert text in [entry.value for entry in show_part(at, "Code").code]
    labels = [entry.proto.label for entry in show_part(at, "Downloads").get("download_button")]
    assert labels == ["PyTorch code", "Design as JSON", "Report to print"]
    assert len(questions(show_part(at, "Try this"))) == 2
    assert not component(show_part(at, "Budget"), "exercise")


def test_the_code_has_four_formats() -> None:
    at = show_part(put(opened(), "set_width_mult", 0.77), "Code")
    design = shown(at).design
    assert effviz.export_keras(design).rstrip() in [entry.value for entry in put(at, "code_format", "Keras").code]
    assert "nearest one" in put(at, "code_format", "Library call").markdown[-1].value
    assert [entry.value for entry in at.code][-1] == "torchvision.models.mobilenet_v2(width_mult=0.75)"
    at = put(at, "code_format", "ONNX")
    assert [entry.proto.label for entry in at.get("download_button")] == ["ONNX file"]
    assert code.onnx_bytes(design) == effviz.export_onnx(design)
    # The file of a large network is not made on the server.
    large = show_part(opened(Draft.of(effviz.architecture("resnet50")), code_format="ONNX"), "Code")
    assert not large.get("download_button")
    assert any("up to 10,000,000 parameters" in entry.value for entry in large.markdown)


@pytest.mark.parametrize(("key", "part"), [("code", "Code"), ("compose", "Compose a block")])
def test_older_links_open_the_part(key: str, part: str) -> None:
    at = opened(**{key: "true"})
    assert at.button_group(key="part").value == part
    assert line(at) == line(show_part(at, "Try this")) == ""


def test_older_links_name_a_preset_by_its_former_title() -> None:
    at = opened(budget="Real time, 30 images a second")
    assert at.selectbox(key="budget").value == "real_time"
    assert line(at) == ""


# --- budgets and findings ------------------------------------------------------------------------------------------


def verdicts(at: AppTest) -> pd.DataFrame:
    """Return the table of limits. The part of the page that contains it is open."""
    (found,) = (entry.value for entry in at.dataframe if "limits with the value" in entry.proto.alt)
    return found


def test_every_preset_has_verdicts_and_a_source() -> None:
    at = opened(budget=PRESETS["mcu_256k"].title, part="Budget")
    for name, preset in PRESETS.items():
        put(at, "budget", name)
        assert len(verdicts(at)) == len(preset.budgets)
        assert any(preset.source in entry.value for entry in at.caption)


def test_a_limit_is_exact() -> None:
    at = opened(budget="own limits", max_macs="300774272", part="Budget")
    assert line(at) == ""
    for limit, verdict in (("300774272", "fits"), ("300774271", "over"), ("0.4G", "fits")):
        assert [verdict] == [each.rpartition(" ")[2] for each in verdicts(put(at, "max_macs", limit))["Verdict"]]


def test_limits_are_in_the_convention_of_the_page() -> None:
    at = opened(budget="own limits", max_macs="300M", max_memory_access="20M", max_latency="33ms", count="FLOPs",
                unit="int8", part="Budget")  # fmt: skip
    shown_here = {row["Quantity"]: (row["Here"], row["Limit"]) for row in verdicts(at).to_dict("records")}
    assert shown_here["FLOPs"] == ("601.5 M", "600.0 M")
    assert shown_here[QUANTITIES["memory_access"].title] == ("16.8 MiB", "19.1 MiB")
    assert metrics(at)[1].delta == "\N{MULTIPLICATION X} 100.3 % of 600.0 M"
    assert metrics(at)[4].delta == "limit 33 ms"


def test_a_wrong_limit_is_reported() -> None:
    at = opened(budget="own limits", max_macs="much")
    assert "max_macs = much" in line(at)
    put(at, "max_macs", "-3")
    assert "-3" in text_of(at)


def test_a_fix_is_applied_and_undone() -> None:
    draft = Draft.of(effviz.architecture("vgg16"))
    at = opened(draft, part="Suggestions")
    fixes = [(place, each) for place, each in enumerate(lint(draft.design)) if each.fix]
    assert fixes
    for place, each in fixes:
        press(at, f"apply_{place}")
        assert shown(at).design == each.fix.design
        press(at, "undo")
        assert shown(at) == draft


def found_link(at: AppTest) -> dict[str, str]:
    """The query of the link to published networks within the limits."""
    (text,) = (each.proto.query_string for each in at.get("page_link") if "fits" in each.proto.label)
    return dict(parse_qsl(text))


OWN = {"max_macs": "300M", "max_params": "3M", "max_peak_activation": "512kB", "format": "int8"}


def test_a_broken_limit_names_its_rows_and_tensors_in_the_typed_unit() -> None:
    at = opened(**OWN)
    assert "At most 3 M parameters, 300 M multiply-adds, 512 kB peak activation memory (int8)." in text_of(at)
    assert "Peak activation memory is 1,505 kB (int8), 294 % of the limit of 512 kB." in text_of(at)
    assert "96 × 112 × 112 of stage2.0.expand.conv" in text_of(at)
    peaks = {row: each for row, each in enumerate(table(at)["Over limit"]) if "peak" in str(each)}
    assert peaks == {0: "\N{MULTIPLICATION X} peak 108 %", 1: "\N{MULTIPLICATION X} peak 157 %",
                     2: "\N{MULTIPLICATION X} peak 294 %", 3: "\N{MULTIPLICATION X} peak 110 %"}  # fmt: skip
    assert table(at)["Over limit"][10] == "\N{MULTIPLICATION X} 37 % of parameters"
    assert [card.over for card in metrics(at)] == [True, True, False, True, False]
    assert metrics(at)[3].delta == "\N{MULTIPLICATION X} 294 % of 512 kB int8"
    # The format that follows an amount wins.
    put(at, "max_peak_activation", "512 kB float32")
    assert metrics(at)[3].delta == "\N{MULTIPLICATION X} 12× the limit"
    assert found_link(at)["max_peak_activation"] == "512 kB"
    assert found_link(at)["format"] == "float32"
    put(at, "max_peak_activation", "2 MB")
    assert metrics(at)[3].delta == "\N{CHECK MARK} 75.3 % of 2 MB int8"


def test_a_fix_for_a_limit_previews_every_limit_and_is_applied() -> None:
    at = opened(part="Suggestions", **OWN)
    limits = {"macs": "300M", "params": "3M", "peak_activation": "512kB int8"}
    wait_for(at, "remedy_0")
    fixes = diagnose(V2.design, limits).remedies
    for each in fixes[:6]:
        assert each.sentence in text_of(at)
    assert any("costs accuracy (not predicted)" in each.sentence for each in fixes)
    assert shown(press(at, "remedy_0")).design == fixes[0].design
    assert shown(press(at, "undo")) == V2


def wait_for(at: AppTest, key: str) -> None:
    """Run the page until a calculation in another process has ended."""
    for _ in range(200):
        if any(entry.key == key for entry in at.button):
            return
        time.sleep(0.3)
        run(at)
    raise AssertionError(f"no button {key}")


def test_the_budget_is_fitted_step_by_step() -> None:
    at = press(opened(**OWN), "fit")
    wait_for(at, "fit_all")
    found = effviz.fit(V2.design, {"macs": "300M", "params": "3M", "peak_activation": "512kB int8"})
    for step in found.path:
        assert step.edit.label in text_of(at)
    # One step on its own, in any order; the others remain.
    last = len(found.path)
    press(at, f"fit_{last}")
    assert shown(at) == found.path[-1].edit.on(V2)
    assert not any(entry.key == f"fit_{last}" for entry in at.button)
    press(at, "fit_all")
    assert shown(at).design == found.design
    assert "\N{CHECK MARK} Fits the budget." in headings(at)
    check_numbers(at)
    # Another edit leaves the path.
    put(at, "set_resolution", 192)
    assert not any(str(entry.key).startswith("fit_") for entry in at.button)


def test_an_infeasible_budget_names_the_binding_limit() -> None:
    at = press(opened(max_params="100"), "fit")
    wait_for(at, "fit_close")
    assert "The binding limit is parameters, 100. " in text_of(at)
    assert "cannot be met" in text_of(at)


# --- several rows, templates, snapshots and views --------------------------------------------------------------------


def test_edits_of_several_rows_and_of_all_rows_with_a_block() -> None:
    vgg = Draft.of(effviz.architecture("vgg16"))
    at = put(opened(vgg), "row_select", "Rows with this block")
    put(at, "row_block", "depthwise_separable")
    assert shown(at) == vgg.change_all(vgg.alike(0), block="depthwise_separable")
    press(at, "undo")
    put(at, "row_select", "All rows")
    at.session_state["_studio_rows"] = (1, 2)
    run(at)
    for key, wanted in (
        ("row_copy", vgg.duplicate_all((1, 2))), ("row_down", vgg.move_all((1, 2), 1)),
        ("row_up", vgg.move_all((1, 2), -1)), ("row_delete", vgg.remove_all((1, 2))),
    ):  # fmt: skip
        at.session_state["_studio_rows"] = (1, 2)
        run(at)
        assert shown(press(at, key)) == wanted
        assert shown(press(at, "undo")) == vgg


def test_cells_are_edited_in_place() -> None:
    at = put(opened(), "row_select", "Edit cells")
    (found,) = (entry.value for entry in at.dataframe if "can be edited" in entry.proto.alt)
    assert list(found["Channels"].dropna()) == [row.out_channels for row in V2.rows if row.out_channels]
    edited = {1: {"Channels": 24}, 3: {"Block": "MBConv", "Expand": 4.0}}
    assert with_cells(V2, edited) == V2.change(1, out_channels=24).change(3, block="mbconv", expand_ratio=4.0)
    put(at, "row_select", "One row")
    check_numbers(at)
    with pytest.raises(effviz.DesignError, match="no selected row has the attribute expand_ratio"):
        with_cells(V2, {0: {"Expand": 4.0}})
    assert with_cells(V2, {0: {"Expand": None}}) == V2


def test_a_template_is_inserted_below_the_selected_row(session: AppTest) -> None:
    at = put(go(session, row=4), "row_template", "Ghost stage")
    assert shown(at) == V2.add_all(template("Ghost stage", V2, 4), 5)
    assert at.selectbox(key="row_block").value == "ghost_bottleneck"
    check_numbers(at)


def test_a_design_has_a_name_and_snapshots(session: AppTest) -> None:
    at = put(go(session), "set_title", "Mine")
    assert shown(at).frame.title == "Mine"
    press(show_part(at, "Snapshots"), "keep")
    put(at, "row_out_channels", 48)
    press(at, "keep")
    found = next(entry.value for entry in at.dataframe if "snapshots" in entry.proto.alt)
    assert list(found["Snapshot"]) == ["Mine", "Mine (2)"]
    assert found["Parameters"][0] == effviz.analyze(V2.design).params
    put(at, "snapshot_open", "Mine")
    assert shown(at) == V2.settings(title="Mine")
    put(at, "snapshot_delete", "Mine")
    put(at, "snapshot_delete", "Mine (2)")
    assert "No snapshots." in at.markdown[-1].value


def test_views_of_the_selected_row() -> None:
    at = opened(part="Activations", **OWN)
    assert "294 % of the limit of 512 kB int8" in charts(at)["timeline"]["title"]
    show_part(at, "Structure")
    at.session_state["_studio_row"] = 3
    run(at)
    layers = next(entry.value for entry in at.dataframe if "layers of row 4" in entry.proto.alt)
    wanted = [row.path for row in effviz.analyze(V2.design).rows if row.path.startswith("stage3.")]
    assert list(layers["Path"]) == wanted


# --- imports ---------------------------------------------------------------------------------------------------------


def test_a_wrong_import_has_a_reason_and_changes_nothing(session: AppTest) -> None:
    at = go(session)
    for text in ("{", "[]", "null", '{"version": 1}', "\x00", V2.to_json()[:-3], V2.to_json().replace("224", "1e9")):
        at.session_state["_studio_import"] = ""
        assert text_of(imported(at, text)).count("Not imported: ") == 2  # above the network, and at the import
        assert shown(at) == V2


def test_an_import_is_the_design() -> None:
    other = effviz.architecture("ghostnet", width_mult=1.3)
    at = imported(opened(), other.to_json(indent=2))
    assert shown(at).design == other
    assert "Imported: GhostNet, " in text_of(at)
    check_numbers(at)
    assert shown(press(at, "undo")) == V2
    assert "Imported: " not in text_of(at)
    # The same text once more.
    assert shown(press(at, "import_now")).design == other


# --- custom blocks --------------------------------------------------------------------------------------------------


def test_a_custom_block_is_used_in_a_row() -> None:
    at = opened(compose="true")
    at.session_state["_studio_row"] = 3
    run(at)
    press(at, "compose_use")
    assert shown(at) == V2.define(EXAMPLE, 3)
    check_numbers(at)
    assert "separable_excite" in list(table(at)["Block"])
    report = effviz.analyze(effviz.Design("own", (Stage("composed", 24, recipe=EXAMPLE),), in_channels=24))
    by_hand = (9 * 24 + 48) + (24 * 16 + 16 + 16 * 24 + 24) + (24 * 24 + 48)
    assert report.params == by_hand


def test_a_custom_block_may_have_the_name_of_the_example() -> None:
    shorter = Recipe(EXAMPLE.name, EXAMPLE.parts[1:], EXAMPLE.shortcut)
    at = opened(V2.define(shorter, 3))
    at.session_state["_studio_row"] = 3
    run(at)
    assert at.selectbox(key="row_recipe").value == shorter
    press(at, "row_down")
    assert shown(at).recipes == (shorter,)
    put(at, "set_resolution", 192)
    assert shown(at).recipes == (shorter,)
    check_numbers(at)
