"""Connection models hold the connect form and show connections. A view may not hold a secret."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator

from bridge.connections.connect import ConnectionRequest
from bridge.connections.health import RIGHT_PREFIX
from bridge.connections.move import MoveRequest
from bridge.connections.verify import Outcome, Verification
from bridge.domain.connection import (
    Connection,
    ConnectionState,
    Credentials,
    PaymentsStop,
)
from bridge.domain.permissions import Finding
from bridge.domain.platform_payment import (
    UNDONE_STATES,
    PlatformPaymentState,
    WriteBackPolicy,
    WriteBackWhen,
)
from bridge.domain.problem import Problem, ProblemCode
from bridge.domain.run import Run
from dashboard_api.models.account import EgressAddresses, RightView
from dashboard_api.models.filters import FiltersInput, FiltersView, SourceId
from dashboard_api.models.payment_facts import PaymentFactsView
from dashboard_api.models.restrictions import RestrictionView
from dashboard_api.models.runs import RunView
from dashboard_api.models.values import Input, Name, View

_KEY = r"^[!-~]+$"

CompanyId = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s+:/?#%\x00-\x1f\x7f]+$")
]
Key = Annotated[SecretStr, Field(min_length=1, max_length=128, json_schema_extra={"pattern": _KEY})]
SiteUrl = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[!-~]+$")]


class KeyPair(Input):
    """A key pair belongs to an API member."""

    public_key: Key
    private_key: Key

    @field_validator("public_key", "private_key")
    @classmethod
    def _is_printable(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be printable ASCII without spaces")
        return key


class MoveInput(KeyPair):
    """A move names the address of the same company, and an API member's keys there."""

    company_id: CompanyId
    site_url: SiteUrl | None = Field(None, description="Required for self-hosted ConnectWise only.")

    def to_request(self) -> MoveRequest:
        keys = (self.public_key.get_secret_value(), self.private_key.get_secret_value())
        return MoveRequest(Credentials(self.company_id, *keys), self.site_url)


class ConnectInput(KeyPair):
    """The connect form names a ConnectWise company and an API member's keys."""

    company_id: CompanyId
    site_url: SiteUrl | None = Field(None, description="Required for self-hosted ConnectWise only.")
    name: Name | None = None
    filters: FiltersInput = Field(
        FiltersInput(),
        description="Left out, a company that was connected before keeps its filters.",
    )

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
            filters=self.filters.to_domain() if "filters" in self.model_fields_set else None,
        )


UndoneState = Literal[
    PlatformPaymentState.RETURNED,
    PlatformPaymentState.REFUNDED,
    PlatformPaymentState.CHARGED_BACK,
    PlatformPaymentState.VOIDED,
]
UndoneStates = Annotated[tuple[UndoneState, ...], Field(max_length=len(UNDONE_STATES))]


class WriteBackPatch(Input):
    """A patch changes the way payments appear in ConnectWise; a field left out stays."""

    when: WriteBackWhen | None = None
    paid_status_id: SourceId | None = Field(
        None,
        description="One of the connection's billing statuses, to set when a balance reaches "
        "zero; null leaves statuses alone.",
    )
    reverse_on: UndoneStates | None = Field(
        None,
        description="The ways of being undone that take the payment out of ConnectWise again; "
        "a voided or failed one always goes, named or not.",
    )

    def apply_to(self, policy: WriteBackPolicy) -> WriteBackPolicy:
        reverse_on = policy.reverse_on if self.reverse_on is None else frozenset(self.reverse_on)
        return WriteBackPolicy(
            when=self.when or policy.when,
            paid_status_id=self.sent("paid_status_id", policy.paid_status_id),
            reverse_on=reverse_on,
        )


class ConnectionPatch(Input):
    """A patch changes a connection; a field left out stays."""

    name: Name | None = None
    credentials: KeyPair | None = Field(None, description="Proven before they are stored.")
    filters: FiltersInput | None = Field(None, description="They start an import.")
    write_back: WriteBackPatch | None = None


class CallbackState(StrEnum):
    """The state tells how changes arrive: while it is broken, by scheduled comparisons only."""

    REGISTERED = "registered"
    BROKEN = "broken"
    NONE = "none"


class WriteBackPolicyView(View):
    """A policy tells how payments appear in ConnectWise, in a form that can be sent back."""

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
    """A connection links a partner to one ConnectWise company."""

    id: str
    name: str
    company_id: str
    site_url: str
    is_cloud: bool
    state: ConnectionState
    created_at: datetime
    filters: FiltersView
    write_back: WriteBackPolicyView
    payments_stopped: list[PaymentsStop] = Field(
        description="The reasons why no payments are written now; reading goes on."
    )
    payment_facts: PaymentFactsView
    clock_seconds_ahead: int = Field(
        description="ConnectWise's clock is off by so much, behind for a negative number; 0: five "
        "minutes at most. Nothing is lost by it; whoever runs that server should set it right."
    )
    restrictions: list[RestrictionView] = Field(
        description="What ConnectWise hides from the API member: a part of the books is missing."
    )

    @classmethod
    def of(cls, connection: Connection) -> ConnectionView:
        return cls(
            id=connection.connection_id,
            name=connection.name,
            company_id=connection.company_id,
            site_url=connection.address.site_url,
            is_cloud=connection.address.is_cloud,
            state=connection.state,
            created_at=connection.created_at,
            filters=FiltersView.of(connection.filters),
            write_back=WriteBackPolicyView.of(connection.write_back),
            payments_stopped=sorted(connection.payments_stopped),
            payment_facts=PaymentFactsView.of(connection.payment_facts),
            clock_seconds_ahead=connection.clock_seconds_ahead,
            restrictions=[RestrictionView.of(each) for each in connection.restrictions],
        )


class ConnectionDetail(ConnectionView):
    """A single connection is shown with its health."""

    callbacks: CallbackState
    missing_rights: list[str] = Field(
        description="In the words of ConnectWise's security role screen."
    )
    open_problem_count: int
    latest_run: RunView | None
    current_run: RunView | None = Field(
        description="What goes on: an import before anything that was started later."
    )
    known_until: datetime | None = Field(
        description="ConnectWise's changes until then are brought over (UTC); null before the "
        "first import. It follows within the hour."
    )
    egress_addresses: EgressAddresses

    @classmethod
    def with_status(
        cls,
        connection: Connection,
        *,
        latest_run: Run | None,
        current_run: Run | None,
        known_until: datetime | None,
        problems: Collection[Problem],
        egress_addresses: Collection[str],
    ) -> ConnectionDetail:
        return cls(
            **dict(ConnectionView.of(connection)),
            callbacks=_callback_state(connection, problems),
            missing_rights=sorted(
                problem.subject.removeprefix(RIGHT_PREFIX)
                for problem in problems
                if problem.code is ProblemCode.RIGHT_MISSING
                and problem.subject.startswith(RIGHT_PREFIX)
            ),
            open_problem_count=len(problems),
            latest_run=RunView.of(latest_run) if latest_run else None,
            current_run=RunView.of(current_run) if current_run else None,
            known_until=known_until,
            egress_addresses=list(egress_addresses),
        )


class ConnectionList(View):
    """A list of connections is complete, as a partner has few."""

    items: list[ConnectionDetail] = Field(description="All connections, oldest first.")


class RightFindingView(RightView):
    """A finding tells whether the security role grants one right."""

    finding: Finding = Field(description="`unproven`: only a write would show it.")


class VerificationView(View):
    """A verification tells the answers that ConnectWise gave just now."""

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
                RightFindingView(**dict(RightView.of(item.right)), finding=item.finding)
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
