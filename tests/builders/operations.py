"""Connections, runs and problems."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import (
    CallbackSecret,
    Connection,
    ConnectionState,
    Credentials,
    PsaAddress,
)
from bridge.domain.identity import new_id
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import Run, RunKind, RunState
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START

ADDRESS = PsaAddress(
    site_url="https://na.myconnectwise.net",
    api_origin="https://api-na.myconnectwise.net",
    codebase="v2025_1/",
    is_cloud=True,
)
CREDENTIALS = Credentials("acme_c", "public-key", "private-key", "callback-secret")


def a_connection(connection_id: str = CONNECTION, **changes: Any) -> Connection:
    connection = Connection(
        connection_id=connection_id,
        partner_id=PARTNER,
        company_id="acme_c",
        address=ADDRESS,
        state=ConnectionState.ACTIVE,
        created_at=START,
        callback_secret=CallbackSecret("5" * 64),
        member_identifier="BridgeApi",
        name="Acme",
    )
    return replace(connection, **changes)


def endpoint_of(connection: Connection) -> CallbackEndpoint:
    """Return what the receiver would know of the connection, whatever its state."""
    return CallbackEndpoint(
        connection.connection_id,
        connection.partner_id,
        connection.company_id,
        connection.address,
        connection.callback_secret,
    )


def a_run(run_id: str | None = None, **changes: Any) -> Run:
    run = Run(
        run_id=run_id or new_id(),
        connection_id=CONNECTION,
        partner_id=PARTNER,
        kind=RunKind.FETCH_NEW,
        state=RunState.QUEUED,
        created_at=START,
    )
    return replace(run, **changes)


def a_problem_report(subject: str = "invoice/1001", **changes: Any) -> ProblemReport:
    report = ProblemReport(
        partner_id=PARTNER,
        connection_id=CONNECTION,
        code=ProblemCode.RECORD_MALFORMED,
        subject=subject,
        detail="total is missing",
    )
    return replace(report, **changes)
