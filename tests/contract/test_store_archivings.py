"""What every ArchivingStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.domain.archiving import Archiving, undo_id_of
from bridge.domain.errors import ConflictError
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from tests.builders.records import CONNECTION
from tests.contract.conftest import Stores
from tests.fakes.clock import START

OTHER = "d" * 32
FILTERS = ImportFilters(
    CustomerFilter(status_ids=frozenset({1, 2})),
    InvoiceFilter(minimum_balance=Decimal("25.00")),
)


def an_archiving(minutes: int = 0, connection_id: str = CONNECTION) -> Archiving:
    at = START + timedelta(minutes=minutes)
    return Archiving(connection_id, undo_id_of(at), at, FILTERS, customer_count=3)


def test_an_archiving_is_read_back_as_it_was_saved(stores: Stores) -> None:
    archiving = replace(an_archiving(), undone_at=START)
    assert stores.archivings.save(archiving, expected_version=0) == 1
    stored = stores.archivings.get(CONNECTION, archiving.undo_id)
    assert (stored.value, stored.version) == (archiving, 1)


def test_an_archiving_that_never_was_is_missing(stores: Stores) -> None:
    assert stores.archivings.get(CONNECTION, an_archiving().undo_id).version == 0


def test_of_two_writers_the_second_is_told(stores: Stores) -> None:
    archiving = an_archiving()
    stores.archivings.save(archiving, expected_version=0)
    with pytest.raises(ConflictError):
        stores.archivings.save(replace(archiving, invoice_count=9), expected_version=0)
    assert stores.archivings.get(CONNECTION, archiving.undo_id).value == archiving


def test_the_latest_are_listed_for_their_connection_only(stores: Stores) -> None:
    archivings = [an_archiving(minutes) for minutes in range(4)]
    for each in (*archivings, an_archiving(9, OTHER)):
        stores.archivings.save(each, expected_version=0)
    assert stores.archivings.list_latest(CONNECTION, limit=3) == tuple(archivings[:0:-1])
    assert stores.archivings.list_latest("e" * 32, limit=3) == ()
