"""The admin interface answers commands below `/_sandbox`.

Its commands edit data as persons do, set switches and faults, and show calls and deliveries.
Anyone at the port may give them; the server binds it to loopback.
`GET /_sandbox` lists every command.
"""

from __future__ import annotations

from pydantic import ValidationError

from connectwise_sandbox.admin.books import BookCommands
from connectwise_sandbox.admin.command import Command
from connectwise_sandbox.admin.installation import InstallationCommands
from connectwise_sandbox.call_log import CallLog
from connectwise_sandbox.errors import ApiError
from connectwise_sandbox.faults import FaultPlan
from connectwise_sandbox.messages import Request, Response, json_response
from connectwise_sandbox.people import People
from connectwise_sandbox.tenant import Tenant

ADMIN_PREFIX = "/_sandbox"


class Admin:
    """The admin interface carries out commands on the parts of an engine."""

    def __init__(self, tenant: Tenant, people: People, faults: FaultPlan, calls: CallLog) -> None:
        self._commands = [
            Command("GET", "/", self._list_commands, None),
            *InstallationCommands(tenant, people, faults, calls).commands(),
            *BookCommands(tenant, people).commands(),
        ]

    def handle(self, request: Request) -> Response:
        """Answer one request below `/_sandbox`."""
        path = request.path.removeprefix(ADMIN_PREFIX).rstrip("/") or "/"
        for command in self._commands:
            numbers = command.match(request.method, path)
            if numbers is not None:
                return self._run(command, numbers, request)
        return json_response(404, {"error": "no such command; GET /_sandbox lists them"})

    def _run(self, command: Command, numbers: list[int], request: Request) -> Response:
        try:
            arguments: list[object] = [*numbers]
            if command.body is not None:
                arguments.append(command.body.model_validate_json(request.body or b"{}"))
            answer = command.answer(*arguments)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            return json_response(400, {"error": "invalid body", "details": details})
        except ApiError as error:
            return error.response
        except ValueError as error:
            return json_response(400, {"error": str(error)})
        return json_response(200, answer if answer is not None else {"ok": True})

    def _list_commands(self) -> object:
        """List every command."""
        return [
            {
                "method": command.method,
                "path": f"{ADMIN_PREFIX}{command.template}",
                "does": command.purpose,
                "body": command.body.model_json_schema() if command.body else None,
            }
            for command in self._commands
        ]
