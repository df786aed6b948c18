"""What stands before ConnectWise answers a post with a 4xx: it proves nothing, doubles nothing."""

from __future__ import annotations

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import Reason, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect, GatewayBody
from tests.unit.payments.bench import QUARANTINE_SECONDS, edit_ours
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
STATUSES = [400, 401, 402, 403, 404, 405, 407, 409, 411, 413, 421, 425, 426, 429, 431, 451, 499]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("seconds", [0.5, 75, 590])
def test_a_post_that_lands_after_it_is_one_payment(
    bench: MirroredBench, status: int, seconds: float
) -> None:
    bench.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=status, seconds=seconds)
    write_back = bench.drive(bench.collect(5000))
    assert write_back.state is S.UNCLEAR

    done = bench.drive_when_due(write_back)

    assert (done.state, done.reason, len(bench.rows())) == (S.CONFIRMED, Reason.NONE, 1)
    assert bench.open_problems() == []


@pytest.mark.parametrize("body", GatewayBody)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_post_that_took_effect_before_it_is_found_in_the_same_visit(
    bench: MirroredBench, status: int, body: GatewayBody
) -> None:
    bench.fault(ChangeEffect.GATEWAY_AFTER_EFFECT, "POST", status=status, body=body)
    done = bench.drive(bench.collect(5000))
    assert (done.state, done.reason, len(bench.rows())) == (S.CONFIRMED, Reason.NONE, 1)


def test_what_was_edited_after_it_goes_to_a_person(bench: MirroredBench) -> None:
    bench.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=403, seconds=1)
    write_back = bench.drive(bench.collect(5000))
    bench.wait(1)
    edit_ours(bench, "49.99")
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason, len(bench.rows())) == (S.MANUAL, Reason.PAYMENT_CHANGED, 1)


def test_a_payment_behind_rejected_keys_is_not_given_away(bench: MirroredBench) -> None:
    """Given an answer 401 after the effect, and a comparison that sees the payment."""
    bench.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=401, seconds=1)
    write_back = bench.drive(bench.collect(5000))
    bench.wait(1)
    bench.compare()
    place = (write_back.partner_id, write_back.connection_id, bench.invoice_id)
    with pytest.raises(NotPossibleError):
        use_cases.unowned_payments(bench).disclaim(*place, bench.rows()[0]["id"])

    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    bench.compare()
    assert (len(bench.rows()), bench.open_problems()) == (1, [])


def test_a_refusal_of_connectwise_itself_is_still_one(bench: MirroredBench) -> None:
    bench.lock_invoice()
    refused = bench.drive(bench.collect(5000))
    assert (refused.state, refused.unproven_posts) == (S.REJECTED, ())
    assert refused.refusal
