"""Bridges that are broken on purpose: each leaves out one part of what keeps companies apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from bridge.connections import company_check, company_proofs
from bridge.connections.callback_url import CallbackAddress
from bridge.connections.company_proofs import CompanyProofs
from bridge.domain.company import CompanyClaim, CompanyProof, ProofKind
from bridge.domain.connection import Connection
from bridge.domain.write_back import Books, Lease, WriteBack, WriteBackState
from bridge.payments.reconnected_write_backs import ReconnectedWriteBacks
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.keys import Key
from tests.fakes import ledger
from tests.simulation.companies.world import CompaniesWiring
from tests.simulation.variants import Delegate

# --- who a company is ----------------------------------------------------------------------------


class _TypedProofs(CompanyProofs):
    def of_keys(self, connection: Connection, public_key: str) -> tuple[CompanyProof, ...]:
        typed = f"{connection.address.site_url}/{connection.company_id}"
        return (CompanyProof.of(ProofKind.PUBLIC_KEY, typed),)

    def _registered(self, urls: Iterable[str]) -> tuple[CallbackAddress, ...]:
        return ()


class KnowsCompaniesByAddress(CompaniesWiring):
    """A company is whatever address and id were typed in."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        return patch.object(company_proofs, "CompanyProofs", _TypedProofs)


class FreesClaimsAtOnce(CompaniesWiring):
    """Whoever comes first after a disconnect gets the company, though requests are under way."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        def is_free(self: CompanyClaim, partner_id: str, now: datetime, *, wait: timedelta) -> bool:
            return self.ended_at is not None

        return patch.object(CompanyClaim, "is_free", is_free)


class StopsNoPair(CompaniesWiring):
    """The check finds another connection to the same company, and lets both write."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        def noted(stored: Connection, found: Any) -> Connection:
            return replace(stored, company_key=stored.company_key or found.company_key)

        return patch.object(company_check, "_noted", noted)


# --- what is kept by the company -----------------------------------------------------------------


class LeasesByConnection(CompaniesWiring):
    """Two connections to one company do not see each other's leases."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        def lease_keys(lease: Lease) -> list[Key]:
            return [keys.lease_key(lease.books.connection_id, lease.invoice_source_id)]

        return patch.object(ledger, "_lease_keys", lease_keys)


class ForgetsTheOldLeaseKey(CompaniesWiring):
    """New workers hold an invoice for the company alone, where old ones do not look."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        def lease_keys(lease: Lease) -> list[Key]:
            return [keys.lease_key(lease.books.keys[0], lease.invoice_source_id)]

        return patch.object(ledger, "_lease_keys", lease_keys)


class _OwnersOfConnection(Delegate):
    def owners(self, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        alone = Books(books.connection_id)
        found: Mapping[int, str] = self._target.owners(alone, psa_payment_ids)
        return found

    def move_owners(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        return ()


class OwnersByConnection(CompaniesWiring):
    """Two connections to one company do not see what the other one owns."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        def owner_keys(lease: Lease | None, psa_payment_id: int | None) -> list[Key]:
            if lease is None or psa_payment_id is None:
                return []
            return [keys.psa_payment_key(lease.books.connection_id, psa_payment_id)]

        return patch.object(ledger, "_owner_keys", owner_keys)

    def spoil(self) -> None:
        self.ledger = _OwnersOfConnection(self.ledger)


class WakesNothing(CompaniesWiring):
    """What waited for a connection is left to its due time when it is connected again."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        return patch.object(ReconnectedWriteBacks, "wake", lambda *_: 0)


# --- what is kept of a post ----------------------------------------------------------------------


class _LedgerOfToday(Delegate):
    """Says of every post that the API member of today made it."""

    def __init__(self, target: Any, connections: Any) -> None:
        super().__init__(target)
        self._connections = connections

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        stored: Stored[WriteBack] = self._target.get_write_back(connection_id, write_back_id)
        connection = self._connections.get(connection_id).value
        if stored.value is None or connection is None:
            return stored
        history = stored.value.known_history
        member = connection.member_identifier
        attempts = tuple(replace(each, member=member) for each in history.attempts)
        today = replace(stored.value, history=replace(history, attempts=attempts))
        return replace(stored, value=today)


class ForgetsPastMembers(CompaniesWiring):
    """After a change of keys, a payment by the member of before is somebody else's."""

    def spoil(self) -> None:
        self.ledger = _LedgerOfToday(self.ledger, self.connections)


class _HurriedLedger(Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.UNCLEAR and write_back.look_at is not None:
            write_back = replace(write_back, due_at=write_back.look_at)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class BringsUnclearPostsForward(CompaniesWiring):
    """An unclear post is due when it is looked for, and old workers post what is due."""

    def spoil(self) -> None:
        self.ledger = _HurriedLedger(self.ledger)
