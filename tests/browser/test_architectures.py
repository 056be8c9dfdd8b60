"""The layer table, the downloads and the exercise of the Architectures page in a real browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from effviz import Design
from effviz.core.text import with_letter
from effviz.core.units import exact
from tests.browser.conftest import VIEWPORTS, settle
from tests.browser.driver import (
    choose,
    click_center,
    counted,
    expect_query,
    field,
    formulas,
    query,
    show,
    show_part,
    type_into,
    visit,
)

LAYERS = "[class*=st-key-layers]"


def select_row(page: Page, row: int) -> None:
    """Click the box at the left end of a row, by position: the table is a canvas."""
    table = page.locator(f"{LAYERS} [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 * (row + 1) + 17})
    settle(page)


def highlighted(page: Page) -> list[str]:
    """Paths of the selected rows, from the table for screen readers below the canvas."""
    return page.locator(f"{LAYERS} [role=row][aria-selected=true] [role=gridcell]:first-child").all_inner_texts()


def test_bars_are_rows_on_a_phone(page: Page) -> None:
    page.set_viewport_size(VIEWPORTS["phone"])  # type: ignore[arg-type]
    visit(page, "/architectures?net=VGG-16")
    chart = page.locator(".st-key-stages")
    assert "stage3" in [text.strip() for text in chart.locator(".ytick text").all_text_contents()]
    assert not chart.locator("[class$=tick] text[transform*='rotate(90']").count()
    # A bar opens the layers of its stage: the longest one is the multiply-adds of stage 3.
    bars = chart.locator(".barlayer .point path")
    lengths = [(bar.bounding_box() or {"width": 0})["width"] for bar in bars.all()]
    click_center(page, bars.nth(lengths.index(max(lengths))))
    expect_query(page, {"net": "VGG-16", "part": "Layers", "find": "stage3."})


def test_a_selected_row_is_explained_and_alone_marked(page: Page) -> None:
    visit(page, "/architectures")
    table = counted("mobilenet_v2").table
    before = formulas(page)
    for row in (0, 3):
        layer = table.iloc[row]
        show_part(page, "Layers")
        select_row(page, row)
        expect_query(page, {"part": "Layers", "layer": layer["path"]})
        show_part(page, "How this is computed")
        expect(field(page, "layer")).to_have_value(layer["path"])
        shown = formulas(page)
        assert shown != before
        for quantity in ("params", "macs", "memory_access"):
            assert f"={exact(layer[quantity])}" in "".join(shown)
    show_part(page, "Layers")
    type_into(page, "find", "expand.conv")
    assert query(page)["layer"] == layer["path"]
    found = table[table["path"].str.contains("expand.conv", regex=False)]["path"].tolist()
    select_row(page, 1)
    expect_query(page, {"part": "Layers", "find": "expand.conv", "layer": found[1]})
    show_part(page, "How this is computed")
    expect(field(page, "layer")).to_have_value(found[1])

    # Only the row that is explained is marked.
    show_part(page, "Layers")
    type_into(page, "find", "")
    select_row(page, 2)
    assert highlighted(page) == ["stem.act"]
    show_part(page, "How this is computed")
    choose(page, "layer", "stem.norm")
    show_part(page, "Layers")
    assert highlighted(page) in ([], ["stem.norm"])
    select_row(page, 7)
    layer = query(page)["layer"]
    type_into(page, "depth", "2")
    assert highlighted(page) in ([], [query(page).get("layer")]), f"row 7 was {layer} at depth 1"
    select_row(page, 2)
    type_into(page, "find", "expand")
    assert highlighted(page) == [], "the third row of the search is another layer"


# --- taking it away ---------------------------------------------------------------------------------------------------


def _download(page: Page, button: str) -> str:
    with page.expect_download() as started:
        page.get_by_role("button", name=button).click()
    return Path(started.value.path()).read_text(encoding="utf-8")


def test_downloads_contain_what_the_page_shows_and_a_guess_is_answered(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, "/architectures?net=GhostNet&width=1.3&count=FLOPs&unit=float16&memory=Eager&find=ghost&part=Downloads")
    report = counted("ghostnet", "eager", width_mult=1.3)
    comment, _, body = _download(page, "Layers as CSV").partition("\n")
    for words in (
        "GhostNet",
        "224 px",
        "FLOPs: 2 × multiply-adds",
        "2 bytes per element",
        "every operation as PyTorch",
    ):
        assert words in comment
    assert comment.startswith("# ")
    rows = {row["Path"]: row for row in csv.DictReader(io.StringIO(body))}
    shown = report.table[report.table["kind"] != "view"]
    assert set(shown["path"]) <= set(rows)
    for layer in report.table.itertuples():
        row = rows[layer.path]
        assert with_letter(row["Kind"]) == layer.kind
        assert with_letter(row["Output"]) == layer.output_shape
        assert int(row["Parameters"]) == layer.params
        assert int(row["FLOPs"]) == layer.flops
        assert int(row["Memory access (bytes)"]) == 2 * layer.memory_access
        assert int(row["Alive (bytes)"]) == 2 * layer.alive
    assert sum(int(row["Parameters"]) for row in rows.values()) == report.params
    assert Design.from_json(_download(page, "Design as JSON")) == report.design
    type_into(page, "width", "0.5")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert query(page)["width"] == "0.5"

    # One click reveals the answer to a guess.
    show(page, "/architectures?part=Try+this")
    half = counted("mobilenet_v2", resolution=112).macs / counted("mobilenet_v2").macs
    guess = page.locator("[data-key=half] input")
    guess.scroll_into_view_if_needed()
    guess.fill("50")
    # With the mouse, without waiting for the button to be enabled.
    box = page.locator("[data-key=half] [type=submit]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect(page.get_by_text(f"{100 * half:.1f} %")).to_be_visible()
