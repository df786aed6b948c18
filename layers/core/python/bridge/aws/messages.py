"""This module writes and reads the bodies of queue messages: ids and counts, as JSON.

A reader raises ValueError for a body of another form than its writer's.
"""

from __future__ import annotations

import json
from typing import Any

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.work_messages import PdfRequest, RunMessage, WriteBackMessage


def write_hint(hint: Hint) -> str:
    return _write(
        connection_id=hint.connection_id,
        record_kind=hint.record_kind.value,
        source_id=hint.source_id,
        reason=hint.reason.value,
        attempts=hint.attempts,
    )


def read_hint(body: str) -> Hint:
    content = _read(body)
    return Hint(
        connection_id=_text(content, "connection_id"),
        record_kind=RecordKind(_text(content, "record_kind")),
        source_id=_number(content, "source_id"),
        reason=HintReason(_text(content, "reason")),
        attempts=_number(content, "attempts"),
    )


def write_run(message: RunMessage) -> str:
    return _write(
        connection_id=message.connection_id,
        run_id=message.run_id,
        page_count=message.page_count,
    )


def read_run(body: str) -> RunMessage:
    content = _read(body)
    return RunMessage(
        connection_id=_text(content, "connection_id"),
        run_id=_text(content, "run_id"),
        page_count=_number(content, "page_count"),
    )


def write_pdf_request(request: PdfRequest) -> str:
    return _write(connection_id=request.connection_id, invoice_id=request.invoice_id)


def read_pdf_request(body: str) -> PdfRequest:
    content = _read(body)
    return PdfRequest(
        connection_id=_text(content, "connection_id"), invoice_id=_text(content, "invoice_id")
    )


def write_write_back(message: WriteBackMessage) -> str:
    put_off = {"times_put_off": message.times_put_off} if message.times_put_off else {}
    return _write(
        connection_id=message.connection_id, write_back_id=message.write_back_id, **put_off
    )


def read_write_back(body: str) -> WriteBackMessage:
    content = _read(body)
    return WriteBackMessage(
        connection_id=_text(content, "connection_id"),
        write_back_id=_text(content, "write_back_id"),
        times_put_off=_number({"times_put_off": 0, **content}, "times_put_off"),
    )


def _write(**content: str | int) -> str:
    return json.dumps(content, separators=(",", ":"))


def _read(body: str) -> dict[str, Any]:
    match json.loads(body):
        case dict() as content:
            return content
    raise ValueError("message is not an object")


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"message has no {name}")
    return value


def _number(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if type(value) is not int or value < 0:
        raise ValueError(f"message has no {name}")
    return value
