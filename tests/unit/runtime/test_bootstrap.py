"""Every function can be put together from exactly the settings that it declares."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from bridge.aws import clients
from bridge.runtime import bootstrap, dashboard_bootstrap
from bridge.runtime.settings import Settings

BUILDERS: dict[str, Callable[[Settings], object]] = {
    "record_sync": bootstrap.build_hint_processor,
    "bulk_sync": bootstrap.build_run_worker,
    "customer_sync": bootstrap.build_scheduled_runs,
    "reconciler": bootstrap.build_reconciler,
    "payment_writeback": bootstrap.build_write_back_driver,
    "manual_fetch": bootstrap.build_manual_fetch,
    "invoice_pdf": bootstrap.build_pdf_keeper,
    "event_publisher": bootstrap.build_stream_relay,
    "dead_letters": bootstrap.build_dead_letters,
    "dashboard_api": dashboard_bootstrap.build_dashboard,
}


def _settings_class(function: str) -> type[Settings]:
    module = importlib.import_module(f"{function}.settings")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    (settings,) = found
    return settings


def _value(field: Any) -> str:
    return "60" if field.annotation is int else "https://example.invalid/some-name"


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for make in (clients.dynamodb_client, clients.sqs_client, clients.s3_client):
        make.cache_clear()


@pytest.mark.parametrize("function", BUILDERS)
def test_a_function_is_built_from_its_settings(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings_class(function)
    for name, field in settings.model_fields.items():
        if field.is_required():
            monkeypatch.setenv(name.upper(), _value(field))
    assert BUILDERS[function](settings.from_environment())


@pytest.mark.parametrize("function", BUILDERS)
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
    adapters = bootstrap.Adapters(Settings())
    with pytest.raises(TypeError, match="OperationsTable"):
        _ = adapters.connections
