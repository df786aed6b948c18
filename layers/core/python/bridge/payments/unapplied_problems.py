"""A problem shows the unapplied part of a payment, except where that part is meant."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import ProblemCode
from bridge.ports import Clock, ProblemStore

_DETAIL = (
    "A part of the payment is allocated to no invoice. Find out what it is for, account for it, "
    "and dismiss this."
)


class UnappliedProblems:
    """A payment has one such problem at most: it opens once, and is resolved when the money goes.

    It is opened here alone; a person may dismiss it.
    """

    def __init__(self, problems: ProblemStore, clock: Clock) -> None:
        self._problems = problems
        self._clock = clock

    def show(self, connection: Connection, payment: PlatformPayment) -> None:
        """Bring the problem list in step with the payment; a dismissed problem stays so."""
        if payment.is_unapplied_meant or payment.allocated_minor == payment.amount_minor:
            return
        report = connection.report(
            ProblemCode.PAYMENT_UNAPPLIED, f"platform_payment/{payment.payment_id}", _DETAIL
        )
        now = self._clock.now()
        if payment.is_over:
            self._problems.resolve(report.partner_id, report.problem_id, now)
        elif self._problems.get(report.partner_id, report.problem_id) is None:
            self._problems.report(report, now)
