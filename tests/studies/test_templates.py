"""Templates: groups of rows that fit below any row of a table."""

from __future__ import annotations

import pytest
from examples import designs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import Design, DesignError, analyze, architecture
from effviz.model.draft import Draft, checked
from effviz.studies.templates import HEAD, STEM, TEMPLATES, template


def after(draft: Draft, *names: str) -> Draft:
    """Append templates."""
    for name in names:
        draft = draft.add_all(template(name, draft, len(draft.rows) - 1))
    return draft


STAGES = tuple(name for name in TEMPLATES if name not in (STEM, HEAD))


@pytest.mark.parametrize("stage", STAGES)
def test_a_network_from_templates(stage: str) -> None:
    draft = after(Draft.empty(), STEM, *[stage] * 6, HEAD)
    assert len(draft.rows) == 10
    found = checked(draft)
    assert found.fault is None
    assert found.design is not None
    # The map is halved to 7 pixels, and not further.
    sides = [entry.shape[-1] for entry in found.design.blocks() if len(entry.shape) == 3]
    assert (sides[0], min(side for side in sides if side > 1)) == (224, 7)
    assert found.design.num_classes == 1000
    assert [row.name for row in draft.rows[-3:]] == ["head", "pool", "classifier"]
    assert analyze(found.design).params > 0


def test_a_template_twice_has_other_names() -> None:
    draft = after(Draft.empty(), STEM, STEM)
    assert len({row.name for row in draft.rows}) == 2


def test_an_unknown_template_lists_the_choices() -> None:
    with pytest.raises(DesignError, match="Inverted residual stage"):
        template("Stage", Draft.empty(), -1)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow])
@given(design=designs(), data=st.data())
def test_stages_can_be_inserted_below_any_map(design: Design, data: st.DataObject) -> None:
    """A stage below a row with a map of 3 dimensions can itself be built."""
    draft = Draft.of(design)
    if checked(draft).fault is not None:
        return
    above = data.draw(st.integers(0, len(draft.rows) - 1))
    built = [entry for entry in design.blocks() if entry.row <= above]
    ends = checked(Draft(draft.frame, draft.rows[: above + 1])).design
    assert ends is not None
    name = data.draw(st.sampled_from(STAGES))
    longer = draft.add_all(template(name, draft, above), above + 1)
    assert len(longer.rows) == len(draft.rows) + 1
    fault = checked(longer).fault
    if built and len(analyze(ends).steps[-1].output.shape) == 3:
        assert fault is None or fault.row != above + 1


def test_a_head_below_a_published_network() -> None:
    draft = Draft.of(architecture("mobilenet_v2"))
    trunk = Draft(draft.frame, draft.rows[:8])
    assert checked(after(trunk, HEAD)).fault is None
