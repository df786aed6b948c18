"""What every function must have, whatever it does."""

import importlib

import pytest

from bridge.wiring.settings import Settings
from infra.bundling import FUNCTIONS
from tests.infra.templates import StageTemplates, logical_id

pytestmark = pytest.mark.xdist_group("templates")

FOLDERS = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
COMMON_SETTINGS = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "LOG_LEVEL",
    "STAGE",
}
LOOPBACK = "ALLOW_LOOPBACK_EGRESS"
HTTP_API_LIMIT_SECONDS = 30


def test_each_folder_is_one_deployed_function(any_stage: StageTemplates) -> None:
    assert sorted(any_stage.functions()) == FOLDERS


def test_a_function_is_found_where_its_handler_says(any_stage: StageTemplates) -> None:
    for name, function in any_stage.functions().items():
        assert function["Handler"] == f"{name}.handler.lambda_handler"


def test_no_two_functions_share_a_role(any_stage: StageTemplates) -> None:
    roles = [logical_id(function["Role"]) for function in any_stage.functions().values()]
    assert len(roles) == len(set(roles))


def test_a_role_has_only_statements_written_by_hand(any_stage: StageTemplates) -> None:
    for function in any_stage.functions().values():
        role = any_stage.of_type("AWS::IAM::Role")[logical_id(function["Role"])]
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role


def test_logs_are_kept_for_a_stated_time(any_stage: StageTemplates) -> None:
    groups = any_stage.of_type("AWS::Logs::LogGroup")
    for function in any_stage.functions().values():
        group = groups[logical_id(function["LoggingConfig"]["LogGroup"])]
        assert group["RetentionInDays"] == any_stage.stage.log_retention_days
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_real_stages_run_on_arm_and_the_runtime_that_layers_are_built_for(
    real_stage: StageTemplates,
) -> None:
    for function in real_stage.functions().values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]


def test_a_function_behind_the_api_answers_before_the_api_gives_up(
    any_stage: StageTemplates,
) -> None:
    behind_api = {
        any_stage.function_of(integration["IntegrationUri"])
        for integration in any_stage.of_type("AWS::ApiGatewayV2::Integration").values()
    }
    assert behind_api == {"webhook_receiver", "dashboard_api", "manual_fetch"}
    for name in behind_api:
        assert any_stage.functions()[name]["Timeout"] < HTTP_API_LIMIT_SECONDS


def test_functions_that_call_connectwise_leave_from_the_fixed_addresses(
    real_stage: StageTemplates, local: StageTemplates
) -> None:
    for name, function in real_stage.functions().items():
        calls_connectwise = LOOPBACK in local.functions()[name]["Environment"]["Variables"]
        assert ("VpcConfig" in function) == calls_connectwise, name


def test_only_this_machine_may_be_called_on_this_machine(
    real_stage: StageTemplates, local: StageTemplates
) -> None:
    assert LOOPBACK not in str(real_stage.service)
    assert LOOPBACK not in str(real_stage.data)
    assert LOOPBACK in str(local.service)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_environment_is_what_the_settings_ask_for(name: str, any_stage: StageTemplates) -> None:
    given = set(any_stage.functions()[name]["Environment"]["Variables"]) - COMMON_SETTINGS
    known, required = _settings_of(name)
    assert required <= given, "a setting without a value stops the function"
    assert given <= known, "a value without a setting is a right without a use"


def _settings_of(name: str) -> tuple[set[str], set[str]]:
    """Names that the function's settings know, and those it cannot do without."""
    module = importlib.import_module(f"{name}.settings")
    if hasattr(module, "REQUIRED"):  # read without pydantic, for a lean start
        return {*module.REQUIRED, LOOPBACK}, set(module.REQUIRED)
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Settings)
        and value.__module__ == module.__name__
    ]
    assert len(models) == 1, f"{name} has one settings model"
    fields = models[0].model_fields
    return (
        {field.upper() for field in fields},
        {field.upper() for field, info in fields.items() if info.is_required()},
    )
