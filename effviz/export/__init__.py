"""A design as PyTorch source: one runnable file that imports torch alone and reads as if written by hand.

The parameters of its module have the names and the order of those of `effviz.build`, so weights load both ways.
Importing this package imports no torch.
"""

from effviz.core.arguments import check_border
from effviz.export.library import library_calls
from effviz.export.network import SourceFile
from effviz.model.design import Design, as_design

__all__ = ["export_torch", "library_calls"]


def export_torch(design: Design) -> str:
    """Return `design` as the text of a Python file.

    The file has a class for every kind of block, stage tables with final widths, and the class of the network. Its
    `main` builds the network and asserts the number of parameters and the shape of the output.

    Raises:
        DesignError: the network cannot be built at its own resolution.
    """
    return SourceFile(as_design(design)).text()


check_border(globals())
