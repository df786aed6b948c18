"""Which addresses the bridge may call."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.egress import GuardedTransport, check_addresses, check_url
from bridge.domain.errors import UnsafeAddressError
from tests.unit.connectwise.scripted_network import Network

PUBLIC = "52.1.2.3"


# --- URLs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://na.myconnectwise.net", "https://na.myconnectwise.net"),
        ("HTTPS://NA.MyConnectWise.Net/login", "https://na.myconnectwise.net"),
        ("https://na.myconnectwise.net:443/a?b=c#d", "https://na.myconnectwise.net"),
        ("https://abc1.de/", "https://abc1.de"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("https://1and1.example/", "https://1and1.example"),
    ],
)
def test_a_plain_https_url_may_be_called(url: str, origin: str) -> None:
    assert check_url(url).origin == origin


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://na.myconnectwise.net/", "scheme"),
        ("ftp://na.myconnectwise.net/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("//na.myconnectwise.net/", "form"),
        ("https:na.myconnectwise.net", "form"),
        ("na.myconnectwise.net", "form"),
        ("", "characters"),
        ("https://na.myconnectwise.net:8443/", "port"),
        ("https://na.myconnectwise.net:/", "port"),
        ("https://na.myconnectwise.net:443:443/", "port"),
        ("https://na.myconnectwise.net:99999999/", "port"),
        ("https://user:secret@na.myconnectwise.net/", "userinfo"),
        ("https://evil.example@na.myconnectwise.net/", "userinfo"),
        ("https://evil.example\\@na.myconnectwise.net/", "characters"),
        ("https://na.myconnectwise.net\\.evil.example/", "characters"),
        ("https://na.myconnectwise.net\t/", "characters"),
        ("https://na.myconnectwise.net/\r\nHost: evil", "characters"),
        ("https://na.myconnectwise.net /", "characters"),
        ("https://münchen.example/", "characters"),
        ("https://na.myconnectwise.net。/", "characters"),
        ("https://na.myconnectwise.net./", "host"),
        ("https://.myconnectwise.net/", "host"),
        ("https://na..net/", "host"),
        ("https://-na.example/", "host"),
        ("https://na_1.example/", "host"),
        ("https://na%2emyconnectwise.net/", "host"),
        ("https://localhost/", "host"),
        ("https://intranet/", "host"),
        ("https:///path", "host"),
        ("https://127.0.0.1/", "ip_literal"),
        ("https://2130706433/", "ip_literal"),
        ("https://0x7f000001/", "ip_literal"),
        ("https://0x7f.0x0.0x0.0x1/", "ip_literal"),
        ("https://0177.0.0.1/", "ip_literal"),
        ("https://127.1/", "ip_literal"),
        ("https://[::1]/", "ip_literal"),
        ("https://[::ffff:127.0.0.1]/", "ip_literal"),
        ("https://[64:ff9b::a9fe:a9fe]/", "ip_literal"),
        (f"https://{'a' * 64}.example/", "host"),
        (f"https://{'a.' * 130}example/", "host"),
        (f"https://na.example/{'a' * 5000}", "characters"),
    ],
)
def test_any_other_url_is_refused_with_a_fixed_reason(url: str, reason: str) -> None:
    with pytest.raises(UnsafeAddressError) as raised:
        check_url(url)

    assert raised.value.reason == reason
    assert "evil" not in str(raised.value)


@given(st.text(max_size=60))
def test_no_text_at_all_leads_anywhere_but_to_a_plain_https_host(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/login"):
        try:
            checked = check_url(url)
        except UnsafeAddressError:
            continue
        assert (checked.scheme, checked.port) == ("https", 443)
        assert httpx.URL(url).host == checked.host, "the HTTP library reads the same host"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8600/x", "https://localhost/", "http://localhost"]
)
def test_a_local_run_may_call_this_machine(url: str) -> None:
    check_url(url, allow_loopback=True)

    with pytest.raises(UnsafeAddressError):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "http://na.myconnectwise.net/", "http://127.0.0.2/", "http://[::1]/"],
)
def test_a_local_run_may_call_nothing_else(url: str) -> None:
    with pytest.raises(UnsafeAddressError):
        check_url(url, allow_loopback=True)


# --- addresses ---------------------------------------------------------------------------------

DENIED = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing listens
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::ffff:52.1.2.3",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2600:1f18::1",
    "fe80::1%eth0",
    "",
    "not an address",
    "52.1.2",
    "052.1.2.3",
]


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_public_ipv4_is_refused(address: str) -> None:
    for answers in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(UnsafeAddressError) as raised:
            check_addresses(answers)
        assert raised.value.reason == "address"


def test_a_public_address_passes() -> None:
    assert check_addresses([PUBLIC, "8.8.8.8"]) == PUBLIC


def test_no_address_at_all_is_refused() -> None:
    with pytest.raises(UnsafeAddressError):
        check_addresses([])


@given(st.ip_addresses(v=4))
def test_no_address_passes_that_python_calls_private(address: object) -> None:
    is_safe = address.is_global and not address.is_multicast  # type: ignore[attr-defined]
    try:
        check_addresses([str(address)])
    except UnsafeAddressError:
        return
    assert is_safe


# --- connections -------------------------------------------------------------------------------


class Wire(httpcore.NetworkStream):
    """Answers one empty page for each request; notes it and the name that TLS is to verify."""

    def __init__(self, names: list[str | None], requests: list[bytes]) -> None:
        self._names = names
        self._requests = requests
        self._answer = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if b"\r\n\r\n" in buffer:
            self._requests.append(buffer)
            self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"

    def close(self) -> None:
        pass

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        assert ssl_context.verify_mode is ssl.CERT_REQUIRED
        assert ssl_context.check_hostname
        self._names.append(server_hostname)
        return self


class WatchedNetwork(Network):
    def __init__(self) -> None:
        super().__init__(self._connect_to)
        self.connected: list[tuple[str, int]] = []
        self.names: list[str | None] = []
        self.requests: list[bytes] = []

    def _connect_to(self, host: str, port: int) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        return Wire(self.names, self.requests)


class Resolver:
    """Answers one list after the other; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def get(transport: httpx.BaseTransport, url: str) -> httpx.Response:
    return transport.handle_request(httpx.Request("GET", url))


def test_the_connection_goes_to_the_checked_address_and_tls_verifies_the_name() -> None:
    network, resolver = WatchedNetwork(), Resolver([PUBLIC])
    transport = GuardedTransport(resolver=resolver, backend=network)

    response = get(transport, "https://na.myconnectwise.net/x")

    assert response.read() == b"[]"
    assert resolver.asked == ["na.myconnectwise.net"]
    assert network.connected == [(PUBLIC, 443)]
    assert network.names == ["na.myconnectwise.net"]
    assert b"\r\nHost: na.myconnectwise.net\r\n" in network.requests[0]


def test_a_resolver_that_flips_is_caught_on_the_next_connection() -> None:
    network, resolver = WatchedNetwork(), Resolver([PUBLIC], ["169.254.169.254"])
    transport = GuardedTransport(resolver=resolver, backend=network)
    get(transport, "https://na.myconnectwise.net/x").read()

    with pytest.raises(UnsafeAddressError):
        get(transport, "https://na.myconnectwise.net/x")

    assert network.connected == [(PUBLIC, 443)]


def test_a_name_that_leads_inside_is_never_connected_to() -> None:
    network = WatchedNetwork()
    transport = GuardedTransport(resolver=Resolver([PUBLIC, "10.0.0.1"]), backend=network)

    with pytest.raises(UnsafeAddressError):
        get(transport, "https://rebinding.example/")

    assert network.connected == []


def test_a_name_that_does_not_resolve_is_unreachable_not_unsafe() -> None:
    def nowhere(host: str) -> Sequence[str]:
        raise OSError(host)

    with pytest.raises(httpx.ConnectError):
        get(
            GuardedTransport(resolver=nowhere, backend=WatchedNetwork()), "https://nowhere.example/"
        )


def test_an_unsafe_url_is_not_even_resolved() -> None:
    resolver = Resolver([PUBLIC])

    with pytest.raises(UnsafeAddressError):
        get(GuardedTransport(resolver=resolver, backend=WatchedNetwork()), "http://na.example/")

    assert resolver.asked == []


def test_a_local_run_asks_no_resolver_about_this_machine() -> None:
    network, resolver = WatchedNetwork(), Resolver(["10.0.0.1"])
    transport = GuardedTransport(allow_loopback=True, resolver=resolver, backend=network)

    get(transport, "http://localhost:8600/").read()

    assert (resolver.asked, network.connected) == ([], [("127.0.0.1", 8600)])


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    network = WatchedNetwork()
    transport = GuardedTransport(resolver=Resolver([PUBLIC]), backend=network)

    get(transport, "https://na.myconnectwise.net/").read()

    assert network.connected == [(PUBLIC, 443)]
