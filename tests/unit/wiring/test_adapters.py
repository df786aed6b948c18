"""Every function can be put together from exactly the settings that it declares."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from bridge.aws import clients
from bridge.wiring.adapters import Adapters
from bridge.wiring.settings import Settings

ROOT = Path(__file__).resolve().parents[3]

HANDLERS = sorted(
    path.parent.name
    for path in (ROOT / "functions").glob("*/handler.py")
    if path.parent.name != "webhook_receiver"
)


def _settings_class(function: str) -> type[Settings]:
    module = importlib.import_module(f"{function}.settings")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    (settings,) = found
    return settings


def _builder(function: str) -> Any:
    """Return the cached function of a handler that builds its use case."""
    module = importlib.import_module(f"{function}.handler")
    (builder,) = [value for value in vars(module).values() if hasattr(value, "cache_clear")]
    return builder


def _value(field: Any) -> str:
    return "60" if field.annotation is int else "https://example.invalid/some-name"


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for make in (clients.dynamodb_client, clients.sqs_client, clients.s3_client):
        make.cache_clear()


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_is_built_from_its_settings(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, field in _settings_class(function).model_fields.items():
        if field.is_required():
            monkeypatch.setenv(name.upper(), _value(field))
    assert _builder(function).__wrapped__()


@pytest.mark.parametrize("function", HANDLERS)
def test_a_missing_setting_is_named_and_nothing_else_is_told(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings_class(function)
    for name in settings.model_fields:
        monkeypatch.setenv(name.upper(), "canary-value")
    missing = next(n for n, field in settings.model_fields.items() if field.is_required())
    monkeypatch.delenv(missing.upper())
    with pytest.raises(ValueError, match=missing) as caught:
        settings.from_environment()
    assert "canary-value" not in str(caught.value)


def test_an_adapter_that_the_settings_do_not_allow_is_a_mistake_in_wiring() -> None:
    adapters = Adapters(Settings())
    with pytest.raises(TypeError, match="OperationsTable"):
        _ = adapters.connections
