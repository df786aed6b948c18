"""The store keeps the turns of jobs that take several steps, and lets old ones expire."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from bridge.domain.job import CADENCES, Job
from bridge.ports import JobTurn
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.items import read_time
from bridge.store.table import Table

LIFE_AFTER_PERIOD = timedelta(days=1)


class DynamoJobTurns:
    """The coordination table fulfils :class:`bridge.ports.JobTurns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, connection_id: str, job: Job) -> JobTurn | None:
        item = self._table.get(keys.job_turn_key(connection_id, job))
        if item is None:
            return None
        return JobTurn(
            connection_id=connection_id,
            job=job,
            token=str(item["token"]),
            message_token=str(item["message_token"]),
            held_until=read_time(item, "held_until"),
            planned_at=read_time(item, "planned_at"),
            since=read_time(item, "since"),
            cursor=str(item["cursor"]) if "cursor" in item else None,
        )

    def put(self, turn: JobTurn, *, replaces: str | None) -> bool:
        cursor: Item = {} if turn.cursor is None else {"cursor": turn.cursor}
        expires_at = turn.held_until + CADENCES[turn.job].period + LIFE_AFTER_PERIOD
        item: Item = {
            **keys.job_turn_key(turn.connection_id, turn.job).attributes(),
            "token": turn.token,
            "message_token": turn.message_token,
            "held_until": keys.timestamp(turn.held_until),
            "planned_at": keys.timestamp(turn.planned_at),
            "since": keys.timestamp(turn.since),
            "expires_at": epoch_seconds(expires_at),
            **cursor,
        }
        stands = _has_token(replaces) if replaces else IS_NEW
        try:
            self._table.put(item, stands)
        except ConditionFailedError:
            return False
        return True

    def end(self, turn: JobTurn) -> None:
        key = keys.job_turn_key(turn.connection_id, turn.job)
        # Another worker may have gone on with it.
        with suppress(ConditionFailedError):
            self._table.delete(key, _has_token(turn.token))


def _has_token(token: str) -> Condition:
    return Condition("#token = :token", {"token": token})
