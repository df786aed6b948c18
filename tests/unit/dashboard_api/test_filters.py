"""Import filters: what they would change, saving them, archiving what they leave, undo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, NamedRef
from bridge.domain.errors import ConflictError, UnavailableError
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.invoice import InvoiceType
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from tests.unit.dashboard_api.world import JPY, Answer, Caller, World

AGREEMENTS = {"invoices": {"types": ["Agreement"]}}


@pytest.fixture
def connection(world: World) -> Connection:
    """Customers 1 (Active) and 2 (Former); invoices 1-3 of customer 1, 4 of customer 2."""
    connection = world.connection()
    world.customer(connection, 1)
    world.customer(connection, 2, status=NamedRef(9, "Former"))
    world.invoice(connection, 1, type=InvoiceType.AGREEMENT)
    world.invoice(connection, 2)
    world.invoice(connection, 3, currency=JPY, balance_minor=700)
    world.invoice(connection, 4, customer_source_id=2, type=InvoiceType.AGREEMENT)
    return connection


def path(connection: Connection, action: str = "") -> str:
    return f"/v1/connections/{connection.connection_id}/filters{action}"


def test_a_preview_counts_what_would_leave(
    world: World, partner: Caller, connection: Connection
) -> None:
    body = partner.post(path(connection, "/preview"), AGREEMENTS).json

    assert (body["customers"]["staying"], body["customers"]["leaving"]) == (2, 0)
    assert (body["invoices"]["staying"], body["invoices"]["leaving"]) == (2, 2)
    assert [sample["label"] for sample in body["invoices"]["leaving_samples"]] == ["INV-2", "INV-3"]
    assert {
        amount["currency"]: amount["display"] for amount in body["invoices"]["leaving_balances"]
    } == {"USD": "100.00", "JPY": "700"}
    assert body["invoices"]["in_connectwise"] == 500
    assert body["next_cursor"] is None


def test_an_invoice_leaves_with_its_customer(partner: Caller, connection: Connection) -> None:
    body = partner.post(path(connection, "/preview"), {"customers": {"status_ids": [1]}}).json

    assert [sample["label"] for sample in body["customers"]["leaving_samples"]] == ["Customer 2"]
    assert [sample["label"] for sample in body["invoices"]["leaving_samples"]] == ["INV-4"]


def test_a_preview_counts_what_would_come_back(
    world: World, partner: Caller, connection: Connection
) -> None:
    _set_filters(
        world,
        connection,
        ImportFilters(invoice=InvoiceFilter(types=frozenset({InvoiceType.AGREEMENT}))),
    )

    body = partner.post(path(connection, "/preview"), {}).json

    assert (body["invoices"]["returning"], body["invoices"]["leaving"]) == (2, 0)


def test_a_preview_changes_nothing(world: World, partner: Caller, connection: Connection) -> None:
    before = partner.get("/v1/invoices").json

    partner.post(path(connection, "/preview"), AGREEMENTS)

    assert partner.get("/v1/invoices").json == before
    assert world.stored_connection(connection.connection_id) == connection
    assert world.run_queue.sent == []


def test_a_preview_works_without_connectwise(
    world: World, partner: Caller, connection: Connection
) -> None:
    world.psa.failures["count"] = UnavailableError("timeout")

    body = partner.post(path(connection, "/preview"), AGREEMENTS).json

    assert body["invoices"]["in_connectwise"] is None
    assert body["invoices"]["leaving"] == 2


def test_saving_filters_starts_an_import_and_keeps_what_they_leave(
    world: World, partner: Caller, connection: Connection
) -> None:
    answer = partner.put(path(connection), AGREEMENTS)

    assert answer.status == 200
    assert answer.json["filters"]["invoices"]["types"] == ["Agreement"]
    assert (answer.json["run"]["kind"], answer.json["run"]["state"]) == ("import", "queued")
    assert len(partner.get("/v1/invoices").json["items"]) == 4
    assert partner.get("/v1/invoices", state="archived").json["items"] == []


def test_saving_filters_takes_the_place_of_a_running_import(
    world: World, partner: Caller, connection: Connection
) -> None:
    going_on = use_cases.run_starter(world).start(connection, RunKind.IMPORT)

    run = partner.put(path(connection), AGREEMENTS).json["run"]

    old = partner.get(f"/v1/connections/{connection.connection_id}/runs/{going_on.run_id}").json
    assert (old["state"], run["state"]) == ("cancelled", "queued")


def test_archiving_what_filters_leave_and_undoing_it(
    world: World, partner: Caller, connection: Connection
) -> None:
    partner.put(path(connection), AGREEMENTS | {"customers": {"status_ids": [1]}})

    archived = partner.post(path(connection, "/archive-left")).json

    assert (archived["customer_count"], archived["invoice_count"]) == (1, 3)
    assert archived["next_cursor"] is None
    left = partner.get("/v1/invoices", state="archived").json["items"]
    assert sorted(item["number"] for item in left) == ["INV-2", "INV-3", "INV-4"]
    assert {item["archive"]["reason"] for item in left} == {"left_filter"}

    undo = {"undo_id": archived["undo_id"]}
    restored = partner.post(path(connection, "/undo-archive"), undo).json

    assert (restored["customer_count"], restored["invoice_count"]) == (1, 3)
    assert partner.get("/v1/invoices", state="archived").json["items"] == []
    assert len(partner.get("/v1/customers").json["items"]) == 2


def test_undo_brings_back_only_what_that_archiving_archived(
    world: World, partner: Caller, connection: Connection
) -> None:
    # Given an invoice that was archived before, for another reason
    invoice = world.records.get(INVOICES, connection.partner_id, f"{connection.connection_id}-2")
    assert invoice.value is not None
    world.records.save(
        invoice.value.archived(ArchiveReason.DELETED_IN_CONNECTWISE, world.clock.now()),
        expected_version=invoice.version,
    )
    partner.put(path(connection), AGREEMENTS)
    world.clock.advance(seconds=5)
    undo_id = partner.post(path(connection, "/archive-left")).json["undo_id"]

    restored = partner.post(path(connection, "/undo-archive"), {"undo_id": undo_id}).json

    assert restored["invoice_count"] == 1
    still = partner.get("/v1/invoices", state="archived").json["items"]
    assert [item["number"] for item in still] == ["INV-2"]


def test_undoing_twice_is_harmless(partner: Caller, connection: Connection) -> None:
    partner.put(path(connection), AGREEMENTS)
    undo = {"undo_id": partner.post(path(connection, "/archive-left")).json["undo_id"]}

    answers = [partner.post(path(connection, "/undo-archive"), undo).json for _ in range(2)]

    assert [answer["invoice_count"] for answer in answers] == [2, 0]


def test_archiving_keeps_the_marks_that_comparisons_need(
    world: World, partner: Caller, connection: Connection
) -> None:
    partner.put(path(connection), AGREEMENTS)

    partner.post(path(connection, "/archive-left"))

    stored = world.records.get(INVOICES, connection.partner_id, f"{connection.connection_id}-2")
    assert stored.change_fingerprint == "i2"
    assert stored.value is not None
    assert stored.value.line_items


def test_a_long_archiving_goes_on_where_it_stopped(
    world: World, partner: Caller, connection: Connection
) -> None:
    for source_id in range(10, 460):
        world.invoice(connection, source_id)
    partner.put(path(connection), AGREEMENTS)

    # When each request has time for one slice only
    world.clock.set_remaining(9.5)
    _tick_with_every_read(world)
    parts = _to_the_end(world, partner, path(connection, "/archive-left"))

    assert len(parts) > 3
    assert sum(part["invoice_count"] for part in parts) == 452
    assert len({part["undo_id"] for part in parts}) == 1
    undone = _to_the_end(
        world, partner, path(connection, "/undo-archive"), {"undo_id": parts[0]["undo_id"]}
    )
    assert sum(part["invoice_count"] for part in undone) == 452


def test_a_long_preview_adds_up(world: World, partner: Caller, connection: Connection) -> None:
    for source_id in range(10, 260):
        world.invoice(connection, source_id)
    world.clock.set_remaining(9.5)
    _tick_with_every_read(world)

    parts = _to_the_end(world, partner, path(connection, "/preview"), AGREEMENTS)

    assert len(parts) > 2
    assert sum(part["invoices"]["leaving"] for part in parts) == 252
    assert [part["invoices"]["in_connectwise"] for part in parts][:2] == [500, None]


def test_a_record_that_moves_meanwhile_is_left_alone(
    world: World, partner: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.put(path(connection), AGREEMENTS)

    def moved(*_: Any, **__: Any) -> int:
        raise ConflictError("moved")

    monkeypatch.setattr(world.records, "save", moved)
    answer = partner.post(path(connection, "/archive-left")).json

    assert (answer["invoice_count"], answer["contested_count"]) == (0, 2)


@pytest.mark.parametrize("cursor", ["nonsense", "invoice-", "payment-1", "20260302T090000000000Z"])
def test_a_cursor_of_something_else_is_refused(
    partner: Caller, connection: Connection, cursor: str
) -> None:
    answers = [
        partner.post(path(connection, "/preview"), {}, cursor=cursor),
        partner.post(path(connection, "/archive-left"), cursor=cursor),
    ]

    assert {(answer.status, answer.problem) for answer in answers} == {(422, "invalid_input")}


@pytest.mark.parametrize("undo_id", ["", "yesterday", "20261302T090000000000Z"])
def test_an_undo_id_that_no_archiving_had_is_refused(
    partner: Caller, connection: Connection, undo_id: str
) -> None:
    answer = partner.post(path(connection, "/undo-archive"), {"undo_id": undo_id})

    assert (answer.status, answer.problem) == (422, "invalid_input")


def test_filters_through_the_connection_itself(partner: Caller, connection: Connection) -> None:
    answer = partner.patch(f"/v1/connections/{connection.connection_id}", {"filters": AGREEMENTS})

    assert answer.json["filters"]["invoices"]["types"] == ["Agreement"]
    assert answer.json["latest_run"]["kind"] == "import"


def test_all_filters_come_back_as_they_were_saved(partner: Caller, connection: Connection) -> None:
    filters = {
        "customers": {
            "status_ids": [1, 2],
            "type_ids": [3],
            "territory_ids": [4],
            "company_ids": [5],
        },
        "invoices": {
            "types": ["Agreement", "Standard"],
            "billing_status_ids": [6],
            "location_ids": [7],
            "department_ids": [8],
            "agreement_types": ["Managed"],
            "date_from": "2025-01-01",
            "minimum_balance": "0.50",
        },
    }

    assert partner.put(path(connection), filters).json["filters"] == filters


def test_a_customer_that_is_not_mirrored_keeps_its_invoices_only_without_customer_filters(
    world: World, partner: Caller, connection: Connection
) -> None:
    world.invoice(connection, 5, customer_source_id=77)
    assert partner.post(path(connection, "/preview"), {}).json["invoices"]["leaving"] == 0
    _set_filters(
        world, connection, ImportFilters(customer=CustomerFilter(status_ids=frozenset({1, 9})))
    )

    partner.post(path(connection, "/archive-left"))

    archived = partner.get("/v1/invoices", state="archived").json["items"]
    assert [item["number"] for item in archived] == ["INV-5"]


def _set_filters(world: World, connection: Connection, filters: ImportFilters) -> None:
    stored = world.connections.get(connection.connection_id)
    assert stored.value is not None
    world.connections.save(replace(stored.value, filters=filters), expected_version=stored.version)


def _tick_with_every_read(world: World) -> None:
    """Let a second pass with every slice read."""
    read = world.records.list_mirrored

    def slow(*args: Any, **kwargs: Any) -> Any:
        world.clock.advance(seconds=1)
        return read(*args, **kwargs)

    world.records.list_mirrored = slow  # type: ignore[method-assign]


def _to_the_end(world: World, partner: Caller, url: str, body: Any = None) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    for _ in range(50):
        answer: Answer = partner.post(url, body, **query)
        assert answer.status == 200, answer.text
        parts.append(answer.json)
        if parts[-1]["next_cursor"] is None:
            return parts
        query = {"cursor": parts[-1]["next_cursor"]}
        world.clock.set_remaining(9.5)
    raise AssertionError("the walk does not end")


# --- filters that make no sense --------------------------------------------------------------

SENSELESS: list[tuple[dict[str, Any], str]] = [
    ({"invoices": {"date_from": "9999-12-31"}}, "invoices.date_from"),
    ({"invoices": {"date_from": "2027-03-05"}}, "invoices.date_from"),
    ({"invoices": {"date_from": "0001-01-01"}}, "invoices.date_from"),
    ({"invoices": {"minimum_balance": "-1"}}, "invoices.minimum_balance"),
    ({"customers": {"status_ids": [1, 987654]}}, "customers.status_ids"),
    ({"customers": {"type_ids": [987654]}}, "customers.type_ids"),
    ({"customers": {"territory_ids": [987654]}}, "customers.territory_ids"),
    ({"customers": {"company_ids": [987654]}}, "customers.company_ids"),
    ({"invoices": {"billing_status_ids": [987654]}}, "invoices.billing_status_ids"),
    ({"invoices": {"location_ids": [987654]}}, "invoices.location_ids"),
    ({"invoices": {"department_ids": [987654]}}, "invoices.department_ids"),
    ({"invoices": {"agreement_types": ["Nonesuch"]}}, "invoices.agreement_types"),
]


@pytest.mark.parametrize(("filters", "field"), SENSELESS)
def test_a_filter_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    world: World, partner: Caller, connection: Connection, filters: dict[str, Any], field: str
) -> None:
    form = {"company_id": "other", "public_key": "p", "private_key": "k", "filters": filters}
    here = f"/v1/connections/{connection.connection_id}"

    saved = partner.put(path(connection), filters)
    previewed = partner.post(path(connection, "/preview"), filters)
    patched = partner.patch(here, {"filters": filters})
    connected = partner.post("/v1/connections", form)

    for answer, place in (
        (saved, field),
        (previewed, field),
        (patched, f"filters.{field}"),
        (connected, f"filters.{field}"),
    ):
        assert (answer.status, answer.problem) == (422, "invalid_input")
        assert answer.json["errors"][0]["field"] == place
    assert world.stored_connection(connection.connection_id) == connection
    assert world.run_queue.sent == []
    assert len(partner.get("/v1/connections").json["items"]) == 1


def test_values_that_were_saved_before_are_not_asked_for_again(
    world: World, partner: Caller, connection: Connection
) -> None:
    old = ImportFilters(customer=CustomerFilter(status_ids=frozenset({987654})))
    _set_filters(world, connection, old)

    answer = partner.put(path(connection), {"customers": {"status_ids": [987654]}})

    assert answer.status == 200
    assert world.psa.calls == []


def test_a_list_that_is_denied_leaves_its_values_unchecked(
    world: World, partner: Caller, connection: Connection
) -> None:
    world.psa.denied_choices = {ChoiceKind.COMPANY_STATUSES}

    assert partner.put(path(connection), {"customers": {"status_ids": [987654]}}).status == 200


def test_a_connectwise_out_of_reach_leaves_the_filters_as_they_were(
    world: World, partner: Caller, connection: Connection
) -> None:
    world.psa.failures["list_choices"] = UnavailableError("timeout")

    answer = partner.put(path(connection), {"customers": {"status_ids": [1]}})

    assert (answer.status, answer.problem) == (503, "unavailable")
    assert partner.put(path(connection), AGREEMENTS).status == 200


def test_patching_filters_leaves_alone_what_is_left_out(
    partner: Caller, connection: Connection
) -> None:
    here = f"/v1/connections/{connection.connection_id}"
    customers = {"status_ids": [1, 2]}
    invoices = {"types": ["Agreement"], "minimum_balance": "25.00"}
    partner.put(path(connection), {"customers": customers, "invoices": invoices})

    answer = partner.patch(here, {"filters": {"invoices": {"minimum_balance": None}}})

    changed = answer.json["filters"]
    assert changed["customers"]["status_ids"] == [1, 2]
    assert changed["invoices"]["types"] == ["Agreement"]
    assert changed["invoices"]["minimum_balance"] is None


# --- choices ---------------------------------------------------------------------------------


def _choices(partner: Caller, connection: Connection) -> Any:
    answer = partner.get(f"/v1/connections/{connection.connection_id}/filter-choices")
    assert answer.status == 200, answer.text
    return answer.json


def test_the_choices_are_the_tenants_own_by_id_and_name(
    partner: Caller, connection: Connection
) -> None:
    choices = _choices(partner, connection)

    assert set(choices) == {kind.value for kind in ChoiceKind} | {"invoice_types"}
    assert choices["locations"]["items"][0] == {"id": 1, "name": "Choice 1"}
    assert choices["locations"]["is_known"]
    assert "Agreement" in choices["invoice_types"]


def test_choices_are_kept_for_five_minutes(
    world: World, partner: Caller, connection: Connection
) -> None:
    for _ in range(3):
        _choices(partner, connection)
    assert world.psa.calls.count("list_choices") == len(ChoiceKind)

    world.clock.advance(minutes=5, seconds=1)
    _choices(partner, connection)
    assert world.psa.calls.count("list_choices") == 2 * len(ChoiceKind)


def test_a_list_that_is_denied_says_so_and_the_others_are_given(
    world: World, partner: Caller, connection: Connection
) -> None:
    world.psa.denied_choices = {ChoiceKind.DEPARTMENTS}

    choices = _choices(partner, connection)

    assert choices["departments"] == {
        "items": [],
        "missing_rights": ["System > Table Setup (customize): Inquire"],
        "is_known": False,
    }
    assert choices["locations"]["items"]
    world.psa.denied_choices = set()
    assert _choices(partner, connection)["departments"]["items"]


# --- the list of archivings ------------------------------------------------------------------


def _archivings(partner: Caller, connection: Connection) -> list[dict[str, Any]]:
    answer = partner.get(f"/v1/connections/{connection.connection_id}/archivings")
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_an_archiving_is_found_in_a_list_and_undone_from_there(
    world: World, partner: Caller, connection: Connection
) -> None:
    assert _archivings(partner, connection) == []
    partner.put(path(connection), AGREEMENTS)
    partner.post(path(connection, "/archive-left"))

    [listed] = _archivings(partner, connection)

    assert (listed["customer_count"], listed["invoice_count"]) == (0, 2)
    assert listed["filters"]["invoices"]["types"] == ["Agreement"]
    assert listed["at"].startswith(world.clock.now().date().isoformat())
    assert (listed["may_be_undone"], listed["undone_at"]) == (True, None)

    partner.post(path(connection, "/undo-archive"), {"undo_id": listed["undo_id"]})
    [undone] = _archivings(partner, connection)
    assert not undone["may_be_undone"]
    assert undone["undone_at"]
    assert undone["invoice_count"] == 2


def test_an_archiving_that_found_nothing_leaves_no_trace(
    world: World, partner: Caller, connection: Connection
) -> None:
    partner.put(path(connection), AGREEMENTS)
    partner.post(path(connection, "/archive-left"))
    world.clock.advance(seconds=5)
    partner.post(path(connection, "/archive-left"))

    assert len(_archivings(partner, connection)) == 1


def test_the_latest_archiving_comes_first(
    world: World, partner: Caller, connection: Connection
) -> None:
    partner.put(path(connection), AGREEMENTS)
    partner.post(path(connection, "/archive-left"))
    world.clock.advance(seconds=5)
    partner.put(path(connection), {"invoices": {"types": ["CreditMemo"]}})
    partner.post(path(connection, "/archive-left"))

    types = [each["filters"]["invoices"]["types"] for each in _archivings(partner, connection)]
    assert types == [["CreditMemo"], ["Agreement"]]


def test_an_id_that_no_archiving_had_is_not_found(partner: Caller, connection: Connection) -> None:
    unknown = {"undo_id": "20260101T090000000000Z"}

    answer = partner.post(path(connection, "/undo-archive"), unknown)

    assert (answer.status, answer.problem) == (404, "not_found")


def test_an_archiving_of_an_earlier_release_can_still_be_undone(
    world: World, partner: Caller, connection: Connection
) -> None:
    partner.put(path(connection), AGREEMENTS)
    undo = {"undo_id": partner.post(path(connection, "/archive-left")).json["undo_id"]}
    world.archivings.forget_all()

    assert partner.post(path(connection, "/undo-archive"), undo).json["invoice_count"] == 2


def test_a_long_archiving_counts_all_its_parts(
    world: World, partner: Caller, connection: Connection
) -> None:
    for source_id in range(10, 460):
        world.invoice(connection, source_id)
    partner.put(path(connection), AGREEMENTS)
    world.clock.set_remaining(9.5)
    _tick_with_every_read(world)
    _to_the_end(world, partner, path(connection, "/archive-left"))
    [listed] = _archivings(partner, connection)
    assert listed["invoice_count"] == 452

    undo = {"undo_id": listed["undo_id"]}
    world.clock.set_remaining(9.5)
    first = partner.post(path(connection, "/undo-archive"), undo).json
    assert first["next_cursor"]
    assert _archivings(partner, connection)[0]["may_be_undone"]
    world.clock.set_remaining(9.5)
    _to_the_end(world, partner, path(connection, "/undo-archive"), undo)
    assert not _archivings(partner, connection)[0]["may_be_undone"]


def test_records_that_an_undo_left_alone_keep_it_open(
    world: World, partner: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.put(path(connection), AGREEMENTS)
    undo = {"undo_id": partner.post(path(connection, "/archive-left")).json["undo_id"]}

    def moved(*_: Any, **__: Any) -> int:
        raise ConflictError("moved")

    with monkeypatch.context() as broken:
        broken.setattr(world.records, "save", moved)
        partner.post(path(connection, "/undo-archive"), undo)
    assert _archivings(partner, connection)[0]["may_be_undone"]

    partner.post(path(connection, "/undo-archive"), undo)
    assert not _archivings(partner, connection)[0]["may_be_undone"]
