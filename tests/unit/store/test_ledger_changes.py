"""The ledger's stream tells of payments recorded, written back and reversed, once each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bridge.domain.events import DomainEvent, EventType
from bridge.domain.identity import mirrored_id, new_id
from bridge.domain.platform_payment import Allocation, PlatformPayment, Target
from bridge.domain.write_back import Reason, Timings, WriteBack, WriteBackState
from bridge.domain.write_back.changes import (
    confirm,
    follow_up,
    hand_over,
    note_unclear,
    refuse,
    retarget,
    reverse,
    state_deletion,
    state_post,
)
from bridge.store import keys
from bridge.store.attributes import Item, from_item
from bridge.store.changes import read_events
from bridge.store.codec import encode
from bridge.store.items import record_item
from tests.builders.payments import a_platform_payment, a_write_back
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START

PSA_PAYMENT = 7001
Step = Callable[[WriteBack], WriteBack]


def change(before: Item | None, after: Item) -> dict[str, Any]:
    images = {"OldImage": before, "NewImage": after}
    return {
        "dynamodb": {
            "Keys": from_item({"pk": after["pk"], "sk": after["sk"]}),
            "ApproximateCreationDateTime": START.timestamp(),
            **{name: from_item(item) for name, item in images.items() if item is not None},
        }
    }


def payment_item(payment: PlatformPayment, version: int) -> Item:
    key = keys.platform_payment_key(payment.partner_id, payment.payment_id)
    index_keys = keys.platform_payment_index_keys(payment)
    return record_item(key, index_keys, version, encode(payment))


def write_back_item(write_back: WriteBack, version: int) -> Item:
    key = keys.write_back_key(write_back.connection_id, write_back.write_back_id)
    assert key is not None
    return record_item(key, keys.write_back_index_keys(write_back), version, encode(write_back))


def told(*steps: Step) -> list[EventType]:
    """The events of a write-back's life: each step makes the next state from the last."""
    states = [a_write_back()]
    for step in steps:
        states.append(step(states[-1]))
    items = [write_back_item(state, version) for version, state in enumerate(states, 1)]
    changes = [change(None, items[0]), *(change(a, b) for a, b in pairwise(items))]
    return [event.type for each in changes for event in read_events(each)]


def posting(write_back: WriteBack) -> WriteBack:
    return state_post(write_back, START, Timings(), balance_minor=11000)


def unclear(write_back: WriteBack) -> WriteBack:
    return note_unclear(write_back, START, Timings())


def confirmed(write_back: WriteBack) -> WriteBack:
    return confirm(write_back, PSA_PAYMENT, START)


def followed_up(write_back: WriteBack) -> WriteBack:
    return follow_up(write_back, Reason.NONE)


def returned(write_back: WriteBack) -> WriteBack:
    return retarget(write_back, Target.ABSENT, START)


def reversing(write_back: WriteBack) -> WriteBack:
    return state_deletion(write_back, START, Timings())


def not_deleted(write_back: WriteBack) -> WriteBack:
    return replace(write_back, state=WriteBackState.CONFIRMED)


def reversed_(write_back: WriteBack) -> WriteBack:
    return reverse(write_back, START)


def gone(write_back: WriteBack) -> WriteBack:
    return hand_over(write_back, Reason.PAYMENT_GONE)


def refused(write_back: WriteBack) -> WriteBack:
    return refuse(write_back, Reason.REFUSED)


def rewritten(write_back: WriteBack) -> WriteBack:
    return replace(write_back, psa_payment_id=PSA_PAYMENT + 1, reason=Reason.PAYMENT_REWRITTEN)


def tried_anew(write_back: WriteBack) -> WriteBack:
    return replace(write_back, state=WriteBackState.PENDING, psa_payment_id=None)


WRITTEN, REVERSED = EventType.PAYMENT_WRITTEN_BACK, EventType.PAYMENT_REVERSED


@pytest.mark.parametrize(
    ("steps", "events"),
    [
        ((posting, confirmed, followed_up), [WRITTEN]),
        ((posting, unclear, confirmed, followed_up), [WRITTEN]),
        ((posting, refused), []),
        ((posting, confirmed, gone, not_deleted), [WRITTEN]),
        ((posting, confirmed, rewritten), [WRITTEN]),
        ((posting, confirmed, gone, tried_anew, posting, confirmed), [WRITTEN, WRITTEN]),
        ((posting, confirmed, returned, reversing, reversed_, followed_up), [WRITTEN, REVERSED]),
        ((posting, confirmed, returned, reversing, not_deleted), [WRITTEN]),
        ((posting, confirmed, gone, returned, reversed_), [WRITTEN, REVERSED]),
        ((returned, reversed_), []),
        ((posting, unclear, returned, reversed_), []),
        ((posting, unclear, returned, confirmed, reversing, reversed_), [WRITTEN, REVERSED]),
    ],
)
def test_a_write_back_tells_when_its_payment_gets_there_and_when_it_is_out_again(
    steps: tuple[Step, ...], events: list[EventType]
) -> None:
    assert told(*steps) == events


def recorded(payment: PlatformPayment) -> DomainEvent:
    (event,) = read_events(change(None, payment_item(payment, 1)))
    return event


def test_a_collected_payment_is_recorded_once() -> None:
    payment = a_platform_payment()
    event = recorded(payment)
    assert (event.type, event.subject_id, event.partner_id) == (
        EventType.PAYMENT_RECORDED, "pay-1", PARTNER,
    )  # fmt: skip
    later = replace(payment, state_reason="R01")
    assert read_events(change(payment_item(payment, 1), payment_item(later, 2))) == ()


def test_a_payment_over_two_invoices_names_none_of_them() -> None:
    both = tuple(Allocation(mirrored_id(CONNECTION, n), 5500) for n in (1001, 1002))
    data = recorded(a_platform_payment(allocations=both)).data
    assert (data["connection_id"], data["invoice_id"]) == (CONNECTION, None)


def test_a_payment_of_an_invoice_that_is_not_mirrored_has_no_connection() -> None:
    own = (Allocation(new_id(), 11000),)
    assert recorded(a_platform_payment(allocations=own)).data["connection_id"] is None


def test_events_carry_ids_and_amounts_and_nothing_that_a_service_wrote() -> None:
    payment = a_platform_payment(reference="canary", method="canary", state_reason="canary")
    written = write_back_item(confirmed(posting(a_write_back())), 2)
    before = write_back_item(posting(a_write_back()), 1)
    events = (recorded(payment), *read_events(change(before, written)))
    assert "canary" not in str(events)
    assert events[1].data == {
        "connection_id": CONNECTION,
        "write_back_id": "pay-1.1001",
        "invoice_id": mirrored_id(CONNECTION, 1001),
        "psa_payment_id": PSA_PAYMENT,
        "amount_minor": 11000,
        "currency": "USD",
    }


def test_a_change_that_is_delivered_twice_is_one_event() -> None:
    delivered = change(None, payment_item(a_platform_payment(), 1))
    assert read_events(delivered) == read_events(delivered)


def test_histories_leases_and_owners_tell_nothing() -> None:
    write_back = a_write_back()
    key = keys.write_back_key(CONNECTION, write_back.write_back_id)
    assert key is not None
    silent: list[Item] = [
        record_item(keys.write_back_event_key(key, 1), {}, 1, encode(write_back)),
        record_item(
            keys.platform_payment_event_key(PARTNER, "pay-1", 1), {}, 1,
            encode(a_platform_payment()),
        ),
        {**keys.lease_key(CONNECTION, 1001).attributes()},
        {**keys.psa_payment_key(CONNECTION, PSA_PAYMENT).attributes()},
    ]  # fmt: skip
    assert [read_events(change(None, item)) for item in silent] == [()] * 4
