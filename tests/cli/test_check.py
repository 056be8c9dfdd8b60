"""The command check: verdicts, limits, presets and lint findings."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from typing import Any

import pytest
from command_line import MEASURED, TINY, Ran, piped, random_inputs, run, run_json
from examples import designs
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import effviz
from effviz import Design
from effviz.advice.budgets import PRESETS, QUANTITIES, parse_amount
from effviz.advice.lint import lint
from effviz.count.memory import ASSUMPTIONS
from effviz.measure import latency
from effviz.measure.latency import Latency

OPTIONS = {
    "params": "--max-params",
    "macs": "--max-macs",
    "memory_access": "--max-memory-access",
    "peak_activation": "--max-peak",
    "weight_size": "--max-weights",
    "latency": "--max-latency",
}
SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
BYTES = {"": 1, "B": 1, "kB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 2**20}
ITEMSIZE = {"float32": 4, "float16": 2, "int8": 1}


def values(report: effviz.Report, dtype: str) -> dict[str, int]:
    """Every quantity but latency, in the unit of its limit."""
    size = ITEMSIZE[dtype]
    return {
        "params": report.params,
        "macs": report.macs,
        "memory_access": report.memory_access,
        "peak_activation": size * report.peak_activation,
        "weight_size": size * report.params,
    }


def _problem(quantity: str, text: str) -> str:
    """The engine's message without the name of the quantity."""
    with pytest.raises(effviz.DesignError) as caught:
        parse_amount(text, quantity)
    return str(caught.value).removeprefix(f"{quantity} = ")


def test_every_quantity_has_its_option() -> None:
    assert list(OPTIONS) == list(QUANTITIES)
    for name, option in OPTIONS.items():
        assert f"{option} " in run("check", "--help").out
        assert option in run("check", "mobilenet_v2").err
        # The message names the option, not the quantity.
        wrong = f"effviz: Invalid value for '{option}': "
        ran = run("check", "mobilenet_v2", option, "x")
        assert ran.code == 2
        assert ran.err.startswith(f"{wrong}{_problem(name, 'x')}")
        assert run("check", "mobilenet_v2", option, "-1").err.startswith(f"{wrong}{_problem(name, '-1')}")
        if name != "latency":
            assert run("check", "vgg16", option, "1.5").err.startswith(f"{wrong}{_problem(name, '1.5')}")


@st.composite
def limits(draw: DrawFn, actual: int, suffixes: dict[str, int]) -> tuple[str, Fraction]:
    """The text of a limit, close to the actual value or far from it, and its amount."""
    suffix = draw(st.sampled_from(sorted(suffixes)))
    unit = suffixes[suffix]
    if unit == 1:
        wanted = max(1, actual + draw(st.sampled_from((-1, 0, 1)) | st.integers(-actual, actual)))
        return f"{wanted}{suffix}", Fraction(wanted)
    wanted = max(1, actual // unit + draw(st.sampled_from((-1, 0, 1))))
    return f"{wanted}{draw(st.sampled_from(('', ' ')))}{suffix}", Fraction(wanted) * unit


@random_inputs(15)
@given(
    design=designs(),
    dtype=st.sampled_from(sorted(ITEMSIZE)),
    memory=st.sampled_from(sorted(ASSUMPTIONS)),
    data=st.data(),
)
def test_verdicts_equal_exact_arithmetic(design: Design, dtype: str, memory: str, data: st.DataObject) -> None:
    known = values(effviz.analyze(design, memory=memory), dtype)
    chosen = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, unique=True))
    words, expected = ["--dtype", dtype, "--memory", memory], {}
    for quantity in chosen:
        sizes = BYTES if quantity in ("peak_activation", "weight_size") else SUFFIXES
        assume(known[quantity] > 0)
        text, limit = data.draw(limits(known[quantity], sizes))
        words += [OPTIONS[quantity], text]
        expected[quantity] = (known[quantity], limit, known[quantity] <= limit)
    ran = run("check", "-", *words, "--json", stdin=piped(design))
    answer = json.loads(ran.out)
    keeps = all(passed for _, _, passed in expected.values())
    assert (ran.code, ran.err, answer["passed"]) == (0 if keeps else 1, "", keeps)
    found = {each["quantity"]: (each["value"], each["limit"], each["passed"]) for each in answer["budgets"]}
    assert found == expected
    for each in answer["budgets"]:
        assert each["margin"] == pytest.approx(float(1 - Fraction(each["value"]) / expected[each["quantity"]][1]))
    lines = run("check", "-", *words, stdin=piped(design)).out.splitlines()[3:]
    assert len(lines) == len(expected)
    for line, (quantity, each) in zip(lines, sorted(expected.items(), key=lambda item: list(OPTIONS).index(item[0])),
                                      strict=True):  # fmt: skip
        value, limit, passed = each
        assert line.startswith("pass " if passed else "FAIL ")
        assert f" {QUANTITIES[quantity].title.lower()} " in line
        assert f" {value:,} " in line
        assert f" limit  {int(limit):,} ".replace(" ", "") in line.replace(" ", "")
        assert ("left" in line) == passed
        assert (f"over by {value - int(limit):,}" in line) != passed


def test_check_reports_failures_and_differences() -> None:
    words = (
        "check",
        "mobilenet_v2",
        "--max-params",
        "4M",
        "--max-macs",
        "300M",
        "--max-peak",
        "1MiB",
        "--dtype",
        "int8",
    )
    assert run(*words) == Ran(
        1,
        "MobileNetV2 (mobilenet_v2), input 3 x 224 x 224\n"
        "Sizes in bytes: int8, batch 1. Memory access: fused.\n"
        "\n"
        "pass  parameters                3,504,872  limit    4,000,000         12 % left\n"
        "FAIL  multiply-adds           300,774,272  limit  300,000,000         over by 774,272 (0.3 %)\n"
        "FAIL  peak activation memory    1,505,280  limit    1,048,576  bytes  over by 456,704 bytes (44 %)\n",
        "",
    )
    assert run(*words, "--width", "0.75", "--resolution", "160").code == 0


@pytest.mark.parametrize(
    ("limit", "difference"),
    [
        ("1", "over by 11,689,511 (11,689,512 times the limit)"),
        ("1M", "over by 10,689,512 (11.7 times the limit)"),
        ("1.1M", "over by 10,589,512 (963 %)"),
    ],
)
def test_large_differences_are_factors(limit: str, difference: str) -> None:
    line = run("check", "resnet18", "--max-params", limit).out.splitlines()[-1]
    assert line.split("  ")[-1] == difference


@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("limit", [1000 / 30, 0.1, 12345678.9])
def test_digits_distinguish_a_failure_from_its_limit(
    limit: float, beyond: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = math.nextafter(limit, math.inf if beyond else 0)
    measured = Latency(**MEASURED | {"median_ms": value})
    monkeypatch.setattr(latency, "measure_latency", lambda *_, **__: measured)
    ran = run("check", "-", "--max-latency", repr(limit), stdin=piped(TINY))
    assert ran.code == beyond
    found = re.search(r"latency +(\S+) +limit +(\S+) +ms", ran.out)
    assert found is not None
    shown_value, shown_limit = (float(each.replace(",", "")) for each in found.groups())
    assert (shown_value > shown_limit) == beyond
    assert shown_value != shown_limit


def test_a_value_equal_to_the_limit_passes() -> None:
    assert run("check", "mobilenet_v2", "--max-macs", "300774272").code == 0
    assert run("check", "mobilenet_v2", "--max-macs", "300774271").code == 1


@pytest.mark.parametrize("name", [name for name in PRESETS if "latency" not in str(PRESETS[name].budgets)])
def test_presets_apply_their_budgets(name: str) -> None:
    preset = PRESETS[name]
    answer = run_json("check", "mobilenet_v2", "--preset", name)
    known = values(effviz.analyze(effviz.architecture("mobilenet_v2")), preset.dtype)
    assert {each["quantity"]: (each["value"], each["limit"]) for each in answer["budgets"]} == {
        each.quantity: (known[each.quantity], each.limit) for each in preset.budgets
    }
    assert answer["dtype"] == preset.dtype
    assert preset.source in run("check", "mobilenet_v2", "--preset", name).out
    for each in preset.budgets:
        # An option replaces the preset's limit or number format.
        words = (OPTIONS[each.quantity], "10000000001", "--dtype", "float16")
        other = run_json("check", "mobilenet_v2", "--preset", name, *words)
        assert other["dtype"] == "float16"
        assert {own["quantity"]: own["limit"] for own in other["budgets"]} == {
            own.quantity: 10000000001 if own is each else own.limit for own in preset.budgets
        }


def test_a_latency_limit_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def measure(design: Design, **options: Any) -> Latency:
        calls.append((design, options))
        return Latency(**MEASURED)

    monkeypatch.setattr(latency, "measure_latency", measure)
    ran = run("check", "-", "--max-latency", "12.4ms", "--max-params", "1M", stdin=piped(TINY))
    assert ran == Ran(
        1,
        "tiny, input 3 x 32 x 32\n"
        "Sizes in bytes: float32, batch 1. Memory access: fused.\n"
        "Latency: median of 80 runs of PyTorch on this CPU, float32, batch 1, 1 thread.\n"
        "\n"
        f"pass  parameters  {effviz.analyze(TINY).params:,}  limit  1,000,000      98 % left\n"
        "FAIL  latency       12.5  limit       12.4  ms  over by 0.1 ms (0.8 %)\n",
        "",
    )
    answer = run_json("check", "-", "--preset", "real_time", stdin=piped(TINY))
    assert (answer["passed"], answer["budgets"][0]["value"]) == (True, 12.5)
    assert answer["latency"] == MEASURED | {"noisy": False}
    assert calls == 2 * [(TINY, {"batch_size": 1, "threads": 1})]
    assert run("check", "-", "--max-macs", "1G", "--lint", stdin=piped(TINY)).code == 0
    # Wrong input is reported before the measurement starts.
    for words in (
        ("--dtype", "int4"),
        ("--dtype", ""),
        ("--preset", ""),
        ("--memory", "paged"),
        ("--max-macs", "1X"),
        ("--resolution", "0"),
    ):
        assert run("check", "-", "--max-latency", "1s", *words, stdin=piped(TINY)).code == 2
    assert len(calls) == 2


@random_inputs(15)
@given(design=designs())
def test_lint_prints_findings_and_strict_lint_fails(design: Design) -> None:
    findings = lint(design)
    loose = run("check", "-", "--lint", stdin=piped(design))
    strict = run("check", "-", "--strict-lint", stdin=piped(design))
    assert (loose.code, strict.code) == (0, 1 if findings else 0)
    marked = [line for line in strict.out.splitlines() if line.startswith("FAIL  ")]
    assert marked == [f"FAIL  {each.rule}, {each.where}: {each.why}" for each in findings]
    assert strict.out.replace("FAIL  ", "note  ") == loose.out
    fixes = [line.removeprefix("      fix: ") for line in loose.out.splitlines() if line.startswith("      fix: ")]
    assert fixes == [each.fix.label for each in findings if each.fix]
    assert ("No findings." in loose.out) == (not findings)
    answer = run_json("check", "-", "--lint", stdin=piped(design))
    assert [(each["rule"], each["row"], each["path"]) for each in answer["findings"]] == [
        (each.rule, each.row, each.path) for each in findings
    ]


def test_check_without_a_limit_lists_the_options() -> None:
    assert run("check", "mobilenet_v2") == Ran(
        2,
        "",
        "effviz: no limit is set; use --max-params, --max-macs, --max-memory-access, --max-peak, --max-weights, "
        "--max-latency, --preset, --lint or --strict-lint\n",
    )
