"""Tests of budgets and of amounts as text."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import torch
from cases import for_each
from examples import designs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import Design, DesignError, Stage, analyze, architecture, build
from effviz.advice.budgets import (
    BYTES,
    COUNT,
    DTYPES,
    MAX_AMOUNT,
    PRESETS,
    QUANTITIES,
    SUFFIXES,
    TIME,
    Budget,
    check,
    format_amount,
    format_share,
    parse_amount,
    read_limit,
    read_limits,
)

DRAWN = settings(suppress_health_check=list(HealthCheck))
V2 = analyze(architecture("mobilenet_v2"))
WHOLE = [name for name in QUANTITIES if name != "latency"]


def message(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(DesignError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- quantities and budgets ------------------------------------------------------------------------------------------


def test_quantities_are_complete_data() -> None:
    assert list(QUANTITIES) == ["params", "macs", "memory_access", "peak_activation", "weight_size", "latency"]
    assert {name: (each.unit, each.kind) for name, each in QUANTITIES.items()} == {
        "params": ("", COUNT),
        "macs": ("", COUNT),
        "memory_access": ("elements", COUNT),
        "peak_activation": ("bytes", BYTES),
        "weight_size": ("bytes", BYTES),
        "latency": ("ms", TIME),
    }
    assert all(each.title and each.what.endswith(".") for each in QUANTITIES.values())


@pytest.mark.parametrize("dtype", DTYPES)
def test_bytes_are_those_of_torch(dtype: str) -> None:
    assert DTYPES[dtype] == torch.empty(0, dtype=getattr(torch, dtype)).element_size()


@pytest.mark.parametrize("limit", [1, 4_200_000, 4.2e6, Fraction(10**7), 10**18])
def test_whole_limits_are_integers(limit: Any) -> None:
    budget = Budget("params", limit)
    assert budget.limit == limit
    assert type(budget.limit) is int
    assert type(Budget("latency", limit).limit) is float


@pytest.mark.parametrize(
    ("quantity", "limit", "expected"),
    [
        (
            "flops",
            1,
            "quantity = 'flops' must be one of params, macs, memory_access, peak_activation, weight_size, latency",
        ),
        (None, 1, "quantity = None must be one of params, macs, memory_access, peak_activation, weight_size, latency"),
        ("macs", 0, "limit = 0 must be greater than 0"),
        ("macs", -1, "limit = -1 must be greater than 0"),
        ("latency", -0.0, "limit = -0.0 must be greater than 0"),
        ("macs", math.nan, "limit = nan must be finite"),
        ("latency", math.inf, "limit = inf must be finite"),
        ("macs", 10**18 + 1, "limit = 1000000000000000001 must be at most 1e+18"),
        pytest.param("macs", 10**5000, "limit = an integer of 16610 bits must be at most 1e+18", id="huge"),
        ("macs", 0.5, "limit = 0.5 must be a whole number for macs"),
        ("weight_size", Fraction(7, 2), "limit = Fraction(7, 2) must be a whole number for weight_size"),
        ("macs", True, "limit = True must be a number"),
        ("macs", "300M", "limit = '300M' must be a number"),
        ("macs", Decimal(3), "limit = Decimal('3') must be a number"),
        ("macs", None, "limit = None must be a number"),
        ("macs", 1j, "limit = 1j must be a number"),
    ],
)
def test_wrong_limits_are_rejected(quantity: Any, limit: Any, expected: str) -> None:
    assert message(Budget, quantity, limit) == expected


# --- verdicts --------------------------------------------------------------------------------------------------------

EXACT = {
    "params": V2.params,
    "macs": V2.macs,
    "memory_access": V2.memory_access,
    "peak_activation": 4 * 1_505_280,
    "weight_size": 4 * 3_504_872,
    "latency": 12.5,
}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_value_equal_to_the_limit_fits(quantity: str) -> None:
    value = EXACT[quantity]
    step: Any = math.ulp(12.5) if quantity == "latency" else 1
    below, at, beyond = check(
        V2, [Budget(quantity, value + step), Budget(quantity, value), Budget(quantity, value - step)], latency_ms=12.5
    )
    assert (below.value, at.value, beyond.value) == (value, value, value)
    assert (below.passed, at.passed, beyond.passed) == (True, True, False)
    assert below.margin is not None
    assert beyond.margin is not None
    assert below.margin > 0 > beyond.margin
    assert at.margin == 0
    assert check(V2, [Budget(quantity, 2 * value)], latency_ms=12.5)[0].margin == 0.5
    assert check(V2, [Budget(quantity, value / 2)], latency_ms=12.5)[0].margin == -1


def test_the_margin_just_beyond_a_huge_limit() -> None:
    """1 - value / limit would round to 0."""
    report = analyze(Design("huge", (Stage("linear", 2**20, 1000),), in_channels=7, resolution=2**14))
    limit = 4 * report.params - 1
    assert 1 - 4 * report.params / limit == 0
    (verdict,) = check(report, [Budget("weight_size", limit)])
    assert verdict.passed is False
    assert verdict.margin is not None
    assert verdict.margin < 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_are_elements_times_bytes(dtype: str) -> None:
    peak, weights = check(V2, [Budget("peak_activation", 1), Budget("weight_size", 1)], dtype=dtype)
    module = build(architecture("mobilenet_v2"), device="meta").to(getattr(torch, dtype)) if dtype != "int8" else None
    assert peak.value == 1_505_280 * DTYPES[dtype]
    assert weights.value == 3_504_872 * DTYPES[dtype]
    if module is not None:
        assert weights.value == sum(each.numel() * each.element_size() for each in module.parameters())


@settings(DRAWN, max_examples=examples(20))
@given(design=designs(), dtype=st.sampled_from(sorted(DTYPES)), limits=st.lists(st.integers(1, 10**7), max_size=6))
def test_verdicts_of_random_designs(design: Design, dtype: str, limits: list[int]) -> None:
    report = analyze(design)
    budgets = [Budget(quantity, limit) for limit in limits for quantity in WHOLE]
    values = {
        "params": report.params,
        "macs": report.macs,
        "memory_access": report.memory_access,
        "peak_activation": DTYPES[dtype] * report.peak_activation,
        "weight_size": DTYPES[dtype] * report.params,
    }
    verdicts = check(report, iter(budgets), dtype=dtype)
    assert [replace(each.budget, dtype="") for each in verdicts] == budgets
    for each in verdicts:
        assert each.value == values[each.budget.quantity]
        assert type(each.value) is int
        assert each.passed == (Fraction(each.value, int(each.budget.limit)) <= 1)
        assert each.margin == pytest.approx(float(1 - Fraction(each.value, int(each.budget.limit))))


def test_memory_access_uses_the_assumption_of_the_report() -> None:
    for memory in ("paper", "fused", "eager"):
        report = analyze(architecture("mobilenet_v2"), memory=memory)
        assert check(report, [Budget("memory_access", 1)])[0].value == report.memory_accesses[memory]


def test_unmeasured_latency_has_no_verdict() -> None:
    budget = Budget("latency", 33)
    assert check(V2, [budget]) == ((budget, None, None, None),)
    assert check(V2, [budget], latency_ms=0)[0] == (budget, 0.0, True, 1.0)
    assert check(V2, []) == ()


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((None, []), {}, "report = None must be a Report; effviz.analyze(design) gives one"),
        ((V2, None), {}, "budgets = None must be a sequence of Budget"),
        ((V2, ["300M"]), {}, "budget = '300M' must be a Budget"),
        ((V2, []), {"dtype": "int4"}, "dtype = 'int4' must be one of float32, float16, int8"),
        ((V2, []), {"dtype": None}, "dtype = None must be one of float32, float16, int8"),
        ((V2, []), {"latency_ms": "fast"}, "latency_ms = 'fast' must be a number"),
        ((V2, []), {"latency_ms": math.nan}, "latency_ms = nan must be finite"),
        ((V2, []), {"latency_ms": -1}, "latency_ms = -1 must be at least 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, options: Any, expected: str) -> None:
    assert message(check, *arguments, **options) == expected


# --- presets ---------------------------------------------------------------------------------------------------------


def test_presets_are_complete_data() -> None:
    for name, preset in PRESETS.items():
        assert preset.title
        assert preset.budgets
        assert preset.dtype in DTYPES
        assert preset.source.endswith(".")
        assert re.search(r"arXiv \d{4}\.\d{5}", preset.source) or name == "real_time"
        assert len({budget.quantity for budget in preset.budgets}) == len(preset.budgets)
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


def test_presets_define_their_kilobytes() -> None:
    limits = {name: {budget.quantity: budget.limit for budget in preset.budgets} for name, preset in PRESETS.items()}
    assert limits == {
        "mcu_256k": {"peak_activation": 262_144, "weight_size": 1_048_576},
        "mcu_320k": {"peak_activation": 327_680, "weight_size": 1_048_576},
        "visual_wake_words": {"peak_activation": 250_000, "weight_size": 250_000, "macs": 60_000_000},
        "mobile_300m": {"macs": 300_000_000},
        "mobile_600m": {"macs": 600_000_000},
        "real_time": {"latency": 1000 / 30},
    }
    for name, preset in PRESETS.items():
        assert ("1024" in preset.source) == name.startswith("mcu")
    assert "1000 bytes" in PRESETS["visual_wake_words"].source


@pytest.mark.parametrize(
    ("name", "options", "preset", "fits"),
    [
        # The baselines of MCUNet's abstract, quantized: they exceed its SRAM and flash.
        ("mobilenet_v2", {}, "mcu_320k", [False, False]),
        ("resnet18", {}, "mcu_320k", [False, False]),
        # 48 channels of 64 x 64 and of 32 x 32 pixels at once: 245,760 bytes, which 144 pixels would exceed.
        ("mobilenet_v2", {"width_mult": 0.35, "resolution": 128, "num_classes": 2}, "mcu_256k", [True, True]),
        ("mobilenet_v2", {"width_mult": 0.35, "resolution": 144, "num_classes": 2}, "mcu_256k", [False, True]),
        # The person detector of TensorFlow Lite Micro's examples.
        ("mobilenet_v1", {"width_mult": 0.25, "resolution": 96, "num_classes": 2}, "visual_wake_words", [True] * 3),
        # 300,774,272 multiply-adds; the paper prints 300 M.
        ("mobilenet_v2", {}, "mobile_300m", [False]),
        ("shufflenet_v2", {"width_mult": 1.5}, "mobile_300m", [True]),
        ("mobilenet_v2", {"width_mult": 1.4}, "mobile_600m", [True]),
        ("resnet18", {}, "mobile_600m", [False]),
    ],
)
def test_published_networks_against_presets(name: str, options: dict[str, Any], preset: str, fits: list[bool]) -> None:
    report = analyze(architecture(name, **options))
    verdicts = check(report, PRESETS[preset].budgets, dtype=PRESETS[preset].dtype)
    assert [each.passed for each in verdicts] == fits, verdicts


# --- amounts as text -------------------------------------------------------------------------------------------------


@for_each(
    ("text", "quantity", "expected"),
    [
        ("300M", "macs", 300_000_000),
        ("4.2 M", "params", 4_200_000),
        ("1.5G", "macs", 1_500_000_000),
        ("3e8", "macs", 300_000_000),
        ("3E+8", "macs", 300_000_000),
        ("300_000_000", "macs", 300_000_000),
        ("300000000", "memory_access", 300_000_000),
        ("12k", "params", 12_000),
        ("12K", "params", 12_000),
        ("1T", "macs", 10**12),
        (" +7.5e1 k\n", "params", 75_000),
        (".5M", "params", 500_000),
        ("5.", "params", 5),
        ("1", "params", 1),
        ("1e18", "params", 10**18),
        ("256kB", "weight_size", 256_000),
        ("256 kB", "peak_activation", 256_000),
        ("320KiB", "peak_activation", 327_680),
        ("1MiB", "weight_size", 1_048_576),
        ("1MB", "weight_size", 1_000_000),
        ("0.5 GiB", "weight_size", 2**29),
        ("2 TB", "weight_size", 2 * 10**12),
        ("100B", "weight_size", 100),
        ("100", "weight_size", 100),
        ("33ms", "latency", 33.0),
        ("33.5", "latency", 33.5),
        ("0.5 s", "latency", 500.0),
        ("250us", "latency", 0.25),
        ("250µs", "latency", 0.25),
        ("250μs", "latency", 0.25),
    ],
)
def test_amounts(text: str, quantity: str, expected: float) -> None:
    amount = parse_amount(text, quantity)
    assert amount == expected
    assert type(amount) is (float if quantity == "latency" else int)


WRITE = {
    "macs": "write it like 300M, 4.2 M or 1500000",
    "weight_size": "write it like 256kB (1000 bytes), 320KiB (1024 bytes) or 250000",
    "latency": "write it like 33ms",
}


@for_each(
    ("text", "quantity", "relation"),
    [
        *((text, "macs", "is not an amount: {}") for text in (
            "", " ", "M", "nan", "inf", "infinity", "much", "1,000", "1 000", "0x10", "1__0", "1_", "_1", "1_.5",
            "1.5.2", "e8", "1e99999", "--3", "-", "+", "+-3", "3 M M", "30 %", "3-", "\N{INFINITY}", "\ud800", "\0",
            "1\0",
            "\N{ARABIC-INDIC DIGIT THREE}", "\N{SUPERSCRIPT TWO}", "3\N{FULLWIDTH LATIN CAPITAL LETTER M}",
            "(3)", "3;M",
        )),
        *((text, "macs", "must be greater than 0") for text in (
            "-3M", "-3", "\N{MINUS SIGN}3", "-0", "0", "0.0k", "0e5", "1e-9999",
        )),
        ("1e-400", "latency", "must be greater than 0"),
        *((text, "macs", "must be at most 1e+18") for text in ("1000001T", "1e9999", "1e12 T", "1000000000000000001")),
        ("1e16s", "latency", "must be at most 1e+18"),
        ("1.2345k", "macs", "must be a whole number"),
        ("300000000.00000000000000000000000000001", "macs", "must be a whole number"),
        ("0.1KiB", "weight_size", "must be a whole number of bytes"),
        ("3X", "macs", "has the suffix 'X', which is unknown: {}"),
        ("3e", "macs", "has the suffix 'e', which is unknown: {}"),
        ("3Mega", "macs", "has the suffix 'Mega', which is unknown: {}"),
        ("300m", "macs", "has the suffix 'm', which may mean M: {}"),
        ("3g", "macs", "has the suffix 'g', which may mean G: {}"),
        ("33ms", "macs", "has a unit of time, ms: {}"),
        ("33s", "macs", "has a unit of time, s: {}"),
        ("3MB", "macs", "has a unit of memory, MB: {}"),
        ("3B", "macs", "has a unit of memory, B: {}"),
        ("3ms", "weight_size", "has a unit of time, ms: {}"),
        ("3k", "weight_size", "is ambiguous, because k may mean thousands or 1024s: {}"),
        ("3M", "weight_size", "is ambiguous, because M may mean thousands or 1024s: {}"),
        ("256KB", "weight_size", "is ambiguous, because KB may mean thousands or 1024s: {}"),
        ("256kib", "weight_size", "has the suffix 'kib', which may mean KiB: {}"),
        ("3mb", "weight_size", "has the suffix 'mb', which may mean MB: {}"),
        ("3MiB", "latency", "has a unit of memory, MiB: {}"),
        ("3M", "latency", "has the suffix 'M', which is unknown: {}"),
        ("3MS", "latency", "has the suffix 'MS', which may mean ms: {}"),
        (3, "macs", "must be text: {}"),
        (None, "latency", "must be text: {}"),
        (b"3M", "macs", "must be text: {}"),
    ],
)  # fmt: skip
def test_wrong_amounts_are_rejected(text: Any, quantity: str, relation: str) -> None:
    assert message(parse_amount, text, quantity) == f"{quantity} = {text!r} {relation.format(WRITE[quantity])}"


def test_long_texts_are_rejected_at_once() -> None:
    refused = message(parse_amount, "1" * 10**6, "macs")
    assert refused.endswith(f" is not an amount: {WRITE['macs']}")
    assert len(refused) < 250
    assert message(parse_amount, "3M", "flops").startswith("quantity = 'flops' must be one of params, ")


@settings(DRAWN, max_examples=examples(100))
@given(
    text=st.text(max_size=12)
    | st.from_regex(r"[-+]?[0-9_.]{1,6}(e[-+]?[0-9]{1,4})?\s?[kKMGTiBmsu]{0,3}", fullmatch=True),
    quantity=st.sampled_from(sorted(QUANTITIES)),
)
def test_random_text_is_an_amount_or_an_error_with_the_text(text: str, quantity: str) -> None:
    try:
        amount = parse_amount(text, quantity)
    except DesignError:
        assert message(parse_amount, text, quantity).startswith(f"{quantity} = ")
        return
    assert 0 < amount <= MAX_AMOUNT
    assert Budget(quantity, amount).limit == amount
    # The number and the suffix, converted by Python's own arithmetic.
    found = re.fullmatch(r"\s*\+?([\d._]+(?:[eE][-+]?\d+)?)\s*(\D*?)\s*", text)
    assert found is not None
    unit = Fraction(SUFFIXES[QUANTITIES[quantity].kind][found[2]])
    assert amount == pytest.approx(float(Fraction(found[1].replace("_", "")) * unit), rel=1e-12)


@settings(DRAWN, max_examples=examples(100))
@given(amount=st.integers(1, MAX_AMOUNT) | st.integers(1, 1000).flatmap(
    lambda times: st.sampled_from((10**3, 10**6, 10**9, 2**10, 2**20, 2**30)).map(lambda unit: times * unit)
), quantity=st.sampled_from(WHOLE))  # fmt: skip
def test_formatted_whole_amounts_parse_back(amount: int, quantity: str) -> None:
    text = format_amount(amount, quantity)
    assert parse_amount(text, quantity) == amount
    assert len(text) <= len(str(amount)) + 2


@settings(DRAWN, max_examples=examples(60))
@given(amount=st.floats(0, MAX_AMOUNT, exclude_min=True, allow_subnormal=True))
def test_formatted_times_parse_back(amount: float) -> None:
    assert parse_amount(format_amount(amount, "latency"), "latency") == amount


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        (300_000_000, "macs", "300 M"),
        (4_200_000, "params", "4.2 M"),
        (3_504_872, "params", "3504872"),
        (999, "params", "999"),
        (327_680, "peak_activation", "320 KiB"),
        (250_000, "peak_activation", "250 kB"),
        (1_048_576, "weight_size", "1 MiB"),
        (1_000_001, "weight_size", "1000001 B"),
        (33.0, "latency", "33 ms"),
        (1000 / 30, "latency", "33.333333333333336 ms"),
    ],
)
def test_formatted_amounts_are_short(amount: float, quantity: str, expected: str) -> None:
    assert format_amount(amount, quantity) == expected


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (0.0203, "2.03 %"), (0.743, "74.3 %"), (0.9999, "99.99 %"), (1.0, "100 %"), (1.002, "100.2 %"),
        (1.00001, "100.001 %"), (1 + 1e-12, "just over 100 %"), (1 - 1e-12, "just under 100 %"), (5.737, "574 %"),
        (9.9, "990 %"), (9.999, "999.9 %"), (18.4, "18×"), (1840.0, "1,840×"), (1e8, "100,000,000×"),
    ],
)  # fmt: skip
def test_shares_are_not_rounded_to_the_other_side_of_the_limit(share: float, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize("amount", [0, -1, math.nan, math.inf, 0.5, None, "3"])
def test_wrong_amounts_are_not_formatted(amount: Any) -> None:
    assert message(format_amount, amount, "macs").startswith("macs = ")


def test_suffixes() -> None:
    thousands = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
    assert SUFFIXES[COUNT] == {"": 1} | {suffix: 1000**power for suffix, power in thousands.items()}
    binary = {f"{'KMGT'[power - 1]}iB": 1024**power for power in range(1, 5)}
    assert SUFFIXES[BYTES] == {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | binary
    assert SUFFIXES[TIME] == {"": 1, "ms": 1, "s": 1000, "us": Fraction(1, 1000)}


# --- number formats and typed units ----------------------------------------------------------------------------------


def test_a_size_is_compared_in_its_own_format() -> None:
    """The peak of MobileNetV3-Large fits 1,003,520 bytes at int8 only."""
    report = analyze(architecture("mobilenet_v3_large"))
    tight, loose = (read_limit("max_peak", f"{text} int8", "peak_activation") for text in ("512kB", "1.1 MB"))
    assert (tight.limit, tight.dtype, tight.text) == (512_000, "int8", "512 kB")
    found = check(report, [tight, loose, Budget("peak_activation", 10**6), Budget("macs", 1)], dtype="float32")
    assert [(each.value, each.budget.dtype) for each in found] == [
        (1_003_520, "int8"), (1_003_520, "int8"), (4_014_080, "float32"), (216_589_760, ""),
    ]  # fmt: skip
    assert found[0].sentence == "Peak activation memory is 1,004 kB (int8), 196 % of the limit of 512 kB."
    assert found[1].sentence == "Peak activation memory is 1.004 MB (int8), 91.2 % of the limit of 1.1 MB."
    assert check(report, [Budget("latency", 3)])[0].sentence == "Latency was not measured; its limit is 3 ms."


@pytest.mark.parametrize(
    ("typed", "quantity", "shown"),
    [
        ("512kB", "peak_activation", "512 kB"),
        ("500 KiB", "peak_activation", "500 KiB"),
        ("512000", "weight_size", "512000 B"),
        ("4.20 M", "params", "4.20 M"),
        ("0.3G", "macs", "0.3 G"),
        ("1_000k", "macs", "1000 k"),
        ("33", "latency", "33 ms"),
    ],
)
def test_a_limit_is_shown_as_it_was_typed(typed: str, quantity: str, shown: str) -> None:
    budget = read_limit("limit", typed, quantity)
    assert budget.text == shown
    assert parse_amount(budget.text, quantity) == budget.limit


def test_a_limit_without_text_is_as_short_as_possible() -> None:
    assert Budget("peak_activation", 512_000).text == "512 kB"
    assert Budget("peak_activation", 262_144).text == "256 KiB"


@given(st.integers(0, 10**15), st.integers(1, 10**9), st.sampled_from(["B", "kB", "MB", "KiB", "MiB"]))
@DRAWN
def test_a_value_in_the_unit_of_its_limit_is_on_its_side(value: int, limit: int, unit: str) -> None:
    text = f"{limit} {unit}"
    budget = Budget("weight_size", parse_amount(text, "weight_size"), written=text) if limit < 10**6 else None
    if budget is None:
        return
    shown, _, suffix = budget.show(value).partition(" ")
    exact = Fraction(shown.replace(",", "")) * SUFFIXES[BYTES][suffix]
    assert suffix == unit
    assert (exact > budget.limit) == (value > budget.limit)
    assert (exact == budget.limit) == (value == budget.limit)
    assert abs(exact - value) <= Fraction(value, 1000)


@pytest.mark.parametrize(
    ("limits", "dtype", "expected"),
    [
        ({"peak_activation": "512 kB"}, None,
         "peak_activation = '512 kB' needs a number format: dtype must be one of float32, float16, int8"),
        ({"flops": 1}, None, "quantity = 'flops' must be one of params, macs, memory_access, peak_activation, "
         "weight_size, latency"),
        ({}, None, "limits = None must contain at least one of params, macs, memory_access, peak_activation, "
         "weight_size, latency"),
        ({"macs": "x"}, None, "macs = 'x' is not an amount: write it like 300M, 4.2 M or 1500000"),
        ({"macs": "300 M int8"}, None, "macs = '300 M int8' is not an amount: write it like 300M, 4.2 M or 1500000"),
        ("macs", None, "limits = 'macs' must map quantities to amounts, or be a sequence of Budget"),
        ([Budget("macs", 1), Budget("macs", 2)], None, "limits = 'macs' must have one limit for each quantity"),
        ([1], None, "budget = 1 must be a Budget"),
        ({"macs": 1}, "int9", "dtype = 'int9' must be one of float32, float16, int8"),
    ],
)  # fmt: skip
def test_wrong_sets_of_limits(limits: Any, dtype: Any, expected: str) -> None:
    assert message(read_limits, limits, dtype) == expected


def test_limits_are_ordered_and_have_formats() -> None:
    found = read_limits({"weight_size": "2 MB float16", "peak_activation": "512kB", "macs": 3e8}, "int8")
    assert found == (
        Budget("macs", 300_000_000),
        Budget("peak_activation", 512_000, "int8", "512kB"),
        Budget("weight_size", 2_000_000, "float16", "2 MB"),
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("macs", 3, "int8"), "dtype = 'int8' must be left out: macs has no number format"),
        (("weight_size", 3, "int9"), "dtype = 'int9' must be one of float32, float16, int8"),
        (("weight_size", 3, "int8", "3 kB"), "written = '3 kB' must be the limit 3"),
    ],
)
def test_wrong_budgets(arguments: Any, expected: str) -> None:
    assert message(Budget, *arguments) == expected
