"""Faults of a ConnectWise's address are told here, in sentences for the person at the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.domain.errors import UnreachedCause

_UNREACHED: Mapping[UnreachedCause, str] = {
    UnreachedCause.HOST_UNKNOWN: (
        "There is no server named {address}. Look for a typing mistake in the site URL."
    ),
    UnreachedCause.PORT_CLOSED: (
        "The server of {address} refuses connections. Open its port 443 in the firewall for "
        "{addresses}, and see that ConnectWise's web server runs."
    ),
    UnreachedCause.NO_ANSWER: (
        "The server of {address} does not answer. Open port 443 of the firewall in front of it "
        "for {addresses}, and see that ConnectWise runs."
    ),
    UnreachedCause.CERTIFICATE_INVALID: (
        "The TLS certificate of {address} is not valid for this name, is out of date, or comes "
        "from an unknown authority. Install a certificate of a public authority there."
    ),
    UnreachedCause.NO_TLS: (
        "The server of {address} does not speak TLS (https) there. Switch on https in "
        "ConnectWise's web server."
    ),
    UnreachedCause.FAILING: (
        "The server of {address} answers with an error of its own. See that ConnectWise runs, "
        "then try again."
    ),
    UnreachedCause.NOT_CONNECTWISE: (
        "The server of {address} answers, but not as ConnectWise does. Check the site URL: it is "
        "the address at which you sign in to ConnectWise."
    ),
    UnreachedCause.NO_CODEBASE: (
        "The ConnectWise at {address} does not name the codebase of its API. Check the site URL "
        "and the company id, and update ConnectWise if it is old."
    ),
}
_OUR_ADDRESSES = "our addresses (GET /v1/connection-requirements lists them)"

UNSAFE_ADDRESS_DETAILS: Mapping[str, str] = {
    "scheme": "The site URL must begin with https://.",
    "port": "The site URL may not name a port: ConnectWise has to answer on port 443.",
    "userinfo": "The site URL may not hold a user or a password.",
    "query": "The site URL may not hold a question mark or a number sign.",
    "ip_literal": "The site URL must have a host name, such as connect.example.com, and no number.",
    "host": "The site URL must have a full host name, such as connect.example.com.",
    "characters": "The site URL holds characters that an address cannot have.",
    "form": "The site URL must look like https://connect.example.com.",
    "address": (
        "The host name of the site URL leads to a private or reserved address. The bridge calls "
        "public addresses only: publish ConnectWise at one."
    ),
}


def unreached_detail(cause: UnreachedCause, address: str, egress: Sequence[str]) -> str:
    """Return the sentence about a server out of reach, with the addresses to open it for."""
    addresses = " and ".join(egress) or _OUR_ADDRESSES
    return _UNREACHED[cause].format(address=address, addresses=addresses)
