"""R3: a callback costs a tenant few of its calls, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property

import httpx
import pytest

from bridge.connectwise.access import basic_authorization
from bridge.domain.connection import Connection
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.mirror.hint_processor import HintProcessor
from bridge.wiring import use_cases
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.people import NewLine
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import CONNECTION_ID, PARTNER_ID, World, sandboxed_world

REPLAYS = 150
EVERY_SECONDS = 1 / 12
"""So fast come replays through the front door."""
CALLS_OF_LISTS = 4
"""Headers, and three kinds of lines."""
BATCH_SIZE = 10
UNKNOWN_ID = 2_000_000_001


class Mirror(InMemoryPorts):
    """Hints are worked off here before a sandboxed ConnectWise."""

    def __init__(self, world: World) -> None:
        clock = world.clock
        super().__init__(world.gateway(on_information_missed=self._remember), clock)
        self.world = world
        self.connections.save(world.connection, expected_version=0)
        world.engine.switches.requests_per_minute = 0

    def _remember(self, connection: Connection) -> None:
        use_cases.connection_health(self).remember_information_missed(connection)

    @cached_property
    def processor(self) -> HintProcessor:
        return use_cases.hint_processor(self)

    @property
    def calls(self) -> int:
        return self.world.engine.calls.total

    @property
    def connection(self) -> Connection:
        stored = self.connections.get(CONNECTION_ID).value
        assert stored is not None
        return stored

    def rows(self, *, has_payments: bool) -> Iterator[int]:
        rows = self.world.engine.tenant.store[Kind.INVOICE]
        return (
            row["id"] for row in rows if bool(row["payments"] or row["credits"]) is has_payments
        )

    def invoice(self, source_id: int) -> Invoice:
        stored = self.records.get_mirrored(INVOICES, PARTNER_ID, CONNECTION_ID, [source_id])
        invoice = stored[source_id].value
        assert invoice is not None
        return invoice

    def call_back(self, *source_ids: int) -> None:
        """Have callbacks come in one batch."""
        place = (CONNECTION_ID, RecordKind.INVOICE)
        hints = [Hint(*place, each, HintReason.CALLBACK) for each in source_ids]
        assert self.processor.process(hints) == ()

    def replay(self, source_ids: Sequence[int], *, together: int = 1) -> int:
        """Have callbacks come one batch after the other, and work on until no hint waits.

        Return how many calls they cost.
        """
        before = self.calls
        for start in range(0, len(source_ids), together):
            self.call_back(*source_ids[start : start + together])
            self._pass(EVERY_SECONDS)
        while self.hints.waiting:
            self._pass(1)
        return self.calls - before

    def rest(self) -> None:
        self._pass(60)

    def _pass(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.world.engine_clock.advance(seconds=seconds)
        while due := self.hints.take_due():
            assert self.processor.process(due) == ()


@pytest.fixture
def mirror() -> Mirror:
    return Mirror(sandboxed_world(customers=8, invoices=60))


def is_missing(mirror: Mirror) -> None:
    mirror.world.engine.switches.invoice_information = "missing"


# --- one callback ---------------------------------------------------------------------------------


def an_open_invoice(mirror: Mirror) -> int:
    """Return the id of an invoice that is mirrored, and was left alone since."""
    source_id = next(
        each
        for each in mirror.rows(has_payments=False)
        if mirror.world.engine.tenant.get(Kind.INVOICE, each)["total"] > 100
    )
    mirror.replay([source_id])
    mirror.rest()
    return source_id


def test_a_callback_about_a_payment_costs_two_calls(mirror: Mirror) -> None:
    source_id = an_open_invoice(mirror)
    mirror.world.engine.people.record_payment(source_id, Decimal(40))

    calls = mirror.replay([source_id])

    assert [payment.amount_minor for payment in mirror.invoice(source_id).payments] == [4_000]
    assert calls == 2


def test_without_the_call_for_a_whole_invoice_a_callback_costs_five(mirror: Mirror) -> None:
    is_missing(mirror)
    source_id = an_open_invoice(mirror)
    mirror.world.engine.people.record_payment(source_id, Decimal(40))

    calls = mirror.replay([source_id])

    assert [payment.amount_minor for payment in mirror.invoice(source_id).payments] == [4_000]
    assert calls == CALLS_OF_LISTS + 1


def test_the_missing_call_is_tried_once_a_day_and_noted_in_one_write(mirror: Mirror) -> None:
    is_missing(mirror)
    source_ids = list(mirror.rows(has_payments=False))[:5]
    path = "/finance/info/invoice/"

    for source_id in source_ids:
        mirror.replay([source_id])
        mirror.rest()
    asked_at_first = asked_for(mirror, path)
    version = mirror.connections.get(CONNECTION_ID).version
    mirror.clock.advance(hours=24)
    mirror.clock.set_remaining(600)
    mirror.replay(source_ids[:1])

    assert asked_at_first == 1
    assert version == 2
    assert asked_for(mirror, path) == 2


def asked_for(mirror: Mirror, path: str) -> int:
    return sum(path in call.target for call in mirror.world.engine.calls.recent(10_000))


def test_a_batch_of_callbacks_is_one_reading(mirror: Mirror) -> None:
    changed = list(mirror.rows(has_payments=False))[:BATCH_SIZE]
    mirror.replay(changed, together=BATCH_SIZE)
    mirror.rest()
    before = mirror.calls

    mirror.call_back(*changed)

    assert mirror.calls - before == CALLS_OF_LISTS


def test_a_batch_of_lists_that_lag_overwrites_nothing_newer(mirror: Mirror) -> None:
    # Given an invoice whose payment one call showed, while lists lag
    source_id = an_open_invoice(mirror)
    others = [each for each in mirror.rows(has_payments=False) if each != source_id][:4]
    mirror.replay(others)
    mirror.rest()
    mirror.world.engine.switches.invoice_list_delay_seconds = 30
    mirror.world.engine.people.record_payment(source_id, Decimal(40))
    mirror.call_back(source_id)
    newest = mirror.invoice(source_id)

    # When a batch with it is read from lists
    mirror._pass(10)
    mirror.call_back(source_id, *others)

    # Then the newer state stands, then and at the end
    assert newest.paid_minor == 4_000
    assert mirror.invoice(source_id) == newest
    mirror.rest()
    assert mirror.invoice(source_id) == newest


@pytest.mark.parametrize(
    ("rule", "amount_minor"), [("accepted", 5_500), ("refused", 4_000), ("ignored", 4_000)]
)
def test_a_changed_amount_of_a_payment_is_mirrored_as_connectwise_keeps_it(
    mirror: Mirror, rule: str, amount_minor: int
) -> None:
    # Given a mirrored payment, and a ConnectWise that may keep its amount as it is
    source_id = an_open_invoice(mirror)
    payment = mirror.world.engine.people.record_payment(source_id, Decimal(40))
    mirror.replay([source_id])
    mirror.rest()
    mirror.world.engine.switches.payment_amount_changes = rule  # type: ignore[assignment]

    # When another program changes the amount, and ConnectWise calls back
    change_amount(mirror.world, source_id, payment["id"], Decimal(55))
    mirror.replay([source_id])

    # Then the mirror shows what ConnectWise shows, to the unit
    invoice = mirror.invoice(source_id)
    assert [each.amount_minor for each in invoice.payments] == [amount_minor]
    assert invoice.balance_minor == invoice.total_minor - amount_minor


def change_amount(world: World, source_id: int, payment_id: int, amount: Decimal) -> None:
    """Change a payment's amount as a program with keys of its own does."""
    tenant = world.engine.tenant
    keys = world.credentials
    path = f"finance/invoices/{source_id}/payments/{payment_id}"
    with httpx.Client(transport=world.transport()) as client:
        client.patch(
            f"{world.connection.address.api_origin}/{tenant.codebase}apis/3.0/{path}",
            headers={
                "Authorization": basic_authorization(keys),
                "clientId": tenant.identity.client_id,
            },
            json=[{"op": "replace", "path": "amount", "value": float(amount)}],
        )


# --- replays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_payments", [False, True])
def test_replays_of_one_callback_cost_two_reads_of_its_record(
    mirror: Mirror, has_payments: bool
) -> None:
    source_id = next(mirror.rows(has_payments=has_payments))
    mirror.replay([source_id])
    mirror.rest()

    calls = mirror.replay([source_id] * REPLAYS)

    print(f"{REPLAYS} replays of one callback: {calls} calls")
    assert calls == 2 * (2 if has_payments else 1)
    assert mirror.invoice(source_id).source_id == source_id


@pytest.mark.parametrize("has_payments", [False, True])
def test_without_the_call_for_a_whole_invoice_replays_cost_two_reads_of_lists(
    mirror: Mirror, has_payments: bool
) -> None:
    is_missing(mirror)
    source_id = next(mirror.rows(has_payments=has_payments))
    mirror.replay([source_id])
    mirror.rest()

    calls = mirror.replay([source_id] * REPLAYS)

    assert calls == 2 * (CALLS_OF_LISTS + has_payments)


def test_replays_about_an_id_that_is_not_there_cost_a_handful_of_calls(mirror: Mirror) -> None:
    calls = mirror.replay([UNKNOWN_ID] * REPLAYS)

    print(f"{REPLAYS} replays about one unknown id: {calls} calls")
    # The call for it and a list, when the callback comes and when it is settled
    assert calls == 4


def test_ids_that_are_not_there_share_lists(mirror: Mirror) -> None:
    unknown = [UNKNOWN_ID + each for each in range(REPLAYS)]

    calls = mirror.replay(unknown, together=BATCH_SIZE)

    print(f"{REPLAYS} unknown ids in batches of {BATCH_SIZE}: {calls} calls")
    # A list for each batch, and again when they are settled
    assert calls <= 2 * REPLAYS / BATCH_SIZE
    assert mirror.connection.information_missed_at is None


def test_deleted_invoices_cost_a_proof_each_and_a_greeting_for_all(mirror: Mirror) -> None:
    people = mirror.world.engine.people
    company = next(iter(mirror.world.engine.tenant.store[Kind.COMPANY]))
    lines = [NewLine("Router", Decimal(100))]
    made = [people.create_invoice(company["id"], lines) for _ in range(BATCH_SIZE)]
    deleted = [row["id"] for row in made]
    mirror.replay(deleted, together=BATCH_SIZE)
    mirror.rest()
    for source_id in deleted:
        people.delete_invoice(source_id)
    before = mirror.calls

    mirror.call_back(*deleted)

    assert mirror.calls - before == 1 + len(deleted) + 1
    assert all(mirror.invoice(each).archive for each in deleted)
