"""Time from a key press on a slider to the new number and to the last change of a chart, in Chromium.

    python -m tests.benchmarks.slider [--moves 12] [--against FOLDER]

With the folder of another version, both are measured in turns: times depend on the machine, their ratio hardly does.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import find_chromium, launch_options, open_page
from tests.support.server import ROOT, running_server

PAGES = {"architectures": "width", "scaling": "phi"}
# The number is the second card: the first one of Compound scaling does not depend on phi.
WATCH = """
key => new Promise(resolve => {
  const number = () => document.querySelectorAll('.card .number, [data-testid=stMetricValue]')[1]?.innerText;
  const before = number();
  let started, shown, drawn;
  addEventListener('keydown', () => { started = performance.now(); }, { once: true, capture: true });
  const observer = new MutationObserver(found => {
    if (started && found.some(each => each.target.closest?.('.js-plotly-plot'))) drawn = performance.now();
    if (started && !shown && number() && number() !== before) shown = performance.now();
  });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const slider = document.querySelector(`.st-key-${key}_slider input[type=range]`);
  slider.focus();
  const check = setInterval(() => {
    if (!started || performance.now() - Math.max(started + 1000, shown ?? 0, drawn ?? 0) < 1000) return;
    clearInterval(check);
    observer.disconnect();
    // A step of phi may build the same network.
    resolve([shown ? shown - started : null, drawn ? drawn - started : null]);
  }, 50);
})
"""


def move(page: Page, key: str) -> tuple[float | None, float | None]:
    """Press an arrow key on a slider; return the times to the number and to the last chart in ms; None: no change."""
    page.evaluate(f"key => {{ window.effviz_move = ({WATCH})(key); }}", key)
    page.keyboard.press("ArrowRight")
    number, chart = page.evaluate("() => window.effviz_move")
    return number, chart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=12)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium found")
    print("page           version   to the number  to the last chart   (median, ms)")
    with ExitStack() as stack:
        servers = {"before": stack.enter_context(running_server(folder=options.against))} if options.against else {}
        servers["here"] = stack.enter_context(running_server(folder=ROOT))
        browser = stack.enter_context(sync_playwright()).chromium.launch(**launch_options(chromium))
        for path, key in PAGES.items():
            pages = {name: browser.new_page(viewport={"width": 1280, "height": 800}) for name in servers}
            for name, page in pages.items():
                open_page(page, f"{servers[name].url}/{path}")
            times: dict[str, list[tuple[float | None, float | None]]] = {name: [] for name in servers}
            for _ in range(options.moves):
                for name, page in pages.items():
                    page.bring_to_front()
                    times[name].append(move(page, key))
            for name, found in times.items():
                number, chart = (
                    statistics.median(value for value in column if value is not None)
                    for column in zip(*found, strict=True)
                )
                print(f"{path:14} {name:8} {number:14.0f} {chart:18.0f}", flush=True)
            for page in pages.values():
                page.close()


if __name__ == "__main__":
    main()
