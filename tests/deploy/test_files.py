"""The files for Docker and systemd: they agree on the ports, and their paths exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from replicas import SCRIPT, require_nginx, serve
from server import ROOT, free_port

FOLDER = SCRIPT.parent
PORTS = "8502,8503"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_all_files_have_the_same_ports() -> None:
    assert f"ARG REPLICA_PORTS={PORTS}\n" in text("Dockerfile")
    compose = text("compose.yaml")
    assert f'REPLICA_PORTS: "{PORTS}"' in compose
    replicas = re.findall(r'ADDRESS: 127\.0\.0\.1, PORT: "(\d+)", EFFVIZ_REPLICA: "(\d+)", EFFVIZ_HOSTS: ', compose)
    assert replicas == [(port, str(number)) for number, port in enumerate(PORTS.split(","), 1)]
    assert re.findall(r"effviz@(\d+)\.service", text("effviz.target")) == PORTS.split(",")
    assert f"--config {PORTS} " in text("README.md")
    first = int(PORTS.partition(",")[0])
    assert f"EFFVIZ_REPLICA=$$((%i - {first - 1}))" in text("effviz@.service")


def test_the_image_contains_the_app() -> None:
    copied = [
        word for words in re.findall(r"^COPY (?!--)(.*) \S+$", text("Dockerfile"), flags=re.M) for word in words.split()
    ]
    assert not [pattern for pattern in copied if not list(ROOT.glob(pattern))]
    assert {"app.py", "pages", "effviz", ".streamlit", "requirements.txt", "assets/*.svg"} <= set(copied)


def test_replicas_answer_to_every_name_if_the_site_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFVIZ_HOSTS", raising=False)
    assert serve.environment("0.0.0.0", tmp_path)["EFFVIZ_HOSTS"] == "*"
    assert "EFFVIZ_HOSTS" not in serve.environment("localhost", tmp_path)
    monkeypatch.setenv("EFFVIZ_HOSTS", "effviz.example")
    assert serve.environment("0.0.0.0", tmp_path)["EFFVIZ_HOSTS"] == "effviz.example"
    assert "EFFVIZ_HOSTS=*" in text("effviz@.service")


def test_the_printed_configuration_is_valid(tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, str(SCRIPT), "--config", PORTS, "--port", port, "--cache", str(tmp_path / "cache")]
    command += ["--address", "0.0.0.0"]
    site = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"listen 0.0.0.0:{port};" in site
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(serve.MAIN)
    command = [require_nginx(), "-t", "-q", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
