"""Another address is proven here to have a connection's own records, before it moves there."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.errors import NotPossibleError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES, MirroredKind, R
from bridge.ports import CustomerQuery, InvoiceQuery, Psa, RecordStore

SAMPLE_SIZE = 25


class SameRecords:
    """A sample of the mirror is compared with the records at an address, by id and content.

    A server may say that it is any company. Our invoices with their ids, numbers and dates are
    found at the same one only.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def prove(self, connection: Connection, psa: Psa) -> None:
        """Raise NotPossibleError unless some records are there and all of those are the same.

        Its reasons are ``other_records``, and ``nothing_to_compare`` for an empty mirror. Raises
        the errors of ConnectWise.
        """
        invoices = self._sample_of_invoices(connection)
        if invoices:
            found_invoices = _found(psa, INVOICES, invoices)
            _insist(
                [_same_invoice(invoices[each], found_invoices[each]) for each in found_invoices]
            )
            return
        customers = self._sample_of_customers(connection)
        if not customers:
            raise NotPossibleError(
                "nothing_to_compare", "No record is mirrored that could be compared; connect anew."
            )
        found = _found(psa, CUSTOMERS, customers)
        _insist([_same_customer(customers[each], found[each]) for each in found])

    def _sample_of_invoices(self, connection: Connection) -> dict[int, Invoice]:
        """Return open invoices, the longest due first, and the oldest ones."""
        query = InvoiceQuery(connection_id=connection.connection_id)
        page = self._records.list_invoices(connection.partner_id, query, limit=SAMPLE_SIZE)
        oldest = self._oldest(connection, INVOICES)
        listed = {each.source_id: each for each in page.items if each.source_id is not None}
        return {**oldest, **listed}

    def _sample_of_customers(self, connection: Connection) -> dict[int, Customer]:
        query = CustomerQuery(connection_id=connection.connection_id)
        page = self._records.list_customers(connection.partner_id, query, limit=SAMPLE_SIZE)
        return {each.source_id: each for each in page.items if each.source_id is not None}

    def _oldest(self, connection: Connection, kind: MirroredKind[R]) -> dict[int, R]:
        scope = (connection.partner_id, connection.connection_id)
        listed = self._records.list_mirrored(
            *scope, RecordKind(kind.record_kind), after_id=0, through_id=None, limit=SAMPLE_SIZE
        )
        ids = [each.source_id for each in listed if not each.is_archived]
        stored = self._records.get_mirrored(kind, *scope, ids)
        return {each: entry.value for each, entry in stored.items() if entry.value is not None}


def _found(psa: Psa, kind: MirroredKind[R], sample: dict[int, R]) -> dict[int, R]:
    found = psa.fetch(kind, sorted(sample)).found
    return {each: found[each] for each in sample if each in found}


def _insist(comparisons: list[bool]) -> None:
    if not comparisons or not all(comparisons):
        raise NotPossibleError(
            "other_records", "The records at this address are not those of the connection."
        )


def _same_invoice(known: Invoice, there: Invoice) -> bool:
    return (known.number, known.issued_on) == (there.number, there.issued_on)


def _same_customer(known: Customer, there: Customer) -> bool:
    return known.name.casefold() == there.name.casefold()
