"""Sliders while they are dragged: numbers and chart follow before the release, with mouse, touch and keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from effviz.core.units import si
from effviz.count.report import Report
from tests.browser.conftest import PATIENCE_MS, settle
from tests.browser.driver import (
    cards,
    counted,
    expect_cards,
    expect_query,
    expected_cards,
    query,
    slider,
    visit,
    wait_for_sweep,
)

# Every run of the server changes the state that Streamlit notes at the app.
RUNS = """
() => {
  window.effviz_runs = 0;
  const app = document.querySelector('[data-testid=stApp]');
  new MutationObserver(() => { if (app.dataset.testScriptState === 'running') window.effviz_runs += 1; })
    .observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}
"""


def thumb(page: Page, key: str) -> tuple[float, float]:
    """The middle of a slider's thumb."""
    x, y = slider(page, key).evaluate(
        "e => { const r = e.parentElement.parentElement.getBoundingClientRect(); "
        "return [r.x + r.width / 2, r.y + r.height / 2]; }"
    )
    return float(x), float(y)


def shown(page: Page) -> float:
    return float(slider(page, "width").input_value())


def follow(page: Page) -> Report:
    """Wait until the numbers are those of the slider's value, which may follow the pointer a frame later."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    deadline = time.monotonic() + PATIENCE_MS / 1e3
    while True:
        value = shown(page)
        report = counted("mobilenet_v2", width_mult=value)
        if cards(page) == expected_cards(report) and shown(page) == value:
            return report
        assert time.monotonic() < deadline, (value, cards(page))
        page.wait_for_timeout(20)


def test_numbers_and_chart_follow_the_mouse_before_the_release_and_stay_in_a_slow_browser(page: Page) -> None:
    visit(page, "/architectures")
    wait_for_sweep(page, "width")
    page.evaluate(RUNS)
    x, y = thumb(page, "width")
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for step in range(1, 6):
        page.mouse.move(x + 20 * step, y)
        report = follow(page)
        expect(page.locator(".st-key-stages .annotation-text").first).to_contain_text(si(report.params))
        seen.add(report.params)
    assert len(seen) >= 4
    assert query(page) == {}, "the page itself is unchanged"
    assert page.evaluate("() => window.effviz_runs") == 0, "without the server"
    value = shown(page)
    page.mouse.up()
    expect_query(page, {"width": f"{value:g}"})
    settle(page)
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=value)))

    # Charts stay when a slow browser receives several answers at once.
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    slider(page, "width").focus()
    for arrow in ("ArrowRight", "ArrowLeft"):
        for _ in range(5):
            page.keyboard.press(arrow)
            page.wait_for_timeout(230)  # about the time in which an answer arrives
        settle(page)
    assert page.locator(".chart .main-svg").count() >= 3
    client.detach()


def test_numbers_follow_a_finger(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(has_touch=True).new_page()
    visit(page, "/architectures")
    wait_for_sweep(page, "width")
    x, y = thumb(page, "width")
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", (x, y))
    for step in range(1, 4):
        touch("touchMove", (x - 9 * step, y))
        follow(page)
    assert shown(page) < 1
    assert query(page) == {}
    touch("touchEnd")
    expect_query(page, {"width": f"{shown(page):g}"})
