"""A profile leaves no trace: in the module, in global caches, in hidden layers, in compiled code."""

from __future__ import annotations

import _thread
import functools
import io
import os
import queue
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from modules import Graph
from torch import Tensor, nn

from effviz import DesignError
from effviz.backend.profile import isolation, profile
from effviz.backend.profile.isolation import StalledError
from effviz.backend.profile.recorder import PROCESS, STRAY, THREAD
from effviz.backend.profile.result import Uncounted
from effviz.backend.profile.sandbox import is_harmless

in_each_place = pytest.mark.parametrize("fork", [True, False], ids=["in a copy", "in the process"])


@pytest.fixture
def place(fork: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the pass in a copy of the process, or in the process as without `os.fork`."""
    if not fork:
        monkeypatch.setattr("effviz.backend.profile.is_available", lambda **options: False)


# --- caches outside of the module ------------------------------------------------------------------------------------

GRIDS: dict[Any, Tensor] = {}


class Holder:
    cache: ClassVar[dict[Any, Tensor]] = defaultdict()
    table: Tensor | None = None


def make_grid(height: int, width: int) -> Tensor:
    sides = torch.linspace(-1, 1, height), torch.linspace(-1, 1, width)
    return torch.stack(torch.meshgrid(*sides, indexing="ij"))[None]


cached_grid = functools.cache(make_grid)
recent_grid = functools.lru_cache(maxsize=2)(make_grid)


def in_dictionary(cache: dict[Any, Tensor]) -> Callable[..., Tensor]:
    return lambda *key: cache[key] if key in cache else cache.setdefault(key, make_grid(*key))


def in_attribute(height: int, width: int) -> Tensor:
    if Holder.table is None:
        Holder.table = make_grid(height, width)
    return Holder.table


CACHES: dict[str, Callable[..., Tensor]] = {
    "file": in_dictionary(GRIDS),
    "class": in_dictionary(Holder.cache),
    "closure": in_dictionary({}),
    "functools.cache": cached_grid,
    "functools.lru_cache": recent_grid,
    "attribute of an object": in_attribute,
}


@in_each_place
@pytest.mark.parametrize("warm", [False, True], ids=["empty", "filled"])
@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.usefixtures("place")
def test_a_tensor_cache_outside_of_the_module(cache: str, warm: bool) -> None:
    grid, image = CACHES[cache], torch.rand(1, 3, 8, 8)
    module = Graph(lambda m, x: m.conv(torch.cat([x, grid(*x.shape[-2:])], 1)), conv=nn.Conv2d(5, 16, 3, padding=1))
    expected = module.conv(torch.cat([image, make_grid(8, 8)], 1))
    if warm:
        module(image)
    assert profile(module, (3, 8, 8)).macs == 8 * 8 * 5 * 9 * 16
    assert torch.equal(module(image), expected)


def test_nothing_remains_of_the_pass() -> None:
    """Neither lists and counters, nor hooks, nor random generators change."""
    seen: list[Any] = []
    counts: Counter[str] = Counter()

    def forward(m: Any, x: Tensor) -> Any:
        counts["calls"] += 1
        seen.append(x)
        m.keys = torch.cat([m.keys, x])
        m.steps += 1
        return m.layer(x) * random.random() * float(np.random.rand()) * torch.rand(())

    module = Graph(forward, layer=nn.Linear(8, 3), keys=torch.zeros(0, 8), steps=0)
    module.layer.register_forward_hook(lambda m, args, output: counts.update(["hook"]))
    before = torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    for _ in range(2):
        assert profile(module, (8,)).macs == 24
    assert (seen, counts, module.steps, module.keys.shape) == ([], Counter(), 0, (0, 8))
    after = torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    assert before == after
    module(torch.zeros(1, 8))
    assert counts == {"calls": 1, "hook": 1}


@in_each_place
@pytest.mark.usefixtures("place")
def test_tensors_that_operations_change_are_restored() -> None:
    keys, mean = torch.zeros(4, 8), torch.zeros(8)

    def forward(m: Any, x: Tensor) -> Any:
        keys[1] = x[0]
        mean.lerp_(x[0], 0.5)
        torch.add(mean, 1, out=mean)
        return m.layer(x) @ keys.T[:3]

    module = Graph(forward, layer=nn.Linear(8, 3))
    module(torch.ones(1, 8))
    before = keys.clone(), mean.clone()
    assert profile(module, example_inputs=torch.ones(1, 8)).macs == 24 + 12
    assert torch.equal(keys, before[0])
    assert torch.equal(mean, before[1])


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1).share_memory_())

    def forward(self, x: Tensor) -> Tensor:
        self.calls.add_(1)
        return x * self.calls


@in_each_place
@pytest.mark.usefixtures("place")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_shared_memory_is_restored(tmp_path: Path) -> None:
    """A copy of the process has no copy of this memory."""
    np.zeros(8, np.float32).tofile(tmp_path / "keys")
    mapped = torch.from_numpy(np.memmap(tmp_path / "keys", np.float32, "r+"))
    for keys in (torch.zeros(8).share_memory_(), mapped):
        for needs_values in (False, True):

            def forward(m: Any, x: Tensor, keys: Tensor = keys, needs_values: bool = needs_values) -> Any:
                keys.add_(1)
                return m.layer(x) if not needs_values or x.sum() == 0 else None

            assert profile(Graph(forward, layer=nn.Linear(8, 3)), (8,)).macs == 24
            assert keys.tolist() == [0] * 8
    script = torch.jit.script(Counting())  # type: ignore[no-untyped-call]
    profile(script, (8,))
    assert script.calls.tolist() == [0]


# --- layers that torch does not register -----------------------------------------------------------------------------


def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.Dropout())


GLOBAL_LAYERS = [net()]
HIDDEN: dict[str, tuple[Callable[..., Any], Any]] = {
    "list": (lambda m, x: m.kept[0](x), [net()]),
    "dictionary": (lambda m, x: m.kept["net"](x), {"net": net()}),
    "tuple": (lambda m, x: m.kept[0](x), (net(),)),
    "global": (lambda m, x: GLOBAL_LAYERS[0](x), None),
}


@in_each_place
@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.usefixtures("place")
def test_hidden_layers_do_not_train(name: str) -> None:
    function, kept = HIDDEN[name]
    (hidden,) = GLOBAL_LAYERS if kept is None else kept.values() if isinstance(kept, dict) else kept
    before = {key: (id(value), value.clone()) for key, value in hidden.state_dict(keep_vars=True).items()}
    found = profile(Graph(function, kept=kept), (3, 8, 8))
    assert (found.macs, found.status) == (8 * 8 * 27 * 16, "partial")
    assert [(each.operation, each.elements) for each in found.uncounted] == [(STRAY, 432 + 16 + 2 * 16)]
    assert [row.layer for row in found.rows][:3] == ["Conv2d", "BatchNorm2d", "Dropout"]
    after = hidden.state_dict(keep_vars=True)
    assert all(id(after[key]) == same and torch.equal(after[key], value) for key, (same, value) in before.items())
    assert all(each.training and not each._forward_hooks for each in hidden.modules())
    assert not nn.modules.module._global_forward_hooks


@pytest.mark.parametrize("weights", [[nn.Parameter(torch.ones(3, 8))], [torch.ones(3, 8, requires_grad=True)]])
def test_trained_tensors_outside_of_the_parameters_are_listed(weights: list[Tensor]) -> None:
    for module in (Graph(lambda m, x: x @ weights[0].T), Graph(lambda m, x: x @ m.kept[0].T, kept=weights)):
        found = profile(module, (8,))
        assert (found.params, found.macs, found.uncounted) == (0, 24, (Uncounted(STRAY, "", 1, 24),))


def test_layers_that_the_forward_pass_creates_are_listed() -> None:
    def forward(m: Any, x: Tensor) -> Any:
        if m.late is None:
            m.late = nn.Linear(8, 3)
        return m.late(x)

    module = Graph(forward, late=None)
    found = profile(module, (8,))
    assert (found.macs, found.status, sum(each.elements for each in found.uncounted)) == (24, "partial", 27)
    assert module.late is None


@in_each_place
@pytest.mark.usefixtures("place")
def test_operations_in_other_threads_are_listed() -> None:
    def forward(m: Any, x: Tensor) -> Any:
        with ThreadPoolExecutor(1) as threads:
            return m.here(x) + threads.submit(m.work, m, x).result()

    for work in (lambda m, x: m.there(x), lambda m, x: x @ m.there.weight.T):
        found = profile(Graph(forward, here=nn.Linear(8, 3), there=nn.Linear(8, 3), work=work), (8,))
        assert (found.macs, found.params, found.status) == (24, 54, "partial")
        assert {each.operation for each in found.uncounted} == {THREAD}
    assert threading.getprofile() is None


def in_started_thread() -> Callable[..., Any]:
    """Return a function that computes in a thread that runs already."""
    jobs: queue.Queue[Any] = queue.Queue()
    results: queue.Queue[Any] = queue.Queue()

    def work() -> None:
        while True:
            function, *args = jobs.get()
            results.put(function(*args))

    threading.Thread(target=work, daemon=True).start()
    return lambda *job: (jobs.put(job), results.get())[1]


def in_new_thread(function: Callable[..., Any], *args: Any) -> Any:
    results: queue.Queue[Any] = queue.Queue()
    _thread.start_new_thread(lambda: results.put(function(*args)), ())
    return results.get()


@in_each_place
@pytest.mark.usefixtures("place")
def test_operations_in_threads_that_run_already_are_listed() -> None:
    """A copy has no such thread, so it waits for ever, which is recognised at once."""
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()
    weights, start = nn.Parameter(torch.ones(8, 3)), time.monotonic()
    for run in (lambda *job: pool.submit(*job).result(), in_started_thread(), in_new_thread):
        for module in (
            Graph(lambda m, x: m.run(torch.mm, x, m.w), run=run, w=weights),
            Graph(lambda m, x: m.run(torch.mm, x, m.w) + 1 if x.sum() == 0 else None, run=run, w=weights),
        ):
            found = profile(module, (8,))
            assert (found.macs, found.status) == (0, "partial")
            assert {each.operation for each in found.uncounted} == {THREAD}
    assert time.monotonic() - start < 30
    assert profile(Graph(lambda m, x: x @ torch.ones(8, 3) + torch.Tensor([1.0, 2, 3])), (8,)).status == "complete"


class Forked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Any:
        return torch.jit.wait(torch.jit.fork(self.layer, x))  # type: ignore[no-untyped-call]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tasks_of_torchscript_are_counted() -> None:
    script = torch.jit.script(Forked())  # type: ignore[no-untyped-call]
    for _ in range(2):
        found = profile(script, (8,))
        assert (found.macs, found.params, found.status) == (24, 27, "complete")
        # The next copy has no thread of the pool that this starts.
        script(torch.zeros(1, 8))


def test_processes_that_the_pass_starts_are_listed() -> None:
    def forward(m: Any, x: Tensor) -> Any:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return m.layer(x)

    found = profile(Graph(forward, layer=nn.Linear(8, 3)), (8,))
    assert (found.macs, found.uncounted) == (24, (Uncounted(PROCESS, "", 1, 0),))


# --- compiled code ---------------------------------------------------------------------------------------------------


@in_each_place
@pytest.mark.parametrize("fullgraph", [False, True])
@pytest.mark.parametrize("warm", [False, True], ids=["new", "compiled"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("place")
def test_compiled_code_stays_in_use(fullgraph: bool, warm: bool) -> None:
    ran = []

    def backend(graph: Any, examples: Any) -> Any:
        def run(*args: Any) -> Any:
            ran.append(1)
            return graph.forward(*args)

        return run

    torch._dynamo.reset()
    inner = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU()).eval()
    module = torch.compile(inner, backend=backend, fullgraph=fullgraph)

    def three_calls() -> int:
        ran.clear()
        with torch.no_grad():
            for _ in range(3):
                module(torch.zeros(1, 3, 8, 8))
        return len(ran)

    if warm:
        assert three_calls() == 3
    assert profile(module, (3, 8, 8)).macs == 8 * 8 * 27 * 16
    assert profile(nn.Sequential(module, nn.Conv2d(16, 2, 1)), (3, 8, 8)).macs == 8 * 8 * (27 * 16 + 32)
    assert three_calls() == 3


# --- TorchScript -----------------------------------------------------------------------------------------------------


def scripted(*, loaded: bool = False) -> Any:
    module = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 10)
    )
    script = torch.jit.script(module)  # type: ignore[no-untyped-call]
    if loaded:
        file = io.BytesIO()
        torch.jit.save(script, file)  # type: ignore[no-untyped-call]
        file.seek(0)
        script = torch.jit.load(file)  # type: ignore[no-untyped-call]
    return script


@in_each_place
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("place")
def test_torchscript() -> None:
    macs, params = 8 * 8 * 27 * 16 + 1024 * 10, 448 + 32 + 10250
    for script in (scripted(), scripted(loaded=True)):
        before = {name: tensor.clone() for name, tensor in script.state_dict().items()}
        for module in (script, nn.Sequential(nn.ReLU(), script, nn.Linear(10, 2))):
            found = profile(module, (3, 8, 8))
            more = module is not script
            assert (found.macs, found.params, found.status) == (macs + 20 * more, params + 22 * more, "complete")
        assert script.training
        assert all(torch.equal(tensor, before[name]) for name, tensor in script.state_dict().items())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_parameters_of_torchscript_that_share_memory() -> None:
    """Each of them counts, as in `module.parameters()`."""
    same = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
    same[1].weight.data = same[0].weight.data
    vector = nn.Sequential(nn.Linear(5, 10), nn.Linear(10, 2), nn.BatchNorm1d(2))
    flat = nn.utils.parameters_to_vector(vector.parameters()).detach()
    nn.utils.vector_to_parameters(flat, vector.parameters())
    for module in (same, vector):
        script = torch.jit.script(module)  # type: ignore[no-untyped-call]
        for each in (module, script, nn.Sequential(script)):
            found = profile(each, (5,))
            assert found.params == sum(parameter.numel() for parameter in module.parameters())
            assert [row.params for row in found.rows] == [row.params for row in profile(module, (5,)).rows]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("optimize", [torch.jit.freeze, torch.jit.optimize_for_inference])
def test_weights_that_torchscript_turned_into_constants_are_listed(optimize: Callable[[Any], Any]) -> None:
    found = profile(optimize(scripted().eval()), (3, 8, 8))
    assert (found.params, found.status) == (0, "partial")
    assert STRAY in [each.operation for each in found.uncounted]
    if optimize is torch.jit.freeze:
        assert (found.macs, found.uncounted[0].elements) == (8 * 8 * 27 * 16 + 10240, 448 + 10250)
    else:
        assert "prim::mkldnn_convolution" in [each.operation for each in found.uncounted]


# --- the copy of the process -----------------------------------------------------------------------------------------


def test_code_of_torch_runs_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass of layers without hooks can be undone, so no copy is necessary."""
    monkeypatch.setattr("effviz.backend.profile.isolated", lambda *args: pytest.fail("copied"))
    assert profile(nn.Sequential(nn.Linear(8, 3), nn.GELU()), (8,)).macs == 24


def test_custom_code_runs_in_a_copy() -> None:
    class Custom(nn.Linear):
        pass

    hooked, patched, compiled = nn.Linear(8, 3), nn.Linear(8, 3), nn.Linear(8, 3)
    hooked.register_forward_hook(lambda m, args, output: None)
    patched.forward = lambda x: x  # type: ignore[assignment]
    compiled.compile(backend="eager")
    for module in (Custom(8, 3), hooked, patched, compiled, nn.TransformerEncoderLayer(8, 2, activation=lambda x: x)):
        assert not is_harmless(nn.Sequential(nn.ReLU(), module))


def test_the_result_of_a_call() -> None:
    assert isolation.isolated(sum, [1, 2]) == 3
    assert isolation.isolated(os.getpid) != os.getpid()


class TwoArgumentsError(Exception):
    """It can be pickled, but not restored."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(first)


def test_exceptions_of_the_copy() -> None:
    def fail(m: Any, x: Tensor) -> None:
        raise TwoArgumentsError("first", x)

    with pytest.raises(
        DesignError, match=r"^the forward pass fails on an input of 1 × 8: TwoArgumentsError: first$"
    ) as caught:
        profile(Graph(fail), (8,))
    assert str(caught.value.__cause__) == "TwoArgumentsError: first"
    assert "raise TwoArgumentsError" in caught.value.__cause__.__notes__[0]


@pytest.mark.parametrize(
    ("end", "reason"), [(lambda: os.kill(os.getpid(), 9), "signal 9"), (lambda: os._exit(3), "status 3")]
)
def test_the_end_of_the_process(end: Callable[[], None], reason: str) -> None:
    with pytest.raises(DesignError, match=rf"^the forward pass ends the process with {reason}$"):
        profile(Graph(lambda m, x: end()), (8,))


def test_a_copy_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait for a lock is certain to last; another one may end."""
    lock = threading.Lock()
    with lock, pytest.raises(StalledError) as caught:
        isolation.isolated(lock.acquire)
    assert caught.value.certain
    assert isolation.isolated(lambda: (time.sleep(1), os.getpid())[1]) != os.getpid()
    monkeypatch.setattr(isolation, "_STALL_SECONDS", 0.1)
    with pytest.raises(StalledError) as caught:
        isolation.isolated(time.sleep, 60)
    assert not caught.value.certain


def test_a_lock_that_a_thread_held_at_the_first_copy() -> None:
    """The second copy computes."""
    held, release = threading.Lock(), threading.Timer(0.3, lambda: held.release())
    held.acquire()
    release.start()
    assert isolation.isolated(lambda: (held.acquire(), os.getpid())[1]) != os.getpid()
    release.join()
