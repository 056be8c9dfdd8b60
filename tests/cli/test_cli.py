"""The command line: what it prints is what the engine says, and bad input is one line and exit code 2."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pandas as pd
import pytest
from examples import designs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import effviz
from effviz import Design, Stage, cli
from effviz.advice.budgets import PRESETS, QUANTITIES
from effviz.advice.lint import lint
from effviz.count.memory import ASSUMPTIONS
from effviz.export import export_torch
from effviz.measure import latency
from effviz.measure.latency import Latency, LatencyError

ROOT = Path(__file__).resolve().parents[2]
TINY = Design(
    "tiny",
    (
        Stage("conv", 16, stride=2, name="stem", depth="fixed"),
        Stage("mbconv", 24, repeats=2, stride=2, name="stage1"),
        Stage("global_avg_pool", name="pool", depth="fixed"),
        Stage("linear", 10, name="classifier", width="classes", depth="fixed"),
    ),
    resolution=32,
)
UNBUILDABLE = Design("bad", (Stage("conv", 8, name="stem"), Stage("conv", 9, groups=3, name="grouped")))
# Some of what is run here takes all of it; a property is tried on few, others on many examples.
some = settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


# As most people have it: the last of what is printed waits for the end.
BUFFERED = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": ""}


class Ran(NamedTuple):
    """What a command has left."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: bytes = b"", cwd: Path = ROOT, **options: Any) -> Ran:
    """A command as a shell runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "effviz", *arguments],
        input=stdin,
        cwd=cwd,
        env=BUFFERED | options.pop("env", {}),
        capture_output=True,
        timeout=120,
        **options,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def called(*arguments: str, stdin: bytes = b"") -> Ran:
    """The same in this process, which is faster."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.main(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def as_json(*arguments: str, stdin: bytes = b"") -> Any:
    ran = called(*arguments, "--json", stdin=stdin)
    assert ran.err == ""
    return json.loads(ran.out)


def piped(design: Design) -> bytes:
    return design.to_json().encode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run that write files; no latency is remembered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    return tmp_path


# --- numbers ------------------------------------------------------------------------------------------------------


def test_list_names_every_architecture_with_its_numbers() -> None:
    ran = run("list")
    assert (ran.code, ran.err) == (0, "")
    head, *lines = ran.out.splitlines()
    assert head.split() == ["name", "title", "pixels", "parameters", "multiply-adds"]
    printed = {}
    for line in lines:
        name, title, *numbers = re.split("  +", line)
        printed[name] = (title, *(int(number.replace(",", "")) for number in numbers))
    expected = {}
    for name in effviz.ARCHITECTURES:
        report = effviz.analyze(effviz.architecture(name))
        expected[name] = (report.design.title, report.resolution, report.params, report.macs)
    assert printed == expected
    # Columns are columns.
    assert len({len(line) for line in lines} | {len(head)}) == 1


def test_list_as_json_and_by_family() -> None:
    everything = as_json("list")
    assert [entry["name"] for entry in everything] == list(effviz.ARCHITECTURES)
    some_of_them = as_json("list", "--family", "mobilenet")
    assert some_of_them == [entry for entry in everything if entry["family"] == "MobileNet"]
    assert {entry["name"] for entry in some_of_them} >= {"mobilenet_v1", "mobilenet_v3_large"}
    assert some_of_them[1] == {
        "name": "mobilenet_v2",
        "title": "MobileNetV2",
        "family": "MobileNet",
        "source": effviz.architecture("mobilenet_v2").source,
        "resolution": 224,
        "params": 3504872,
        "macs": 300774272,
    }
    assert called("list", "--family", "mobilenets") == Ran(
        2,
        "",
        "effviz: family = 'mobilenets' is unknown; did you mean 'MobileNet'? Choices: AlexNet, DenseNet, EfficientNet, "
        "GhostNet, MnasNet, MobileNet, ResNet, ShuffleNet, SqueezeNet, VGG\n",
    )


def test_report_in_words() -> None:
    assert run("report", "mobilenet_v2", "--width", "0.75", "--memory", "paper") == Ran(
        0,
        "MobileNetV2 (mobilenet_v2), width x 0.75, input 3 x 224 x 224\n"
        "Multiply-adds: fused multiply-adds of convolution and linear layers, one image; FLOPs: 2 x multiply-adds.\n"
        "Memory access, paper: convolution and linear layers only, input + output + weights (ShuffleNetV2, eq. 1); in "
        "elements, batch 1.\n"
        "Parameters: trainable numbers, batch norm 2 per channel.\n"
        "\n"
        "parameters          2,636,424\n"
        "multiply-adds     209,069,792\n"
        "FLOPs             418,139,584\n"
        "activations         5,855,304\n"
        "memory access      14,409,480\n"
        "peak activations    1,505,280\n",
        "",
    )


def totals(report: effviz.Report) -> dict[str, Any]:
    names = ("params", "macs", "flops", "activations", "memory_access", "peak_activation", "memory", "resolution")
    return {name: getattr(report, name) for name in names}


@pytest.mark.parametrize("name", effviz.list_architectures())
@pytest.mark.parametrize("memory", ASSUMPTIONS)
def test_report_of_every_architecture(name: str, memory: str) -> None:
    printed = as_json("report", name, "--memory", memory)
    assert totals(effviz.analyze(effviz.architecture(name), memory=memory)).items() <= printed.items()
    assert f"Memory access, {memory}: " in printed["convention"]
    assert "layers" not in printed


@some
@given(design=designs())
def test_report_of_any_design(design: Design) -> None:
    report = effviz.analyze(design)
    printed = as_json("report", "-", "--layers", stdin=piped(design))
    assert totals(report).items() <= printed.items()
    assert printed["layers"] == report.table.to_dict("records")
    assert sum(layer["macs"] for layer in printed["layers"]) == printed["macs"]
    text = called("report", "-", "--layers", stdin=piped(design)).out.splitlines()
    assert len(text) == 4 + 1 + 6 + 1 + 1 + len(report.table)
    assert [line.split()[0] for line in text[-len(report.table) :]] == list(report.table["path"])


def test_layers_as_csv_are_the_table(folder: Path) -> None:
    (folder / "tiny.json").write_text(TINY.to_json())
    text = run("report", "tiny.json", "--csv", cwd=folder).out
    assert "\r" not in text
    read = pd.read_csv(io.StringIO(text), keep_default_na=False)
    pd.testing.assert_frame_equal(read, effviz.analyze(TINY).table, check_dtype=False)


def test_layers_beyond_64_bits_stay_exact() -> None:
    wide = Design(
        "wide", (Stage("conv", 2**20, name="a", kernel_size=63), Stage("conv", 2**20, name="b")), "", "", 2000
    )
    layers = as_json("report", "-", "--layers", stdin=piped(wide))["layers"]
    assert sum(layer["macs"] for layer in layers) == effviz.analyze(wide).macs > 2**63


@some
@given(
    design=designs(),
    width=st.sampled_from((None, 0.5, 1.25)),
    depth=st.sampled_from((None, 0.5, 2.2)),
    phi=st.sampled_from((None, -1.0, 0.5)),
    resolution=st.sampled_from((None, 64, 97)),
    classes=st.sampled_from((None, 3)),
)
def test_scaling_is_the_engines(
    design: Design, width: float | None, depth: float | None, phi: float | None, resolution: int | None,
    classes: int | None,
) -> None:  # fmt: skip
    words = []
    for option, value in (("width", width), ("depth", depth), ("phi", phi), ("resolution", resolution),
                          ("classes", classes)):  # fmt: skip
        words += [] if value is None else [f"--{option}", str(value)]
    ran = called("report", "-", "--json", *words, stdin=piped(design))
    try:
        expected = design if classes is None else design.with_num_classes(classes)
        expected = expected.scaled(width_mult=width or 1, depth_mult=depth or 1)
        expected = expected if phi is None else effviz.compound_scale(expected, phi)
        report = effviz.analyze(expected, resolution)
    except effviz.DesignError as error:
        problem = str(error)
    else:
        assert totals(report).items() <= json.loads(ran.out).items()
        return
    assert ran == Ran(2, "", f"effviz: {problem}\n")


# --- budgets ------------------------------------------------------------------------------------------------------

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
MEASURED: dict[str, Any] = {
    "median_ms": 12.5, "p90_ms": 14.0, "iqr_ms": 0.5, "min_ms": 12.0, "runs": 80, "loaded": False, "batch_size": 1,
    "threads": 1, "resolution": 32, "environment": {"cpu": "abacus"}, "measured_at": "2026-01-31T12:00:00+00:00",
}  # fmt: skip


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


def test_every_quantity_has_its_option() -> None:
    assert list(OPTIONS) == list(QUANTITIES)
    for name, option in OPTIONS.items():
        assert f"{option} " in called("check", "--help").out
        assert option in called("check", "mobilenet_v2").err
        ran = called("check", "mobilenet_v2", option, "x")
        assert ran.code == 2
        # What was typed is named, not what the program calls it.
        assert ran.err.startswith(f"effviz: {option} = 'x' is not an amount: write it like ")
        assert called("check", "mobilenet_v2", option, "-1").err == f"effviz: {option} = '-1' must be greater than 0\n"
        if name != "latency":
            assert f"effviz: {option} = '1.5' must be a whole number" in called("check", "vgg16", option, "1.5").err


@st.composite
def limits(draw: DrawFn, actual: int, suffixes: dict[str, int]) -> tuple[str, Fraction]:
    """A limit as somebody writes it, close to what it is compared with or far from it, and what it means."""
    suffix = draw(st.sampled_from(sorted(suffixes)))
    unit = suffixes[suffix]
    if unit == 1:
        wanted = max(1, actual + draw(st.sampled_from((-1, 0, 1)) | st.integers(-actual, actual)))
        return f"{wanted}{suffix}", Fraction(wanted)
    wanted = max(1, actual // unit + draw(st.sampled_from((-1, 0, 1))))
    return f"{wanted}{draw(st.sampled_from(('', ' ')))}{suffix}", Fraction(wanted) * unit


@some
@given(
    design=designs(),
    dtype=st.sampled_from(sorted(ITEMSIZE)),
    memory=st.sampled_from(sorted(ASSUMPTIONS)),
    data=st.data(),
)
def test_verdicts_are_those_of_arithmetic(design: Design, dtype: str, memory: str, data: st.DataObject) -> None:
    known = values(effviz.analyze(design, memory=memory), dtype)
    asked = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, unique=True))
    words, expected = ["--dtype", dtype, "--memory", memory], {}
    for quantity in asked:
        sizes = BYTES if quantity in ("peak_activation", "weight_size") else SUFFIXES
        assume(known[quantity] > 0)
        text, limit = data.draw(limits(known[quantity], sizes))
        words += [OPTIONS[quantity], text]
        expected[quantity] = (known[quantity], limit, known[quantity] <= limit)
    ran = called("check", "-", *words, "--json", stdin=piped(design))
    answer = json.loads(ran.out)
    keeps = all(passed for _, _, passed in expected.values())
    assert (ran.code, ran.err, answer["passed"]) == (0 if keeps else 1, "", keeps)
    found = {each["quantity"]: (each["value"], each["limit"], each["passed"]) for each in answer["budgets"]}
    assert found == expected
    for each in answer["budgets"]:
        assert each["margin"] == pytest.approx(float(1 - Fraction(each["value"]) / expected[each["quantity"]][1]))
    lines = called("check", "-", *words, stdin=piped(design)).out.splitlines()[3:]
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


def test_gate_says_what_fails_and_by_how_much() -> None:
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
    ("limit", "told"),
    [
        ("1", "over by 11,689,511 (11,689,512 times the limit)"),
        ("1M", "over by 10,689,512 (11.7 times the limit)"),
        ("1.1M", "over by 10,589,512 (963 %)"),
    ],
)
def test_far_beyond_the_limit(limit: str, told: str) -> None:
    line = called("check", "resnet18", "--max-params", limit).out.splitlines()[-1]
    assert line.split("  ")[-1] == told


@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("limit", [1000 / 30, 0.1, 12345678.9])
def test_what_fails_does_not_look_like_the_limit(limit: float, beyond: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    value = math.nextafter(limit, math.inf if beyond else 0)
    measured = Latency(**MEASURED | {"median_ms": value})
    monkeypatch.setattr(latency, "measure_latency", lambda *_, **__: measured)
    ran = called("check", "-", "--max-latency", repr(limit), stdin=piped(TINY))
    assert ran.code == beyond
    found = re.search(r"latency +(\S+) +limit +(\S+) +ms", ran.out)
    assert found is not None
    shown_value, shown_limit = (float(each.replace(",", "")) for each in found.groups())
    assert (shown_value > shown_limit) == beyond
    assert shown_value != shown_limit


def test_exactly_at_the_limit_passes() -> None:
    assert called("check", "mobilenet_v2", "--max-macs", "300774272").code == 0
    assert called("check", "mobilenet_v2", "--max-macs", "300774271").code == 1


@pytest.mark.parametrize("name", [name for name in PRESETS if "latency" not in str(PRESETS[name].budgets)])
def test_presets_are_their_budgets(name: str) -> None:
    preset = PRESETS[name]
    answer = as_json("check", "mobilenet_v2", "--preset", name)
    known = values(effviz.analyze(effviz.architecture("mobilenet_v2")), preset.dtype)
    assert {each["quantity"]: (each["value"], each["limit"]) for each in answer["budgets"]} == {
        each.quantity: (known[each.quantity], each.limit) for each in preset.budgets
    }
    assert answer["dtype"] == preset.dtype
    assert preset.source in called("check", "mobilenet_v2", "--preset", name).out
    for each in preset.budgets:
        # A limit of one's own takes the place of the preset's, its number format that of the preset.
        words = (OPTIONS[each.quantity], "10000000001", "--dtype", "float16")
        other = as_json("check", "mobilenet_v2", "--preset", name, *words)
        assert other["dtype"] == "float16"
        assert {own["quantity"]: own["limit"] for own in other["budgets"]} == {
            own.quantity: 10000000001 if own is each else own.limit for own in preset.budgets
        }


def test_budget_of_latency_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(design: Design, **options: Any) -> Latency:
        asked.append((design, options))
        return Latency(**MEASURED)

    monkeypatch.setattr(latency, "measure_latency", measure)
    ran = called("check", "-", "--max-latency", "12.4ms", "--max-params", "1M", stdin=piped(TINY))
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
    answer = as_json("check", "-", "--preset", "real_time", stdin=piped(TINY))
    assert (answer["passed"], answer["budgets"][0]["value"]) == (True, 12.5)
    assert answer["latency"] == MEASURED | {"noisy": False}
    assert asked == 2 * [(TINY, {"batch_size": 1, "threads": 1})]
    assert called("check", "-", "--max-macs", "1G", "--lint", stdin=piped(TINY)).code == 0
    # Bad input is found before the seconds of a measurement.
    for words in (
        ("--dtype", "int4"),
        ("--dtype", ""),
        ("--preset", ""),
        ("--memory", "paged"),
        ("--max-macs", "1X"),
        ("--resolution", "0"),
    ):
        assert called("check", "-", "--max-latency", "1s", *words, stdin=piped(TINY)).code == 2
    assert len(asked) == 2


@some
@given(design=designs())
def test_lint_prints_and_strict_lint_fails(design: Design) -> None:
    findings = lint(design)
    loose = called("check", "-", "--lint", stdin=piped(design))
    strict = called("check", "-", "--strict-lint", stdin=piped(design))
    assert (loose.code, strict.code) == (0, 1 if findings else 0)
    marked = [line for line in strict.out.splitlines() if line.startswith("FAIL  ")]
    assert marked == [f"FAIL  {each.rule}, {each.where}: {each.why}" for each in findings]
    assert strict.out.replace("FAIL  ", "note  ") == loose.out
    fixes = [line.removeprefix("      fix: ") for line in loose.out.splitlines() if line.startswith("      fix: ")]
    assert fixes == [each.fix.label for each in findings if each.fix]
    assert ("No rule has anything to remark." in loose.out) == (not findings)
    answer = as_json("check", "-", "--lint", stdin=piped(design))
    assert [(each["rule"], each["row"], each["path"]) for each in answer["findings"]] == [
        (each.rule, each.row, each.path) for each in findings
    ]


def test_without_a_budget_it_says_what_can_be_asked() -> None:
    assert run("check", "mobilenet_v2") == Ran(
        2,
        "",
        "effviz: nothing to check: set --max-params, --max-macs, --max-memory-access, --max-peak, --max-weights, "
        f"--max-latency, --preset ({', '.join(PRESETS)}), --lint or --strict-lint\n",
    )


# --- export -------------------------------------------------------------------------------------------------------


def test_json_is_read_back_equal(folder: Path) -> None:
    assert run("export", "mobilenet_v2", "--width", "0.75", "--json", "-o", "net.json", cwd=folder) == Ran(0, "", "")
    design = effviz.architecture("mobilenet_v2", width_mult=0.75)
    assert Design.from_json((folder / "net.json").read_text()) == design
    again = run("export", "net.json", "--json", cwd=folder)
    assert Design.from_json(again.out) == design
    assert again.out == (folder / "net.json").read_text()


def test_exported_code_runs(folder: Path) -> None:
    (folder / "net.json").write_text(TINY.to_json())
    printed = run("export", "net.json", cwd=folder)
    assert (printed.code, printed.err) == (0, "")
    assert run("export", "-", "-o", "net.py", cwd=folder, stdin=piped(TINY)) == Ran(0, "", "")
    assert (folder / "net.py").read_text() == printed.out == export_torch(TINY)
    # The file asserts its own number of parameters, and has to do without effviz.
    subprocess.run([sys.executable, "-I", "net.py"], cwd=folder, check=True, capture_output=True, timeout=120)


def test_nothing_is_written_over(folder: Path) -> None:
    (folder / "net.json").write_text("precious")
    words = ("export", "mobilenet_v2", "--json", "-o", "net.json")
    assert called(*words) == Ran(2, "", "effviz: 'net.json' exists already; --force writes over it\n")
    assert (folder / "net.json").read_text() == "precious"
    assert called(*words, "--force") == Ran(0, "", "")
    assert Design.from_json((folder / "net.json").read_text()) == effviz.architecture("mobilenet_v2")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("missing/net.json", "No such file or directory"),
        (".", "Is a directory"),
        ("a" * 300, "File name too long"),
        ("a\0b", "embedded null byte"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_file_that_cannot_be_written(file: str, problem: str) -> None:
    ran = called("export", "mobilenet_v2", "--json", "--force", "-o", file)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("effviz: cannot write '")
    assert ran.err.endswith(f": {problem}\n")


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("", "the name of the file behind -o is empty"),
        ("sub", "cannot write 'sub': Is a directory"),
        ("new/", "cannot write 'new/': Is a directory"),
    ],
)
def test_names_that_are_no_file(file: str, message: str, force: list[str], folder: Path) -> None:
    (folder / "sub").mkdir()
    assert called("export", "squeezenet1_1", "--json", *force, "-o", file) == Ran(2, "", f"effviz: {message}\n")
    assert [each.name for each in folder.iterdir()] == ["sub"]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_leaves_what_was_there(
    error: BaseException, force: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the text is written, then the disk is full."""

    class Full(io.StringIO):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def write(self, text: str) -> int:
            os.write(self.number, text[: len(text) // 2].encode())
            raise error

        def close(self) -> None:
            os.close(self.number)
            super().close()

    (folder / "net.json").write_text("precious")
    names = {"net.json", "other.json"} if force else {"other.json"}
    monkeypatch.setattr(os, "fdopen", lambda number, *_, **__: Full(number))
    for name in names:
        ran = called("export", "squeezenet1_1", "--json", "-o", name, *force)
        assert ran.code == (2 if isinstance(error, OSError) else 130)
        assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("net.json", "precious")]


def test_failed_replacement_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    (folder / "net.json").write_text("precious")
    monkeypatch.setattr(Path, "replace", refuse)
    ran = called("export", "squeezenet1_1", "--json", "-o", "net.json", "--force")
    assert ran == Ran(2, "", "effviz: cannot write 'net.json': Operation not permitted\n")
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("net.json", "precious")]


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_links_and_modes_are_kept(folder: Path) -> None:
    (folder / "sub").mkdir()
    file, link = folder / "sub" / ("n" * 255), folder / "net.json"
    link.symlink_to(file)
    file.write_text("old")
    file.chmod(0o640)
    export = ("export", "squeezenet1_1", "--json", "-o")
    assert called(*export, "net.json").code == 2
    assert called(*export, "net.json", "--force") == Ran(0, "", "")
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert Design.from_json(file.read_text()) == effviz.architecture("squeezenet1_1")
    before = os.umask(0o027)
    try:
        for name, force in (("new.json", []), ("other.json", ["--force"])):
            assert called(*export, name, *force).code == 0
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o640
    finally:
        os.umask(before)
    assert {each.name for each in folder.iterdir()} == {"sub", "net.json", "new.json", "other.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_pipes_and_devices_are_written_to(folder: Path) -> None:
    assert called("export", "squeezenet1_1", "--json", "--force", "-o", os.devnull) == Ran(0, "", "")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    os.mkfifo(folder / "pipe")
    number = os.open(folder / "pipe", os.O_RDWR)
    try:
        assert called("export", "squeezenet1_1", "--json", "--force", "-o", "pipe") == Ran(0, "", "")
        assert Design.from_json(os.read(number, 2**16)) == effviz.architecture("squeezenet1_1")
    finally:
        os.close(number)
    assert [each.name for each in folder.iterdir()] == ["pipe"]


def test_what_cannot_be_exported_leaves_no_file(folder: Path) -> None:
    for form in ([], ["--json"]):
        ran = called("export", "-", "-o", "net", *form, stdin=piped(UNBUILDABLE))
        assert ran == Ran(2, "", "effviz: grouped.0: groups = 3 must divide in_channels = 8\n")
    assert not list(folder.iterdir())


# --- latency ------------------------------------------------------------------------------------------------------


def test_latency_here() -> None:
    ran = run("latency", "-", "--batch", "2", "--resolution", "48", "--json", stdin=piped(TINY))
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert 0 < found["min_ms"] <= found["median_ms"] <= found["p90_ms"]
    assert (found["name"], found["batch_size"], found["threads"], found["resolution"]) == ("tiny", 2, 1, 48)
    assert found["runs"] >= 5
    assert found["environment"] == latency.environment()
    assert found["noisy"] in (True, False)


@pytest.mark.parametrize(
    ("changes", "noisy"),
    [({}, "no"), ({"iqr_ms": 2.0}, "yes, IQR / median > 0.10"), ({"loaded": True}, "yes, the machine was busy")],
)
def test_latency_in_words(changes: dict[str, Any], noisy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = MEASURED | changes
    monkeypatch.setattr(latency, "measure_latency", lambda *_, **__: Latency(**values))
    assert called("latency", "-", stdin=piped(TINY)) == Ran(
        0,
        "tiny, input 3 x 32 x 32\n"
        "One forward pass of PyTorch on this CPU, random weights, every run timed alone.\n"
        "\n"
        "median           12.5 ms\n"
        "90th percentile  14.0 ms\n"
        f"IQR              {values['iqr_ms']:.2f} ms\n"
        "fastest          12.0 ms\n"
        "runs             80\n"
        f"noisy            {noisy}\n"
        "batch            1\n"
        "cpu              abacus\n"
        "measured at      2026-01-31T12:00:00+00:00\n",
        "",
    )


def test_latency_that_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Latency:
        raise LatencyError("Stopped after 120 s, its limit.", "timeout")

    monkeypatch.setattr(latency, "measure_latency", refuse)
    expected = Ran(2, "", "effviz: Stopped after 120 s, its limit.\n")
    assert called("latency", "mobilenet_v2") == called("check", "mobilenet_v2", "--max-latency", "1s") == expected


OUT_OF_MEMORY = """
import sys
import effviz.measure.latency
from effviz.cli import main
from effviz.worker import manager

effviz.measure.latency.estimate_bytes = lambda *_: 0
manager._default = manager.Manager(memory_limit=450 * 2**20)
sys.exit(main(["latency", "vgg16", "--batch", "32"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_torch_process_out_of_memory_prints_one_line() -> None:
    """Its own log has the traceback, which no user of the command line asked for."""
    done = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "effviz: Out of memory: it needs more than the limit of 450.0 MiB.\n"


def workers(parent: int) -> list[int]:
    """The torch processes of a process."""
    wanted = b"effviz.worker\0--parent\0" + str(parent).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("delay", "signals", "code", "said"),
    [
        # While torch is imported in the other process, and while the network is built or runs.
        (0.2, [signal.SIGINT], 130, "effviz: interrupted\n"),
        (3.5, [signal.SIGINT], 130, "effviz: interrupted\n"),
        (0.5, [signal.SIGINT] * 5, 130, "effviz: interrupted\n"),
        (0.5, [signal.SIGTERM], -15, ""),
    ],
    ids=["Ctrl-C", "later", "impatient", "killed"],
)
def test_interrupted_measurement_leaves_no_process(
    delay: float, signals: list[signal.Signals], code: int, said: str
) -> None:
    # A shell's background job ignores Ctrl-C, and so would what the tests start if they run in one.
    listening = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module"
    words = ["latency", "resnet101", "--batch", "4"]
    script = f'{listening}("effviz", run_name="__main__", alter_sys=True)'
    command = [sys.executable, "-c", script, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not (mine := workers(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(delay)
        for each in signals:
            process.send_signal(each)
            time.sleep(0.03)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "", said)
    while any(pid in workers(process.pid) for pid in mine):
        assert time.monotonic() < until
        time.sleep(0.05)


# --- bad input ----------------------------------------------------------------------------------------------------

ROWS = {"version": 1, "name": "x", "stages": [{"block": "conv", "out_channels": 8}]}
UNKNOWN_FORMAT = "version = 2 must be 1, the version of the format that this effviz reads"
HOSTILE: dict[str, tuple[list[str], bytes, str]] = {
    "unknown name": (
        ["report", "mobilnet_v2"], b"",
        "'mobilnet_v2' is neither an architecture nor a file; did you mean mobilenet_v2 or mobilenet_v1 or "
        "mobilenet_v3_small? "
        "python -m effviz list names every architecture",
    ),
    "nothing like it": (
        ["report", "?"], b"",
        "'?' is neither an architecture nor a file. python -m effviz list names every architecture",
    ),
    "empty name": (
        ["report", ""], b"",
        "'' is neither an architecture nor a file. python -m effviz list names every architecture",
    ),
    "folder": (["check", ".", "--max-macs", "1M"], b"", "cannot read '.': Is a directory"),
    "file as folder": (["report", "broken.json/x"], b"", "cannot read 'broken.json/x': Not a directory"),
    "loop": (["report", "loop"], b"", "cannot read 'loop': Too many levels of symbolic links"),
    "endless": (["report", "/dev/zero"], b"", "'/dev/zero' holds more than 4.00 MiB: that is no design"),
    "huge": (["report", "huge.json"], b"", "'huge.json' holds more than 4.00 MiB: that is no design"),
    "empty": (["report", "-"], b"", "standard input: the text is not JSON: Expecting value: line 1 column 1 (char 0)"),
    "broken": (
        ["export", "broken.json"], b"",
        "'broken.json': the text is not JSON: Expecting property name enclosed in double quotes: line 1 column "
        "2 (char 1)",
    ),
    "binary": (
        ["latency", "-"], b"\x89PNG\r\n\x1a\n\x00\x00",
        "standard input: the text is not JSON: 'utf-8' codec can't decode byte 0x89 in position 0: invalid start byte",
    ),
    "latin-1": (
        ["report", "-"], '{"name": "Réseau"}'.encode("latin-1"),
        "standard input: the text is not JSON: 'utf-8' codec can't decode byte 0xe9 in position 11: invalid "
        "continuation byte",
    ),
    "list": (["report", "-"], b"[]", "standard input: design = [] must be a JSON object"),
    "version": (["report", "-"], json.dumps(ROWS | {"version": 2}).encode(), f"standard input: {UNKNOWN_FORMAT}"),
    "row": (
        ["report", "-"], json.dumps(ROWS | {"stages": [{"block": "conv", "out_channels": -8}]}).encode(),
        "standard input: row 0: out_channels = -8 must be at least 1",
    ),
    "not buildable": (["report", "bad.json"], b"", "grouped.0: groups = 3 must divide in_channels = 8"),
    "too small": (
        ["report", "alexnet", "--resolution", "8"], b"",
        "max_pool1: kernel_size = 3 spans 3 pixels, more than the padded input of 1",
    ),
    "resolution": (["report", "resnet18", "--resolution", "0"], b"", "resolution = 0 must be at least 1"),
    "not whole": (
        ["report", "resnet18", "--resolution", "64.0"], b"",
        "argument --resolution: '64.0' must be an integer (python -m effviz report --help)",
    ),
    "width": (["report", "resnet18", "--width", "nan"], b"", "width_mult = nan must be finite"),
    "phi": (["report", "resnet18", "--phi", "1e9"], b"", "phi = 1000000000.0 must be at most 100"),
    "many digits": (
        ["report", "resnet18", "--classes", "9" * 5000], b"",
        f"argument --classes: '{'9' * 59}... (200 characters) must be an integer (python -m effviz report --help)",
    ),
    "memory": (["report", "resnet18", "--memory", "x"], b"", "memory = 'x' must be one of paper, fused, eager"),
    "dtype": (
        ["check", "resnet18", "--max-peak", "1MB", "--dtype", "int4"], b"",
        "dtype = 'int4' must be one of float32, float16, int8",
    ),
    "amount": (
        ["check", "resnet18", "--max-macs", "-1"], b"",
        "--max-macs = '-1' must be greater than 0",
    ),
    "preset": (
        ["check", "resnet18", "--preset", "mcu"], b"",
        f"preset = 'mcu' is unknown. Choices: {', '.join(sorted(PRESETS))}",
    ),
    "threads": (["latency", "resnet18", "--threads", "0"], b"", "threads = 0 must be at least 1"),
    "batch": (["latency", "resnet18", "--batch", "1000"], b"", "batch_size = 1000 must be at most 256"),
    "no command": ([], b"", "the following arguments are required: COMMAND (python -m effviz --help)"),
    "no design": (["report"], b"", "the following arguments are required: DESIGN (python -m effviz report --help)"),
    "option cut short": (
        ["report", "resnet18", "--lay"], b"", "unrecognized arguments: --lay (python -m effviz --help)",
    ),
    "terminal codes": (
        ["report", "resnet18", "\x1b[31mred\n"], b"",
        "unrecognized arguments: \\x1b[31mred\\n (python -m effviz --help)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_bad_input_is_one_line(case: str, folder: Path) -> None:
    (folder / "broken.json").write_text("{")
    (folder / "bad.json").write_text(UNBUILDABLE.to_json())
    (folder / "loop").symlink_to("loop")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(cli.MAX_BYTES + 1)
    arguments, stdin, message = HOSTILE[case]
    assert run(*arguments, stdin=stdin, cwd=folder) == Ran(2, "", f"effviz: {message}\n")


def test_unreadable_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert called("report", "secret.json") == Ran(2, "", "effviz: cannot read 'secret.json': Permission denied\n")


def test_name_with_a_null_character() -> None:
    assert called("report", "a\0b") == Ran(2, "", "effviz: cannot read 'a\\x00b': embedded null byte\n")


def test_largest_file_is_read(folder: Path) -> None:
    text = TINY.to_json()
    (folder / "padded.json").write_text(text + " " * (cli.MAX_BYTES - len(text)))
    assert as_json("report", "padded.json")["params"] == effviz.analyze(TINY).params


def test_name_that_is_not_utf_8(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"effviz", b"report", b"\xff\xfe.json"],
        cwd=ROOT, env=BUFFERED | {"PYTHONUTF8": "1"}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"effviz: '\\udcff\\udcfe.json' is neither an architecture nor a file")


def test_names_of_others_do_not_reach_the_terminal() -> None:
    """A design file may come from anywhere; no escape sequence in it is obeyed, and no line is faked."""
    evil = Design("evil\x1b[2J\npass", TINY.stages, title="\u202ereversed\r", resolution=32)
    for words in (["report", "-"], ["check", "-", "--max-macs", "1"]):
        out = called(*words, stdin=piped(evil)).out
        assert out.startswith(r"\u202ereversed\r (evil\x1b[2J\npass), input 3 x 32 x 32")
        assert all(each.isprintable() for each in out.splitlines())


def test_names_of_others_in_csv() -> None:
    evil = Design("evil", (Stage("conv", 8, name='\x1b[2J\n"a",\u202e'), *TINY.stages[1:]), resolution=32)
    out = called("report", "-", "--csv", stdin=piped(evil)).out
    assert all(each.isprintable() for each in out.split("\n"))
    read = pd.read_csv(io.StringIO(out), keep_default_na=False)
    expected = effviz.analyze(evil).table
    assert list(read["macs"]) == list(expected["macs"])
    assert read["path"][0] == r'\x1b[2J\n"a",\u202e.0.conv'
    assert list(read["path"][3:]) == list(expected["path"][3:])


def test_output_that_cannot_show_a_character() -> None:
    ran = run("report", "-", env={"PYTHONIOENCODING": "ascii"}, stdin=piped(Design("réseau", TINY.stages)))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("r\\xe9seau, input 3 x 224 x 224\n")


@pytest.mark.parametrize(
    "arguments", ["list", "report densenet121 --layers", "report --help", "check vgg16 --max-macs 1"]
)
def test_reader_that_has_gone(arguments: str) -> None:
    command = [sys.executable, "-m", "effviz", *arguments.split()]
    with subprocess.Popen(command, cwd=ROOT, env=BUFFERED, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("word", ["list", "--help"])
def test_full_disk_is_said(word: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "effviz", word],
            cwd=ROOT,
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr == b"effviz: cannot write to standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams in a shell")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("report - <&-", 2, "effviz: cannot read standard input: it is closed\n"),
        ("list >&-", 2, "effviz: cannot write to standard output: it is closed\n"),
        # With nothing to print, nobody misses it.
        ("export squeezenet1_1 --json -o {}/net.json >&-", 0, ""),
        ("export squeezenet1_1 --json >&-", 2, "effviz: cannot write to standard output: it is closed\n"),
        ("report nothing 2>&-", 2, ""),
        ("report nothing >&- 2>&-", 2, ""),
    ],
)
def test_streams_that_are_closed(words: str, code: int, message: str, folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {shlex.quote(sys.executable)} -m effviz {words.format(shlex.quote(str(folder)))}"],
        cwd=ROOT,
        env=BUFFERED,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", message)
    if "-o" in words:
        assert Design.from_json((folder / "net.json").read_text()) == effviz.architecture("squeezenet1_1")


@pytest.mark.parametrize(("words", "code"), [(["report", "nothing"], 2), (["list"], 141)])
def test_both_readers_have_gone(words: list[str], code: int) -> None:
    command = [sys.executable, "-m", "effviz", *words]
    with subprocess.Popen(command, cwd=ROOT, env=BUFFERED, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == code


# --- anything at all ----------------------------------------------------------------------------------------------


def check_manners(ran: Ran) -> None:
    """Every answer is one: on standard output with 0 or 1, or a line on standard error with 2."""
    assert ran.code in (0, 1, 2)
    assert "Traceback" not in ran.out + ran.err
    if ran.code == 2:
        assert ran.out == ""
        assert re.fullmatch(r"effviz: [^\n]+\n", ran.err)
    else:
        assert ran.err == ""


words = st.sampled_from(
    [
        "list", "report", "check", "export", "latency", "mobilenet_v2", "squeezenet1_1", "-", "--", "--json", "--csv",
        "--layers", "--lint", "--strict-lint", "--force", "-o", "-oout", "out", "--family", "VGG", "--memory", "eager",
        "--dtype", "int8", "--preset", "mcu_256k", "real_time", "--width", "--depth", "--phi", "--resolution",
        "--classes", "--batch", "--threads", "--help", "--version", "-h", "--max-macs", "--max-params", "--max-peak",
        "--max-weights", "--max-latency", "--max-memory-access", "300M", "1kB", "33ms", "0", "1", "-1", "0.5", "64",
        "nan", "inf", "-inf", "1e999", "1e-320", "", " ", "0x10", "9" * 400, "--width=0.5", "--phi=-1", "--json=1",
        "\ud800", "\0", "é", "%s", "%", "{}", "@out", "=", "--=", "-",
    ]
)  # fmt: skip
valid = st.builds(
    lambda command, net, rest: [command, net, *rest],
    st.sampled_from(["report", "check", "export", "latency"]),
    st.sampled_from(["squeezenet1_1", "-", "out"]),
    st.lists(words, max_size=5),
)


@settings(some, max_examples=250)
@given(arguments=st.lists(words | st.text(max_size=6).filter(lambda word: "/" not in word), max_size=7) | valid)
def test_any_arguments(arguments: list[str]) -> None:
    with mock.patch.object(latency, "measure_latency", side_effect=LatencyError("Not here.", "memory")):
        check_manners(called(*arguments, stdin=piped(TINY)))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["conv", "mbconv", "linear", "scaled", 2**100, 2**20, -1, 0, 1, 1e308, "\ud800", "x" * 3000])
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    yield way
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*way, key))


@st.composite
def documents(draw: DrawFn) -> bytes:
    """A design's JSON with some values replaced, removed or added, or some bytes."""
    document = json.loads(TINY.to_json())
    for _ in range(draw(st.integers(0, 3))):
        way = draw(st.sampled_from(list(places(document))))
        if not way:
            continue
        inner = document
        for key in way[:-1]:
            inner = inner[key]
        change = draw(st.sampled_from(("replace", "remove", "add")))
        if change == "replace":
            inner[way[-1]] = draw(anything)
        elif change == "remove":
            del inner[way[-1]]
        elif isinstance(inner, dict):
            inner[draw(st.sampled_from(["blocks", "recipe", "kernel_size", "width", "notes"]) | st.text())] = draw(
                anything
            )
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.binary(max_size=4)) + text[place + draw(st.integers(0, 4)) :]
    return text


@settings(some, max_examples=200)
@given(
    document=documents(),
    command=st.sampled_from(
        ["report -", "report - --layers", "check - --max-macs 1M --lint", "export -", "export - --json", "latency -"]
    ),
)
def test_any_document(document: bytes, command: str) -> None:
    with mock.patch.object(latency, "measure_latency", side_effect=LatencyError("Not here.", "memory")):
        check_manners(called(*command.split(), stdin=document))


@pytest.mark.parametrize("text", ["[" * 10**6, '{"version": ' + "9" * 5000, '{"a":' * 10**5, "NaN", '"\\ud800"'])
def test_documents_that_hurt_parsers(text: str) -> None:
    ran = called("report", "-", stdin=text.encode())
    check_manners(ran)
    assert ran.code == 2
    assert len(ran.err) < 500


# --- help, start-up, documentation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["list", "report", "check", "export", "latency"])
def test_help_has_an_example_that_is_understood(command: str) -> None:
    ran = called(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    examples = re.findall(r"^  (python -m effviz .*)$", ran.out, flags=re.M)
    assert len(examples) == 2
    for example in examples:
        words = shlex.split(example)[3:]
        assert words[0] == command
        assert cli._parser().parse_args(words).run.__name__ == f"_{command}"
    assert command in called("--help").out


def test_version() -> None:
    assert run("--version") == Ran(0, f"effviz {effviz.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        "list",
        "report efficientnet_b7 --width 1.1 --json",
        "check mobilenet_v2 --max-macs 300M --lint",
        "export resnet18 --json",
    ],
)
def test_start_is_quick(arguments: str) -> None:
    code = (
        f"import sys; from effviz.cli import main; main({arguments.split()!r})\n"
        "heavy = {'torch', 'pandas', 'numpy', 'streamlit', 'plotly', 'effviz.measure.latency', 'effviz.worker'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == "[]\n"


def shown(text: str) -> list[tuple[str, str]]:
    """Commands behind a prompt, and what is printed below them."""
    blocks = re.findall(r"^( *)\$ python -m effviz (.*)\n((?:\1(?!\$|```).*\n|\n(?=\1 *[^ $`\n]))*)", text, flags=re.M)
    return [(words, re.sub(f"^{indent}", "", out, flags=re.M).strip("\n")) for indent, words, out in blocks]


def test_documentation_shows_what_is_printed() -> None:
    assert cli.__doc__ is not None
    in_code = shown(cli.__doc__)
    assert in_code
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    in_readme = [block for fence in re.findall(r"```console\n(.*?)```", readme, flags=re.S) for block in shown(fence)]
    for words, out in in_code + in_readme:
        assert called(*shlex.split(words)).out.rstrip("\n") == out
