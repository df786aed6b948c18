"""What runs: functions, queues, schedules and the API. Replaced freely, holds no state."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from infra.bundling import Bundler
from infra.config import WRITE_PAYMENTS_SCOPE, StageConfig
from infra.constructs.alarms import OnCall
from infra.constructs.capability import Capability, send_to, setting
from infra.constructs.egress import Egress
from infra.constructs.http_api import HttpApi
from infra.constructs.python_function import FunctionSize, Platform, PythonFunction
from infra.constructs.queue_worker import (
    DEAD_LETTERS_TIMEOUT_SECONDS,
    OLDEST_MESSAGE_MINUTES,
    QueueWorker,
)
from infra.constructs.queues import last_stop_queue
from infra.constructs.scheduled_job import ScheduledJobs, Timetable
from infra.constructs.stream_relay import StreamRelay
from infra.stacks.access import DataAccess, loopback_egress
from infra.stacks.alarms import watch_requests, watch_the_whole
from infra.stacks.data import DataStack
from infra.stacks.front_door import build_front_door
from infra.stacks.timetables import of_customers, of_other_jobs

_API_SECONDS = 29  # the HTTP API itself gives up after 30
_RECEIVER_SECONDS = 10
_TICK_SECONDS = 300
_RECORD_SYNC_SECONDS = 60  # messages of a worker that died come again after six times as long
_STEP_WORKER_SECONDS = 90  # the code asks for a minute, and has the rest to store what came
_RELAY_SECONDS = 60
# A look may wait in the queue for 15 minutes; a message whose worker died comes again after six.
_OLDEST_WRITE_BACK_MINUTES = 30
_WORKERS_AT_ONCE = 10  # the code gives a partner a third of these places

_CALLBACK_PATH = "/webhooks/connectwise/{connection_id}/{secret}"
_COLLECTED_PAYMENT_PATH = "/v1/connections/{connection_id}/payments/{payment_id}"
_API_METHODS = (
    HttpMethod.GET,
    HttpMethod.POST,
    HttpMethod.PUT,
    HttpMethod.PATCH,
    HttpMethod.DELETE,
)


class ServiceStack(cdk.Stack):
    """All functions of a stage, with what starts them and what they may use."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: StageConfig, data: DataStack, bundler: Bundler
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._data = data
        self._access = DataAccess(stage, data)
        self._platform = self._build_platform(bundler)
        self._on_call = OnCall(self, "OnCall", stage=stage)
        self._egress = self._build_egress()
        self._api = HttpApi(
            self,
            "HttpApi",
            stage=stage,
            user_pool=data.identity.pool,
            clients=[data.identity.partner_client, data.identity.services_client],
            on_call=self._on_call,
        )
        self._hints = self._worker("hints", _RECORD_SYNC_SECONDS)
        self._hints_alone = self._worker("hints-alone", _RECORD_SYNC_SECONDS)
        self._run_steps = self._worker("run-steps", _STEP_WORKER_SECONDS)
        self._pdfs = self._worker("pdfs", _STEP_WORKER_SECONDS)
        self._writebacks = self._worker(
            "writebacks",
            stage.write_back_times.worker_seconds,
            oldest_minutes=_OLDEST_WRITE_BACK_MINUTES,
        )
        self._jobs = self._worker("jobs", _STEP_WORKER_SECONDS)
        self._send_hint = send_to("HINTS_QUEUE_URL", self._hints.queue)
        self._move_hint = send_to("HINTS_ALONE_QUEUE_URL", self._hints_alone.queue)
        self._send_run_step = send_to("RUN_STEPS_QUEUE_URL", self._run_steps.queue)
        self._send_job = send_to("JOBS_QUEUE_URL", self._jobs.queue)
        self._send_pdf = send_to("PDF_QUEUE_URL", self._pdfs.queue)
        self._send_write_back = send_to("WRITEBACKS_QUEUE_URL", self._writebacks.queue)
        api_url = build_front_door(self, stage=stage, identity=data.identity, api=self._api)
        self._webhook_base = setting("WEBHOOK_BASE_URL", api_url)
        self._build_receiver()
        self._build_workers()
        self._build_jobs()
        self._build_api()
        self._build_publisher()
        self._build_dead_letters()
        watch_the_whole(self._on_call)
        cdk.CfnOutput(self, "ApiUrl", value=api_url)

    def _build_platform(self, bundler: Bundler) -> Platform:
        target = self._stage.target
        runtime = lambda_.Runtime(target.runtime, lambda_.RuntimeFamily.PYTHON)
        codes = {"Dependencies": bundler.dependencies(target), "Core": bundler.core(target)}
        layers = [
            lambda_.LayerVersion(self, f"{name}Layer", code=code, compatible_runtimes=[runtime])
            for name, code in codes.items()
        ]
        return Platform(stage=self._stage, layers=layers)

    def _build_egress(self) -> Egress | None:
        if not self._stage.fixed_egress:
            return None
        return Egress(self, "Egress", stage=self._stage, addresses=self._data.addresses)

    def _worker(
        self,
        name: str,
        timeout_seconds: int,
        *,
        oldest_minutes: int = OLDEST_MESSAGE_MINUTES,
    ) -> QueueWorker:
        return QueueWorker(
            self,
            f"{name}-worker",
            name=name,
            stage=self._stage,
            timeout_seconds=timeout_seconds,
            on_call=self._on_call,
            oldest_minutes=oldest_minutes,
        )

    def _function(
        self, name: str, size: FunctionSize, capabilities: Sequence[Capability]
    ) -> PythonFunction:
        return PythonFunction(
            self,
            name,
            name=name,
            size=size,
            platform=self._platform,
            capabilities=[*self._access.tables(name), *capabilities],
        )

    def _function_with_egress(
        self, name: str, size: FunctionSize, capabilities: Sequence[Capability]
    ) -> PythonFunction:
        """A function that calls ConnectWise, hence leaves from the fixed addresses."""
        return PythonFunction(
            self,
            name,
            name=name,
            size=size,
            platform=self._platform,
            capabilities=[
                *self._access.tables(name),
                *capabilities,
                *loopback_egress(self._stage),
            ],
            egress=self._egress,
        )

    def _build_receiver(self) -> None:
        receiver = self._function_with_egress(
            "webhook_receiver",
            FunctionSize(timeout_seconds=_RECEIVER_SECONDS),
            [
                self._access.connectwise_client_id,
                self._send_hint,
            ],
        )
        self._api.open_route(
            _CALLBACK_PATH,
            receiver,
            HttpMethod.POST,
            reason="ConnectWise sends no token: the path's secret and the signature are checked.",
            limits=self._stage.receiver_limits,
        )
        self._on_call.watch_errors(
            "receiver-errors",
            receiver.function,
            description="Callbacks of ConnectWise are not taken: see the runbook.",
        )

    def _build_workers(self) -> None:
        access = self._access
        calls_connectwise = [
            access.read_connection_secrets,
            access.connectwise_client_id,
        ]
        record_sync = self._function_with_egress(
            "record_sync",
            # It reads for several partners at once, each of whom may answer at great length.
            FunctionSize(timeout_seconds=_RECORD_SYNC_SECONDS, memory_mb=1024),
            [*calls_connectwise, self._send_hint, self._move_hint, self._send_pdf],
        )
        self._hints.drive(record_sync, batch_size=10, concurrency=10)
        # Whatever a hint does to its worker, it does it alone.
        self._hints_alone.drive(record_sync, batch_size=1, concurrency=10)
        bulk_sync = self._function_with_egress(
            "bulk_sync",
            FunctionSize(timeout_seconds=_STEP_WORKER_SECONDS, memory_mb=1024),
            [*calls_connectwise, self._send_hint, self._send_run_step],
        )
        # One message at a time: a page that kills its worker costs its own run alone.
        self._run_steps.drive(bulk_sync, batch_size=1, concurrency=_WORKERS_AT_ONCE)
        invoice_pdf = self._function_with_egress(
            "invoice_pdf",
            FunctionSize(timeout_seconds=_STEP_WORKER_SECONDS),
            [*calls_connectwise, access.store_documents, self._send_hint, self._send_pdf],
        )
        self._pdfs.drive(invoice_pdf, batch_size=1, concurrency=_WORKERS_AT_ONCE)
        payment_writeback = self._function_with_egress(
            "payment_writeback",
            FunctionSize(timeout_seconds=self._stage.write_back_times.worker_seconds),
            [
                *calls_connectwise,
                access.write_back_times,
                self._send_hint,
                self._send_write_back,
            ],
        )
        # One message at a time: the function's timeout is then the time of one attempt.
        self._writebacks.drive(payment_writeback, batch_size=1, concurrency=_WORKERS_AT_ONCE)

    def _build_jobs(self) -> None:
        access = self._access
        customer_sync = self._function(
            "customer_sync",
            FunctionSize(timeout_seconds=_TICK_SECONDS),
            [self._send_job],
        )
        reconciler = self._function_with_egress(
            "reconciler",
            FunctionSize(timeout_seconds=_STEP_WORKER_SECONDS),
            [
                access.update_connection_secrets,
                access.connectwise_client_id,
                access.write_back_times,
                self._send_run_step,
                self._send_write_back,
                self._send_hint,
                self._send_job,
                self._webhook_base,
            ],
        )
        # One message at a time: a job that kills its worker costs its own connection alone.
        self._jobs.drive(reconciler, batch_size=1, concurrency=_WORKERS_AT_ONCE)
        self._schedule(customer_sync, of_customers())
        self._schedule(reconciler, of_other_jobs())

    def _schedule(self, function: PythonFunction, timetables: list[Timetable]) -> None:
        ScheduledJobs(
            self,
            f"{function.name}-schedules",
            stage=self._stage,
            function=function,
            timetables=timetables,
            on_call=self._on_call,
        )

    def _build_api(self) -> None:
        access = self._access
        manual_fetch = self._function(
            "manual_fetch",
            FunctionSize(timeout_seconds=_API_SECONDS),
            [self._send_run_step],
        )
        dashboard = self._function_with_egress(
            "dashboard_api",
            FunctionSize(timeout_seconds=_API_SECONDS, memory_mb=1024),
            [
                access.manage_connection_secrets,
                access.connectwise_client_id,
                access.read_documents,
                access.write_back_times,
                access.egress_addresses,
                self._send_run_step,
                self._send_pdf,
                self._send_hint,
                self._send_write_back,
                self._webhook_base,
            ],
        )
        watch_requests(self._on_call, manual_fetch, dashboard)
        fetches = "/v1/connections/{connection_id}/fetches"
        self._api.route(fetches, manual_fetch, HttpMethod.POST)
        self._api.route("/v1/{proxy+}", dashboard, *_API_METHODS)
        self._api.route(
            _COLLECTED_PAYMENT_PATH,
            dashboard,
            HttpMethod.PUT,
            HttpMethod.GET,
            scope=WRITE_PAYMENTS_SCOPE,
            limits=self._stage.payment_limits,
        )
        self._api.route(
            f"{_COLLECTED_PAYMENT_PATH}/{{change}}",
            dashboard,
            HttpMethod.POST,
            scope=WRITE_PAYMENTS_SCOPE,
            limits=self._stage.payment_limits,
        )
        self._api.open_route(
            "/openapi.json",
            dashboard,
            HttpMethod.GET,
            reason="The API's own description holds nothing of a partner.",
            limits=self._stage.description_limits,
        )

    def _build_publisher(self) -> None:
        publisher = self._function(
            "event_publisher",
            FunctionSize(timeout_seconds=_RELAY_SECONDS),
            [self._access.publish_events],
        )
        StreamRelay(
            self,
            "Outbox",
            stage=self._stage,
            function=publisher,
            tables={
                "Records": self._data.records,
                "Operations": self._data.operations,
                "Ledger": self._data.ledger,
            },
            on_call=self._on_call,
        )

    def _build_dead_letters(self) -> None:
        """Turn each dead letter into a problem that the API shows, and keep the message.

        The function moves it to a queue where it waits, longer than any alarm goes unread, for
        an operator to send it back.
        """
        parked = last_stop_queue(
            self,
            "Parked",
            stage=self._stage,
            name="parked",
            reason="Messages wait here for an operator, who sends them back or deletes them.",
        )
        self._on_call.watch_depth(
            "parked-depth",
            parked,
            description="A message could not be worked off: see the runbook.",
        )
        function = self._function(
            "dead_letters",
            FunctionSize(timeout_seconds=DEAD_LETTERS_TIMEOUT_SECONDS),
            [send_to("PARKED_QUEUE_URL", parked, in_batches=False)],
        )
        self._on_call.watch_errors(
            "dead-letters-errors",
            function.function,
            description="Dead letters are not turned into problems: see the runbook.",
        )
        for worker in (
            self._hints, self._hints_alone, self._run_steps, self._pdfs, self._writebacks,
            self._jobs,
        ):  # fmt: skip
            worker.hand_dead_letters_to(function)
