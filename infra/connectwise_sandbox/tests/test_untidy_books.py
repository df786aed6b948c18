"""The generated books are as untidy as those of a real provider."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.kinds import Kind, Record

BOOKS = PsaClient(seed=7, customers=50, invoices=500)
STORE = BOOKS.tenant.store
INVOICES = list(STORE[Kind.INVOICE])
COMPANIES = list(STORE[Kind.COMPANY])
CONTACTS = list(STORE[Kind.CONTACT])
TIME = list(STORE[Kind.TIME_ENTRY])
PRODUCTS = list(STORE[Kind.PRODUCT])


# --- closed, batched, paid ------------------------------------------------------------------------


def test_most_due_invoices_are_closed_and_many_are_batched() -> None:
    due = [row for row in INVOICES if row["balance"] > 0]

    assert sum(row["status"]["isClosed"] for row in due) > len(due) / 2
    assert sum("glBatch" in row for row in due) > len(due) / 5
    assert any(not row["status"]["isClosed"] for row in due)


def test_a_third_of_all_invoices_is_batched_month_by_month() -> None:
    batched = [row for row in INVOICES if "glBatch" in row]

    assert len(INVOICES) * 0.28 < len(batched) < len(INVOICES) * 0.45
    assert len({row["glBatch"]["id"] for row in batched}) > 12
    assert all(row["status"]["isClosed"] for row in batched)
    assert len(STORE[Kind.BATCH_ENTRY]) == len(batched)


@pytest.mark.parametrize("batched", [False, True])
def test_a_due_invoice_that_is_closed_takes_a_payment(batched: bool) -> None:
    invoice = next(
        row
        for row in INVOICES
        if row["balance"] > 1 and row["status"]["isClosed"] and ("glBatch" in row) == batched
    )

    BOOKS.post(f"/finance/invoices/{invoice['id']}/payments", {"amount": 1})

    after = BOOKS.get(f"/finance/invoices/{invoice['id']}")
    assert after["balance"] == invoice["balance"] - 1


def test_some_credit_memos_are_applied_in_part() -> None:
    memos = [row for row in INVOICES if row["type"] == "CreditMemo"]

    assert any(row["total"] < row["balance"] < 0 for row in memos)
    assert any(row["balance"] == 0 for row in memos)


# --- what invoices apply to -----------------------------------------------------------------------


def test_invoices_apply_to_everything_that_the_interface_knows() -> None:
    subjects = defaultdict(list)
    for row in INVOICES:
        subjects[row["applyToType"]].append(row)

    assert subjects.keys() == {
        "All",
        "Agreement",
        "Project",
        "ProjectPhase",
        "SalesOrder",
        "Ticket",
    }
    references = {
        "Agreement": "agreement",
        "Project": "project",
        "ProjectPhase": "phase",
        "SalesOrder": "salesOrder",
        "Ticket": "ticket",
    }
    for type_name, field in references.items():
        assert all(row[field]["id"] == row["applyToId"] for row in subjects[type_name])
    assert all("project" in row for row in subjects["ProjectPhase"])


def test_progress_moves_from_invoice_to_invoice_of_a_project() -> None:
    billed: defaultdict[int, Decimal] = defaultdict(Decimal)
    applied = 0
    for row in INVOICES:
        if row["type"] == "Progress":
            project_id = row["project"]["id"]
            assert row["previousProgressApplied"] <= billed[project_id]
            applied += row["previousProgressApplied"] > 0
            billed[project_id] += row["total"]

    assert applied > 3


def test_a_down_payment_shows_what_later_invoices_have_left_of_it() -> None:
    advances = [row for row in INVOICES if row["type"] == "DownPayment"]

    assert all(0 <= row["remainingDownpayment"] <= row["total"] for row in advances)
    assert any(row["remainingDownpayment"] < row["total"] for row in advances)


def test_a_few_invoices_lack_what_most_have() -> None:
    for field in ("billToCompany", "dueDate"):
        lacking = sum(field not in row for row in INVOICES)
        assert 0 < lacking < len(INVOICES) / 10, field


def test_a_few_invoices_name_places_and_terms_by_the_id_zero() -> None:
    nowhere = [row for row in INVOICES if row["locationId"] == 0]

    assert 0 < len(nowhere) < len(INVOICES) / 10
    for row in nowhere:
        assert row["departmentId"] == 0
        assert row["billingTerms"]["id"] == row["location"]["id"] == row["department"]["id"] == 0
        shown = BOOKS.get(f"/finance/invoices/{row['id']}")
        assert "_info" not in shown["location"]


def test_what_explains_a_total_is_sometimes_finer_than_cents() -> None:
    cent = Decimal("0.01")
    in_cents = [row for row in INVOICES if row["currency"]["numberOfDecimals"] == 2]

    assert any(row["subtotal"] % cent != 0 for row in in_cents)
    assert any((row["salesTax"] * 100) % 1 != 0 for row in in_cents)
    assert min(row["salesTax"].as_tuple().exponent for row in in_cents) == -4
    assert all(row["total"] % cent == row["balance"] % cent == 0 for row in in_cents)


# --- lines ----------------------------------------------------------------------------------------


def test_work_is_begun_and_ended_before_it_is_entered_and_billed() -> None:
    for entry in TIME:
        assert entry["timeStart"] < entry["timeEnd"] <= entry["_info"]["dateEntered"]


def test_work_is_charged_to_tickets_codes_and_companies() -> None:
    charged = Counter(entry["chargeToType"] for entry in TIME)

    assert charged.keys() == {"ServiceTicket", "ProjectTicket", "ChargeCode", "Company"}
    assert max(charged.values()) < len(TIME) / 2
    for entry in TIME:
        if entry["chargeToType"].endswith("Ticket"):
            ticket = STORE[Kind.TICKET].get(entry["chargeToId"])
            assert ticket is not None
            assert ticket["recordType"] == entry["chargeToType"]


def test_what_an_agreement_covers_makes_lines_exceed_their_invoice() -> None:
    covered = [line for line in PRODUCTS if line["agreementAmount"] > 0]
    assert covered
    assert all(line["agreementAmount"] < line["extPrice"] for line in covered)
    assert any(entry["agreementAmount"] > 0 for entry in TIME)

    invoice = STORE[Kind.INVOICE].get(covered[0]["invoice"]["id"])
    assert invoice is not None
    lines = STORE[Kind.PRODUCT].referring("invoice", [invoice["id"]])
    assert sum(line["extPrice"] for line in lines) > invoice["productTotal"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            "/procurement/products",
            (
                "listPrice margin sequenceNumber unitOfMeasure agreementAmount quantityCancelled "
                "calculatedPriceFlag businessUnit location uom company invoice"
            ),
        ),
        (
            "/time/entries",
            (
                "timeEnd hoursDeduct workRole workType enteredBy dateEntered mobileGuid "
                "overageRate agreementHours agreementAmount "
                "invoiceReady location department companyType"
            ),
        ),
        (
            "/expense/entries",
            "paymentMethod classification agreementAmount taxes mobileGuid chargeToId",
        ),
        (
            "/finance/agreements",
            (
                "applicationUnits billingCycle billToCompany billToContact shipToSite periodType "
                "coverAgreementTime nextInvoiceDate invoicingCycle restrictDownPayment"
            ),
        ),
        (
            "/finance/invoices",
            (
                "billingSite billingSiteAddressLine1 billingSiteCountry shippingSite "
                "shippingSiteCity billingSetupReference "
                "downpaymentPreviouslyTaxedFlag overrideDownPaymentAmountFlag"
            ),
        ),
        (
            "/company/companies",
            (
                "country taxIdentifier invoiceDeliveryMethod vendorIdentifier faxNumber mobileGuid "
                "dateAcquired leadFlag timeZoneSetup sicCode market annualRevenue unsubscribeFlag "
                "territoryManager numberOfEmployees site billingSite"
            ),
        ),
        (
            "/company/contacts",
            "site types mobileGuid relationshipOverride marriedFlag typeIds integratorTags",
        ),
        ("/procurement/catalog", "customerDescription subcategory type unitOfMeasure"),
        (
            "/system/members",
            (
                "agreementInvoicingDisplayOptions invoiceScreenDefaultTabFormat "
                "invoicingDisplayOptions timeZone workRole defaultLocation"
            ),
        ),
    ],
)
def test_every_row_has_the_fields_that_recorded_answers_always_have(path: str, fields: str) -> None:
    rows = BOOKS.get(path, pageSize=1000)

    assert rows
    for row in rows:
        assert set(fields.split()) - row.keys() == set()


# --- people ---------------------------------------------------------------------------------------


def test_some_billing_contacts_have_left() -> None:
    contacts = {contact["id"]: contact for contact in CONTACTS}
    gone = [row for row in COMPANIES if contacts[row["billingContact"]["id"]]["inactiveFlag"]]

    assert 0 < len(gone) < len(COMPANIES) / 3


@pytest.mark.parametrize("field", ["invoiceToEmailAddress", "invoiceCCEmailAddress"])
def test_a_field_may_hold_several_addresses(field: str) -> None:
    filled = [row[field] for row in COMPANIES if field in row]

    assert any("; " in text for text in filled)
    assert any("; " not in text for text in filled)
    assert len(filled) < len(COMPANIES)


def test_some_names_are_spelt_with_decomposed_letters() -> None:
    names = [row["name"] for row in COMPANIES] + [row["firstName"] for row in CONTACTS]
    decomposed = [name for name in names if unicodedata.normalize("NFC", name) != name]

    assert any(name in decomposed for name in (row["name"] for row in COMPANIES))
    assert any(name in decomposed for name in (row["firstName"] for row in CONTACTS))


def test_some_contacts_have_references_without_an_id() -> None:
    rows = BOOKS.get("/company/contacts", pageSize=1000)
    empty = [row for row in rows if "relationship" in row]

    assert 0 < len(empty) < len(rows)
    for row in empty:
        assert row["relationship"].keys() == {"_info"}
        assert row["companyLocation"] == {}


def test_a_merged_company_has_lost_its_people_and_sites_but_not_its_status() -> None:
    merged = [row for row in COMPANIES if row["deletedFlag"] and "dateDeleted" not in row]

    assert merged
    for row in merged:
        assert STORE[Kind.CONTACT].referring("company", [row["id"]]) == []
        assert STORE[Kind.SITE].referring("company", [row["id"]]) == []
        assert "status" in row


# --- custom fields --------------------------------------------------------------------------------


def fields_of(rows: list[Record]) -> dict[str, list[Record]]:
    by_caption: defaultdict[str, list[Record]] = defaultdict(list)
    for row in rows:
        for field in row.get("customFields", []):
            by_caption[field["caption"]].append(field)
    return by_caption


def test_custom_fields_are_of_every_type_with_and_without_value() -> None:
    fields = fields_of(COMPANIES)
    types = {name: {type(field.get("value")) for field in each} for name, each in fields.items()}

    assert types == {
        "Tenant": {str, type(None)},
        "Seats": {int, type(None)},
        "Uptime": {Decimal, type(None)},
        "Monthly Budget": {Decimal, type(None)},
        "Autopay": {bool, type(None)},
        "Contract End": {str, type(None)},
        "Tier": {str, type(None)},
        "Open Portal": {type(None)},
    }
    assert {field["entryMethod"] for field in fields["Tier"]} == {"List"}
    assert {field["type"] for field in fields["Open Portal"]} == {"Button"}
    definitions = {row["connectWiseID"] for row in STORE[Kind.USER_DEFINED_FIELD]}
    assert {field["connectWiseId"] for each in fields.values() for field in each} <= definitions


def test_some_invoices_have_custom_fields_and_others_leave_them_out() -> None:
    assert set(fields_of(INVOICES)) == {"Cost Center", "Disputed"}
    assert any("customFields" not in row for row in INVOICES)


@pytest.mark.parametrize("hosting", ["cloud", "on_premise"])
def test_a_custom_field_without_value_is_null_in_the_cloud_and_left_out_on_premise(
    hosting: str,
) -> None:
    psa = PsaClient(seed=7, customers=3, hosting=hosting)

    fields = fields_of(psa.get("/company/companies"))["Open Portal"]

    assert fields
    assert all(("value" in field) == (hosting == "cloud") for field in fields)
    assert all(field.get("value") is None for field in fields)
