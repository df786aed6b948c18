"""Lists of ConnectWise records as the use cases page through them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.connectwise import conditions
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.errors import RefusedError
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import InvoiceType
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.ports import ListedPage, ListedRecord
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.people import NewLine
from tests.fakes.clock import START
from tests.unit.connectwise.sandbox import World, sandboxed_world

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=12, invoices=60)


@pytest.fixture
def psa(world: World) -> ConnectWisePsa:
    return world.psa()


def pages(
    psa: ConnectWisePsa, kind: RecordKind, limit: int, **restrictions: object
) -> Iterator[ListedPage]:
    after_id = 0
    for _ in range(1_000):
        page = psa.list_records(kind, after_id=after_id, limit=limit, **restrictions)  # type: ignore[arg-type]
        yield page
        if page.is_last:
            return
        after_id = page.last_id
    raise AssertionError("the list does not end")


def heads(psa: ConnectWisePsa, kind: RecordKind, **restrictions: object) -> dict[int, ListedRecord]:
    return {
        head.source_id: head
        for page in pages(psa, kind, 1_000, **restrictions)
        for head in page.records
    }


@pytest.mark.parametrize("end", ["empty_page", "short_page"])
@pytest.mark.parametrize("limit", [1, 7, 60, 1_000])
def test_every_invoice_is_listed_once_in_order_of_id(world: World, limit: int, end: str) -> None:
    world.engine.switches.forward_only_end = end  # type: ignore[assignment]

    listed = [
        head.source_id for page in pages(world.psa(), INVOICE, limit) for head in page.records
    ]

    assert listed == [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]]


def test_a_page_holds_at_most_what_was_asked_for_and_names_its_last_id(psa: ConnectWisePsa) -> None:
    page = psa.list_records(INVOICE, after_id=0, limit=10)

    assert len(page.records) == 10
    assert page.last_id == page.records[-1].source_id
    assert not page.is_last


@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_page_of_an_impossible_size_is_refused(psa: ConnectWisePsa, limit: int) -> None:
    with pytest.raises(ValueError, match="page"):
        psa.list_records(INVOICE, after_id=0, limit=limit)


def test_an_empty_list_is_one_last_page(psa: ConnectWisePsa) -> None:
    page = psa.list_records(INVOICE, after_id=2**31 - 2, limit=10)

    assert page.records == ()
    assert page.is_last
    assert page.last_id == 2**31 - 2


def test_a_page_carries_connectwises_own_clock(world: World, psa: ConnectWisePsa) -> None:
    world.clock.advance(minutes=3)

    assert psa.list_records(INVOICE, after_id=0, limit=1).server_time == START
    assert psa.read_system_info().server_time == START


def test_heads_tell_who_owes(world: World, psa: ConnectWisePsa) -> None:
    owing = {row["id"] for row in world.engine.tenant.store[Kind.INVOICE] if row["balance"] != 0}

    assert {key for key, head in heads(psa, INVOICE).items() if head.has_balance} == owing


def test_deleted_customers_are_not_listed(world: World, psa: ConnectWisePsa) -> None:
    before = heads(psa, CUSTOMER)
    gone = next(iter(before))
    world.engine.people.delete_company(gone)

    assert set(heads(psa, CUSTOMER)) == set(before) - {gone}
    assert gone not in psa.list_records_by_id(CUSTOMER, [gone])
    assert psa.count(CUSTOMER) == len(before) - 1


def test_only_what_changed_since_is_listed(world: World, psa: ConnectWisePsa) -> None:
    row = next(iter(world.engine.tenant.store[Kind.INVOICE]))
    world.engine_clock.advance(60)
    world.engine.people.change_total(row["id"], Decimal(500))

    assert set(heads(psa, INVOICE, changed_since=START + timedelta(seconds=60))) == {row["id"]}
    assert not heads(psa, INVOICE, changed_since=START + timedelta(seconds=61))


@pytest.mark.parametrize("condition", ["lastUpdate>=[2026-01-01]", "company/nonsense=1"])
def test_a_misspelt_property_is_an_error_and_never_an_empty_list(
    psa: ConnectWisePsa, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    monkeypatch.setattr(conditions, "changed_since_condition", lambda _: condition)
    monkeypatch.setattr(conditions, "NOT_DELETED", "deletdFlag=false")

    with pytest.raises(RefusedError):
        psa.list_records(INVOICE, after_id=0, limit=10, changed_since=START)
    with pytest.raises(RefusedError):
        psa.count(CUSTOMER)


def test_a_change_within_the_second_that_had_begun_is_not_missed(
    world: World, psa: ConnectWisePsa
) -> None:
    row = next(iter(world.engine.tenant.store[Kind.INVOICE]))
    world.engine.people.change_total(row["id"], Decimal(500))

    assert row["id"] in heads(psa, INVOICE, changed_since=START + timedelta(milliseconds=900))


def test_marks_are_the_same_in_a_list_by_ids_and_in_a_whole_record(psa: ConnectWisePsa) -> None:
    for kind in (INVOICE, CUSTOMER):
        listed = {key: head.change_fingerprint for key, head in heads(psa, kind).items()}
        ids = list(listed)
        fetched = (
            psa.fetch(INVOICES, ids).change_fingerprints
            if kind is INVOICE
            else psa.fetch(CUSTOMERS, ids).change_fingerprints
        )

        assert fetched == listed
        assert {
            key: head.change_fingerprint for key, head in psa.list_records_by_id(kind, ids).items()
        } == listed


def test_an_invoice_whose_lines_are_hidden_is_looked_at_again(
    world: World, psa: ConnectWisePsa
) -> None:
    """No mark of the invoice moves when the API member sees its lines again."""
    products = world.engine.tenant.store[Kind.PRODUCT]
    row = world.engine.people.create_invoice(
        next(iter(world.engine.tenant.store[Kind.COMPANY]))["id"],
        [NewLine("Firewall", Decimal(800))],
    )
    (line,) = products.referring("invoice", [row["id"]])
    products.remove(line["id"])
    hidden = psa.fetch(INVOICES, [row["id"]])
    products.put(line)
    shown = psa.fetch(INVOICES, [row["id"]])

    assert hidden.found[row["id"]].total_minor == shown.found[row["id"]].total_minor
    assert hidden.change_fingerprints[row["id"]] == ""
    assert shown.change_fingerprints[row["id"]] == heads(psa, INVOICE)[row["id"]].change_fingerprint


@pytest.mark.parametrize("change", ["due_date", "total", "payment", "status"])
def test_marks_move_with_what_matters(world: World, psa: ConnectWisePsa, change: str) -> None:
    row = next(r for r in world.engine.tenant.store[Kind.INVOICE] if r["balance"] > 0)
    before = heads(psa, INVOICE)
    people = world.engine.people
    # Even where ConnectWise does not move lastUpdated, as after a payment it may not.
    world.engine.switches.payment_touches_last_updated = False
    match change:
        case "due_date":
            people.change_due_date(row["id"], START.date() + timedelta(days=99))
        case "total":
            people.change_total(row["id"], row["total"] + 1)
        case "payment":
            people.record_payment(row["id"], row["balance"])
        case _:
            people.close_invoice(row["id"])

    after = heads(psa, INVOICE)

    assert {
        key for key in after if after[key].change_fingerprint != before[key].change_fingerprint
    } == {row["id"]}


def test_filters_that_connectwise_can_answer_are_asked_of_it(
    world: World, psa: ConnectWisePsa
) -> None:
    rows = list(world.engine.tenant.store[Kind.INVOICE])
    status_id = rows[0]["status"]["id"]
    filters = ImportFilters(
        invoice=InvoiceFilter(
            types=frozenset({InvoiceType.STANDARD}), billing_status_ids=frozenset({status_id})
        )
    )
    wanted = {r["id"] for r in rows if r["type"] == "Standard" and r["status"]["id"] == status_id}

    assert set(heads(psa, INVOICE, filters=filters)) == wanted
    assert psa.count(INVOICE, filters=filters) == len(wanted)


def test_customers_are_filtered_by_type_status_territory_and_id(
    world: World, psa: ConnectWisePsa
) -> None:
    rows = [r for r in world.engine.tenant.store[Kind.COMPANY] if not r["deletedFlag"]]
    ids = frozenset(r["id"] for r in rows[:6])
    type_ids = frozenset({1, 2})
    filters = ImportFilters(
        customer=CustomerFilter(
            company_ids=ids,
            type_ids=type_ids,
            status_ids=frozenset(r["status"]["id"] for r in rows),
        )
    )
    wanted = {
        r["id"]
        for r in rows
        if r["id"] in ids and any(t["id"] in type_ids for t in r.get("types", ()))
    }

    assert set(heads(psa, CUSTOMER, filters=filters)) == wanted


def test_filters_too_long_for_a_url_list_more_rather_than_fail(
    world: World, psa: ConnectWisePsa
) -> None:
    many = frozenset(range(1_000_000, 1_000_100))
    filters = ImportFilters(
        customer=CustomerFilter(
            status_ids=many, type_ids=many, territory_ids=many, company_ids=many
        ),
        invoice=InvoiceFilter(
            billing_status_ids=many,
            location_ids=many,
            department_ids=many,
            agreement_types=frozenset(f"{'Managed Services ' * 5}{n}" for n in range(100)),
        ),
    )

    for kind in (INVOICE, CUSTOMER):
        psa.list_records(kind, after_id=0, limit=1_000, filters=filters)
        psa.count(kind, filters=filters)

    longest = max(len(call.target) for call in world.engine.calls.recent(10))
    assert longest <= 2_000


def test_companies_of_changed_contacts_are_named(world: World, psa: ConnectWisePsa) -> None:
    contact = next(c for c in world.engine.tenant.store[Kind.CONTACT] if "company" in c)
    world.engine_clock.advance(60)
    since = START + timedelta(seconds=60)
    world.engine.people.set_email(contact["id"], "new@customer.example")

    assert psa.list_customers_with_changed_contacts(since) == {contact["company"]["id"]}
    assert psa.list_customers_with_changed_contacts(since + timedelta(hours=1)) == frozenset()


def test_contacts_that_may_not_be_read_cost_no_customer(world: World, psa: ConnectWisePsa) -> None:
    world.engine.switches.contacts_have_own_right = True

    assert psa.list_customers_with_changed_contacts(START) == frozenset()
    ids = list(heads(psa, CUSTOMER))
    assert set(psa.fetch(CUSTOMERS, ids).found) == set(ids)
