"""The proofs of the ConnectWise company behind a connection are gathered here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.connections.callback_url import CallbackAddress, read_callback_url
from bridge.domain.company import (
    CompanyClaim,
    CompanyProof,
    ProofKind,
    cloud_proof,
    secret_proofs,
)
from bridge.domain.connection import SET_UP_LEASE, Connection, ConnectionState
from bridge.ports import Clock, CompanyStore, ConnectionStore, Psa, Stored

MAX_REGISTRATIONS = 60
"""So many registrations of bridges are looked into, those of this installation first."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence leads from the proofs of one connection to companies and their claims."""

    own: tuple[CompanyProof, ...]
    """These are the proofs of the connection itself."""
    known: Mapping[CompanyProof, str]
    """The company key of each proof that leads to one, the strongest proofs first."""
    claims: Mapping[str, Stored[CompanyClaim]]
    """The last claim of each company, by its key."""
    unproven: tuple[CompanyClaim, ...] = ()
    """The claims that are yet to be stored, of connections of version 0.1.0 and of the later one of
    a pair whose earlier one has ended."""
    listed: tuple[Connection, ...] = ()
    """The other connections whose present registrations the server's list shows."""
    has_other_bridge: bool = False
    """Another installation of the bridge is registered there."""

    @property
    def company_keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.known.values()))

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """Return every connection that these companies are known to be reached by."""
        return _connection_ids(each.value for each in self.claims.values() if each.value)

    def ids_beside(self, connection_id: str) -> tuple[str, ...]:
        """Return the connections that surely reach the same company as this one: at its place in
        the cloud, or where each one's server lists the registration of the other.

        One list alone is its server's word: what others own is neither read nor believed for it.
        """
        in_cloud = self.keys_by(ProofKind.CLOUD)
        mutual = {e.connection_id for e in self.listed if connection_id in e.listed_connections}
        stored = [each.value for each in self.claims.values() if each.value]
        claims = [
            claim
            for claim in (*stored, *self.unproven)
            if claim.company_key in in_cloud or claim.connection_id in mutual
        ]
        found = dict.fromkeys((*_connection_ids(claims), *sorted(mutual)))
        return tuple(each for each in found if each != connection_id)

    def keys_by(self, kind: ProofKind) -> frozenset[str]:
        """Return the keys of the companies that proofs of a kind lead to."""
        return frozenset(key for proof, key in self.known.items() if proof.kind is kind)

    def claim_of(self, company_key: str) -> CompanyClaim | None:
        stored = self.claims.get(company_key)
        return stored.value if stored else None

    def rivals(self, connection_id: str) -> tuple[CompanyClaim, ...]:
        """Return the claims of other connections, the earliest first."""
        stored = [each.value for each in self.claims.values() if each.value]
        others = [each for each in (*stored, *self.unproven) if each.connection_id != connection_id]
        return tuple(sorted(others, key=lambda claim: claim.order))


class CompanyProofs:
    """A connection's proofs are its place in the cloud, its public key and callback secrets."""

    def __init__(
        self,
        companies: CompanyStore,
        connections: ConnectionStore,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._companies = companies
        self._connections = connections
        self._clock = clock
        self._webhook_base_url = webhook_base_url.rstrip("/")

    def of_server(self, connection: Connection, public_key: str, psa: Psa) -> Evidence:
        """Return the evidence of a connection and of its server's list of registrations.

        The keys must be proven to work already. Raises the errors of ConnectWise.
        """
        own = self.of_keys(connection, public_key)
        return self._evidence(connection, own, self._registered(psa.list_callback_urls()))

    def of_keys(self, connection: Connection, public_key: str) -> tuple[CompanyProof, ...]:
        """Return the proofs of the connection itself, by its present or its future public key."""
        place = cloud_proof(connection.address, connection.company_id)
        return (
            *((place,) if place else ()),
            *((CompanyProof.of(ProofKind.PUBLIC_KEY, public_key),) if public_key else ()),
            *secret_proofs(connection.callback_secret),
        )

    def _registered(self, urls: Iterable[str]) -> tuple[CallbackAddress, ...]:
        """Return the registrations of bridges, those of this installation first."""
        found = {address for url in urls if (address := read_callback_url(url))}
        in_order = sorted(found, key=lambda each: (self._is_foreign(each), each.connection_id))
        return tuple(in_order[:MAX_REGISTRATIONS])

    def _evidence(
        self,
        connection: Connection,
        own: tuple[CompanyProof, ...],
        registered: Collection[CallbackAddress],
    ) -> Evidence:
        listed = {each: _proof_of(each) for each in registered}
        proofs = dict.fromkeys((*own, *listed.values()))
        found = self._companies.find(list(proofs))
        known = {proof: found[proof] for proof in proofs if proof in found}
        company_keys = dict.fromkeys([*known.values(), connection.company_key])
        claims = {key: self._present_claim(key) for key in company_keys if key}
        others, unproven, is_foreign = [], [], False
        for address, proof in listed.items():
            if proof in own:
                continue
            other = self._connection_at(address, proof)
            if other:
                others.append(other)
            if other and not _is_claimed(claims.get(found.get(proof, ""))):
                unproven.append(_claim_before(other))
            is_foreign |= not other and proof not in found and self._is_foreign(address)
        return Evidence(
            own=own,
            known=known,
            claims=claims,
            unproven=tuple(unproven),
            listed=tuple(others),
            has_other_bridge=is_foreign,
        )

    def _present_claim(self, company_key: str) -> Stored[CompanyClaim]:
        """Return the claim, whose end is stored here if disconnecting broke off before that."""
        stored = self._companies.get(company_key)
        if stored.value is None or stored.value.ended_at:
            return stored
        ended_at = self._end_of(stored.value)
        if ended_at is None:
            return stored
        ended = stored.value.ended(ended_at)
        self._companies.save([(ended, stored.version)])
        return Stored(ended, stored.version + 1)

    def _end_of(self, claim: CompanyClaim) -> datetime | None:
        """Return the end of a claim by its connection: disconnected, or a set-up that broke off."""
        now = self._clock.now()
        connection = self._connections.get(claim.connection_id).value
        if connection and connection.is_syncing:
            return None
        if connection and connection.state is ConnectionState.DISCONNECTED:
            is_set_up = claim.claimed_at + SET_UP_LEASE < now
            return now if is_set_up else None
        abandoned_at = claim.claimed_at + SET_UP_LEASE
        return abandoned_at if abandoned_at < now else None

    def _connection_at(self, address: CallbackAddress, proof: CompanyProof) -> Connection | None:
        """Return the syncing connection that this registration belongs to by its secret, if any."""
        named = self._connections.get(address.connection_id).value
        if named is None or not named.is_syncing:
            return None
        return named if proof in secret_proofs(named.callback_secret) else None

    def _is_foreign(self, address: CallbackAddress) -> bool:
        return address.base != self._webhook_base_url


def _is_claimed(stored: Stored[CompanyClaim] | None) -> bool:
    """Tell whether a company is claimed by a connection that goes on."""
    return stored is not None and stored.value is not None and not stored.value.ended_at


def _connection_ids(claims: Iterable[CompanyClaim]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for claim in claims for each in claim.connection_ids))


def _proof_of(address: CallbackAddress) -> CompanyProof:
    return CompanyProof.of(ProofKind.CALLBACK_SECRET, address.secret)


def _claim_before(connection: Connection) -> CompanyClaim:
    """Return the claim that a connection of version 0.1.0 has had since it was made."""
    return CompanyClaim(
        connection.company_key or connection.connection_id,
        connection.connection_id,
        connection.partner_id,
        connection.created_at,
    )
