"""A change that is delivered twice is one event; two changes are two."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bridge.domain.events import Change, customer_events, invoice_events
from tests.builders.records import a_customer, an_invoice
from tests.fakes.clock import START


def ids(change: Change) -> list[str]:
    before = an_invoice()
    paid = replace(before, balance_minor=0)
    events = (
        *invoice_events(before, paid, change),
        *customer_events(None, a_customer(), change),
    )
    return [event.event_id for event in events]


def test_the_same_change_has_the_same_ids_whenever_it_is_delivered() -> None:
    later = START + timedelta(hours=1)

    assert ids(Change("record", 3, START)) == ids(Change("record", 3, later))


def test_changes_of_other_versions_and_records_are_other_events() -> None:
    changes = [Change("record", 3, START), Change("record", 4, START), Change("other", 3, START)]

    every = [event_id for change in changes for event_id in ids(change)]

    assert len(every) == 9
    assert len(set(every)) == 9
