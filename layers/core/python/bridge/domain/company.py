"""A ConnectWise company is known again by proofs, and one connection at a time claims it.

A proof is something that only the same company can show: its place in ConnectWise's own cloud, the
public key of an API member, or the secret of a callback URL that we registered there. Names and
ids that a server gives itself may not count as one. Only hashes of proofs are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.domain.connection import CallbackSecret, PsaAddress

CLOUD_HOSTS = frozenset(
    {
        "na.myconnectwise.net",
        "eu.myconnectwise.net",
        "au.myconnectwise.net",
        "aus.myconnectwise.net",
        "za.myconnectwise.net",
        "staging.connectwisedev.com",
    }
)
"""ConnectWise's own hosts (developer guide, cloud URL formatting)."""


class ProofKind(StrEnum):
    """The kinds of proofs, the strongest first."""

    CLOUD = "cloud"
    PUBLIC_KEY = "public_key"
    CALLBACK_SECRET = "callback_secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class CompanyProof:
    """A proof leads to the company that has shown it."""

    kind: ProofKind
    digest: str
    """The SHA-256 of the text that was shown."""

    @classmethod
    def of(cls, kind: ProofKind, shown: str) -> CompanyProof:
        return cls(kind, hashlib.sha256(shown.encode()).hexdigest())


MAX_REACHED_BY = 20
"""A claim names so many other connections of its company at most, the latest ones."""


@dataclass(frozen=True, slots=True)
class CompanyClaim:
    """A claim gives a company to one connection, until it is ended."""

    company_key: str
    connection_id: str
    partner_id: str
    claimed_at: datetime
    ended_at: datetime | None = None
    reached_by: tuple[str, ...] = ()
    """The other connections that were proven to reach the company, the latest last: what they
    posted and own there counts, too."""

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """Return every connection that is known to reach the company, or to have reached it."""
        return (*self.reached_by, self.connection_id)

    def beside(self, connection_ids: Iterable[str]) -> CompanyClaim:
        """Return the claim with further connections that reach the company."""
        known = dict.fromkeys((*self.reached_by, *connection_ids))
        known.pop(self.connection_id, None)
        return replace(self, reached_by=tuple(known)[-MAX_REACHED_BY:])

    @property
    def order(self) -> tuple[datetime, str]:
        """Return the place in the order of claims: of two at once the earlier one stands."""
        return self.claimed_at, self.connection_id

    def ended(self, at: datetime) -> CompanyClaim:
        """Return the claim ended; the first end stays."""
        return self if self.ended_at else replace(self, ended_at=at)

    def is_free(self, partner_id: str, now: datetime, *, wait: timedelta) -> bool:
        """Tell whether this partner may claim the company now.

        Another partner waits until each request of the ended claim is over and visible.
        """
        if self.ended_at is None:
            return False
        return self.partner_id == partner_id or now >= self.ended_at + wait


def cloud_proof(address: PsaAddress, company_id: str) -> CompanyProof | None:
    """Return the proof by region and login company id, None outside ConnectWise's own cloud."""
    scheme, _, host = address.site_url.partition("://")
    if scheme != "https" or host not in CLOUD_HOSTS:
        return None
    return CompanyProof.of(ProofKind.CLOUD, f"{host}/{company_id.casefold()}")


def secret_proofs(secret: CallbackSecret | None) -> tuple[CompanyProof, ...]:
    """Return the proofs by the live secrets of a callback URL."""
    digests = (secret.current_sha256, secret.previous_sha256) if secret else ()
    return tuple(CompanyProof(ProofKind.CALLBACK_SECRET, each) for each in digests if each)
