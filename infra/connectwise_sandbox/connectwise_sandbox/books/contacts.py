"""Customers have contacts with names in several spellings, and inactive ones among them."""

from __future__ import annotations

import unicodedata

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.contacts import EMAIL, with_domain
from connectwise_sandbox.kinds import Kind, Record, reference_to

_PEOPLE = (
    ("Ann", "Smith"),
    ("José", "Núñez"),
    ("Wei", "李"),
    ("Zoë", "O'Neil"),
    (unicodedata.normalize("NFD", "Amélie"), unicodedata.normalize("NFD", "Lefèvre")),
    ("Ravi", ""),
)
_INACTIVE = 0.05
_PHONE_ONLY = 0.1
_BILLED_TO_THE_GONE_EVERY = 9
"""Of so many companies one has an inactive billing contact."""


def enter_contacts(pen: Pen, company: Record, index: int) -> list[Record]:
    """Write one to three contacts of a company; the last is meant for its invoices."""
    count = pen.random.randint(1, 3)
    has_gone = index % _BILLED_TO_THE_GONE_EVERY == _BILLED_TO_THE_GONE_EVERY // 2
    return [
        _enter_contact(pen, company, index, position, has_gone=has_gone and position == count - 1)
        for position in range(count)
    ]


def email_address(name: str, index: int) -> str:
    """Return an address at a company that nobody can own."""
    return f"{name}@customer{index + 1}.example"


def _enter_contact(
    pen: Pen, company: Record, index: int, position: int, *, has_gone: bool
) -> Record:
    first, last = _PEOPLE[(index + position) % len(_PEOPLE)]
    types = [
        {"id": each["id"], "name": each["description"]}
        for each in pen.tenant.store[Kind.CONTACT_TYPE]
    ]
    own_types = types[:1] if position == 0 else types[-1:]
    contact = {
        "firstName": first,
        "lastName": last or None,
        "company": reference_to(Kind.COMPANY, company),
        "site": company.get("site"),
        "relationshipOverride": "",
        "inactiveFlag": has_gone or pen.chance(_INACTIVE),
        "marriedFlag": False,
        "childrenFlag": False,
        "disablePortalLoginFlag": True,
        "unsubscribeFlag": False,
        "mobileGuid": pen.guid(),
        "defaultBillingFlag": position == 0,
        "defaultFlag": position == 0,
        "title": "Accounts Payable" if position == 0 else None,
        "communicationItems": _communications(pen, first, index, position),
        "types": own_types,
        "integratorTags": [],
        "ignoreDuplicates": False,
        "typeIds": [],
    }
    if (index + position) % 3 == 0:
        contact |= {"relationship": {}, "companyLocation": {}}
    return pen.write(Kind.CONTACT, contact, pen.first_day)


def _communications(pen: Pen, first: str, index: int, position: int) -> list[Record]:
    """Return an e-mail address and a telephone number, or the number alone."""
    ascii_name = first.encode("ascii", "ignore").decode().lower()
    email = email_address(f"{ascii_name}{position}", index)
    items = [
        {
            "id": pen.tenant.next_item_id(),
            "type": {"id": 1, "name": EMAIL},
            "value": email,
            "defaultFlag": True,
            "communicationType": EMAIL,
        },
        {
            "id": pen.tenant.next_item_id(),
            "type": {"id": 2, "name": "Direct"},
            "value": f"555{index:05}{position:02}",
            "defaultFlag": True,
            "communicationType": "Phone",
        },
    ]
    return [with_domain(item) for item in items[pen.chance(_PHONE_ONLY) :]]
