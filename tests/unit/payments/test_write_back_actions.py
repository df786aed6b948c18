"""What a person decides about a write-back that waits, and what that does to ConnectWise."""

from dataclasses import replace

import pytest

from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.wiring import use_cases
from tests.unit.payments.bench import Bench, decisions


class Desk:
    """A person with a problem list in front of them."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.decisions = decisions(self.bench)

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
