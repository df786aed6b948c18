"""The intake checks a callback and stores it durably as a hint to fetch the record again.

Imports stay lean, because this is the one path where ConnectWise waits (five seconds at most).
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from bridge.connectwise.callbacks import (
    MAX_BODY_BYTES,
    CallbackRejectedError,
    Rejection,
    check_key_url,
    check_secret,
    parse_callback,
)
from bridge.domain.errors import RetryableError, UnsafeAddressError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import is_platform_id
from bridge.domain.shares import Shares
from bridge.log_fields import add_log_fields, log_fields

if TYPE_CHECKING:
    from bridge.connectwise.signature_check import SignatureCheck
    from bridge.domain.callback_endpoint import CallbackEndpoint
    from bridge.ports import CallbackEndpointStore, Clock, HintQueue

PER_SECOND, BURST = 20, 200
"""One connection's callbacks in one process. An edit of 500 invoices at once is through in 15
seconds, as ConnectWise repeats the callbacks over the share."""
REFUSED_FOR = timedelta(seconds=10)
MAX_REFUSED_PATHS = 1_000

_logger = logging.getLogger(__name__)


class Verdict(Enum):
    """A verdict is the status that the sender gets.

    ConnectWise repeats a delivery on 404 and 429 only (developer guide, callbacks), so a failure
    on our side answers 429.
    """

    ACCEPTED = 204
    MALFORMED = 400
    FORGED = 401
    UNKNOWN = 404
    TOO_LARGE = 413
    AGAIN = 429


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback is one delivery of ConnectWise's as it came."""

    connection_id: str
    """From the path, as the secret is."""
    secret: str
    body: bytes
    """The raw body, which the signature is for."""
    signature: str | None
    """The signature header."""


class RefusedPaths:
    """Paths that were refused a moment ago are refused again from memory.

    So a flood on one path costs little, whether its connection is unknown or its secret wrong.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: dict[bytes, datetime] = {}

    def require_new(self, callback: Callback) -> None:
        """Raise CallbackRejectedError for a path that was refused within ``REFUSED_FOR``."""
        refused_at = self._refused.get(_digest(callback))
        if refused_at is not None and refused_at + REFUSED_FOR > self._clock.now():
            raise CallbackRejectedError(Rejection.SECRET)

    def add(self, callback: Callback) -> None:
        if len(self._refused) >= MAX_REFUSED_PATHS:
            self._refused.clear()
        self._refused[_digest(callback)] = self._clock.now()


def _digest(callback: Callback) -> bytes:
    path = f"{callback.connection_id}/{callback.secret}"
    return hashlib.sha256(path.encode(errors="replace")).digest()


class CallbackIntake:
    """The intake checks callbacks and turns good ones into hints."""

    def __init__(
        self,
        *,
        endpoints: CallbackEndpointStore,
        signatures: SignatureCheck,
        hints: HintQueue,
        clock: Clock,
        allow_loopback: bool = False,
    ) -> None:
        self._endpoints = endpoints
        self._signatures = signatures
        self._hints = hints
        self._clock = clock
        self._allow_loopback = allow_loopback
        self._shares = Shares(per_second=PER_SECOND, burst=BURST)
        self._refused = RefusedPaths(clock)

    def take(self, callback: Callback) -> Verdict:
        """Accept a callback once it is durable, or return the verdict against it.

        An unknown connection and a wrong secret look the same. A callback about anything but
        invoices and companies is accepted and dropped.
        """
        with log_fields():
            try:
                return self._take(callback)
            except CallbackRejectedError as error:
                _logger.warning("callback rejected: %s", error.reason.value)
                return _VERDICTS.get(error.reason, Verdict.MALFORMED)
            except UnsafeAddressError:
                _logger.warning("callback rejected: key_url")
                return Verdict.FORGED
            except RetryableError as error:
                _logger.warning("callback put off: %s", type(error).__name__)
                return Verdict.AGAIN

    def _take(self, callback: Callback) -> Verdict:
        if len(callback.body) > MAX_BODY_BYTES:
            raise CallbackRejectedError(Rejection.TOO_LARGE)
        endpoint = self._endpoint_of(callback)
        self._shares.take(endpoint.connection_id, self._clock.now())
        hint = parse_callback(callback.body, endpoint.company_id)
        check_key_url(
            hint.key_url,
            endpoint.address,
            endpoint.company_id,
            allow_loopback=self._allow_loopback,
        )
        self._signatures.check(endpoint, hint.key_url, callback.body, callback.signature)
        if hint.record_kind is not None:
            self._hints.send(
                [
                    Hint(
                        endpoint.connection_id,
                        hint.record_kind,
                        hint.source_id,
                        HintReason.CALLBACK,
                        partner_id=endpoint.partner_id,
                    )
                ]
            )
        return Verdict.ACCEPTED

    def _endpoint_of(self, callback: Callback) -> CallbackEndpoint:
        """Return the endpoint whose secret is in the path. Raises CallbackRejectedError."""
        is_id = is_platform_id(callback.connection_id)
        if is_id:
            add_log_fields(connection_id=callback.connection_id)
        self._refused.require_new(callback)
        endpoint = self._endpoints.get(callback.connection_id) if is_id else None
        try:
            check_secret(callback.secret, endpoint.secret if endpoint else None, self._clock.now())
        except CallbackRejectedError:
            self._refused.add(callback)
            raise
        if endpoint is None:
            raise CallbackRejectedError(Rejection.SECRET)
        add_log_fields(partner_id=endpoint.partner_id)
        return endpoint


_VERDICTS: dict[Rejection, Verdict] = {
    Rejection.SECRET: Verdict.UNKNOWN,
    Rejection.TOO_LARGE: Verdict.TOO_LARGE,
    Rejection.OTHER_COMPANY: Verdict.FORGED,
    Rejection.KEY_URL: Verdict.FORGED,
    Rejection.SIGNATURE: Verdict.FORGED,
}
