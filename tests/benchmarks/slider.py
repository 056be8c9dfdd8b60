"""Time from a key press on phi to the redrawn charts in Chromium, for new values against known ones.

The first pass moves phi to new values, so that networks are scaled, built and counted. The second pass repeats the
moves: the same widgets and charts, with all sums cached. Run ``python tests/benchmarks/slider.py``. Times depend on the
machine, so no test uses them.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
MOVES = 24
ADDRESS = "scaling?phi=2&show=Fit+a+budget"
READ = "Array.from(document.querySelectorAll('.st-key-stairs_1 .annotation-text')).map(e => e.textContent).join()"
WAIT = f"""async (before) => {{
    const end = performance.now() + 20000;
    while ({READ} === before && performance.now() < end) await new Promise(requestAnimationFrame);
    return performance.timeOrigin + performance.now();
}}"""


@contextmanager
def server() -> Iterator[str]:
    """The app on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"EFFVIZ_CACHE": cache},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait()


def settle(page: Page) -> None:
    """Wait until the page is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
    page.wait_for_timeout(400)


def moves(page: Page, key: str) -> list[float]:
    """Milliseconds of each move, from the key to the charts."""
    page.locator(".st-key-phi_slider input[type=range]").focus()
    times = []
    for _ in range(MOVES):
        before = page.evaluate(READ)
        start = time.time() * 1000
        page.keyboard.press(key)
        times.append(page.evaluate(WAIT, before) - start)
        settle(page)
    return times


def main() -> None:
    """Print the medians and their ratio."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("This benchmark needs Chromium.")
    with server() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}/{ADDRESS}")
        settle(page)
        moves(page, "ArrowLeft")
        moves(page, "ArrowRight")
        fresh = moves(page, "ArrowRight")
        moves(page, "ArrowLeft")
        known = moves(page, "ArrowRight")
        browser.close()
    print(f"{MOVES} moves of phi by 0.05, from the key to the redrawn charts")
    for name, times in (("fresh", fresh), ("known", known)):
        print(f"{name:6} median {statistics.median(times):6.0f} ms, fastest {min(times):6.0f} ms")
    print(f"ratio of the medians {statistics.median(fresh) / statistics.median(known):.2f}; goal: at most 1.3")


if __name__ == "__main__":
    main()
