"""One ConnectWise company has one connection at a time, by whatever address it is reached."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest

from bridge.domain.company import cloud_proof
from bridge.domain.connection import SET_UP_LEASE, ConnectionState, PaymentsStop
from bridge.domain.errors import BridgeError, NotPossibleError, UnavailableError
from bridge.domain.problem import Action, ProblemCode
from infra.local.patience import PATIENCE_SECONDS
from tests.unit.connections.companies import (
    CLOUD,
    FIRST_DOOR,
    KEYS,
    MINE,
    OTHER_KEYS,
    OTHER_SERVER,
    QUARANTINE_SECONDS,
    SECOND_DOOR,
    THEIRS,
    Companies,
)

FOREIGN = "https://other-bridge.example/webhooks/connectwise"


@pytest.fixture
def world() -> Companies:
    return Companies()


def refusal(world: Companies, *arguments: Any, **named: Any) -> NotPossibleError:
    with pytest.raises(NotPossibleError) as refused:
        world.connect(*arguments, **named)
    return refused.value


def test_a_fresh_company_gets_a_key_of_our_own(world: Companies) -> None:
    connection = world.connect()
    other = world.connect(site_url=OTHER_SERVER, keys=OTHER_KEYS)

    keys = {connection.company_key, other.company_key}
    assert len(keys) == 2
    assert not keys & {"", connection.connection_id, other.connection_id}
    assert connection.may_write


# --- what proves that it is the same company -----------------------------------------------------


def test_a_cloud_company_is_known_by_region_and_login_id(world: Companies) -> None:
    first = world.connect(THEIRS, None)
    world.cloud.callback_urls.clear()

    refused = refusal(world, MINE, None, company_id="ACME", keys=OTHER_KEYS)

    assert (refused.reason, refused.subject_id) == ("company_connected", None)
    assert first.company_key


def test_a_server_that_says_it_is_the_cloud_proves_nothing(world: Companies) -> None:
    # Given a self-hosted server that claims to be in the cloud, and has the company's name
    world.connect(THEIRS, None)

    connection = world.connect(MINE, OTHER_SERVER, keys=OTHER_KEYS)

    assert connection.address.is_cloud
    assert connection.may_write


def test_a_public_key_is_known_again_at_another_address(world: Companies) -> None:
    world.connect(site_url=FIRST_DOOR)
    world.psa.callback_urls.clear()

    assert refusal(world, MINE, SECOND_DOOR).reason == "company_connected"


def test_our_registration_is_known_again_at_another_address(world: Companies) -> None:
    first = world.connect(site_url=FIRST_DOOR)

    refused = refusal(world, MINE, SECOND_DOOR, keys=OTHER_KEYS)

    assert (refused.reason, refused.subject_id) == ("company_connected", first.connection_id)


def test_a_registration_with_a_past_secret_is_known_too(world: Companies) -> None:
    first = world.connect(site_url=FIRST_DOOR)
    world.verifier.rotate_callback_secret(first)
    old_urls = list(world.psa.callback_urls)
    for _ in range(3):
        world.verifier.rotate_callback_secret(world.now_of(first))
    world.psa.callback_urls[:] = old_urls

    assert refusal(world, MINE, SECOND_DOOR, keys=OTHER_KEYS).reason == "company_connected"


def test_a_place_in_the_cloud_is_what_stands_in_the_address() -> None:
    proof = cloud_proof(CLOUD, "acme")
    assert proof is not None
    assert cloud_proof(replace(CLOUD, is_cloud=False), "ACME") == proof
    assert cloud_proof(replace(CLOUD, site_url="https://eu.myconnectwise.net"), "acme") != proof
    elsewhere = ["http://na.myconnectwise.net", "https://na.myconnectwise.net.evil.example"]
    for site_url in [*elsewhere, "https://xx.myconnectwise.net", FIRST_DOOR]:
        assert cloud_proof(replace(CLOUD, site_url=site_url), "acme") is None


def test_a_made_up_secret_under_our_own_url_proves_nothing(world: Companies) -> None:
    first = world.connect(site_url=FIRST_DOOR)
    prefix = world.psa.callback_urls[0].rpartition("/")[0]
    world.elsewhere.callback_urls = [f"{prefix}/made-up-secret-of-somebody?recordId="]

    connection = world.connect(THEIRS, OTHER_SERVER, keys=OTHER_KEYS)

    assert connection.company_key != first.company_key
    assert connection.may_write


def test_a_connection_of_the_release_before_is_known_by_its_registration(world: Companies) -> None:
    world.connection_before(THEIRS, FIRST_DOOR, keys=OTHER_KEYS)

    assert refusal(world, MINE, SECOND_DOOR).reason == "company_connected"


def test_the_list_is_asked_for_only_after_the_keys_are_proven(world: Companies) -> None:
    world.psa.failures["check_rights"] = UnavailableError("no")

    with pytest.raises(UnavailableError):
        world.connect()

    assert "list_callback_urls" not in world.psa.calls


def test_a_list_that_cannot_be_read_connects_nothing(world: Companies) -> None:
    world.psa.failures["list_callback_urls"] = UnavailableError("no")

    with pytest.raises(UnavailableError):
        world.connect()

    assert world.connections.list_of_partner(MINE) == ()


# --- what a refusal tells ------------------------------------------------------------------------


def test_a_refusal_tells_nothing_of_another_partner(world: Companies) -> None:
    own, foreign = Companies(), world
    own.connect(MINE, FIRST_DOOR)
    foreign.connect(THEIRS, FIRST_DOOR)

    of_own = refusal(own, MINE, SECOND_DOOR)
    of_foreign = refusal(foreign, MINE, SECOND_DOOR)

    assert str(of_own) == str(of_foreign)
    assert of_own.reason == of_foreign.reason
    assert of_foreign.subject_id is None
    assert of_own.subject_id is not None


def test_a_refused_company_stores_nothing(world: Companies) -> None:
    world.connect(THEIRS, FIRST_DOOR)

    refusal(world, MINE, SECOND_DOOR)

    assert world.connections.list_of_partner(MINE) == ()
    assert len(world.psa.callback_urls) == 1


# --- two at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("site_urls", [(None, None), (FIRST_DOOR, SECOND_DOOR)])
def test_of_two_partners_at_once_one_connects(
    world: Companies, site_urls: tuple[str | None, ...]
) -> None:
    # Given two who both looked before either claimed
    both_have_looked = Barrier(2, timeout=PATIENCE_SECONDS)
    find = world.companies.find
    looked: list[int] = []

    def meet(proofs: Any) -> Any:
        found = find(proofs)
        if len(looked) < 2:
            looked.append(1)
            both_have_looked.wait()
        return found

    world.companies.find = meet  # type: ignore[method-assign]
    outcomes: list[str] = []

    def connect(partner_id: str, site_url: str | None) -> None:
        try:
            world.connect(partner_id, site_url)
            outcomes.append("connected")
        except NotPossibleError as error:
            outcomes.append(error.reason)

    threads = [
        Thread(target=connect, args=arguments)
        for arguments in zip((MINE, THEIRS), site_urls, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["company_connected", "connected"]


def test_of_two_by_different_keys_at_once_one_writes(world: Companies) -> None:
    # Given one that was claimed and registered between the other's look and its registration
    register = world.psa.ensure_callbacks

    def connect_meanwhile(url: str) -> str:
        world.psa.ensure_callbacks = register  # type: ignore[method-assign]
        world.clock.advance(seconds=1)
        world.connect(THEIRS, SECOND_DOOR, keys=OTHER_KEYS)
        return register(url)

    world.psa.ensure_callbacks = connect_meanwhile  # type: ignore[method-assign]
    first = world.connect(MINE, FIRST_DOOR)
    [second] = world.connections.list_of_partner(THEIRS)

    world.an_hour_later()

    assert world.now_of(first).may_write
    assert world.now_of(second).payments_stopped == {PaymentsStop.COMPANY_CONNECTED_TWICE}


def test_of_two_whose_registrations_came_into_view_late_the_later_one_does_not_write(
    world: Companies,
) -> None:
    # Given a list that does not show the first registration yet
    first = world.connect(MINE, FIRST_DOOR)
    world.clock.advance(seconds=1)
    show = world.psa.list_callback_urls

    def late() -> tuple[str, ...]:
        world.psa.list_callback_urls = show  # type: ignore[method-assign]
        return ()

    world.psa.list_callback_urls = late  # type: ignore[method-assign]
    second = world.connect(THEIRS, SECOND_DOOR, keys=OTHER_KEYS)

    assert world.now_of(first).may_write
    assert second.payments_stopped == {PaymentsStop.COMPANY_CONNECTED_TWICE}
    assert ProblemCode.COMPANY_CONNECTED_TWICE in world.problems_of(second)


def test_a_set_up_that_hung_while_another_one_claimed_the_company_does_not_write(
    world: Companies,
) -> None:
    # Given a partner who lost patience and connected by another address
    register = world.psa.ensure_callbacks

    def hang(url: str) -> str:
        world.psa.ensure_callbacks = register  # type: ignore[method-assign]
        world.clock.advance(seconds=SET_UP_LEASE.total_seconds() + 1)
        world.connect(MINE, SECOND_DOOR)
        return register(url)

    world.psa.ensure_callbacks = hang  # type: ignore[method-assign]
    slow = world.connect(MINE, FIRST_DOOR)

    assert slow.payments_stopped == {PaymentsStop.COMPANY_CONNECTED_TWICE}
    others = [each for each in world.connections.list_of_partner(MINE) if each != slow]
    assert [each.may_write for each in others] == [True]


def test_a_set_up_that_broke_off_keeps_a_company_for_a_while_only(world: Companies) -> None:
    # Given a claim whose connection was never stored
    save = world.connections.save

    def killed(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    world.connections.save = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.connect(THEIRS, FIRST_DOOR)
    world.connections.save = save  # type: ignore[method-assign]
    assert refusal(world, MINE, SECOND_DOOR).reason == "company_connected"

    world.clock.advance(seconds=SET_UP_LEASE.total_seconds() + 2 * QUARANTINE_SECONDS)

    assert world.connect(MINE, SECOND_DOOR).may_write


def test_secrets_that_cannot_be_stored_leave_the_company_free(world: Companies) -> None:
    put = world.vault.put_credentials

    def fail(connection_id: str, credentials: Any) -> None:
        raise UnavailableError("no vault")

    world.vault.put_credentials = fail  # type: ignore[method-assign]
    with pytest.raises(BridgeError):
        world.connect(MINE, FIRST_DOOR)
    world.vault.put_credentials = put  # type: ignore[method-assign]

    assert world.connect(MINE, SECOND_DOOR).may_write


# --- the end of a claim --------------------------------------------------------------------------


def test_the_same_partner_may_connect_again_at_once_and_keeps_the_key(world: Companies) -> None:
    first = world.connect(MINE, FIRST_DOOR)
    world.disconnect(first)

    second = world.connect(MINE, SECOND_DOOR)

    assert second.company_key == first.company_key
    assert second.connection_id != first.connection_id


def test_another_partner_waits_for_twice_the_quarantine_and_gets_the_same_key(
    world: Companies,
) -> None:
    first = world.connect(THEIRS, FIRST_DOOR)
    world.disconnect(first)
    world.disconnect(first)

    world.clock.advance(seconds=2 * QUARANTINE_SECONDS - 1)
    world.disconnect(first)
    refused = refusal(world, MINE, SECOND_DOOR)
    assert (refused.reason, refused.subject_id) == ("company_connected", None)
    world.clock.advance(seconds=1)

    assert world.connect(MINE, SECOND_DOOR).company_key == first.company_key


def test_who_comes_back_finds_the_company_taken(world: Companies) -> None:
    first = world.connect(THEIRS, FIRST_DOOR)
    world.disconnect(first)
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)
    world.connect(MINE, SECOND_DOOR)

    assert refusal(world, THEIRS, FIRST_DOOR).subject_id is None


def test_a_claim_ends_with_its_connection_even_if_that_was_not_stored(world: Companies) -> None:
    # Given a disconnect that was killed right after the state was stored
    first = world.connect(THEIRS, FIRST_DOOR)
    world.clock.advance(hours=1)
    stored = world.connections.get(first.connection_id)
    world.connections.save(
        first.moved_to(ConnectionState.DISCONNECTED), expected_version=stored.version
    )

    # Then others wait from when it was noticed
    refusal(world, MINE, SECOND_DOOR)
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)
    assert world.connect(MINE, SECOND_DOOR).company_key == first.company_key


def test_disconnecting_one_of_the_release_before_ends_its_claim_too(world: Companies) -> None:
    before = world.connection_before(THEIRS, FIRST_DOOR)
    world.disconnect(before)
    world.psa.callback_urls.clear()

    assert refusal(world, MINE, SECOND_DOOR).reason == "company_connected"
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)
    assert world.connect(MINE, SECOND_DOOR).company_key == before.connection_id


def test_a_registration_that_was_left_there_leads_to_the_company(world: Companies) -> None:
    before = world.connection_before(MINE, FIRST_DOOR)
    world.psa.failures["remove_callbacks"] = UnavailableError("no")
    world.disconnect(before)
    world.psa.failures.clear()

    assert world.connect(MINE, SECOND_DOOR, keys=OTHER_KEYS).company_key == before.connection_id


# --- keys that change ----------------------------------------------------------------------------


def test_new_keys_keep_the_company_and_are_known_again(world: Companies) -> None:
    first = world.connect(MINE, FIRST_DOOR)
    world.verifier.change_keys(first, public_key="public-9", private_key="private-9")
    assert world.now_of(first).company_key == first.company_key
    world.psa.callback_urls.clear()

    refused = refusal(world, THEIRS, SECOND_DOOR, keys=("public-9", "private-9"))
    assert refused.reason == "company_connected"


def test_keys_of_a_company_that_another_connection_claims_are_refused(world: Companies) -> None:
    first = world.connect(MINE, FIRST_DOOR)
    second = world.connect(THEIRS, OTHER_SERVER, keys=OTHER_KEYS)

    with pytest.raises(NotPossibleError) as refused:
        world.verifier.change_keys(second, public_key=KEYS[0], private_key=KEYS[1])

    assert (refused.value.reason, refused.value.subject_id) == ("company_connected", None)
    assert world.vault.get_credentials(second.connection_id).public_key == OTHER_KEYS[0]
    assert world.now_of(first).may_write


def test_no_public_key_leaves_the_vault(world: Companies) -> None:
    connection = world.connect()

    assert KEYS[0] not in str(vars(world.companies))
    assert KEYS[0] not in str(world.now_of(connection))


# --- another installation ------------------------------------------------------------------------


def test_beside_another_installation_writing_waits_for_a_person(world: Companies) -> None:
    world.psa.callback_urls = [f"{FOREIGN}/{'d' * 32}/a-secret-that-nobody-here-knows?recordId="]

    connection = world.connect()

    assert connection.state is ConnectionState.IMPORTING
    assert connection.payments_stopped == {PaymentsStop.ANOTHER_BRIDGE}
    problem = world.problems_of(connection)[ProblemCode.ANOTHER_BRIDGE]
    assert problem.actions == (Action.APPROVE,)
    assert len(world.psa.callback_urls) == 2


def test_a_person_may_let_it_write_beside_another_installation(world: Companies) -> None:
    world.psa.callback_urls = [f"{FOREIGN}/{'d' * 32}/a-secret-that-nobody-here-knows?recordId="]
    connection = world.connect()
    problem = world.problems_of(connection)[ProblemCode.ANOTHER_BRIDGE]

    world.services.problem_actions.act(MINE, problem.problem_id, Action.APPROVE)

    assert world.now_of(connection).may_write
    assert ProblemCode.ANOTHER_BRIDGE not in world.problems_of(connection)
    world.an_hour_later()
    assert world.now_of(connection).may_write


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.zapier.example/webhooks/connectwise/abc/secret",
        "https://rmm.example/callback?recordId=",
        "",
        "not a url",
        f"{FOREIGN}/{'d' * 32}/{'s' * 5000}",
    ],
)
def test_registrations_of_others_are_no_bridge(world: Companies, url: str) -> None:
    world.psa.callback_urls = [url]

    assert world.connect().may_write


def test_a_list_without_end_is_looked_into_as_far_as_it_goes(world: Companies) -> None:
    first = world.connect(MINE, FIRST_DOOR)
    own_url = world.psa.callback_urls[0]
    noise = [f"{FOREIGN}/{number:032x}/secret-{number}?recordId=" for number in range(5_000)]
    world.psa.callback_urls = [*noise, own_url]

    refused = refusal(world, MINE, SECOND_DOOR, keys=OTHER_KEYS)

    assert refused.subject_id == first.connection_id


def test_companies_that_turn_out_to_be_one_are_reached_by_the_connections_of_both(
    world: Companies,
) -> None:
    """Given a company that was not known again, so that it has two keys, and keys that lead to
    both of them."""
    first = world.connect(MINE, FIRST_DOOR)
    world.disconnect(first)
    world.psa.callback_urls.clear()
    second = world.connect(THEIRS, SECOND_DOOR, keys=OTHER_KEYS)
    assert world.now_of(second).company_key != world.now_of(first).company_key
    world.disconnect(second)
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)

    third = world.connect(MINE, FIRST_DOOR, keys=OTHER_KEYS)

    assert third.company_connections == (second.connection_id,)
    assert third.books.keys == (third.company_key, first.connection_id)
