"""A worker fetches signing keys for the receiver, which may read no member's keys."""

from __future__ import annotations

from typing import cast

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import BridgeError, KeyWithheldError, UnavailableError, UnsafeAddressError
from bridge.domain.work_messages import SigningKeyRequest
from bridge.ports import PsaGateway
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.coordination import InMemoryKeySource
from tests.fakes.ports import InMemoryPorts

KEY_URL = "https://na.myconnectwise.net/v1//system/callbackkey/index.rails?companyName=a&id=1"


class Worker(InMemoryPorts):
    """Ports in memory, with a connection and a request for one of its keys."""

    def __init__(self, state: ConnectionState = ConnectionState.ACTIVE) -> None:
        super().__init__(gateway=cast(PsaGateway, None))
        self.source = InMemoryKeySource("key")
        self.member_key_source = self.source
        self.connections.save(a_connection(state=state), expected_version=0)
        digest = self.signing_keys.want(CONNECTION, KEY_URL)
        assert digest is not None
        self.request = SigningKeyRequest(PARTNER, CONNECTION, digest)

    def fetch(self) -> None:
        use_cases.signing_key_fetch(self).fetch(self.request)

    def kept(self) -> str | None:
        return self.signing_keys.get(CONNECTION, KEY_URL)


def test_a_key_that_was_asked_for_is_kept_where_the_receiver_looks() -> None:
    worker = Worker()
    worker.fetch()
    assert worker.kept() == "key"
    assert worker.source.asked == [KEY_URL]


def test_a_key_that_changed_takes_the_place_of_the_kept_one() -> None:
    worker = Worker()
    worker.signing_keys.put(CONNECTION, KEY_URL, "former")
    worker.fetch()
    assert worker.kept() == "key"


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTED, ConnectionState.VERIFYING])
def test_a_connection_that_does_not_sync_is_not_asked(state: ConnectionState) -> None:
    worker = Worker(state)
    worker.fetch()
    assert worker.source.asked == []


def test_a_request_that_came_too_late_asks_for_nothing() -> None:
    worker = Worker()
    worker.clock.advance(minutes=15)
    worker.fetch()
    assert worker.source.asked == []


@pytest.mark.parametrize(
    "error",
    [UnavailableError("down"), KeyWithheldError("refused"), UnsafeAddressError("key_url")],
)
def test_what_cannot_be_fetched_is_logged_and_left_to_the_next_callback(
    error: BridgeError, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker()
    worker.source.error = error
    worker.fetch()
    assert worker.kept() is None
    assert "signing key not fetched" in caplog.text
    assert KEY_URL not in caplog.text
