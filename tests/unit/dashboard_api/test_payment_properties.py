"""Whatever order a service repeats itself in, each allocation has one write-back (R1)."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.errors import UnavailableError
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import WriteBack
from tests.unit.dashboard_api.payments import (
    STEPS,
    looking_too_early,
    path_to,
    payment_form,
    write_backs,
)
from tests.unit.dashboard_api.world import Answer, World

SOURCE_IDS = (7, 8, 9)


class Service:
    """A service that loses answers, asks twice at once, and asks again."""

    def __init__(self, world: World, invoices: list[Invoice], begin: str) -> None:
        self._world = world
        self._invoice = invoices[0]
        self._form = payment_form(*invoices, state=begin)

    def record(self) -> None:
        self._note(self._world.service().put(path_to(self._invoice), self._form))

    def record_without_a_queue(self) -> None:
        self._world.write_back_queue.error = UnavailableError("no queue")
        self.record()
        self._world.write_back_queue.error = None

    def record_too_early(self) -> None:
        """Of two requests at once, the one that found nothing stored yet."""
        with looking_too_early(self._world):
            self.record()

    def record_what_is_stored_unanswered(self) -> None:
        """The ledger stores it, and its answer is lost."""
        store = self._world.ledger.record

        def unanswered(payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
            store(payment, write_backs)
            raise UnavailableError("no answer")

        self._world.ledger.record = unanswered  # type: ignore[method-assign]
        self.record()
        self._world.ledger.record = store  # type: ignore[method-assign]

    def step(self, name: str) -> None:
        self._note(self._world.service().post(path_to(self._invoice, step=name)))

    def _note(self, answer: Answer) -> None:
        assert answer.status in (200, 201, 404, 409, 503), answer.text


DEEDS: list[tuple[str, ...]] = [
    ("record",),
    ("record_without_a_queue",),
    ("record_too_early",),
    ("record_what_is_stored_unanswered",),
    *(("step", name) for name in STEPS),
]


@settings(deadline=None)
@given(
    deeds=st.lists(st.sampled_from(DEEDS), min_size=2, max_size=12),
    source_ids=st.lists(st.sampled_from(SOURCE_IDS), min_size=1, unique=True),
    begin=st.sampled_from(["pending", "settled"]),
)
def test_repeating_never_makes_a_second_write_back(
    deeds: list[tuple[str, ...]], source_ids: list[int], begin: str
) -> None:
    world = World()
    connection = world.connection()
    service = Service(world, [world.invoice(connection, i) for i in source_ids], begin)

    for name, *arguments in deeds:
        getattr(service, name)(*arguments)
        world.clock.advance(seconds=1)

    was_recorded = any(name.startswith("record") for name, *_ in deeds)
    made = write_backs(world)
    assert [w.invoice_source_id for w in made] == (source_ids if was_recorded else [])
    assert {w.write_back_id for w in all_write_backs(world)} == {w.write_back_id for w in made}
    assert {w.write_back_id for w in world.write_back_queue.write_backs} <= {
        w.write_back_id for w in made
    }


def all_write_backs(world: World) -> list[WriteBack]:
    return [stored.value for stored in world.ledger._write_backs.values() if stored.value]
