"""R8: hints of many partners are worked off side by side; nobody waits for another's server."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from bridge.connections.site_turns import PLACES_OF_A_PARTNER
from bridge.domain.errors import UnavailableError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES, MirroredKind, R
from bridge.log_fields import log_fields
from bridge.mirror.hint_processor import MAX_SIDE_BY_SIDE
from bridge.ports import Clock, Fetched
from tests.builders.operations import a_connection
from tests.builders.records import a_customer, an_invoice
from tests.unit.conftest import LogLines
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakePsa

INVOICE = RecordKind.INVOICE
PATIENCE_SECONDS = 30.0


class MeetingPsa(FakePsa):
    """Answers a read of invoices when the meeting that it waits for has come about."""

    def __init__(self, clock: Clock, meet: Callable[[], object]) -> None:
        super().__init__(clock)
        self._meet = meet

    def fetch(self, kind: MirroredKind[R], source_ids: Sequence[int], **asked: Any) -> Fetched[R]:
        if kind.record_kind is INVOICE:
            self._meet()
        return super().fetch(kind, source_ids, **asked)


def connection_id_of(number: int) -> str:
    return f"{number:02x}" * 16


def tenant(bench: Bench, number: int, partner_id: str, psa: FakePsa) -> Hint:
    """Connect a partner's ConnectWise that has one invoice; return a hint about that."""
    connection_id = connection_id_of(number)
    bench.connect(a_connection(connection_id, partner_id=partner_id))
    owner: dict[str, Any] = {"partner_id": partner_id, "connection_id": connection_id}
    psa.put(a_customer(**owner), an_invoice(1001, **owner))
    bench.fake_gateway.others[connection_id] = psa
    return Hint(connection_id, INVOICE, 1001, HintReason.CALLBACK)


def set_after(times: int, event: threading.Event, do: Callable[..., None]) -> Callable[..., None]:
    """Return what does the same, and sets the event when it was done so often."""
    done = itertools.count(1)

    def counted(*arguments: object, **named: object) -> None:
        do(*arguments, **named)
        if next(done) == times:
            event.set()

    return counted


def is_mirrored(bench: Bench, hint: Hint, partner_id: str) -> bool:
    found = bench.records.get_mirrored(INVOICES, partner_id, hint.connection_id, [1001])
    return found[1001].value is not None


def test_ten_tenants_of_a_batch_are_read_at_the_same_time(bench: Bench) -> None:
    meeting = threading.Barrier(MAX_SIDE_BY_SIDE, timeout=PATIENCE_SECONDS)
    hints = [
        tenant(bench, number, f"partner-{number}", MeetingPsa(bench.clock, meeting.wait))
        for number in range(MAX_SIDE_BY_SIDE)
    ]

    assert bench.hint_processor.process(hints) == ()

    for number, hint in enumerate(hints):
        assert is_mirrored(bench, hint, f"partner-{number}")
    assert bench.partner_places.held == {}


def test_a_partner_has_a_third_of_the_places_however_many_connections(bench: Bench) -> None:
    others_have_no_place = threading.Event()
    bench.hints.send = set_after(  # type: ignore[method-assign]
        9 - PLACES_OF_A_PARTNER, others_have_no_place, bench.hints.send
    )

    def meet() -> None:
        assert others_have_no_place.wait(PATIENCE_SECONDS)

    hints = [tenant(bench, number, "greedy", MeetingPsa(bench.clock, meet)) for number in range(9)]
    other = tenant(bench, 99, "other", FakePsa(bench.clock))

    assert bench.hint_processor.process([*hints, other]) == ()

    assert is_mirrored(bench, other, "other")
    assert sum(is_mirrored(bench, hint, "greedy") for hint in hints) == PLACES_OF_A_PARTNER
    waiting = [message.body for message in bench.hints.waiting]
    assert len(waiting) == 9 - PLACES_OF_A_PARTNER
    assert {(hint.attempts, hint.times_put_off) for hint in waiting} == {(0, 1)}


def test_one_connections_hints_are_one_read(bench: Bench) -> None:
    psa = FakePsa(bench.clock)
    hint = tenant(bench, 1, "partner-1", psa)
    other = tenant(bench, 2, "partner-2", FakePsa(bench.clock))
    psa.put(an_invoice(1002, partner_id="partner-1", connection_id=hint.connection_id))
    second = Hint(hint.connection_id, INVOICE, 1002, HintReason.CALLBACK)

    bench.hint_processor.process([hint, other, second])

    assert psa.fetched_ids[0] == (1001, 1002)


def test_what_goes_wrong_at_one_tenant_stays_there(bench: Bench) -> None:
    silent, odd, fine = (FakePsa(bench.clock) for _ in range(3))
    hints = [
        tenant(bench, number, f"partner-{number}", psa)
        for number, psa in enumerate((silent, odd, fine))
    ]
    silent.fail("fetch_invoices", UnavailableError("down"))
    odd.fail("fetch_invoices", RuntimeError("a mistake of ours"))

    assert bench.hint_processor.process(hints) == (hints[1],)

    assert is_mirrored(bench, hints[2], "partner-2")
    assert [message.body.connection_id for message in bench.hints.waiting] == [connection_id_of(0)]


def test_lines_of_each_tenant_name_it_and_the_call_they_belong_to(
    bench: Bench, named_lines: LogLines
) -> None:
    hints = [
        tenant(bench, number, f"partner-{number}", FakePsa(bench.clock)) for number in range(2)
    ]

    with log_fields(request_id="the call"):
        bench.hint_processor.process(hints)

    done = named_lines("hints done")
    named = {(line["partner_id"], line["connection_id"], line["request_id"]) for line in done}
    assert named == {
        (f"partner-{number}", connection_id_of(number), "the call") for number in range(2)
    }
