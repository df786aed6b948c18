"""A ConnectWise company is claimed for one connection here, and given up again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.connections.company_proofs import CompanyProofs, Evidence
from bridge.domain.company import CompanyClaim, secret_proofs
from bridge.domain.connection import Connection, PaymentsStop
from bridge.domain.errors import ConflictError, NotPossibleError
from bridge.domain.identity import new_id
from bridge.ports import Clock, CompanyStore, Psa, Stored
from bridge.ports.stored import MAX_ROUNDS

COMPANY_CONNECTED = "This ConnectWise company is connected already; it can be connected once."


class CompanyClaims:
    """One company has one connection at a time, whose ledger is kept by the company's key."""

    def __init__(
        self,
        companies: CompanyStore,
        proofs: CompanyProofs,
        clock: Clock,
        *,
        quarantine: timedelta,
    ) -> None:
        self._companies = companies
        self._proofs = proofs
        self._clock = clock
        self._wait = 2 * quarantine

    def claim(
        self, connection: Connection, public_key: str, psa: Psa, *, known: Connection | None
    ) -> Connection:
        """Claim the company that ``psa`` reaches, and return the connection with its key.

        ``known`` is the connection as it is stored. The keys must be proven to work already.
        Payments are stopped where another installation of the bridge is registered.

        Raises NotPossibleError (company_connected) when another connection claims the company,
        ``subject_id`` being that connection where it is this partner's own; ConflictError, and
        the errors of ConnectWise.
        """
        for _ in range(MAX_ROUNDS):
            try:
                evidence = self._proofs.of_server(connection, public_key, psa)
                self._refuse_if_claimed(connection, evidence)
                company_key = _key_for(connection, evidence, known)
                claim = self._store(connection, company_key, evidence)
            except ConflictError:
                continue
            return replace(
                connection, company_key=company_key, company_connections=claim.reached_by
            ).with_payments_stopped(
                PaymentsStop.ANOTHER_BRIDGE,
                is_stopped=evidence.has_other_bridge,
            )
        raise ConflictError("others keep claiming the company")

    def prove_secret(self, connection: Connection) -> None:
        """Let the connection's live callback secrets lead to its company from now on."""
        proofs = secret_proofs(connection.callback_secret)
        known = self._companies.find(proofs)
        fresh = {proof: "" for proof in proofs if proof not in known}
        if connection.company_key and fresh:
            self._companies.save([], company_key=connection.company_key, proofs=fresh)

    def end(self, connection: Connection, public_key: str) -> None:
        """End the connection's claim; its proofs stay, so that the company is known again.

        Raises ConflictError when others kept writing it in between.
        """
        company_key = connection.company_key or connection.connection_id
        for _ in range(MAX_ROUNDS):
            stored = self._companies.get(company_key)
            claim = stored.value or _claim(connection, company_key, connection.created_at)
            if claim.connection_id != connection.connection_id:
                return
            own = self._proofs.of_keys(connection, public_key)
            known = self._companies.find(own)
            fresh = {proof: "" for proof in own if proof not in known}
            if claim.ended_at and not fresh:
                return
            ended = claim.ended(self._clock.now())
            try:
                self._companies.save(
                    [(ended, stored.version)], company_key=company_key, proofs=fresh
                )
            except ConflictError:
                continue
            return
        raise ConflictError("others keep writing the claim")

    def is_free(self, claim: CompanyClaim, partner_id: str) -> bool:
        """Tell whether this partner may claim the company now."""
        return claim.is_free(partner_id, self._clock.now(), wait=self._wait)

    def _refuse_if_claimed(self, connection: Connection, evidence: Evidence) -> None:
        for rival in evidence.rivals(connection.connection_id):
            if not self.is_free(rival, connection.partner_id):
                is_own = rival.partner_id == connection.partner_id
                raise NotPossibleError(
                    "company_connected",
                    COMPANY_CONNECTED,
                    subject_id=rival.connection_id if is_own else None,
                )

    def _store(self, connection: Connection, company_key: str, evidence: Evidence) -> CompanyClaim:
        """Store the claim, lead every proof to its company, and return the claim. Companies that
        turn out to be one are reached by the connections of all of them.

        Proofs may have led to other companies. The last claims of those are written as they are, so
        that another request which claims one of them at once is refused.
        """
        now = self._clock.now()
        stored = evidence.claims.get(company_key) or self._companies.get(company_key)
        is_kept = connection.is_syncing and _is_held(stored, connection)
        claim = stored.value if is_kept else None
        since = connection.created_at if connection.is_syncing else now
        claim = claim or _claim(connection, company_key, since)
        before = stored.value.connection_ids if stored.value else ()
        claim = claim.beside((*before, *evidence.connection_ids))
        claims = [(claim, stored.version)]
        for key, other in evidence.claims.items():
            if key != company_key and other.value:
                claims.append((other.value.ended(now), other.version))
        proofs = dict.fromkeys((*evidence.own, *evidence.known))
        led = {proof: evidence.known.get(proof, "") for proof in proofs}
        moved = {proof: was for proof, was in led.items() if was != company_key}
        self._companies.save(claims, company_key=company_key, proofs=moved)
        return claim


def _key_for(connection: Connection, evidence: Evidence, known: Connection | None) -> str:
    """Return the company's key: kept while a connection goes on, else found by proof, else new.

    The ledger of a connection of version 0.1.0 is kept by the connection's id, which becomes the
    company's key.
    """
    own = known.company_key if known else ""
    if own and (connection.is_syncing or own in evidence.company_keys):
        return own
    if evidence.company_keys:
        return evidence.company_keys[0]
    return known.connection_id if known and not own else new_id()


def _claim(connection: Connection, company_key: str, claimed_at: datetime) -> CompanyClaim:
    return CompanyClaim(company_key, connection.connection_id, connection.partner_id, claimed_at)


def _is_held(stored: Stored[CompanyClaim], connection: Connection) -> bool:
    claim = stored.value
    return bool(claim and not claim.ended_at and claim.connection_id == connection.connection_id)
