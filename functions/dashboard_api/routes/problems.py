"""Problems that a person can see and do something about."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.problem import Action, Problem, ProblemCode, ProblemState, name_of_subject
from bridge.payments.deciding import actions_of
from bridge.runtime.dashboard_services import DashboardServices
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.problems import ActionInput, ProblemPage, ProblemView
from dashboard_api.models.values import DEFAULT_PAGE_SIZE, Cursor, Limit, RecordId

router = new_router()
_TAGS = ["problems"]


class ListedState(StrEnum):
    """Which problems a list shows."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"

    @property
    def restriction(self) -> ProblemState | None:
        return None if self is ListedState.ALL else ProblemState(self.value)


@router.get(
    "/v1/problems",
    operation_id="listProblems",
    summary="Problems, open ones unless asked otherwise",
    tags=_TAGS,
)
def list_problems(
    partner: Partner,
    services: Services,
    state: Annotated[ListedState, Query()] = ListedState.OPEN,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> ProblemPage:
    page = services.problems.list(
        partner.partner_id, state=state.restriction, limit=limit, cursor=cursor
    )
    return ProblemPage(
        items=[_view(services, problem) for problem in page.items], next_cursor=page.next_cursor
    )


@router.get(
    "/v1/problems/<problem_id>", operation_id="getProblem", summary="One problem", tags=_TAGS
)
def get_problem(partner: Partner, services: Services, problem_id: RecordId) -> ProblemView:
    return _view(services, services.problem_actions.get(partner.partner_id, problem_id))


@router.post(
    "/v1/problems/<problem_id>/actions",
    operation_id="actOnProblem",
    summary="Do one of the things that the problem offers",
    tags=_TAGS,
)
def act_on_problem(
    partner: Partner, services: Services, problem_id: RecordId, choice: ActionInput
) -> ProblemView:
    problem = services.problem_actions.act(partner.partner_id, problem_id, choice.action)
    return _view(services, problem)


def _view(services: DashboardServices, problem: Problem) -> ProblemView:
    return ProblemView.of(problem, _offered(services, problem))


def _offered(services: DashboardServices, problem: Problem) -> Sequence[Action]:
    """Return what a person may do now; about a payment, that depends on how far it is.

    That is one read for each of a page's payments, and a page has a limit.
    """
    if problem.code is not ProblemCode.PAYMENT_NOT_WRITTEN or not problem.actions:
        return problem.actions
    write_back_id = name_of_subject(problem.subject)
    write_back = services.ledger.get_write_back(problem.connection_id, write_back_id).value
    return actions_of(write_back) if write_back else ()
