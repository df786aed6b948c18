"""Runs a command that must not outlive whoever started it.

`python leash.py SCRATCH COMMAND...` reads its standard input and nothing else. The starter holds
the other end: when it closes it, or dies in whatever way, the command and all processes of its
group are ended and the scratch folder is removed. No signal handler and no `atexit` of the
starter could promise that.

The removal goes on after the leash has ended: what dozens of workers unpacked takes minutes on some
disks, and neither a demo nor a Ctrl-C should wait for it or break it off.
"""

import os
import signal
import subprocess
import sys
import threading

_GRACE_SECONDS = 1.0
_STANDARD_INPUT = 0
_REMOVE = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"


def main(scratch: str, command: list[str]) -> int:
    """Run the command until it ends or the starter lets go. Returns the command's exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_when_let_go, args=(child.pid,), daemon=True).start()
    code = child.wait()
    # The command itself is gone; what it started may not be.
    _signal_group(child.pid, signal.SIGKILL)
    subprocess.Popen(
        [sys.executable, "-I", "-c", _REMOVE, scratch],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return code


def _end_when_let_go(group: int) -> None:
    # Not `sys.stdin`: its lock, held by a thread, aborts the interpreter's end.
    os.read(_STANDARD_INPUT, 1)
    _signal_group(group, signal.SIGTERM)
    threading.Timer(_GRACE_SECONDS, _signal_group, args=(group, signal.SIGKILL)).start()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    # The starter decides when this ends. A handler and not SIG_IGN, which the command would
    # inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
