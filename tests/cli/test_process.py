"""The process: help, start-up, standard streams, encodings, and the transcripts of the documentation."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit.web.cli
from command_line import ENVIRONMENT, ROOT, TINY, Ran, piped, run, run_process

import effviz
from effviz import Design, cli
from effviz.cli import commands


def test_name_that_is_not_utf_8(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"effviz", b"report", b"\xff\xfe.json"],
        env=ENVIRONMENT | {"PYTHONUTF8": "1"}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"effviz: '\\udcff\\udcfe.json' is neither an architecture nor a file")


def test_output_that_cannot_show_a_character() -> None:
    ran = run_process("report", "-", env={"PYTHONIOENCODING": "ascii"}, stdin=piped(Design("réseau", TINY.stages)))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("r\\xe9seau, input 3 x 224 x 224\n")


@pytest.mark.parametrize(
    ("arguments", "code", "stderr"),
    [
        ("list", 141, subprocess.PIPE),
        ("report densenet121 --layers", 141, subprocess.PIPE),
        ("report --help", 141, subprocess.PIPE),
        ("check vgg16 --max-macs 1", 141, subprocess.PIPE),
        ("list", 141, subprocess.STDOUT),
        ("report nothing", 2, subprocess.STDOUT),
    ],
)
def test_a_closed_pipe_ends_the_command(arguments: str, code: int, stderr: int) -> None:
    """With `subprocess.STDOUT`, standard error is the closed pipe too."""
    command = [sys.executable, "-m", "effviz", *arguments.split()]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=stderr) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == code
        assert process.stderr is None or process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("word", ["list", "--help"])
def test_a_full_disk_is_an_error(word: str) -> None:
    command = [sys.executable, "-m", "effviz", word]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"effviz: cannot write to standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams in a shell")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("report - <&-", 2, "effviz: cannot read standard input: it is closed\n"),
        ("list >&-", 2, "effviz: cannot write to standard output: it is closed\n"),
        # This command prints nothing.
        ("export squeezenet1_1 --json -o {}/net.json >&-", 0, ""),
        ("export squeezenet1_1 --json >&-", 2, "effviz: cannot write to standard output: it is closed\n"),
        ("report nothing 2>&-", 2, ""),
        ("report nothing >&- 2>&-", 2, ""),
    ],
)
def test_closed_streams(words: str, code: int, message: str, folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {shlex.quote(sys.executable)} -m effviz {words.format(shlex.quote(str(folder)))}"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", message)
    if "-o" in words:
        assert Design.from_json((folder / "net.json").read_text()) == effviz.architecture("squeezenet1_1")


# --- help, start-up, documentation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", commands.cli.commands)
def test_help_has_examples_that_parse(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run(name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert run(name, "-h") == ran
    examples = re.findall(r"^ +(python -m effviz .*)$", ran.out, flags=re.M)
    assert len(examples) == (3 if name == "report" else 2)
    command = commands.cli.commands[name]
    parsed = []
    monkeypatch.setattr(command, "callback", lambda **options: parsed.append(options) or commands.CommandOutput())
    for example in examples:
        words = shlex.split(example)[3:]
        assert words[0] == name
        assert run(*words) == Ran(0, "", "")
    assert len(parsed) == len(examples)
    assert f"  {name} " in run("--help").out


def test_version() -> None:
    assert run_process("--version") == Ran(0, f"effviz {effviz.__version__}\n", "")


def test_app_passes_its_options_to_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/test_wheel.py starts a real server."""
    calls = []
    monkeypatch.setattr(streamlit.web.cli, "main", lambda words, **_: calls.append(words))
    options = ("--port", "8600", "--address", "::1", "--client.toolbarMode=developer")
    assert run("app") == run("app", *options) == (0, "", "")
    start = ["run", str(ROOT / "app.py")]
    assert calls == [
        start, [*start, "--server.port=8600", "--server.address=::1", "--client.toolbarMode=developer"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--server.prt=1", "No such option '--server.prt'."),
        ("--port=99999", "'--port': 99999 is not in the range 1<=x<=65535."),
        ("--address=999.1.1.1", "the app cannot listen with the options --server.address=999.1.1.1 "),
    ],
)
def test_wrong_options_of_the_app_are_one_line(option: str, problem: str) -> None:
    ran = run_process("app", option, "--server.headless=true")
    assert (ran.code, ran.out) == (2, "")
    assert problem in ran.err
    assert ran.err.count("\n") == 1


LAZY = """
import sys
from effviz.cli import main

heavy = {"torch", "pandas", "numpy", "streamlit", "plotly", "effviz.measure.latency", "effviz.worker", "effviz.ui"}
for arguments in (
    "list",
    "report efficientnet_b7 --width 1.1 --json",
    "check mobilenet_v2 --max-macs 300M --lint",
    "export resnet18 --json",
):
    main(arguments.split())
    print(arguments, sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def test_commands_load_only_what_they_use() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert re.findall(r"\[.*\]", done.stderr) == 4 * ["[]"]


def transcripts(text: str) -> list[tuple[str, str]]:
    """Each command after a prompt, and the output below it."""
    found = re.findall(r"^\$ effviz (.*)\n((?:(?!\$ |```).+\n|\n(?=[^`\n$]))*)", text, flags=re.M)
    return [(words, output.strip("\n")) for words, output in found]


def test_transcripts_of_the_documentation() -> None:
    assert cli.__doc__ is not None
    in_code = transcripts(cli.__doc__.split("\n\nA command computes")[0] + "\n")
    assert len(in_code) == 1
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fences = re.findall(r"```console\n(.*?)```", readme, flags=re.S)
    in_readme = [each for fence in fences for each in transcripts(fence)]
    assert len(in_readme) == sum(fence.count("$ effviz ") for fence in fences) > 1
    for words, output in in_code + in_readme:
        assert run(*shlex.split(words)).out.rstrip("\n") == output
