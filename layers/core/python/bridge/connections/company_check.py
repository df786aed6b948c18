"""A connection's claim of its company is checked here: given, kept, or found to be another's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bridge.connections.company_claims import CompanyClaims
from bridge.connections.company_proofs import CompanyProofs, Evidence
from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.payment_stops import PaymentStops
from bridge.domain.company import CompanyClaim, CompanyProof, ProofKind
from bridge.domain.connection import Connection, ConnectionState, PaymentsStop
from bridge.domain.errors import ConflictError, NotFoundError
from bridge.ports import CompanyStore, Psa
from bridge.ports.stored import MAX_ROUNDS


@dataclass(frozen=True, slots=True)
class _Finding:
    """A check finds the key of the company, unless an earlier claim stands in the way."""

    company_key: str
    is_stopped: bool
    ids_beside: tuple[str, ...]
    """The other connections that surely reach the company."""
    listed_ids: tuple[str, ...]
    """The other connections that the server lists."""


class CompanyCheck:
    """Of two connections to one company, the later one's payments are stopped.

    The list of a server stops the server's own connection alone.
    """

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        companies: CompanyStore,
        proofs: CompanyProofs,
        claims: CompanyClaims,
        stops: PaymentStops,
    ) -> None:
        self._owned = owned
        self._companies = companies
        self._proofs = proofs
        self._claims = claims
        self._stops = stops

    def check(self, connection: Connection, public_key: str, psa: Psa) -> Connection:
        """Claim the company for the connection, or stop its payments; return it as stored then.

        The keys must be proven to work already. A connection of version 0.1.0 gets its company's
        key here, its claim counting from when it was made. Raises ConflictError, and the errors
        of ConnectWise; everything stays as it was then.
        """
        scope = (connection.partner_id, connection.connection_id)
        for _ in range(MAX_ROUNDS):
            present = self._owned.get(*scope)
            if present.state is ConnectionState.DISCONNECTED:
                return present
            try:
                found = self._find(present, self._proofs.of_server(present, public_key, psa))
            except ConflictError:
                continue
            changed = self._owned.change(*scope, lambda stored: _noted(stored, found))  # noqa: B023
            self._stops.show(changed)
            return changed
        raise ConflictError("others keep claiming the company")

    def _find(self, connection: Connection, evidence: Evidence) -> _Finding:
        listed_ids = tuple(each.connection_id for each in evidence.listed)
        rival = self._rival(connection, evidence)
        if rival is None:
            claim = self._claim(connection, evidence)
            return _Finding(
                claim.company_key,
                is_stopped=False,
                ids_beside=claim.reached_by,
                listed_ids=listed_ids,
            )
        if not connection.company_key:
            self._join(connection, rival, evidence)
        beside = evidence.ids_beside(connection.connection_id)
        return _Finding(
            connection.company_key, is_stopped=True, ids_beside=beside, listed_ids=listed_ids
        )

    def _join(self, connection: Connection, rival: CompanyClaim, evidence: Evidence) -> None:
        """Lead the connection's proofs to the company that another one claims, and let that one
        know of it if it is surely the same: both may own payments there, of a time before companies
        were claimed."""
        fresh = {proof: "" for proof in evidence.own if proof not in evidence.known}
        is_sure = rival.connection_id in evidence.ids_beside(connection.connection_id)
        stored = self._companies.get(rival.company_key)
        known = stored.value.beside([connection.connection_id]) if stored.value else None
        is_new = is_sure and known != stored.value
        claims = [(known, stored.version)] if known and is_new else []
        self._companies.save(claims, company_key=rival.company_key, proofs=fresh)

    def _rival(self, connection: Connection, evidence: Evidence) -> CompanyClaim | None:
        """Return another connection's claim that comes before this one's, the earliest.

        A later one comes before it, too, where the public key alone leads there: any server may
        accept that.
        """
        own = _own_claim(connection, evidence)
        since = own.order if own else (connection.created_at, connection.connection_id)
        by_key = evidence.keys_by(ProofKind.PUBLIC_KEY)
        sure = evidence.ids_beside(connection.connection_id)
        for claim in evidence.rivals(connection.connection_id):
            if self._claims.is_free(claim, connection.partner_id):
                continue
            is_doubtful = claim.company_key in by_key and claim.connection_id not in sure
            is_ours = claim.company_key == connection.company_key
            if claim.order < since or is_ours or is_doubtful:
                return claim
        return None

    def _claim(self, connection: Connection, evidence: Evidence) -> CompanyClaim:
        """Store the claim with its proofs, and return it."""
        own = _own_claim(connection, evidence)
        company_key = (
            connection.company_key
            or (own.company_key if own else "")
            or self._first_key(connection, evidence)
        )
        stored = evidence.claims.get(company_key) or self._companies.get(company_key)
        is_own = own is not None and own == stored.value
        if stored.value and stored.value.connection_id != connection.connection_id:
            self._stop_other(stored.value)
        claim = own if own and is_own else _fresh_claim(connection, company_key)
        before = stored.value.connection_ids if stored.value else ()
        claim = claim.beside((*before, *evidence.ids_beside(connection.connection_id)))
        claims = [] if claim == stored.value else [(claim, stored.version)]
        led = _to_be_led(company_key, evidence)
        touched = {key for proof in led if (key := evidence.known.get(proof))}
        for key in touched - {company_key}:
            other = evidence.claims[key]
            if other.value:
                claims.append((other.value, other.version))
        self._companies.save(
            claims,
            company_key=company_key,
            proofs={proof: evidence.known.get(proof, "") for proof in led},
        )
        return claim

    def _stop_other(self, claim: CompanyClaim) -> None:
        """Stop the payments of the connection whose claim is about to be taken over, before two
        of them write: its own next check may be an hour off."""
        if claim.ended_at is None:
            # One that is yet to be stored is checked while it is set up.
            with suppress(NotFoundError):
                other = self._owned.get(claim.partner_id, claim.connection_id)
                self._stops.stop(other, PaymentsStop.COMPANY_CONNECTED_TWICE)

    def _first_key(self, connection: Connection, evidence: Evidence) -> str:
        """Return the key of a company that a connection of version 0.1.0 claims first.

        A later claim is taken over by a strong proof alone; that a server lists a registration is
        its own word.
        """
        for proof, company_key in evidence.known.items():
            claim = evidence.claim_of(company_key)
            is_strong = proof.kind is not ProofKind.CALLBACK_SECRET
            if is_strong or claim is None or self._claims.is_free(claim, connection.partner_id):
                return company_key
        return connection.connection_id


def _fresh_claim(connection: Connection, company_key: str) -> CompanyClaim:
    return CompanyClaim(
        company_key, connection.connection_id, connection.partner_id, connection.created_at
    )


def _own_claim(connection: Connection, evidence: Evidence) -> CompanyClaim | None:
    """Return the connection's claim that is going on, if it has one."""
    claims = [each.value for each in evidence.claims.values() if each.value]
    own = [
        claim
        for claim in claims
        if claim.connection_id == connection.connection_id and not claim.ended_at
    ]
    return own[0] if own else None


def _to_be_led(company_key: str, evidence: Evidence) -> Sequence[CompanyProof]:
    """Return the connection's own proofs that are unknown yet, or strong ones that lead astray."""
    return [
        proof
        for proof in evidence.own
        if proof not in evidence.known
        or (proof.kind is not ProofKind.CALLBACK_SECRET and evidence.known[proof] != company_key)
    ]


def _noted(stored: Connection, found: _Finding) -> Connection:
    if stored.state is ConnectionState.DISCONNECTED:
        return stored
    return replace(
        stored,
        company_key=stored.company_key or found.company_key,
        company_connections=found.ids_beside,
        listed_connections=found.listed_ids,
    ).with_payments_stopped(PaymentsStop.COMPANY_CONNECTED_TWICE, is_stopped=found.is_stopped)
