"""Each process writes its logs to a folder of its own, so that runs at the same time stay apart."""

import functools
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from infra.config import PROJECT_ROOT

BUILD = PROJECT_ROOT / "build" / "local"
KEPT_FOLDERS = 10


@functools.cache
def log_folder() -> Path:
    """Return the folder in `build/local/logs` for everything that this process starts."""
    return new_log_folder(BUILD / "logs")


def new_log_folder(logs: Path) -> Path:
    """Make the folder `<time>-<process id>`, let `latest` lead to it, and remove old ones."""
    folder = logs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{os.getpid()}"
    folder.mkdir(parents=True)
    # Replaced as a whole: another process may do the same at this moment.
    link = logs / f".latest-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(logs / "latest")
    for old in sorted(logs.glob("[0-9]*-[0-9]*"))[:-KEPT_FOLDERS]:
        if not _is_running(int(old.name.rpartition("-")[2])):
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
