"""Animations in the browser: play, step, scrub by keyboard, reduced motion, and positions that are kept."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from effviz.charts.motion import convolution
from effviz.studies.convolutions import Setting, report
from tests.browser.conftest import settle
from tests.browser.driver import choose, show_part, type_into, visit
from tests.browser.test_drag import RUNS

COUNT = ".motion .track:not(.fixed) .number"


def test_an_animation_plays_to_the_exact_number_or_by_steps_with_reduced_motion(page: Page) -> None:
    found = convolution("separable", Setting())
    real = report("separable", Setting(resolution=14)).macs
    visit(page, "/convolutions")
    box, count, range_ = page.locator(".motion"), page.locator(COUNT), page.locator(".motion input[type=range]")
    assert int(range_.input_value()) == found.twin, "at rest, at the static picture"
    expect(page.get_by_role("img", name=found.title)).to_have_attribute("aria-label", found.alt)
    page.evaluate(RUNS)

    # Step and scrub by keyboard.
    range_.press("Home")
    expect(count).to_have_text("0")
    range_.press("ArrowRight")
    range_.press("ArrowRight")
    expect(count).to_have_text("18")
    page.get_by_role("button", name="Step back").press("Enter")
    expect(count).to_have_text("9")
    expect(page.locator(".motion .spoken")).to_contain_text("Step 1 of 200, 9 multiplications")

    # Play: the counter rises through every number of a step, and nothing is read aloud on the way.
    page.get_by_label("Speed").select_option("4")
    range_.fill("150")
    expect(count).to_have_text("1,100")
    range_.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    spoken = page.locator(".motion .spoken").inner_text()
    expect(count).not_to_have_text("1,100")
    assert page.locator(".motion .spoken").inner_text() == spoken
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(count).to_have_text(f"{found.multiplications():,}")
    expect(box.locator(".caption")).to_contain_text(f"The output takes {found.multiplications():,} multiplications")
    assert page.evaluate("() => window.effviz_runs") == 0, "without the server"

    # A value of the output shows its step; a change of the map keeps the position.
    page.locator(".motion [data-step='120']").click()
    expect(count).to_have_text("980")
    type_into(page, "map", "14")
    expect(count).to_have_text("980")
    expect(page.locator(".motion .track:not(.fixed) .real")).to_have_text(f"yours: {real:,}")
    range_.press("End")

    # A kind that was never shown starts with its own picture, and the position of the first one returns.
    choose(page, "type", "Standard")
    expect(count).not_to_have_text(f"{found.multiplications():,}")
    show_part(page, "Connections")
    choose(page, "type", "Depthwise separable")
    settle(page)
    expect(page.locator(COUNT)).to_have_text(f"{found.multiplications():,}")

    # Reduced motion shows states without transitions.
    page.emulate_media(reduced_motion="reduce")
    choose(page, "type", "Depthwise")
    range_.press("Home")
    expect(count).to_have_text("0")
    page.evaluate(
        """(count) => {
          window.seen = [];
          new MutationObserver(() => window.seen.push(Number(document.querySelector(count).innerText.replace(',', ''))))
            .observe(document.querySelector(count), {childList: true, characterData: true, subtree: true});
        }""",
        COUNT,
    )
    page.get_by_role("button", name="Step forward").click()
    expect(count).to_have_text("9")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => window.seen.length > 4")
    page.get_by_role("button", name="Pause").click()
    seen = page.evaluate("() => window.seen")
    assert all(value % 9 == 0 for value in seen), seen
