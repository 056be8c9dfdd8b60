"""Work is bounded: the costliest legal designs are counted, linted and exported within a CPU budget."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Iterator

import pytest
from profiles import PROFILE
from worst import WORST, cpu, loops, too_large

import effviz
from effviz.advice.lint import lint
from effviz.core.caches import BUDGET, cached_bytes, forget
from effviz.core.errors import DesignError
from effviz.model.design import Design

SECOND = 25  # loops of `worst.loops` in a second of an idle machine


@pytest.fixture(autouse=True)
def as_in_the_server() -> Iterator[None]:
    """Start with empty caches, and without collections of the modules of the tests."""
    forget()
    gc.freeze()
    yield
    gc.unfreeze()
    forget()


def count(design: Design) -> None:
    report = effviz.analyze(design)
    assert report.memory_access > 0
    assert report.peak_activation > 0


def read_findings(design: Design) -> None:
    """Lint as the page does: only the findings that it shows are read."""
    assert all(finding.why for finding in lint(design)[:5])


def assert_within(budget: float, work: Callable[[], object]) -> None:
    """Measure from empty caches, again if a busy machine may be the reason of an excess."""
    taken = []
    for _ in range(3):
        forget()
        taken.append(loops(work))
        if taken[-1] <= budget:
            return
    pytest.fail(f"took {min(taken):.0f} loops, at most {budget:.0f}")


@pytest.mark.parametrize("name", WORST if PROFILE == "full" else list(WORST)[::3])
def test_the_costliest_designs_are_within_a_cpu_budget(name: str) -> None:
    design = WORST[name]()
    assert_within(1 * SECOND, lambda: count(design))
    assert_within(2 * SECOND, lambda: read_findings(design))
    assert_within(2 * SECOND, lambda: effviz.export_torch(design))
    # In the Studio, another process plans them.
    assert_within(3 * SECOND, lambda: effviz.microcontroller(design))
    assert cached_bytes() <= BUDGET


@pytest.mark.parametrize("design", list(too_large()), ids=["rows", "blocks", "repeats", "recipes"])
def test_larger_designs_are_rejected_before_they_are_built(design: Design) -> None:
    def build() -> None:
        with pytest.raises(DesignError) as caught:
            effviz.analyze(design)
        errors.append(str(caught.value))

    errors: list[str] = []
    assert_within(SECOND, build)
    assert re.fullmatch(
        r"s\d+: the network has more than 20,000 layers, the limit; the largest rows up to here: "
        r"row 1 \(s0\) with [\d,]+(, row 2 \(s1\) with [\d,]+, row 3 \(s2\) with [\d,]+)?",
        errors[0],
    )


def test_every_published_network_is_far_below_the_limit() -> None:
    """The pages scale the depth by at most 8."""
    deepest = [effviz.architecture(name, depth_mult=8) for name in effviz.list_architectures()]
    assert 5_000 < max(len(effviz.analyze(design).rows) for design in deepest) < 10_000


def test_lint_is_linear_in_rows() -> None:
    """Every row has a finding, and every fix is read."""

    def read(rows: int) -> float:
        design = Design("net", WORST["biases before norms"]().stages[:rows], resolution=64)
        forget()
        return cpu(lambda: sys.intern("".join(finding.why for finding in lint(design))))

    assert min(read(400) / read(100) for _ in range(2)) < 8


@pytest.mark.parametrize("step", [1e-9, 5e-324, 1e-3])
def test_a_grid_has_a_limit(step: float) -> None:
    from effviz.advice.scaling import feasible

    with pytest.raises(DesignError, match=r"^step = .* makes a grid of .* points, at most 20,000$"):
        feasible(effviz.architecture("efficientnet_b0"), step=step)
