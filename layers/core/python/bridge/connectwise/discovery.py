"""Discovery finds the address at which a ConnectWise company answers, and its codebase.

Source of the facts: ConnectWise developer guide, cloud URL formatting and company info.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

import httpx

from bridge.connectwise.call_limits import DISCOVERY
from bridge.connectwise.egress import SafeUrl, UnsafeAnswerError, check_url
from bridge.connectwise.exchange import Answer, exchange
from bridge.connectwise.reach import silent, unreached
from bridge.domain.connection import PsaAddress
from bridge.domain.errors import (
    SiteUnreachableError,
    UnavailableError,
    UnreachedCause,
    UnsafeAddressError,
    WrongCompanyError,
)

CLOUD_REGIONS = ("na", "eu", "au", "aus", "za")
REGION_SECONDS = 4.0
ALL_REGIONS_SECONDS = 10.0
"""A region is asked only while so much time is left for all of them."""
MAX_COMPANY_ID_CHARACTERS = 60

_CLOUD_HOST = re.compile(r"[a-z0-9-]+\.myconnectwise\.net|staging\.connectwisedev\.com")
_CODEBASE = re.compile(r"(v[0-9A-Za-z_.]{1,40})/?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_API_PREFIX = "api-"


def normalise_site_url(text: str, *, allow_loopback: bool = False) -> str:
    """Return the origin that a partner meant, e.g. ``https://na.myconnectwise.net``.

    The scheme may be missing, a path (people copy from the address bar) is dropped, and an API
    host of the cloud means its user interface's host. Raises UnsafeAddressError; besides the
    reasons of ``check_url`` there is query for a URL with a query or a fragment.
    """
    text = text.strip()
    url = check_url(
        text if _SCHEME.match(text) else f"https://{text}", allow_loopback=allow_loopback
    )
    if "?" in url.rest or "#" in url.rest:
        raise UnsafeAddressError("query")
    host = url.host.removeprefix(_API_PREFIX)
    if url.host != host and _CLOUD_HOST.fullmatch(host):
        return SafeUrl(url.scheme, host, url.port, "").origin
    return url.origin


def api_origin_of(site_url: str) -> str:
    """Return the origin of a site's API: on the cloud a host of its own, else the site itself."""
    scheme, _, host = site_url.partition("://")
    return f"{scheme}://{_API_PREFIX}{host}" if _CLOUD_HOST.fullmatch(host) else site_url


def discover(
    transport: httpx.BaseTransport,
    company_id: str,
    site_url: str | None,
    *,
    allow_loopback: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> PsaAddress:
    """Find the company's address at its site, or else ask the cloud regions in turn.

    Raises WrongCompanyError if the site, or every region, denies the company;
    SiteUnreachableError if one of them was silent and the others denied it; UnsafeAddressError
    for an unsafe site.
    """
    if site_url:
        site = normalise_site_url(site_url, allow_loopback=allow_loopback)
        return read_address(transport, site, company_id)
    unanswered: UnavailableError | None = None
    ends_at = monotonic() + ALL_REGIONS_SECONDS
    for region in CLOUD_REGIONS:
        site = f"https://{region}.myconnectwise.net"
        seconds = min(REGION_SECONDS, ends_at - monotonic())
        if seconds <= 0:
            unanswered = unanswered or silent(site)
            break
        try:
            return read_address(transport, site, company_id, seconds=seconds)
        except WrongCompanyError:
            continue
        except UnavailableError as error:
            unanswered = error
    if unanswered:
        raise unanswered
    raise WrongCompanyError("no cloud region knows the company")


def read_address(
    transport: httpx.BaseTransport,
    site_url: str,
    company_id: str,
    *,
    was_known: bool = False,
    seconds: float = DISCOVERY.seconds,
) -> PsaAddress:
    """Read a company's address from its site's ``/login/companyinfo``, which is open to everybody.

    The answer is an object with PascalCase names, or ``null`` for an unknown company. A 404 comes
    from a site of something else, and from a ConnectWise that is being upgraded: for a company
    that ``was_known`` there it counts as passing.
    Raises WrongCompanyError, SiteUnreachableError, UnsafeAddressError.
    """
    if not 0 < len(company_id) <= MAX_COMPANY_ID_CHARACTERS:
        raise WrongCompanyError("company id has an impossible length")
    url = f"{site_url}/login/companyinfo/{quote(company_id, safe='')}"
    try:
        answer = exchange(
            transport,
            "GET",
            url,
            limits=DISCOVERY.within(seconds),
            headers={"Accept": "application/json"},
        )
    except httpx.TransportError as error:
        raise unreached(error, site_url) or silent(site_url) from error
    except UnsafeAnswerError as error:
        raise SiteUnreachableError(UnreachedCause.NOT_CONNECTWISE, site_url) from error
    return _address(answer, site_url, was_known=was_known)


def _address(answer: Answer, site_url: str, *, was_known: bool) -> PsaAddress:
    if answer.status == HTTPStatus.NOT_FOUND and not was_known:
        raise WrongCompanyError("the site does not know the company")
    if not answer.is_success:
        cause = UnreachedCause.FAILING
        if answer.is_client_error and answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            cause = UnreachedCause.NOT_CONNECTWISE
        raise SiteUnreachableError(cause, site_url)
    try:
        info = answer.json()
    except UnavailableError as error:
        raise SiteUnreachableError(UnreachedCause.NOT_CONNECTWISE, site_url) from error
    if info is None:
        raise WrongCompanyError("the site does not know the company")
    codebase = _text(info, "Codebase")
    match = _CODEBASE.fullmatch(codebase)
    if match is None:
        raise SiteUnreachableError(UnreachedCause.NO_CODEBASE, site_url)
    return PsaAddress(
        site_url=site_url,
        api_origin=api_origin_of(site_url),
        codebase=f"{match[1]}/",
        is_cloud=_text(info, "IsCloud").lower() == "true",
    )


def _text(info: object, name: str) -> str:
    """Return a property as text; ``IsCloud`` is a text already, and may become a boolean."""
    return str(info.get(name, "")) if isinstance(info, Mapping) else ""
