"""Problems are shown to people here, together with the actions that may end them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.money import Currency
from bridge.domain.problem import (
    Action,
    Problem,
    ProblemCode,
    ProblemState,
    name_of_subject,
    record_of_subject,
)
from bridge.domain.write_back import ShownPayment
from bridge.domain.write_back.decisions import offered_actions
from bridge.entrypoints.dashboard_services import DashboardServices
from bridge.ports import Activity, ProblemQuery
from dashboard_api.dependencies import Partner
from dashboard_api.models.problems import ActionInput, ProblemPage, ProblemView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Limit,
    RecordId,
    RecordIdQuery,
    refuse_reversed,
)
from dashboard_api.resource import Resource

resource = Resource("problems")


class ListedState(StrEnum):
    """The state restricts a list of problems."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"

    @property
    def restriction(self) -> ProblemState | None:
        return None if self is ListedState.ALL else ProblemState(self.value)


@resource.route("GET", "/v1/problems")
def list_problems(
    *,
    partner: Partner,
    state: Annotated[
        ListedState, Query(description="Open ones, resolved ones, or both.")
    ] = ListedState.OPEN,
    connection_id: ConnectionIdQuery = None,
    code: Annotated[ProblemCode | None, Query(description="Only this kind of trouble.")] = None,
    record_id: RecordIdQuery = None,
    opened_from: DateQuery = None,
    opened_to: DateQuery = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> ProblemPage:
    """List problems, open ones unless asked otherwise; the latest opened first."""
    refuse_reversed(opened_from, opened_to, "opened_from")
    query = ProblemQuery(connection_id, code, record_id, opened_from, opened_to)
    page = partner.services.problems.list(
        partner.id, state=state.restriction, query=query, limit=limit, cursor=cursor
    )
    return ProblemPage.of(page, lambda problem: _view(partner.services, problem))


@resource.route("GET", "/v1/problems/<problem_id>")
def get_problem(partner: Partner, problem_id: RecordId) -> ProblemView:
    """Return one problem."""
    return _view(partner.services, partner.services.problem_actions.get(partner.id, problem_id))


@resource.route("POST", "/v1/problems/<problem_id>/actions")
def act_on_problem(partner: Partner, problem_id: RecordId, choice: ActionInput) -> ProblemView:
    """Do one of the actions that the problem offers."""
    if choice.action is Action.VERIFY:
        partner.take_share(Activity.VERIFYING)
    problem = partner.services.problem_actions.act(
        partner.id,
        problem_id,
        choice.action,
        psa_payment_id=choice.connectwise_payment_id,
        reference=choice.reference or "",
    )
    return _view(partner.services, problem)


def _view(services: DashboardServices, problem: Problem) -> ProblemView:
    """Return the problem with what is possible now.

    That is a read or two for each of a page's payments, and a page has a limit.
    """
    if problem.code is ProblemCode.PAYMENT_NOT_WRITTEN:
        return _view_of_write_back(services, problem)
    if problem.code is ProblemCode.PAYMENT_SURPLUS and problem.actions:
        surplus = _surplus(services, problem)
        return ProblemView.of(problem, problem.actions, surplus, _currency(services, problem))
    return ProblemView.of(problem, problem.actions)


def _view_of_write_back(services: DashboardServices, problem: Problem) -> ProblemView:
    """Return the problem of a payment: what it offers follows the payment's progress."""
    write_back_id = name_of_subject(problem.subject)
    write_back = services.ledger.get_write_back(problem.connection_id, write_back_id).value
    if write_back is None or not problem.actions:
        return ProblemView.of(problem, ())
    offered = offered_actions(write_back)
    return ProblemView.of_write_back(problem, offered, write_back)


def _surplus(services: DashboardServices, problem: Problem) -> Sequence[ShownPayment]:
    record = record_of_subject(problem.subject)
    if record is None:
        return ()
    place = (problem.partner_id, problem.connection_id, record[1])
    return services.unowned_payments.surplus(*place)


def _currency(services: DashboardServices, problem: Problem) -> Currency | None:
    """Return the currency of the invoice that a problem is about, if it is known."""
    invoices = services.records.get_bare(INVOICES, problem.partner_id, [problem.record_id or ""])
    return next((invoice.currency for invoice in invoices.values()), None)
