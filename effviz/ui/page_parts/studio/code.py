"""Code and downloads of the Studio page: PyTorch, calls of libraries, Keras and ONNX."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.export import export_keras, export_torch, library_calls, nearest_call
from effviz.export.library import Nearest
from effviz.studies.studio import is_costly
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, missing, too_long
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.downloads import File, download, downloads, file_name, report_file
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.live_latency import Reading

FORMATS = ("PyTorch", "Library call", "Keras", "ONNX")
MOST_PARAMS = 10_000_000
"""Parameters of the largest ONNX file that the page makes, of 40 MB."""

_LONGEST_LIST = 6
_one_at_a_time = threading.Lock()


@remembered
def source(design: effviz.Design) -> str:
    """Export a design as PyTorch code."""
    return export_torch(design)


@remembered
def keras_source(design: effviz.Design) -> str:
    """Export a design as Keras code."""
    return export_keras(design)


@remembered
def calls(design: effviz.Design) -> tuple[str, ...]:
    """Return the calls of other libraries that build a design."""
    return library_calls(design)


@remembered
def nearest(design: effviz.Design) -> Nearest | None:
    """Return the call of another library that builds the most similar network."""
    return nearest_call(design)


def onnx_bytes(design: effviz.Design) -> bytes:
    """Return a design as an ONNX file, made by a process that ends: the server loads no onnx and keeps no weights."""
    with tempfile.TemporaryDirectory() as folder, _one_at_a_time:
        file = Path(folder) / "network.onnx"
        command = [sys.executable, "-m", "effviz", "export", "-", "--format", "onnx", "-o", str(file)]
        done = subprocess.run(command, input=design.to_json(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the ONNX file was not made: {done.stderr.strip()}")
        return file.read_bytes()


def code(here: Bench) -> None:
    """Show the network in the chosen format."""
    # Older links contain the state of an expander around the code.
    links.idle("code")
    design = here.design
    if design is None or not here.is_whole:
        missing(here)
        return
    form = inputs.choice("Format", FORMATS, "code_format", default=FORMATS[0], width=240)
    stem = file_name(here.draft.frame.name or "network")
    if form == "PyTorch":
        text = source(design)
        _listing(text, "import only torch", File("PyTorch code", f"{stem}.py", lambda: text, "format_torch"))
    elif form == "Keras":
        costly = is_costly(here.draft)
        found = calculated("Keras code", keras_source, design) if costly else keras_source(design)
        if found is not None:
            text = found
            _listing(text, "import only Keras", File("Keras code", f"{stem}_keras.py", lambda: text, "format_keras"))
    elif form == "ONNX":
        _onnx(here, design, stem)
    else:
        _library(here, design)


def _listing(text: str, imports: str, file: File) -> None:
    """Show a source file with its download."""
    st.markdown(
        f"{text.count(chr(10))} lines of code that {imports}. As a script, the code checks its parameter count."
    )
    download(file)
    st.code(text, language="python", line_numbers=True, height=420)


def _library(here: Bench, design: effviz.Design) -> None:
    known = calls(design)
    if known:
        st.markdown("The same network in other libraries, with equal parameters and multiply-adds:")
        st.code("\n".join(known), language="python")
        return
    close = nearest(design)
    if close is None:
        st.markdown("No call of torchvision or timm is known to build this network, and none is similar.")
        return
    params = effviz.analyze(design).params
    paths = ", ".join(f"`{each}`" for each in close.differing[:_LONGEST_LIST] if each.isprintable() and "`" not in each)
    more = len(close.differing) - _LONGEST_LIST
    st.markdown(
        f"No known call builds exactly this network. The nearest one has {exact(close.params)} parameters instead of "
        f"{exact(params)}. {len(close.differing)} of {close.blocks} blocks differ: {paths}"
        f"{f' and {more} more' if more > 0 else ''}."
    )
    st.code(close.text, language="python")


def _onnx(here: Bench, design: effviz.Design, stem: str) -> None:
    params = effviz.analyze(design).params
    st.markdown(
        "A file of opset 17 with random weights, drawn as PyTorch initializes a network. Its input `image` is a batch "
        f"of any size. It has {exact(params)} parameters of 4 bytes."
    )
    if params > MOST_PARAMS:
        st.markdown(f"This page makes files of up to {exact(MOST_PARAMS)} parameters. On your computer:")
    else:
        download(File("ONNX file", f"{stem}.onnx", _making(design), "format_onnx"))
        st.markdown("The same file from the command line:")
    st.code(f"effviz export {stem}.json --format onnx -o {stem}.onnx", language="sh")
    st.caption(f"{stem}.json is the design, which the part Downloads contains.")


def _making(design: effviz.Design) -> Callable[[], bytes]:
    return lambda: onnx_bytes(design)


def files(here: Bench, convention: Convention, chosen: Limits, reading: Reading) -> None:
    """Show the downloads of code, JSON and the report with its limits, and the link."""
    stem, draft, design = file_name(here.draft.frame.name or "network"), here.draft, here.design
    entries = [File("Design as JSON", f"{stem}.json", lambda: draft.to_json(indent=2))]
    if design is not None and here.is_whole:
        entries.insert(0, File("PyTorch code", f"{stem}.py", lambda: source(design)))
        if here.report is not None:
            latency = None if reading.latency is None else reading.latency.median_ms
            entries.append(
                report_file(
                    here.report, convention, stem, budgets=chosen.budgets, dtype=chosen.dtype, source=chosen.source,
                    latency_ms=latency,
                )
            )  # fmt: skip
    with downloads(*entries):
        if too_long(draft):
            notice("The design is too long for a link. Share the JSON instead.")
