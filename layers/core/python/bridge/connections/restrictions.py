"""The limits of an API member's sight are shown here: part of the books is hidden from it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError
from bridge.domain.permissions import Restriction
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode
from bridge.ports import Clock, ProblemStore, Psa

_logger = logging.getLogger(__name__)


def read_restrictions(
    psa: Psa, member: str, known: tuple[Restriction, ...]
) -> tuple[Restriction, ...]:
    """Return the limits of the member's sight, the known ones while ConnectWise is silent."""
    try:
        return psa.read_restrictions(member)
    except BridgeError as error:
        _logger.warning("restrictions not read: %s", type(error).__name__)
        return known


def show_restrictions(problems: ProblemStore, clock: Clock, connection: Connection) -> None:
    """Open a problem that says which part of the books is hidden, or close it."""
    report = connection.report(
        ProblemCode.BOOKS_PARTLY_HIDDEN, CONNECTION_SUBJECT, _told(connection.restrictions)
    )
    if connection.restrictions:
        problems.report(report, clock.now())
    else:
        problems.resolve(connection.partner_id, report.problem_id, clock.now())


def _told(restrictions: Sequence[Restriction]) -> str:
    limits = "; ".join(map(str, restrictions))
    return (
        f"ConnectWise hides a part of the books from the API member: {limits}. "
        "Lift this in ConnectWise (System > Members > API Members, and the member's security "
        "role), then verify the connection and save its filters, which imports the rest."
    )
