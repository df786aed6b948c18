"""Deliveries are retried, lost and delayed; three days of failure disable a callback."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectwise_sandbox.deliveries import DeliveryState
from connectwise_sandbox.in_process_client import START, PsaClient


def touch(psa: PsaClient, invoice_id: int) -> None:
    psa.people.change_due_date(invoice_id, START.date() + timedelta(days=40))


@pytest.mark.parametrize("status", [404, 409, 419, 429])
def test_four_statuses_are_retried_after_two_and_four_seconds(status: int) -> None:
    psa = PsaClient()
    psa.register()
    psa.bill()

    first = psa.deliver(status)[0]
    psa.clock.advance(1.9)
    assert psa.deliver(status) == []
    psa.clock.advance(0.1)
    psa.deliver(status)
    psa.clock.advance(4)
    last = psa.deliver(status)[0]
    psa.clock.advance(3_600)

    assert first.state is DeliveryState.WAITING
    assert (last.id, last.body, last.statuses) == (first.id, first.body, (status,) * 3)
    assert last.state is DeliveryState.LOST
    assert psa.deliver(status) == []


@pytest.mark.parametrize("status", [301, 400, 401, 403, 410, 500, 503, None])
def test_any_other_failure_loses_the_delivery(status: int | None) -> None:
    psa = PsaClient()
    psa.register()
    psa.bill()

    lost = psa.deliver(status)[0]
    psa.clock.advance(60)

    assert lost.state is DeliveryState.LOST
    assert psa.deliver(204) == []


@pytest.mark.parametrize("status", [500, 503, None])
def test_server_errors_and_time_outs_may_be_retried(status: int | None) -> None:
    psa = PsaClient(callback_server_error="retried")
    psa.register()
    psa.bill()

    psa.deliver(status)
    psa.clock.advance(2)

    assert psa.deliver(204)[0].statuses == (status, 204)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    psa = PsaClient()
    psa.register()
    psa.bill()

    assert psa.deliver(status)[0].state is DeliveryState.DELIVERED


def test_three_days_of_failure_in_a_row_disable_a_callback() -> None:
    psa = PsaClient()
    entry = psa.register()
    invoice_id = psa.bill()
    for day in range(3):
        assert psa.get("/system/callbacks")[0]["inactiveFlag"] is False, day
        touch(psa, invoice_id)
        psa.deliver(500)
        psa.clock.advance(24 * 3_600)

    assert psa.get("/system/callbacks")[0]["inactiveFlag"] is True
    touch(psa, invoice_id)
    assert psa.deliver(204) == []
    psa.replace(f"/system/callbacks/{entry['id']}", inactiveFlag=False)
    touch(psa, invoice_id)
    assert len(psa.deliver(500)) == 1
    assert psa.get("/system/callbacks")[0]["inactiveFlag"] is False


def test_one_success_or_a_quiet_day_starts_the_count_anew() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    psa.deliver(204)
    for status in (500, 500, 204, 500, 500, None, 500, 500):
        if status is not None:
            touch(psa, invoice_id)
            psa.deliver(status)
        psa.clock.advance(24 * 3_600)

    assert psa.get("/system/callbacks")[0]["inactiveFlag"] is False


def test_a_success_on_a_day_of_failures_starts_the_count_anew() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    for statuses in ((500,), (500, 204), (500,)):
        for status in statuses:
            touch(psa, invoice_id)
            psa.deliver(status)
        psa.clock.advance(24 * 3_600)

    assert psa.get("/system/callbacks")[0]["inactiveFlag"] is False


def test_deliveries_may_be_doubled() -> None:
    psa = PsaClient(callback_duplicate_rate=1)
    psa.register()
    psa.bill()

    first, second = psa.messages()

    assert first == second


def test_deliveries_may_be_dropped() -> None:
    psa = PsaClient(callback_drop_rate=1)
    psa.register()
    psa.bill()

    assert psa.messages() == []


def test_deliveries_may_be_late() -> None:
    psa = PsaClient(callback_delay_seconds=90)
    psa.register()
    psa.bill()

    psa.clock.advance(89)
    assert psa.messages() == []
    assert psa.engine.next_due() == psa.clock() + timedelta(seconds=1)
    psa.clock.advance(1)
    assert len(psa.messages()) == 1


def test_deliveries_may_overtake_each_other() -> None:
    psa = PsaClient(callback_reorder_seconds=60)
    psa.register()
    bills = [psa.bill() for _ in range(20)]
    assert len(psa.messages()) < 20

    psa.clock.advance(60)
    told = [message["ID"] for message in psa.messages()]

    assert told != sorted(told)
    assert set(told) <= set(bills)


def test_without_switches_deliveries_keep_their_order() -> None:
    psa = PsaClient()
    psa.register()
    bills = [psa.bill() for _ in range(10)]

    assert [message["ID"] for message in psa.messages()] == bills


def test_a_result_of_a_delivery_that_was_not_taken_is_a_mistake() -> None:
    psa = PsaClient()
    psa.register()
    psa.bill()

    with pytest.raises(KeyError):
        psa.engine.record_delivery_result(1, 204)
