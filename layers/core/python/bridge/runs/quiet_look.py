"""A look tells whether anything changed, before a run is started for it.

Most hours are quiet. A run costs a dozen writes to say so, and a look none: it asks ConnectWise for
the changes since the watermark, and compares a few of them with the mirror. All else is left to a
run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode, run_subject
from bridge.domain.run import PLANS, RunKind
from bridge.domain.watermark import (
    EARLIEST,
    TOLERANCE,
    clock_ahead,
    earlier_clock,
    start_of_changes,
)
from bridge.ports import (
    Clock,
    ListedPage,
    ListedRecord,
    ProblemStore,
    PsaGateway,
    RecordStore,
    RunStore,
    SilenceStore,
)

MAX_LISTED = 20
"""So many changed records are compared at most. The overlap lists those of the run before again."""
STANDS_FOR = timedelta(minutes=55)
"""A watermark stays where it is for so long in quiet times: one write an hour keeps it."""

_logger = logging.getLogger(__name__)


class QuietLook:
    """A look asks ConnectWise once for changed invoices, and twice for customers with contacts.

    It works outside its partner's places, so it is over within seconds, and leaves a silent server
    alone.
    """

    def __init__(
        self,
        *,
        runs: RunStore,
        records: RecordStore,
        gateway: PsaGateway,
        silences: SilenceStore,
        problems: ProblemStore,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._records = records
        self._gateway = gateway
        self._silences = silences
        self._problems = problems
        self._clock = clock

    def is_quiet(self, connection: Connection, kind: RunKind, *, until: datetime) -> bool:
        """Tell whether the mirror holds all changes that a delta run of the kind would take.

        Then the problems of earlier runs are over, and the watermark follows within the hour.
        """
        record_kind = PLANS[kind][0].record_kind
        watermark = self._runs.get_watermark(connection.connection_id, record_kind)
        began_at = self._clock.now()
        since = start_of_changes(watermark, began_at)
        if watermark is None or since is None or self._silences.get(connection.connection_id):
            return False
        try:
            page = self._changes(connection, record_kind, since, until - began_at)
        except BridgeError as error:
            _logger.info("a run looks instead: %s", type(error).__name__)
            return False
        if page is None or not self._are_known(connection, record_kind, page.records):
            return False
        known_ahead = timedelta(seconds=connection.clock_seconds_ahead)
        ahead = clock_ahead(page.server_time, began_at, self._clock.now())
        if abs(ahead - known_ahead) > TOLERANCE:
            # A run follows a clock that was set.
            return False
        self._resolve_problems(connection, kind)
        seen = earlier_clock(max(page.server_time, EARLIEST), began_at, known_ahead)
        if seen - watermark >= STANDS_FOR:
            self._runs.set_watermark(connection.connection_id, record_kind, seen, taken_since=since)
        return True

    def _changes(
        self, connection: Connection, kind: RecordKind, since: datetime, time: timedelta
    ) -> ListedPage | None:
        """Return the changed records, None where there is more than a look compares."""
        psa = self._gateway.open_for_look(connection, time.total_seconds())
        page = psa.list_records(
            kind,
            after_id=0,
            limit=MAX_LISTED,
            changed_since=since,
            filters=connection.filters,
        )
        if not page.is_last or page.broken_ids or page.unreadable_rows:
            return None
        if mirrored_kind(kind).has_contacts and psa.list_customers_with_changed_contacts(since):
            return None
        return page

    def _resolve_problems(self, connection: Connection, kind: RunKind) -> None:
        """Close the problem of an outage, and that of a failed run of the kind."""
        for code, subject in (
            (ProblemCode.CONNECTWISE_UNREACHABLE, CONNECTION_SUBJECT),
            (ProblemCode.RUN_FAILED, run_subject(kind)),
        ):
            problem_id = connection.report(code, subject).problem_id
            self._problems.resolve(connection.partner_id, problem_id, self._clock.now())

    def _are_known(
        self, connection: Connection, kind: RecordKind, listed: Sequence[ListedRecord]
    ) -> bool:
        """Tell whether the mirror holds the records as they are listed."""
        if not listed:
            return True
        stored = self._records.get_mirrored(
            mirrored_kind(kind),
            connection.partner_id,
            connection.connection_id,
            [each.source_id for each in listed],
        )
        return all(
            stored[each.source_id].value is not None
            and stored[each.source_id].change_fingerprint == each.change_fingerprint
            for each in listed
        )
