"""The part about other counters shows the explanations of the engine, on both pages."""

from __future__ import annotations

import pytest
from page_reader import charts, opened, run, show_part
from streamlit.testing.v1 import AppTest

import effviz
from effviz.count.reconcile import reconcile
from effviz.ui.convention import Convention
from effviz.ui.widgets.counters import lines, terms_text

PART = "Other counters"
each_page = pytest.mark.parametrize("url_path", ["architectures", "studio"])


def table(at: AppTest) -> dict[str, list[object]]:
    (found,) = (entry.value for entry in at.dataframe if "other counters print" in entry.proto.alt)
    return {column: found[column].tolist() for column in found.columns}


@each_page
def test_every_counter_is_listed(url_path: str) -> None:
    at = show_part(opened(url_path), PART)
    report = effviz.analyze(effviz.architecture("mobilenet_v2"))
    found = lines(report, 1)
    cells = table(at)
    assert cells["Counter"] == at.selectbox(key="counter").options == [line.name for line in found]
    for line, text, by in zip(found, cells["Operations as printed"], cells["Difference"], strict=True):
        if line.compute is None:
            assert text == "not printed"
        else:
            assert str(text).endswith(line.compute.text)
            assert int(str(by).replace(",", "").replace("−", "-")) == line.compute.total - line.compute.ours
    assert cells["Their difference"][-1] == "+34,112"


@each_page
def test_the_chosen_counter_is_explained(url_path: str) -> None:
    at = show_part(opened(url_path), PART)
    at.selectbox(key="counter").set_value("calflops FLOPs")
    run(at)
    (line,) = (each for each in lines(effviz.analyze(effviz.architecture("mobilenet_v2")), 1) if "FLOPs" in each.name)
    assert charts(at)["terms"]["title"].startswith("calflops FLOPs prints 2.04× as much: ")
    assert terms_text(line, "Multiply-adds") in [entry.value for entry in at.markdown]


def test_terms_are_listed_with_their_sum() -> None:
    report = effviz.analyze(effviz.architecture("mobilenet_v2"))
    for line in lines(report, 1):
        text = terms_text(line, "Multiply-adds")
        assert f"| **{line.name}** | **{line.main.total:,}** | printed as {line.main.text} |" in text
        for term in line.main.terms:
            assert term.formula in text
        assert line.main.counter.rule in text
        assert line.main.counter.link in text
        for name in line.main.uncounted:
            assert name in text


def test_flops_are_compared_with_flops() -> None:
    at = show_part(opened("architectures", count="FLOPs"), PART)
    cells = table(at)
    by = dict(zip(cells["Counter"], cells["Relative"], strict=True))
    assert by["FlopCounterMode"] == "equal"
    factor = Convention("flops").compute(1)
    found = reconcile(effviz.analyze(effviz.architecture("mobilenet_v2")), factor)
    assert {each.ours for each in found if each.printed.quantity == "macs"} == {601_548_544}
