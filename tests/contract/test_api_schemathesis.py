"""Whatever a caller sends, the API answers as its own description says, and never breaks.

Requests are made from the description, good ones and bad ones, written out as they would go over
the wire, and handed to the function as HTTP API events (payload 2.0).
"""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
import schemathesis
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import Caller, World, http_event

EXAMPLES_PER_OPERATION = 20
SERVED_ELSEWHERE = {"startFetch", "receiveCallback"}
BASE_URL = "http://api.test"

# The gateway's authorizer refuses bad tokens before a function sees them. And a schema cannot say
# which cursors, customers and invoices there are, nor that 2.0 is no whole number of cents.
NOT_CHECKED = [ignored_auth, positive_data_acceptance]

Case: TypeAlias = schemathesis.Case[Any]

SCHEMA = schemathesis.openapi.from_dict(World().caller(None).get("/openapi.json").json)
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (
        result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok)
    )
}


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - SERVED_ELSEWHERE))
def test_answers_are_as_described(name: str) -> None:
    operation = OPERATIONS[name]

    @settings(
        max_examples=EXAMPLES_PER_OPERATION,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy(), hits=st.sampled_from([True, True, False]))
    def check(case: Case, hits: bool) -> None:
        world = World()
        ids = one_of_everything(world)
        if hits:
            name_what_exists(case, ids)
        is_for_services = "security" in operation.definition.raw
        caller = world.service() if is_for_services else world.partner()
        case.validate_response(send(case, caller), excluded_checks=NOT_CHECKED)

    check()


def one_of_everything(world: World) -> dict[str, str]:
    """Return the ids by the names that paths and bodies have for them."""
    connection = world.connection()
    invoice = world.invoice(connection, 7, payments=[31])
    write_back = recorded(world, connection, invoice, state="pending")
    trouble = ProblemReport(
        "partner-a", connection.connection_id, ProblemCode.RECORD_PARKED, "invoice/7", "d"
    )
    world.problems.report(trouble, world.clock.now())
    return {
        "connection_id": connection.connection_id,
        "customer_id": world.customer(connection, 1).customer_id,
        "invoice_id": invoice.invoice_id,
        "payment_id": write_back.payment_id,
        "run_id": use_cases.run_starter(world).start(connection, RunKind.SWEEP).run_id,
        "problem_id": trouble.problem_id,
    }


def name_what_exists(case: Case, ids: dict[str, str]) -> None:
    """Let the path name what there is; a good payment pays the invoice that there is."""
    if case.method == "PUT":
        ids.pop("payment_id")
    case.path_parameters.update({k: ids[k] for k in case.path_parameters.keys() & ids.keys()})
    is_good = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if is_good and isinstance(case.body, dict) and "allocations" in case.body:
        part = {"invoice_id": ids["invoice_id"], "amount_minor": case.body["amount_minor"]}
        case.body.update({"allocations": [part], "currency": "USD", "decimals": 2})
        case.body.pop("customer_id", None)


def send(case: Case, caller: Caller) -> schemathesis.Response:
    written = case.as_transport_kwargs(base_url=BASE_URL)
    parts = ("method", "url", "params", "headers", "cookies", "data", "json", "files")
    request = requests.Request(**{k: written[k] for k in parts if k in written}).prepare()
    answer = caller.world.app.resolve(event_of(request, caller), LambdaContext())
    return schemathesis.Response(
        status_code=answer["statusCode"],
        headers={name: [value] for name, value in answer["headers"].items()},
        content=(answer.get("body") or "").encode(),
        request=request,
        elapsed=0.0,
        verify=False,
    )


def event_of(request: requests.PreparedRequest, caller: Caller) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    body = request.body
    text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
    assert text is None or isinstance(text, str)
    event = http_event(str(request.method), unquote(url.path), query, text, caller.claims)
    return event | {"headers": dict(request.headers)}
