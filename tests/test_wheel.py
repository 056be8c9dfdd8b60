"""The wheel, installed in an environment outside the checkout: package, command line and app."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import run
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from effviz.ui.navigation import PAGES

ROOT = Path(__file__).parents[1]
SOURCES = (
    "app.py", "pages", "effviz", "assets", ".streamlit", "pyproject.toml", "README.md", "LICENSE",
)  # fmt: skip
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


class Installed(NamedTuple):
    """The wheel, the environment that contains it, and an empty folder to work in."""

    wheel: Path
    bin: Path
    folder: Path

    def run(self, *command: str) -> str:
        """Run a program of the environment, without the checkout on its path."""
        words = [str(self.bin / command[0]), *command[1:]]
        return subprocess.run(
            words, cwd=self.folder, env=environment(), capture_output=True, text=True, check=True
        ).stdout


def environment() -> dict[str, str]:
    """Return the environment variables without those that lead to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"EFFVIZ_CACHE": ""}


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-deps", "--no-index"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the source distribution, the wheel from it, and install that beside the tests' dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    # A copy: setuptools writes into the folder that it builds.
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (archive,) = (source / "dist").glob("*.tar.gz")
    pip("wheel", str(archive), "--no-build-isolation", "--wheel-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    paths = sysconfig.get_paths(vars={"base": str(folder / "env"), "platbase": str(folder / "env")})
    (Path(paths["purelib"]) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip("--python", str(python), "install", str(wheel))
    empty = folder / "empty"
    empty.mkdir()
    return Installed(wheel, Path(paths["scripts"]), empty)


def test_files_of_the_wheel(installed: Installed) -> None:
    names = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    package = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("effviz/**/*.py")}
    data = {
        path.relative_to(ROOT).as_posix()
        for kind in ("csv", "css", "js", "json", "md")
        for path in ROOT.glob(f"effviz/**/*.{kind}")
    }
    top = [ROOT / "app.py", ROOT / ".streamlit/config.toml", *ROOT.glob("pages/*.py"), *ROOT.glob("assets/*.svg"),
           *ROOT.glob("assets/lessons/*.yaml")]  # fmt: skip
    assert names == package | data | {"effviz/py.typed"} | {
        f"effviz/_app/{path.relative_to(ROOT).as_posix()}" for path in top
    }


def test_package_is_imported_from_the_wheel(installed: Installed) -> None:
    code = (
        "import effviz, effviz.scaling, effviz.lint, effviz.budgets\n"
        "print(effviz.__file__, effviz.analyze(effviz.architecture('mobilenet_v2')).macs)"
    )
    file, macs = installed.run("python", "-c", code).split()
    assert installed.bin.parent in Path(file).parents
    assert macs == "300774272"


def pins(file: str) -> dict[str, str]:
    """Return the exact versions in a requirements file, by the normalized name."""
    lines = [line.partition("#")[0].partition("\\")[0] for line in (ROOT / file).read_text().splitlines()]
    found = [Requirement(line) for line in lines if line[:1].isalpha()]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in found}


def test_the_versions_of_make_run_are_within_the_ranges_of_the_package_and_locked() -> None:
    extras = PROJECT["optional-dependencies"]
    ranges = [Requirement(line) for line in [*PROJECT["dependencies"], *chain.from_iterable(extras.values())]]
    pinned, locked, tested = map(pins, ("requirements.txt", "requirements.lock", "tests/requirements.txt"))
    assert {canonicalize_name(each.name) for each in ranges} - {"effviz"} >= set(pinned)
    for each in ranges:
        if each.name != "effviz":
            name = canonicalize_name(each.name)
            assert (pinned | locked | tested)[name] in each.specifier, name
    assert {name: version for name, version in pinned.items() if name != "torch"}.items() <= locked.items()
    assert "torch" not in locked, "its files depend on the machine"


def test_engine_and_command_line_need_the_base_requirements_only(installed: Installed) -> None:
    code = f"""
import sys, importlib.metadata as metadata
base = {[canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]]}
names = metadata.packages_distributions()
extra = {{module for module, owners in names.items() if not set(map(str.lower, owners)) & set(base)}}
for module in extra - {{"effviz", "dateutil", "six", "pytz", "tzdata"}}:  # pandas requires them
    sys.modules[module] = None
import effviz
design = effviz.architecture("mobilenet_v2", width_mult=0.5)
assert len(effviz.analyze(design).table) > 50
assert "nn.Module" in effviz.export_torch(design)
from effviz.cli import main
main(["report", "mobilenet_v2"])
sys.stderr = sys.stdout
assert main(["app"]) == main(["latency", "mobilenet_v2"]) == 2
"""
    printed = installed.run("python", "-c", code)
    assert "300,774,272" in printed
    assert "effviz: this command needs streamlit: pip install 'effviz[app]'" in printed
    assert "effviz: this command needs torch: pip install 'effviz[torch]'" in printed


def test_command_line(installed: Installed) -> None:
    assert installed.run("effviz", "--help").startswith("Usage: effviz [OPTIONS] COMMAND")
    assert "  effviz report efficientnet_b0 --phi 1 --layers" in installed.run("effviz", "report", "--help")
    report = installed.run("effviz", "report", "mobilenet_v2")
    assert (
        report == run("report", "mobilenet_v2").out == installed.run("python", "-m", "effviz", "report", "mobilenet_v2")
    )


@contextmanager
def app(installed: Installed) -> Iterator[str]:
    """Run `effviz app` and return its address without the protocol. The app ends with exit code 0 after Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [installed.bin / "effviz", "app", "--port", str(port), "--address", "127.0.0.1", "--logger.level=error"]
    # Background jobs of a shell ignore Ctrl-C by default.
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(
        command, cwd=installed.folder, env=environment(), stdout=subprocess.PIPE, **restore
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not healthy(f"127.0.0.1:{port}"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield f"127.0.0.1:{port}"
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def first_run(address: str, page: str) -> list[ForwardMsg]:
    """Open a page as a new session and return the messages of its first run."""
    request = BackMsg()
    request.rerun_script.page_name = page
    messages = []
    with connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as session:
        session.send(request.SerializeToString())
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            messages.append(ForwardMsg.FromString(session.recv(timeout=60)))
    return messages


def test_app_serves_every_page(installed: Installed) -> None:
    """Each page as a deep link, the first one as the first request to a new server."""
    with app(installed) as address:
        for entry in [*PAGES[1:], PAGES[0]]:
            messages = first_run(address, entry.url_path)
            (navigation,) = (each.navigation for each in messages if each.WhichOneof("type") == "navigation")
            assert [page.url_pathname for page in navigation.app_pages] == [each.url_path for each in PAGES]
            elements = [each.delta.new_element for each in messages if each.WhichOneof("type") == "delta"]
            kinds = [element.WhichOneof("type") for element in elements]
            assert "exception" not in kinds
            titles = [element.heading.body for element in elements if element.WhichOneof("type") == "heading"]
            assert entry.title in " ".join(titles)
            # The style sheet, the logo, and the colors of .streamlit/config.toml.
            assert any("<style>" in element.html.body for element in elements)
            assert [each.logo.image[:18] for each in messages if each.logo.image] == ["data:image/svg+xml"]
            assert messages[0].new_session.custom_theme.light.primary_color == "#6A3FA0"
        with urllib.request.urlopen(f"http://{address}/studio", timeout=30) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
