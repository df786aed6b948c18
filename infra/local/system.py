"""The whole system on this machine: embedded AWS, ConnectWise sandbox, both stacks deployed."""

import contextlib
import json
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from infra.config import LOCAL, PROJECT_ROOT, WRITE_PAYMENTS_SCOPE
from infra.local.deployment import Outputs, deploy
from infra.local.embedded_aws import EmbeddedAws
from infra.local.log_folder import log_folder
from infra.local.patience import PATIENCE_SECONDS, eventually
from infra.local.processes import LeashedProcess, minimal_environment
from infra.page_files import PageStage, upload_page

JOB_DONE = "job done"
"""The line that the reconciler logs when a connection's job is done to its end."""


class JobFailedError(Exception):
    """The reconciler failed at a job that it was asked to do."""


class ScheduleNotFiredError(Exception):
    """The embedded Scheduler did not start a schedule in time."""


@dataclass(frozen=True, kw_only=True)
class SandboxSize:
    """How big the books are that the ConnectWise sandbox generates from its seed."""

    seed: int = 7
    customers: int = 50
    invoices: int = 500


@dataclass(frozen=True, kw_only=True)
class SandboxAccess:
    """How to reach the ConnectWise sandbox, and the keys of its API member."""

    base_url: str
    company_id: str
    public_key: str
    private_key: str
    client_id: str


@dataclass(frozen=True, kw_only=True)
class PartnerUser:
    """A person of a partner signs in by e-mail and password."""

    email: str
    password: str


@dataclass(frozen=True, kw_only=True)
class ServicesClient:
    """How the platform's services sign in: by a secret, for one scope."""

    client_id: str
    client_secret: str
    scope: str = WRITE_PAYMENTS_SCOPE


class LocalSystem:
    """`with LocalSystem() as system:` is a deployed bridge beside a running sandbox.

    Everything is new and ends with the block. `name` tells the logs of several systems of one
    process apart: `<name>-aws.log` and `<name>-sandbox.log` in its log folder.
    """

    aws: EmbeddedAws
    sandbox: SandboxAccess
    outputs: Outputs

    def __init__(self, name: str = "system", *, sandbox: SandboxSize | None = None) -> None:
        self._name = name
        self._size = sandbox or SandboxSize()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Raises `ProcessFailedError` or `DeployError` when a part does not come up.

        Raises `PageNotBuiltError` when `make page` was not run.
        """
        with contextlib.ExitStack() as starting:
            process = starting.enter_context(self._sandbox_process())
            self.aws = starting.enter_context(EmbeddedAws(f"{self._name}-aws"))
            self.outputs = deploy(self.aws)
            self.sandbox = _access(process.read_first_line())
            self._put_client_id()
            upload_page(
                PageStage.of(self.outputs.service),
                s3=self.client("s3"),
                cloudfront=self.client("cloudfront"),
            )
            self._stack = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def api_url(self) -> str:
        """The bridge's HTTP API, without a trailing slash."""
        return self.outputs.api_url

    @property
    def page_url(self) -> str:
        """The partner's page, without a trailing slash."""
        return self.outputs.service["PageUrl"]

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        return self.aws.client(service)

    def queue_url(self, name: str) -> str:
        """The address of a queue by its short name, for example `hints` or `hints-dead`."""
        url: str = self.client("sqs").get_queue_url(QueueName=LOCAL.resource_name(name))["QueueUrl"]
        return url

    def hasten_redelivery(self, queue: str, *, visibility_seconds: int) -> None:
        """Let a failed message come back soon: production waits six times the function's limit."""
        self.client("sqs").set_queue_attributes(
            QueueUrl=self.queue_url(queue),
            Attributes={"VisibilityTimeout": str(visibility_seconds)},
        )

    def function_log(self, function: str) -> list[str]:
        """The log lines of a function so far, oldest first."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{LOCAL.resource_name(function)}")
        )
        return [event["message"] for page in pages for event in page["events"]]

    def new_user(self, partner_id: str) -> PartnerUser:
        """Make a user of the partner, as an administrator does, with a password for good."""
        cognito = self.client("cognito-idp")
        pool = self.outputs.data["UserPoolId"]
        user = PartnerUser(
            email=f"user-{secrets.token_hex(8)}@example.com",
            password=f"Aa1!{secrets.token_urlsafe(24)}",
        )
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=user.email,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": user.email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "custom:partner_id", "Value": partner_id},
            ],
        )
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=user.email, Password=user.password, Permanent=True
        )
        return user

    def partner_token(self, partner_id: str) -> str:
        """The ID token of a new user of the partner, as the page would hold it."""
        user = self.new_user(partner_id)
        answer = self.client("cognito-idp").admin_initiate_auth(
            UserPoolId=self.outputs.data["UserPoolId"],
            ClientId=self.outputs.data["PartnerClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user.email, "PASSWORD": user.password},
        )
        token: str = answer["AuthenticationResult"]["IdToken"]
        return token

    @property
    def token_endpoint(self) -> str:
        """Where the platform's services exchange their client's secret for a token."""
        return f"{self.aws.url}/oauth2/token"

    def services_client(self) -> ServicesClient:
        """The client of the platform's services, as Cognito keeps it."""
        client_id = self.outputs.data["ServicesClientId"]
        client = self.client("cognito-idp").describe_user_pool_client(
            UserPoolId=self.outputs.data["UserPoolId"], ClientId=client_id
        )["UserPoolClient"]
        return ServicesClient(client_id=client_id, client_secret=client["ClientSecret"])

    def service_token(self) -> str:
        """An access token of the platform's services."""
        client = self.services_client()
        answer = httpx.post(
            self.token_endpoint,
            auth=(client.client_id, client.client_secret),
            data={"grant_type": "client_credentials", "scope": client.scope},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def fire_schedule(self, name: str, *, event: Mapping[str, Any] | None = None) -> None:
        """Let the Scheduler start a job now, for example `customers-0` or `quarter-hourly`.

        A copy of the deployed schedule, due at once, goes through the embedded Scheduler: same
        target and role, and the same input unless an event is given. Returns when it was started;
        the jobs themselves run on. Raises `ScheduleNotFiredError` when nothing happens.
        """
        scheduler = self.client("scheduler")
        schedule = scheduler.get_schedule(Name=LOCAL.resource_name(name))
        once = f"{schedule['Name']}-{secrets.token_hex(4)}"
        told = {"Input": json.dumps(event)} if event else {}
        scheduler.create_schedule(
            Name=once,
            ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={**schedule["Target"], **told},
        )
        if not eventually(lambda: not scheduler.list_schedules(NamePrefix=once)["Schedules"]):
            raise ScheduleNotFiredError(f"{name} did not start")

    def run_job(self, name: str) -> int:
        """Let the reconciler do a job on every connection, for example `payments`, and wait for it.

        Returns the sum of their counts. Raises `JobFailedError` when a job
        goes on for too long.
        """
        before = len(self._jobs_done(name))
        answer = self.client("lambda").invoke(
            FunctionName=LOCAL.resource_name("reconciler"), Payload=json.dumps({"job": name})
        )
        told: dict[str, int] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise JobFailedError(f"{name}: {told}")
        if not eventually(lambda: len(self._jobs_done(name)) >= before + told["sent"]):
            raise JobFailedError(f"{name} did not end for {told['sent']} connections")
        return sum(self._jobs_done(name)[before:])

    def _jobs_done(self, name: str) -> list[int]:
        """The counts of the jobs of that name, as the log tells, oldest first."""
        lines = [_fields(line) for line in self.function_log("reconciler")]
        ended = (line for line in lines if line.get("message") == JOB_DONE)
        return [int(line["done"]) for line in ended if line["job"] == name]

    def _sandbox_process(self) -> LeashedProcess:
        size = self._size
        return LeashedProcess(
            [
                *(sys.executable, "-m", "connectwise_sandbox", "--port", "0"),
                *("--seed", str(size.seed), "--customers", str(size.customers)),
                *("--invoices", str(size.invoices)),
            ],
            environment=minimal_environment(PYTHONPATH=str(PROJECT_ROOT)),
            log=log_folder() / f"{self._name}-sandbox.log",
            scratch=Path(tempfile.mkdtemp(prefix="bridge-sandbox-")),
            first_line=True,
        )

    def _put_client_id(self) -> None:
        self.client("secretsmanager").put_secret_value(
            SecretId=self.outputs.data["ConnectWiseClientIdSecret"],
            SecretString=self.sandbox.client_id,
        )


def _fields(line: str) -> dict[str, Any]:
    """The fields of a log line; of one that is not ours there are none."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _access(line: str) -> SandboxAccess:
    told = json.loads(line)
    fields = ("base_url", "company_id", "public_key", "private_key", "client_id")
    return SandboxAccess(**{field: str(told[field]) for field in fields})
