"""The engine answers the requests of ConnectWise's clients, in memory and at once.

The HTTP server and a simulation in one process drive the same class. One thread at a time may
call it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from random import Random

from connectwise_sandbox import callbacks
from connectwise_sandbox.access import (
    carries_keys,
    require_client_id,
    require_keys,
)
from connectwise_sandbox.admin import ADMIN_PREFIX, Admin
from connectwise_sandbox.api import build_router
from connectwise_sandbox.bundles import answer_bundle
from connectwise_sandbox.call_log import CallLog, LoggedCall
from connectwise_sandbox.clock import Clock, system_clock
from connectwise_sandbox.deliveries import Delivery
from connectwise_sandbox.errors import (
    ApiError,
    cannot_route,
    html_not_found,
    too_many_requests,
)
from connectwise_sandbox.faults import FaultPlan, apply_fault
from connectwise_sandbox.messages import Request, Response, text_response
from connectwise_sandbox.people import People
from connectwise_sandbox.rate_limit import RateLimit
from connectwise_sandbox.routing import Call, Route
from connectwise_sandbox.switches import Switches
from connectwise_sandbox.system import (
    CALLBACK_KEY,
    COMPANY_INFO,
    answer_callback_key,
    answer_company_info,
)
from connectwise_sandbox.tenant import ROUTER_CODEBASE, Tenant, random_guid

API_VERSION = "2025.1"
_BELOW_CODEBASE = re.compile(
    r"^/(?P<codebase>[^/]+/)/?(?P<rest>(?:apis/3\.0|system/callbackkey).*)$"
)
_API = "apis/3.0"


class Engine:
    """An engine plays one ConnectWise installation with one company."""

    def __init__(
        self, *, clock: Clock = system_clock, seed: int = 0, switches: Switches | None = None
    ) -> None:
        self.tenant = Tenant(clock=clock, seed=seed, switches=switches or Switches())
        self.tenant.listen(partial(callbacks.announce, self.tenant))
        self.people = People(self.tenant)
        """Edits the data as persons in ConnectWise would."""
        self.faults = FaultPlan()
        """Spoils chosen requests."""
        self.calls = CallLog()
        """Counts the requests to the API."""
        self._admin = Admin(self.tenant, self.people, self.faults, self.calls)
        self._limit = RateLimit()
        self._request_ids = Random(f"request ids {seed}")
        self._router = build_router()
        for path, counting in (("/system/bundles", False), ("/system/bundles/count", True)):
            handler = partial(answer_bundle, dispatch=self._dispatch, counting=counting)
            self._router.add("POST", path, handler, None)

    @property
    def switches(self) -> Switches:
        """Return the behaviour that is set at present."""
        return self.tenant.switches

    def handle(self, request: Request) -> Response:
        """Answer one request; every mistake of a client becomes an answer too."""
        self.apply_due()
        if request.path == ADMIN_PREFIX or request.path.startswith(f"{ADMIN_PREFIX}/"):
            return self._admin.handle(request)
        target = request.target or request.path
        fault = self.faults.take(request.method, target)
        if fault is None:
            response = self._perform(request)
        else:
            response = apply_fault(
                fault,
                perform=lambda: self._perform(request),
                perform_later=partial(self._perform_later, request),
                roll_codebase_over=self.people.roll_codebase_over,
            )
        return self._with_standard_headers(response)

    # Time and callbacks, for the driver of the engine ------------------------------------------

    def apply_due(self) -> int:
        """Carry out the actions that were put off until now and return their number."""
        return self.tenant.apply_due()

    def next_due(self) -> datetime | None:
        """Return the moment of the next action or delivery that waits, None if all is done."""
        return self.tenant.next_due()

    def take_due_deliveries(self) -> list[Delivery]:
        """Return the deliveries to send now; report each with `record_delivery_result`."""
        self.apply_due()
        return self.tenant.deliveries.take_due(self.tenant.now)

    def record_delivery_result(self, delivery_id: int, status: int | None) -> Delivery:
        """Note the status that a receiver answered, None after ANSWER_LIMIT_SECONDS of silence.

        Raises KeyError for a delivery that is not in flight.
        """
        return callbacks.record_delivery_result(self.tenant, delivery_id, status)

    # Answering ------------------------------------------------------------------------------

    def _perform_later(self, request: Request, seconds: float) -> None:
        self.tenant.put_off(seconds, lambda: _discard(self._perform(request)))

    def _perform(self, request: Request) -> Response:
        """Carry out a request and count it."""
        route = _MatchedRoute()
        try:
            response = self._answer(request, route)
        except ApiError as error:
            response = error.response
        self.calls.add(
            LoggedCall(
                at=self.tenant.now,
                method=request.method,
                route=route.template,
                target=request.target or request.path,
                status=response.status,
            )
        )
        return response

    def _answer(self, request: Request, matched: _MatchedRoute) -> Response:
        if len(self.tenant.base_url) + len(request.target) > self.switches.max_url_characters:
            return text_response(414, "Request URI Too Long")
        if request.path.lower().startswith(COMPANY_INFO):
            matched.template = f"{COMPANY_INFO}{{companyId}}"
            return answer_company_info(self.tenant, request.path)
        below = _BELOW_CODEBASE.match(request.path)
        if below is None:
            raise cannot_route() if f"/{_API}" in request.path else html_not_found()
        if below["codebase"] not in (self.tenant.codebase, ROUTER_CODEBASE):
            raise cannot_route()
        path = f"/{below['rest']}".replace("//", "/")
        if path == CALLBACK_KEY:
            matched.template = CALLBACK_KEY
            authenticated = carries_keys(self.tenant, request)
            return answer_callback_key(self.tenant, request, authenticated=authenticated)
        if not path.startswith(f"/{_API}"):
            raise html_not_found()
        return self._answer_api(request, path.removeprefix(f"/{_API}"), matched)

    def _answer_api(self, request: Request, path: str, matched: _MatchedRoute) -> Response:
        require_keys(self.tenant, request)
        client_id = require_client_id(self.tenant, request)
        seconds = self._limit.take_token(
            client_id, self.tenant.now, self.switches.requests_per_minute
        )
        if seconds > 0:
            raise too_many_requests(seconds)
        route, ids = self._router.find(request.method, path, self.switches.unknown_endpoint_status)
        matched.template = route.template
        return self._run_handler(route, request, ids)

    def _run_handler(self, route: Route, request: Request, ids: dict[str, int]) -> Response:
        if route.right is not None:
            self.tenant.require_right(*route.right)
        member = self.tenant.identity.member_identifier
        return route.handler(Call(self.tenant, request, ids, member))

    def _dispatch(self, request: Request) -> Response:
        """Answer one request of a bundle; only the bundle is counted."""
        try:
            route, ids = self._router.find("GET", request.path)
            return self._run_handler(route, request, ids)
        except ApiError as error:
            return error.response

    def _with_standard_headers(self, response: Response) -> Response:
        standard = {
            "cache-control": "no-cache",
            "date": _http_date(self.tenant.server_time.replace(microsecond=0)),
            "api-current-version": API_VERSION,
            "x-cw-request-id": random_guid(self._request_ids),
        }
        return replace(response, headers={**standard, **response.headers})


class _MatchedRoute:
    """A matched route carries the template of a request's route to the call log."""

    template = "(none)"


@lru_cache(maxsize=16)
def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _discard(_: Response) -> None:
    """Drop the answer to a client that has given up waiting."""
