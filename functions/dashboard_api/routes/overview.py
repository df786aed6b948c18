"""The overview tells a partner how things stand."""

from __future__ import annotations

from bridge.domain.errors import InvalidInputError
from dashboard_api.dependencies import Partner
from dashboard_api.models.month_end import MonthEndView
from dashboard_api.models.overview import OverviewView
from dashboard_api.models.values import DateQuery, RecordId, refuse_reversed
from dashboard_api.resource import Resource

MAX_DAYS = 366

resource = Resource("overview")


@resource.route("GET", "/v1/overview")
def get_overview(partner: Partner) -> OverviewView:
    """Tell debts, collected money and open matters in sums and counts.

    Debts are summed up anew at most once a minute for each partner. While the first sums
    are being made, the answer is 429.
    """
    return OverviewView.of(partner.services.overview.read(partner.id))


@resource.route("GET", "/v1/connections/<connection_id>/month-end")
def get_month_end(
    partner: Partner,
    connection_id: RecordId,
    first_day: DateQuery = None,
    last_day: DateQuery = None,
) -> MonthEndView:
    """Follow the money that the platform collected on some days into ConnectWise.

    Days are those on which money was received. Together they are a year at most; left out, they
    are those of the present month (UTC) up to today.
    """
    connection = partner.connection(connection_id)
    last = last_day or partner.today
    first = first_day or last.replace(day=1)
    refuse_reversed(first, last, "first_day")
    if (last - first).days >= MAX_DAYS:
        raise InvalidInputError("The days are a year at most.", field="last_day")
    return MonthEndView.of(partner.services.month_end.read(connection, first, last))
