"""What must add up, to the minor unit, when the bad days are over."""

from __future__ import annotations

from collections import Counter

from bridge.domain.platform_payment import PlatformPayment, Target
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.unapplied_sums import unapplied_sums
from bridge.payments.write_back_problems import write_back_subject
from connectwise_sandbox.kinds import Kind
from tests.simulation.payments.endings import PaymentEnding
from tests.simulation.payments.platform import PlatformServices
from tests.simulation.payments.standing import TOLD_STATES, payment_problems
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.world import CONNECTION_ID, PARTNER_ID

WRITTEN, SHOWN, ENDED, UNWANTED = "written", "shown", "ended by a person", "not wanted"


class SumsAgree(PaymentEnding):
    """What is written of a payment is what was allocated, and no fee.

    What was recorded is written, shown to a person, ended by one, not wanted in ConnectWise, or
    shown as unapplied: nothing is left over, and nothing counts twice.
    """

    name = "sums agree"

    def judge(self, world: PaymentWorld) -> None:
        services = next(each for each in world.actors if isinstance(each, PlatformServices))
        unapplied: Counter[str] = Counter()
        for payment_id in services.told:
            payment = world.ledger.get_payment(PARTNER_ID, payment_id).value
            if payment is not None:
                self._check_payment(world, payment)
                unapplied[payment.customer_id] += payment.unapplied_minor
                self._check_rest(world, payment)
        shown: Counter[str] = Counter()
        for each in unapplied_sums(world.ledger, PARTNER_ID, CONNECTION_ID).sums:
            shown[each.customer_id] += each.amount_minor
        if +shown != +unapplied:
            world.violate(self.name, f"{shown} are shown as unapplied, {unapplied} are")

    def _check_rest(self, world: PaymentWorld, payment: PlatformPayment) -> None:
        """Of a payment that is not allocated in full, somebody is told."""
        every = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
        told = {each.subject for each in every.values()}
        if payment.unapplied_minor and f"platform_payment/{payment.payment_id}" not in told:
            world.violate(self.name, f"nobody is told of the rest of {payment}")

    def _check_payment(self, world: PaymentWorld, payment: PlatformPayment) -> None:
        """The parts of a payment and its unapplied rest make its amount."""
        found: Counter[str] = Counter()
        parts = {part.invoice_id: part.amount_minor for part in payment.allocations}
        for stored in world.ledger.write_backs_of_payment(PARTNER_ID, payment.payment_id):
            write_back = stored.value
            assert write_back is not None
            found[self._class_of(world, write_back)] += parts.pop(write_back.invoice_id, 0)
        rest_minor = payment.amount_minor - found.total()
        if parts or rest_minor < 0 or rest_minor != payment.amount_minor - payment.allocated_minor:
            world.violate(self.name, f"{payment.payment_id}: {found} and {rest_minor} left")

    def _class_of(self, world: PaymentWorld, write_back: WriteBack) -> str:
        if write_back.reason is not Reason.NONE:
            is_shown = write_back_subject(write_back) in payment_problems(world)
            return SHOWN if is_shown else self._lost(world, write_back)
        if write_back.state is WriteBackState.CONFIRMED and write_back.target is Target.POSTED:
            self._check_row(world, write_back)
            return WRITTEN
        if write_back.state in TOLD_STATES and world.decided[write_back.write_back_id]:
            return ENDED
        if write_back.target is not Target.POSTED:
            return UNWANTED
        return self._lost(world, write_back)

    def _lost(self, world: PaymentWorld, write_back: WriteBack) -> str:
        world.violate(self.name, f"neither written nor shown: {write_back}")
        return SHOWN

    def _check_row(self, world: PaymentWorld, write_back: WriteBack) -> None:
        row = world.engine.tenant.store[Kind.PAYMENT].get(write_back.psa_payment_id or 0)
        written = row["amount"].scaleb(write_back.currency.decimals) if row else None
        if written != write_back.amount_minor:
            world.violate(self.name, f"{write_back.write_back_id}: {written} is written")
