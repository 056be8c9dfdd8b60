"""Sliders while they are dragged: numbers and chart follow before the release, with mouse, touch and keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import effviz
from effviz.core.units import si
from tests.browser.conftest import settle
from tests.browser.driver import counted, expect_cards, expect_query, expected_cards, query, slider, visit

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


def wait_for_sweep(page: Page, key: str) -> None:
    """Touch a slider without moving it, and wait for the states of the page."""
    with page.expect_response(lambda answer: "/effviz-sweep/" in answer.url):
        slider(page, key).focus()


def shown(page: Page) -> float:
    return float(slider(page, "width").input_value())


def test_numbers_and_chart_follow_the_mouse_before_the_release(page: Page) -> None:
    visit(page, "/architectures")
    wait_for_sweep(page, "width")
    page.evaluate(RUNS)
    x, y = thumb(page, "width")
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for step in range(1, 6):
        page.mouse.move(x + 20 * step, y)
        report = counted("mobilenet_v2", width_mult=shown(page))
        expect_cards(page, expected_cards(report))
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


def test_numbers_follow_a_finger(new_context: Callable[..., BrowserContext], base_url: str) -> None:
    page = new_context(has_touch=True).new_page()
    visit(page, f"{base_url}/architectures")
    wait_for_sweep(page, "width")
    x, y = thumb(page, "width")
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", (x, y))
    for step in range(1, 4):
        touch("touchMove", (x - 9 * step, y))
        expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=shown(page))))
    assert shown(page) < 1
    assert query(page) == {}
    touch("touchEnd")
    expect_query(page, {"width": f"{shown(page):g}"})


@pytest.mark.parametrize(("path", "key"), [("convolutions", "kernel"), ("blocks", "cin"), ("scaling", "phi")])
def test_other_pages_follow_the_keyboard(page: Page, path: str, key: str) -> None:
    visit(page, f"/{path}")
    wait_for_sweep(page, key)
    before = page.locator(".card .number").nth(1).inner_text()
    slider(page, key).press("ArrowRight")
    expect(page.locator(".card .number").nth(1)).not_to_have_text(before)
    settle(page)
    expect(slider(page, key)).to_be_focused()
    if path == "scaling":
        value = float(slider(page, key).input_value())
        scaled = effviz.compound_scale(effviz.architecture("efficientnet_b0"), value)
        expect(page.locator(".card .number").nth(1)).to_have_text(si(effviz.analyze(scaled).params))


def test_charts_stay_when_a_slow_browser_receives_several_answers_at_once(page: Page) -> None:
    visit(page, "/architectures")
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    slider(page, "width").focus()
    for arrow in ("ArrowRight", "ArrowLeft", "ArrowRight"):
        for _ in range(8):
            page.keyboard.press(arrow)
            page.wait_for_timeout(230)  # about the time in which an answer arrives
        settle(page)
    assert page.locator(".chart .main-svg").count() >= 3
