"""Typed settings of each stage: everything that differs between a laptop and production."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

WRITE_PAYMENTS_SCOPE = "bridge/payments.write"
"""What the platform's services ask for with their token: resource server and scope."""


class UnknownStageError(Exception):
    """A stage was asked for that this module does not define."""


class UnsafeStageError(Exception):
    """A stage combines settings that must not be combined."""


class Mfa(StrEnum):
    """Whether a partner's users need a second factor to sign in."""

    OFF = "OFF"
    OPTIONAL = "OPTIONAL"
    REQUIRED = "REQUIRED"


@dataclass(frozen=True, kw_only=True)
class BundleTarget:
    """The machine that a bundle has to run on.

    `platform` is uv's name of a wheel platform; None means the machine that builds.
    """

    python_version: tuple[int, int]
    platform: str | None

    @property
    def runtime(self) -> str:
        """Lambda's name of the runtime, for example `python3.13`."""
        major, minor = self.python_version
        return f"python{major}.{minor}"


GRAVITON = BundleTarget(python_version=(3, 13), platform="aarch64-manylinux2014")
THIS_MACHINE = BundleTarget(python_version=sys.version_info[:2], platform=None)


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """What a route of the HTTP API lets through before it answers 429."""

    requests_per_second: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class WriteBackTimes:
    """How long one attempt to write a payment into ConnectWise may live.

    `worker_seconds` is the timeout of `payment_writeback`, and so how long a worker may hold an
    invoice before it sends anything. A write-back that goes well is five calls of about a second;
    the client gives up a post after 30 seconds, and as much again is left for what goes before
    and after. Less would cut posts off, and each of those costs the whole quarantine.

    `in_flight_seconds` is how long after sending a request may still take effect. ConnectWise
    promises nothing here, so ten minutes is our assumption: longer than proxies and web servers
    keep a request that nobody waits for. The comparison is the net under it: each hour with the
    mirror, each day with ConnectWise itself.

    `read_lag_seconds` is how late a list may show what took effect; it also covers clocks that
    differ.

    Nothing is posted again before all three have passed. The same numbers reach the functions as
    settings, so the stacks and the code cannot disagree.
    """

    worker_seconds: int = 60
    in_flight_seconds: int = 600
    read_lag_seconds: int = 60

    @property
    def quarantine_seconds(self) -> int:
        """From the statement of intent until a post is surely over and visible."""
        return self.worker_seconds + self.in_flight_seconds + self.read_lag_seconds


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage: names, retention, limits and the few switches between stages.

    `dashboard_origins` are the web origins that browsers may call the API from.

    `receiver_limits` bound the public callback route, `payment_limits` each route on which services
    record payments, `description_limits` the open description of the API, and `api_limits` each of
    the others. They are ceilings for all together, at least ten times a partner's share in a
    process: the functions refuse a flood of one partner before it reaches them.
    `nat_addresses` is the number of fixed addresses that partners allow through their
    firewalls; zero means that functions leave through the network of the machine itself.
    `allow_loopback_egress` lets the guarded client call this machine, for the sandbox only.
    `require_tls` makes queues, topics and buckets refuse plain HTTP.
    `write_back_times` may be shortened for the sandbox only, which keeps no request for minutes.
    """

    name: str
    target: BundleTarget
    retain_data: bool
    nat_addresses: int
    allow_loopback_egress: bool
    require_tls: bool
    mfa: Mfa
    dashboard_origins: tuple[str, ...]
    log_level: str = "INFO"
    log_retention_days: int = 30
    receiver_limits: RequestLimits = RequestLimits(requests_per_second=500, burst=1000)
    payment_limits: RequestLimits = RequestLimits(requests_per_second=200, burst=400)
    description_limits: RequestLimits = RequestLimits(requests_per_second=5, burst=20)
    api_limits: RequestLimits = RequestLimits(requests_per_second=200, burst=400)
    write_back_times: WriteBackTimes = WriteBackTimes()

    def __post_init__(self) -> None:
        if self.allow_loopback_egress and self.name != "local":
            raise UnsafeStageError(f"stage {self.name} must not call loopback addresses")
        if not self.require_tls and self.name != "local":
            raise UnsafeStageError(f"stage {self.name} must refuse requests without TLS")
        if self.write_back_times != WriteBackTimes() and self.name != "local":
            raise UnsafeStageError(f"stage {self.name} must wait out what may still be posted")
        if "*" in self.dashboard_origins:
            raise UnsafeStageError(f"stage {self.name} must name the dashboard's origins")

    @property
    def on_this_machine(self) -> bool:
        """True for the stage that runs on the embedded AWS."""
        return self.name == "local"

    @property
    def fixed_egress(self) -> bool:
        """True when calls to ConnectWise leave from fixed addresses."""
        return self.nat_addresses > 0

    @property
    def metrics_namespace(self) -> str:
        """Where the functions' own metrics stand, for example `bridge-dev`."""
        return f"bridge-{self.name}"

    def resource_name(self, part: str) -> str:
        """The physical name of a resource of this stage, for example `bridge-dev-hints`."""
        return f"bridge-{self.name}-{part}"


LOCAL = StageConfig(
    name="local",
    target=THIS_MACHINE,
    retain_data=False,
    nat_addresses=0,
    allow_loopback_egress=True,
    require_tls=False,  # the embedded AWS speaks plain HTTP, on loopback only
    mfa=Mfa.OFF,
    dashboard_origins=("http://localhost:3000",),
    log_retention_days=1,
    write_back_times=WriteBackTimes(worker_seconds=20, in_flight_seconds=10, read_lag_seconds=5),
)
DEV = StageConfig(
    name="dev",
    target=GRAVITON,
    retain_data=False,
    nat_addresses=1,
    allow_loopback_egress=False,
    require_tls=True,
    mfa=Mfa.OPTIONAL,
    dashboard_origins=("http://localhost:3000",),
    log_level="DEBUG",
)
PROD = StageConfig(
    name="prod",
    target=GRAVITON,
    retain_data=True,
    nat_addresses=2,
    allow_loopback_egress=False,
    require_tls=True,
    mfa=Mfa.REQUIRED,
    dashboard_origins=("https://dashboard.example.com",),
    log_retention_days=365,
)

STAGES = {stage.name: stage for stage in (LOCAL, DEV, PROD)}


def stage_config(name: str) -> StageConfig:
    """The settings of a stage by its name.

    Raises `UnknownStageError`, naming the stages that exist.
    """
    try:
        return STAGES[name]
    except KeyError as error:
        known = ", ".join(STAGES)
        raise UnknownStageError(f"stage {name!r} is not one of: {known}") from error
