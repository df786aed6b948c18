"""Looking for a company in the cloud ends before the person who waits for it gets no answer."""

from __future__ import annotations

import httpx
import pytest

from bridge.connectwise.discovery import CLOUD_REGIONS, discover
from bridge.domain.errors import UnavailableError

API_SECONDS = 29
"""How long the function behind the API may run (``infra/stacks/service.py``)."""


class _Silent(httpx.BaseTransport):
    """Regions that never answer; adds up how long they are waited for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waited_seconds = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        self.waited_seconds += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("no answer")


def test_a_cloud_that_never_answers_is_a_clear_failure_in_time() -> None:
    regions = _Silent()

    with pytest.raises(UnavailableError):
        discover(regions, "acme", None)

    assert len(regions.asked) == len(CLOUD_REGIONS)
    assert regions.waited_seconds < API_SECONDS - 5
