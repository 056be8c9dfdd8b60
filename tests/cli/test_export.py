"""The command export: exported files, and no loss of existing ones."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import TINY, UNBUILDABLE, Ran, piped, run

import effviz
from effviz import Design
from effviz.export import export_torch


def test_json_round_trip(folder: Path) -> None:
    assert run("export", "mobilenet_v2", "--width", "0.75", "--json", "-o", "net.json") == Ran(0, "", "")
    design = effviz.architecture("mobilenet_v2", width_mult=0.75)
    assert Design.from_json((folder / "net.json").read_text()) == design
    again = run("export", "net.json", "--json")
    assert Design.from_json(again.out) == design
    assert again.out == (folder / "net.json").read_text()


def test_exported_code_runs(folder: Path) -> None:
    (folder / "net.json").write_text(TINY.to_json())
    printed = run("export", "net.json")
    assert (printed.code, printed.err) == (0, "")
    assert run("export", "-", "-o", "net.py", stdin=piped(TINY)) == Ran(0, "", "")
    assert (folder / "net.py").read_text() == printed.out == export_torch(TINY)
    # The file asserts its number of parameters and must not need effviz (-I).
    subprocess.run([sys.executable, "-I", "net.py"], check=True, capture_output=True, timeout=120)


def test_other_formats(folder: Path) -> None:
    (folder / "net.json").write_text(TINY.to_json())
    assert run("export", "net.json", "--format", "keras").out == effviz.export_keras(TINY)
    assert run("export", "net.json", "--format", "json").out == run("export", "net.json", "--json").out
    assert run("export", "net.json", "--format", "onnx", "--seed", "7", "-o", "net.onnx") == Ran(0, "", "")
    assert (folder / "net.onnx").read_bytes() == effviz.export_onnx(TINY, 7)
    for options, conflict in (
        (("--format", "onnx", "--json", "-o", "x.onnx"), "--json and --format onnx cannot be combined"),
        (("--format", "keras", "--seed", "5"), "--seed needs --format onnx"),
    ):
        ran = run("export", "net.json", *options)
        assert ran == Ran(2, "", f"effviz: {conflict} (python -m effviz export --help)\n")
    assert not (folder / "x.onnx").exists()
    ran = run("export", "net.json", "--format", "onnx")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "effviz: an ONNX file needs a name: -o FILE (python -m effviz export --help)\n"


def test_existing_files_are_kept_without_force(folder: Path) -> None:
    (folder / "net.json").write_text("precious")
    words = ("export", "mobilenet_v2", "--json", "-o", "net.json")
    assert run(*words) == Ran(2, "", "effviz: 'net.json' already exists; --force overwrites it\n")
    assert (folder / "net.json").read_text() == "precious"
    assert run(*words, "--force") == Ran(0, "", "")
    assert Design.from_json((folder / "net.json").read_text()) == effviz.architecture("mobilenet_v2")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("missing/net.json", "No such file or directory"),
        (".", "Is a directory"),
        ("a" * 300, "File name too long"),
        ("a\0b", ("embedded null byte", "embedded null character in path")),  # Python 3.11, 3.13
        ("/dev/full", "No space left on device"),
    ],
)
def test_files_that_cannot_be_written(file: str, problem: str | tuple[str, str]) -> None:
    ran = run("export", "mobilenet_v2", "--json", "--force", "-o", file)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("effviz: cannot write '")
    problems = (problem,) if isinstance(problem, str) else problem
    assert ran.err.endswith(tuple(f" {text}\n" for text in problems))


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("", "the file name after -o is empty"),
        ("sub", "cannot write 'sub': Is a directory"),
        ("new/", "cannot write 'new/': Is a directory"),
    ],
)
def test_names_that_are_not_files(file: str, message: str, force: list[str], folder: Path) -> None:
    (folder / "sub").mkdir()
    assert run("export", "squeezenet1_1", "--json", *force, "-o", file) == Ran(2, "", f"effviz: {message}\n")
    assert [each.name for each in folder.iterdir()] == ["sub"]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_keeps_the_previous_content(
    error: BaseException, force: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full after half of the text."""

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
        ran = run("export", "squeezenet1_1", "--json", "-o", name, *force)
        assert ran.code == (2 if isinstance(error, OSError) else 130)
        assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("net.json", "precious")]


def test_failed_replacement_keeps_the_previous_content(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    (folder / "net.json").write_text("precious")
    monkeypatch.setattr(Path, "replace", refuse)
    ran = run("export", "squeezenet1_1", "--json", "-o", "net.json", "--force")
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
    assert run(*export, "net.json").code == 2
    assert run(*export, "net.json", "--force") == Ran(0, "", "")
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert Design.from_json(file.read_text()) == effviz.architecture("squeezenet1_1")
    before = os.umask(0o027)
    try:
        for name, force in (("new.json", []), ("other.json", ["--force"])):
            assert run(*export, name, *force).code == 0
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o640
    finally:
        os.umask(before)
    assert {each.name for each in folder.iterdir()} == {"sub", "net.json", "new.json", "other.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_pipes_and_devices_are_written(folder: Path) -> None:
    assert run("export", "squeezenet1_1", "--json", "--force", "-o", os.devnull) == Ran(0, "", "")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    os.mkfifo(folder / "pipe")
    number = os.open(folder / "pipe", os.O_RDWR)
    try:
        assert run("export", "squeezenet1_1", "--json", "--force", "-o", "pipe") == Ran(0, "", "")
        assert Design.from_json(os.read(number, 2**16)) == effviz.architecture("squeezenet1_1")
    finally:
        os.close(number)
    assert [each.name for each in folder.iterdir()] == ["pipe"]


def test_failed_export_leaves_no_file(folder: Path) -> None:
    for form in ([], ["--json"]):
        ran = run("export", "-", "-o", "net", *form, stdin=piped(UNBUILDABLE))
        assert ran == Ran(2, "", "effviz: grouped.0: groups = 3 must divide in_channels = 8\n")
    assert not list(folder.iterdir())
