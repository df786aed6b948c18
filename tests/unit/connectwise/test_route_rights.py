"""A denied route is named by its right, in the words of the security role's screen."""

from __future__ import annotations

import pytest

from bridge.connectwise.rights import PROBES
from bridge.connectwise.route_rights import named, right_of
from bridge.domain.errors import CredentialsRejectedError, PermissionMissingError
from bridge.domain.permissions import REQUIRED_RIGHTS


@pytest.mark.parametrize(
    ("method", "route", "right"),
    [
        ("GET", "/finance/invoices", "Finance > Invoicing: Inquire"),
        ("GET", "/finance/invoices/count", "Finance > Invoicing: Inquire"),
        ("GET", "/finance/invoices/{id}/pdf", "Finance > Invoicing: Inquire"),
        ("PATCH", "/finance/invoices/{id}", "Finance > Invoicing: Edit"),
        ("GET", "/finance/invoices/{id}/payments", "Finance > Accounting Interface: Inquire"),
        ("POST", "/finance/invoices/{id}/payments", "Finance > Accounting Interface: Add"),
        (
            "DELETE",
            "/finance/invoices/{id}/payments/{payment_id}",
            "Finance > Accounting Interface: Delete",
        ),
        ("POST", "/system/callbacks", "System > Table Setup (customize): Inquire"),
        ("GET", "/company/companies/types", "System > Table Setup (customize): Inquire"),
        ("GET", "/company/companies/{id}", "Companies > Company Maintenance: Inquire"),
        ("GET", "/company/companiesElsewhere", "None"),
        ("GET", "/nowhere", "None"),
        ("TRACE", "/finance/invoices", "None"),
    ],
)
def test_a_call_has_its_right(method: str, route: str, right: str) -> None:
    assert str(right_of(method, route)) == right


def test_every_route_of_a_probe_is_governed_by_a_required_right() -> None:
    rights = {right_of("GET", probe.route) for probe in PROBES.values()}
    assert rights <= set(REQUIRED_RIGHTS)


def test_only_a_denial_is_named() -> None:
    rejected = CredentialsRejectedError("401")
    denied = PermissionMissingError("403", rights=("Finance > Invoicing: Edit",))

    assert named(rejected, "GET", "/finance/invoices") is rejected
    assert named(denied, "GET", "/company/companies") is denied
