"""What every SecretVault does."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.aws.secret_vault import SecretsManagerVault
from bridge.domain.errors import NotFoundError, PermanentError
from bridge.ports import SecretVault
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.operations import CREDENTIALS
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.fakes.clock import FakeClock
from tests.fakes.vault import CLIENT_ID, InMemoryVault

CHANGED = replace(CREDENTIALS, private_key="another-key")
_numbers = itertools.count(1)


@pytest.fixture
def secrets(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager")


@pytest.fixture
def prefix() -> str:
    return f"bridge/test-{next(_numbers)}/connections/"


@pytest.fixture
def on_aws(secrets: Any, prefix: str, clock: FakeClock) -> SecretsManagerVault:
    name = f"{prefix}client-id"
    secrets.create_secret(Name=name, SecretString=f"{CLIENT_ID}\n")
    return SecretsManagerVault(secrets, clock, name_prefix=prefix, client_id_secret=name)


@pytest.fixture
def elsewhere(secrets: Any, prefix: str, clock: FakeClock) -> SecretsManagerVault:
    """Another worker's vault."""
    return SecretsManagerVault(secrets, clock, name_prefix=prefix, client_id_secret="none")


@pytest.fixture
def in_memory_vault() -> InMemoryVault:
    return InMemoryVault()


@pytest.fixture(params=["in_memory_vault", "on_aws"])
def vault(request: pytest.FixtureRequest) -> SecretVault:
    given: SecretVault = request.getfixturevalue(request.param)
    return given


def test_credentials_come_back_as_they_were_put(vault: SecretVault) -> None:
    vault.put_credentials(CONNECTION, CREDENTIALS)
    assert vault.get_credentials(CONNECTION) == CREDENTIALS


def test_each_connection_has_its_own(vault: SecretVault) -> None:
    vault.put_credentials(CONNECTION, CREDENTIALS)
    vault.put_credentials(OTHER_CONNECTION, CHANGED)
    assert vault.get_credentials(CONNECTION) == CREDENTIALS
    assert vault.get_credentials(OTHER_CONNECTION) == CHANGED


def test_putting_again_replaces_at_once(vault: SecretVault) -> None:
    vault.put_credentials(CONNECTION, CREDENTIALS)
    vault.get_credentials(CONNECTION)
    vault.put_credentials(CONNECTION, CHANGED)
    assert vault.get_credentials(CONNECTION) == CHANGED


def test_a_connection_without_credentials_has_none(vault: SecretVault) -> None:
    with pytest.raises(NotFoundError):
        vault.get_credentials(CONNECTION)
    vault.delete_credentials(CONNECTION)


def test_deleted_credentials_are_gone_and_can_be_put_again(vault: SecretVault) -> None:
    vault.put_credentials(CONNECTION, CREDENTIALS)
    vault.delete_credentials(CONNECTION)
    vault.delete_credentials(CONNECTION)
    with pytest.raises(NotFoundError):
        vault.get_credentials(CONNECTION)
    vault.put_credentials(CONNECTION, CHANGED)
    assert vault.get_credentials(CONNECTION) == CHANGED


def test_only_stored_credentials_can_be_replaced(vault: SecretVault) -> None:
    with pytest.raises(NotFoundError):
        vault.replace_credentials(CONNECTION, CHANGED)
    vault.put_credentials(CONNECTION, CREDENTIALS)
    vault.replace_credentials(CONNECTION, CHANGED)
    assert vault.get_credentials(CONNECTION) == CHANGED
    vault.delete_credentials(CONNECTION)
    with pytest.raises(NotFoundError):
        vault.replace_credentials(CONNECTION, CREDENTIALS)


def test_the_bridges_own_client_id_is_known(vault: SecretVault) -> None:
    assert vault.get_client_id() == CLIENT_ID


@pytest.mark.parametrize(("member", "life_minutes"), [("BridgeApi", 60), ("", 5)])
def test_credentials_changed_elsewhere_are_seen_once_their_life_is_over_or_when_asked_freshly(
    on_aws: SecretsManagerVault,
    elsewhere: SecretsManagerVault,
    clock: FakeClock,
    member: str,
    life_minutes: int,
) -> None:
    """Keys that do not say whose they are live short: their member is being looked for."""
    kept = replace(CREDENTIALS, member_identifier=member)
    changed = replace(CHANGED, member_identifier="Another")
    on_aws.put_credentials(CONNECTION, kept)
    on_aws.get_credentials(CONNECTION)
    elsewhere.put_credentials(CONNECTION, changed)
    clock.advance(seconds=life_minutes * 60 - 1)
    assert on_aws.get_credentials(CONNECTION) == kept
    clock.advance(seconds=1)
    assert on_aws.get_credentials(CONNECTION) == changed
    elsewhere.put_credentials(CONNECTION, kept)
    assert on_aws.get_credentials(CONNECTION, is_fresh=True) == kept


def test_an_hours_readings_cost_one_request(secrets: Any, on_aws: SecretsManagerVault) -> None:
    asked: list[str] = []
    secrets.meta.events.register(
        "before-call.secrets-manager.GetSecretValue", lambda **_: asked.append("secret")
    )
    on_aws.put_credentials(CONNECTION, replace(CREDENTIALS, member_identifier="BridgeApi"))
    for _ in range(100):
        on_aws.get_credentials(CONNECTION)
    assert len(asked) == 1


@pytest.mark.parametrize("content", ["not json", "[]", '{"company_id": "a"}'])
def test_a_secret_that_cannot_be_read_is_an_error_without_its_content(
    secrets: Any, prefix: str, on_aws: SecretsManagerVault, content: str
) -> None:
    secrets.create_secret(Name=prefix + CONNECTION, SecretString=content)
    with pytest.raises(PermanentError) as refused:
        on_aws.get_credentials(CONNECTION)
    assert "json" not in str(refused.value)


def test_what_is_stored_is_one_json_object(
    secrets: Any, prefix: str, on_aws: SecretsManagerVault
) -> None:
    on_aws.put_credentials(CONNECTION, CREDENTIALS)
    stored = secrets.get_secret_value(SecretId=prefix + CONNECTION)["SecretString"]
    assert json.loads(stored) == {
        "company_id": "acme_c",
        "public_key": "public-key",
        "private_key": "private-key",
        "callback_secret": "callback-secret",
        "member_identifier": "",
    }


def test_the_member_that_the_keys_belong_to_is_kept_beside_them(vault: SecretVault) -> None:
    of_member = replace(CREDENTIALS, member_identifier="BridgeApi")
    vault.put_credentials(CONNECTION, of_member)
    assert vault.get_credentials(CONNECTION) == of_member


def test_a_secret_of_version_0_1_0_names_no_member(
    secrets: Any, prefix: str, on_aws: SecretsManagerVault
) -> None:
    fields = ("company_id", "public_key", "private_key", "callback_secret")
    content = json.dumps({field: getattr(CREDENTIALS, field) for field in fields})
    secrets.create_secret(Name=prefix + CONNECTION, SecretString=content)
    assert on_aws.get_credentials(CONNECTION) == CREDENTIALS
