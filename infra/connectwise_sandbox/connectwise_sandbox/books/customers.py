"""Customers are companies that get their address, sites, contacts and finance here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from connectwise_sandbox.books.contacts import email_address, enter_contacts
from connectwise_sandbox.books.custom_fields import CustomFields
from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.books.setup_tables import COUNTRIES, TIME_ZONE
from connectwise_sandbox.clock import wire_date, wire_time
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO

_FIRST_WORDS = (
    "Alpine", "Bright", "Cascade", "Delta", "Evergreen", "Fjord", "Granite", "Harbor", "Ivory",
    "Juniper", "Keystone", "Lumen", "Meridian", "Northgate", "Oakwood", "Pioneer", "Quartz",
)  # fmt: skip
_SECOND_WORDS = (
    "Dental", "Logistics", "Law", "Builders", "Foods", "Clinics", "Energy", "Media", "Schools",
    "Motors", "Textiles", "Marine", "Bank",
)  # fmt: skip
_FOREIGN_NAMES = (
    "Müller & Söhne GmbH", "株式会社さくら", unicodedata.normalize("NFD", "Café Zürich AG"),
    "O'Brien Légal", "شركة الخليج", "Łódź Przędza S.A.", "Ünal “Güven” Ltd.",
    "Ñandú & Co", "Søren Håndværk ApS", "Ελληνική Ναυτιλία", "🚀 Rocket Labs",
)  # fmt: skip
_CITIES = (
    # city, state, zip, country
    ("Austin", "TX", "73301", "US"),
    ("Zürich", "", "8001", "CH"),
    ("東京", "", "100-0001", "JP"),
)
_CURRENCY_WEIGHTS = (60, 12, 10, 8, 5, 5)
_GONE_PER_CUSTOMER = 1 / 25
_FEWEST_WITH_LOSSES = 10
_BRANCH_EVERY = 12
_PARENT_FIELDS = ("billToCompany", "parentCompany")
_SECOND_SITE_EVERY = 4
_SEVERAL_ADDRESSES = 0.25
_STANDING: Record = {
    # what a company shows when nobody has ever set it
    "faxNumber": "",
    "market": {"id": 1, "name": "Small Business"},
    "sicCode": {"id": 1_209, "name": "5734 - Computer and software stores"},
    "timeZoneSetup": TIME_ZONE,
    "leadSource": "",
    "leadFlag": False,
    "unsubscribeFlag": False,
    "userDefinedField1": "",
    "vendorIdentifier": "",
    "invoiceDeliveryMethod": {"id": 2, "name": "Email"},
    "invoiceTemplate": {"id": 6, "name": "Standard Invoice"},
    "facebookUrl": "",
    "twitterUrl": "",
    "linkedInUrl": "",
    "resellerIdentifier": "",
    "deletedFlag": False,
    "isVendorFlag": False,
    "integratorTags": [],
}


def enter_customers(pen: Pen, count: int, custom_fields: CustomFields) -> None:
    """Write `count` companies.

    Some are inactive, some are billed to the one before them, and of ten or more some are
    deleted, or merged into the last one that is not.
    """
    gone = max(1, int(count * _GONE_PER_CUSTOMER)) if count >= _FEWEST_WITH_LOSSES else 0
    living: Record | None = None
    for index in range(count):
        company = _enter_company(pen, index, custom_fields)
        if living is not None and index % _BRANCH_EVERY == _BRANCH_EVERY - 1:
            payer = {name: reference_to(Kind.COMPANY, living) for name in _PARENT_FIELDS}
            company = pen.rewrite(Kind.COMPANY, company | payer)
        if living is not None and index >= count - gone:
            _merge(pen, company, living)
        elif index >= count - 2 * gone:
            _delete(pen, company)
        else:
            living = company


def billable_companies(pen: Pen) -> list[Record]:
    """Return the companies that still get invoices, by id."""
    companies = pen.tenant.store[Kind.COMPANY]
    return [company for company in companies if not company["deletedFlag"]]


def _enter_company(pen: Pen, index: int, custom_fields: CustomFields) -> Record:
    name = _company_name(index)
    entered_on = next(pen.days_between(pen.setup_day, pen.first_day, 1))
    types = pen.references(Kind.COMPANY_TYPE)
    company = pen.write(
        Kind.COMPANY,
        _STANDING
        | _address(pen, index)
        | _billing_fields(pen, index)
        | {
            "identifier": f"{''.join(filter(str.isalnum, name))[:20]}{index + 1}",
            "name": name,
            "status": _status(pen),
            "website": f"www.customer{index + 1}.example",
            "territory": pen.random.choice(pen.references(Kind.LOCATION)),
            "dateAcquired": wire_date(entered_on),
            "annualRevenue": Decimal(pen.random.randint(0, 90)) * 100_000,
            "numberOfEmployees": pen.random.randint(1, 400),
            "territoryManager": pen.references(Kind.MEMBER)[0],
            "mobileGuid": pen.guid(),
            "types": [types[0], *([types[3]] if pen.chance(0.1) else [])],
            "customFields": custom_fields.of_company(index),
        },
        entered_on,
        next(pen.days_between(pen.first_day, pen.today, 1)),
    )
    _enter_types_and_finance(pen, company, entered_on)
    company = pen.rewrite(Kind.COMPANY, company | _enter_sites(pen, company, index))
    contacts = [reference_to(Kind.CONTACT, each) for each in enter_contacts(pen, company, index)]
    named = {"defaultContact": contacts[0], "billingContact": contacts[-1]}
    return pen.rewrite(Kind.COMPANY, company | named)


def _status(pen: Pen) -> Record:
    active, *others = pen.references(Kind.COMPANY_STATUS)
    return active if not pen.chance(0.08) else pen.random.choice(others)


def _address(pen: Pen, index: int) -> Record:
    city, state, zip_code, country = pen.random.choice(_CITIES)
    return {
        "addressLine1": f"{100 + index} Main Street",
        "addressLine2": "",
        "city": city,
        "state": state,
        "zip": zip_code,
        "country": COUNTRIES[country],
        "phoneNumber": f"555{index:07}",
    }


def _billing_fields(pen: Pen, index: int) -> Record:
    """Return how a company is billed; one field may hold several e-mail addresses."""
    random = pen.random
    return {
        "accountNumber": "" if pen.chance(0.02) else f"AC-{10_000 + index}",
        "taxCode": random.choice(pen.references(Kind.TAX_CODE)),
        "taxIdentifier": f"99-{1_000_000 + index}",
        "billingTerms": random.choice(pen.references(Kind.BILLING_TERM)),
        "currency": random.choices(pen.references(Kind.CURRENCY), _CURRENCY_WEIGHTS)[0],
        "invoiceToEmailAddress": _addresses(pen, ("ap", "billing"), index, share=0.6),
        "invoiceCCEmailAddress": _addresses(pen, ("cfo", "archive"), index, share=0.3),
    }


def _addresses(pen: Pen, names: Sequence[str], index: int, *, share: float) -> str | None:
    if not pen.chance(share):
        return None
    several = pen.chance(_SEVERAL_ADDRESSES)
    return "; ".join(email_address(name, index) for name in (names if several else names[:1]))


def _enter_types_and_finance(pen: Pen, company: Record, entered_on: date) -> None:
    reference = reference_to(Kind.COMPANY, company)
    for own_type in company["types"]:
        association = {"type": own_type, "company": reference}
        pen.write(Kind.TYPE_ASSOCIATION, association, entered_on)
    finance = {"company": reference, "billOverrideFlag": False}
    pen.write(Kind.COMPANY_FINANCE, finance, entered_on)


def _company_name(index: int) -> str:
    if index % 6 == 1:
        number = index // 6
        suffix = f" {number // len(_FOREIGN_NAMES) + 1}" if number >= len(_FOREIGN_NAMES) else ""
        return _FOREIGN_NAMES[number % len(_FOREIGN_NAMES)] + suffix
    first = _FIRST_WORDS[index % len(_FIRST_WORDS)]
    second = _SECOND_WORDS[index % len(_SECOND_WORDS)]
    round_number = index // (len(_FIRST_WORDS) * len(_SECOND_WORDS))
    return f"{first} {second}" + (f" {round_number + 1}" if round_number else "")


def _enter_sites(pen: Pen, company: Record, index: int) -> Record:
    """Write the sites of a company, and return the properties in which it names them."""
    has_second = index % _SECOND_SITE_EVERY == _SECOND_SITE_EVERY - 1
    main = _enter_site(pen, company, "Main", is_billed=not has_second)
    billing = _enter_site(pen, company, "Accounts Payable") if has_second else main
    return {
        "site": reference_to(Kind.SITE, main),
        "billingSite": reference_to(Kind.SITE, billing),
    }


def _enter_site(pen: Pen, company: Record, name: str, *, is_billed: bool = True) -> Record:
    is_main = name == "Main"
    site = {
        "name": name,
        **{field: company[field] for field in ("addressLine1", "addressLine2", "city", "zip")},
        "country": company["country"],
        "addressFormat": "US",
        "phoneNumber": company["phoneNumber"],
        "phoneNumberExt": "",
        "faxNumber": "",
        "taxCode": company["taxCode"],
        "expenseReimbursement": ZERO,
        "primaryAddressFlag": is_main,
        "defaultShippingFlag": is_main,
        "defaultBillingFlag": is_billed,
        "defaultMailingFlag": is_main,
        "inactiveFlag": False,
        "billSeparateFlag": False,
        "mobileGuid": pen.guid(),
        "company": reference_to(Kind.COMPANY, company),
    }
    return pen.write(Kind.SITE, site, pen.first_day)


def _delete(pen: Pen, company: Record) -> None:
    """Mark a company as deleted, with day and author."""
    deleted_at = wire_time(pen.moment(pen.today))
    trace = {"deletedFlag": True, "dateDeleted": deleted_at, "deletedBy": "jdoe"}
    pen.rewrite(Kind.COMPANY, company | trace)


def _merge(pen: Pen, losing: Record, winning: Record) -> None:
    """Merge a company into another: it gets only the flag, its sites and contacts move."""
    pen.rewrite(Kind.COMPANY, losing | {"deletedFlag": True})
    reference = reference_to(Kind.COMPANY, winning)
    for kind in (Kind.CONTACT, Kind.SITE):
        for record in pen.tenant.store[kind].referring("company", [losing["id"]]):
            pen.rewrite(kind, record | {"company": reference})
