"""``python -m effviz`` and ``effviz``: the command line, see `effviz.cli`."""

import signal
import sys
from typing import NoReturn

from effviz.cli import main


def run() -> NoReturn:
    """Run the command line of this process and exit."""
    code = main()
    # The output is complete. A second Ctrl-C would only interrupt the shutdown of the torch process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    run()
