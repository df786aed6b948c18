"""The payers of invoices are read before the invoices are judged (R12).

A payer that ConnectWise does not give away hides nothing that is owed: one problem tells of it,
and where no filter asks about customers one stands in for it under the name that the invoices
carry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.errors import (
    ConflictError,
    PermissionMissingError,
    RefusedError,
    UnavailableError,
)
from bridge.domain.identity import Origin, RecordKind, mirrored_id
from bridge.domain.mirrored_kinds import CUSTOMERS
from bridge.domain.problem import ProblemCode, ProblemReport, record_subject
from bridge.mirror.refreshed import Refreshed
from bridge.ports import ProblemStore, Psa, RecordStore, Stored

NEVER_LISTED = "never listed"
"""The change fingerprint of a customer that stands in for a hidden one. It differs from all that
ConnectWise lists, and says that a list without the customer is nothing new."""

_STANDS_IN = (
    "ConnectWise does not give this company away to our API member: it was deleted, or lies "
    "outside what the member may see. Its invoices are shown under the name that they carry."
)
_UNJUDGED = (
    "ConnectWise does not give this company away to our API member, so the customers' filter "
    "cannot be judged: its invoices are left out. Give the member access to the company, or take "
    "the customers' filter off."
)


@dataclass(frozen=True, slots=True)
class Payers:
    """The payers of some invoices, by their ConnectWise ids."""

    mirrored: frozenset[int] = frozenset()
    """Those whose invoices belong into the mirror."""
    unjudged: frozenset[int] = frozenset()
    """Unreadable ones, where a filter asks about customers."""


class PayerReader:
    """The reader fetches payers that are missing: an invoice may arrive before its customer."""

    def __init__(self, records: RecordStore, problems: ProblemStore) -> None:
        self._records = records
        self._problems = problems

    def read(
        self,
        connection: Connection,
        psa: Psa,
        names: Mapping[int, str],
        *,
        refresh: Callable[[Sequence[int]], Refreshed],
        now: datetime,
    ) -> Payers:
        """Return these payers, given by their ids with the names that invoices give them.

        ``refresh`` refreshes customers by their ids.
        """
        wanted = sorted(names)
        stored = self._stored(connection, wanted)
        missing = [source_id for source_id in wanted if stored[source_id].value is None]
        if not missing:
            return Payers(_belonging(connection, stored))
        refreshed = refresh(missing)
        stored = self._stored(connection, wanted)
        unread = [i for i in missing if stored[i].value is None and i not in refreshed.left_out]
        for source_id in unread:
            if source_id not in refreshed.reported:
                self._problems.report(_report(connection, source_id), now)
        if not unread or connection.filters.asks_about_customers:
            return Payers(_belonging(connection, stored), frozenset(unread))
        for source_id in unread:
            version = stored[source_id].version
            is_there = source_id in refreshed.reported or not _is_proven_gone(psa, source_id)
            customer = _stand_in(connection, source_id, names[source_id])
            if not is_there:
                customer = customer.archived(ArchiveReason.DELETED_IN_CONNECTWISE, now)
            with suppress(ConflictError):
                # Another worker read it, or let one stand in, meanwhile.
                self._records.save(
                    customer, expected_version=version, change_fingerprint=NEVER_LISTED
                )
        return Payers(_belonging(connection, stored) | frozenset(unread))

    def _stored(
        self, connection: Connection, source_ids: Sequence[int]
    ) -> Mapping[int, Stored[Customer]]:
        scope = connection.partner_id, connection.connection_id
        return self._records.get_mirrored(CUSTOMERS, *scope, source_ids)


def _is_proven_gone(psa: Psa, source_id: int) -> bool:
    """Tell whether ConnectWise proves that it lacks a company.

    Trouble with one company proves nothing, and keeps nobody else's invoices back.
    """
    try:
        return not psa.exists(RecordKind.CUSTOMER, source_id)
    except (UnavailableError, PermissionMissingError, RefusedError):
        return False


def _belonging(connection: Connection, stored: Mapping[int, Stored[Customer]]) -> frozenset[int]:
    return frozenset(
        source_id
        for source_id, item in stored.items()
        if item.value and not _is_still_outside_filter(connection, item.value)
    )


def _is_still_outside_filter(connection: Connection, payer: Customer) -> bool:
    """Tell whether a payer was archived for leaving the filter, and still fails it."""
    has_left = payer.archive is not None and payer.archive.reason is ArchiveReason.LEFT_FILTER
    return has_left and not CUSTOMERS.accepts(connection.filters, payer)


def _report(connection: Connection, source_id: int) -> ProblemReport:
    subject = record_subject(RecordKind.CUSTOMER, source_id)
    detail = _UNJUDGED if connection.filters.asks_about_customers else _STANDS_IN
    return connection.report(ProblemCode.PAYER_UNREADABLE, subject, detail)


def _stand_in(connection: Connection, source_id: int, name: str) -> Customer:
    """Return a customer of this name; a good reading overwrites it."""
    return Customer(
        customer_id=mirrored_id(connection.connection_id, source_id),
        partner_id=connection.partner_id,
        origin=Origin.CONNECTWISE,
        name=name or f"Company {source_id}",
        connection_id=connection.connection_id,
        source_id=source_id,
    )
