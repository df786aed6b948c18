"""The access to one company's API: where it answers, and the headers by which it knows us.

Keys may be replaced in the vault, and a cloud upgrade moves a company to another codebase. Both are
noticed by a rejected call, and read again then.
Source of the facts: ConnectWise developer guide (authentication, versions, cloud upgrades).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Protocol

from bridge.domain.connection import Credentials, PsaAddress
from bridge.domain.errors import CredentialsRejectedError, NotFoundError

ACCEPT_JSON = "application/vnd.connectwise.com+json; version=2025.1"
"""Pins the model of the records; ConnectWise keeps a version for a year (developer guide)."""


class CredentialsReader(Protocol):
    def __call__(self, *, is_fresh: bool = False) -> Credentials: ...


class Access:
    """The access of one connection.

    ``rediscover`` finds the company's present address, and ``on_codebase_changed`` is told of one
    that differs from the known one.
    """

    def __init__(
        self,
        *,
        address: PsaAddress,
        credentials: CredentialsReader,
        client_id: Callable[[], str],
        rediscover: Callable[[], PsaAddress],
        on_codebase_changed: Callable[[PsaAddress], None],
    ) -> None:
        self.address = address
        self.renewals = 0
        """So often keys or address were found anew. A call that began before a renewal, and was
        rejected after it, tells nothing of the new ones."""
        self.credentials: Credentials | None = None
        """The keys of the latest call, which are kept until ConnectWise rejects them."""
        self._read_credentials = credentials
        self._read_client_id = client_id
        self._rediscover = rediscover
        self._on_codebase_changed = on_codebase_changed
        self._headers: Mapping[str, str] | None = None

    def headers(self) -> Mapping[str, str]:
        """Return the headers that identify us, which are kept until ConnectWise rejects them."""
        if self._headers is None:
            self._headers = {
                "Authorization": basic_authorization(self.keys()),
                "clientId": self._read_client_id(),
                "Accept": ACCEPT_JSON,
            }
        return self._headers

    def keys(self) -> Credentials:
        """Return the next call's keys; CredentialsRejectedError says that the vault lacks them."""
        if self.credentials is None:
            self.credentials = self._read_keys(is_fresh=False)
        return self.credentials

    def renew_keys(self) -> bool:
        """Read the stored keys again and tell whether they changed."""
        before = self.credentials
        self.credentials = self._read_keys(is_fresh=True)
        self._headers = None
        if before == self.credentials:
            return False
        self.renewals += 1
        return True

    def renew_address(self) -> bool:
        """Find the company's address anew and tell whether it moved."""
        found = self._rediscover()
        if found == self.address:
            return False
        self.address = found
        self.renewals += 1
        self._on_codebase_changed(found)
        return True

    def _read_keys(self, *, is_fresh: bool) -> Credentials:
        try:
            return self._read_credentials(is_fresh=is_fresh)
        except NotFoundError as error:
            raise CredentialsRejectedError("no keys are stored") from error


def basic_authorization(credentials: Credentials) -> str:
    """Return the Authorization header of an API member: company id and key pair."""
    user = f"{credentials.company_id}+{credentials.public_key}"
    token = b64encode(f"{user}:{credentials.private_key}".encode()).decode()
    return f"Basic {token}"
