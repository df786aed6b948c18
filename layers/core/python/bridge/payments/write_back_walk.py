"""A walk goes through a connection's write-backs, invoice by invoice, over several steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from itertools import groupby

from bridge.domain.connection import Connection
from bridge.domain.write_back import WriteBack
from bridge.ports import LedgerStore

PAGE_SIZE = 100
MAX_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class WalkPlace:
    """A place tells which invoices were gone past, and whether owners are moved on the way."""

    is_among_resting: bool = False
    after_invoice: int = 0
    """The ConnectWise id of the last invoice; the walk goes by rising ids."""
    moving_to: str = ""
    """It stands for the company that owners are moved to; empty where they stay."""
    has_move_failed: bool = False

    @classmethod
    def read(cls, cursor: str) -> WalkPlace:
        return cls(*json.loads(cursor))

    def write(self) -> str:
        return json.dumps(astuple(self))

    def among_resting(self) -> WalkPlace:
        """Return the start of the walk through resting write-backs."""
        return replace(self, is_among_resting=True, after_invoice=0)

    def is_moved(self, connection: Connection) -> bool:
        """Tell, at the end, whether all owners were moved to the company that it is of now."""
        is_same = self.moving_to == company_mark(connection)
        return self.is_among_resting and is_same and not self.has_move_failed


def company_mark(connection: Connection) -> str:
    """Return a text that is another one once the company or its connections are others."""
    company = (connection.company_key, *sorted(connection.company_connections))
    return hashlib.sha256("\n".join(company).encode()).hexdigest()[:16]


def invoices_past(
    ledger: LedgerStore, connection_id: str, place: WalkPlace
) -> Iterator[list[WriteBack]]:
    """Yield the resting or other write-backs of one invoice after the other."""
    every = _write_backs_past(ledger, connection_id, place)
    for _, group in groupby(every, lambda each: each.invoice_source_id):
        yield list(group)


def _write_backs_past(
    ledger: LedgerStore, connection_id: str, place: WalkPlace
) -> Iterator[WriteBack]:
    cursor = None
    for _ in range(MAX_PAGES):
        page = ledger.list_write_backs(
            connection_id,
            limit=PAGE_SIZE,
            cursor=cursor,
            is_resting=place.is_among_resting,
            after_invoice=place.after_invoice,
        )
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
