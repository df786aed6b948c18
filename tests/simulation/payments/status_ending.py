"""What must hold of billing statuses when the bad days are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from connectwise_sandbox.finance.balances import true_balance
from connectwise_sandbox.kinds import Kind, Record
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.payments.endings import PaymentEnding
from tests.simulation.payments.provenance import Touch
from tests.simulation.payments.standing import history_of
from tests.simulation.payments.world import PaymentWorld


class StatusFollowsMoney(PaymentEnding):
    """What our payment paid shows the chosen status; what we took out again shows none of ours.

    Where somebody else touched the invoice since, the status is theirs. Where ConnectWise refused
    one, or a person said that it is done, nothing is promised.
    """

    name = "status follows money"

    def judge(self, world: PaymentWorld) -> None:
        for source_id, touch in world.provenance.last_touch.items():
            invoice = world.engine.tenant.store[Kind.INVOICE].get(source_id)
            if invoice is None or _was_touched_since(world, source_id, touch):
                continue
            every = [each for each in world.write_backs() if each.invoice_source_id == source_id]
            if any(_was_seen_to(world, each) for each in every):
                continue
            if touch.is_removal:
                self._check_taken_out(world, invoice, every)
            else:
                self._check_paid(world, invoice, every, touch)

    def _check_paid(
        self, world: PaymentWorld, invoice: Record, every: list[WriteBack], touch: Touch
    ) -> None:
        paying = [each for each in every if each.psa_payment_id == touch.psa_payment_id]
        if true_balance(world.engine.tenant, invoice) != 0 or not paying:
            return
        write_back = paying[0]
        is_written = write_back.state is WriteBackState.CONFIRMED and write_back.has_ended
        if not is_written or write_back.reason is not Reason.NONE:
            return
        if any(_is_taken_out_since(world, each, touch.at) for each in every):
            return
        policies = world.policies_between(touch.at, _followed_up_at(world, write_back))
        chosen = {policy.paid_status_id for policy in policies}
        if None not in chosen and invoice["status"]["id"] not in chosen:
            shown = invoice["status"]["name"]
            world.violate(self.name, f"{invoice['id']} is paid, and {shown}: {write_back}")

    def _check_taken_out(
        self, world: PaymentWorld, invoice: Record, every: list[WriteBack]
    ) -> None:
        if true_balance(world.engine.tenant, invoice) == 0:
            return
        if not all(each.has_ended and each.reason is Reason.NONE for each in every):
            return
        provenance, shown = world.provenance, invoice["status"]
        ours = provenance.set_by_us[invoice["id"]] - provenance.left_by_others[invoice["id"]]
        if shown["id"] in ours:
            world.violate(self.name, f"{invoice['id']} is not paid, and {shown['name']}: {every}")


def _was_touched_since(world: PaymentWorld, invoice_source_id: int, touch: Touch) -> bool:
    """Tell whether somebody else came so late that we may have looked before or after it."""
    margin = timedelta(seconds=WRITE_BACK_SECONDS + world.reads_lag_seconds)
    disturbed_at = world.provenance.disturbed_at.get(invoice_source_id)
    return disturbed_at is not None and disturbed_at >= touch.at - margin


def _was_seen_to(world: PaymentWorld, write_back: WriteBack) -> bool:
    """Tell whether a person ended it by hand, or was told that its status was refused."""
    is_refused = any(
        entry.value.reason is Reason.STATUS_REFUSED for entry in history_of(world, write_back)
    )
    return is_refused or bool(world.decided[write_back.write_back_id])


def _is_taken_out_since(world: PaymentWorld, write_back: WriteBack, at: datetime) -> bool:
    """Tell whether we tried to remove another payment of the invoice after that moment."""
    return any(
        entry.value.target is Target.ABSENT and entry.recorded_at > at
        for entry in history_of(world, write_back)
    )


def _followed_up_at(world: PaymentWorld, write_back: WriteBack) -> datetime:
    """Return when a write-back's status was seen to last."""
    history = history_of(world, write_back)
    ends = [
        after.recorded_at
        for before, after in pairwise(history)
        if before.value.wants_follow_up and not after.value.wants_follow_up
    ]
    return ends[-1] if ends else history[-1].recorded_at
