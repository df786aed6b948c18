"""Each function can do what its settings name, and nothing else."""

import pytest

from tests.infra.templates import MAPPING, StageTemplates, Statement

pytestmark = pytest.mark.xdist_group("templates")

GET, QUERY = frozenset({"dynamodb:GetItem"}), frozenset({"dynamodb:Query"})
PUT, DELETE = frozenset({"dynamodb:PutItem"}), frozenset({"dynamodb:DeleteItem"})
READ = GET | QUERY | {"dynamodb:BatchGetItem"}
UPDATE = frozenset({"dynamodb:UpdateItem"})
CHECK = frozenset({"dynamodb:ConditionCheckItem"})
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
SECRET = "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:bridge"
BUCKET = "<AWS::AccountId>-<AWS::Region>"

# Functions that may read and not change a table, and the only ones that may handle secrets or
# documents in a stronger way than reading.
READS_CALLBACK_ENDPOINTS_ONLY = {"webhook_receiver"}
KEEPS_SIGNING_KEYS = {"webhook_receiver"}
READS_RECORDS_ONLY = {"reconciler", "payment_writeback"}
LISTS_SILENCES = {"reconciler"}
TAKES_TURNS = {"payment_writeback"}
UPDATES_CONNECTION_SECRETS = {"reconciler"}
MANAGES_CONNECTION_SECRETS = {"dashboard_api"}
STORES_DOCUMENTS = {"invoice_pdf"}

Rights = dict[str, frozenset[str]]
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


def named_by_setting(setting: str, function: str, stage: str) -> Rights:
    """What a setting of a function entitles it to."""
    secrets = frozenset({"secretsmanager:GetSecretValue"})
    documents = frozenset({"s3:GetObject"})
    if function in MANAGES_CONNECTION_SECRETS:
        verbs = ("CreateSecret", "PutSecretValue", "DeleteSecret", "RestoreSecret")
        secrets |= {f"secretsmanager:{verb}" for verb in verbs}
    if function in UPDATES_CONNECTION_SECRETS:
        secrets |= {"secretsmanager:PutSecretValue"}
    if function in STORES_DOCUMENTS:
        documents |= {"s3:PutObject"}
    on_records = READ if function in READS_RECORDS_ONLY else READ | PUT
    operations: Rights = {
        "<operations.Arn>": READ | PUT | DELETE,
        "<operations.Arn>/index/by_partner": QUERY,
    }
    if function in READS_CALLBACK_ENDPOINTS_ONLY:
        operations = {"<operations.Arn>": GET}
    # The batch is no action of its own in AWS; the embedded AWS takes it for one.
    send = frozenset({"sqs:SendMessage", "sqs:SendMessageBatch"})
    table: dict[str, Rights] = {
        "RECORDS_TABLE": {
            "<records.Arn>": on_records,
            "<records.Arn>/index/listing": QUERY,
            "<records.Arn>/index/by_customer": QUERY,
        },
        "OPERATIONS_TABLE": operations,
        "LEDGER_TABLE": {
            "<ledger.Arn>": READ | PUT | DELETE | CHECK,
            "<ledger.Arn>/index/listing": QUERY,
            "<ledger.Arn>/index/by_customer": QUERY,
            "<ledger.Arn>/index/due": QUERY,
        },
        "COORDINATION_TABLE": {"<coordination.Arn>": on_coordination(function)},
        "SECRETS_PREFIX": {f"{SECRET}/{stage}/connections/*": secrets},
        "CONNECTWISE_CLIENT_ID_SECRET": {
            f"{SECRET}/{stage}/connectwise-client-id-??????": frozenset(
                {"secretsmanager:GetSecretValue"}
            )
        },
        "HINTS_QUEUE_URL": {"<hints.Arn>": send},
        "RUN_STEPS_QUEUE_URL": {"<run-steps.Arn>": send},
        "PDF_QUEUE_URL": {"<pdfs.Arn>": send},
        "WRITEBACKS_QUEUE_URL": {"<writebacks.Arn>": send},
        "PARKED_QUEUE_URL": {"<parked.Arn>": frozenset({"sqs:SendMessage"})},
        "EVENT_BUS_NAME": {"<Bus.Arn>": frozenset({"events:PutEvents"})},
        "DOCUMENTS_BUCKET": {
            "<Documents.Arn>": frozenset({"s3:ListBucket"}),
            f"arn:<AWS::Partition>:s3:::bridge-{stage}-documents-{BUCKET}/*": documents,
        },
    }
    return table.get(setting, {})


def on_coordination(function: str) -> frozenset[str]:
    """What a function may do with rates, places, silences and signing keys."""
    if function in KEEPS_SIGNING_KEYS:
        return GET | PUT
    if function in TAKES_TURNS:
        return UPDATE | GET | PUT | DELETE
    return UPDATE | QUERY if function in LISTS_SILENCES else UPDATE


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
def test_a_function_can_do_exactly_what_its_settings_and_triggers_name(
    function: str, any_stage: StageTemplates
) -> None:
    properties = any_stage.functions()[function]
    settings = properties["Environment"]["Variables"]
    in_network = "VpcConfig" in properties
    expected = merge(
        {f"<{function}.Arn>": frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})},
        {"*": TRACE | NETWORK if in_network else TRACE},
        *(named_by_setting(setting, function, any_stage.stage.name) for setting in settings),
        named_by_trigger(any_stage, function),
    )
    assert rights(any_stage.statements(function)) == expected


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
