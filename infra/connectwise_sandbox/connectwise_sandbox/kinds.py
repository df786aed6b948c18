"""A ConnectWise company keeps these kinds of record, which refer to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

Record = dict[str, Any]
"""One entity as ConnectWise sends it: money is Decimal, references are nested dicts, nulls are
absent. A stored record may not be changed in place; a change stores another one."""


class Kind(StrEnum):
    """A kind of record has as its value its name in error bodies."""

    COMPANY = "company"
    COMPANY_STATUS = "companyStatus"
    COMPANY_TYPE = "companyType"
    TYPE_ASSOCIATION = "companyTypeAssociation"
    SITE = "site"
    COMPANY_FINANCE = "companyFinance"
    CONTACT = "contact"
    CONTACT_TYPE = "contactType"
    COMMUNICATION_TYPE = "communicationType"
    INVOICE = "invoice"
    PAYMENT = "payment"
    ROUTING = "invoiceRouting"
    GL_ENTRY = "glEntry"
    BILLING_STATUS = "billingStatus"
    BILLING_TERM = "billingTerm"
    TAX_CODE = "taxCode"
    CURRENCY = "currency"
    AGREEMENT = "agreement"
    AGREEMENT_TYPE = "agreementType"
    ADDITION = "addition"
    ADJUSTMENT = "adjustment"
    BATCH = "accountingBatch"
    BATCH_ENTRY = "batchEntry"
    PRODUCT = "productItem"
    COMPONENT = "productComponent"
    CATALOG_ITEM = "catalogItem"
    TIME_ENTRY = "timeEntry"
    EXPENSE_ENTRY = "expenseEntry"
    TICKET = "ticket"
    MEMBER = "member"
    SECURITY_ROLE = "securityRole"
    LOCATION = "location"
    DEPARTMENT = "department"
    USER_DEFINED_FIELD = "userDefinedField"
    CALLBACK = "callbackEntry"


PATHS: Mapping[Kind, str] = {
    Kind.COMPANY: "company/companies",
    Kind.COMPANY_STATUS: "company/companies/statuses",
    Kind.COMPANY_TYPE: "company/companies/types",
    Kind.CONTACT: "company/contacts",
    Kind.CONTACT_TYPE: "company/contacts/types",
    Kind.COMMUNICATION_TYPE: "company/communicationTypes",
    Kind.INVOICE: "finance/invoices",
    Kind.BILLING_STATUS: "finance/billingStatuses",
    Kind.BILLING_TERM: "finance/billingTerms",
    Kind.TAX_CODE: "finance/taxCodes",
    Kind.CURRENCY: "finance/currencies",
    Kind.COMPANY_FINANCE: "finance/companyFinance",
    Kind.AGREEMENT: "finance/agreements",
    Kind.AGREEMENT_TYPE: "finance/agreements/types",
    Kind.BATCH: "finance/accounting/batches",
    Kind.PRODUCT: "procurement/products",
    Kind.CATALOG_ITEM: "procurement/catalog",
    Kind.TIME_ENTRY: "time/entries",
    Kind.EXPENSE_ENTRY: "expense/entries",
    Kind.TICKET: "service/tickets",
    Kind.MEMBER: "system/members",
    Kind.SECURITY_ROLE: "system/securityroles",
    Kind.LOCATION: "system/locations",
    Kind.DEPARTMENT: "system/departments",
    Kind.USER_DEFINED_FIELD: "system/userDefinedFields",
    Kind.CALLBACK: "system/callbacks",
}
"""The paths, below `apis/3.0/`, of the kinds that stand on their own."""

_TARGETS: Mapping[str, Kind] = {
    "company": Kind.COMPANY,
    "billToCompany": Kind.COMPANY,
    "shipToCompany": Kind.COMPANY,
    "parentCompany": Kind.COMPANY,
    "site": Kind.SITE,
    "billingSite": Kind.SITE,
    "shippingSite": Kind.SITE,
    "contact": Kind.CONTACT,
    "billToContact": Kind.CONTACT,
    "defaultContact": Kind.CONTACT,
    "billingContact": Kind.CONTACT,
    "billingTerms": Kind.BILLING_TERM,
    "taxCode": Kind.TAX_CODE,
    "currency": Kind.CURRENCY,
    "agreement": Kind.AGREEMENT,
    "invoice": Kind.INVOICE,
    "credit": Kind.INVOICE,
    "glBatch": Kind.BATCH,
    "unbatchedBatch": Kind.BATCH,
    "ticket": Kind.TICKET,
    "territory": Kind.LOCATION,
    "location": Kind.LOCATION,
    "department": Kind.DEPARTMENT,
    "businessUnit": Kind.DEPARTMENT,
    "member": Kind.MEMBER,
    "securityRole": Kind.SECURITY_ROLE,
    "catalogItem": Kind.CATALOG_ITEM,
    "product": Kind.CATALOG_ITEM,
}
_TARGETS_BY_KIND: Mapping[tuple[Kind, str], Kind] = {
    (Kind.COMPANY, "status"): Kind.COMPANY_STATUS,
    (Kind.INVOICE, "status"): Kind.BILLING_STATUS,
    (Kind.AGREEMENT, "type"): Kind.AGREEMENT_TYPE,
    (Kind.TYPE_ASSOCIATION, "type"): Kind.COMPANY_TYPE,
}
_REFERENCE_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.COMPANY: ("identifier", "name"),
    Kind.BILLING_TERM: ("name",),
    Kind.TAX_CODE: (),
    Kind.CURRENCY: (
        "symbol",
        "decimalSeparator",
        "numberOfDecimals",
        "thousandsSeparator",
        "negativeParenthesesFlag",
        "displaySymbolFlag",
        "currencyIdentifier",
        "displayIdFlag",
        "rightAlign",
        "name",
    ),
    Kind.TICKET: ("summary",),
    Kind.MEMBER: ("identifier",),
    Kind.CATALOG_ITEM: ("identifier",),
    Kind.DEPARTMENT: ("identifier", "name"),
    Kind.INVOICE: ("applyToType",),
    Kind.CONTACT: (),
    Kind.BATCH: (),
}


def target_of(kind: Kind, field: str) -> Kind | None:
    """Return the kind of record that `field` of a `kind` refers to, None for a plain field."""
    return _TARGETS_BY_KIND.get((kind, field)) or _TARGETS.get(field)


def reference_to(kind: Kind, record: Record) -> Record:
    """Return the short form by which other records name this one."""
    spell = _SPELLINGS.get(kind)
    named = spell(record) if spell else {}
    named |= {name: record.get(name) for name in _REFERENCE_FIELDS.get(kind, ("name",))}
    return {
        "id": record["id"],
        **{name: value for name, value in named.items() if value is not None},
    }


def _spell_invoice(invoice: Record) -> Record:
    return {
        "identifier": invoice.get("invoiceNumber"),
        "billingType": invoice["type"],
        "invoiceDate": invoice.get("date"),
    }


def _full_name(person: Record) -> Record:
    names = (person.get("firstName"), person.get("lastName"))
    return {"name": " ".join(name for name in names if name)}


_SPELLINGS: Mapping[Kind, Callable[[Record], Record]] = {
    Kind.INVOICE: _spell_invoice,
    Kind.BILLING_STATUS: lambda status: {"isClosed": status.get("closedFlag", False)},
    Kind.CURRENCY: lambda currency: {"currencyCode": currency.get("currencyCode", {}).get("name")},
    Kind.TAX_CODE: lambda code: {"name": code.get("identifier")},
    Kind.CATALOG_ITEM: lambda item: {"name": item.get("description")},
    Kind.BATCH: lambda batch: {"name": batch.get("batchIdentifier")},
    Kind.CONTACT: _full_name,
    Kind.MEMBER: _full_name,
}
