"""A room with three real browsers: the teacher's screen and two phones."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.checks import check_accessible, check_fits
from tests.browser.conftest import VIEWPORTS, Server, settle
from tests.browser.driver import query, visible_soon, visit

NICKNAME = "<b onclick=alert(1)>Ada</b> $x$"[:24]


def join(context: BrowserContext, link: str, nickname: str) -> Page:
    student = context.new_page()
    student.set_viewport_size(VIEWPORTS["phone"])
    visit(student, link)
    student.get_by_label("Nickname (optional)", exact=True).fill(nickname)
    student.get_by_role("button", name="Join").click()
    expect(student.locator(".st-key-room_bar")).to_contain_text(nickname or "Student 2")
    return student


def predict(student: Page, value: str) -> None:
    field = student.locator("[class*=st-key-lesson_guess] input")
    field.fill(value)
    field.press("Enter")
    expect(student.locator(".verdict")).to_contain_text("The teacher will reveal the answer")


def test_a_class_with_three_browsers(page: Page, server: Server, new_context: Callable[..., BrowserContext]) -> None:
    visit(page, "/classroom")
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator(".room_qr")).to_have_js_property("complete", True)
    assert page.locator(".room_qr").evaluate("image => image.naturalWidth") > 0, "the policy allows the QR code"
    code = page.locator(".room_code").inner_text()
    assert query(page) == {"room": code}, "the teacher's key is not in the address"
    link = f"{server.url}/classroom?room={code}"

    ada, other = (join(new_context(has_touch=True), link, name) for name in (NICKNAME, ""))
    count = page.locator(".room_count")
    expect(count).to_have_text("0 of 2 answered")
    check_accessible(ada, "[data-testid=stMain]")
    check_fits(ada)
    expect(ada.locator(".lesson_waiting")).to_be_visible()
    predict(ada, "5")
    ada.get_by_role("button", name="Change").click()
    predict(ada, "50")
    expect(count).to_have_text("1 of 2 answered")
    expect(ada.locator(".lesson_waiting")).to_contain_text("when the teacher reveals")

    # Both reload: the student keeps step, name and answer, and the teacher the room.
    ada.reload()
    page.reload()
    expect(ada.locator(".st-key-room_bar")).to_contain_text(NICKNAME)
    expect(ada.locator(".verdict")).to_contain_text("50")
    expect(count).to_have_text("1 of 2 answered")
    expect(other.locator(".lesson_waiting")).to_be_visible()

    page.get_by_role("button", name="Reveal").click()
    expect(
        page.get_by_role("heading", name=re.compile("^The only prediction is not right: the truth is"))
    ).to_be_visible()
    expect(ada.locator(".verdict")).to_contain_text("percentage points too high")
    expect(ada.locator(".st-key-lesson figure .chart")).to_be_visible()
    expect(other.locator(".verdict")).to_contain_text("Revealed before your prediction")
    expect(other.locator(".st-key-lesson figure .chart")).to_be_visible()
    expect(other.locator(".cards")).to_be_visible()
    for size in ("wide", "projector"):
        page.set_viewport_size(VIEWPORTS[size])
        settle(page)
        check_fits(page)
    check_accessible(page)

    # The QR code is small now, and a click enlarges it. The page of the step opens beside the class.
    small = page.locator(".room_enlarge .room_qr")
    assert small.evaluate("image => image.getBoundingClientRect().width") < 150
    page.locator(".room_enlarge").click()
    large = page.locator(".room_large .room_qr")
    expect(large).to_be_visible()
    assert large.evaluate("image => image.getBoundingClientRect().width") > 250
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Show the page").click()
    expect(opened.value.get_by_text("The class is at this step.")).to_be_visible()
    expect(opened.value.locator(".cards")).to_be_visible()
    opened.value.close()

    page.get_by_role("button", name="Next").click()
    for student in (ada, other):
        expect(student.locator(".lesson_waiting")).to_be_visible()
        student.wait_for_url(re.compile("step=2"))
    # At their own pace, students move by themselves.
    page.get_by_role("radio", name="Own pace").click()
    # The answer of the server exchanges the switch; until then the buttons beside it move.
    expect(page.locator(".st-key-room_pace_Own-pace")).to_be_visible()
    ada.get_by_role("link", name="Next: Wider").click()
    ada.wait_for_url(re.compile("step=3"))
    expect(ada.get_by_role("heading", name="Wider")).to_be_visible()
    expect(other.get_by_role("heading", name="Deeper")).to_be_visible()

    results = page.get_by_role("button", name="Results as CSV")
    page.get_by_role("button", name="More").click()
    if not visible_soon(results):
        # On a busy machine, the answer to the step before moves the button during the click.
        page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        results.click()
    assert (
        download.value.path().read_text().splitlines()[1].startswith(f"{NICKNAME},1,A small network to start from,50,")
    )
    page.get_by_role("button", name="End the room").click()
    page.get_by_role("button", name="Delete and end").click()
    expect(page.get_by_role("button", name="Open a room")).to_be_visible()
    expect(ada.locator(".st-key-room_bar")).to_contain_text("The class has ended")
    assert "Traceback" not in server.log
