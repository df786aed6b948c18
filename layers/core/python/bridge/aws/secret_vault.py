"""The vault keeps credentials in Secrets Manager, one secret a connection.

It holds keys in memory for an hour, together with the member that they belong to: a payment states
the member of the very keys that made it. Keys whose member is yet to be found are held for five
minutes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bridge.aws.errors import ResourceExistsError, WrongStateError, translated
from bridge.domain.connection import Credentials
from bridge.domain.errors import NotFoundError, PermanentError
from bridge.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

RECOVERY_DAYS = 7
"""A deleted secret can be brought back for so long; connecting again within that time does it."""
KEYS_LIFE = timedelta(hours=1)
"""Keys that were replaced elsewhere may be used for so long, unless ConnectWise rejects them."""
SHORT_LIFE = timedelta(minutes=5)
MAX_CACHED = 500
_FIELDS = ("company_id", "public_key", "private_key", "callback_secret")
_LATER_FIELDS = ("member_identifier",)
"""Secrets of version 0.1.0 lack them."""


class ClientIdSecret:
    """The bridge's own ConnectWise client id lies in one secret, and stays in memory."""

    def __init__(self, client: SecretsManagerClient, clock: Clock, name: str) -> None:
        self._client = client
        self._name = name
        self._kept: _Cache[str] = _Cache(clock)

    def read(self) -> str:
        return self._kept.get(self._name, self._fetch, life_of=lambda _: SHORT_LIFE)

    def _fetch(self, name: str) -> str:
        with translated("Secrets Manager"):
            return self._client.get_secret_value(SecretId=name)["SecretString"].strip()


class SecretsManagerVault:
    """Secrets Manager fulfils :class:`bridge.ports.SecretVault`.

    ``name_prefix`` comes before the connection's id in a secret's name.
    """

    def __init__(
        self,
        client: SecretsManagerClient,
        clock: Clock,
        *,
        name_prefix: str,
        client_id_secret: str,
    ) -> None:
        self._client = client
        self._name_prefix = name_prefix
        self._client_id = ClientIdSecret(client, clock, client_id_secret)
        self._credentials: _Cache[Credentials] = _Cache(clock)

    def put_credentials(self, connection_id: str, credentials: Credentials) -> None:
        name, content = self._name(connection_id), _content(credentials)
        self._credentials.forget(connection_id)
        try:
            self._put(name, content)
        except NotFoundError:
            self._create(name, content)
        except WrongStateError:
            # It waits for its deletion: the partner connects again.
            with translated("Secrets Manager"):
                self._client.restore_secret(SecretId=name)
            self._put(name, content)

    def replace_credentials(self, connection_id: str, credentials: Credentials) -> None:
        self._credentials.forget(connection_id)
        try:
            self._put(self._name(connection_id), _content(credentials))
        except WrongStateError as error:
            raise NotFoundError("the credentials were deleted") from error

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        """Return the credentials. Raises NotFoundError for a connection whose secret is gone."""
        if is_fresh:
            self._credentials.forget(connection_id)
        return self._credentials.get(connection_id, self._read_credentials, life_of=_life_of)

    def delete_credentials(self, connection_id: str) -> None:
        self._credentials.forget(connection_id)
        try:
            with translated("Secrets Manager"):
                self._client.delete_secret(
                    SecretId=self._name(connection_id),
                    RecoveryWindowInDays=RECOVERY_DAYS,
                )
        except (NotFoundError, WrongStateError):
            # It is gone, or waits for its deletion already.
            return

    def get_client_id(self) -> str:
        return self._client_id.read()

    def _put(self, name: str, content: str) -> None:
        with translated("Secrets Manager"):
            self._client.put_secret_value(SecretId=name, SecretString=content)

    def _create(self, name: str, content: str) -> None:
        try:
            with translated("Secrets Manager"):
                self._client.create_secret(Name=name, SecretString=content)
        except ResourceExistsError:
            self._put(name, content)

    def _read_credentials(self, connection_id: str) -> Credentials:
        try:
            content: Any = json.loads(self._read(self._name(connection_id)))
            known = {field: str(content[field]) for field in _FIELDS}
            later = {field: str(content.get(field, "")) for field in _LATER_FIELDS}
            return Credentials(**known, **later)
        except WrongStateError as error:
            raise NotFoundError("the credentials were deleted") from error
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentError("the stored credentials cannot be read") from error

    def _read(self, name: str) -> str:
        with translated("Secrets Manager"):
            return self._client.get_secret_value(SecretId=name)["SecretString"]

    def _name(self, connection_id: str) -> str:
        return f"{self._name_prefix}{connection_id}"


def _content(credentials: Credentials) -> str:
    fields = (*_FIELDS, *_LATER_FIELDS)
    return json.dumps({field: getattr(credentials, field) for field in fields})


def _life_of(credentials: Credentials) -> timedelta:
    return KEYS_LIFE if credentials.member_identifier else SHORT_LIFE


class _Cache(Generic[T]):
    """A cache keeps each value for its life, and at most MAX_CACHED of them.

    Threads share it; two that miss the same value at once both read it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[T, datetime]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, read: Callable[[str], T], *, life_of: Callable[[T], timedelta]) -> T:
        now = self._clock.now()
        with self._lock:
            kept = self._entries.get(name)
        if kept and kept[1] > now:
            return kept[0]
        value = read(name)
        with self._lock:
            self._entries.pop(name, None)
            if len(self._entries) >= MAX_CACHED:
                del self._entries[next(iter(self._entries))]
            self._entries[name] = (value, now + life_of(value))
        return value

    def forget(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)
