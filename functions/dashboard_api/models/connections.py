"""Connections: the connect form, and what is shown of a connection. Never a secret."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator

from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.filters import ImportFilters
from bridge.domain.invoice import BillingStatus
from bridge.domain.permissions import Finding
from bridge.domain.platform_payment import (
    UNDONE_STATES,
    PlatformPaymentState,
    WriteBackPolicy,
    WriteBackWhen,
)
from bridge.domain.problem import Problem, ProblemCode
from bridge.domain.run import Run
from bridge.sync.connecting import ConnectionRequest
from bridge.sync.verifying import Outcome, Verification
from dashboard_api.models.filters import FiltersInput, FiltersView, SourceId
from dashboard_api.models.invoices import StatusView
from dashboard_api.models.runs import RunView
from dashboard_api.models.values import Input, Name, View

_KEY = r"^[!-~]+$"
_RIGHT_PREFIX = "right/"

CompanyId = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s+:/?#%\x00-\x1f\x7f]+$")
]
Key = Annotated[SecretStr, Field(min_length=1, max_length=128, json_schema_extra={"pattern": _KEY})]
SiteUrl = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[!-~]+$")]


class KeyPair(Input):
    """An API member's keys."""

    public_key: Key
    private_key: Key

    @field_validator("public_key", "private_key")
    @classmethod
    def _is_printable(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be printable ASCII without spaces")
        return key


class ConnectInput(KeyPair):
    """The connect form. ``site_url`` is required for self-hosted ConnectWise only."""

    company_id: CompanyId
    site_url: SiteUrl | None = None
    name: Name | None = None
    filters: FiltersInput = FiltersInput()

    def to_request(self, partner_id: str) -> ConnectionRequest:
        return ConnectionRequest(
            partner_id=partner_id,
            credentials=Credentials(
                self.company_id,
                self.public_key.get_secret_value(),
                self.private_key.get_secret_value(),
            ),
            site_url=self.site_url,
            name=self.name or "",
            filters=self.filters.to_domain(),
        )


UndoneState = Literal[
    PlatformPaymentState.RETURNED,
    PlatformPaymentState.REFUNDED,
    PlatformPaymentState.CHARGED_BACK,
    PlatformPaymentState.VOIDED,
]


class WriteBackPatch(Input):
    """How payments appear in ConnectWise; what is left out stays.

    ``paid_status_id`` is one of the connection's billing statuses, to set when a balance reaches
    zero; null leaves statuses alone. ``reverse_on`` are the ways of being undone that take the
    payment out of ConnectWise again; a voided or failed one always goes, named or not.
    """

    when: WriteBackWhen | None = None
    paid_status_id: SourceId | None = None
    reverse_on: Annotated[tuple[UndoneState, ...], Field(max_length=len(UNDONE_STATES))] | None = (
        None
    )

    def apply_to(self, policy: WriteBackPolicy) -> WriteBackPolicy:
        sent = self.model_fields_set
        reverse_on = policy.reverse_on if self.reverse_on is None else frozenset(self.reverse_on)
        return WriteBackPolicy(
            when=self.when or policy.when,
            paid_status_id=self.paid_status_id
            if "paid_status_id" in sent
            else policy.paid_status_id,
            reverse_on=reverse_on,
        )


class ConnectionPatch(Input):
    """What may be changed; what is left out stays. Filters start an import, keys are verified."""

    name: Name | None = None
    credentials: KeyPair | None = None
    filters: FiltersInput | None = None
    write_back: WriteBackPatch | None = None

    @property
    def import_filters(self) -> ImportFilters | None:
        return self.filters.to_domain() if self.filters else None


class CallbackState(StrEnum):
    """``broken``: changes arrive with the scheduled comparisons until it is mended."""

    REGISTERED = "registered"
    BROKEN = "broken"
    NONE = "none"


class WriteBackPolicyView(View):
    """How payments appear in ConnectWise, in the form in which it can be sent back."""

    when: WriteBackWhen
    paid_status_id: int | None
    reverse_on: list[PlatformPaymentState]

    @classmethod
    def of(cls, policy: WriteBackPolicy) -> WriteBackPolicyView:
        return cls(
            when=policy.when,
            paid_status_id=policy.paid_status_id,
            reverse_on=sorted(policy.reverse_on),
        )


class ConnectionView(View):
    """A link to one ConnectWise company."""

    id: str
    name: str
    company_id: str
    site_url: str
    is_cloud: bool
    state: ConnectionState
    created_at: datetime
    filters: FiltersView
    write_back: WriteBackPolicyView

    @classmethod
    def of(cls, connection: Connection) -> ConnectionView:
        return cls(**_common(connection))


class ConnectionDetail(ConnectionView):
    """``missing_rights`` are in the words of ConnectWise's security role screen.

    ``egress_addresses`` are for the firewall of a self-hosted ConnectWise: our calls come from
    them.
    """

    callbacks: CallbackState
    missing_rights: list[str]
    open_problem_count: int
    latest_run: RunView | None
    egress_addresses: list[str]

    @classmethod
    def with_status(
        cls,
        connection: Connection,
        *,
        latest_run: Run | None,
        problems: Collection[Problem],
        egress_addresses: Collection[str],
    ) -> ConnectionDetail:
        return cls(
            **_common(connection),
            callbacks=_callback_state(connection, problems),
            missing_rights=sorted(
                problem.subject.removeprefix(_RIGHT_PREFIX)
                for problem in problems
                if problem.code is ProblemCode.RIGHT_MISSING
                and problem.subject.startswith(_RIGHT_PREFIX)
            ),
            open_problem_count=len(problems),
            latest_run=RunView.of(latest_run) if latest_run else None,
            egress_addresses=list(egress_addresses),
        )


class ConnectionList(View):
    items: list[ConnectionView]


class BillingStatusList(View):
    """The tenant's own billing statuses that are in use."""

    items: list[StatusView]

    @classmethod
    def of(cls, statuses: Iterable[BillingStatus]) -> BillingStatusList:
        return cls(items=[StatusView.of(status) for status in statuses])


class RightFindingView(View):
    """One cell of the security role. ``unproven``: only a write would show it."""

    module: str
    row: str
    column: str
    finding: Finding


class VerificationView(View):
    """What ConnectWise answered just now."""

    connection: ConnectionView
    outcome: Outcome
    rights: list[RightFindingView]
    callbacks_registered: bool

    @classmethod
    def of(cls, verification: Verification) -> VerificationView:
        return cls(
            connection=ConnectionView.of(verification.connection),
            outcome=verification.outcome,
            rights=[
                RightFindingView(
                    module=item.right.module,
                    row=item.right.row,
                    column=item.right.column.value,
                    finding=item.finding,
                )
                for item in verification.findings
            ],
            callbacks_registered=verification.callbacks_are_registered,
        )


def _callback_state(connection: Connection, problems: Collection[Problem]) -> CallbackState:
    if not connection.is_syncing:
        return CallbackState.NONE
    if any(problem.code is ProblemCode.CALLBACKS_BROKEN for problem in problems):
        return CallbackState.BROKEN
    return CallbackState.REGISTERED if connection.member_identifier else CallbackState.BROKEN


def _common(connection: Connection) -> dict[str, object]:
    return {
        "id": connection.connection_id,
        "name": connection.name,
        "company_id": connection.company_id,
        "site_url": connection.address.site_url,
        "is_cloud": connection.address.is_cloud,
        "state": connection.state,
        "created_at": connection.created_at,
        "filters": FiltersView.of(connection.filters),
        "write_back": WriteBackPolicyView.of(connection.write_back),
    }
