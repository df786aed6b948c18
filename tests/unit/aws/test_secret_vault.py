"""Workers in several threads share one vault."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.aws import secret_vault
from bridge.aws.secret_vault import SecretsManagerVault
from tests.fakes.clock import FakeClock


class Secrets:
    """Answers each name with credentials that bear it."""

    def get_secret_value(self, **asked: str) -> dict[str, str]:
        fields = ("company_id", "public_key", "private_key", "callback_secret")
        return {"SecretString": json.dumps(dict.fromkeys(fields, asked["SecretId"]))}


@pytest.fixture(autouse=True)
def _threads_take_turns_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    monkeypatch.setattr(secret_vault, "MAX_CACHED", 5)
    yield
    sys.setswitchinterval(before)


def test_threads_that_share_a_vault_get_each_connections_own_credentials() -> None:
    client: Any = Secrets()
    vault = SecretsManagerVault(client, FakeClock(), name_prefix="", client_id_secret="client id")

    def read(first: int) -> bool:
        names = [f"connection-{(first + step) % 9}" for step in range(500)]
        return all(vault.get_credentials(name).company_id == name for name in names)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(8)))
