"""What a person decides about a write-back that waits, and what that does to ConnectWise."""

from dataclasses import replace
from itertools import product

import pytest

from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.write_back_actions import offered_actions
from bridge.wiring import use_cases
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.clock import START, FakeClock
from tests.fakes.ports import InMemoryPorts
from tests.unit.mirror.psa import FakeGateway, FakePsa
from tests.unit.payments.bench import Bench


class Desk:
    """A person with a problem list in front of them."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.decisions = use_cases.write_back_actions(self.bench)

    def overpaid(self) -> WriteBack:
        """A payment larger than what is open: it waits for a person."""
        return self.bench.drive(self.bench.collect(20000))

    def place(self, write_back: WriteBack) -> tuple[str, str, str]:
        return write_back.partner_id, write_back.connection_id, write_back.write_back_id


def test_marking_as_done_ends_it_and_closes_the_problem() -> None:
    desk = Desk()
    waiting = desk.overpaid()
    assert waiting.reason is Reason.OVERPAYMENT
    assert desk.bench.open_problems()

    done = desk.decisions.mark_done(*desk.place(waiting))

    assert done.state is WriteBackState.DONE_BY_HAND
    assert not desk.bench.open_problems()
    desk.bench.drive(done)
    assert desk.bench.stored(done) == done
    assert desk.bench.rows() == []


def test_cancelling_keeps_the_payment_out_of_connectwise() -> None:
    desk = Desk()
    cancelled = desk.decisions.cancel(*desk.place(desk.overpaid()))
    desk.bench.drive(cancelled)
    assert desk.bench.stored(cancelled).state is WriteBackState.CANCELLED
    assert desk.bench.rows() == []
    assert not desk.bench.open_problems()


def test_a_retry_looks_again_and_may_wait_again() -> None:
    desk = Desk()
    again = desk.decisions.retry(*desk.place(desk.overpaid()))
    assert again.state is WriteBackState.PENDING
    assert not desk.bench.open_problems()
    desk.bench.drive(again)
    assert desk.bench.stored(again).reason is Reason.OVERPAYMENT
    assert desk.bench.open_problems()


def test_another_partners_write_back_looks_unknown() -> None:
    desk = Desk()
    _, connection_id, write_back_id = desk.place(desk.overpaid())
    with pytest.raises(NotFoundError):
        desk.decisions.cancel("partner-other", connection_id, write_back_id)


def test_a_payment_that_is_written_cannot_be_cancelled() -> None:
    desk = Desk()
    write_back = desk.bench.collect()
    desk.bench.drive(write_back)
    with pytest.raises(NotPossibleError):
        desk.decisions.cancel(*desk.place(write_back))
    assert len(desk.bench.rows()) == 1


def test_a_problem_that_outlived_its_reason_closes_when_it_is_acted_upon() -> None:
    """Given a worker that died between storing the write-back and closing its problem."""
    desk = Desk()
    waiting = desk.overpaid()
    use_cases.write_back_problems(desk.bench).show(waiting)
    confirmed = desk.bench.collect(payment_id="pay-2")
    desk.bench.drive(confirmed)
    stale = desk.bench.stored(confirmed)
    use_cases.write_back_problems(desk.bench).show(replace(stale, reason=Reason.REFUSED))
    before = len(desk.bench.open_problems())
    with pytest.raises(NotPossibleError):
        desk.decisions.retry(*desk.place(stale))
    assert len(desk.bench.open_problems()) == before - 1


def test_what_was_entered_by_hand_is_not_reversed_by_trying_again() -> None:
    desk = Desk()
    done = desk.decisions.mark_done(*desk.place(desk.overpaid()))
    desk.bench.undo()
    waiting = desk.bench.drive_when_due(done)
    assert waiting.reason is Reason.REVERSE_BY_HAND

    with pytest.raises(NotPossibleError):
        desk.decisions.retry(*desk.place(waiting))

    assert desk.bench.stored(waiting) == waiting
    assert desk.bench.open_problems()
    assert desk.decisions.mark_done(*desk.place(waiting)).state is WriteBackState.REVERSED
    assert not desk.bench.open_problems()


def decided(write_back: WriteBack) -> set[Action]:
    """What a person may really do about a write-back as it stands."""
    done = set()
    for action in (Action.RETRY, Action.MARK_DONE, Action.CANCEL):
        ports = InMemoryPorts(FakeGateway(FakePsa(FakeClock())))
        ledger = ports.ledger
        (fresh,) = write_backs_for(payment := a_platform_payment())
        ledger.record(payment, [fresh])
        ledger.save_write_back(
            write_back, expected_version=1, own_psa_payment_id=write_back.psa_payment_id
        )
        decisions = use_cases.write_back_actions(ports)
        try:
            getattr(decisions, action.value)(
                write_back.partner_id, write_back.connection_id, write_back.write_back_id
            )
        except NotPossibleError:
            continue
        done.add(action)
    return done


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
@pytest.mark.parametrize("state", WriteBackState)
def test_what_is_offered_is_exactly_what_is_possible(state: WriteBackState, reason: Reason) -> None:
    (fresh,) = write_backs_for(a_platform_payment())
    for target, psa_payment_id, follows in product(
        (Target.POSTED, Target.ABSENT), (None, 7001), (True, False)
    ):
        write_back = replace(
            fresh,
            state=state,
            reason=reason,
            target=target,
            psa_payment_id=psa_payment_id,
            wants_follow_up=follows,
            due_at=START,
        )
        assert set(offered_actions(write_back)) == decided(write_back), write_back
