"""What goes wrong in ConnectWise, and what the use cases get to see of it."""

from __future__ import annotations

import logging
from dataclasses import replace

import httpx
import pytest

from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.connection import Credentials
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TooHeavyError,
    UnavailableError,
    WrongCompanyError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import Corruption
from tests.unit.connectwise.sandbox import CONNECTION_ID, World, sandboxed_world

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=6, invoices=60)


@pytest.fixture
def psa(world: World) -> ConnectWisePsa:
    return world.psa()


def ids(world: World, kind: Kind = Kind.INVOICE) -> list[int]:
    return [row["id"] for row in world.engine.tenant.store[kind]]


def all_heads(psa: ConnectWisePsa, kind: RecordKind = INVOICE) -> tuple[list[int], list[int]]:
    listed: list[int] = []
    broken: list[int] = []
    after_id = 0
    for _ in range(100):
        page = psa.list_records(kind, after_id=after_id, limit=1_000)
        listed += [head.source_id for head in page.records]
        broken += page.broken_ids
        after_id = page.last_id
        if page.is_last:
            return listed, broken
    raise AssertionError("the list does not end")


# --- passing faults ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        Effect.STATUS_500,
        Effect.STATUS_502_HTML,
        Effect.STATUS_404_HTML,
        Effect.TEXT_400,
        Effect.TRUNCATED_JSON,
        Effect.TIMEOUT_BEFORE_EFFECT,
        Effect.CUT_BEFORE_EFFECT,
        Effect.CUT_AFTER_EFFECT,
        Effect.STATUS_429,
    ],
)
def test_a_fault_that_passes_is_not_noticed(
    world: World, psa: ConnectWisePsa, effect: Effect
) -> None:
    world.engine.faults.add(Fault(path_regex="apis/3.0", effect=effect, times=2))

    result = psa.fetch(INVOICES, ids(world))

    assert set(result.found) == set(ids(world))
    assert result.broken == {}
    assert world.clock.slept_seconds, "it waited before it asked again"


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Effect.STATUS_500, UnavailableError),
        (Effect.STATUS_502_HTML, UnavailableError),
        (Effect.TEXT_400, UnavailableError),
        (Effect.TRUNCATED_JSON, UnavailableError),
        (Effect.TIMEOUT_AFTER_EFFECT, UnavailableError),
        (Effect.CUT_BEFORE_EFFECT, UnavailableError),
        (Effect.STATUS_429, ThrottledError),
    ],
)
@pytest.mark.parametrize("read", ["list", "fetch", "count", "info"])
def test_a_fault_that_lasts_is_named_and_nothing_is_called_broken(
    world: World, psa: ConnectWisePsa, effect: Effect, error: type[BridgeError], read: str
) -> None:
    world.engine.faults.add(Fault(path_regex="apis/3.0", effect=effect, times=10_000))
    world.clock.set_remaining(10_000)
    calls = {
        "list": lambda: psa.list_records(INVOICE, after_id=0, limit=1_000),
        "fetch": lambda: psa.fetch(INVOICES, ids(world)),
        "count": lambda: psa.count(INVOICE),
        "info": psa.read_system_info,
    }

    with pytest.raises(error):
        calls[read]()

    assert sum(psa.calls.values()) < 30, "a server in trouble is not hammered"


def test_throttling_waits_as_told_and_tells_everybody(world: World, psa: ConnectWisePsa) -> None:
    world.engine.faults.add(Fault(path_regex="info", effect=Effect.STATUS_429, retry_after=17))

    psa.read_system_info()

    assert world.limiter.pauses == [17]
    assert world.clock.slept_seconds == [17]


def test_throttling_beyond_the_workers_time_says_how_long(
    world: World, psa: ConnectWisePsa
) -> None:
    world.clock.set_remaining(20)
    world.engine.faults.add(Fault(path_regex="info", effect=Effect.STATUS_429, retry_after=30))

    with pytest.raises(ThrottledError) as raised:
        psa.read_system_info()

    assert raised.value.retry_after_seconds == 30
    assert world.clock.slept_seconds == []


def test_the_tenants_share_is_asked_before_every_call(world: World, psa: ConnectWisePsa) -> None:
    psa.fetch(INVOICES, ids(world))

    assert world.limiter.acquired == sum(psa.calls.values())


def test_a_worker_without_time_does_not_begin(world: World, psa: ConnectWisePsa) -> None:
    world.clock.set_remaining(2.5)

    with pytest.raises(OutOfTimeError):
        psa.read_system_info()

    assert not psa.calls


# --- the installation moves --------------------------------------------------------------------


def test_an_upgrade_in_the_middle_of_a_run_is_followed(world: World, psa: ConnectWisePsa) -> None:
    psa.read_system_info()
    codebase = world.engine.people.roll_codebase_over()

    result = psa.fetch(INVOICES, ids(world))

    assert set(result.found) == set(ids(world))
    assert world.addresses_found == [replace(world.connection.address, codebase=codebase)]
    assert psa.calls["GET /login/companyinfo/{company}"] == 1


def test_a_company_that_is_gone_is_the_wrong_company(world: World, psa: ConnectWisePsa) -> None:
    world.engine.people.roll_codebase_over()
    identity = world.engine.tenant.identity
    world.engine.tenant.identity = replace(identity, company_id="somebodyelse")

    with pytest.raises(WrongCompanyError):
        psa.read_system_info()


def test_keys_replaced_in_the_vault_are_read_again_once(world: World, psa: ConnectWisePsa) -> None:
    psa.read_system_info()
    identity = world.engine.tenant.identity
    world.engine.tenant.identity = replace(identity, private_key="the-new-one")
    keys = Credentials(identity.company_id, identity.public_key, "the-new-one")
    world.vault.put_credentials(CONNECTION_ID, keys)

    psa.read_system_info()

    assert psa.calls["GET /system/info"] == 3


@pytest.mark.parametrize("status", [401, 404])
def test_rejected_keys_are_called_so(world: World, status: int) -> None:
    world.engine.switches.wrong_keys_status = status  # type: ignore[assignment]
    wrong = replace(world.credentials, private_key="wrong")
    psa = world.gateway().try_out(world.connection, wrong)

    for call in (
        psa.read_system_info,
        lambda: psa.list_records(INVOICE, after_id=0, limit=10),
        psa.check_rights,
    ):
        with pytest.raises(CredentialsRejectedError):
            call()


def test_connections_without_stored_keys_are_rejected(world: World, psa: ConnectWisePsa) -> None:
    world.vault.delete_credentials(CONNECTION_ID)

    with pytest.raises(CredentialsRejectedError):
        psa.exists(INVOICE, 1)


@pytest.mark.parametrize(
    ("status", "error"), [(400, RefusedError), (401, CredentialsRejectedError)]
)
def test_a_missing_client_id_is_refused(
    world: World, status: int, error: type[BridgeError]
) -> None:
    world.engine.switches.missing_client_id_status = status  # type: ignore[assignment]
    world.vault._client_id = ""

    with pytest.raises(error):
        world.psa().read_system_info()


def test_a_missing_right_is_named(world: World, psa: ConnectWisePsa) -> None:
    world.engine.tenant.role.set_cell("Finance", "Invoicing", Action.INQUIRE, "None")

    with pytest.raises(PermissionMissingError):
        psa.list_records(INVOICE, after_id=0, limit=10)


# --- broken rows -------------------------------------------------------------------------------


def corrupt(world: World, kind: Kind, source_id: int) -> None:
    """Let every page fail that this row is on."""
    world.engine.tenant.corruptions[kind, source_id] = Corruption(0, {})


@pytest.mark.parametrize("positions", [[0], [59], [17], [16, 17], [0, 30, 59]])
def test_a_row_that_breaks_its_page_is_found_and_the_rest_is_read(
    world: World, psa: ConnectWisePsa, positions: list[int]
) -> None:
    every = ids(world)
    broken = [every[position] for position in positions]
    for source_id in broken:
        corrupt(world, Kind.INVOICE, source_id)

    listed, skipped = all_heads(psa)
    result = psa.fetch(INVOICES, every)

    assert skipped == broken
    assert listed == [each for each in every if each not in broken]
    assert set(result.broken) == set(broken)
    assert set(result.found) == set(listed)


def test_the_last_id_of_a_page_may_be_a_broken_row(world: World, psa: ConnectWisePsa) -> None:
    every = ids(world)
    corrupt(world, Kind.INVOICE, every[4])

    page = psa.list_records(INVOICE, after_id=0, limit=5)

    assert [head.source_id for head in page.records] == every[:4]
    assert (page.broken_ids, page.last_id, page.is_last) == ((every[4],), every[4], False)


def test_the_search_for_a_broken_row_respects_filters(world: World, psa: ConnectWisePsa) -> None:
    companies = ids(world, Kind.COMPANY)
    world.engine.people.delete_company(companies[1])
    corrupt(world, Kind.COMPANY, companies[1])
    corrupt(world, Kind.COMPANY, companies[2])

    _, broken = all_heads(psa, CUSTOMER)

    assert broken == [companies[2]]


def test_a_single_broken_record_is_told_from_a_broken_server(
    world: World, psa: ConnectWisePsa
) -> None:
    source_id = ids(world)[3]
    corrupt(world, Kind.INVOICE, source_id)
    reason = psa.fetch(INVOICES, [source_id]).broken[source_id]
    world.engine.faults.add(Fault(path_regex="invoices", effect=Effect.STATUS_500, times=999))

    assert reason.startswith(f"ConnectWise fails to show the invoice with id {source_id} ")
    with pytest.raises(UnavailableError):
        psa.fetch(INVOICES, [source_id])


def test_a_broken_line_costs_its_invoice_the_line_until_a_sweep_looks_again(
    world: World, psa: ConnectWisePsa
) -> None:
    line = next(row for row in world.engine.tenant.store[Kind.PRODUCT] if "invoice" in row)
    corrupt(world, Kind.PRODUCT, line["id"])

    result = psa.fetch(INVOICES, ids(world))

    invoice = result.found[line["invoice"]["id"]]
    assert result.broken == {}
    assert sum(each.amount_minor for each in invoice.line_items) == invoice.total_minor
    assert result.change_fingerprints[line["invoice"]["id"]] == ""


def test_a_broken_payment_breaks_its_invoice_only(world: World, psa: ConnectWisePsa) -> None:
    payment = next(iter(world.engine.tenant.store[Kind.PAYMENT]))
    corrupt(world, Kind.PAYMENT, payment["id"])

    result = psa.fetch(INVOICES, ids(world))

    assert set(result.broken) == {payment["invoice"]["id"]}


def test_a_list_of_nothing_but_broken_rows_is_got_through() -> None:
    world = sandboxed_world(customers=5, invoices=20)
    psa = world.psa()
    for source_id in ids(world):
        corrupt(world, Kind.INVOICE, source_id)

    assert all_heads(psa) == ([], ids(world))
    assert set(psa.fetch(INVOICES, ids(world)).broken) == set(ids(world))


def test_a_list_of_which_no_row_comes_is_an_outage_and_its_rows_are_not_broken() -> None:
    many = sandboxed_world(customers=10, invoices=200)
    for source_id in ids(many):
        corrupt(many, Kind.INVOICE, source_id)
    lister, fetcher = many.psa(), many.psa()

    with pytest.raises(TooHeavyError):
        lister.list_records(INVOICE, after_id=0, limit=200)
    with pytest.raises(UnavailableError):
        fetcher.fetch(INVOICES, ids(many))

    assert sum(lister.calls.values()) < 1_000
    assert sum(fetcher.calls.values()) < 500


def test_a_search_for_many_broken_rows_ends_further_on() -> None:
    many = sandboxed_world(customers=10, invoices=200)
    for source_id in ids(many)[:-1]:
        corrupt(many, Kind.INVOICE, source_id)
    psa = many.psa()

    page = psa.list_records(INVOICE, after_id=0, limit=200)

    assert page.broken_ids
    assert not page.is_last
    assert page.last_id == page.broken_ids[-1]
    assert sum(psa.calls.values()) < 1_000


# --- secrets -----------------------------------------------------------------------------------


def test_no_secret_and_no_personal_data_reaches_logs_or_errors(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canaries = Credentials(world.connection.company_id, "canary-public", "canary-private")
    client_id = "canary-client-id"
    world.vault._client_id = client_id
    world.engine.tenant.identity = replace(
        world.engine.tenant.identity,
        public_key=canaries.public_key,
        private_key=canaries.private_key,
    )
    world.vault.put_credentials(CONNECTION_ID, canaries)
    company = world.engine.people.create_company(
        "canaryco", "Canary Customer", "canary@mail.example"
    )
    psa = world.psa()
    seen: list[str] = [repr(psa), repr(psa._client), repr(canaries), repr(world.gateway())]

    psa.fetch(CUSTOMERS, [company["id"]])
    psa.fetch(INVOICES, ids(world))
    psa.ensure_callbacks("https://hooks.example/webhooks/connectwise/abc/canary-callback-secret")
    for effect in (Effect.STATUS_500, Effect.CUT_BEFORE_EFFECT, Effect.TRUNCATED_JSON):
        world.engine.faults.add(Fault(path_regex="invoices", effect=effect, times=999))
        with pytest.raises(BridgeError) as raised:
            psa.fetch(INVOICES, ids(world))
        world.engine.faults.clear()
        seen += _texts(raised.value)
    wrong = world.gateway().try_out(world.connection, replace(canaries, private_key="canary-wrong"))
    with pytest.raises(CredentialsRejectedError) as rejected:
        wrong.read_system_info()
    seen += _texts(rejected.value)
    seen += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]

    assert caplog.records, "calls are logged"
    assert not [text for text in seen if "canary" in text.lower()]


def _texts(error: BaseException | None) -> list[str]:
    """Everything that a log of this error and its causes would show."""
    texts = []
    while error is not None:
        request = getattr(error, "_request", None)
        texts += [str(error), repr(error), repr(request)]
        error = error.__cause__ or error.__context__
    return texts


def test_a_call_is_logged_by_route_status_and_time_only(
    world: World, psa: ConnectWisePsa, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    psa.exists(INVOICE, ids(world)[0])

    (record,) = [r for r in caplog.records if r.name.startswith("bridge.")]
    logged = {key: record.__dict__[key] for key in ("method", "route", "status")}
    assert logged == {"method": "GET", "route": "/finance/invoices/{id}", "status": 200}
    assert record.__dict__["milliseconds"] >= 0
    assert record.__dict__["cw_request_id"]


def test_nothing_but_the_given_transport_is_used(world: World) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    psa = world.gateway(httpx.MockTransport(refuse)).open(world.connection)

    with pytest.raises(UnavailableError):
        psa.read_system_info()
