from __future__ import annotations
from decimal import Decimal
import pytest
from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import Reason, WriteBackState as S
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import *
from tests.unit.payments.mirrored_bench import MirroredBench
from tests.unit.payments.test_hidden_posts import hiding, lost

def test_hidden_marked_done_then_listed():
    bench=MirroredBench(); bench.mirror()
    w=bench.collect(5000)
    hid=lost(bench,w)
    m=bench.drive(w, gateway=hiding(bench,hid))
    print(m.state,m.reason)
    decisions(bench).mark_done(*place(m))
    bench.compare()
    print([ (p.code,p.detail) for p in bench.open_problems()])
    try:
        use_cases.unowned_payments(bench).disclaim(m.partner_id,m.connection_id,bench.invoice_id,hid)
        print("disclaimed")
    except Exception as e: print(repr(e))
    bench.compare(); print([p.code for p in bench.open_problems()])

def test_five_lost_deletions():
    bench=MirroredBench(); bench.mirror()
    w=bench.drive(bench.collect(5000)); bench.undo()
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT,"DELETE",times=5)
    for _ in range(3):
        m=bench.drive_when_due(w, rounds=12)
        print(m.state,m.reason,len(m.unproven_deletions))
        if m.needs_person:
            decisions(bench).retry(*place(m)); bench.drive(w)
    print(bench.stored(w).state, len(bench.rows()), bench.stored(w).reason)

def test_post_without_mirror():
    bench=MirroredBench(); bench.mirror()
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON, by=bench.connection.member_identifier)
    m=bench.drive(bench.collect(5000))
    try: decisions(bench).post(*place(m))
    except Exception as e: print(repr(e))
