"""The rights that a connection's API member needs are proven and reported here."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connections.health import report_of_right
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    PermissionMissingError,
)
from bridge.domain.permissions import Right, RightFinding, missing
from bridge.domain.problem import ProblemCode
from bridge.ports import Clock, ProblemStore, Psa


def prove_rights(psa: Psa) -> tuple[RightFinding, ...]:
    """Return the finding of each right's probe; all probes only read.

    Raises CredentialsRejectedError, WrongCompanyError, or PermissionMissingError with the rights
    that are proven to be missing.
    """
    psa.read_system_info()
    findings = psa.check_rights()
    lacking = missing(findings)
    if lacking:
        raise PermissionMissingError(
            "the API member's security role lacks rights",
            rights=tuple(str(right) for right in lacking),
        )
    return findings


def settle_rights(
    problems: ProblemStore, clock: Clock, connection: Connection, lacking: Sequence[Right]
) -> None:
    """Open a problem for each missing right, and close outdated ones about keys and rights.

    The caller has just seen ConnectWise accept the keys.
    """
    now = clock.now()
    still_open: set[str] = set()
    for right in lacking:
        report = report_of_right(connection, str(right))
        problems.report(report, now)
        still_open.add(report.problem_id)
    settled = (ProblemCode.RIGHT_MISSING, ProblemCode.CREDENTIALS_REJECTED)
    known = problems.open_of_connection(connection.partner_id, connection.connection_id)
    for problem_id, problem in known.items():
        if problem.code in settled and problem_id not in still_open:
            problems.resolve(connection.partner_id, problem_id, now)
