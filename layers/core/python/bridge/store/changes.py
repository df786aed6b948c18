"""The reader derives domain events from the records of the tables' streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from bridge.domain.connection import Connection
from bridge.domain.events import (
    Change,
    DomainEvent,
    connection_events,
    payment_events,
    platform_payment_events,
    problem_events,
    run_events,
    write_back_events,
)
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.payment import Payment
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import Problem
from bridge.domain.run import Run
from bridge.domain.write_back import WriteBack
from bridge.store.attributes import to_item
from bridge.store.items import read_stored
from bridge.store.keys import kind_word
from bridge.store.kinds import STORED_KINDS

T = TypeVar("T")


def read_events(record: Mapping[str, Any]) -> tuple[DomainEvent, ...]:
    """Return the events of one DynamoDB stream record with both images.

    Only writes of records have events: run slots, windows, leases, histories and tombstones are
    passed over, and so are removals by expiry. Raises MalformedRecordError for an image of
    another schema.
    """
    body = record["dynamodb"]
    if "NewImage" not in body:
        return ()
    read = _READERS.get(_stored_type(to_item(body["Keys"])))
    return read(body) if read else ()


def _stored_type(key: Mapping[str, object]) -> str:
    """Return the type of item that a key holds: the last word of ``pk``, or the first of ``sk``.

    E.g. INVOICE, CUSTOMER, PAYMENT, PLATFORM_PAYMENT, PROBLEM from the one; META, RUN, PLACE,
    WRITE_BACK from the other.
    """
    pk, sk = str(key["pk"]), str(key["sk"])
    if pk.startswith("CONNECTION#"):
        return sk.split("#", 1)[0]
    return kind_word(pk)


_Body = Mapping[str, Any]
_Events = tuple[DomainEvent, ...]


def _reader(
    record_type: type[T], events: Callable[[T | None, T, Change], _Events]
) -> Callable[[_Body], _Events]:
    def read(body: _Body) -> _Events:
        after = read_stored(record_type, to_item(body["NewImage"]))
        if after.value is None:
            return ()
        old_image = to_item(body["OldImage"]) if "OldImage" in body else None
        key = to_item(body["Keys"])
        change = Change(
            record_key=f"{key['pk']!s}/{key['sk']!s}",
            version=after.version,
            occurred_at=_moment(body["ApproximateCreationDateTime"]),
        )
        return events(read_stored(record_type, old_image).value, after.value, change)

    return read


def _moment(value: float | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)


_READERS: dict[str, Callable[[_Body], _Events]] = {
    **{
        kind.record_kind.name: _reader(kind.record_type, STORED_KINDS[kind.record_kind].events)
        for kind in MIRRORED_KINDS
    },
    "PAYMENT": _reader(Payment, payment_events),
    "RUN": _reader(Run, run_events),
    "PROBLEM": _reader(Problem, problem_events),
    "META": _reader(Connection, connection_events),
    "PLATFORM_PAYMENT": _reader(PlatformPayment, platform_payment_events),
    "WRITE_BACK": _reader(WriteBack, write_back_events),
}
