"""The check finds out an API member's rights in the guide's security matrices, by reading only.

ConnectWise has no list of one's own rights, so each is tried with a read that it governs. The
pairs of rows and endpoints below follow the guide's names, because ConnectWise documents none.
"""

from __future__ import annotations

from collections import defaultdict
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

    An answer is judged for all of its rights at once, so that one answer is held at a time.
    Raises CredentialsRejectedError and RetryableError; a refused read is a finding.
    """
    findings = dict.fromkeys(REQUIRED_RIGHTS, Finding.UNPROVEN)
    for probes in _probes_by_read().values():
        findings |= _findings(client, probes)
    return tuple(RightFinding(right, findings[right]) for right in REQUIRED_RIGHTS)


def _probes_by_read() -> Mapping[tuple[str, str], Mapping[Right, Probe]]:
    """Return the rights that a read can tell of, by the read that they share."""
    shared: dict[tuple[str, str], dict[Right, Probe]] = defaultdict(dict)
    for right in REQUIRED_RIGHTS:
        probe = PROBES.get((right.module, right.row))
        if probe is not None and right.column is Column.INQUIRE:
            shared[probe.route, repr(probe.query)][right] = probe
    return shared


def _findings(client: ConnectWiseClient, probes: Mapping[Right, Probe]) -> dict[Right, Finding]:
    """Return the findings of rights whose probes share one read."""
    read = next(iter(probes.values()))
    try:
        value = client.read(read.route, query=read.query, max_attempts=PROBE_ATTEMPTS).value
    except PermissionMissingError:
        return dict.fromkeys(probes, Finding.MISSING)
    except (NotFoundError, RefusedError):
        # This version of ConnectWise has no such read; that says nothing about the right.
        return dict.fromkeys(probes, Finding.UNPROVEN)
    return {right: probe.judge(value) for right, probe in probes.items()}
