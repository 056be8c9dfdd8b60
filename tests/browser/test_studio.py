"""Tests of the Studio page in a browser: from an empty table to code that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

import effviz
from effviz.advice.lint import lint
from effviz.core.units import si
from effviz.count.words import kind_title, short_title
from effviz.model.draft import Draft
from tests.browser.conftest import LateReports, settle
from tests.browser.driver import (
    busy_torch_process,
    cards,
    choose,
    click_center,
    expect_cards,
    field,
    query,
    show_part,
    type_into,
    visit,
    wait_for_late_reports,
)


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settle(page)


def block(page: Page, name: str) -> None:
    choose(page, "row_block", short_title(kind_title(effviz.BLOCKS[name])))


def draft(page: Page) -> Draft:
    return Draft.unpacked(query(page)["design"])


def alert(page: Page) -> Locator:
    return page.get_by_role("alert").filter(visible=True)


def test_names_are_no_links_and_no_markup(page: Page) -> None:
    names = ("<a href='//evil'>a</a>", "[x](http://evil)", "<b>b</b>", "$x^2$", "https://evil/x", ":red[r]")
    rows = [effviz.Stage("inverted_residual", 16, name=name, kernel_size=7) for name in names]
    design = effviz.Design("[n](//evil)", tuple(rows), title="<a href='//evil'>t</a>", resolution=16)
    visit(page, f"/studio?design={Draft.of(design).packed()}&part=Suggestions")
    # Beside the table there is room for names of 16 letters.
    labels = page.locator(".ytick text")
    expect(labels.filter(has_text="<a href").first).to_be_visible()
    shown = {text.strip() for text in labels.all_text_contents()}
    assert shown == {name if len(name) <= 16 else f"{name[:15]}…" for name in names}
    expect(page.locator("a[href*=evil], a[*|href*=evil]")).to_have_count(0)


def test_from_an_empty_table_to_code_that_runs(page: Page, tmp_path: Path) -> None:
    visit(page, "/studio")
    choose(page, "start", "Empty table")
    expect(page.get_by_text("The table is empty.")).to_be_visible()

    # Build.
    for name, channels in (("conv", 20), ("inverted_residual", 44), ("global_avg_pool", 0), ("linear", 10)):
        click(page, "Add row")
        block(page, name)
        if channels:
            type_into(page, "row_out_channels", str(channels))
    built = draft(page)
    assert [row.block for row in built.rows] == ["conv", "inverted_residual", "global_avg_pool", "linear"]
    assert cards(page)[0] == si(effviz.analyze(built.design).params)

    # Make a row invalid, read the reason, fix it.
    click(page, "Up")
    click(page, "Up")
    expect(alert(page)).to_contain_text("Row 3, ")
    expect(alert(page)).to_contain_text("cannot be built: input shape = (10,) must be (channels, height, width)")
    assert cards(page)[0] == si(effviz.analyze(effviz.Design("above", draft(page).rows[:2])).params)
    click(page, "Down")
    click(page, "Down")
    expect(alert(page)).to_have_count(0)
    assert [row.block for row in draft(page).rows] == [row.block for row in built.rows]

    # Apply a fix and undo it.
    before = draft(page)
    fixes = [each.fix for each in lint(before.design) if each.fix]
    assert fixes
    show_part(page, "Suggestions")
    click(page, "Apply")
    assert draft(page).design == fixes[0].design
    click(page, "Undo")
    assert draft(page) == before

    # Set a budget.
    macs = effviz.analyze(before.design).macs
    type_into(page, "max_macs", str(macs - 1))
    expect(page.get_by_role("heading", name="\N{MULTIPLICATION X} Over budget: multiply-adds.")).to_be_visible()
    type_into(page, "max_macs", str(macs))
    expect(page.get_by_role("heading", name="\N{CHECK MARK} Fits the budget.")).to_be_visible()

    # Download the code.
    show_part(page, "Downloads")
    with page.expect_download() as started:
        page.get_by_role("button", name="PyTorch code").click()
    file = tmp_path / "network.py"
    file.write_text(Path(started.value.path()).read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    # The link holds all of it.
    here = cards(page)
    page.reload()
    settle(page)
    expect_cards(page, here)
    assert draft(page) == before


LIMITS = {"max_macs": "300M", "max_params": "4M", "max_peak_activation": "512 kB int8"}


class Visitor:
    """A visitor whose actions are counted: a choice, a typed value or a click."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def choose(self, key: str, option: str) -> None:
        self.actions += 1
        choose(self.page, key, option)

    def type(self, key: str, text: str) -> None:
        self.actions += 1
        type_into(self.page, key, text)

    def click(self, name: str) -> None:
        self.actions += 1
        button = self.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled()
        button.click()
        settle(self.page)

    def fit(self) -> None:
        """Type the limits, and apply all changes that the solver finds."""
        for key, text in LIMITS.items():
            self.type(key, text)
        self.click("Fit this budget")
        self.click("Apply all")
        expect(self.page.get_by_role("heading", name="\N{CHECK MARK} Fits the budget.")).to_be_visible()


def meets_the_limits(design: effviz.Design | None) -> bool:
    assert design is not None
    report = effviz.analyze(design)
    return report.macs <= 300_000_000 and report.params <= 4_000_000 and report.peak_activation <= 512_000


def test_a_budget_is_met_in_few_actions(page: Page) -> None:
    """From MobileNetV3 in at most 6 actions, and from an empty table with ten rows in at most 20."""
    visit(page, "/studio")
    engineer = Visitor(page)
    engineer.choose("start", "MobileNetV3-Large")
    engineer.fit()
    assert engineer.actions <= 6
    assert meets_the_limits(draft(page).design)

    visit(page, "/studio")
    engineer = Visitor(page)
    engineer.choose("start", "Empty table")
    for name in ("Stem", *["Inverted residual stage"] * 6, "Head"):
        engineer.choose("row_template", name)
    assert len(draft(page).rows) == 10
    assert not meets_the_limits(draft(page).design)
    engineer.fit()
    assert engineer.actions <= 20
    assert meets_the_limits(draft(page).design)


def test_a_row_is_edited_from_table_and_keyboard_and_restored_by_back_and_forward(page: Page) -> None:
    visit(page, "/studio")
    first = cards(page)
    type_into(page, "row_out_channels", "64")
    wider = cards(page)
    assert wider != first
    page.go_back()
    expect_cards(page, first)
    settle(page)
    page.go_forward()
    expect_cards(page, wider)
    settle(page)

    # Another row is selected in the table.
    rows = page.locator(".st-key-studio_rows .dvn-scroller")
    # Rows are 35 px high; the first is the heading.
    rows.click(position={"x": 20, "y": 35 * 4 + 17})
    settle(page)
    expect(page.get_by_text("Block of row 4", exact=True)).to_be_visible()
    channels = field(page, "row_out_channels")
    type_into(page, "row_out_channels", "48")
    assert draft(page).rows[3].out_channels == 48
    expect(page.get_by_text("Block of row 4", exact=True)).to_be_visible()

    # The edit keeps the focus, and a cleared number returns.
    expect(channels).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(channels).to_have_value("49")
    page.keyboard.press("Enter")
    settle(page)
    assert draft(page).rows[3].out_channels == 49
    type_into(page, "row_out_channels", "")
    expect(channels).to_have_value("49")
    assert draft(page).rows[3].out_channels == 49


def drawn(page: Page, key: str) -> Locator:
    chart = page.locator(f".st-key-{key} .chart")
    expect(chart).to_have_class("chart clickable js-plotly-plot")
    chart.scroll_into_view_if_needed()
    return chart


def test_charts_and_keys_choose_rows_and_snapshots_are_compared(page: Page) -> None:
    visit(page, "/studio?part=Activations")
    selected = page.get_by_text(re.compile(r"^Block of row \d+$"))
    box = drawn(page, "timeline").locator("rect.nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + box["height"] - 4)
    expect(selected).to_have_text("Block of row 3")
    show_part(page, "Microcontroller")
    # The second rectangle is the tensor that the stem writes.
    click_center(page, drawn(page, "arena").locator(".barlayer .point path").nth(1))
    expect(selected).to_have_text("Block of row 1")

    # The keys of the buttons: duplicate, undo.
    show_part(page, "Snapshots")
    click(page, "Keep a snapshot")
    type_into(page, "row_out_channels", "48")
    rows = len(draft(page).rows)
    for key, more in (("Alt+d", 1), ("Alt+z", 0)):
        page.keyboard.press(key)
        settle(page)
        assert len(draft(page).rows) == rows + more
    click(page, "Keep a snapshot")
    page.get_by_role("button", name="Compare all").click()
    page.wait_for_url(re.compile(r"/compare\?"))
    settle(page)
    assert len(query(page)["nets"].split()) == 2


def test_an_undone_edit_is_not_restored_while_the_latency_is_pending(context: BrowserContext) -> None:
    page = context.new_page()
    late = LateReports(page, "row_out_channels")
    visit(page, "/studio")
    choose(page, "start", "EfficientNet-B4")
    type_into(page, "row_out_channels", "56")
    assert draft(page).rows[0].out_channels == 56
    page.get_by_text("Measure after every change").click()
    settle(page)
    query_before = urlsplit(page.url).query
    undone = Draft.of(effviz.architecture("efficientnet_b4"))
    with busy_torch_process(page):
        page.get_by_role("button", name="Undo", exact=True).first.click()
        expect(field(page, "row_out_channels")).to_have_value(str(undone.rows[0].out_channels))
        late.value, late.query = 56, query_before
        wait_for_late_reports(page, late)
        expect(page).to_have_url(re.compile("design="))
        assert draft(page) == undone
        expect(field(page, "row_out_channels")).to_have_value(str(undone.rows[0].out_channels))
