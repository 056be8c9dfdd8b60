"""Lessons in a real browser: all four played on a desktop and on a phone, with a reload in the middle."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from effviz.lessons.lesson import ORDER, Lesson, Step, lesson
from effviz.ui import playing
from tests.browser.conftest import VIEWPORTS, settle
from tests.browser.driver import query, visit
from tests.browser.test_pages import check_fits

RIGHT = ".verdict.right, .choices[aria-label=Correct]"
WRONG = ".verdict.wrong, .choices[aria-label='Not correct']"


def start(page: Page, chosen: Lesson, number: int = 1) -> None:
    visit(page, f"/{chosen.steps[number - 1].page}?{urlencode(playing.address(chosen, number))}")


def predict(page: Page, step: Step, guess: float) -> None:
    """Answer the question of the step on the page, and wait for the page's own content."""
    assert step.prediction is not None
    panel = page.locator(".st-key-lesson")
    expect(page.locator(".lesson_waiting")).to_be_visible()
    if step.prediction.choices:
        panel.get_by_text(step.prediction.choices[int(guess)].text, exact=True).click()
    else:
        panel.get_by_label("Your prediction").fill(f"{guess:.6f}")
    panel.get_by_role("button", name="Predict").click()
    expect(page.locator(".verdict, .choices")).to_be_visible()
    expect(page.locator(".lesson_waiting")).to_have_count(0)


def advance(page: Page, chosen: Lesson, number: int) -> None:
    page.get_by_role("link", name=f"Next: {chosen.steps[number].title}").click()
    expect(page.get_by_role("heading", name=chosen.steps[number].title, exact=True, level=2)).to_be_visible()
    settle(page)
    assert query(page)["step"] == str(number + 1)


@pytest.mark.parametrize("size", ["wide", "phone"])
@pytest.mark.parametrize("name", ORDER)
def test_a_lesson_is_played_from_the_first_to_the_last_step(name: str, size: str, page: Page) -> None:
    """Right and wrong answers alternate; the phone begins with a wrong one, so that each step gets both."""
    chosen = lesson(name)
    page.set_viewport_size(VIEWPORTS[size])
    start(page, chosen)
    for number, step in enumerate(chosen.steps, 1):
        if step.prediction is not None:
            answer, is_right = step.prediction.value(), (number + (size == "phone")) % 2 == 1
            predict(page, step, answer if is_right else (0 if answer else 1))
            expect(page.locator(RIGHT if is_right else WRONG)).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.locator(".failed, .ignored")).to_have_count(0)
        check_fits(page, VIEWPORTS[size]["width"])
        if number < len(chosen.steps):
            advance(page, chosen, number)
    page.get_by_role("link", name="All lessons").click()
    count = sum(step.prediction is not None for step in chosen.steps)
    expect(page.get_by_text(f"{count} of {count} questions answered")).to_be_visible()


def test_a_phone_that_reloads_in_the_middle_keeps_answers_and_controls(page: Page) -> None:
    chosen = lesson("compound_scaling")
    page.set_viewport_size(VIEWPORTS["phone"])
    start(page, chosen, 6)
    predict(page, chosen.steps[5], 1)
    advance(page, chosen, 6)
    predict(page, chosen.steps[6], 5.0)
    field = page.locator(".st-key-phi input:not([type=range])")
    expect(field).to_be_enabled()
    field.fill("2.5")
    field.press("Enter")
    page.wait_for_function("() => new URLSearchParams(location.search).get('phi') === '2.5'")
    settle(page)
    page.reload()
    expect(page.get_by_text("You predicted 5.00 G multiply-adds")).to_be_visible()
    expect(field).to_have_value("2.50")
    assert query(page)["step"] == "7"
    page.get_by_role("link", name=f"Previous: {chosen.steps[5].title}").click()
    expect(page.locator(RIGHT)).to_be_visible()
    stored = json.loads(page.evaluate("localStorage.getItem('effviz.lessons')"))
    assert stored == {"compound_scaling": {"constraint": {"guess": 1}, "promise": {"guess": 5}}}
    settle(page)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= VIEWPORTS["phone"]["width"]


def test_the_convention_of_a_step_is_in_the_address_before_and_after_a_reload(page: Page) -> None:
    chosen = lesson("latency")
    start(page, chosen, 2)
    advance(page, chosen, 2)
    for _ in range(2):
        expect(page.locator(".st-key-convention summary")).to_contain_text("Paper")
        page.wait_for_function("() => new URLSearchParams(location.search).get('memory') === 'Paper'")
        page.reload()
        settle(page)


def test_an_exercise_keeps_its_numbers_and_its_answer(page: Page) -> None:
    visit(page, "/scaling?part=Try+this")
    step, blocks = page.locator("[data-key=step]"), page.locator("[data-key=blocks]")
    step.get_by_role("spinbutton").fill("2")
    step.get_by_role("button", name="Reveal").click()
    expect(step.get_by_role("status")).to_contain_text(
        re.compile(r"Your guess: 2×(\. Correct|, [\d.]+ % too (low|high))\.")
    )
    blocks.get_by_role("spinbutton").fill("20")
    asked = blocks.locator(".question").inner_text()
    field = page.locator(".st-key-phi input:not([type=range])")
    field.fill("2")
    field.press("Enter")
    expect(blocks.locator(".frozen")).to_be_visible()
    assert blocks.locator(".question").inner_text() == asked
    blocks.get_by_role("button", name="Reveal").click()
    expect(blocks.get_by_role("status")).to_contain_text("24 blocks")
    expect(step.get_by_role("status")).to_contain_text("Your guess: 2×")
    page.reload()
    expect(step.get_by_role("status")).to_contain_text("Your guess: 2×")
    blocks.get_by_role("button", name="Reset").click()
    expect(blocks.locator(".question")).not_to_have_text(asked)
