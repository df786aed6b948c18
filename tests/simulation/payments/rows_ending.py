"""What must hold of each payment that stands in ConnectWise when the bad days are over."""

from __future__ import annotations

from itertools import pairwise

from bridge.domain.write_back import AttemptKind, Outcome, Reason, WriteBack, WriteBackState
from bridge.ports import NO_OWNER
from connectwise_sandbox.kinds import Kind, Record
from tests.simulation.payments.endings import PaymentEnding
from tests.simulation.payments.standing import history_of, unaccounted, was_adopted
from tests.simulation.payments.world import PaymentWorld, place_of

_S = WriteBackState


class EachAllocationOnce(PaymentEnding):
    """R1: each payment of ours that stands there is one write-back's, or people were told of it.

    What is confirmed stands there exactly so, once; what was undone does not. A confirmed payment
    that waits for a person still stands there, perhaps as they left it.
    """

    name = "each allocation once"

    def judge(self, world: PaymentWorld) -> None:
        store = world.engine.tenant.store[Kind.PAYMENT]
        for write_back in world.write_backs():
            row = store.get(write_back.psa_payment_id or 0)
            if write_back.state is _S.CONFIRMED:
                self._check_row(world, write_back, row)
            if write_back.state is _S.REVERSED and row is not None:
                self._check_reversed(world, write_back, row)
        places = world.provenance.ours.values()
        for invoice_source_id in sorted({place.invoice_source_id for place in places}):
            found = unaccounted(world, invoice_source_id)
            if found:
                text = f"{found} stand on {invoice_source_id}, and nobody was told"
                world.violate(self.name, text)

    def _check_row(self, world: PaymentWorld, write_back: WriteBack, row: Record | None) -> None:
        what = f"{write_back.write_back_id} owns {write_back.psa_payment_id}"
        if row is None:
            world.violate(self.name, f"{what}, which is gone")
            return
        if write_back.reason is not Reason.NONE:
            return
        stands, meant = world.provenance.place_of(row), place_of(write_back)
        is_adopted = was_adopted(world, write_back, row["id"])
        is_equal = stands.amount_minor == meant.amount_minor
        is_alike = is_equal if is_adopted else world.are_alike(stands, meant)
        if not is_alike and not world.is_taken_for_ours(row["id"]):
            world.violate(self.name, f"{what}, which is another: {row}")
        if row["appliedBy"] != world.provenance.member and not is_adopted:
            world.violate(self.name, f"{what}, made by {row['appliedBy']}")

    def _check_reversed(self, world: PaymentWorld, write_back: WriteBack, row: Record) -> None:
        """What a person wrongly said to be out is compared again, and taken out once more."""
        is_owned = world.owners().get(row["id"]) == write_back.write_back_id
        if is_owned and row["invoice"]["id"] == write_back.invoice_source_id:
            world.violate(self.name, f"{write_back.write_back_id} is out, and {row['id']} stands")


class OwnersAreRight(PaymentEnding):
    """A ConnectWise payment is owned by one write-back, and that one knows it; a person disclaims
    only what another program made, or what somebody edited."""

    name = "owners are right"

    def judge(self, world: PaymentWorld) -> None:
        owning = {
            each.psa_payment_id: each.write_back_id
            for each in world.write_backs()
            if each.psa_payment_id is not None
        }
        count = sum(each.psa_payment_id is not None for each in world.write_backs())
        if len(owning) < count:
            world.violate(self.name, "a payment has two owners")
        provenance = world.provenance
        every = {*owning, *provenance.ours, *provenance.others} - {None}
        owners = world.ledger.owners(world.connection.books, [each for each in every if each])
        for payment_id in owners.keys() | owning.keys():
            owner = owners.get(payment_id or 0)
            if owner == NO_OWNER:
                is_ours = payment_id in provenance.ours and payment_id not in provenance.edited
                if is_ours and not _was_refused_when_doubled(world, payment_id or 0):
                    world.violate(self.name, f"{payment_id} is ours, and disclaimed")
            elif owner != owning.get(payment_id):
                world.violate(self.name, f"{payment_id}: {owner} in the ledger")


def _was_refused_when_doubled(world: PaymentWorld, payment_id: int) -> bool:
    """Tell whether ConnectWise itself refused the second of two requests, of which nobody but a
    proxy knows, so that the first one's payment looks like another program's."""
    place = world.provenance.ours[payment_id]
    if not world.doubles.allowed_on(place.invoice_source_id):
        return False
    tallies = (t for each in world.write_backs_at(place) for t in each.known_history.tallies)
    return any(tally.is_of(AttemptKind.POST, Outcome.REFUSED) for tally in tallies)


class OthersAreNotAdopted(PaymentEnding):
    """R2: a payment of somebody else is a write-back's only where a person said so, or where
    nothing tells it from the one that an unproven post may have made."""

    name = "others are not adopted"

    def judge(self, world: PaymentWorld) -> None:
        owners = world.owners()
        others = world.provenance.others
        for write_back in world.write_backs():
            owned = write_back.psa_payment_id
            if owned not in others or owners.get(owned or 0) != write_back.write_back_id:
                continue
            if was_named_by_answer(world, write_back, owned):
                continue
            if not was_adopted(world, write_back, owned) and not world.is_taken_for_ours(owned):
                world.violate(self.name, f"{owned} is owned by {write_back}")


def was_named_by_answer(world: PaymentWorld, write_back: WriteBack, payment_id: int) -> bool:
    """Tell whether ConnectWise itself named this payment in a lie, on another invoice."""
    row = world.engine.tenant.store[Kind.PAYMENT].get(payment_id)
    is_elsewhere = row is None or row["invoice"]["id"] != write_back.invoice_source_id
    return is_elsewhere and any(name.startswith("lie") for name in world.injected)


class ForeignPaymentsStay(PaymentEnding):
    """A payment that another hand made is never deleted by the bridge, whoever adopted it."""

    name = "foreign payments stay"

    def judge(self, world: PaymentWorld) -> None:
        for write_back in world.write_backs():
            history = history_of(world, write_back)
            for before, after in pairwise(history):
                is_stated = after.value.state is _S.REVERSING is not before.value.state
                if is_stated and after.value.is_foreign:
                    world.violate(self.name, f"{after.value}")
