"""Customers are companies that get sites, contacts and agreements here."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.kinds import Kind, Record, reference_to

_FIRST_WORDS = (
    "Alpine", "Bright", "Cascade", "Delta", "Evergreen", "Fjord", "Granite", "Harbor", "Ivory",
    "Juniper", "Keystone", "Lumen", "Meridian", "Northgate", "Oakwood", "Pioneer", "Quartz",
)  # fmt: skip
_SECOND_WORDS = (
    "Dental", "Logistics", "Law", "Builders", "Foods", "Clinics", "Energy", "Media", "Schools",
    "Motors", "Textiles", "Marine", "Bank",
)  # fmt: skip
_FOREIGN_NAMES = (
    "Müller & Söhne GmbH", "株式会社さくら", "Łódź Przędza S.A.", "O'Brien Légal", "شركة الخليج",
    "Ünal “Güven” Ltd.", "Ñandú & Co", "Søren Håndværk ApS", "Ελληνική Ναυτιλία", "🚀 Rocket Labs",
)  # fmt: skip
_CITIES = (("Austin", "TX", "73301"), ("Zürich", "", "8001"), ("東京", "", "100-0001"))
_PEOPLE = (("Ann", "Smith"), ("José", "Núñez"), ("Wei", "李"), ("Zoë", "O'Neil"), ("Ravi", ""))
_CURRENCY_WEIGHTS = (60, 12, 10, 8, 5, 5)
_GONE_PER_CUSTOMER = 1 / 25
_FEWEST_WITH_LOSSES = 10
_BRANCH_EVERY = 12
_PARENT_FIELDS = ("billToCompany", "parentCompany")


def enter_customers(pen: Pen, count: int) -> None:
    """Write `count` companies.

    Some are inactive, some are billed to the one before them, and of ten or more some are
    deleted or merged.
    """
    gone = max(1, int(count * _GONE_PER_CUSTOMER)) if count >= _FEWEST_WITH_LOSSES else 0
    parent: Record | None = None
    for index in range(count):
        company = _enter_company(pen, index)
        if parent is not None and index % _BRANCH_EVERY == _BRANCH_EVERY - 1:
            payer = {name: reference_to(Kind.COMPANY, parent) for name in _PARENT_FIELDS}
            company = pen.rewrite(Kind.COMPANY, company | payer)
        parent = company
        if index >= count - 2 * gone:
            _mark_deleted(pen, company, merged=index >= count - gone)


def billable_companies(pen: Pen) -> list[Record]:
    """Return the companies that still get invoices, by id."""
    companies = pen.tenant.store[Kind.COMPANY]
    return [company for company in companies if not company["deletedFlag"]]


def enter_agreements(pen: Pen, count: int) -> list[Record]:
    """Write `count` agreements, spread over the companies, with their additions."""
    companies = billable_companies(pen)
    types = pen.references(Kind.AGREEMENT_TYPE)
    return [
        _enter_agreement(pen, companies[index % len(companies)], types[index % len(types)])
        for index in range(count)
    ]


def _enter_company(pen: Pen, index: int) -> Record:
    random, tenant = pen.random, pen.tenant
    name = _company_name(index)
    entered_on = next(pen.days_between(pen.setup_day, pen.first_day, 1))
    city, state, zip_code = random.choice(_CITIES)
    statuses = pen.references(Kind.COMPANY_STATUS)
    status = statuses[0] if not pen.chance(0.08) else random.choice(statuses[1:])
    types = pen.references(Kind.COMPANY_TYPE)
    own_types = [types[0], *([types[3]] if pen.chance(0.1) else [])]
    terms = random.choice(pen.references(Kind.BILLING_TERM))
    currency = random.choices(pen.references(Kind.CURRENCY), _CURRENCY_WEIGHTS)[0]
    custom_field = {
        "id": next(iter(tenant.store[Kind.USER_DEFINED_FIELD]))["id"],
        "caption": "Tenant",
        "type": "Text",
        "entryMethod": "EntryField",
        "numberOfDecimals": 0,
        "value": f"tenant-{index + 1}",
    }
    company = pen.write(
        Kind.COMPANY,
        {
            "identifier": f"{''.join(filter(str.isalnum, name))[:20]}{index + 1}",
            "name": name,
            "status": status,
            "addressLine1": f"{100 + index} Main Street",
            "addressLine2": "",
            "city": city,
            "state": state,
            "zip": zip_code,
            "phoneNumber": f"555{index:07}",
            "website": f"www.customer{index + 1}.example",
            "territory": random.choice(pen.references(Kind.LOCATION)),
            "accountNumber": "" if pen.chance(0.02) else f"AC-{10_000 + index}",
            "taxCode": random.choice(pen.references(Kind.TAX_CODE)),
            "billingTerms": terms,
            "currency": currency,
            "invoiceToEmailAddress": _email("ap", index) if pen.chance(0.6) else None,
            "deletedFlag": False,
            "isVendorFlag": False,
            "types": own_types,
            "integratorTags": [],
            "customFields": [custom_field] if pen.chance(0.5) else None,
        },
        entered_on,
        next(pen.days_between(pen.first_day, pen.today, 1)),
    )
    _enter_types_and_finance(pen, company, entered_on)
    return _enter_site_and_contacts(pen, company, index)


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


def _enter_site_and_contacts(pen: Pen, company: Record, index: int) -> Record:
    """Write the site and contacts of a company, and return the company with their names."""
    reference = reference_to(Kind.COMPANY, company)
    entered_on = pen.first_day
    site = pen.write(
        Kind.SITE,
        {
            "name": "Main",
            "addressLine1": company["addressLine1"],
            "city": company["city"],
            "zip": company["zip"],
            "primaryAddressFlag": True,
            "defaultBillingFlag": True,
            "inactiveFlag": False,
            "company": reference,
        },
        entered_on,
    )
    contacts = [
        _enter_contact(pen, reference, index, position)
        for position in range(pen.random.randint(1, 3))
    ]
    short = [reference_to(Kind.CONTACT, contact) for contact in contacts]
    site_reference = reference_to(Kind.SITE, site)
    named = {
        "site": site_reference,
        "billingSite": site_reference,
        "defaultContact": short[0],
        "billingContact": short[-1],
    }
    return pen.rewrite(Kind.COMPANY, company | named)


def _enter_contact(pen: Pen, company: Record, index: int, position: int) -> Record:
    first, last = _PEOPLE[(index + position) % len(_PEOPLE)]
    email = _email(f"{first.encode('ascii', 'ignore').decode().lower()}{position}", index)
    items = [
        {
            "id": pen.tenant.next_item_id(),
            "type": {"id": 1, "name": "Email"},
            "value": email,
            "defaultFlag": True,
            "domain": f"@{email.partition('@')[2]}",
            "communicationType": "Email",
        },
        {
            "id": pen.tenant.next_item_id(),
            "type": {"id": 2, "name": "Direct"},
            "value": f"555{index:05}{position:02}",
            "defaultFlag": True,
            "communicationType": "Phone",
        },
    ]
    contact = {
        "firstName": first,
        "lastName": last or None,
        "company": company,
        "inactiveFlag": pen.chance(0.05),
        "defaultBillingFlag": position == 0,
        "defaultFlag": position == 0,
        "title": "Accounts Payable" if position == 0 else None,
        "communicationItems": items[pen.chance(0.1) :],
    }
    return pen.write(Kind.CONTACT, contact, pen.first_day)


def _email(name: str, index: int) -> str:
    return f"{name}@customer{index + 1}.example"


def _mark_deleted(pen: Pen, company: Record, *, merged: bool) -> None:
    """Mark a company as deleted; a merged one gets only the flag."""
    trace = {} if merged else {"dateDeleted": wire_time(pen.moment(pen.today)), "deletedBy": "jdoe"}
    pen.rewrite(Kind.COMPANY, company | {"deletedFlag": True, **trace})


def _enter_agreement(pen: Pen, company: Record, agreement_type: Record) -> Record:
    contact = company.get("billingContact", {"id": 1, "name": ""})
    scale = Decimal(pen.random.randint(4, 60)) * 25
    agreement = pen.write(
        Kind.AGREEMENT,
        {
            "name": f"{agreement_type['name']}: {company['name']}"[:100],
            "type": agreement_type,
            "company": reference_to(Kind.COMPANY, company),
            "contact": contact,
            "location": pen.random.choice(pen.references(Kind.LOCATION)),
            "department": reference_to(
                Kind.DEPARTMENT, next(iter(pen.tenant.store[Kind.DEPARTMENT]))
            ),
            "startDate": wire_time(pen.moment(pen.first_day - timedelta(days=30)))[:10]
            + "T00:00:00Z",
            "noEndingDateFlag": True,
            "cancelledFlag": False,
            "billAmount": scale,
            "billTime": "Billable",
            "billExpenses": "Billable",
            "billProducts": "Billable",
            "currency": company["currency"],
            "billingTerms": company["billingTerms"],
            "agreementStatus": "Active",
        },
        pen.first_day - timedelta(days=30),
    )
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
    return agreement
