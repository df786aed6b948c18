"""The entry gives every function logging that names the call, and a deadline."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from bridge.aws.clock import worker_clock
from bridge.log_fields import LogFieldsFilter

Event = dict[str, Any]
Handler = Callable[[Event, LambdaContext], Any]

__all__ = ["Event", "Handler", "LambdaContext", "function_entry", "http_entry", "step_entry"]

_logger = Logger()
_names = LogFieldsFilter()


def function_entry(work: Callable[[Event], Any]) -> Handler:
    """Make a handler of work that needs the event only."""

    @functools.wraps(work)
    def handler(event: Event, _context: LambdaContext) -> Any:
        return work(event)

    return http_entry(handler)


def step_entry(seconds: float) -> Callable[[Callable[[Event], Any]], Handler]:
    """Make a handler of work that has so many seconds, and the invocation's rest to store it."""

    def entry_of(work: Callable[[Event], Any]) -> Handler:
        @functools.wraps(work)
        def handler(event: Event, context: LambdaContext) -> Any:
            worker_clock.begin(context.get_remaining_time_in_millis, step_seconds=seconds)
            return work(event)

        return http_entry(handler)

    return entry_of


def http_entry(handler: Handler) -> Handler:
    """Wrap a handler so that its logs carry the request id and its clock knows the deadline.

    The bridge's own loggers write through the same handler, so ``extra`` fields become JSON.
    Events may not be logged: their bodies may hold secrets (R9).
    """
    core = logging.getLogger("bridge")
    core.handlers = list(_logger.handlers)
    for each in core.handlers:
        each.addFilter(_names)
    core.setLevel(_logger.log_level)
    core.propagate = False

    @functools.wraps(handler)
    @_logger.inject_lambda_context(log_event=False, clear_state=True)
    def entered(event: Event, context: LambdaContext) -> Any:
        worker_clock.begin(context.get_remaining_time_in_millis)
        return handler(event, context)

    return entered
