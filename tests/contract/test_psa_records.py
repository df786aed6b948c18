"""Whole records as they come out of ConnectWise, and the proof that one is gone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import (
    CredentialsRejectedError,
    MalformedRecordError,
    NotFoundError,
    UnavailableError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice, LineKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.money import to_decimal
from bridge.domain.payment import PaymentKind
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.people import NewLine
from connectwise_sandbox.tenant import Corruption
from tests.fakes.clock import START
from tests.unit.connectwise.sandbox import World, sandboxed_world

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=12, invoices=60)


@pytest.fixture
def psa(world: World) -> ConnectWisePsa:
    return world.psa()


def stored(world: World, kind: Kind) -> dict[int, Record]:
    return {row["id"]: row for row in world.engine.tenant.store[kind]}


def one_invoice(world: World) -> Record:
    """A fresh invoice of 300.00 dollars over two lines."""
    company = next(
        c
        for c in world.engine.tenant.store[Kind.COMPANY]
        if not c["deletedFlag"] and c["currency"]["currencyCode"] == "USD"
    )
    lines = [NewLine("Router", Decimal(100)), NewLine("Switch", Decimal(200), Decimal(2))]
    return world.engine.people.create_invoice(company["id"], lines)


def fetched(
    psa: ConnectWisePsa, source_id: int, with_payments_of: frozenset[int] = frozenset()
) -> Invoice:
    return psa.fetch(INVOICES, [source_id], with_payments_of=with_payments_of).found[source_id]


# --- invoices ----------------------------------------------------------------------------------


def test_every_invoice_says_what_connectwise_says_to_the_last_unit(
    world: World, psa: ConnectWisePsa
) -> None:
    rows = stored(world, Kind.INVOICE)

    result = psa.fetch(INVOICES, list(rows))

    assert result.broken == {}
    assert set(result.found) == set(rows)
    for source_id, invoice in result.found.items():
        row = rows[source_id]
        amounts = (invoice.total_minor, invoice.balance_minor, invoice.paid_minor)
        exact = tuple(to_decimal(amount, invoice.currency) for amount in amounts)
        assert exact == (row["total"], row["balance"], row["payments"])
        assert to_decimal(invoice.credited_minor, invoice.currency) == row["credits"]
        assert invoice.currency.code == row["currency"]["currencyCode"]
        assert sum(line.amount_minor for line in invoice.line_items) == invoice.total_minor
        assert invoice.number == row["invoiceNumber"]
        assert invoice.issued_on.isoformat() == row["date"][:10]
        assert invoice.due_on is None or invoice.due_on.isoformat() == row["dueDate"][:10]


def test_payments_are_read_where_the_header_shows_some(world: World, psa: ConnectWisePsa) -> None:
    rows = stored(world, Kind.INVOICE)
    result = psa.fetch(INVOICES, list(rows))

    shown = {key for key, row in rows.items() if row["payments"] or row["credits"]}

    assert psa.calls["GET /finance/invoices/{id}/payments"] == len(shown)
    for source_id in shown:
        invoice = result.found[source_id]
        money = [p.amount_minor for p in invoice.payments if p.kind is PaymentKind.MONEY]
        assert sum(money) == invoice.paid_minor


def test_payments_are_read_where_the_caller_knows_of_some(
    world: World, psa: ConnectWisePsa
) -> None:
    # Given a payment that ConnectWise does not show in the header yet
    row = one_invoice(world)
    world.engine.switches.balance_delay_seconds = 3_600
    world.engine.people.record_payment(row["id"], Decimal(50))

    unasked = fetched(psa, row["id"])
    asked = fetched(psa, row["id"], with_payments_of=frozenset({row["id"]}))

    assert unasked.payments == ()
    assert [p.amount_minor for p in asked.payments] == [5_000]
    assert asked.balance_minor == 30_000


def test_an_applied_credit_memo_is_a_payment_of_kind_credit(
    world: World, psa: ConnectWisePsa
) -> None:
    row = one_invoice(world)
    world.engine.people.apply_credit(row["id"], Decimal(120))

    invoice = fetched(psa, row["id"])

    assert [(p.kind, p.amount_minor) for p in invoice.payments] == [(PaymentKind.CREDIT, 12_000)]
    assert invoice.payments[0].credit_source_id is not None
    assert (invoice.credited_minor, invoice.paid_minor, invoice.balance_minor) == (
        12_000,
        0,
        18_000,
    )


def test_a_payment_names_the_member_who_applied_it(world: World, psa: ConnectWisePsa) -> None:
    row = one_invoice(world)
    world.engine.people.record_payment(row["id"], Decimal(10), by="mreyes")

    (payment,) = fetched(psa, row["id"]).payments

    assert payment.applied_by == "mreyes"
    assert payment.paid_on == START.date()


def test_lines_show_products_without_those_cancelled_or_not_billed(
    world: World, psa: ConnectWisePsa
) -> None:
    row = one_invoice(world)
    tenant = world.engine.tenant
    router, switch = tenant.store[Kind.PRODUCT].referring("invoice", [row["id"]])
    tenant.change(Kind.PRODUCT, router | {"cancelledFlag": True}, "jdoe")
    tenant.change(Kind.PRODUCT, switch | {"billableOption": "NoCharge"}, "jdoe")

    lines = fetched(psa, row["id"]).line_items

    assert [(line.kind, line.description, line.amount_minor) for line in lines] == [
        (LineKind.PRODUCT, "Switch", 0),
        (LineKind.ADJUSTMENT, "Adjustments", 30_000),
    ]
    assert (lines[0].quantity, lines[0].unit_price) == (Decimal(2), Decimal(100))


def test_the_payer_is_the_bill_to_company(world: World, psa: ConnectWisePsa) -> None:
    row = one_invoice(world)
    other = next(
        c["id"] for c in world.engine.tenant.store[Kind.COMPANY] if c["id"] != row["company"]["id"]
    )
    world.engine.tenant.change(Kind.INVOICE, row | {"billToCompany": {"id": other}}, "jdoe")

    assert fetched(psa, row["id"]).customer_source_id == other


def test_an_id_that_connectwise_does_not_have_is_neither_found_nor_broken(
    psa: ConnectWisePsa,
) -> None:
    result = psa.fetch(INVOICES, [999_999])

    assert (result.found, result.broken) == ({}, {})


def test_asking_for_nothing_costs_nothing(psa: ConnectWisePsa) -> None:
    assert psa.fetch(INVOICES, []).found == {}
    assert psa.fetch(CUSTOMERS, []).found == {}
    assert not psa.calls


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"type": "Surprise"}, "The type of {name} has an unknown value."),
        ({"total": None}, "The total of {name} is missing."),
        ({"total": Decimal("10.001")}, "The total of {name} has more decimals than its currency."),
        ({"balance": "plenty"}, "The balance of {name} cannot be read."),
        ({"currency": {"currencyCode": "x"}}, "The currency of {name} is not a code of "),
        ({"date": "soon"}, "The date of {name} cannot be read."),
        ({"dueDate": "soon"}, "The due date of {name} cannot be read."),
        ({"company": None, "billToCompany": None}, "The company of {name} is missing."),
    ],
)
def test_a_malformed_invoice_is_broken_alone_and_the_reason_names_it_and_the_field(
    world: World, psa: ConnectWisePsa, overrides: Record, reason: str
) -> None:
    row = one_invoice(world)
    others = [key for key in stored(world, Kind.INVOICE) if key != row["id"]]
    world.engine.tenant.corruptions[Kind.INVOICE, row["id"]] = Corruption(None, overrides)

    result = psa.fetch(INVOICES, [*others, row["id"]])

    said = reason.format(name=f"invoice {row['invoiceNumber']}")
    assert list(result.broken) == [row["id"]]
    assert result.broken[row["id"]].startswith(said)
    assert set(result.found) == set(others)


def test_a_malformed_line_costs_its_invoice_no_more_than_the_line(
    world: World, psa: ConnectWisePsa
) -> None:
    row = one_invoice(world)
    line, _ = world.engine.tenant.store[Kind.PRODUCT].referring("invoice", [row["id"]])
    odd = {"billableOption": "Maybe", "extPrice": "abc", "quantity": [], "description": 7}
    world.engine.tenant.corruptions[Kind.PRODUCT, line["id"]] = Corruption(None, odd)

    invoice = fetched(psa, row["id"])

    assert sum(line.amount_minor for line in invoice.line_items) == invoice.total_minor == 30_000
    assert [line.kind for line in invoice.line_items] == [
        LineKind.PRODUCT,
        LineKind.PRODUCT,
        LineKind.ADJUSTMENT,
    ]


def test_an_invoice_of_an_older_server_is_in_its_payers_currency_for_one_call_a_page(
    world: World, psa: ConnectWisePsa
) -> None:
    rows = stored(world, Kind.INVOICE)
    for source_id in rows:
        without = Corruption(None, {"currency": None})
        world.engine.tenant.corruptions[Kind.INVOICE, source_id] = without

    result = psa.fetch(INVOICES, list(rows))

    companies = stored(world, Kind.COMPANY)
    assert psa.calls["GET /company/companies"] == 1
    for source_id, invoice in result.found.items():
        payer = companies[rows[source_id]["billToCompany"]["id"]]
        assert invoice.currency.code == payer["currency"]["currencyCode"]
    assert result.found


# --- customers ---------------------------------------------------------------------------------


def test_customers_are_what_connectwise_says(world: World, psa: ConnectWisePsa) -> None:
    rows = {key: row for key, row in stored(world, Kind.COMPANY).items() if not row["deletedFlag"]}

    result = psa.fetch(CUSTOMERS, list(rows))

    assert result.broken == {}
    for source_id, row in rows.items():
        customer = result.found[source_id]
        assert (customer.name, customer.identifier) == (row["name"], row["identifier"])
        assert [ref.source_id for ref in customer.types] == [t["id"] for t in row.get("types", ())]
        assert customer.archive is None


def test_a_deleted_customer_comes_back_archived(world: World, psa: ConnectWisePsa) -> None:
    source_id = next(iter(stored(world, Kind.COMPANY)))
    world.engine.people.delete_company(source_id)

    archive = psa.fetch(CUSTOMERS, [source_id]).found[source_id].archive

    assert archive is not None
    assert archive.reason is ArchiveReason.DELETED_IN_CONNECTWISE
    assert archive.at <= START


def test_a_merged_customer_comes_back_archived_at_connectwises_present_time(
    world: World, psa: ConnectWisePsa
) -> None:
    losing, winning, *_ = stored(world, Kind.COMPANY)
    world.engine.people.merge_companies(losing, winning)

    archive = psa.fetch(CUSTOMERS, [losing]).found[losing].archive

    assert archive is not None
    assert archive.at == START


def test_mail_goes_to_the_company_then_its_billing_contact_then_its_default_contact(
    world: World, psa: ConnectWisePsa
) -> None:
    people = world.engine.people
    company = people.create_company("acme", "Acme", email="ap@acme.example")
    billing, default, *_ = stored(world, Kind.CONTACT)
    people.set_email(billing, "billing@acme.example")
    people.set_email(default, "default@acme.example")
    changes: Record = {"billingContact": {"id": billing}, "defaultContact": {"id": default}}
    seen = []
    for change in (
        changes,
        {"invoiceToEmailAddress": None},
        {"billingContact": None},
        {"defaultContact": None},
    ):
        people.change_company(company["id"], change)
        seen.append(psa.fetch(CUSTOMERS, [company["id"]]).found[company["id"]].email)

    assert seen == ["ap@acme.example", "billing@acme.example", "default@acme.example", ""]


# --- existence ---------------------------------------------------------------------------------


def test_what_connectwise_has_exists_and_what_it_deleted_does_not(
    world: World, psa: ConnectWisePsa
) -> None:
    kept, gone = one_invoice(world), one_invoice(world)
    world.engine.people.delete_invoice(gone["id"])

    assert psa.exists(INVOICE, kept["id"])
    assert not psa.exists(INVOICE, gone["id"])


def test_absent_records_cost_a_call_each_and_a_greeting_for_all(
    world: World, psa: ConnectWisePsa
) -> None:
    kept, *gone = (one_invoice(world)["id"] for _ in range(4))
    for source_id in gone:
        world.engine.people.delete_invoice(source_id)

    assert psa.find_absent(INVOICE, [kept, *gone]) == set(gone)
    assert psa.calls == {"GET /finance/invoices/{id}": 4, "GET /system/info": 1}


def test_records_that_are_there_need_no_greeting(world: World, psa: ConnectWisePsa) -> None:
    kept = one_invoice(world)["id"]

    assert psa.find_absent(INVOICE, [kept]) == frozenset()
    assert psa.calls == {"GET /finance/invoices/{id}": 1}


def test_an_upgrade_amid_the_proof_has_all_asked_again(world: World, psa: ConnectWisePsa) -> None:
    row = one_invoice(world)
    rollover = Fault(path_regex=f"invoices/{row['id']}", effect=Effect.CODEBASE_ROLLOVER)
    world.engine.faults.add(rollover)

    absent = psa.find_absent(INVOICE, [999_998, row["id"], 999_999])

    assert absent == {999_998, 999_999}
    assert psa.calls["GET /finance/invoices/{id}"] >= 6


def test_a_deleted_company_still_exists(world: World, psa: ConnectWisePsa) -> None:
    source_id = next(iter(stored(world, Kind.COMPANY)))
    world.engine.people.delete_company(source_id)

    assert psa.exists(CUSTOMER, source_id)


def test_a_404_proves_nothing_while_connectwise_does_not_answer(
    world: World, psa: ConnectWisePsa
) -> None:
    world.engine.faults.add(Fault(path_regex="system/info", effect=Effect.STATUS_500, times=100))

    with pytest.raises(UnavailableError):
        psa.exists(INVOICE, 999_999)


def test_the_404_of_a_web_server_proves_nothing(world: World, psa: ConnectWisePsa) -> None:
    row = one_invoice(world)
    fault = Fault(path_regex="invoices/", effect=Effect.STATUS_404_HTML, times=100)
    world.engine.faults.add(fault)

    with pytest.raises(UnavailableError):
        psa.exists(INVOICE, row["id"])


def test_a_missing_endpoint_proves_nothing(world: World, psa: ConnectWisePsa) -> None:
    # Given a ConnectWise that answers an unknown endpoint with its own JSON 404
    world.engine._router._root.literals["finance"].literals.pop("invoices")

    with pytest.raises(UnavailableError):
        psa.exists(INVOICE, 999_999)


@pytest.mark.parametrize("status", [401, 404])
def test_a_404_proves_nothing_with_rejected_keys(
    world: World, psa: ConnectWisePsa, status: int
) -> None:
    world.engine.switches.wrong_keys_status = status  # type: ignore[assignment]
    world.engine.tenant.identity = type(world.engine.tenant.identity)(
        **{
            name: getattr(world.engine.tenant.identity, name)
            for name in world.engine.tenant.identity.__dataclass_fields__
        }
        | {"private_key": "rotated"}
    )

    with pytest.raises(CredentialsRejectedError):
        psa.exists(INVOICE, 999_999)


# --- documents ---------------------------------------------------------------------------------


def test_a_pdf_is_fetched_as_it_is(world: World, psa: ConnectWisePsa) -> None:
    content = psa.fetch_invoice_pdf(one_invoice(world)["id"])

    assert content.startswith(b"%PDF-")


@pytest.mark.parametrize("switch", ["empty", "html"])
def test_anything_else_than_a_pdf_is_malformed(
    world: World, psa: ConnectWisePsa, switch: str
) -> None:
    world.engine.switches.pdf = switch  # type: ignore[assignment]

    with pytest.raises(MalformedRecordError):
        psa.fetch_invoice_pdf(one_invoice(world)["id"])


def test_a_pdf_that_cannot_be_rendered_is_unavailable(world: World, psa: ConnectWisePsa) -> None:
    world.engine.switches.pdf = "server_error"

    with pytest.raises(UnavailableError):
        psa.fetch_invoice_pdf(one_invoice(world)["id"])


def test_the_pdf_of_a_missing_invoice_is_not_found(psa: ConnectWisePsa) -> None:
    with pytest.raises(NotFoundError):
        psa.fetch_invoice_pdf(999_999)
