"""Pictures and tables to take away, as they arrive in the browser's downloads."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

import effviz
from effviz import Design, Stage
from effviz.advice.budgets import QUANTITIES, Budget, check
from effviz.count.palette import APPEARANCES, DARK, LIGHT
from effviz.ui.convention import Convention
from effviz.ui.sheet import Receipt, sheet
from effviz.ui.static_files import address
from effviz.ui.widgets.downloads import LINK
from effviz.ui.widgets.takeaway import PALETTE
from tests.browser.conftest import settle
from tests.browser.driver import counted, visit
from tests.support.chart_gallery import gallery

SUBJECTS = ("home", "convolutions", "blocks", "multipliers", "find", "literature")
"""Of the charts with all kinds of mixtures of colors."""

SVG = "{http://www.w3.org/2000/svg}"


def take(page: Page, menu: Locator, label: str) -> Path:
    """Download by the keyboard, and return the file; its name is that of the browser."""
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    choice = menu.get_by_role("button", name=label, exact=True)
    choice.focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    return Path(started.value.path()).rename(Path(started.value.path()).with_name(started.value.suggested_filename))


def part(svg: ElementTree.Element, name: str) -> str:
    """The text of one part of a picture, whose lines are separate elements."""
    return " ".join(line.text or "" for group in svg.findall(f"{SVG}g[@class='{name}']") for line in group)


def check_svg(file: Path, title: str, paper: str) -> ElementTree.Element:
    svg = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    # Titles keep a number and its sign in one line.
    titles = [part(svg, "title"), svg.findtext(f"{SVG}title") or "", title]
    assert len({each.replace("\N{NO-BREAK SPACE}", " ") for each in titles}) == 1
    assert part(svg, "convention") == Convention().text
    assert re.fullmatch(
        rf"effviz {re.escape(effviz.__version__)} · Architectures · http\S+ ?\S* · \d{{4}}-\d\d-\d\d",
        part(svg, "source"),
    )
    ground = svg.find(f"{SVG}rect")
    assert ground is not None
    assert ground.get("fill") == paper
    drawing = svg.find(f"{SVG}svg")
    assert drawing is not None
    assert len(list(drawing.iter())) > 20
    bottom = float(drawing.get("y", 0)) + float(drawing.get("height", 0))
    assert bottom < min(float(line.get("y", 0)) for line in svg.findall(f"{SVG}g[@class='source']/{SVG}text"))
    return svg


def check_png(file: Path, svg: ElementTree.Element, paper: str) -> None:
    """The size is that of the SVG times the scale, the ground has its color, and a part of the picture is drawn."""
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    scale = min(4, max(2, 1600 / width))
    assert picture.size == (pytest.approx(width * scale, abs=1), pytest.approx(height * scale, abs=1))
    colors = picture.getcolors(picture.width * picture.height)
    assert colors is not None
    most, ground = max(colors)
    assert ground == tuple(int(paper[start : start + 2], 16) for start in (1, 3, 5))
    assert 0.2 < most / (picture.width * picture.height) < 0.97
    assert len(colors) > 50


@pytest.mark.parametrize("color_scheme", ["dark", "light"])
def test_round_trips(page: Page, color_scheme: str) -> None:
    visit(page, "/architectures?part=Blocks")
    settle(page)
    schemes = [(color_scheme, "")] + [("light", ", light colors")] * (color_scheme == "dark")
    for selector, title in (
        (".st-key-stages", page.locator(".st-key-stages h3").inner_text()),
        (".st-key-diagram", page.get_by_test_id("stGraphVizChart").get_attribute("aria-label") or ""),
    ):
        menu = page.locator(f"{selector} .takeaway").first
        for scheme, words in schemes:
            paper = APPEARANCES[scheme].paper
            svg = check_svg(take(page, menu, f"SVG{words}"), title, paper)
            check_png(take(page, menu, f"PNG{words}"), svg, paper)
            if selector == ".st-key-stages":
                assert "pointwise 1×1" in part(svg, "legend")
    table = page.locator("[class*=st-key-blocks_] .takeaway")
    files = {kind: take(page, table, kind).read_text(encoding="utf-8") for kind in ("CSV", "Markdown", "LaTeX")}
    assert all("Trainable" in text or "trainable numbers" in text for text in files.values()), "the convention"
    comment, _, body = files["CSV"].partition("\n")
    assert comment.startswith("# ")
    rows = list(csv.DictReader(io.StringIO(body)))
    params = [int(row["Parameters"]) for row in rows]
    lines = [line for line in files["Markdown"].splitlines() if line.startswith("|")][2:]
    assert [int(line.split("|")[-2].replace(",", "")) for line in lines] == params
    ends = re.findall(r"& ([\d,]+) \\\\$", files["LaTeX"], re.MULTILINE)
    assert [int(each.replace(",", "")) for each in ends] == params


def test_the_report_is_one_page_of_a4(page: Page) -> None:
    visit(page, "/architectures?net=EfficientNet-B7&part=Downloads")
    with page.expect_download() as started:
        page.get_by_role("button", name="Report to print").click()
    text = Path(started.value.path()).read_text(encoding="utf-8")
    report = counted("efficientnet_b7")
    assert f"{report.params:,} parameters, {report.macs:,} multiply-adds" in text
    assert "/architectures?net=EfficientNet-B7&amp;part=Downloads" in text
    budgets = [Budget(quantity, 10**9) for quantity in QUANTITIES]
    # The longest report: all limits, and as many stages as fit.
    stages = [Stage("conv", 8, name=f"a_long_name_of_a_stage_{index}" * 2, kernel_size=3) for index in range(60)]
    longest = effviz.analyze(Design("a long name " * 5, tuple(stages)))
    receipt = Receipt("0.1.0", "2026-01-31", f"http://localhost/studio?design={'x' * LINK}")
    page.goto("about:blank")
    for html in (text, sheet(longest, receipt, verdicts=check(longest, budgets), source="A preset with its source.")):
        page.set_content(html)
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
        width, height = map(float, re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
        assert (width, height) == (pytest.approx(595, abs=1), pytest.approx(842, abs=1))


def colors_of(value: Any) -> list[str]:
    return re.findall(r"#[0-9A-Fa-f]{6}\b", json.dumps(value))


def test_every_dark_chart_becomes_the_light_one(page: Page) -> None:
    """The oracle is the chart that the server draws for the light theme."""
    visit(page, "/glossary")
    far: dict[str, tuple[int, list[tuple[str, str]]]] = {}
    light, dark = (dict(gallery(look, SUBJECTS)) for look in (LIGHT, DARK))
    texts = {name: chart.json.decode() for name, chart in dark.items()}
    converted = page.evaluate(
        """async ([url, texts, palette]) => {
          const { lightFigure } = await import(url);
          return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, lightFigure(text, palette)]));
        }""",
        [address("picture.js"), texts, PALETTE],
    )
    for name, text in converted.items():
        pairs = zip(colors_of(text), colors_of(json.loads(light[name].json)), strict=True)
        off = [(one, other) for one, other in pairs if distance(one, other) > 12]
        if off:
            far[name] = (len(off), off[:3])
    assert far == {}


def distance(one: str, other: str) -> int:
    return max(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) for at in (1, 3, 5))
