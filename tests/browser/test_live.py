"""Results of the torch process in a real browser: the page shows them without a reload."""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

import effviz
from effviz.backend.diagram.draw import draw
from effviz.studies.prediction import ENTRIES
from effviz.ui.navigation import PAGES
from tests.browser.checks import check_complete
from tests.browser.conftest import PATIENCE_MS, Server, has_torch, settle, torch_processes
from tests.browser.driver import choose, expect_query, query, show, show_part, slider, snapshot, type_into, visit

MEASURED_MS = 60_000
SMALL = "/architectures?net=MobileNetV3-Small&res=64"


def measured_card(page: Page) -> Locator:
    return page.locator(".card .number").nth(4)


def bar(page: Page) -> Locator:
    return page.locator(".latency")


def wait_until_measured(page: Page) -> None:
    expect(page.get_by_role("button", name="Measure again")).to_be_visible(timeout=MEASURED_MS)
    expect(bar(page)).to_contain_text("Median", timeout=MEASURED_MS)


def drawn(page: Page) -> str:
    """The text of the diagram."""
    settle(page)
    return page.locator("[data-testid=stGraphVizChart] svg").inner_html()


# --- latency ----------------------------------------------------------------------------------------------------------


def test_one_click_measures_and_auto_measures_every_move(page: Page) -> None:
    visit(page, SMALL)
    expect(measured_card(page)).to_have_text("\N{EN DASH}")
    page.get_by_role("button", name="Measure latency").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    wait_until_measured(page)
    assert re.fullmatch(r"\d+\.\d+ ms", measured_card(page).inner_text())
    # The counted numbers do not wait for the measured one, which remains, dimmed.
    before = measured_card(page).inner_text()
    slider(page, "width").press("ArrowRight")
    settle(page)
    assert measured_card(page).inner_text() == before
    assert float(page.locator(".card.stale .number").evaluate(
        "e => getComputedStyle(e).opacity"
    )) < 0.8  # fmt: skip
    expect(page.get_by_role("button", name="Measure latency")).to_be_visible()

    # Auto measures now, and again after the next move.
    page.locator(".st-key-auto label").click()
    wait_until_measured(page)
    assert query(page)["auto"] == "true"
    slider(page, "width").press("ArrowRight")
    # Each frame is looked at: the former latency stays only until the new one is measured, about a second.
    page.wait_for_selector(".card.stale", timeout=PATIENCE_MS)
    wait_until_measured(page)
    expect(page.locator(".card.stale")).to_have_count(0)


def test_the_job_of_a_visitor_who_leaves_is_stopped(page: Page, context: BrowserContext, base_url: str) -> None:
    other = context.new_page()
    visit(other, "/architectures?net=VGG-16&batch=64")
    other.get_by_role("button", name="Measure latency").click()
    expect(other.get_by_role("progressbar")).to_be_visible()
    page.bring_to_front()
    # Not `visit`: the diagram of this page is queued too.
    page.goto(f"{base_url}{SMALL}&classes=10")
    page.get_by_role("button", name="Measure latency").click()
    expect(bar(page)).to_contain_text("Waiting")
    began = time.monotonic()
    other.close()
    wait_until_measured(page)
    # Measuring VGG-16 on 64 images takes minutes.
    assert time.monotonic() - began < 100


# --- diagrams ---------------------------------------------------------------------------------------------------------


def test_the_diagram_is_that_of_the_chosen_block_in_the_colours_of_the_appearance(
    page: Page, color_scheme: str
) -> None:
    visit(page, "/architectures?part=Blocks")
    assert "stage5.1" in page.locator(".finding").inner_text()
    table = page.locator("[class*=st-key-blocks_] [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 + 17})
    settle(page)
    expect_query(page, {"part": "Blocks", "draw": "stem: 3×3 conv, stride 2"})
    assert "stem of MobileNetV2" in page.locator(".finding").inner_text()
    choose(page, "draw", "Whole network, by stage")
    text = drawn(page)
    for stage in ("stem", "stage1", "stage7", "classifier"):
        assert f">{stage}<" in text
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    with page.expect_download() as started:
        page.get_by_role("button", name="Diagram as DOT").click()
    dot = Path(started.value.path()).read_text(encoding="utf-8")
    assert dot == draw(effviz.architecture("mobilenet_v2"), depth=1).dot

    # It has the colours of the appearance.
    show(page, "/architectures?net=ShuffleNetV2&part=Blocks")
    dot = draw(effviz.architecture("shufflenet_v2"), path="stage3.1", appearance=color_scheme).dot
    inks = re.findall(r'fontcolor="(#\w{6})"', dot)
    assert f'fill="{inks[1].lower()}"' in drawn(page).lower()


# --- other counters ---------------------------------------------------------------------------------------------------


def test_other_counters_are_explained_and_run_on_request(page: Page) -> None:
    visit(page, "/architectures?net=ShuffleNetV2")
    show_part(page, "Other counters")
    expect(page.get_by_role("heading", name=re.compile(r"^thop prints \S+ % more: "))).to_be_visible()
    page.get_by_text("Run thop and FlopCounterMode").click()
    expect(page.get_by_text("Unexplained: 0.")).to_be_visible(timeout=MEASURED_MS)
    assert query(page)["part"] == "Other counters"
    assert query(page)["check"] == "true"
    page.reload()
    expect(page.get_by_text("Unexplained: 0.")).to_be_visible(timeout=MEASURED_MS)
    type_into(page, "width", "0.5")
    expect(page.get_by_text("Unexplained: 0.")).to_be_visible(timeout=MEASURED_MS)


# --- FLOPs are not latency --------------------------------------------------------------------------------------------


def test_the_zoo_fills_the_chart_and_can_be_paused(page: Page) -> None:
    visit(page, "/latency")
    card = page.locator(".card .number", has_text=f" of {len(ENTRIES)}")
    # Other tests may have measured one of the networks.
    known = int(card.inner_text().removesuffix(f" of {len(ENTRIES)}"))
    page.get_by_role("button", name=re.compile("^Measure here: ")).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    # Without any action on the page.
    expect(card).not_to_have_text(re.compile(f"^({known}|{known + 1}) of"), timeout=MEASURED_MS)
    expect(page.locator(".st-key-scatter")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name=re.compile("^Measure here: "))).to_be_visible()
    expect(bar(page)).to_contain_text("Paused")


# --- the server -------------------------------------------------------------------------------------------------------


def test_a_link_opens_a_fresh_server_whose_torch_process_ends_with_it(page: Page, fresh_server: Server) -> None:
    server = fresh_server
    visit(page, f"{server.url}/scaling?phi=2")
    check_complete(page, next(entry for entry in PAGES if entry.url_path == "scaling"))
    visit(page, f"{server.url}/architectures?net=MobileNetV3-Small&res=32&check=true")
    page.get_by_role("button", name="Measure latency").click()
    wait_until_measured(page)
    expect(page.get_by_text("Unexplained: 0.")).to_be_visible(timeout=MEASURED_MS)
    show_part(page, "Blocks")
    assert drawn(page)
    workers = torch_processes(server)
    assert len(workers) == 1
    assert has_torch(workers[0])
    assert not has_torch(server.process.pid)
    assert "Traceback" not in server.log
    server.process.terminate()
    server.process.wait(timeout=120)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{workers[0]}").exists() and "Z" not in Path(f"/proc/{workers[0]}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the torch process outlives the server"
        time.sleep(0.05)
