"""Read and use a page in the browser, as a visitor does: by its controls, its address and its text."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, TimeoutError, expect

import effviz
from effviz import Report
from effviz.core.units import binary, si
from effviz.ui.navigation import PAGES
from tests.browser.conftest import PATIENCE_MS, LateReports, open_page, settle

NAVIGATION = [entry.title if entry.url_path else "Home" for entry in PAGES]

# Without the latency: a measurement is not part of the link. The choices of the convention may be open; their values
# are in the list of switches. The alternative text represents a
# chart: which labels of an axis plotly leaves out depends on the chart before.
SNAPSHOT = """
() => {
  const live = [...document.querySelectorAll(
    '.card, .latency, .chart, .motion, .st-key-convention details > div, .st-key-convention summary span')].filter(
    e => !e.matches('.card') || /^(Latency|Recorded)/.test(e.innerText));
  live.forEach(e => { e.style.display = 'none'; });
  const seen = ({
  text: ['stSidebarUserContent', 'stMainBlockContainer']
    .map(id => document.querySelector(`[data-testid=${id}]`)?.innerText ?? '')
    .join('\\n').split('\\n').map(line => line.trim()).filter(line => line),
  charts: [...document.querySelectorAll('.chart')].map(e => e.getAttribute('aria-label')),
  inputs: [...document.querySelectorAll('input')].filter(e => !e.closest('.motion'))
    .map(e => `${e.getAttribute('aria-label')} (${e.type}): ${e.value}`),
  switches: [...document.querySelectorAll('[role=radio][aria-checked=true]')].map(e => e.textContent),
  });
  live.forEach(e => { e.style.display = ''; });
  return seen;
}
"""


def visit(page: Page, url: str) -> None:
    open_page(page, url)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def show(page: Page, address: str) -> None:
    """Show another address of the page that is open, as the Back button does: without loading the app again."""
    page.evaluate("to => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')); }", address)
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def snapshot(page: Page) -> dict[str, list[str]]:
    """All text on the page, and the value of every control. A focused text input would show a count of characters."""
    page.evaluate("() => document.activeElement?.blur()")
    settle(page)
    seen: dict[str, list[str]] = page.evaluate(SNAPSHOT)
    assert seen["text"]
    return seen


def expect_query(page: Page, expected: dict[str, str]) -> None:
    """Wait for the parameters of the address, which follow the page."""
    page.wait_for_url(
        lambda url: {key: values[-1] for key, values in parse_qs(urlsplit(url).query).items()} == expected
    )


def query(page: Page) -> dict[str, str]:
    found = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), page.url
    return {key: values[0] for key, values in found.items()}


CARDS = "[...document.querySelectorAll('.card .text')].slice(0, 4).map(e => e.innerText)"


def cards(page: Page) -> list[str]:
    """The counted headline numbers; a measured one follows them on the page."""
    found: list[str] = page.evaluate(CARDS)
    return found


def expect_cards(page: Page, expected: list[str]) -> None:
    """Wait for the headline numbers: after the Back button, no state shows when the page begins to change."""
    page.wait_for_function(f"expected => String({CARDS}) === String(expected)", arg=expected)


def expected_cards(report: Report, factor: int = 1, bytes_each: int = 0) -> list[str]:
    def size(elements: int) -> str:
        return binary(elements * bytes_each) if bytes_each else si(elements)

    return [si(report.params), si(factor * report.macs), size(report.memory_access), size(report.peak_activation)]


def counted(name: str, memory: str = "fused", **options: Any) -> Report:
    return effviz.analyze(effviz.architecture(name, **options), memory=memory)


def field(page: Page, key: str) -> Locator:
    """The text or number input of a control."""
    return page.locator(f".st-key-{key} input:not([type=range])")


def slider(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}_slider input[type=range]")


def wait_for_sweep(page: Page, key: str) -> None:
    """Touch a slider without moving it, and wait for the states of the page."""
    with page.expect_response(lambda answer: "/effviz-sweep/" in answer.url):
        slider(page, key).focus()


def press(page: Page, key: str, arrows: str, *, delay: float = 0) -> None:
    """Move a slider with the arrow keys, ">" and "<", and wait for the result."""
    slider(page, key).focus()
    before = slider(page, key).input_value()
    for arrow in arrows:
        page.keyboard.press({">": "ArrowRight", "<": "ArrowLeft"}[arrow], delay=delay)
    # A slider reports its value some time after the last key. The input follows when the server has answered.
    page.wait_for_function(
        """([key, before]) => {
          const moved = document.querySelector(`.st-key-${key}_slider input[type=range]`).value;
          const typed = document.querySelector(`.st-key-${key} input:not([type=range])`).value;
          return moved !== before && Number(moved) === parseFloat(typed);
        }""",
        arg=[key, before],
    )
    settle(page)


def type_into(page: Page, key: str, value: str) -> None:
    field(page, key).fill(value)
    field(page, key).press("Enter")
    settle(page)


def choose(page: Page, key: str, option: str) -> None:
    found = page.get_by_role("option", name=option, exact=True)
    field(page, key).click()
    field(page, key).fill(option)
    if not visible_soon(found):
        # On a busy machine the answer to the step before arrives late, and closes the list.
        field(page, key).click()
        field(page, key).fill(option)
    found.click()
    settle(page)


def visible_soon(found: Locator) -> bool:
    """Whether an element appears within a few seconds."""
    with contextlib.suppress(TimeoutError):
        found.wait_for(timeout=5_000)
        return True
    return False


def switch(page: Page, key: str, option: str) -> None:
    page.locator(f".st-key-{key}").get_by_role("radio", name=option, exact=True).click()
    settle(page)


def convention(page: Page, key: str, option: str) -> None:
    """Choose an option of the counting convention, which a chip contains."""
    chip = page.locator(".st-key-convention")
    if not chip.locator("details[open]").count():
        chip.locator("summary").click()
    switch(page, key, option)
    chip.locator("summary").click()


def go(page: Page, name: str) -> None:
    """Open a page by the navigation at the top."""
    section = next(entry.section for entry in PAGES if name in (entry.title, entry.url_path or "Home"))
    if section:
        page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
        page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).click()
    else:
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    settle(page)


def show_part(page: Page, title: str) -> None:
    """Choose a part of the page below its chart."""
    switch(page, "part", title)


WITHOUT_MATHML = """
e => {
  const copy = e.cloneNode(true);
  copy.querySelectorAll('.katex-mathml').forEach(each => each.remove());
  return copy.textContent;
}
"""


def formulas(page: Page) -> list[str]:
    """The texts with formulas, without the copy for screen readers."""
    shown = page.get_by_test_id("stMarkdown").filter(has=page.locator(".katex"))
    return [str(each.evaluate(WITHOUT_MATHML)) for each in shown.all()]


def click_center(page: Page, mark: Locator) -> None:
    """Click the middle of a mark of a chart, which other elements may cover."""
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)


def link_line(page: Page) -> Locator:
    return page.get_by_text("Ignored in the link")


def wait_for_late_reports(page: Page, late: LateReports) -> None:
    """Wait until repeating fragments have reported changed values twice, so that the first one was processed."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while late.count < 2:
        assert time.monotonic() < deadline, "no fragment repeats itself: nothing is pending"
        page.wait_for_timeout(50)


@contextlib.contextmanager
def busy_torch_process(page: Page) -> Iterator[None]:
    """Another visitor measures a network that takes minutes: jobs of the test are pending until the block ends."""
    other = page.context.new_page()
    visit(other, "/architectures?net=VGG-16&batch=64")
    other.get_by_role("button", name="Measure latency").click()
    expect(other.get_by_role("progressbar")).to_be_visible()
    page.bring_to_front()
    yield
    other.close()
