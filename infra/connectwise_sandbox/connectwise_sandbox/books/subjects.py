"""An invoice has a subject: an agreement, project, phase, sales order or ticket, or all work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.kinds import Kind, Record, reference_to

_WEIGHTS: Mapping[str, Mapping[str, int]] = {
    # how often an invoice of a type has which subject
    "Standard": {"All": 50, "Ticket": 22, "SalesOrder": 14, "Project": 8, "ProjectPhase": 6},
    "Progress": {"Project": 65, "ProjectPhase": 35},
    "DownPayment": {"Project": 40, "SalesOrder": 40, "Ticket": 20},
}
_PROJECTS = ("Office move", "Cloud migration", "Réseau Wi-Fi", "サーバー更新")
_PHASES = ("Planning", "Roll-out")
_SUMMARIES = ("Patched servers", "Onboarded a user", "Réunion", "Replaced switch", "調査")
_FIRST_PROJECT_ID = 310
_FIRST_ORDER_ID = 8_200
_PHASES_PER_PROJECT = len(_PHASES)


class Subjects:
    """The subjects of the books: each company has one project, and orders and tickets as billed."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._projects: dict[int, Record] = {}
        self._orders = 0

    def draw(self, type_name: str, company: Record, day: date) -> Record:
        """Return the properties that name the subject of a new invoice."""
        weights = _WEIGHTS.get(type_name, {"All": 1})
        match self._pen.random.choices(list(weights), list(weights.values()))[0]:
            case "Project":
                project = self.project_of(company)
                return _named("Project", project["id"], project=project)
            case "ProjectPhase":
                project, phase = self.phase_of(company)
                return _named("ProjectPhase", phase["id"], project=project, phase=phase)
            case "SalesOrder":
                self._orders += 1
                order_id = _FIRST_ORDER_ID + self._orders
                order = {"id": order_id, "identifier": f"SO-{order_id}"}
                return _named("SalesOrder", order_id, salesOrder=order)
            case "Ticket":
                ticket = self.open_ticket(company, day)
                return _named("Ticket", ticket["id"], ticket=ticket)
            case _:
                return {"applyToType": "All"}

    def project_of(self, company: Record) -> Record:
        """Return the project of a company."""
        known = self._projects.get(company["id"])
        if known is None:
            number = len(self._projects)
            known = {"id": _FIRST_PROJECT_ID + number, "name": _PROJECTS[number % len(_PROJECTS)]}
            self._projects[company["id"]] = known
        return known

    def phase_of(self, company: Record) -> tuple[Record, Record]:
        """Return the project of a company and one of its phases."""
        project = self.project_of(company)
        number = self._pen.random.randrange(_PHASES_PER_PROJECT)
        phase_id = project["id"] * _PHASES_PER_PROJECT + number
        return project, {"id": phase_id, "name": _PHASES[number]}

    def open_ticket(self, company: Record, day: date, project: Record | None = None) -> Record:
        """Write a closed ticket, of a project if one is given, and return its short form."""
        ticket = {
            "summary": f"{self._pen.random.choice(_SUMMARIES)} ({company['identifier']})",
            "recordType": "ProjectTicket" if project else "ServiceTicket",
            "company": reference_to(Kind.COMPANY, company),
            "closedFlag": True,
            "status": {"id": 4, "name": ">Closed"},
            "board": {"id": 1, "name": "Projects" if project else "Service Desk"},
        }
        return reference_to(Kind.TICKET, self._pen.write(Kind.TICKET, ticket, day))


def _named(type_name: str, subject_id: int, **references: Record) -> Record:
    return {"applyToType": type_name, "applyToId": subject_id, **references}
