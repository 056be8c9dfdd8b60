"""Fuzz the engine, the command line and the pages: trials and failures of each class.

    python -m tests.benchmarks.fuzz [--seconds N] [--seed N] [CLASS ...]

The classes run in turns until the time is over. A failure is an exception of another kind than the project's, a
traceback, or an answer after more than two seconds. The command prints the shortest input of each kind of failure, and
returns 1 if there are any. The same seed gives the same inputs.
"""

from __future__ import annotations

import argparse
import atexit
import base64
import inspect
import json
import random
import signal
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from command_line import run  # noqa: E402
from hostile import VALUES, problem  # noqa: E402
from hostile_socket import Target  # noqa: E402
from tour import Call, calls  # noqa: E402

import effviz  # noqa: E402
from effviz import Design, Stage, analyze  # noqa: E402
from effviz.core.errors import show  # noqa: E402
from effviz.model.blocks import BLOCKS  # noqa: E402
from effviz.model.draft import Draft, checked  # noqa: E402
from effviz.model.fields import declared  # noqa: E402
from effviz.ui.navigation import PAGES  # noqa: E402

Failure = tuple[str, str]  # what happened, the input
Trial = Callable[[random.Random], Failure | None]

ENDLESS_S = 60

_JSON = (None, True, -1, 0, 1, 2.5, 1e308, 2**63, 10**30, "", "x", "\ud800", "\0", [], {}, [[]], {"block": "conv"})
_LIMITS = (1, 2, 3, 7, 8, 64, 1024, 2**20)


def _judged(call: Callable[[], object], reproduction: str) -> Failure | None:
    found = problem(call)
    return (found, reproduction) if found else None


def public_arguments(choice: random.Random) -> Failure | None:
    """Replace one argument of a valid call of a public function."""
    return _with_hostile_argument(calls(), choice)


def page_arguments(choice: random.Random) -> Failure | None:
    """Replace one argument of a call of a page."""
    from seen_calls import seen_calls

    return _with_hostile_argument(seen_calls(), choice)


def _with_hostile_argument(among: dict[str, Call], choice: random.Random) -> Failure | None:
    name, (function, args, kwargs) = choice.choice(list(among.items()))
    bound = inspect.signature(function).bind(*args, **kwargs)
    replaced = [each for each in bound.arguments if each not in ("self", "kwargs", "rest", "fields", "options")]
    if not replaced:
        return None
    argument, value = choice.choice(replaced), choice.choice(VALUES)()
    if inspect.signature(function).parameters[argument].kind is inspect.Parameter.VAR_KEYWORD:
        return None
    several = inspect.signature(function).parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL
    bound.arguments[argument] = (value,) if several else value
    return _judged(lambda: function(*bound.args, **bound.kwargs), f"{name}({argument} = {show(value)})")


def _mutated(value: Any, choice: random.Random) -> Any:
    """Replace, remove, add or duplicate one entry of a JSON document."""
    if isinstance(value, dict) and value and choice.random() < 0.85:
        key = choice.choice(list(value))
        kind = choice.randrange(8)
        if kind == 0:
            return {name: entry for name, entry in value.items() if name != key}
        if kind == 1:
            return value | {choice.choice(("x", "block", "name", key + " ")): choice.choice(_JSON)}
        return value | {key: _mutated(value[key], choice)}
    if isinstance(value, list) and value and choice.random() < 0.85:
        place, kind = choice.randrange(len(value)), choice.randrange(6)
        if kind == 0:
            return value[:place] + value[place + 1 :]
        if kind == 1:
            return value * choice.choice((2, 40))
        return [*value[:place], _mutated(value[place], choice), *value[place + 1 :]]
    return choice.choice((*_JSON, choice.choice(_LIMITS)))


def _document(choice: random.Random) -> Any:
    document = json.loads(_random_design(choice).to_json())
    for _ in range(choice.randint(1, 3)):
        document = _mutated(document, choice)
    return document


def json_designs(choice: random.Random) -> Failure | None:
    """Read and count a design with mutated JSON, sometimes with mutated bytes."""
    text = json.dumps(_document(choice))
    if choice.random() < 0.2:
        place = choice.randrange(len(text))
        text = text[:place] + choice.choice(("\0", "{", "]", '"', "9" * 5000, "\ufeff", "NaN")) + text[place + 1 :]
    return _judged(lambda: analyze(Design.from_json(text)).memory_access, text)


def packed_drafts(choice: random.Random) -> Failure | None:
    """Unpack and check a mutated link of the Studio."""
    text = Draft.of(_random_design(choice)).packed()
    if choice.random() < 0.5:
        packed = zlib.compress(json.dumps(_document(choice)).encode())
        text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    else:
        place = choice.randrange(len(text))
        text = (
            text[:place]
            + choice.choice(("", "A", "_", "=", "\N{SNOWMAN}", "AAAA"))
            + text[place + choice.randrange(2) :]
        )
    return _judged(lambda: checked(Draft.unpacked(text)), text)


_WORDS = (
    "list", "report", "check", "export", "find", "identify", "reconcile", "search", "lessons", "fit", "microcontroller",
    "--kernels", "cmsis_nn_dsp", "--code-size", "--buffers",
    "mobilenet_v1", "alexnet", "-", "", "x", "/dev/null", ".", "--json", "--csv",
    "--layers", "--width", "--depth", "--phi", "--resolution", "--groups", "--classes", "--in-channels", "--max-macs",
    "--max-peak", "--preset", "--dtype", "--lint", "--memory", "--help", "--version", "--format", "--output", "--",
    "-1", "0", "1", "1e400", "nan", "inf", "32", "512x2048", "300M", "9" * 400, "a" * 5000, "\0", "\udcff", "int8",
    "mcu_256k", "--max-latency", "--networks", "--widths", "--resolutions", "--variant", "--counter", "--sampler",
    "tpe", "--seed", "--minimize", "--study", "teaching", "3.5 M params, 300 M", "200ms",
)  # fmt: skip


def command_lines(choice: random.Random) -> Failure | None:
    """Run a random command line in this process; the exit codes are those that the help names."""
    # Those that measure, start the app or compute all lessons are tried in tests/cli.
    commands = (
        "report", "check", "export", "list", "find", "fit", "identify", "microcontroller", "reconcile", "search",
    )  # fmt: skip
    words = [choice.choice(commands), *choice.choices(_WORDS, k=choice.randint(0, 6))]
    if words[0] == "search":
        # The storage in memory, and few networks; the last value of an option counts.
        words += ["--storage", "", "--trials", choice.choice(("1", "2", "x"))]
    if "lint" in "".join(words) and choice.random() < 0.7:
        words = [word for word in words if word != "--lint"]
    stdin = json.dumps(_document(choice)).encode()
    ran: list[Any] = []
    found = problem(lambda: ran.append(run(*words, stdin=stdin)))
    if not found and (ran[0].code not in (0, 1, 2) or "Traceback" in ran[0].err or len(ran[0].err) > 5_000):
        found = f"exit code {ran[0].code}, {ran[0].err[:200]}"
    return (found, f"{words} < {stdin.decode()}") if found else None


def _value_of(field: Any, choice: random.Random) -> Any:
    if field.kind == "int":
        return choice.choice([each for each in _LIMITS if field.minimum <= each <= field.maximum] or [field.default])
    if field.kind == "float":
        return choice.choice((field.minimum + 1e-3, field.maximum, *field.choices))
    if field.kind == "bool":
        return choice.random() < 0.5
    return choice.choice(field.choices) if field.choices else field.default


def _random_design(choice: random.Random) -> Design:
    """Return a small design of random blocks; perhaps it cannot be built."""
    rows = []
    for _ in range(choice.randint(1, 5)):
        name = choice.choice([each for each in BLOCKS if each != "composed"])
        kind = BLOCKS[name]
        fields = {each.name: _value_of(each, choice) for each in declared(kind) if choice.random() < 0.2}
        width = choice.choice((1, 3, 8, 16, 24, 60)) if kind.has_out_channels else None
        stride = choice.choice((1, 1, 2)) if kind.has_stride else None
        rows.append(Stage(name, width, choice.choice((1, 1, 2, 3)), stride, **fields))
    side = choice.choice((1, 7, 32, 64, (32, 64)))
    design = Design("random", tuple(rows), resolution=side, in_channels=choice.choice((1, 3, 8)))
    return replace(design, width_mult=choice.choice((1.0, 1.0, 0.5, 3.7)), depth_mult=choice.choice((1.0, 1.5)))


def random_designs(choice: random.Random) -> Failure | None:
    """Count, lint, export and build a random design on the meta device."""
    design = _random_design(choice)

    def call() -> None:
        report = analyze(design)
        assert report.memory_access >= 0
        assert report.peak_activation > 0
        assert sum(row.macs for row in report.rows) == report.macs
        for export in (effviz.export_torch, effviz.export_keras):
            compile(export(design), "export", "exec")
        built = effviz.build(design, device="meta")
        assert sum(each.numel() for each in built.parameters()) == report.params

    return _judged(call, design.to_json())


_QUERY = (
    "",
    "x",
    "-1",
    "0",
    "1e999",
    "nan",
    "9" * 400,
    "mobilenet_v1",
    "1.00001",
    "true",
    "<b>",
    "\0",
    "%ff",
    "512x2048",
)


def query_strings(choice: random.Random) -> Failure | None:
    """Open a page with hostile URL parameters."""
    from page_reader import failures, open_page

    page = choice.choice(PAGES).url_path
    keys = (
        "network",
        "width",
        "depth",
        "resolution",
        "kernel",
        "gamma",
        "alpha",
        "phi",
        "design",
        "block",
        "memory",
        "x",
    )
    query = {key: choice.choice(_QUERY) for key in choice.sample(keys, 3)}
    shown: list[Any] = []
    # The first run of a page imports it; its time is measured elsewhere.
    found = problem(lambda: shown.append(open_page(page, **query).run()))
    if shown and failures(shown[0]):
        found = f"the page shows {failures(shown[0])[0][:200]}"
    return None if not found or found.endswith(" s") else (found, f"{page} {query}")


@cache
def _target() -> Target:
    """Start a server at the first attack; it ends with this process."""
    target = Target()
    atexit.register(target.close)
    return target


def websockets(choice: random.Random) -> Failure | None:
    """Send hostile messages and frames to a server, in which another visitor moves a slider."""
    return _target().attacked(choice)


CLASSES: dict[str, Trial] = {
    each.__name__: each
    for each in (
        public_arguments, page_arguments, json_designs, packed_drafts, command_lines, random_designs, query_strings,
        websockets,
    )
}  # fmt: skip


def _stop(*_: object) -> None:
    raise TimeoutError(f"no answer after {ENDLESS_S} s")


def fuzz(seconds: float, seed: int, names: list[str]) -> int:
    """Run the classes in turns, print the results, and return the exit code."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _stop)
    # The first call of a function may import torch.
    for function, args, kwargs in calls().values():
        function(*args, **kwargs)
    end, trials = time.monotonic() + seconds, Counter[str]()
    failures: dict[tuple[str, str], list[str]] = {}
    number = 0
    while time.monotonic() < end:
        for name in names:
            # Short enough that the websocket answers the pings of the server between two turns.
            slice_end = min(end, time.monotonic() + min(2.0, max(0.2, seconds / 50)))
            while time.monotonic() < slice_end:
                number += 1
                signal.setitimer(signal.ITIMER_REAL, ENDLESS_S)
                failure = CLASSES[name](random.Random(f"{seed} {name} {number}"))
                signal.setitimer(signal.ITIMER_REAL, 0)
                trials[name] += 1
                if failure:
                    failures.setdefault((name, failure[0][:60]), []).append(failure[1])
    print(f"seed {seed}, {seconds:g} s")
    for name in names:
        count = sum(len(found) for (each, _), found in failures.items() if each == name)
        print(f"{name:18} {trials[name]:8,} trials {count:6,} failures")
    for (name, kind), found in failures.items():
        print(f"\n{name}: {kind} ({len(found)} times), shortest input:\n{ascii(min(found, key=len))[:2000]}")
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("classes", nargs="*", choices=[[], *CLASSES], default=[], metavar="CLASS")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    # A random command line may write a file.
    with TemporaryDirectory() as folder, chdir(folder):
        code = fuzz(chosen.seconds, chosen.seed, chosen.classes or list(CLASSES))
    sys.exit(code)
