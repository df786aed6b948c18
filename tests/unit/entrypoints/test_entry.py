"""Around every function: the deadline is known, logs name the call, and events are not logged."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any, cast

import pytest

from bridge.aws.clock import worker_clock
from bridge.entrypoints import entry
from bridge.entrypoints.entry import LambdaContext, function_entry, http_entry, step_entry

CANARY = "canary-that-no-log-may-hold"


@dataclass
class Context:
    remaining_ms: int = 90_000
    function_name: str = "record_sync"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:record_sync"
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def context(remaining_ms: int = 90_000) -> LambdaContext:
    return cast(LambdaContext, Context(remaining_ms))


@pytest.fixture(autouse=True)
def log() -> Iterator[StringIO]:
    """What is logged. The wrapper takes the bridge's logger over; other tests want it back."""
    written = StringIO()
    handler = entry._logger.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    stream = handler.setStream(written)
    logger = logging.getLogger("bridge")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield written
    handler.setStream(stream)
    logger.handlers, logger.propagate = handlers, propagate
    logger.setLevel(level)
    worker_clock._remaining_ms = None


def test_work_gets_the_event_and_its_answer_goes_back() -> None:
    handler = function_entry(lambda event: {"echo": event["value"]})

    assert handler({"value": 3}, context()) == {"echo": 3}


def test_each_invocation_has_its_own_deadline() -> None:
    seen = []
    handler = function_entry(lambda _event: seen.append(worker_clock.remaining_seconds()))

    handler({}, context(90_000))
    handler({}, context(2_500))

    assert seen == [90.0, 2.5]


def test_a_step_has_its_own_time_within_the_invocations() -> None:
    seen = []
    handler = step_entry(60)(lambda _event: seen.append(worker_clock.remaining_seconds()))

    handler({}, context(90_000))
    handler({}, context(2_500))

    assert seen == [60.0, 2.5]


def test_a_handler_may_look_at_the_context_itself() -> None:
    handler = http_entry(lambda _event, given: given.aws_request_id)

    assert handler({}, context()) == "request-1"


def test_the_bridges_own_log_lines_are_json_that_names_the_call(log: StringIO) -> None:
    def work(_event: dict[str, Any]) -> None:
        logging.getLogger("bridge.sync.anything").info("said", extra={"connection_id": "c1"})

    function_entry(work)({}, context())

    line = json.loads(log.getvalue().splitlines()[-1])
    assert line["message"] == "said"
    assert line["connection_id"] == "c1"
    assert line["function_request_id"] == "request-1"


def test_the_event_is_in_no_log(log: StringIO) -> None:
    def work(_event: dict[str, Any]) -> None:
        logging.getLogger("bridge.sync.anything").info("said")

    function_entry(work)({"body": CANARY}, context())

    assert log.getvalue()
    assert CANARY not in log.getvalue()


def test_a_failure_goes_on_to_lambda() -> None:
    def work(_event: dict[str, Any]) -> None:
        raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError):
        function_entry(work)({}, context())
