"""A ConnectWise payment has one owner at any time, or is nobody's for good."""

from __future__ import annotations

from functools import partial

import pytest

from bridge.domain.errors import ConflictError, LeaseTakenError
from bridge.domain.write_back import Books, WriteBack
from bridge.domain.write_back.changes import confirm
from bridge.ports import NO_OWNER, LedgerStore, Stored
from tests.builders.records import OTHER_CONNECTION
from tests.contract.ledger import (
    BOOKS,
    MINUTE,
    PSA_PAYMENT,
    WORKERS,
    at_once,
    lease_of,
    own,
    recorded,
    stored,
)
from tests.fakes.clock import START

OTHER_BOOKS = Books(OTHER_CONNECTION)


def disown(ledger: LedgerStore, write_back: WriteBack, version: int) -> int:
    lease = lease_of(ledger, write_back.write_back_id)
    try:
        return ledger.save_write_back(
            stored(ledger, write_back).value or write_back,
            expected_version=version,
            holding=lease,
            disown_psa_payment_id=PSA_PAYMENT,
        )
    finally:
        ledger.release_lease(lease)


def test_a_payment_in_connectwise_has_one_owner(ledger: LedgerStore) -> None:
    first, second = recorded(ledger), recorded(ledger, "pay-b")
    own(ledger, first)

    with pytest.raises(ConflictError):
        own(ledger, second)

    assert ledger.owners(BOOKS, [PSA_PAYMENT, 1]) == {PSA_PAYMENT: first.write_back_id}
    assert stored(ledger, second) == Stored(second, 1)


def test_an_owner_may_own_it_again(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    own(ledger, write_back)
    assert own(ledger, write_back, version=2) == 3


def test_owners_are_apart_by_connection(ledger: LedgerStore) -> None:
    own(ledger, recorded(ledger))
    assert ledger.owners(OTHER_BOOKS, [PSA_PAYMENT]) == {}
    assert ledger.owners(BOOKS, []) == {}


def test_many_owners_are_read_together(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    own(ledger, write_back)
    assert ledger.owners(BOOKS, range(8800, 9100)) == {PSA_PAYMENT: write_back.write_back_id}


def test_a_payment_that_was_given_up_can_be_owned_anew(ledger: LedgerStore) -> None:
    first, second = recorded(ledger), recorded(ledger, "pay-b")
    own(ledger, first)
    disown(ledger, first, 2)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {}
    own(ledger, second)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: second.write_back_id}


def test_nobody_gives_up_what_is_somebody_elses(ledger: LedgerStore) -> None:
    first, second = recorded(ledger), recorded(ledger, "pay-b")
    own(ledger, first)
    with pytest.raises(ConflictError):
        disown(ledger, second, 1)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: first.write_back_id}


def test_one_payment_may_be_exchanged_for_another(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    own(ledger, write_back)
    ledger.save_write_back(
        confirm(write_back, 9002, START),
        expected_version=2,
        holding=lease_of(ledger, write_back.write_back_id),
        own_psa_payment_id=9002,
        disown_psa_payment_id=PSA_PAYMENT,
    )
    assert ledger.owners(BOOKS, [PSA_PAYMENT, 9002]) == {9002: write_back.write_back_id}


def test_owning_wins_over_giving_up_the_same(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    ledger.save_write_back(
        write_back,
        expected_version=1,
        holding=lease_of(ledger, write_back.write_back_id),
        own_psa_payment_id=PSA_PAYMENT,
        disown_psa_payment_id=PSA_PAYMENT,
    )
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: write_back.write_back_id}


def test_a_conflict_about_the_owner_leaves_the_lease_alone(ledger: LedgerStore) -> None:
    first, second = recorded(ledger), recorded(ledger, "pay-b")
    own(ledger, first)
    lease = lease_of(ledger, second.write_back_id)
    with pytest.raises(ConflictError):
        ledger.save_write_back(
            second,
            expected_version=1,
            holding=lease,
            extend_until=START + 9 * MINUTE,
            own_psa_payment_id=PSA_PAYMENT,
        )
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, first.write_back_id)
    assert refused.value.until == lease.until


def test_of_20_write_backs_at_once_one_owns_the_payment(ledger: LedgerStore) -> None:
    """Given as many invoices, since the lease keeps those of one invoice apart."""
    write_backs = [recorded(ledger, f"pay-{i}", invoice=1001 + i) for i in range(WORKERS)]
    outcomes = at_once([partial(own, ledger, write_back) for write_back in write_backs])
    assert outcomes.count(2) == 1
    (owner_id,) = ledger.owners(BOOKS, [PSA_PAYMENT]).values()
    confirmed = [w.write_back_id for w in write_backs if stored(ledger, w).version == 2]
    assert confirmed == [owner_id]


def test_what_was_disclaimed_is_nobodys_for_good(ledger: LedgerStore) -> None:
    """Given one payment that is owned already and one that is not."""
    write_back = recorded(ledger)
    own(ledger, write_back)
    for _ in range(2):
        ledger.disclaim(BOOKS, [PSA_PAYMENT, 9002])

    owners = {PSA_PAYMENT: write_back.write_back_id, 9002: NO_OWNER}
    assert ledger.owners(BOOKS, [PSA_PAYMENT, 9002]) == owners
    assert ledger.owners(OTHER_BOOKS, [9002]) == {}
    with pytest.raises(ConflictError):
        ledger.save_write_back(
            confirm(write_back, 9002, START),
            expected_version=2,
            holding=lease_of(ledger, write_back.write_back_id),
            own_psa_payment_id=9002,
        )


def test_owners_by_the_companys_other_connections_are_read_and_left_to_them(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger)
    own(ledger, write_back)
    beside = Books(OTHER_CONNECTION, other_connections=(BOOKS.connection_id,))
    assert ledger.owners(beside, [PSA_PAYMENT]) == {PSA_PAYMENT: write_back.write_back_id}
    ledger.give_up(beside, PSA_PAYMENT, write_back.write_back_id)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: write_back.write_back_id}


def test_a_payment_is_disputed_where_another_write_back_owns_it_too(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    own(ledger, write_back)
    beside = Books(OTHER_CONNECTION, other_connections=(BOOKS.connection_id,))
    own_id, other_id = write_back.write_back_id, "pay-other.1"
    ledger.move_owners(OTHER_BOOKS, {PSA_PAYMENT: other_id})
    ledger.disclaim(OTHER_BOOKS, [2])

    assert ledger.disputed(BOOKS, {PSA_PAYMENT: own_id}) == (), "it knows of no other connection"
    assert ledger.disputed(beside, {PSA_PAYMENT: own_id, 2: own_id, 3: own_id}) == (PSA_PAYMENT,)
    assert ledger.disputed(beside, {PSA_PAYMENT: other_id}) == (PSA_PAYMENT,)
    assert ledger.disputed(beside, {}) == ()

    ledger.give_up(OTHER_BOOKS, PSA_PAYMENT, own_id)
    assert ledger.disputed(beside, {PSA_PAYMENT: own_id}) == (PSA_PAYMENT,), "it is not own_id's"
    ledger.give_up(OTHER_BOOKS, PSA_PAYMENT, other_id)
    ledger.give_up(OTHER_BOOKS, PSA_PAYMENT, other_id)
    assert ledger.disputed(beside, {PSA_PAYMENT: own_id}) == ()
