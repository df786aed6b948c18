"""Who calls is what the checked token says, and nothing else (R8)."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.entrypoints.callers import (
    CallerRefusedError,
    PartnerUser,
    PlatformService,
    partner_user,
    platform_service,
)

ID_CLAIMS = {"token_use": "id", "custom:partner_id": "partner-a", "sub": "user-1"}
SERVICE_CLAIMS = {
    "token_use": "access",
    "scope": "bridge/payments.write",
    "client_id": "payments-service",
}


def event(claims: object) -> dict[str, Any]:
    return {
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}},
        "body": '{"custom:partner_id": "partner-b"}',
        "pathParameters": {"partner_id": "partner-b"},
        "queryStringParameters": {"partner_id": "partner-b"},
    }


def test_a_partner_user_is_the_one_of_the_token() -> None:
    assert partner_user(event(ID_CLAIMS)) == PartnerUser("partner-a", "user-1")


def test_a_service_is_the_one_of_the_token() -> None:
    scopes = "openid bridge/payments.write other/scope"
    assert platform_service(event(SERVICE_CLAIMS | {"scope": scopes})) == PlatformService(
        "payments-service"
    )


@pytest.mark.parametrize(
    "claims",
    [
        {},
        None,
        SERVICE_CLAIMS | {"custom:partner_id": "partner-a"},
        ID_CLAIMS | {"custom:partner_id": ""},
        ID_CLAIMS | {"custom:partner_id": "../partner-b"},
        ID_CLAIMS | {"custom:partner_id": "partner-a\n"},
        ID_CLAIMS | {"custom:partner_id": 7},
        ID_CLAIMS | {"custom:partner_id": "p" * 65},
        ID_CLAIMS | {"custom:partner_id": ["partner-a"]},
    ],
)
def test_any_other_token_is_no_partner_users(claims: object) -> None:
    with pytest.raises(CallerRefusedError):
        partner_user(event(claims))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        ID_CLAIMS | {"scope": "bridge/payments.write"},
        SERVICE_CLAIMS | {"scope": ""},
        SERVICE_CLAIMS | {"scope": "bridge/payments.read"},
        SERVICE_CLAIMS | {"scope": "xbridge/payments.write"},
        SERVICE_CLAIMS | {"scope": ["bridge/payments.write"]},
    ],
)
def test_any_other_token_is_no_services(claims: object) -> None:
    with pytest.raises(CallerRefusedError):
        platform_service(event(claims))


@pytest.mark.parametrize("bare", [{}, {"requestContext": {}}, {"requestContext": None}])
def test_an_event_that_no_authorizer_saw_is_refused(bare: dict[str, Any]) -> None:
    with pytest.raises(CallerRefusedError):
        partner_user(bare)
    with pytest.raises(CallerRefusedError):
        platform_service(bare)
