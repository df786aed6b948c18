"""What the bridge wrote into ConnectWise is shown as the platform's, to its own partner only."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from bridge.domain.payment import PaymentKind
from bridge.domain.write_back import WriteBack
from bridge.domain.write_back.changes import confirm
from tests.unit.dashboard_api.payments import recorded, write_backs
from tests.unit.dashboard_api.world import Caller, World


@pytest.fixture
def invoice(world: World, connection: Connection) -> Invoice:
    """An invoice with two payments in ConnectWise: 501 is ours, 502 somebody else's."""
    invoice = world.invoice(connection, 7, payments=[501, 502])
    own(world, recorded(world, connection, invoice), 501)
    return invoice


def own(
    world: World, write_back: WriteBack, psa_payment_id: int, *, is_foreign: bool = False
) -> None:
    """Store that the write-back owns a payment in ConnectWise."""
    now = world.clock.now()
    save(
        world,
        confirm(write_back, psa_payment_id, now, is_foreign=is_foreign),
        own_psa_payment_id=psa_payment_id,
    )


def save(world: World, write_back: WriteBack, **ownership: Any) -> None:
    """Store a write-back under the invoice's lease."""
    now = world.clock.now()
    stored = world.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
    lease = world.ledger.take_lease(
        books=world.stored_connection(write_back.connection_id).books,
        invoice_source_id=write_back.invoice_source_id,
        holder_id=write_back.write_back_id,
        now=now,
        until=now + timedelta(minutes=1),
    )
    world.ledger.save_write_back(
        write_back, expected_version=stored.version, holding=lease, **ownership
    )
    world.ledger.release_lease(lease)


def origins(items: list[dict[str, Any]]) -> dict[int, tuple[str, str | None]]:
    return {each["source_id"]: (each["origin"], each["platform_payment_id"]) for each in items}


SHOWN = {501: ("platform", "pay-1"), 502: ("connectwise", None)}


def test_an_invoices_payments_say_who_made_them(partner: Caller, invoice: Invoice) -> None:
    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json
    assert origins(body["payments"]) == SHOWN


def test_a_single_payment_says_who_made_it(partner: Caller, invoice: Invoice) -> None:
    paths = [f"/v1/invoices/{invoice.invoice_id}/payments/{p.payment_id}" for p in invoice.payments]
    assert origins([partner.get(path).json for path in paths]) == SHOWN


def test_the_list_of_payments_says_who_made_them(
    world: World, partner: Caller, invoice: Invoice
) -> None:
    second = world.connection(company_id="second")
    world.invoice(second, 7, payments=[503])

    items = partner.get("/v1/payments").json["items"]

    assert origins(items) == {**SHOWN, 503: ("connectwise", None)}


def test_a_credit_with_the_same_number_is_not_ours(
    world: World, partner: Caller, invoice: Invoice
) -> None:
    applied = tuple(replace(each, kind=PaymentKind.CREDIT) for each in invoice.payments)
    world.records.save(replace(invoice, payments=applied), expected_version=1)

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert {origin for origin, _ in origins(body["payments"]).values()} == {"connectwise"}


def test_what_was_given_up_is_not_ours_any_more(
    world: World, partner: Caller, connection: Connection, invoice: Invoice
) -> None:
    (write_back,) = write_backs(world)
    save(world, replace(write_back, psa_payment_id=None), disown_psa_payment_id=501)
    world.ledger.disclaim(connection.books, [502])

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert {origin for origin, _ in origins(body["payments"]).values()} == {"connectwise"}


def test_a_payment_that_somebody_else_made_for_ours_keeps_its_origin(
    world: World, partner: Caller, connection: Connection
) -> None:
    invoice = world.invoice(connection, 8, payments=[601])
    own(world, recorded(world, connection, invoice, "pay-8"), 601, is_foreign=True)

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert origins(body["payments"]) == {601: ("connectwise", "pay-8")}


def test_owners_kept_by_the_company_are_found(
    world: World, partner: Caller, connection: Connection
) -> None:
    stored = world.connections.get(connection.connection_id)
    proven = replace(connection, company_key="company-1")
    world.connections.save(proven, expected_version=stored.version)
    invoice = world.invoice(connection, 8, payments=[601])
    own(world, recorded(world, connection, invoice, "pay-8"), 601)

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert origins(body["payments"]) == {601: ("platform", "pay-8")}


def test_another_partners_payment_is_not_named(
    world: World, partner: Caller, invoice: Invoice
) -> None:
    """A company that another partner connected before keeps the owners of its payments."""
    (write_back,) = write_backs(world)
    world.ledger.arrange(replace(write_back, partner_id="partner-b"))

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert origins(body["payments"])[501] == ("connectwise", None)


def test_the_ledger_is_asked_twice_however_many_payments_there_are(
    world: World, partner: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    for name in ("owners", "get_write_backs", "get_write_back"):
        ask = getattr(world.ledger, name)

        def counted(*arguments: Any, name: str = name, ask: Any = ask) -> Any:
            asked[name] += 1
            return ask(*arguments)

        monkeypatch.setattr(world.ledger, name, counted)
    many = world.invoice(connection, 8, payments=range(1000, 1060))

    partner.get(f"/v1/invoices/{many.invoice_id}")
    assert asked == {"owners": 1, "get_write_backs": 1}
    partner.get(f"/v1/invoices/{world.invoice(connection, 9).invoice_id}")
    assert asked == {"owners": 1, "get_write_backs": 1}
