"""Answers to changes that prove nothing, or that lie; and effects that nobody assumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from bridge.domain.write_back import Timings
from connectwise_sandbox.change_faults import ChangeEffect, GatewayBody
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.faults import Fault as EngineFault
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Fault
from tests.simulation.payments.frozen_workers import overtime_seconds
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.wire import LightRequest, LightResponse
from tests.simulation.world import World

CHANGES = frozenset({"POST", "PATCH", "DELETE"})
GATEWAYS = (
    (403, GatewayBody.JSON_MESSAGE),
    (402, GatewayBody.JSON_MESSAGE),
    (413, GatewayBody.HTML),
    (422, GatewayBody.JSON_MESSAGE),
    (422, GatewayBody.TEXT),
    (451, GatewayBody.HTML),
    (499, GatewayBody.EMPTY),
    (400, GatewayBody.HTML),
    (401, GatewayBody.HTML),
    (403, GatewayBody.HTML),
    (404, GatewayBody.HTML),
    (403, GatewayBody.JSON_CODE),
    (404, GatewayBody.JSON_ERROR),
)
GATEWAY_EFFECTS = (
    ChangeEffect.GATEWAY_BEFORE_EFFECT,
    ChangeEffect.GATEWAY_AFTER_EFFECT,
    ChangeEffect.GATEWAY_LATE_EFFECT,
)
BUSY_EFFECTS = (
    ChangeEffect.STATUS_409,
    ChangeEffect.STATUS_409_AFTER_EFFECT,
    ChangeEffect.STATUS_429_AFTER_EFFECT,
    Effect.STATUS_429,
)
AT_ONCE = timedelta(minutes=1)
LATE_LOOK_WITHIN = 2 * Timings().quarantine + timedelta(minutes=15)
LATEST_EFFECT_SECONDS = 2 * Timings().quarantine.total_seconds() - 120
_CREATED = 201


def is_change(request: httpx.Request, methods: Collection[str] = CHANGES) -> bool:
    return request.method in methods and "/finance/" in request.url.path


def is_post_of_payment(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/payments")


class GatewayAnswers(Fault):
    """A gateway answers a change in its own words: the change was dropped, was made, or will be.

    ``latest_seconds`` is how late it takes effect at most, with what the worker was frozen for.
    """

    name = "gateway"

    def __init__(
        self, rate: float, *, latest_seconds: float | None = None, earliest_seconds: float = 1.0
    ) -> None:
        self._rate = rate
        self._earliest_seconds = earliest_seconds
        self._latest_seconds = latest_seconds or Timings().in_flight_seconds

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if not is_change(request) or world.random.random() >= self._rate:
            return None
        status, body = world.random.choice(GATEWAYS)
        effect = world.random.choice(GATEWAY_EFFECTS)
        world.note_fault(f"{self.name}: {status} {body.value}, {effect.value[8:]}")
        latest = max(1.0, self._latest_seconds - overtime_seconds(world))
        seconds = world.random.uniform(min(self._earliest_seconds, latest), latest)
        return EngineFault(effect=effect, status=status, body=body, seconds=seconds)


class BusyAnswers(Fault):
    """ConnectWise says 409 or 429, before or after it made the change."""

    name = "busy"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if not is_change(request) or world.random.random() >= self._rate:
            return None
        effect = world.random.choice(BUSY_EFFECTS)
        world.note_fault(f"{self.name}: {effect.value}")
        return EngineFault(effect=effect, retry_after=world.random.randint(1, 60))


class DoubledRequests(Fault):
    """A proxy sends a change twice. Of two payments one is too many, which the next comparison
    must show."""

    name = "request sent twice"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if not is_change(request) or world.random.random() >= self._rate:
            return None
        world.note_fault(f"{self.name}: {request.method}")
        if is_post_of_payment(request):
            assert isinstance(world, PaymentWorld)
            expect_double(world, request, lands=AT_ONCE, within=world.compared_within)
        return EngineFault(effect=ChangeEffect.SENT_TWICE)


class TooLateEffects(Fault):
    """A post takes effect later than the bridge assumes, and before its last look."""

    name = "too late"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if not is_post_of_payment(request) or world.random.random() >= self._rate:
            return None
        latest = LATEST_EFFECT_SECONDS - overtime_seconds(world)
        seconds = world.random.uniform(Timings().in_flight_seconds, latest)
        world.note_fault(self.name)
        lands = timedelta(seconds=seconds) + AT_ONCE
        expect_double(world, request, lands=lands, within=LATE_LOOK_WITHIN)
        return EngineFault(effect=Effect.LATE_EFFECT, seconds=seconds)


def expect_double(
    world: World, request: httpx.Request, *, lands: timedelta, within: timedelta
) -> None:
    """Let one payment more stand on the invoice of a post, if that is shown in time."""
    assert isinstance(world, PaymentWorld)
    invoice_source_id = invoice_of(request)
    amount_minor = world.provenance.minor(invoice_source_id, _json(request.read())["amount"])
    world.doubles.expect(invoice_source_id, amount_minor, lands=lands, within=within)


def invoice_of(request: httpx.Request | LightRequest) -> int:
    """Return the invoice that a request about its payments names."""
    return int(request.url.path.rpartition("/payments")[0].rpartition("/")[2])


# --- answers that lie ----------------------------------------------------------------------------


class Lies(Fault):
    """The answer to a post names another amount, or another payment: one of before, one of another
    invoice, or none that there is."""

    name = "lie"

    def __init__(self, rate: float, *names: str) -> None:
        self._rate = rate
        self._lies = [(name, lie) for name, lie in _LIES if not names or name in names]

    def on_answer(
        self, world: World, request: LightRequest, answer: LightResponse
    ) -> LightResponse:
        is_post = request.method == "POST" and request.url.path.endswith("/payments")
        if not is_post or answer.status_code != _CREATED:
            return answer
        if world.random.random() >= self._rate:
            return answer
        try:
            made = _json(answer.content)
        except ValueError:
            return answer
        name, lie = world.random.choice(self._lies)
        changed = made | lie(world, made)
        world.note_fault(f"{self.name}: {name}")
        text = json.dumps(changed, default=float)
        return LightResponse(answer.status_code, answer.headers, text.encode())


def _another_amount(world: World, made: Mapping[str, Any]) -> dict[str, Any]:
    return {"amount": made["amount"] + world.random.choice((Decimal(-1), Decimal(1)))}


def _nobodys_id(world: World, made: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": made["id"] + 10**6 + world.random.randint(0, 1000)}


def _id_of_before(world: World, made: Mapping[str, Any]) -> dict[str, Any]:
    rows = payments_of(world.engine.tenant, made["invoice"]["id"])
    others = [row["id"] for row in rows if row["id"] != made["id"]]
    return {"id": world.random.choice(others)} if others else {}


def _id_of_another_invoice(world: World, made: Mapping[str, Any]) -> dict[str, Any]:
    rows = world.engine.tenant.store[Kind.PAYMENT]
    others = [row["id"] for row in rows if row["invoice"]["id"] != made["invoice"]["id"]]
    return {"id": world.random.choice(others)} if others else {}


def _json(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content, parse_float=Decimal)
    return found


_LIES: tuple[tuple[str, Callable[[World, Mapping[str, Any]], dict[str, Any]]], ...] = (
    ("another amount", _another_amount),
    ("nobody's id", _nobodys_id),
    ("id of before", _id_of_before),
    ("id of another invoice", _id_of_another_invoice),
)
