"""Two connections of one company share leases and owners; a worker of the release before, which
knows the connection's key alone, is respected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import ConflictError, LeaseTakenError, UnavailableError
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import Books, Lease, Timings, WriteBack
from bridge.domain.write_back.changes import confirm, state_post
from bridge.ports import NO_OWNER, LedgerStore, Stored
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER
from tests.contract.ledger import BOOKS, MINUTE, LedgerTable, lease_of, stored
from tests.fakes.clock import START, FakeClock

COMPANY = "c" * 32
FIRST, SECOND = Books(CONNECTION, COMPANY), Books(OTHER_CONNECTION, COMPANY)
SECOND_BEFORE = Books(OTHER_CONNECTION)
A, B = "pay-a.1001", "pay-b.1001"
PSA_PAYMENT = 9001
QUARANTINE_END = Timings().quarantine_end(START)


def recorded(ledger: LedgerStore, payment_id: str, connection_id: str = CONNECTION) -> WriteBack:
    """Record a payment through a connection, and return its write-back."""
    partner = {} if connection_id == CONNECTION else {"partner_id": OTHER_PARTNER}
    allocation = Allocation(mirrored_id(connection_id, 1001), 11000)
    payment = a_platform_payment(payment_id, allocations=(allocation,), **partner)
    (write_back,) = write_backs_for(payment)
    ledger.record(payment, [write_back])
    return write_back


def own(ledger: LedgerStore, write_back: WriteBack, lease: Lease) -> WriteBack:
    """Own the payment under a lease, and give the lease up."""
    confirmed = confirm(write_back, PSA_PAYMENT, START)
    version = stored(ledger, write_back).version
    try:
        ledger.save_write_back(
            confirmed,
            expected_version=version,
            holding=lease,
            own_psa_payment_id=PSA_PAYMENT,
        )
    finally:
        ledger.release_lease(lease)
    return confirmed


def post(ledger: LedgerStore, write_back: WriteBack, lease: Lease) -> WriteBack:
    """State a post, and extend the lease until it is surely over."""
    intent = state_post(write_back, START, Timings(), balance_minor=11000)
    version = stored(ledger, write_back).version
    ledger.save_write_back(
        intent, expected_version=version, holding=lease, extend_until=QUARANTINE_END
    )
    return intent


# --- leases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_two_connections_of_one_company_exclude_each_other(
    ledger: LedgerStore, one: Books, other: Books
) -> None:
    lease = lease_of(ledger, A, books=one)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, books=other)
    assert refused.value.until == lease.until

    ledger.release_lease(lease)
    lease_of(ledger, B, books=other)


def test_another_invoice_of_the_company_is_free(ledger: LedgerStore) -> None:
    lease_of(ledger, A, books=FIRST)
    lease_of(ledger, B, books=SECOND, invoice=1002)


def test_what_is_extended_for_a_request_excludes_the_other_connection_until_then(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger, "pay-a")
    post(ledger, write_back, lease_of(ledger, write_back.write_back_id, books=FIRST))
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, books=SECOND, now=QUARANTINE_END - MINUTE)
    assert refused.value.until == QUARANTINE_END


def test_a_worker_of_the_release_before_and_one_of_today_exclude_each_other(
    ledger: LedgerStore,
) -> None:
    old = lease_of(ledger, A, books=BOOKS)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, books=FIRST)
    assert refused.value.until == old.until
    ledger.release_lease(old)

    lease_of(ledger, B, books=FIRST, now=START + 2 * MINUTE)
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, A, books=BOOKS, now=START + 2 * MINUTE)


def test_a_lease_that_a_worker_of_the_release_before_extended_keeps_its_end(
    ledger: LedgerStore,
) -> None:
    """Given a post that an old worker stated, when today's worker of the same write-back takes the
    lease over, then its end holds for the other connection, too."""
    write_back = recorded(ledger, "pay-a")
    post(ledger, write_back, lease_of(ledger, write_back.write_back_id, books=BOOKS))

    taken_over = lease_of(ledger, write_back.write_back_id, books=FIRST, now=START + MINUTE)

    assert taken_over.until == QUARANTINE_END
    for books in (BOOKS, FIRST, SECOND):
        with pytest.raises(LeaseTakenError) as refused:
            lease_of(ledger, B, books=books, now=QUARANTINE_END - MINUTE)
        assert refused.value.until == QUARANTINE_END


def test_taking_a_lease_over_under_both_keys_fences_the_worker_of_one_key_off(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger, "pay-a")
    old = lease_of(ledger, write_back.write_back_id, books=BOOKS)
    lease_of(ledger, write_back.write_back_id, books=FIRST)
    with pytest.raises(ConflictError):
        post(ledger, write_back, old)
    assert stored(ledger, write_back) == Stored(write_back, 1)


@pytest.mark.parametrize("lost", [BOOKS, SECOND])
def test_a_lease_that_was_lost_under_one_of_its_keys_allows_nothing(
    ledger: LedgerStore, lost: Books
) -> None:
    """Given that somebody took one of the keys after the lease was over, by one key or through the
    other connection."""
    write_back = recorded(ledger, "pay-a")
    lease = lease_of(ledger, write_back.write_back_id, books=FIRST)
    lease_of(ledger, B, books=lost, now=START + MINUTE)
    with pytest.raises(ConflictError):
        own(ledger, write_back, lease)
    assert ledger.owners(FIRST, [PSA_PAYMENT]) == {}


def test_a_lease_that_failed_at_its_second_key_ends_no_request_in_flight_early(
    ledger: LedgerStore,
) -> None:
    """Given a post in flight under both keys, and an old worker that got at the connection's key
    meanwhile, when the holder's next worker fails there, then the company's key stands as long."""
    write_back = recorded(ledger, "pay-a")
    holder_id = write_back.write_back_id
    post(ledger, write_back, lease_of(ledger, holder_id, books=FIRST))
    lease_of(ledger, B, books=BOOKS, now=QUARANTINE_END)

    with pytest.raises(LeaseTakenError):
        lease_of(ledger, holder_id, books=FIRST, now=QUARANTINE_END - 5 * MINUTE)

    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, books=SECOND, now=QUARANTINE_END - MINUTE)
    assert refused.value.until == QUARANTINE_END


def test_a_lease_that_failed_at_its_second_key_is_over_soon_by_itself(ledger: LedgerStore) -> None:
    lease_of(ledger, A, books=BOOKS, minutes=9)
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, B, books=FIRST)
    lease_of(ledger, "pay-c.1001", books=SECOND, now=START + MINUTE)


# --- owners ------------------------------------------------------------------------------------


def test_two_connections_of_one_company_share_their_owners(ledger: LedgerStore) -> None:
    first = recorded(ledger, "pay-a")
    second = recorded(ledger, "pay-b", OTHER_CONNECTION)
    own(ledger, first, lease_of(ledger, first.write_back_id, books=FIRST))

    owners = {PSA_PAYMENT: first.write_back_id}
    assert ledger.owners(FIRST, [PSA_PAYMENT]) == owners
    assert ledger.owners(SECOND, [PSA_PAYMENT]) == owners
    with pytest.raises(ConflictError):
        own(ledger, second, lease_of(ledger, second.write_back_id, books=SECOND))
    assert stored(ledger, second) == Stored(second, 1)


def test_what_a_worker_of_the_release_before_owns_is_owned_for_today(ledger: LedgerStore) -> None:
    before, today = recorded(ledger, "pay-a"), recorded(ledger, "pay-b")
    own(ledger, before, lease_of(ledger, before.write_back_id, books=BOOKS))

    assert ledger.owners(FIRST, [PSA_PAYMENT]) == {PSA_PAYMENT: before.write_back_id}
    with pytest.raises(ConflictError):
        own(ledger, today, lease_of(ledger, today.write_back_id, books=FIRST))


def test_what_is_owned_today_is_owned_for_a_worker_of_the_release_before(
    ledger: LedgerStore,
) -> None:
    today = recorded(ledger, "pay-a")
    own(ledger, today, lease_of(ledger, today.write_back_id, books=FIRST))
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: today.write_back_id}


def test_what_is_given_up_is_ownerless_under_both_keys(ledger: LedgerStore) -> None:
    write_back = recorded(ledger, "pay-a")
    owned = own(ledger, write_back, lease_of(ledger, write_back.write_back_id, books=FIRST))

    ledger.save_write_back(
        owned,
        expected_version=2,
        holding=lease_of(ledger, write_back.write_back_id, books=FIRST),
        disown_psa_payment_id=PSA_PAYMENT,
    )

    for books in (BOOKS, FIRST, SECOND):
        assert ledger.owners(books, [PSA_PAYMENT]) == {}


def test_what_is_disclaimed_through_one_connection_is_foreign_for_the_other(
    ledger: LedgerStore,
) -> None:
    ledger.disclaim(FIRST, [PSA_PAYMENT])
    for books in (BOOKS, FIRST, SECOND):
        assert ledger.owners(books, [PSA_PAYMENT]) == {PSA_PAYMENT: NO_OWNER}
    assert ledger.owners(SECOND_BEFORE, [PSA_PAYMENT]) == {}


# --- owners that move to the company's key -----------------------------------------------------


def test_owners_move_to_the_companys_key(ledger: LedgerStore) -> None:
    write_back = recorded(ledger, "pay-a")
    own(ledger, write_back, lease_of(ledger, write_back.write_back_id, books=BOOKS))
    owners = {PSA_PAYMENT: write_back.write_back_id, 9002: NO_OWNER}

    for _ in range(2):
        assert ledger.move_owners(FIRST, owners) == ()

    for books in (BOOKS, FIRST, SECOND):
        assert ledger.owners(books, [PSA_PAYMENT, 9002]) == owners


def test_a_payment_that_both_connections_own_is_disputed_and_stays_as_it_is(
    ledger: LedgerStore,
) -> None:
    first = recorded(ledger, "pay-a")
    second = recorded(ledger, "pay-b", OTHER_CONNECTION)
    for write_back, books in ((first, BOOKS), (second, SECOND_BEFORE)):
        own(ledger, write_back, lease_of(ledger, write_back.write_back_id, books=books))
    assert ledger.move_owners(FIRST, {PSA_PAYMENT: first.write_back_id}) == ()

    disputed = ledger.move_owners(SECOND, {PSA_PAYMENT: second.write_back_id, 9002: NO_OWNER})

    assert disputed == (PSA_PAYMENT,)
    assert ledger.owners(FIRST, [PSA_PAYMENT]) == {PSA_PAYMENT: first.write_back_id}
    assert ledger.owners(SECOND_BEFORE, [PSA_PAYMENT]) == {PSA_PAYMENT: second.write_back_id}
    assert ledger.owners(SECOND, [9002]) == {9002: NO_OWNER}


@given(connection_id=st.text(min_size=1), company_key=st.text())
def test_books_are_kept_under_the_companys_key_first_and_under_each_key_once(
    connection_id: str, company_key: str
) -> None:
    keys = Books(connection_id, company_key).keys
    assert keys[-1] == connection_id
    assert len(set(keys)) == len(keys)
    if company_key:
        assert keys[0] == company_key


# --- an answer that gets lost between the two keys ---------------------------------------------


class CutOff:
    """A client that loses the connection to DynamoDB after so many writes of one item."""

    def __init__(self, client: Any, writes: int) -> None:
        self._client = client
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Any] = getattr(self._client, name)
        return self._put(call) if name == "put_item" else call

    def _put(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def put(**request: Any) -> Any:
            if self._left == 0:
                raise UnavailableError("cut off")
            self._left -= 1
            return call(**request)

        return put


def test_a_worker_that_dies_between_the_keys_leaves_a_request_in_flight_its_lease(
    ledger_table: LedgerTable, clock: FakeClock
) -> None:
    ledger = ledger_table.store(clock)
    write_back = recorded(ledger, "pay-a")
    holder_id = write_back.write_back_id
    post(ledger, write_back, lease_of(ledger, holder_id, books=FIRST))

    for writes in range(4):
        dying = ledger_table.store(clock, CutOff(ledger_table.client, writes))
        with pytest.raises(UnavailableError):
            lease_of(dying, holder_id, books=FIRST, now=START + MINUTE)
        with pytest.raises(LeaseTakenError) as refused:
            lease_of(ledger, B, books=SECOND, now=QUARANTINE_END - MINUTE)
        assert refused.value.until == QUARANTINE_END

    again = lease_of(ledger, holder_id, books=FIRST, now=START + MINUTE)
    assert again.until == QUARANTINE_END
