"""Widgets on a small page: tables, cards, exercises, formulas and downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from page_reader import questions
from streamlit.testing.v1 import AppTest

import effviz
from effviz.core.units import change, exact
from effviz.count.report import Report
from effviz.ui.convention import QUANTITIES, Convention
from effviz.ui.widgets.cards import COUNTED, count_card, report_cards
from effviz.ui.widgets.downloads import csv_file, file_name, json_file
from effviz.ui.widgets.layers import layer_table
from effviz.ui.widgets.tables import Column, Table, count_columns

CONVENTIONS = [Convention(), Convention("flops", "int8", "eager"), Convention("macs", "float32", "paper")]


@pytest.fixture(scope="module")
def report() -> Report:
    return effviz.analyze(effviz.architecture("mobilenet_v2"))


def opened(page: Callable[[], None]) -> AppTest:
    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception, at.exception
    return at


# --- convention and cards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_cards_show_the_reports_numbers(convention: Convention, report: Report) -> None:
    half = effviz.analyze(report.design.scaled(width_mult=0.5))
    for quantity, card in zip(COUNTED, report_cards(convention, half, report, against="unscaled"), strict=True):
        value = getattr(half, quantity)
        assert card.help.startswith(exact(value * convention.factor(quantity)))
        assert card.text == convention.show(quantity, value)
        assert card.below == change(value, getattr(report, quantity))
        assert card.against == "unscaled"


def test_equal_numbers_name_no_baseline(report: Report) -> None:
    card = count_card(Convention(), "params", report.params, report.params, against="unscaled")
    assert (card.below, card.against) == ("unchanged", "")


def test_a_card_without_a_baseline_has_a_note(report: Report) -> None:
    cards = report_cards(Convention(), report, below={"params": "of the block"}, quantities=("params", "macs"))
    assert [card.below for card in cards] == ["of the block", ""]
    assert {card.below for card in report_cards(Convention(), report, below="as published")} == {"as published"}


def test_units_are_named_once() -> None:
    elements, bytes_ = Convention(), Convention(unit="int8")
    assert count_card(elements, "memory_access", 10).label == "Memory access"
    assert count_card(bytes_, "memory_access", 10).label == "Memory access"
    assert bytes_.heading("memory_access") == "Memory access (bytes)"
    assert elements.heading("params") == "Parameters"
    assert Convention(count="flops").exact("macs", 21) == "42"
    assert Convention(unit="float16").exact("alive", 21) == "42 bytes"
    assert all(Convention().help(quantity).endswith(".") for quantity in QUANTITIES)


# --- tables -------------------------------------------------------------------------------------------------------


def test_a_table_as_csv() -> None:
    columns = [Column("n", lambda row: row[0]), Column("t", lambda row: row[1]), Column("x", lambda row: row[2])]
    table = Table([(1, "a,b", None), (2, 'c"d', 0.5)], columns, "two rows")
    text = table.csv("What is counted.")
    assert text.startswith("# What is counted.\nn,t,x\n")
    assert list(csv.reader(io.StringIO(text.partition("\n")[2]))) == [
        ["n", "t", "x"], ["1", "a,b", ""], ["2", 'c"d', "0.5"]
    ]  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_columns_of_counts_are_exact(convention: Convention, report: Report) -> None:
    cells = Table([report], count_columns(convention), "totals").cells
    assert list(cells) == [convention.heading(quantity) for quantity in COUNTED]
    assert list(cells.values()) == [[getattr(report, quantity) * convention.factor(quantity)] for quantity in COUNTED]


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_layers_add_up(convention: Convention, report: Report) -> None:
    cells = layer_table(report.rows, convention).cells
    assert sum(cells["Parameters"]) == report.params
    assert sum(cells[convention.compute_label]) == convention.compute(report.macs)
    assert max(cells[convention.heading("alive")]) == convention.size(report.peak_activation)


def _tables() -> None:
    import streamlit as st

    from effviz.ui.widgets.tables import Column, Pick, Table, show_table, unpick

    columns = [
        Column("Name", "real", width="large"),
        Column("Whole", lambda value: value),
        Column("Huge", lambda value: value * 2**62),
        Column("Share", lambda value: value / 3 if value else None, "%.1f"),
        Column("Factor", lambda value: value / 7, ""),
    ]
    table = Table(range(4), columns, "four rows of numbers")
    show_table(table, fold="Table: 4 rows", key="folded")
    choice = st.selectbox("Choice", list("abcd"), key="choice", on_change=unpick("choice"))
    show_table(table, key="rows", height=320, pick=Pick("choice", list("abcd"), state=1))
    st.text(choice)


def test_a_table_on_a_page() -> None:
    at = opened(_tables)
    folded, rows = at.dataframe
    assert [entry.label for entry in at.expander] == ["Table: 4 rows"]
    assert folded.proto.alt == "four rows of numbers"
    assert folded.value["Whole"].tolist() == [0, 1, 2, 3]
    assert folded.value["Huge"].tolist() == ["0", f"{2**62:,}", f"{2**63:,}", f"{3 * 2**62:,}"]
    assert folded.value["Share"].isna().tolist() == [True, False, False, False]
    config = folded.proto.columns
    assert '"localized"' in config
    assert '"%.1f"' in config
    assert config.count('"%.2f"') == 0
    key = rows.key
    assert key.startswith("rows_")
    at.selectbox(key="choice").set_value("c").run()
    assert at.dataframe[1].key != key, "choosing by hand ends the selection"


# --- sections -----------------------------------------------------------------------------------------------------


def _sections() -> None:
    import streamlit as st

    from effviz import DesignError
    from effviz.ui.widgets.frame import section

    with section("The first"):
        raise DesignError("groups = 3 must divide in_channels = 64")
    with section("The second"):
        st.markdown("drawn in part")
        raise ZeroDivisionError("<b>of a formula</b>")
    with section("The third"):
        st.markdown("drawn")


def test_a_section_that_fails_is_one_line_and_the_rest_is_drawn(caplog: pytest.LogCaptureFixture) -> None:
    at = AppTest.from_function(_sections)
    for _ in range(3):
        at.run()
        first, second = (entry.proto.body for entry in at.html)
        assert "The first cannot be shown: groups = 3 must divide in_channels = 64." in first
        assert "The second cannot be shown because of an error of effviz." in second
        assert [entry.value for entry in at.markdown] == ["drawn in part", "drawn"]
        assert not at.exception
    (logged,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert "ZeroDivisionError: <b>of a formula</b>" in logged.message


# --- exercises ----------------------------------------------------------------------------------------------------


def _questions() -> None:
    from effviz import DesignError
    from effviz.ui.widgets.exercise import Exercise, exercises

    def fails() -> float:
        raise DesignError("too small")

    exercises(
        Exercise("factor", "By what factor?", "×", 4.0, "Both sides double."),
        None,
        Exercise("share", "What percentage?", "%", 25.0, "A quarter.", "{:.0f} %"),
        Exercise("count", "How many?", "kernels", lambda: 7, "Seven."),
        Exercise("none", "And none?", "×", fails, "."),
    )


def test_exercises_are_one_component_with_the_answers() -> None:
    at = opened(_questions)
    assert [
        (entry["key"], entry["question"], entry["unit"], entry["answer"], entry["shown"], entry["problem"])
        for entry in questions(at).values()
    ] == [
        ("factor", "By what factor?", "×", 4.0, "4.00×", ""),
        ("share", "What percentage?", "%", 25.0, "25 %", ""),
        ("count", "How many?", "kernels", 7, "7 kernels", ""),
        ("none", "And none?", "×", 0, "", "too small"),
    ]
    assert questions(at)["share"]["why"] == "A quarter."


# --- formulas and downloads ---------------------------------------------------------------------------------------


def _formulas() -> None:
    from effviz.ui.widgets.formula import formula

    formula("Memory access", "h w (c_1 + c_2)", r"4 \times (1 + 2)", 12, "elements")
    formula("Speed", "a / b", "", "5 %")


def test_formulas() -> None:
    at = opened(_formulas)
    assert [entry.value for entry in at.markdown] == [
        "**Memory access**  \n$= h w (c_1 + c_2)$  \n$= 4 \\times (1 + 2)$  \n$= \\textbf{12}$ elements",
        "**Speed**  \n$= a / b$  \n$= \\textbf{5 \\%}$",
    ]


def test_files() -> None:
    design = effviz.architecture("mobilenet_v2")
    assert file_name("effviz", "", "a b/c", "w0.5") == "effviz-a-b-c-w0.5"
    made = csv_file("Layers", lambda: Table([], [Column("n", "real")], ""), "stem", "Note.")
    assert (made.label, made.name, made.make()) == ("Layers as CSV", "stem.csv", "# Note.\nn\n")
    saved = json_file(design, "stem")
    assert (saved.label, saved.name) == ("Design as JSON", "stem.json")
    assert effviz.Design.from_json(saved.make()) == design
