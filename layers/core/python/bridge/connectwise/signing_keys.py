"""The source fetches the keys that sign callbacks.

Source of the facts: ConnectWise developer guide, callbacks. By some reports a key is open to
everybody, by others it wants the client id or an API member's keys. So both are sent, the member's
keys to the connection's own API host only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from bridge.connectwise.callbacks import check_key_url
from bridge.connectwise.client import basic_authorization
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.exchange import Answer, exchange
from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.errors import NotFoundError, UnavailableError
from bridge.ports import SecretVault

FETCH_SECONDS = 2.0
"""All requests together take this long at most: a callback must be answered in five seconds."""
MAX_KEY_BYTES = 64 * 1024
MAX_KEY_CHARACTERS = 1_024

_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class ConnectWiseSigningKeys:
    """ConnectWise's key pages fulfil ``ports.SigningKeySource``.

    ``transport`` is a guarded one with ``MAX_KEY_BYTES``; ``monotonic`` measures the time limit.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport,
        vault: SecretVault,
        monotonic: Callable[[], float] = time.monotonic,
        allow_loopback: bool = False,
    ) -> None:
        self._transport = transport
        self._vault = vault
        self._monotonic = monotonic
        self._allow_loopback = allow_loopback

    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        check_key_url(
            key_url,
            endpoint.address,
            endpoint.company_id,
            allow_loopback=self._allow_loopback,
        )
        ends_at = self._monotonic() + FETCH_SECONDS
        answer = self._get(endpoint, key_url, ends_at)
        if answer.status in _REFUSALS and not _is_at_api(endpoint, key_url):
            answer = self._get(endpoint, _at_api(endpoint, key_url), ends_at)
        return _signing_key(answer)

    def _get(self, endpoint: CallbackEndpoint, url: str, ends_at: float) -> Answer:
        seconds = ends_at - self._monotonic()
        if seconds <= 0:
            raise UnavailableError("no signing key in time")
        headers = {"clientId": self._vault.get_client_id(), "Accept": "application/json, */*"}
        if _is_at_api(endpoint, url):
            headers["Authorization"] = self._authorization(endpoint)
        try:
            return exchange(self._transport, "GET", url, seconds=seconds, headers=headers)
        except (httpx.RequestError, UnsafeAnswerError) as error:
            raise UnavailableError("no signing key could be read") from error

    def _authorization(self, endpoint: CallbackEndpoint) -> str:
        try:
            return basic_authorization(self._vault.get_credentials(endpoint.connection_id))
        except NotFoundError as error:
            raise UnavailableError("no keys are stored") from error


def _is_at_api(endpoint: CallbackEndpoint, url: str) -> bool:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() == endpoint.address.api_origin


def _at_api(endpoint: CallbackEndpoint, url: str) -> str:
    parts = urlsplit(url)
    return f"{endpoint.address.api_origin}{parts.path}?{parts.query}"


def _signing_key(answer: Answer) -> str:
    """Return the key; it is served as JSON, but labelled as text."""
    if not answer.is_success or len(answer.body) > MAX_KEY_BYTES:
        raise UnavailableError(f"the signing key answered {answer.status}")
    value = answer.json()
    key = value.get("signing_key") if isinstance(value, dict) else None
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise UnavailableError("the answer holds no signing key")
    return key
