"""The Compare page in a browser: a list that the address holds, marks that select, and the way from other pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import VIEWPORTS, settle
from tests.browser.driver import choose, expect_query, field, go, press, query, show, show_part, snapshot, switch, visit

PRESET = (
    "shufflenet_v2 shufflenet_v2-w0.5 shufflenet_v2-w1.5 shufflenet_v2-w2 shufflenet_v1 shufflenet_v1-w0.5 "
    "shufflenet_v1-w1.5 shufflenet_v1-w2 shufflenet_v1-g8 shufflenet_v1-g8-w0.5"
)


def test_a_comparison_is_in_the_address(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/compare")
    choose(page, "preset", "ShuffleNets")
    expect_query(page, {"nets": PRESET})
    choose(page, "y", "Memory access")
    choose(page, "base", "ShuffleNetV1 (g = 3)")
    show_part(page, "Difference")
    switch(page, "by", "Layer kind")
    expected = {
        "nets": PRESET, "y": "Memory access", "base": "ShuffleNetV1 (g = 3)", "part": "Difference", "by": "Layer kind",
    }  # fmt: skip
    expect_query(page, expected)
    title = page.locator(".st-key-waterfall h3")
    expect(title).to_contain_text("ShuffleNetV2 0.5× has")
    expect(page.locator(".aligned tbody tr")).not_to_have_count(0)
    before = snapshot(page)
    page.reload()
    settle(page)
    assert snapshot(page) == before
    assert query(page) == expected


def test_networks_are_chosen_typed_and_removed(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/compare?nets=mobilenet_v2+resnet50+vgg16")
    expect(page.locator(".st-key-bubbles .chart")).to_have_class("chart clickable js-plotly-plot")
    # The largest bubble is drawn first: the parameters of VGG-16.
    box = page.locator(".st-key-bubbles .points path").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect_query(page, {"nets": "mobilenet_v2 resnet50 vgg16", "net": "VGG-16"})
    expect(field(page, "net")).to_have_value("VGG-16")

    show(page, "/compare?nets=mobilenet_v2+resnet50")
    field(page, "networks").fill("ghostnet-w1.3")
    field(page, "networks").press("Enter")
    settle(page)
    # The default phone of the longer list is another one, so the address keeps the chosen one.
    expect_query(page, {"nets": "mobilenet_v2 resnet50 ghostnet-w1.3", "phone": "Pixel 1 CPU"})
    page.locator("[aria-label='Remove ResNet-50']").click()
    settle(page)
    assert query(page)["nets"] == "mobilenet_v2 ghostnet-w1.3"

    # The tables of stages fit a phone.
    page.set_viewport_size(VIEWPORTS["phone"])
    show(page, "/compare?part=Difference&net=EfficientNet-B4&base=EfficientNet-B0")
    expect(page.locator(".factors .total")).to_contain_text("11.39")
    widths = page.evaluate("[...document.querySelectorAll('.aligned, .factors')].map(e => e.scrollWidth)")
    assert max(widths) <= 390


def test_the_network_on_screen_is_added_and_followed(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/architectures?net=GhostNet")
    press(page, "width", "<<")
    width = field(page, "width").input_value()
    page.locator(".st-key-compare").get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    settle(page)
    assert query(page)["nets"].endswith(f" ghostnet-w{float(width):g}")
    assert field(page, "net").input_value() == f"GhostNet {float(width):g}×"
    # The settings of the page that was left are kept, and the list is kept while another network is chosen there.
    go(page, "Architectures")
    assert field(page, "width").input_value() == width
    choose(page, "net", "MobileNetV2")
    go(page, "Compare")
    assert query(page)["nets"].endswith(f" ghostnet-w{float(width):g}")
    assert field(page, "net").input_value() == "MobileNetV2"
