"""The keys that a worker keeps for an hour are never used for another company or member."""

from __future__ import annotations

from dataclasses import replace

import httpx

from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.connection import Credentials
from bridge.domain.errors import NotFoundError
from tests.builders.operations import CREDENTIALS, a_connection
from tests.builders.records import CONNECTION
from tests.fakes.clock import FakeClock
from tests.fakes.vault import CLIENT_ID
from tests.unit.connectwise.sandbox import OpenLimiter

OLD = replace(CREDENTIALS, member_identifier="OldMember")
NEW = Credentials("acme_c", "new-public", "new-private", member_identifier="NewMember")
ELSEWHERE = replace(NEW, company_id="beta_c")


class KeepingVault:
    """Keeps what it read until it is asked freshly, as long as a worker lives."""

    def __init__(self, kept: Credentials, stored: Credentials) -> None:
        self.kept, self.stored = kept, stored
        self.fresh_reads = 0

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        if connection_id != CONNECTION:
            raise NotFoundError("no credentials are stored")
        if is_fresh:
            self.kept = self.stored
            self.fresh_reads += 1
        return self.kept

    def get_client_id(self) -> str:
        return CLIENT_ID


class Server:
    """Knows some public keys, and keeps by which it was asked."""

    def __init__(self, *accepted: Credentials) -> None:
        self._accepted = {
            httpx.BasicAuth(f"{c.company_id}+{c.public_key}", c.private_key): c for c in accepted
        }
        self.asked_with: list[Credentials | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        header = request.headers["Authorization"]
        found = next((c for auth, c in self._accepted.items() if auth._auth_header == header), None)
        self.asked_with.append(found)
        return httpx.Response(200, json=[]) if found else httpx.Response(401, json={})


def gateway(vault: KeepingVault, server: Server) -> ConnectWiseGateway:
    return ConnectWiseGateway(
        transport=httpx.MockTransport(server),
        vault=vault,  # type: ignore[arg-type]
        limiter=OpenLimiter(),
        clock=FakeClock(),
        on_codebase_changed=lambda *_: None,
    )


def test_old_keys_that_still_work_state_their_own_member() -> None:
    """Whoever looks for a payment that they made looks for that member's."""
    vault, server = KeepingVault(OLD, NEW), Server(OLD, NEW)
    connection = a_connection(member_identifier="NewMember", past_members=("OldMember",))

    payments = gateway(vault, server).open_payments(connection)
    payments.list_payments(1001, None)  # type: ignore[arg-type]

    assert payments.member_identifier == "OldMember"
    assert server.asked_with == [OLD]


def test_keys_that_are_rejected_are_read_again_at_once_with_their_member() -> None:
    vault, server = KeepingVault(OLD, NEW), Server(NEW)

    payments = gateway(vault, server).open_payments(a_connection())
    payments.list_payments(1001, None)  # type: ignore[arg-type]

    assert payments.member_identifier == "NewMember"
    assert server.asked_with == [None, NEW]


def test_keys_of_the_company_before_a_move_are_not_used_for_the_new_one() -> None:
    vault, server = KeepingVault(OLD, ELSEWHERE), Server(OLD, ELSEWHERE)
    moved = a_connection(company_id="beta_c")

    payments = gateway(vault, server).open_payments(moved)
    payments.list_payments(1001, None)  # type: ignore[arg-type]

    assert server.asked_with == [ELSEWHERE]
    assert vault.fresh_reads == 1


def test_keys_of_the_connections_own_company_are_read_once() -> None:
    vault, server = KeepingVault(OLD, OLD), Server(OLD)
    it = gateway(vault, server)
    for _ in range(5):
        it.open_payments(a_connection()).list_payments(1001, None)  # type: ignore[arg-type]
    assert vault.fresh_reads == 0
