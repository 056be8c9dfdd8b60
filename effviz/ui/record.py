"""Record the latencies that pages show where nothing is measured: ``python -m effviz.ui.record``.

It measures the networks of the zoo, ShuffleNetV2's guideline experiments, the lists of the Compare page, and every
network whose latency a page shows in its first state, or with another block or kind of convolution. Run it on an idle
machine. After a change of the zoo, ``--missing`` measures only what the file does not contain, or contains with noise.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from streamlit.testing.v1 import AppTest

from effviz.core.errors import DesignError
from effviz.measure import recorded
from effviz.measure.latency import Latency, LatencyError, environment, request
from effviz.measure.recorded import RecordedSetting
from effviz.studies.blocks import PRESETS
from effviz.studies.compare.networks import PRESETS as PRESET_LISTS
from effviz.studies.compare.networks import preset
from effviz.studies.convolutions import KINDS
from effviz.studies.guidelines.experiments import cases, distinct
from effviz.studies.prediction import ENTRIES
from effviz.ui.navigation import PAGES
from effviz.ui.page_parts.scaling.controls import VIEWS
from effviz.ui.paths import MAIN_SCRIPT, ROOT

FILE = Path(recorded.__file__).with_name("recorded.json")


def states() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the recorded states: the file of the page and its URL parameters."""
    for page in PAGES:
        yield page.file, {}
    yield from (("convolutions.py", {"type": kind}) for kind in KINDS.values())
    yield from (("blocks.py", {"block": preset.title}) for preset in PRESETS.values())
    yield "scaling.py", {"part": VIEWS[1]}


def wanted() -> list[RecordedSetting]:
    """Return the networks to record, each once."""
    listed = chain.from_iterable(map(preset, PRESET_LISTS))
    networks = [
        *(entry.design for entry in ENTRIES),
        *(case.design for case in distinct(cases())),
        *(network.design for network in listed),
    ]
    with recorded.requests() as found:
        for file, query in states():
            page = AppTest.from_file(str(MAIN_SCRIPT), default_timeout=120)
            page.query_params.update(query)
            page.switch_page(os.path.relpath(ROOT / "pages" / file, MAIN_SCRIPT.parent))
            page.run()
    return list(
        dict.fromkeys([*(RecordedSetting(each, each.resolution, 1, 1, "float32") for each in networks), *found])
    )


def measured(asked: RecordedSetting, tries: int, old: Latency | None = None) -> Latency:
    """Measure a network until it is not noisy, at most `tries` times, and return the least noisy latency.

    Raises:
        DesignError, LatencyError: it cannot be measured.
    """
    found = [] if old is None else [old]
    for _ in range(tries):
        found.append(request(*asked[:4], dtype=asked.dtype, owner="record", keep_all=True).result())
        if not found[-1].noisy:
            break
    return min(found, key=lambda each: (each.loaded, each.iqr_ms / each.median_ms))


def main() -> None:
    """Record and write the file."""
    options = argparse.ArgumentParser(prog="python -m effviz.ui.record", description=__doc__)
    options.add_argument("--tries", type=int, default=3, help="measurements of a noisy network (default 3)")
    options.add_argument("--missing", action="store_true", help="keep the latencies of the file that are not noisy")
    options.add_argument("--output", type=Path, default=FILE, help="file to write (default: the one effviz ships)")
    chosen = options.parse_args()
    # No latency is known: the pages look for every one, and the measurements are new.
    os.environ |= {"EFFVIZ_CACHE": "", "EFFVIZ_RECORDED": ""}
    networks = wanted()
    known: dict[RecordedSetting, Latency] = {}
    machine = {name: value for name, value in environment().items() if name not in ("dtype", "threads")}
    if chosen.missing:
        kept = {asked: old for asked in networks if (old := recorded.stored_in(chosen.output, asked)) is not None}
        if any(machine.items() - old.environment.items() for old in kept.values()):
            options.error(f"{chosen.output} has latencies of another machine or of other versions")
        known.update(kept)
        networks = [asked for asked in networks if asked not in kept or kept[asked].noisy]
    for number, asked in enumerate(networks, 1):
        try:
            known[asked] = found = measured(asked, chosen.tries, known.get(asked))
        except (DesignError, LatencyError) as error:
            print(f"{number}/{len(networks)} {asked.design.title}: not recorded. {error}", flush=True)
            continue
        noise = " noisy" if found.noisy else ""
        print(f"{number}/{len(networks)} {asked.design.title}: {found.median_ms:.3g} ms{noise}", flush=True)
    recorded.write(chosen.output, machine, known)
    print(f"{len(known)} latencies, {sum(each.noisy for each in known.values())} noisy: {chosen.output}")


if __name__ == "__main__":
    main()
