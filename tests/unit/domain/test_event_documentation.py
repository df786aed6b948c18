"""``docs/api.md`` names every event and all that its data holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain import events
from bridge.domain.customer import ArchiveReason
from bridge.domain.events import Change, DomainEvent, EventType
from bridge.domain.problem import ProblemState
from bridge.domain.run import RunState
from bridge.domain.write_back import WriteBackState
from tests.builders.operations import a_connection, a_problem_report, a_run
from tests.builders.payments import a_platform_payment, a_write_back
from tests.builders.records import a_customer, a_payment, an_invoice
from tests.fakes.clock import START

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
TABLE = PAGE.split("| type | sent when |", 1)[1].split("\n\n", 1)[0]
CHANGE = Change("record", 1, START)


def documented() -> dict[str, frozenset[str]]:
    """The fields of each type's data; "the same" means those of the row before."""
    found: dict[str, frozenset[str]] = {}
    fields: frozenset[str] = frozenset()
    for line in TABLE.splitlines()[2:]:
        types, _, data = (cell.strip() for cell in line.strip("|").split("|"))
        if data != "the same":
            fields = frozenset(re.findall(r"`([a-z_]+)`", data))
        found |= dict.fromkeys(re.findall(r"`([a-z_.]+)`", types), fields)
    return found


def made() -> Iterator[DomainEvent]:
    """At least one event of every type."""
    customer, invoice, payment = a_customer(), an_invoice(), a_payment()
    gone = (ArchiveReason.BY_PERSON, START)
    yield from events.customer_events(None, customer, CHANGE)
    yield from events.customer_events(customer, replace(customer, name="other"), CHANGE)
    yield from events.customer_events(customer, customer.archived(*gone), CHANGE)
    yield from events.invoice_events(None, invoice, CHANGE)
    yield from events.invoice_events(invoice, replace(invoice, balance_minor=0), CHANGE)
    yield from events.invoice_events(invoice, invoice.archived(*gone), CHANGE)
    yield from events.payment_events(None, payment, CHANGE)
    yield from events.payment_events(payment, replace(payment, is_deleted=True), CHANGE)
    yield from events.platform_payment_events(None, a_platform_payment(), CHANGE)
    confirmed = a_write_back(state=WriteBackState.CONFIRMED, psa_payment_id=7)
    undone = replace(confirmed, state=WriteBackState.REVERSED)
    yield from events.write_back_events(a_write_back(), confirmed, CHANGE)
    yield from events.write_back_events(confirmed, undone, CHANGE)
    yield from events.run_events(a_run(), a_run(state=RunState.FAILED), CHANGE)
    problem = a_problem_report().as_problem(START)
    yield from events.problem_events(None, problem, CHANGE)
    resolved = replace(problem, state=ProblemState.RESOLVED)
    yield from events.problem_events(problem, resolved, CHANGE)
    yield from events.connection_events(None, a_connection(), CHANGE)


def test_every_event_is_documented() -> None:
    assert set(documented()) == {event_type.value for event_type in EventType}
    assert {event.type for event in made()} == set(EventType)


@pytest.mark.parametrize("event", list(made()), ids=lambda event: event.type.value)
def test_the_page_names_all_that_an_event_holds(event: DomainEvent) -> None:
    assert documented()[event.type.value] == set(event.data)


def test_the_page_knows_the_schema() -> None:
    assert f"| `schema_version` | {events.SCHEMA_VERSION};" in PAGE
