"""A first visit: bytes and time until the first number and until all is drawn, and CPU time of the warm server.

    python -m tests.benchmarks.first_visit [--visits 5] [--against FOLDER]

Every visit has an empty browser cache. Goals: the first number after at most 1.3 MB and 2.5 s, everything after at most
2.5 MB, and at most 0.2 s of CPU time on the server.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import find_chromium, launch_options
from tests.support.server import ROOT, Server, running_server

PAGE = "architectures"
NUMBER = "() => document.querySelector('.card .number, [data-testid=stMetricValue]')?.innerText"


def visit(browser: Browser, server: Server) -> tuple[float, float, float, float, float]:
    """Open the page; return MB and seconds to the first number, MB and seconds to the end, and CPU seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    received = [0]
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.dataReceived", lambda event: received.append(event["encodedDataLength"]))
    client.on("Network.webSocketFrameReceived", lambda event: received.append(len(event["response"]["payloadData"])))
    before, started = server.cpu_s, time.perf_counter()
    page.goto(f"{server.url}/{PAGE}", wait_until="commit")
    page.wait_for_function(NUMBER)
    first = time.perf_counter() - started
    first_mb = sum(received) / 1e6
    page.wait_for_function("() => document.querySelectorAll('.main-svg').length >= 3")
    page.wait_for_timeout(1000)
    done = time.perf_counter() - started - 1
    used = server.cpu_s - before
    context.close()
    return first_mb, first, sum(received) / 1e6, done, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium found")
    print("version    first number: MB      s    all: MB      s   server CPU, s   (median)")
    with ExitStack() as stack:
        servers = {"before": stack.enter_context(running_server(folder=options.against))} if options.against else {}
        servers["here"] = stack.enter_context(running_server(folder=ROOT))
        browser = stack.enter_context(sync_playwright()).chromium.launch(**launch_options(chromium))
        found: dict[str, list[tuple[float, ...]]] = {name: [] for name in servers}
        for turn in range(options.visits + 1):
            for name, server in servers.items():
                made = visit(browser, server)
                if turn:  # the first visit warms the server
                    found[name].append(made)
        for name, visits in found.items():
            mb, first, all_mb, done, used = (statistics.median(column) for column in zip(*visits, strict=True))
            print(f"{name:8} {mb:16.2f} {first:6.2f} {all_mb:10.2f} {done:6.2f} {used:15.2f}", flush=True)


if __name__ == "__main__":
    main()
