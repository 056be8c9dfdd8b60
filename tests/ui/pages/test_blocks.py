"""The Building blocks page: any block, at any input, by control and by link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from latex import shown
from page_reader import charts, component, line, metrics, open_page, opened, reveal, run, show_part, table
from streamlit.testing.v1 import AppTest

import effviz
from effviz.core.units import change, milliseconds, si
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, environment, remember
from effviz.studies import blocks as lesson
from effviz.studies.blocks import PRESETS, Place
from effviz.studies.excite import excite
from effviz.studies.manifold import embed

every_preset = pytest.mark.parametrize("name", list(PRESETS))


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


@pytest.fixture(scope="module")
def visit() -> AppTest:
    return open_page("blocks", cin="64", cout="64")


def defaults(name: str) -> dict[str, Any]:
    return {entry.name: entry.default for entry in lesson.fields_of(name)}


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in metrics(at) if metric.label != "Latency here"}


def check(at: AppTest, design: effviz.Design) -> None:
    report = effviz.analyze(design)
    assert cards(at) == {
        "Parameters": si(report.params),
        "Multiply-adds": si(report.macs),
        "Memory access": si(report.memory_access),
        "Peak activations": si(report.peak_activation),
    }
    drawn = charts(at)["sublayers"]
    sums: dict[str, float] = {}
    for trace in drawn["data"]:
        sums[trace["yaxis"]] = sums.get(trace["yaxis"], 0) + sum(trace["y"])
    assert list(sums.values()) == [report.params, report.macs, report.memory_access]


@every_preset
def test_every_block_shows_the_engines_numbers(name: str) -> None:
    at = opened("blocks", block=PRESETS[name].title)
    assert line(at) == ""
    values = lesson.settle(name, Place(), defaults(name))
    check(at, lesson.design(name, Place(), values))
    for entry in lesson.fields_of(name):
        widget = [each for each in (*at.selectbox, *at.toggle, *at.number_input) if each.key == f"with_{entry.name}"]
        assert len(widget) == lesson.matters(entry, values)
        assert [each.value for each in widget] == [values[entry.name]] * len(widget)


@every_preset
def test_every_control_takes_its_legal_values(name: str, visit: AppTest) -> None:
    at, place = visit, Place(64, 64)
    at.selectbox(key="block").set_value(name)
    run(at)
    for entry in lesson.fields_of(name):
        keys = {each: f"with_{each.name}" for each in lesson.fields_of(name)}
        # A field without effect has no control.
        shown = {each: key for each, key in keys.items() if key in at.session_state}
        current = defaults(name) | {each.name: at.session_state[key] for each, key in shown.items()}
        if not lesson.matters(entry, current):
            continue
        key = keys[entry]
        if entry.kind == "bool":
            value = not entry.default
            at.toggle(key=key).set_value(value)
        elif entry.choices:
            legal = lesson.legal(name, place, current, entry)
            assert len(at.selectbox(key=key).options) == len(legal)
            value = legal[-1]
            at.selectbox(key=key).set_value(value)
        else:
            value = min(int(entry.maximum), 48)
            at.number_input(key=key).set_value(value)
        run(at)
        check(at, lesson.design(name, place, current | {entry.name: value}))


def test_another_block_starts_with_its_own_fields_at_the_same_input() -> None:
    at = open_page("blocks", cin="48", cout="64", with_kernel_size="7", with_expand_ratio="3")
    check(at, lesson.design("inverted_residual", Place(48, 64), {"kernel_size": 7, "expand_ratio": 3.0}))
    at.selectbox(key="block").set_value("mbconv")
    run(at)
    check(at, lesson.design("mbconv", Place(48, 64)))


def test_groups_follow_the_channels() -> None:
    at = open_page("blocks", block="ResNeXt block", cin="256", cout="256")
    assert at.selectbox(key="with_groups").value == 32
    for width, groups in ((96, 16), (40, 4), (20, 2)):
        at.number_input(key="cin").set_value(width)
        at.number_input(key="cout").set_value(width)
        run(at)
        assert at.selectbox(key="with_groups").value == groups
        check(at, lesson.design("resnext", Place(width, width), {"groups": groups}))


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        (
            {"with_kernel_size": "4", "with_expand_ratio": "lots", "with_groups": "5", "cin": "0", "beside1": "VGG"},
            [
                "with_kernel_size = 4 (choices: 1, 3, 5, 7, 9, 11)",
                "with_expand_ratio = lots (choices: 1, 2, 3, 4, 6)",
                "with_groups (no such setting here)",
                "cin = 0 (1 to 4096)",
                "beside1 = VGG (choices: ",
            ],
        ),
        ({"block": "Inception"}, ["block = Inception (choices: "]),
        ({"block": "ResNeXt block", "with_groups": "7"}, ["with_groups = 7 (choices: "]),
    ],
)
def test_illegal_parameters_are_listed(query: dict[str, str], listed: list[str]) -> None:
    at = open_page("blocks", **query)
    for text in listed:
        assert text in line(at)
    assert cards(at)


@pytest.mark.parametrize(
    ("query", "reason", "built"),
    [
        ({"block": "ShuffleNet V2 unit", "cin": "97", "cout": "97"}, "out_channels = 97 must be even", (96, 96)),
        ({"block": "ShuffleNet V2 unit", "cout": "64"}, "must equal in_channels = 96 at stride 1", (96, 96)),
        ({"block": "ShuffleNet V1 unit", "stride": "2"}, "must exceed in_channels = 96", (96, 192)),
        ({"block": "ShuffleNet V1 unit", "cin": "2", "cout": "2"}, "must be at least 4", (4, 4)),
    ],
)
def test_the_nearest_legal_channels_are_used_and_reported(
    query: dict[str, str], reason: str, built: tuple[int, int]
) -> None:
    at = open_page("blocks", **query)
    (notice,) = (entry.proto.body for entry in at.html if "Built with" in entry.proto.body)
    assert f"Built with {built[0]} to {built[1]} channels." in notice
    assert reason in notice
    name = next(key for key, preset in PRESETS.items() if preset.title == query["block"])
    place = Place(*built, int(query.get("stride", 1)))
    check(at, lesson.design(name, place, lesson.settle(name, place, defaults(name))))


def test_an_impossible_companion_is_explained() -> None:
    at = open_page("blocks", cin="96", cout="64", beside1="ShuffleNet V2 unit")
    assert any(
        entry.value.startswith("ShuffleNet V2 unit cannot be built here.")
        and "must equal in_channels = 96" in entry.value
        for entry in at.caption
    )
    assert "side_by_side" not in charts(at)


def test_blocks_side_by_side() -> None:
    at = open_page("blocks", cin="256", cout="256", beside2="MBConv (EfficientNet)", beside3="Dense layer (DenseNet)")
    names = ["inverted_residual", "vgg", "mbconv", "dense"]
    reports = [effviz.analyze(lesson.design(name, Place(256, 256))) for name in names]
    rows = table(show_part(at, "Comparison"), "blocks at the same input")
    assert rows["Block"].tolist() == [PRESETS[name].title for name in names]
    assert rows["Parameters"].tolist() == [report.params for report in reports]
    assert rows["Multiply-adds"].tolist() == [report.macs for report in reports]
    assert rows["Output"].tolist()[-1] == "288 × 14 × 14"
    drawn = charts(at)["side_by_side"]
    points = [trace for trace in drawn["data"] if trace["mode"] == "markers"]
    assert [trace["name"] for trace in points] == rows["Block"].tolist()[1:]
    assert [trace["x"][0] for trace in points] == [
        pytest.approx(report.params / reports[0].params) for report in reports[1:]
    ]
    assert {trace["x"][-1] for trace in points} == {None}, "no latency is known"
    at.selectbox(key="beside1").set_value("none")
    run(at)
    assert len(table(at, "blocks at the same input")) == 3


def test_a_block_is_compared_with_itself_at_another_setting() -> None:
    block = PRESETS["inverted_residual"].title
    at = open_page("blocks", beside1=block, with1_expand_ratio="3.0")
    assert line(at) == ""
    reports = [effviz.analyze(lesson.design("inverted_residual", Place(), {"expand_ratio": each})) for each in (6, 3)]
    rows = table(show_part(at, "Comparison"), "blocks at the same input")
    assert rows["Block"].tolist() == [block, f"{block}, expand ratio 3"]
    assert rows["Parameters"].tolist() == [report.params for report in reports]
    chart = component(at, "chart")["side_by_side"]
    assert chart["note"] == "Held equal: input 96 × 14 × 14, output 96 × 14 × 14."
    assert "(channels inside: 576 and 288)" in chart["figure"]["title"]
    # The same settings are no comparison.
    at.selectbox(key="with1_expand_ratio").set_value(6.0)
    assert "side_by_side" not in charts(run(at))


def test_the_title_compares_equal_outputs() -> None:
    at = open_page("blocks", cin="64", cout="64", beside1="Dense layer (DenseNet)")
    chart = component(at, "chart")["side_by_side"]
    assert chart["figure"]["title"].startswith(
        "Inverted residual (MobileNetV2) has another output than the other blocks"
    )
    assert chart["note"].endswith("Other output: Dense layer (DenseNet) (96 × 14 × 14).")


def test_without_another_block_the_table_has_one() -> None:
    at = show_part(open_page("blocks", beside1="none"), "Comparison")
    assert "side_by_side" not in charts(at)
    rows = table(at, "1 block at the same input")
    assert rows["Block"].tolist() == [PRESETS["inverted_residual"].title]
    assert not [column for column in rows.columns if column.startswith("vs ")]


def test_latencies_of_measured_blocks_are_compared() -> None:
    for name, median in (("inverted_residual", 4.0), ("vgg", 1.0)):
        remember(
            lesson.design(name, Place(), lesson.settle(name, Place(), defaults(name))),
            Latency(
                median_ms=median, p90_ms=median, iqr_ms=0.0, min_ms=median, runs=20, loaded=False, batch_size=1,
                threads=1, resolution=14, environment=environment(), measured_at="2026-01-02T03:04:05+00:00",
            ),
        )  # fmt: skip
    at = open_page("blocks")
    (metric,) = (metric for metric in metrics(at) if metric.label == "Latency here")
    assert (metric.value, metric.delta) == (milliseconds(4.0), change(4.0, 1.0))
    rows = table(show_part(at, "Comparison"), "blocks at the same input")
    assert rows["Latency (ms)"].tolist() == [4.0, 1.0]


@every_preset
def test_formulas_end_in_the_exact_number(name: str) -> None:
    at = opened("blocks", block=PRESETS[name].title, part="How this is computed")
    values = lesson.settle(name, Place(), defaults(name))
    report = effviz.analyze(lesson.design(name, Place(), values))
    (text,) = (entry.value for entry in at.markdown if "Exact: counted layer by layer" in entry.value)
    found = shown(text)
    none = "No paper prints" in text
    assert bool(found) != none
    if name not in ("vgg", "ghost_module"):
        exact = [each.value.removesuffix(" counted") for each in found]
        assert none or f"{report.macs:,}" in exact or f"{report.params:,}" in exact


def test_why_linear() -> None:
    at = open_page("blocks", linear="true", n="4", seed="7")
    assert line(at) == ""
    assert {"spirals", "lost"} <= set(charts(at))
    here = embed(4, 7, "relu").lost
    assert any("for $n = 4$ and seed 7" in entry.value for entry in at.markdown)
    assert reveal(at, "lost").startswith(f"{100 * embed(8, 7, 'relu').lost:.2g} %.")
    at.button_group(key="relu").set_value("off")
    run(at)
    assert any(r"\textbf{0 \%}$ for $n = 4" in entry.value or "under 0.1" in entry.value for entry in at.markdown)
    assert here > 0


@pytest.mark.parametrize(
    ("net", "stage", "answer"),
    [("ShuffleNetV2", "stage3", 1 / 2**7), ("DenseNet-121", "stage1", 1.0), ("ResNet-18", "stage2", 0.0)],
)
def test_feature_reuse(net: str, stage: str, answer: float) -> None:
    at = open_page("blocks", reuse="true", reuse_net=net, reuse_stage=stage)
    assert line(at) == ""
    assert "reuse_chart" in charts(at)
    answer_text = reveal(at, "reused")
    assert float(answer_text.partition(" %")[0]) == pytest.approx(100 * answer, abs=0.4)


def test_another_network_has_other_stages() -> None:
    at = open_page("blocks", reuse="true", reuse_net="ShuffleNetV2", reuse_stage="stage4")
    at.selectbox(key="reuse_net").set_value("resnet18")
    run(at)
    assert at.selectbox(key="reuse_stage").value in at.selectbox(key="reuse_stage").options


def test_a_link_with_settings_of_a_part_opens_it_and_the_others_keep_theirs() -> None:
    at = open_page("blocks", n="7", seed="3", reuse_net="ResNet-18", reuse_stage="stage2")
    assert line(at) == ""
    assert at.number_input(key="n").value == 7
    show_part(at, "Feature reuse")
    assert (at.selectbox(key="reuse_net").value, at.selectbox(key="reuse_stage").value) == ("resnet18", "stage2")
    show_part(at, "Why linear?")
    assert (at.number_input(key="n").value, at.number_input(key="seed").value) == (7, 3)
    at = open_page("blocks", n="7", nonsense="1")
    assert line(at) == "Ignored in the link: nonsense (no such setting here)."


def test_the_cost_of_squeeze_and_excitation() -> None:
    at = open_page("blocks", block="MBConv (EfficientNet)", se="true")
    assert line(at) == ""
    rows = table(at, "reduction ratios")
    entry = effviz.analyze(lesson.design("mbconv", Place())).blocks[0]
    assert rows["Parameters added"].tolist() == [each.params_added for each in excite(entry.block, entry.shape)]
    at.selectbox(key="block").set_value("basic")
    run(at)
    parts = at.button_group(key="part")
    assert parts.value == parts.options[0] == "How this is computed"
    assert not [title for title in parts.options if "queeze" in title]
    assert "excite_chart" not in charts(at)


MOVING = {
    "inverted_residual": ["inverted_residual"],
    "inverted_residual_v3": ["inverted_residual", "excite"],
    "mbconv": ["mbconv", "excite"],
    "fused_mbconv": ["fused_mbconv"],
    "bottleneck": ["bottleneck"],
    "resnext": ["bottleneck"],
    "separable": ["separable"],
    "vgg": ["standard"],
    "shuffle_v1": ["shuffle"],
    "shuffle_v2": ["shuffle"],
    "ghost_module": ["ghost"],
    "ghost_module_dfc": [],
    "ghost_bottleneck": ["ghost"],
    "squeeze_excite": ["excite"],
    "basic": [],
    "condense": [],
    "dense": [],
}


@every_preset
def test_a_block_is_shown_in_motion_if_there_is_an_animation(name: str) -> None:
    at = open_page("blocks", block=PRESETS[name].title)
    assert ("motion_view" in component(at, "motion")) == bool(MOVING[name])
    switches = [group for group in at.button_group if group.key == "motion"]
    assert len(switches) == (len(MOVING[name]) > 1)
    for number, animation in enumerate(MOVING[name]):
        if switches:
            at.button_group(key="motion").set_value(at.button_group(key="motion").options[number])
            run(at)
        assert component(at, "motion")["motion_view"]["name"] == animation


@pytest.mark.parametrize("query", [{}, {"block": "ResNet bottleneck"}, {"block": "Dense layer (DenseNet)"}])
def test_the_answers_are_computed(query: dict[str, str]) -> None:
    at = show_part(open_page("blocks", **query), "Try this")
    name = next(
        key for key, preset in PRESETS.items() if preset.title == query.get("block", PRESETS["inverted_residual"].title)
    )
    now, wide = (effviz.analyze(lesson.design(name, Place(width, width))) for width in (96, 192))
    assert reveal(at, "wide").startswith(f"{wide.macs / now.macs:.2f}×.")
    key = "share" if name == "inverted_residual" else "largest"
    layers = now.table
    if key == "share":
        answer = layers.loc[layers["kind"] == "depthwise", "memory_access"].sum() / now.memory_access
    else:
        answer = layers["macs"].max() / now.macs
    assert reveal(at, key).startswith(f"{100 * answer:.1f} %.")
