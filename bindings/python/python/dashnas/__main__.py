"""The command `dashnas`, as `python -m dashnas` and as the script of that name."""

from __future__ import annotations

import signal
import sys

from dashnas import _dashnas


def main() -> int:
    """Runs the command line of this process as the program `dashnas` does, and returns the exit code."""
    # Python only notes Ctrl-C until it runs again, which it does not here: the system's default ends the process, and a
    # training takes the signal itself. Where the signal is ignored, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _dashnas.command(["dashnas", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
