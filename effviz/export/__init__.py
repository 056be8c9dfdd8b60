"""A design as PyTorch or Keras source, as an ONNX file, or as the call of a library that builds it.

A source is one runnable file that imports torch or Keras alone and reads as if written by hand. The parameters of the
torch module have the names and the order of those of `effviz.build`, so weights load both ways. Importing this package
imports none of them.
"""

from effviz.core.arguments import check_border
from effviz.export.keras_source import keras_source
from effviz.export.library import library_calls, nearest_call
from effviz.export.network import SourceFile
from effviz.export.onnx_file import onnx_file
from effviz.model.design import Design, as_design

__all__ = ["export_keras", "export_onnx", "export_torch", "library_calls", "nearest_call"]


def export_torch(design: Design) -> str:
    """Return `design` as the text of a Python file.

    The file has a class for every kind of block, stage tables with final widths, and the class of the network. Its
    `main` builds the network and asserts the number of parameters and the shape of the output.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    return SourceFile(as_design(design)).text()


def export_keras(design: Design) -> str:
    """Return `design` as the text of a Python file that imports only Keras 3.

    The file has a function for every kind of block. Maps are ``(height, width, channels)``. A layer has the name of its
    path with hyphens instead of dots. Padding, batch norm and activations are those of torch, so that outputs are equal
    for equal weights. `main` asserts the number of trainable parameters and the shape of the output.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    return keras_source(as_design(design))


def export_onnx(design: Design, seed: int = 0) -> bytes:
    """Return `design` as an ONNX file of opset 17 with random weights, which needs the package onnx.

    The input ``image`` is ``(batch, channels, height, width)`` at the design's own resolution, and the output is called
    ``output``. Weights have the names of the torch module and torch's initial distribution: uniform within
    ``1 / sqrt(inputs of an output)`` for convolutions and linear layers, 1 and 0 for norms.

    Raises:
        DesignError: the network cannot be built at its own resolution, or its file would exceed 2 GiB.
        ModuleNotFoundError: the package onnx is missing.
    """
    return onnx_file(as_design(design), seed)


check_border(globals())
