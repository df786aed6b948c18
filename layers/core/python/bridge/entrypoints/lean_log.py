"""The webhook receiver logs as the other functions do, with the standard library alone."""

from __future__ import annotations

import logging
import os
import sys

from bridge.log_fields import JsonLines, LogFieldsFilter


def begin_lean_log() -> None:
    """Have the bridge's loggers write lines of JSON that name their work."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    handler.addFilter(LogFieldsFilter())
    core = logging.getLogger("bridge")
    core.handlers = [handler]
    core.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    core.propagate = False
