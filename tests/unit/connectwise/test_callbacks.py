"""Callbacks are checked before anything of them is believed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.callbacks import (
    MAX_BODY_BYTES,
    CallbackRejectedError,
    Rejection,
    check_key_url,
    check_secret,
    check_signature,
    parse_callback,
)
from bridge.domain.connection import CallbackSecret, PsaAddress
from bridge.domain.errors import UnsafeAddressError
from bridge.domain.identity import RecordKind
from infra.local.patience import PATIENCE_SECONDS
from tests.fakes.clock import START

ROOT = Path(__file__).resolve().parents[3]
CLOUD = PsaAddress(
    "https://na.myconnectwise.net", "https://api-na.myconnectwise.net", "v2025_1/", is_cloud=True
)
OWN_HOST = PsaAddress(
    "https://cw.partner.example", "https://cw.partner.example", "v4_6_release/", is_cloud=False
)
LOCAL = PsaAddress("http://127.0.0.1:8600", "http://127.0.0.1:8600", "v2025_1/", is_cloud=True)
KEY_URL = (
    "https://na.myconnectwise.net/v2025_1//system/callbackkey/index.rails"
    "?companyName=acme&id=0f0e0d0c-aaaa-bbbb-cccc-000102030405"
)
MESSAGE: dict[str, Any] = {
    "MessageId": "00000000-0000-0000-0000-000000000001",
    "FromUrl": "na.myconnectwise.net",
    "CompanyId": "acme",
    "MemberId": "apimember",
    "Action": "updated",
    "Type": "invoice",
    "ID": 42,
    "Entity": '{"id":42}',
    "Metadata": {"key_url": KEY_URL},
}


def rejection(call: Any, *args: Any) -> Rejection:
    with pytest.raises(CallbackRejectedError) as raised:
        call(*args)
    assert isinstance(raised.value.reason, Rejection)
    return raised.value.reason


# --- the secret in the path --------------------------------------------------------------------


def hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def test_the_current_and_the_previous_secret_are_live() -> None:
    stored = CallbackSecret(hashed("new"), hashed("old"))

    check_secret("new", stored, START)
    check_secret("old", stored, START)


def test_the_previous_secret_is_live_until_its_end() -> None:
    stored = CallbackSecret(hashed("new"), hashed("old"), previous_ends_at=START)

    check_secret("old", stored, START - timedelta(seconds=1))
    assert rejection(check_secret, "old", stored, START) is Rejection.SECRET
    check_secret("new", stored, START)


@pytest.mark.parametrize(
    "secret", ["", "older", hashed("new"), "new ", "NEW", "x" * 10_000, "ü\udcff"]
)
@pytest.mark.parametrize("previous", [None, "", "old"])
def test_any_other_secret_is_rejected(secret: str, previous: str | None) -> None:
    stored = CallbackSecret(hashed("new"), hashed(previous) if previous else previous)

    assert rejection(check_secret, secret, stored, START) is Rejection.SECRET


def test_a_long_secret_is_not_cut_down_to_a_live_one() -> None:
    secret = "s" * 200

    stored = CallbackSecret(hashed(secret))
    assert rejection(check_secret, f"{secret}x", stored, START) is Rejection.SECRET


def test_without_a_stored_secret_everything_is_rejected() -> None:
    assert rejection(check_secret, "anything", None, START) is Rejection.SECRET


# --- the body ----------------------------------------------------------------------------------


def parsed(message: object, company_id: str = "acme") -> Any:
    return parse_callback(json.dumps(message).encode(), company_id)


def test_a_callback_says_which_record_changed() -> None:
    hint = parsed(MESSAGE)

    assert (hint.record_kind, hint.source_id, hint.action) == (RecordKind.INVOICE, 42, "updated")
    assert hint.key_url == KEY_URL
    assert KEY_URL not in repr(hint), "whoever knows the key's URL can sign"


def test_a_company_is_a_customer() -> None:
    assert parsed(MESSAGE | {"Type": "Company", "Action": "Deleted"}).record_kind is (
        RecordKind.CUSTOMER
    )


@pytest.mark.parametrize("type_name", ["ticket", "time", "brandnew"])
def test_a_type_that_nobody_follows_is_accepted_and_means_nothing(type_name: str) -> None:
    assert parsed(MESSAGE | {"Type": type_name}).record_kind is None


@pytest.mark.parametrize(
    "change",
    [
        {"ID": 0},
        {"ID": -1},
        {"ID": 2**31},
        {"ID": "42"},
        {"ID": 42.0},
        {"ID": True},
        {"ID": None},
        {"Type": None},
        {"Type": "in voice"},
        {"Type": "x" * 41},
        {"Action": None},
        {"Action": "exploded"},
        {"Metadata": None},
        {"Metadata": []},
        {"Metadata": {}},
        {"Metadata": {"key_url": None}},
    ],
    ids=repr,
)
def test_a_field_that_is_not_as_it_should_be_is_rejected(change: dict[str, Any]) -> None:
    assert rejection(parsed, MESSAGE | change) is Rejection.FIELDS


@pytest.mark.parametrize("company_id", ["other", "acme ", "", None, 7, ["acme"]])
def test_another_company_is_rejected(company_id: object) -> None:
    assert rejection(parsed, MESSAGE | {"CompanyId": company_id}) is Rejection.OTHER_COMPANY


def test_the_case_of_the_company_id_does_not_matter() -> None:
    assert parsed(MESSAGE | {"CompanyId": "ACME"}).source_id == 42


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"<html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"1" * 9_999,
    ],
    ids=lambda body: repr(body[:8]),
)
def test_a_body_that_is_no_json_object_is_rejected(body: bytes) -> None:
    assert rejection(parse_callback, body, "acme") is Rejection.NOT_JSON


def test_a_body_beyond_the_limit_is_not_even_parsed() -> None:
    body = json.dumps(MESSAGE | {"Entity": "x" * MAX_BODY_BYTES}).encode()

    assert rejection(parse_callback, body, "acme") is Rejection.TOO_LARGE


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_no_body_does_anything_but_pass_or_be_rejected(body: bytes) -> None:
    with pytest.raises(CallbackRejectedError):
        parse_callback(body, "acme")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(MESSAGE)), json_values))
def test_no_field_does_anything_but_pass_or_be_rejected(change: dict[str, Any]) -> None:
    try:
        hint = parsed(MESSAGE | change)
    except CallbackRejectedError:
        return
    assert 0 < hint.source_id < 2**31


# --- where the key is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key_url", "address"),
    [
        (KEY_URL, CLOUD),
        (KEY_URL.replace("//na.", "//api-na."), CLOUD),
        (KEY_URL.replace("//na.", "//NA."), CLOUD),
        (KEY_URL.replace("net/v2025_1//", "net:443/v4_6_release/"), CLOUD),
        (KEY_URL.replace("companyName=acme", "companyName=Acme"), CLOUD),
        (
            "https://cw.partner.example/system/callbackkey/index.rails?id=a-1&companyName=acme",
            OWN_HOST,
        ),
    ],
)
def test_a_key_at_the_connections_own_connectwise_may_be_fetched(
    key_url: str, address: PsaAddress
) -> None:
    check_key_url(key_url, address, "acme")


@pytest.mark.parametrize(
    "key_url",
    [
        "",
        "https://",
        KEY_URL.replace("https:", "http:"),
        KEY_URL.replace("https:", "ftp:"),
        KEY_URL.replace("//na.", "//eu."),
        KEY_URL.replace("myconnectwise.net", "myconnectwise.net.evil.example"),
        KEY_URL.replace("na.myconnectwise.net", "evil.example"),
        KEY_URL.replace("//na.", "//evil.example@na."),
        KEY_URL.replace("//na.", "//evil.example\\@na."),
        KEY_URL.replace("net/", "net:8443/"),
        KEY_URL.replace("net/", "net:443@evil.example/"),
        KEY_URL.replace("net/", "net./"),
        KEY_URL.replace("index.rails", "index.rails/"),
        KEY_URL.replace("index.rails", "other.rails"),
        KEY_URL.replace("/v2025_1//", "/v2025_1/../login//"),
        KEY_URL.replace("/v2025_1//", "/redirect/v2025_1//"),
        KEY_URL.replace("/v2025_1//", "/v2025_1///"),
        KEY_URL.replace("/v2025_1//", "/%76//"),
        KEY_URL.replace("=acme", "=other"),
        KEY_URL.replace("=acme", "="),
        KEY_URL.replace("=acme", "=acme&companyName=other"),
        KEY_URL.replace("=acme", "=%61cme"),
        KEY_URL.replace("&id=", "&xid="),
        KEY_URL + "&next=evil",
        KEY_URL + "#fragment",
        KEY_URL + "\n",
        KEY_URL + " ",
        " " + KEY_URL,
        KEY_URL + "x" * 500,
        KEY_URL.replace("na.my", "na\u3002my"),
        KEY_URL.partition("?")[0],
    ],
)
def test_a_key_anywhere_else_is_not(key_url: str) -> None:
    with pytest.raises(UnsafeAddressError) as raised:
        check_key_url(key_url, CLOUD, "acme", allow_loopback=True)
    assert raised.value.reason == "key_url"


def test_http_is_for_this_machine_in_local_runs_only() -> None:
    key_url = KEY_URL.replace("https://na.myconnectwise.net", LOCAL.site_url)

    check_key_url(key_url, LOCAL, "acme", allow_loopback=True)
    with pytest.raises(UnsafeAddressError):
        check_key_url(key_url, LOCAL, "acme")
    with pytest.raises(UnsafeAddressError):
        check_key_url(key_url, CLOUD, "acme", allow_loopback=True)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_around_the_host_leads_elsewhere(before: str, after: str) -> None:
    key_url = KEY_URL.replace("na.myconnectwise.net", f"{before}na.myconnectwise.net{after}")
    try:
        check_key_url(key_url, CLOUD, "acme")
    except UnsafeAddressError:
        return
    host = key_url.removeprefix("https://").partition("/")[0].lower().removesuffix(":443")
    assert host in ("na.myconnectwise.net", "api-na.myconnectwise.net")


# --- the signature -----------------------------------------------------------------------------

VECTOR_KEY = "test-signing-key-0001"
VECTOR_BODY = (
    b'{"MessageId":"00000000-0000-0000-0000-000000000001",'
    b'"Action":"updated","Type":"invoice","ID":42}'
)
VECTOR = "CYIrx3HuBVEU+bhXjiT5SUQZk2d/ZgzDpIBglDue/Hg="


def test_the_known_vector_verifies() -> None:
    check_signature(VECTOR_BODY, VECTOR, VECTOR_KEY)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "=",
        VECTOR[:-1],
        VECTOR + "=",
        VECTOR.lower(),
        VECTOR.replace("+", "-"),
        "ü" * 44,
        "A" * 44,
    ],
)
def test_any_other_signature_is_rejected(signature: str | None) -> None:
    assert rejection(check_signature, VECTOR_BODY, signature, VECTOR_KEY) is Rejection.SIGNATURE


def test_a_changed_body_or_another_key_is_rejected() -> None:
    rejection(check_signature, VECTOR_BODY + b" ", VECTOR, VECTOR_KEY)
    rejection(check_signature, VECTOR_BODY, VECTOR, "other")
    rejection(check_signature, VECTOR_BODY, VECTOR, "")


# --- cold starts -------------------------------------------------------------------------------


def test_the_module_needs_the_standard_library_only() -> None:
    """The receiver must start quickly, so nothing heavy may come with its checks."""
    program = (
        "import sys; before = set(sys.modules); import bridge.connectwise.callbacks;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'bridge'}))"
    )
    path = str(ROOT / "layers/core/python")
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {path!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout.strip() == "[]"
