"""What every function does around its own work: logging that names the call, and a deadline."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from bridge.runtime.bootstrap import clock

Event = dict[str, Any]
Work = Callable[[Event], Any]
Handler = Callable[[Event, LambdaContext], Any]

_logger = Logger()


def function_entry(work: Work) -> Handler:
    """Make a handler of its work: structured logs with the request id, and a known deadline.

    The bridge's own loggers write through the same handler, so ``extra`` fields become JSON.
    Events are never logged: their bodies may hold what no log may hold (R9).
    """
    core = logging.getLogger("bridge")
    core.handlers = list(_logger.handlers)
    core.setLevel(_logger.log_level)
    core.propagate = False

    @functools.wraps(work)
    @_logger.inject_lambda_context(log_event=False, clear_state=True)
    def entered(event: Event, context: LambdaContext) -> Any:
        clock.begin(context.get_remaining_time_in_millis)
        return work(event)

    return entered
