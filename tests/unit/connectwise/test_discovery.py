"""Where a company answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from bridge.connectwise.discovery import api_origin_of, discover, normalise_site_url
from bridge.domain.connection import PsaAddress
from bridge.domain.errors import (
    BridgeError,
    UnavailableError,
    UnsafeAddressError,
    WrongCompanyError,
)

INFO = {
    "CompanyName": "Acme",
    "Codebase": "v2025_1/",
    "VersionCode": "v2025.1",
    "VersionNumber": "v4.6.1",
    "CompanyID": "acme",
    "IsCloud": "True",
    "SiteUrl": "http://169.254.169.254/",
}


def found(answer: Callable[[httpx.Request], httpx.Response], site_url: str | None) -> PsaAddress:
    return discover(httpx.MockTransport(answer), "acme", site_url)


# --- what partners type ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "site_url"),
    [
        ("na.myconnectwise.net", "https://na.myconnectwise.net"),
        ("  https://EU.MyConnectWise.net/ ", "https://eu.myconnectwise.net"),
        ("https://api-au.myconnectwise.net", "https://au.myconnectwise.net"),
        (
            "https://na.myconnectwise.net:443/v2025_1/ConnectWise.aspx",
            "https://na.myconnectwise.net",
        ),
        ("https://connect.partner.example/v4_6_release/", "https://connect.partner.example"),
        ("api-gateway.partner.example", "https://api-gateway.partner.example"),
    ],
)
def test_a_site_is_understood_as_it_is_typed(typed: str, site_url: str) -> None:
    assert normalise_site_url(typed) == site_url


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("http://na.myconnectwise.net", "scheme"),
        ("https://me:secret@na.myconnectwise.net", "userinfo"),
        ("https://na.myconnectwise.net/?a=b", "query"),
        ("https://na.myconnectwise.net/#x", "query"),
        ("https://na.myconnectwise.net:8443", "port"),
        ("10.1.2.3", "ip_literal"),
        ("127.0.0.1:8600", "ip_literal"),
        ("connect", "host"),
        ("localhost", "host"),
        ("na.myconnectwise.net.", "host"),
        ("", "host"),
        ("na .example", "characters"),
    ],
)
def test_a_site_that_may_not_be_called_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(UnsafeAddressError) as raised:
        normalise_site_url(typed)
    assert raised.value.reason == reason


def test_a_local_run_may_use_a_sandbox_on_this_machine() -> None:
    typed = "http://127.0.0.1:8600"

    assert normalise_site_url(typed, allow_loopback=True) == typed
    assert api_origin_of(typed) == typed


@pytest.mark.parametrize(
    ("site_url", "api_origin"),
    [
        ("https://za.myconnectwise.net", "https://api-za.myconnectwise.net"),
        ("https://sandbox-na.myconnectwise.net", "https://api-sandbox-na.myconnectwise.net"),
        ("https://staging.connectwisedev.com", "https://api-staging.connectwisedev.com"),
        ("https://connect.partner.example", "https://connect.partner.example"),
        ("https://myconnectwise.net.evil.example", "https://myconnectwise.net.evil.example"),
    ],
)
def test_only_the_cloud_has_a_host_of_its_own_for_the_api(site_url: str, api_origin: str) -> None:
    assert api_origin_of(site_url) == api_origin


# --- who answers -------------------------------------------------------------------------------


def test_the_cloud_regions_are_asked_in_turn() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(
            200, text=json.dumps(INFO if request.url.host.startswith("aus.") else None)
        )

    address = found(answer, None)

    assert asked == [f"{region}.myconnectwise.net" for region in ("na", "eu", "au", "aus")]
    assert address == PsaAddress(
        "https://aus.myconnectwise.net", "https://api-aus.myconnectwise.net", "v2025_1/", True
    )


def test_a_region_out_of_reach_does_not_hide_another_ones_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host.startswith("na."):
            raise httpx.ConnectTimeout("x")
        return httpx.Response(200, json=INFO)

    assert found(answer, None).site_url == "https://eu.myconnectwise.net"


def test_the_answers_own_urls_are_not_followed() -> None:
    address = found(lambda _: httpx.Response(200, json=INFO), "cw.partner.example")

    assert address.site_url == address.api_origin == "https://cw.partner.example"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="null"), WrongCompanyError),
        (httpx.Response(404, html="<html>"), WrongCompanyError),
        (httpx.Response(500), UnavailableError),
        (httpx.Response(302, headers={"Location": "https://evil.example"}), UnavailableError),
        (httpx.Response(200, html="<html>"), UnavailableError),
        (httpx.Response(200, json=[]), UnavailableError),
        (httpx.Response(200, json=INFO | {"Codebase": None}), UnavailableError),
        (httpx.Response(200, json=INFO | {"Codebase": "../../evil/"}), UnavailableError),
        (httpx.Response(200, json=INFO | {"Codebase": "v1/../x/"}), UnavailableError),
    ],
)
def test_other_answers_are_named(answer: httpx.Response, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        found(lambda _: answer, "na.myconnectwise.net")


@pytest.mark.parametrize("company_id", ["", "x" * 61])
def test_an_impossible_company_id_is_not_asked_for(company_id: str) -> None:
    with pytest.raises(WrongCompanyError):
        discover(httpx.MockTransport(lambda _: httpx.Response(200)), company_id, "na.example")


def test_a_company_id_cannot_leave_its_place_in_the_path() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, text="null")

    with pytest.raises(WrongCompanyError):
        discover(httpx.MockTransport(answer), "../x?y#z/%", "na.myconnectwise.net")

    assert paths == [b"/login/companyinfo/..%2Fx%3Fy%23z%2F%25"]


@pytest.mark.parametrize(
    ("given", "is_cloud"), [("True", True), (True, True), ("False", False), (None, False)]
)
def test_is_cloud_is_a_text(given: object, is_cloud: bool) -> None:
    address = found(lambda _: httpx.Response(200, json=INFO | {"IsCloud": given}), "na.example")

    assert address.is_cloud is is_cloud
