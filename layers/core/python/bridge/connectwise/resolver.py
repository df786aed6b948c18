"""The resolver finds the addresses of a host name, within a time limit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

import httpcore

_HTTPS_PORT = 443

Resolver = Callable[[str], Sequence[str]]
"""Returns all addresses of a host name; raises OSError for an unknown one, and UnicodeError for one
that names cannot have."""


class HostUnknownError(httpcore.ConnectError):
    """The host name is unknown to the resolver."""


def resolve_ipv4(host: str) -> Sequence[str]:
    """Return the host's IPv4 addresses; IPv6 addresses are refused, so they are left out."""
    answers = socket.getaddrinfo(host, _HTTPS_PORT, socket.AF_INET, socket.SOCK_STREAM)
    return tuple(str(sockaddr[0]) for *_, sockaddr in answers)


def resolve_within(resolver: Resolver, host: str, seconds: float) -> Sequence[str]:
    """Return the host's addresses; a resolver that takes longer is left behind in its thread.

    The system's resolver takes its own time. Raises HostUnknownError and
    ``httpcore.ConnectTimeout``.
    """
    answers: SimpleQueue[Sequence[str] | OSError | UnicodeError] = SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(resolver(host))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty as error:
        raise httpcore.ConnectTimeout("no answer from the resolver") from error
    if isinstance(answer, OSError | UnicodeError):
        raise HostUnknownError("host not found") from answer
    return answer
