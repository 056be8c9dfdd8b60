"""No legal value ends a page: both ends of every number, and random walks over all controls and parts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from page_reader import each_part, failures, open_page
from profiles import PROFILE, examples
from streamlit.testing.v1 import AppTest

from effviz import Design, Stage, analyze
from effviz.model.draft import Draft
from effviz.ui.navigation import PAGES

each_page = pytest.mark.parametrize("url_path", [page.url_path for page in PAGES])

# Links that ended a page or one of its parts.
FORMER = {
    "a kernel that cannot grow": ("convolutions", "Try this", {"kernel": "63"}),
    "the effect of a kernel that cannot grow": ("convolutions", "Effect of each setting", {"kernel": "63"}),
    "a factor of almost 1": ("scaling", "How this is computed", {"gamma": "1.00001"}),
    "three factors of almost 1": ("scaling", "Try this", {"alpha": "1.00001", "beta": "1", "gamma": "1"}),
    "a width of 600": ("studio", "How this is computed", {"set_width_mult": "600"}),
}
TEXTS = ["", "x", "-1", "1e400", "\N{SNOWMAN}", "4M", "a" * 200]


def check(at: AppTest, *what: object) -> None:
    found = failures(at)
    assert found == [], (what, found)


@pytest.mark.parametrize(("url_path", "part", "query"), FORMER.values(), ids=FORMER)
def test_a_link_ends_no_page(url_path: str, part: str, query: dict[str, str]) -> None:
    at = open_page(url_path, part=part, **query)
    check(at, query)


def test_counts_of_more_than_64_bits_in_all_parts_of_the_studio() -> None:
    side = 2**20
    rows = (Stage("conv", side, kernel_size=63), Stage("conv", side, 900, kernel_size=63))
    design = Design("huge", rows, resolution=2**14)
    assert analyze(design).macs > 2**64
    at = open_page("studio", design=Draft.of(design).packed())
    for _ in each_part(at):
        check(at)
    check(at.number_input(key="set_width_mult").set_value(600.0).run())


def ends(control: Any) -> list[float]:
    """Values at both ends of a number, and beside them in the full profile."""
    low, high, step = control.min, control.max, control.step
    return [low, high, *([min(low + step, high), max(high - step, low)] if PROFILE == "full" else [])]


@each_page
def test_both_ends_of_every_number(url_path: str) -> None:
    at = open_page(url_path)
    for key in [control.key for control in at.number_input if control.max is not None and not control.disabled]:
        before = at.number_input(key=key).value
        for value in ends(at.number_input(key=key)):
            try:
                at.number_input(key=key).set_value(value).run()
            except KeyError:
                break  # the former value removed the control
            check(at, key, value)
        at.number_input(key=key).set_value(before).run()


def wander(at: AppTest, draw: random.Random) -> tuple[object, ...]:
    """Change one control of the page, at random."""
    numbers = [("number", each) for each in at.number_input if not each.disabled]
    lists = [("list", each) for each in (*at.selectbox, *at.button_group)]
    flags = [("flag", each) for each in (*at.toggle, *at.checkbox)]
    texts = [("text", each) for each in at.text_input]
    buttons = [("button", each) for each in at.button if not each.disabled and "easure" not in each.label]
    kind, control = draw.choice([*numbers, *lists, *flags, *texts, *buttons])
    if kind == "button":
        control.click().run()
        return kind, control.key, control.label
    if kind == "number":
        low = 0 if control.min is None else control.min
        high = min(1e6 if control.max is None else control.max, 1e9)
        value: Any = draw.choice([low, high, draw.uniform(low, high), low + (high - low) * draw.random() ** 6])
        value = round(value) if isinstance(control.value, int) else float(value)
    elif kind == "list":
        value = draw.choice(control.options)
        value = getattr(value, "content", value)
    elif kind == "flag":
        value = not control.value
    else:
        value = draw.choice(TEXTS)
    (control.select(value) if kind == "list" and hasattr(control, "select") else control.set_value(value)).run()
    return kind, control.key, value


@each_page
@pytest.mark.parametrize("seed", range(examples(1)))
def test_a_random_walk_finds_no_exception(url_path: str, seed: int) -> None:
    draw = random.Random(f"{url_path} {seed}")
    at, steps = open_page(url_path), []
    for _ in range(20 if PROFILE == "full" else 5):
        steps.append(wander(at, draw))
        check(at, *steps)
