"""Each line names its work, in whatever thread, and nothing of the work before."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from io import StringIO

import pytest

from bridge.log_fields import MAX_IDS_LISTED, JsonLines, LogFieldsFilter, add_log_fields, log_fields

_logger = logging.getLogger("bridge.test_log_fields")


@pytest.fixture
def lines() -> Iterator[StringIO]:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(LogFieldsFilter())
    handler.setFormatter(JsonLines())
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False
    yield written
    _logger.removeHandler(handler)
    _logger.propagate = True


def parsed(lines: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_names_the_work_around_it(lines: StringIO) -> None:
    with log_fields(partner_id="partner-1", connection_id="connection-1", source_ids=(7, 8)):
        _logger.info("hints wait", extra={"count": 2})
    (line,) = parsed(lines)
    assert line["partner_id"] == "partner-1"
    assert line["connection_id"] == "connection-1"
    assert line["source_ids"] == [7, 8]
    assert (line["message"], line["level"], line["count"]) == ("hints wait", "INFO", 2)


def test_the_names_end_with_the_work(lines: StringIO) -> None:
    with log_fields(partner_id="partner-1"):
        add_log_fields(connection_id="connection-1")
    _logger.info("idle")
    (line,) = parsed(lines)
    assert "partner_id" not in line
    assert "connection_id" not in line


def test_what_becomes_known_is_added_to_the_lines_that_follow(lines: StringIO) -> None:
    with log_fields(connection_id="connection-1"):
        _logger.info("before")
        add_log_fields(partner_id="partner-1")
        _logger.info("after")
    before, after = parsed(lines)
    assert "partner_id" not in before
    assert (after["partner_id"], after["connection_id"]) == ("partner-1", "connection-1")


def test_names_that_no_work_would_end_are_left_out(lines: StringIO) -> None:
    add_log_fields(partner_id="partner-1")
    _logger.info("idle")
    assert "partner_id" not in parsed(lines)[0]


def test_a_line_may_name_its_own(lines: StringIO) -> None:
    with log_fields(connection_id="connection-1"):
        _logger.info("moved", extra={"connection_id": "connection-2"})
    assert parsed(lines)[0]["connection_id"] == "connection-2"


def test_a_line_lists_a_few_ids_of_many(lines: StringIO) -> None:
    with log_fields(source_ids=tuple(range(200))):
        _logger.info("many")
    assert parsed(lines)[0]["source_ids"] == list(range(MAX_IDS_LISTED))


def test_what_is_unknown_is_left_out(lines: StringIO) -> None:
    with log_fields(partner_id="", source_ids=()):
        _logger.info("early")
    assert parsed(lines)[0].keys() == {"level", "message", "timestamp"}


def test_work_side_by_side_keeps_its_names_apart(lines: StringIO) -> None:
    def work(partner_id: str) -> None:
        with log_fields(partner_id=partner_id):
            _logger.info(partner_id)

    with log_fields(batch="b"), ThreadPoolExecutor(4) as pool:
        for number in range(40):
            pool.submit(copy_context().run, work, f"partner-{number}")
    found = parsed(lines)
    assert len(found) == 40
    assert all(line["partner_id"] == line["message"] and line["batch"] == "b" for line in found)


def test_an_exception_is_written_on_the_same_line(lines: StringIO) -> None:
    def fail() -> None:
        raise RuntimeError("boom")

    try:
        fail()
    except RuntimeError:
        _logger.exception("failed")
    (line,) = parsed(lines)
    assert "RuntimeError: boom" in str(line["exception"])
