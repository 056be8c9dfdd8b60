"""The command line: ``effviz``, or ``python -m effviz`` in a checkout.

$ effviz check mobilenet_v2 --max-macs 300M --max-params 4M
MobileNetV2 (mobilenet_v2), input 3 x 224 x 224
Sizes in bytes: float32, batch 1. Memory access: fused.

pass  parameters       3,504,872  limit    4,000,000    12 % left
FAIL  multiply-adds  300,774,272  limit  300,000,000    over by 774,272 (0.3 %)

A command computes its whole output before it prints, so that a script receives all of it or nothing. An error is one
line on standard error, without a traceback.

=========  ==========================================================================
exit code  meaning
=========  ==========================================================================
0          success; every limit is kept
1          ``check``: a limit is exceeded, or ``--strict-lint`` is set with findings;
           ``find``: no network fits; ``fit``: no variant is found
2          wrong input, or the command failed; standard error has the reason
70         a fault in effviz; standard error has the type of the exception
130        interrupted with Ctrl-C
141        the reader of the output closed the pipe, as in ``| head``
=========  ==========================================================================
"""

from effviz.cli import find, fit, identified, microcontroller, reconcile, search
from effviz.cli.commands import main

__all__ = ["find", "fit", "identified", "main", "microcontroller", "reconcile", "search"]
