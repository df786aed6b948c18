"""R9: logs, messages and events name ids and codes, never what the record or the message says."""

from __future__ import annotations

import json
import logging

import pytest

from bridge.aws.messages import write_hint, write_pdf_request, write_run, write_write_back
from bridge.connections.callbacks import sha256_of
from bridge.connectwise.callback_intake import Callback, Verdict
from bridge.domain.callback_endpoint import CallbackSecret
from bridge.domain.events import Change, DomainEvent, customer_events, invoice_events
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.work_messages import PdfRequest, RunMessage, WriteBackMessage
from bridge.entrypoints.batches import hints_in
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.fakes.clock import START
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.ports import InMemoryCallbackPorts

CANARY = "canary@northwind.example"


def all_that_was_logged(caplog: pytest.LogCaptureFixture) -> str:
    """The records with all that the JSON formatter would write of them."""
    return "".join(f"{vars(record)}{record.exc_text}" for record in caplog.records) + caplog.text


def test_a_message_that_cannot_be_read_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    bodies = [CANARY, f'["{CANARY}"]', json.dumps({"connection_id": 7, "email": CANARY})]
    event = {"Records": [{"messageId": str(i), "body": body} for i, body in enumerate(bodies)]}

    assert len(hints_in(event).unparsable_ids) == len(bodies)
    assert caplog.records
    assert CANARY not in all_that_was_logged(caplog)


def test_messages_are_ids_and_counts() -> None:
    messages = [
        write_hint(Hint(CONNECTION, RecordKind.INVOICE, 7, HintReason.CALLBACK)),
        write_run(RunMessage(CONNECTION, "r" * 32, 0)),
        write_pdf_request(PdfRequest(CONNECTION, f"{CONNECTION}-7")),
        write_write_back(WriteBackMessage(CONNECTION, "pay-1.7")),
    ]

    assert [set(json.loads(message)) for message in messages] == [
        {"connection_id", "record_kind", "source_id", "reason", "attempts"},
        {"connection_id", "run_id", "page_count"},
        {"connection_id", "invoice_id"},
        {"connection_id", "write_back_id"},
    ]


def test_events_hold_nothing_that_a_person_wrote() -> None:
    customer = a_customer(name=CANARY, email=CANARY, phone=CANARY, account_number=CANARY)
    invoice = an_invoice(reference=CANARY, purchase_order=CANARY)
    change = Change("record", 1, START)
    events: tuple[DomainEvent, ...] = (
        *customer_events(None, customer, change),
        *invoice_events(None, invoice, change),
    )

    assert len(events) >= 2
    assert CANARY not in repr(events)


def test_a_callback_with_a_foreign_key_url_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "s" * 43
    connections = InMemoryConnectionStore()
    connection = a_connection(callback_secret=CallbackSecret(sha256_of(secret)))
    connections.save(connection, expected_version=0)
    ports = InMemoryCallbackPorts(
        connections, lambda: pytest.fail("a foreign key is not asked for")
    )
    intake = use_cases.callback_intake(ports)
    body = {
        "Type": "invoice",
        "Action": "updated",
        "ID": 7,
        "CompanyId": connection.company_id,
        "Metadata": {"key_url": "https://evil.example/system/callbackkey/index.rails?id=CANARYKEY"},
        "Entity": CANARY,
    }

    verdict = intake.take(Callback(CONNECTION, secret, json.dumps(body).encode(), "x" * 44))

    assert verdict is Verdict.FORGED
    logged = all_that_was_logged(caplog)
    assert [word for word in (CANARY, "CANARYKEY", secret) if word in logged] == []
