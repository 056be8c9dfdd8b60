"""Numbers as text: the printed number equals the exact one up to the printed digits."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from effviz.core.units import ago, binary, change, exact, milliseconds, percent, round_step, short, si, snapped

SI = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY = {unit: 1024**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))}
MINUS, DIVIDED, TIMES = "\N{MINUS SIGN}", "\N{DIVISION SIGN}", "\N{MULTIPLICATION SIGN}"

# Rounding to three digits: 1.005 as 1.00 is the largest relative error.
ROUNDED = 0.006

counts = st.integers(0, 10**20)
positive = st.integers(1, 10**15)


def _read(text: str, units: dict[str, int] | dict[str, float]) -> float:
    number, _, unit = text.partition(" ")
    return float(number) * units[unit]


def _digits(text: str) -> int:
    """Significant digits of a printed number that has been rounded."""
    return len(text.partition(" ")[0].replace(".", "").lstrip("0"))


@given(counts)
@example(999)
@example(1000)
@example(999_949)
@example(999_950)
@example(9_995_000)
@example(10**18 * 999)
def test_si_can_be_read_back(value: int) -> None:
    assert _read(si(value), SI) == pytest.approx(value, rel=ROUNDED)


@given(st.integers(1000, 10**20))
@example(99_950_000)
def test_si_has_three_or_four_digits(value: int) -> None:
    assert _digits(si(value)) in (3, 4)


@given(st.integers(0, 999))
def test_si_leaves_small_whole_numbers_whole(value: int) -> None:
    assert si(value) == str(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3_504_872, "3.50 M"), (300_774_272, "300.8 M"), (1_505_280, "1.51 M"), (15_470_264_320, "15.5 G"), (0, "0")],
)
def test_si_as_in_the_papers(value: int, text: str) -> None:
    assert si(value) == text


def test_the_unit_follows_the_prefix() -> None:
    assert si(1_505_280, "elements") == "1.51 M elements"
    assert si(12, "elements") == "12 elements"


@given(st.integers(1, 9), st.integers(0, 18))
def test_ticks_have_no_trailing_zeros(digit: int, power: int) -> None:
    text = short(digit * 10.0**power)
    assert re.fullmatch(r"[1-9]0{0,2}( [kMGTPE])?", text)
    assert _read(text, SI) == pytest.approx(digit * 10.0**power)


@pytest.mark.parametrize(
    ("value", "text"), [(100_000_000, "100 M"), (2_500_000, "2.5 M"), (1, "1"), (0.5, "0.5"), (0, "0"), (1e10, "10 G")]
)
def test_ticks_as_in_the_charts(value: float, text: str) -> None:
    assert short(value) == text


@given(counts)
@example(1023)
@example(1024)
@example(1024**2 - 1)
@example(int(1023.95 * 1024))
def test_binary_can_be_read_back(size: int) -> None:
    assert _read(binary(size), BINARY) == pytest.approx(size, rel=ROUNDED)


@given(st.integers(1024, 2**60))
@example(1020 * 1024)
def test_binary_has_three_or_four_digits(size: int) -> None:
    assert _digits(binary(size)) in (3, 4)


@given(st.integers(0, 1023))
def test_binary_leaves_single_bytes_whole(size: int) -> None:
    assert binary(size) == f"{size} B"


def test_binary_counts_in_1024() -> None:
    assert binary(4 * 1_505_280) == "5.74 MiB"
    assert binary(1024) == "1.00 KiB"


@given(counts)
def test_exact_keeps_every_digit(value: int) -> None:
    assert int(exact(value).replace(",", "")) == value


@given(st.floats(0.5, 1e9))
@example(9.995)
@example(99.95)
@example(999.94)
@example(999.95)
@example(1000)
@example(9_995)
def test_milliseconds_can_be_read_back(value: float) -> None:
    text = milliseconds(value)
    number, _, unit = text.partition(" ")
    assert float(number) * {"ms": 1, "s": 1000}[unit] == pytest.approx(value, rel=0.011)
    if value >= 10:
        assert float(number) * {"ms": 1, "s": 1000}[unit] == pytest.approx(value, rel=ROUNDED)
    assert (unit == "s") == (value >= 999.95)
    assert "." in number or float(number) >= 1000, "three digits at least"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 ms"),
        (0.013, "0.01 ms"),
        (4.2, "4.20 ms"),
        (9.994, "9.99 ms"),
        (9.996, "10.0 ms"),
        (12.04, "12.0 ms"),
        (123.45, "123.5 ms"),
        (999.94, "999.9 ms"),
        (999.96, "1.00 s"),
        (1234, "1.23 s"),
        (120_000, "120.0 s"),
    ],
)
def test_milliseconds_as_on_the_pages(value: float, text: str) -> None:
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59.9, "just now"),
        (60, "1 min ago"),
        (119, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (2 * 3_600 - 1, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 d ago"),
        (400 * 86_400.0, "400 d ago"),
    ],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@given(st.floats(0, 1e9))
def test_ago_is_never_longer_than_it_was(seconds: float) -> None:
    number, _, unit = ago(seconds).removesuffix(" ago").partition(" ")
    length = {"min": 60, "h": 3_600, "d": 86_400}.get(unit)
    if length is None:
        assert seconds < 60
    else:
        assert int(number) >= 1
        assert int(number) * length <= seconds < (int(number) + 1) * length


@given(st.floats(0, 1, exclude_min=True))
@example(1e-12)
@example(0.000999)
@example(0.001)
@example(0.0995)
@example(0.99951)
def test_percent_can_be_read_back_and_is_never_zero(share: float) -> None:
    text = percent(share)
    if text == "under 0.1 %":
        assert share < 0.001
        return
    number = text.removesuffix(" %")
    value = float(number)
    assert value > 0, "a positive share is not printed as 0"
    assert value == pytest.approx(100 * share, abs=0.0501 if "." in number else 0.501)


def test_percent_of_zero_and_one() -> None:
    assert percent(0) == "0 %"
    assert percent(1) == "100 %"


@given(positive)
def test_no_change_is_one_word(value: int) -> None:
    assert change(value, value) == "unchanged"


def test_change_from_zero_has_no_factor() -> None:
    assert change(5, 0) == "new"
    assert change(0, 0) == "unchanged"


@given(positive, positive)
@example(1_001, 1_000)
@example(1_999, 1_000)
@example(2_000, 1_000)
@example(100, 1_000)
@example(101, 1_000)
def test_change_can_be_read_back(value: int, baseline: int) -> None:
    assume(value != baseline)
    text, factor = change(value, baseline), value / baseline
    number = text.lstrip(f"{DIVIDED}+{MINUS}<").removesuffix(" %").removesuffix(TIMES).replace(",", "")
    if text.endswith(TIMES) or text[0] == DIVIDED:
        assert float(number) == pytest.approx(factor if text.endswith(TIMES) else 1 / factor, rel=ROUNDED)
    else:
        assert text[0] == ("+" if value > baseline else MINUS)
        off = abs(factor - 1) * 100
        assert (
            off < float(number)
            if "<" in text
            else off == pytest.approx(float(number), abs=0.501 if off >= 99.9 else 0.0501)
        )


@given(positive, positive)
@example(138_361_641, 138_357_544)
@example(138_353_447, 138_357_544)
def test_a_change_is_never_printed_as_unchanged(value: int, baseline: int) -> None:
    assume(value != baseline)
    assert not re.search(r"[+\N{MINUS SIGN}]0\.0 %|\A0\N{MULTIPLICATION SIGN}\Z", change(value, baseline))


@given(positive, positive)
@example(3_083_232_116_736, 300_774_272)
@example(1, 1_000_000)
def test_a_change_is_printed_without_an_exponent(value: int, baseline: int) -> None:
    assert "e" not in change(value, baseline).replace("unchanged", "")


@given(st.floats(1e-9, 1e18))
@example(1.0)
@example(2.0)
@example(5.0)
@example(5.000001)
@example(0.3)
def test_an_axis_ends_at_a_round_number(maximum: float) -> None:
    end, step = snapped(maximum), round_step(maximum)
    assert f"{end:.6e}"[:8] in {f"{each:.6f}" for each in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)}
    assert maximum <= end * (1 + 1e-9)
    assert end <= 4 / 3 * maximum * (1 + 1e-9), "a bar has three quarters of the height"
    assert f"{step:.6e}"[:8] in {f"{each:.6f}" for each in (1, 2, 5)}
    assert maximum <= step * (1 + 1e-9)
    assert step <= 2.5 * maximum * (1 + 1e-9), "no smaller step is large enough"


@given(st.floats(1e-9, 1e18), st.floats(1e-9, 1e18))
def test_an_axis_never_shrinks_for_a_larger_value(first: float, second: float) -> None:
    assert snapped(min(first, second)) <= snapped(max(first, second))


@pytest.mark.parametrize("maximum", [0, 0.0, -3.0])
def test_an_axis_without_values_has_an_end(maximum: float) -> None:
    assert snapped(maximum) > 0
