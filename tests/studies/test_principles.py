"""The design principles: computed evidence, and pages that exist."""

from __future__ import annotations

import pytest
from page_reader import line, open_page

from effviz.studies.principles import PRINCIPLES, Principle
from effviz.ui.navigation import PAGES

NUMBERS = ["8.4× fewer", "filters 144", "1.43× the memory access", "11.4× the multiply-adds", "1.21× the memory access"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("principle", "number"), list(zip(PRINCIPLES, NUMBERS, strict=True)), ids=[each.page for each in PRINCIPLES]
)
def test_the_evidence_is_computed_and_its_page_opens(principle: Principle, number: str) -> None:
    assert number in principle.evidence()
    assert principle.page in [page.url_path for page in PAGES]
    at = open_page(principle.page, **principle.query)
    assert line(at) == "", "no parameter is ignored"
    if part := principle.query.get("part"):
        assert at.button_group(key="part").value == part
