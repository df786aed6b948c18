"""Servers out of reach are told apart here by the cause, from the types of errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpcore
import httpx

from bridge.connectwise.resolver import HostUnknownError
from bridge.domain.errors import SiteUnreachableError, UnreachedCause

_CAUSES: tuple[tuple[type[BaseException], UnreachedCause], ...] = (
    (HostUnknownError, UnreachedCause.HOST_UNKNOWN),
    (ssl.SSLCertVerificationError, UnreachedCause.CERTIFICATE_INVALID),
    (ssl.SSLError, UnreachedCause.NO_TLS),
    (ConnectionRefusedError, UnreachedCause.PORT_CLOSED),
)
_BEFORE_THE_REQUEST = (httpx.ConnectError, httpx.ConnectTimeout, httpcore.ConnectError)
_MAX_CAUSES = 10


def origin_of(url: str) -> str:
    """Return scheme and host of a URL, and the port where it names one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def unreached(error: Exception, url: str) -> SiteUnreachableError | None:
    """Return the cause of a connection that failed, None for a failure after there was one."""
    if not isinstance(error, _BEFORE_THE_REQUEST):
        return None
    return SiteUnreachableError(_cause(error), origin_of(url))


def silent(url: str) -> SiteUnreachableError:
    """Return the error for a server that takes connections and stays silent."""
    return SiteUnreachableError(UnreachedCause.NO_ANSWER, origin_of(url))


def _cause(error: BaseException) -> UnreachedCause:
    for each in _chain(error):
        for kind, cause in _CAUSES:
            if isinstance(each, kind):
                return cause
    return UnreachedCause.NO_ANSWER


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it."""
    each: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__
