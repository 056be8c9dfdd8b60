"""The command that checks the lessons."""

from __future__ import annotations

import json
import re

from command_line import run

from effviz.lessons.lesson import ORDER


def test_every_answer_is_printed() -> None:
    code, printed, problems = run("lessons", "--json")
    assert (code, problems) == (0, "")
    rows = json.loads(printed)
    assert {row["lesson"] for row in rows} == set(ORDER)
    assert {"lesson": "compound_scaling", "step": "staircase", "answer": "23 blocks"} in rows
    code, printed, _ = run("lessons")
    assert code == 0
    assert re.search(r"staircase +23 blocks", printed)
