"""A driver of write-backs between a ledger in memory and a sandboxed ConnectWise, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.domain.connection import Connection, PaymentFacts
from bridge.domain.identity import mirrored_id
from bridge.domain.money import Currency
from bridge.domain.platform_payment import (
    Allocation,
    PlatformPayment,
    PlatformPaymentState,
    WriteBackPolicy,
)
from bridge.domain.problem import Action, Problem, ProblemState
from bridge.domain.write_back import Timings, WriteBack, WriteBackState
from bridge.domain.write_back.changes import retarget
from bridge.payments.write_back_actions import WriteBackActions
from bridge.payments.write_back_worker import WriteBackWorker
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.kinds import Kind, reference_to
from connectwise_sandbox.people import NewLine
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import sandboxed_world

USD = Currency("USD", 2)
PAID_ON = date(2026, 2, 20)
TIMINGS = Timings()
QUARANTINE_SECONDS = TIMINGS.quarantine.total_seconds()


class Bench(InMemoryPorts):
    """One open invoice of 110.00 and a tenant whose paid status is "Paid in Full"."""

    def __init__(self, **policy: Any) -> None:
        self.world = sandboxed_world(customers=3, invoices=2)
        self.engine = self.world.engine
        self.people = self.engine.people
        super().__init__(self.world.gateway(), self.world.clock)
        self.connection = replace(
            self.world.connection,
            member_identifier=self.engine.tenant.identity.member_identifier,
            write_back=WriteBackPolicy(
                **{"paid_status_id": self.status_id("Paid in Full"), **policy}
            ),
            payment_facts=PaymentFacts(shows_members=True, proven_at=self.clock.now()),
        )
        self.connections.save(self.connection, expected_version=0)
        self.invoice_id = self.bill("110.00")

    def worker(self, **changes: Any) -> WriteBackWorker:
        """Return a worker; ``changes`` are ports of its own."""
        ports = copy(self)
        vars(ports).update(changes)
        return use_cases.write_back_worker(ports)

    # --- what happens --------------------------------------------------------------------------

    def bill(self, amount: str) -> int:
        tenant = self.engine.tenant
        currency = next(
            row for row in tenant.store[Kind.CURRENCY] if row["currencyCode"]["name"] == "USD"
        )
        company = next(row for row in tenant.store[Kind.COMPANY] if row.get("accountNumber"))
        tenant.store[Kind.COMPANY].put(
            company | {"currency": reference_to(Kind.CURRENCY, currency)}
        )
        lines = [NewLine("Work", Decimal(amount))]
        invoice_id: int = self.people.create_invoice(company["id"], lines)["id"]
        return invoice_id

    def lock_invoice(self) -> None:
        """Close the invoice, in a ConnectWise that takes no payments on closed ones."""
        self.engine.switches.locked_invoice_payments = "refused"
        self.people.close_invoice(self.invoice_id)

    def collect(
        self, amount_minor: int = 11000, payment_id: str = "pay-1", invoice_id: int | None = None
    ) -> WriteBack:
        """Let the platform collect a payment for one invoice."""
        connection = self.connection
        payment = a_platform_payment(
            payment_id,
            partner_id=connection.partner_id,
            amount_minor=amount_minor,
            received_on=PAID_ON,
            allocations=(
                Allocation(
                    mirrored_id(connection.connection_id, invoice_id or self.invoice_id),
                    amount_minor,
                ),
            ),
            recorded_at=self.clock.now(),
        )
        (write_back,) = write_backs_for(payment)
        self.ledger.record(payment, [write_back])
        return write_back

    def undo(self, payment_id: str = "pay-1") -> None:
        """Let a payment be returned by the bank."""
        payment = self.ledger.get_payment(self.connection.partner_id, payment_id)
        assert payment.value is not None
        moved = payment.value.moved_to(
            PlatformPaymentState.RETURNED, reason="R01", now=self.clock.now()
        )
        self._retarget(moved, payment.version)

    def _retarget(self, moved: PlatformPayment, version: int) -> None:
        target = self.connection.write_back.target(moved.state)
        found = self.ledger.write_backs_of_payment(moved.partner_id, moved.payment_id)
        write_backs = [
            (retarget(each.value, target, self.clock.now()), each.version)
            for each in found
            if each.value
        ]
        self.ledger.move_payment(moved, expected_version=version, write_backs=write_backs)

    def drive(self, write_back: WriteBack, **changes: Any) -> WriteBack:
        """Let a worker drive it, with the time that a worker has; return what is stored then."""
        self.clock.set_remaining(TIMINGS.worker_seconds)
        self.worker(**changes).drive(write_back.connection_id, write_back.write_back_id)
        return self.stored(write_back)

    def lose_post(self, write_back: WriteBack, **changes: Any) -> WriteBack:
        """Let its post go unanswered and land after the look that follows at once; return what is
        stored then."""
        self.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=1)
        unclear = self.drive(write_back, **changes)
        assert unclear.state is WriteBackState.UNCLEAR
        self.wait(1)
        return unclear

    def wait(self, seconds: float) -> None:
        """Let time pass everywhere."""
        self.clock.advance(seconds=seconds)
        self._pass_on()

    def _pass_on(self) -> None:
        behind = (self.clock.now() - self.world.engine_clock()).total_seconds()
        self.world.engine_clock.advance(max(0.0, behind))
        self.engine.apply_due()

    def drive_when_due(self, write_back: WriteBack, rounds: int = 12) -> WriteBack:
        """Let the sweep drive it each time it is due, until nothing is due any more."""
        for _ in range(rounds):
            now = self.stored(write_back)
            if now.due_at is None or now.has_ended:
                return now
            look_at = now.next_look_at or now.due_at
            self.wait(max(0.0, (look_at - self.clock.now()).total_seconds()))
            self.drive(write_back)
        return self.stored(write_back)

    def fault(
        self, effect: Effect | ChangeEffect, method: str, path_regex: str = "finance", **more: Any
    ) -> None:
        self.engine.faults.add(Fault(method=method, path_regex=path_regex, effect=effect, **more))

    # --- what is -------------------------------------------------------------------------------

    def stored(self, write_back: WriteBack) -> WriteBack:
        found = self.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
        assert found.value is not None
        return found.value

    def rows(self, invoice_id: int | None = None) -> Sequence[Any]:
        """What really stands on the invoice."""
        return payments_of(self.engine.tenant, invoice_id or self.invoice_id)

    def amounts(self) -> list[Decimal]:
        return [row["amount"] for row in self.rows()]

    def status_id(self, name: str) -> int:
        statuses = self.engine.tenant.store[Kind.BILLING_STATUS]
        found: int = next(row["id"] for row in statuses if row["name"] == name)
        return found

    def status(self) -> str:
        invoice = self.engine.tenant.store[Kind.INVOICE].get(self.invoice_id)
        assert invoice is not None
        return str(invoice["status"]["name"])

    def open_problems(self) -> list[Problem]:
        page = self.problems.list(self.connection.partner_id, state=ProblemState.OPEN, limit=100)
        return list(page.items)

    def prefer_status(self, name: str | None) -> None:
        """Let the partner choose the billing status of what is paid, or none."""
        status_id = self.status_id(name) if name else None
        preference = replace(self.connection.write_back, paid_status_id=status_id)
        self.save_connection(write_back=preference)

    def save_connection(self, **changes: Any) -> Connection:
        stored = self.connections.get(self.connection.connection_id)
        self.connection = replace(self.connection, **changes)
        self.connections.save(self.connection, expected_version=stored.version)
        return self.connection


class Decisions:
    """A person's clicks, one method for each action."""

    def __init__(self, actions: WriteBackActions) -> None:
        self._actions = actions

    def retry(self, *place: str) -> WriteBack:
        return self._act(place, Action.RETRY)

    def look(self, *place: str) -> WriteBack:
        return self._act(place, Action.LOOK)

    def post(self, *place: str) -> WriteBack:
        return self._act(place, Action.POST)

    def adopt(self, *place: str, psa_payment_id: int) -> WriteBack:
        return self._act(place, Action.ADOPT, psa_payment_id=psa_payment_id)

    def mark_done(self, *place: str) -> WriteBack:
        return self._act(place, Action.MARK_DONE)

    def reverse_in_books(self, *place: str, reference: str) -> WriteBack:
        return self._act(place, Action.REVERSE_IN_BOOKS, reference=reference)

    def cancel(self, *place: str) -> WriteBack:
        return self._act(place, Action.CANCEL)

    def _act(self, place: Sequence[str], action: Action, **named: Any) -> WriteBack:
        partner_id, connection_id, write_back_id = place
        return self._actions.act(partner_id, connection_id, write_back_id, action, **named)


def decisions(bench: Bench) -> Decisions:
    return Decisions(use_cases.write_back_actions(bench))


def place(write_back: WriteBack) -> tuple[str, str, str]:
    """Return what a decision names a write-back by."""
    return write_back.partner_id, write_back.connection_id, write_back.write_back_id


def edit_ours(bench: Bench, amount: str) -> None:
    """A person changes the amount of the only payment in ConnectWise."""
    (row,) = bench.rows()
    change_payment(bench.engine.tenant, row, row | {"amount": Decimal(amount)}, "jdoe")
