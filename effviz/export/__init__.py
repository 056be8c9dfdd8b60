"""A design as PyTorch source: one runnable file that reads as written by hand and needs torch alone.

The file's module has the parameters of `effviz.build`, by the same names and in the same order: weights load both ways.
Importing this package imports no torch.
"""

from __future__ import annotations

from effviz.core.errors import fail
from effviz.export.library import library_calls
from effviz.export.network import File
from effviz.model.design import Design

__all__ = ["export_torch", "library_calls"]


def export_torch(design: Design) -> str:
    """`design` as the text of a Python file.

    A class for every kind of block, the stage table with final widths, a class of the network, and a `main` that builds
    it and asserts its number of parameters and the shape of its output.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    return File(design).text()
