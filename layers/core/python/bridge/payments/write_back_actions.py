"""A person's decision about a write-back that waits for one is carried out here."""

from __future__ import annotations

from bridge.domain.errors import ConflictError, NotFoundError, NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.decisions import decided
from bridge.payments.unowned_payments import UnownedPayments
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import Clock, LedgerStore, WriteBackQueue


class WriteBackActions:
    """The actions store a person's decisions and leave ConnectWise alone: before a post or an
    adoption, a worker looks there afresh under the lease."""

    def __init__(
        self,
        ledger: LedgerStore,
        queue: WriteBackQueue,
        write_back_problems: WriteBackProblems,
        unowned_payments: UnownedPayments,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._write_back_problems = write_back_problems
        self._unowned_payments = unowned_payments
        self._clock = clock

    def act(
        self,
        partner_id: str,
        connection_id: str,
        write_back_id: str,
        action: Action,
        *,
        psa_payment_id: int | None = None,
        reference: str = "",
    ) -> WriteBack:
        """Carry out one of the offered actions, and return the write-back as it is afterwards.

        Raises NotFoundError, NotPossibleError unless the action is offered and the write-back
        stood still, and InvalidInputError unless the problem shows the payment to adopt.
        """
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        write_back = stored.value
        if write_back is None or write_back.partner_id != partner_id:
            raise NotFoundError("no such write-back")
        if not write_back.needs_person and write_back.reason is Reason.NONE:
            # A worker may have died before it closed the problem that led here.
            self._write_back_problems.show(write_back)
            raise NotPossibleError("no_decision_needed", "The write-back waits for nobody.")
        changed = decided(
            write_back,
            action,
            self._clock.now(),
            psa_payment_id=psa_payment_id,
            reference=reference,
        )
        if action is Action.POST and write_back.reason is Reason.LOOKS_WRITTEN:
            # The person saw these payments, and says that they are others'. Should the decision
            # fail to be stored, they stay others', and the next look leaves them out.
            self._unowned_payments.disclaim_shown(write_back)
        if write_back.reason is Reason.PAYMENT_DISPUTED and changed.has_ended:
            # The person has seen to ours by hand; the payment stays with the other one.
            self._unowned_payments.give_up(write_back)
        try:
            self._ledger.save_write_back(changed, expected_version=stored.version)
        except ConflictError as error:
            raise NotPossibleError("moved_on", "The write-back moved on; look again.") from error
        self._write_back_problems.show(changed)
        if not changed.has_ended:
            self._queue.send(changed)
        return changed
