"""Titles and alternative texts of every chart over the zoo and over degenerate inputs.

Print all of them for reading with ``python tests/support/chart_gallery.py``.
"""

from __future__ import annotations

import re

import pytest
from chart_gallery import SUBJECTS, gallery
from style import COMPILED

# Titles that a page has given to the chart.
GIVEN = ("Found", "Without shuffle", "With shuffle")
LONGEST = 240
FAULTS = {
    "a missing number": r"(?i)\b(?:nan|inf)\b|(?-i:\bNone\b(?! of))",
    "a plural of one": r"(?<![\d.,:×])1 (?:networks|designs|groups|channels|layers|positions|triples|cells|cases)\b",
    "an empty slot": r"  |\(\)|\( | \)|: *[;.]|, *[,;.]|: *$|\band *[,;.]|\bof the *[,;.]",
    "a doubled word": r"\b([A-Za-z-]+) \1\b",
    "a range of one value": r"\bfrom ([\d.]+×?) at \S+ to \1(?![\d.])|(?<![\d.])([\d.]+×?) to \2(?![\d.])",
}


def _clauses(title: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;,:]| and ", title) if len(part.split()) > 3]


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__)
def test_every_sentence_is_well_formed(subject: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # Building the figures takes most of the time and adds nothing to the text.
    monkeypatch.setattr("plotly.graph_objects.Figure", lambda **_: None)
    faults = []
    for case, chart in gallery(subjects=[subject.__name__]):  # type: ignore[attr-defined]
        assert chart.alt.startswith(chart.title), case
        for text in (chart.title, chart.alt):
            faults += [f"{case}: {name}: {text[:300]}" for name, pattern in FAULTS.items() if re.search(pattern, text)]
        faults += [f"{case}: {why}: {chart.title}" for rule, why in COMPILED.items() if rule.search(chart.title)]
        clauses = _clauses(chart.title)
        if len(set(clauses)) < len(clauses):
            faults.append(f"{case}: a repeated clause: {chart.title}")
        if not 8 < len(chart.title) <= LONGEST and chart.title not in GIVEN:
            faults.append(f"{case}: {len(chart.title)} characters: {chart.title}")
        if chart.title.endswith((".", ":", ",", ";")) or not chart.alt.endswith(".") or chart.alt.endswith(".."):
            faults.append(f"{case}: punctuation: {chart.title} ... {chart.alt[-60:]}")
    assert not faults, "\n".join(faults)
