"""The check finds out an API member's rights in the guide's security matrices, by reading only.

ConnectWise has no list of one's own rights, so each is tried with a read that it governs. The
pairs of rows and endpoints below follow the guide's names, because ConnectWise documents none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.connectwise.client import ConnectWiseClient, Query
from bridge.domain.errors import NotFoundError, PermissionMissingError, RefusedError
from bridge.domain.permissions import (
    REQUIRED_RIGHTS,
    Column,
    Finding,
    Right,
    RightFinding,
)

PROBE_ATTEMPTS = 2

_ONE: Query = {"fields": "id", "pageSize": 1}


def _any_answer(_: object) -> Finding:
    return Finding.GRANTED


def _some_row(value: object) -> Finding:
    """Judge by the rows, which ConnectWise silently hides from a member that lacks the right."""
    return Finding.GRANTED if isinstance(value, list) and value else Finding.UNPROVEN


def _some_cost(value: object) -> Finding:
    """Judge by the costs, which ConnectWise silently hides from a member that lacks the right."""
    rows = value if isinstance(value, list) else []
    shown = any(isinstance(row, Mapping) and "hourlyCost" in row for row in rows)
    return Finding.GRANTED if shown else Finding.UNPROVEN


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe is one read that a right governs."""

    route: str
    query: Query
    judge: Callable[[object], Finding] = _any_answer
    """Makes a finding of a successful answer."""


_MEMBERS: Query = {"fields": "id,hourlyCost", "pageSize": 25}
PROBES: Mapping[tuple[str, str], Probe] = {
    ("Companies", "Company Maintenance"): Probe("/company/companies", _ONE),
    ("Finance", "Accounting Interface"): Probe(
        "/finance/accounting/unpostedinvoices", {"pageSize": 1}
    ),
    ("Finance", "Agreement Invoicing"): Probe(
        "/finance/invoices", {**_ONE, "conditions": 'type="Agreement"'}, _some_row
    ),
    ("Finance", "Agreements (customize)"): Probe("/finance/agreements", _ONE),
    ("Finance", "Invoicing"): Probe("/finance/invoices", _ONE),
    ("Procurement", "Product Catalog"): Probe("/procurement/catalog", _ONE),
    ("Procurement", "Products"): Probe("/procurement/products", _ONE),
    ("Service Desk", "Service Tickets"): Probe("/service/tickets", _ONE),
    ("System", "Member Maintenance"): Probe("/system/members", _MEMBERS),
    ("System", "Member Maintenance - Finance"): Probe("/system/members", _MEMBERS, _some_cost),
    ("System", "Report Writer"): Probe("/system/reports", {"pageSize": 1}),
    ("System", "Table Setup (customize)"): Probe("/finance/billingStatuses", _ONE),
    ("Time & Expense", "Expense Report Entry"): Probe("/expense/entries", _ONE),
    ("Time & Expense", "Time Entry"): Probe("/time/entries", _ONE),
}


def check_rights(client: ConnectWiseClient) -> tuple[RightFinding, ...]:
    """Return a finding for every required right; rights with the same read share one call.

    Raises CredentialsRejectedError and RetryableError; a refused read is a finding.
    """
    answers: dict[tuple[str, str], object] = {}
    return tuple(RightFinding(right, _finding(client, right, answers)) for right in REQUIRED_RIGHTS)


_DENIED = object()
_UNKNOWN = object()


def _finding(
    client: ConnectWiseClient, right: Right, answers: dict[tuple[str, str], object]
) -> Finding:
    probe = PROBES.get((right.module, right.row))
    if probe is None or right.column is not Column.INQUIRE:
        return Finding.UNPROVEN
    key = (probe.route, repr(probe.query))
    if key not in answers:
        answers[key] = _answer(client, probe)
    if answers[key] is _DENIED:
        return Finding.MISSING
    return Finding.UNPROVEN if answers[key] is _UNKNOWN else probe.judge(answers[key])


def _answer(client: ConnectWiseClient, probe: Probe) -> object:
    try:
        return client.read(probe.route, query=probe.query, max_attempts=PROBE_ATTEMPTS).value
    except PermissionMissingError:
        return _DENIED
    except (NotFoundError, RefusedError):
        # This version of ConnectWise has no such read; that says nothing about the right.
        return _UNKNOWN
