"""When the jobs of connections start: each schedule names jobs, and its part of the connections.

The code spreads a part's jobs over the quarter of an hour after its schedule. A late or repeated
start does its own part. `tests/infra/test_schedules.py` compares the times
with those that the code reckons with.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler

from infra.constructs.scheduled_job import Timetable

_QUARTER_MINUTES = 15
_QUARTERS_OF_AN_HOUR = 4
_NIGHT_BEGINS = 3
_NIGHT_PARTS = 12


def of_customers() -> list[Timetable]:
    """Each connection's customers, hourly: a quarter of the connections at a time."""
    return _hourly("customers", ["customers"])


def of_other_jobs() -> list[Timetable]:
    """Due write-backs, each minute, and each connection's other jobs."""
    return [
        Timetable(
            name="due-write-backs",
            when=scheduler.ScheduleExpression.rate(cdk.Duration.minutes(1)),
            job={"job": "due_write_backs"},
        ),
        Timetable(
            name="quarter-hourly",
            when=_at(minute=f"0/{_QUARTER_MINUTES}"),
            job={"jobs": ["invoice_delta", "heal_write_backs"], "part": 0},
        ),
        *_hourly("hourly", ["callbacks", "payments"]),
        *_nightly("nightly", ["sweep"]),
        # Its part follows from the day: a twenty-eighth of the connections each.
        Timetable(
            name="monthly", when=_at(hour="0", minute="0"), job={"jobs": ["resting_payments"]}
        ),
    ]


def _hourly(name: str, jobs: Sequence[str]) -> list[Timetable]:
    return [
        _part(name, jobs, part, _at(minute=str(_QUARTER_MINUTES * part)))
        for part in range(_QUARTERS_OF_AN_HOUR)
    ]


def _nightly(name: str, jobs: Sequence[str]) -> list[Timetable]:
    """A part each quarter of an hour, through three hours of the night."""
    times = [divmod(part, _QUARTERS_OF_AN_HOUR) for part in range(_NIGHT_PARTS)]
    return [
        _part(name, jobs, part, _at(hour=str(_NIGHT_BEGINS + hour), minute=str(15 * quarter)))
        for part, (hour, quarter) in enumerate(times)
    ]


def _part(
    name: str, jobs: Sequence[str], part: int, when: scheduler.ScheduleExpression
) -> Timetable:
    return Timetable(name=f"{name}-{part}", when=when, job={"jobs": list(jobs), "part": part})


def _at(*, minute: str, hour: str = "*") -> scheduler.ScheduleExpression:
    return scheduler.ScheduleExpression.cron(
        hour=hour, minute=minute, time_zone=cdk.TimeZone.ETC_UTC
    )
