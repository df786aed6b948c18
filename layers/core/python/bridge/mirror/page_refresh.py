"""The chosen records of a run's page are refreshed in batches, as far as a step's time goes."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connections.call_lanes import CallLanes
from bridge.connections.site_turns import STEP_SECONDS
from bridge.domain.connection import Connection
from bridge.domain.errors import OutOfTimeError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.run import Counters, Run, Selection
from bridge.mirror.refresh import Refresher
from bridge.mirror.refreshed import LOOKS_AFTER_SECONDS, Refreshed
from bridge.mirror.selection import Choice
from bridge.ports import Clock, HintQueue, Psa, ReadingPlan
from bridge.ports.psa import IDS_OF_A_LIST

REFRESH_BATCH = IDS_OF_A_LIST
MANY = 20
"""So many records are worth the lanes for more calls at once."""
MIN_SECONDS_FOR_BATCH = 5.0
WHOLE_LISTS = frozenset({Selection.ALL, Selection.DIFFERING})
"""Such steps take a list from its beginning to its end."""


class PageRefresh:
    """A page is refreshed up to the last record that there is time for."""

    def __init__(
        self, refresher: Refresher, hints: HintQueue, lanes: CallLanes, clock: Clock
    ) -> None:
        self._refresher = refresher
        self._hints = hints
        self._lanes = lanes
        self._clock = clock

    def refresh(
        self, connection: Connection, psa: Psa, run: Run, choice: Choice
    ) -> tuple[Choice, Refreshed]:
        """Refresh the chosen records; return the part of the choice that is done, and what became
        of it.

        Raises OutOfTimeError where the first batch takes all of the time, and as
        ``Refresher.refresh`` does.
        """
        if len(choice.source_ids) < MANY:
            return self._refresh(connection, psa, run, choice, in_flight=1)
        with self._lanes.held(connection.connection_id) as in_flight:
            return self._refresh(connection, psa, run, choice, in_flight=in_flight)

    def _refresh(
        self, connection: Connection, psa: Psa, run: Run, choice: Choice, *, in_flight: int
    ) -> tuple[Choice, Refreshed]:
        plan = ReadingPlan(
            heads=choice.heads,
            is_gapless=choice.is_gapless,
            settled_later=run.step.selection is Selection.ALL,
            in_flight=in_flight,
        )
        total = Refreshed()
        last_done_id: int | None = None
        batch_size = min(max(REFRESH_BATCH, len(choice.heads)), run.page_size)
        needed_seconds = MIN_SECONDS_FOR_BATCH
        for start in range(0, len(choice.source_ids), batch_size):
            left_seconds = self._clock.remaining_seconds()
            if last_done_id is not None and left_seconds < needed_seconds:
                return choice.through(last_done_id), total
            batch = choice.source_ids[start : start + batch_size]
            try:
                total += self._refresh_batch(connection, psa, run, batch, plan)
            except OutOfTimeError:
                if last_done_id is None:
                    raise
                return choice.through(last_done_id), total
            last_done_id = batch[-1]
            # Another batch takes about as long as this one did.
            took_seconds = left_seconds - self._clock.remaining_seconds()
            needed_seconds = max(needed_seconds, took_seconds)
        if last_done_id is not None and self._is_late_for_check(run, choice):
            return choice.through(last_done_id), total
        return choice, total

    def _refresh_batch(
        self, connection: Connection, psa: Psa, run: Run, batch: Sequence[int], plan: ReadingPlan
    ) -> Refreshed:
        """Refresh some records, and queue hints for those that are to be looked at again.

        Only vanished records that a sweep found, and that passed the mass-archive check, may be
        archived here: a list that wrongly comes back empty must not empty the mirror.
        """
        kind = run.step.record_kind
        may_archive = run.step.selection is Selection.VANISHED
        refreshed = self._refresher.refresh(
            connection, psa, kind, batch, may_archive=may_archive, plan=plan
        )
        self._defer(connection, kind, refreshed.contested)
        if run.step.selection is not Selection.ALL:
            # The old records of a whole list may disagree for good.
            self._look_again(connection, kind, refreshed)
        return refreshed + Refreshed(Counters(deferred=len(refreshed.contested)))

    def _is_late_for_check(self, run: Run, choice: Choice) -> bool:
        """Tell whether the check of a whole list, which may list it anew, is the next step's."""
        ends_list = choice.is_last and run.step.selection in WHOLE_LISTS
        return ends_list and self._clock.remaining_seconds() < STEP_SECONDS / 2

    def _defer(self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]) -> None:
        """Queue hints for records that another worker wrote meanwhile, to fetch them again."""
        self._hints.send(
            [
                Hint(
                    connection.connection_id,
                    kind,
                    each,
                    HintReason.CONFLICT,
                    partner_id=connection.partner_id,
                )
                for each in source_ids
            ]
        )

    def _look_again(self, connection: Connection, kind: RecordKind, refreshed: Refreshed) -> None:
        """Queue a look at changed records whose parts disagree: ConnectWise changes one soon."""
        self._hints.send(
            [
                Hint(
                    connection.connection_id,
                    kind,
                    each,
                    HintReason.UNSETTLED,
                    attempts=1,
                    partner_id=connection.partner_id,
                )
                for each in refreshed.unsettled_changes
            ],
            delay_seconds=LOOKS_AFTER_SECONDS[0],
        )
