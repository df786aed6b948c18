"""A person says whose a payment by our API member is; what may be ours is not given away."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def disclaim(bench: MirroredBench) -> None:
    connection = bench.connection
    decisions = use_cases.unowned_payments(bench)
    decisions.disclaim(connection.partner_id, connection.connection_id, bench.invoice_id)


def test_a_payment_whose_answer_was_lost_is_not_given_away(bench: MirroredBench) -> None:
    """Given a surplus of another system's, and a post of ours that the mirror shows by now."""
    bench.people.record_payment(
        bench.invoice_id, Decimal("7.00"), by=bench.connection.member_identifier
    )
    bench.fault(Effect.TIMEOUT_AFTER_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    bench.mirror()

    with pytest.raises(NotPossibleError):
        disclaim(bench)

    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("7.00"), Decimal("50.00")]
    disclaim(bench)
    assert bench.compare() == 0
