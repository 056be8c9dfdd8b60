"""Pictures of the app's pages, to look at: light and dark, on a wide screen and on a phone.

    python -m tests.browser.screenshots                          every page of the navigation, into screenshots/
    python -m tests.browser.screenshots --out /tmp/shots blocks "scaling?phi=3"

For each it writes the first screen (`blocks-dark-phone.png`) and the whole page (`blocks-dark-phone-full.png`).
"""

import argparse
import itertools
import json
import re
import sys
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import (
    NO_CHROMIUM,
    SCHEMES,
    VIEWPORTS,
    find_chromium,
    launch_options,
    open_page,
    running_server,
    settle,
)


def navigation_paths(server_url: str) -> list[str]:
    """Return the paths of all pages of the running app; the home page's path is empty.

    Streamlit's agent API knows them all. In the page itself some may be folded away in a menu, and importing the app's
    main script would run it.
    """
    request = urllib.request.Request(
        f"{server_url}/_stcore/agent/interact", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [page["url_path"] for page in json.load(answer)["pages"]]


def take_both(page: Page, out: Path, name: str) -> list[Path]:
    first, full = out / f"{name}.png", out / f"{name}-full.png"
    page.screenshot(path=first)
    # Streamlit scrolls an element inside the window, which full_page=True does not see: make the window as tall as that
    # element's content instead. Charts may answer with another height, so measure until it holds.
    size = page.viewport_size
    assert size is not None
    for _ in range(3):
        hidden = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight - e.clientHeight")
        if hidden <= 0:
            break
        now = page.viewport_size or size
        page.set_viewport_size({"width": size["width"], "height": now["height"] + hidden})
        settle(page)
    page.screenshot(path=full)
    return [first, full]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots",
        description="Save screenshots of the app's pages in light and dark, wide and phone.",
    )
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for the pictures (%(default)s)")
    parser.add_argument("paths", nargs="*", help="URL paths, with a query if need be; all pages when none is given")
    options = parser.parse_args(arguments)
    executable = find_chromium()
    if executable is None:
        sys.exit(NO_CHROMIUM)
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        running_server("--server.enableAgentApi=true") as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(**launch_options(executable)) as browser,
    ):
        paths = options.paths or navigation_paths(server.url)
        for path, scheme, (width, viewport) in itertools.product(paths, SCHEMES, VIEWPORTS.items()):
            path = path.strip("/")
            name = re.sub(r"[^A-Za-z0-9_.=-]+", "-", path).strip("-") or "home"
            with browser.new_context(color_scheme=scheme, viewport=viewport) as context:
                page = context.new_page()
                open_page(page, f"{server.url}/{path}")
                for picture in take_both(page, options.out, f"{name}-{scheme}-{width}"):
                    print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
