"""R3: a callback is accepted only after its hint is durable, and nothing it says is believed."""

import base64
import hashlib
import hmac
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from bridge.connectwise.callback_intake import (
    BURST,
    PER_SECOND,
    REFUSED_FOR,
    Callback,
    CallbackIntake,
    Verdict,
)
from bridge.connectwise.callbacks import MAX_BODY_BYTES
from bridge.connectwise.signature_check import (
    KEY_REFETCH_AFTER,
    MAX_FAILED_CHECKS,
    MAX_FETCH_TIME,
)
from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import CallbackSecret, ConnectionState, PsaAddress
from bridge.domain.errors import KeyWithheldError, UnavailableError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.ports import CallbackEndpointStore
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.builders.records import CONNECTION, OTHER_CONNECTION, PARTNER
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.coordination import InMemoryKeySource
from tests.fakes.ports import InMemoryCallbackPorts
from tests.unit.conftest import LogLines

SECRET = "s" * 43
KEY = "signing-key-1"
HOST = "https://na.myconnectwise.net"
KEY_URL = f"{HOST}/v2025_1//system/callbackkey/index.rails?companyName=acme&id=5b1f"


class Receiver(InMemoryCallbackPorts):
    """An intake with everything around it in memory."""

    def __init__(self, **changes: Any) -> None:
        self.source = InMemoryKeySource(KEY)
        self.connections = InMemoryConnectionStore()
        super().__init__(self.connections, lambda: self.source)
        connection = a_connection(
            company_id="acme",
            address=PsaAddress(HOST, "https://api-na.myconnectwise.net", "v2025_1/", True),
            state=ConnectionState.ACTIVE,
            callback_secret=CallbackSecret(hashlib.sha256(SECRET.encode()).hexdigest()),
        )
        self.connection = replace(connection, **changes)
        self.connections.save(self.connection, expected_version=0)
        self.intake = self.restarted()

    def restarted(self) -> CallbackIntake:
        """A fresh process: its memory is empty."""
        return use_cases.callback_intake(self)

    def take(self, body: bytes | None = None, **changes: Any) -> Verdict:
        raw = a_body() if body is None else body
        callback = Callback(CONNECTION, SECRET, raw, sign(raw))
        return self.intake.take(replace(callback, **changes))

    def hinted(self) -> list[Hint]:
        return self.hints.take_due()


def a_body(**changes: Any) -> bytes:
    message = {
        "MessageId": "00000000-0000-0000-0000-000000000001",
        "CompanyId": "acme",
        "Action": "updated",
        "Type": "invoice",
        "ID": 42,
        "Entity": json.dumps({"id": 42, "balance": 1}),
        "Metadata": {"key_url": KEY_URL},
    }
    return json.dumps(message | changes).encode()


def sign(body: bytes, key: str = KEY) -> str:
    digest = hmac.new(hashlib.sha256(key.encode()).digest(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def test_a_good_callback_becomes_a_hint_of_ids_only() -> None:
    receiver = Receiver()
    assert receiver.take() is Verdict.ACCEPTED
    expected = Hint(CONNECTION, RecordKind.INVOICE, 42, HintReason.CALLBACK, partner_id=PARTNER)
    assert receiver.hinted() == [expected]


def test_a_company_is_hinted_as_a_customer() -> None:
    receiver = Receiver()
    assert receiver.take(a_body(Type="company", ID=7)) is Verdict.ACCEPTED
    assert [hint.record for hint in receiver.hinted()] == [(RecordKind.CUSTOMER, 7)]


def test_a_type_that_is_not_followed_is_accepted_and_dropped() -> None:
    receiver = Receiver()
    assert receiver.take(a_body(Type="ticket")) is Verdict.ACCEPTED
    assert receiver.hinted() == []


def test_with_the_key_at_hand_connectwise_is_not_called() -> None:
    receiver = Receiver()
    for number in range(5):
        assert receiver.take(a_body(ID=number + 1)) is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 1


def test_a_new_process_takes_the_key_from_the_store() -> None:
    receiver = Receiver()
    receiver.take()
    receiver.intake = receiver.restarted()
    assert receiver.take() is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 1


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"secret": "t" * 43}, Verdict.UNKNOWN),
        ({"secret": ""}, Verdict.UNKNOWN),
        ({"connection_id": "0" * 32}, Verdict.UNKNOWN),
        ({"signature": None}, Verdict.FORGED),
        ({"signature": ""}, Verdict.FORGED),
        ({"signature": "x" * 44}, Verdict.FORGED),
        ({"signature": sign(b"another body")}, Verdict.FORGED),
        ({"signature": sign(a_body(), "another key")}, Verdict.FORGED),
    ],
)
def test_an_unproven_callback_changes_nothing(changes: dict[str, Any], verdict: Verdict) -> None:
    receiver = Receiver()
    assert receiver.take(**changes) is verdict
    assert receiver.hinted() == []


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"x" * (MAX_BODY_BYTES + 1), Verdict.TOO_LARGE),
        (b"no json", Verdict.MALFORMED),
        (b"[1]", Verdict.MALFORMED),
        (a_body(ID="42"), Verdict.MALFORMED),
        (a_body(ID=0), Verdict.MALFORMED),
        (a_body(ID=2**31), Verdict.MALFORMED),
        (a_body(Action="exploded"), Verdict.MALFORMED),
        (a_body(Metadata=None), Verdict.MALFORMED),
        (a_body(CompanyId="globex"), Verdict.FORGED),
    ],
)
def test_a_body_that_makes_no_sense_changes_nothing(body: bytes, verdict: Verdict) -> None:
    receiver = Receiver()
    assert receiver.take(body) is verdict
    assert receiver.hinted() == []
    assert len(receiver.source.asked) == 0


@pytest.mark.parametrize(
    "key_url",
    [
        "https://evil.example/v1/system/callbackkey/index.rails?companyName=acme&id=5b1f",
        "https://eu.myconnectwise.net/v1//system/callbackkey/index.rails?companyName=acme&id=5b1f",
        f"{HOST}/v2025_1//system/callbackkey/index.rails?companyName=globex&id=5b1f",
        f"{HOST}/v2025_1//system/info?companyName=acme&id=5b1f",
        "http://na.myconnectwise.net/v1//system/callbackkey/index.rails?companyName=acme&id=5b1f",
        "https://na.myconnectwise.net@evil.example/v1//system/callbackkey/index.rails?id=1",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_a_key_from_anywhere_else_is_never_asked_for(key_url: str) -> None:
    """Another ConnectWise customer can sign with his own key; his key proves nothing here."""
    receiver = Receiver()
    body = a_body(Metadata={"key_url": key_url})
    assert receiver.take(body) is Verdict.FORGED
    assert len(receiver.source.asked) == 0
    assert receiver.hinted() == []


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTED, ConnectionState.VERIFYING])
def test_a_connection_that_does_not_sync_looks_unknown(state: ConnectionState) -> None:
    receiver = Receiver(state=state)
    assert receiver.take() is Verdict.UNKNOWN
    assert receiver.hinted() == []


def test_without_any_secret_stored_nothing_is_accepted() -> None:
    assert Receiver(callback_secret=None).take() is Verdict.UNKNOWN


def test_both_live_secrets_are_accepted_while_they_rotate() -> None:
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in ("new", SECRET)]
    receiver = Receiver(callback_secret=CallbackSecret(hashes[0], hashes[1]))
    assert receiver.take() is Verdict.ACCEPTED
    assert receiver.take(secret="new") is Verdict.ACCEPTED


def test_when_no_key_can_be_had_connectwise_is_asked_to_repeat() -> None:
    receiver = Receiver()
    receiver.source.error = UnavailableError("no signing key in time")
    assert receiver.take() is Verdict.AGAIN
    assert receiver.hinted() == []


def test_when_the_hint_cannot_be_stored_connectwise_is_asked_to_repeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver = Receiver()

    def fail(*_: object, **__: object) -> None:
        raise UnavailableError("SQS did not answer")

    monkeypatch.setattr(receiver.hints, "send", fail)
    assert receiver.take() is Verdict.AGAIN


def test_a_changed_key_is_fetched_once_more() -> None:
    receiver = Receiver()
    receiver.take()
    receiver.source.key = "signing-key-2"
    receiver.clock.advance(minutes=2)
    body = a_body()
    assert receiver.take(body, signature=sign(body, "signing-key-2")) is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 2


def test_forgeries_cannot_make_us_call_connectwise_at_will() -> None:
    receiver = Receiver()
    for _ in range(50):
        assert receiver.take(signature=sign(a_body(), "forged")) is Verdict.FORGED
    assert len(receiver.source.asked) == 1
    for number in range(50):
        url = KEY_URL.replace("5b1f", f"{number:04x}")
        body = a_body(Metadata={"key_url": url})
        receiver.take(body, signature=sign(body, "forged"))
    assert len(receiver.source.asked) <= 1 + MAX_FAILED_CHECKS


def with_key_of_its_own(number: int) -> bytes:
    return a_body(ID=number, Metadata={"key_url": KEY_URL.replace("5b1f", f"{number:04x}")})


def test_genuine_callbacks_with_a_key_each_are_all_taken() -> None:
    receiver = Receiver()

    verdicts = []
    for number in range(1, 41):
        verdicts.append(receiver.take(with_key_of_its_own(number)))
        receiver.clock.advance(seconds=1)

    assert verdicts == [Verdict.ACCEPTED] * 40


def test_keys_that_cannot_be_had_are_asked_for_a_few_times_a_minute() -> None:
    receiver = Receiver()
    receiver.source.error = UnavailableError("no signing key in time")
    verdicts = {receiver.take(with_key_of_its_own(number)) for number in range(1, 41)}
    assert verdicts == {Verdict.AGAIN}
    assert len(receiver.source.asked) == MAX_FAILED_CHECKS

    receiver.source.error = None
    receiver.clock.advance(minutes=1, seconds=1)
    assert receiver.take(with_key_of_its_own(1)) is Verdict.ACCEPTED


def test_slow_key_pages_take_up_a_bounded_part_of_each_minute() -> None:
    receiver = Receiver()
    fetch = receiver.source.fetch

    def slowly(endpoint: CallbackEndpoint, key_url: str) -> str:
        receiver.clock.advance(seconds=2)
        return fetch(endpoint, key_url)

    receiver.source.fetch = slowly  # type: ignore[method-assign]
    for number in range(1, 41):
        receiver.take(with_key_of_its_own(number))
    assert len(receiver.source.asked) * 2 <= MAX_FETCH_TIME.total_seconds() + 2


def test_forgeries_against_a_known_key_leave_room_for_new_keys() -> None:
    receiver = Receiver()
    receiver.take()
    for _ in range(50):
        receiver.take(signature=sign(a_body(), "forged"))
    assert receiver.take(with_key_of_its_own(7)) is Verdict.ACCEPTED


def test_a_key_lives_for_an_hour() -> None:
    receiver = Receiver()
    receiver.take()
    receiver.clock.advance(hours=1, seconds=1)
    assert receiver.take() is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 2


def test_a_replayed_callback_is_only_one_more_hint() -> None:
    receiver = Receiver()
    assert receiver.take() is receiver.take() is Verdict.ACCEPTED
    assert len(set(receiver.hinted())) == 1


def test_logs_hold_neither_secret_nor_key_nor_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = Receiver()
    receiver.take()
    receiver.take(signature=None)
    receiver.take(secret="canary-secret")
    receiver.take(a_body(CompanyId="canary-company"))
    for canary in (SECRET, KEY, KEY_URL, "canary-secret", "canary-company", "balance"):
        assert canary not in caplog.text


def test_a_stored_key_that_does_not_fit_is_fetched_anew() -> None:
    receiver = Receiver()
    receiver.signing_keys.put(CONNECTION, KEY_URL, "stale key")
    receiver.clock.advance(seconds=KEY_REFETCH_AFTER.total_seconds() + 1)
    assert receiver.take() is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 1


# --- keys that ConnectWise serves to API members only ------------------------------------------


def test_a_key_for_members_is_asked_of_a_worker_and_connectwise_repeats() -> None:
    receiver = Receiver()
    receiver.source.error = KeyWithheldError("for members")

    assert receiver.take() is Verdict.AGAIN

    (request,) = receiver.key_requests.take_due()
    assert (request.partner_id, request.connection_id) == (PARTNER, CONNECTION)
    assert receiver.signing_keys.wanted_url(CONNECTION, request.key_digest) == KEY_URL
    assert KEY_URL not in repr(request)
    assert receiver.hinted() == []


def test_once_a_worker_has_kept_the_key_the_repetition_is_taken() -> None:
    receiver = Receiver()
    receiver.source.error = KeyWithheldError("for members")
    receiver.take()
    receiver.signing_keys.put(CONNECTION, KEY_URL, KEY)

    assert receiver.take() is Verdict.ACCEPTED
    assert len(receiver.source.asked) == 1


def test_a_worker_is_asked_for_a_key_once_a_minute() -> None:
    receiver = Receiver()
    receiver.source.error = KeyWithheldError("for members")
    for _ in range(20):
        assert receiver.take() is Verdict.AGAIN
    receiver.intake = receiver.restarted()
    receiver.take()
    assert len(receiver.key_requests.take_due()) == 1

    receiver.clock.advance(minutes=1)
    receiver.take()
    assert len(receiver.key_requests.take_due()) == 1


def test_whoever_makes_up_keys_has_a_few_of_them_asked_of_a_worker() -> None:
    receiver = Receiver()
    receiver.source.error = KeyWithheldError("for members")
    for number in range(1, 51):
        receiver.take(with_key_of_its_own(number))
    assert len(receiver.key_requests.take_due(limit=100)) == MAX_FAILED_CHECKS


# --- a flood -----------------------------------------------------------------------------------


def test_an_edit_of_many_invoices_at_once_is_taken_at_once() -> None:
    receiver = Receiver()
    verdicts = [receiver.take(a_body(ID=number)) for number in range(1, BURST + 1)]
    assert set(verdicts) == {Verdict.ACCEPTED}


def test_what_is_over_a_connections_share_is_put_off_before_it_is_read() -> None:
    receiver = Receiver()
    for _ in range(BURST):
        receiver.take()
    assert receiver.take(b"never parsed") is Verdict.AGAIN

    receiver.clock.advance(seconds=1)
    verdicts = [receiver.take() for _ in range(PER_SECOND + 1)]
    assert verdicts == [Verdict.ACCEPTED] * PER_SECOND + [Verdict.AGAIN]


def test_a_flood_of_one_connection_leaves_another_ones_share_alone() -> None:
    receiver = Receiver()
    another = replace(receiver.connection, connection_id=OTHER_CONNECTION)
    receiver.connections.save(another, expected_version=0)
    for _ in range(BURST + 50):
        receiver.take()
    assert receiver.take(connection_id=OTHER_CONNECTION) is Verdict.ACCEPTED


def test_strangers_cannot_use_a_connections_share_up() -> None:
    receiver = Receiver()
    for number in range(BURST + 50):
        receiver.take(secret=f"guess-{number}")
    assert receiver.take() is Verdict.ACCEPTED


class CountedEndpoints:
    """Counts how often the store is asked."""

    def __init__(self, endpoints: CallbackEndpointStore) -> None:
        self._endpoints = endpoints
        self.asked = 0

    def get(self, connection_id: str) -> CallbackEndpoint | None:
        self.asked += 1
        return self._endpoints.get(connection_id)


@pytest.mark.parametrize(
    "path", [{"connection_id": "0" * 32}, {"secret": "t" * 43}], ids=["unknown", "wrong secret"]
)
def test_a_path_that_was_refused_is_refused_again_unasked(path: dict[str, Any]) -> None:
    receiver = Receiver()
    counted = CountedEndpoints(receiver.callback_endpoints)
    receiver.callback_endpoints = counted
    receiver.intake = receiver.restarted()

    assert {receiver.take(**path) for _ in range(100)} == {Verdict.UNKNOWN}
    assert counted.asked == 1

    receiver.clock.advance(seconds=REFUSED_FOR.total_seconds())
    assert receiver.take(**path) is Verdict.UNKNOWN
    assert counted.asked == 2


def test_a_connection_that_came_to_be_meanwhile_is_known_soon() -> None:
    receiver = Receiver(state=ConnectionState.VERIFYING)
    assert receiver.take() is Verdict.UNKNOWN

    syncing = receiver.connection.moved_to(ConnectionState.IMPORTING)
    receiver.connections.save(syncing, expected_version=1)
    receiver.clock.advance(seconds=REFUSED_FOR.total_seconds())

    assert receiver.take() is Verdict.ACCEPTED


def test_a_refused_callback_is_logged_with_its_connection(named_lines: LogLines) -> None:
    receiver = Receiver()
    receiver.take(signature=None)
    receiver.take(secret="wrong")
    receiver.take(connection_id="no id at all")

    told = [(line.get("connection_id"), line.get("partner_id")) for line in named_lines()]
    assert told == [(CONNECTION, PARTNER), (CONNECTION, None), (None, None)]
