"""Settings come from the environment, all of them or none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.wiring.settings import (
    ConnectWiseAccess,
    HintsQueue,
    RecordsTable,
    WriteBackTimings,
)

ACCESS = {
    "SECRETS_PREFIX": "bridge/dev/connections/",
    "CONNECTWISE_CLIENT_ID_SECRET": "bridge/dev/client-id",
}


class TwoNeeds(RecordsTable, HintsQueue):
    """What a function with two needs asks for."""


def test_fields_are_read_by_their_names_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDS_TABLE", "records-dev")
    monkeypatch.setenv("HINTS_QUEUE_URL", "https://sqs/hints")
    monkeypatch.setenv("SOMETHING_ELSE", "ignored")

    settings = TwoNeeds.from_environment()

    assert settings.records_table == "records-dev"
    assert settings.hints_queue_url == "https://sqs/hints"


def test_a_missing_name_stops_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDS_TABLE", "records-dev")
    monkeypatch.delenv("HINTS_QUEUE_URL", raising=False)

    with pytest.raises(ValidationError, match="hints_queue_url"):
        TwoNeeds.from_environment()


def test_a_value_that_is_refused_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDS_TABLE", "xy")

    with pytest.raises(ValidationError) as raised:
        RecordsTable.from_environment()

    assert "xy" not in str(raised.value)


def test_settings_do_not_change() -> None:
    settings = RecordsTable(records_table="records-dev")

    with pytest.raises(ValidationError):
        settings.records_table = "another"  # type: ignore[misc]


def test_loopback_is_off_unless_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    assert ConnectWiseAccess.from_environment().allow_loopback_egress is False

    monkeypatch.setenv("ALLOW_LOOPBACK_EGRESS", "true")
    assert ConnectWiseAccess.from_environment().allow_loopback_egress is True


@pytest.mark.parametrize("field", list(WriteBackTimings.model_fields))
def test_no_timing_of_a_write_back_has_a_default(field: str) -> None:
    """A wait that is too short posts a payment twice."""
    timings = {name: 60 for name in WriteBackTimings.model_fields if name != field}

    with pytest.raises(ValidationError, match=field):
        WriteBackTimings.model_validate(timings)
