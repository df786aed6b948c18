"""The platform collects payments by every connection, and a clerk works through what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import BridgeError, PermanentError
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Allocation, PlatformPaymentState
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.decisions import adoptable, offered_actions
from bridge.payments.platform_payments import PaymentDetails
from connectwise_sandbox.kinds import Kind
from tests.simulation.companies.old_worker import OldWorker
from tests.simulation.companies.world import (
    OLD_WORKER,
    CompaniesWorld,
    companies_world,
)
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.parts import Actor
from tests.simulation.people import API_TIMEOUT_SECONDS
from tests.simulation.wiring import Wiring
from tests.simulation.world import World

LARGEST = 3_000
EQUAL_SHARE = 0.5
"""So many payments equal one of another connection, if there is one: only provenance knows."""
MAX_PAYMENTS = 20
_S = PlatformPaymentState
_MOVES = {_S.PENDING: (_S.SETTLED, _S.VOIDED), _S.SETTLED: (_S.RETURNED,)}


class Collectors(Actor):
    """Services that record payments, and move them on."""

    name = "platform"

    def __init__(self, minutes_between: float) -> None:
        self._minutes_between = minutes_between
        self._next_at: datetime | None = None
        self._told: dict[str, tuple[str, PlatformPaymentState]] = {}
        self._recordings: list[tuple[str, str, PaymentDetails]] = []
        """What was not answered well yet, and is told again."""

    def weight(self, world: World) -> float:
        if self._recordings:
            return 1.0
        if world.is_calm:
            return 0.0
        return 2.0 if self._next_at is None or self._next_at <= world.clock.now() else 0.05

    def act(self, world: World) -> str:
        world = companies_world(world)
        if self._recordings:
            return self._tell(world, self._recordings[0])
        minutes = world.random.expovariate(1 / self._minutes_between)
        self._next_at = world.clock.now() + timedelta(minutes=minutes)
        movable = [each for each, (_, state) in self._told.items() if state in _MOVES]
        if movable and world.random.random() < 0.15:
            return self._move(world, world.random.choice(movable))
        if len(self._told) >= MAX_PAYMENTS:
            return "enough"
        every = [
            each for each in world.every_connection() if each.state is not ConnectionState.VERIFYING
        ]
        syncing = [each for each in every if each.is_syncing]
        among = every if world.random.random() < 0.2 else syncing
        if not among:
            return "nobody"
        return self._record(world, world.random.choice(among))

    def _record(self, world: CompaniesWorld, connection: Connection) -> str:
        invoices = _open_invoices(world, connection)
        if not invoices:
            return "nothing is open"
        invoice = world.random.choice(invoices[:2])
        amount_minor = self._amount(world, connection, invoice)
        payment_id = f"pay-{len(self._told) + 1}"
        state = world.random.choice((_S.SETTLED, _S.SETTLED, _S.SETTLED, _S.PENDING))
        details = PaymentDetails(
            amount_minor=amount_minor,
            currency=invoice.currency,
            method="card",
            received_on=world.clock.now().date(),
            state=state,
            allocations=(Allocation(invoice.invoice_id, amount_minor),),
        )
        recording = (connection.connection_id, payment_id, details)
        self._told[payment_id] = (connection.connection_id, state)
        self._recordings.append(recording)
        return f"{self._tell(world, recording)} on {invoice.source_id}"

    def _tell(self, world: CompaniesWorld, recording: tuple[str, str, PaymentDetails]) -> str:
        invocation = world.invoke(
            "dashboard_api",
            API_TIMEOUT_SECONDS,
            lambda wiring: wiring.platform_payments.record(*recording),
        )
        is_over = invocation.has_succeeded or isinstance(invocation.error, PermanentError)
        if is_over and recording in self._recordings:
            self._recordings.remove(recording)
        return f"{recording[1]} by {recording[0][:6]}: {invocation.has_succeeded}"

    def _amount(self, world: CompaniesWorld, connection: Connection, invoice: Invoice) -> int:
        others = [
            each.amount_minor
            for each in world.ledger.every()
            if each.invoice_source_id == invoice.source_id
            if each.connection_id != connection.connection_id
        ]
        if others and world.random.random() < EQUAL_SHARE:
            return world.random.choice(others)
        return world.random.randint(1, LARGEST)

    def _move(self, world: CompaniesWorld, payment_id: str) -> str:
        connection_id, state = self._told[payment_id]
        wanted = world.random.choice(_MOVES[state])
        invocation = world.invoke(
            "dashboard_api",
            API_TIMEOUT_SECONDS,
            lambda wiring: wiring.platform_payments.move(
                connection_id, payment_id, wanted, reason="simulated"
            ),
        )
        if invocation.has_succeeded or isinstance(invocation.error, PermanentError):
            self._told[payment_id] = (connection_id, wanted)
        return f"{payment_id} to {wanted.value}: {invocation.has_succeeded}"


def _open_invoices(world: CompaniesWorld, connection: Connection) -> list[Invoice]:
    """Return what the mirror shows as open."""
    company = world.tale_of(connection.connection_id).company
    found = []
    for row in company.engine.tenant.store[Kind.INVOICE] if company else ():
        invoice_id = mirrored_id(connection.connection_id, row["id"])
        invoice = world.outside.records.get(INVOICES, connection.partner_id, invoice_id).value
        if invoice and invoice.archive is None and invoice.balance_minor > LARGEST:
            found.append(invoice)
    return found


class Clerk(Actor):
    """Works through write-backs that wait for a person.

    One who ``adopts_all`` takes any payment that is shown for the one that was looked for.
    """

    name = "clerk"

    def __init__(self, *, adopts_all: bool = False) -> None:
        self._adopts_all = adopts_all
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if self._next_at and self._next_at > world.clock.now():
            return 0.0
        return 0.5 if self._waiting(companies_world(world)) else 0.0

    def act(self, world: World) -> str:
        world = companies_world(world)
        self._next_at = world.clock.now() + timedelta(minutes=world.random.randint(3, 30))
        waiting = world.random.choice(self._waiting(world))
        action, row_id = self._choice(world, waiting)
        ids = (waiting.partner_id, waiting.connection_id, waiting.write_back_id)
        invocation = world.invoke(
            "dashboard_api",
            API_TIMEOUT_SECONDS,
            lambda wiring: wiring.write_back_actions.act(*ids, action, psa_payment_id=row_id),
        )
        what = f"{action.value} {waiting.write_back_id} {waiting.reason.value}"
        return f"{what}: {invocation.has_succeeded}"

    def _waiting(self, world: CompaniesWorld) -> list[WriteBack]:
        return _waiting(world, adopts_all=self._adopts_all)

    def _choice(self, world: CompaniesWorld, waiting: WriteBack) -> tuple[Action, int | None]:
        offered = offered_actions(waiting)
        rows = [each.psa_payment_id for each in adoptable(waiting)]
        own = rows if self._adopts_all else [e for e in rows if _is_own(world, waiting, e)]
        if Action.ADOPT in offered and own:
            return Action.ADOPT, own[0]
        for action in (Action.POST, Action.LOOK, Action.RETRY):
            if action in offered:
                return action, None
        return offered[0], None


def _shows_anothers(world: CompaniesWorld, waiting: WriteBack) -> bool:
    """Tell whether a payment that is shown was made for another write-back, which has yet to find
    it. Who says that it is nobody's takes it from that one: the bridge knows only of the
    write-backs of the same connection that they may have made it."""
    company = world.tale_of(waiting.connection_id).company
    rows = [
        world.provenance.rows.get((company, e.psa_payment_id)) for e in waiting.shown if company
    ]
    makers = [row.maker.write_back for row in rows if row and row.maker]
    return any(each.connection_id != waiting.connection_id for each in makers)


def _is_own(world: CompaniesWorld, waiting: WriteBack, row_id: int) -> bool:
    company = world.tale_of(waiting.connection_id).company
    row = world.provenance.rows.get((company, row_id)) if company else None
    maker = row.maker.write_back if row and row.maker else None
    ids = (waiting.connection_id, waiting.write_back_id)
    return maker is not None and (maker.connection_id, maker.write_back_id) == ids


def _waiting(world: CompaniesWorld, *, adopts_all: bool) -> list[WriteBack]:
    return [
        each
        for each in world.ledger.every()
        if each.needs_person and each.reason is not Reason.NONE and offered_actions(each)
        if adopts_all or not _shows_anothers(world, each)
        if (connection := world.connection_of(each.connection_id)) and connection.is_syncing
    ]


class Rivals(Actor):
    """A second worker on a write-back, of this release or the one before."""

    name = "rival"

    def weight(self, world: World) -> float:
        if world.is_calm or not world.depth:
            return 0.0
        return 1.0 if companies_world(world).ledger.every() else 0.0

    def act(self, world: World) -> str:
        world = companies_world(world)
        write_back = world.random.choice(world.ledger.every())
        ids = (write_back.connection_id, write_back.write_back_id)
        is_old = world.is_before_deploy or (world.has_old_workers and world.random.random() < 0.5)

        def drive(wiring: Wiring) -> None:
            worker = OldWorker(wiring) if is_old else wiring.write_back_worker
            try:
                worker.drive(*ids)
            except BridgeError as error:
                world.note_error(self.name, error)

        name = OLD_WORKER if is_old else "payment_writeback"
        world.invoke(name, WRITE_BACK_SECONDS, drive)
        return f"{'an old worker' if is_old else 'a worker'} on {write_back.write_back_id}"
