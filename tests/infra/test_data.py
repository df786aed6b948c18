"""What cannot be made again is kept, and nobody but its owner reaches it."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bridge.domain.invoice import InvoiceState
from bridge.ports import CustomerQuery, InvoiceQuery, PaymentQuery
from bridge.store.queries import customer_ranges, invoice_ranges, payment_ranges
from bridge.store.table import Range
from infra.constructs.table import Index
from infra.stacks.data import LEDGER_INDEXES, RECORDS_INDEXES
from tests.infra.templates import StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

KEPT = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::Cognito::UserPool",
    "AWS::SecretsManager::Secret",
    "AWS::EC2::EIP",
)
TABLE = "AWS::DynamoDB::Table"
MADE_AGAIN = "PageFiles"  # each deploy fills the page's bucket anew, from the sources


def by_table_name(templates: StageTemplates) -> dict[str, dict[str, object]]:
    prefix = templates.stage.resource_name("")
    return {p["TableName"].removeprefix(prefix): p for p in templates.of_type(TABLE).values()}


def test_production_keeps_its_data_when_a_stack_goes(prod: StageTemplates) -> None:
    kept = [resource for id_, resource in prod.resources(*KEPT) if not id_.startswith(MADE_AGAIN)]
    assert {resource["Type"] for resource in kept} == set(KEPT)
    for resource in kept:
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_nothing_that_is_kept_lives_in_the_replaceable_stack(any_stage: StageTemplates) -> None:
    types = {
        resource["Type"]
        for id_, resource in any_stage.service["Resources"].items()
        if not id_.startswith(MADE_AGAIN)
    }
    assert types.isdisjoint(KEPT)


def test_production_can_go_back_to_any_second_of_what_is_not_transient(
    prod: StageTemplates,
) -> None:
    backed_up = {
        name: table["PointInTimeRecoverySpecification"]
        for name, table in by_table_name(prod).items()
    }
    assert backed_up == {
        "records": {"PointInTimeRecoveryEnabled": True},
        "operations": {"PointInTimeRecoveryEnabled": True},
        "ledger": {"PointInTimeRecoveryEnabled": True},
        "coordination": {"PointInTimeRecoveryEnabled": False},
        "callbacks": {"PointInTimeRecoveryEnabled": False},
    }
    assert all(table["DeletionProtectionEnabled"] for table in by_table_name(prod).values())


def test_tables_are_paid_by_request_and_keyed_alike(any_stage: StageTemplates) -> None:
    for table in by_table_name(any_stage).values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["KeySchema"] == [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]


def test_changes_that_become_events_carry_both_images(any_stage: StageTemplates) -> None:
    streams = {
        name: table["StreamSpecification"]
        for name, table in by_table_name(any_stage).items()
        if "StreamSpecification" in table
    }
    both = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert streams == {"records": both, "operations": both, "ledger": both}


DAY = date(2026, 3, 1)
EVERY_QUESTION = [
    *invoice_ranges(
        "p", InvoiceQuery(InvoiceState.OPEN, "c", "k", "USD", due_from=DAY, due_to=DAY)
    ),
    *invoice_ranges("p", InvoiceQuery(InvoiceState.PARTIALLY_PAID)),
    *customer_ranges("p", CustomerQuery(connection_id="c", name="n")),
    *payment_ranges("p", PaymentQuery("c", "k", "i", DAY, DAY)),
    *payment_ranges("p", PaymentQuery()),
]


@pytest.mark.parametrize("question", EVERY_QUESTION)
def test_an_index_holds_all_that_a_list_reads_and_filters_by(question: Range) -> None:
    """DynamoDB takes an attribute that is not copied for missing, the embedded AWS does not."""
    (index,) = (index for index in RECORDS_INDEXES if index.name == question.index)
    expression = question.condition.expression if question.condition else ""
    filtered = {path.partition(".")[0] for path in re.findall(r"#([a-z0-9_.]+)", expression)}
    held = {"pk", "sk", index.partition_key, index.sort_key, *index.copied}
    assert {*question.attributes, *filtered} <= held


@pytest.mark.parametrize("index", [*RECORDS_INDEXES, *LEDGER_INDEXES])
def test_an_index_copies_records_without_their_lines(index: Index) -> None:
    assert {"data", "schema"} <= set(index.copied)
    assert "line_items" not in index.copied


INDEXES_BEFORE: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("indexes_before.json").read_text(encoding="utf-8")
)


def test_a_table_gains_one_index_at_most_over_the_last_release(
    any_stage: StageTemplates,
) -> None:
    """CloudFormation makes one index at a time; ``indexes_before.json`` is what 0.1.0 deployed."""
    for name, table in by_table_name(any_stage).items():
        today: Any = table.get("GlobalSecondaryIndexes", [])
        before = INDEXES_BEFORE.get(name, [])
        assert [index for index in today if index in before] == before, "it would be made anew"
        assert len(today) <= len(before) + 1


def test_items_that_expire_say_so_in_one_attribute(any_stage: StageTemplates) -> None:
    expiring = {
        name
        for name, table in by_table_name(any_stage).items()
        if table.get("TimeToLiveSpecification") == {"AttributeName": "expires_at", "Enabled": True}
    }
    assert expiring == {"operations", "coordination", "callbacks"}


def documents(templates: StageTemplates) -> dict[str, Any]:
    (found,) = (
        bucket
        for name, bucket in templates.of_type("AWS::S3::Bucket").items()
        if name.startswith("Documents")
    )
    return found


def test_documents_are_private_encrypted_and_versioned(any_stage: StageTemplates) -> None:
    bucket = documents(any_stage)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket
    rule = bucket["LifecycleConfiguration"]["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_a_pdf_expires_though_no_newer_one_takes_its_key(any_stage: StageTemplates) -> None:
    bucket = documents(any_stage)
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 180)


def test_no_user_can_choose_or_change_a_partner(any_stage: StageTemplates) -> None:
    (pool,) = any_stage.of_type("AWS::Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    (attribute,) = (a for a in pool["Schema"] if a["Name"] == "partner_id")
    assert attribute["Mutable"] is False
    for client in any_stage.of_type("AWS::Cognito::UserPoolClient").values():
        assert client["WriteAttributes"] == ["name"]


def test_services_get_tokens_by_secret_and_scope_only(any_stage: StageTemplates) -> None:
    clients = any_stage.of_type("AWS::Cognito::UserPoolClient").values()
    (services,) = (client for client in clients if client["GenerateSecret"])
    assert services["AllowedOAuthFlows"] == ["client_credentials"]
    assert [any_stage.flat(s) for s in services["AllowedOAuthScopes"]] == [
        "<IdentityUsersBridge>/payments.write"
    ]
    people = [client for client in clients if not client["GenerateSecret"]]
    assert [client["AllowedOAuthFlowsUserPoolClient"] for client in people] == [False, True]
    for client in people:
        assert "ALLOW_USER_PASSWORD_AUTH" not in client["ExplicitAuthFlows"]


def test_production_asks_for_a_second_factor(prod: StageTemplates) -> None:
    (pool,) = prod.of_type("AWS::Cognito::UserPool").values()
    assert pool["MfaConfiguration"] == "ON"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_no_template_holds_a_secret_value(any_stage: StageTemplates) -> None:
    for secret in any_stage.of_type("AWS::SecretsManager::Secret").values():
        assert "SecretString" not in secret
        assert "GenerateSecretString" not in secret


def test_partners_are_told_the_addresses_that_calls_come_from(
    real_stage: StageTemplates, local: StageTemplates
) -> None:
    told = real_stage.flat(real_stage.data["Outputs"]["EgressAddresses"]["Value"])
    addresses = real_stage.of_type("AWS::EC2::EIP")
    assert len(addresses) == real_stage.stage.nat_addresses
    assert told.count("PublicIp") == len(addresses)
    gateways = real_stage.of_type("AWS::EC2::NatGateway").values()
    used = {real_stage.flat(gateway["AllocationId"]) for gateway in gateways}
    assert len(used) == len(addresses)
    assert local.data["Outputs"]["EgressAddresses"]["Value"] == "127.0.0.1"


def test_functions_that_leave_through_the_network_can_only_speak_tls(
    real_stage: StageTemplates,
) -> None:
    (group,) = real_stage.of_type("AWS::EC2::SecurityGroup").values()
    assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [
        (443, 443)
    ]
    assert "SecurityGroupIngress" not in group
