"""A ledger lists payments and write-backs in order, and what is due at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import confirm, follow_up, refuse
from bridge.ports import LedgerStore, PlatformPaymentQuery
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.contract.ledger import MINUTE, over_invoices, posting, returned
from tests.contract.walk import walk
from tests.fakes.clock import START

ANY = PlatformPaymentQuery()


def test_payments_are_listed_latest_first_in_pages(ledger: LedgerStore) -> None:
    payments = [
        a_platform_payment(f"pay-{place}", recorded_at=START + place * MINUTE)
        for place in (3, 1, 4, 5, 2)
    ]
    for payment in payments:
        ledger.record(payment, [])
    ledger.record(a_platform_payment(partner_id=OTHER_PARTNER), [])

    listed = walk(lambda cursor: ledger.list_payments(PARTNER, ANY, limit=2, cursor=cursor))

    assert listed == sorted(payments, key=lambda payment: payment.recorded_at, reverse=True)


def test_a_customers_payments_are_listed_alone(ledger: LedgerStore) -> None:
    other_id = mirrored_id(CONNECTION, 12)
    for place in range(6):
        customer = {"customer_id": other_id} if place % 2 else {}
        at = START + place * MINUTE
        ledger.record(a_platform_payment(f"pay-{place}", recorded_at=at, **customer), [])

    listed = walk(
        lambda cursor: ledger.list_payments(
            PARTNER, PlatformPaymentQuery(customer_id=other_id), limit=1, cursor=cursor
        )
    )

    assert [payment.payment_id for payment in listed] == ["pay-5", "pay-3", "pay-1"]
    assert (
        ledger.list_payments(
            OTHER_PARTNER, PlatformPaymentQuery(customer_id=other_id), limit=5
        ).items
        == ()
    )


def test_a_moved_payment_stays_where_it_was_in_the_lists(ledger: LedgerStore) -> None:
    payment = a_platform_payment()
    ledger.record(payment, [])
    ledger.move_payment(returned(payment), expected_version=1, write_backs=[])
    for customer_id in (None, payment.customer_id):
        listed = ledger.list_payments(
            PARTNER, PlatformPaymentQuery(customer_id=customer_id), limit=5
        ).items
        assert listed == (returned(payment),)


def test_a_cursor_of_another_list_is_refused(ledger: LedgerStore) -> None:
    for place in range(2):
        ledger.record(a_platform_payment(f"pay-{place}"), [])
    customer_id = a_platform_payment().customer_id
    cursor = ledger.list_payments(PARTNER, ANY, limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidInputError):
        ledger.list_payments(
            PARTNER, PlatformPaymentQuery(customer_id=customer_id), limit=1, cursor=cursor
        )
    with pytest.raises(InvalidInputError):
        ledger.list_payments(OTHER_PARTNER, ANY, limit=1, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_limit(ledger: LedgerStore, limit: int) -> None:
    with pytest.raises(InvalidInputError):
        ledger.list_payments(PARTNER, ANY, limit=limit)
    with pytest.raises(InvalidInputError):
        ledger.list_due(START, limit=limit)


def test_an_invoices_write_backs_are_listed_in_the_order_they_were_made(
    ledger: LedgerStore,
) -> None:
    made = []
    for place, payment_id in enumerate(["z", "a", "m.1", "m"]):
        payment = over_invoices(2, payment_id)
        at = START + place * MINUTE
        write_backs = write_backs_for(replace(payment, recorded_at=at))
        ledger.record(replace(payment, recorded_at=at), write_backs)
        made.append(write_backs[0])

    assert ledger.write_backs_of_invoice(CONNECTION, 1001) == tuple(made)
    assert len(ledger.write_backs_of_invoice(CONNECTION, 1002)) == 4
    assert ledger.write_backs_of_invoice(CONNECTION, 1003) == ()
    assert ledger.write_backs_of_invoice(OTHER_CONNECTION, 1001) == ()


# --- what is due -------------------------------------------------------------------------------


def due_at(ledger: LedgerStore, payment_id: str, minutes: int | None) -> WriteBack:
    """Record a write-back that is due so many minutes from the start."""
    payment = a_platform_payment(payment_id)
    at = None if minutes is None else START + minutes * MINUTE
    (write_back,) = write_backs_for(payment, due_at=at)
    ledger.record(payment, [write_back])
    return write_back


def test_what_is_due_is_listed_with_the_longest_due_first(ledger: LedgerStore) -> None:
    later, soon, now = due_at(ledger, "b", 2), due_at(ledger, "c", 1), due_at(ledger, "a", 3)
    due_at(ledger, "d", 4)
    due_at(ledger, "e", None)

    assert ledger.list_due(START + 3 * MINUTE, limit=10) == (soon, later, now)
    assert ledger.list_due(START + 3 * MINUTE, limit=2) == (soon, later)
    assert ledger.list_due(START, limit=10) == ()


def test_what_has_ended_or_waits_for_its_payment_is_not_due(ledger: LedgerStore) -> None:
    write_back = due_at(ledger, "a", 0)
    refused = refuse(posting(write_back), Reason.REFUSED)
    again = confirm(refused, 7, START)
    states = [
        (replace(write_back, target=Target.NONE), ()),
        (posting(write_back), ()),
        (refused, ()),
        (again, (again,)),
        (follow_up(again, Reason.NONE), ()),
        (replace(again, state=WriteBackState.CANCELLED, wants_follow_up=False), ()),
    ]
    for version, (state, due) in enumerate(states, start=1):
        ledger.save_write_back(state, expected_version=version)
        assert ledger.list_due(START, limit=10) == due, state


def test_what_was_put_off_is_due_later_only(ledger: LedgerStore) -> None:
    write_back = due_at(ledger, "a", 0)
    ledger.save_write_back(replace(write_back, due_at=START + MINUTE), expected_version=1)
    assert ledger.list_due(START, limit=10) == ()
    assert len(ledger.list_due(START + MINUTE, limit=10)) == 1


def test_what_has_ended_is_due_once_more_for_a_late_look(ledger: LedgerStore) -> None:
    write_back = due_at(ledger, "a", 0)
    ended = follow_up(confirm(write_back, 7, START), Reason.NONE)
    late = replace(ended, late_look_at=START + 24 * MINUTE)

    ledger.save_write_back(late, expected_version=1)

    assert ledger.list_due(START + 23 * MINUTE, limit=10) == ()
    assert ledger.list_due(START + 24 * MINUTE, limit=10) == (late,)
    ledger.save_write_back(ended, expected_version=2)
    assert ledger.list_due(START + 24 * MINUTE, limit=10) == ()
