"""Two sources fetch the keys that sign callbacks: as anybody may, and with an API member's keys.

Source of the facts: ConnectWise developer guide, callbacks. By some reports a key is open to
everybody, by others it wants the client id or an API member's keys. The webhook receiver asks with
the client id alone; a worker asks again with the member's keys where that is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from bridge.connectwise.access import basic_authorization
from bridge.connectwise.call_limits import CallLimits
from bridge.connectwise.callbacks import check_key_url
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.exchange import Answer, exchange
from bridge.domain.errors import KeyWithheldError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from bridge.domain.callback_endpoint import CallbackEndpoint
    from bridge.ports import SecretVault

FETCH_SECONDS = 2.0
"""The receiver's request takes this long at most: a callback must be answered in five seconds."""
WORKER_FETCH_SECONDS = 5.0
MAX_KEY_BYTES = 64 * 1024
MAX_KEY_CHARACTERS = 1_024

_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class OpenSigningKeys:
    """ConnectWise's key pages fulfil ``ports.SigningKeySource``, as far as they are for everybody.

    ``transport`` is a guarded one; ``client_id`` reads the product's own id, and ``monotonic``
    measures the time limit.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport,
        client_id: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
        allow_loopback: bool = False,
    ) -> None:
        self._transport = transport
        self._client_id = client_id
        self._monotonic = monotonic
        self._allow_loopback = allow_loopback

    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        _check(endpoint, key_url, allow_loopback=self._allow_loopback)
        ends_at = self._monotonic() + FETCH_SECONDS
        headers = {"clientId": self._client_id()}
        return _fetch(self._transport, key_url, headers, ends_at - self._monotonic())


class MemberSigningKeys:
    """ConnectWise's key pages fulfil ``ports.SigningKeySource`` by means of a member's keys.

    These go to the connection's own API host only. ``transport`` is a guarded one.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport,
        vault: SecretVault,
        allow_loopback: bool = False,
    ) -> None:
        self._transport = transport
        self._vault = vault
        self._allow_loopback = allow_loopback

    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        _check(endpoint, key_url, allow_loopback=self._allow_loopback)
        try:
            # A key is kept for an hour, so that this is asked for as seldom.
            credentials = self._vault.get_credentials(endpoint.connection_id, is_fresh=True)
        except NotFoundError as error:
            raise UnavailableError("no keys are stored") from error
        headers = {
            "clientId": self._vault.get_client_id(),
            "Authorization": basic_authorization(credentials),
        }
        parts = urlsplit(key_url)
        at_api = f"{endpoint.address.api_origin}{parts.path}?{parts.query}"
        return _fetch(self._transport, at_api, headers, WORKER_FETCH_SECONDS)


def _check(endpoint: CallbackEndpoint, key_url: str, *, allow_loopback: bool) -> None:
    check_key_url(key_url, endpoint.address, endpoint.company_id, allow_loopback=allow_loopback)


def _fetch(
    transport: httpx.BaseTransport, url: str, headers: Mapping[str, str], seconds: float
) -> str:
    if seconds <= 0:
        raise UnavailableError("no signing key in time")
    asked = {**headers, "Accept": "application/json, */*"}
    limits = CallLimits(seconds, MAX_KEY_BYTES)
    try:
        answer = exchange(transport, "GET", url, limits=limits, headers=asked)
    except (httpx.RequestError, UnsafeAnswerError) as error:
        raise UnavailableError("no signing key could be read") from error
    return _signing_key(answer)


def _signing_key(answer: Answer) -> str:
    """Return the key; it is served as JSON, but labelled as text."""
    if answer.status in _REFUSALS:
        raise KeyWithheldError("the signing key is for API members")
    if not answer.is_success or len(answer.body) > MAX_KEY_BYTES:
        raise UnavailableError(f"the signing key answered {answer.status}")
    value = answer.json()
    key = value.get("signing_key") if isinstance(value, dict) else None
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise UnavailableError("the answer holds no signing key")
    return key
