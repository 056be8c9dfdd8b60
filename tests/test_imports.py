"""The direction of imports: a folder of effviz imports only folders that `FOLDERS` lists before it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cases import for_each

import effviz

ROOT = Path(__file__).parents[1]

# The one list: data flows from the first folder to the last.
FOLDERS = (
    "core", "model", "zoo", "count", "advice", "backend", "worker", "studies", "export", "measure", "lessons", "charts",
    "ui", "cli",
)  # fmt: skip
# Folders that need nothing but the standard library; functions that return a table load pandas.
STANDARD_LIBRARY = ("core", "model", "zoo", "count", "advice", "export")
# Folders that never load torch or streamlit, directly or through another module.
ENGINE = (*STANDARD_LIBRARY, "studies", "charts")
TORCH = ("torch", "torchview", "thop")
HEAVY = {*TORCH, "streamlit", "plotly", "pandas", "numpy", "graphviz", "onnx"}


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


def _folder(module: str) -> str:
    """``"zoo"`` of ``"effviz.zoo.mobilenet"``; empty for a module of the top level and outside effviz."""
    parts = module.split(".")
    return parts[1] if parts[0] == "effviz" and len(parts) > 1 and parts[1] in FOLDERS else ""


def _reached(module: str) -> dict[str, list[str]]:
    """Every module that importing `module` loads, with the path to it; parents of a package are loaded too."""
    paths = {module: [module]}
    pending = [module]
    while pending:
        current = pending.pop()
        named = {each.name for each in IMPORTS.get(current, ()) if each.at_once}
        parents = {name.rpartition(".")[0] for name in named | {current} if "." in name}
        for name in named | parents:
            if name not in paths:
                paths[name] = [*paths[current], name]
                pending.append(name)
    return paths


def _in(folders: tuple[str, ...]) -> list[str]:
    return [name for name in MODULES if _folder(name) in folders]


def test_the_parser_sees_imports() -> None:
    """Without this test, a parser that finds no import would pass all others."""
    assert Import("torch", True) in IMPORTS["effviz.backend.build"]
    assert Import("effviz.backend.build", False) in IMPORTS["effviz"]
    assert Import("pandas", False) in IMPORTS["effviz.count.report"]
    assert Import("effviz.model.layers", True) in IMPORTS["effviz.model.trace"]
    assert Import("effviz.count.cost", True) in IMPORTS["effviz.count.memory"]
    assert "effviz.core.errors" in _reached("effviz.zoo.mobilenet")


def test_every_folder_is_in_the_list() -> None:
    folders = {path.parent.relative_to(ROOT / "effviz").parts[:1] for path in ROOT.glob("effviz/**/*.py")}
    assert {parts[0] for parts in folders if parts} == set(FOLDERS)


@for_each("module", _in(FOLDERS))
def test_a_folder_imports_only_folders_before_it(module: str) -> None:
    allowed = FOLDERS[: FOLDERS.index(_folder(module)) + 1]
    named = {each.name for each in IMPORTS[module] if _folder(each.name)}
    assert not {name for name in named if _folder(name) not in allowed}


@for_each("module", _in(FOLDERS[: FOLDERS.index("ui")]))
def test_the_public_faces_are_for_callers_of_effviz(module: str) -> None:
    """`effviz`, `effviz.scaling` and the like import the folders, not the other way round."""
    named = {each.name for each in IMPORTS[module] if each.name.split(".")[0] in ("effviz", "pages", "app")}
    assert not {name for name in named if not _folder(name)}


def test_modules_and_files_are_built_without_counts() -> None:
    """`build` and the body of an exported file have no parameters from effviz, so they can be checked against it."""

    def named(module: str) -> set[str]:
        return {each.name for each in IMPORTS[module] if _folder(each.name)}

    assert {_folder(name) for name in named("effviz.backend.build")} == {"core", "model"}
    exports = {name for module in _in(("export",)) for name in named(module)}
    assert not {name for name in exports if _folder(name) in ("advice", "backend", "worker", "studies")}
    assert {name for name in exports if _folder(name) == "count"} == {"effviz.count.totals"}, "checks of the result"
    assert {name for name in named("effviz.count.cost") if _folder(name) == "count"} == set()
    assert {name for name in named("effviz.count.memory") if _folder(name) == "count"} <= {
        "effviz.count", "effviz.count.cost",
    }, "parameters are counted in one place"  # fmt: skip


@for_each("module", _in(STANDARD_LIBRARY))
def test_the_engine_needs_the_standard_library_only(module: str) -> None:
    outside = {each for each in IMPORTS[module] if each.name.split(".")[0] in HEAVY}
    # An ONNX file is written with numpy and onnx.
    of_onnx = {"numpy", "onnx"} if module == "effviz.export.onnx_file" else set()
    assert {each for each in outside if each.name not in of_onnx} <= {Import("pandas", False)}
    assert not {each for each in IMPORTS[module] if each.name in of_onnx and each.at_once}
    known = {"effviz", *sys.stdlib_module_names, *HEAVY, *of_onnx}
    assert not {each.name for each in IMPORTS[module] if each.name.split(".")[0] not in known}


@for_each("module", _in(ENGINE))
def test_the_engine_loads_neither_torch_nor_streamlit(module: str) -> None:
    assert not {
        " -> ".join(path) for name, path in _reached(module).items() if name.split(".")[0] in (*TORCH, "streamlit")
    }


@for_each("module", [name for name in MODULES if not name.startswith(("effviz.ui", "pages", "app"))])
def test_only_the_app_imports_streamlit(module: str) -> None:
    assert not {each.name for each in IMPORTS[module] if each.name.split(".")[0] == "streamlit"}


PAGES = [name for name in MODULES if name.split(".")[0] in ("pages", "app") or name.startswith("effviz.ui")]


@for_each("module", PAGES)
def test_pages_never_load_torch(module: str) -> None:
    """Torch takes a second and 200 MB, and belongs to its own process: neither at once nor inside a function."""
    named = {each.name for each in IMPORTS[module]}
    assert not {name for name in named if name.split(".")[0] in TORCH or _folder(name) == "backend"}
    assert not {" -> ".join(path) for name, path in _reached(module).items() if name.split(".")[0] in TORCH}


@for_each("module", [name for name in MODULES if name != "effviz.studies.search.storage"])
def test_only_a_running_search_loads_optuna(module: str) -> None:
    """It takes half a second, and the server never searches in its own process."""
    found = _reached(module)
    assert not {" -> ".join(path) for name, path in found.items() if name.split(".")[0] in ("optuna", "sqlalchemy")}


def test_imports_have_no_cycles() -> None:
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in finished:
            for each in sorted(IMPORTS[module]):
                # A package is loaded before its modules; that is no cycle.
                if each.name in MODULES and not module.startswith(each.name + "."):
                    visit(each.name, (*path, module))
            finished.add(module)

    for module in MODULES:
        visit(module, ())


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


@pytest.mark.processes
def test_a_session_loads_what_it_uses() -> None:
    subprocess.run([sys.executable, "-c", SESSION], cwd=ROOT, check=True, timeout=120)


@pytest.mark.processes
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

assert "effviz.measure.latency" not in sys.modules, "loaded before its first use"
from effviz import Latency, LatencyError
module = sys.modules["effviz.measure.latency"]
assert effviz.Latency is Latency is module.Latency
assert effviz.LatencyError is LatencyError is module.LatencyError
assert issubclass(LatencyError, RuntimeError)
assert not {"torch", "streamlit", "pandas", "numpy"} & set(sys.modules)
"""


@pytest.mark.processes
def test_latency_is_loaded_when_it_is_named() -> None:
    subprocess.run([sys.executable, "-c", LATENCY], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("name", ["Latencies", "torch", "__path", "latencyerror"])
def test_names_that_are_not_there_raise(name: str) -> None:
    assert not hasattr(effviz, name)
    with pytest.raises(AttributeError, match=f"^module 'effviz' has no attribute '{name}'$"):
        getattr(effviz, name)


PUBLIC_FOLDERS = ("studies", "export", "advice", "count", "zoo", "charts")
# Their functions run for every layer.
PER_LAYER = {"effviz.count.kinds", "effviz.count.totals", "effviz.count.words", "effviz.count.formulas"}


def test_functions_that_pages_and_commands_call_check_their_arguments() -> None:
    users = [name for name in MODULES if name.startswith(("effviz.ui.", "effviz.cli.", "effviz.lessons.", "pages."))]
    prefixes = tuple(f"effviz.{folder}" for folder in PUBLIC_FOLDERS)
    called: dict[str, set[str]] = {}
    for user in users:
        for node in ast.walk(ast.parse(MODULES[user].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(prefixes):
                called.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    unchecked = []
    for module in sorted(called.keys() & MODULES.keys() - PER_LAYER):
        text = MODULES[module].read_text(encoding="utf-8")
        functions = {each.name for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}
        if functions & called[module] and not text.endswith(("check_public(globals())\n", "check_border(globals())\n")):
            unchecked.append(module)
    assert unchecked == []


def test_a_class_name_means_one_thing() -> None:
    """Except for the parts of pages, which all have a `Choice`, and the torch module of a layer of the same name."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for name, path in MODULES.items():
        if not name.startswith("effviz.ui.page_parts."):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    modules[node.name].append(name)
    layer_and_module = ["effviz.backend.build", "effviz.model.layers.primitives"]
    assert not {each: found for each, found in modules.items() if len(found) > 1 and sorted(found) != layer_and_module}
