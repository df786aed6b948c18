"""The program starts a sandbox and ends it on Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again after it has shut down; it ends the program here.
        signal.signal(number, lambda *_: sys.exit(0))
    # The import takes a second, in which Ctrl-C already has to end the program quietly.
    from connectwise_sandbox.command_line import serve  # noqa: PLC0415

    return serve(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
