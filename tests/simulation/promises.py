"""What the bridge promises beyond the right end: how soon, and with how many calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.connection import ConnectionState
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from connectwise_sandbox.kinds import Kind
from tests.simulation.invariants import saved_record
from tests.simulation.parts import Invariant
from tests.simulation.truth import PaymentFacts, true_invoice
from tests.simulation.watching import PortCall
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

LAG_LIFE = timedelta(seconds=65)
"""A minute, and the seconds that the looks themselves take."""
CALLS_PER_HOUR = 60
CALLS_PER_RECORD = 4
ROWS_PER_CALL = 5
RUNS_PER_HOUR = 4


@dataclass(frozen=True, slots=True)
class _Lag:
    """An invoice was stored with a balance that its payments did not explain."""

    stored_at: datetime
    payments: frozenset[PaymentFacts]
    """Those that the books had then: what changes later is another matter."""


class LagsAreShort(Invariant):
    """A balance that lags behind its payments is right a minute after it was stored.

    Holds where nothing fails and everybody is prompt, from the end of the import on.
    """

    name = "lags are short"

    def __init__(self) -> None:
        self._lags: dict[int, _Lag] = {}

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        self._check(world)
        record = saved_record(call)
        is_importing = world.connection.state is ConnectionState.IMPORTING
        if not isinstance(record, Invoice) or record.source_id is None or is_importing:
            return
        true = true_invoice(world.engine, record.source_id)
        if true and record.balance_minor != true.balance_minor and not record.balance_agrees:
            lag = _Lag(world.clock.now(), true.payments)
            self._lags.setdefault(record.source_id, lag)

    def _check(self, world: World) -> None:
        now = world.clock.now()
        over = [i for i, lag in self._lags.items() if now - lag.stored_at > LAG_LIFE]
        for source_id in over:
            lag = self._lags.pop(source_id)
            true = true_invoice(world.engine, source_id)
            scope = (PARTNER_ID, CONNECTION_ID, [source_id])
            stored = world.outside.records.get_mirrored(INVOICES, *scope)[source_id].value
            if true is None or stored is None or true.payments != lag.payments:
                continue
            if stored.balance_minor != true.balance_minor:
                detail = f"{source_id}: {stored.balance_minor} instead of {true.balance_minor}"
                world.violate(self.name, detail)


class CallsAreFew(Invariant):
    """R15: in the calm, ConnectWise is called so often for each hour, for each record that it
    has, and for each page of payments; whatever its server is like.

    A server whose clock is ahead dates changes into the time to come, and each run takes them
    again until that time is there.
    """

    name = "calls are few"
    watches = ("http",)

    def __init__(self) -> None:
        self._since: datetime | None = None
        self.calls = 0

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if not world.is_calm:
            return
        self._since = self._since or world.clock.now()
        self.calls += 1

    def at_end(self, world: World) -> None:
        since = self._since or world.clock.now()
        hours = (world.clock.now() - since).total_seconds() / 3600
        store = world.engine.tenant.store
        records = len(store[Kind.INVOICE]) + len(store[Kind.COMPANY])
        allowed = (
            CALLS_PER_HOUR * hours
            + CALLS_PER_RECORD * records
            + len(store[Kind.PAYMENT]) / ROWS_PER_CALL
        )
        if world.engine.switches.server_clock_minutes_off > 0 or not world.has_true_dates:
            allowed += CALLS_PER_RECORD * records * RUNS_PER_HOUR * hours
        if self.calls > allowed:
            world.violate(self.name, f"{self.calls} calls, {allowed:.0f} allowed")
