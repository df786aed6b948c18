"""Any number of payments on one invoice: it is whole at every moment, and its lists follow.

Beyond a hundred changes the invoice takes more than one write. A worker may die before each of
them, another may overtake it, and a refresh finishes what was left.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.errors import ConflictError, MalformedRecordError, UnavailableError
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.payment import Payment
from bridge.ports import InvoiceQuery, PaymentQuery, RecordStore, Stored
from bridge.store.records import DynamoRecordStore
from bridge.store.table import Table
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.records import CONNECTION, PARTNER, a_payment, an_invoice
from tests.contract.conftest import Stores, Tables
from tests.contract.meter import Meter
from tests.contract.walk import walk
from tests.fakes.clock import FakeClock
from tests.fakes.records import InMemoryRecordStore

_WRITES = ("put_item", "transact_write_items")


def with_payments(count: int, *, first: int = 1) -> Invoice:
    invoice = an_invoice()
    payments = tuple(a_payment(i, of=invoice) for i in range(first, first + count))
    return replace(invoice, payments=payments)


def listed(records: RecordStore, *, with_deleted: bool = False) -> set[Payment]:
    query = PaymentQuery(invoice_id=an_invoice().invoice_id, with_deleted=with_deleted)
    return set(walk(lambda c: records.list_payments(PARTNER, query, limit=1000, cursor=c)))


def stored(records: RecordStore) -> Stored[Invoice]:
    return records.get(INVOICES, PARTNER, an_invoice().invoice_id)


# --- arriving ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 20, 21, 90, 91, 99, 100, 104, 1000])
def test_an_invoice_arrives_with_any_number_of_payments(stores: Stores, count: int) -> None:
    invoice = with_payments(count)

    assert stores.records.save(invoice, expected_version=0, change_fingerprint="f") == 1

    assert stored(stores.records) == Stored(invoice, 1, "f")
    assert listed(stores.records) == set(invoice.payments)


@pytest.mark.parametrize("count", [20, 99, 150])
def test_one_more_payment_arrives(stores: Stores, count: int) -> None:
    stores.records.save(with_payments(count), expected_version=0)
    more = with_payments(count + 1)

    assert stores.records.save(more, expected_version=1) == 2

    assert stored(stores.records) == Stored(more, 2)
    assert listed(stores.records) == set(more.payments)


@pytest.mark.parametrize("count", [50, 400, 1000])
def test_payments_that_another_tool_writes_anew_arrive(stores: Stores, count: int) -> None:
    before, after = with_payments(count), with_payments(count, first=5001)
    stores.records.save(before, expected_version=0)

    assert stores.records.save(after, expected_version=1, change_fingerprint="f") == 2

    assert stored(stores.records) == Stored(after, 2, "f")
    assert listed(stores.records) == set(after.payments)
    gone = {replace(payment, is_deleted=True) for payment in before.payments}
    assert listed(stores.records, with_deleted=True) == {*after.payments, *gone}


def test_a_batch_holds_invoices_with_many_and_with_few_payments(stores: Stores) -> None:
    invoice = with_payments(150)
    stores.records.save(invoice, expected_version=0)
    stores.records.save(an_invoice(7), expected_version=0)

    found = stores.records.get_mirrored(INVOICES, PARTNER, CONNECTION, [1001, 7])

    assert found == {1001: Stored(invoice, 1), 7: Stored(an_invoice(7), 1)}


@pytest.mark.parametrize("count", [5, 150])
def test_a_list_of_invoices_leaves_their_payments_out(stores: Stores, count: int) -> None:
    invoice = with_payments(count)
    stores.records.save(invoice, expected_version=0)

    page = stores.records.list_invoices(PARTNER, InvoiceQuery(), limit=10)

    assert page.items == (replace(invoice, line_items=(), payments=()),)


def test_payments_beyond_the_size_of_an_item_are_malformed(stores: Stores) -> None:
    invoice = an_invoice()
    payments = tuple(
        a_payment(i, of=invoice, applied_by=secrets.token_hex(200)) for i in range(1, 2501)
    )

    with pytest.raises(MalformedRecordError):
        stores.records.save(replace(invoice, payments=payments), expected_version=0)

    assert stored(stores.records) == Stored(None, 0)
    assert listed(stores.records) == set()


def test_many_payments_are_written_over_the_version_that_was_read(stores: Stores) -> None:
    invoice = with_payments(250)
    stores.records.save(invoice, expected_version=0)

    for stale in (0, 2):
        with pytest.raises(ConflictError):
            stores.records.save(with_payments(250, first=5001), expected_version=stale)

    assert stored(stores.records) == Stored(invoice, 1)
    assert listed(stores.records, with_deleted=True) == set(invoice.payments)


# --- dying and being overtaken -----------------------------------------------------------------


@dataclass(frozen=True)
class Breakable:
    """Records, and another worker's way to them that calls a hook before each write."""

    records: RecordStore
    hooked: Callable[[Callable[[], None]], RecordStore]


class _HookedClient:
    def __init__(self, client: Any, before_write: Callable[[], None]) -> None:
        self._client = client
        self._before_write = before_write

    def __getattr__(self, name: str) -> Any:
        if name in _WRITES:
            self._before_write()
        return getattr(self._client, name)


@pytest.fixture(params=["in_memory", "on_dynamodb"])
def breakable(request: pytest.FixtureRequest, clock: FakeClock) -> Breakable:
    if request.param == "in_memory":
        fake = InMemoryRecordStore()
        return Breakable(fake, fake.with_hook)
    tables: Tables = request.getfixturevalue("tables")

    def hooked(before_write: Callable[[], None]) -> RecordStore:
        client: Any = _HookedClient(tables.client, before_write)
        return DynamoRecordStore(Table(client, tables.records, clock))

    return Breakable(tables.stores(clock).records, hooked)


def after_writes(count: int, then: Callable[[], None]) -> Callable[[], None]:
    """Return a hook that lets so many writes through and does something before the next one."""
    passed = iter(range(count))
    is_over = iter([False])

    def hook() -> None:
        if next(passed, None) is None and next(is_over, True) is False:
            then()

    return hook


def die() -> None:
    raise UnavailableError("the worker died")


def refresh(records: RecordStore, invoice: Invoice, fingerprint: str) -> None:
    """Do as a refresh does: write what differs from what is stored."""
    found = stored(records)
    if (found.value, found.change_fingerprint) != (invoice, fingerprint):
        records.save(invoice, expected_version=found.version, change_fingerprint=fingerprint)


@pytest.mark.parametrize("writes", range(6))
def test_a_worker_that_dies_between_two_writes_leaves_a_whole_invoice(
    breakable: Breakable, writes: int
) -> None:
    # Given an invoice whose 120 payments another tool rewrites, which takes five writes
    before, after = with_payments(120), with_payments(120, first=5001)
    breakable.records.save(before, expected_version=0, change_fingerprint="before")

    # When the worker dies after some of them
    dying = breakable.hooked(after_writes(writes, die))
    is_dead = False
    try:
        dying.save(after, expected_version=1, change_fingerprint="after")
    except UnavailableError:
        is_dead = True
    assert is_dead == (writes < 5)

    # Then the invoice is the old or the new one, and the next refresh finishes it
    assert stored(breakable.records).value == (after if writes else before)
    refresh(breakable.records, after, "after")
    assert stored(breakable.records).value == after
    assert stored(breakable.records).change_fingerprint == "after"
    assert listed(breakable.records) == set(after.payments)
    gone = {replace(payment, is_deleted=True) for payment in before.payments}
    assert listed(breakable.records, with_deleted=True) == {*after.payments, *gone}


@pytest.mark.parametrize("writes", range(1, 5))
def test_what_a_dead_worker_left_is_finished_before_the_next_change(
    breakable: Breakable, writes: int
) -> None:
    before, after = with_payments(120), with_payments(120, first=5001)
    breakable.records.save(before, expected_version=0)
    with pytest.raises(UnavailableError):
        breakable.hooked(after_writes(writes, die)).save(after, expected_version=1)

    latest = with_payments(119, first=5002)
    breakable.records.save(latest, expected_version=2, change_fingerprint="latest")

    assert stored(breakable.records) == Stored(latest, 3, "latest")
    assert listed(breakable.records) == set(latest.payments)
    kept = {*before.payments, *after.payments} - set(latest.payments)
    gone = {replace(payment, is_deleted=True) for payment in kept}
    assert listed(breakable.records, with_deleted=True) == {*latest.payments, *gone}


@pytest.mark.parametrize("writes", range(1, 5))
def test_a_slow_worker_writes_no_payment_over_a_newer_one(
    breakable: Breakable, writes: int
) -> None:
    # Given a worker that is overtaken between two of its writes
    before, after = with_payments(120), with_payments(120, first=5001)
    breakable.records.save(before, expected_version=0)
    latest = replace(
        before, payments=tuple(replace(p, amount_minor=7) for p in with_payments(150).payments)
    )

    def overtake() -> None:
        breakable.records.save(latest, expected_version=2, change_fingerprint="latest")

    # When it goes on
    slow = breakable.hooked(after_writes(writes, overtake))
    assert slow.save(after, expected_version=1, change_fingerprint="after") == 2

    # Then the newer invoice stands with its payments
    assert stored(breakable.records) == Stored(latest, 3, "latest")
    assert listed(breakable.records) == set(latest.payments)


def test_a_worker_that_is_overtaken_before_its_first_write_is_refused(
    breakable: Breakable,
) -> None:
    breakable.records.save(with_payments(120), expected_version=0)
    latest = with_payments(150)

    def overtake() -> None:
        breakable.records.save(latest, expected_version=1)

    with pytest.raises(ConflictError):
        breakable.hooked(after_writes(0, overtake)).save(
            with_payments(120, first=5001), expected_version=1
        )

    assert listed(breakable.records, with_deleted=True) == set(latest.payments)


_partners = (f"many-{number}" for number in itertools.count(1))
_ranges = st.builds(range, st.integers(0, 150), st.integers(0, 300))


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(_ranges, st.none() | st.integers(0, 6)), min_size=1, max_size=4))
def test_whatever_changes_and_dies_the_invoice_is_whole_and_its_lists_follow(
    breakable: Breakable, steps: list[tuple[range, int | None]]
) -> None:
    # Given an invoice whose payments change again and again, by workers some of whom die
    bare = an_invoice(partner_id=next(_partners))
    records, ever = breakable.records, set[Payment]()
    for number, (source_ids, writes) in enumerate(steps):
        before = records.get(INVOICES, bare.partner_id, bare.invoice_id)
        wanted = replace(bare, payments=tuple(a_payment(i + 1, of=bare) for i in source_ids))
        hook = after_writes(99 if writes is None else writes, die)
        with suppress(UnavailableError):
            breakable.hooked(hook).save(
                wanted, expected_version=before.version, change_fingerprint=str(number)
            )
        found = records.get(INVOICES, bare.partner_id, bare.invoice_id)
        assert found.value == (before.value if found.version == before.version else wanted)
        ever |= set(found.value.payments if found.value else ())

    # When it is refreshed
    found = records.get(INVOICES, bare.partner_id, bare.invoice_id)
    if found.change_fingerprint != "last":
        records.save(bare, expected_version=found.version, change_fingerprint="last")

    # Then every payment that it ever had is in the lists as gone
    query = PaymentQuery(invoice_id=bare.invoice_id, with_deleted=True)
    page = records.list_payments(bare.partner_id, query, limit=1000)
    assert set(page.items) == {replace(payment, is_deleted=True) for payment in ever}


# --- what it costs -----------------------------------------------------------------------------


@pytest.fixture
def metered(aws: EmbeddedAws, tables: Tables, clock: FakeClock) -> tuple[RecordStore, Meter]:
    client = aws.client("dynamodb")
    return DynamoRecordStore(Table(client, tables.records, clock)), Meter(client)


@pytest.mark.parametrize(("count", "most_units"), [(5, 18), (20, 36), (21, 12), (1000, 46)])
def test_one_more_payment_costs_one_transaction(
    metered: tuple[RecordStore, Meter], count: int, most_units: int
) -> None:
    records, meter = metered
    records.save(with_payments(count), expected_version=0)
    meter.reset()

    records.save(with_payments(count + 1), expected_version=1)

    assert meter.requests == ["GetItem", "TransactWriteItems"]
    assert 0 < meter.write_units <= most_units


def test_a_thousand_payments_take_twelve_writes_and_one_read(
    metered: tuple[RecordStore, Meter],
) -> None:
    records, meter = metered

    records.save(with_payments(1000), expected_version=0)
    stored(records)
    records.get_mirrored(INVOICES, PARTNER, CONNECTION, [1001])

    writes = ["PutItem", *10 * ["TransactWriteItems"], "PutItem"]
    assert meter.requests == ["PutItem", "PutItem", *writes, "GetItem", "BatchGetItem"]
