"""The generated books: the same for the same seed, and those of a provider."""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from decimal import Decimal

import pytest

from connectwise_sandbox.books import open_books
from connectwise_sandbox.clock import ManualClock
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.in_process_client import START, PsaClient
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import rounded
from connectwise_sandbox.presentation import present
from connectwise_sandbox.schemas import validate_new

BOOKS = PsaClient(seed=7, customers=50, invoices=500)
STORE = BOOKS.tenant.store
INVOICES = list(STORE[Kind.INVOICE])
LINE_KINDS = (Kind.PRODUCT, Kind.TIME_ENTRY, Kind.EXPENSE_ENTRY)


def everything(psa: PsaClient) -> dict[str, list[Record]]:
    return {kind.value: list(psa.tenant.store[kind]) for kind in Kind}


def test_the_same_seed_gives_the_same_books_and_another_seed_others() -> None:
    again = PsaClient(seed=7, customers=50, invoices=500)
    other = PsaClient(seed=8, customers=50, invoices=500)

    assert everything(BOOKS) == everything(again)
    assert everything(BOOKS) != everything(other)
    assert BOOKS.tenant.identity == again.tenant.identity
    assert BOOKS.tenant.identity.private_key != other.tenant.identity.private_key


@pytest.mark.parametrize("kind", list(Kind))
def test_each_record_is_one_that_the_interface_describes(kind: Kind) -> None:
    if kind is Kind.BATCH_ENTRY:
        batch_id = next(iter(STORE[Kind.BATCH]))["id"]
        rows = BOOKS.get(f"/finance/accounting/batches/{batch_id}/entries")
    else:
        rows = [present(BOOKS.tenant, kind, record) for record in STORE[kind]]

    complaints = [error for row in rows for error in validate_new(kind.value, row)]

    assert complaints == []


def test_views_and_system_answers_are_what_the_interface_describes() -> None:
    invoice_id = INVOICES[0]["id"]
    views = {
        "systemInfo": [BOOKS.get("/system/info")],
        "memberInfo": BOOKS.get("/system/info/members"),
        "unpostedInvoice": BOOKS.get("/finance/accounting/unpostedinvoices"),
        "unpostedPayment": BOOKS.get("/finance/accounting/unpostedpayments"),
        "glEntry": BOOKS.get(f"/finance/invoices/{invoice_id}/glEntries/"),
        "invoiceInfo": [BOOKS.get(f"/finance/info/invoice/{invoice_id}")],
        "count": [BOOKS.get("/finance/invoices/count")],
    }

    for name, rows in views.items():
        assert [error for row in rows for error in validate_new(name, row)] == [], name


def test_the_sizes_are_those_that_were_asked_for() -> None:
    assert len(INVOICES) == 500
    assert len(STORE[Kind.COMPANY]) == 50
    empty = PsaClient(customers=1, invoices=0)
    assert len(empty.tenant.store[Kind.INVOICE]) == 0
    with pytest.raises(ValueError, match="customers"):
        open_books(empty.tenant, seed=1, customers=0, invoices=0)


def test_every_type_currency_and_state_of_invoice_occurs() -> None:
    types = {invoice["type"] for invoice in INVOICES}
    assert types == {
        "Agreement",
        "CreditMemo",
        "DownPayment",
        "Miscellaneous",
        "Progress",
        "Standard",
    }
    assert {row["currency"]["numberOfDecimals"] for row in INVOICES} == {0, 2, 3}
    assert {row["currency"]["currencyCode"] for row in INVOICES} >= {"USD", "EUR", "GBP", "JPY"}
    assert {row["status"]["name"] for row in INVOICES} >= {"Paid in Full", "Closed", "New"}
    assert len({row["locationId"] for row in INVOICES} - {0}) == 3
    assert any(row["total"] == 0 for row in INVOICES)
    assert any(row["total"] < 0 for row in INVOICES)
    assert any(row["credits"] > 0 for row in INVOICES)
    assert any(row["downpaymentApplied"] > 0 for row in INVOICES)
    assert any(0 < row["payments"] < row["total"] for row in INVOICES)
    assert any(row["salesTax"] > 0 for row in INVOICES)
    assert any("glBatch" in row for row in INVOICES)
    assert any(row["balance"] == 0 and not row["status"]["isClosed"] for row in INVOICES)


def test_money_adds_up_in_every_invoice() -> None:
    for invoice in INVOICES:
        decimals = invoice["currency"]["numberOfDecimals"]
        step = Decimal(1).scaleb(-decimals)
        for name in ("total", "payments", "credits", "balance"):
            assert invoice[name] % step == 0
        assert invoice["balance"] == invoice["total"] - invoice["payments"] - invoice["credits"]
        in_advance = invoice["downpaymentApplied"] + invoice["previousProgressApplied"]
        explained = invoice["subtotal"] + invoice["salesTax"] - in_advance
        assert invoice["total"] == rounded(explained, decimals)


def test_most_lines_explain_their_invoice_and_some_do_not() -> None:
    amounts = {
        Kind.PRODUCT: "extPrice",
        Kind.TIME_ENTRY: "extendedInvoiceAmount",
        Kind.EXPENSE_ENTRY: "invoiceAmount",
    }
    unexplained = 0
    for invoice in INVOICES:
        explained = invoice["agreementAmount"] + sum(
            line[name]
            for kind, name in amounts.items()
            for line in STORE[kind].referring("invoice", [invoice["id"]])
        )
        unexplained += explained != invoice["subtotal"]

    assert 0 < unexplained < len(INVOICES) / 5


def test_the_lines_of_200_invoices_fit_into_one_page_of_each_kind() -> None:
    for start in range(0, len(INVOICES), 50):
        ids = [invoice["id"] for invoice in INVOICES[start : start + 200]]
        for kind in LINE_KINDS:
            assert len(STORE[kind].referring("invoice", ids)) < 1_000
    per_invoice = {kind: len(STORE[kind]) / len(INVOICES) for kind in LINE_KINDS}
    assert 2.0 < per_invoice[Kind.PRODUCT] < 2.4
    assert 1.7 < per_invoice[Kind.TIME_ENTRY] < 2.3
    assert 0.2 < per_invoice[Kind.EXPENSE_ENTRY] < 0.5


def test_ids_are_in_the_millions_with_gaps_and_numbers_are_texts() -> None:
    ids = [invoice["id"] for invoice in INVOICES]
    assert min(ids) > 1_000_000
    assert max(ids) < 2**31
    assert ids[-1] - ids[0] > len(ids)
    numbers = [invoice["invoiceNumber"] for invoice in INVOICES]
    assert len(set(numbers)) == len(numbers)
    assert max(map(len, numbers)) <= 15
    assert any(number.startswith("00") for number in numbers)
    assert any(number.startswith("INV-") and number.endswith("-A") for number in numbers)


def test_customers_are_of_every_kind() -> None:
    companies = list(STORE[Kind.COMPANY])
    deleted = [company for company in companies if company["deletedFlag"]]
    assert any("dateDeleted" not in company for company in deleted)
    assert any("dateDeleted" in company for company in deleted)
    assert any(not company["name"].isascii() for company in companies)
    assert {company["status"]["name"] for company in companies} > {"Active"}
    assert len({company["identifier"] for company in companies}) == len(companies)
    mails = [company.get("invoiceToEmailAddress") for company in companies]
    assert None in mails
    assert any(mails)
    contacts = list(STORE[Kind.CONTACT])
    assert any("lastName" not in contact for contact in contacts)
    payers = [row["billToCompany"]["id"] for row in INVOICES if "billToCompany" in row]
    assert payers != [row["company"]["id"] for row in INVOICES if "billToCompany" in row]


def test_no_address_or_name_is_one_that_somebody_could_own() -> None:
    texts = json.dumps([list(STORE[Kind.CONTACT]), list(STORE[Kind.COMPANY])], default=str)
    addresses = [word for word in texts.split('"') if "@" in word]

    assert addresses
    assert all(address.endswith(".example") for address in addresses)


def test_nothing_in_the_books_happened_in_the_future() -> None:
    now = START.strftime("%Y-%m-%dT%H:%M:%SZ")
    for kind in Kind:
        for record in STORE[kind]:
            assert record["_info"]["dateEntered"] <= record["_info"]["lastUpdated"] <= now


def test_agreements_are_billed_every_month() -> None:
    billed = Counter(
        (invoice["agreement"]["id"], invoice["date"])
        for invoice in INVOICES
        if invoice["type"] == "Agreement"
    )
    assert max(billed.values()) <= 2
    per_agreement = Counter(agreement_id for agreement_id, _ in billed)
    assert min(per_agreement.values()) > 20


def test_several_records_changed_in_the_same_second() -> None:
    moments = Counter(invoice["_info"]["lastUpdated"] for invoice in INVOICES)

    assert max(moments.values()) > 1


def test_five_times_the_invoices_cost_about_five_times_the_work() -> None:
    """Seconds depend on the machine, so books of two sizes are compared, the least of two each."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounds = [(cpu_seconds(invoices=2_000), cpu_seconds(invoices=10_000)) for _ in range(2)]
    small, large = (min(costs) for costs in zip(*rounds, strict=True))

    print(f"2,000 invoices: {small:.2f} s, 10,000 invoices: {large:.2f} s")
    assert large < 10 * small
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 400_000


def cpu_seconds(*, invoices: int) -> float:
    engine = Engine(clock=ManualClock(START), seed=1)
    started = time.process_time()
    open_books(engine.tenant, seed=1, customers=500, invoices=invoices)
    return time.process_time() - started
