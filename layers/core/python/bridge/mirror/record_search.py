"""A search tells a person where a record of ConnectWise is: here, or why it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bridge.connections.minute_shares import MinuteShares
from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.mirrored_kinds import CUSTOMERS, MirroredKind, R, mirrored_kind, refusal
from bridge.domain.problem import RECORD_PROBLEMS, ProblemState, record_subject
from bridge.ports import (
    Activity,
    HintQueue,
    ProblemStore,
    Psa,
    PsaGateway,
    RecordStore,
)


class Whereabouts(StrEnum):
    """Where a record is; it is exactly one of these."""

    HERE = "here"
    ARCHIVED = "archived"
    """A person archived it."""
    LEFT_OUT = "left_out"
    """A filter leaves it out, or its customer."""
    PAYER_UNREADABLE = "payer_unreadable"
    """ConnectWise does not give its customer away, so the customers' filter cannot be judged."""
    BROKEN = "broken"
    """It is unreadable, and a problem says why."""
    DELETED = "deleted"
    HIDDEN = "hidden"
    """ConnectWise has it, and lists it to other members than ours."""
    ARRIVING = "arriving"
    """ConnectWise has it and it belongs here: it was asked for just now."""
    UNKNOWN = "unknown"
    """ConnectWise shows no such record: it never existed, or is another member's to see."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that was searched for."""

    kind: RecordKind
    source_id: int
    whereabouts: Whereabouts
    label: str = ""
    """The name that a person knows it by, where it could be read."""
    record_id: str | None = None
    """The platform's id of a record that is here or was."""
    refused_by: str | None = None
    """The filter that leaves it out, e.g. ``invoices.date_from``; a record that is here may have
    left one since."""
    problem_id: str | None = None
    since: datetime | None = None
    """When it was archived or found deleted (UTC)."""


class RecordSearch:
    """A search looks into the mirror first, and asks ConnectWise for what is not there."""

    def __init__(
        self,
        *,
        records: RecordStore,
        problems: ProblemStore,
        gateway: PsaGateway,
        hints: HintQueue,
        shares: MinuteShares,
    ) -> None:
        self._records = records
        self._problems = problems
        self._gateway = gateway
        self._hints = hints
        self._shares = shares

    def by_id(
        self, connection: Connection, kind: RecordKind, source_id: int
    ) -> tuple[Finding, ...]:
        """Return where the record with this ConnectWise id is: one finding.

        Raises ShareUsedUpError once the partner's searches of this minute are used up, and the
        errors of ConnectWise when it has to be asked.
        """
        here = self._in_mirror(connection, kind, source_id)
        return (here or self._at_connectwise(connection, self._ask(connection), kind, source_id),)

    def by_label(self, connection: Connection, kind: RecordKind, label: str) -> tuple[Finding, ...]:
        """Return where the records of this number (or identifier) are; empty if nobody has it.

        ConnectWise decides which records these are, so it is asked first. Raises as ``by_id``.
        """
        psa = self._ask(connection)
        return tuple(
            self._in_mirror(connection, kind, source_id)
            or self._at_connectwise(connection, psa, kind, source_id)
            for source_id in psa.find(kind, label)
        )

    def _ask(self, connection: Connection) -> Psa:
        """Open ConnectWise for one search, which counts in the partner's share."""
        self._shares.take(connection.partner_id, Activity.RECORD_SEARCH)
        return self._gateway.open(connection)

    def _in_mirror(
        self, connection: Connection, kind: RecordKind, source_id: int
    ) -> Finding | None:
        entry = mirrored_kind(kind)
        record = self._stored(connection, entry, source_id)
        if record is None:
            return None
        payer_id = entry.payer_id(record)
        payer = self._stored(connection, CUSTOMERS, payer_id) if payer_id else None
        found = Finding(
            kind,
            source_id,
            Whereabouts.HERE,
            label=entry.label_of(record),
            record_id=entry.id_of(record),
            refused_by=refusal(entry, connection.filters, record, payer),
            problem_id=self._open_problem(connection, kind, source_id),
        )
        if record.archive is None:
            return found
        whereabouts = _ARCHIVED_AS[record.archive.reason]
        return replace(found, whereabouts=whereabouts, since=record.archive.at)

    def _at_connectwise(
        self, connection: Connection, psa: Psa, kind: RecordKind, source_id: int
    ) -> Finding:
        entry = mirrored_kind(kind)
        found = Finding(kind, source_id, Whereabouts.UNKNOWN)
        fetched = psa.fetch(entry, [source_id])
        if source_id in fetched.broken:
            problem_id = self._open_problem(connection, kind, source_id)
            if problem_id is None:
                self._hint(connection, kind, source_id)
            return replace(found, whereabouts=Whereabouts.BROKEN, problem_id=problem_id)
        record = fetched.found.get(source_id)
        if record is None:
            is_there = psa.exists(kind, source_id)
            return replace(found, whereabouts=Whereabouts.HIDDEN) if is_there else found
        found = replace(found, label=entry.label_of(record))
        if record.archive is not None:
            return replace(found, whereabouts=Whereabouts.DELETED, since=record.archive.at)
        payer_id = entry.payer_id(record)
        payer = self._payer(connection, psa, payer_id) if payer_id else None
        refused_by = refusal(entry, connection.filters, record, payer)
        if refused_by:
            return replace(found, whereabouts=Whereabouts.LEFT_OUT, refused_by=refused_by)
        if payer_id and payer is None and connection.filters.asks_about_customers:
            return replace(found, whereabouts=Whereabouts.PAYER_UNREADABLE)
        self._hint(connection, kind, source_id)
        record_id = mirrored_id(connection.connection_id, source_id)
        return replace(found, whereabouts=Whereabouts.ARRIVING, record_id=record_id)

    def _stored(self, connection: Connection, entry: MirroredKind[R], source_id: int) -> R | None:
        scope = connection.partner_id, connection.connection_id
        return self._records.get_mirrored(entry, *scope, [source_id])[source_id].value

    def _payer(self, connection: Connection, psa: Psa, source_id: int) -> Customer | None:
        stored = self._stored(connection, CUSTOMERS, source_id)
        return stored or psa.fetch(CUSTOMERS, [source_id]).found.get(source_id)

    def _open_problem(self, connection: Connection, kind: RecordKind, source_id: int) -> str | None:
        """Return the id of the open problem that keeps the record from being read, if any."""
        for code in RECORD_PROBLEMS:
            report = connection.report(code, record_subject(kind, source_id))
            problem = self._problems.get(connection.partner_id, report.problem_id)
            if problem and problem.state is ProblemState.OPEN:
                return problem.problem_id
        return None

    def _hint(self, connection: Connection, kind: RecordKind, source_id: int) -> None:
        hint = Hint(
            connection.connection_id,
            kind,
            source_id,
            HintReason.SEARCH,
            partner_id=connection.partner_id,
        )
        self._hints.send([hint], delay_seconds=0)


_ARCHIVED_AS = {
    ArchiveReason.DELETED_IN_CONNECTWISE: Whereabouts.DELETED,
    ArchiveReason.LEFT_FILTER: Whereabouts.LEFT_OUT,
    ArchiveReason.BY_PERSON: Whereabouts.ARCHIVED,
}
