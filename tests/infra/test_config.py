"""Settings of stages that must not be combined cannot be written down."""

from dataclasses import replace

import pytest

from infra.config import (
    DEV,
    LOCAL,
    PROD,
    StageConfig,
    UnknownStageError,
    UnsafeStageError,
    stage_config,
)


@pytest.mark.parametrize("stage", [DEV, PROD])
def test_a_real_stage_cannot_call_loopback_addresses(stage: StageConfig) -> None:
    with pytest.raises(UnsafeStageError):
        replace(stage, allow_loopback_egress=True)


@pytest.mark.parametrize("stage", [DEV, PROD])
def test_a_real_stage_cannot_go_without_tls(stage: StageConfig) -> None:
    with pytest.raises(UnsafeStageError):
        replace(stage, require_tls=False)


def test_no_stage_lets_every_origin_call_the_api() -> None:
    with pytest.raises(UnsafeStageError):
        replace(LOCAL, dashboard_origins=("*",))


def test_an_unknown_stage_is_refused_by_name() -> None:
    with pytest.raises(UnknownStageError, match="local, dev, prod"):
        stage_config("production")


def test_production_keeps_its_data_and_asks_for_a_second_factor() -> None:
    assert PROD.retain_data
    assert PROD.mfa == "REQUIRED"
    assert PROD.fixed_egress
