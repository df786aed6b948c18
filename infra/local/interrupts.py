"""Ctrl-C and SIGTERM end `make local` and `make demo` at any moment, with one line.

The handler ends the program itself. An exception could come up inside an import or a destructor,
where Python prints it and goes on. All that was started hangs on leashes (see `leash.py`) and needs
no exception to end.
"""

import contextlib
import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT_BASE = 128  # as shells count: 130 after Ctrl-C
_STANDARD_OUTPUT = 1
_AFTER_PROGRESS_BAR = "\x1b[?25h\n"  # on a terminal a bar hides the cursor and leaves its line open

# The leashes that this process holds: the leash's process id, and the pipe that holds it.
_held: dict[int, int] = {}


def end_on_interrupt() -> None:
    """Let a signal end this program, from now on, with everything that it starts."""
    for number in _SIGNALS:
        signal.signal(number, _end)


def hold(process_id: int, pipe: int) -> None:
    """Note a leash that a signal has to let go of."""
    _held[process_id] = pipe


def forget(process_id: int) -> None:
    """Drop a leash that has ended."""
    _held.pop(process_id, None)


def _end(number: int, _frame: FrameType | None) -> None:
    """Let go of all leashes and wait until they have ended; a second signal ends the wait.

    Locks and buffered streams are left alone: the interrupted code may be inside of one.
    """
    for each in _SIGNALS:
        signal.signal(each, _end_now)
    _say(_AFTER_PROGRESS_BAR if os.isatty(_STANDARD_OUTPUT) else "")
    _say("interrupted: ending everything that was started ... ")
    for pipe in _held.values():
        with contextlib.suppress(OSError):
            os.close(pipe)
    for process_id in _held:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process_id, 0)
    _say("ended\n")
    _end_now(number, None)


def _end_now(number: int, _frame: FrameType | None) -> None:
    os._exit(_EXIT_BASE + number)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read the output may have gone
        os.write(_STANDARD_OUTPUT, text.encode())
