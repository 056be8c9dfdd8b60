"""Lessons in a real browser: all four played, on a phone and a desktop, with a reload in the middle."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from effviz.lessons.lesson import ORDER, Lesson, Step, lesson
from effviz.ui import playing
from tests.browser.checks import check_accessible, check_fits
from tests.browser.conftest import VIEWPORTS, settle
from tests.browser.driver import query, visit

RIGHT = ".verdict.right"
WRONG = ".verdict.wrong"


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
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator(".lesson_waiting")).to_have_count(0)


def advance(page: Page, chosen: Lesson, number: int) -> None:
    page.get_by_role("link", name=f"Next: {chosen.steps[number].title}").click()
    expect(page.get_by_role("heading", name=chosen.steps[number].title, exact=True, level=2)).to_be_visible()
    settle(page)
    assert query(page)["step"] == str(number + 1)


def answer(page: Page, step: Step, number: int) -> float:
    """Make the prediction of a step; return it. Steps with odd numbers are answered right, others wrong."""
    assert step.prediction is not None
    truth, is_right = step.prediction.value(), number % 2 == 1
    guess = truth if is_right else (0 if truth else 1)
    predict(page, step, guess)
    expect(page.locator(RIGHT if is_right else WRONG)).to_be_visible()
    return guess


def check_links(page: Page, step: Step) -> None:
    """Check that each link of what to look at brings its element into view, by the keyboard and without the address.

    A link that names a part opens it.
    """
    links = page.locator(".st-key-lesson a[href^='#']")
    expect(links).to_have_count(len(step.targets))
    for place, key in enumerate(step.targets):
        target = page.locator(f".st-key-{key}, [data-key={key}]").first
        expect(target).to_be_visible()
        links.nth(place).press("Enter")
        expect(target).to_be_focused()
        expect(target).to_be_in_viewport()
        if key == "part":
            title = links.nth(place).inner_text().strip('"')
            expect(page.get_by_role("radio", name=title, exact=True)).to_be_checked()
            settle(page)
    assert "#" not in page.url


def check_reload(page: Page, chosen: Lesson, guesses: dict[str, float]) -> None:
    """Check that a reload keeps answers and controls, at the step of Compound scaling that frees the slider of phi."""
    here, before = chosen.steps[6], chosen.steps[5]
    field = page.locator(".st-key-phi input:not([type=range])")
    expect(field).to_be_enabled()
    field.fill("2.5")
    field.press("Enter")
    page.wait_for_function("() => new URLSearchParams(location.search).get('phi') === '2.5'")
    settle(page)
    page.reload()
    assert here.prediction is not None
    expect(page.get_by_text(f"You predicted {here.prediction.show(guesses[here.name])}")).to_be_visible()
    expect(field).to_have_value("2.50")
    assert query(page)["step"] == "7"
    page.get_by_role("link", name=f"Previous: {before.title}").click()
    expect(page.locator(WRONG)).to_be_visible()
    stored = json.loads(page.evaluate("localStorage.getItem('effviz.lessons')"))[chosen.name]
    assert {name: entry["guess"] for name, entry in stored.items()} == pytest.approx(guesses, abs=1e-5)
    settle(page)
    check_fits(page)
    advance(page, chosen, 6)


def check_convention(page: Page) -> None:
    """Check that the convention of a step is in the address, also after a reload."""
    for is_reloaded in (False, True):
        if is_reloaded:
            page.reload()
            settle(page)
        expect(page.locator(".st-key-convention summary")).to_contain_text("Paper")
        page.wait_for_function("() => new URLSearchParams(location.search).get('memory') === 'Paper'")


@pytest.mark.parametrize("name", ORDER)
def test_a_lesson_is_played_from_the_first_to_the_last_step(name: str, page: Page) -> None:
    """Steps are played on a phone and on a desktop in turn, and their pages are looked at on both.

    Right and wrong answers alternate; `tests/ui/test_lessons.py` gives each step the other one.
    """
    chosen, guesses = lesson(name), dict[str, float]()
    page.set_viewport_size(VIEWPORTS["phone"])
    start(page, chosen)
    for number, step in enumerate(chosen.steps, 1):
        if (name, number) == ("latency", 3):
            check_convention(page)
        if step.prediction is not None:
            guesses[step.name] = answer(page, step, number)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.locator(".failed, .ignored")).to_have_count(0)
        for key in step.use:
            # Also on a phone, where the sidebar is closed.
            expect(page.locator(f".st-key-lesson_use .st-key-{key}")).to_be_visible()
        check_links(page, step)
        check_fits(page)
        check_accessible(page)
        if (name, number) == ("compound_scaling", 7):
            check_reload(page, chosen, guesses)
        page.set_viewport_size(VIEWPORTS["wide" if number % 2 else "phone"])
        settle(page)
        check_fits(page)
        if number < len(chosen.steps):
            advance(page, chosen, number)
    page.get_by_role("link", name="All lessons").click()
    expect(page.get_by_text(f"{len(guesses)} of {len(guesses)} questions answered")).to_be_visible()


def test_an_exercise_keeps_its_numbers_and_its_answer(page: Page) -> None:
    visit(page, "/scaling?part=Try+this")
    step, blocks = page.locator("[data-key=step]"), page.locator("[data-key=blocks]")
    step.get_by_role("spinbutton").fill("2")
    step.get_by_role("button", name="Reveal").click()
    expect(step.get_by_role("status")).to_contain_text(
        re.compile(
            r"✓ Correct\. Your guess: 2×\.|✗ Not correct\. Your guess: 2×, [\d.]+ % too \w+ \(correct within 2 %"
        )
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
