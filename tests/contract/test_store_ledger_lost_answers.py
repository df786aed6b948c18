"""Answers of DynamoDB get lost on the ledger: a write of ours that meets itself was made, and one
that met somebody else's was not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bridge.domain.errors import ConflictError, LeaseTakenError, UnavailableError
from bridge.domain.platform_payment import PlatformPaymentState, Target
from bridge.domain.write_back import Timings
from bridge.domain.write_back.changes import confirm, retarget, state_post
from bridge.ports import Stored
from bridge.store.table import MAX_ATTEMPTS
from tests.builders.payments import a_platform_payment, a_write_back, write_backs_for
from tests.builders.records import CONNECTION, PARTNER
from tests.contract.ledger import BOOKS, MINUTE, LedgerTable, lease_of, stored
from tests.fakes.clock import START, FakeClock
from tests.fakes.histories import ReadableDynamoLedger

PSA_PAYMENT = 9001
Fault = Callable[[Any, Callable[..., Any]], Callable[..., Any]]


class Faulty:
    """A client whose writes go through a fault; ``writes`` counts them."""

    def __init__(self, client: Any, fault: Fault) -> None:
        self._client = client
        self._fault = fault
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in ("put_item", "delete_item", "transact_write_items"):
            return call

        def write(**request: Any) -> Any:
            self.writes += 1
            return self._fault(self, call)(**request)

        return write


def repeated(_: Faulty, call: Callable[..., Any]) -> Callable[..., Any]:
    """The SDK did not see the answer and asks again; the request's own token helps."""

    def write(**request: Any) -> Any:
        call(**request)
        return call(**request)

    return write


def repeated_too_late(_: Faulty, call: Callable[..., Any]) -> Callable[..., Any]:
    """The same after DynamoDB forgot the request's token: only what is stored tells."""

    def write(**request: Any) -> Any:
        call(**request)
        if "ClientRequestToken" in request:
            request["ClientRequestToken"] = uuid4().hex
        return call(**request)

    return write


def unanswered(_: Faulty, call: Callable[..., Any]) -> Callable[..., Any]:
    """The write is made, and no answer ever comes."""

    def write(**request: Any) -> Any:
        call(**request)
        raise ReadTimeoutError(endpoint_url="http://dynamodb")

    return write


def contended(times: int) -> Fault:
    """Another transaction stands in the way that many times."""

    def fault(faulty: Faulty, call: Callable[..., Any]) -> Callable[..., Any]:
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}

        def write(**request: Any) -> Any:
            if faulty.writes <= times:
                raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]
            return call(**request)

        return write

    return fault


def through(
    ledger_table: LedgerTable, clock: FakeClock, fault: Fault
) -> tuple[ReadableDynamoLedger, Faulty]:
    client = Faulty(ledger_table.client, fault)
    return ledger_table.store(clock, client), client


@pytest.fixture(params=[repeated, repeated_too_late], ids=lambda fault: str(fault.__name__))
def ledger(
    request: pytest.FixtureRequest, ledger_table: LedgerTable, clock: FakeClock
) -> ReadableDynamoLedger:
    return through(ledger_table, clock, request.param)[0]


def test_a_payments_whole_life_is_written_once(ledger: ReadableDynamoLedger) -> None:
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    lease = lease_of(ledger, write_back.write_back_id)
    intent = state_post(write_back, START, Timings(), balance_minor=11000)
    ledger.save_write_back(intent, expected_version=1, holding=lease, extend_until=intent.due_at)
    confirmed = confirm(intent, PSA_PAYMENT, START)
    ledger.save_write_back(
        confirmed, expected_version=2, holding=lease, own_psa_payment_id=PSA_PAYMENT
    )
    ledger.save_write_back(confirmed, expected_version=3, holding=lease)
    ledger.release_lease(lease)
    moved = payment.moved_to(PlatformPaymentState.RETURNED, reason="R01", now=START)
    gone = retarget(confirmed, Target.ABSENT, START)
    ledger.move_payment(moved, expected_version=1, write_backs=[(gone, 4)])

    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(moved, 2)
    assert stored(ledger, write_back) == Stored(gone, 5)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: write_back.write_back_id}
    history = ledger.write_back_history(CONNECTION, write_back.write_back_id, limit=10)
    assert [entry.version for entry in history] == [5, 4, 3, 2, 1]


def test_a_lease_that_met_itself_is_held_and_another_ones_is_not(
    ledger: ReadableDynamoLedger,
) -> None:
    lease_of(ledger, "p.1")
    lease_of(ledger, "p.1")
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, "p.2")


def test_a_giving_up_and_a_release_are_made_once(ledger: ReadableDynamoLedger) -> None:
    write_back = a_write_back()
    ledger.record(a_platform_payment(), [write_back])
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.save_write_back(
        write_back,
        expected_version=1,
        holding=lease,
        disown_psa_payment_id=PSA_PAYMENT,
    )
    ledger.release_lease(lease)
    assert stored(ledger, write_back).version == 2
    lease_of(ledger, "p.2")


def test_what_somebody_else_wrote_is_still_a_conflict(ledger: ReadableDynamoLedger) -> None:
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    ledger.save_write_back(write_back, expected_version=1)
    with pytest.raises(ConflictError):
        ledger.record(payment, [write_back])
    with pytest.raises(ConflictError):
        ledger.save_write_back(write_back, expected_version=1)
    with pytest.raises(ConflictError):
        ledger.move_payment(payment, expected_version=1, write_backs=[(write_back, 1)])


def test_an_answer_that_never_comes_may_hide_a_write_that_was_made(
    ledger_table: LedgerTable, clock: FakeClock
) -> None:
    write_back = a_write_back()
    ledger_table.store(clock).record(a_platform_payment(), [write_back])
    ledger, _ = through(ledger_table, clock, unanswered)
    intent = state_post(write_back, START, Timings(), balance_minor=11000)

    with pytest.raises(UnavailableError):
        ledger.save_write_back(intent, expected_version=1)

    assert stored(ledger, write_back) == Stored(intent, 2)
    with pytest.raises(ConflictError):
        ledger_table.store(clock).save_write_back(replace(write_back), expected_version=1)


def test_a_lease_whose_answer_never_came_can_be_taken_again_by_its_holder(
    ledger_table: LedgerTable, clock: FakeClock
) -> None:
    ledger, _ = through(ledger_table, clock, unanswered)
    with pytest.raises(UnavailableError):
        lease_of(ledger, "p.1")
    lease_of(ledger_table.store(clock), "p.1")


def test_contention_that_passes_is_not_noticed(ledger_table: LedgerTable, clock: FakeClock) -> None:
    ledger, client = through(ledger_table, clock, contended(MAX_ATTEMPTS - 1))
    payment = a_platform_payment()
    ledger.record(payment, write_backs_for(payment))
    assert client.writes == MAX_ATTEMPTS
    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(payment, 1)


def test_contention_that_lasts_is_a_conflict(ledger_table: LedgerTable, clock: FakeClock) -> None:
    ledger, client = through(ledger_table, clock, contended(99))
    payment = a_platform_payment()
    with pytest.raises(ConflictError):
        ledger.record(payment, write_backs_for(payment))
    assert client.writes == MAX_ATTEMPTS
    assert sum(clock.slept_seconds) < 2
    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(None, 0)


def test_every_step_is_one_transaction(ledger_table: LedgerTable, clock: FakeClock) -> None:
    """A crash between two writes of one step cannot happen: there is one write."""
    ledger, client = through(ledger_table, clock, contended(0))
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.save_write_back(
        confirm(write_back, PSA_PAYMENT, START),
        expected_version=1,
        holding=lease,
        extend_until=START + MINUTE,
        own_psa_payment_id=PSA_PAYMENT,
        disown_psa_payment_id=9002,
    )
    ledger.move_payment(payment, expected_version=1, write_backs=[(write_back, 2)])
    ledger.release_lease(lease)
    assert client.writes == 5


def test_a_last_step_whose_answer_was_lost_counts_as_made(ledger: ReadableDynamoLedger) -> None:
    """Given a repetition that finds the lease given up already, by itself."""
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    lease = lease_of(ledger, write_back.write_back_id)

    version = ledger.save_write_back(
        confirm(write_back, PSA_PAYMENT, START),
        expected_version=1,
        holding=lease,
        own_psa_payment_id=PSA_PAYMENT,
        releases=True,
    )

    assert version == 2
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {PSA_PAYMENT: write_back.write_back_id}
    assert lease_of(ledger, "pay-b.1001").holder_id == "pay-b.1001"
