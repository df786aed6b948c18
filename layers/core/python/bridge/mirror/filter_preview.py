"""The effect of other filters is counted here, before they are saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.connections.filter_check import FilterCheck
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError, InvalidInputError
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MIRRORED_KINDS, MirroredRecord, kind_of
from bridge.domain.money import Currency, Money
from bridge.mirror.walk import MirrorWalk, read_position, record_id
from bridge.ports import PsaGateway

MAX_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """A record by its id and the name a person knows it by."""

    record_id: str
    label: str


@dataclass(slots=True)
class Effect:
    """The effect of proposed filters on the unarchived mirrored records of one kind."""

    staying: int = 0
    """Records that pass both the present and the proposed filters."""
    leaving: int = 0
    """Records that pass the present filters only; they are kept until a person archives them."""
    returning: int = 0
    """Records that pass the proposed filters only."""
    leaving_samples: list[Sample] = field(default_factory=list)
    returning_samples: list[Sample] = field(default_factory=list)
    leaving_balances: Counter[Currency] = field(default_factory=Counter)
    """Open amounts of the leaving records, in minor units."""
    in_connectwise: int | None = None
    """ConnectWise's own count of records that pass the proposed filters.

    None when asking failed, and after the first part of the preview.
    """

    def count(self, record: MirroredRecord, *, is_in: bool, would_be_in: bool) -> None:
        if is_in and would_be_in:
            self.staying += 1
        elif is_in:
            self.leaving += 1
            _keep_sample(self.leaving_samples, record)
            balance = kind_of(record).balance_of(record)
            if balance is not None:
                self.leaving_balances[balance.currency] += balance.amount_minor
        elif would_be_in:
            self.returning += 1
            _keep_sample(self.returning_samples, record)

    def open_money(self) -> tuple[Money, ...]:
        return tuple(Money(amount, currency) for currency, amount in self.leaving_balances.items())


@dataclass(frozen=True, slots=True)
class Preview:
    """The effects on one part of the mirror."""

    effects: Mapping[str, Effect]
    """Effects by the plural of their kind."""
    next_cursor: str | None
    """The cursor of the next part; None at the end."""


class FilterPreview:
    """The preview compares a connection's present filters with proposed ones, and only reads."""

    def __init__(self, walk: MirrorWalk, gateway: PsaGateway, check: FilterCheck) -> None:
        self._walk = walk
        self._check = check
        self._gateway = gateway

    def preview(
        self, connection: Connection, proposed: ImportFilters, *, cursor: str | None = None
    ) -> Preview:
        """Count as much of the mirror as fits one request.

        Raises InvalidInputError for a malformed cursor and for filters that are a mistake, as
        far as ConnectWise can be asked.
        """
        self._check.refuse_senseless(proposed)
        position = read_position(cursor)
        effects = {kind.record_kind: Effect() for kind in MIRRORED_KINDS}
        if cursor is None:
            self._count_in_connectwise(connection, proposed, effects)
        next_cursor = str(position)
        for part in self._walk.slices(connection, position, lambda each: not each.is_archived):
            self._count(connection, proposed, part.records, effects)
            next_cursor = str(part.next_position) if part.next_position else ""
        by_plural = {kind.plural: effects[kind.record_kind] for kind in MIRRORED_KINDS}
        return Preview(by_plural, next_cursor or None)

    def _count(
        self,
        connection: Connection,
        proposed: ImportFilters,
        records: Sequence[MirroredRecord],
        effects: dict[RecordKind, Effect],
    ) -> None:
        present_ids = self._walk.wanted(connection, records, connection.filters)
        proposed_ids = self._walk.wanted(connection, records, proposed)
        for record in records:
            effects[kind_of(record).record_kind].count(
                record,
                is_in=record_id(record) in present_ids,
                would_be_in=record_id(record) in proposed_ids,
            )

    def _count_in_connectwise(
        self,
        connection: Connection,
        proposed: ImportFilters,
        effects: dict[RecordKind, Effect],
    ) -> None:
        """Add ConnectWise's own counts, which include unmirrored records; skip them on an error."""
        try:
            psa = self._gateway.open(connection)
            self._check.refuse_unknown(
                psa, connection.connection_id, proposed, saved=connection.filters
            )
            for kind, effect in effects.items():
                effect.in_connectwise = psa.count(kind, filters=proposed)
        except InvalidInputError:
            raise
        except BridgeError:
            return


def _keep_sample(samples: list[Sample], record: MirroredRecord) -> None:
    if len(samples) < MAX_SAMPLES:
        samples.append(Sample(record_id(record), kind_of(record).label_of(record)))
