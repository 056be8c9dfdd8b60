"""Who imports whom: data flows one way, and the numbers need neither torch nor a browser."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import effviz

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "torchview", "thop", "streamlit", "plotly", "pandas", "numpy", "graphviz"}

# What each part of the engine may import, besides what those may import in turn.
BELOW = {
    "errors": set(),
    "rounding": set(),
    "layers": {"errors"},
    "fields": {"layers"},
    "blocks": {"fields", "rounding"},
    "trace": {"layers"},
    "widths": {"errors", "rounding"},
    "counts": {"cost"},
    "design": {"blocks", "counts", "widths"},
    "design_json": {"design"},
    "archs": {"design"},
    "scaling": {"report"},
    "cost": {"trace"},
    "memory": {"cost"},
    "kinds": {"trace"},
    "units": set(),
    "lint": {"report", "outline", "units"},
    "budgets": {"report"},
    "rewrite": {"layers"},
    "report": {"design", "memory", "kinds"},
    "published": {"archs", "report"},
    "outline": {"design"},
    "words": {"kinds"},
    "lessons": {"report", "outline", "words", "archs", "published", "scaling"},
    "torch_build": {"design"},
    "export": {"archs"},
    "torch_export": {"export"},
}
# `Design.to_json` and `from_json` are one line each into the module that knows the format.
LAZY = {("effviz.design", "effviz.design_json")}
# Lessons compute with arrays, which they load when asked.
ENGINE = set(BELOW) - {"torch_build", "lessons"}


class Import(NamedTuple):
    """One imported module: its name, and whether importing the file runs it."""

    name: str
    at_once: bool


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


SOURCES = sorted(ROOT.glob("effviz/**/*.py")) + sorted(ROOT.glob("pages/*.py")) + [ROOT / "app.py"]
MODULES = {_module(path): path for path in SOURCES}


def _imports(path: Path) -> Iterator[Import]:
    """Every import of a file but those for type checkers; `from package import module` names the module."""

    def visit(node: ast.AST, *, at_once: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from visit(child, at_once=at_once)
            return
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, at_once) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in MODULES else node.module, at_once)
        in_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_once=at_once and not in_function)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), at_once=True)


IMPORTS = {name: set(_imports(path)) for name, path in MODULES.items()}


def _part(module: str) -> str:
    """``"archs"`` of ``"effviz.archs.mobilenet"``."""
    return module.split(".")[1] if "." in module else module


def _allowed(part: str) -> set[str]:
    found, pending = {part}, [part]
    while pending:
        for below in BELOW[pending.pop()] - found:
            found.add(below)
            pending.append(below)
    return found


def _reached(module: str) -> dict[str, list[str]]:
    """Everything that importing a module loads, each with the way there; parents of a package are loaded too."""
    ways = {module: [module]}
    pending = [module]
    while pending:
        current = pending.pop()
        named = {each.name for each in IMPORTS.get(current, ()) if each.at_once}
        parents = {name.rpartition(".")[0] for name in named | {current} if "." in name}
        for name in named | parents:
            if name not in ways:
                ways[name] = [*ways[current], name]
                pending.append(name)
    return ways


def test_the_parser_sees_imports() -> None:
    """The tests below pass on nothing as well as on everything."""
    assert Import("torch", True) in IMPORTS["effviz.torch_build"]
    assert Import("effviz.torch_build", False) in IMPORTS["effviz"]
    assert Import("pandas", False) in IMPORTS["effviz.report"]
    assert Import("effviz.layers", True) in IMPORTS["effviz.trace"]
    assert Import("effviz.cost", True) in IMPORTS["effviz.memory"]
    assert "effviz.errors" in _reached("effviz.archs.mobilenet")
    assert _allowed("trace") == {"trace", "layers", "errors"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("effviz.") and _part(name) in BELOW])
def test_engine_imports_only_what_is_below(module: str) -> None:
    named = {each.name for each in IMPORTS[module] if each.name.split(".")[0] == "effviz"}
    wrong = {name for name in named if _part(name) not in _allowed(_part(module)) and (module, name) not in LAZY}
    assert not wrong


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("effviz.") and _part(name) in ENGINE])
def test_engine_needs_the_standard_library_only(module: str) -> None:
    outside = {each for each in IMPORTS[module] if each.name.split(".")[0] in HEAVY}
    # Tables are pandas', loaded by whoever asks for one.
    assert outside <= {Import("pandas", False)}
    known = {"effviz", *sys.stdlib_module_names, *HEAVY}
    assert not {each.name for each in IMPORTS[module] if each.name.split(".")[0] not in known}


def test_consumers_do_not_import_each_other() -> None:
    """Parameters are counted in one place: memory access reads them there."""
    consumers = {"cost", "memory", "torch_build", "torch_export", "lint"}
    for module, imports in IMPORTS.items():
        if _part(module) in consumers - {"lint"}:
            others = {_part(each.name) for each in imports if each.name.startswith("effviz.")} & consumers
            assert others <= {_part(module), *({"cost"} if _part(module) == "memory" else ())}, module


def test_imports_have_no_cycles() -> None:
    finished: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in finished:
            for each in sorted(IMPORTS[module]):
                # A package is loaded before its modules, which is no cycle of theirs.
                if each.at_once and each.name in MODULES and not module.startswith(each.name + "."):
                    visit(each.name, (*way, module))
            finished.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("effviz.charts")])
def test_charts_know_no_page(module: str) -> None:
    named = {each.name for each in IMPORTS[module]}
    assert not {name for name in named if name.split(".")[0] in ("streamlit", "torch", "pages", "app")}
    assert not {name for name in named if name.startswith("effviz.ui")}
    assert not {"streamlit", "torch"} & {name.split(".")[0] for name in _reached(module)}


PAGES = [name for name in MODULES if name.split(".")[0] in ("pages", "app") or name.startswith("effviz.ui")]


@pytest.mark.parametrize("module", PAGES)
def test_pages_never_load_torch(module: str) -> None:
    """The torch process is another one: torch takes a second and 200 MB, and pages are drawn in this one."""
    forbidden = ("torch", "torchview", "thop", "effviz.torch_build", "effviz.recording", "effviz.timing")
    named = {each.name for each in IMPORTS[module]}
    assert not {name for name in named for each in forbidden if name == each or name.startswith(each + ".")}
    ways = _reached(module)
    assert not {" -> ".join(way) for name, way in ways.items() if name.split(".")[0] in ("torch", "torchview", "thop")}


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith(("effviz.ui", "pages", "app"))])
def test_only_pages_know_pages(module: str) -> None:
    named = {each.name for each in IMPORTS[module]}
    assert not {name for name in named if name.split(".")[0] in ("pages", "app", "streamlit")}
    assert not {name for name in named if name.startswith("effviz.ui")}


SESSION = """
import sys
import effviz

def loaded():
    return {name.partition(".")[0] for name in sys.modules} & {"torch", "streamlit", "pandas", "numpy", "plotly"}

assert not loaded(), f"import loads {loaded()}"
design = effviz.architecture("efficientnet_b3", width_mult=0.9)
report = effviz.analyze(effviz.compound_scale(design, 1), memory="eager")
assert effviz.Design.from_json(design.to_json()) == design
repr(report), report.params, report.macs, report.flops, report.memory_access, report.peak_activation, report.steps
for name in effviz.list_architectures():
    effviz.analyze(effviz.architecture(name))
try:
    effviz.analyze("mobilenet_v2")
except effviz.DesignError:
    pass
assert not loaded(), f"analyze loads {loaded()}"
assert len(report.table)
assert loaded() <= {"pandas", "numpy"}, f"table loads {loaded()}"
effviz.build(effviz.architecture("mobilenet_v2"), device="meta")
assert loaded() == {"pandas", "numpy", "torch"}, f"build loads {loaded()}"
"""


def test_a_session_loads_what_it_uses() -> None:
    subprocess.run([sys.executable, "-c", SESSION], cwd=ROOT, check=True, timeout=120)


def test_public_names_exist_without_torch() -> None:
    """`from effviz import *` and tab completion must not start torch either."""
    code = (
        "import sys, effviz; names = {name: getattr(effviz, name) for name in effviz.__all__}; dir(effviz); "
        "assert sorted(effviz.__all__) == sorted(set(effviz.__all__)); "
        "assert all(value.__doc__ or isinstance(value, dict) for value in names.values()); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


LATENCY = """
import sys
import effviz

assert "effviz.latency" not in sys.modules, "nobody has asked for it"
from effviz import Latency, LatencyError
module = sys.modules["effviz.latency"]
assert effviz.Latency is Latency is module.Latency
assert effviz.LatencyError is LatencyError is module.LatencyError
assert issubclass(LatencyError, RuntimeError)
assert not {"torch", "streamlit", "pandas", "numpy"} & set(sys.modules)
"""


def test_latency_is_loaded_when_it_is_named() -> None:
    subprocess.run([sys.executable, "-c", LATENCY], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("name", ["Latencies", "torch", "__path", "latencyerror"])
def test_names_that_are_not_there_raise(name: str) -> None:
    assert not hasattr(effviz, name)
    with pytest.raises(AttributeError, match=f"^module 'effviz' has no attribute '{name}'$"):
        getattr(effviz, name)
