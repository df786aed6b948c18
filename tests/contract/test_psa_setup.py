"""Connecting: where a company answers, what its member may do, and how it calls back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest

from bridge.connectwise.callback_intake import Callback, Verdict
from bridge.connectwise.callbacks import (
    CallbackRejectedError,
    check_secret,
    check_signature,
    parse_callback,
)
from bridge.connectwise.psa import ConnectWisePsa
from bridge.connectwise.signing_keys import MemberSigningKeys, OpenSigningKeys
from bridge.domain.connection import CallbackSecret, Connection, ConnectionState
from bridge.domain.errors import (
    CredentialsRejectedError,
    PermissionMissingError,
    UnavailableError,
    UnsafeAddressError,
    WrongCompanyError,
)
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.identity import RecordKind
from bridge.domain.permissions import Finding, Right, missing
from bridge.ports import SigningKeySource
from bridge.wiring import use_cases
from connectwise_sandbox.deliveries import Delivery
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import API_MEMBER
from tests.builders.operations import endpoint_of
from tests.fakes.clock import START
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.ports import InMemoryCallbackPorts, InMemoryPorts
from tests.unit.connectwise.sandbox import World, sandboxed_world

PREFIX = "https://hooks.example/webhooks/connectwise/connection-1/"
URL = f"{PREFIX}secret-2"


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=4, invoices=12)


@pytest.fixture
def psa(world: World) -> ConnectWisePsa:
    return world.psa()


# --- discovery ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "site_url", [None, "na.myconnectwise.net", "https://NA.myconnectwise.net/"]
)
def test_a_cloud_company_is_found(world: World, site_url: str | None) -> None:
    company_id = world.engine.tenant.identity.company_id

    found = world.gateway().discover(company_id, site_url)

    assert found == world.connection.address


def test_a_company_on_premise_answers_on_its_own_host(world: World) -> None:
    world.engine.switches.hosting = "on_premise"
    company_id = world.engine.tenant.identity.company_id

    found = world.gateway().discover(company_id, "connect.partner.example")

    assert found.site_url == found.api_origin == "https://connect.partner.example"
    assert (found.codebase, found.is_cloud) == ("v4_6_release/", False)


@pytest.mark.parametrize("site_url", [None, "na.myconnectwise.net"])
def test_an_unknown_company_is_the_wrong_one(world: World, site_url: str | None) -> None:
    with pytest.raises(WrongCompanyError):
        world.gateway().discover("nobody", site_url)


def test_a_region_that_does_not_answer_leaves_the_question_open(world: World) -> None:
    world.engine.faults.add(Fault(path_regex="companyinfo", effect=Effect.STATUS_502_HTML))

    with pytest.raises(UnavailableError):
        world.gateway().discover("nobody", None)


@pytest.mark.parametrize("site_url", ["http://cw.partner.example", "10.0.0.1", "localhost:8080"])
def test_an_unsafe_site_is_not_called(world: World, site_url: str) -> None:
    with pytest.raises(UnsafeAddressError):
        world.gateway().discover("acme", site_url)
    assert world.engine.calls.total == 0


# --- rights ------------------------------------------------------------------------------------


def findings(psa: ConnectWisePsa) -> dict[str, Finding]:
    return {str(item.right): item.finding for item in psa.check_rights()}


def test_the_guides_role_lacks_nothing_and_costs_few_calls(psa: ConnectWisePsa) -> None:
    found = psa.check_rights()

    assert missing(found) == ()
    for item in found:
        is_read = item.right.column.value == "Inquire"
        assert item.finding is (Finding.GRANTED if is_read else Finding.UNPROVEN)
    assert sum(psa.calls.values()) <= 13


@pytest.mark.parametrize(
    ("module", "row"),
    [
        ("Companies", "Company Maintenance"),
        ("Finance", "Accounting Interface"),
        ("Finance", "Invoicing"),
        ("Procurement", "Product Catalog"),
        ("Procurement", "Products"),
        ("Service Desk", "Service Tickets"),
        ("System", "Member Maintenance"),
        ("System", "Report Writer"),
        ("Time & Expense", "Expense Report Entry"),
        ("Time & Expense", "Time Entry"),
    ],
)
def test_a_right_that_is_missing_is_named_in_the_guides_words(
    world: World, psa: ConnectWisePsa, module: str, row: str
) -> None:
    world.engine.tenant.role.set_cell(module, row, Action.INQUIRE, "None")

    assert findings(psa)[f"{module} > {row}: Inquire"] is Finding.MISSING


@pytest.mark.parametrize(
    ("sandbox_row", "right"),
    [
        ("Agreements", "Finance > Agreements (customize): Inquire"),
        ("Table Setup", "System > Table Setup (customize): Inquire"),
    ],
)
def test_a_customized_row_is_named_as_in_the_guide(
    world: World, psa: ConnectWisePsa, sandbox_row: str, right: str
) -> None:
    module = right.partition(" > ")[0]
    world.engine.tenant.role.set_cell(module, sandbox_row, Action.INQUIRE, "None")

    assert findings(psa)[right] is Finding.MISSING


@pytest.mark.parametrize(
    ("module", "row"),
    [("Finance", "Agreement Invoicing"), ("System", "Member Maintenance - Finance")],
)
def test_a_right_whose_lack_only_hides_things_stays_unproven(
    world: World, psa: ConnectWisePsa, module: str, row: str
) -> None:
    world.engine.tenant.role.set_cell(module, row, Action.INQUIRE, "None")

    assert findings(psa)[f"{module} > {row}: Inquire"] is Finding.UNPROVEN


def test_a_read_that_this_connectwise_does_not_know_proves_nothing(
    world: World, psa: ConnectWisePsa
) -> None:
    world.engine._router._root.literals["system"].literals.pop("reports")

    assert findings(psa)["System > Report Writer: Inquire"] is Finding.UNPROVEN


def test_rejected_keys_are_no_missing_right(world: World) -> None:
    psa = world.gateway().try_out(world.connection, replace(world.credentials, private_key="wrong"))

    with pytest.raises(CredentialsRejectedError):
        psa.check_rights()


def test_each_required_right_has_exactly_one_finding(psa: ConnectWisePsa) -> None:
    rights: list[Right] = [item.right for item in psa.check_rights()]

    assert len(rights) == len(set(rights)) == 21


# --- registrations -----------------------------------------------------------------------------


def registrations(world: World) -> list[tuple[str, str, bool]]:
    return sorted(
        (row["type"], row["url"], row["inactiveFlag"])
        for row in world.engine.tenant.store[Kind.CALLBACK]
    )


def registered(world: World, type_name: str, url: str, **properties: Any) -> Record:
    entry = {
        "type": type_name,
        "level": "owner",
        "objectId": 1,
        "url": url,
        "memberId": 1,
        "inactiveFlag": False,
        "isSelfSuppressedFlag": False,
    }
    return world.engine.tenant.add(Kind.CALLBACK, entry | properties, "jdoe", announce=False)


WANTED = [
    ("company", f"{URL}?recordId=", False),
    ("invoice", f"{URL}?recordId=", False),
]


def test_registrations_are_made_once_each(world: World, psa: ConnectWisePsa) -> None:
    assert psa.ensure_callbacks(URL) == API_MEMBER
    calls = dict(psa.calls)
    assert psa.ensure_callbacks(URL) == API_MEMBER

    assert registrations(world) == WANTED
    assert calls["POST /system/callbacks"] == psa.calls["POST /system/callbacks"] == 2


def test_a_registration_that_connectwise_switched_off_is_switched_on_again(
    world: World, psa: ConnectWisePsa
) -> None:
    psa.ensure_callbacks(URL)
    for row in list(world.engine.tenant.store[Kind.CALLBACK]):
        world.engine.tenant.change(Kind.CALLBACK, row | {"inactiveFlag": True}, "zAdmin")

    psa.ensure_callbacks(URL)

    assert registrations(world) == WANTED


def test_an_older_secret_is_replaced_and_doubles_are_removed(
    world: World, psa: ConnectWisePsa
) -> None:
    registered(world, "invoice", f"{PREFIX}secret-1?recordId=")
    registered(world, "invoice", f"{PREFIX}secret-0?recordId=", inactiveFlag=True)
    registered(world, "company", f"{URL}?recordId=")
    registered(world, "company", f"{URL}?recordId=")
    registered(world, "time", f"{URL}?recordId=")
    registered(world, "invoice", f"{URL}?recordId=", level="status", objectId=3)

    psa.ensure_callbacks(URL)

    assert registrations(world) == WANTED


def test_registrations_of_others_stay(world: World, psa: ConnectWisePsa) -> None:
    others = [
        ("company", "https://hooks.example/webhooks/connectwise/connection-2/x?recordId=", False),
        ("invoice", "https://other.example/?recordId=", True),
        ("invoice", f"{PREFIX.removesuffix('/')}0/secret?recordId=", False),
    ]
    for type_name, url, is_inactive in others:
        registered(world, type_name, url, inactiveFlag=is_inactive)

    psa.ensure_callbacks(URL)
    assert registrations(world) == sorted([*WANTED, *others])
    psa.remove_callbacks(PREFIX)
    assert registrations(world) == sorted(others)


def test_every_registration_is_listed_whoever_made_it(world: World, psa: ConnectWisePsa) -> None:
    theirs = "https://other.example/hook?recordId="
    registered(world, "ticket", theirs)

    psa.ensure_callbacks(URL)

    assert sorted(psa.list_callback_urls()) == sorted([theirs, *[f"{URL}?recordId="] * 2])


def test_a_registration_names_the_member_whose_keys_made_it(
    world: World, psa: ConnectWisePsa
) -> None:
    # Given keys that moved to another API member
    first = psa.ensure_callbacks(URL)
    members = world.engine.tenant.store[Kind.MEMBER]
    other = next(row for row in members if row["identifier"] != first)
    world.engine.tenant.identity = replace(
        world.engine.tenant.identity, member_identifier=other["identifier"]
    )

    # When they are registered with anew
    assert psa.ensure_callbacks(URL) == first
    psa.remove_callbacks(PREFIX)

    assert psa.ensure_callbacks(URL) == other["identifier"]


def test_an_empty_prefix_is_not_taken_to_mean_everybody(psa: ConnectWisePsa) -> None:
    with pytest.raises(ValueError, match="prefix"):
        psa.remove_callbacks("")


def test_a_patch_that_changes_nothing_is_made_good(world: World, psa: ConnectWisePsa) -> None:
    # Given a ConnectWise that answers a patch with success and keeps the record as it was
    row = registered(world, "invoice", f"{PREFIX}secret-1?recordId=")
    route = world.engine._router.find("PATCH", f"/system/callbacks/{row['id']}")[0]
    node = world.engine._router._root.literals["system"].literals["callbacks"].number
    assert node is not None
    node.routes["PATCH"] = replace(route, handler=node.routes["GET"].handler)

    psa.ensure_callbacks(URL)

    assert registrations(world) == WANTED


@pytest.mark.parametrize("effect", [Effect.CUT_AFTER_EFFECT, Effect.STATUS_500_AFTER_EFFECT])
def test_a_lost_answer_leaves_no_double_behind(
    world: World, psa: ConnectWisePsa, effect: Effect
) -> None:
    world.engine.faults.add(Fault(method="POST", path_regex="callbacks", effect=effect))

    with pytest.raises(UnavailableError):
        psa.ensure_callbacks(URL)
    psa.ensure_callbacks(URL)

    assert registrations(world) == WANTED


def test_the_member_is_unknown_where_members_may_not_be_read(
    world: World, psa: ConnectWisePsa
) -> None:
    world.engine._router._root.literals["system"].literals["info"].literals.pop("members")
    world.engine.tenant.role.set_cell("System", "Member Maintenance", Action.INQUIRE, "None")

    assert psa.ensure_callbacks(URL) == ""


# --- callbacks ---------------------------------------------------------------------------------


def delivery(world: World, psa: ConnectWisePsa) -> Delivery:
    """What the sandbox sends after an invoice changed."""
    psa.ensure_callbacks(URL)
    row = next(iter(world.engine.tenant.store[Kind.INVOICE]))
    world.engine.people.close_invoice(row["id"])
    (sent,) = world.engine.take_due_deliveries()
    return sent


def keys(world: World) -> OpenSigningKeys:
    return OpenSigningKeys(
        transport=EngineTransport(world.engine),
        client_id=world.vault.get_client_id,
        monotonic=lambda: 0.0,
    )


def members_keys(world: World) -> MemberSigningKeys:
    return MemberSigningKeys(transport=EngineTransport(world.engine), vault=world.vault)


@pytest.mark.parametrize(
    ("access", "source"),
    [
        ("open", keys),
        ("client_id", keys),
        ("open", members_keys),
        ("client_id", members_keys),
        ("authenticated", members_keys),
    ],
)
def test_a_delivery_passes_every_check(
    world: World, psa: ConnectWisePsa, access: str, source: Callable[[World], SigningKeySource]
) -> None:
    world.engine.switches.callback_key_access = access  # type: ignore[assignment]
    sent = delivery(world, psa)
    secret = sent.url.removeprefix(PREFIX).partition("?")[0]

    check_secret(secret, CallbackSecret(sha256(b"secret-2").hexdigest()), START)
    hint = parse_callback(sent.body, world.connection.company_id)
    key = source(world).fetch(endpoint_of(world.connection), hint.key_url)
    check_signature(sent.body, sent.headers["x-content-signature"], key)

    assert (hint.record_kind, hint.source_id) == (RecordKind.INVOICE, sent.record_id)
    assert hint.action == "updated"


def test_a_key_for_members_is_fetched_by_a_worker_while_connectwise_repeats(
    world: World, psa: ConnectWisePsa
) -> None:
    # Given a ConnectWise that serves keys to members only, and a receiver without a member's keys
    world.engine.switches.callback_key_access = "authenticated"
    sent = delivery(world, psa)
    ports = receiving(world)
    intake = use_cases.callback_intake(ports)
    signature = sent.headers["x-content-signature"]
    callback = Callback(world.connection.connection_id, "secret-2", sent.body, signature)

    # When it comes, and a worker does what it was asked for
    assert intake.take(callback) is Verdict.AGAIN
    (request,) = ports.key_requests.take_due()
    worker = InMemoryPorts(world.gateway(), world.clock)
    worker.connections.save(receiver_connection(world), expected_version=0)
    worker.signing_keys = ports.signing_keys
    worker.member_key_source = members_keys(world)
    use_cases.signing_key_fetch(worker).fetch(request)

    # Then its repetition is taken
    assert intake.take(callback) is Verdict.ACCEPTED
    assert len(ports.hints.take_due()) == 1


@pytest.mark.parametrize("key_ids", ["one", "per_delivery"])
def test_forty_genuine_callbacks_in_a_minute_are_taken(
    world: World, psa: ConnectWisePsa, key_ids: str
) -> None:
    world.engine.switches.callback_key_ids = key_ids  # type: ignore[assignment]
    psa.ensure_callbacks(URL)
    ports = receiving(world)
    intake = use_cases.callback_intake(ports)
    invoice_id = next(iter(world.engine.tenant.store[Kind.INVOICE]))["id"]
    for day in range(40):
        world.engine.people.change_due_date(invoice_id, date(2026, 4, 1) + timedelta(days=day))

    sent = world.engine.take_due_deliveries()
    verdicts = [
        intake.take(
            Callback(
                world.connection.connection_id,
                "secret-2",
                each.body,
                each.headers["x-content-signature"],
            )
        )
        for each in sent
    ]

    assert len(sent) == 40
    assert set(verdicts) == {Verdict.ACCEPTED}
    assert len(ports.hints.take_due(limit=100)) == 40


def receiving(world: World) -> InMemoryCallbackPorts:
    """The receiver's ports, with the connection that has the secret of ``URL``."""
    connections = InMemoryConnectionStore()
    connections.save(receiver_connection(world), expected_version=0)
    return InMemoryCallbackPorts(connections, lambda: keys(world))


def receiver_connection(world: World) -> Connection:
    secret = CallbackSecret(sha256(b"secret-2").hexdigest())
    return replace(world.connection, callback_secret=secret, state=ConnectionState.ACTIVE)


def test_a_delivery_that_was_touched_fails(world: World, psa: ConnectWisePsa) -> None:
    sent = delivery(world, psa)
    hint = parse_callback(sent.body, world.connection.company_id)
    key = keys(world).fetch(endpoint_of(world.connection), hint.key_url)

    with pytest.raises(CallbackRejectedError):
        check_signature(sent.body + b" ", sent.headers["x-content-signature"], key)


def test_a_key_of_another_company_or_host_is_not_fetched(world: World, psa: ConnectWisePsa) -> None:
    hint = parse_callback(delivery(world, psa).body, world.connection.company_id)
    before = world.engine.calls.total

    for url in (
        hint.key_url.replace(world.connection.company_id, "attacker"),
        hint.key_url.replace("na.my", "eu.my"),
    ):
        with pytest.raises(UnsafeAddressError):
            keys(world).fetch(endpoint_of(world.connection), url)

    assert world.engine.calls.total == before


def test_a_key_that_does_not_come_in_time_is_unavailable(world: World, psa: ConnectWisePsa) -> None:
    hint = parse_callback(delivery(world, psa).body, world.connection.company_id)
    world.engine.faults.add(Fault(path_regex="callbackkey", effect=Effect.SLOW, seconds=2.5))

    with pytest.raises(UnavailableError):
        keys(world).fetch(endpoint_of(world.connection), hint.key_url)


# --- choices, restrictions and the names of denied rights --------------------------------------


@pytest.mark.parametrize("kind", list(ChoiceKind))
def test_the_tenants_own_choices_are_listed_by_id_and_name(
    psa: ConnectWisePsa, kind: ChoiceKind
) -> None:
    choices = psa.list_choices(kind)

    assert choices
    assert [each.source_id for each in choices] == sorted({each.source_id for each in choices})
    assert all(each.name for each in choices)


def test_a_denied_list_names_module_row_and_column(world: World, psa: ConnectWisePsa) -> None:
    world.engine.tenant.role.set_cell("System", "Table Setup", Action.INQUIRE, "None")
    world.engine.tenant.role.set_cell("Finance", "Invoicing", Action.INQUIRE, "None")

    with pytest.raises(PermissionMissingError) as of_choices:
        psa.list_choices(ChoiceKind.DEPARTMENTS)
    with pytest.raises(PermissionMissingError) as of_invoices:
        psa.count(RecordKind.INVOICE)

    assert of_choices.value.rights == ("System > Table Setup (customize): Inquire",)
    assert of_invoices.value.rights == ("Finance > Invoicing: Inquire",)


def test_a_member_that_sees_everything_has_no_restriction(
    world: World, psa: ConnectWisePsa
) -> None:
    assert psa.read_restrictions(world.engine.tenant.identity.member_identifier) == ()


@pytest.mark.parametrize("switch", ["visible_location_ids", "visible_department_ids"])
def test_a_member_limited_to_a_place_is_told(
    world: World, psa: ConnectWisePsa, switch: str
) -> None:
    setattr(world.engine.switches, switch, [2])

    [found] = psa.read_restrictions(world.engine.tenant.identity.member_identifier)

    assert str(found.right) == "Finance > Invoicing: Inquire"
    assert found.bound.value in switch
    assert found.limit
