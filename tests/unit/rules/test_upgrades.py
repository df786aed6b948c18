"""While ConnectWise is upgraded, it may answer anything; that passes."""

from __future__ import annotations

import httpx
import pytest

from bridge.domain.errors import UnavailableError
from bridge.domain.identity import RecordKind
from tests.unit.connectwise.sandbox import sandboxed_world

INVOICE = RecordKind.INVOICE


class _Upgrading(httpx.BaseTransport):
    """Answers everything with the page of a web server that has no application behind it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, html="<h1>Not Found</h1>")


def test_an_upgrade_that_answers_404_to_everything_passes() -> None:
    world = sandboxed_world()
    during = world.gateway(_Upgrading()).open(world.connection)

    with pytest.raises(UnavailableError):
        during.list_records(INVOICE, after_id=0, limit=10)

    assert world.psa().list_records(INVOICE, after_id=0, limit=10).records
