"""What the functions ask of AWS in a whole run is what their code was read to need, and allowed.

`tests/infra/test_policies.py` compares the rights of each role with the calls that its code may
come to, both ways. That reading of the code is held to the facts here: the embedded AWS writes down
what each role asked for, while the main job is played.
"""

import json
import re
from collections import defaultdict

import pytest

from infra.config import LOCAL
from infra.local.system import LocalSystem
from tests.infra.code_rights import Rights, needed

PLAYED = {
    "bulk_sync", "customer_sync", "dashboard_api", "event_publisher", "invoice_pdf",
    "manual_fetch", "payment_writeback", "record_sync", "reconciler", "webhook_receiver",
}  # fmt: skip
ROLE = re.compile(r"arn:aws:sts::\d+:assumed-role/(?P<role>[^/]+)/.*")
NAMED = LOCAL.resource_name("")
# How the stacks name what an ARN of the embedded AWS points to.
RESOURCES = (
    (re.compile(rf"arn:aws:dynamodb:.*:table/{NAMED}([a-z]+)(/index/.+)?"), r"<\1.Arn>\2"),
    (re.compile(rf"arn:aws:sqs:.*:{NAMED}([a-z-]+)"), r"<\1.Arn>"),
    (re.compile(rf"arn:aws:events:.*:event-bus/{NAMED}events"), "<Bus.Arn>"),
    (re.compile(r"arn:aws:secretsmanager:.*:(secret:bridge/local/connections/).*"), r"\1*"),
    (re.compile(r"arn:aws:secretsmanager:.*:(secret:bridge/local/connectwise-client-id).*"), r"\1"),
    (re.compile(rf"arn:aws:s3:::{NAMED}documents-[^/]+(/.*)?"), "documents"),
)


@pytest.fixture(scope="module")
def asked(played: dict[str, str], system: LocalSystem) -> dict[str, Rights]:
    """What each function asked for until now, by resource."""
    roles = {
        each["Role"].rpartition("/")[2]: each["FunctionName"].removeprefix(NAMED)
        for page in system.client("lambda").get_paginator("list_functions").paginate()
        for each in page["Functions"]
    }
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in system.aws.role_requests.read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        role = ROLE.fullmatch(request["principal"])
        resource = resource_of(request["resource"])
        if role and resource and role["role"] in roles:
            found[roles[role["role"]]][resource].add(request["action"])
    return {
        function: {resource: frozenset(actions) for resource, actions in resources.items()}
        for function, resources in found.items()
    }


def resource_of(arn: str) -> str | None:
    """Return the short name of a resource that a function calls itself, None for all others."""
    for pattern, name in RESOURCES:
        match = pattern.fullmatch(arn)
        if match:
            return match.expand(name)
    return None


def by_short_name(rights: Rights) -> dict[str, set[str]]:
    """The rights by the names that `resource_of` gives."""
    found: dict[str, set[str]] = defaultdict(set)
    for resource, actions in rights.items():
        name = resource.partition(":secretsmanager:")[2].rpartition(">:")[2].removesuffix("-??????")
        if "documents" in resource or resource == "<Documents.Arn>":
            name = "documents"
        found[name or resource] |= actions
    return found


def test_every_function_of_the_main_job_asked_for_something(asked: dict[str, Rights]) -> None:
    assert set(asked) >= PLAYED


@pytest.mark.parametrize("function", sorted(PLAYED))
def test_what_a_function_asked_for_is_what_its_code_was_read_to_need(
    function: str, asked: dict[str, Rights]
) -> None:
    allowed = by_short_name(needed(function, LOCAL))
    unread = {
        resource: actions - allowed[resource]
        for resource, actions in asked[function].items()
        if actions - allowed[resource]
    }
    assert unread == {}

    unused = sum(len(actions) for actions in allowed.values()) - sum(
        map(len, asked[function].values())
    )
    print(f"{function}: {unused} rights were not used in this run")
