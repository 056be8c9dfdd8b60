"""Resolutions: one canonical form, one parser, one way to print and to scale them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effviz import DesignError
from effviz.core.errors import MAX_RESOLUTION
from effviz.core.resolution import (
    Resolution,
    as_resolution,
    compact_size,
    halved,
    in_pixels,
    parse_resolution,
    ratio,
    scaled_resolution,
    sides,
    with_height,
)

side = st.integers(1, MAX_RESOLUTION)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (224, 224),
        (np.int64(224), 224),
        ((512, 2048), (512, 2048)),
        ([512, 2048], (512, 2048)),
        ((np.int32(512), np.int32(2048)), (512, 2048)),
        ((224, 224), 224),
    ],
    ids=repr,
)
def test_equal_sides_become_one_number(value: Any, expected: Resolution) -> None:
    found = as_resolution(value)
    assert found == expected
    assert type(found) is type(expected)
    assert all(type(each) is int for each in sides(found))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "resolution = 0 must be at least 1"),
        ((0, 224), "resolution[0] = 0 must be at least 1"),
        ((224, 2**15), "resolution[1] = 32768 must be at most 16384"),
        ((224, 2.5), "resolution[1] = 2.5 must be an integer"),
        ((224, True), "resolution[1] = True must be an integer"),
        (True, "resolution = True must be an integer or a pair (height, width)"),
        (224.0, "resolution = 224.0 must be an integer or a pair (height, width)"),
        ((224,), "resolution = (224,) must be an integer or a pair (height, width)"),
        ((1, 2, 3), "resolution = (1, 2, 3) must be an integer or a pair (height, width)"),
        ("512x2048", "resolution = '512x2048' must be an integer or a pair (height, width)"),
        (None, "resolution = None must be an integer or a pair (height, width)"),
    ],
    ids=str,
)
def test_illegal_resolutions(value: Any, message: str) -> None:
    with pytest.raises(DesignError) as raised:
        as_resolution(value)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "text",
    ["512x2048", "512X2048", "512 x 2048", "512×2048", " 512 × 2048 ", "512x2048px", "512 x 2048 px", "512.0x2048.0"],
)
def test_texts_of_a_rectangle(text: str) -> None:
    assert parse_resolution(text) == (512, 2048)


@pytest.mark.parametrize("text", ["224", " 224 ", "224 px", "224x224", "224.0", "0224"])
def test_texts_of_a_square(text: str) -> None:
    assert parse_resolution(text) == 224


@pytest.mark.parametrize(
    "text",
    ["", "x", "512x", "x2048", "512x2048x3", "512*2048", "512,2048", "-1x5", "5x-1", "1.5x2", "1e3", "٢x٢", "9" * 400],
)
def test_other_texts(text: str) -> None:
    with pytest.raises(DesignError, match=r"must be a side or height x width in pixels, such as 224 or 512x2048$"):
        parse_resolution(text)


@pytest.mark.parametrize(("text", "place"), [("0x5", 0), ("5x0", 1)])
def test_texts_out_of_range(text: str, place: int) -> None:
    with pytest.raises(DesignError, match=rf"^resolution\[{place}\] = 0 must be at least 1$"):
        parse_resolution(text)


@given(high=side, wide=side)
def test_every_text_is_read_again(high: int, wide: int) -> None:
    resolution = as_resolution((high, wide))
    assert parse_resolution(compact_size(resolution)) == parse_resolution(in_pixels(resolution)) == resolution


@given(high=side, wide=side, height=st.integers(1, 400))
def test_a_new_height_keeps_the_aspect_ratio(high: int, wide: int, height: int) -> None:
    exact = height * wide / high
    if exact > MAX_RESOLUTION:
        with pytest.raises(DesignError, match=r"^resolution\[1\] = \d+ must be at most 16384$"):
            with_height((high, wide), height)
        return
    found = sides(with_height((high, wide), height))
    assert found[0] == height
    assert abs(found[1] - exact) <= 0.5 or (found[1] == 1 and exact < 1)


def test_scaling_acts_on_both_sides() -> None:
    assert scaled_resolution(224, 1.15) == 258
    assert scaled_resolution((512, 2048), 1.15) == (589, 2355)
    assert scaled_resolution((3, 4), 0.3) == 1
    assert scaled_resolution((1, 2048), 0.4) == (0, 819)
    assert halved(225) == 112
    assert halved((1, 9)) == (1, 4)


def test_the_ratio_is_of_sides_or_of_areas() -> None:
    assert ratio(260, 224) == 260 / 224
    assert ratio((512, 2048), 1024) == 1
    assert ratio((100, 400), (50, 200)) == 2
