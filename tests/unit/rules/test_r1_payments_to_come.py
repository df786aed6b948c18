"""R1: an invoice whose payments are still to be read proves nothing about a payment of ours."""

from __future__ import annotations

from decimal import Decimal

from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.write_back import WriteBackState
from bridge.ports import ReadingPlan
from tests.unit.payments.bench import QUARANTINE_SECONDS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
TOTAL = Decimal("110.00")
TOTAL_MINOR = 110_00


def imported_anew(bench: MirroredBench) -> None:
    """Store the invoice as the first phase of an import does, in place of what was known."""
    bench.clock.set_remaining(900)
    plan = ReadingPlan(settled_later=True)
    fetched = bench.world.psa().fetch(INVOICES, [bench.invoice_id], plan=plan)
    invoice = fetched.found[bench.invoice_id].awaiting_payments(None, has_same_head=False)
    assert fetched.awaiting_payments == {bench.invoice_id}
    stored = bench.records.get(INVOICES, invoice.partner_id, invoice.invoice_id)
    bench.records.save(invoice, expected_version=stored.version)


def test_a_payment_of_ours_is_found_though_the_mirror_lacks_it() -> None:
    bench = MirroredBench()
    written = bench.drive_when_due(bench.collect(TOTAL_MINOR))
    imported_anew(bench)

    asked = bench.compare_now()

    assert asked == 1
    assert bench.stored(written).state is S.CONFIRMED
    assert [hint.record_kind for hint in bench.hints.take_due()] == [RecordKind.INVOICE]
    assert len(bench.rows()) == 1


def test_a_payment_of_ours_that_is_gone_is_found_missing_though_the_mirror_lacks_all() -> None:
    # Given an invoice that our payment had settled, and that a person's settles now
    bench = MirroredBench()
    written = bench.drive_when_due(bench.collect(TOTAL_MINOR))
    assert written.psa_payment_id is not None
    bench.people.delete_payment(bench.invoice_id, written.psa_payment_id)
    bench.people.record_payment(bench.invoice_id, TOTAL)
    bench.wait(QUARANTINE_SECONDS)
    imported_anew(bench)

    # When everything is compared
    bench.compare_now()

    # Then nobody takes the settled invoice for a proof, and a person is told
    assert bench.drive_when_due(written).state is not S.CONFIRMED
    assert bench.open_problems()
