"""Stops of a connection's payments are shown as problems here, and lifted by people."""

from __future__ import annotations

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import Connection, PaymentsStop
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode
from bridge.ports import Clock, PaymentControlStore, ProblemStore

# One text for all: whose the other connection is stays untold.
_CONNECTED_TWICE = (
    "Another connection to this ConnectWise company was there first. Records are read on; "
    "payments are written again when that connection has ended."
)
_ANOTHER_BRIDGE = (
    "Another installation of the bridge is registered at this ConnectWise and may write the "
    "same payments. Approving lets this connection write payments, too."
)
_UNUSUALLY_MANY = (
    "Many more payments came within an hour than ever before; writing is stopped. Approving says "
    "that all of them are meant."
)
_PROBLEMS: dict[PaymentsStop, tuple[ProblemCode, str]] = {
    PaymentsStop.COMPANY_CONNECTED_TWICE: (ProblemCode.COMPANY_CONNECTED_TWICE, _CONNECTED_TWICE),
    PaymentsStop.ANOTHER_BRIDGE: (ProblemCode.ANOTHER_BRIDGE, _ANOTHER_BRIDGE),
    PaymentsStop.UNUSUALLY_MANY: (ProblemCode.UNUSUALLY_MANY_PAYMENTS, _UNUSUALLY_MANY),
}
STOPS_OF_COMPANIES = frozenset({PaymentsStop.COMPANY_CONNECTED_TWICE, PaymentsStop.ANOTHER_BRIDGE})
"""They follow from other connections to the company."""


class PaymentStops:
    """Payments of a connection are stopped for reasons of its own, which problems show."""

    def __init__(
        self,
        owned: OwnedConnections,
        problems: ProblemStore,
        control: PaymentControlStore,
        clock: Clock,
    ) -> None:
        self._owned = owned
        self._problems = problems
        self._control = control
        self._clock = clock

    def show(self, connection: Connection) -> None:
        """Open a problem for each reason to stop payments, and close those of the others."""
        now = self._clock.now()
        for stop, (code, detail) in _PROBLEMS.items():
            report = connection.report(code, CONNECTION_SUBJECT, detail)
            if stop in connection.payments_stopped:
                self._problems.report(report, now)
            else:
                self._problems.resolve(connection.partner_id, report.problem_id, now)

    def stop(self, connection: Connection, reason: PaymentsStop) -> Connection:
        """Stop the connection's payments for one reason, and show it."""
        return self._change(connection, reason, is_stopped=True)

    def allow(self, connection: Connection, reason: PaymentsStop) -> Connection:
        """Take one reason to stop payments away; others may be left.

        Of unusually many payments it says that they are meant, so that as many are usual from now
        on.
        """
        if reason is PaymentsStop.UNUSUALLY_MANY:
            self._approve_rate(connection.connection_id)
        return self._change(connection, reason, is_stopped=False)

    def _change(
        self, connection: Connection, reason: PaymentsStop, *, is_stopped: bool
    ) -> Connection:
        changed = self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda stored: stored.with_payments_stopped(reason, is_stopped=is_stopped),
        )
        self.show(changed)
        return changed

    def _approve_rate(self, connection_id: str) -> None:
        stored = self._control.get_rate(connection_id)
        if stored.value is not None:
            self._control.save_rate(stored.value.approved(), expected_version=stored.version)
