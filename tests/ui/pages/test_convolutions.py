"""The Convolutions page, run without a browser."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from latex import evaluated, shown
from page_reader import charts, component, headings, line, metrics, open_page, reveal, run, show_part, table
from streamlit.testing.v1 import AppTest

import effviz
from effviz.core.units import change, si
from effviz.measure import latency as latencies
from effviz.studies.convolutions import KINDS, Setting, legal_groups, reduction, report


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


def cards(at: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in metrics(at) if metric.label != "Latency here"}


def check(at: AppTest, kind: str, setting: Setting) -> None:
    here, base = report(kind, setting), report("standard", setting)
    factor = reduction(kind, setting).factor

    def below(value: int, standard: int, name: str = "") -> str:
        return name if kind == "standard" else change(value, standard)

    assert cards(at) == {
        "Parameters": (si(here.params), below(here.params, base.params, "the baseline")),
        "Multiply-adds": (si(here.macs), below(here.macs, base.macs)),
        "Memory access": (si(here.memory_access), below(here.memory_access, base.memory_access)),
        "Reduction": (f"{factor:.3g}×", "fewer multiply-adds" if factor >= 1 else "more multiply-adds"),
    }
    assert "costs" in charts(at)
    show_part(at, "How this is computed")
    (text,) = (entry.value for entry in at.markdown if "**Parameters**" in entry.value)
    sums = {"Parameters": 0.0, "Multiply-adds": 0.0}
    for each in shown(text):
        if each.name in sums:
            sums[each.name] += evaluated(each.numbers)
        elif each.name == "Reduction":
            assert each.value == f"{factor:.4g}"
    assert sums == {"Parameters": here.params, "Multiply-adds": here.macs}
    layers = 2 if kind == "separable" else 1
    for part, keys in {
        "Connections": {f"connection_{n}" for n in range(layers + 1)},
        "Channel shuffle": {"reach_False", "reach_True"},
        "Savings": {"by_kernel", "by_width"},
        "How this is computed": set(),
    }.items():
        assert set(charts(show_part(at, part))) == {"costs", *keys}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_shows_the_engines_numbers(kind: str) -> None:
    check(open_page("convolutions", type=KINDS[kind]), kind, Setting())


def test_each_control_sets_its_number() -> None:
    at, setting = open_page("convolutions"), Setting()
    for key, value, name in (
        ("kernel", 7, "kernel_size"),
        ("cin", 48, "in_channels"),
        ("cout", 320, "out_channels"),
        ("map", 7, "resolution"),
    ):
        at.number_input(key=key).set_value(value)
        run(at)
        setting = replace(setting, **{name: value})
        check(at, "separable", setting)
    by_link = open_page("convolutions", kernel="7", cin="48", cout="320", map="7")
    assert cards(by_link) == cards(at)


def test_stride_and_groups() -> None:
    at = open_page("convolutions", type="Grouped")
    at.button_group(key="stride").set_value("2")
    at.selectbox(key="g").set_value(16)
    run(at)
    check(at, "grouped", Setting(groups=16, stride=2))


def test_only_groups_that_divide_can_be_reached() -> None:
    at = open_page("convolutions", type="Grouped", g="8")
    for wide, out in ((96, 64), (30, 7), (100, 100), (1, 1), (4096, 4096), (37, 74)):
        before = at.selectbox(key="g").value
        at.number_input(key="cin").set_value(wide)
        at.number_input(key="cout").set_value(out)
        run(at)
        legal = legal_groups(wide, out)
        assert [int(option) for option in at.selectbox(key="g").options] == legal
        groups = at.selectbox(key="g").value
        assert groups == max(count for count in legal if count <= before)
        check(at, "grouped", Setting(in_channels=wide, out_channels=out, groups=groups))
        for count in legal[:: max(1, len(legal) // 4)]:
            at.selectbox(key="g").set_value(count)
            run(at)
            check(at, "grouped", Setting(in_channels=wide, out_channels=out, groups=count))
        at.selectbox(key="g").set_value(max(count for count in legal if count <= 8))
        run(at)


def test_illegal_parameters_are_listed() -> None:
    expected = {
        "g": ("3", "g = 3 (choices: 1, 2, 4, 8, 16, 32, 64, 128)"),
        "kernel": ("0", "kernel = 0 (1 to 63)"),
        "cin": ("many", "cin = many (1 to 4096)"),
        "type": ("Deformable", "type = Deformable (choices: "),
        "stride": ("4", "stride = 4 (choices: 1, 2)"),
        "map": ("9999", "map = 9999 (1 to 1024)"),
    }
    at = open_page("convolutions", **{key: value for key, (value, _) in expected.items()})
    for _, listed in expected.values():
        assert listed in line(at)
    check(at, "separable", Setting())


@pytest.mark.parametrize(
    "query", [{}, {"kernel": "5", "cout": "16"}, {"cin": "1", "cout": "1", "kernel": "1", "map": "1"}]
)
def test_the_answers_are_computed(query: dict[str, str]) -> None:
    at = show_part(open_page("convolutions", **query), "Try this")
    size, out = int(query.get("kernel", 3)), int(query.get("cout", 128))
    for key, answer in {
        "larger": ((size + 2) ** 2 + out) / (size**2 + out),
        "few": size**2 * max(1, out // 16) / (size**2 + max(1, out // 16)),
    }.items():
        assert reveal(at, key).startswith(f"{answer:.2f}×."), key


def test_the_shuffle_in_numbers() -> None:
    at = show_part(open_page("convolutions", g="8"), "Channel shuffle")
    assert [title for title in headings(at) if "depends on" in title] == [
        "Without shuffle: each output depends on 12 % of the inputs",
        "With channel shuffle: each output depends on 100 % of the inputs",
    ]


def test_the_effect_of_each_setting() -> None:
    at = show_part(open_page("convolutions", type="Standard"), "Effect of each setting")
    rows: dict[str, Any] = table(at, "Factors on the cost").set_index("Setting").to_dict("index")
    assert rows["Input channels"]["Multiply-adds"] == rows["Output channels"]["Multiply-adds"] == "2×"
    assert rows["Resolution"]["Multiply-adds"] == "4×"
    assert rows["Resolution"]["Parameters"] == "1×"
    assert rows["Stride"]["Multiply-adds"] == "0.25×"
    assert rows["Kernel size"]["Parameters"] == f"{25 / 9:.3g}×"
    assert "Groups" not in rows


def test_the_animation_follows_the_convolution() -> None:
    at = open_page("convolutions")
    for kind, wide in (("standard", 128), ("grouped", 48), ("separable", 16)):
        at.selectbox(key="type").set_value(kind)
        at.number_input(key="cin").set_value(wide)
        run(at)
        (shown,) = component(at, "motion").values()
        assert shown["name"] == kind
        setting = Setting(in_channels=wide)
        assert [track["real"] for track in shown["tracks"]] == [
            report(each, setting).macs for each in dict.fromkeys((kind, "standard"))
        ]


def test_the_shuffle_has_the_example_of_the_paper_and_the_channels_of_the_page() -> None:
    at = open_page("convolutions", part="Channel shuffle", cout="12", cin="12", g="4")
    assert component(at, "motion")["shuffle_motion"]["places"] == [0, 3, 6, 1, 4, 7, 2, 5, 8]
    at.button_group(key="shuffled").set_value("This convolution")
    run(at)
    shown = component(at, "motion")["shuffle_motion"]
    assert (shown["channels"], shown["groups"]) == (12, 4)
    assert shown["places"][:4] == [0, 4, 8, 1]


def test_the_limit_of_the_reduction() -> None:
    assert any(
        "from 72 output channels on" in entry.value
        for entry in open_page("convolutions", type="Depthwise separable").markdown
    )
    at = open_page("convolutions", kernel="1")
    assert any("nothing to save" in entry.value for entry in at.markdown)


def test_flops_and_bytes() -> None:
    at = open_page("convolutions", count="FLOPs", unit="float16")
    here = effviz.analyze(effviz.studies.convolutions.design("separable", Setting()))
    assert cards(at)["FLOPs"][0] == si(here.flops)
    assert math.isclose(float(cards(at)["Memory access"][0].split()[0]), 2 * here.memory_access / 1024, rel_tol=0.01)
