"""A company that moves to another address stays the same connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bridge.connections.move import MoveRequest
from bridge.connections.verify import Outcome
from bridge.domain.connection import Connection, Credentials, PaymentsStop
from bridge.domain.customer import Customer
from bridge.domain.errors import (
    CredentialsRejectedError,
    NotFoundError,
    NotPossibleError,
    UnavailableError,
    WrongCompanyError,
)
from bridge.domain.invoice import Invoice
from bridge.domain.write_back import WriteBackState
from bridge.ports import Fetched
from tests.unit.connections.companies import (
    CLOUD,
    FIRST_DOOR,
    KEYS,
    MINE,
    OTHER_KEYS,
    OTHER_SERVER,
    SECOND_DOOR,
    THEIRS,
    Companies,
)
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import SpyPsa

NEW_KEYS = ("public-9", "private-9")


class Server(SpyPsa):
    """A ConnectWise that shows records."""

    def __init__(self, *records: Invoice | Customer) -> None:
        super().__init__()
        self.records = records

    def fetch(self, kind: Any, source_ids: Any, **_: Any) -> Fetched[Any]:
        self._called("fetch")
        found = {
            each.source_id: each
            for each in self.records
            if isinstance(each, kind.record_type) and each.source_id in source_ids
        }
        return Fetched(found, {}, {})


@pytest.fixture
def world() -> Companies:
    return Companies()


def connected(world: Companies) -> tuple[Connection, list[Invoice]]:
    """Connect, with three mirrored invoices."""
    connection = world.connect(MINE, FIRST_DOOR)
    invoices = [world.invoice(connection, source_id) for source_id in (7, 8, 9)]
    return connection, invoices


def stands_at(world: Companies, site_url: str, *records: Invoice | Customer) -> Server:
    server = world.spy_gateway.others[site_url] = Server(*records)
    return server


def move(
    world: Companies,
    connection: Connection,
    site_url: str | None = OTHER_SERVER,
    *,
    company_id: str = "acme_new",
    keys: tuple[str, str] = NEW_KEYS,
) -> Connection:
    request = MoveRequest(Credentials(company_id, *keys), site_url)
    verification = world.services.connection_move.move(
        connection.partner_id, connection.connection_id, request
    )
    assert verification.outcome is Outcome.ACCEPTED
    return world.now_of(connection)


def refusal(world: Companies, connection: Connection, *arguments: Any, **named: Any) -> str:
    """Return why a move is refused, after which everything is as it was."""
    before = world.now_of(connection), world.vault.get_credentials(connection.connection_id)
    with pytest.raises(NotPossibleError) as refused:
        move(world, connection, *arguments, **named)
    after = world.now_of(connection), world.vault.get_credentials(connection.connection_id)
    assert before == after
    return refused.value.reason


def test_another_host_company_id_and_keys_keep_the_connections_ids(world: Companies) -> None:
    connection, invoices = connected(world)
    server = stands_at(world, OTHER_SERVER, *invoices)
    server.member = "AgentThere"

    moved = move(world, connection)

    assert (moved.connection_id, moved.company_key) == (
        connection.connection_id,
        connection.company_key,
    )
    assert (moved.address.site_url, moved.company_id) == (OTHER_SERVER, "acme_new")
    assert (moved.member_identifier, moved.past_members) == ("AgentThere", ("AlternativeAgent",))
    kept = world.vault.get_credentials(connection.connection_id)
    assert (kept.company_id, kept.public_key, kept.member_identifier) == (
        "acme_new",
        "public-9",
        "AgentThere",
    )
    assert len(server.callback_urls) == 1
    assert moved.may_write


def test_another_server_may_offer_what_the_one_before_lacked(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    missed = replace(world.now_of(connection), information_missed_at=world.clock.now())
    version = world.connections.get(connection.connection_id).version
    world.connections.save(missed, expected_version=version)

    assert move(world, missed).information_missed_at is None


def test_registrations_that_moved_along_are_made_anew_by_the_new_member(world: Companies) -> None:
    connection, invoices = connected(world)
    server = stands_at(world, OTHER_SERVER, *invoices)
    server.callback_urls = list(world.psa.callback_urls)
    server.failures["ensure_callbacks"] = UnavailableError("no")

    moved = move(world, connection)

    assert server.callback_urls == []
    assert (moved.member_identifier, moved.past_members) == ("", ("AlternativeAgent",))


def test_who_claims_the_target_at_once_is_refused(world: Companies) -> None:
    # Given a company that was given up, which somebody connects while the connection moves there
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    world.disconnect(world.connect(THEIRS, OTHER_SERVER, company_id="acme_new", keys=NEW_KEYS))
    world.clock.advance(hours=1)
    save = world.companies.save

    def move_meanwhile(*arguments: Any, **named: Any) -> None:
        world.companies.save = save  # type: ignore[method-assign]
        move(world, connection)
        save(*arguments, **named)

    world.companies.save = move_meanwhile  # type: ignore[method-assign]
    with pytest.raises(NotPossibleError) as refused:
        world.connect(THEIRS, OTHER_SERVER, company_id="acme_new", keys=NEW_KEYS)

    assert refused.value.reason == "company_connected"
    assert world.now_of(connection).may_write


def test_from_on_premise_to_the_cloud(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, CLOUD.site_url, *invoices)

    moved = move(world, connection, None)

    assert moved.address.site_url == CLOUD.site_url
    assert moved.company_key == connection.company_key
    # And the cloud's company is claimed from now on
    with pytest.raises(NotPossibleError) as refused:
        world.connect(THEIRS, None, company_id="ACME_NEW", keys=OTHER_KEYS)
    assert refused.value.reason == "company_connected"


@pytest.mark.parametrize(
    "change", [{"number": "INV-OTHER"}, {"issued_on": date(2020, 1, 1)}], ids=["number", "date"]
)
def test_other_records_under_the_same_ids_are_another_company(
    world: Companies, change: dict[str, Any]
) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices[:2], replace(invoices[2], **change))

    assert refusal(world, connection) == "other_records"


def test_an_empty_place_is_another_company(world: Companies) -> None:
    connection, _ = connected(world)
    stands_at(world, OTHER_SERVER)

    assert refusal(world, connection) == "other_records"


def test_records_deleted_meanwhile_do_not_matter(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices[1:])

    assert move(world, connection).may_write


def test_an_empty_mirror_proves_nothing(world: Companies) -> None:
    connection = world.connect(MINE, FIRST_DOOR)
    stands_at(world, OTHER_SERVER)

    assert refusal(world, connection) == "nothing_to_compare"


@pytest.mark.parametrize(("name", "is_same"), [("CUSTOMER 1", True), ("Other Ltd", False)])
def test_customers_prove_it_where_no_invoice_is_mirrored(
    world: Companies, name: str, *, is_same: bool
) -> None:
    connection = world.connect(MINE, FIRST_DOOR)
    customer = world.customer(connection, 1)
    stands_at(world, OTHER_SERVER, replace(customer, name=name))

    if is_same:
        assert move(world, connection).may_write
    else:
        assert refusal(world, connection) == "other_records"


def test_a_company_that_another_connection_claims_is_no_target(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    world.connect(THEIRS, OTHER_SERVER, keys=OTHER_KEYS)

    assert refusal(world, connection) == "company_connected"


def test_a_target_that_was_connected_and_given_up_is_taken_in(world: Companies) -> None:
    # Given a partner who connected the new address anew, and thought better of it
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    mistake = world.connect(MINE, OTHER_SERVER, company_id="acme_new", keys=NEW_KEYS)
    world.disconnect(mistake)

    moved = move(world, connection)

    # Then the moved connection's key is the company's from now on
    assert moved.company_key == connection.company_key != mistake.company_key
    world.disconnect(moved)
    again = world.connect(MINE, OTHER_SERVER, company_id="acme_new", keys=NEW_KEYS)
    assert again.company_key == connection.company_key


POSTING, UNCLEAR = WriteBackState.POSTING, WriteBackState.UNCLEAR


@pytest.mark.parametrize("states", [(POSTING,), (POSTING, UNCLEAR)])
def test_a_payment_that_is_under_way_holds_the_move_up(
    world: Companies, states: tuple[WriteBackState, ...]
) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    recorded(world, connection, invoices[0], "pay-1")
    [write_back] = world.ledger.list_write_backs(connection.connection_id, limit=10).items
    for version, state in enumerate(states, start=1):
        moved = replace(write_back, state=state)
        world.ledger.save_write_back(moved, expected_version=version)

    assert refusal(world, connection) == "payment_under_way"


def test_keys_and_rights_are_proven_there_first(world: Companies) -> None:
    connection, invoices = connected(world)
    server = stands_at(world, OTHER_SERVER, *invoices)
    server.failures["read_system_info"] = CredentialsRejectedError("no")

    with pytest.raises(CredentialsRejectedError):
        move(world, connection)

    assert server.calls == ["read_system_info"]
    assert world.now_of(connection).address.site_url == FIRST_DOOR


def test_a_place_that_does_not_know_the_company_is_refused(world: Companies) -> None:
    connection, _ = connected(world)
    world.spy_gateway.failure = WrongCompanyError("no")

    with pytest.raises(WrongCompanyError):
        move(world, connection)


def test_another_installation_at_the_new_place_stops_payments(world: Companies) -> None:
    connection, invoices = connected(world)
    server = stands_at(world, OTHER_SERVER, *invoices)
    server.callback_urls = [
        f"https://other-bridge.example/webhooks/connectwise/{'d' * 32}/unknown?recordId="
    ]

    moved = move(world, connection)

    assert moved.payments_stopped == {PaymentsStop.ANOTHER_BRIDGE}


def test_somebody_elses_connection_is_not_moved(world: Companies) -> None:
    connection, _ = connected(world)

    with pytest.raises(NotFoundError):
        move(world, replace(connection, partner_id=THEIRS))


def test_a_disconnected_one_is_connected_again_instead(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    world.disconnect(connection)

    with pytest.raises(NotPossibleError) as refused:
        move(world, connection)

    assert refused.value.reason == "disconnected"


def test_the_old_address_is_known_as_the_same_company_still(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    move(world, connection)

    with pytest.raises(NotPossibleError) as refused:
        world.connect(THEIRS, SECOND_DOOR, keys=KEYS)

    assert refused.value.reason == "company_connected"


def test_over_the_api(world: Companies) -> None:
    connection, invoices = connected(world)
    stands_at(world, OTHER_SERVER, *invoices)
    form = {
        "company_id": "acme_new",
        "site_url": OTHER_SERVER,
        "public_key": NEW_KEYS[0],
        "private_key": NEW_KEYS[1],
    }

    path = f"/v1/connections/{connection.connection_id}/move"
    answer = world.partner(MINE).post(path, form)

    assert (answer.status, answer.json["outcome"]) == (200, "accepted")
    assert answer.json["connection"]["site_url"] == OTHER_SERVER
    assert answer.json["connection"]["payments_stopped"] == []
    assert NEW_KEYS[1] not in answer.text
