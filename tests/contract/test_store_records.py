"""What every RecordStore does with single records and with whole batches of them."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import ConflictError, InvalidInputError, MalformedRecordError
from bridge.domain.identity import Origin, RecordKind, mirrored_id, new_id
from bridge.domain.invoice import Invoice, LineItem, LineKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES, MIRRORED_KINDS
from bridge.domain.payment import Payment
from bridge.ports import ListedRecord, PaymentQuery, RecordStore, Stored
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    PARTNER,
    a_customer,
    a_payment,
    an_invoice,
)
from tests.contract.conftest import Stores
from tests.fakes.clock import START

NOTHING: Stored[object] = Stored(None, 0)


def test_what_was_never_stored_is_nothing_at_version_0(stores: Stores) -> None:
    assert stores.records.get(INVOICES, PARTNER, mirrored_id(CONNECTION, 5)) == NOTHING
    assert stores.records.get(CUSTOMERS, PARTNER, new_id()) == NOTHING


@pytest.mark.parametrize("text", ["", "#", "c0#META", "x" * 500, f"{CONNECTION}-0", "META"])
def test_a_text_that_is_no_id_names_nothing(stores: Stores, text: str) -> None:
    assert stores.records.get(INVOICES, PARTNER, text) == NOTHING
    assert stores.records.get(CUSTOMERS, PARTNER, text) == NOTHING


@pytest.mark.parametrize("partner_id", ["", "a#CONNECTION", "a/../b", "x" * 65])
def test_a_partner_id_that_could_leave_its_place_in_a_key_is_refused(
    stores: Stores, partner_id: str
) -> None:
    with pytest.raises(InvalidInputError):
        stores.records.get(INVOICES, partner_id, mirrored_id(CONNECTION, 5))


def test_a_saved_invoice_comes_back_whole(stores: Stores) -> None:
    invoice = an_invoice()
    invoice = replace(invoice, payments=(a_payment(of=invoice),))
    version = stores.records.save(
        invoice, expected_version=0, change_fingerprint='{"total":110.00}'
    )
    assert version == 1
    stored = stores.records.get(INVOICES, PARTNER, invoice.invoice_id)
    assert stored == Stored(invoice, 1, '{"total":110.00}')


def test_a_saved_customer_comes_back_whole(stores: Stores) -> None:
    customer = a_customer().archived(ArchiveReason.BY_PERSON, START)
    assert stores.records.save(customer, expected_version=0, change_fingerprint="m") == 1
    assert stores.records.get(CUSTOMERS, PARTNER, customer.customer_id) == Stored(customer, 1, "m")


def test_records_made_on_the_platform_live_beside_mirrored_ones(stores: Stores) -> None:
    invoice = replace(
        an_invoice(),
        invoice_id=new_id(),
        origin=Origin.PLATFORM,
        connection_id=None,
        source_id=None,
    )
    stores.records.save(invoice, expected_version=0)
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id).value == invoice
    assert list_heads(stores.records) == ()


def test_each_save_needs_the_version_that_it_read(stores: Stores) -> None:
    invoice = an_invoice()
    stores.records.save(invoice, expected_version=0)
    paid = replace(invoice, balance_minor=0)
    assert stores.records.save(paid, expected_version=1) == 2
    for stale in (0, 1, 3):
        with pytest.raises(ConflictError):
            stores.records.save(invoice, expected_version=stale)
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(paid, 2)


def test_a_stale_customer_is_not_written(stores: Stores) -> None:
    customer = a_customer()
    stores.records.save(customer, expected_version=0)
    with pytest.raises(ConflictError):
        stores.records.save(replace(customer, name="late"), expected_version=0)
    assert stores.records.get(CUSTOMERS, PARTNER, customer.customer_id).value == customer


def test_no_partner_sees_another_ones_records(stores: Stores) -> None:
    mine, theirs = an_invoice(), an_invoice(partner_id=OTHER_PARTNER, number="THEIRS")
    stores.records.save(mine, expected_version=0)
    assert stores.records.get(INVOICES, OTHER_PARTNER, mine.invoice_id) == NOTHING
    stores.records.save(theirs, expected_version=0)
    assert stores.records.get(INVOICES, PARTNER, mine.invoice_id).value == mine
    assert stores.records.get(INVOICES, OTHER_PARTNER, mine.invoice_id).value == theirs


def test_a_batch_has_an_entry_for_every_id_asked_for(stores: Stores) -> None:
    stored = {i: an_invoice(i) for i in range(1, 251, 2)}
    for invoice in stored.values():
        stores.records.save(invoice, expected_version=0)
    found = stores.records.get_mirrored(INVOICES, PARTNER, CONNECTION, range(1, 251))
    assert list(found) == list(range(1, 251))
    assert {i: item.value for i, item in found.items() if item.value} == stored
    assert all(item.version == (1 if i in stored else 0) for i, item in found.items())


def test_a_batch_may_be_empty_or_name_an_id_twice(stores: Stores) -> None:
    customer = a_customer()
    stores.records.save(customer, expected_version=0)
    assert stores.records.get_mirrored(CUSTOMERS, PARTNER, CONNECTION, []) == {}
    found = stores.records.get_mirrored(CUSTOMERS, PARTNER, CONNECTION, [11, 11, 12])
    assert found == {11: Stored(customer, 1), 12: NOTHING}


def test_a_tombstone_counts_as_a_write_of_nothing(stores: Stores) -> None:
    stores.records.save_tombstone(PARTNER, CONNECTION, RecordKind.INVOICE, 1001)
    invoice = an_invoice()
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(None, 1)
    with pytest.raises(ConflictError):
        stores.records.save(invoice, expected_version=0)
    assert stores.records.save(invoice, expected_version=1) == 2
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(invoice, 2)


def test_a_tombstone_never_covers_a_record(stores: Stores) -> None:
    customer = a_customer()
    stores.records.save(customer, expected_version=0)
    stores.records.save_tombstone(PARTNER, CONNECTION, RecordKind.CUSTOMER, 11)
    assert stores.records.get(CUSTOMERS, PARTNER, customer.customer_id) == Stored(customer, 1)


def test_payments_are_written_with_their_invoice_and_marked_when_they_go(stores: Stores) -> None:
    invoice = an_invoice()
    kept, gone = a_payment(1, of=invoice), a_payment(2, of=invoice)
    stores.records.save(replace(invoice, payments=(kept, gone)), expected_version=0)
    changed = replace(kept, amount_minor=6000)
    added = a_payment(3, of=invoice)
    stores.records.save(replace(invoice, payments=(changed, added)), expected_version=1)
    assert payments_of(stores.records, invoice) == {changed, added}
    history = payments_of(stores.records, invoice, with_deleted=True)
    assert history == {changed, added, replace(gone, is_deleted=True)}


def test_a_payment_that_comes_back_is_no_longer_deleted(stores: Stores) -> None:
    invoice = an_invoice()
    payment = a_payment(of=invoice)
    with_payment = replace(invoice, payments=(payment,))
    stores.records.save(with_payment, expected_version=0)
    stores.records.save(invoice, expected_version=1)
    assert payments_of(stores.records, invoice) == set()
    stores.records.save(with_payment, expected_version=2)
    assert payments_of(stores.records, invoice, with_deleted=True) == {payment}


def test_a_refused_invoice_leaves_its_payments_alone(stores: Stores) -> None:
    invoice = an_invoice()
    payment = a_payment(of=invoice)
    stores.records.save(replace(invoice, payments=(payment,)), expected_version=0)
    with pytest.raises(ConflictError):
        stores.records.save(invoice, expected_version=0)
    with pytest.raises(ConflictError):
        stores.records.save(invoice, expected_version=2)
    assert payments_of(stores.records, invoice) == {payment}


def test_a_payment_of_another_partner_is_refused(stores: Stores) -> None:
    invoice = an_invoice()
    foreign = a_payment(of=invoice, partner_id=OTHER_PARTNER)
    with pytest.raises(InvalidInputError):
        stores.records.save(replace(invoice, payments=(foreign,)), expected_version=0)


def test_thousands_of_lines_fit_into_one_invoice(stores: Stores) -> None:
    invoice = with_lines(an_invoice(), 5000, "Managed workstation, monthly fee")
    stores.records.save(invoice, expected_version=0)
    assert stores.records.get(INVOICES, PARTNER, invoice.invoice_id).value == invoice


def test_an_invoice_beyond_the_size_of_an_item_is_malformed(stores: Stores) -> None:
    noise = [secrets.token_hex(200) for _ in range(2000)]
    lines = tuple(LineItem(LineKind.TIME, text, 1) for text in noise)
    with pytest.raises(MalformedRecordError):
        stores.records.save(replace(an_invoice(), line_items=lines), expected_version=0)
    assert stores.records.get(INVOICES, PARTNER, an_invoice().invoice_id) == NOTHING


def test_half_a_character_is_malformed(stores: Stores) -> None:
    with pytest.raises(MalformedRecordError):
        stores.records.save(a_customer(name="\ud800"), expected_version=0)


def test_heads_come_in_the_order_of_ids_with_what_a_sweep_compares(stores: Stores) -> None:
    archived = an_invoice(3).archived(ArchiveReason.LEFT_FILTER, START)
    stores.records.save(an_invoice(10), expected_version=0, change_fingerprint="ten")
    stores.records.save(
        an_invoice(9, balance_minor=0), expected_version=0, change_fingerprint="nine"
    )
    stores.records.save(archived, expected_version=0, change_fingerprint="three")
    stores.records.save_tombstone(PARTNER, CONNECTION, RecordKind.INVOICE, 4)
    stores.records.save(a_customer(5), expected_version=0, change_fingerprint="other kind")
    stores.records.save(an_invoice(6, connection_id=OTHER_CONNECTION), expected_version=0)
    assert list_heads(stores.records) == (
        ListedRecord(3, "three", has_balance=True, is_archived=True),
        ListedRecord(9, "nine"),
        ListedRecord(10, "ten", has_balance=True),
    )
    customers = list_heads(stores.records, RecordKind.CUSTOMER)
    assert customers == (ListedRecord(5, "other kind"),)


@pytest.mark.parametrize(
    ("after_id", "through_id", "limit", "expected"),
    [
        (0, None, 20_000, [1, 2, 3, 20, 100]),
        (0, None, 2, [1, 2]),
        (2, None, 100, [3, 20, 100]),
        (2, 20, 100, [3, 20]),
        (3, 19, 100, []),
        (100, None, 100, []),
        (5, 4, 100, []),
    ],
)
def test_heads_are_cut_by_id_and_number(
    stores: Stores, after_id: int, through_id: int | None, limit: int, expected: list[int]
) -> None:
    for source_id in (100, 20, 1, 3, 2):
        stores.records.save(a_customer(source_id), expected_version=0)
    heads = stores.records.list_mirrored(
        PARTNER,
        CONNECTION,
        RecordKind.CUSTOMER,
        after_id=after_id,
        through_id=through_id,
        limit=limit,
    )
    assert [head.source_id for head in heads] == expected


def test_invoices_that_lack_payments_are_listed_from_the_highest_id(stores: Stores) -> None:
    for source_id in range(1, 7):
        lacks = source_id != 4
        stores.records.save(an_invoice(source_id, payments_complete=not lacks), expected_version=0)
    stores.records.save(an_invoice(5), expected_version=1)

    def listed(below_id: int | None, limit: int) -> tuple[int, ...]:
        return stores.records.list_lacking_payments(
            PARTNER, CONNECTION, below_id=below_id, limit=limit
        )

    assert listed(None, 10) == (6, 3, 2, 1)
    assert listed(None, 2) == (6, 3)
    assert listed(3, 10) == (2, 1)
    assert listed(1, 10) == ()
    assert [head.source_id for head in list_heads(stores.records) if head.lacks_payments] == [
        1,
        2,
        3,
        6,
    ]


def test_counting_leaves_out_what_is_archived_or_never_was(stores: Stores) -> None:
    for source_id in range(1, 6):
        stores.records.save(a_customer(source_id), expected_version=0)
    gone = a_customer(6).archived(ArchiveReason.DELETED_IN_CONNECTWISE, START)
    stores.records.save(gone, expected_version=0)
    stores.records.save_tombstone(PARTNER, CONNECTION, RecordKind.CUSTOMER, 7)
    stores.records.save(a_customer(8, connection_id=OTHER_CONNECTION), expected_version=0)
    assert stores.records.count_mirrored(PARTNER, CONNECTION, RecordKind.CUSTOMER) == 5
    assert stores.records.count_mirrored(PARTNER, CONNECTION, RecordKind.INVOICE) == 0


def test_large_heads_beyond_one_megabyte_are_all_found(stores: Stores) -> None:
    for source_id in range(1, 13):
        noise = "".join(secrets.token_hex(64_000))
        invoice = replace(an_invoice(source_id), line_items=(LineItem(LineKind.TIME, noise, 1),))
        stores.records.save(invoice, expected_version=0)
    heads = list_heads(stores.records)
    assert [head.source_id for head in heads] == list(range(1, 13))
    assert stores.records.count_mirrored(PARTNER, CONNECTION, RecordKind.INVOICE) == 12


def with_lines(invoice: Invoice, count: int, text: str) -> Invoice:
    lines = tuple(LineItem(LineKind.PRODUCT, f"{text} {i}", i, source_id=i) for i in range(count))
    return replace(invoice, line_items=lines)


def list_heads(
    records: RecordStore, kind: RecordKind = RecordKind.INVOICE
) -> tuple[ListedRecord, ...]:
    return records.list_mirrored(PARTNER, CONNECTION, kind, after_id=0, through_id=None, limit=100)


def payments_of(
    records: RecordStore, invoice: Invoice, *, with_deleted: bool = False
) -> set[Payment]:
    query = PaymentQuery(invoice_id=invoice.invoice_id, with_deleted=with_deleted)
    return set(records.list_payments(invoice.partner_id, query, limit=1000).items)


@pytest.mark.parametrize("text", ["", "x", "a#b", "../x", "C" * 32, f"{'c' * 32}-0", "c" * 3000])
def test_a_text_that_is_no_id_names_no_record(stores: Stores, text: str) -> None:
    for kind in MIRRORED_KINDS:
        assert stores.records.get(kind, PARTNER, text) == Stored(None, 0)
