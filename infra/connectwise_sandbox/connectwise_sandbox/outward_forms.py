"""Records take the form here in which one ConnectWise server or another shows them.

A custom field without a value is left out on premise and null in the cloud (recorded of both). An
empty reference is left out, or comes without an id (recorded of contacts; the published interface
lets any id be null). Servers of earlier versions know no currencies, or name them by `isoCode`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set

from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.switches import Switches

_MAY_BE_EMPTY: Mapping[Kind, tuple[str, ...]] = {
    Kind.INVOICE: (
        "billToCompany",
        "billingTerms",
        "taxCode",
        "agreement",
        "ticket",
        "project",
        "phase",
        "salesOrder",
        "glBatch",
    ),
    Kind.COMPANY: (
        "status",
        "territory",
        "billingTerms",
        "defaultContact",
        "billingContact",
        "billToCompany",
        "parentCompany",
    ),
}
_WITH_CURRENCY = frozenset({Kind.INVOICE, Kind.COMPANY, Kind.AGREEMENT, Kind.EXPENSE_ENTRY})
_OLD_CURRENCY_FIELDS = ("id", "symbol", "name", "_info")


def form_of(switches: Switches) -> Hashable:
    """Return the settings that decide about the outward forms, as a key."""
    return (switches.hosting, switches.empty_references, switches.currency_form)


def in_outward_form(
    switches: Switches, kind: Kind, record: Record, only: Set[str] | None
) -> Record:
    """Return a record in the form of the server that the switches describe.

    `only` names the properties that are asked for, None asks for all.
    """
    changes: Record = {}
    if switches.hosting == "cloud" and "customFields" in record:
        changes["customFields"] = [{"value": None} | field for field in record["customFields"]]
    if switches.empty_references == "without_id":
        changes |= {
            name: {"_info": {}}
            for name in _MAY_BE_EMPTY.get(kind, ())
            if name not in record and (only is None or name in only)
        }
    if switches.currency_form != "code" and kind in _WITH_CURRENCY and "currency" in record:
        changes["currency"] = _old_currency(switches, record["currency"])
    if not changes:
        return record
    return {name: value for name, value in (record | changes).items() if value is not None}


def _old_currency(switches: Switches, currency: Record) -> Record | None:
    if switches.currency_form == "absent":
        return None
    kept = {name: currency[name] for name in _OLD_CURRENCY_FIELDS if name in currency}
    return kept | {"isoCode": currency["currencyCode"]}
