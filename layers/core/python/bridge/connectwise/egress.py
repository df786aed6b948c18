"""All calls to a ConnectWise address go through this transport, which refuses unsafe addresses.

A partner types the site URL, and a callback's key_url comes from an unverified body. So an address
is trusted only as far as it is checked here: https on port 443 with a plain host name, which is
resolved once for each new connection. Every answer of the resolver must be a public IPv4 address,
and the connection goes to the address that was checked while TLS still verifies the name.
Redirects end the exchange. Each request brings the limits of its answer: the length, after
decompression, and the time of the whole exchange.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network

import httpcore
import httpx

from bridge.connectwise.call_limits import MAX_REFUSAL_BYTES, SMALL
from bridge.connectwise.resolver import Resolver, resolve_ipv4, resolve_within
from bridge.domain.errors import UnsafeAddressError

TOTAL_SECONDS = "total_seconds"
"""This request extension limits the time of the whole exchange."""
MAX_ANSWER_BYTES = "max_answer_bytes"
"""This request extension limits the length of the answer, decompressed."""
TOO_LARGE = "too_large"
"""The reason of an answer that is refused for its length."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})
LOOPBACK_ADDRESS = "127.0.0.1"

_HTTPS_PORT = 443
_MAX_URL_CHARACTERS = 4_096
_MAX_HOST_CHARACTERS = 253
_DECODED_CHUNK_BYTES = 64 * 1024
# gzip's own head and foot, and deflate's where nothing can be compressed.
_COMPRESSION_BYTES = 64 * 1024
_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
# Spaces, controls, backslashes and anything outside ASCII are read differently by different
# parsers, which is how a checked host and a called host come apart.
_PLAIN_TEXT = re.compile(r"[!-\[\]-~]+")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label has letters only (or is punycode), so no way of writing an IP address fits.
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})")
_IP_LITERAL = re.compile(r"\[.*\]|(?:0x)?[0-9a-f]*[0-9][0-9a-f]*(?:\.(?:0x)?[0-9a-f]+)*", re.I)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]{0,5}))?")
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.I)

_DENIED_NETWORKS = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)


class UnsafeAnswerError(UnsafeAddressError):
    """The address was safe and was called, but its answer is refused."""


@dataclass(frozen=True, slots=True)
class SafeUrl:
    """A safe URL is one whose parts passed the checks."""

    scheme: str
    host: str
    port: int
    rest: str
    """Path, query and fragment, as they were written."""

    @property
    def origin(self) -> str:
        """Return scheme and host, and the port where it differs from the scheme's own."""
        own_port = _HTTPS_PORT if self.scheme == "https" else 80
        port = "" if self.port == own_port else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def check_url(url: str, *, allow_loopback: bool = False) -> SafeUrl:
    """Return the parts of an absolute URL that may be called, as far as its text tells.

    ``allow_loopback`` (local runs only) also lets plain http and any port through, for 127.0.0.1
    and localhost alone. Raises UnsafeAddressError with one of the reasons characters, form,
    userinfo, port, scheme, ip_literal, host.
    """
    if len(url) > _MAX_URL_CHARACTERS or not _PLAIN_TEXT.fullmatch(url):
        raise UnsafeAddressError("characters")
    match = _URL.fullmatch(url)
    if match is None:
        raise UnsafeAddressError("form")
    if "@" in match["authority"]:
        raise UnsafeAddressError("userinfo")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None or authority["port"] == "":
        raise UnsafeAddressError("port")
    scheme, host = match["scheme"].lower(), authority["host"].lower()
    port = int(authority["port"] or (_HTTPS_PORT if scheme == "https" else 80))
    if allow_loopback and host in LOOPBACK_HOSTS and scheme in ("http", "https"):
        return SafeUrl(scheme, host, port, match["rest"])
    if scheme != "https":
        raise UnsafeAddressError("scheme")
    _check_host(host)
    if port != _HTTPS_PORT:
        raise UnsafeAddressError("port")
    return SafeUrl(scheme, host, port, match["rest"])


def _check_host(host: str) -> None:
    if len(host) <= _MAX_HOST_CHARACTERS and _HOST_NAME.fullmatch(host):
        return
    raise UnsafeAddressError("ip_literal" if _IP_LITERAL.fullmatch(host) else "host")


def check_addresses(addresses: Sequence[str]) -> str:
    """Return the address to connect to, after every one of them has been checked.

    Raises UnsafeAddressError (address) unless all are public IPv4 addresses: a name that leads
    both outside and inside is taken to lead inside.
    """
    if not addresses:
        raise UnsafeAddressError("address")
    for text in addresses:
        try:
            address = IPv4Address(text)
        except AddressValueError as error:
            raise UnsafeAddressError("address") from error
        is_denied = any(address in network for network in _DENIED_NETWORKS)
        if is_denied or not address.is_global or address.is_multicast:
            raise UnsafeAddressError("address")
    return addresses[0]


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Load the certificate authorities once, because that takes tens of milliseconds."""
    return httpx.create_ssl_context(verify=True, trust_env=False)


class GuardedTransport(httpx.HTTPTransport):
    """The transport sends requests to checked addresses only, one at a time in each thread.

    The limits are the request's own, or those of a small call. Of a refusal the first
    MAX_REFUSAL_BYTES are read.
    Raises UnsafeAddressError before anything is sent, UnsafeAnswerError for an answer that is a
    redirect (redirect), too long (too_large) or strangely encoded (encoding), and httpx's errors
    otherwise; the end of the total time is an ``httpx.ReadTimeout``.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolver: Resolver = resolve_ipv4,
        backend: httpcore.NetworkBackend | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        context = _tls_context()
        super().__init__(verify=context, trust_env=False)
        self._allow_loopback = allow_loopback
        self._deadline = _Deadline(monotonic)
        guarded = _CheckedBackend(
            backend or httpcore.SyncBackend(), resolver, self._deadline, allow_loopback
        )
        # httpx has no parameter for the network backend; a connection pool of httpcore has.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=10,
            max_keepalive_connections=5,
            keepalive_expiry=5.0,
            http1=True,
            http2=False,
            network_backend=guarded,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), allow_loopback=self._allow_loopback)
        self._deadline.start(float(request.extensions.get(TOTAL_SECONDS, SMALL.seconds)))
        max_bytes = int(request.extensions.get(MAX_ANSWER_BYTES, SMALL.answer_bytes))
        request.headers["Accept-Encoding"] = "gzip"
        response = super().handle_request(request)
        try:
            return _limited(response, max_bytes)
        except UnsafeAnswerError:
            response.close()
            raise


def _limited(response: httpx.Response, max_bytes: int) -> httpx.Response:
    if response.status_code in _REDIRECTS:
        raise UnsafeAnswerError("redirect")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise UnsafeAnswerError("encoding")
    headers = [
        (name, value)
        for name, value in response.headers.raw
        if name.lower() not in (b"content-encoding", b"content-length")
    ]
    is_refusal = response.status_code not in _SUCCESSES
    stream = _LimitedStream(
        response.stream,
        is_gzip=encoding == "gzip",
        max_bytes=min(max_bytes, MAX_REFUSAL_BYTES) if is_refusal else max_bytes,
        is_cut=is_refusal,
    )
    return httpx.Response(
        response.status_code, headers=headers, stream=stream, extensions=response.extensions
    )


class _Deadline(threading.local):
    """The deadline is the time at which the thread's present exchange must be over.

    Connections outlive exchanges and serve any thread, so they ask for the time of the thread that
    uses them: no exchange moves the end of another one that goes on beside it.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends_at = float("inf")

    def start(self, seconds: float) -> None:
        self._ends_at = self._monotonic() + seconds

    def limit(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
        """Return the seconds that one operation may take; raise ``error`` when time is up."""
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise error("total time used up")
        return left if timeout is None else min(timeout, left)


class _CheckedBackend(httpcore.NetworkBackend):
    """The backend resolves and checks a host for every new connection it makes.

    It connects to the checked address, so that the name cannot be resolved anew in between.
    """

    def __init__(
        self,
        inner: httpcore.NetworkBackend,
        resolver: Resolver,
        deadline: _Deadline,
        allow_loopback: bool,
    ) -> None:
        self._inner = inner
        self._resolver = resolver
        self._deadline = deadline
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = self._checked_address(host)
        stream = self._inner.connect_tcp(
            address,
            port,
            self._deadline.limit(timeout, httpcore.ConnectTimeout),
            local_address,
            socket_options,
        )
        return _TimedStream(stream, self._deadline)

    def _checked_address(self, host: str) -> str:
        if self._allow_loopback and host in LOOPBACK_HOSTS:
            return LOOPBACK_ADDRESS
        seconds = self._deadline.limit(None, httpcore.ConnectTimeout)
        return check_addresses(resolve_within(self._resolver, host, seconds))


class _TimedStream(httpcore.NetworkStream):
    """A timed stream is a connection whose operations end with the exchange's total time."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.limit(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.limit(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._deadline.limit(timeout, httpcore.ConnectTimeout)
        return _TimedStream(
            self._inner.start_tls(ssl_context, server_hostname, limit), self._deadline
        )

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _LimitedStream(httpx.SyncByteStream):
    """A limited stream is a body that ends, cut or with an error, where it exceeds its limit.

    It is decompressed here, piece by piece: a small answer could swell in memory otherwise. It ends
    with the compressed text; whatever a server sends behind that stays unread.
    """

    def __init__(
        self,
        inner: httpx.SyncByteStream | httpx.AsyncByteStream,
        *,
        is_gzip: bool,
        max_bytes: int,
        is_cut: bool,
    ) -> None:
        if not isinstance(inner, httpx.SyncByteStream):
            raise TypeError("a synchronous stream is needed")
        self._inner = inner
        self._is_gzip = is_gzip
        self._max_bytes = max_bytes
        self._is_cut = is_cut

    def __iter__(self) -> Iterator[bytes]:
        room = self._max_bytes
        for chunk in self._decoded():
            if len(chunk) <= room:
                room -= len(chunk)
                yield chunk
            elif self._is_cut:
                yield chunk[:room]
                return
            else:
                raise UnsafeAnswerError(TOO_LARGE)

    def _decoded(self) -> Iterator[bytes]:
        if not self._is_gzip:
            yield from self._inner
            return
        decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        room, is_empty = self._max_bytes + _COMPRESSION_BYTES, True
        try:
            for chunk in self._inner:
                is_empty = is_empty and not chunk
                room -= len(chunk)
                pending = chunk
                while pending and not decoder.eof:
                    yield decoder.decompress(pending, _DECODED_CHUNK_BYTES)
                    pending = decoder.unconsumed_tail
                if decoder.eof:
                    return
                if room < 0:
                    raise UnsafeAnswerError(TOO_LARGE)
            yield decoder.flush()
        except zlib.error as error:
            raise UnsafeAnswerError("encoding") from error
        if not decoder.eof and not is_empty:
            raise httpx.ReadError("answer ends early")

    def close(self) -> None:
        self._inner.close()
