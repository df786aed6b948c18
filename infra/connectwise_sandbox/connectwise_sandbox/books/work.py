"""Time entries and expenses are drafted here: work that was done before it was billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.books.setup_tables import WORK_ROLE, WORK_TYPE
from connectwise_sandbox.books.subjects import Subjects
from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import ZERO, rounded

_HOURLY_RATE = Decimal(145)
_NOTES = ("Patched servers", "Onboarded a user", "Réunion", "Replaced switch", "調査")
_EXPENSE_TYPES = ({"id": 1, "name": "Mileage"}, {"id": 2, "name": "Parking"})
_CHARGE_CODE_ID = 27
_FIRST_HOUR, _LAST_HOUR = 8, 15
_MOST_DAYS_BEFORE_BILLING = 20
_CHARGES: Mapping[str, int] = {
    # how often work is charged to what
    "ServiceTicket": 35,
    "ProjectTicket": 20,
    "ChargeCode": 20,
    "Company": 25,
}
_STANDING_TIME: Record = {
    "companyType": "Customer",
    "workType": WORK_TYPE,
    "workRole": WORK_ROLE,
    "hoursDeduct": ZERO,
    "internalNotes": "",
    "addToDetailDescriptionFlag": False,
    "addToInternalAnalysisFlag": False,
    "addToResolutionFlag": False,
    "emailResourceFlag": False,
    "emailContactFlag": False,
    "emailCcFlag": False,
    "hourlyCost": "40.00",
    "overageRate": ZERO,
    "agreementAdjustment": ZERO,
    "adjustment": ZERO,
    "invoiceReady": 1,
    "status": "Billed",
    "invoiceFlag": True,
}
_STANDING_EXPENSE: Record = {
    "paymentMethod": {"id": 1, "name": "Cash"},
    "classification": {"id": 1, "name": "Reimbursable"},
    "billableOption": "Billable",
    "notes": "",
    "status": "Billed",
    "taxes": [],
}


class WorkDrafts:
    """The work drafts of the books."""

    def __init__(self, pen: Pen, subjects: Subjects) -> None:
        self._pen = pen
        self._subjects = subjects
        self._members = pen.references(Kind.MEMBER)[:-1]

    def draw_time(self, rate: Decimal, decimals: int, *, is_covered: bool) -> Record:
        """Return a time entry; one that is covered costs nothing beyond its agreement."""
        hours = Decimal(self._pen.random.randint(1, 16)) / 4
        hourly_rate = rounded(_HOURLY_RATE * rate, decimals)
        amount = rounded(hours * hourly_rate, decimals)
        nothing = rounded(ZERO, decimals)
        member = self._pen.random.choice(self._members)
        return _STANDING_TIME | {
            "member": member,
            "enteredBy": member["identifier"],
            "actualHours": hours,
            "hoursBilled": hours,
            "invoiceHours": hours,
            "hourlyRate": hourly_rate,
            "agreementHours": hours if is_covered else ZERO,
            "agreementAmount": amount if is_covered else nothing,
            "billableOption": "NoCharge" if is_covered else "Billable",
            "extendedInvoiceAmount": nothing if is_covered else amount,
            "notes": self._pen.random.choice(_NOTES),
            "mobileGuid": self._pen.guid(),
        }

    def draw_expense(self, rate: Decimal, decimals: int, currency: Record) -> Record:
        """Return an expense."""
        amount = rounded(Decimal(self._pen.random.randint(500, 9_000)) / 100 * rate, decimals)
        return _STANDING_EXPENSE | {
            "type": self._pen.random.choice(_EXPENSE_TYPES),
            "member": self._pen.random.choice(self._members),
            "amount": amount,
            "billAmount": amount,
            "invoiceAmount": amount,
            "agreementAmount": rounded(ZERO, decimals),
            "currency": currency,
            "mobileGuid": self._pen.guid(),
        }

    def write_time(self, entries: list[Record], shared: Record, company: Record, day: date) -> None:
        """Write time entries of an invoice, worked and entered before the day of billing."""
        charge = self._charge(company, day) if entries else {}
        for entry in entries:
            days = self._pen.random.randint(1, _MOST_DAYS_BEFORE_BILLING)
            worked_on = day - timedelta(days=days)
            begun, ended = self._hours(worked_on, entry["actualHours"])
            times = {"timeStart": begun, "timeEnd": ended, "dateEntered": ended}
            entered_on = worked_on + timedelta(days=1)
            self._pen.write(Kind.TIME_ENTRY, entry | shared | charge | times, entered_on, day)

    def write_expenses(
        self, expenses: list[Record], shared: Record, company: Record, day: date
    ) -> None:
        """Write expenses of an invoice."""
        dated = {"date": wire_date(day), "chargeToType": "Company", "chargeToId": company["id"]}
        for expense in expenses:
            self._pen.write(Kind.EXPENSE_ENTRY, expense | shared | dated, day)

    def _hours(self, day: date, hours: Decimal) -> tuple[str, str]:
        """Return the begin and end of some hours of work on a day."""
        first_hour = self._pen.random.randint(_FIRST_HOUR, _LAST_HOUR)
        more_hours, minutes = divmod(int(hours * 60), 60)
        begun = f"{day.isoformat()}T{first_hour:02}:00:00Z"
        return begun, f"{day.isoformat()}T{first_hour + more_hours:02}:{minutes:02}:00Z"

    def _charge(self, company: Record, day: date) -> Record:
        """Return the properties that name the target of charge of an invoice's time entries."""
        drawn = self._pen.random.choices(list(_CHARGES), list(_CHARGES.values()))[0]
        match drawn:
            case "ServiceTicket":
                ticket = self._subjects.open_ticket(company, day)
                board = {"ticketBoard": "Service Desk", "ticketStatus": ">Closed"}
                return _charged(drawn, ticket["id"]) | board | {"ticket": ticket}
            case "ProjectTicket":
                project, phase = self._subjects.phase_of(company)
                ticket = self._subjects.open_ticket(company, day, project)
                named = {"ticket": ticket, "project": project, "phase": phase}
                return _charged(drawn, ticket["id"]) | named
            case "ChargeCode":
                return _charged(drawn, _CHARGE_CODE_ID)
            case _:
                return _charged(drawn, company["id"])


def _charged(type_name: str, target_id: int) -> Record:
    return {"chargeToType": type_name, "chargeToId": target_id}
