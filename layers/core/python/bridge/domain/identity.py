"""The bridge's own records have ids that are random or derived.

A mirrored record's id is its connection's id and its ConnectWise id, so two workers that meet the
same record at once derive the same id, and the id alone leads to its key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid4, uuid5

_NAMESPACE = UUID("5f0c1f62-8a5e-4d52-9d2a-0d8f6d1f3c11")
_MIRRORED = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,9})")
_PLATFORM = re.compile(r"[0-9a-f]{32}")
_WRITE_BACK = re.compile(r"(.+)\.([1-9][0-9]{0,9})")


class RecordKind(StrEnum):
    """The kind of a record in hints, problems and stores."""

    INVOICE = "invoice"
    CUSTOMER = "customer"
    PAYMENT = "payment"


class Origin(StrEnum):
    """The place where a record was made."""

    CONNECTWISE = "connectwise"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class MirroredId:
    """The two halves of a mirrored record's id."""

    connection_id: str
    source_id: int

    def __str__(self) -> str:
        return f"{self.connection_id}-{self.source_id}"


def mirrored_id(connection_id: str, source_id: int) -> str:
    """Return the id of a record mirrored from ConnectWise."""
    return str(MirroredId(connection_id, source_id))


def parse_mirrored_id(record_id: str) -> MirroredId | None:
    """Return the halves of a mirrored id, or None for any other text."""
    match = _MIRRORED.fullmatch(record_id)
    return MirroredId(match[1], int(match[2])) if match else None


def is_platform_id(record_id: str) -> bool:
    """Tell whether the text has the shape of an id made by :func:`new_id`."""
    return _PLATFORM.fullmatch(record_id) is not None


def new_id() -> str:
    """Return a fresh random id: 32 hexadecimal digits."""
    return uuid4().hex


def platform_invoice_id(partner_id: str, number: str) -> str:
    """Return the id of the first invoice that a partner makes on the platform with a number."""
    return uuid5(_NAMESPACE, f"{partner_id}/platform_invoice/{number}").hex


def write_back_id_of(payment_id: str, invoice_source_id: int) -> str:
    """Return the id of a payment's write-back to one invoice.

    Together with the connection's id it leads straight to the stored write-back.
    """
    return f"{payment_id}.{invoice_source_id}"


def parse_write_back_id(write_back_id: str) -> tuple[str, int] | None:
    """Return the payment's id and the invoice's ConnectWise id, or None for any other text."""
    match = _WRITE_BACK.fullmatch(write_back_id)
    return (match[1], int(match[2])) if match else None


def connection_id_of(partner_id: str, company_id: str, site_url: str) -> str:
    """Return the id of a partner's connection to one ConnectWise company.

    It is derived from partner, company and site, so two connects at once give the same one, and
    connecting again after a disconnect finds the records that were kept.
    """
    return uuid5(_NAMESPACE, f"{partner_id}/connection/{site_url}/{company_id.casefold()}").hex


@lru_cache(maxsize=1_024)
def problem_id(connection_id: str, code: str, subject: str) -> str:
    """Return an id that stays the same when the problem comes again with the same subject."""
    return uuid5(_NAMESPACE, f"{connection_id}/problem/{code}/{subject}").hex


def event_id(record_key: str, version: int, event_type: str) -> str:
    """Return an event id that stays the same when the stream delivers the change again."""
    return str(uuid5(_NAMESPACE, f"{record_key}/{version}/{event_type}"))
