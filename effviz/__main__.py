"""``python -m effviz``: the command line, see `effviz.cli`."""

import signal
import sys

from effviz.cli import main

if __name__ == "__main__":
    code = main()
    # All is said. Another Ctrl-C would only disturb the end of the torch process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
