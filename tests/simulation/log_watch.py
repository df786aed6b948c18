"""What the bridge logs in a world is looked at, and kept nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.simulation.world import World

_NO_EXTRAS = frozenset({"name", "levelno", "msg", "args", "exc_info"})


class _LightRecord(logging.LogRecord):
    """Knows what was logged, but neither when nor by which line, thread and process."""

    def __init__(self, *what: Any) -> None:
        self.name, self.levelno, _, _, self.msg, self.args, self.exc_info = what[:7]


class _LogWatcher(logging.Handler):
    """Notes the errors that batches swallow, and keeps secrets and people out of logs (R9)."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        identity = world.engine.tenant.identity
        self._secrets = (identity.private_key, identity.public_key, "simulated-callback", "@")

    def handle(self, record: logging.LogRecord) -> bool:
        """Look at a record. No lock is needed: a world lives in one thread."""
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        extras = [value for name, value in vars(record).items() if name not in _NO_EXTRAS]
        text = f"{message} {record.exc_info} {extras}"
        for secret in self._secrets:
            if secret in text:
                self._world.violate("no secrets in logs", message)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._world.note_error(message, error)


@contextmanager
def watched_logs(world: World) -> Iterator[None]:
    """Show the world whatever the bridge logs, and nobody else."""
    logger = logging.getLogger("bridge")
    watcher = _LogWatcher(world)
    level, propagate, factory = logger.level, logger.propagate, logging.getLogRecordFactory()
    logger.addHandler(watcher)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.setLogRecordFactory(_LightRecord)
    try:
        with patch.object(logging, "_srcfile", None):
            yield
    finally:
        logging.setLogRecordFactory(factory)
        logger.removeHandler(watcher)
        logger.setLevel(level)
        logger.propagate = propagate
