"""Each call to ConnectWise names partner, connection and the records in its path, and no more."""

from __future__ import annotations

import httpx
import pytest

from bridge.domain.errors import OutcomeUnknownError, UnavailableError
from tests.unit.conftest import LogLines
from tests.unit.connectwise.bench import bench

NAMES = {"partner_id": "partner-1", "connection_id": "connection-1"}


def test_a_read_names_its_record(named_lines: LogLines) -> None:
    client = bench(httpx.Response(200, json={"id": 7})).client()
    client.read("/finance/invoices/{id}", ids={"id": 7}, query={"conditions": "canary = 1"})
    (line,) = named_lines()
    assert line.items() >= {**NAMES, "route": "/finance/invoices/{id}", "status": 200}.items()
    assert line["source_ids"] == (7,)
    assert "canary" not in str(line)


def test_a_change_names_its_record(named_lines: LogLines) -> None:
    client = bench(httpx.Response(502)).client()
    with pytest.raises(OutcomeUnknownError):
        client.send("POST", "/finance/invoices/{id}/payments", ids={"id": 7}, body={"amount": 1})
    (line,) = named_lines()
    assert line.items() >= {**NAMES, "method": "POST", "status": 502}.items()
    assert line["source_ids"] == (7,)


def test_a_call_without_an_answer_is_named_too(named_lines: LogLines) -> None:
    client = bench(*[httpx.ReadTimeout("slow")] * 3).client()
    with pytest.raises(UnavailableError):
        client.read("/finance/invoices", max_attempts=1)
    (line,) = named_lines()
    assert line.items() >= {**NAMES, "status": None}.items()
    assert "source_ids" not in line


def test_other_lines_of_a_call_name_it_as_well(
    named_lines: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause that cannot be noted is a warning about this connection."""
    play = bench(httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(200, json=[]))

    def refuse(_connection_id: str, *, seconds: float) -> None:
        raise UnavailableError(f"no table for {seconds}")

    monkeypatch.setattr(play.limiter, "pause", refuse)
    play.client().read("/finance/invoices")
    (warning,) = [line for line in named_lines() if line["levelname"] == "WARNING"]
    assert warning.items() >= NAMES.items()
