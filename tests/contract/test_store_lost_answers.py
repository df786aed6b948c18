"""Answers get lost. The SDK then sends the same request again, and a write of ours that meets
itself has worked; DynamoDB's refusals and delays end in our own errors after bounded effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bridge.domain.errors import ConflictError, ThrottledError, UnavailableError
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.run import RunKind
from bridge.domain.window import Window
from bridge.ports import CallPurpose, PaymentQuery, Stored
from bridge.store.table import MAX_ATTEMPTS
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.operations import a_connection, a_problem_report, a_run
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_payment, an_invoice
from tests.contract.conftest import Stores, Tables
from tests.fakes.clock import START, FakeClock

SEARCH_KEYS = ["PutItem", "PutItem"]
"""The writes of a new invoice's number and amount."""


def sends_everything_twice(client: Any, operations: list[str]) -> None:
    """Have botocore repeat each request once although it was answered."""

    def repeat(attempts: int, operation: Any, **_: Any) -> float | None:
        operations.append(operation.name)
        return 0 if attempts == 1 else None

    client.meta.events.register_first("needs-retry.dynamodb", repeat)


@pytest.fixture
def operations() -> list[str]:
    """The requests that were answered, by name, repeats included."""
    return []


@pytest.fixture
def stores(aws: EmbeddedAws, tables: Tables, clock: FakeClock, operations: list[str]) -> Stores:
    client = aws.client("dynamodb")
    sends_everything_twice(client, operations)
    return tables.stores(clock, client)


def test_a_created_record_is_not_refused_by_itself(stores: Stores, operations: list[str]) -> None:
    invoice = an_invoice()
    assert stores.records.save(invoice, expected_version=0) == 1
    assert operations == [*2 * SEARCH_KEYS, *2 * ["PutItem"]]
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(invoice, 1)


def test_an_updated_record_is_not_refused_by_itself(stores: Stores) -> None:
    customer = a_customer()
    stores.records.save(customer, expected_version=0)
    changed = replace(customer, name="Renamed")
    assert stores.records.save(changed, expected_version=1) == 2
    assert stores.records.get(CUSTOMERS, PARTNER, customer.customer_id) == Stored(changed, 2)


def test_somebody_elses_write_is_still_a_conflict(stores: Stores) -> None:
    stores.records.save(a_customer(), expected_version=0)
    with pytest.raises(ConflictError):
        stores.records.save(a_customer(), expected_version=0)


def test_an_invoice_with_payments_is_written_once(stores: Stores, operations: list[str]) -> None:
    invoice = an_invoice()
    invoice = replace(invoice, payments=(a_payment(of=invoice),))
    assert stores.records.save(invoice, expected_version=0) == 1
    assert operations == [*2 * SEARCH_KEYS, *2 * ["TransactWriteItems"]]
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id).version == 1


def test_many_payments_are_written_once(stores: Stores, operations: list[str]) -> None:
    invoice = an_invoice()
    first = replace(invoice, payments=tuple(a_payment(i, of=invoice) for i in range(1, 151)))
    anew = replace(invoice, payments=tuple(a_payment(i, of=invoice) for i in range(501, 651)))
    assert stores.records.save(first, expected_version=0, change_fingerprint="f") == 1
    put = 2 * ["PutItem"]
    assert operations == [*2 * SEARCH_KEYS, *put, *4 * ["TransactWriteItems"], *put]
    assert stores.records.save(anew, expected_version=1, change_fingerprint="g") == 2
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(anew, 2, "g")
    query = PaymentQuery(invoice_id=invoice.invoice_id)
    listed = stores.records.list_payments(PARTNER, query, limit=1000).items
    assert set(listed) == set(anew.payments)


def test_a_run_starts_moves_and_ends_once(stores: Stores) -> None:
    run = a_run()
    window = Window(CONNECTION, RunKind.FETCH_NEW, taken_at=START)
    stores.runs.start(run, window)
    moved = run.advanced(last_id=5, is_last_page=False, now=START)
    assert stores.runs.save(moved, expected_version=1) == 2
    ended = run.failed("x", START)
    assert stores.runs.save(ended, expected_version=2) == 3
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(ended, 3)


def test_a_withdrawn_run_stays_withdrawn(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    stores.runs.withdraw(run, None)
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(None, 0)


def test_trouble_is_counted_once(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    stores.problems.report(report, START)
    problem = stores.problems.get(PARTNER, report.problem_id)
    assert problem is not None
    assert problem.times_seen == 2


def test_a_connection_is_saved_once(stores: Stores) -> None:
    assert stores.connections.save(a_connection(), expected_version=0) == 1
    assert stores.connections.save(a_connection(), expected_version=1) == 2


def test_turns_counted_twice_only_make_their_worker_wait(stores: Stores) -> None:
    (turn,) = stores.schedules.take(CONNECTION, CallPurpose.MIRROR, count=1)
    assert turn <= START + timedelta(seconds=1)


# --- refusals and delays -----------------------------------------------------------------------


class Broken:
    """A client whose given operation fails; the rest goes through."""

    def __init__(self, client: Any, operation: str, fail: Callable[..., Any]) -> None:
        self._client = client
        self._operation = operation
        self._fail = fail
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)

        def call(**request: Any) -> Any:
            self.calls += 1
            return self._fail(**request)

        return call


def test_a_transaction_that_stays_contended_is_a_conflict(tables: Tables, clock: FakeClock) -> None:
    reasons = {"CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}]}
    broken = Broken(
        tables.client, "transact_write_items", raising("TransactionCanceledException", reasons)
    )
    with pytest.raises(ConflictError):
        tables.stores(clock, broken).connections.save(a_connection(), expected_version=0)
    assert broken.calls == MAX_ATTEMPTS
    assert len(clock.slept_seconds) == MAX_ATTEMPTS
    assert sum(clock.slept_seconds) < 2


def test_a_transaction_that_was_contended_for_a_moment_is_made(
    tables: Tables, clock: FakeClock
) -> None:
    def fail_twice(**request: Any) -> Any:
        if broken.calls < 3:
            raising("TransactionInProgressException")()
        return tables.client.transact_write_items(**request)

    broken = Broken(tables.client, "transact_write_items", fail_twice)
    assert tables.stores(clock, broken).connections.save(a_connection(), expected_version=0) == 1


def test_keys_that_dynamodb_leaves_unread_are_asked_for_again(
    tables: Tables, clock: FakeClock
) -> None:
    customers = [a_customer(i) for i in range(1, 31)]
    for customer in customers:
        tables.stores(clock).records.save(customer, expected_version=0)

    def answer_a_few(RequestItems: Any, **_: Any) -> Any:  # noqa: N803  # boto's own name
        ((name, asked),) = RequestItems.items()
        now, later = asked["Keys"][:7], asked["Keys"][7:]
        answer = tables.client.batch_get_item(RequestItems={name: {**asked, "Keys": now}})
        left = {name: {**asked, "Keys": later}} if later else {}
        return {**answer, "UnprocessedKeys": left}

    broken = Broken(tables.client, "batch_get_item", answer_a_few)
    found = tables.stores(clock, broken).records.get_mirrored(
        CUSTOMERS, PARTNER, CONNECTION, range(1, 31)
    )
    assert [item.value for item in found.values()] == customers


def test_keys_that_stay_unread_end_in_an_error(tables: Tables, clock: FakeClock) -> None:
    def answer_nothing(RequestItems: Any, **_: Any) -> Any:  # noqa: N803  # boto's own name
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    broken = Broken(tables.client, "batch_get_item", answer_nothing)
    with pytest.raises(ThrottledError):
        tables.stores(clock, broken).records.get_mirrored(CUSTOMERS, PARTNER, CONNECTION, [1])
    assert broken.calls == MAX_ATTEMPTS


def test_no_answer_at_all_is_an_error_that_may_be_retried(tables: Tables, clock: FakeClock) -> None:
    def time_out(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="http://dynamodb")

    broken = Broken(tables.client, "put_item", time_out)
    with pytest.raises(UnavailableError):
        tables.stores(clock, broken).records.save(a_customer(), expected_version=0)


def raising(code: str, extra: dict[str, Any] | None = None) -> Callable[..., Any]:
    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}, **(extra or {})}, "Operation")  # type: ignore[typeddict-item]

    return fail
