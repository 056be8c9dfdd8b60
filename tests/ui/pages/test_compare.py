"""The Compare page: the list, its link, the two networks on screen, the table and the difference."""

from __future__ import annotations

import re

import pytest
from page_reader import cards, changes, charts, headings, line, open_page, run
from streamlit.testing.v1 import AppTest

import effviz
from effviz.charts.sentences import times
from effviz.core.units import change, milliseconds, si
from effviz.model.draft import Draft
from effviz.studies.compare.networks import PRESETS, phones, preset
from effviz.studies.network_text import networks_text
from effviz.ui.page_parts.compare.overview import DASH

EFFICIENT = next(iter(PRESETS))
PAIR = "efficientnet_b0 efficientnet_b4"


def listed(at: AppTest) -> list[str]:
    """Texts of the networks in the list."""
    return list(at.multiselect(key="networks").value)


def ignored(at: AppTest) -> list[str]:
    return [entry.proto.body for entry in at.html if 'class="ignored"' in entry.proto.body]


def address(at: AppTest, key: str) -> str:
    return "".join(at.query_params.get(key, [])) if key in at.query_params else ""


def choose(at: AppTest, key: str, option: str) -> AppTest:
    at.selectbox(key=key).select(option)
    return run(at)


def aligned(at: AppTest) -> str:
    (found,) = (entry.proto.body for entry in at.html if 'class="aligned"' in entry.proto.body)
    return found


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_the_efficient_table() -> None:
    at = open_page("compare")
    assert listed(at) == list(PRESETS[EFFICIENT])
    assert [at.selectbox(key=key).value for key in ("preset", "base", "net")] == [EFFICIENT, "resnet50", "mobilenet_v1"]
    own, base = (effviz.analyze(effviz.architecture(name)) for name in ("mobilenet_v1", "resnet50"))
    assert cards(at)["Multiply-adds"] == si(own.macs)
    assert changes(at)[:2] == [change(own.params, base.params), change(own.macs, base.macs)]
    assert "6 of 12 networks are on the Pareto front" in charts(at)["bubbles"]["title"]
    assert address(at, "nets") == ""


@pytest.mark.parametrize("name", list(PRESETS)[1:])
def test_a_preset_replaces_the_list(name: str) -> None:
    at = choose(open_page("compare"), "preset", name)
    assert listed(at) == list(PRESETS[name])
    assert address(at, "nets") == networks_text(preset(name))
    assert [at.selectbox(key=key).value for key in ("base", "net")] == list(PRESETS[name][:2])
    assert at.selectbox(key="phone").value == phones(preset(name))[0]
    assert address(at, "phone") == ""


def test_a_choice_stays_in_the_link_when_the_list_changes_the_default() -> None:
    at = open_page("compare", nets="mobilenet_v2 resnet50 vgg16")
    assert [address(at, key) for key in ("base", "net")] == ["", ""]
    at.multiselect(key="networks").set_value(["vgg16", "mobilenet_v2", "resnet50"])
    run(at)
    assert [at.selectbox(key=key).value for key in ("base", "net")] == ["mobilenet_v2", "resnet50"]
    assert [address(at, key) for key in ("base", "net")] == ["MobileNetV2", "ResNet-50"]


def test_a_link_with_errors_shows_the_rest_and_one_notice() -> None:
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v9 mobilenet_v2-w0.5 mobilenet_v2-w1.0 resnet50-r3x")
    assert listed(at) == ["mobilenet_v2", "mobilenet_v2-w0.5"]
    (found,) = ignored(at)
    for phrase in ("did you mean &#x27;mobilenet_v2&#x27;", "mobilenet_v2-w1.0 (listed twice)", "resnet50-r3x ("):
        assert phrase in found
    assert address(at, "nets") == "mobilenet_v2 mobilenet_v2-w0.5"
    # The notice ends with the next edit.
    at.multiselect(key="networks").set_value(["mobilenet_v2", "resnet50"])
    assert ignored(run(at)) == []


def test_a_link_without_any_network_is_ignored() -> None:
    at = open_page("compare", nets="mobilenet_v9")
    assert "nets = mobilenet_v9 (networks such as mobilenet_v2-w0.75-r192" in line(at)
    assert listed(at) == list(PRESETS[EFFICIENT])


def test_networks_are_typed_with_their_multipliers() -> None:
    at = open_page("compare", nets="mobilenet_v2 resnet50")
    at.multiselect(key="networks").set_value(["mobilenet_v2", "resnet50", "ghostnet-w1.3-r256"])
    assert address(run(at), "nets") == "mobilenet_v2 resnet50 ghostnet-w1.3-r256"
    at.multiselect(key="networks").set_value(["mobilenet_v2", "resnet50", "ghostnet-w1.3-r256", "ghostnet-q1"])
    (found,) = ignored(run(at))
    assert "its letters are g, w, d, r, c, i" in found
    assert listed(at) == ["mobilenet_v2", "resnet50", "ghostnet-w1.3-r256"]


def test_a_form_adds_a_scaled_network() -> None:
    at = open_page("compare", nets="mobilenet_v2 resnet50", adding="true")
    at.selectbox(key="add_name").select("efficientnet_b0")
    for key, value in (("add_width", 1.4), ("add_depth", 1.8)):
        at.number_input(key=key).set_value(value)
    at.text_input(key="add_resolution").set_value("380")
    at.button(key="add").click()
    assert listed(run(at)) == ["mobilenet_v2", "resnet50", "efficientnet_b0-w1.4-d1.8-r380"]
    assert at.selectbox(key="net").value == "efficientnet_b0-w1.4-d1.8-r380"
    at.text_input(key="add_resolution").set_value("no number")
    at.button(key="add").click()
    (found,) = ignored(run(at))
    assert "resolution = &#x27;no number&#x27;" in found or "no number" in found
    assert len(listed(at)) == 3


def test_a_studio_design_is_compared_too() -> None:
    draft = Draft.of(effviz.architecture("mobilenet_v2")).change(3, repeats=6)
    at = open_page("compare", nets=f"mobilenet_v2 studio-{draft.packed()}", part="Table")
    assert line(at) == ""
    table = at.dataframe[0].value
    assert list(table["Network"]) == ["MobileNetV2", "MobileNetV2, edited"]
    assert draft.design is not None
    assert list(table["Parameters"])[1] == effviz.analyze(draft.design).params
    assert list(table["Published top-1 (%)"]) == ["71.8", DASH]
    assert "not a network of the zoo" in list(table["Source of top-1"])[1]


def test_a_list_that_is_too_long_for_a_link_stays_in_the_session() -> None:
    base = Draft.of(effviz.architecture("efficientnet_b7"))
    drafts = [base.change(1, out_channels=16 + 8 * place) for place in range(1, 25)]
    at = open_page("compare", nets="resnet50")
    texts = [f"studio-{draft.packed()}" for draft in drafts]
    at.multiselect(key="networks").set_value(["resnet50", *texts])
    run(at)
    assert address(at, "nets").startswith("session-")
    assert len(listed(at)) == 25
    assert "this list exists only in this browser session" in ignored(at)[0]


# --- the two networks on screen ---------------------------------------------------------------------------------------


def test_the_table_has_a_reason_for_every_dash() -> None:
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v2-w0.77 vgg16", part="Table")
    table = at.dataframe[0].value
    for value, why in (("Published top-1 (%)", "Source of top-1"), ("Phone latency (ms)", "Source of phone latency")):
        for cell, reason in zip(table[value], table[why], strict=True):
            assert reason
            assert (cell == DASH) == reason.startswith("no ")
    assert table["Multiply-adds ×"][0] == "1×"
    assert list(table["Receptive field (px)"]) == ["491", "491", "212"]
    macs = [effviz.analyze(effviz.architecture("mobilenet_v2", width_mult=width)).macs for width in (1, 0.77)]
    assert table["Multiply-adds ×"][1] == f"{macs[1] / macs[0]:.3g}×"


def test_a_link_may_have_the_former_name_of_a_measure() -> None:
    at = open_page("compare", nets=PAIR, y="Compute", x="Top-1 per compute", part="Difference", of="Compute")
    assert (at.selectbox(key="x").value, at.selectbox(key="y").value) == ("efficiency", "macs")
    assert not ignored(at)


def test_the_convention_changes_the_table() -> None:
    at = open_page("compare", nets=PAIR, count="FLOPs", unit="int8", part="Table")
    table = at.dataframe[0].value
    report = effviz.analyze(effviz.architecture("efficientnet_b0"))
    assert (table["FLOPs"][0], table["Memory access (bytes)"][0]) == (report.flops, report.memory_access)
    assert table["Top-1 per M FLOPs (%)"][0] == f"{77.1 / (report.flops / 1e6):.3g}"


def test_an_accuracy_without_a_partner_names_its_source() -> None:
    at = open_page("compare", net="ResNet-50")
    assert at.selectbox(key="base").value == "resnet50"
    assert [cards(at)["Published top-1"], changes(at)[3]] == ["76.1 %", "torchvision"]


def test_the_baseline_and_the_axes_are_in_the_link() -> None:
    at = open_page("compare", base="VGG-16", net="GhostNet", x="Parameters", y="Receptive field", size="Equal")
    assert line(at) == ""
    assert [at.selectbox(key=key).value for key in ("base", "net", "x", "y", "size")] == [
        "vgg16", "ghostnet", "params", "receptive_field", "none",
    ]  # fmt: skip
    assert charts(at)["bubbles"]["title"].startswith("Receptive field: from 212 px (VGG-16) to 1799 px")
    # A list without these networks has others on screen.
    at.multiselect(key="networks").set_value(["resnet18", "resnet34"])
    assert [run(at).selectbox(key=key).value for key in ("base", "net")] == ["resnet18", "resnet34"]


@pytest.mark.parametrize(
    ("of", "quantity"), [("Multiply-adds", "macs"), ("Parameters", "params"), ("Memory access", "memory_access")]
)
@pytest.mark.parametrize("by", ["Stage", "Layer kind"])
def test_the_waterfall_ends_at_the_network(of: str, quantity: str, by: str) -> None:
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v3_large", part="Difference", of=of, by=by)
    (trace,) = charts(at)["waterfall"]["data"]
    reports = [effviz.analyze(effviz.architecture(name)) for name in ("mobilenet_v2", "mobilenet_v3_large")]
    totals = [getattr(report, quantity) for report in reports]
    assert (trace["x"][0], trace["x"][-1]) == tuple(totals)
    assert sum(trace["x"][:-1]) == totals[1]


def test_the_difference_by_stage_is_beside_the_networks() -> None:
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v3_large", base="mobilenet_v2", net="mobilenet_v3_large")
    (text,) = (each.proto.body for each in at.get("html") if "class='delta'" in each.proto.body)
    v2, v3 = (effviz.analyze(effviz.architecture(name)).macs for name in ("mobilenet_v2", "mobilenet_v3_large"))
    assert f"<h3>\N{MINUS SIGN}{si(v2 - v3)} multiply-adds, by stage</h3>" in text
    at = open_page("compare", nets="vgg16 mobilenet_v3_large", base="vgg16", net="mobilenet_v3_large")
    assert any(re.search(r"class='delta'.*\d other stages", each.proto.body) for each in at.get("html"))
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v3_large", base="mobilenet_v2", net="mobilenet_v2")
    assert not any("class='delta'" in each.proto.body for each in at.get("html"))


def test_the_stages_are_marked() -> None:
    at = open_page("compare", nets="mobilenet_v2 mobilenet_v3_large", part="Difference")
    rows = re.findall(r"<tr class='(\w+)'>.*?</tr>", aligned(at))
    assert rows.count("added") == rows.count("removed") == 1
    assert "kernel size 3 → 5" in aligned(at)
    assert not any('class="factors"' in entry.proto.body for entry in at.html)
    choose(at, "net", "mobilenet_v2")
    assert "Choose another network" in "".join(entry.proto.body for entry in at.html)


def test_two_scalings_show_their_factors() -> None:
    at = open_page("compare", nets=PAIR, part="Difference")
    heading = next(text for text in headings(at) if "largest factor" in text)
    macs = [effviz.analyze(effviz.architecture(name)).macs for name in PAIR.split()]
    assert f"EfficientNet-B4 has {times(macs[1] / macs[0])} the multiply-adds of EfficientNet-B0" in heading
    (table,) = (entry.proto.body for entry in at.html if 'class="factors"' in entry.proto.body)
    assert re.findall(r"<b>([\d.]+)</b>", table) == ["2.028", "1.922", "2.922", "11.39"]


def test_names_of_designs_are_text() -> None:
    design = effviz.Design("<b>x</b>", (effviz.Stage("conv", 8, name="s"),), title="<img src=x> $y$", resolution=16)
    at = open_page("compare", nets=f"mobilenet_v2 studio-{Draft.of(design).packed()}", part="Difference")
    assert "<img" not in aligned(at)
    assert "&lt;img" in charts(at)["waterfall"]["data"][0].get("name", "&lt;img")


# --- from page to page ------------------------------------------------------------------------------------------------


def test_the_button_of_architectures_adds_the_network_on_screen() -> None:
    at = open_page("architectures", net="GhostNet", width="0.5")
    at.button(key="compare").click().run()
    assert at.title[0].value == "Compare"
    assert listed(at) == [*PRESETS[EFFICIENT], "ghostnet-w0.5"]
    assert at.selectbox(key="net").value == "ghostnet-w0.5"


def test_the_button_of_the_studio_adds_its_design() -> None:
    draft = Draft.of(effviz.architecture("mobilenet_v2")).change(3, repeats=6)
    at = open_page("studio", design=draft.packed())
    at.button(key="compare").click().run()
    assert at.title[0].value == "Compare"
    assert listed(at)[-1] == f"studio-{draft.packed()}"
    assert at.selectbox(key="net").value == listed(at)[-1]


def test_a_design_that_cannot_be_built_is_not_added() -> None:
    at = open_page("studio", design=Draft.empty().packed())
    at.button(key="compare").click().run()
    assert at.title[0].value == "Studio"
    assert any("cannot be built yet" in entry.proto.body for entry in at.html)


def test_latencies_are_of_one_kind_and_labelled() -> None:
    at = open_page("compare", part="Table", y="Latency here")
    table = at.dataframe[0].value
    (kind,) = [name for name in table if name in ("Recorded latency (ms)", "Latency here (ms)")]
    for cell, conditions in zip(table[kind], table["Conditions of latency"], strict=True):
        assert "1 thread, batch 1, float32" in conditions
        assert cell == DASH or milliseconds(float(cell))
