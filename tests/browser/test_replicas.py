"""A real browser behind nginx: the page comes back by itself when its replica is killed.

Streamlit's client repeats its request for `/_stcore/health` until a server answers. It then opens a websocket, and
sends the address and the values of all controls, from which the other replica restores the page.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from replicas import Replicas, running_replicas

from tests.browser.conftest import PATIENCE_MS, settle
from tests.browser.driver import cards, press, query, visit


@pytest.fixture(scope="module")
def replicas(cache: dict[str, str]) -> Iterator[Replicas]:
    with running_replicas(cache) as running:
        yield running


def replica(page: Page) -> int:
    return next(int(each["value"]) for each in page.context.cookies() if each["name"] == "effviz_replica")


def test_the_page_returns_with_the_same_numbers(page: Page, replicas: Replicas) -> None:
    visit(page, f"http://127.0.0.1:{replicas.port}/architectures?net=EfficientNet-B0&res=192")
    opened = cards(page)
    press(page, "width", ">>>")
    moved, link, first = cards(page), query(page), replica(page)
    assert moved != opened
    assert set(link) == {"net", "res", "width"}

    killed = replicas.pid(first)
    replicas.kill(first)
    page.wait_for_selector("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])", timeout=PATIENCE_MS)
    settle(page)
    assert (cards(page), query(page)) == (moved, link)
    # The killed replica is started again, and on a slow machine it may be the one that answers.
    assert replica(page) != first or replicas.pid(first) != killed
    # The new session follows the slider.
    press(page, "width", "<<<")
    assert cards(page) == opened
