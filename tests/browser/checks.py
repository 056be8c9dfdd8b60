"""Checks of any page: complete, inside the window, arranged for a phone, readable by everyone."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from effviz.ui.navigation import PAGES, PageInfo
from effviz.ui.widgets.glossary import unmarked

FOLLOWING_S = 30.0

WITHOUT_POPOVERS = """
e => {
  const copy = e.cloneNode(true);
  copy.querySelectorAll('[popover]').forEach(each => each.remove());
  return copy.innerText;
}
"""

# Elements that scroll sideways or are wider than the window. A table in a closed expander keeps the width of the window
# in which it was rendered until it is opened.
WIDER = """
width => {
  const found = [];
  for (const e of [document.documentElement, document.querySelector('[data-testid=stMain]')])
    if (e.scrollWidth > e.clientWidth) found.push(`${e.tagName} scrolls sideways`);
  for (const kind of ['.chart', '[data-testid=stDataFrame]', '.card'])
    for (const e of document.querySelectorAll(`${kind}:not(details:not([open]) *)`)) {
      const box = e.getBoundingClientRect();
      if (box.left < 0 || box.right > width) found.push(`${kind} from ${box.left} to ${box.right}`);
    }
  return found;
}
"""

# Visible controls whose center is covered by another element, which would take the click.
COVERED = """
() => [...document.querySelectorAll('button, a, [role=radio], input[type=number], input[type=text]')].filter(e => {
  const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  if (!box.width || !box.height || x < 0 || y < 0 || x > innerWidth - 1 || y > innerHeight - 1) return false;
  if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
  const hit = document.elementFromPoint(x, y);
  return !(hit && (e.contains(hit) || hit.contains(e)));
}).map(e => e.innerText || e.getAttribute('aria-label') || e.outerHTML.slice(0, 100))
"""

# On a phone: the margin beside the content, and headline cards that overlap, whose text ends outside, or that are not
# below the first two.
CROWDED = """
() => {
  const found = [], main = getComputedStyle(document.querySelector('[data-testid=stMainBlockContainer]'));
  for (const side of ['paddingLeft', 'paddingRight'])
    if (parseFloat(main[side]) > 16) found.push(`${side} is ${main[side]}`);
  for (const cards of document.querySelectorAll('.cards')) {
    const each = [...cards.querySelectorAll('.card')].filter(e => e.checkVisibility());
    const boxes = each.map(e => e.getBoundingClientRect());
    boxes.forEach((a, i) => {
      const text = each[i].innerText.replaceAll('\\n', ' ');
      if (each[i].scrollWidth > Math.ceil(a.width)) found.push(`text ends outside of its card: ${text}`);
      if (i > 1 && a.top < boxes[0].bottom - 1) found.push(`beside the first two cards: ${text}`);
      boxes.slice(0, i).forEach(b => {
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
          found.push(`overlaps another card: ${text}`);
      });
    });
  }
  return found;
}
"""

# Only the findings, as axe returns an entry for each rule and element.
GRAVE = """
within => axe.run(within ?? document, {resultTypes: ['violations']}).then(({violations}) => violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .map(each => [each.id, each.impact, each.nodes.map(node => node.html.slice(0, 200))]))
"""


def check_complete(page: Page, entry: PageInfo) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(entry.title)
    idea = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", unmarked(entry.idea))
    assert page.locator(".idea p").first.evaluate(WITHOUT_POPOVERS) == idea
    for section in {entry.section for entry in PAGES if entry.section}:
        expect(page.get_by_test_id("stTopNavSection").filter(has_text=section)).to_be_visible()
    if entry.counts:
        expect(page.locator(".st-key-convention summary")).to_contain_text("Multiply-adds · Elements · Fused")
    expect(page).to_have_title(f"{entry.title} · effviz" if entry.url_path else "effviz")
    assert urlsplit(page.url).path == f"/{entry.url_path}"


def check_fits(page: Page) -> None:
    """Check that nothing is wider than the window, that every control can be clicked, and the layout of a phone."""
    size = page.viewport_size
    assert size is not None
    wait_for_none(page, WIDER, size["width"])
    if size["width"] < 640:
        wait_for_none(page, CROWDED)
    # A tooltip of the control under the pointer covers others, and so does the fixed headline after scrolling.
    page.mouse.move(0, 0)
    page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")
    expect(page.get_by_test_id("stTooltipContent")).to_have_count(0)
    wait_for_none(page, COVERED)


def wait_for_none(page: Page, script: str, argument: float | None = None) -> None:
    """Wait until a script finds nothing: the parts of a page follow the size of the window one after the other."""
    deadline = time.monotonic() + FOLLOWING_S
    while (found := page.evaluate(script, argument)) and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert found == []


def check_accessible(page: Page, within: str | None = None) -> None:
    """Check that axe has no serious finding, in the whole page or within an element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    assert page.evaluate(GRAVE, within) == []
