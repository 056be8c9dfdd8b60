"""Wrong and random input: one line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from command_line import TINY, UNBUILDABLE, Ran, piped, random_inputs, run, run_json
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import effviz
from effviz import Design, Stage
from effviz.advice.budgets import PRESETS
from effviz.cli import files
from effviz.cli.options import cli
from effviz.measure import latency
from effviz.measure.latency import LatencyError
from effviz.ui import server

ROWS = {"version": 1, "name": "x", "stages": [{"block": "conv", "out_channels": 8}]}
UNKNOWN_FORMAT = "version = 3 must be 1 or 2, the versions of the format that this effviz reads"
CHOICES = ", ".join(map(repr, PRESETS))
REPORT_HELP = "(python -m effviz report --help)"
CHECK_HELP = "(python -m effviz check --help)"
HOSTILE: dict[str, tuple[list[str], bytes, str]] = {
    "unknown name": (
        ["report", "mobilnet_v2"], b"",
        "'mobilnet_v2' is neither an architecture nor a file; did you mean mobilenet_v2 or mobilenet_v1 or "
        "mobileone_s0?",
    ),
    "nothing like it": (
        ["report", "?"], b"",
        "'?' is neither an architecture nor a file; the command 'list' prints all architectures",
    ),
    "empty name": (
        ["report", ""], b"",
        "'' is neither an architecture nor a file; the command 'list' prints all architectures",
    ),
    "folder": (["check", ".", "--max-macs", "1M"], b"", "cannot read '.': Is a directory"),
    "file as folder": (["report", "broken.json/x"], b"", "cannot read 'broken.json/x': Not a directory"),
    "loop": (["report", "loop"], b"", "cannot read 'loop': Too many levels of symbolic links"),
    "endless": (["report", "/dev/zero"], b"", "'/dev/zero' is larger than 4.00 MiB, the limit for a design file"),
    "huge": (["report", "huge.json"], b"", "'huge.json' is larger than 4.00 MiB, the limit for a design file"),
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
    "version": (["report", "-"], json.dumps(ROWS | {"version": 3}).encode(), f"standard input: {UNKNOWN_FORMAT}"),
    "row": (
        ["report", "-"], json.dumps(ROWS | {"stages": [{"block": "conv", "out_channels": -8}]}).encode(),
        "standard input: row 0: out_channels = -8 must be at least 1",
    ),
    "not buildable": (["report", "bad.json"], b"", "grouped.0: groups = 3 must divide in_channels = 8"),
    "too small": (
        ["report", "alexnet", "--resolution", "8"], b"",
        "max_pool1: kernel_size = 3 spans 3 pixels, more than the padded input of 1",
    ),
    "resolution": (
        ["report", "resnet18", "--resolution", "0"], b"",
        "Invalid value for '--resolution': 0 must be at least 1 " + REPORT_HELP,
    ),
    "width of the input": (
        ["report", "resnet18", "--resolution", "64x0"], b"",
        "Invalid value for '--resolution': resolution[1] = 0 must be at least 1 " + REPORT_HELP,
    ),
    "input channels": (["report", "resnet18", "--in-channels", "0"], b"", "--in-channels = 0 must be at least 1"),
    "groups of a network without": (
        ["report", "resnet18", "--groups", "8"], b"",
        "option of resnet18 = 'groups' is unknown. Choices: depth_mult, in_channels, num_classes, resolution, "
        "variant, width_mult",
    ),
    "a variant that does not exist": (
        ["report", "resnet50", "--variant", "teaching"], b"",
        "variant of resnet50 = 'teaching' is unknown. Choices: authors, keras, paper",
    ),
    "a variant of a file": (
        ["report", "broken.json", "--variant", "teaching"], b"",
        "--variant needs the name of an architecture; 'broken.json' has its own rules",
    ),
    "unpublished groups": (
        ["report", "shufflenet_v1", "--groups", "5"], b"",
        "groups = 5 must be one of 1, 2, 3, 4, 8: no other widths were published",
    ),
    "groups of a file": (
        ["report", "broken.json", "--groups", "8"], b"",
        "--groups needs the name of an architecture; the groups of 'broken.json' are in its rows",
    ),
    "not whole": (
        ["report", "resnet18", "--resolution", "64.5"], b"",
        "Invalid value for '--resolution': '64.5' must be a side or height x width in pixels, such as 224 or 512x2048 "
        + REPORT_HELP,
    ),
    "width": (["report", "resnet18", "--width", "nan"], b"", "--width = nan must be finite"),
    "phi": (["report", "resnet18", "--phi", "1e9"], b"", "--phi = 1000000000.0 must be at most 100"),
    "many digits": (
        ["report", "resnet18", "--classes", "9" * 5000], b"",
        f"Invalid value for '--classes': '{'9' * 468} ... {'9' * 442}' is not a valid integer. " + REPORT_HELP,
    ),
    "memory": (
        ["report", "resnet18", "--memory", "x"], b"",
        "Invalid value for '--memory': 'x' is not one of 'paper', 'fused', 'eager'. " + REPORT_HELP,
    ),
    "dtype": (
        ["check", "resnet18", "--max-peak", "1MB", "--dtype", "int4"], b"",
        "Invalid value for '--dtype': 'int4' is not one of 'float32', 'float16', 'int8'. " + CHECK_HELP,
    ),
    "amount": (
        ["check", "resnet18", "--max-macs", "-1"], b"",
        "Invalid value for '--max-macs': '-1' must be greater than 0 " + CHECK_HELP,
    ),
    "preset": (
        ["check", "resnet18", "--preset", "mcu"], b"",
        f"Invalid value for '--preset': 'mcu' is not one of {CHOICES}. " + CHECK_HELP,
    ),
    "threads": (["latency", "resnet18", "--threads", "0"], b"", "threads = 0 must be at least 1"),
    "batch": (["latency", "resnet18", "--batch", "1000"], b"", "batch_size = 1000 must be at most 256"),
    "no command": ([], b"", "Missing command. (python -m effviz --help)"),
    "no design": (["report"], b"", "Missing argument 'DESIGN'. " + REPORT_HELP),
    "option cut short": (
        ["report", "resnet18", "--lay"], b"",
        "No such option '--lay'. Did you mean '--layers'? " + REPORT_HELP,
    ),
    "no such command": (
        ["xport"], b"",
        "No such command 'xport'. (Did you mean one of: 'export', 'report'?) (python -m effviz --help)",
    ),
    "no value": (["list", "--json=1"], b"", "Option '--json' does not take a value."),
    "two formats": (
        ["report", "resnet18", "--csv", "--json"], b"",
        "--csv and --json cannot be combined " + REPORT_HELP,
    ),
    "terminal codes": (
        ["report", "resnet18", "\x1b[31mred\n"], b"",
        "Got unexpected extra argument (\\x1b[31mred\\n) " + REPORT_HELP,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_wrong_input_is_one_line(case: str, folder: Path) -> None:
    (folder / "broken.json").write_text("{")
    (folder / "bad.json").write_text(UNBUILDABLE.to_json())
    (folder / "loop").symlink_to("loop")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    arguments, stdin, message = HOSTILE[case]
    assert run(*arguments, stdin=stdin) == Ran(2, "", f"effviz: {message}\n")


def test_unreadable_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert run("report", "secret.json") == Ran(2, "", "effviz: cannot read 'secret.json': Permission denied\n")


def test_name_with_a_null_character() -> None:
    assert run("report", "a\0b") == Ran(2, "", "effviz: cannot read 'a\\x00b': embedded null byte\n")


def test_largest_file_is_read(folder: Path) -> None:
    text = TINY.to_json()
    (folder / "padded.json").write_text(text + " " * (files.MAX_BYTES - len(text)))
    assert run_json("report", "padded.json")["params"] == effviz.analyze(TINY).params


def test_control_characters_of_names_are_escaped() -> None:
    """A design file may contain terminal escape sequences and line breaks."""
    evil = Design("evil\x1b[2J\npass", TINY.stages, title="\u202ereversed\r", resolution=32)
    for words in (["report", "-"], ["check", "-", "--max-macs", "1"]):
        out = run(*words, stdin=piped(evil)).out
        assert out.startswith(r"\u202ereversed\r (evil\x1b[2J\npass), input 3 x 32 x 32")
        assert all(each.isprintable() for each in out.splitlines())


def test_control_characters_are_escaped_in_csv() -> None:
    evil = Design("evil", (Stage("conv", 8, name='\x1b[2J\n"a",\u202e'), *TINY.stages[1:]), resolution=32)
    out = run("report", "-", "--csv", stdin=piped(evil)).out
    assert all(each.isprintable() for each in out.split("\n"))
    read = pd.read_csv(io.StringIO(out), keep_default_na=False)
    expected = effviz.analyze(evil).table
    assert list(read["macs"]) == list(expected["macs"])
    assert read["path"][0] == r'\x1b[2J\n"a",\u202e.0.conv'
    assert list(read["path"][3:]) == list(expected["path"][3:])


# --- random input -----------------------------------------------------------------------------------------------------


def check_form(ran: Ran) -> None:
    """Check for output with exit code 0 or 1, or one line on standard error with 2."""
    assert ran.code in (0, 1, 2)
    assert "Traceback" not in ran.out + ran.err
    if ran.code == 2:
        assert ran.out == ""
        assert re.fullmatch(r"effviz: [^\n]+\n", ran.err)
    else:
        assert ran.err == ""


words = st.sampled_from(
    [
        "list", "report", "check", "export", "latency", "app", "mobilenet_v2", "squeezenet1_1", "--", "--json", "--csv",
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


@random_inputs(100)
@given(arguments=st.lists(words | st.text(max_size=6).filter(lambda word: "/" not in word), max_size=7) | valid)
def test_any_arguments(arguments: list[str]) -> None:
    refuse = LatencyError("Out of memory.", "memory")
    with (
        mock.patch.object(latency, "measure_latency", side_effect=refuse),
        mock.patch.object(server, "serve"),
    ):
        check_form(run(*arguments, stdin=piped(TINY)))


BASES = {
    "list": [], "report": ["-"], "check": ["-", "--max-macs", "1G"], "fit": ["-", "--max-macs", "1G"], "export": ["-"],
    "latency": ["-"], "lessons": [],
    "find": ["--max-macs", "300M", "--network", "squeezenet1_1"], "identify": ["300 M"], "reconcile": ["-"],
    "microcontroller": ["-"],
    "search": ["--storage", "", "--trials", "1"],
}  # fmt: skip
EVIL = ("", "x", "-1", "nan", "1e999", "9" * 400, "\0", "a" * 5_000, "\ud800", "%s", "0", "-", "\x1b[2J", "=")


@pytest.mark.parametrize("command", [name for name in cli.commands if name != "app"])
def test_hostile_values_of_every_option(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    choice = random.Random(command)
    refuse = LatencyError("Out of memory.", "memory")
    with mock.patch.object(latency, "measure_latency", side_effect=refuse):
        for option in cli.commands[command].params:
            for value in choice.sample(EVIL, 2):
                named = [option.opts[-1]] if option.opts[-1].startswith("-") else []
                given = [] if getattr(option, "is_flag", False) else [value]
                ran = run(command, *BASES[command], *named, *given, stdin=piped(TINY))
                check_form(ran)
                assert len(ran.err) < 1_100, (command, option.opts, value[:20])


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["conv", "mbconv", "linear", "scaled", 2**100, 2**20, -1, 0, 1, 1e308, "\ud800", "x" * 3000])
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value in a document."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@st.composite
def documents(draw: DrawFn) -> bytes:
    """A design's JSON with some values replaced, removed or added, or some bytes."""
    document = json.loads(TINY.to_json())
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(document))))
        if not path:
            continue
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        change = draw(st.sampled_from(("replace", "remove", "add")))
        if change == "replace":
            inner[path[-1]] = draw(anything)
        elif change == "remove":
            del inner[path[-1]]
        elif isinstance(inner, dict):
            inner[draw(st.sampled_from(["blocks", "recipe", "kernel_size", "width", "notes"]) | st.text())] = draw(
                anything
            )
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.binary(max_size=4)) + text[place + draw(st.integers(0, 4)) :]
    return text


@random_inputs(80)
@given(
    document=documents(),
    command=st.sampled_from(
        ["report -", "report - --layers", "check - --max-macs 1M --lint", "export -", "export - --json", "latency -"]
    ),
)
def test_any_document(document: bytes, command: str) -> None:
    with mock.patch.object(latency, "measure_latency", side_effect=LatencyError("Out of memory.", "memory")):
        check_form(run(*command.split(), stdin=document))


@pytest.mark.parametrize("text", ["[" * 10**6, '{"version": ' + "9" * 5000, '{"a":' * 10**5, "NaN", '"\\ud800"'])
def test_documents_that_break_parsers(text: str) -> None:
    ran = run("report", "-", stdin=text.encode())
    check_form(ran)
    assert ran.code == 2
    assert len(ran.err) < 500


def test_a_fault_of_the_program_has_its_own_exit_code() -> None:
    """Code 1 would mean that a limit is exceeded."""
    with mock.patch("effviz.cli.commands.analyze", side_effect=KeyError("x" * 10_000)):
        ran = run("check", "alexnet", "--max-macs", "1M")
    assert ran.code == 70
    assert ran.err.startswith("effviz: a fault in effviz, please report it: KeyError: 'xxx")
    assert "Traceback" not in ran.err
    assert len(ran.err) < 1_100
    assert ran.out == ""
