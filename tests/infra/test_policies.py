"""Each function can do what its code calls and what starts it needs, and nothing else."""

import pytest

from tests.infra.code_rights import Rights, needed
from tests.infra.templates import MAPPING, StageTemplates, Statement

pytestmark = pytest.mark.xdist_group("templates")

CONSUME = frozenset({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"})
TRACE = frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords"})
NETWORK = frozenset(
    {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    }
)
FUNCTIONS = [
    "webhook_receiver", "record_sync", "bulk_sync", "customer_sync", "reconciler",
    "manual_fetch", "dashboard_api", "invoice_pdf", "event_publisher", "dead_letters",
    "payment_writeback",
]  # fmt: skip


def rights(statements: list[Statement]) -> Rights:
    """What the statements allow, by resource."""
    allowed: Rights = {}
    for statement in statements:
        assert statement.effect == "Allow"
        for resource in statement.resources:
            allowed[resource] = allowed.get(resource, frozenset()) | set(statement.actions)
    return allowed


def merge(*parts: Rights) -> Rights:
    merged: Rights = {}
    for part in parts:
        for resource, actions in part.items():
            merged[resource] = merged.get(resource, frozenset()) | actions
    return merged


def named_by_trigger(templates: StageTemplates, function: str) -> Rights:
    """What the things that start a function entitle it to."""
    parts: list[Rights] = []
    for mapping in templates.of_type(MAPPING).values():
        if templates.function_of(mapping["FunctionName"]) != function:
            continue
        source = templates.flat(mapping["EventSourceArn"])
        if "StartingPosition" not in mapping:
            parts.append({source: CONSUME})
            continue
        table = source.removeprefix("<").partition(".")[0]
        name = templates.stage.resource_name(table)
        streams = f"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/{name}"
        read = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
        parts.append({source: frozenset(read)})
        parts.append({f"{streams}/stream/*": frozenset({"dynamodb:ListStreams"})})
    if f"{function}-failed" in templates.queues():
        parts.append({f"<{function}-failed.Arn>": frozenset({"sqs:SendMessage"})})
    return merge(*parts)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_can_do_exactly_what_its_code_calls_and_its_triggers_need(
    function: str, any_stage: StageTemplates
) -> None:
    properties = any_stage.functions()[function]
    in_network = "VpcConfig" in properties
    expected = merge(
        {f"<{function}.Arn>": frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})},
        {"*": TRACE | NETWORK if in_network else TRACE},
        needed(function, any_stage.stage),
        named_by_trigger(any_stage, function),
    )
    assert rights(any_stage.statements(function)) == expected


def test_the_open_door_lists_nothing_and_writes_its_own_table_and_hints_only(
    any_stage: StageTemplates,
) -> None:
    """Decision 0010 rests on it."""
    found = needed("webhook_receiver", any_stage.stage)
    allowed = rights(any_stage.statements("webhook_receiver"))
    on_data = {resource: allowed[resource] for resource in found}
    read = {"dynamodb:GetItem", "secretsmanager:GetSecretValue"}
    written = {resource for resource, actions in on_data.items() if actions - read}
    assert written == {"<callbacks.Arn>", "<hints.Arn>"}
    assert allowed["<callbacks.Arn>"] - read == {"dynamodb:PutItem"}
    named = {action.partition(":")[2] for actions in on_data.values() for action in actions}
    assert named.isdisjoint({"BatchGetItem", "ListSecrets", "Query", "Scan"})


def test_the_open_door_reads_no_connections_keys(any_stage: StageTemplates) -> None:
    secrets = [
        resource
        for statement in any_stage.statements("webhook_receiver")
        for resource in statement.resources
        if "secretsmanager" in resource
    ]
    assert [name.partition(":secret:")[2] for name in secrets] == [
        f"bridge/{any_stage.stage.name}/connectwise-client-id-??????"
    ]


def test_signing_keys_are_read_by_the_open_door_and_where_they_are_fetched_or_compared(
    any_stage: StageTemplates,
) -> None:
    """Whoever saves a connection writes its endpoint beside them, and reads none of them."""
    readers = {
        function
        for function in any_stage.functions()
        if rights(any_stage.statements(function)).get("<callbacks.Arn>", frozenset())
        & {"dynamodb:GetItem", "dynamodb:Query"}
    }
    assert readers == {"webhook_receiver", "record_sync", "reconciler"}


def test_no_statement_of_any_role_allows_a_family_of_actions(any_stage: StageTemplates) -> None:
    for policy in any_stage.of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in str(statement["Action"])


def test_a_role_is_for_one_service(any_stage: StageTemplates) -> None:
    for role in any_stage.of_type("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Principal"]) == {"Service"}


def test_a_schedule_can_start_its_function_and_keep_what_failed(
    any_stage: StageTemplates,
) -> None:
    for schedule in any_stage.of_type("AWS::Scheduler::Schedule").values():
        target = schedule["Target"]
        role = target["RoleArn"]["Fn::GetAtt"][0]
        allowed = {
            (action, any_stage.flat(statement["Resource"]))
            for policy in any_stage.of_type("AWS::IAM::Policy").values()
            if policy["Roles"] == [{"Ref": role}]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in [statement["Action"]]
        }
        function = any_stage.function_of(target["Arn"])
        assert allowed == {
            ("lambda:InvokeFunction", f"<{function}.Arn>"),
            ("sqs:SendMessage", f"<{function}-failed.Arn>"),
        }
