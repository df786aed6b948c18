"""What must hold of payments when the bad days are over and everything has come to rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from bridge.domain.platform_payment import UNDONE_STATES, PlatformPayment, Target
from bridge.domain.problem import Problem, ProblemCode, record_of_subject
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.change_table import faults_of
from bridge.domain.write_back.changes import LONGEST_WAIT
from bridge.payments.write_back_problems import write_back_subject
from connectwise_sandbox.finance.balances import true_balance
from connectwise_sandbox.finance.locks import is_closed
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.money import decimals_of
from tests.simulation.parts import Invariant
from tests.simulation.payments.platform import PlatformServices
from tests.simulation.payments.standing import history_of, payment_problems, surplus_subject
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

_S = WriteBackState
_DECIDED_STATES = (_S.CANCELLED, _S.DONE_BY_HAND, _S.REVERSED_BY_HAND)
LONGEST_CALL = timedelta(minutes=1)
"""After a payment moved, its write-backs have got their targets by then, or never."""
TRIED_AGAIN_WITHIN = LONGEST_WAIT + timedelta(minutes=20)
_OF_MONEY = (Reason.INVOICE_LOCKED, Reason.OVERPAYMENT, Reason.PAID_BY_HAND)


class PaymentEnding(Invariant):
    """Looks at a payment world at its end."""

    def at_end(self, world: World) -> None:
        assert isinstance(world, PaymentWorld)
        self.judge(world)

    def judge(self, world: PaymentWorld) -> None:
        raise NotImplementedError


class WhatWasToldHappens(PaymentEnding):
    """What the services told stands in the ledger, and aims at what it means for ConnectWise.

    Money that went back or never came aims at nothing; settled money at a payment.
    """

    name = "what was told happens"

    def judge(self, world: PaymentWorld) -> None:
        services = next(each for each in world.actors if isinstance(each, PlatformServices))
        for payment_id, told in services.told.items():
            stored = world.ledger.get_payment(PARTNER_ID, payment_id).value
            if stored is None or not stored.has_same_content(told):
                world.violate(self.name, f"{payment_id} is not what was told")
                continue
            found = world.ledger.write_backs_of_payment(PARTNER_ID, payment_id)
            if len(found) != len(stored.allocations):
                world.violate(self.name, f"{payment_id} has {len(found)} write-backs")
            for each in found:
                assert each.value is not None
                self._check_target(world, stored, each.value)

    def _check_target(
        self, world: PaymentWorld, payment: PlatformPayment, write_back: WriteBack
    ) -> None:
        since = payment.state_changed_at or payment.recorded_at
        margin = timedelta(seconds=2 * world.books.worker_skew_seconds)
        policies = world.policies_between(since - margin, since + LONGEST_CALL)
        right = {policy.target(payment.state) for policy in policies}
        if payment.state in UNDONE_STATES and right == {Target.POSTED}:
            # It stays where it was written, and is not written for the first time.
            if write_back.psa_payment_id is None or _was_called_off(world, write_back):
                right = set(Target)
            self._check_not_written_since(world, write_back, payment.state_changed_at)
        if payment.state in UNDONE_STATES:
            self._check_not_posted_since(world, write_back, since + LONGEST_CALL)
        if write_back.target not in right:
            world.violate(self.name, f"{payment.state.value}: {write_back}")

    def _check_not_written_since(
        self, world: PaymentWorld, write_back: WriteBack, undone_at: datetime | None
    ) -> None:
        """What was undone may stay as it was written, and is not written for the first time.

        Another write-back's post may have been taken for its own before it was ever stated.
        """
        written = (
            entry.recorded_at if entry.value.psa_payment_id else entry.value.intent_at
            for entry in history_of(world, write_back)
            if entry.value.psa_payment_id or entry.value.posts
        )
        first_at = next((at for at in written if at), None)
        margin = timedelta(seconds=2 * world.books.worker_skew_seconds)
        if first_at is not None and undone_at is not None and first_at > undone_at + margin:
            world.violate(self.name, f"{write_back.write_back_id} is written when undone")

    def _check_not_posted_since(
        self, world: PaymentWorld, write_back: WriteBack, since: datetime
    ) -> None:
        """Whatever may stand there of an earlier post, none is sent for money that went back."""
        for before, after in pairwise(history_of(world, write_back)):
            is_stated = after.value.state is _S.POSTING and before.value.state is not _S.POSTING
            if is_stated and after.recorded_at > since:
                world.violate(self.name, f"{write_back.write_back_id} is posted when undone")


class NothingWaitsUnseen(PaymentEnding):
    """R1, never silently not: what waits for a person is an open problem, and nothing else waits
    after all this time, be it shown or not."""

    name = "nothing waits unseen"

    def judge(self, world: PaymentWorld) -> None:
        subjects = payment_problems(world)
        for write_back in world.write_backs():
            is_open = write_back_subject(write_back) in subjects
            if write_back.reason is not Reason.NONE and not is_open:
                world.violate(self.name, f"{write_back.reason} is not shown: {write_back}")
            if write_back.has_ended or write_back.target is Target.NONE:
                continue
            if not write_back.needs_person:
                world.violate(self.name, f"not ended after all this time: {write_back}")
            elif not is_open:
                world.violate(self.name, f"nobody is told of {write_back}")


class EndsAreWanted(PaymentEnding):
    """R1, never silently not: what should be posted and is not, a person wanted so.

    Nobody but a person cancels a write-back, or says that it was done by hand.
    """

    name = "ends are wanted"

    def judge(self, world: PaymentWorld) -> None:
        for write_back in world.write_backs():
            if write_back.state is _S.REVERSED and write_back.target is Target.POSTED:
                world.violate(self.name, f"nobody wanted it out: {write_back}")
            decided = {each.state for each in world.decided[write_back.write_back_id]}
            if write_back.state in _DECIDED_STATES and write_back.state not in decided:
                world.violate(self.name, f"nobody decided so: {write_back}")


class PaymentProblemsHaveCauses(PaymentEnding):
    """Every open problem stands for something that is so; what the world healed is tried again."""

    name = "payment problems have causes"

    def judge(self, world: PaymentWorld) -> None:
        by_subject = {write_back_subject(each): each for each in world.write_backs()}
        for problem in payment_problems(world).values():
            if problem.code is ProblemCode.PAYMENT_SURPLUS:
                self._check_surplus(world, problem)
                continue
            write_back = by_subject.get(problem.subject)
            if write_back is None or write_back.reason is Reason.NONE:
                world.violate(self.name, f"{problem.detail}: {write_back}")
            elif not (has_cause(world, write_back) or has_just_changed(world, write_back)):
                world.violate(self.name, f"{write_back.reason} is over: {write_back}")

    def _check_surplus(self, world: PaymentWorld, problem: Problem) -> None:
        record = record_of_subject(problem.subject)
        if record is None or not world.surplus_of(record[1]):
            world.violate(self.name, f"no surplus on {problem.subject}")


class SurplusIsShown(PaymentEnding):
    """A payment by our API member that no write-back owns is shown, unless a person knows it."""

    name = "surplus is shown"

    def judge(self, world: PaymentWorld) -> None:
        subjects = payment_problems(world)
        for invoice_source_id in {each.invoice_source_id for each in world.write_backs()}:
            surplus = world.surplus_of(invoice_source_id)
            if surplus and surplus_subject(invoice_source_id) not in subjects:
                world.violate(self.name, f"{surplus} on {invoice_source_id}")


class OthersAreUntouched(PaymentEnding):
    """R2: every payment of somebody else is as its maker left it."""

    name = "others are untouched"

    def judge(self, world: PaymentWorld) -> None:
        store = world.engine.tenant.store[Kind.PAYMENT]
        if world.engine.switches.second_payment == "replaces":
            return
        for payment_id, row in world.provenance.others.items():
            if store.get(payment_id) != row:
                world.violate(self.name, f"{payment_id} is {store.get(payment_id)}, was {row}")


class HistoriesAreComplete(PaymentEnding):
    """Every version of every payment and write-back is in its history, and the last one is it.

    Each change between two of them is one of the table's.
    """

    name = "histories are complete"

    def judge(self, world: PaymentWorld) -> None:
        for write_back in world.write_backs():
            stored = world.ledger.get_write_back(CONNECTION_ID, write_back.write_back_id)
            history = history_of(world, write_back)
            if [entry.version for entry in history] != list(range(1, stored.version + 1)):
                world.violate(self.name, f"{write_back.write_back_id} has gaps")
            elif stored.value and history[-1].value != stored.value.audited:
                world.violate(self.name, f"{write_back.write_back_id} is not its last entry")
            for before, after in pairwise(history):
                for fault in faults_of(before.value, after.value):
                    world.violate("changes are allowed", f"{fault}: {after.value}")


def all_endings() -> list[Invariant]:
    return [
        WhatWasToldHappens(),
        NothingWaitsUnseen(),
        EndsAreWanted(),
        PaymentProblemsHaveCauses(),
        SurplusIsShown(),
        OthersAreUntouched(),
        HistoriesAreComplete(),
    ]


def has_cause(world: PaymentWorld, write_back: WriteBack) -> bool:
    """Tell whether what keeps a payment out still does. Other reasons wait for a person."""
    tenant = world.engine.tenant
    invoice = tenant.store[Kind.INVOICE].get(write_back.invoice_source_id)
    match write_back.reason:
        case Reason.INVOICE_GONE:
            return invoice is None
        case Reason.INVOICE_LOCKED:
            return invoice is None or is_closed(invoice) or "glBatch" in invoice
        case Reason.OVERPAYMENT | Reason.PAID_BY_HAND:
            if invoice is None:
                return True
            owed = true_balance(tenant, invoice).scaleb(decimals_of(invoice.get("currency")))
            return owed < (0 if write_back.is_written else write_back.amount_minor)
        case (
            Reason.RIGHT_MISSING
            | Reason.CREDENTIALS_REJECTED
            | Reason.DISCONNECTED
            | Reason.MEMBER_UNKNOWN
            | Reason.CURRENCY_DIFFERS
            | Reason.NO_ANSWER
            | Reason.OUR_FAULT
        ):
            return False
        case _:
            return True


def has_just_changed(world: PaymentWorld, write_back: WriteBack) -> bool:
    """Tell whether what keeps a payment out of its invoice may be over only since a moment ago,
    by what we did there: what waits is tried again within the hour."""
    touch = world.provenance.last_touch.get(write_back.invoice_source_id)
    if touch is None or write_back.reason not in _OF_MONEY:
        return False
    return world.clock.now() - touch.at < TRIED_AGAIN_WITHIN


def _was_called_off(world: PaymentWorld, write_back: WriteBack) -> bool:
    """Tell whether it was out once, with no payment of its own: what comes late is taken out."""
    return any(
        entry.value.state is _S.REVERSED and entry.value.psa_payment_id is None
        for entry in history_of(world, write_back)
    )
