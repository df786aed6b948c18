"""This module writes and reads the bodies of queue messages: ids and counts, as JSON.

A reader raises ValueError for a body of another form than its writer's.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.job import Job, Tick
from bridge.domain.work_messages import (
    JobMessage,
    PdfRequest,
    RunMessage,
    SigningKeyRequest,
    TickMessage,
    WriteBackMessage,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def write_hint(hint: Hint) -> str:
    return _write(
        connection_id=hint.connection_id,
        record_kind=hint.record_kind.value,
        source_id=hint.source_id,
        reason=hint.reason.value,
        attempts=hint.attempts,
        **({"partner_id": hint.partner_id} if hint.partner_id else {}),
        **({"came_at_ms": _milliseconds(hint.came_at)} if hint.came_at else {}),
        **_put_off(hint.times_put_off),
    )


def read_hint(body: str) -> Hint:
    content = _read(body)
    return Hint(
        connection_id=_text(content, "connection_id"),
        record_kind=RecordKind(_text(content, "record_kind")),
        source_id=_number(content, "source_id"),
        reason=HintReason(_text(content, "reason")),
        attempts=_number(content, "attempts"),
        partner_id=_text(content, "partner_id") if "partner_id" in content else "",
        came_at=moment_of(_number(content, "came_at_ms")) if "came_at_ms" in content else None,
        times_put_off=_times_put_off(content),
    )


def write_key_request(request: SigningKeyRequest) -> str:
    return _write(
        partner_id=request.partner_id,
        connection_id=request.connection_id,
        key_digest=request.key_digest,
    )


def is_key_request(body: str) -> bool:
    """Tell requests for signing keys from hints, which lie in one queue with them."""
    try:
        return "key_digest" in _read(body)
    except ValueError:
        return False


def read_key_request(body: str) -> SigningKeyRequest:
    content = _read(body)
    return SigningKeyRequest(
        partner_id=_text(content, "partner_id"),
        connection_id=_text(content, "connection_id"),
        key_digest=_text(content, "key_digest"),
    )


def write_run(message: RunMessage) -> str:
    return _write(
        connection_id=message.connection_id,
        run_id=message.run_id,
        page_count=message.page_count,
        **_put_off(message.times_put_off),
    )


def read_run(body: str) -> RunMessage:
    content = _read(body)
    return RunMessage(
        connection_id=_text(content, "connection_id"),
        run_id=_text(content, "run_id"),
        page_count=_number(content, "page_count"),
        times_put_off=_times_put_off(content),
    )


def write_pdf_request(request: PdfRequest) -> str:
    return _write(
        connection_id=request.connection_id,
        invoice_id=request.invoice_id,
        **_put_off(request.times_put_off),
    )


def read_pdf_request(body: str) -> PdfRequest:
    content = _read(body)
    return PdfRequest(
        connection_id=_text(content, "connection_id"),
        invoice_id=_text(content, "invoice_id"),
        times_put_off=_times_put_off(content),
    )


def write_write_back(message: WriteBackMessage) -> str:
    return _write(
        connection_id=message.connection_id,
        write_back_id=message.write_back_id,
        **_put_off(message.times_put_off),
    )


def read_write_back(body: str) -> WriteBackMessage:
    content = _read(body)
    return WriteBackMessage(
        connection_id=_text(content, "connection_id"),
        write_back_id=_text(content, "write_back_id"),
        times_put_off=_times_put_off(content),
    )


def _put_off(times: int) -> dict[str, int]:
    return {"times_put_off": times} if times else {}


def _times_put_off(content: dict[str, Any]) -> int:
    return _number({"times_put_off": 0, **content}, "times_put_off")


def write_job(message: JobMessage) -> str:
    step = {"turn": message.turn} if message.turn else {}
    return _write(
        connection_id=message.connection_id,
        partner_id=message.partner_id,
        job=message.job.value,
        planned_at=_seconds(message.planned_at),
        times_put_off=message.times_put_off,
        **step,
    )


def write_tick(message: TickMessage) -> str:
    part = {} if message.tick.part is None else {"part": message.tick.part}
    return _write(
        jobs=" ".join(job.value for job in message.tick.jobs),
        began_at=_seconds(message.tick.began_at),
        cursor=message.cursor,
        **part,
    )


def read_job_or_tick(body: str) -> JobMessage | TickMessage:
    """Read a message of the queue jobs, which carries both."""
    content = _read(body)
    if "jobs" in content:
        jobs = tuple(Job(name) for name in _text(content, "jobs").split())
        part = _number(content, "part") if "part" in content else None
        return TickMessage(Tick(jobs, _moment(content, "began_at"), part), _text(content, "cursor"))
    return JobMessage(
        connection_id=_text(content, "connection_id"),
        partner_id=_text(content, "partner_id"),
        job=Job(_text(content, "job")),
        planned_at=_moment(content, "planned_at"),
        turn=_text(content, "turn") if "turn" in content else "",
        times_put_off=_number(content, "times_put_off"),
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


def moment_of(milliseconds: int) -> datetime:
    """Return the moment so long after 1970, as SQS counts; raise ValueError beyond all time."""
    try:
        return _EPOCH + milliseconds * _MILLISECOND
    except OverflowError as error:
        raise ValueError("message is of no time") from error


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(content: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(_number(content, name), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"message has no {name}") from error
