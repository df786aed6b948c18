"""An administrator sets up these tables before the first invoice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.kinds import Kind, Record, reference_to

BILLING_STATUSES = (
    # name, closed, default, sent
    ("New", False, True, False),
    ("Sent via Portal", False, False, True),
    ("Awaiting Approval", False, False, False),
    ("Paid in Full", True, False, True),
    ("Closed", True, False, True),
    ("On Hold (Überprüfen)", False, False, False),
)
CURRENCIES = (
    # code, symbol, decimals, name
    ("USD", "$", 2, "US Dollar"),
    ("EUR", "€", 2, "Euro"),
    ("GBP", "£", 2, "Pound Sterling"),
    ("JPY", "¥", 0, "Japanese Yen"),
    ("KWD", "KD", 3, "Kuwaiti Dinar"),
    ("BHD", "BD", 3, "Bahraini Dinar"),
)
TAX_RATES = {"TX-8": Decimal("0.0825"), "UK-20": Decimal("0.20"), "EXEMPT": Decimal(0)}
DEFAULT_TERM = "Net 30"
BILLING_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
CATALOG = (
    ("RMM-SEAT", "Managed workstation, per seat", "Agreement", "18.50"),
    ("M365-BP", "Microsoft 365 Business Premium", "Agreement", "22.00"),
    ("BACKUP-TB", "Cloud backup, per TB", "Agreement", "49.95"),
    ("FW-60F", "Firewall appliance", "Inventory", "689.00"),
    ("LAPTOP-14", 'Laptop 14", 16 GB', "Inventory", "1249.00"),
    ("SWITCH-24", "24-port switch, PoE", "Inventory", "419.99"),
    ("CABLE-CAT6", "Cat6 patch cable", "NonInventory", "6.25"),
    ("PROJ-FEE", "Project fee", "Service", "950.00"),
)
COUNTRIES: Mapping[str, Record] = {
    "US": {"id": 1, "identifier": "US", "name": "United States"},
    "CH": {"id": 2, "identifier": "CH", "name": "Switzerland"},
    "JP": {"id": 3, "identifier": "JP", "name": "Japan"},
}
TIME_ZONE: Record = {"id": 1, "name": "GMT-5/Eastern Time: US & Canada"}
EACH: Record = {"id": 1, "name": "Each"}
WORK_ROLE: Record = {"id": 12, "name": "Consultant"}
WORK_TYPE: Record = {"id": 3, "name": "Regular"}
_LOCATIONS = ("Headquarters", "Zürich Office", "Tokyo 支店")
_DEPARTMENTS = (("PS", "Professional Services"), ("MS", "Managed Services"), ("PR", "Procurement"))
_COMPANY_STATUSES = (("Active", False), ("Inactive", True), ("Credit Hold", False))
_COMPANY_TYPES = ("Customer", "Prospect", "Vendor", "Former Client")
_AGREEMENT_TYPES = ("Managed Services", "Backup & DR", "Block Time")
_STAFF = (("jdoe", "Jane", "Doe"), ("mreyes", "Mía", "Reyes"), ("kwong", "Ka-Wai", "Wong"))


def enter_setup_tables(pen: Pen) -> None:
    """Write every setup table into empty books."""
    _enter_structure(pen)
    _enter_finance(pen)
    _enter_company_setup(pen)
    _enter_members(pen)
    _enter_catalog(pen)


def _enter(pen: Pen, kind: Kind, record: Record) -> Record:
    return pen.write(kind, record, pen.setup_day)


def _enter_named(pen: Pen, kind: Kind, *names: str, **shared: Any) -> None:
    for index, name in enumerate(names):
        _enter(pen, kind, {"name": name, "defaultFlag": index == 0, **shared})


def _enter_structure(pen: Pen) -> None:
    level = {"id": 2, "name": "Location"}
    for name in _LOCATIONS:
        location = {"name": name, "structureLevel": level, "ownerLevelId": 2}
        _enter(pen, Kind.LOCATION, location | {"locationFlag": True, "clientFlag": False})
    for identifier, name in _DEPARTMENTS:
        _enter(pen, Kind.DEPARTMENT, {"identifier": identifier, "name": name})


def _enter_finance(pen: Pen) -> None:
    for index, (name, closed, default, sent) in enumerate(BILLING_STATUSES):
        status = {"name": name, "sortOrder": index + 1, "defaultFlag": default}
        flags = {"closedFlag": closed, "inactiveFlag": False, "sentFlag": sent}
        _enter(pen, Kind.BILLING_STATUS, status | flags)
    for name, due_days in BILLING_TERMS:
        term = {"name": name, "dueDays": due_days, "defaultFlag": name == DEFAULT_TERM}
        _enter(pen, Kind.BILLING_TERM, term)
    for identifier, rate in TAX_RATES.items():
        code = {
            "identifier": identifier,
            "description": f"Sales tax {identifier}",
            "invoiceCaption": "Tax",
            "effectiveDate": wire_date(pen.setup_day),
            "defaultFlag": identifier == "TX-8",
            "displayOnInvoiceFlag": True,
            "levelOneRate": rate,
            "levelOneRateType": "Percent",
        }
        _enter(pen, Kind.TAX_CODE, code)
    for number, (letters, symbol, decimals, title) in enumerate(CURRENCIES, start=1):
        currency = {
            "currencyIdentifier": letters,
            "name": title,
            "symbol": symbol,
            "displayIdFlag": False,
            "displaySymbolFlag": True,
            "currencyCode": {"id": number, "name": letters},
            "thousandsSeparator": ",",
            "decimalSeparator": ".",
            "negativeParenthesesFlag": False,
            "rightAlign": False,
            "numberOfDecimals": decimals,
        }
        _enter(pen, Kind.CURRENCY, currency)


def _enter_company_setup(pen: Pen) -> None:
    for name, inactive in _COMPANY_STATUSES:
        flags = {"defaultFlag": name == "Active", "inactiveFlag": inactive}
        _enter(pen, Kind.COMPANY_STATUS, {"name": name, **flags, "notifyFlag": False})
    _enter_named(pen, Kind.COMPANY_TYPE, *_COMPANY_TYPES, vendorFlag=False, serviceAlertFlag=False)
    for description in ("Accounts Payable", "Owner", "End User"):
        _enter(pen, Kind.CONTACT_TYPE, {"description": description, "defaultFlag": False})
    for description in ("Email", "Direct", "Mobile", "Fax"):
        flags = {
            "emailFlag": description == "Email",
            "phoneFlag": description in ("Direct", "Mobile"),
            "faxFlag": description == "Fax",
        }
        communication = {"description": description, **flags, "defaultFlag": True}
        _enter(pen, Kind.COMMUNICATION_TYPE, communication)
    choices = {
        "employeeCompRate": "Actual",
        "employeeCompNotExceed": "Billing",
        "invoicingCycle": "CalendarYear",
        "billTime": "Billable",
        "billExpenses": "Billable",
        "billProducts": "Billable",
    }
    _enter_named(pen, Kind.AGREEMENT_TYPE, *_AGREEMENT_TYPES, **choices, inactiveFlag=False)


def _enter_catalog(pen: Pen) -> None:
    for identifier, description, product_class, price in CATALOG:
        item = {
            "identifier": identifier,
            "description": description,
            "customerDescription": description,
            "inactiveFlag": False,
            "category": {"id": 1, "name": "General"},
            "subcategory": {"id": 1, "name": "General"},
            "type": {"id": 1, "name": product_class},
            "productClass": product_class,
            "serializedFlag": False,
            "serializedCostFlag": False,
            "phaseProductFlag": False,
            "unitOfMeasure": EACH,
            "minStockLevel": 0,
            "price": Decimal(price),
            "cost": Decimal(price) / 2,
            "taxableFlag": True,
            "dropShipFlag": False,
            "specialOrderFlag": False,
            "notes": "",
            "recurringFlag": product_class == "Agreement",
            "calculatedPriceFlag": False,
            "calculatedCostFlag": False,
        }
        _enter(pen, Kind.CATALOG_ITEM, item)


def _enter_members(pen: Pen) -> None:
    role = _enter(
        pen,
        Kind.SECURITY_ROLE,
        {
            "name": "Alternative Agent",
            "roleType": "User",
            "adminFlag": False,
            "inactiveFlag": False,
        },
    )
    identifier = pen.tenant.identity.member_identifier
    for member_identifier, first, last in (*_STAFF, (identifier, "Payments", "Integration")):
        is_person = member_identifier != identifier
        member = {
            "identifier": member_identifier,
            "licenseClass": "F" if is_person else "A",
            "firstName": first,
            "lastName": last,
            "hireDate": wire_date(pen.setup_day),
            "defaultEmail": "Office",
            "officeEmail": f"{member_identifier.lower()}@summit-ridge.example",
            "defaultPhone": "Office",
            "securityRole": reference_to(Kind.SECURITY_ROLE, role),
            "title": "Consultant" if is_person else "",
            "country": COUNTRIES["US"],
            "timeZone": TIME_ZONE,
            "defaultLocation": pen.references(Kind.LOCATION)[0],
            "workRole": WORK_ROLE,
            "workType": WORK_TYPE,
            "agreementInvoicingDisplayOptions": "RemainOnInvoicingScreen",
            "invoiceScreenDefaultTabFormat": "ShowInvoicingTab",
            "invoicingDisplayOptions": "RemainOnInvoicingScreen",
            "inactiveFlag": False,
            "adminFlag": False,
            "hourlyCost": Decimal(40),
            "hourlyRate": Decimal(145),
        }
        _enter(pen, Kind.MEMBER, member)
