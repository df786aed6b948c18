"""Books in raw JSON: a ConnectWise whose rows a test writes letter by letter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bridge.connectwise.mapping import Owner
from bridge.connectwise.psa import ConnectWisePsa
from tests.unit.connectwise.bench import bench

OWNER = Owner("partner-1", "c" * 32)
INVOICES = "/finance/invoices"
PRODUCTS = "/procurement/products"
TIME = "/time/entries"
EXPENSES = "/expense/entries"
COMPANIES = "/company/companies"
CONTACTS = "/company/contacts"
CURRENCIES = "/finance/currencies"


def payments_of(invoice_id: int) -> str:
    return f"{INVOICES}/{invoice_id}/payments"


@dataclass(frozen=True)
class Raw:
    """A value in the letters in which it goes over the wire."""

    text: str


def json_of(value: object) -> str:
    """Return a row as JSON text, in which raw values stand as they are."""
    match value:
        case Raw():
            return value.text
        case dict():
            return "{" + ",".join(f"{json.dumps(k)}:{json_of(v)}" for k, v in value.items()) + "}"
        case list():
            return f"[{','.join(map(json_of, value))}]"
    return json.dumps(value)


@dataclass
class Books:
    """Rows by route; every other list is empty, and each list is one page."""

    rows: Mapping[str, list[Any]]
    date: str = "Mon, 02 Mar 2026 09:00:00 GMT"
    calls: Counter[str] = field(default_factory=Counter)

    def play(self, request: httpx.Request) -> httpx.Response:
        route = request.url.path.partition("/apis/3.0")[2]
        self.calls[route] += 1
        text = json_of(self.rows.get(route, []))
        return httpx.Response(200, text=text, headers={"Date": self.date, "Link": ""})

    def psa(self) -> ConnectWisePsa:
        it = bench()
        client = it.client()
        client._transport = httpx.MockTransport(self.play)
        return ConnectWisePsa(client, OWNER, it.clock)


def an_invoice_row(source_id: int = 7, **changes: Any) -> dict[str, Any]:
    return {
        "id": source_id,
        "invoiceNumber": "1042",
        "type": "Standard",
        "status": {"id": 1, "name": "New", "isClosed": False},
        "company": {"id": 1, "name": "Acme"},
        "billToCompany": {"id": 2, "name": "Acme Holding"},
        "date": "2026-01-31T00:00:00Z",
        "dueDate": "2026-02-28T00:00:00Z",
        "currency": {"id": 1, "currencyCode": "USD", "numberOfDecimals": 2},
        "total": Raw("110.0"),
        "balance": Raw("50.0"),
        "payments": Raw("60.0"),
        "credits": Raw("0.0"),
        "subtotal": Raw("100.0"),
        "salesTax": Raw("10.0"),
        "previousProgressApplied": Raw("0.0"),
        "downpaymentApplied": Raw("0.0"),
        "agreementAmount": Raw("0.0"),
        "agreement": {"id": 3, "name": "Care", "type": "Managed"},
        "locationId": 4,
        "departmentId": 5,
        "reference": "ref",
        "customerPO": "po",
        "billingTerms": {"id": 6, "name": "Net 30"},
        "glBatch": {"id": 9},
        "_info": {"lastUpdated": "2026-02-01T00:00:00Z"},
        **changes,
    }


def a_product_row(source_id: int = 11, **changes: object) -> dict[str, Any]:
    return {
        "id": source_id,
        "invoice": {"id": 7},
        "description": "Firewall",
        "customerDescription": "Router",
        "quantity": Raw("2.0"),
        "price": Raw("50.0"),
        "extPrice": Raw("100.0"),
        "billableOption": "Billable",
        "cancelledFlag": False,
        **changes,
    }


def a_time_row(**changes: object) -> dict[str, Any]:
    return {
        "id": 21,
        "invoice": {"id": 7},
        "notes": "On site",
        "workType": {"id": 1, "name": "Remote"},
        "invoiceHours": Raw("1.5"),
        "hourlyRate": Raw("80.0"),
        "extendedInvoiceAmount": Raw("120.0"),
        "billableOption": "Billable",
        **changes,
    }


def an_expense_row(**changes: object) -> dict[str, Any]:
    return {
        "id": 31,
        "invoice": {"id": 7},
        "notes": "",
        "type": {"id": 1, "name": "Mileage"},
        "invoiceAmount": Raw("5.0"),
        "billableOption": "Billable",
        **changes,
    }


def a_payment_row(**changes: object) -> dict[str, Any]:
    return {
        "id": 41,
        "amount": Raw("60.0"),
        "paymentDate": "2026-02-10T00:00:00Z",
        "appliedBy": "jdoe",
        "credit": {"id": 77},
        **changes,
    }


def a_company_row(source_id: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "id": source_id,
        "identifier": "Acme",
        "name": "Acme Holding",
        "status": {"id": 1, "name": "Active"},
        "types": [{"id": 1, "name": "Client"}],
        "territory": {"id": 1, "name": "North"},
        "accountNumber": "A-1",
        "phoneNumber": "555",
        "addressLine1": "1 Quay",
        "addressLine2": "",
        "city": "Tampa",
        "state": "FL",
        "zip": "33601",
        "country": {"id": 1, "name": "US"},
        "billingTerms": {"id": 1, "name": "Net 30"},
        "currency": {"id": 1, "currencyCode": "EUR", "numberOfDecimals": 2},
        "defaultContact": {"id": 51},
        "billingContact": {"id": 52},
        "invoiceToEmailAddress": "",
        "invoiceCCEmailAddress": "",
        "deletedFlag": False,
        "dateDeleted": None,
        "_info": {"lastUpdated": "2026-02-01T00:00:00Z"},
        **changes,
    }


def a_contact_row(source_id: int = 51, email: object = "a@x.example", **changes: object) -> Any:
    mail = {"id": 1, "communicationType": "Email", "value": email, "defaultFlag": True}
    return {"id": source_id, "inactiveFlag": False, "communicationItems": [mail], **changes}
