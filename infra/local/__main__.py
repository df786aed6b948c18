"""`python -m infra.local NAME` starts a program of this folder: `demo` or `local`."""

import sys
from importlib import import_module

from infra.local.interrupts import end_on_interrupt

_PROGRAMS = {"demo": "infra.local.demo.play", "local": "infra.local.run"}


def main(arguments: list[str]) -> int:
    """Run the program that the command line names; return its exit status."""
    end_on_interrupt()
    if len(arguments) != 1 or arguments[0] not in _PROGRAMS:
        sys.exit(f"usage: python -m infra.local {' | '.join(_PROGRAMS)}")
    # Imported only now: it takes a second to load, and Ctrl-C may come meanwhile.
    status: int = import_module(_PROGRAMS[arguments[0]]).main()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
