"""The command line: ``effviz`` or ``python -m effviz``."""

from effviz.cli.commands import main

__all__ = ["main"]
