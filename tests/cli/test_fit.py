"""The command fit."""

from __future__ import annotations

from pathlib import Path

from command_line import run, run_json

from effviz import Design, architecture, fit

WORDS = ("fit", "mobilenet_v3_large", "--max-macs", "300M", "--max-params", "4M", "--max-peak", "512kB", "--dtype",
         "int8")  # fmt: skip
LIMITS = {"macs": "300M", "params": "4M", "peak_activation": "512kB"}


def test_text_json_and_file_have_the_result_of_the_engine(tmp_path: Path) -> None:
    found = fit(architecture("mobilenet_v3_large"), LIMITS, dtype="int8")
    file = tmp_path / "fitted.json"
    ran = run(*WORDS, "-o", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert found.sentence in ran.out
    assert all(each.edit.label in ran.out for each in found.path)
    assert "pass  peak activation memory" in ran.out
    assert Design.from_json(file.read_text()) == found.design
    assert run("check", str(file), *WORDS[2:]).code == 0
    answer = run_json(*WORDS)
    assert (answer["status"], answer["sentence"], answer["tried"]) == ("found", found.sentence, found.tried)
    assert [each["label"] for each in answer["path"]] == [each.edit.label for each in found.path]
    assert {each["quantity"]: (each["text"], each["dtype"]) for each in answer["budgets"]} == {
        "params": ("4 M", ""), "macs": ("300 M", ""), "peak_activation": ("512 kB", "int8"),
    }  # fmt: skip


def test_an_infeasible_limit_is_an_exit_code() -> None:
    ran = run("fit", "mobilenet_v2", "--max-macs", "1M")
    assert ran.code == 1
    assert "no variant of this table is below 1.159 M" in ran.out
    assert run_json("fit", "mobilenet_v2", "--max-macs", "1M")["binding"] == "macs"


def test_wrong_input() -> None:
    assert run("fit", "mobilenet_v2").err == (
        "effviz: no limit is set; use --max-params, --max-macs, --max-memory-access, --max-peak, --max-weights, "
        "--max-latency or --preset\n"
    )
    ran = run("fit", "mobilenet_v2", "--max-latency", "3ms")
    assert (ran.code, ran.err) == (2, "effviz: limits = 'latency' is measured; fit accepts limits on counts only\n")


def test_a_limit_with_its_own_number_format() -> None:
    ran = run("check", "mobilenet_v2", "--max-peak", "512kB int8", "--max-weights", "20MB")
    assert "512,000  bytes, int8  over by 993,280 bytes" in ran.out
    ran = run("find", "--max-peak", "512kB int8", "--network", "mobilenet_v2")
    assert ran.err == "effviz: dtype = 'float32' must be int8, the number format of the limit of 512 kB\n"
