"""Faults spoil chosen requests and are used up one by one, in the order they were set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectwise_sandbox.change_faults import (
    ChangeEffect,
    GatewayBody,
    gateway_answer,
    spoil_change,
)
from connectwise_sandbox.errors import (
    CANNOT_ROUTE,
    HTML_BAD_GATEWAY,
    HTML_NOT_FOUND,
    refused,
    too_many_requests,
)
from connectwise_sandbox.messages import Fate, Response, text_response

MAX_FAULTS = 1_000


class Effect(StrEnum):
    """An effect says how a fault spoils the request that it meets."""

    STATUS_429 = "status_429"
    STATUS_500 = "status_500"
    STATUS_500_AFTER_EFFECT = "status_500_after_effect"
    STATUS_502_HTML = "status_502_html"
    STATUS_502_HTML_AFTER_EFFECT = "status_502_html_after_effect"
    STATUS_404_HTML = "status_404_html"
    TEXT_400 = "text_400"
    TRUNCATED_JSON = "truncated_json"
    """The request takes effect; half of the answer's body arrives."""
    TIMEOUT_BEFORE_EFFECT = "timeout_before_effect"
    TIMEOUT_AFTER_EFFECT = "timeout_after_effect"
    CUT_BEFORE_EFFECT = "cut_before_effect"
    CUT_AFTER_EFFECT = "cut_after_effect"
    SLOW = "slow"
    """The request takes effect at once, the answer comes `seconds` later."""
    LATE_EFFECT = "late_effect"
    """The answer is withheld, and the request takes effect `seconds` later."""
    OTHER_DATE = "other_date"
    """The request takes effect; the answer's Date header is the fault's `date`."""
    CODEBASE_ROLLOVER = "codebase_rollover"
    """ConnectWise is upgraded just before the request arrives."""


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


class Fault(BaseModel):
    """A fault spoils requests that match its method and path."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    method: Annotated[str, Field(pattern=r"^(\*|[A-Za-z]{3,7})$")] = "*"
    """`*` matches every method."""
    path_regex: Annotated[str, Field(max_length=500), AfterValidator(_compilable)] = ""
    """Searched for in the path and query as they were sent."""
    skip: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Matching requests that pass unharmed first."""
    times: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Matching requests that are spoiled then."""
    effect: Effect | ChangeEffect
    retry_after: Annotated[int, Field(ge=0, le=3_600)] = 1
    """Seconds in the Retry-After of a 429."""
    seconds: Annotated[float, Field(ge=0, le=24 * 3_600)] = 1.0
    """Delay of slow and of late effects."""
    status: Annotated[int, Field(ge=200, le=599)] = 403
    """Status of a gateway's answer."""
    body: GatewayBody = GatewayBody.HTML
    """Form of a gateway's answer."""
    date: Annotated[str, Field(pattern=r"^[ -~]{0,100}$")] = "Thu, 31 Dec 2099 23:59:59 GMT"
    """Date header of an answer, in any form."""

    def meets(self, method: str, target: str) -> bool:
        """Return whether this fault is aimed at a request."""
        same_method = self.method in ("*", method) or self.method.upper() == method
        return same_method and re.search(self.path_regex, target) is not None


class FaultPlan:
    """A fault plan holds the faults still to come."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self.injected = 0
        """Requests that were spoiled so far."""

    def add(self, fault: Fault) -> None:
        """Queue a fault; raises ValueError beyond MAX_FAULTS."""
        if len(self._faults) >= MAX_FAULTS:
            raise ValueError(f"at most {MAX_FAULTS} faults may wait")
        self._faults.append(fault.model_copy())

    def clear(self) -> None:
        """Forget every waiting fault."""
        self._faults.clear()

    def waiting(self) -> list[Fault]:
        """Return the faults still to come, the next one first."""
        return list(self._faults)

    def take(self, method: str, target: str) -> Fault | None:
        """Return the first fault for this request, None for a lucky one, and use it once."""
        for index, fault in enumerate(self._faults):
            if not fault.meets(method, target):
                continue
            if fault.skip > 0:
                self._faults[index] = fault.model_copy(update={"skip": fault.skip - 1})
                continue
            if fault.times == 1:
                del self._faults[index]
            else:
                self._faults[index] = fault.model_copy(update={"times": fault.times - 1})
            self.injected += 1
            return fault
        return None


def apply_fault(
    fault: Fault,
    *,
    perform: Callable[[], Response],
    perform_later: Callable[[float], None],
    roll_codebase_over: Callable[[], object],
) -> Response:
    """Return the answer to a request that `fault` spoils.

    `perform` carries the request out now, `perform_later` after the given seconds.
    """
    if isinstance(fault.effect, ChangeEffect):
        return spoil_change(
            fault.effect,
            gateway=gateway_answer(fault.status, fault.body),
            retry_after=fault.retry_after,
            seconds=fault.seconds,
            perform=perform,
            perform_later=perform_later,
        )
    if fault.effect is Effect.CODEBASE_ROLLOVER:
        roll_codebase_over()
        return perform()
    if fault.effect in _INSTEAD:
        return _INSTEAD[fault.effect](fault)
    if fault.effect is Effect.LATE_EFFECT:
        perform_later(fault.seconds)
        return _unanswered(Fate.WITHHELD)
    return _spoil(fault, perform())


def _spoil(fault: Fault, answer: Response) -> Response:
    match fault.effect:
        case Effect.SLOW:
            return replace(answer, delay_seconds=fault.seconds)
        case Effect.OTHER_DATE:
            return replace(answer, headers={**answer.headers, "date": fault.date})
        case Effect.TRUNCATED_JSON:
            return Response(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        case _:
            return _AFTERWARDS[fault.effect]()


def _unanswered(fate: Fate) -> Response:
    return Response(status=504, fate=fate)


def _internal_error() -> Response:
    message = "A timeout has occured. Please try again."
    return refused(500, "ConnectWiseApi", message).response


def _bad_gateway() -> Response:
    return text_response(502, HTML_BAD_GATEWAY, "text/html")


_AFTERWARDS: Mapping[Effect | ChangeEffect, Callable[[], Response]] = {
    Effect.STATUS_500_AFTER_EFFECT: _internal_error,
    Effect.STATUS_502_HTML_AFTER_EFFECT: _bad_gateway,
    Effect.CUT_AFTER_EFFECT: lambda: _unanswered(Fate.CUT),
    Effect.TIMEOUT_AFTER_EFFECT: lambda: _unanswered(Fate.WITHHELD),
}
_INSTEAD: dict[Effect, Callable[[Fault], Response]] = {
    Effect.STATUS_429: lambda fault: too_many_requests(fault.retry_after).response,
    Effect.STATUS_500: lambda _: _internal_error(),
    Effect.STATUS_502_HTML: lambda _: _bad_gateway(),
    Effect.STATUS_404_HTML: lambda _: text_response(404, HTML_NOT_FOUND, "text/html"),
    Effect.TEXT_400: lambda _: text_response(400, CANNOT_ROUTE),
    Effect.TIMEOUT_BEFORE_EFFECT: lambda _: _unanswered(Fate.WITHHELD),
    Effect.CUT_BEFORE_EFFECT: lambda _: _unanswered(Fate.CUT),
}
