"""Every failure is a problem document with a stable type and nothing of the caller's values."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus

import pytest

from bridge.domain import errors
from bridge.domain.errors import (
    BridgeError,
    InvalidInputError,
    NotFoundError,
    NotPossibleError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
    RunActiveError,
    ShareUsedUpError,
    ThrottledError,
    UnavailableError,
    UnsafeAddressError,
    WindowTakenError,
)
from bridge.entrypoints.callers import CallerRefusedError
from bridge.entrypoints.problem_documents import (
    CONTENT_TYPE,
    MAX_ERRORS_LISTED,
    FieldError,
    describe,
    field_path,
    invalid_input,
)
from tests.fakes.clock import START

SECRET = "message-written-for-a-log"


def test_a_document_has_the_members_of_the_standard() -> None:
    answer = describe(NotFoundError(SECRET), START).as_gateway_response("request-1")

    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == CONTENT_TYPE
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"]) == {
        "type": "urn:bridge:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such record.",
        "instance": "urn:bridge:request:request-1",
    }


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (NotFoundError(SECRET), "not_found", 404),
        (CallerRefusedError(SECRET), "not_allowed", 403),
        (errors.CredentialsRejectedError(SECRET), "credentials_rejected", 422),
        (PermissionMissingError(SECRET), "permission_missing", 422),
        (errors.WrongCompanyError(SECRET), "wrong_company", 422),
        (UnsafeAddressError("private"), "unsafe_address", 422),
        (RefusedError("InvalidField"), "connectwise_refused", 502),
        (errors.MalformedRecordError(SECRET), "record_malformed", 502),
        (errors.ConflictError(SECRET), "conflict", 409),
        (RunActiveError("r1"), "run_active", 409),
        (WindowTakenError(START), "window_taken", 429),
        (ThrottledError(SECRET), "connectwise_busy", 503),
        (ShareUsedUpError(SECRET), "too_many_requests", 429),
        (errors.OutOfTimeError(SECRET), "out_of_time", 503),
        (UnavailableError(SECRET), "unavailable", 503),
        (RetryableError(SECRET), "unavailable", 503),
        (errors.OutcomeUnknownError(SECRET), "outcome_unknown", 502),
        (BridgeError(SECRET), "internal", 500),
        (RuntimeError(SECRET), "internal", 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_type_and_says_nothing_of_its_message(
    error: Exception, code: str, status: int
) -> None:
    document = describe(error, START)

    assert (document.code, document.status) == (code, HTTPStatus(status))
    assert SECRET not in document.body("request-1")


def test_an_error_that_is_new_is_described_as_its_next_of_kin() -> None:
    class VerySlowError(ThrottledError):
        """Another way of being busy."""

    assert describe(VerySlowError(SECRET), START).code == "connectwise_busy"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (WindowTakenError(START + timedelta(minutes=40)), 2400),
        (WindowTakenError(START - timedelta(minutes=1)), 1),
        (ThrottledError("", retry_after_seconds=12.2), 13),
        (UnavailableError(""), 30),
        (NotFoundError(""), None),
    ],
)
def test_a_wait_is_told_where_waiting_helps(error: Exception, seconds: int | None) -> None:
    document = describe(error, START)

    assert document.retry_after_seconds == seconds
    expected = None if seconds is None else str(seconds)
    assert document.headers.get("Retry-After") == expected


@pytest.mark.parametrize(
    ("error", "members"),
    [
        (PermissionMissingError("", rights=("Finance > Invoicing: Edit",)), "missing_rights"),
        (UnsafeAddressError("private"), "reason"),
        (RefusedError("InvalidField"), "connectwise_code"),
        (RunActiveError("r1"), "run_id"),
        (WindowTakenError(START), "free_at"),
        (NotPossibleError("closed", "The invoice is closed.", subject_id="i1"), "conflicting_id"),
        (InvalidInputError("too long", field="name"), "errors"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_client_can_act_on_is_a_member(error: Exception, members: str) -> None:
    assert members in json.loads(describe(error, START).body("request-1"))


def test_what_is_not_possible_names_its_reason_in_the_type() -> None:
    document = describe(NotPossibleError("run_ended", "The run has ended already."), START)

    assert (document.code, document.detail) == ("run_ended", "The run has ended already.")


def test_the_list_of_rejected_fields_is_limited() -> None:
    document = invalid_input([FieldError(f"f{n}", "too long") for n in range(200)])

    assert len(document.members["errors"]) == MAX_ERRORS_LISTED


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("line_items", 3, "amount_minor"), "line_items.3.amount_minor"),
        (("hunter2!", "name"), "(unknown).name"),
        (("x" * 60,), "(unknown)"),
        ((), ""),
    ],
)
def test_a_path_names_only_what_a_schema_could(location: tuple[str | int, ...], path: str) -> None:
    assert field_path(location) == path
