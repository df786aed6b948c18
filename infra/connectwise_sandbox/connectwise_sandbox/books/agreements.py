"""Customers have agreements, which are billed every month."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from connectwise_sandbox.books.customers import billable_companies
from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO

_DAYS_BEFORE_BILLING = 30
_TERMS: Record = {
    "restrictLocationFlag": False,
    "restrictDepartmentFlag": False,
    "noEndingDateFlag": True,
    "cancelledFlag": False,
    "workOrder": "",
    "internalNotes": "",
    "applicationUnits": "Hours",
    "applicationLimit": ZERO,
    "applicationCycle": "CalendarMonth",
    "applicationUnlimitedFlag": True,
    "oneTimeFlag": False,
    "coverAgreementTime": True,
    "coverAgreementProduct": True,
    "coverAgreementExpense": False,
    "coverSalesTax": False,
    "carryOverUnused": False,
    "allowOverruns": False,
    "expiredDays": 0,
    "limit": 0,
    "expireWhenZero": False,
    "chargeToFirm": False,
    "employeeCompRate": "Actual",
    "employeeCompNotExceed": "Billing",
    "compHourlyRate": ZERO,
    "compLimitAmount": ZERO,
    "billingCycle": {"id": 2, "name": "Monthly"},
    "billOneTimeFlag": False,
    "invoicingCycle": "CalendarYear",
    "taxable": True,
    "prorateFirstBill": ZERO,
    "restrictDownPayment": True,
    "prorateFlag": True,
    "invoiceProratedAdditionsFlag": True,
    "invoiceDescription": "",
    "topComment": False,
    "bottomComment": False,
    "billTime": "Billable",
    "billExpenses": "Billable",
    "billProducts": "Billable",
    "billableTimeInvoice": True,
    "billableExpenseInvoice": True,
    "billableProductInvoice": True,
    "periodType": "Current",
    "autoInvoiceFlag": True,
    "agreementStatus": "Active",
}


def enter_agreements(pen: Pen, count: int) -> list[Record]:
    """Write `count` agreements, spread over the companies, with their additions."""
    companies = billable_companies(pen)
    types = pen.references(Kind.AGREEMENT_TYPE)
    return [
        _enter_agreement(pen, companies[index % len(companies)], types[index % len(types)])
        for index in range(count)
    ]


def _enter_agreement(pen: Pen, company: Record, agreement_type: Record) -> Record:
    starts_on = pen.first_day - timedelta(days=_DAYS_BEFORE_BILLING)
    agreement = pen.write(
        Kind.AGREEMENT,
        _TERMS
        | _parties(company)
        | {
            "name": f"{agreement_type['name']}: {company['name']}"[:100],
            "type": agreement_type,
            "location": pen.random.choice(pen.references(Kind.LOCATION)),
            "department": reference_to(
                Kind.DEPARTMENT, next(iter(pen.tenant.store[Kind.DEPARTMENT]))
            ),
            "startDate": wire_date(starts_on),
            "billStartDate": wire_date(pen.first_day),
            "nextInvoiceDate": (pen.today + timedelta(days=_DAYS_BEFORE_BILLING)).isoformat(),
            "billAmount": Decimal(pen.random.randint(4, 60)) * 25,
            "taxCode": company["taxCode"],
            "currency": company["currency"],
            "billingTerms": company["billingTerms"],
        },
        starts_on,
    )
    _enter_additions(pen, agreement)
    return agreement


def _parties(company: Record) -> Record:
    """Return the receivers of an agreement's services, goods and invoices."""
    reference = reference_to(Kind.COMPANY, company)
    contact = company.get("billingContact", {"id": 1, "name": ""})
    site = company.get("site")
    return {
        "company": reference,
        "contact": contact,
        "site": site,
        "billToCompany": company.get("billToCompany", reference),
        "billToContact": contact,
        "billToSite": company.get("billingSite"),
        "shipToCompany": reference,
        "shipToContact": contact,
        "shipToSite": site,
        "companyLocation": company.get("territory"),
    }


def _enter_additions(pen: Pen, agreement: Record) -> None:
    for item in pen.references(Kind.CATALOG_ITEM)[: pen.random.randint(1, 3)]:
        addition = {
            "product": {"id": item["id"], "identifier": item["identifier"]},
            "quantity": Decimal(pen.random.randint(1, 40)),
            "unitPrice": Decimal("18.50"),
            "unitCost": Decimal("9.25"),
            "billCustomer": "Billable",
            "effectiveDate": agreement["startDate"],
            "taxableFlag": True,
            "description": item["name"],
            "agreementId": agreement["id"],
            "agreementStatus": "Active",
        }
        pen.write(Kind.ADDITION, addition, pen.first_day)
