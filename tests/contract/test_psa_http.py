"""The adapter with its own guarded transport, against a sandbox on a real port of loopback."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.connectwise.egress import GuardedTransport
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.errors import OutcomeUnknownError, UnavailableError, UnsafeAddressError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.server import RunningSandbox, running_sandbox
from tests.fakes.clock import FakeClock
from tests.fakes.vault import InMemoryVault
from tests.unit.connectwise.sandbox import OpenLimiter

CONNECTION_ID = "d" * 32


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(customers=5, invoices=40) as running:
        yield running


@pytest.fixture
def gateway(sandbox: RunningSandbox) -> Iterator[ConnectWiseGateway]:
    keys = sandbox.announcement
    vault = InMemoryVault(keys.client_id)
    vault.put_credentials(
        CONNECTION_ID, Credentials(keys.company_id, keys.public_key, keys.private_key)
    )
    with GuardedTransport(allow_loopback=True) as transport:
        yield ConnectWiseGateway(
            transport=transport,
            vault=vault,
            limiter=OpenLimiter(),
            clock=FakeClock(),
            on_codebase_changed=lambda *_: None,
            allow_loopback=True,
        )


@pytest.fixture
def psa(sandbox: RunningSandbox, gateway: ConnectWiseGateway) -> ConnectWisePsa:
    company_id = sandbox.announcement.company_id
    connection = Connection(
        connection_id=CONNECTION_ID,
        partner_id="partner-1",
        company_id=company_id,
        address=gateway.discover(company_id, sandbox.base_url),
        state=ConnectionState.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return gateway.open(connection)


def test_everything_is_read_over_the_wire(sandbox: RunningSandbox, psa: ConnectWisePsa) -> None:
    with sandbox.locked() as engine:
        expected = {row["id"]: row["balance"] for row in engine.tenant.store[Kind.INVOICE]}

    page = psa.list_records(RecordKind.INVOICE, after_id=0, limit=1_000)
    found = psa.fetch(INVOICES, [head.source_id for head in page.records]).found

    assert set(found) == set(expected)
    assert psa.fetch_invoice_pdf(next(iter(found))).startswith(b"%PDF-")
    assert psa.read_system_info().is_cloud
    assert psa.ensure_callbacks("https://hooks.example/webhooks/connectwise/x/y")


def test_the_libraries_below_log_no_secret_either(
    sandbox: RunningSandbox, psa: ConnectWisePsa, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = sandbox.announcement
    token = b64encode(f"{keys.company_id}+{keys.public_key}:{keys.private_key}".encode()).decode()

    psa.count(RecordKind.CUSTOMER)

    logged = "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "httpcore" in logged
    for secret in (keys.private_key, keys.public_key, keys.client_id, token, "deletedFlag"):
        assert secret not in logged


def test_a_connection_that_is_cut_is_a_passing_fault(
    sandbox: RunningSandbox, psa: ConnectWisePsa
) -> None:
    with sandbox.locked() as engine:
        engine.faults.add(Fault(path_regex="/count", effect=Effect.CUT_BEFORE_EFFECT))
        total = len(engine.tenant.store[Kind.INVOICE])

    assert psa.count(RecordKind.INVOICE) == total


def test_a_connection_that_is_cut_leaves_a_change_unclear(
    sandbox: RunningSandbox, psa: ConnectWisePsa
) -> None:
    with sandbox.locked() as engine:
        engine.faults.add(Fault(method="POST", effect=Effect.CUT_AFTER_EFFECT))

    with pytest.raises(OutcomeUnknownError):
        psa._client.send("POST", "/system/callbacks", body={"url": "https://x.example"})


def test_a_server_that_is_gone_was_never_sent_to(gateway: ConnectWiseGateway) -> None:
    with running_sandbox(customers=1, invoices=1) as gone:
        company_id, base_url = gone.announcement.company_id, gone.base_url
        address = gateway.discover(company_id, base_url)
    connection = Connection(
        CONNECTION_ID,
        "partner-1",
        company_id,
        address,
        ConnectionState.ACTIVE,
        datetime(2026, 1, 1, tzinfo=UTC),
    )

    with pytest.raises(UnavailableError):
        gateway.open(connection)._client.send("POST", "/system/callbacks", body={})


def test_without_the_local_setting_the_sandbox_may_not_be_called(sandbox: RunningSandbox) -> None:
    gateway = ConnectWiseGateway(
        transport=GuardedTransport(),
        vault=InMemoryVault(),
        limiter=OpenLimiter(),
        clock=FakeClock(),
        on_codebase_changed=lambda *_: None,
    )

    with pytest.raises(UnsafeAddressError):
        gateway.discover(sandbox.announcement.company_id, sandbox.base_url)
