"""The glossary: every term in a text exists, and every entry links to a page and a part that show it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest
from latex import is_balanced, spans
from page_reader import line, open_page, opened, put

from effviz.ui.ideas import figure
from effviz.ui.navigation import PAGES, PageInfo
from effviz.ui.terms import TERMS, term
from effviz.ui.widgets.glossary import explained, slug, unmarked


def test_every_name_and_alias_is_one_entry() -> None:
    names = [each.lower() for entry in TERMS for each in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert len({slug(entry) for entry in TERMS if slug(entry)}) == len(TERMS)
    assert all(term(each) is entry for entry in TERMS for each in (entry.name, *entry.aliases))


@pytest.mark.parametrize("link", sorted({entry.link for entry in TERMS}))
def test_a_link_opens_the_part_that_shows_a_term(link: str) -> None:
    address = urlsplit(link)
    query = dict(parse_qsl(address.query, strict_parsing=True)) if address.query else {}
    at = open_page(address.path, **query)
    assert line(at) == ""
    if part := query.get("part"):
        assert at.button_group(key="part").value == part


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")
def test_terms_of_a_page_exist_and_are_explained_once(entry: PageInfo) -> None:
    text = explained(entry.idea)
    keys = re.findall(r'popovertarget="([^"]+)"', text)
    assert len(keys) == len(set(keys)) == text.count("popover=")
    assert all(f'id="{key}"' in text for key in keys)
    assert "[[" not in text + unmarked(entry.idea)


def test_an_unknown_term_is_an_error() -> None:
    with pytest.raises(KeyError, match="wide convolution"):
        explained("A [[wide convolution]].")


def test_the_second_use_has_no_popover() -> None:
    text = explained("[[Depthwise convolutions|Such layers]] and [[depthwise]].", "part")
    assert text.count("<button") == 1
    assert text.endswith(" and depthwise.")


def test_formulas_are_valid() -> None:
    assert all(is_balanced(entry.formula) for entry in TERMS)
    (text,) = (entry.value for entry in opened("glossary").markdown if 'class="glossary"' in entry.value)
    assert sum(bool(entry.formula) for entry in TERMS) <= len(spans(text))


@pytest.mark.parametrize(("search", "found"), [("depthwise convolution", 1), ("1801.04381", 3), ("nothing like it", 0)])
def test_the_search(search: str, found: int) -> None:
    at = open_page("glossary", term=search)
    assert f"{found} of {len(TERMS)} terms" in [entry.value for entry in at.caption]
    put(at, "term", "")
    assert f"{len(TERMS)} of {len(TERMS)} terms" in [entry.value for entry in at.caption]


def test_a_search_is_text() -> None:
    at = open_page("glossary", term="<b>x</b> $y$")
    assert not any("<b>x</b>" in str(entry.value) for entry in (*at.markdown, *at.caption))


def test_every_term_has_one_sentence() -> None:
    assert [entry.name for entry in TERMS if not entry.text.endswith(".") or ". " in entry.text] == []


@pytest.mark.parametrize(
    "entry", [each for each in PAGES if each.section in ("Learn", "Scale", "Design", "Measure")], ids=str
)
def test_every_page_has_a_figure_with_alt_text(entry: PageInfo) -> None:
    drawn = ElementTree.fromstring(figure(entry.url_path))
    assert len(drawn.get("aria-label", "")) > 40
    width, height = (float(drawn.get(side, "0")) for side in ("width", "height"))
    for each in drawn.iter("rect"):
        x, y, wide, high = (float(each.get(name, "-1")) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
