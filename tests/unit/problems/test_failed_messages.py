"""Poison messages become problems that a person sees."""

from __future__ import annotations

import pytest

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id, new_id
from bridge.domain.problem import Action, ProblemCode
from bridge.domain.run import RunKind, RunState
from bridge.domain.work_messages import PdfRequest, RunMessage
from bridge.problems.failed_messages import MAX_PDF_PROBLEMS
from tests.builders.records import CONNECTION, OTHER_CONNECTION, a_customer, an_invoice
from tests.unit.mirror.bench import Bench

HINT = Hint(CONNECTION, RecordKind.INVOICE, 1001, HintReason.RETRY, 13)


def test_a_parked_hint_is_a_problem_of_its_record(bench: Bench) -> None:
    bench.failed_messages.park_hint(HINT)

    problem = bench.open_problems()[ProblemCode.RECORD_PARKED, "invoice/1001"]
    assert problem.actions == (Action.RETRY, Action.DISMISS)


def test_the_problem_closes_when_the_record_is_read_well(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice())
    bench.failed_messages.park_hint(HINT)

    bench.hint(RecordKind.INVOICE, 1001)

    assert bench.open_problems() == {}


def test_a_parked_pdf_is_a_problem_of_its_invoice(bench: Bench) -> None:
    bench.failed_messages.park_pdf(PdfRequest(CONNECTION, mirrored_id(CONNECTION, 1001)))

    assert (ProblemCode.PDF_UNAVAILABLE, "invoice/1001") in bench.open_problems()


def test_parked_pdfs_of_many_invoices_are_one_problem(bench: Bench) -> None:
    for number in range(1001, 1101):
        bench.failed_messages.park_pdf(PdfRequest(CONNECTION, mirrored_id(CONNECTION, number)))

    problems = bench.open_problems()
    outage = problems[ProblemCode.CONNECTWISE_UNREACHABLE, "pdfs"]
    assert len(problems) == MAX_PDF_PROBLEMS + 1
    assert outage.times_seen == 100 - MAX_PDF_PROBLEMS


def test_the_one_problem_of_pdfs_ends_when_one_is_kept(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice())
    bench.hint(RecordKind.INVOICE, 1001)
    for number in range(2001, 2001 + MAX_PDF_PROBLEMS + 1):
        bench.failed_messages.park_pdf(PdfRequest(CONNECTION, mirrored_id(CONNECTION, number)))

    bench.pdf_keeper.keep(PdfRequest(CONNECTION, mirrored_id(CONNECTION, 1001)))

    codes = {code for code, _ in bench.open_problems()}
    assert codes == {ProblemCode.PDF_UNAVAILABLE}


def test_a_parked_pdf_of_no_mirrored_invoice_is_nothing(bench: Bench) -> None:
    bench.failed_messages.park_pdf(PdfRequest(CONNECTION, new_id()))

    assert bench.open_problems() == {}


def test_a_parked_run_fails_and_frees_its_place(bench: Bench) -> None:
    run = bench.starter.start(bench.connection, RunKind.INVOICES)

    bench.failed_messages.park_run(RunMessage(CONNECTION, run.run_id, 0))

    parked = bench.stored_run(run)
    assert (parked.state, parked.failure) == (RunState.FAILED, "message_parked")
    assert (ProblemCode.RUN_FAILED, "run/invoices") in bench.open_problems()
    bench.starter.start(bench.connection, RunKind.INVOICES)


def test_a_message_of_a_page_that_was_done_does_not_fail_the_run(bench: Bench) -> None:
    """A repeated message may die while the run goes on by another one."""
    bench.psa.put(a_customer(), an_invoice())
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    bench.work_once(run)

    bench.failed_messages.park_run(RunMessage(CONNECTION, run.run_id, 0))

    assert bench.stored_run(run).state is RunState.RUNNING
    assert bench.open_problems() == {}
    assert bench.finish(run).state is RunState.SUCCEEDED


@pytest.mark.parametrize("ends", [True, False])
def test_a_parked_message_of_an_ended_or_unknown_run_is_nothing(bench: Bench, ends: bool) -> None:
    run_id = bench.run(RunKind.INVOICES).run_id if ends else new_id()

    bench.failed_messages.park_run(RunMessage(CONNECTION, run_id, 0))

    assert bench.open_problems() == {}


def test_messages_of_a_connection_that_is_not_known_are_nothing(bench: Bench) -> None:
    bench.failed_messages.park_hint(Hint(OTHER_CONNECTION, RecordKind.INVOICE, 1, HintReason.RETRY))

    assert bench.open_problems() == {}
